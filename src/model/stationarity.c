#include "model/stationarity.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "model/multipliers.h"

enum { ABSORBING_ROUNDS = 30 };

void srl_stationarity_carve(struct srl_arena *arena, struct srl_stationarity_work *work, const struct srl_model *model) {
    const int64_t n = model->n, d = model->d;
    srl_multipliers_carve(arena, work, model);
    work->slopes = srl_arena_doubles(arena, n);
    work->other = srl_arena_doubles(arena, n);
    work->rates = srl_arena_doubles(arena, n);
    work->base = srl_arena_doubles(arena, d);
    work->rest = srl_arena_doubles(arena, d);
    work->bound = (signed char *)srl_arena_flags(arena, d);
    work->absorbed = srl_arena_flags(arena, d);
}

/* Whether a slope along x_k pushes against the bound that x_k is at. */
static bool pushes(int bound, double slope) { return bound == 2 || (bound < 0 && slope > 0.0) || (bound == 1 && slope < 0.0); }

/* Whether u_i can move at all: some entry of its row meets an x_k that is not fixed. */
static bool can_move(const struct srl_model *model, int64_t i) {
    bool found = !srl_has_bounds(model);
    for (int64_t k = 0; k < model->d && !found; k++)
        found = srl_entry(&model->A1, i, k) != 0.0 && srl_lower(model, k) < srl_upper(model, k);
    return found;
}

/* A ridge: at its kink, and the slope falls by more than round-off when it turns on. */
static bool on_ridge(const struct srl_model *model, const struct srl_point *point, int64_t i, double x_norm,
                     double kink_tolerance) {
    return point->kink_jumps[i] * model->row_norms[i] < -64.0 * DBL_EPSILON * point->gradient_scale &&
           srl_at_kink(model, point, i, x_norm, kink_tolerance) && can_move(model, i);
}

int64_t srl_leave_ridges(const struct srl_model *model, const struct srl_point *point, double kink_tolerance, double *slopes,
                         double *other, double *rates, double *pull) {
    const double x_norm = srl_norm(model->d, point->x);
    int64_t ridges = 0;
    for (int64_t i = 0; i < model->n; i++) {
        if (!on_ridge(model, point, i, x_norm, kink_tolerance))
            continue;
        if (ridges == 0)
            memcpy(other, slopes, (size_t)model->n * sizeof *other);
        ridges += srl_twin_count(model, i);
        srl_set_side(model, point->slope_jumps, i, true, other);
    }
    if (ridges == 0)
        return 0;
    srl_gradient_of_slopes(model, point, other, pull);
    for (int64_t k = 0; k < model->d && srl_has_bounds(model); k++)
        if (pushes(srl_bound_at(model, point->x, k), pull[k]))
            pull[k] = 0.0;
    srl_gemv(SRL_PLAIN, -1.0, &model->A1, pull, 0.0, rates);
    for (int64_t i = 0; i < model->n; i++)
        if (on_ridge(model, point, i, x_norm, kink_tolerance))
            srl_set_side(model, point->slope_jumps, i, rates[i] > 0.0, slopes);
    return ridges;
}

/* The kinks of K, and slopes with theirs set to 0. */
static int64_t find_kinks(const struct srl_model *model, struct srl_stationarity_work *work, const struct srl_point *point,
                          double kink_tolerance) {
    const double x_norm = srl_norm(model->d, point->x);
    int64_t pinned = 0;
    for (int64_t i = 0; i < model->n; i++)
        work->slopes[i] = srl_is_on(model, point->u, i) ? point->slope_jumps[i] : 0.0;
    for (int64_t i = 0; i < model->n; i++)
        if (point->kink_jumps[i] > 0.0 && srl_at_kink(model, point, i, x_norm, kink_tolerance)) {
            srl_set_side(model, point->slope_jumps, i, false, work->slopes);
            work->upper[pinned] = point->kink_jumps[i] * model->row_norms[i];
            work->kinks[pinned++] = (int32_t)i;
        }
    return pinned;
}

/* Norm of g + sum lambda_i a_i without what bounds cancel, at the present multipliers; absorbed becomes what they cancel there.
 *settled: that is what it was before. */
static double projected_norm(const struct srl_model *model, struct srl_stationarity_work *work, int64_t count, bool *settled) {
    memcpy(work->trial, work->absorbed, (size_t)model->d); /* scratch here */
    const unsigned char *before = (const unsigned char *)work->trial;
    memset(work->absorbed, 0, (size_t)model->d);
    srl_add_multipliers(model, work, count);
    *settled = true;
    for (int64_t k = 0; k < model->d; k++) {
        work->absorbed[k] = pushes(work->bound[k], work->rest[k]);
        *settled = *settled && work->absorbed[k] == before[k];
    }
    srl_clear_absorbed(model, work, work->rest);
    return srl_norm(model->d, work->rest);
}

/* The residual for the slopes in base. */
static double least_norm(const struct srl_model *model, struct srl_stationarity_work *work, int64_t count) {
    if (!srl_has_bounds(model))
        return srl_find_multipliers(model, work, count);
    bool settled;
    if (srl_find_multipliers_with_bounds(model, work, count))
        return projected_norm(model, work, count, &settled);
    for (int64_t k = 0; k < count; k++)
        work->value[k] = 0.5 * work->upper[k];
    double best = projected_norm(model, work, count, &settled);
    for (int round = 0; round < ABSORBING_ROUNDS; round++) {
        srl_find_multipliers(model, work, count);
        best = fmin(best, projected_norm(model, work, count, &settled));
        if (settled || srl_interrupted(model->interruption))
            break;
    }
    return best;
}

static double steepest_ridge(const struct srl_model *model, const struct srl_point *point, double kink_tolerance) {
    const double x_norm = srl_norm(model->d, point->x);
    double steepest = 0.0;
    for (int64_t i = 0; i < model->n; i++)
        if (on_ridge(model, point, i, x_norm, kink_tolerance))
            steepest = fmax(steepest, -point->kink_jumps[i] * model->row_norms[i]);
    return steepest;
}

static void note_what_holds(const struct srl_model *model, const struct srl_stationarity_work *work, int64_t kinks,
                            struct srl_point *point) {
    memset(point->held, 0, (size_t)model->n);
    for (int64_t k = 0; k < kinks; k++)
        point->held[work->kinks[k]] = work->at[k] == SRL_FREE;
    memcpy(point->held_entries, work->absorbed, (size_t)model->d);
}

struct srl_stationarity srl_stationarity_at(const struct srl_model *model, struct srl_stationarity_work *work,
                                            struct srl_point *point, double kink_tolerance) {
    struct srl_stationarity found = {0};
    memset(work->absorbed, 0, (size_t)model->d);
    const int64_t kinks = find_kinks(model, work, point, kink_tolerance);
    for (int64_t k = 0; k < kinks; k++)
        found.pinned += srl_twin_count(model, work->kinks[k]);
    for (int64_t k = 0; k < model->d && srl_has_bounds(model); k++) {
        work->bound[k] = (signed char)srl_bound_at(model, point->x, k);
        found.active_bounds += work->bound[k] != 0;
    }
    memcpy(work->other, work->slopes, (size_t)model->n * sizeof *work->other);
    srl_gradient_of_slopes(model, point, work->other, work->base);
    found.residual = least_norm(model, work, kinks);

    found.ridge = steepest_ridge(model, point, kink_tolerance);
    found.concave = srl_leave_ridges(model, point, kink_tolerance, work->slopes, work->other, work->rates, work->base);
    if (found.concave > 0) {
        srl_gradient_of_slopes(model, point, work->slopes, work->base);
        const double other = least_norm(model, work, kinks);
        if (!(other <= found.residual))
            found.residual = other;
    }
    found.relative = found.residual == 0.0 ? 0.0 : found.residual / point->gradient_scale; /* NaN stays NaN */
    note_what_holds(model, work, kinks, point);
    return found;
}
