/*
 * The subspace that keeps given kinks and bounds, by Householder's QR of their rows: behind the reflectors, the coordinates
 * after the first `rank` are those on it. Where many vectors are to be mapped, its basis is formed and one product does it.
 */
#ifndef SRL_CERTIFICATE_SUBSPACE_H
#define SRL_CERTIFICATE_SUBSPACE_H

#include "base/alloc.h"
#include "model/model.h"

struct srl_subspace {
    double *rows;    /* unit rows of what is held, then their reflectors (n + d x d) */
    double *basis;   /* Z, row-major (d x free), where it is formed (room for d x d) */
    double *scalars; /* of the reflectors (d) */
    double *work;
    int32_t *pivots;
    int64_t d, rank, free;
    bool formed;
};

/* Vectors that are mapped at a time, at most. */
enum { SRL_MAPPED = 128 };

/* Doubles of space->work, which may be shared with others: it is theirs to carve. */
int64_t srl_subspace_work(const struct srl_model *model);
void srl_subspace_carve(struct srl_arena *arena, struct srl_subspace *space, const struct srl_model *model);
/* Of the first `held` of space->rows. False when LAPACK refuses. */
bool srl_find_subspace(struct srl_subspace *space, int64_t held);
/* scratch: d x d. Not asked for a subspace that is everything. False when LAPACK refuses, or interrupted. */
bool srl_form_basis(struct srl_subspace *space, const struct srl_model *model, double *scratch);
/* out = the coordinates on the subspace of count <= SRL_MAPPED vectors of length d, one after the other; these are destroyed.
 */
void srl_to_subspace(const struct srl_subspace *space, int64_t count, double *vectors, double *out);
/* The vector (d) of coordinates on the subspace. */
void srl_from_subspace(const struct srl_subspace *space, const double *coordinates, double *vector);

#endif
