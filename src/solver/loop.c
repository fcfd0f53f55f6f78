/*
 * The minimisation loop. One iteration: Hessian, Cholesky with the least shift, kink-aware Newton step, line search on the true
 * F.
 *
 * Close to a minimiser a Newton step promises less than the round-off of F; then F cannot judge it, and the step is taken when
 * it shortens the stationarity residual. "Converged" is said only of a point whose residual, computed from the raw data at that
 * very point, meets the tolerance.
 */
#include "solver/solver.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "step/line_search.h"

enum { DAMPED_TRIES = 12 };
static const double LEAST_DAMPING = 1e-8, DAMPING_UP = 10.0, DAMPING_DOWN = 0.1; /* the first relative to the diagonal */
static const double FARTHEST = 1e3;

void srl_solver_carve(struct srl_arena *arena, struct srl_solver *solver) {
    const struct srl_model *model = solver->model;
    solver->start = srl_arena_doubles(arena, model->d);
    srl_point_carve(arena, &solver->current, model);
    srl_point_carve(arena, &solver->trial, model);
    srl_stationarity_carve(arena, &solver->stationarity_work, model);
    srl_hessian_carve(arena, &solver->hessian_work, model);
    srl_newton_carve(arena, &solver->newton, model);
    srl_kink_step_carve(arena, &solver->kinks, model);
    solver->scratch = srl_arena_doubles(arena, model->n);
    solver->target = srl_arena_doubles(arena, model->m);
}

/* What one iteration did, for the trace. */
struct progress {
    int64_t iteration;
    double step_norm, step_scale, shift;
    int64_t flips;
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
    quantities[SOFTRELU_REPORT_ITERATIONS_INDEX] = (double)iterations;
    quantities[SOFTRELU_REPORT_EVALUATIONS_INDEX] = (double)solver->budget.evaluations;
    quantities[SOFTRELU_REPORT_FACTORISATIONS_INDEX] = (double)solver->newton.factorisations;
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
    entry[SOFTRELU_TRACE_SECONDS_INDEX] = srl_budget_seconds(&solver->budget);
    srl_report_record(&solver->report, entry);
    update_report(solver, progress->iteration);
}

/* Evaluates the start. A user's x0 always wins over the warm start. */
static softrelu_status begin(struct srl_solver *solver, struct srl_message *message) {
    solver->budget = (struct srl_budget){0, solver->settings.max_evaluations, srl_now(), solver->settings.time_limit,
                                         &solver->stop_requested};
    solver->newton.factorisations = 0;
    solver->newton.foothold = 0.0;
    solver->damping = 0.0;
    bool finite;
    if (solver->has_start) {
        solver->budget.evaluations++;
        finite = srl_point_move(solver->model, &solver->current, solver->start);
    } else {
        finite = srl_warm_start(solver);
    }
    if (!finite || !differentiate(solver, &solver->current, &solver->stationarity))
        return srl_fail(message, SOFTRELU_ERROR_OVERFLOW, "F or its derivatives are not finite at the starting point%s",
                        solver->has_start ? " x0" : "");
    return SOFTRELU_OK;
}

static int64_t count_flips(const struct srl_model *model, const struct srl_point *from, const struct srl_point *to) {
    int64_t flips = 0;
    for (int64_t i = 0; i < model->n; i++)
        flips += (from->u[i] > 0.0) != (to->u[i] > 0.0);
    return flips;
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

/* One try: step with the present damping and line search. SOFTRELU_OK with *moved = false when no decrease was found. */
static softrelu_termination try_step(struct srl_solver *solver, struct progress *progress, bool *moved) {
    const struct srl_model *model = solver->model;
    struct srl_newton *newton = &solver->newton;
    *moved = false;
    if (srl_newton_factor(newton, model->d, solver->damping) != 0)
        return SOFTRELU_NUMERICAL_FAILURE;
    const double promise = srl_kink_step(model, &solver->current, newton, &solver->kinks, solver->settings.kink_tolerance);
    if (!(promise < 0.0) || !isfinite(promise)) /* nothing to gain, or a step beyond double precision */
        return SOFTRELU_NOT_RUN;
    enum srl_search search = srl_line_search(model, &solver->current, newton->step, solver->kinks.rates, promise,
                                             &solver->budget, &solver->trial, &progress->step_scale);
    if (search == SRL_SEARCH_EXHAUSTED)
        return srl_budget_exhausted(&solver->budget);
    struct srl_stationarity stationarity;
    if (search == SRL_SEARCH_FAILED || !differentiate(solver, &solver->trial, &stationarity))
        return SOFTRELU_NOT_RUN;
    if (search == SRL_SEARCH_LEVEL && !(stationarity.residual < solver->stationarity.residual))
        return SOFTRELU_NOT_RUN;
    progress->shift = newton->shift;
    progress->step_norm = progress->step_scale * srl_norm(model->d, newton->step);
    progress->flips = count_flips(model, &solver->current, &solver->trial);
    take_trial(solver, &stationarity);
    *moved = true;
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

/* One iteration: Newton's step, damped more and more until F decreases. */
static softrelu_termination iterate(struct srl_solver *solver, struct progress *progress) {
    srl_hessian_assemble(solver->model, &solver->hessian_work, &solver->current, solver->newton.hessian);
    const double scale = srl_newton_scale(&solver->newton, solver->model->d);
    for (int attempt = 0; attempt < DAMPED_TRIES; attempt++) {
        softrelu_termination limit = srl_budget_exhausted(&solver->budget);
        if (limit != SOFTRELU_NOT_RUN)
            return limit;
        bool moved;
        softrelu_termination ended = try_step(solver, progress, &moved);
        if (ended != SOFTRELU_NOT_RUN)
            return ended;
        if (moved) {
            solver->damping = solver->damping > LEAST_DAMPING * scale ? DAMPING_DOWN * solver->damping : 0.0;
            solver->report.quantities[SOFTRELU_REPORT_SHIFTS_INDEX] += progress->shift > 0.0;
            return SOFTRELU_NOT_RUN;
        }
        solver->damping = raised_damping(solver);
    }
    return SOFTRELU_NO_PROGRESS;
}

softrelu_status srl_solve(struct srl_solver *solver, struct srl_message *message) {
    struct progress progress = {0};
    srl_report_clear(&solver->report);
    atomic_store(&solver->stop_requested, 0);
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
        ended = iterate(solver, &next);
        if (ended == SOFTRELU_NOT_RUN)
            progress = next;
    }
    if (ended != SOFTRELU_CONVERGED && progress.iteration > 0 && refresh(solver) && meets_tolerance(solver))
        ended = SOFTRELU_CONVERGED;
    update_report(solver, progress.iteration);
    solver->report.termination = ended;
    return SOFTRELU_OK;
}
