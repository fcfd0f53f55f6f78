#include "model/multipliers.h"

#include <float.h>
#include <math.h>
#include <string.h>

static const double LEAST_PIVOT = 1e-4; /* of the Cholesky factor of unit rows' Gram matrix */
static const double SLOPE_NOISE = 8.0 * DBL_EPSILON;
enum { BLOCK_ROUNDS = 20, PATIENCE = 3 }; /* rounds that may leave more multipliers in the wrong place than an earlier one */

void srl_multipliers_carve(struct srl_arena *arena, struct srl_stationarity_work *work, const struct srl_model *model) {
    const int64_t n = model->n, d = model->d, all = srl_has_bounds(model) ? n + d : n, most = all < d ? all : d;
    work->capacity = all < 2 * d ? all : 2 * d; /* more than d free columns are dependent */
    work->kinks = srl_arena_indices(arena, all);
    work->at = srl_arena_flags(arena, all);
    work->value = srl_arena_doubles(arena, all);
    work->upper = srl_arena_doubles(arena, all);
    work->gram = srl_arena_matrix(arena, most, most);
    work->factor = srl_arena_matrix(arena, most, most);
    work->row_slopes = srl_arena_doubles(arena, most);
    work->row = srl_arena_doubles(arena, d);
    work->columns = srl_arena_matrix(arena, d, work->capacity);
    work->rows = work->columns; /* never both */
    work->trial = srl_arena_doubles(arena, d > work->capacity ? d : work->capacity);
    work->pivots = srl_arena_indices(arena, work->capacity);
    work->work = srl_arena_doubles(arena, srl_least_squares_work(d, work->capacity));
}

void srl_clear_absorbed(const struct srl_model *model, const struct srl_stationarity_work *work, double *vector) {
    for (int64_t k = 0; k < model->d && srl_has_bounds(model); k++)
        if (work->absorbed[k])
            vector[k] = 0.0;
}

/* a_i / |a_i| of the k-th unit of K, without the absorbed components; or of a bound in the list the unit vector that it pushes
   along. */
static void unit_row(const struct srl_model *model, const struct srl_stationarity_work *work, int64_t k, double *row) {
    const int64_t unit = work->kinks[k], component = -1 - unit;
    if (unit < 0) {
        memset(row, 0, (size_t)model->d * sizeof *row);
        row[component] = work->bound[component] < 0 ? -1.0 : 1.0;
        return;
    }
    srl_copy_row(&model->A1, unit, row);
    srl_divide(model->d, model->row_norms[unit], row);
    srl_clear_absorbed(model, work, row);
}

/* ---- by the Gram matrix ---- */

static struct srl_matrix rows_of(const struct srl_model *model, const struct srl_stationarity_work *work, int64_t count) {
    return (struct srl_matrix){work->rows, count, model->d, model->d, true};
}

static void form_gram(const struct srl_model *model, struct srl_stationarity_work *work, int64_t count) {
    for (int64_t k = 0; k < count; k++)
        unit_row(model, work, k, work->rows + k * model->d);
    srl_syrk_of_rows(count, model->d, work->rows, model->d, work->gram, count);
}

/* Cholesky of the free part. False when its rows are nearly dependent. */
static bool factor_free(struct srl_stationarity_work *work, int64_t count, int64_t free_count) {
    double *column = work->factor;
    for (int64_t j = 0; j < count; j++) {
        if (work->at[j] != SRL_FREE)
            continue;
        for (int64_t i = j, row = (column - work->factor) / free_count; i < count; i++)
            if (work->at[i] == SRL_FREE)
                column[row++] = work->gram[i + j * count];
        column += free_count;
    }
    bool regular = srl_potrf(free_count, work->factor, free_count) == 0;
    for (int64_t k = 0; k < free_count && regular; k++)
        regular = work->factor[k + k * free_count] > LEAST_PIVOT;
    return regular;
}

/* rest = base + sum of value_k row_k, and its slopes along the rows. */
static void find_slopes(const struct srl_model *model, struct srl_stationarity_work *work, int64_t count) {
    const struct srl_matrix rows = rows_of(model, work, count);
    memcpy(work->rest, work->base, (size_t)model->d * sizeof *work->rest);
    srl_clear_absorbed(model, work, work->rest);
    srl_gemv(SRL_TRANSPOSED, 1.0, &rows, work->value, 1.0, work->rest);
    srl_gemv(SRL_PLAIN, 1.0, &rows, work->rest, 0.0, work->row_slopes);
}

/* The free multipliers move to where their slopes vanish, and rest with them. False when LAPACK refuses. */
static bool correct_free(const struct srl_model *model, struct srl_stationarity_work *work, int64_t count, int64_t free_count) {
    int64_t j = 0;
    for (int64_t k = 0; k < count; k++)
        if (work->at[k] == SRL_FREE)
            work->trial[j++] = work->row_slopes[k];
    if (srl_potrs(free_count, 1, work->factor, free_count, work->trial, model->d) != 0)
        return false;
    j = 0;
    for (int64_t k = 0; k < count; k++)
        work->value[k] -= work->at[k] == SRL_FREE ? work->trial[j++] : 0.0;
    find_slopes(model, work, count);
    return true;
}

/* What is round-off of rest and its slopes. */
static double noise_of(const struct srl_model *model, const struct srl_stationarity_work *work, int64_t count) {
    double terms = srl_norm(model->d, work->base);
    for (int64_t k = 0; k < count; k++)
        terms += fabs(work->value[k]);
    return SLOPE_NOISE * terms;
}

/* Where the multiplier ought to be. */
static unsigned char better_place(const struct srl_stationarity_work *work, int64_t k, double noise) {
    if (work->at[k] == SRL_FREE)
        return work->value[k] < 0.0 ? SRL_AT_ZERO : work->value[k] > work->upper[k] ? SRL_AT_UPPER : SRL_FREE;
    const double gain = work->at[k] == SRL_AT_ZERO ? -work->row_slopes[k] : work->row_slopes[k];
    return gain > noise ? SRL_FREE : work->at[k];
}

/* All multipliers in the wrong place go to a better one, or only the last of them. Returns how many were wrong. */
static int64_t exchange(struct srl_stationarity_work *work, int64_t count, double noise, bool last_only) {
    int64_t wrong = 0, last = -1;
    for (int64_t k = 0; k < count; k++)
        if (better_place(work, k, noise) != work->at[k]) {
            last = k;
            wrong++;
        }
    for (int64_t k = last_only && last >= 0 ? last : 0; k < count; k++) {
        work->at[k] = better_place(work, k, noise);
        if (work->at[k] != SRL_FREE)
            work->value[k] = work->at[k] == SRL_AT_ZERO ? 0.0 : work->upper[k];
    }
    return wrong;
}

static int64_t count_free(const struct srl_stationarity_work *work, int64_t count) {
    int64_t free_count = 0;
    for (int64_t k = 0; k < count; k++)
        free_count += work->at[k] == SRL_FREE;
    return free_count;
}

/* Whether the slopes of the free multipliers vanish. */
static bool is_least(const struct srl_stationarity_work *work, int64_t count, double noise) {
    bool least = true;
    for (int64_t k = 0; k < count; k++)
        least = least && (work->at[k] != SRL_FREE || fabs(work->row_slopes[k]) <= noise);
    return least;
}

/* Block pivoting. False when it is not the method for this problem. */
static bool by_gram(const struct srl_model *model, struct srl_stationarity_work *work, int64_t count) {
    int64_t fewest = count + 1, patience = PATIENCE;
    bool corrected = false, changed = true;
    form_gram(model, work, count);
    for (int64_t k = 0; k < count; k++) {
        work->at[k] = SRL_FREE;
        work->value[k] = 0.0;
    }
    find_slopes(model, work, count);
    for (int64_t round = 0; round < BLOCK_ROUNDS + count && (round == 0 || !srl_interrupted(model->interruption)); round++) {
        const int64_t free_count = count_free(work, count);
        if (changed && !factor_free(work, count, free_count))
            return false;
        if (!correct_free(model, work, count, free_count))
            return false;
        const double noise = noise_of(model, work, count);
        const int64_t wrong = exchange(work, count, noise, patience <= 0);
        patience = wrong < fewest ? PATIENCE : patience - 1;
        fewest = wrong < fewest ? wrong : fewest;
        changed = wrong > 0;
        if (!changed && corrected)
            return is_least(work, count, noise);
        if (changed)
            find_slopes(model, work, count);
        corrected = !changed;
    }
    return false;
}

/* ---- by orthogonal factorisations ---- */

/* rest = base + sum of value_i times unit row i, over all of K or only over those not free. */
static void add_columns(const struct srl_model *model, struct srl_stationarity_work *work, int64_t count, bool fixed_only) {
    memcpy(work->rest, work->base, (size_t)model->d * sizeof *work->rest);
    srl_clear_absorbed(model, work, work->rest);
    for (int64_t k = 0; k < count; k++) {
        if (work->value[k] == 0.0 || (fixed_only && work->at[k] == SRL_FREE))
            continue;
        unit_row(model, work, k, work->row);
        srl_axpy(model->d, work->value[k], work->row, work->rest);
    }
}

/* Least squares over the free multipliers: the solution into trial, in the order of K. False when LAPACK refuses. */
static bool solve_free(const struct srl_model *model, struct srl_stationarity_work *work, int64_t count) {
    int64_t free_count = 0;
    for (int64_t k = 0; k < count; k++)
        if (work->at[k] == SRL_FREE)
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
        if (work->at[k] != SRL_FREE)
            continue;
        double target = work->trial[j++], bound = target < 0.0 ? 0.0 : work->upper[k];
        if (target < 0.0 || target > work->upper[k])
            fraction = fmin(fraction, (bound - work->value[k]) / (target - work->value[k]));
    }
    for (int64_t k = 0, j = 0; k < count; k++) {
        if (work->at[k] != SRL_FREE)
            continue;
        double target = work->trial[j++];
        double step = target - work->value[k], moved = work->value[k] + fraction * step;
        bool stops = fraction < 1.0 && (target < 0.0 || target > work->upper[k]) &&
                     (target < 0.0 ? 0.0 - work->value[k] : work->upper[k] - work->value[k]) / step <= fraction;
        if (stops || moved <= 0.0 || moved >= work->upper[k]) {
            work->at[k] = step < 0.0 ? SRL_AT_ZERO : SRL_AT_UPPER;
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
        if (work->at[k] == SRL_FREE || k == last)
            continue;
        unit_row(model, work, k, work->row);
        double slope = srl_dot(model->d, work->row, work->rest);
        double gain = work->at[k] == SRL_AT_ZERO ? -slope : slope;
        if (gain > worst) {
            worst = gain;
            chosen = k;
        }
    }
    return chosen;
}

/* Bounded least squares over K on the components that are not absorbed; returns the best norm found. */
static double by_factorisations(const struct srl_model *model, struct srl_stationarity_work *work, int64_t count) {
    const bool all_free = count <= model->d; /* near a minimiser all multipliers are strictly inside: one solve is enough */
    int64_t free_count = all_free ? count : 0, last = -1;
    for (int64_t k = 0; k < count; k++) {
        work->at[k] = all_free ? SRL_FREE : SRL_AT_ZERO;
        work->value[k] = all_free ? 0.5 * work->upper[k] : 0.0;
    }
    add_columns(model, work, count, false);
    double best = srl_norm(model->d, work->rest);
    for (int64_t round = 0; round < 3 * count + 8; round++) {
        while (free_count > 0 && !srl_interrupted(model->interruption) && solve_free(model, work, count)) {
            bool whole = move_free(work, count);
            free_count = count_free(work, count);
            if (whole)
                break;
        }
        add_columns(model, work, count, false);
        best = fmin(best, srl_norm(model->d, work->rest));
        last = worst_fixed(model, work, count, last);
        if (last < 0 || free_count == work->capacity || srl_interrupted(model->interruption))
            break;
        work->at[last] = SRL_FREE;
        free_count++;
    }
    return best;
}

bool srl_find_multipliers_with_bounds(const struct srl_model *model, struct srl_stationarity_work *work, int64_t count) {
    int64_t all = count;
    for (int64_t k = 0; k < model->d; k++) {
        work->absorbed[k] = work->bound[k] == 2;
        if (work->bound[k] == 0 || work->absorbed[k])
            continue;
        work->upper[all] = INFINITY;
        work->kinks[all++] = (int32_t)(-1 - k);
    }
    return all <= model->d && by_gram(model, work, all);
}

static void clip(struct srl_stationarity_work *work, int64_t count) {
    for (int64_t k = 0; k < count; k++)
        work->value[k] = fmin(fmax(work->value[k], 0.0), work->upper[k]);
}

double srl_find_multipliers(const struct srl_model *model, struct srl_stationarity_work *work, int64_t count) {
    if (count > 0 && count <= model->d && by_gram(model, work, count))
        return srl_norm(model->d, work->rest);
    if (count > 0 && srl_interrupted(model->interruption)) { /* with what has been found */
        clip(work, count);
        add_columns(model, work, count, false);
        return srl_norm(model->d, work->rest);
    }
    return by_factorisations(model, work, count);
}

void srl_add_multipliers(const struct srl_model *model, struct srl_stationarity_work *work, int64_t count) {
    add_columns(model, work, count, false);
}
