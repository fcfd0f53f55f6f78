/* SPDX-License-Identifier: BSD-3-Clause */
/* How a step of the program went, and what to tell the user when it failed. The numbers are the exit statuses. */
#ifndef SOFTRELU_CLI_FAILURE_H
#define SOFTRELU_CLI_FAILURE_H

#include <stddef.h>

enum outcome {
    OUTCOME_OK = 0,        /* all right; of a solve: converged */
    OUTCOME_STOPPED = 1,   /* a solve stopped before convergence, or a check that failed */
    OUTCOME_BAD_INPUT = 2, /* usage, or data that cannot be used */
    OUTCOME_RESOURCES = 3  /* out of memory, or the system failed to read or write */
};

/* Long enough for a path of the greatest length and what is wrong with it. */
struct failure {
    char text[6144];
};

#if defined(__GNUC__)
#define FAILURE_FORMAT(text, first) __attribute__((format(printf, text, first)))
#else
#define FAILURE_FORMAT(text, first)
#endif

/* Writes the message, printf-like. */
FAILURE_FORMAT(2, 3)
void failure_write(struct failure *failure, const char *format, ...);
/* Writes the message and is the outcome, so that a check reads: return fail(failure, OUTCOME_BAD_INPUT, "..."). A macro, so
   that compilers and analyzers see which outcome is returned. */
#define fail(failure, outcome, ...) (failure_write((failure), __VA_ARGS__), (outcome))
/* Puts "prefix " before the message: the caller knows which array the file was meant for. Returns the outcome. */
enum outcome fail_prefix(struct failure *failure, enum outcome outcome, const char *prefix);

#endif
