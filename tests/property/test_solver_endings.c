/* Stopping from the callback, from another thread and before the solve; degenerate problems; refusals of the solver. */
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "support/solving.h"

static const double NO_TOLERANCE = 0.0;

static struct instance realizable(uint64_t seed) {
    struct test_random random = {seed};
    return synthetic_instance(&random, 60, 40, 30, 0.0, 1e-6);
}

struct watcher {
    softrelu_solver *solver;
    int64_t calls, stop_at;
    int answer;     /* returned at stop_at */
    bool request;   /* softrelu_solver_request_stop() at stop_at */
    bool in_thread; /* ... from another thread */
    double last_loss;
};

static void *request_from_thread(void *solver) {
    softrelu_solver_request_stop(solver);
    return NULL;
}

static int watch(const softrelu_report *report, void *user) {
    struct watcher *watcher = user;
    double iterations = NAN, iteration = NAN, loss = NAN, traced = NAN;
    const int64_t length = softrelu_report_trace_length(report);
    assert_int_equal(softrelu_report_termination(report), SOFTRELU_NOT_RUN);
    assert_int_equal(softrelu_report_number(report, SOFTRELU_REPORT_ITERATIONS, &iterations), SOFTRELU_OK);
    assert_int_equal(softrelu_report_number(report, SOFTRELU_REPORT_LOSS, &loss), SOFTRELU_OK);
    assert_int_equal(softrelu_report_trace_number(report, length - 1, SOFTRELU_TRACE_ITERATION, &iteration), SOFTRELU_OK);
    assert_int_equal(softrelu_report_trace_number(report, length - 1, SOFTRELU_TRACE_LOSS, &traced), SOFTRELU_OK);
    assert_true(iterations == (double)watcher->calls && iteration == iterations && traced == loss);
    watcher->last_loss = loss;
    if (watcher->calls++ != watcher->stop_at)
        return 0;
    if (watcher->request && watcher->in_thread) {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, request_from_thread, watcher->solver), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
    } else if (watcher->request) {
        softrelu_solver_request_stop(watcher->solver);
    }
    return watcher->answer;
}

static void stop_at(struct solving *solving, struct watcher watcher, softrelu_termination expected) {
    for (watcher.stop_at = 0; watcher.stop_at <= 6; watcher.stop_at++) {
        watcher.calls = 0;
        watcher.solver = solving->solver;
        assert_int_equal(softrelu_solver_set_callback(solving->solver, watch, &watcher), SOFTRELU_OK);
        const struct outcome outcome = solve_and_check(solving);
        assert_int_equal(outcome.termination, expected);
        assert_true(outcome.iterations == (double)watcher.stop_at);
        assert_int_equal(watcher.calls, watcher.stop_at + 1);
    }
    assert_int_equal(softrelu_solver_set_callback(solving->solver, NULL, NULL), SOFTRELU_OK);
}

static void stopped_on_request(void **state) {
    (void)state;
    struct instance instance = realizable(51);
    struct solving solving = solving_of(&instance);
    double *x0 = test_doubles(40);
    struct test_random random = {52};
    random_fill(&random, 1.0, 40, x0);
    assert_int_equal(softrelu_solver_set_start(solving.solver, x0, 40), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_set_real(solving.solver, SOFTRELU_SETTING_TOLERANCE, NO_TOLERANCE), SOFTRELU_OK);
    stop_at(&solving, (struct watcher){.answer = 1}, SOFTRELU_CALLBACK_STOP);
    stop_at(&solving, (struct watcher){.answer = -5}, SOFTRELU_CALLBACK_STOP);
    stop_at(&solving, (struct watcher){.request = true}, SOFTRELU_STOP_REQUESTED);
    stop_at(&solving, (struct watcher){.request = true, .in_thread = true}, SOFTRELU_STOP_REQUESTED);

    /* a request made while no solve runs is forgotten */
    softrelu_solver_request_stop(solving.solver);
    assert_int_equal(softrelu_solver_set_integer(solving.solver, SOFTRELU_SETTING_MAX_ITERATIONS, 3), SOFTRELU_OK);
    assert_int_equal(solve_and_check(&solving).termination, SOFTRELU_ITERATION_LIMIT);
    free(x0);
    solving_free(&solving);
    instance_free(&instance);
}

/* A callback that changes nothing changes no bit of the result. */
static void watching_changes_nothing(void **state) {
    (void)state;
    struct instance instance = realizable(53);
    struct solving solving = solving_of(&instance);
    double *seen = test_doubles(40), *unseen = test_doubles(40);
    struct watcher watcher = {.solver = solving.solver, .stop_at = -1};
    assert_int_equal(softrelu_solver_set_integer(solving.solver, SOFTRELU_SETTING_MAX_ITERATIONS, 30), SOFTRELU_OK);
    (void)solve_and_check(&solving);
    assert_int_equal(softrelu_solver_solution(solving.solver, unseen, 40), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_set_callback(solving.solver, watch, &watcher), SOFTRELU_OK);
    (void)solve_and_check(&solving);
    assert_int_equal(softrelu_solver_solution(solving.solver, seen, 40), SOFTRELU_OK);
    assert_same_doubles(40, seen, unseen);
    assert_true(watcher.calls >= 1);
    free(seen);
    free(unseen);
    solving_free(&solving);
    instance_free(&instance);
}

/* Solves from the warm start and from ones; both must end without an error. */
static struct outcome solve_degenerate(const struct instance *instance, const double *x0) {
    struct solving solving = solving_of(instance);
    (void)solve_and_check(&solving);
    assert_int_equal(softrelu_solver_set_start(solving.solver, x0, instance->d), SOFTRELU_OK);
    const double before = loss_at(&solving, x0);
    const struct outcome outcome = solve_and_check(&solving);
    assert_true(outcome.loss <= before);
    solving_free(&solving);
    return outcome;
}

static void smallest(void **state) {
    (void)state;
    double one = 1.0, half = 0.5, x0 = 1.0, w = 0.5;
    struct instance instance = {.n = 1, .d = 1, .m = 1, .A1 = &one, .b = &half, .loss = SOFTRELU_SQUARES};
    /* one output: f = 1 whatever x, so every point is a minimiser with F = 1/8 */
    struct outcome outcome = solve_degenerate(&instance, &x0);
    assert_int_equal(outcome.termination, SOFTRELU_CONVERGED);
    assert_true(outcome.loss == 0.125 && outcome.iterations == 0.0);
    instance.w = &w; /* now the minimiser is 0 */
    outcome = solve_degenerate(&instance, &x0);
    assert_int_equal(outcome.termination, SOFTRELU_CONVERGED);
    assert_true(fabs(outcome.loss - 0.125) < 1e-15);
    instance.w = NULL;
    instance.x_ref = &half;
    instance.rho = 2.0; /* and now it is x_ref */
    outcome = solve_degenerate(&instance, &x0);
    assert_int_equal(outcome.termination, SOFTRELU_CONVERGED);
    assert_true(fabs(outcome.loss - 0.125) < 1e-15);
}

static struct instance degenerate(int64_t m, double b_scale, softrelu_loss loss) {
    struct test_random random = {54};
    return random_instance(&random, 12, 4, m, (struct instance_scales){.A1 = 1, .A2 = 1, .b = b_scale}, loss);
}

static void degenerate_problems(void **state) {
    (void)state;
    const double ones[4] = {1, 1, 1, 1};
    for (int loss = 0; loss < 2; loss++) {
        const softrelu_loss which = loss == 0 ? SOFTRELU_SQUARES : SOFTRELU_KL;
        struct instance one_output = degenerate(1, 1, which);
        assert_int_equal(solve_degenerate(&one_output, ones).termination, SOFTRELU_CONVERGED);
        instance_free(&one_output);

        struct instance zero = degenerate(5, 1, which); /* nothing depends on x */
        for (int i = 0; i < 48; i++)
            zero.A1[i] = 0.0;
        assert_int_equal(solve_degenerate(&zero, ones).termination, SOFTRELU_CONVERGED);
        instance_free(&zero);

        struct instance off = degenerate(5, 1, which); /* flat wherever the iterates go */
        off.c1 = test_doubles(12);
        for (int i = 0; i < 12; i++)
            off.c1[i] = -1e3;
        assert_int_equal(solve_degenerate(&off, ones).termination, SOFTRELU_CONVERGED);
        instance_free(&off);

        struct instance free_of_weights = degenerate(5, 1, which); /* w = 0 and rho = 0: R = 0 */
        (void)solve_degenerate(&free_of_weights, ones);
        instance_free(&free_of_weights);

        struct instance elsewhere = degenerate(5, 7.0, which); /* b far outside the simplex, one entry negative */
        elsewhere.b[2] = -3.0;
        elsewhere.rho = 10.0;
        (void)solve_degenerate(&elsewhere, ones);
        instance_free(&elsewhere);

        struct instance steep = degenerate(5, 1, which); /* logits of 1e4 */
        for (int i = 0; i < 60; i++)
            steep.A2[i] *= 1e4;
        (void)solve_degenerate(&steep, ones);
        steep.rho = 1.0;
        (void)solve_degenerate(&steep, ones);
        instance_free(&steep);
    }
}

/* A start at which F overflows is an error, leaves no solution, and the solver goes on working afterwards. */
static void overflow_at_the_start(void **state) {
    (void)state;
    struct instance instance = realizable(55);
    struct solving solving = solving_of(&instance);
    double *x0 = test_doubles(40), *x = test_doubles(40);
    for (int k = 0; k < 40; k++)
        x0[k] = 1e308;
    x[0] = -7.0;
    assert_int_equal(softrelu_solver_set_start(solving.solver, x0, 40), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solve(solving.solver), SOFTRELU_ERROR_OVERFLOW);
    assert_true(softrelu_solver_message(solving.solver)[0] != '\0');
    assert_int_equal(softrelu_report_termination(softrelu_solver_report(solving.solver)), SOFTRELU_NOT_RUN);
    assert_int_equal(softrelu_solver_solution(solving.solver, x, 40), SOFTRELU_ERROR_STATE);
    assert_true(x[0] == -7.0);
    assert_int_equal(softrelu_solver_set_start(solving.solver, NULL, 0), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_set_integer(solving.solver, SOFTRELU_SETTING_MAX_ITERATIONS, 20), SOFTRELU_OK);
    (void)solve_and_check(&solving);
    assert_string_equal(softrelu_solver_message(solving.solver), "");
    free(x0);
    free(x);
    solving_free(&solving);
    instance_free(&instance);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(stopped_on_request), cmocka_unit_test(watching_changes_nothing),
                                       cmocka_unit_test(smallest), cmocka_unit_test(degenerate_problems),
                                       cmocka_unit_test(overflow_at_the_start)};
    return cmocka_run_group_tests_name("solver endings", tests, NULL, NULL);
}
