/*
 * How far a point is from being stationary, kinks taken into account.
 *
 * F has a kink where u_i = 0: crossing it upwards changes the gradient by q_i a_i, with q = A2' (loss gradient at the logits)
 * and a_i row i of A1. Let K be the units at their kink with q_i > 0 (V-shaped valleys) and g the gradient with their slopes
 * set to 0. To first order a move p changes F by g'p + sum_K q_i max(a_i'p, 0), so by duality no direction descends exactly
 * when g + sum_K lambda_i a_i = 0 for some 0 <= lambda_i <= q_i, and the steepest descent has the slope
 *
 *     residual = min over 0 <= lambda <= q of |g + sum_K lambda_i a_i|,
 *
 * a least-squares problem with bounds. Where x_k is at a bound, the part of the k-th component that pushes against it counts
 * for nothing: a multiplier mu_k of the bound's own sign cancels it. model/multipliers.h solves it on unit rows a_i / |a_i|.
 *
 * A bound's multiplier is one more, along a unit vector; where that makes too many for the quick method, it works on the
 * components left over by those that bounds' multipliers cancel, and goes round until that set settles.
 *
 * A unit at its kink with q_i < 0 sits on a ridge: F falls from it along some direction, so the point is no minimiser. A
 * ridge's term min(q_i a_i'p, 0) is the lower of two slopes, so with either slope in its place the residual is a lower bound of
 * the steepest descent; the one reported takes the sides that the gradient pulls to when that is the larger bound.
 */
#ifndef SRL_MODEL_STATIONARITY_H
#define SRL_MODEL_STATIONARITY_H

#include "base/alloc.h"
#include "model/point.h"

struct srl_stationarity {
    double residual;
    double relative; /* residual over the gradient's scale */
    int64_t pinned;  /* units in K, twins included */
    int64_t concave; /* units on ridges, likewise */
    int64_t active_bounds;
    double ridge; /* the largest fall of the slope at a ridge: how far from stationary it may be beyond the residual */
};

struct srl_stationarity_work {
    int32_t *kinks;          /* units of K, then if need be bounds that x is at, that of x_k as -1 - k (n, with bounds n + d) */
    unsigned char *at;       /* where each multiplier is: at 0, free, or at its upper bound */
    double *value;           /* multipliers times |a_i| */
    double *upper;           /* q_i |a_i| */
    double *slopes;          /* n */
    double *other, *rates;   /* n of scratch each */
    double *base;            /* g (d) */
    double *rest;            /* g + sum lambda_i a_i (d) */
    signed char *bound;      /* of each x_k: -1 at its lower bound, 1 at its upper one, 2 at both, else 0 (d) */
    unsigned char *absorbed; /* components of rest that a bound's multiplier cancels (d) */
    /* of model/multipliers.c */
    double *rows;       /* unit rows of kinks and bounds, row-major, without absorbed components; in the place of columns */
    double *gram;       /* their products with each other */
    double *factor;     /* Cholesky factor of the part for the free multipliers */
    double *row_slopes; /* rows rest */
    double *row;        /* one of them (d) */
    double *columns;    /* those of the free multipliers (d x capacity) */
    double *trial;      /* right-hand side and solution for the free multipliers */
    int32_t *pivots;
    double *work;
    int64_t capacity; /* free multipliers at most */
};

/* slopes (n): one for each unit along u_i. Replaces those of units on a ridge by the slope of the side that -gradient, taken
   with every ridge's upper slope, points to: a direction of descent for the ridges and the smooth part together. Returns how
   many ridges there are; with none, nothing changes. other, rates: n, pull: d doubles of scratch. */
int64_t srl_leave_ridges(const struct srl_model *model, const struct srl_point *point, double kink_tolerance, double *slopes,
                         double *other, double *rates, double *pull);

void srl_stationarity_carve(struct srl_arena *arena, struct srl_stationarity_work *work, const struct srl_model *model);

/* At a differentiated point. A unit is at its kink when |u_i| <= kink_tolerance (|a_i||x| + |c1_i|). The residual is never
   below the true least norm: it is that of multipliers within their intervals, whatever they are; of those found so far when
   interrupted. What they say holds x, the
   units whose multiplier came out strictly inside and the entries whose bound's is needed, is noted in the point. */
struct srl_stationarity srl_stationarity_at(const struct srl_model *model, struct srl_stationarity_work *work,
                                            struct srl_point *point, double kink_tolerance);

#endif
