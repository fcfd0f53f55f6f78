#include "model/hessian.h"

#include <math.h>
#include <string.h>

void srl_hessian_carve(struct srl_arena *arena, struct srl_hessian_work *work, const struct srl_model *model) {
    srl_jacobian_carve(arena, &work->jacobian, model);
    work->top_row = srl_arena_doubles(arena, model->d);
    work->mean_row = srl_arena_doubles(arena, model->d);
    work->mean_hidden = srl_arena_doubles(arena, model->n);
    work->weights = srl_arena_doubles(arena, model->m);
    work->scaled_rows = srl_arena_matrix(arena, srl_jacobian_most_rows(model), model->d);
    work->sum = (float *)(void *)srl_arena_matrix(arena, (model->d + 1) / 2, model->d);
}

/* ---- centring ---- */

/* mu = sum_{j != k} f_j G_j - (1 - f_k) G_k: from a kept G, or through the hidden layer, where the point may know it. */
static void find_mean(const struct srl_model *model, struct srl_hessian_work *work, const struct srl_point *point) {
    const struct srl_jacobian *jacobian = &work->jacobian;
    const struct srl_outer *outer = &point->outer;
    const int64_t d = model->d;
    const bool kept = jacobian->kept != NULL && !jacobian->single;
    if (kept || !point->has_mean) {
        memcpy(work->weights, outer->f, (size_t)model->m * sizeof *work->weights);
        work->weights[outer->top] = 0.0;
    }
    if (kept) {
        const struct srl_matrix rows = {jacobian->kept, model->m, d, d, true};
        srl_gemv(SRL_TRANSPOSED, 1.0, &rows, work->weights, 0.0, work->mean_row);
    } else {
        if (point->has_mean)
            memcpy(work->mean_hidden, point->mean_hidden, (size_t)model->n * sizeof *work->mean_hidden);
        else
            srl_back_to_hidden(model, work->weights, work->mean_hidden);
        for (int64_t i = 0; i < model->n; i++)
            work->mean_hidden[i] = jacobian->pattern[i] ? work->mean_hidden[i] : 0.0;
        srl_gemv(SRL_TRANSPOSED, 1.0, &model->A1, work->mean_hidden, 0.0, work->mean_row);
    }
    srl_axpy(d, -outer->rest, work->top_row, work->mean_row);
}

void srl_hessian_prepare(const struct srl_model *model, struct srl_hessian_work *work, const struct srl_point *point) {
    srl_jacobian_prepare(model, &work->jacobian, point->u);
    srl_jacobian_row(model, &work->jacobian, point->outer.top, work->top_row);
    find_mean(model, work, point);
}

/* scaled = sqrt|weight| C_j, from row j of G (NULL stands for a row of zeros). */
static void scale_row(const struct srl_hessian_work *work, int64_t d, const double *row, bool is_top, double weight,
                      double *scaled) {
    const double root = sqrt(fabs(weight));
    for (int64_t k = 0; k < d; k++) {
        double from_top = is_top ? 0.0 : (row != NULL ? row[k] : 0.0) - work->top_row[k];
        scaled[k] = root * (from_top - work->mean_row[k]);
    }
}

static void scale_row_single(const struct srl_hessian_work *work, int64_t d, const float *row, bool is_top, double weight,
                             float *scaled) {
    const double root = sqrt(fabs(weight));
    for (int64_t k = 0; k < d; k++) {
        double from_top = is_top ? 0.0 : (double)row[k] - work->top_row[k];
        scaled[k] = (float)(root * (from_top - work->mean_row[k]));
    }
}

/* ---- the sum ---- */

/* With A2 absent all units that are off share the row C_j = -G_k - mu (also k itself, then G_k = 0), so their r_j add up. */
static void add_rows_of_units_off(const struct srl_model *model, struct srl_hessian_work *work, const double *r,
                                  double *hessian) {
    double weight = 0.0;
    for (int64_t i = 0; i < model->n; i++)
        weight += work->jacobian.pattern[i] ? 0.0 : r[i];
    if (weight == 0.0)
        return;
    scale_row(work, model->d, NULL, false, weight, work->scaled_rows);
    srl_syr(model->d, weight > 0.0 ? 1.0 : -1.0, work->scaled_rows, hessian, model->d);
}

void srl_hessian_begin(const struct srl_model *model, struct srl_hessian_work *work, const double *r, double *hessian) {
    srl_copy_curvature(model, hessian);
    if (!srl_has_output_layer(model))
        add_rows_of_units_off(model, work, r, hessian);
}

/* Rows of G whose weights have the sign, scaled, one after the other; returns how many. */
static int64_t scale_rows(const struct srl_model *model, struct srl_hessian_work *work, const void *jacobian, int64_t top,
                          const int32_t *rows, int64_t first, const double *weights, int64_t count, int sign) {
    const int64_t d = model->d;
    int64_t taken = 0;
    for (int64_t k = 0; k < count; k++) {
        const int64_t j = rows != NULL ? rows[first + k] : first + k;
        if (!(sign * weights[first + k] > 0.0) || !srl_has_own_row(model, &work->jacobian, j))
            continue;
        if (work->jacobian.single)
            scale_row_single(work, d, (const float *)jacobian + k * d, j == top, weights[first + k],
                             (float *)work->scaled_rows + taken++ * d);
        else
            scale_row(work, d, (const double *)jacobian + k * d, j == top, weights[first + k],
                      (double *)work->scaled_rows + taken++ * d);
    }
    return taken;
}

/* hessian += sign times the sum of the scaled rows' squares. */
static void add_scaled(const struct srl_model *model, struct srl_hessian_work *work, int64_t count, int sign, double *hessian) {
    const int64_t d = model->d;
    if (!work->jacobian.single) {
        srl_syrk(d, count, sign, work->scaled_rows, d, 1.0, hessian, d);
        return;
    }
    srl_syrk_single(d, count, work->scaled_rows, d, work->sum, d);
    for (int64_t k = 0; k < d; k++)
        for (int64_t i = k; i < d; i++)
            hessian[i + k * d] += sign * (double)work->sum[i + k * d];
}

void srl_hessian_add(const struct srl_model *model, struct srl_hessian_work *work, int64_t top, const int32_t *rows,
                     const double *weights, int64_t count, double *positive, double *negative) {
    const int64_t block = srl_jacobian_block(model, &work->jacobian);
    for (int64_t first = 0; first < count; first += block) {
        const int64_t size = count - first < block ? count - first : block;
        const void *jacobian = srl_jacobian_rows(model, &work->jacobian, rows, first, size);
        for (int sign = 1; sign >= -1; sign -= 2) {
            const int64_t taken = scale_rows(model, work, jacobian, top, rows, first, weights, size, sign);
            if (taken > 0)
                add_scaled(model, work, taken, sign, sign > 0 ? positive : negative);
        }
    }
}

int64_t srl_hessian_rows(const struct srl_model *model, struct srl_hessian_work *work, const struct srl_point *point,
                         const double *r, double *rows, signed char *signs) {
    const int64_t d = model->d, block = srl_jacobian_block(model, &work->jacobian);
    int64_t taken = 0;
    srl_hessian_prepare(model, work, point);
    for (int sign = 1; sign >= -1; sign -= 2)
        for (int64_t first = 0; first < model->m; first += block) {
            const int64_t size = model->m - first < block ? model->m - first : block;
            const double *jacobian = srl_jacobian_rows(model, &work->jacobian, NULL, first, size);
            for (int64_t k = 0; k < size; k++) {
                const int64_t j = first + k;
                if (!(sign * r[j] > 0.0))
                    continue;
                signs[taken] = (signed char)sign;
                scale_row(work, d, jacobian + k * d, j == point->outer.top, r[j], rows + taken++ * d);
            }
        }
    return taken;
}

void srl_hessian_add_fit(const struct srl_model *model, struct srl_hessian_work *work, int64_t top, const double *r,
                         double *hessian) {
    if (!srl_has_output_layer(model))
        add_rows_of_units_off(model, work, r, hessian);
    srl_hessian_add(model, work, top, NULL, r, model->m, hessian, hessian);
}

void srl_hessian_assemble(const struct srl_model *model, struct srl_hessian_work *work, const struct srl_point *point,
                          const double *r, double *hessian) {
    srl_hessian_prepare(model, work, point);
    srl_copy_curvature(model, hessian);
    srl_hessian_add_fit(model, work, point->outer.top, r, hessian);
}
