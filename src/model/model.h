/*
 * The data of one regression problem as the kernels see it: pointers only, owned by somebody else, read-only.
 *
 *     F(x) = loss(softmax(A2 max(A1 x + c1, 0) + c2), b) + 1/2 |diag(w) A1 x|^2 + rho/2 |x - x_ref|^2
 *
 * subject to lower <= x <= upper. An absent vector is NULL and means 0 (bounds: none); an A2 that is not given means the
 * identity, which is never formed. A1 and A2 may be in single precision, each for itself.
 */
#ifndef SRL_MODEL_MODEL_H
#define SRL_MODEL_MODEL_H

#include <math.h>
#include <stdbool.h>

#include <softrelu/softrelu.h>

#include "base/interruption.h"
#include "linalg/blas.h"

struct srl_twins;

struct srl_model {
    int64_t n, d, m;
    softrelu_loss loss;
    struct srl_matrix A1; /* n x d */
    struct srl_matrix A2; /* m x n, not given for the identity */
    const double *b, *c1, *c2, *w, *x_ref;
    double rho;
    const double *lower, *upper; /* bounds of x (d each), entries may be infinite; NULL: none */

    /* derived once, when the problem is sealed */
    const double *curvature; /* R = A1' diag(w^2) A1 + rho I, lower triangle, d x d; NULL when w is absent: then R = rho I */
    const double *row_norms; /* |a_i|, rows of A1 (n) */
    const struct srl_twins *twins; /* units that share a kink; NULL when there are none */
    const double *column_norms;    /* norms of the columns of A2 (n); NULL for the identity: all 1 */

    struct srl_interruption *interruption; /* of the solver whose copy this is; NULL: work on it is not interrupted */
};

/* The bounds of x_k, infinite where there is none. */
static inline double srl_lower(const struct srl_model *model, int64_t k) {
    return model->lower != NULL ? model->lower[k] : -INFINITY;
}
static inline double srl_upper(const struct srl_model *model, int64_t k) {
    return model->upper != NULL ? model->upper[k] : INFINITY;
}
static inline bool srl_has_bounds(const struct srl_model *model) { return model->lower != NULL || model->upper != NULL; }

/* -1 when x_k is at its lower bound, 1 at its upper one, 2 at both, else 0. */
static inline int srl_bound_at(const struct srl_model *model, const double *x, int64_t k) {
    const bool lower = x[k] <= srl_lower(model, k), upper = x[k] >= srl_upper(model, k);
    return lower && upper ? 2 : upper - lower;
}

static inline bool srl_has_output_layer(const struct srl_model *model) { return srl_is_given(&model->A2); }
/* Entry (j, i) of A2, of the identity where it is absent. */
static inline double srl_output_entry(const struct srl_model *model, int64_t j, int64_t i) {
    return srl_has_output_layer(model) ? srl_entry(&model->A2, j, i) : (double)(i == j);
}

/* R = A1' diag(w^2) A1 + rho I into the lower triangle of curvature (d x d); buffer: srl_curvature_rows(model) x d doubles. */
void srl_assemble_curvature(const struct srl_model *model, double *buffer, double *curvature);
int64_t srl_curvature_rows(const struct srl_model *model);
/* R into the lower triangle of matrix (d x d), whether or not the model has it as one. */
void srl_copy_curvature(const struct srl_model *model, double *matrix);
/* matrix += alpha B'B, lower triangle (order x order), for the rows of B (rows x order, no gaps): some at a time, so that it
   can be interrupted. */
void srl_add_squares(const struct srl_model *model, int64_t order, int64_t rows, double alpha, const double *b, double *matrix);

/* A bound of what round-off does to sums of products of the problem's sizes, relative to their terms. */
double srl_sum_noise(const struct srl_model *model);
/* x moves to the nearest point within the bounds. */
void srl_project_on_bounds(const struct srl_model *model, double *x);

/* z = A2 h + c2 (m). */
void srl_logits(const struct srl_model *model, const double *h, double *z);
/* y = A2 h (m), without the bias. */
void srl_to_outputs(const struct srl_model *model, const double *h, double *y);
/* back = A2' y (n). */
void srl_back_to_hidden(const struct srl_model *model, const double *y, double *back);
/* Two such products at the price of little more than one: A2 is read once where it lies by rows. */
void srl_two_back_to_hidden(const struct srl_model *model, const double *y1, const double *y2, double *back1, double *back2);

#endif
