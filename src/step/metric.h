/*
 * The matrix of a Newton step, M = H + shift I = S S', as the hinge QP and its faces need it: the product with M, and the
 * solutions with S and S'. S is the Cholesky factor, or that of step/small_matrix.h, whose shift is another.
 */
#ifndef SRL_STEP_METRIC_H
#define SRL_STEP_METRIC_H

#include "step/small_matrix.h"

struct srl_metric {
    int64_t d;
    const double *hessian; /* H, lower triangle (d x d) */
    double shift;
    const double *factor; /* S (lower triangle, d x d) */
    double size;          /* largest diagonal entry of M: round-off of a product is relative to this times |x| */
    const struct srl_small_matrix *small; /* in the place of both matrices, or NULL */
};

/* product = M x */
void srl_metric_product(const struct srl_metric *metric, const double *x, double *product);
/* B = S^-1 B (plain) or S^-T B (transposed) for columns of length d, one after the other. */
void srl_metric_solve(const struct srl_metric *metric, enum srl_transpose op, int64_t columns, double *b);

#endif
