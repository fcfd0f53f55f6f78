/*
 * One iteration: a matrix, Cholesky with the least shift, the kink-aware Newton step, and a search along it on the true F.
 *
 * Far from a minimiser two cheaper models help. Steps that fit the logits in the present activation pattern open the solve for
 * as long as each cuts F by a fifth: where b can be attained, five or six of them do the work of twenty Newton steps. And when
 * Newton's model disagrees with F, F is a bent valley: a second search along the line through the last iterate but one follows
 * it (parallel tangents; Shah, Buehler and Kempthorne, "Some algorithms for minimizing a function of several variables", J.
 * SIAM 12, 1964) at the price of a few evaluations.
 *
 * Close to a minimiser a Newton step promises less than the round-off of F; then F cannot judge it, and the step is taken when
 * it shortens the stationarity residual, or for a few steps even if it does not: while weak kinks change sides the residual may
 * rise before it vanishes. Should it not, the nearest point is taken up again.
 */
#ifndef SRL_SOLVER_ITERATION_H
#define SRL_SOLVER_ITERATION_H

#include "solver/solver.h"

enum { SRL_PATIENCE = 20 }; /* steps in a row that F cannot judge and that need not shorten the residual */

/* What one iteration did, for the trace. */
struct srl_progress {
    int64_t iteration;
    double step_norm, step_scale, shift;
    int64_t flips, sample_rows;
};

/* From solver->current to a better point, which takes its place. SOFTRELU_NOT_RUN when there is one, else why not. */
softrelu_termination srl_iterate(struct srl_solver *solver, struct srl_progress *progress);

/* Why something did not succeed: because it was interrupted, or else for the reason given. */
softrelu_termination srl_why(struct srl_solver *solver, softrelu_termination otherwise);

/* First derivatives and stationarity of a point. False when anything is not finite. */
bool srl_differentiate(struct srl_solver *solver, struct srl_point *point, struct srl_stationarity *stationarity);
/* The trial point becomes the current one. */
void srl_take_trial(struct srl_solver *solver, const struct srl_stationarity *stationarity);
/* Back to the nearest point, if patience led away from it. */
bool srl_go_back(struct srl_solver *solver);
/* Whether steps are searched along, or taken whole. */
bool srl_searches(const struct srl_solver *solver);

#endif
