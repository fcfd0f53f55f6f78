/* SPDX-License-Identifier: BSD-3-Clause */
/* What is seen on stderr while something is solved: a live line on a terminal; with --verbose a row for each iteration. */
#ifndef SOFTRELU_CLI_PROGRESS_H
#define SOFTRELU_CLI_PROGRESS_H

#include "arguments.h"
#include "live.h"

struct progress {
    softrelu_solver *solver;
    softrelu_counterfactual *search; /* that the solver works for; NULL: it solves for itself */
    bool table, begun;               /* a row for each iteration; the heading is printed */
    struct live live;
    double tolerance;
    int64_t solves, starts;                   /* begun so far; the setting */
    double iteration, loss, relative, pinned; /* after the last iteration; relative: the residual */
    double first_relative;                    /* before this solve's first */
};

/* Makes the solver tell, and hand on a signal that came before it, or between two solves of the search, was listening. */
softrelu_status progress_begin(struct progress *progress, const struct arguments *arguments, softrelu_solver *solver,
                               softrelu_counterfactual *search);
/* Leaves the terminal as it was, and the solver without listeners. */
void progress_end(struct progress *progress);

#endif
