/*
 * The minimisation loop. One iteration: Hessian, Cholesky with the least shift, kink-aware Newton step, search along it on the
 * true F.
 *
 * Far from a minimiser two cheaper models help. Steps that fit the logits in the present activation pattern open the solve for
 * as long as each cuts F by a fifth: where b can be attained, five or six of them do the work of twenty Newton steps. And when
 * Newton's model disagrees with F, F is a bent valley: a second search along the line through the last iterate but one follows
 * it (parallel tangents; Shah, Buehler and Kempthorne, "Some algorithms for minimizing a function of several variables", J.
 * SIAM 12, 1964) at the price of a few evaluations.
 *
 * Close to a minimiser a Newton step promises less than the round-off of F; then F cannot judge it, and the step is taken when
 * it shortens the stationarity residual, or for a few steps even if it does not: while weak kinks change sides the residual may
 * rise before it vanishes. Should it not, the nearest point is taken up again. "Converged" is said only of a point whose
 * residual, computed from the raw data at that very point, meets the tolerance.
 */
#include "solver/solver.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "step/line_search.h"

enum { DAMPED_TRIES = 12, PATIENCE = 20 };
static const double LEAST_DAMPING = 1e-8, DAMPING_UP = 10.0, DAMPING_DOWN = 0.1; /* the first relative to the diagonal */
static const double FARTHEST = 1e3;
static const double OPENING_CUT = 0.2;
static const double ESCAPE = 1e-2; /* relative to |x| + 1: the length that is tried first along a direction of descent */
static const double STEEP = 1e3;   /* times the decrease that is round-off, of the one that a slope promises */

void srl_solver_carve(struct srl_arena *arena, struct srl_solver *solver) {
    const struct srl_model *model = solver->model;
    solver->start = srl_arena_doubles(arena, model->d);
    srl_point_carve(arena, &solver->current, model);
    srl_point_carve(arena, &solver->trial, model);
    srl_stationarity_carve(arena, &solver->stationarity_work, model);
    srl_hessian_carve(arena, &solver->hessian_work, model);
    srl_newton_carve(arena, &solver->newton, model);
    srl_kink_step_carve(arena, &solver->kinks, model);
    srl_line_search_carve(arena, &solver->line_search, model);
    for (int i = 0; i < 2; i++) {
        solver->path.x[i] = srl_arena_doubles(arena, model->d);
        solver->path.v[i] = srl_arena_doubles(arena, model->n);
    }
    solver->path.step = srl_arena_doubles(arena, model->d);
    solver->nearest = srl_arena_doubles(arena, model->d);
    solver->path.rates = srl_arena_doubles(arena, model->n);
    srl_certificate_carve(arena, &solver->certificate, model);
    solver->scratch = srl_arena_doubles(arena, model->n);
    solver->target = srl_arena_doubles(arena, model->m);
}

/* What one iteration did, for the trace. */
struct progress {
    int64_t iteration;
    double step_norm, step_scale, shift;
    int64_t flips, sample_rows;
};

static bool differentiate(struct srl_solver *solver, struct srl_point *point, struct srl_stationarity *stationarity) {
    if (!srl_point_differentiate(solver->model, point, solver->scratch))
        return false;
    *stationarity = srl_stationarity_at(solver->model, &solver->stationarity_work, point, solver->settings.kink_tolerance);
    return true;
}

static bool meets_tolerance(const struct srl_solver *solver) {
    return solver->stationarity.relative <= solver->settings.tolerance && solver->stationarity.concave == 0;
}

static void update_report(struct srl_solver *solver, int64_t iterations) {
    double *quantities = solver->report.quantities;
    const struct srl_point *point = &solver->current;
    quantities[SOFTRELU_REPORT_LOSS_INDEX] = point->loss;
    quantities[SOFTRELU_REPORT_LOSS_FIT_INDEX] = point->fit;
    quantities[SOFTRELU_REPORT_LOSS_WEIGHTS_INDEX] = point->weights;
    quantities[SOFTRELU_REPORT_LOSS_PROXIMITY_INDEX] = point->proximity;
    quantities[SOFTRELU_REPORT_RESIDUAL_INDEX] = solver->stationarity.residual;
    quantities[SOFTRELU_REPORT_RESIDUAL_RELATIVE_INDEX] = solver->stationarity.relative;
    quantities[SOFTRELU_REPORT_PINNED_KINKS_INDEX] = (double)solver->stationarity.pinned;
    quantities[SOFTRELU_REPORT_CONCAVE_KINKS_INDEX] = (double)solver->stationarity.concave;
    quantities[SOFTRELU_REPORT_ACTIVE_BOUNDS_INDEX] = (double)solver->stationarity.active_bounds;
    quantities[SOFTRELU_REPORT_ITERATIONS_INDEX] = (double)iterations;
    quantities[SOFTRELU_REPORT_EVALUATIONS_INDEX] = (double)solver->budget.evaluations;
    quantities[SOFTRELU_REPORT_FACTORISATIONS_INDEX] = (double)solver->newton.factorisations;
    quantities[SOFTRELU_REPORT_HESSIAN_PRODUCTS_INDEX] = (double)solver->matrix.work.exact.cg.products;
    quantities[SOFTRELU_REPORT_SECONDS_INDEX] = srl_budget_seconds(&solver->budget);
}

static void record(struct srl_solver *solver, const struct progress *progress) {
    double entry[SRL_TRACE_COUNT];
    int64_t active = 0;
    for (int64_t i = 0; i < solver->model->n; i++)
        active += solver->current.u[i] > 0.0;
    entry[SOFTRELU_TRACE_ITERATION_INDEX] = (double)progress->iteration;
    entry[SOFTRELU_TRACE_LOSS_INDEX] = solver->current.loss;
    entry[SOFTRELU_TRACE_RESIDUAL_INDEX] = solver->stationarity.residual;
    entry[SOFTRELU_TRACE_PINNED_KINKS_INDEX] = (double)solver->stationarity.pinned;
    entry[SOFTRELU_TRACE_ACTIVE_UNITS_INDEX] = (double)active;
    entry[SOFTRELU_TRACE_FLIPS_INDEX] = (double)progress->flips;
    entry[SOFTRELU_TRACE_STEP_NORM_INDEX] = progress->step_norm;
    entry[SOFTRELU_TRACE_STEP_SCALE_INDEX] = progress->step_scale;
    entry[SOFTRELU_TRACE_SHIFT_INDEX] = progress->shift;
    entry[SOFTRELU_TRACE_EVALUATIONS_INDEX] = (double)solver->budget.evaluations;
    entry[SOFTRELU_TRACE_SAMPLE_ROWS_INDEX] = (double)progress->sample_rows;
    entry[SOFTRELU_TRACE_HESSIAN_PRODUCTS_INDEX] = (double)solver->matrix.work.exact.cg.products;
    entry[SOFTRELU_TRACE_SECONDS_INDEX] = srl_budget_seconds(&solver->budget);
    srl_report_record(&solver->report, entry);
    update_report(solver, progress->iteration);
}

static bool searches(const struct srl_solver *solver) {
    return solver->settings.globalisation == SOFTRELU_GLOBALISATION_SEARCH;
}

/* Evaluates the start. A user's x0 always wins over the warm start. */
static softrelu_status begin(struct srl_solver *solver, struct srl_message *message) {
    solver->budget = (struct srl_budget){0, solver->settings.max_evaluations, srl_now(),
                                         solver->settings.time_limit - solver->starts.elapsed, &solver->stop_requested};
    solver->newton.factorisations = 0;
    srl_reset_newton_matrix(solver);
    solver->hessian_work.jacobian.probed = 0; /* a solve depends on its data alone, not on the solve before */
    solver->newton.foothold = 0.0;
    solver->damping = 0.0;
    solver->path.length = 0;
    solver->patience = PATIENCE;
    solver->line_search.reach = 0.0;
    solver->opening = solver->from != NULL && solver->settings.warm_start_rounds > 0 && searches(solver);
    bool finite;
    if (solver->from != NULL) {
        solver->budget.evaluations++;
        memcpy(solver->current.x, solver->from, (size_t)solver->model->d * sizeof *solver->from);
        srl_project_on_bounds(solver->model, solver->current.x);
        finite = srl_point_move(solver->model, &solver->current, solver->current.x);
    } else {
        finite = srl_warm_start(solver);
        solver->matrix.has_kept = false; /* of fits, not of F */
    }
    if (!finite || !differentiate(solver, &solver->current, &solver->stationarity))
        return srl_fail(message, SOFTRELU_ERROR_OVERFLOW, "F or its derivatives are not finite at the starting point%s",
                        solver->from != NULL ? " x0" : "");
    if (solver->starts.base != NULL && solver->starts.count == 0)
        memcpy(solver->starts.base, solver->current.x, (size_t)solver->model->d * sizeof *solver->starts.base);
    return SOFTRELU_OK;
}

static void take_trial(struct srl_solver *solver, const struct srl_stationarity *stationarity) {
    struct srl_point previous = solver->current;
    solver->current = solver->trial;
    solver->trial = previous;
    solver->stationarity = *stationarity;
}

/* Recomputes the current point from the raw data: line searches update v = A1 x step by step, and round-off adds up. */
static bool refresh(struct srl_solver *solver) {
    solver->budget.evaluations++;
    return srl_point_move(solver->model, &solver->current, solver->current.x) &&
           differentiate(solver, &solver->current, &solver->stationarity);
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
    if (solver->patience == PATIENCE) {
        memcpy(solver->nearest, solver->current.x, (size_t)solver->model->d * sizeof *solver->nearest);
        solver->nearest_residual = distance(&solver->stationarity);
    }
    solver->patience--;
    return true;
}

/* After a step: patience comes back when F has fallen, or the residual is shorter than ever. */
static void restore_patience(struct srl_solver *solver, enum srl_search search) {
    if (search != SRL_SEARCH_LEVEL || distance(&solver->stationarity) < solver->nearest_residual)
        solver->patience = PATIENCE;
}

/* Back to the nearest point, if patience led away from it. */
static bool go_back(struct srl_solver *solver) {
    const bool away = solver->patience < PATIENCE && distance(&solver->stationarity) > solver->nearest_residual;
    if (!away)
        return false;
    solver->patience = 0;
    solver->budget.evaluations++;
    return srl_point_move(solver->model, &solver->current, solver->nearest) &&
           differentiate(solver, &solver->current, &solver->stationarity);
}

/* The kink-aware step with the present matrix and damping, by the setting step. Its promise in *promise; NaN for a step that is
   not to be taken. */
static softrelu_termination find_step(struct srl_solver *solver, double *promise) {
    const struct srl_model *model = solver->model;
    struct srl_newton *newton = &solver->newton;
    const double kink_tolerance = solver->settings.kink_tolerance, *r = srl_curvature_weights(solver, &solver->current);
    if (srl_newton_factor(newton, model->d, solver->damping) != 0)
        return SOFTRELU_NUMERICAL_FAILURE;
    const double began = srl_now();
    if (solver->settings.step == SOFTRELU_STEP_PCG) {
        struct srl_exact_step *exact = &solver->matrix.work.exact;
        const struct srl_exact_plan plan = srl_exact_plan_of(solver, r);
        const int64_t products = exact->cg.products;
        *promise = srl_exact_kink_step(model, &solver->current, newton, &solver->kinks, kink_tolerance, &plan, exact);
        srl_judge_preconditioner(solver, exact->cg.products - products);
    } else {
        *promise = srl_kink_step(model, &solver->current, newton, &solver->kinks, kink_tolerance);
        if (*promise < 0.0 && searches(solver) && srl_sample_misleads(solver, r))
            *promise = NAN;
    }
    solver->report.quantities[SOFTRELU_REPORT_SECONDS_STEP_INDEX] += srl_now() - began;
    return SOFTRELU_NOT_RUN;
}

/* One try: a step and the search along it. SOFTRELU_NOT_RUN with *search telling what came of it. */
static softrelu_termination try_step(struct srl_solver *solver, struct progress *progress, enum srl_search *search) {
    const struct srl_model *model = solver->model;
    struct srl_newton *newton = &solver->newton;
    double promise;
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
    if (*search != SRL_SEARCH_FAILED && !differentiate(solver, &solver->trial, &stationarity))
        *search = SRL_SEARCH_FAILED;
    if (*search == SRL_SEARCH_LEVEL && !is_better(solver, &stationarity) && !spend_patience(solver))
        *search = SRL_SEARCH_FAILED;
    if (*search == SRL_SEARCH_FAILED) {
        if (go_back(solver))
            *search = SRL_SEARCH_LEVEL;
        return SOFTRELU_NOT_RUN;
    }
    progress->shift = newton->shift;
    take_trial(solver, &stationarity);
    restore_patience(solver, *search);
    return SOFTRELU_NOT_RUN;
}

/* A shift that makes the next step at least DAMPING_UP times shorter: |gradient| / |step| is the curvature that the last one
   met. A step that went out of all proportion counts as FARTHEST times |x|. */
static double raised_damping(const struct srl_solver *solver) {
    const int64_t d = solver->model->d;
    const double farthest = FARTHEST * (1.0 + srl_norm(d, solver->current.x)), length = srl_norm(d, solver->newton.step);
    const double met = srl_norm(d, solver->kinks.gradient) / (length > 0.0 && length < farthest ? length : farthest);
    return DAMPING_UP * fmax(fmax(solver->newton.shift, met), DBL_MIN);
}

/* A step that fits the logits, if it still cuts F enough. */
static bool open_with_fit(struct srl_solver *solver, struct progress *progress) {
    struct srl_stationarity stationarity;
    solver->opening = solver->opening && srl_fit_logits(solver) &&
                      solver->trial.merit <= solver->current.merit - OPENING_CUT * fabs(solver->current.merit) &&
                      differentiate(solver, &solver->trial, &stationarity);
    solver->matrix.has_kept = solver->matrix.has_kept && solver->opening; /* of fits, not of F */
    if (!solver->opening)
        return false;
    progress->step_scale = 1.0;
    take_trial(solver, &stationarity);
    return true;
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
    if ((search == SRL_SEARCH_DECREASED || search == SRL_SEARCH_AGREED) && differentiate(solver, &solver->trial, &stationarity))
        take_trial(solver, &stationarity);
}

/* Kinks and bounds that hold x make the matrix stiffer where it is not convex. */
static void stiffen(struct srl_solver *solver) {
    srl_stiffen_pinned(solver->model, &solver->current, solver->settings.kink_tolerance, &solver->stationarity_work,
                       &solver->newton, &solver->kinks);
}

/* After a step that failed: a better matrix, or if there is none more damping. */
static void improve(struct srl_solver *solver) {
    if (srl_improve_newton_matrix(solver, &solver->current, srl_curvature_weights(solver, &solver->current)))
        stiffen(solver);
    else
        solver->damping = raised_damping(solver);
}

static void note_sample(const struct srl_solver *solver, struct progress *progress) {
    if (solver->matrix.source == SRL_MATRIX_SAMPLED)
        progress->sample_rows = solver->matrix.work.sampler.count;
}

/* Newton's step, damped more and more until F decreases. */
static softrelu_termination take_newton_step(struct srl_solver *solver, struct progress *progress) {
    srl_find_newton_matrix(solver, &solver->current, srl_curvature_weights(solver, &solver->current));
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
            solver->report.quantities[SOFTRELU_REPORT_SHIFTS_INDEX] += progress->shift > 0.0;
            note_sample(solver, progress);
            return SOFTRELU_NOT_RUN;
        }
        improve(solver);
    }
    return SOFTRELU_NO_PROGRESS;
}

/* Newton's step as it is, whatever becomes of F: the local method of the paper. */
static softrelu_termination take_whole_step(struct srl_solver *solver, struct progress *progress) {
    const struct srl_model *model = solver->model;
    struct srl_stationarity stationarity;
    double promise;
    srl_find_newton_matrix(solver, &solver->current, srl_curvature_weights(solver, &solver->current));
    stiffen(solver);
    const softrelu_termination ended = find_step(solver, &promise);
    if (ended != SOFTRELU_NOT_RUN)
        return ended;
    if (!isfinite(promise) || srl_max_abs(model->d, solver->newton.step) == 0.0)
        return SOFTRELU_NO_PROGRESS;
    memcpy(solver->trial.x, solver->current.x, (size_t)model->d * sizeof *solver->trial.x);
    srl_axpy(model->d, 1.0, solver->newton.step, solver->trial.x);
    srl_project_on_bounds(model, solver->trial.x);
    solver->budget.evaluations++;
    if (!srl_point_move(model, &solver->trial, solver->trial.x) || !differentiate(solver, &solver->trial, &stationarity))
        return SOFTRELU_NO_PROGRESS;
    progress->step_scale = 1.0;
    progress->shift = solver->newton.shift;
    solver->report.quantities[SOFTRELU_REPORT_SHIFTS_INDEX] += progress->shift > 0.0;
    note_sample(solver, progress);
    take_trial(solver, &stationarity);
    return SOFTRELU_NOT_RUN;
}

static softrelu_termination iterate(struct srl_solver *solver, struct progress *progress) {
    const struct srl_model *model = solver->model;
    const double *before = solver->path.x[1]; /* where begin_path() keeps the present iterate */
    begin_path(solver);
    if (!open_with_fit(solver, progress)) {
        const softrelu_termination ended =
            searches(solver) ? take_newton_step(solver, progress) : take_whole_step(solver, progress);
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

/* Where ridges meet, the residual is only a lower bound of the steepest descent; the certificate looks at all their sides. */
static bool examine(struct srl_solver *solver) {
    /* should LAPACK refuse, the certificate says that nothing was examined; the point is none the worse */
    return srl_certificate_examine(&solver->certificate, solver->current.x, solver->settings.kink_tolerance,
                                   solver->settings.tolerance);
}

static bool is_proved_stationary(const struct srl_solver *solver) {
    const softrelu_verdict verdict = solver->certificate.verdict;
    return verdict == SOFTRELU_VERDICT_CERTIFIED || verdict == SOFTRELU_VERDICT_STATIONARY;
}

/* Follows the direction of descent that the certificate has found where no step of the model descends. */
static bool escape(struct srl_solver *solver) {
    const struct srl_model *model = solver->model;
    double *step = solver->path.step, *rates = solver->path.rates, slope = 0.0, scale;
    if (solver->certificate.verdict != SOFTRELU_VERDICT_NOT_STATIONARY)
        return false;
    memcpy(step, solver->certificate.direction, (size_t)model->d * sizeof *step);
    slope = solver->certificate.quantities[SOFTRELU_CERTIFICATE_SLOPE_INDEX];
    srl_scale(model->d, ESCAPE * (1.0 + srl_norm(model->d, solver->current.x)), step);
    const double length = fmin(1.0, srl_farthest(model, &solver->current, step));
    srl_scale(model->d, length, step);
    srl_gemv(SRL_PLAIN, 1.0, &model->A1, step, 0.0, rates);
    struct srl_stationarity stationarity;
    const enum srl_search search = srl_line_search(model, &solver->current, step, rates, 0.5 * slope * srl_norm(model->d, step),
                                                   &solver->budget, &solver->line_search, &solver->trial, &scale);
    if ((search != SRL_SEARCH_DECREASED && search != SRL_SEARCH_AGREED) ||
        !differentiate(solver, &solver->trial, &stationarity))
        return false;
    take_trial(solver, &stationarity);
    solver->patience = PATIENCE;
    solver->damping = 0.0;
    return true;
}

/* Whether the iterations have come to rest on ridges with no residual left: only the certificate can tell what that is. */
static bool rests_on_ridges(const struct srl_solver *solver) {
    return solver->patience < PATIENCE && solver->stationarity.concave > 0 &&
           solver->stationarity.relative <= solver->settings.tolerance;
}

softrelu_status srl_solve(struct srl_solver *solver, struct srl_message *message) {
    struct progress progress = {0};
    srl_report_clear(&solver->report);
    srl_certificate_clear(&solver->certificate);
    softrelu_status status = begin(solver, message);
    if (status != SOFTRELU_OK)
        return status;

    softrelu_termination ended = SOFTRELU_NOT_RUN;
    while (ended == SOFTRELU_NOT_RUN) {
        bool fresh = progress.iteration == 0;
        if (meets_tolerance(solver) && !fresh && !refresh(solver)) {
            ended = SOFTRELU_NUMERICAL_FAILURE;
            break;
        }
        record(solver, &progress);
        if (meets_tolerance(solver))
            ended = SOFTRELU_CONVERGED;
        if (solver->callback != NULL && solver->callback(&solver->report, solver->user) != 0 && ended == SOFTRELU_NOT_RUN)
            ended = SOFTRELU_CALLBACK_STOP;
        if (ended == SOFTRELU_NOT_RUN)
            ended = srl_budget_exhausted(&solver->budget);
        if (ended == SOFTRELU_NOT_RUN && progress.iteration >= solver->settings.max_iterations)
            ended = SOFTRELU_ITERATION_LIMIT;
        if (ended != SOFTRELU_NOT_RUN)
            break;
        struct progress next = {.iteration = progress.iteration + 1};
        ended = rests_on_ridges(solver) ? SOFTRELU_NO_PROGRESS : iterate(solver, &next);
        if (ended == SOFTRELU_NO_PROGRESS && searches(solver) && examine(solver))
            ended = is_proved_stationary(solver) ? SOFTRELU_CONVERGED
                    : escape(solver)             ? SOFTRELU_NOT_RUN
                                                 : SOFTRELU_NO_PROGRESS;
        if (ended == SOFTRELU_NOT_RUN)
            progress = next;
    }
    if (ended != SOFTRELU_CONVERGED)
        (void)go_back(solver);
    if (ended != SOFTRELU_CONVERGED && progress.iteration > 0 && refresh(solver) && meets_tolerance(solver))
        ended = SOFTRELU_CONVERGED;
    (void)examine(solver);
    update_report(solver, progress.iteration);
    solver->report.termination = ended;
    return SOFTRELU_OK;
}
