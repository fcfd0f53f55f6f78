/* SPDX-License-Identifier: BSD-3-Clause */
/* One solve from the command line: its data, its solver, its result. */
#ifndef SOFTRELU_CLI_SESSION_H
#define SOFTRELU_CLI_SESSION_H

#include "arguments.h"

#include <jansson.h>

/* Everything one solve holds, so that it is freed in one place. */
struct session {
    struct inputs inputs;
    softrelu_problem *problem;
    softrelu_solver *solver;
    double *x; /* d */
    double *f; /* m, or of another rank than the first its rows */
};

/* All that can be refused before the data is read: reading and solving may take long. */
enum outcome session_check(const struct arguments *arguments, struct failure *failure);
/* Gives the inputs the names of the outputs, which must be right for them. */
enum outcome session_names(const struct arguments *arguments, struct inputs *inputs, struct failure *failure);
/* A solver for the problem, with the settings and the start of the command line, and room for the result. */
enum outcome session_prepare(const struct arguments *arguments, struct session *session, struct failure *failure);
/* Solves, with progress and signals; x is then the best point, and f the outputs there. */
enum outcome session_run(const struct arguments *arguments, struct session *session, struct failure *failure);
/* Writes the files that were asked for; make builds the report from its argument. */
enum outcome session_write(const struct arguments *arguments, const struct session *session, json_t *(*make)(const void *),
                           const void *argument, struct failure *failure);
void session_free(struct session *session);

#endif
