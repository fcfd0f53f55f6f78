/* SPDX-License-Identifier: BSD-3-Clause */
/* This library, through its public interface. Creating and sealing the problem and creating the solver are in its time. */
#include "peer.h"

#include <stdio.h>

#include "member.h"

struct watch {
    struct race *race;
    const softrelu_solver *solver;
    double *x;
};

static double latest(const softrelu_report *report, softrelu_quantity quantity) {
    double value = 0.0;
    need_ok(softrelu_report_trace_number(report, softrelu_report_trace_length(report) - 1, quantity, &value), "the trace");
    return value;
}

static int after_iteration(const softrelu_report *report, void *user) {
    struct watch *watch = user;
    need_ok(softrelu_solver_solution(watch->solver, watch->x, watch->race->d), "the solution");
    race_residual(watch->race, latest(report, SOFTRELU_TRACE_RESIDUAL));
    race_loss(watch->race, watch->x, latest(report, SOFTRELU_TRACE_LOSS));
    return 0;
}

static void solve(struct evaluation *at, const double *x0, int64_t starts, double *x, char status[STATUS_ROOM]) {
    const struct member *member = at->member;
    softrelu_problem *problem = pose(&member->network);
    softrelu_solver *solver = solver_of(problem);
    struct watch watch = {&at->race, solver, at->x};
    need_ok(softrelu_solver_set_start(solver, x0, x0 != NULL ? member->d : 0), softrelu_solver_message(solver));
    need_ok(softrelu_solver_set_callback(solver, after_iteration, &watch), softrelu_solver_message(solver));
    need_ok(softrelu_solver_set_integer(solver, SOFTRELU_SETTING_STARTS, starts), softrelu_solver_message(solver));
    need_ok(softrelu_solver_solve(solver), softrelu_solver_message(solver));
    need_ok(softrelu_solver_solution(solver, x, member->d), softrelu_solver_message(solver));
    at->counts.values = (int64_t)report_number(solver, SOFTRELU_REPORT_EVALUATIONS);
    at->counts.hessians = (int64_t)report_number(solver, SOFTRELU_REPORT_ITERATIONS);
    (void)snprintf(status, STATUS_ROOM, "%s, %s",
                   softrelu_termination_name(softrelu_report_termination(softrelu_solver_report(solver))),
                   softrelu_verdict_name(softrelu_certificate_verdict(softrelu_solver_certificate(solver))));
    softrelu_solver_destroy(solver);
    softrelu_problem_destroy(problem);
}

static void from_start(struct evaluation *at, double *x, char status[STATUS_ROOM]) { solve(at, x, 1, x, status); }

static void from_warm_start(struct evaluation *at, double *x, char status[STATUS_ROOM]) { solve(at, NULL, 1, x, status); }

static void from_many_starts(struct evaluation *at, double *x, char status[STATUS_ROOM]) { solve(at, x, 8, x, status); }

const struct peer softrelu_peers[] = {
    {"softrelu", from_start}, {"softrelu_warm", from_warm_start}, {"softrelu_starts8", from_many_starts}, {0}};
