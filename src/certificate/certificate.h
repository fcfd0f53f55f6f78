/*
 * What a point is: a certified local minimiser, a stationary point, none, or undecided. Everything is computed from the
 * problem's data by code that neither the step nor the solver uses; see docs/kinks.md for the proofs.
 *
 * Units at their kink whose rows are parallel are one kink here, with a width W = sum of their slope jumps in the direction of
 * a unit vector a; crossing it changes the slope of F along a by W. Slopes are given relative to "below": members along a off,
 * members against a on. With g the gradient so defined, F'(x; p) = g'p + sum W max(a'p, 0), and
 *
 *     rest = g + sum lambda a + mu,    0 <= lambda <= W,    mu the multipliers of the bounds
 *
 * is a witness: whatever way lambda was found, |rest| = 0 proves that no direction descends (all W >= 0), and p = -rest with
 * F'(x; p) < 0 proves that one does. The search for lambda may therefore fail, but it cannot lie.
 */
#ifndef SRL_CERTIFICATE_CERTIFICATE_H
#define SRL_CERTIFICATE_CERTIFICATE_H

#include <math.h>

#include "base/message.h"
#include "certificate/curvature.h"
#include "certificate/evaluation.h"
#include "model/convexity.h"

#define SRL_CERTIFICATE_INDEX(name, number, word, type, text) name##_INDEX,
enum { SOFTRELU_CERTIFICATE_LIST(SRL_CERTIFICATE_INDEX) SRL_CERTIFICATE_COUNT };
#undef SRL_CERTIFICATE_INDEX

/* One kink that x is at. */
struct srl_kink {
    int32_t unit;  /* the unit whose row gives the direction a = a_i / |a_i| */
    int32_t next;  /* in the list of its members: links in srl_certificate.next */
    double width;  /* W */
    double lambda; /* of the witness */
    bool above;    /* a ridge, taken with its slopes above the kink */
};

struct softrelu_certificate {
    const struct srl_model *model;
    softrelu_verdict verdict;
    softrelu_reason reason;
    softrelu_distance distance;
    double quantities[SRL_CERTIFICATE_COUNT];
    bool examined, has_direction;
    double *lambda;       /* of each unit (n) */
    double *mu;           /* of each bound (d) */
    double *direction;    /* d */
    signed char *at_kink; /* n */
    signed char *bound;   /* d */

    struct srl_evaluation at;
    struct srl_curvature_work curvature;
    struct srl_convexity_work convexity;
    struct srl_kink *kinks; /* n */
    int64_t kink_count;
    int32_t *next;           /* members of a kink: the next one, -1 at the end (n) */
    unsigned char *mirrored; /* members whose row points against a (n) */
    double *slopes;          /* n */
    double *gradient, *rest; /* g and the witness's rest (d) */
    double *y, *best;        /* multipliers tried and the best ones, by kink (n) */
    double *row, *other;     /* d */
    double *solution;        /* of least squares: right-hand side, then multipliers (the larger of n and d) */
    unsigned char *free;     /* kinks whose multiplier may move (n) */
    unsigned char *on;       /* units in the cell of the Hessian (n) */

    struct srl_allocator allocator; /* of a handle that stands alone */
    struct srl_arena arena;
    struct srl_message message;
};

void srl_certificate_carve(struct srl_arena *arena, struct softrelu_certificate *certificate, const struct srl_model *model);
/* In two parts: what is of the size of matrices, which nothing outlives an examination in but convexity.factored, and all that
   is of the size of vectors, the results among it. */
void srl_certificate_matrices_carve(struct srl_arena *arena, struct softrelu_certificate *certificate,
                                    const struct srl_model *model);
void srl_certificate_vectors_carve(struct srl_arena *arena, struct softrelu_certificate *certificate,
                                   const struct srl_model *model);
/* Whether F and its first derivatives were finite at the point examined: then residual and multipliers are known. */
static inline bool srl_certificate_is_finite(const struct softrelu_certificate *certificate) {
    return !isnan(certificate->quantities[SOFTRELU_CERTIFICATE_LOSS_INDEX]);
}
/* No point examined. */
void srl_certificate_clear(struct softrelu_certificate *certificate);
/* Examines x, which is within the bounds. False when LAPACK refuses or the solve is interrupted; then the certificate says that
   nothing was examined. */
bool srl_certificate_examine(struct softrelu_certificate *certificate, const double *x, double kink_tolerance,
                             double tolerance);

#endif
