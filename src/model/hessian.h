/*
 * The Hessian of F in the cell of a point, in the paper's form A' diag(.) A:
 *
 *     H = C' diag(r) C + R,    C = G - 1 (f'G),    G = A2 diag(s) A1  (m x d: Jacobian of the logits), s the active units
 *
 * A block of rows of G is one dgemm over the active columns of A2 and rows of A1. Where memory is given for it, G is kept from
 * one point to the next, and when units F change sides
 *
 *     G += A2[:, F] diag(+-1) A1[F, :],
 *
 * unless it is cheaper to make it anew. Round-off adds up in that: after every update a few rows are compared with rows made
 * from the data, and G is made anew when they differ. Without that memory its rows are made, used and forgotten block by block,
 * and so are the rows of a sample. The
 * weighted sum is a dsyrk over the rows of C scaled by sqrt|r_j|, those with r_j > 0 added, those with r_j < 0 subtracted. With
 * A2 absent, G = diag(s) A1: no product at all, and the rows of the units that are off are all equal, so they enter as one.
 *
 * Centring subtracts the row of the most probable output k first: with mu = sum_{j != k} f_j (G_j - G_k), which needs no
 * difference of nearly equal numbers when f_k is close to 1, C_j = (G_j - G_k) - mu and C_k = -mu.
 *
 * No m x m or n x n matrix is formed.
 */
#ifndef SRL_MODEL_HESSIAN_H
#define SRL_MODEL_HESSIAN_H

#include "base/alloc.h"
#include "model/point.h"

struct srl_hessian_work {
    unsigned char *pattern; /* the active units of the point last prepared for (n) */
    int32_t *active;        /* their indices */
    int64_t active_count;
    int32_t *flipped;            /* units that changed sides since G was made (n) */
    double *active_rows;         /* rows of A1 of the active units, or of those that flipped (n x d, row-major) */
    double *active_columns;      /* columns of A2 of the same units, a block of rows at a time */
    double *top_row;             /* G_k (d) */
    double *mean_row;            /* mu (d) */
    double *mean_hidden;         /* A2' (f without its entry k) on the active units: mu before it goes through A1 (n) */
    double *weights;             /* f without its entry k (m) */
    double *block;               /* rows of G, a block at a time */
    double *scaled_rows;         /* rows of C times sqrt|weight|, a block at a time */
    double *jacobian;            /* all of G (m x d, row-major), NULL: not kept. Given by the owner of the work */
    bool jacobian_valid;         /* it belongs to kept_pattern */
    unsigned char *kept_pattern; /* n */
    int64_t probed;              /* rows compared so far: where the next ones are taken */
};

void srl_hessian_carve(struct srl_arena *arena, struct srl_hessian_work *work, const struct srl_model *model);
/* Doubles that keeping G takes, 0 where that is more than most (< 0: as many as A1 and A2 have) or, with A2 absent, where there
   is nothing to keep. */
int64_t srl_kept_jacobian(const struct srl_model *model, double most);

/* Gets ready for the rows of C at an evaluated point: the active units, G_k and mu. */
void srl_hessian_prepare(const struct srl_model *model, struct srl_hessian_work *work, const struct srl_point *point);
/* Whether row j of C is one of its own; with A2 absent those of the units that are off are not, see srl_hessian_begin(). */
bool srl_has_own_row(const struct srl_model *model, const struct srl_hessian_work *work, int64_t j);

/* hessian = R, and with A2 absent the rows that all units that are off share. Lower triangle (d x d), as below. */
void srl_hessian_begin(const struct srl_model *model, struct srl_hessian_work *work, const double *r, double *hessian);
/* Adds weights_k C_j' C_j over the listed rows j = rows[k]: to positive where the weight is, to negative where it is negative.
   Both may be the same matrix. rows = NULL lists all m, and count is m. */
void srl_hessian_add(const struct srl_model *model, struct srl_hessian_work *work, int64_t top, const int32_t *rows,
                     const double *weights, int64_t count, double *positive, double *negative);

/* The Hessian at a differentiated point, with the curvature weights r (point->r, or others), into the lower triangle. */
void srl_hessian_assemble(const struct srl_model *model, struct srl_hessian_work *work, const struct srl_point *point,
                          const double *r, double *hessian);

#endif
