/*
 * The face on which a set of rows is pinned, in the metric of M = S S'.
 *
 * With y = S^-1 row for each of them, Y = Q T: Q orthonormal, T upper triangular. Rows come and go one at a time: a new one is
 * orthogonalised against Q, twice for full orthogonality; when one goes, rotations make T triangular again. A row that depends
 * on those there are is refused, so T stays regular. A whole set comes at once by Cholesky QR, done twice (Y. Yamamoto et al.,
 * "Roundoff error analysis of the CholeskyQR2 algorithm", ETNA 44, 2015).
 */
#ifndef SRL_STEP_FACE_H
#define SRL_STEP_FACE_H

#include "base/alloc.h"
#include "base/interruption.h"
#include "step/metric.h"

struct srl_face {
    struct srl_interruption *interruption; /* NULL: none */
    int64_t d, count;
    const struct srl_metric *metric;
    double *basis;        /* Q, columns (d x d) */
    double *triangle;     /* T, column-major (d x d) */
    bool orthonormal;     /* else basis holds Y */
    double *coefficients; /* with respect to Q (d) */
    double *products;     /* Y'Y and its Cholesky factor, while Y is in the place of Q (d x d) */
    double *lengths;      /* of its columns (d) */
};

void srl_face_carve(struct srl_arena *arena, struct srl_face *face, int64_t d);
/* No rows, and this metric. */
void srl_face_clear(struct srl_face *face, const struct srl_metric *metric);

/* Where to put a new row (d numbers) before srl_face_append(); NULL when there are d already. */
double *srl_face_slot(struct srl_face *face);
/* Takes the row in the slot as the last one. False, and nothing changed, when it depends on the others. */
bool srl_face_append(struct srl_face *face);
/* Lets the k-th row go; those behind it move up. */
void srl_face_remove(struct srl_face *face, int64_t k);

/* Many rows at a time: the caller puts count and Y itself in the place of Q, in basis, and says so in orthonormal. The first
   factors Y'Y = T'T, false when columns are nearly dependent; the second solves Y'Y x = b in place; the third makes Q and T of
   Y, false as above. */
bool srl_face_find_products(struct srl_face *face);
void srl_face_solve_products(const struct srl_face *face, double *b);
bool srl_face_orthonormalise(struct srl_face *face);

/* x -= Q Q'x. */
void srl_face_project_out(struct srl_face *face, double *x);
/* The lambda for which residual + Y lambda has no part in the face's span: T lambda = -Q'residual. */
void srl_face_multipliers(const struct srl_face *face, const double *residual, double *lambda);
/* The move within the span of the rows, in x's own coordinates, that changes the product with the k-th row by -excess[k]:
   T'c = -excess, move = S'^-1 Q c. excess is overwritten. */
void srl_face_move(const struct srl_face *face, double *excess, double *move);
/* |y_k| */
double srl_face_length(const struct srl_face *face, int64_t k);

#endif
