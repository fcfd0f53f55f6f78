#include "model/hessian.h"

#include <math.h>
#include <string.h>

/* Doubles in the buffer of active columns of A2 (32 MiB), and rows of C made and scaled at a time: enough for the BLAS to run
   at its full rate. */
enum { COLUMN_BUFFER = 1 << 22, ROW_BLOCK = 1024 };

static int64_t column_buffer(const struct srl_model *model) {
    int64_t all = model->m > COLUMN_BUFFER / model->n ? COLUMN_BUFFER : model->m * model->n;
    return all > model->n ? all : model->n; /* at least one row */
}

static int64_t row_block(const struct srl_model *model) { return model->m < ROW_BLOCK ? model->m : ROW_BLOCK; }

void srl_hessian_carve(struct srl_arena *arena, struct srl_hessian_work *work, const struct srl_model *model) {
    const bool output_layer = srl_has_output_layer(model);
    work->jacobian_valid = false;
    work->pattern = srl_arena_flags(arena, model->n);
    work->active = srl_arena_indices(arena, model->n);
    work->top_row = srl_arena_doubles(arena, model->d);
    work->mean_row = srl_arena_doubles(arena, model->d);
    work->mean_hidden = srl_arena_doubles(arena, model->n);
    work->weights = srl_arena_doubles(arena, model->m);
    work->scaled_rows = srl_arena_matrix(arena, row_block(model), model->d);
    work->block = srl_arena_matrix(arena, row_block(model), model->d);
    work->active_rows = output_layer ? srl_arena_matrix(arena, model->n, model->d) : NULL;
    work->active_columns = output_layer ? srl_arena_doubles(arena, column_buffer(model)) : NULL;
}

int64_t srl_kept_jacobian(const struct srl_model *model, double most) {
    if (!srl_has_output_layer(model))
        return 0;
    const double size = (double)model->m * (double)model->d, data = (double)model->n * ((double)model->d + (double)model->m);
    return size <= (most < 0.0 ? data : most) ? model->m * model->d : 0;
}

/* ---- rows of G ---- */

/* The pattern becomes that of u; true when it was before. */
static bool same_pattern(const struct srl_model *model, struct srl_hessian_work *work, const double *u) {
    bool same = true;
    work->active_count = 0;
    for (int64_t i = 0; i < model->n; i++) {
        unsigned char on = u[i] > 0.0;
        same = same && on == work->pattern[i];
        work->pattern[i] = on;
        if (on)
            work->active[work->active_count++] = (int32_t)i;
    }
    return same;
}

/* The listed rows of A2 (rows = NULL: first, first + 1, ...), active columns only: count x active_count row-major, or its
   transpose when A2 lies by columns, so that either way what is contiguous is read in runs. */
static void gather_active_columns(const struct srl_matrix *a2, const struct srl_hessian_work *work, const int32_t *rows,
                                  int64_t first, int64_t count, double *gathered) {
    const int64_t active = work->active_count;
    if (a2->row_major) {
        for (int64_t k = 0; k < count; k++) {
            const double *row = a2->data + (rows != NULL ? rows[k] : first + k) * a2->ld;
            for (int64_t i = 0; i < active; i++)
                gathered[k * active + i] = row[work->active[i]];
        }
        return;
    }
    for (int64_t i = 0; i < active; i++) {
        const double *column = a2->data + work->active[i] * a2->ld;
        if (rows == NULL)
            memcpy(gathered + i * count, column + first, (size_t)count * sizeof *gathered);
        for (int64_t k = 0; k < count && rows != NULL; k++)
            gathered[i * count + k] = column[rows[k]];
    }
}

/* As many rows as the buffer of active columns takes. */
static int64_t rows_at_once(const struct srl_model *model, const struct srl_hessian_work *work) {
    return work->active_count > 0 ? column_buffer(model) / work->active_count : model->m;
}

/* Listed rows of G = A2 diag(s) A1, at most rows_at_once() of them, into out (count x d). */
static void form_rows(const struct srl_model *model, struct srl_hessian_work *work, const int32_t *rows, int64_t first,
                      int64_t count, double *out) {
    const int64_t d = model->d, active = work->active_count;
    if (active == 0) {
        memset(out, 0, (size_t)count * (size_t)d * sizeof *out);
        return;
    }
    gather_active_columns(&model->A2, work, rows, first, count, work->active_columns);
    srl_gemm(model->A2.row_major ? SRL_PLAIN : SRL_TRANSPOSED, count, d, active, work->active_columns,
             model->A2.row_major ? active : count, work->active_rows, d, out, d);
}

static void form_jacobian(const struct srl_model *model, struct srl_hessian_work *work) {
    const int64_t block = rows_at_once(model, work);
    for (int64_t first = 0; first < model->m; first += block) {
        const int64_t rows = model->m - first < block ? model->m - first : block;
        form_rows(model, work, NULL, first, rows, work->jacobian + first * model->d);
    }
    work->jacobian_valid = true;
}

/* ---- centring ---- */

/* G_k and mu = sum_{j != k} f_j G_j - (1 - f_k) G_k, from G where it is kept, else from the hidden layer. */
static void centre_rows(const struct srl_model *model, struct srl_hessian_work *work, const struct srl_outer *outer) {
    const int64_t d = model->d, k = outer->top;
    memcpy(work->weights, outer->f, (size_t)model->m * sizeof *work->weights);
    work->weights[k] = 0.0;
    if (work->jacobian != NULL) {
        const struct srl_matrix jacobian = {work->jacobian, model->m, d, d, true};
        memcpy(work->top_row, work->jacobian + k * d, (size_t)d * sizeof *work->top_row);
        srl_gemv(SRL_TRANSPOSED, 1.0, &jacobian, work->weights, 0.0, work->mean_row);
    } else {
        double *top_hidden = work->mean_hidden; /* scratch here */
        for (int64_t i = 0; i < model->n; i++)
            top_hidden[i] = work->pattern[i] ? srl_output_entry(model, k, i) : 0.0;
        srl_gemv(SRL_TRANSPOSED, 1.0, &model->A1, top_hidden, 0.0, work->top_row);
        srl_back_to_hidden(model, work->weights, work->mean_hidden);
        for (int64_t i = 0; i < model->n; i++)
            work->mean_hidden[i] = work->pattern[i] ? work->mean_hidden[i] : 0.0;
        srl_gemv(SRL_TRANSPOSED, 1.0, &model->A1, work->mean_hidden, 0.0, work->mean_row);
    }
    srl_axpy(d, -outer->rest, work->top_row, work->mean_row);
}

void srl_hessian_prepare(const struct srl_model *model, struct srl_hessian_work *work, const struct srl_point *point) {
    work->jacobian_valid = same_pattern(model, work, point->u) && work->jacobian_valid;
    const bool known = work->jacobian != NULL && work->jacobian_valid;
    for (int64_t i = 0; i < work->active_count && srl_has_output_layer(model) && !known; i++)
        srl_copy_row(&model->A1, work->active[i], work->active_rows + i * model->d);
    if (work->jacobian != NULL && !known)
        form_jacobian(model, work);
    centre_rows(model, work, &point->outer);
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

/* ---- the sum ---- */

bool srl_has_own_row(const struct srl_model *model, const struct srl_hessian_work *work, int64_t j) {
    return srl_has_output_layer(model) || work->pattern[j];
}

/* With A2 absent all units that are off share the row C_j = -G_k - mu (also k itself, then G_k = 0), so their r_j add up. */
static void add_rows_of_units_off(const struct srl_model *model, struct srl_hessian_work *work, const double *r,
                                  double *hessian) {
    double weight = 0.0;
    for (int64_t i = 0; i < model->n; i++)
        weight += work->pattern[i] ? 0.0 : r[i];
    if (weight == 0.0)
        return;
    scale_row(work, model->d, NULL, false, weight, work->scaled_rows);
    srl_syr(model->d, weight > 0.0 ? 1.0 : -1.0, work->scaled_rows, hessian, model->d);
}

void srl_hessian_begin(const struct srl_model *model, struct srl_hessian_work *work, const double *r, double *hessian) {
    const int64_t d = model->d;
    if (model->curvature != NULL)
        memcpy(hessian, model->curvature, (size_t)d * (size_t)d * sizeof *hessian);
    else
        memset(hessian, 0, (size_t)d * (size_t)d * sizeof *hessian);
    for (int64_t k = 0; k < d && model->curvature == NULL; k++)
        hessian[k + k * d] = model->rho;
    if (!srl_has_output_layer(model))
        add_rows_of_units_off(model, work, r, hessian);
}

/* Rows of G, first to first + count of the list: where they lie, or in work->block. */
static const double *rows_of_jacobian(const struct srl_model *model, struct srl_hessian_work *work, const int32_t *rows,
                                      int64_t first, int64_t count) {
    const int64_t d = model->d;
    if (srl_has_output_layer(model) && work->jacobian != NULL && rows == NULL)
        return work->jacobian + first * d;
    if (srl_has_output_layer(model) && work->jacobian == NULL) {
        form_rows(model, work, rows != NULL ? rows + first : NULL, first, count, work->block);
        return work->block;
    }
    for (int64_t k = 0; k < count; k++) {
        const int64_t j = rows != NULL ? rows[first + k] : first + k;
        if (work->jacobian != NULL)
            memcpy(work->block + k * d, work->jacobian + j * d, (size_t)d * sizeof *work->block);
        else
            srl_copy_row(&model->A1, j, work->block + k * d);
    }
    return work->block;
}

void srl_hessian_add(const struct srl_model *model, struct srl_hessian_work *work, int64_t top, const int32_t *rows,
                     const double *weights, int64_t count, double *positive, double *negative) {
    const int64_t d = model->d, at_once = rows_at_once(model, work), most = row_block(model);
    const int64_t block = at_once < most ? at_once : most;
    for (int64_t first = 0; first < count; first += block) {
        const int64_t size = count - first < block ? count - first : block;
        const double *jacobian = rows_of_jacobian(model, work, rows, first, size);
        for (int sign = 1; sign >= -1; sign -= 2) {
            int64_t taken = 0;
            for (int64_t k = 0; k < size; k++) {
                const int64_t j = rows != NULL ? rows[first + k] : first + k;
                if (sign * weights[first + k] > 0.0 && srl_has_own_row(model, work, j))
                    scale_row(work, d, jacobian + k * d, j == top, weights[first + k], work->scaled_rows + taken++ * d);
            }
            if (taken > 0)
                srl_syrk(d, taken, sign, work->scaled_rows, d, 1.0, sign > 0 ? positive : negative, d);
        }
    }
}

void srl_hessian_assemble(const struct srl_model *model, struct srl_hessian_work *work, const struct srl_point *point,
                          const double *r, double *hessian) {
    srl_hessian_prepare(model, work, point);
    srl_hessian_begin(model, work, r, hessian);
    srl_hessian_add(model, work, point->outer.top, NULL, r, model->m, hessian, hessian);
}
