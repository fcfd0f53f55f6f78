/*
 * The data of one regression problem as the kernels see it: pointers only, owned by somebody else, read-only.
 *
 *     F(x) = loss(softmax(A2 max(A1 x + c1, 0) + c2), b) + 1/2 |diag(w) A1 x|^2 + rho/2 |x - x_ref|^2
 *
 * subject to lower <= x <= upper. An absent vector is NULL and means 0 (bounds: none); an A2 that is not given means the
 * identity, which is never formed. A1 and A2 may be in single precision, each for itself.
 *
 * Where the outputs are divided among ranks (base/ranks.h), A2, b and c2 are the rows of this rank, m is their number, and what
 * sums, maximises or draws over outputs goes through srl_sum() and srl_largest(). Everything else is the same on all ranks.
 */
#ifndef SRL_MODEL_MODEL_H
#define SRL_MODEL_MODEL_H

#include <math.h>
#include <stdbool.h>

#include <softrelu/softrelu.h>

#include "base/interruption.h"
#include "base/ranks.h"
#include "linalg/blas.h"

struct srl_twins;

struct srl_model {
    int64_t n, d;
    int64_t m;               /* outputs of this rank: all of them, where ranks is NULL */
    int64_t outputs;         /* of all ranks */
    int64_t first;           /* number of this rank's first one among them */
    int64_t room;            /* the most that a rank has: what memory for outputs is carved for, at least 1 */
    struct srl_ranks *ranks; /* NULL: this process has all outputs */
    softrelu_loss loss;
    struct srl_matrix A1; /* n x d */
    struct srl_matrix A2; /* m x n, not given for the identity */
    const double *b, *c1, *c2, *w, *x_ref;
    double rho;
    const double *lower, *upper; /* bounds of x (d each), entries may be infinite; NULL: none */

    /* derived once, when the problem is sealed */
    const double *curvature; /* R = A1' diag(w^2) A1 + rho I, lower triangle, d x d; NULL when w is absent: then R = rho I */
    const double *row_norms; /* |a_i|, rows of A1 (n) */
    const struct srl_twins *twins;                 /* units that share a kink; NULL when there are none */
    const double *column_norms;                    /* norms of the columns of A2 (n); NULL for the identity: all 1 */
    const double *least_outputs, *largest_outputs; /* least and largest entries of the columns of A2 (n); NULL likewise */

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

static inline bool srl_has_output_layer(const struct srl_model *model) {
    return srl_is_given(&model->A2) || model->ranks != NULL; /* a rank may have no rows of it */
}
/* This rank's number of an output, -1 where it is another rank's. */
static inline int64_t srl_own_output(const struct srl_model *model, int64_t output) {
    const int64_t own = output - model->first;
    return own >= 0 && own < model->m ? own : -1;
}
/* Entry (j, i) of A2, of the identity where it is absent. */
static inline double srl_output_entry(const struct srl_model *model, int64_t j, int64_t i) {
    return srl_has_output_layer(model) ? srl_entry(&model->A2, j, i) : (double)(i == j);
}

/* The least and the largest entry of column i of A2, of all ranks. */
static inline double srl_least_output(const struct srl_model *model, int64_t i) {
    return model->least_outputs != NULL ? model->least_outputs[i] : model->outputs > 1 ? 0.0 : 1.0;
}
static inline double srl_largest_output(const struct srl_model *model, int64_t i) {
    return model->largest_outputs != NULL ? model->largest_outputs[i] : 1.0;
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
/* y = A2 h (m), without the bias. srl_to_own_outputs() is what a rank does of it, without telling the others: so are the
   functions of that name below. */
void srl_to_outputs(const struct srl_model *model, const double *h, double *y);
void srl_to_own_outputs(const struct srl_model *model, const double *h, double *y);
/* to = from (m). */
void srl_copy_outputs(const struct srl_model *model, const double *from, double *to);
/* |y| over the outputs of all ranks. */
double srl_norm_of_outputs(const struct srl_model *model, const double *y);
/* back = A2' y (n). */
void srl_back_to_hidden(const struct srl_model *model, const double *y, double *back);
void srl_own_back_to_hidden(const struct srl_model *model, const double *y, double *back);
/* Two such products at the price of little more than one: A2 is read once where it lies by rows. Of this rank's outputs only.
 */
void srl_own_two_back_to_hidden(const struct srl_model *model, const double *y1, const double *y2, double *back1,
                                double *back2);

/* From the leading rank: the others do the same. operation and what it takes, as in struct srl_call. */
#define SRL_TELL(with, ...)                                                                                                    \
    do {                                                                                                                       \
        if (srl_leads((with)->ranks))                                                                                          \
            srl_tell((with)->ranks, &(struct srl_call){.model = (with), __VA_ARGS__});                                         \
    } while (0)

/* What ranks are told to do: each is the function of that name (api/serve.c). */
enum srl_operation {
    SRL_LOGITS,
    SRL_TO_OUTPUTS,
    SRL_BACK_TO_HIDDEN,
    SRL_OUTER_VALUE,
    SRL_OUTER_DERIVATIVES,
    SRL_POINT_BACK,
    SRL_LINE_DERIVATIVES,
    SRL_CURVE_OUTPUTS,
    SRL_HESSIAN_ASSEMBLE,
    SRL_HESSIAN_PREPARE,
    SRL_HESSIAN_ADD_SAMPLE,
    SRL_GAUSS_NEWTON_WEIGHTS,
    SRL_LIGHT_BEGIN,
    SRL_LIGHT_LOGITS,
    SRL_LIGHT_BACK,
    SRL_COPY_OUTPUTS,
    SRL_MOVE_OUTPUTS,
    SRL_NORM_OF_OUTPUTS,
    SRL_FIT_TARGET,
    SRL_FIT_WEIGHTS,
    SRL_FIT_SLOPES,
    SRL_SAMPLE_MEASURE,
    SRL_SAMPLE_MEASURE_NOTHING,
    SRL_SAMPLE_CHANGE,
    SRL_SAMPLE_ROUND,
    SRL_SAMPLE_DRAW,
    SRL_EVALUATE_OUTPUTS,
    SRL_FIT_ROWS,
    SRL_SCALED_ROWS,
    SRL_LEVERS,
    SRL_SENSITIVITY,
    SRL_CONVEX_FIT,
    SRL_LOSS_CONSTANTS,
    SRL_ROW_DISTANCE,
    SRL_LEVEL,
    SRL_LEAST_LOSS
};

#endif
