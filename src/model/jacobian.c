#include "model/jacobian.h"

#include <math.h>
#include <string.h>

/* Entries in the buffer of active columns of A2 (4 MiB of doubles), and rows of G made at a time: enough for the BLAS to run
   at its full rate. */
enum { COLUMN_BUFFER = 1 << 19, ROW_BLOCK = 512 };
/* Rows of a kept G that are compared with the data after an update, and the way between them. */
enum { PROBES = 4, PROBE_STRIDE = 7919 };
static const double WORTH_UPDATING = 0.5; /* flips relative to the active units: a larger update costs what it saves */
static const double DRIFT = 1e-13, DRIFT_SINGLE = 1e-5; /* of the largest entry: the update's round-off that is let pass */

static int64_t column_buffer(const struct srl_model *model) {
    int64_t all = model->m > COLUMN_BUFFER / model->n ? COLUMN_BUFFER : model->m * model->n;
    return all > model->n ? all : model->n; /* at least one row */
}

/* As many rows as the buffer takes for so many columns of A2. */
static int64_t rows_at_once(const struct srl_model *model, int64_t columns) {
    return columns > 0 ? column_buffer(model) / columns : model->m;
}

int64_t srl_jacobian_most_rows(const struct srl_model *model) { return model->m < ROW_BLOCK ? model->m : ROW_BLOCK; }

#define REAL double
#define TYPED(name) name##_double
#define GEMM srl_gemm
#define GEMM_ADD srl_gemm_add
#include "model/jacobian_typed.h"
#undef REAL
#undef TYPED
#undef GEMM
#undef GEMM_ADD
#define REAL float
#define TYPED(name) name##_single
#define GEMM srl_gemm_single
#define GEMM_ADD srl_gemm_add_single
#include "model/jacobian_typed.h"
#undef REAL
#undef TYPED
#undef GEMM
#undef GEMM_ADD

void srl_jacobian_carve(struct srl_arena *arena, struct srl_jacobian *jacobian, const struct srl_model *model) {
    const bool output_layer = srl_has_output_layer(model);
    jacobian->kept_valid = false;
    jacobian->kept_pattern = srl_arena_flags(arena, model->n);
    jacobian->pattern = srl_arena_flags(arena, model->n);
    jacobian->active = srl_arena_indices(arena, model->n);
    jacobian->flipped = srl_arena_indices(arena, model->n);
    jacobian->hidden = srl_arena_doubles(arena, model->n);
    jacobian->row = srl_arena_doubles(arena, model->d);
    jacobian->block = srl_arena_matrix(arena, srl_jacobian_most_rows(model), model->d);
    jacobian->active_rows = output_layer ? srl_arena_matrix(arena, model->n, model->d) : NULL;
    jacobian->active_columns = output_layer ? srl_arena_doubles(arena, column_buffer(model)) : NULL;
}

int64_t srl_kept_jacobian(const struct srl_model *model, bool single, double most) {
    if (!srl_has_output_layer(model))
        return 0;
    const double size = (double)model->m * (double)model->d;
    return (single ? 0.5 : 1.0) * size <= most ? model->m * model->d : 0;
}

void srl_jacobian_keep_in(struct srl_jacobian *jacobian, void *kept, bool single) {
    jacobian->kept = kept;
    jacobian->kept_valid = false;
    jacobian->single = single;
}

bool srl_has_own_row(const struct srl_model *model, const struct srl_jacobian *jacobian, int64_t j) {
    return srl_has_output_layer(model) || jacobian->pattern[j];
}

void srl_jacobian_row(const struct srl_model *model, struct srl_jacobian *jacobian, int64_t j, double *row) {
    for (int64_t i = 0; i < model->n; i++)
        jacobian->hidden[i] = jacobian->pattern[i] ? srl_output_entry(model, j, i) : 0.0;
    srl_gemv(SRL_TRANSPOSED, 1.0, &model->A1, jacobian->hidden, 0.0, row);
}

static void form_all(const struct srl_model *model, struct srl_jacobian *jacobian, const int32_t *which, int64_t columns,
                     bool onto) {
    (jacobian->single ? form_all_single : form_all_double)(model, jacobian, which, columns, onto);
}

/* Whether a few rows of the kept G, others each time, are those of the data up to round-off. */
static bool is_accurate(const struct srl_model *model, struct srl_jacobian *jacobian) {
    double worst = 0.0, largest = 0.0;
    for (int64_t probe = 0; probe < PROBES; probe++) {
        const int64_t j = jacobian->probed++ * PROBE_STRIDE % model->m;
        srl_jacobian_row(model, jacobian, j, jacobian->row);
        largest = fmax(largest, srl_max_abs(model->d, jacobian->row));
        worst = fmax(worst, (jacobian->single ? difference_single : difference_double)(model, jacobian, j, jacobian->row));
    }
    return worst <= (jacobian->single ? DRIFT_SINGLE : DRIFT) * largest;
}

/* The kept G for the pattern: as it is, updated or made anew. */
static void renew(const struct srl_model *model, struct srl_jacobian *jacobian) {
    int64_t flips = 0;
    for (int64_t i = 0; i < model->n; i++)
        if (jacobian->pattern[i] != jacobian->kept_pattern[i])
            jacobian->flipped[flips++] = (int32_t)i;
    const bool few = jacobian->kept_valid && (double)flips < WORTH_UPDATING * (double)jacobian->active_count;
    if (few && flips > 0)
        form_all(model, jacobian, jacobian->flipped, flips, true);
    if (!few || (flips > 0 && !is_accurate(model, jacobian)))
        form_all(model, jacobian, jacobian->active, jacobian->active_count, false);
    memcpy(jacobian->kept_pattern, jacobian->pattern, (size_t)model->n);
    jacobian->kept_valid = true;
}

void srl_jacobian_prepare(const struct srl_model *model, struct srl_jacobian *jacobian, const double *u) {
    jacobian->active_count = 0;
    for (int64_t i = 0; i < model->n; i++) {
        jacobian->pattern[i] = u[i] > 0.0;
        if (jacobian->pattern[i])
            jacobian->active[jacobian->active_count++] = (int32_t)i;
    }
    if (jacobian->kept != NULL)
        renew(model, jacobian);
    else if (srl_has_output_layer(model) && jacobian->single)
        gather_rows_single(model, jacobian, jacobian->active, jacobian->active_count, jacobian->active_rows);
    else if (srl_has_output_layer(model))
        gather_rows_double(model, jacobian, jacobian->active, jacobian->active_count, jacobian->active_rows);
}

int64_t srl_jacobian_block(const struct srl_model *model, const struct srl_jacobian *jacobian) {
    const int64_t at_once = rows_at_once(model, jacobian->active_count), most = srl_jacobian_most_rows(model);
    return at_once < most ? at_once : most;
}

const void *srl_jacobian_rows(const struct srl_model *model, struct srl_jacobian *jacobian, const int32_t *rows, int64_t first,
                              int64_t count) {
    const int32_t *list = rows != NULL ? rows + first : NULL;
    if (jacobian->kept != NULL && rows == NULL)
        return (const char *)jacobian->kept +
               (size_t)first * (size_t)model->d * (jacobian->single ? sizeof(float) : sizeof(double));
    if (jacobian->kept != NULL || !srl_has_output_layer(model))
        (jacobian->single ? copy_rows_single : copy_rows_double)(model, jacobian, rows, first, count);
    else if (jacobian->single)
        multiply_single(model, jacobian, jacobian->active, jacobian->active_count, list, first, count, false, jacobian->block);
    else
        multiply_double(model, jacobian, jacobian->active, jacobian->active_count, list, first, count, false, jacobian->block);
    return jacobian->block;
}
