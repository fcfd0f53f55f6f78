/*
 * The kink-aware Newton step of the exact Hessian H, which is only multiplied with, where newton has a matrix H~ close to it: a
 * sample's, or that of an earlier point.
 *
 * The QP is solved for H~; on the face of pinned kinks and bounds where it ends, conjugate gradients find the minimiser p of
 * the exact model; the QP with the exact model's gradient at p,
 *
 *     min over y of (g + (H - H~) p)'y + 1/2 y'H~y + hinges,
 *
 * has the solution y = p exactly when p is the step, whatever H~. If not, y has another face, and so on. It ends when y = p
 * within the tolerance, in the metric of H~; the best step met is taken in any case.
 */
#ifndef SRL_STEP_EXACT_STEP_H
#define SRL_STEP_EXACT_STEP_H

#include "step/conjugate_gradients.h"
#include "step/kink_step.h"

struct srl_exact_step {
    struct srl_conjugate_gradients cg;
    double *linear;          /* what is linear in the model on the face: the gradient and the full hinges (d) */
    double *gradient;        /* of the QP's model (d) */
    double *best;            /* the best step so far (d) */
    double *hidden, *output; /* 2 n and m of scratch */
    double *values;          /* n of scratch */
};

/* What is asked for. */
struct srl_exact_plan {
    const double *r;       /* curvature weights of H (m) */
    double tolerance;      /* relative error of the step */
    int64_t most_products; /* with H, for one step */
};

void srl_exact_step_carve(struct srl_arena *arena, struct srl_exact_step *exact, const struct srl_model *model);

/* As srl_kink_step(), with the promise of the exact model; not negative where that does not descend. */
double srl_exact_kink_step(const struct srl_model *model, const struct srl_point *point, struct srl_newton *newton,
                           struct srl_kink_step *kinks, double kink_tolerance, const struct srl_exact_plan *plan,
                           struct srl_exact_step *exact);
/* newton->step = -(H + shift I)^-1 gradient, without kinks and bounds. False when H is not positive definite. */
bool srl_exact_solve(const struct srl_model *model, const struct srl_point *point, struct srl_newton *newton,
                     struct srl_kink_step *kinks, const double *gradient, const struct srl_exact_plan *plan,
                     struct srl_exact_step *exact);

#endif
