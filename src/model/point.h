/*
 * A point x with everything the network computes there: pre-activations, distribution, loss, and on demand the first
 * derivatives. F is smooth in the cell of x (fixed signs of u); at u_i = 0 the slope of max(., 0) is taken as 0.
 */
#ifndef SRL_MODEL_POINT_H
#define SRL_MODEL_POINT_H

#include <float.h>
#include <math.h>

#include "base/alloc.h"
#include "model/model.h"
#include "model/outer.h"
#include "model/twins.h"

struct srl_point {
    double *x; /* d */
    double *v; /* A1 x (n): the regulariser sees it without the bias */
    double *u; /* pre-activations v + c1 (n) */
    double *h; /* hidden layer max(u, 0) (n) */
    double *z; /* logits (m) */
    struct srl_outer outer;
    double fit, weights, proximity, loss; /* loss = fit + weights + proximity */
    double merit;                         /* the loss less a constant: what points are compared by (see srl_outer.excess) */

    /* first derivatives, by srl_point_differentiate */
    double *q, *r;         /* gradient and curvature weights of the output loss at the logits (m) */
    double *slope_jumps;   /* A2'q (n): by how much the slope of F along u_i changes at u_i = 0 */
    double *kink_jumps;    /* the same for the kink that a unit shares with its twins (n); slope_jumps itself without any */
    double *gradient;      /* d */
    bool with_mean;        /* the owner wants this, too: */
    bool has_mean;         /* it is there, */
    double *mean_hidden;   /* A2' (f without its largest entry) (n), what the rows of the Jacobian are centred by */
    double gradient_scale; /* norm of the terms that add up to the gradient: its round-off is relative to this */

    /* what holds x, by srl_stationarity_at() */
    unsigned char *held;         /* units held at their kink (n) */
    unsigned char *held_entries; /* entries of x held at a bound (d) */
};

void srl_point_carve(struct srl_arena *arena, struct srl_point *point, const struct srl_model *model);

/* Moves to x (may be point->x itself): v = A1 x and all that follows from it. False when anything is not finite. */
bool srl_point_move(const struct srl_model *model, struct srl_point *point, const double *x);
/* The same with x and v already in place (a line search knows v without another product). */
bool srl_point_evaluate(const struct srl_model *model, struct srl_point *point);
/* Its two halves: u and h from v, and with z in place all that follows. False when anything is not finite. */
bool srl_point_activate(const struct srl_model *model, struct srl_point *point);
bool srl_point_judge(const struct srl_model *model, struct srl_point *point);
/* q, r, slope jumps, gradient. False when anything is not finite. scratch: n doubles. */
bool srl_point_differentiate(const struct srl_model *model, struct srl_point *point, double *scratch);
/* slope_jumps = A2'q, and mean_hidden if it is wanted, for the f and q of the point. */
void srl_point_back(const struct srl_model *model, struct srl_point *point);

/* Both of these for given arrays. */
void srl_two_back(const struct srl_model *model, const struct srl_outer *outer, const double *q, double *slope_jumps,
                  double *mean_hidden);
/* The outputs' part of what follows: q'y and sum r_j (y_j - f'y)^2; y is overwritten. */
void srl_output_derivatives(const struct srl_model *model, const struct srl_outer *outer, const double *q, const double *r,
                            double *y, double *slope, double *curvature);

/* Slope and curvature of F along x + t step at a point whose q is known, in its cell, with the curvature weights r: q'y and
   sum r_j (y_j - f'y)^2, and those of the quadratic terms. rates = A1 step, y the logits' rates, overwritten. */
void srl_line_derivatives(const struct srl_model *model, const struct srl_point *point, const double *r, const double *step,
                          const double *rates, double *y, double *slope, double *curvature);

/* Norm of the terms that the logits are added up from: what their round-off is relative to. */
double srl_logit_scale(const struct srl_model *model, const struct srl_point *point);

/* gradient = A1' (slopes + w^2 v) + rho (x - x_ref): the gradient of F if unit i had the slope slopes_i along u_i. slopes (n)
   is overwritten. */
void srl_gradient_of_slopes(const struct srl_model *model, const struct srl_point *point, double *slopes, double *gradient);

/* Its parts: w_i^2 v_i, and gradient += rho (x - x_ref). */
double srl_smooth_slope(const struct srl_model *model, const struct srl_point *point, int64_t i);
void srl_add_proximity_slopes(const struct srl_model *model, const struct srl_point *point, double *gradient);

/* Whether unit i is at its kink: |u_i| <= kink_tolerance (|a_i||x| + |c1_i|). Rows of zeros have none. */
static inline bool srl_at_kink(const struct srl_model *model, const struct srl_point *point, int64_t i, double x_norm,
                               double kink_tolerance) {
    const double bias = model->c1 != NULL ? fabs(model->c1[i]) : 0.0;
    const double size = fmin(model->row_norms[i] * x_norm + bias, DBL_MAX); /* infinity would make everything a kink */
    return model->row_norms[i] > 0.0 && fabs(point->u[i]) <= kink_tolerance * size;
}

/* back = A2' (the loss's Hessian at the logits, with the curvature weights r) A2 rates (n), output: m of scratch; back may be
   rates. */
void srl_curve_outputs(const struct srl_model *model, const struct srl_outer *outer, const double *r, const double *rates,
                       double *output, double *back);

/* product = (Hessian of F in the cell of the point, with the curvature weights r) times direction, without forming it. hidden:
   2 n of scratch, the first n hold A1 direction afterwards; output: m of scratch; product may be direction. */
void srl_hessian_product(const struct srl_model *model, const struct srl_point *point, const double *r, const double *direction,
                         double *hidden, double *output, double *product);

#endif
