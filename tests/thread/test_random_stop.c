/* Requests to stop at moments of the clock's, from another thread and from a handler of a timer's signals, for single solves
   and for batches on threads: whatever they meet, a point is kept and the next solve gives the usual bits. */

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

#include "outcome.h"
#include "support/solving.h"
#include "variant.h"

enum { D = 24, SEED = 83, TARGETS = 12, THREADS = 4 };

static double now(void) {
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static struct { /* for the handler too; written while no timer runs */
    softrelu_solver *solver;
    softrelu_batch *batch;
} target;

static void request(int number) {
    (void)number;
    softrelu_solver_request_stop(target.solver);
    softrelu_batch_request_stop(target.batch);
}

static void *request_later(void *delay) {
    const struct timespec time = {0, (long)(1e9 * *(const double *)delay)};
    (void)nanosleep(&time, NULL);
    request(0);
    return NULL;
}

static void set_timer(double delay) {
    const struct itimerval timer = {.it_value = {0, (suseconds_t)(1e6 * delay)}};
    assert_int_equal(setitimer(ITIMER_REAL, &timer, NULL), 0);
}

/* run() with a request after the delay; by a thread or by a signal. */
static void run_with_request(void (*run)(void), double delay, bool by_signal) {
    pthread_t thread;
    if (by_signal)
        set_timer(fmax(delay, 1e-6));
    else
        assert_int_equal(pthread_create(&thread, NULL, request_later, &delay), 0);
    run();
    if (by_signal)
        set_timer(0.0);
    else
        assert_int_equal(pthread_join(thread, NULL), 0);
}

static void solve(void) {
    const softrelu_status status = softrelu_solver_solve(target.solver);
    if (status != SOFTRELU_OK)
        fail_msg("%s", softrelu_solver_message(target.solver));
}

static int64_t stopped, all;

static void stop_solver(struct test_random *random, const struct outcome_bits *usual, softrelu_termination ended,
                        double seconds, bool by_signal) {
    double x[D];
    run_with_request(solve, random_uniform(random, 0.0, fmin(seconds, 0.9)), by_signal);
    const softrelu_termination termination = softrelu_report_termination(softrelu_solver_report(target.solver));
    assert_true(termination == SOFTRELU_STOP_REQUESTED || termination == ended);
    stopped += termination == SOFTRELU_STOP_REQUESTED;
    all++;
    assert_true(isfinite(report_number(target.solver, SOFTRELU_REPORT_LOSS)));
    assert_int_equal(softrelu_solver_solution(target.solver, x, D), SOFTRELU_OK);
    solve();
    struct outcome_bits again = outcome_of(target.solver, D);
    assert_true(same_outcome(&again, usual));
    outcome_free(&again);
}

static void solves(void **state) {
    (void)state;
    struct test_random random = {SEED};
    const int64_t requests = test_effort(200, 32, 1);
    const bool signals = test_effort(1, 1, 0) == 1; /* valgrind delivers them when it likes, in the next solve say */
    stopped = all = 0;
    for (int v = 0; v < VARIANTS; v++) {
        struct varied varied = varied_of(&VARIANT[v], SEED, D);
        assert_int_equal(varied_solver(&varied, &target.solver), SOFTRELU_OK);
        solve();
        const double began = now();
        solve();
        const double seconds = now() - began;
        struct outcome_bits usual = outcome_of(target.solver, D);
        const softrelu_termination ended = softrelu_report_termination(softrelu_solver_report(target.solver));
        for (int64_t k = 0; k < requests; k++)
            stop_solver(&random, &usual, ended, seconds, k % 2 == 0 && signals);
        outcome_free(&usual);
        softrelu_solver_destroy(target.solver);
        target.solver = NULL;
        varied_free(&varied);
    }
    print_message("%lld requests, %lld in time\n", (long long)all, (long long)stopped);
    assert_true(requests < 10 || stopped > all / 4);
}

static double found[TARGETS * D];

static void solve_batch(void) {
    const softrelu_status status = softrelu_solve_batch(target.batch, TARGETS, found, D);
    if (status != SOFTRELU_OK)
        fail_msg("%s", softrelu_batch_message(target.batch));
}

static void batches(void **state) {
    (void)state;
    struct test_random random = {SEED + 1};
    struct varied varied = varied_of(&VARIANT[1], SEED, D);
    softrelu_solver *solver = NULL;
    double usual[TARGETS * D];
    const int64_t m = varied.instance.m;
    double *b = test_doubles(TARGETS * m);
    for (int64_t k = 0; k < TARGETS * m; k++)
        b[k] = random_uniform(&random, 0.0, 2.0 / (double)m);
    const softrelu_status one = softrelu_blas_set_threads(1);
    assert_true(one == SOFTRELU_OK || one == SOFTRELU_ERROR_STATE);
    assert_int_equal(varied_solver(&varied, &solver), SOFTRELU_OK);
    assert_int_equal(softrelu_batch_create(solver, TARGETS, THREADS, SOFTRELU_BLAS_KEEP, &target.batch), SOFTRELU_OK);
    assert_int_equal(softrelu_batch_set_columns(target.batch, SOFTRELU_B, b, m), SOFTRELU_OK);
    const double began = now();
    solve_batch();
    const double seconds = now() - began;
    for (int64_t k = 0; k < TARGETS * D; k++)
        usual[k] = found[k];
    for (int64_t k = 0; k < test_effort(500, 40, 2); k++) {
        run_with_request(solve_batch, random_uniform(&random, 0.0, fmin(seconds, 0.9)), k % 2 == 0);
        int under_way = 0;
        for (int64_t t = 0; t < TARGETS; t++) {
            const softrelu_termination ended = softrelu_report_termination(softrelu_batch_report(target.batch, t));
            assert_int_equal(softrelu_batch_status(target.batch, t), SOFTRELU_OK);
            under_way += ended == SOFTRELU_STOP_REQUESTED;
            if (ended == SOFTRELU_CONVERGED)
                assert_same_doubles(D, found + t * D, usual + t * D);
        }
        assert_true(under_way <= THREADS);
        solve_batch();
        assert_same_doubles(TARGETS * D, found, usual);
    }
    softrelu_batch_destroy(target.batch);
    target.batch = NULL;
    softrelu_solver_destroy(solver);
    free(b);
    varied_free(&varied);
}

static int handle_alarms(void **state) {
    (void)state;
    const struct sigaction action = {.sa_handler = request};
    return sigaction(SIGALRM, &action, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(solves), cmocka_unit_test(batches)};
    return cmocka_run_group_tests_name("random stop", tests, handle_alarms, NULL);
}
