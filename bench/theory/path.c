/* SPDX-License-Identifier: BSD-3-Clause */
#include "theory.h"

#include <math.h>
#include <stdlib.h>

struct minimiser find_minimiser(const softrelu_problem *problem, int64_t d, const double *x0) {
    struct minimiser minimiser = {d, numbers(d), numbers(d * d), NAN};
    softrelu_solver *solver = solver_of(problem);
    softrelu_evaluator *evaluator = evaluator_of(problem);
    need_ok(softrelu_solver_set_start(solver, x0, d), softrelu_solver_message(solver));
    need_ok(softrelu_solver_solve(solver), softrelu_solver_message(solver));
    need_ok(softrelu_solver_solution(solver, minimiser.x, d), softrelu_solver_message(solver));
    /* whole steps from there bring it as near as round-off allows */
    set_text(solver, "globalisation", "none");
    set_text(solver, "tolerance", "0");
    set_text(solver, "max_iterations", "3");
    need_ok(softrelu_solver_set_start(solver, minimiser.x, d), softrelu_solver_message(solver));
    need_ok(softrelu_solver_solve(solver), softrelu_solver_message(solver));
    need_ok(softrelu_solver_solution(solver, minimiser.x, d), softrelu_solver_message(solver));
    need_ok(softrelu_evaluator_move(evaluator, minimiser.x, d), softrelu_evaluator_message(evaluator));
    need_ok(softrelu_evaluator_hessian(evaluator, minimiser.hessian, d), softrelu_evaluator_message(evaluator));
    minimiser.loss = report_number(solver, SOFTRELU_REPORT_LOSS);
    softrelu_evaluator_destroy(evaluator);
    softrelu_solver_destroy(solver);
    return minimiser;
}

void minimiser_free(struct minimiser *minimiser) {
    free(minimiser->x);
    free(minimiser->hessian);
}

/* |x - x*| in the norm of the Hessian at x*. */
static double energy(const struct minimiser *at, const double *x) {
    double sum = 0.0;
    for (int64_t k = 0; k < at->d; k++)
        for (int64_t l = 0; l < at->d; l++)
            sum += (x[k] - at->x[k]) * at->hessian[k * at->d + l] * (x[l] - at->x[l]);
    return sqrt(fmax(sum, 0.0));
}

struct observer {
    const struct minimiser *minimiser;
    const softrelu_solver *solver;
    struct path *path;
    double *x;
};

static int observe(const softrelu_report *report, void *user) {
    struct observer *observer = user;
    struct path *path = observer->path;
    const int64_t d = observer->minimiser->d, last = softrelu_report_trace_length(report) - 1, k = path->length++;
    need_ok(softrelu_solver_solution(observer->solver, observer->x, d), softrelu_solver_message(observer->solver));
    path->distances[k] = distance_of(d, observer->x, observer->minimiser->x);
    path->energies[k] = energy(observer->minimiser, observer->x);
    need_ok(softrelu_report_trace_number(report, last, SOFTRELU_TRACE_LOSS, &path->losses[k]), "the trace");
    need_ok(softrelu_report_trace_number(report, last, SOFTRELU_TRACE_SAMPLE_ROWS, &path->rows[k]), "the trace");
    return path->length == PATH_MOST;
}

static void set_method(softrelu_solver *solver, const struct method *method, int64_t iterations, int64_t seed) {
    set_text(solver, "hessian", method->hessian);
    set_text(solver, "step", method->step);
    set_text(solver, "globalisation", method->globalisation);
    set_text(solver, "tolerance", method->tolerance);
    need_ok(softrelu_solver_set_integer(solver, SOFTRELU_SETTING_MAX_ITERATIONS, iterations), softrelu_solver_message(solver));
    need_ok(softrelu_solver_set_integer(solver, SOFTRELU_SETTING_SAMPLE_SEED, seed), softrelu_solver_message(solver));
    need_ok(softrelu_solver_set_integer(solver, SOFTRELU_SETTING_SAMPLE_ROWS, method->rows), softrelu_solver_message(solver));
    if (method->epsilon > 0.0)
        need_ok(softrelu_solver_set_real(solver, SOFTRELU_SETTING_SAMPLE_EPSILON, method->epsilon),
                softrelu_solver_message(solver));
}

struct path follow(const softrelu_problem *problem, const struct minimiser *minimiser, const struct method *method,
                   const double *x0, int64_t iterations, int64_t seed) {
    struct path path = {.end = numbers(minimiser->d)};
    softrelu_solver *solver = solver_of(problem);
    struct observer observer = {minimiser, solver, &path, numbers(minimiser->d)};
    set_method(solver, method, iterations, seed);
    need_ok(softrelu_solver_set_start(solver, x0, minimiser->d), softrelu_solver_message(solver));
    need_ok(softrelu_solver_set_callback(solver, observe, &observer), softrelu_solver_message(solver));
    const softrelu_status status = softrelu_solver_solve(solver);
    need(status == SOFTRELU_OK || status == SOFTRELU_ERROR_OVERFLOW, softrelu_solver_message(solver));
    if (status == SOFTRELU_OK)
        need_ok(softrelu_solver_solution(solver, path.end, minimiser->d), softrelu_solver_message(solver));
    path.termination = softrelu_report_termination(softrelu_solver_report(solver));
    path.verdict = softrelu_certificate_verdict(softrelu_solver_certificate(solver));
    path.pinned = report_number(solver, SOFTRELU_REPORT_PINNED_KINKS);
    softrelu_solver_destroy(solver);
    free(observer.x);
    return path;
}

void path_free(struct path *path) { free(path->end); }
