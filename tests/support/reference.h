/*
 * The objective and its derivatives from the formulas, in long double, by plain loops: slow, and independent of the library.
 *
 * Beside each result stands the scale of the terms that make it, from which tests derive what round-off may do. With
 * eps = DBL_EPSILON, the logits are off by at most (n + d + 4) eps logit_scale, f by that relatively, and every sum of up to
 * n + m + d terms by that many eps times the sum of magnitudes: reference_round_off() is a bound on all of them together,
 * to be multiplied by the scale of the result.
 */
#ifndef SOFTRELU_TESTS_REFERENCE_H
#define SOFTRELU_TESTS_REFERENCE_H

#include "support/instance.h"

struct reference {
    int64_t n, d, m;
    long double loss, fit, weights, proximity;
    long double *u, *f; /* n, m */
    long double *jumps; /* n: A2' dloss/dz */
    long double *gradient;
    long double *hessian;  /* d x d */
    long double *jacobian; /* m x d: of the logits, not centred */
    long double *jump_scales;
    long double u_scale, logit_scale, loss_scale, gradient_scale, hessian_scale;
    long double regular_scale; /* the part of loss_scale that w and rho make */
    long double output_scale;  /* length of the terms of dloss/dz */
    long double margin;        /* least |u_i| relative to the terms that make it: how far from a kink */
};

/* order: 0 the loss, 1 the gradient too, 2 the Hessian too. */
struct reference reference_at(const struct instance *instance, const long double *x, int order);
void reference_free(struct reference *reference);

/* What multipliers, whoever found them, prove of the first derivatives at x. */
struct reference_residual {
    long double residual; /* |g + sum lambda_i a_i + mu|, lambda and mu moved into their intervals where they were outside */
    long double scale;    /* length of the terms that the gradient is added up from */
    int64_t strays;       /* kinks that are none: |u_i| > kink_tolerance (|a_i||x| + |c1_i|) + round-off */
    int64_t ridges;       /* directions in which F has a concave kink: there one side was looked at, and nothing is proved */
};
/* at: of x, order 1 or more. kinks (n) tells which units are at their kink, the others are on or off as u says; lambda (n) and
   mu (d) are as softrelu_certificate_multipliers() has them.
   Units with parallel rows share one kink, and a unit whose u is no more than round-off is at its kink; u_noise: of numbers
   below the normal range. */
struct reference_residual reference_residual(const struct instance *instance, const struct reference *at, const long double *x,
                                             const signed char *kinks, const double *lambda, const double *mu,
                                             long double kink_tolerance, long double u_noise);
/* What F in double may be off by near its minimum, order 0 is enough. For squares the fit is 1/2 |f - b|^2, off by |f - b|
   times the error of f, which is much less than round-off times loss_scale where f is close to b. */
long double reference_loss_noise(const struct reference *reference, softrelu_loss loss);
/* The precision that long double really has: LDBL_EPSILON, but DBL_EPSILON under valgrind, which computes in double. */
long double reference_epsilon(void);
/* 4 (n + m + d + 8) epsilon (1 + logit_scale) */
long double reference_round_off(const struct reference *reference, long double epsilon);

#endif
