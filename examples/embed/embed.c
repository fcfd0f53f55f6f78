/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A service that answers within a deadline: how libsoftrelu sits inside a program that has other things to do.
 *
 *     embed [--deadline MILLISECONDS] [--requests K]
 *
 * One problem, which never changes, and one solver, whose memory is taken once, serve request after request: each a target that
 * the network should give. A request that is not finished at its deadline is answered with the best point so far, and what that
 * point is. Three ways to stop are shown: the time limit, a callback that finds the answer good enough, and
 * softrelu_solver_request_stop(), which is all that the handler of SIGINT does.
 */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <softrelu/softrelu.h>

enum { HIDDEN = 200, INPUTS = 80, OUTPUTS = 120 };

struct options {
    double deadline; /* seconds of each request */
    long requests;
};

/* ---- the network: weights as a training would leave them, from a generator of our own so that all runs are alike ----------
 */

struct network {
    double a1[HIDDEN * INPUTS], c1[HIDDEN], a2[OUTPUTS * HIDDEN];
};

static double random_number(void) { /* uniform in (-1, 1) */
    static unsigned long long state = 20240229;
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (double)(state >> 11) / 4503599627370496.0 - 1.0;
}

static void fill(double *values, int count, double scale) {
    for (int i = 0; i < count; i++)
        values[i] = scale * random_number();
}

/* ---- stopping -------------------------------------------------------------------------------------------------------- */

static softrelu_solver *volatile serving;      /* for the handler */
static volatile sig_atomic_t asked_to_end = 0; /* the solver forgets a request that comes between two solves */

static void on_interrupt(int signal_number) {
    (void)signal_number;
    asked_to_end = 1;
    softrelu_solver_request_stop(serving); /* an atomic is set, nothing else: safe in a handler */
}

struct patience {
    double good_enough; /* residual */
    int iterations;
};

/* After every iteration, in the thread that solves. Nonzero: stop, this is good enough. */
static int watch(const softrelu_report *report, void *user) {
    struct patience *patience = user;
    const int64_t last = softrelu_report_trace_length(report) - 1;
    double residual = INFINITY;
    softrelu_report_trace_number(report, last, SOFTRELU_TRACE_RESIDUAL, &residual);
    patience->iterations++;
    return residual <= patience->good_enough;
}

/* ---- serving ---------------------------------------------------------------------------------------------------------- */

static int complain(const char *what, const char *why) {
    fprintf(stderr, "embed: %s: %s\n", what, why);
    return 2;
}

static softrelu_problem *pose(const struct network *network) {
    softrelu_problem *problem = NULL;
    double uniform[OUTPUTS];
    for (int j = 0; j < OUTPUTS; j++)
        uniform[j] = 1.0 / OUTPUTS;
    if (softrelu_problem_create(HIDDEN, INPUTS, OUTPUTS, NULL, NULL, NULL, &problem) != SOFTRELU_OK)
        return NULL;
    /* borrowed: the network outlives the problem. The target is copied; every request brings its own. */
    if (softrelu_problem_set_matrix(problem, SOFTRELU_A1, network->a1, SOFTRELU_ROW_MAJOR, INPUTS, SOFTRELU_BORROW) ||
        softrelu_problem_set_vector(problem, SOFTRELU_C1, network->c1, HIDDEN, SOFTRELU_BORROW) ||
        softrelu_problem_set_matrix(problem, SOFTRELU_A2, network->a2, SOFTRELU_ROW_MAJOR, HIDDEN, SOFTRELU_BORROW) ||
        softrelu_problem_set_vector(problem, SOFTRELU_B, uniform, OUTPUTS, SOFTRELU_COPY) ||
        softrelu_problem_set_number(problem, SOFTRELU_RHO, 1e-3) || softrelu_problem_set_loss(problem, SOFTRELU_KL) ||
        softrelu_problem_finish(problem)) {
        complain("the problem", softrelu_problem_message(problem));
        softrelu_problem_destroy(problem);
        return NULL;
    }
    return problem;
}

static double number(const softrelu_report *report, softrelu_quantity quantity) {
    double value = NAN;
    softrelu_report_number(report, quantity, &value);
    return value;
}

/* One request: a distribution with most of its weight on a few outputs. 0: answered, 1: answered late, 2: an error. */
static int serve(softrelu_solver *solver, long request, const struct options *options, struct patience *patience) {
    double target[OUTPUTS], x[INPUTS], sum = 0.0;
    for (int j = 0; j < OUTPUTS; j++) {
        const double wish = random_number();
        target[j] = exp(4.0 * wish);
        sum += target[j];
    }
    for (int j = 0; j < OUTPUTS; j++)
        target[j] /= sum;
    patience->iterations = 0;
    if (softrelu_solver_set_vector(solver, SOFTRELU_B, target, OUTPUTS) || softrelu_solver_solve(solver) ||
        softrelu_solver_solution(solver, x, INPUTS))
        return complain("a request", softrelu_solver_message(solver));
    const softrelu_report *report = softrelu_solver_report(solver);
    const double seconds = number(report, SOFTRELU_REPORT_SECONDS);
    printf("request %2ld: %-15s after %6.2f ms, %3d iterations, loss %.6f, residual %.1e: %s\n", request,
           softrelu_termination_name(softrelu_report_termination(report)), 1e3 * seconds, patience->iterations,
           number(report, SOFTRELU_REPORT_LOSS), number(report, SOFTRELU_REPORT_RESIDUAL),
           softrelu_verdict_name(softrelu_certificate_verdict(softrelu_solver_certificate(solver))));
    return seconds > options->deadline + 0.05;
}

static int run(const struct options *options) {
    static struct network network; /* large */
    fill(network.a1, HIDDEN * INPUTS, 1.0 / sqrt(INPUTS));
    fill(network.c1, HIDDEN, 0.1);
    fill(network.a2, OUTPUTS * HIDDEN, 4.0 / sqrt(HIDDEN));
    softrelu_problem *problem = pose(&network);
    softrelu_solver *solver = NULL;
    struct patience patience = {1e-8, 0};
    int result = 2;
    if (problem == NULL)
        return 2;
    if (softrelu_solver_create(problem, &solver) ||
        softrelu_solver_set_real(solver, SOFTRELU_SETTING_TIME_LIMIT, options->deadline) ||
        softrelu_solver_set_callback(solver, watch, &patience)) {
        complain("the solver", solver != NULL ? softrelu_solver_message(solver) : "out of memory");
    } else {
        serving = solver;
        struct sigaction action = {.sa_handler = on_interrupt};
        sigaction(SIGINT, &action, NULL);
        result = 0;
        for (long request = 0; request < options->requests && result != 2 && !asked_to_end; request++) {
            const int served = serve(solver, request, options, &patience);
            result = served > result ? served : result;
        }
        action.sa_handler = SIG_DFL;
        sigaction(SIGINT, &action, NULL);
        serving = NULL;
        if (asked_to_end)
            puts("interrupted: the last request was answered with its best point");
    }
    softrelu_solver_destroy(solver);
    softrelu_problem_destroy(problem);
    return result;
}

int main(int argc, char **argv) {
    struct options options = {0.1, 10};
    for (int i = 1; i < argc; i += 2) {
        const double value = i + 1 < argc ? strtod(argv[i + 1], NULL) : 0.0;
        if (strcmp(argv[i], "--deadline") == 0 && value > 0.0)
            options.deadline = value * 1e-3;
        else if (strcmp(argv[i], "--requests") == 0 && value >= 1.0)
            options.requests = (long)value;
        else
            return complain(argv[i], "expected --deadline MILLISECONDS or --requests K");
    }
    return run(&options);
}
