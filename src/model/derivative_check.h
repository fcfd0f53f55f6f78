/*
 * Taylor-remainder test of gradient and Hessian along a segment x + t p, 0 <= t <= 1, halved again and again:
 *
 *     |F(x + tp) - F - t g'p|            must shrink like t^2 when g is the gradient (like t when it is not),
 *     |grad F(x + tp) - g - t Hp|        must shrink like t^2 when H is the Hessian.
 *
 * The order is read off the smallest pair of segments whose remainders still stand clear of round-off. Across a kink F has
 * no Taylor expansion, so a segment that crosses one says nothing.
 */
#ifndef SRL_MODEL_DERIVATIVE_CHECK_H
#define SRL_MODEL_DERIVATIVE_CHECK_H

#include "model/point.h"

struct srl_derivative_check {
    softrelu_derivative_verdict verdict;
    double gradient_order, hessian_order;
    int64_t kink; /* first unit whose sign changes on the segment, or -1 */
};

struct srl_derivative_check_work {
    struct srl_point trial;
    double *direction; /* p (d), set by the caller, any non-zero length */
    double *rates;     /* A1 p (n) */
    double *product;   /* H p (d) */
    double *hidden;    /* 2 n */
    double *output;    /* m */
};

void srl_derivative_check_carve(struct srl_arena *arena, struct srl_derivative_check_work *work, const struct srl_model *model);

/* At a differentiated point. step: length of the segment relative to |x| + 1, or 0 for the longest useful one that crosses no
   kink. */
struct srl_derivative_check srl_check_derivatives(const struct srl_model *model, struct srl_derivative_check_work *work,
                                                  const struct srl_point *point, double step);

#endif
