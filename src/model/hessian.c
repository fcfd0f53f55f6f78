#include "model/hessian.h"

#include <math.h>
#include <string.h>

/* Doubles in the buffer of active columns of A2 (32 MiB), and rows of C made and scaled at a time: enough for the BLAS to run
   at its full rate. */
enum { COLUMN_BUFFER = 1 << 22, ROW_BLOCK = 1024 };
enum {
    PROBES = 4,
    PROBE_STRIDE = 7919
}; /* rows of a kept Jacobian that are compared with the data, and the way between them */
static const double WORTH_UPDATING = 0.5; /* flips relative to the active units: a larger update costs what it saves */
static const double DRIFT = 1e-13;        /* of the largest entry: the update's round-off that is let pass */

static int64_t column_buffer(const struct srl_model *model) {
    int64_t all = model->m > COLUMN_BUFFER / model->n ? COLUMN_BUFFER : model->m * model->n;
    return all > model->n ? all : model->n; /* at least one row */
}

static int64_t row_block(const struct srl_model *model) { return model->m < ROW_BLOCK ? model->m : ROW_BLOCK; }

void srl_hessian_carve(struct srl_arena *arena, struct srl_hessian_work *work, const struct srl_model *model) {
    const bool output_layer = srl_has_output_layer(model);
    work->jacobian_valid = false;
    work->kept_pattern = srl_arena_flags(arena, model->n);
    work->pattern = srl_arena_flags(arena, model->n);
    work->active = srl_arena_indices(arena, model->n);
    work->flipped = srl_arena_indices(arena, model->n);
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

static void find_pattern(const struct srl_model *model, struct srl_hessian_work *work, const double *u) {
    work->active_count = 0;
    for (int64_t i = 0; i < model->n; i++) {
        work->pattern[i] = u[i] > 0.0;
        if (work->pattern[i])
            work->active[work->active_count++] = (int32_t)i;
    }
}

/* The given columns of the listed rows of A2 (rows = NULL: first, first + 1, ...): count x columns row-major, or its transpose
   when A2 lies by columns, so that either way what is contiguous is read in runs. */
static void gather_columns(const struct srl_matrix *a2, const int32_t *which, int64_t columns, const int32_t *rows,
                           int64_t first, int64_t count, double *gathered) {
    if (a2->row_major) {
        for (int64_t k = 0; k < count; k++) {
            const double *row = a2->data + (rows != NULL ? rows[k] : first + k) * a2->ld;
            for (int64_t i = 0; i < columns; i++)
                gathered[k * columns + i] = row[which[i]];
        }
        return;
    }
    for (int64_t i = 0; i < columns; i++) {
        const double *column = a2->data + which[i] * a2->ld;
        if (rows == NULL)
            memcpy(gathered + i * count, column + first, (size_t)count * sizeof *gathered);
        for (int64_t k = 0; k < count && rows != NULL; k++)
            gathered[i * count + k] = column[rows[k]];
    }
}

/* As many rows as the buffer takes for so many columns of A2. */
static int64_t rows_at_once(const struct srl_model *model, int64_t columns) {
    return columns > 0 ? column_buffer(model) / columns : model->m;
}

/* rows = the given rows of A1, contiguous. */
static void gather_rows(const struct srl_model *model, const int32_t *which, int64_t count, double *rows) {
    for (int64_t i = 0; i < count; i++)
        srl_copy_row(&model->A1, which[i], rows + i * model->d);
}

/* Listed rows of G = A2 diag(s) A1, at most rows_at_once() of them, into out (count x d). */
static void form_rows(const struct srl_model *model, struct srl_hessian_work *work, const int32_t *rows, int64_t first,
                      int64_t count, double *out) {
    const int64_t d = model->d, active = work->active_count;
    if (active == 0) {
        memset(out, 0, (size_t)count * (size_t)d * sizeof *out);
        return;
    }
    gather_columns(&model->A2, work->active, active, rows, first, count, work->active_columns);
    srl_gemm(model->A2.row_major ? SRL_PLAIN : SRL_TRANSPOSED, count, d, active, work->active_columns,
             model->A2.row_major ? active : count, work->active_rows, d, out, d);
}

/* ---- G from one point to the next ---- */

static void form_jacobian(const struct srl_model *model, struct srl_hessian_work *work) {
    const int64_t block = rows_at_once(model, work->active_count);
    gather_rows(model, work->active, work->active_count, work->active_rows);
    for (int64_t first = 0; first < model->m; first += block) {
        const int64_t rows = model->m - first < block ? model->m - first : block;
        form_rows(model, work, NULL, first, rows, work->jacobian + first * model->d);
    }
}

/* The units on other sides than in kept_pattern, into work->flipped. */
static int64_t find_flips(const struct srl_model *model, struct srl_hessian_work *work) {
    int64_t flips = 0;
    for (int64_t i = 0; i < model->n; i++)
        if (work->pattern[i] != work->kept_pattern[i])
            work->flipped[flips++] = (int32_t)i;
    return flips;
}

/* G += A2[:, F] diag(+-1) A1[F, :]. */
static void update_jacobian(const struct srl_model *model, struct srl_hessian_work *work, int64_t flips) {
    const int64_t d = model->d, block = rows_at_once(model, flips);
    gather_rows(model, work->flipped, flips, work->active_rows);
    for (int64_t i = 0; i < flips; i++)
        if (!work->pattern[work->flipped[i]])
            srl_scale(d, -1.0, work->active_rows + i * d);
    for (int64_t first = 0; first < model->m; first += block) {
        const int64_t rows = model->m - first < block ? model->m - first : block;
        gather_columns(&model->A2, work->flipped, flips, NULL, first, rows, work->active_columns);
        srl_gemm_add(model->A2.row_major ? SRL_PLAIN : SRL_TRANSPOSED, rows, d, flips, work->active_columns,
                     model->A2.row_major ? flips : rows, work->active_rows, d, work->jacobian + first * d, d);
    }
}

/* hidden = row j of A2 on the active units. */
static void active_row(const struct srl_model *model, const struct srl_hessian_work *work, int64_t j, double *hidden) {
    for (int64_t i = 0; i < model->n; i++)
        hidden[i] = work->pattern[i] ? srl_output_entry(model, j, i) : 0.0;
}

/* Whether a few rows of G, others each time, are those of the data up to round-off. */
static bool is_accurate(const struct srl_model *model, struct srl_hessian_work *work) {
    double *exact = work->top_row, worst = 0.0, largest = 0.0; /* scratch here */
    for (int64_t probe = 0; probe < PROBES; probe++) {
        const int64_t j = work->probed++ * PROBE_STRIDE % model->m;
        const double *row = work->jacobian + j * model->d;
        active_row(model, work, j, work->mean_hidden);
        srl_gemv(SRL_TRANSPOSED, 1.0, &model->A1, work->mean_hidden, 0.0, exact);
        largest = fmax(largest, srl_max_abs(model->d, exact));
        for (int64_t k = 0; k < model->d; k++)
            worst = fmax(worst, fabs(row[k] - exact[k]));
    }
    return worst <= DRIFT * largest;
}

/* G for the pattern: kept, updated or made anew. */
static void renew_jacobian(const struct srl_model *model, struct srl_hessian_work *work) {
    const int64_t flips = work->jacobian_valid ? find_flips(model, work) : model->n;
    const bool few = (double)flips < WORTH_UPDATING * (double)work->active_count;
    if (flips > 0 && few)
        update_jacobian(model, work, flips);
    if (flips > 0 && !(few && is_accurate(model, work)))
        form_jacobian(model, work);
    memcpy(work->kept_pattern, work->pattern, (size_t)model->n);
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
        active_row(model, work, k, work->mean_hidden); /* scratch here */
        srl_gemv(SRL_TRANSPOSED, 1.0, &model->A1, work->mean_hidden, 0.0, work->top_row);
        srl_back_to_hidden(model, work->weights, work->mean_hidden);
        for (int64_t i = 0; i < model->n; i++)
            work->mean_hidden[i] = work->pattern[i] ? work->mean_hidden[i] : 0.0;
        srl_gemv(SRL_TRANSPOSED, 1.0, &model->A1, work->mean_hidden, 0.0, work->mean_row);
    }
    srl_axpy(d, -outer->rest, work->top_row, work->mean_row);
}

void srl_hessian_prepare(const struct srl_model *model, struct srl_hessian_work *work, const struct srl_point *point) {
    find_pattern(model, work, point->u);
    if (work->jacobian != NULL)
        renew_jacobian(model, work);
    else if (srl_has_output_layer(model))
        gather_rows(model, work->active, work->active_count, work->active_rows);
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
    const int64_t d = model->d, at_once = rows_at_once(model, work->active_count), most = row_block(model);
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
