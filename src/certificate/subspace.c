#include "certificate/subspace.h"

#include <string.h>

static const double DEPENDENT = 1e-11; /* pivot of a row that depends on others */

int64_t srl_subspace_work(const struct srl_model *model) {
    const int64_t factor = srl_reflectors_work(model->d, model->n + model->d), map = srl_reflect_work(SRL_MAPPED);
    return factor > map ? factor : map;
}

void srl_subspace_carve(struct srl_arena *arena, struct srl_subspace *space, const struct srl_model *model) {
    space->d = model->d;
    space->basis = srl_arena_matrix(arena, model->d, model->d);
    space->rows = srl_arena_matrix(arena, model->n + model->d, model->d);
    space->scalars = srl_arena_doubles(arena, model->d);
    space->pivots = srl_arena_indices(arena, model->n + model->d);
}

bool srl_find_subspace(struct srl_subspace *space, int64_t held) {
    space->rank = srl_pivoted_reflectors(space->d, held, space->rows, DEPENDENT, space->scalars, space->pivots, space->work);
    space->free = space->d - space->rank;
    space->formed = false;
    return space->rank >= 0;
}

bool srl_form_basis(struct srl_subspace *space, const struct srl_model *model, double *scratch) {
    const int64_t d = space->d, rank = space->rank, free = space->free;
    for (int64_t first = 0; first < free; first += SRL_MAPPED) {
        const int64_t count = free - first < SRL_MAPPED ? free - first : SRL_MAPPED;
        memset(scratch, 0, (size_t)(d * count) * sizeof *scratch);
        for (int64_t k = 0; k < count; k++)
            scratch[rank + first + k + k * d] = 1.0;
        if (srl_interrupted(model->interruption) ||
            srl_reflect(SRL_PLAIN, d, count, rank, space->rows, space->scalars, scratch, space->work) != 0)
            return false;
        for (int64_t i = 0; i < d; i++)
            for (int64_t k = 0; k < count; k++)
                space->basis[i * free + first + k] = scratch[i + k * d];
    }
    space->formed = true;
    return true;
}

void srl_to_subspace(const struct srl_subspace *space, int64_t count, double *vectors, double *out) {
    const int64_t d = space->d, free = space->free;
    if (space->formed) {
        srl_gemm(SRL_PLAIN, count, free, d, vectors, d, space->basis, free, out, free);
        return;
    }
    (void)srl_reflect(SRL_TRANSPOSED, d, count, space->rank, space->rows, space->scalars, vectors, space->work);
    for (int64_t j = 0; j < count; j++)
        memcpy(out + j * free, vectors + j * d + space->rank, (size_t)free * sizeof *out);
}

void srl_from_subspace(const struct srl_subspace *space, const double *coordinates, double *vector) {
    memset(vector, 0, (size_t)space->rank * sizeof *vector);
    memcpy(vector + space->rank, coordinates, (size_t)space->free * sizeof *vector);
    (void)srl_reflect(SRL_PLAIN, space->d, 1, space->rank, space->rows, space->scalars, vector, space->work);
}
