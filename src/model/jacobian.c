#include "model/jacobian.h"

#include <math.h>
#include <string.h>

/* A product is made of blocks: PANEL rows of A2 are gathered at UNITS units at a time, in long runs that the memory likes, and
   multiplied by INNER units at a time, which is what the BLAS packs for one pass. Rows of G that are not kept come MOST_ROWS at
   a time, so that what a pass over A1 costs is little beside their product. */
enum { PANEL = 512, INNER = 384, UNITS = 2048, MOST_ROWS = 1024, TILE = 16 };
enum { FACTORED = 1024 }; /* units at most whose products are had from the factors of G */
/* The way between the rows of a kept G that are compared with the data, one after each update. */
enum { PROBE_STRIDE = 7919 };
static const double WORTH_UPDATING = 0.5; /* flips relative to the active units: a larger update costs what it saves */
static const double SERVES = 4.0; /* points at least that a kept G is made for: what making it costs is shared by them */
static const double DRIFT = 1e-13, DRIFT_SINGLE = 1e-5; /* of the row's largest entry: round-off of updates that is let pass */

static int64_t at_most(int64_t size, int64_t most) { return size < most ? size : most; }

int64_t srl_jacobian_most_rows(const struct srl_model *model) { return at_most(model->room, MOST_ROWS); }

int64_t srl_jacobian_most_units(const struct srl_model *model) {
    return srl_has_output_layer(model) ? at_most(model->n, at_most(FACTORED, 2 * model->d)) : 0;
}

#define REAL double
#define TYPED(name) name##_double
#define GATHER srl_gather
#define GEMM srl_gemm
#define GEMM_ADD srl_gemm_add
#include "model/jacobian_typed.h"
#undef REAL
#undef TYPED
#undef GATHER
#undef GEMM
#undef GEMM_ADD
#define REAL float
#define TYPED(name) name##_single
#define GATHER srl_gather_single
#define GEMM srl_gemm_single
#define GEMM_ADD srl_gemm_add_single
#include "model/jacobian_typed.h"
#undef REAL
#undef TYPED
#undef GATHER
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
    jacobian->unit_rows = output_layer ? srl_arena_matrix(arena, at_most(model->n, UNITS), model->d) : NULL;
    jacobian->panel = output_layer ? srl_arena_matrix(arena, at_most(model->room, PANEL), at_most(model->n, UNITS)) : NULL;
}

int64_t srl_kept_jacobian(const struct srl_model *model, bool single, double most) {
    if (!srl_has_output_layer(model))
        return 0;
    const double size = (double)model->room * (double)model->d;
    return (single ? 0.5 : 1.0) * size <= most ? model->room * model->d : 0;
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

/* All of G = A2 diag(s) A1, or what flips add to it. */
static void form_all(const struct srl_model *model, struct srl_jacobian *jacobian, const int32_t *which, int64_t units,
                     bool onto) {
    const struct srl_range all = {NULL, 0, model->m};
    (jacobian->single ? multiply_single : multiply_double)(model, jacobian, which, units, all, onto, jacobian->kept);
}

/* Whether a row of the kept G, another one each time, is that of the data up to round-off. */
static bool is_accurate(const struct srl_model *model, struct srl_jacobian *jacobian) {
    if (model->m == 0)
        return true;
    const int64_t j = jacobian->probed++ * PROBE_STRIDE % model->m;
    srl_jacobian_row(model, jacobian, j, jacobian->row);
    const double worst = (jacobian->single ? difference_single : difference_double)(model, jacobian, j, jacobian->row);
    return worst <= (jacobian->single ? DRIFT_SINGLE : DRIFT) * srl_max_abs(model->d, jacobian->row);
}

static bool is_worth_updating(const struct srl_jacobian *jacobian) {
    return jacobian->kept_valid && (double)jacobian->flip_count < WORTH_UPDATING * (double)jacobian->active_count;
}

/* The kept G for the pattern: as it is, updated or made anew. */
static void renew(const struct srl_model *model, struct srl_jacobian *jacobian) {
    const bool update = is_worth_updating(jacobian), flipped = jacobian->flip_count > 0;
    if (update && flipped)
        form_all(model, jacobian, jacobian->flipped, jacobian->flip_count, true);
    if (!update || (flipped && !is_accurate(model, jacobian)))
        form_all(model, jacobian, jacobian->active, jacobian->active_count, false);
    memcpy(jacobian->kept_pattern, jacobian->pattern, (size_t)model->n);
    jacobian->flip_count = 0;
    jacobian->kept_valid = true;
}

void srl_jacobian_look(const struct srl_model *model, struct srl_jacobian *jacobian, const double *u) {
    jacobian->active_count = jacobian->flip_count = 0;
    jacobian->has_unit_rows = false;
    for (int64_t i = 0; i < model->n; i++) {
        jacobian->pattern[i] = u[i] > 0.0;
        if (jacobian->pattern[i])
            jacobian->active[jacobian->active_count++] = (int32_t)i;
        if (jacobian->pattern[i] != jacobian->kept_pattern[i])
            jacobian->flipped[jacobian->flip_count++] = (int32_t)i;
    }
}

void srl_jacobian_prepare(const struct srl_model *model, struct srl_jacobian *jacobian, const double *u) {
    srl_jacobian_look(model, jacobian, u);
    if (jacobian->kept != NULL)
        renew(model, jacobian);
}

double srl_jacobian_units(const struct srl_jacobian *jacobian) {
    if (jacobian->kept == NULL)
        return (double)jacobian->active_count;
    return is_worth_updating(jacobian) ? (double)jacobian->flip_count : (double)jacobian->active_count / SERVES;
}

const void *srl_jacobian_rows(const struct srl_model *model, struct srl_jacobian *jacobian, const int32_t *rows, int64_t first,
                              int64_t count) {
    const struct srl_range range = {rows != NULL ? rows + first : NULL, first, count};
    if (jacobian->kept != NULL && rows == NULL)
        return (const char *)jacobian->kept +
               (size_t)first * (size_t)model->d * (jacobian->single ? sizeof(float) : sizeof(double));
    if (jacobian->kept != NULL || !srl_has_output_layer(model))
        (jacobian->single ? copy_rows_single : copy_rows_double)(model, jacobian, range);
    else
        (jacobian->single ? multiply_single : multiply_double)(model, jacobian, jacobian->active, jacobian->active_count, range,
                                                               false, jacobian->block);
    return jacobian->block;
}

const double *srl_jacobian_unit_rows(const struct srl_model *model, struct srl_jacobian *jacobian) {
    gather_unit_rows_double(model, jacobian, jacobian->active, jacobian->active_count);
    jacobian->has_unit_rows = !jacobian->single;
    return jacobian->unit_rows;
}

const void *srl_jacobian_outputs(const struct srl_model *model, struct srl_jacobian *jacobian, int64_t first, int64_t count) {
    (jacobian->single ? copy_outputs_single : copy_outputs_double)(model, jacobian, first, count);
    return jacobian->block;
}
