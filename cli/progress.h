/* SPDX-License-Identifier: BSD-3-Clause */
/* What is seen while a solve runs: one line per iteration on stderr. */
#ifndef SOFTRELU_CLI_PROGRESS_H
#define SOFTRELU_CLI_PROGRESS_H

#include <softrelu/softrelu.h>

#include <stdbool.h>

struct progress {
    softrelu_solver *solver;
    bool shown;
    bool begun; /* the heading is printed */
};

/* A softrelu_callback; user is a struct progress. Also hands on a signal that came before the solver listened. */
int progress_iteration(const softrelu_report *report, void *user);

#endif
