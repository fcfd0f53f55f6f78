/*
 * The convex piecewise quadratic whose minimiser is the kink-aware Newton step:
 *
 *     min over p   g'p + 1/2 p'Hp + sum_i w_i max(0, e_i + b_i'p),       H = L L' positive definite, w_i >= 0.
 *
 * With s = L'p, y_i = L^-1 b_i and L^-1 g it is the same problem with H = I, so every product below is an inner product:
 *
 *     min over s   1/2 |s|^2 + (L^-1 g)'s + sum_i w_i max(0, e_i + y_i's).
 *
 * It is solved by a primal active-set method. Each hinge is off (its term is 0), full (its term is linear) or pinned
 * (e_i + y_i's = 0 is kept). With r = s + L^-1 g + sum over full w_i y_i the gradient of the smooth part, and Q an orthonormal
 * basis of the pinned y_i, the direction to the minimiser on the pinned face is -(I - QQ')r. Along it the function is a
 * parabola with upward bends where hinges change state: the exact minimiser on the line is either the end of the parabola or a
 * bend, and a hinge at whose bend the slope changes sign becomes pinned. At the minimiser of a face the multipliers of the
 * pinned hinges, the solution of Y lambda = -r, must lie in [0, w_i]; the one that violates this most is let go to the side it
 * pulls to.
 *
 * The function falls with every step of positive length, and a row that depends on the pinned ones has no slope along the
 * direction, so it never bends the parabola: the pinned rows stay independent whatever the input repeats. Ending early is
 * harmless: the step found so far already decreases the model.
 */
#ifndef SRL_STEP_HINGE_QP_H
#define SRL_STEP_HINGE_QP_H

#include "base/alloc.h"
#include "linalg/blas.h"

struct srl_hinge_qp {
    int64_t d, capacity;

    /* the problem, filled in by the caller */
    int64_t count;        /* hinges */
    double *rows;         /* b_i (capacity x d, row-major); L^-1 b_i once solved */
    double *offsets;      /* e_i */
    double *weights;      /* w_i */
    unsigned char *start; /* 1: believed to be pinned at the solution */

    /* the solution */
    double *step; /* p (d) */
    double model; /* value of the function at p, <= 0 when all e_i <= 0 */
    int64_t pinned_count;
    int64_t iterations;
    bool solved; /* false: the iteration limit ended it */

    /* work */
    unsigned char *state;
    int32_t *pinned;  /* hinges, in the order of the basis */
    double *basis;    /* Q, columns (d x d) */
    double *triangle; /* upper triangular T with Y_pinned = Q T, column-major (d x d) */
    double *linear;   /* L^-1 g + sum over full w_i y_i */
    double *s, *residual, *direction;
    double *multipliers; /* of the pinned hinges (d) */
    double *values, *rates;
    struct srl_bend {
        double at;
        int64_t hinge;
    } * bends;
};

void srl_hinge_qp_carve(struct srl_arena *arena, struct srl_hinge_qp *qp, int64_t d, int64_t capacity);

/* Solves for the given factor L (lower triangle, d x d) and gradient g. */
void srl_hinge_qp_solve(struct srl_hinge_qp *qp, const double *factor, const double *gradient);

/* Whether hinge i ended in its linear part. */
bool srl_hinge_qp_is_full(const struct srl_hinge_qp *qp, int64_t hinge);

#endif
