#include "step/kink_step.h"

#include <math.h>
#include <string.h>

void srl_kink_step_carve(struct srl_arena *arena, struct srl_kink_step *kinks, const struct srl_model *model) {
    srl_hinge_qp_carve(arena, &kinks->qp, model->d, model->n);
    kinks->qp.interruption = kinks->qp.face.interruption = model->interruption;
    kinks->listed = srl_arena_flags(arena, model->n);
    kinks->gradient = srl_arena_doubles(arena, model->d);
    kinks->slopes = srl_arena_doubles(arena, model->n);
    kinks->other = srl_arena_doubles(arena, model->n);
    kinks->rates = srl_arena_doubles(arena, model->n);
    kinks->stiff_units = srl_arena_flags(arena, model->n);
    kinks->stiff_entries = srl_arena_flags(arena, model->d);
}

/* The unit rows of the units held at their kinks; returns how many. */
static int64_t held_rows(const struct srl_model *model, const struct srl_point *point, double *rows) {
    int64_t count = 0;
    for (int64_t i = 0; i < model->n; i++) {
        if (!point->held[i])
            continue;
        double *row = rows + count++ * model->d;
        srl_copy_row(&model->A1, i, row);
        srl_divide(model->d, model->row_norms[i], row);
    }
    return count;
}

static void stiffen(const struct srl_model *model, const struct srl_point *point, double scale, double *rows, double *hessian) {
    const int64_t count = held_rows(model, point, rows);
    srl_add_squares(model, model->d, count, scale, rows, hessian);
    for (int64_t k = 0; k < model->d; k++)
        hessian[k + k * model->d] += point->held_entries[k] ? scale : 0.0;
}

static void stiffen_small(const struct srl_model *model, const struct srl_point *point, double scale,
                          struct srl_small_matrix *small) {
    const int64_t d = model->d, first = small->count;
    double *rows = small->rows + first * d;
    int64_t count = held_rows(model, point, rows);
    srl_scale(count * d, sqrt(scale), rows);
    for (int64_t k = 0; k < d; k++) {
        if (!point->held_entries[k])
            continue;
        memset(rows + count * d, 0, (size_t)d * sizeof *rows);
        rows[count++ * d + k] = sqrt(scale);
    }
    memset(small->signs + first, 1, (size_t)count);
    small->count += count;
}

void srl_stiffen_pinned(const struct srl_model *model, const struct srl_point *point, const struct srl_stationarity *found,
                        struct srl_newton *newton, struct srl_kink_step *kinks) {
    kinks->stiffness = 0.0;
    if (found->pinned + found->active_bounds == 0 || srl_newton_is_convex(newton, model->d))
        return;
    const double scale = kinks->stiffness = srl_newton_scale(newton, model->d);
    memcpy(kinks->stiff_units, point->held, (size_t)model->n);
    memcpy(kinks->stiff_entries, point->held_entries, (size_t)model->d);
    int64_t held = 0;
    for (int64_t i = 0; i < model->n; i++)
        held += point->held[i];
    for (int64_t k = 0; k < model->d; k++)
        held += point->held_entries[k];
    if (newton->is_small && !srl_newton_prefers_small(newton, newton->small.count + held))
        srl_newton_expand(newton);
    if (newton->is_small)
        stiffen_small(model, point, scale, &newton->small);
    else
        stiffen(model, point, scale, kinks->qp.rows, newton->hessian);
    srl_newton_forget(newton);
}

/* Convex kinks that x + p, with rates = A1 p, crosses become hinges, at first also those that x is at. True when there are new
   ones. */
bool srl_list_crossed(const struct srl_model *model, const struct srl_point *point, struct srl_kink_step *kinks,
                      double kink_tolerance, bool first) {
    struct srl_hinge_qp *qp = &kinks->qp;
    const double x_norm = srl_norm(model->d, point->x);
    const int64_t before = qp->count;
    for (int64_t i = 0; i < model->n; i++) {
        if (kinks->listed[i] || !(point->kink_jumps[i] > 0.0) || !(model->row_norms[i] > 0.0))
            continue;
        const bool at_kink = first && srl_at_kink(model, point, i, x_norm, kink_tolerance), above = point->u[i] > 0.0;
        if (!at_kink && (point->u[i] + kinks->rates[i] > 0.0) == above)
            continue;
        double *row = qp->rows + qp->count * model->d;
        srl_copy_row(&model->A1, i, row);
        if (above)
            srl_scale(model->d, -1.0, row);
        qp->offsets[qp->count] = -fabs(point->u[i]);
        qp->weights[qp->count] = point->kink_jumps[i];
        qp->start[qp->count] = at_kink;
        qp->count++;
        kinks->listed[i] = 1;
    }
    return qp->count > before;
}

void srl_add_crossed(const struct srl_model *model, const struct srl_point *point, struct srl_kink_step *kinks,
                     double kink_tolerance) {
    struct srl_hinge_qp *qp = &kinks->qp;
    for (;;) {
        srl_gemv(SRL_PLAIN, 1.0, &model->A1, qp->step, 0.0, kinks->rates);
        if (qp->ended != SRL_HINGE_QP_SOLVED || !srl_list_crossed(model, point, kinks, kink_tolerance, false))
            break;
        srl_hinge_qp_resume(qp);
    }
}

/* The bounds on p. True when p = step keeps them. */
static bool set_bounds(const struct srl_model *model, const struct srl_point *point, const double *step,
                       struct srl_hinge_qp *qp) {
    bool kept = true;
    qp->bounded = srl_has_bounds(model);
    for (int64_t k = 0; k < model->d && qp->bounded; k++) {
        qp->lower[k] = srl_lower(model, k) - point->x[k];
        qp->upper[k] = srl_upper(model, k) - point->x[k];
        kept = kept && step[k] >= qp->lower[k] && step[k] <= qp->upper[k];
    }
    return kept;
}

static void pose(struct srl_hinge_qp *qp, const struct srl_newton *newton, const double *gradient) {
    qp->metric = srl_newton_metric(newton, qp->d);
    qp->gradient = gradient;
    qp->count = 0;
}

bool srl_solve_kink_model(const struct srl_model *model, const struct srl_point *point, struct srl_newton *newton,
                          struct srl_kink_step *kinks, double kink_tolerance, double *slope, bool *free) {
    struct srl_hinge_qp *qp = &kinks->qp;
    for (int64_t i = 0; i < model->n; i++)
        kinks->slopes[i] = srl_is_on(model, point->u, i) ? point->slope_jumps[i] : 0.0;
    if (srl_leave_ridges(model, point, kink_tolerance, kinks->slopes, kinks->other, kinks->rates, kinks->gradient) > 0 ||
        model->twins != NULL)
        srl_gradient_of_slopes(model, point, kinks->slopes, kinks->gradient);
    else
        memcpy(kinks->gradient, point->gradient, (size_t)model->d * sizeof *point->gradient);
    *slope = srl_newton_solve(newton, model->d, kinks->gradient);
    if (!isfinite(*slope))
        return false;

    memset(kinks->listed, 0, (size_t)model->n);
    pose(qp, newton, kinks->gradient);
    const bool kept = set_bounds(model, point, newton->step, qp);
    srl_gemv(SRL_PLAIN, 1.0, &model->A1, newton->step, 0.0, kinks->rates);
    *free = !srl_list_crossed(model, point, kinks, kink_tolerance, true) && kept;
    if (*free) { /* Newton's own step minimises the model */
        srl_hinge_qp_start_at(qp, newton->step);
        return true;
    }
    srl_hinge_qp_solve(qp);
    srl_add_crossed(model, point, kinks, kink_tolerance);
    return true;
}

double srl_kink_step(const struct srl_model *model, const struct srl_point *point, struct srl_newton *newton,
                     struct srl_kink_step *kinks, double kink_tolerance) {
    double slope;
    bool free;
    if (!srl_solve_kink_model(model, point, newton, kinks, kink_tolerance, &slope, &free))
        return NAN;
    if (free)
        return 0.5 * slope;
    memcpy(newton->step, kinks->qp.step, (size_t)model->d * sizeof *newton->step);
    return kinks->qp.model;
}
