/*
 * The Hessian of F in the cell of a point, in the paper's form A' diag(.) A:
 *
 *     H = C' diag(r) C + R,    C = G - 1 (f'G),    G = A2 diag(s) A1  (m x d: Jacobian of the logits), s the active units
 *
 * G costs one dgemm over the active columns of A2 and rows of A1, and is kept while no unit changes side. The weighted sum is
 * a dsyrk over the rows of C scaled by sqrt|r_j|, those with r_j > 0 added, those with r_j < 0 subtracted. With A2 absent,
 * G = diag(s) A1: no product at all, and the rows of the units that are off are all equal, so they enter as one.
 *
 * Centring subtracts the row of the most probable output k first: with mu = sum_{j != k} f_j (G_j - G_k), which needs no
 * difference of nearly equal numbers when f_k is close to 1, C_j = (G_j - G_k) - mu and C_k = -mu.
 *
 * No m x m or n x n matrix is formed. G is built and its rows are scaled in blocks, so that the work memory besides G and the
 * active rows of A1 stays bounded.
 */
#ifndef SRL_MODEL_HESSIAN_H
#define SRL_MODEL_HESSIAN_H

#include "base/alloc.h"
#include "model/point.h"

struct srl_hessian_work {
    unsigned char *pattern; /* the active units that jacobian belongs to (n) */
    bool valid;             /* false until the first assembly */
    int32_t *active;        /* their indices */
    int64_t active_count;
    double *active_rows;    /* rows of A1 of the active units (n x d, row-major) */
    double *active_columns; /* columns of A2 of the active units, a block of rows at a time */
    double *jacobian;       /* G (m x d, row-major); NULL when A2 is absent */
    double *top_row;        /* G_k (d) */
    double *mean_row;       /* mu (d) */
    double *weights;        /* f without its entry k (m) */
    double *scaled_rows;    /* rows of C times sqrt|r|, a block at a time */
};

void srl_hessian_carve(struct srl_arena *arena, struct srl_hessian_work *work, const struct srl_model *model);

/* The Hessian at a differentiated point into the lower triangle of hessian (d x d). */
void srl_hessian_assemble(const struct srl_model *model, struct srl_hessian_work *work, const struct srl_point *point,
                          double *hessian);

#endif
