/*
 * The output losses. Every loss enters the derivatives of F only through three things at the logits: its value, its gradient
 * q and its curvature weights r, because softmax is blind to a constant added to all logits:
 *
 *     dloss[v] = q'v        d2loss[v, v] = sum_j r_j (v_j - f'v)^2
 *
 *     squares, 1/2 |f - b|^2:      c = f - b,  t_j = c_j - f'c,   q = f t,         r = f (f + t)
 *     kl, -sum_j b_j log f_j:      beta = sum_j b_j,              q = beta f - b,  r = beta f
 *
 * The cross-entropy is least, over all distributions f, for f = b / beta. With x_j = (beta f_j - b_j) / b_j it exceeds that by
 *
 *     sum_j b_j (x_j - log(1 + x_j)),       since sum_j b_j x_j = 0,
 *
 * a sum of terms b_j x_j^2 / 2 where f is close, free of the cancellation in which log f_j would lose them.
 *
 * When one f_k is close to 1 the textbook formulas cancel to nothing: c_k - f'c is 0 or round-off. So everything is written
 * relative to the largest entry k with S = 1 - f_k summed from the others: c_k = (1 - b_k) - S,
 * t_k = c_k S - sum_{j != k} f_j c_j, t_i = (c_i - c_k) + t_k. Every product then has a small factor that is known to full
 * relative precision.
 */
#ifndef SRL_MODEL_OUTER_H
#define SRL_MODEL_OUTER_H

#include <softrelu/softrelu.h>

#include "model/model.h"

struct srl_outer {
    double *f;     /* output distribution (m) */
    int64_t top;   /* index k of the largest entry, among the outputs of all ranks */
    double rest;   /* S = 1 - f_k, to full relative precision */
    double excess; /* the loss above its least value over all distributions, where that is known: near it, differences of the
                      excess are meaningful that the loss itself rounds away */
    double top_f, top_b; /* f_k and b_k, whichever rank has them */
    double other_b;      /* sum of the other entries of b */
    double largest_b;    /* max |b_j| */
};

/* f = softmax(z) with all that is known of it, and the loss's value. NaN or infinite logits give NaN. */
double srl_outer_value(const struct srl_model *model, const double *z, struct srl_outer *outer);
/* q and r (m each); returns the norm of the terms whose differences make up q, which is what its round-off is relative to; NaN
   where r is not finite. */
double srl_outer_derivatives(const struct srl_model *model, const struct srl_outer *outer, double *q, double *r);

/* v_j - f'v for all j, in place: first relative to v_k, so that nothing cancels. Of this rank's outputs, all ranks calling. */
void srl_centre_own(const struct srl_model *model, const struct srl_outer *outer, double *v);
/* outer->top from the largest entry of each rank's outputs, own its index there (-1 of none): of several, the first. Returns
   that entry. */
double srl_find_top_of(const struct srl_model *model, int64_t own, double largest, struct srl_outer *outer);
/* The entry k of an array of outputs, on all ranks. */
double srl_top_entry(const struct srl_model *model, const struct srl_outer *outer, const double *v);

/* The numbers of an outer by which other ranks are told of it, and back. */
enum { SRL_OUTER_NUMBERS = 5 };
#define SRL_OUTER_IN_NUMBERS(outer)                                                                                            \
    { (outer)->rest, (outer)->top_f, (outer)->top_b, (outer)->other_b, (outer)->largest_b }
static inline struct srl_outer srl_outer_of(const struct srl_call *call, double *f, int64_t top) {
    const double *numbers = call->numbers;
    return (struct srl_outer){f, top, numbers[0], 0.0, numbers[1], numbers[2], numbers[3], numbers[4]};
}

#endif
