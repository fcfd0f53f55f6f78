/*
 * The Newton step p = -(H + tau I)^-1 g by Cholesky, with the least shift tau on a ladder of powers of ten for which the matrix
 * is positive definite: p is then a descent direction, and exactly Newton's wherever H itself is positive definite. Where H is
 * the regulariser's matrix and a few rows, step/small_matrix.h takes the place of matrix and factor, and its L L' that of I.
 */
#ifndef SRL_STEP_NEWTON_H
#define SRL_STEP_NEWTON_H

#include "base/alloc.h"
#include "model/model.h"
#include "step/metric.h"

struct srl_newton {
    double *hessian;               /* H, lower triangle (d x d) */
    double *factor;                /* Cholesky factor of H + shift I */
    double *step;                  /* p (d) */
    double *rest;                  /* d of scratch */
    struct srl_small_matrix small; /* H in the place of both */
    bool is_small;                 /* it is */
    bool is_decomposed;            /* with its eigenvalues, as it is now */
    bool always_small;             /* as long as its rows have room, whether or not that is cheaper */
    double shift;                  /* tau of the last factorisation */
    bool is_factor;                /* factor is that of H itself, as it is now */
    double foothold; /* least shift that worked last time one was needed: the ladder is climbed from just below it */
    int64_t factorisations;
    struct srl_interruption *interruption;
};

void srl_newton_carve(struct srl_arena *arena, struct srl_newton *newton, const struct srl_model *model);

/* To be called when H has changed. */
static inline void srl_newton_forget(struct srl_newton *newton) { newton->is_factor = newton->is_decomposed = false; }
/* Whether a small matrix of so many rows is to be preferred. */
bool srl_newton_prefers_small(const struct srl_newton *newton, int64_t rows);
/* The small matrix is written out into hessian, and not used any more. */
void srl_newton_expand(struct srl_newton *newton);
/* Factors H + tau I for the first tau that works, from least_shift upwards (0 tries H itself first).
   0: done; > 0: no shift helped (H is not finite), or interrupted; < 0: LAPACK refused. */
int srl_newton_factor(struct srl_newton *newton, int64_t d, double least_shift);
/* Whether H itself is positive definite (one factorisation). */
bool srl_newton_is_convex(struct srl_newton *newton, int64_t d);
/* step = -(H + tau I)^-1 gradient. Returns gradient'step, negative for a descent direction. */
double srl_newton_solve(struct srl_newton *newton, int64_t d, const double *gradient);
/* The largest diagonal entry of H in magnitude: what shifts are measured against. 1 for a zero diagonal. */
double srl_newton_scale(const struct srl_newton *newton, int64_t d);
/* H + tau I, factored. */
struct srl_metric srl_newton_metric(const struct srl_newton *newton, int64_t d);

#endif
