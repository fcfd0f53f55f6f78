/*
 * F and its first derivatives at a point, from the problem's data alone: the formulas of docs/mathematics.md written down once
 * more, on purpose. A certificate that used the solver's own evaluation would share its mistakes.
 */
#ifndef SRL_CERTIFICATE_EVALUATION_H
#define SRL_CERTIFICATE_EVALUATION_H

#include "base/alloc.h"
#include "model/model.h"

struct srl_evaluation {
    double *v, *u, *h; /* A1 x, pre-activations, hidden layer (n each) */
    double *z, *f;     /* logits, output distribution (m each) */
    double *q, *r;     /* slope and curvature weights of the loss at the logits (m each) */
    double *jumps;     /* A2'q (n) */
    int64_t top;       /* the largest output, among those of all ranks, */
    double z_top, b_top;
    double rest; /* 1 - f_top, summed from the others */
    double loss, x_norm;
    double scale; /* norm of the terms that the gradient is added up from */
};

void srl_evaluation_carve(struct srl_arena *arena, struct srl_evaluation *at, const struct srl_model *model);
/* False when anything is beyond double precision. */
/* What it takes of the outputs, on all ranks: all that follows from h. The loss without its regularisers, and the norm of the
   terms of q. False when something is not finite. */
bool srl_evaluate_outputs(struct srl_evaluation *at, const struct srl_model *model, double *fit, double *terms);
/* Whether some r_j is negative. */
bool srl_has_negative_curvature(const struct srl_evaluation *at, const struct srl_model *model);
bool srl_evaluate(struct srl_evaluation *at, const struct srl_model *model, const double *x);
/* gradient = A1' (slopes + w^2 v) + rho (x - x_ref) for the given slopes along u (n, overwritten). */
void srl_slopes_to_gradient(const struct srl_evaluation *at, const struct srl_model *model, const double *x, double *slopes,
                            double *gradient);

#endif
