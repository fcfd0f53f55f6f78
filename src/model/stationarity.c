#include "model/stationarity.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { AT_ZERO, FREE, AT_UPPER };
enum { ABSORBING_ROUNDS = 30 };

void srl_stationarity_carve(struct srl_arena *arena, struct srl_stationarity_work *work, const struct srl_model *model) {
    const int64_t n = model->n, d = model->d;
    work->capacity = n < 2 * d ? n : 2 * d; /* more than d free columns are dependent */
    work->kinks = srl_arena_indices(arena, n);
    work->at = srl_arena_flags(arena, n);
    work->value = srl_arena_doubles(arena, n);
    work->upper = srl_arena_doubles(arena, n);
    work->slopes = srl_arena_doubles(arena, n);
    work->other = srl_arena_doubles(arena, n);
    work->rates = srl_arena_doubles(arena, n);
    work->base = srl_arena_doubles(arena, d);
    work->rest = srl_arena_doubles(arena, d);
    work->row = srl_arena_doubles(arena, d);
    work->bound = (signed char *)srl_arena_flags(arena, d);
    work->absorbed = srl_arena_flags(arena, d);
    work->columns = srl_arena_matrix(arena, d, work->capacity);
    work->trial = srl_arena_doubles(arena, d > work->capacity ? d : work->capacity);
    work->pivots = srl_arena_indices(arena, work->capacity);
    work->work = srl_arena_doubles(arena, srl_least_squares_work(d, work->capacity));
}

/* Whether a slope along x_k pushes against the bound that x_k is at. */
static bool pushes(int bound, double slope) { return bound == 2 || (bound < 0 && slope > 0.0) || (bound == 1 && slope < 0.0); }

static void clear_absorbed(const struct srl_model *model, const struct srl_stationarity_work *work, double *vector) {
    for (int64_t k = 0; k < model->d && srl_has_bounds(model); k++)
        if (work->absorbed[k])
            vector[k] = 0.0;
}

/* a_i / |a_i| of the kink-th unit of K, without the absorbed components. */
static void unit_row(const struct srl_model *model, const struct srl_stationarity_work *work, int64_t kink, double *row) {
    srl_copy_row(&model->A1, work->kinks[kink], row);
    srl_scale(model->d, 1.0 / model->row_norms[work->kinks[kink]], row);
    clear_absorbed(model, work, row);
}

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

/* rest = base + sum of value_i times unit row i, over all of K or only over those not free. */
static void add_columns(const struct srl_model *model, struct srl_stationarity_work *work, int64_t count, bool fixed_only) {
    memcpy(work->rest, work->base, (size_t)model->d * sizeof *work->rest);
    clear_absorbed(model, work, work->rest);
    for (int64_t k = 0; k < count; k++) {
        if (work->value[k] == 0.0 || (fixed_only && work->at[k] == FREE))
            continue;
        unit_row(model, work, k, work->row);
        srl_axpy(model->d, work->value[k], work->row, work->rest);
    }
}

/* Least squares over the free multipliers: the solution into trial, in the order of K. False when LAPACK refuses. */
static bool solve_free(const struct srl_model *model, struct srl_stationarity_work *work, int64_t count) {
    int64_t free_count = 0;
    for (int64_t k = 0; k < count; k++)
        if (work->at[k] == FREE)
            unit_row(model, work, k, work->columns + model->d * free_count++);
    add_columns(model, work, count, true);
    for (int64_t k = 0; k < model->d; k++)
        work->trial[k] = -work->rest[k];
    return srl_least_squares(model->d, free_count, work->columns, model->d, work->trial, work->pivots, work->work) == 0;
}

/* Moves the free multipliers towards the least-squares solution as far as their bounds allow, and fixes those that stop the
   move. True when the whole way was free. */
static bool move_free(struct srl_stationarity_work *work, int64_t count) {
    double fraction = 1.0;
    for (int64_t k = 0, j = 0; k < count; k++) {
        if (work->at[k] != FREE)
            continue;
        double target = work->trial[j++], bound = target < 0.0 ? 0.0 : work->upper[k];
        if (target < 0.0 || target > work->upper[k])
            fraction = fmin(fraction, (bound - work->value[k]) / (target - work->value[k]));
    }
    for (int64_t k = 0, j = 0; k < count; k++) {
        if (work->at[k] != FREE)
            continue;
        double target = work->trial[j++];
        double step = target - work->value[k], moved = work->value[k] + fraction * step;
        bool stops = fraction < 1.0 && (target < 0.0 || target > work->upper[k]) &&
                     (target < 0.0 ? 0.0 - work->value[k] : work->upper[k] - work->value[k]) / step <= fraction;
        if (stops || moved <= 0.0 || moved >= work->upper[k]) {
            work->at[k] = step < 0.0 ? AT_ZERO : AT_UPPER;
            moved = step < 0.0 ? 0.0 : work->upper[k];
        }
        work->value[k] = moved;
    }
    return fraction >= 1.0;
}

/* The fixed multiplier whose release shortens rest most, or -1 when none does. */
static int64_t worst_fixed(const struct srl_model *model, struct srl_stationarity_work *work, int64_t count, int64_t last) {
    double worst = 4.0 * DBL_EPSILON * srl_norm(model->d, work->rest);
    int64_t chosen = -1;
    for (int64_t k = 0; k < count; k++) {
        if (work->at[k] == FREE || k == last)
            continue;
        unit_row(model, work, k, work->row);
        double slope = srl_dot(model->d, work->row, work->rest);
        double gain = work->at[k] == AT_ZERO ? -slope : slope;
        if (gain > worst) {
            worst = gain;
            chosen = k;
        }
    }
    return chosen;
}

/* Bounded least squares over K on the components that are not absorbed; returns the best norm found. */
static double least_norm_of_rest(const struct srl_model *model, struct srl_stationarity_work *work, int64_t count) {
    const bool all_free = count <= model->d; /* near a minimiser all multipliers are strictly inside: one solve is enough */
    int64_t free_count = all_free ? count : 0, last = -1;
    for (int64_t k = 0; k < count; k++) {
        work->at[k] = all_free ? FREE : AT_ZERO;
        work->value[k] = all_free ? 0.5 * work->upper[k] : 0.0;
    }
    add_columns(model, work, count, false);
    double best = srl_norm(model->d, work->rest);
    for (int64_t round = 0; round < 3 * count + 8; round++) {
        while (free_count > 0 && solve_free(model, work, count)) {
            bool whole = move_free(work, count);
            free_count = 0;
            for (int64_t k = 0; k < count; k++)
                free_count += work->at[k] == FREE;
            if (whole)
                break;
        }
        add_columns(model, work, count, false);
        best = fmin(best, srl_norm(model->d, work->rest));
        last = worst_fixed(model, work, count, last);
        if (last < 0 || free_count == work->capacity)
            break;
        work->at[last] = FREE;
        free_count++;
    }
    return best;
}

/* Norm of g + sum lambda_i a_i without what bounds cancel, at the present multipliers; absorbed becomes what they cancel there.
 *settled: that is what it was before. */
static double projected_norm(const struct srl_model *model, struct srl_stationarity_work *work, int64_t count, bool *settled) {
    memcpy(work->trial, work->absorbed, (size_t)model->d); /* scratch here */
    const unsigned char *before = (const unsigned char *)work->trial;
    memset(work->absorbed, 0, (size_t)model->d);
    add_columns(model, work, count, false);
    *settled = true;
    for (int64_t k = 0; k < model->d; k++) {
        work->absorbed[k] = pushes(work->bound[k], work->rest[k]);
        *settled = *settled && work->absorbed[k] == before[k];
    }
    clear_absorbed(model, work, work->rest);
    return srl_norm(model->d, work->rest);
}

/* The residual for the slopes in base. */
static double least_norm(const struct srl_model *model, struct srl_stationarity_work *work, int64_t count) {
    if (!srl_has_bounds(model))
        return least_norm_of_rest(model, work, count);
    for (int64_t k = 0; k < count; k++)
        work->value[k] = 0.5 * work->upper[k];
    bool settled;
    double best = projected_norm(model, work, count, &settled);
    for (int round = 0; round < ABSORBING_ROUNDS; round++) {
        least_norm_of_rest(model, work, count);
        best = fmin(best, projected_norm(model, work, count, &settled));
        if (settled)
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

struct srl_stationarity srl_stationarity_at(const struct srl_model *model, struct srl_stationarity_work *work,
                                            const struct srl_point *point, double kink_tolerance) {
    struct srl_stationarity found = {0};
    const int64_t kinks = work->kink_count = find_kinks(model, work, point, kink_tolerance);
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
        found.residual = fmax(found.residual, least_norm(model, work, kinks));
    }
    found.relative = found.residual > 0.0 ? found.residual / point->gradient_scale : 0.0;
    return found;
}

bool srl_is_held(const struct srl_stationarity_work *work, int64_t k) { return work->at[k] == FREE; }
