#include "model/derivative_check.h"

#include <float.h>
#include <math.h>

enum { HALVINGS = 24 };
static const double LONGEST_STEP = 1e-2, LEAST_ORDER = 1.7, SETTLED = 0.15;

void srl_derivative_check_carve(struct srl_arena *arena, struct srl_derivative_check_work *work,
                                const struct srl_model *model) {
    srl_point_carve(arena, &work->trial, model);
    work->direction = srl_arena_doubles(arena, model->d);
    work->rates = srl_arena_doubles(arena, model->n);
    work->product = srl_arena_doubles(arena, model->d);
    work->hidden = srl_arena_doubles(arena, 2 * model->n);
    work->output = srl_arena_doubles(arena, model->room);
}

/* The first t > 0 at which a unit leaves its side of u_i = 0 (a unit at 0 leaves at once when it goes up), and that unit. */
static double first_crossing(const struct srl_model *model, const struct srl_point *point, const double *rates, int64_t *kink) {
    double first = INFINITY;
    *kink = -1;
    for (int64_t i = 0; i < model->n; i++) {
        bool leaves = point->u[i] > 0.0 ? rates[i] < 0.0 : rates[i] > 0.0;
        double t = leaves ? -point->u[i] / rates[i] : INFINITY;
        if (t < first) {
            first = t;
            *kink = i;
        }
    }
    return first;
}

/* One derivative's remainders over the halvings. */
struct remainders {
    double size[HALVINGS];
    double noise;       /* what round-off alone may leave */
    double first_order; /* size of the first-order term over the whole segment */
};

/* The order at which the remainders shrink, at the two smallest segments where they stand clear of the noise; NaN where there
   are none. */
static void last_orders(const struct remainders *remainders, double *last, double *before) {
    *last = *before = NAN;
    for (int k = 0; k + 1 < HALVINGS && remainders->size[k + 1] > 100.0 * remainders->noise; k++) {
        *before = *last;
        *last = log2(remainders->size[k] / remainders->size[k + 1]);
    }
}

static softrelu_derivative_verdict judge(const struct remainders *remainders, double *order) {
    double before;
    last_orders(remainders, order, &before);
    if (isnan(*order)) /* the remainder drowned at once: agreement only if the first-order term itself was well visible */
        return remainders->first_order > 1e4 * remainders->noise ? SOFTRELU_DERIVATIVES_AGREE : SOFTRELU_DERIVATIVES_ROUNDOFF;
    if (*order >= LEAST_ORDER)
        return SOFTRELU_DERIVATIVES_AGREE;
    /* a wrong derivative's order has settled; one that still moves is where terms of two orders cancel */
    const bool settled = before < LEAST_ORDER && fabs(*order - before) < SETTLED;
    return settled ? SOFTRELU_DERIVATIVES_DISAGREE : SOFTRELU_DERIVATIVES_ROUNDOFF;
}

static bool measure(const struct srl_model *model, struct srl_derivative_check_work *work, const struct srl_point *point,
                    struct remainders *value, struct remainders *gradient) {
    const int64_t d = model->d;
    const double slope = srl_dot(d, point->gradient, work->direction);
    value->first_order = fabs(slope);
    gradient->first_order = srl_norm(d, work->product);
    double size =
        fabs(point->fit) + point->weights + point->proximity + srl_norm(d, point->gradient) * srl_norm(d, work->direction);
    value->noise = 32.0 * DBL_EPSILON * (size + (double)model->outputs * DBL_MIN);
    gradient->noise = 32.0 * DBL_EPSILON * (point->gradient_scale + gradient->first_order);
    double t = 1.0;
    for (int k = 0; k < HALVINGS; k++, t *= 0.5) {
        for (int64_t i = 0; i < d; i++)
            work->trial.x[i] = point->x[i] + t * work->direction[i];
        if (!srl_point_move(model, &work->trial, work->trial.x) || !srl_point_differentiate(model, &work->trial, work->hidden))
            return false;
        value->size[k] = fabs((work->trial.loss - point->loss) - t * slope);
        srl_axpy(d, -1.0, point->gradient, work->trial.gradient);
        srl_axpy(d, -t, work->product, work->trial.gradient);
        gradient->size[k] = srl_norm(d, work->trial.gradient);
    }
    return true;
}

struct srl_derivative_check srl_check_derivatives(const struct srl_model *model, struct srl_derivative_check_work *work,
                                                  const struct srl_point *point, double step) {
    struct srl_derivative_check check = {SOFTRELU_DERIVATIVES_ROUNDOFF, NAN, NAN, -1};
    const double reach = (step > 0.0 ? step : LONGEST_STEP) * (srl_norm(model->d, point->x) + 1.0);
    srl_divide(model->d, srl_norm(model->d, work->direction), work->direction);
    srl_scale(model->d, reach, work->direction);
    srl_gemv(SRL_PLAIN, 1.0, &model->A1, work->direction, 0.0, work->rates);

    int64_t kink = -1;
    const double crossing = first_crossing(model, point, work->rates, &kink);
    if (crossing <= (step > 0.0 ? 1.0 : 1e-6)) { /* nothing to see, or no room to see anything */
        check.verdict = SOFTRELU_DERIVATIVES_KINK;
        check.kink = kink;
        return check;
    }
    if (crossing <= 2.0 && step <= 0.0)
        srl_scale(model->d, 0.5 * crossing, work->direction);
    srl_hessian_product(model, point, point->r, work->direction, work->hidden, work->output, work->product);

    struct remainders value, gradient;
    if (!measure(model, work, point, &value, &gradient))
        return check;
    softrelu_derivative_verdict of_gradient = judge(&value, &check.gradient_order);
    softrelu_derivative_verdict of_hessian = judge(&gradient, &check.hessian_order);
    check.verdict = of_gradient > of_hessian ? of_gradient : of_hessian;
    if (of_gradient == SOFTRELU_DERIVATIVES_DISAGREE || of_hessian == SOFTRELU_DERIVATIVES_DISAGREE)
        check.verdict = SOFTRELU_DERIVATIVES_DISAGREE;
    return check;
}
