#include "step/line_search.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { EVALUATIONS = 60, FINE_EVALUATIONS = 12 }; /* at most, and as long as only the slope leaves something to be wished for */
static const double ARMIJO = 1e-4;
static const double SLOPE_LEFT = 0.1; /* of the first slope: that flat is near enough to the minimum */
static const double AGREEMENT = 0.1;  /* of the promise: a model that good needs no search */
static const double LONGEST = 16.0;   /* times the step */
static const double NARROW = 1e-3;    /* a bracket relative to its end: no point in searching on */
static const double SAFEGUARD = 0.05; /* part of a bracket that Newton's t keeps from its ends */
static const double FINE = 1e3;       /* times round-off: a promise so small is judged by logits that are computed anew */
static const double TO_ORIGIN = 1e-9;
static const double AT_FOOT = 1e-3; /* the same at the near end, where the first kink may be very near */

void srl_line_search_carve(struct srl_arena *arena, struct srl_line_search *search, const struct srl_model *model) {
    search->best.x = srl_arena_doubles(arena, model->d);
    search->best.v = srl_arena_doubles(arena, model->n);
    srl_line_carve(arena, &search->line, model);
    search->rates = srl_arena_doubles(arena, model->room);
}

/* What round-off alone may change F by: that of its parts, and that of the logits carried through the loss's slope q. */
static double round_off(const struct srl_model *model, const struct srl_point *point) {
    return 64.0 * DBL_EPSILON *
           (fabs(point->merit) + srl_norm_of_outputs(model, point->q) * (1.0 + srl_logit_scale(model, point)));
}

double srl_farthest(const struct srl_model *model, const struct srl_point *point, const double *step) {
    double t = LONGEST;
    for (int64_t k = 0; k < model->d && srl_has_bounds(model); k++) {
        const double bound = step[k] > 0.0 ? srl_upper(model, k) : srl_lower(model, k);
        if (step[k] != 0.0)
            t = fmin(t, fmax(0.0, (bound - point->x[k]) / step[k]));
    }
    return t;
}

/* x = point + t step keeps the bounds but for round-off: that is taken away here, and a whole step to a bound ends on it. */
static void keep_bounds(const struct srl_model *model, const struct srl_point *point, const double *step, double t, double *x) {
    for (int64_t k = 0; k < model->d; k++) {
        const double lower = srl_lower(model, k), upper = srl_upper(model, k);
        if (x[k] < lower || (t == 1.0 && step[k] == lower - point->x[k]))
            x[k] = lower;
        if (x[k] > upper || (t == 1.0 && step[k] == upper - point->x[k]))
            x[k] = upper;
    }
}

static bool origin_is_allowed(const struct srl_model *model) {
    bool allowed = true;
    for (int64_t k = 0; k < model->d && srl_has_bounds(model); k++)
        allowed = allowed && srl_lower(model, k) <= 0.0 && srl_upper(model, k) >= 0.0;
    return allowed;
}

/* sum = from + t step. What cancels to round-off is 0. */
static void add(int64_t length, const double *from, double t, const double *step, double *sum) {
    for (int64_t k = 0; k < length; k++) {
        sum[k] = from[k] + t * step[k];
        if (fabs(sum[k]) <= 4.0 * DBL_EPSILON * fabs(from[k]))
            sum[k] = 0.0;
    }
}

/* A step that, next to where the solve has been (reach), all but reaches the origin ends there: without biases all kinks meet
   in it, and a point next to it, however near, is a different one on every scale. */
static bool evaluate(const struct srl_model *model, const struct srl_point *point, const double *step, const double *rates,
                     double t, double reach, struct srl_line *line, struct srl_point *trial) {
    add(model->d, point->x, t, step, trial->x);
    add(model->n, point->v, t, rates, trial->v);
    const bool origin = srl_norm(model->d, trial->x) <= TO_ORIGIN * reach && origin_is_allowed(model);
    if (origin) {
        memset(trial->x, 0, (size_t)model->d * sizeof *trial->x);
        memset(trial->v, 0, (size_t)model->n * sizeof *trial->v);
    } else if (srl_has_bounds(model)) {
        keep_bounds(model, point, step, t, trial->x);
    }
    const bool finite = srl_point_activate(model, trial);
    if (origin || !finite)
        srl_line_leave(model, line, trial);
    else
        srl_line_move(model, line, trial, rates, t);
    const bool judged = srl_point_judge(model, trial);
    line->last.known = line->last.known && judged;
    return judged && finite;
}

/* The minimum is between the two; to = INFINITY while no end is known. */
struct bracket {
    double from, to;
};

/* The next t after one that lies before the minimum (the bracket's new near end) or beyond it (its new far end). */
static double next(const struct bracket *bracket, double t, double slope, double curvature, bool beyond) {
    const double newton = curvature > 0.0 ? t - slope / curvature : NAN;
    if (isinf(bracket->to))
        return fmin(fmax(newton, 1.5 * t), 4.0 * t);
    const double width = bracket->to - bracket->from, near = beyond ? AT_FOOT : SAFEGUARD;
    return newton > bracket->from + near * width && newton < bracket->to - SAFEGUARD * width ? newton
                                                                                             : bracket->from + 0.5 * width;
}

static void keep_best(const struct srl_model *model, struct srl_line_search *search, const struct srl_point *trial, double t) {
    search->best_t = t;
    search->best_merit = trial->merit;
    memcpy(search->best.x, trial->x, (size_t)model->d * sizeof *trial->x);
    memcpy(search->best.v, trial->v, (size_t)model->n * sizeof *trial->v);
}

/* Back to the lowest point seen. */
static enum srl_search settle(const struct srl_model *model, const struct srl_line_search *search, struct srl_budget *budget,
                              struct srl_point *trial, double *scale) {
    if (search->best_t == 0.0)
        return SRL_SEARCH_FAILED;
    if (*scale != search->best_t) {
        *scale = search->best_t;
        memcpy(trial->x, search->best.x, (size_t)model->d * sizeof *trial->x);
        memcpy(trial->v, search->best.v, (size_t)model->n * sizeof *trial->v);
        budget->evaluations++;
        srl_point_evaluate(model, trial);
    }
    return SRL_SEARCH_DECREASED;
}

enum srl_search srl_line_search(const struct srl_model *model, const struct srl_point *point, const double *step,
                                const double *rates, double promise, struct srl_budget *budget, struct srl_line_search *search,
                                struct srl_point *trial, double *scale) {
    const double noise = round_off(model, point), end = fmax(1.0, srl_farthest(model, point, step));
    struct bracket bracket = {0.0, INFINITY};
    double t = 1.0;
    search->best_t = 0.0;
    srl_line_begin(model, &search->line, point, -promise <= FINE * noise);
    search->reach = fmax(search->reach, srl_norm(model->d, point->x));
    for (int count = 1; count <= EVALUATIONS; count++) {
        if (!srl_budget_has(budget, search->best_t > 0.0 ? 2 : 1)) /* going back to the lowest point takes one */
            return search->best_t > 0.0 ? settle(model, search, budget, trial, scale) : SRL_SEARCH_EXHAUSTED;
        budget->evaluations++;
        *scale = t;
        const bool finite = evaluate(model, point, step, rates, t, search->reach, &search->line, trial);
        const double change = trial->merit - point->merit;
        const bool falls = finite && change <= ARMIJO * t * promise && change < 0.0;
        if (finite && -promise <= noise && fabs(change) <= noise)
            return SRL_SEARCH_LEVEL; /* also if F falls: by chance, and a search would follow the noise */
        if (falls && t == 1.0 && fabs(change - promise) <= -AGREEMENT * promise)
            return SRL_SEARCH_AGREED;
        double slope = INFINITY, curvature = NAN;
        if (finite) {
            srl_outer_derivatives(model, &trial->outer, trial->q, trial->r);
            srl_line_rates(model, &search->line, rates, search->rates);
            srl_line_derivatives(model, trial, trial->r, step, rates, search->rates, &slope, &curvature);
        }
        if (falls && (search->best_t == 0.0 || trial->merit < search->best_merit))
            keep_best(model, search, trial, t);
        const bool beyond = !falls || slope > 0.0;
        *(beyond ? &bracket.to : &bracket.from) = t;
        const bool enough = (falls && fabs(slope) <= -2.0 * SLOPE_LEFT * promise) || count >= FINE_EVALUATIONS ||
                            bracket.to - bracket.from < NARROW * bracket.to || (!beyond && t >= end);
        if (enough && search->best_t > 0.0)
            return settle(model, search, budget, trial, scale);
        t = fmin(next(&bracket, t, finite ? slope : NAN, curvature, beyond), end);
    }
    return settle(model, search, budget, trial, scale);
}
