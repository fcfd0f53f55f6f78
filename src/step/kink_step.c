#include "step/kink_step.h"

#include <math.h>
#include <string.h>

void srl_kink_step_carve(struct srl_arena *arena, struct srl_kink_step *kinks, const struct srl_model *model) {
    srl_hinge_qp_carve(arena, &kinks->qp, model->d, model->n);
    kinks->gradient = srl_arena_doubles(arena, model->d);
    kinks->slopes = srl_arena_doubles(arena, model->n);
    kinks->other = srl_arena_doubles(arena, model->n);
    kinks->rates = srl_arena_doubles(arena, model->n);
}

/* All convex kinks become hinges. Returns whether p = step, with rates = A1 p, meets any of them. */
static bool gather_hinges(const struct srl_model *model, const struct srl_point *point, struct srl_kink_step *kinks,
                          double kink_tolerance) {
    struct srl_hinge_qp *qp = &kinks->qp;
    const double x_norm = srl_norm(model->d, point->x);
    bool met = false;
    qp->count = 0;
    for (int64_t i = 0; i < model->n; i++) {
        if (!(point->slope_jumps[i] > 0.0) || !(model->row_norms[i] > 0.0))
            continue;
        const bool at_kink = srl_at_kink(model, point, i, x_norm, kink_tolerance), above = point->u[i] > 0.0;
        double *row = qp->rows + qp->count * model->d;
        srl_copy_row(&model->A1, i, row);
        if (above)
            srl_scale(model->d, -1.0, row);
        qp->offsets[qp->count] = -fabs(point->u[i]);
        qp->weights[qp->count] = point->slope_jumps[i];
        qp->start[qp->count] = at_kink;
        qp->count++;
        met = met || at_kink || (point->u[i] + kinks->rates[i] > 0.0) != above;
    }
    return met;
}

double srl_kink_step(const struct srl_model *model, const struct srl_point *point, struct srl_newton *newton,
                     struct srl_kink_step *kinks, double kink_tolerance) {
    for (int64_t i = 0; i < model->n; i++)
        kinks->slopes[i] = point->u[i] > 0.0 ? point->slope_jumps[i] : 0.0;
    if (srl_leave_ridges(model, point, kink_tolerance, kinks->slopes, kinks->other, kinks->rates, kinks->gradient) > 0)
        srl_gradient_of_slopes(model, point, kinks->slopes, kinks->gradient);
    else
        memcpy(kinks->gradient, point->gradient, (size_t)model->d * sizeof *point->gradient);
    const double slope = srl_newton_solve(newton, model->d, kinks->gradient);
    if (!isfinite(slope))
        return NAN;
    srl_gemv(SRL_PLAIN, 1.0, &model->A1, newton->step, 0.0, kinks->rates);
    if (!gather_hinges(model, point, kinks, kink_tolerance))
        return 0.5 * slope; /* no kink in the way: Newton's own step minimises the model */
    srl_hinge_qp_solve(&kinks->qp, newton->factor, kinks->gradient);
    memcpy(newton->step, kinks->qp.step, (size_t)model->d * sizeof *newton->step);
    srl_gemv(SRL_PLAIN, 1.0, &model->A1, newton->step, 0.0, kinks->rates);
    return kinks->qp.model;
}
