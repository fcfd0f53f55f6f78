/*
 * Fewer units than inputs, n < d: F depends on x through A1 x and |x - x_ref| only. With A1 = L Q', Q of n orthonormal columns
 * and L lower triangular, and x = apart + Q y with Q'apart = 0,
 *
 *     A1 x = L y,     |x - x_ref|^2 = |y - Q'x_ref|^2 + |apart - (I - QQ') x_ref|^2,
 *
 * so that minimising over y in R^n is the same problem with L for A1 and Q'x_ref for x_ref. Where rho > 0 every minimiser has
 * the x_ref's own part for apart; where rho = 0 any will do. Lengths, the rows' norms and their angles are the same in both.
 */
#ifndef SRL_MODEL_REDUCTION_H
#define SRL_MODEL_REDUCTION_H

#include "base/alloc.h"
#include "model/model.h"

struct srl_reduction {
    double *basis;     /* Q' (n x d, row-major) */
    double *rows;      /* L (n x n, row-major) */
    double *curvature; /* R in the place of model->curvature (n x n); NULL where that is */
};

/* Whether there is one. */
bool srl_is_reducible(const struct srl_model *model);
void srl_reduction_carve(struct srl_arena *arena, struct srl_reduction *reduction, const struct srl_model *model);
/* Doubles of scratch for finding it. */
int64_t srl_reduction_work(const struct srl_model *model);
/* basis = NULL where it would serve nobody: rho = 0, and rows of A1 that depend on one another. False when LAPACK refused, or R
   is beyond double precision. */
bool srl_find_reduction(const struct srl_model *model, struct srl_reduction *reduction, double *work);
/* The problem in y. x_ref is left out. */
struct srl_model srl_reduced_model(const struct srl_model *model, const struct srl_reduction *reduction);

/* y = Q'x */
void srl_reduce(const struct srl_model *model, const struct srl_reduction *reduction, const double *x, double *y);
/* apart = x - QQ'x; y: n of scratch */
void srl_set_apart(const struct srl_model *model, const struct srl_reduction *reduction, const double *x, double *y,
                   double *apart);
/* x = apart + Q y */
void srl_expand(const struct srl_model *model, const struct srl_reduction *reduction, const double *apart, const double *y,
                double *x);

#endif
