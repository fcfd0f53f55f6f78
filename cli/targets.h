/* SPDX-License-Identifier: BSD-3-Clause */
/* softrelu solve with many targets, the rows of b. */
#ifndef SOFTRELU_CLI_TARGETS_H
#define SOFTRELU_CLI_TARGETS_H

#include "arguments.h"

/* Solves for all targets with the solver's settings and start, writes x and report, prints the summary. OUTCOME_STOPPED when
   one of them did not converge. */
enum outcome solve_targets(const struct arguments *arguments, const struct inputs *inputs, const softrelu_solver *solver,
                           struct failure *failure);

#endif
