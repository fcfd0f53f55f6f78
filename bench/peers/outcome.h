/* SPDX-License-Identifier: BSD-3-Clause */
/* What a run came to: one JSON object on one line, the same for every solver. */
#ifndef SOFTRELU_BENCH_PEERS_OUTCOME_H
#define SOFTRELU_BENCH_PEERS_OUTCOME_H

#include "evaluation.h"

/*
 * The run of the solver has just ended at x; where the race saw a better point, that counts, and where x = NULL too. Its loss
 * is that of the peers' evaluation, its residual and verdict those of softrelu_certify() with the standard tolerances, for all
 * solvers alike. Returns text to be freed.
 */
char *outcome_json(struct evaluation *at, const char *solver, const double *x, const char *status);

#endif
