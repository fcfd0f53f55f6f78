/* SPDX-License-Identifier: BSD-3-Clause */
/* cminpack: MINPACK's Levenberg-Marquardt with an analytic Jacobian, in C. */
#include "peer.h"

#include <stdio.h>
#include <stdlib.h>

#include <cminpack.h>

#include "support.h"

enum { VALUES = 1, JACOBIAN = 2 };

static int residuals(void *evaluation, int rows, int d, const double *x, double *values, double *jacobian, int ld, int what) {
    (void)rows;
    (void)d;
    (void)ld;
    if (what == VALUES)
        evaluate_residuals(evaluation, x, values);
    else if (what == JACOBIAN)
        evaluate_jacobian_columns(evaluation, x, jacobian);
    return 0;
}

static void lmder_(struct evaluation *at, double *x, char status[STATUS_ROOM]) {
    const int d = at->d, rows = at->m + d;
    double *values = numbers(rows), *jacobian = numbers((int64_t)rows * d), *work = numbers(5 * (int64_t)d + rows);
    int *pivots = calloc((size_t)d, sizeof *pivots), evaluations, jacobians;
    need(pivots != NULL, "out of memory");
    const int end = lmder(residuals, at, rows, d, x, values, jacobian, rows, 0.0, 0.0, 0.0, 1000000, work, 1, 100.0, 0,
                          &evaluations, &jacobians, pivots, work + d, work + 2 * d, work + 3 * d, work + 4 * d, work + 5 * d);
    (void)snprintf(status, STATUS_ROOM, "status %d", end);
    free(values);
    free(jacobian);
    free(work);
    free(pivots);
}

const struct peer cminpack_peers[] = {{"cminpack_lmder", lmder_}, {0}};
