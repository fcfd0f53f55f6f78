/* SPDX-License-Identifier: BSD-3-Clause */
/* Ipopt: an interior-point method, here without constraints a line-search Newton method with the exact Hessian or L-BFGS. */
#include "peer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <IpStdCInterface.h>

#include "support.h"

struct task {
    struct evaluation *at;
    double *hessian;
};

static Bool value(Index d, Number *x, Bool fresh, Number *loss, UserDataPtr task) {
    (void)d;
    (void)fresh;
    *loss = evaluate_value(((struct task *)task)->at, x);
    return isfinite(*loss);
}

static Bool gradient(Index d, Number *x, Bool fresh, Number *values, UserDataPtr task) {
    (void)d;
    (void)fresh;
    evaluate_gradient(((struct task *)task)->at, x, values);
    return TRUE;
}

static Bool no_constraints(Index d, Number *x, Bool fresh, Index m, Number *values, UserDataPtr task) {
    (void)d, (void)x, (void)fresh, (void)m, (void)values, (void)task;
    return TRUE;
}

static Bool no_jacobian(Index d, Number *x, Bool fresh, Index m, Index count, Index *rows, Index *columns, Number *values,
                        UserDataPtr task) {
    (void)d, (void)x, (void)fresh, (void)m, (void)count, (void)rows, (void)columns, (void)values, (void)task;
    return TRUE;
}

/* The lower triangle by rows. */
static Bool hessian(Index d, Number *x, Bool fresh, Number factor, Index m, Number *multipliers, Bool fresh_multipliers,
                    Index count, Index *rows, Index *columns, Number *values, UserDataPtr user) {
    (void)fresh, (void)m, (void)multipliers, (void)fresh_multipliers, (void)count;
    struct task *task = user;
    int64_t entry = 0;
    if (values != NULL)
        evaluate_hessian(task->at, x, task->hessian);
    for (Index i = 0; i < d; i++)
        for (Index k = 0; k <= i; k++, entry++) {
            if (values != NULL)
                values[entry] = factor * task->hessian[(int64_t)i * d + k];
            else {
                rows[entry] = i;
                columns[entry] = k;
            }
        }
    return TRUE;
}

static void choose(IpoptProblem problem, const char *name, const char *choice) {
    need(AddIpoptStrOption(problem, (char *)(uintptr_t)name, (char *)(uintptr_t)choice), name);
}

static void set(IpoptProblem problem, const char *name, double number) {
    need(AddIpoptNumOption(problem, (char *)(uintptr_t)name, number), name);
}

static void set_integer(IpoptProblem problem, const char *name, int number) {
    need(AddIpoptIntOption(problem, (char *)(uintptr_t)name, number), name);
}

static void configure(IpoptProblem problem, bool exact) {
    set_integer(problem, "print_level", 0);
    choose(problem, "sb", "yes");
    set(problem, "tol", 1e-14);
    set(problem, "dual_inf_tol", 1e-14);
    set_integer(problem, "acceptable_iter", 0);
    set_integer(problem, "max_iter", 1000000);
    choose(problem, "nlp_scaling_method", "none");
    if (exact)
        return;
    choose(problem, "hessian_approximation", "limited-memory");
    set_integer(problem, "limited_memory_max_history", 20);
}

static void minimise(struct evaluation *at, double *x, char status[STATUS_ROOM], bool exact) {
    const int d = at->d;
    struct task task = {at, numbers((int64_t)d * d)};
    double *lower = numbers(d), *upper = numbers(d), none[1] = {0.0}, loss;
    for (int k = 0; k < d; k++) {
        lower[k] = -2e19; /* what Ipopt takes for infinite */
        upper[k] = 2e19;
    }
    IpoptProblem problem = CreateIpoptProblem(d, lower, upper, 0, none, none, 0, exact ? d * (d + 1) / 2 : 0, 0, value,
                                              no_constraints, gradient, no_jacobian, hessian);
    configure(problem, exact);
    const int end = (int)IpoptSolve(problem, x, NULL, &loss, NULL, NULL, NULL, &task);
    FreeIpoptProblem(problem);
    free(lower);
    free(upper);
    free(task.hessian);
    (void)snprintf(status, STATUS_ROOM, "status %d", end);
}

static void newton(struct evaluation *at, double *x, char status[STATUS_ROOM]) { minimise(at, x, status, true); }

static void lbfgs(struct evaluation *at, double *x, char status[STATUS_ROOM]) { minimise(at, x, status, false); }

const struct peer ipopt_peers[] = {{"ipopt_exact", newton}, {"ipopt_lbfgs", lbfgs}, {0}};
