/*
 * Is F provably convex, kinks included, on a convex set that holds {y : lower <= y <= upper, F(y) <= F(x)}? Then a local
 * minimiser in it is a global one.
 *
 * The set is the box of the bounds cut with an ellipsoid: with L the least value of the loss over all distributions and c the
 * minimiser of the regulariser reg, F(y) <= F(x) implies 1/2 |y - c|_R^2 = reg(y) - reg(c) <= F(x) - L - reg(c) = D, and so
 * |a_i'(y - c)| <= sqrt(2 D a_i' R^-1 a_i). Where every unit keeps its sign on it, or has no kink that F could see, F is smooth
 * there, and convex when R - below (A2 diag(s) A1)-form >= 0 in that one cell (docs/constants.md).
 *
 * A proof is not what round-off may undo: every inequality is asked for with room for it. What is not proved is not refuted.
 */
#ifndef SRL_MODEL_CONVEXITY_H
#define SRL_MODEL_CONVEXITY_H

#include "model/loss_constants.h"
#include "model/rows.h"

struct srl_convexity_work {
    struct srl_rows rows;
    double *factor;               /* Cholesky factor of R (d x d), once R is known to be far enough from singular, and */
    bool factored, ill;           /* whether that has been tried, with what result */
    double *matrix;               /* d x d */
    double *columns;              /* rows a_i of A1, then L^-1 a_i (block x d) */
    double *centre, *gradient;    /* c, and what is left of the gradient of reg there (d) */
    double *at_centre, *at_point; /* pre-activations (n) */
    double *outputs;              /* m */
};

/* A value with a bound of its round-off. */
struct srl_rounded {
    double value, noise;
};

/* What it takes of the outputs, on all ranks. The loss at the logits z, whose terms have that size but for c2; */
struct srl_rounded srl_loss_at(const struct srl_model *model, const double *z, double size_of_terms);
/* a lower bound of the loss over all distributions; NaN where there is none. Squares: f_j in [0, 1], and sum f = 1.
   Cross-entropy: least at f = b / beta, beta = sum b, where it is sum b_j log(beta / b_j). */
double srl_least_loss(const struct srl_model *model);

void srl_convexity_carve(struct srl_arena *arena, struct srl_convexity_work *work, const struct srl_model *model);
/* x: d numbers within the bounds. Where a kink of x or a singular R says no, no product with A2 is made. */
bool srl_convex_below(struct srl_convexity_work *work, const struct srl_model *model, const double *x);
/* A point within the bounds where F is likely to be low, so that the set is small: next to the minimiser of the regulariser. */
void srl_point_of_low_level(struct srl_convexity_work *work, const struct srl_model *model, double *x);

#endif
