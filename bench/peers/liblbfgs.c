/* SPDX-License-Identifier: BSD-3-Clause */
/* libLBFGS: limited-memory BFGS with the line search of Moré and Thuente, and with backtracking to the weak Wolfe conditions.
 */
#include "peer.h"

#include <stdio.h>
#include <string.h>

#include <lbfgs.h>

static lbfgsfloatval_t value(void *evaluation, const lbfgsfloatval_t *x, lbfgsfloatval_t *gradient, const int d,
                             const lbfgsfloatval_t step) {
    (void)d;
    (void)step;
    return evaluate_gradient(evaluation, x, gradient);
}

static void minimise(struct evaluation *at, double *x, char status[STATUS_ROOM], int search) {
    lbfgs_parameter_t settings;
    lbfgs_parameter_init(&settings);
    settings.linesearch = search;
    settings.m = 20;
    settings.epsilon = 1e-30;
    settings.max_linesearch = 60;
    settings.min_step = 1e-30;
    settings.max_step = 1e30;
    lbfgsfloatval_t *y = lbfgs_malloc(at->d), loss;
    memcpy(y, x, (size_t)at->d * sizeof *x);
    const int end = lbfgs(at->d, y, &loss, value, NULL, at, &settings);
    memcpy(x, y, (size_t)at->d * sizeof *x);
    lbfgs_free(y);
    (void)snprintf(status, STATUS_ROOM, "status %d", end);
}

static void more_thuente(struct evaluation *at, double *x, char status[STATUS_ROOM]) {
    minimise(at, x, status, LBFGS_LINESEARCH_MORETHUENTE);
}

static void backtracking(struct evaluation *at, double *x, char status[STATUS_ROOM]) {
    minimise(at, x, status, LBFGS_LINESEARCH_BACKTRACKING_WOLFE);
}

const struct peer liblbfgs_peers[] = {{"liblbfgs", more_thuente}, {"liblbfgs_bt", backtracking}, {0}};
