/*
 * The minimisation loop: iterations (solver/iteration.h) from a start until the point meets the tolerance or something runs
 * out. "Converged" is said only of a point whose residual, computed from the raw data at that very point, meets the tolerance.
 * Where no step of the model descends the certificate is asked: it proves the point stationary, or gives a direction to go on
 * along.
 */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "solver/iteration.h"
#include "step/line_search.h"

static const double ESCAPE = 1e-2; /* relative to |x| + 1: the length that is tried first along a direction of descent */

/* The step's matrices and the certificate's: each iteration makes its own anew, so an examination may work in their place. */
static void carve_matrices(struct srl_arena *arena, struct srl_solver *solver) {
    const size_t begin = srl_arena_mark(arena);
    srl_newton_carve(arena, &solver->newton, solver->model);
    srl_kink_step_carve(arena, &solver->kinks, solver->model);
    const size_t end = srl_arena_mark(arena);
    srl_arena_back_to(arena, begin);
    srl_certificate_matrices_carve(arena, &solver->certificate, solver->unknowns.full);
    srl_arena_behind(arena, end);
}

void srl_solver_carve(struct srl_arena *arena, struct srl_solver *solver) {
    const struct srl_model *model = solver->model;
    solver->start = srl_arena_doubles(arena, solver->unknowns.full->d);
    srl_unknowns_carve(arena, &solver->unknowns);
    srl_point_carve(arena, &solver->current, model);
    srl_point_carve(arena, &solver->trial, model);
    srl_stationarity_carve(arena, &solver->stationarity_work, model);
    srl_hessian_carve(arena, &solver->hessian_work, model);
    carve_matrices(arena, solver);
    srl_line_search_carve(arena, &solver->line_search, model);
    srl_opening_carve(arena, &solver->opening, model);
    for (int i = 0; i < 2; i++) {
        solver->path.x[i] = srl_arena_doubles(arena, model->d);
        solver->path.v[i] = srl_arena_doubles(arena, model->n);
    }
    solver->path.step = srl_arena_doubles(arena, model->d);
    solver->nearest = srl_arena_doubles(arena, model->d);
    solver->path.rates = srl_arena_doubles(arena, model->n);
    srl_certificate_vectors_carve(arena, &solver->certificate, solver->unknowns.full);
    solver->scratch = srl_arena_doubles(arena, model->n);
    solver->target = srl_arena_doubles(arena, model->room);
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
    quantities[SOFTRELU_REPORT_SECONDS_INDEX] = srl_seconds_since_start(&solver->budget.interruption);
}

static void record(struct srl_solver *solver, const struct srl_progress *progress) {
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
    entry[SOFTRELU_TRACE_SECONDS_INDEX] = srl_seconds_since_start(&solver->budget.interruption);
    srl_report_record(&solver->report, entry);
    update_report(solver, progress->iteration);
}

/* Evaluates the start. A user's x0 always wins over the warm start. */
static softrelu_status begin(struct srl_solver *solver, struct srl_message *message) {
    solver->budget = (struct srl_budget){.max_evaluations = solver->settings.max_evaluations,
                                         .interruption = {.started = srl_now(),
                                                          .time_limit = solver->settings.time_limit - solver->starts.elapsed,
                                                          .stop_requested = &solver->stop_requested,
                                                          .ask = solver->interrupt,
                                                          .user = solver->interrupt_user}};
    solver->newton.factorisations = 0;
    srl_reset_newton_matrix(solver);
    solver->hessian_work.jacobian.probed = 0; /* a solve depends on its data alone, not on the solve before */
    solver->newton.foothold = 0.0;
    solver->damping = 0.0;
    solver->path.length = 0;
    solver->patience = SRL_PATIENCE;
    solver->line_search.reach = 0.0;
    srl_opening_begin(solver, solver->settings.warm_start_rounds > 0 && srl_searches(solver));
    bool finite;
    if (solver->from != NULL) {
        solver->budget.evaluations++;
        memcpy(solver->current.x, solver->from, (size_t)solver->model->d * sizeof *solver->from);
        srl_project_on_bounds(solver->model, solver->current.x);
        finite = srl_point_move(solver->model, &solver->current, solver->current.x);
    } else {
        finite = srl_warm_start(solver);
        srl_forget_fits(solver);
    }
    if (!finite || !srl_differentiate(solver, &solver->current, &solver->stationarity))
        return srl_fail(message, SOFTRELU_ERROR_OVERFLOW, "F or its derivatives are not finite at the starting point%s",
                        solver->from != NULL ? " x0" : "");
    if (solver->starts.base != NULL && solver->starts.count == 0)
        memcpy(solver->starts.base, solver->current.x, (size_t)solver->model->d * sizeof *solver->starts.base);
    return SOFTRELU_OK;
}

/* Recomputes the current point from the raw data: line searches update v = A1 x step by step, and round-off adds up. */
static bool refresh_point(struct srl_solver *solver) {
    solver->budget.evaluations++;
    return srl_point_move(solver->model, &solver->current, solver->current.x);
}

static bool refresh(struct srl_solver *solver) {
    return refresh_point(solver) && srl_differentiate(solver, &solver->current, &solver->stationarity);
}

/* Where ridges meet, the residual is only a lower bound of the steepest descent; the certificate looks at all their sides. */
static bool examine(struct srl_solver *solver) {
    srl_newton_forget(&solver->newton); /* the place is the certificate's now; and it was the step's before */
    solver->certificate.convexity.factored = false;
    /* interrupted, or should LAPACK refuse, the certificate says that nothing was examined; the point is none the worse */
    return srl_certificate_examine(&solver->certificate, srl_current_x(solver), solver->settings.kink_tolerance,
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
    srl_direction_in_unknowns(&solver->unknowns, solver->certificate.direction, step);
    slope = solver->certificate.quantities[SOFTRELU_CERTIFICATE_SLOPE_INDEX];
    srl_scale(model->d, ESCAPE * (1.0 + srl_norm(model->d, solver->current.x)), step);
    const double length = fmin(1.0, srl_farthest(model, &solver->current, step));
    srl_scale(model->d, length, step);
    srl_gemv(SRL_PLAIN, 1.0, &model->A1, step, 0.0, rates);
    struct srl_stationarity stationarity;
    const enum srl_search search = srl_line_search(model, &solver->current, step, rates, 0.5 * slope * srl_norm(model->d, step),
                                                   &solver->budget, &solver->line_search, &solver->trial, &scale);
    if ((search != SRL_SEARCH_DECREASED && search != SRL_SEARCH_AGREED) ||
        !srl_differentiate(solver, &solver->trial, &stationarity))
        return false;
    srl_take_trial(solver, &stationarity);
    solver->patience = SRL_PATIENCE;
    solver->damping = 0.0;
    return true;
}

/* Whether the iterations have come to rest on ridges with no residual left: only the certificate can tell what that is. */
static bool rests_on_ridges(const struct srl_solver *solver) {
    return solver->patience < SRL_PATIENCE && solver->stationarity.concave > 0 &&
           solver->stationarity.relative <= solver->settings.tolerance;
}

/* The certificate has the last word: the solver's residual is one in fewer unknowns, or what is left of it where numbers are
   too small for double precision. */
static softrelu_termination judge(struct srl_solver *solver, softrelu_termination ended) {
    const double *found = solver->certificate.quantities;
    const double relative = found[SOFTRELU_CERTIFICATE_RESIDUAL_RELATIVE_INDEX];
    solver->report.quantities[SOFTRELU_REPORT_RESIDUAL_INDEX] = found[SOFTRELU_CERTIFICATE_RESIDUAL_INDEX];
    solver->report.quantities[SOFTRELU_REPORT_RESIDUAL_RELATIVE_INDEX] = relative;
    const bool met = relative <= solver->settings.tolerance && found[SOFTRELU_CERTIFICATE_CONCAVE_KINKS_INDEX] == 0.0;
    return ended == SOFTRELU_CONVERGED && !met && !is_proved_stationary(solver) ? SOFTRELU_NO_PROGRESS : ended;
}

/* The point that is returned, as the raw data have it; false when F is not finite there. Interrupted, it keeps the residual
   that was found on the way. */
static bool look_again(struct srl_solver *solver, softrelu_termination *ended) {
    if (srl_interrupted(&solver->budget.interruption))
        return refresh_point(solver);
    if (!refresh(solver))
        return false;
    if (meets_tolerance(solver))
        *ended = SOFTRELU_CONVERGED;
    return true;
}

softrelu_status srl_solve(struct srl_solver *solver, struct srl_message *message) {
    struct srl_progress progress = {0};
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
        struct srl_progress next = {.iteration = progress.iteration + 1};
        ended = rests_on_ridges(solver) ? SOFTRELU_NO_PROGRESS : srl_iterate(solver, &next);
        if (ended == SOFTRELU_NO_PROGRESS && srl_searches(solver) && examine(solver))
            ended = is_proved_stationary(solver) ? SOFTRELU_CONVERGED
                    : escape(solver)             ? SOFTRELU_NOT_RUN
                                                 : SOFTRELU_NO_PROGRESS;
        if (ended == SOFTRELU_NO_PROGRESS)
            ended = srl_why(solver, ended);
        if (ended == SOFTRELU_NOT_RUN)
            progress = next;
    }
    if (ended != SOFTRELU_CONVERGED)
        (void)srl_go_back(solver);
    const bool fresh = ended == SOFTRELU_CONVERGED || progress.iteration == 0 || look_again(solver, &ended);
    const bool examined = examine(solver);
    if (!fresh || (examined && !srl_certificate_is_finite(&solver->certificate))) {
        srl_report_clear(&solver->report);
        return srl_fail(message, SOFTRELU_ERROR_OVERFLOW, "F or its derivatives are not finite at the point found%s",
                        solver->unknowns.reduction != NULL ? ": what A1 does not see of x_ref or x0 is too large" : "");
    }
    update_report(solver, progress.iteration);
    if (examined)
        ended = judge(solver, ended);
    solver->report.termination = ended;
    return SOFTRELU_OK;
}
