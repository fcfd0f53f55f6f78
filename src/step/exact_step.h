/*
 * The kink-aware Newton step of the exact Hessian H, which is only multiplied with, where newton has a matrix H~ close to it: a
 * sample's, or that of an earlier point.
 *
 * Two moves alternate, each followed to the minimum of the exact model on its line, so that the model falls with each. On the
 * face of pinned kinks and bounds on which p lies, conjugate gradients go to the minimiser of the model's smooth part. And the
 * QP with H~ but the exact model's gradient at p,
 *
 *     min over y of (g + (H - H~) p)'y + 1/2 y'H~y + hinges,
 *
 * chooses the face: y - p is a direction of descent (proximal Newton, in the metric of H~), and y = p exactly when p is the
 * step that is looked for, whatever H~. It ends when that holds within the tolerance, in the metric of H~.
 */
#ifndef SRL_STEP_EXACT_STEP_H
#define SRL_STEP_EXACT_STEP_H

#include "step/conjugate_gradients.h"
#include "step/kink_step.h"

struct srl_exact_step {
    struct srl_conjugate_gradients cg;
    double *linear;            /* what is linear in the model on the face: the gradient and the full hinges (d) */
    double *gradient;          /* of the QP's model (d) */
    double *base, *base_image; /* where a move starts, and H times that (d) */
    double *hidden, *output;   /* 2 n and m of scratch */
    double *values;            /* n of scratch */
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
