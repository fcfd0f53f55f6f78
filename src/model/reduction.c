#include "model/reduction.h"

#include <math.h>
#include <string.h>

static const double DEPENDENT = 1e-8; /* diagonal of L relative to its largest entry: rows that near to dependent */

bool srl_is_reducible(const struct srl_model *model) { return model->n < model->d; }

/* Where rows depend on one another some y has no effect on A1 x at all. rho holds it; without it nothing does, and round-off
   may carry it away. */
static bool holds_all(const struct srl_model *model, const double *rows) {
    double least = INFINITY, most = 0.0;
    for (int64_t i = 0; i < model->n; i++) {
        least = fmin(least, fabs(rows[i + i * model->n]));
        most = fmax(most, fabs(rows[i + i * model->n]));
    }
    return model->rho > 0.0 || least > DEPENDENT * most;
}

void srl_reduction_carve(struct srl_arena *arena, struct srl_reduction *reduction, const struct srl_model *model) {
    reduction->basis = srl_arena_matrix(arena, model->n, model->d);
    reduction->rows = srl_arena_matrix(arena, model->n, model->n);
    reduction->curvature = model->w != NULL ? srl_arena_matrix(arena, model->n, model->n) : NULL;
}

int64_t srl_reduction_work(const struct srl_model *model) {
    const int64_t factor = srl_orthonormal_work(model->d, model->n), curvature = srl_curvature_rows(model) * model->n;
    return factor > curvature ? factor : curvature;
}

struct srl_model srl_reduced_model(const struct srl_model *model, const struct srl_reduction *reduction) {
    struct srl_model reduced = *model;
    reduced.d = model->n;
    reduced.A1 = (struct srl_matrix){reduction->rows, model->n, model->n, model->n, true, NULL};
    reduced.curvature = reduction->curvature;
    reduced.x_ref = NULL;
    return reduced;
}

bool srl_find_reduction(const struct srl_model *model, struct srl_reduction *reduction, double *work) {
    const int64_t n = model->n, d = model->d;
    for (int64_t i = 0; i < n; i++) /* by rows A1 is A1' by columns: A1' = Q L', and L' by columns is L by rows */
        srl_copy_row(&model->A1, i, reduction->basis + i * d);
    memset(reduction->rows, 0, (size_t)(n * n) * sizeof *reduction->rows);
    if (srl_orthonormal(d, n, reduction->basis, reduction->rows, work) != 0)
        return false;
    if (!holds_all(model, reduction->rows)) {
        *reduction = (struct srl_reduction){0};
        return true;
    }
    if (reduction->curvature == NULL)
        return true;
    const struct srl_model reduced = srl_reduced_model(model, reduction);
    srl_assemble_curvature(&reduced, work, reduction->curvature);
    return srl_is_finite(n, reduction->curvature, n);
}

static struct srl_matrix basis_of(const struct srl_model *model, const struct srl_reduction *reduction) {
    return (struct srl_matrix){reduction->basis, model->n, model->d, model->d, true, NULL};
}

void srl_reduce(const struct srl_model *model, const struct srl_reduction *reduction, const double *x, double *y) {
    const struct srl_matrix basis = basis_of(model, reduction);
    srl_gemv(SRL_PLAIN, 1.0, &basis, x, 0.0, y);
}

void srl_set_apart(const struct srl_model *model, const struct srl_reduction *reduction, const double *x, double *y,
                   double *apart) {
    const struct srl_matrix basis = basis_of(model, reduction);
    memcpy(apart, x, (size_t)model->d * sizeof *apart);
    for (int pass = 0; pass < 2; pass++) { /* the second takes away what round-off left of the first */
        srl_reduce(model, reduction, apart, y);
        srl_gemv(SRL_TRANSPOSED, -1.0, &basis, y, 1.0, apart);
    }
}

void srl_expand(const struct srl_model *model, const struct srl_reduction *reduction, const double *apart, const double *y,
                double *x) {
    const struct srl_matrix basis = basis_of(model, reduction);
    memmove(x, apart, (size_t)model->d * sizeof *x);
    srl_gemv(SRL_TRANSPOSED, 1.0, &basis, y, 1.0, x);
}
