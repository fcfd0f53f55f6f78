/* SPDX-License-Identifier: BSD-3-Clause */
/* NLopt: L-BFGS, truncated Newton, moving asymptotes, sequential quadratic programming. */
#include "peer.h"

#include <stdio.h>

#include <nlopt.h>

static double value(unsigned d, const double *x, double *gradient, void *evaluation) {
    (void)d;
    return gradient != NULL ? evaluate_gradient(evaluation, x, gradient) : evaluate_value(evaluation, x);
}

static void minimise(struct evaluation *at, double *x, char status[STATUS_ROOM], nlopt_algorithm algorithm) {
    nlopt_opt problem = nlopt_create(algorithm, (unsigned)at->d);
    nlopt_set_min_objective(problem, value, at);
    if (algorithm == NLOPT_LD_LBFGS || algorithm == NLOPT_LD_TNEWTON_PRECOND_RESTART)
        nlopt_set_vector_storage(problem, 20);
    double loss;
    const nlopt_result end = nlopt_optimize(problem, x, &loss);
    nlopt_destroy(problem);
    (void)snprintf(status, STATUS_ROOM, "status %d", (int)end);
}

static void lbfgs(struct evaluation *at, double *x, char status[STATUS_ROOM]) { minimise(at, x, status, NLOPT_LD_LBFGS); }

static void newton(struct evaluation *at, double *x, char status[STATUS_ROOM]) {
    minimise(at, x, status, NLOPT_LD_TNEWTON_PRECOND_RESTART);
}

/* The one peer that does better on F as it is than on F near 1. */
static void asymptotes(struct evaluation *at, double *x, char status[STATUS_ROOM]) {
    at->scale = 1.0;
    minimise(at, x, status, NLOPT_LD_MMA);
}

static void slsqp(struct evaluation *at, double *x, char status[STATUS_ROOM]) { minimise(at, x, status, NLOPT_LD_SLSQP); }

const struct peer nlopt_peers[] = {
    {"nlopt_lbfgs", lbfgs}, {"nlopt_tnewton", newton}, {"nlopt_mma", asymptotes}, {"nlopt_slsqp", slsqp}, {0}};
