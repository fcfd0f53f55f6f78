/* SPDX-License-Identifier: BSD-3-Clause */
#include "session.h"

#include "interrupt.h"
#include "outputs.h"
#include "problem.h"
#include "progress.h"
#include "ranks.h"
#include "settings.h"

#include <stdio.h>
#include <stdlib.h>

void session_free(struct session *session) {
    softrelu_solver_destroy(session->solver);
    softrelu_problem_destroy(session->problem);
    free(session->x);
    free(session->f);
    inputs_free(&session->inputs);
}

enum outcome session_check(const struct arguments *arguments, struct failure *failure) {
    const enum outcome outcome = settings_check(arguments, NULL, failure);
    return outcome == OUTCOME_OK ? outputs_check(arguments, failure) : outcome;
}

enum outcome session_names(const struct arguments *arguments, struct inputs *inputs, struct failure *failure) {
    char origin[4200];
    inputs->names = &arguments->names;
    if (arguments->names_file == NULL && arguments->names.count == 0) {
        return OUTCOME_OK;
    }
    (void)snprintf(origin, sizeof origin, arguments->names_file != NULL ? "--names '%s'" : "'%s': the attribute names",
                   arguments->names_file != NULL ? arguments->names_file : arguments->word[0]);
    return names_check(&arguments->names, origin, inputs->size[DIMENSION_M], failure);
}

static double *allocate(int64_t count) {
    return (uint64_t)count < SIZE_MAX / sizeof(double) ? malloc((size_t)(count > 0 ? count : 1) * sizeof(double)) : NULL;
}

enum outcome session_prepare(const struct arguments *arguments, struct session *session, struct failure *failure) {
    const struct input *start = &session->inputs.input[INPUT_X0];
    softrelu_status status = softrelu_solver_create(session->problem, &session->solver);
    if (status != SOFTRELU_OK) {
        return fail_status(failure, status, "the solver cannot be made", "");
    }
    if (arguments->starts > 0) {
        status = softrelu_solver_set_integer(session->solver, SOFTRELU_SETTING_STARTS, (int64_t)arguments->starts);
    }
    if (status != SOFTRELU_OK) {
        return fail_status(failure, status, "--starts", softrelu_solver_message(session->solver));
    }
    enum outcome outcome = settings_apply(arguments, session->solver, failure);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    if (start->path != NULL && !start->by_target) {
        status = softrelu_solver_set_start(session->solver, start->array.values, start->array.header.count);
        if (status != SOFTRELU_OK) {
            return fail_status(failure, status, "--x0", softrelu_solver_message(session->solver));
        }
    }
    outcome = shape_check(arguments, session->inputs.size[DIMENSION_D], failure);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    session->x = allocate(session->inputs.size[DIMENSION_D]);
    session->f = allocate(ranks_rank() == 0 ? session->inputs.size[DIMENSION_M] : session->inputs.rows);
    return session->x != NULL && session->f != NULL ? OUTCOME_OK : fail(failure, OUTCOME_RESOURCES, "out of memory");
}

static enum outcome solve(struct session *session, struct failure *failure) {
    interrupt_begin(session->solver);
    softrelu_status status = softrelu_solver_solve(session->solver);
    interrupt_end();
    if (status == SOFTRELU_OK) {
        status = softrelu_solver_solution(session->solver, session->x, session->inputs.size[DIMENSION_D]);
    }
    return status == SOFTRELU_OK ? OUTCOME_OK
                                 : fail_status(failure, status, "the solve failed", softrelu_solver_message(session->solver));
}

enum outcome session_run(const struct arguments *arguments, struct session *session, struct failure *failure) {
    struct progress progress;
    softrelu_status status = progress_begin(&progress, arguments, session->solver, NULL);
    const enum outcome outcome =
        status == SOFTRELU_OK ? solve(session, failure) : fail_status(failure, status, "the solve cannot be watched", "");
    progress_end(&progress);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    status = problem_predict(session->problem, &session->inputs, session->x, session->f);
    return status == SOFTRELU_OK ? OUTCOME_OK : fail_status(failure, status, "f cannot be evaluated at the result", "");
}

enum outcome session_write(const struct arguments *arguments, const struct session *session, json_t *(*make)(const void *),
                           const void *argument, struct failure *failure) {
    const struct inputs *inputs = &session->inputs;
    const struct page page = {.x = session->x,
                              .x_ref = inputs->input[INPUT_X_REF].array.values,
                              .x_ref_name = "x_ref",
                              .b_name = "b",
                              .f = session->f,
                              .b = inputs->input[INPUT_B].array.values,
                              .d = inputs->size[DIMENSION_D],
                              .m = inputs->size[DIMENSION_M],
                              .rows = arguments->rows,
                              .columns = arguments->columns};
    return outputs_write(arguments, &(struct contents){session->x, 0, page.d, make, argument, &page, session->f, page.m},
                         failure);
}
