/* SPDX-License-Identifier: BSD-3-Clause */
#include "commands.h"

#include "interrupt.h"
#include "outputs.h"
#include "problem.h"
#include "progress.h"
#include "report_json.h"
#include "settings.h"
#include "summary.h"
#include "targets.h"

#include <stdlib.h>
#include <unistd.h>

/* Everything one solve holds, so that it is freed in one place. */
struct session {
    struct inputs inputs;
    softrelu_problem *problem;
    softrelu_solver *solver;
    double *x; /* d */
    double *f; /* m */
};

static void session_free(struct session *session) {
    softrelu_solver_destroy(session->solver);
    softrelu_problem_destroy(session->problem);
    free(session->x);
    free(session->f);
    inputs_free(&session->inputs);
}

/* All that can be refused before the data is read: reading and solving may take long. */
static enum outcome check_early(const struct arguments *arguments, struct failure *failure) {
    const enum outcome outcome = settings_check(arguments, NULL, failure);
    return outcome == OUTCOME_OK ? outputs_check(arguments, failure) : outcome;
}

static double *allocate(int64_t count) {
    return (uint64_t)count <= SIZE_MAX / sizeof(double) ? malloc((size_t)count * sizeof(double)) : NULL;
}

static enum outcome prepare_solver(const struct arguments *arguments, struct session *session, struct failure *failure) {
    const struct input *start = &session->inputs.input[INPUT_X0];
    softrelu_status status = softrelu_solver_create(session->problem, &session->solver);
    if (status != SOFTRELU_OK) {
        return fail_status(failure, status, "the solver cannot be made", "");
    }
    const enum outcome outcome = settings_apply(arguments, session->solver, failure);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    if (start->path != NULL && !start->by_target) {
        status = softrelu_solver_set_start(session->solver, start->array.values, start->array.header.count);
        if (status != SOFTRELU_OK) {
            return fail_status(failure, status, "--x0", softrelu_solver_message(session->solver));
        }
    }
    session->x = allocate(session->inputs.size[DIMENSION_D]);
    session->f = allocate(session->inputs.size[DIMENSION_M]);
    return session->x != NULL && session->f != NULL ? OUTCOME_OK : fail(failure, OUTCOME_RESOURCES, "out of memory");
}

static enum outcome run_solver(const struct arguments *arguments, struct session *session, struct failure *failure) {
    struct progress progress = {session->solver, false, false};
    progress.shown = !arguments->quiet && (arguments->verbose || isatty(STDERR_FILENO) == 1);
    softrelu_status status = softrelu_solver_set_callback(session->solver, progress_iteration, &progress);
    if (status == SOFTRELU_OK) {
        interrupt_begin(session->solver);
        status = softrelu_solver_solve(session->solver);
        interrupt_end();
    }
    if (progress.begun) {
        (void)fputc('\n', stderr);
    }
    if (status == SOFTRELU_OK) {
        status = softrelu_solver_solution(session->solver, session->x, session->inputs.size[DIMENSION_D]);
    }
    return status == SOFTRELU_OK ? OUTCOME_OK
                                 : fail_status(failure, status, "the solve failed", softrelu_solver_message(session->solver));
}

/* The outputs at the best x. */
static enum outcome predict(struct session *session, struct failure *failure) {
    softrelu_evaluator *evaluator = NULL;
    softrelu_status status = softrelu_evaluator_create(session->problem, &evaluator);
    if (status == SOFTRELU_OK) {
        status = softrelu_evaluator_move(evaluator, session->x, session->inputs.size[DIMENSION_D]);
    }
    if (status == SOFTRELU_OK) {
        status = softrelu_evaluator_prediction(evaluator, session->f, session->inputs.size[DIMENSION_M]);
    }
    const enum outcome outcome =
        status == SOFTRELU_OK ? OUTCOME_OK : fail_status(failure, status, "f cannot be evaluated at the result", "");
    softrelu_evaluator_destroy(evaluator);
    return outcome;
}

static json_t *report_of_solve(const void *result) { return report_json(result); }

static enum outcome solve_session(const struct arguments *arguments, struct session *session, struct failure *failure) {
    enum outcome outcome = inputs_load(&session->inputs, arguments->input, true, failure);
    if (outcome == OUTCOME_OK) {
        outcome = problem_build(&session->inputs, arguments->loss, &session->problem, failure);
    }
    if (outcome == OUTCOME_OK) {
        outcome = prepare_solver(arguments, session, failure);
    }
    if (outcome == OUTCOME_OK && session->inputs.targets > 0) {
        return solve_targets(arguments, &session->inputs, session->solver, failure);
    }
    if (outcome == OUTCOME_OK && arguments->threads > 0) {
        return fail(failure, OUTCOME_BAD_INPUT, "--threads is for many targets, but --b has one");
    }
    if (outcome == OUTCOME_OK) {
        outcome = run_solver(arguments, session, failure);
    }
    if (outcome == OUTCOME_OK) {
        outcome = predict(session, failure);
    }
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    const struct solve_result result = {&session->inputs, session->solver, arguments->loss};
    outcome = outputs_write(arguments, session->x, 0, session->inputs.size[DIMENSION_D], report_of_solve, &result, failure);
    if (outcome == OUTCOME_OK && !arguments->quiet) {
        summary_print(&result, session->f, arguments->out, arguments->report);
    }
    if (outcome == OUTCOME_OK && softrelu_report_termination(softrelu_solver_report(session->solver)) != SOFTRELU_CONVERGED) {
        return OUTCOME_STOPPED;
    }
    return outcome;
}

enum outcome command_solve(const struct arguments *arguments, struct failure *failure) {
    enum outcome outcome = check_early(arguments, failure);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    struct session session = {0};
    outcome = solve_session(arguments, &session, failure);
    session_free(&session);
    return outcome;
}
