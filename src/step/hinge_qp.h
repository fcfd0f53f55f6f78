/*
 * The convex piecewise quadratic whose minimiser is the kink-aware Newton step:
 *
 *     min over lower <= p <= upper of   g'p + 1/2 p'Mp + sum_i w_i max(0, e_i + b_i'p)
 *
 * with M = S S' positive definite, w_i >= 0 and lower <= 0 <= upper. It is solved by a primal active-set method. Each hinge is
 * off (its term is 0), full (its term is linear) or pinned (e_i + b_i'p = 0 is kept); a bound that p has reached is a pinned
 * hinge of infinite weight. In the metric of M, with y_i = S^-1 b_i and Q an orthonormal basis of the pinned y_i, the direction
 * to the minimiser on the pinned face is
 *
 *     dp = S'^-1 delta,    delta = -(I - QQ') S^-1 (g + Mp + sum over full w_i b_i).
 *
 * Along it the function is a parabola of curvature |delta|^2 with upward bends where hinges change state: the exact minimiser
 * on the line is either the end of the parabola or a bend, and the hinge at whose bend the slope changes sign becomes pinned.
 * At the minimiser of a face the multipliers of the pinned hinges, T lambda = -Q'S^-1(...) with Y = Q T, must lie in [0, w_i];
 * the one that violates this most is let go to the side it pulls to.
 *
 * Only pinned rows are ever multiplied by S^-1: an iteration costs a few products with d x d triangles and one with the rows.
 * The gradient is formed from M itself, not from S, so staying on a face is iterative refinement of the solution.
 *
 * The function falls with every step of positive length. Steps of length zero are possible where more hinges than dimensions
 * meet; when they pile up, the direction of steepest descent over all those hinges is found, by a method that cannot cycle
 * either, and followed. A row that depends on the pinned ones is never pinned, so T stays regular whatever the input repeats.
 * Ending early is harmless: the step found so far keeps the bounds and decreases the model.
 */
#ifndef SRL_STEP_HINGE_QP_H
#define SRL_STEP_HINGE_QP_H

#include "base/alloc.h"
#include "base/interruption.h"
#include "step/face.h"

enum srl_hinge_qp_end {
    SRL_HINGE_QP_SOLVED,
    SRL_HINGE_QP_LIMIT,     /* the iteration limit ended it, or an interruption */
    SRL_HINGE_QP_NOT_FINITE /* the data overflow double precision */
};

struct srl_hinge_qp {
    int64_t d, capacity;
    struct srl_interruption *interruption; /* NULL: none */

    /* the problem, filled in by the caller */
    struct srl_metric metric; /* M = S S' */
    const double *gradient;
    double *lower, *upper; /* bounds on p (d each), lower <= 0 <= upper, may be infinite */
    bool bounded;          /* false: lower and upper are not looked at */
    int64_t count;         /* hinges */
    double *rows;          /* b_i (capacity x d, row-major) */
    double *offsets;       /* e_i */
    double *weights;       /* w_i */
    unsigned char *start;  /* 1: believed to be pinned at the solution */

    /* the solution */
    double *step; /* p (d) */
    double model; /* value of the function at p; <= 0 when all e_i <= 0 */
    enum srl_hinge_qp_end ended;
    int64_t iterations;
    struct srl_face face; /* of what is pinned: face.count of them; to be completed before it is projected on */
    int32_t *pinned;      /* hinge i as i, the bound of p_k as -1 - k; in the order of the basis */
    double *multipliers;  /* theirs; of a bound along the outward normal */

    /* work */
    int64_t known;                /* hinges that have a state */
    unsigned char *state;         /* of each hinge */
    signed char *side;            /* of each bound that is pinned: -1 lower, 1 upper, 2 both; 0 not pinned */
    double *linear;               /* g + sum over full w_i b_i */
    double *residual, *direction; /* S^-1(linear + Mp); delta, then dp */
    double *values, *rates;       /* e_i + b_i'p and b_i'dp */
    double *norms;                /* |b_i| */
    bool by_blocks;               /* the last solution came from step/hinge_blocks.h: the next one may, too */
    int64_t stalled;              /* steps of length zero in a row */
    double *vertex;               /* multipliers on the way out of a degenerate vertex; scratch elsewhere (d) */
    struct srl_bend {
        double at;
        int32_t which; /* as in pinned */
    } * bends;         /* capacity + d */
};

void srl_hinge_qp_carve(struct srl_arena *arena, struct srl_hinge_qp *qp, int64_t d, int64_t capacity);

/* Solves from p = 0. */
void srl_hinge_qp_solve(struct srl_hinge_qp *qp);
/* Instead: p is already the solution, with no hinge listed and no bound in its way. */
void srl_hinge_qp_start_at(struct srl_hinge_qp *qp, const double *step);
/* Goes on from the last solution after hinges have been appended or the gradient has been changed. */
void srl_hinge_qp_resume(struct srl_hinge_qp *qp);
/* Makes the face's basis orthonormal. False when its rows are nearly dependent. */
bool srl_hinge_qp_complete_face(struct srl_hinge_qp *qp);
/* Puts another gradient in the place of the present one. */
void srl_hinge_qp_change_gradient(struct srl_hinge_qp *qp, const double *gradient);
/* The hinges' part of the function at p: sum_i w_i max(0, e_i + b_i'p), without the round-off of pinned ones that are at their
   kink. values: room for one number for each hinge. */
double srl_hinge_qp_hinges(const struct srl_hinge_qp *qp, const double *p, double *values);

/* Whether hinge i ended in its linear part; at its bend. */
bool srl_hinge_qp_is_full(const struct srl_hinge_qp *qp, int64_t hinge);
bool srl_hinge_qp_is_pinned(const struct srl_hinge_qp *qp, int64_t hinge);

#endif
