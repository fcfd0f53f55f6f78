/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What every peer asks for, computed once for all of them on OpenBLAS. In the notation of docs/mathematics.md, with
 * R = U'U and f the output distribution at x,
 *
 *     F(x) = 1/2 |f - b|^2 + 1/2 |U x|^2     residuals (f - b, U x), m + d of them
 *
 * Everything is multiplied by scale (residuals and Jacobians by its root), which brings F near 1 for peers that have absolute
 * thresholds. What the last point gave is kept: asking twice costs one comparison of x. The Jacobian of the logits depends on
 * x through the signs of the units only, and is made anew when one has changed. Nothing allocates after the creation.
 */
#ifndef SOFTRELU_BENCH_PEERS_EVALUATION_H
#define SOFTRELU_BENCH_PEERS_EVALUATION_H

#include <stdbool.h>
#include <stdint.h>

#include "race.h"

struct member;

struct evaluation {
    const struct member *member;
    struct race race;
    int n, d, m;
    double scale, start;          /* start: F unscaled at the member's start */
    double *regulariser, *factor; /* R and U, d x d, row-major */
    /* at x */
    double *x, *u, *h, *f, *misfit, *q, *back, *slopes, *gradient, *centre, *weights;
    double loss, mean_misfit; /* F unscaled, and f'(f - b) */
    bool has_x, has_gradient, has_jacobian, has_signs;
    /* the Jacobian of the logits, m x d, for those signs */
    signed char *signs;
    int *active;
    double *jacobian, *active_rows, *active_columns, *weighted;
    struct {
        int64_t values, gradients, jacobians, hessians, products;
    } counts;
};

#ifdef __cplusplus
extern "C" {
#endif

struct evaluation *evaluation_create(const struct member *member);
void evaluation_destroy(struct evaluation *at);
/* Ready for a run from the member's start: nothing is kept, scale is 1/F there, counts are 0, the clock starts: that of the
   processor's time, or the wall's. */
void evaluation_start(struct evaluation *at, double time_limit, int64_t evaluation_limit, bool processor_time);

/* For callers that do not see these structures: the start into x (d), and whether the race is over. */
void evaluation_get_start(const struct evaluation *at, double *x);
bool evaluation_is_over(const struct evaluation *at);

double evaluate_value(struct evaluation *at, const double *x);
double evaluate_gradient(struct evaluation *at, const double *x, double *gradient); /* returns the value */
void evaluate_residuals(struct evaluation *at, const double *x, double *residuals);
void evaluate_jacobian(struct evaluation *at, const double *x, double *jacobian);                /* (m + d) x d, by rows */
void evaluate_jacobian_columns(struct evaluation *at, const double *x, double *jacobian);        /* the same by columns */
void evaluate_hessian(struct evaluation *at, const double *x, double *hessian);                  /* d x d, full */
void evaluate_gauss_newton(struct evaluation *at, const double *x, double *hessian);             /* J'J, d x d, full */
void evaluate_product(struct evaluation *at, const double *x, const double *v, double *product); /* J v */
void evaluate_product_transposed(struct evaluation *at, const double *x, const double *v, double *product); /* J'v */

#ifdef __cplusplus
}
#endif

#endif
