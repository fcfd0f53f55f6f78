/*
 * The sampled Hessian: the paper's A' D~ A, D~ a sparse diagonal.
 *
 *     H~ = R + sum over j of (delta_j / p_j) r_j C_j' C_j,      delta_j = 1 with probability p_j, independently, else 0
 *
 * has the mean H. Let M be positive definite, tau_j = |r_j| C_j M^-1 C_j' the leverage scores in its metric, |H| = R + C'|r|C
 * and kappa the largest eigenvalue of M^-1 |H|. With
 *
 *     p_j = min(1, alpha tau_j),     alpha = 2 (kappa + epsilon / 3) log(2 d / failure) / epsilon^2,
 *
 * -epsilon M <= H~ - H <= epsilon M holds with probability >= 1 - failure: in the metric of M the summands are at most 1/alpha
 * long and their variances add up to at most kappa / alpha, so the matrix Bernstein inequality (Tropp, "User-friendly tail
 * bounds for sums of random matrices", 2012) gives it. M = H where H is positive definite: then it says (1 - epsilon) H <= H~
 * <= (1 + epsilon) H, and kappa = 1 where no r_j is negative. Elsewhere M = |H|, kappa = 1.
 *
 * Neither the scores nor M are known, and computing them would cost more than H. M is taken from an earlier sample, L L' = M,
 * and tau_j = |r_j| |C_j L'^-1|^2 is estimated from a thin Gaussian sketch, |C_j L'^-1 Omega|^2 / columns with Omega d x
 * columns: one product of A2 with n x columns numbers. The first M comes from a pilot, whose rows are drawn by |r_j| and
 * uniformly. A row that the pilot has missed and whose direction no other row shares has a large score in the pilot's metric,
 * and is found; one whose direction the pilot hit by luck and weighs too much gets a score that is too small, but alpha times
 * the chance it had. So scores are made twice from scratch, and from then on the last sample serves.
 *
 * Every random number is a function of the seed, the number of the draw and the row: the same sample for any number of threads.
 */
#ifndef SRL_STEP_SAMPLING_H
#define SRL_STEP_SAMPLING_H

#include "model/hessian.h"

struct srl_sample_plan {
    double epsilon;     /* in (0, 1); not looked at when rows > 0 */
    double rows;        /* > 0: expected rows */
    double enlargement; /* >= 1: times as many rows as that */
    bool fill;          /* not below the rows that cost as much as one product with A2: they are nearly free, and save steps */
    bool rough;         /* for a fit, not for F: one pilot, and scores once made will do */
    uint64_t seed, draw;
};

struct srl_sampler {
    int32_t *rows;     /* the sample (m) */
    int64_t count;     /* its size; of this rank's rows, as above and below */
    int64_t total;     /* of all ranks' */
    bool negative_any; /* some weight of it is negative */
    double *weights;   /* r_j / p_j of the sample (m) */
    double *lengths;   /* estimates of C_j M^-1 C_j' (m) */
    double *metric;    /* L (d x d) */
    double *negative;  /* part of H~ that negative r_j make (d x d) */
    double kappa;
    double generosity;      /* rows drawn over those that epsilon asks for, at least 1 */
    bool has_metric;        /* of an earlier sample */
    bool refused;           /* LAPACK did not take an argument: no fault of the sample's */
    bool has_lengths;       /* good for as long as pattern and weights stay near these, where they were measured: */
    unsigned char *pattern; /* n */
    double *r;              /* m */
    double *directions;     /* L'^-1 Omega (d x columns, row-major) */
    double *hidden;         /* A1 times that, active units only (n x columns, row-major) */
    double *sketch;         /* A2 times that, a block of rows at a time */
    double *vector, *image; /* of the power method (d) */
};

void srl_sampler_carve(struct srl_arena *arena, struct srl_sampler *sampler, const struct srl_model *model);
/* Forgets the metric: the next sample depends on nothing but its plan. */
void srl_sampler_reset(struct srl_sampler *sampler);

/* H~ at a differentiated point, with the curvature weights r, into the lower triangle of hessian. Rows that took part:
   sampler->count. The work must keep no Jacobian. False when LAPACK refuses or anything is not finite. */
bool srl_sample_hessian(const struct srl_model *model, struct srl_hessian_work *work, struct srl_sampler *sampler,
                        const struct srl_point *point, const double *r, const struct srl_sample_plan *plan, double *hessian);

/* What it takes of the outputs, each on all ranks. lengths_j from sampler->hidden: */
void srl_sample_measure(const struct srl_model *model, const struct srl_hessian_work *work, struct srl_sampler *sampler,
                        const struct srl_outer *outer);
/* those of the pilot: nothing is known of the rows, and half of the chances go by |r_j|, half are equal; */
void srl_sample_measure_nothing(const struct srl_model *model, struct srl_sampler *sampler, const double *r);
/* sum |r_j - before_j|, and sum |r_j|; */
void srl_sample_change(const struct srl_model *model, const double *r, const double *before, double *change, double *sum);
/* how many rows alpha makes certain, and the sum of the others' scores; */
void srl_sample_round(const struct srl_model *model, const struct srl_hessian_work *work, const struct srl_sampler *sampler,
                      const double *r, double alpha, double *certain, double *sum);
/* the draw. */
void srl_sample_draw(const struct srl_model *model, const struct srl_hessian_work *work, struct srl_sampler *sampler,
                     const double *r, double alpha, uint64_t seed, uint64_t stream);

#endif
