#include "model/hessian.h"

#include <math.h>
#include <string.h>

/* Doubles in the buffer of active columns of A2 (32 MiB), and rows of C scaled at a time: enough for the BLAS to run at its
   full rate, and for all but large problems everything is one block. */
enum { COLUMN_BUFFER = 1 << 22, ROW_BLOCK = 1024 };

static int64_t column_buffer(const struct srl_model *model) {
    int64_t all = model->m > COLUMN_BUFFER / model->n ? COLUMN_BUFFER : model->m * model->n;
    return all > model->n ? all : model->n; /* at least one row */
}

static int64_t row_block(const struct srl_model *model) { return model->m < ROW_BLOCK ? model->m : ROW_BLOCK; }

void srl_hessian_carve(struct srl_arena *arena, struct srl_hessian_work *work, const struct srl_model *model) {
    work->valid = false;
    work->pattern = srl_arena_flags(arena, model->n);
    work->active = srl_arena_indices(arena, model->n);
    work->top_row = srl_arena_doubles(arena, model->d);
    work->mean_row = srl_arena_doubles(arena, model->d);
    work->weights = srl_arena_doubles(arena, model->m);
    work->scaled_rows = srl_arena_matrix(arena, row_block(model), model->d);
    if (srl_has_output_layer(model)) {
        work->active_rows = srl_arena_matrix(arena, model->n, model->d);
        work->active_columns = srl_arena_doubles(arena, column_buffer(model));
        work->jacobian = srl_arena_matrix(arena, model->m, model->d);
    } else {
        work->active_rows = work->active_columns = work->jacobian = NULL;
    }
}

/* True when the active units are the ones the work already knows; else makes them so. */
static bool same_pattern(const struct srl_model *model, struct srl_hessian_work *work, const double *u) {
    bool same = work->valid;
    work->active_count = 0;
    for (int64_t i = 0; i < model->n; i++) {
        unsigned char on = u[i] > 0.0;
        same = same && on == work->pattern[i];
        work->pattern[i] = on;
        if (on)
            work->active[work->active_count++] = (int32_t)i;
    }
    work->valid = true;
    return same;
}

/* Rows first .. first + rows of A2, active columns only: rows x active_count row-major, or its transpose when A2 lies by
   columns, so that either way what is contiguous is copied in runs. */
static void gather_active_columns(const struct srl_matrix *a2, const struct srl_hessian_work *work, int64_t first, int64_t rows,
                                  double *gathered) {
    if (a2->row_major) {
        for (int64_t j = 0; j < rows; j++)
            for (int64_t i = 0; i < work->active_count; i++)
                gathered[j * work->active_count + i] = a2->data[(first + j) * a2->ld + work->active[i]];
    } else {
        for (int64_t i = 0; i < work->active_count; i++)
            memcpy(gathered + i * rows, a2->data + first + work->active[i] * a2->ld, (size_t)rows * sizeof *gathered);
    }
}

/* G = A2 diag(s) A1. */
static void form_jacobian(const struct srl_model *model, struct srl_hessian_work *work) {
    const int64_t d = model->d, active = work->active_count;
    for (int64_t i = 0; i < active; i++)
        srl_copy_row(&model->A1, work->active[i], work->active_rows + i * d);
    if (active == 0) {
        memset(work->jacobian, 0, (size_t)model->m * (size_t)d * sizeof *work->jacobian);
        return;
    }
    const int64_t block = column_buffer(model) / active;
    for (int64_t first = 0; first < model->m; first += block) {
        int64_t rows = model->m - first < block ? model->m - first : block;
        gather_active_columns(&model->A2, work, first, rows, work->active_columns);
        srl_gemm(model->A2.row_major ? SRL_PLAIN : SRL_TRANSPOSED, rows, d, active, work->active_columns,
                 model->A2.row_major ? active : rows, work->active_rows, d, work->jacobian + first * d, d);
    }
}

/* G_k and mu = sum_{j != k} f_j G_j - (1 - f_k) G_k. */
static void centre_rows(const struct srl_model *model, struct srl_hessian_work *work, const struct srl_outer *outer) {
    const int64_t d = model->d, k = outer->top;
    memcpy(work->weights, outer->f, (size_t)model->m * sizeof *work->weights);
    work->weights[k] = 0.0;
    if (srl_has_output_layer(model)) {
        const struct srl_matrix jacobian = {work->jacobian, model->m, d, d, true};
        memcpy(work->top_row, work->jacobian + k * d, (size_t)d * sizeof *work->top_row);
        srl_gemv(SRL_TRANSPOSED, 1.0, &jacobian, work->weights, 0.0, work->mean_row);
    } else {
        for (int64_t i = 0; i < model->n; i++)
            work->weights[i] *= work->pattern[i];
        if (work->pattern[k])
            srl_copy_row(&model->A1, k, work->top_row);
        else
            memset(work->top_row, 0, (size_t)d * sizeof *work->top_row);
        srl_gemv(SRL_TRANSPOSED, 1.0, &model->A1, work->weights, 0.0, work->mean_row);
    }
    srl_axpy(d, -outer->rest, work->top_row, work->mean_row);
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

/* H += sign * sum of |r_j| C_j'C_j over the rows whose r_j has that sign. */
static void add_rows_of_sign(const struct srl_model *model, struct srl_hessian_work *work, const struct srl_point *point,
                             double sign, double *hessian) {
    const int64_t d = model->d, block = row_block(model);
    const bool identity = !srl_has_output_layer(model);
    int64_t gathered = 0;
    for (int64_t j = 0; j < model->m; j++) {
        if (!(sign * point->r[j] > 0.0) || (identity && !work->pattern[j]))
            continue;
        double *scaled = work->scaled_rows + gathered * d;
        const double *row = identity ? scaled : work->jacobian + j * d;
        if (identity)
            srl_copy_row(&model->A1, j, scaled);
        scale_row(work, d, row, j == point->outer.top, point->r[j], scaled);
        if (++gathered == block) {
            srl_syrk(d, gathered, sign, work->scaled_rows, d, 1.0, hessian, d);
            gathered = 0;
        }
    }
    if (gathered > 0)
        srl_syrk(d, gathered, sign, work->scaled_rows, d, 1.0, hessian, d);
}

/* A2 absent: all units that are off share the row C_j = -G_k - mu (also k itself, then G_k = 0), so their r_j add up. */
static void add_rows_of_units_off(const struct srl_model *model, struct srl_hessian_work *work, const struct srl_point *point,
                                  double *hessian) {
    double weight = 0.0;
    for (int64_t i = 0; i < model->n; i++)
        weight += work->pattern[i] ? 0.0 : point->r[i];
    if (weight == 0.0)
        return;
    scale_row(work, model->d, NULL, false, weight, work->scaled_rows);
    srl_syr(model->d, weight > 0.0 ? 1.0 : -1.0, work->scaled_rows, hessian, model->d);
}

void srl_hessian_assemble(const struct srl_model *model, struct srl_hessian_work *work, const struct srl_point *point,
                          double *hessian) {
    const int64_t d = model->d;
    const bool kept = same_pattern(model, work, point->u);
    if (srl_has_output_layer(model) && !kept)
        form_jacobian(model, work);
    centre_rows(model, work, &point->outer);

    memset(hessian, 0, (size_t)d * (size_t)d * sizeof *hessian);
    if (model->curvature != NULL)
        memcpy(hessian, model->curvature, (size_t)d * (size_t)d * sizeof *hessian);
    else
        for (int64_t k = 0; k < d; k++)
            hessian[k + k * d] = model->rho;
    add_rows_of_sign(model, work, point, 1.0, hessian);
    add_rows_of_sign(model, work, point, -1.0, hessian);
    if (!srl_has_output_layer(model))
        add_rows_of_units_off(model, work, point, hessian);
}
