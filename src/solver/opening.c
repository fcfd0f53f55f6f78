#include "solver/opening.h"

#include <math.h>

#include "solver/iteration.h"

static const double SHARE = 0.8; /* what an iteration has to multiply F by, at most, for another one to be worth it */
enum { RUNGS = 8 };
static const double LEAST_SHIFT = 1e-8;   /* relative to the largest diagonal entry */
enum { FEWEST = 12, MOST = 40, LEG = 4 }; /* gradients in an iteration, and between looks at how they do */
enum { MAPPED = 12 };                     /* times the price, with a mapped A2 */
enum { TRIALS = 8 };                      /* in a line search */
enum { AFTER = 3 }; /* evaluations that may follow: of its best point, of F as it is there, of where the iteration began */
static const double ARMIJO = 1e-4, WOLFE = 0.9;
static const double SHORTEST = 0.1, LONGEST = 4.0; /* next trials relative to the last one */

void srl_opening_carve(struct srl_arena *arena, struct srl_opening *opening, const struct srl_model *model) {
    srl_lbfgs_carve(arena, &opening->lbfgs, model->d);
    opening->direction = srl_arena_doubles(arena, model->d);
}

void srl_opening_begin(struct srl_solver *solver, bool opens) {
    struct srl_opening *opening = &solver->opening;
    const bool fitted = solver->from == NULL; /* by the warm start, for as long as that paid */
    opening->stage = !opens ? SRL_OPENED : fitted ? SRL_OPENING_GRADIENTS : SRL_OPENING_FITS;
    srl_lbfgs_reset(&opening->lbfgs);
    solver->matrix.work.light.ready = false; /* a solve depends on its data alone */
}

/* How many gradients cost what a Newton matrix does: m n d flops for the Jacobian with half of the units on, m d^2 and d^3 / 3
   for the rest, against 4 n (d + m) in products with vectors. Those wait for memory, but are done on a quarter of it; with a
   mapped A2 on all of it, at the rate at which pages come, and where that leaves too few for a start there are none. */
static int64_t gradients_in_one(const struct srl_model *model) {
    const double n = (double)model->n, d = (double)model->d, m = (double)model->outputs;
    const double matrix = (srl_has_output_layer(model) ? m * n * d : 0.0) + m * d * d + d * d * d / 3.0;
    const double gradients = matrix / (4.0 * n * (d + m));
    if (model->A2.mapped)
        return gradients < MAPPED * FEWEST ? 0 : (int64_t)fmin(gradients / MAPPED, MOST);
    return (int64_t)fmin(fmax(gradients, FEWEST), MOST);
}

/* direction without the components that push out of the bounds; its slope. */
static double restrict_to_bounds(const struct srl_model *model, const struct srl_point *point, double *direction) {
    for (int64_t k = 0; k < model->d && srl_has_bounds(model); k++) {
        const int bound = srl_bound_at(model, point->x, k);
        if (bound == 2 || bound * direction[k] > 0.0)
            direction[k] = 0.0;
    }
    return srl_dot(model->d, point->gradient, direction);
}

/* Without pairs the gradient's length says nothing of that of a step: one of a tenth of |x| + 1 is tried first. */
static void scale_first(const struct srl_point *point, int64_t d, double *direction, double *slope) {
    const double t = 0.1 * (1.0 + srl_norm(d, point->x)) / srl_norm(d, direction);
    srl_scale(d, t, direction);
    *slope *= t;
}

/* F and its slope at x + t direction into trial. False when F is not finite. */
static bool try_at(struct srl_solver *solver, double t, double *slope) {
    const struct srl_model *model = solver->model;
    const double *direction = solver->opening.direction, *rates = solver->path.rates;
    struct srl_point *trial = &solver->trial;
    solver->budget.evaluations++;
    for (int64_t k = 0; k < model->d; k++)
        trial->x[k] = solver->current.x[k] + t * direction[k];
    for (int64_t i = 0; i < model->n; i++)
        trial->v[i] = solver->current.v[i] + t * rates[i];
    srl_project_on_bounds(model, trial->x);
    if (!srl_light_evaluate(model, &solver->matrix.work.light, trial) ||
        !srl_light_differentiate(model, &solver->matrix.work.light, trial, solver->scratch))
        return false;
    *slope = srl_dot(model->d, trial->gradient, direction);
    return true;
}

/* A point where F has fallen and its slope risen (weak Wolfe conditions), by bracketing, which is right for functions with
   kinks too (Lewis and Overton, "Nonsmooth optimization via quasi-Newton methods", Math. Program. 141, 2013); or the last one
   where F had fallen. */
static bool search(struct srl_solver *solver, double slope, double *scale) {
    const struct srl_point *current = &solver->current, *trial = &solver->trial;
    const double end = srl_has_bounds(solver->model) ? 1.0 : INFINITY;
    double low = 0.0, high = INFINITY, t = 1.0;
    for (int count = 0; count < TRIALS && srl_budget_has(&solver->budget, 1 + AFTER); count++) {
        double there = NAN;
        const bool finite = try_at(solver, t, &there);
        const double change = finite ? trial->merit - current->merit : INFINITY;
        *scale = t;
        if (change <= ARMIJO * t * slope && (there >= WOLFE * slope || t >= end))
            return true;
        if (change <= ARMIJO * t * slope) {
            low = t;
            const double secant = t * slope / (slope - there);
            t = isinf(high) ? fmin(fmax(secant > 0.0 ? secant : INFINITY, 2.0 * t), LONGEST * t) : 0.5 * (low + high);
        } else {
            high = t;
            const double parabola = isfinite(change) ? -slope * t * t / (2.0 * (change - slope * t)) : 0.0;
            t = low > 0.0 ? 0.5 * (low + high) : fmin(fmax(parabola, SHORTEST * t), 0.5 * t);
        }
        t = fmin(t, end);
    }
    *scale = low;
    return low > 0.0 && try_at(solver, low, &slope);
}

/* One quasi-Newton step. False when F does not fall along it. */
static bool descend(struct srl_solver *solver, double *scale) {
    const struct srl_model *model = solver->model;
    struct srl_opening *opening = &solver->opening;
    const bool measured = opening->stage == SRL_OPENING_METRIC;
    const struct srl_metric metric =
        measured ? srl_newton_metric(&solver->newton, model->d) : (struct srl_metric){.d = model->d};
    double *direction = opening->direction;
    srl_lbfgs_direction(&opening->lbfgs, measured ? &metric : NULL, solver->current.gradient, direction);
    double slope = restrict_to_bounds(model, &solver->current, direction);
    if (!(slope < 0.0) || !isfinite(slope))
        return false;
    if (opening->lbfgs.count == 0 && !measured)
        scale_first(&solver->current, model->d, direction, &slope);
    const double reach = fmin(1.0, srl_farthest(model, &solver->current, direction));
    srl_scale(model->d, reach, direction);
    srl_light_rates(model, &solver->matrix.work.light, direction, solver->path.rates);
    if (!(reach > 0.0) || !search(solver, reach * slope, scale))
        return false;
    srl_lbfgs_learn(&opening->lbfgs, solver->current.x, solver->trial.x, solver->current.gradient, solver->trial.gradient);
    solver->report.quantities[SOFTRELU_REPORT_GRADIENT_STEPS_INDEX]++;
    srl_take_trial(solver, &solver->stationarity); /* of the point before: it is found anew when the iteration ends */
    return true;
}

/* The point as it is, after steps that were judged by the light network; F has to have fallen. Otherwise back to where they
   began. */
static bool settle(struct srl_solver *solver, double before) {
    struct srl_point *point = &solver->current;
    solver->budget.evaluations++;
    if (srl_point_move(solver->model, point, point->x) && point->merit < before &&
        srl_differentiate(solver, point, &solver->stationarity))
        return true;
    solver->budget.evaluations++;
    (void)srl_point_move(solver->model, point, solver->path.x[0]);
    (void)srl_differentiate(solver, point, &solver->stationarity);
    return false;
}

/* Whether F has fallen from a value at the rate of its share in so many of the steps of an iteration. */
static bool pays(double from, double to, int64_t steps, int64_t all) {
    return from - to >= (1.0 - pow(SHARE, (double)steps / (double)all)) * fabs(from);
}

/* Goes on for as long as it pays. True when the point has moved; *over tells that it does not pay any more. */
static bool take_gradients(struct srl_solver *solver, struct srl_progress *progress, bool *over) {
    const int64_t most = gradients_in_one(solver->model);
    const double before = solver->current.merit;
    double leg = before;
    int64_t taken = 0;
    srl_light_begin(solver->model, &solver->matrix.work.light, &solver->current);
    *over = false;
    while (taken < most && !*over) {
        double scale;
        *over = !descend(solver, &scale);
        taken += !*over;
        progress->step_scale = *over ? progress->step_scale : scale;
        if (taken % LEG == 0 && !*over) {
            *over = !pays(leg, solver->current.merit, LEG, most);
            leg = solver->current.merit;
        }
    }
    const bool moved = taken > 0 && settle(solver, before);
    *over = *over || !moved;
    return moved;
}

/* The Gauss-Newton matrix at the point, with the least shift for which its step is not longer than |x| + 1, becomes what
   directions are measured by. */
static bool find_metric(struct srl_solver *solver) {
    const struct srl_model *model = solver->model;
    struct srl_newton *newton = &solver->newton;
    const struct srl_point *point = &solver->current;
    const double *r = srl_gauss_newton_weights(model, point, solver->line_search.rates); /* scratch here */
    srl_forget_fits(solver);                                                             /* theirs are other matrices */
    srl_find_newton_matrix(solver, point, r, true);
    const double scale = srl_newton_scale(newton, model->d), most = 1.0 + srl_norm(model->d, point->x);
    double shift = LEAST_SHIFT * scale;
    for (int rung = 0; rung <= RUNGS && !srl_interrupted(model->interruption); rung++, shift *= 10.0)
        if (srl_newton_factor(newton, model->d, shift) == 0 && srl_newton_solve(newton, model->d, point->gradient) < 0.0 &&
            srl_norm(model->d, newton->step) <= most)
            return true;
    return false;
}

static bool take_fit(struct srl_solver *solver, struct srl_progress *progress) {
    struct srl_stationarity stationarity;
    if (!srl_fit_may_pay(&solver->current) || !srl_fit_logits(solver) ||
        !pays(solver->current.merit, solver->trial.merit, 1, 1) || !srl_differentiate(solver, &solver->trial, &stationarity))
        return false;
    progress->step_scale = 1.0;
    srl_take_trial(solver, &stationarity);
    return true;
}

bool srl_open(struct srl_solver *solver, struct srl_progress *progress) {
    enum srl_opening_stage *stage = &solver->opening.stage;
    bool moved = false;
    while (!moved && *stage != SRL_OPENED && !srl_interrupted(solver->model->interruption)) {
        bool over = false;
        if (*stage == SRL_OPENING_MEASURE) {
            *stage = gradients_in_one(solver->model) > 0 && find_metric(solver) ? SRL_OPENING_METRIC : SRL_OPENED;
        } else if (*stage == SRL_OPENING_FITS) {
            moved = take_fit(solver, progress);
            over = !moved;
        } else {
            moved = take_gradients(solver, progress, &over);
        }
        *stage += over;
        if (*stage == SRL_OPENED)
            srl_forget_fits(solver);
    }
    return moved;
}
