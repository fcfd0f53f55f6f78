/* SPDX-License-Identifier: BSD-3-Clause */
#include "commands.h"

#include "problem.h"
#include "ranks.h"
#include "report_json.h"
#include "session.h"
#include "summary.h"
#include "targets.h"

static json_t *report_of_solve(const void *result) { return report_json(result); }

static enum outcome solve_session(const struct arguments *arguments, struct session *session, struct failure *failure) {
    const bool many = ranks_communicator() == NULL;
    enum outcome outcome = ranks_agree(inputs_load(&session->inputs, arguments->input, many, arguments->map, failure), failure);
    if (outcome == OUTCOME_OK) {
        outcome = session_names(arguments, &session->inputs, failure);
    }
    if (outcome == OUTCOME_OK) {
        outcome = problem_build(&session->inputs, arguments->loss, &session->problem, failure);
    }
    if (outcome == OUTCOME_OK) {
        outcome = ranks_agree(session_prepare(arguments, session, failure), failure);
    }
    if (outcome == OUTCOME_OK && session->inputs.targets > 0) {
        if (arguments->html != NULL || arguments->svg != NULL) {
            return fail(failure, OUTCOME_BAD_INPUT, "--%s is for one target, but --b has %lld",
                        arguments->html != NULL ? "html" : "svg", (long long)session->inputs.targets);
        }
        return solve_targets(arguments, session, failure);
    }
    if (outcome == OUTCOME_OK && arguments->threads > 0) {
        return fail(failure, OUTCOME_BAD_INPUT, "--threads is for many targets, but --b has one");
    }
    if (outcome == OUTCOME_OK) {
        outcome = session_run(arguments, session, failure);
    }
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    const struct solve_result result = {&session->inputs, session->solver, arguments->loss};
    outcome = session_write(arguments, session, report_of_solve, &result, failure);
    if (outcome == OUTCOME_OK && arguments->summary) {
        summary_print(&result, session->f, arguments);
    }
    if (outcome == OUTCOME_OK && softrelu_report_termination(softrelu_solver_report(session->solver)) != SOFTRELU_CONVERGED) {
        return OUTCOME_STOPPED;
    }
    return outcome;
}

enum outcome command_solve(const struct arguments *arguments, struct failure *failure) {
    enum outcome outcome = ranks_agree(session_check(arguments, failure), failure);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    struct session session = {0};
    outcome = solve_session(arguments, &session, failure);
    session_free(&session);
    return outcome;
}
