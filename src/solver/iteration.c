#include "solver/iteration.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "step/line_search.h"

enum { DAMPED_TRIES = 12 };
static const double LEAST_DAMPING = 1e-8, DAMPING_UP = 10.0, DAMPING_DOWN = 0.1; /* the first relative to the diagonal */
static const double FARTHEST = 1e3;
static const double STEEP = 1e3; /* times the decrease that is round-off, of the one that a slope promises */

bool srl_differentiate(struct srl_solver *solver, struct srl_point *point, struct srl_stationarity *stationarity) {
    if (!srl_point_differentiate(solver->model, point, solver->scratch))
        return false;
    *stationarity = srl_stationarity_at(solver->model, &solver->stationarity_work, point, solver->settings.kink_tolerance);
    return true;
}

softrelu_termination srl_why(struct srl_solver *solver, softrelu_termination otherwise) {
    return srl_interrupted(&solver->budget.interruption) ? solver->budget.interruption.by : otherwise;
}

bool srl_searches(const struct srl_solver *solver) { return solver->settings.globalisation == SOFTRELU_GLOBALISATION_SEARCH; }

void srl_take_trial(struct srl_solver *solver, const struct srl_stationarity *stationarity) {
    struct srl_point previous = solver->current;
    solver->current = solver->trial;
    solver->trial = previous;
    solver->stationarity = *stationarity;
}

/* From stationary, ridges taken at their worst. */
static double distance(const struct srl_stationarity *stationarity) { return stationarity->residual + stationarity->ridge; }

/* Where F cannot tell two points apart: nearer to stationary; or on a ridge so steep that F will
   tell the next ones apart again. */
static bool is_better(const struct srl_solver *solver, const struct srl_stationarity *trial) {
    const struct srl_stationarity *current = &solver->stationarity;
    if (distance(trial) < distance(current))
        return true;
    const double noise = DBL_EPSILON * fabs(solver->current.merit),
                 curvature = srl_newton_scale(&solver->newton, solver->model->d);
    return trial->concave > 0 && trial->residual * trial->residual > STEEP * noise * curvature;
}

/* Whether a step that F cannot judge is taken although it is not better. */
static bool spend_patience(struct srl_solver *solver) {
    if (solver->patience == 0 || solver->damping > 0.0)
        return false;
    if (solver->patience == SRL_PATIENCE) {
        memcpy(solver->nearest, solver->current.x, (size_t)solver->model->d * sizeof *solver->nearest);
        solver->nearest_residual = distance(&solver->stationarity);
    }
    solver->patience--;
    return true;
}

/* After a step: patience comes back when F has fallen, or the residual is shorter than ever. */
static void restore_patience(struct srl_solver *solver, enum srl_search search) {
    if (search != SRL_SEARCH_LEVEL || distance(&solver->stationarity) < solver->nearest_residual)
        solver->patience = SRL_PATIENCE;
}

bool srl_go_back(struct srl_solver *solver) {
    const bool away = solver->patience < SRL_PATIENCE && distance(&solver->stationarity) > solver->nearest_residual;
    if (!away)
        return false;
    solver->patience = 0;
    solver->budget.evaluations++;
    return srl_point_move(solver->model, &solver->current, solver->nearest) &&
           srl_differentiate(solver, &solver->current, &solver->stationarity);
}

/* The kink-aware step with the present matrix and damping, by the setting step. Its promise in *promise; NaN for a step that is
   not to be taken. */
static softrelu_termination find_step(struct srl_solver *solver, double *promise) {
    const struct srl_model *model = solver->model;
    struct srl_newton *newton = &solver->newton;
    const double kink_tolerance = solver->settings.kink_tolerance, *r = srl_curvature_weights(solver, &solver->current);
    if (srl_newton_factor(newton, model->d, solver->damping) != 0)
        return srl_why(solver, SOFTRELU_NUMERICAL_FAILURE);
    const double began = srl_now();
    if (solver->settings.step == SOFTRELU_STEP_PCG) {
        struct srl_exact_step *exact = &solver->matrix.work.exact;
        const struct srl_exact_plan plan = srl_exact_plan_of(solver, r);
        const int64_t products = exact->cg.products;
        *promise = srl_exact_kink_step(model, &solver->current, newton, &solver->kinks, kink_tolerance, &plan, exact);
        srl_judge_preconditioner(solver, exact->cg.products - products);
    } else {
        *promise = srl_kink_step(model, &solver->current, newton, &solver->kinks, kink_tolerance);
        if (*promise < 0.0 && srl_searches(solver) && srl_sample_misleads(solver, r))
            *promise = NAN;
    }
    solver->report.quantities[SOFTRELU_REPORT_SECONDS_STEP_INDEX] += srl_now() - began;
    return SOFTRELU_NOT_RUN;
}

/* One try: a step and the search along it. SOFTRELU_NOT_RUN with *search telling what came of it. */
static softrelu_termination try_step(struct srl_solver *solver, struct srl_progress *progress, enum srl_search *search) {
    const struct srl_model *model = solver->model;
    struct srl_newton *newton = &solver->newton;
    double promise = NAN;
    *search = SRL_SEARCH_FAILED;
    const softrelu_termination ended = find_step(solver, &promise);
    if (ended != SOFTRELU_NOT_RUN)
        return ended;
    if (!(promise < 0.0) || !isfinite(promise)) /* nothing to gain, or a step beyond double precision */
        return SOFTRELU_NOT_RUN;
    *search = srl_line_search(model, &solver->current, newton->step, solver->kinks.rates, promise, &solver->budget,
                              &solver->line_search, &solver->trial, &progress->step_scale);
    if (*search == SRL_SEARCH_EXHAUSTED)
        return srl_budget_exhausted(&solver->budget);
    struct srl_stationarity stationarity;
    if (*search != SRL_SEARCH_FAILED && !srl_differentiate(solver, &solver->trial, &stationarity))
        *search = SRL_SEARCH_FAILED;
    if (*search == SRL_SEARCH_LEVEL && !is_better(solver, &stationarity) && !spend_patience(solver))
        *search = SRL_SEARCH_FAILED;
    if (*search == SRL_SEARCH_FAILED) {
        if (srl_go_back(solver))
            *search = SRL_SEARCH_LEVEL;
        return SOFTRELU_NOT_RUN;
    }
    progress->shift = newton->shift;
    srl_take_trial(solver, &stationarity);
    restore_patience(solver, *search);
    return SOFTRELU_NOT_RUN;
}

/* A shift of at least DAMPING_UP times the curvature that the last step met, |gradient| / |step|: a multiple of the identity
   makes the next one that much shorter. A step that went out of all proportion counts as FARTHEST times |x|. */
static double raised_damping(const struct srl_solver *solver) {
    const int64_t d = solver->model->d;
    const double farthest = FARTHEST * (1.0 + srl_norm(d, solver->current.x)), length = srl_norm(d, solver->newton.step);
    const double met = srl_norm(d, solver->kinks.gradient) / (length > 0.0 && length < farthest ? length : farthest);
    return DAMPING_UP * fmax(fmax(solver->newton.shift, met), DBL_MIN);
}

/* Remembers the iterate that the iteration starts from. */
static void begin_path(struct srl_solver *solver) {
    struct srl_path *path = &solver->path;
    double *x = path->x[1], *v = path->v[1];
    path->x[1] = path->x[0];
    path->v[1] = path->v[0];
    path->x[0] = x;
    path->v[0] = v;
    memcpy(x, solver->current.x, (size_t)solver->model->d * sizeof *x);
    memcpy(v, solver->current.v, (size_t)solver->model->n * sizeof *v);
    path->length += path->length < 2;
}

/* From x, which a step has just been taken to, along the line from the iterate before the last, if F falls that way. */
static void accelerate(struct srl_solver *solver) {
    const struct srl_model *model = solver->model;
    const struct srl_point *point = &solver->current;
    struct srl_path *path = &solver->path;
    if (path->length < 2)
        return;
    for (int64_t k = 0; k < model->d; k++)
        path->step[k] = point->x[k] - path->x[1][k];
    const double slope = srl_dot(model->d, point->gradient, path->step);
    const double length = fmin(1.0, srl_farthest(model, point, path->step));
    if (!(slope < 0.0) || length == 0.0)
        return;
    for (int64_t i = 0; i < model->n; i++)
        path->rates[i] = length * (point->v[i] - path->v[1][i]);
    srl_scale(model->d, length, path->step);
    double scale;
    struct srl_stationarity stationarity;
    const enum srl_search search = srl_line_search(model, point, path->step, path->rates, 0.5 * length * slope, &solver->budget,
                                                   &solver->line_search, &solver->trial, &scale);
    if ((search == SRL_SEARCH_DECREASED || search == SRL_SEARCH_AGREED) &&
        srl_differentiate(solver, &solver->trial, &stationarity))
        srl_take_trial(solver, &stationarity);
}

/* Kinks and bounds that hold x make the matrix stiffer where it is not convex. */
static void stiffen(struct srl_solver *solver) {
    srl_stiffen_pinned(solver->model, &solver->current, &solver->stationarity, &solver->newton, &solver->kinks);
}

/* After a step that failed: a better matrix, or if there is none more damping. */
static void improve(struct srl_solver *solver) {
    if (srl_improve_newton_matrix(solver, &solver->current, srl_curvature_weights(solver, &solver->current)))
        stiffen(solver);
    else
        solver->damping = raised_damping(solver);
}

/* Of a Newton step that has been taken: its shift, and what the matrix was made of. */
static void note_step(struct srl_solver *solver, struct srl_progress *progress) {
    solver->report.quantities[SOFTRELU_REPORT_SHIFTS_INDEX] += progress->shift > 0.0;
    if (solver->matrix.source == SRL_MATRIX_SAMPLED)
        progress->sample_rows = solver->matrix.work.sampler.total;
}

/* Newton's step, damped more and more until F decreases. */
static softrelu_termination take_newton_step(struct srl_solver *solver, struct srl_progress *progress) {
    srl_find_newton_matrix(solver, &solver->current, srl_curvature_weights(solver, &solver->current), false);
    const double scale = srl_newton_scale(&solver->newton, solver->model->d);
    stiffen(solver);
    for (int attempt = 0; attempt < DAMPED_TRIES; attempt++) {
        softrelu_termination limit = srl_budget_exhausted(&solver->budget);
        if (limit != SOFTRELU_NOT_RUN)
            return limit;
        enum srl_search search;
        softrelu_termination ended = try_step(solver, progress, &search);
        if (ended != SOFTRELU_NOT_RUN)
            return ended;
        if (search != SRL_SEARCH_FAILED) {
            if (search == SRL_SEARCH_DECREASED)
                accelerate(solver);
            solver->damping = solver->damping > LEAST_DAMPING * scale ? DAMPING_DOWN * solver->damping : 0.0;
            note_step(solver, progress);
            return SOFTRELU_NOT_RUN;
        }
        improve(solver);
    }
    return SOFTRELU_NO_PROGRESS;
}

/* Newton's step as it is, whatever becomes of F: the local method of the paper. */
static softrelu_termination take_whole_step(struct srl_solver *solver, struct srl_progress *progress) {
    const struct srl_model *model = solver->model;
    struct srl_stationarity stationarity;
    double promise = NAN;
    srl_find_newton_matrix(solver, &solver->current, srl_curvature_weights(solver, &solver->current), false);
    stiffen(solver);
    softrelu_termination ended = find_step(solver, &promise);
    if (ended == SOFTRELU_NOT_RUN)
        ended = srl_why(solver, SOFTRELU_NOT_RUN);
    if (ended != SOFTRELU_NOT_RUN)
        return ended;
    if (!isfinite(promise) || srl_max_abs(model->d, solver->newton.step) == 0.0)
        return SOFTRELU_NO_PROGRESS;
    memcpy(solver->trial.x, solver->current.x, (size_t)model->d * sizeof *solver->trial.x);
    srl_axpy(model->d, 1.0, solver->newton.step, solver->trial.x);
    srl_project_on_bounds(model, solver->trial.x);
    solver->budget.evaluations++;
    if (!srl_point_move(model, &solver->trial, solver->trial.x) || !srl_differentiate(solver, &solver->trial, &stationarity))
        return SOFTRELU_NO_PROGRESS;
    progress->step_scale = 1.0;
    progress->shift = solver->newton.shift;
    note_step(solver, progress);
    srl_take_trial(solver, &stationarity);
    return SOFTRELU_NOT_RUN;
}

softrelu_termination srl_iterate(struct srl_solver *solver, struct srl_progress *progress) {
    const struct srl_model *model = solver->model;
    const double *before = solver->path.x[1]; /* where begin_path() keeps the present iterate */
    begin_path(solver);
    if (!srl_open(solver, progress)) {
        const softrelu_termination ended =
            srl_searches(solver) ? take_newton_step(solver, progress) : take_whole_step(solver, progress);
        if (ended != SOFTRELU_NOT_RUN)
            return ended;
    }
    for (int64_t k = 0; k < model->d; k++)
        solver->path.step[k] = solver->current.x[k] - before[k];
    progress->step_norm = srl_norm(model->d, solver->path.step);
    progress->flips = 0;
    for (int64_t i = 0; i < model->n; i++) {
        const double bias = model->c1 != NULL ? model->c1[i] : 0.0;
        progress->flips += (solver->path.v[0][i] + bias > 0.0) != (solver->current.u[i] > 0.0);
    }
    return SOFTRELU_NOT_RUN;
}
