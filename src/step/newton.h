/*
 * The Newton step p = -(H + tau I)^-1 g by Cholesky, with the least shift tau on a ladder of powers of ten for which the matrix
 * is positive definite: p is then a descent direction, and exactly Newton's wherever H itself is positive definite.
 */
#ifndef SRL_STEP_NEWTON_H
#define SRL_STEP_NEWTON_H

#include "base/alloc.h"
#include "model/model.h"
#include "step/metric.h"

struct srl_newton {
    double *hessian; /* H, lower triangle (d x d) */
    double *factor;  /* Cholesky factor of H + shift I */
    double *step;    /* p (d) */
    double shift;    /* tau of the last factorisation */
    bool is_factor;  /* factor is that of H itself, as it is now */
    double foothold; /* least shift that worked last time one was needed: the ladder is climbed from just below it */
    int64_t factorisations;
};

void srl_newton_carve(struct srl_arena *arena, struct srl_newton *newton, const struct srl_model *model);

/* To be called when H has changed. */
static inline void srl_newton_forget(struct srl_newton *newton) { newton->is_factor = false; }
/* Factors H + tau I for the first tau that works, from least_shift upwards (0 tries H itself first).
   0: done; > 0: no shift helped (H is not finite); < 0: LAPACK refused an argument. */
int srl_newton_factor(struct srl_newton *newton, int64_t d, double least_shift);
/* Whether H itself is positive definite (one factorisation). */
bool srl_newton_is_convex(struct srl_newton *newton, int64_t d);
/* step = -(H + tau I)^-1 gradient. Returns gradient'step, negative for a descent direction; NaN when LAPACK refused. */
double srl_newton_solve(struct srl_newton *newton, int64_t d, const double *gradient);
/* The largest diagonal entry of H in magnitude: what shifts are measured against. 1 for a zero diagonal. */
double srl_newton_scale(const struct srl_newton *newton, int64_t d);
/* H + tau I, factored. */
struct srl_metric srl_newton_metric(const struct srl_newton *newton, int64_t d);

#endif
