/*
 * The solver on the synthetic family: what it promises of every ending, whatever the step does at kinks.
 *
 * Losses are compared up to the round-off of F, see support/solving.h. No wall-clock time is asserted.
 */
#include <math.h>
#include <stdlib.h>

#include "support/solving.h"

static struct instance realizable(uint64_t seed, int64_t n, int64_t d, int64_t m) {
    struct test_random random = {seed};
    return synthetic_instance(&random, n, d, m, 0.0, 1e-6);
}

static double *random_point(uint64_t seed, int64_t d) {
    struct test_random random = {seed};
    double *x = test_doubles(d);
    random_fill(&random, 1.0, d, x);
    return x;
}

static void solve_both_starts(int64_t n, int64_t d, int64_t m) {
    struct instance instance = realizable(31, n, d, m);
    struct solving solving = solving_of(&instance);
    double *x0 = random_point(32, d);
    for (int start = 0; start < 2; start++) {
        assert_int_equal(softrelu_solver_set_start(solving.solver, start == 1 ? x0 : NULL, start == 1 ? d : 0), SOFTRELU_OK);
        const struct outcome outcome = solve_and_check(&solving);
        print_message("  %lld x %lld x %lld from the %s: %s after %g iterations, loss %.3g, residual %.2g\n", (long long)n,
                      (long long)d, (long long)m, start == 1 ? "random start" : "warm start",
                      softrelu_termination_name(outcome.termination), outcome.iterations, outcome.loss, outcome.relative);
        assert_true(outcome.termination == SOFTRELU_CONVERGED || outcome.termination == SOFTRELU_NO_PROGRESS ||
                    outcome.termination == SOFTRELU_ITERATION_LIMIT);
        if (start == 1)
            assert_true(outcome.loss <= loss_at(&solving, x0));
    }
    free(x0);
    solving_free(&solving);
    instance_free(&instance);
}

static void small_family(void **state) {
    (void)state;
    solve_both_starts(60, 40, 30);
}
static void middle_family(void **state) {
    (void)state;
    solve_both_starts(200, 20, 100);
}
static void large_family(void **state) {
    (void)state;
    if (test_count(1, 0) == 1)
        solve_both_starts(1000, 50, 300);
    else
        solve_both_starts(100, 10, 30);
}

static void noisy_family(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= (uint64_t)test_count(12, 2); seed++) {
        struct test_random random = {seed};
        struct instance instance = synthetic_instance(&random, 40, 1 + (int64_t)seed, 12, 1.0, 1e-3);
        instance.loss = seed % 2 == 0 ? SOFTRELU_SQUARES : SOFTRELU_KL;
        struct solving solving = solving_of(&instance);
        (void)solve_and_check(&solving);
        solving_free(&solving);
        instance_free(&instance);
    }
}

static void iteration_limits(void **state) {
    (void)state;
    struct instance instance = realizable(33, 60, 40, 30);
    struct solving solving = solving_of(&instance);
    double *x0 = random_point(34, 40), previous = loss_at(&solving, x0);
    assert_int_equal(softrelu_solver_set_start(solving.solver, x0, 40), SOFTRELU_OK);
    for (int64_t limit = 0; limit <= 5; limit++) {
        assert_int_equal(softrelu_solver_set_integer(solving.solver, SOFTRELU_SETTING_MAX_ITERATIONS, limit), SOFTRELU_OK);
        const struct outcome outcome = solve_and_check(&solving);
        assert_int_equal(outcome.termination, SOFTRELU_ITERATION_LIMIT);
        assert_true(outcome.iterations == (double)limit);
        assert_true(limit == 0 ? outcome.loss == previous : outcome.loss < previous);
        previous = outcome.loss;
    }
    free(x0);
    solving_free(&solving);
    instance_free(&instance);
}

static void evaluation_limits(void **state) {
    (void)state;
    struct instance instance = realizable(35, 60, 40, 30);
    struct solving solving = solving_of(&instance);
    double *x0 = random_point(36, 40);
    const int64_t limits[] = {1, 2, 3, 7, 20};
    for (int start = 0; start < 2; start++) {
        assert_int_equal(softrelu_solver_set_start(solving.solver, start == 1 ? x0 : NULL, start == 1 ? 40 : 0), SOFTRELU_OK);
        for (int k = 0; k < 5; k++) {
            assert_int_equal(softrelu_solver_set_integer(solving.solver, SOFTRELU_SETTING_MAX_EVALUATIONS, limits[k]),
                             SOFTRELU_OK);
            const struct outcome outcome = solve_and_check(&solving);
            if (start == 1)
                assert_true(outcome.loss <= loss_at(&solving, x0));
            if (outcome.termination != SOFTRELU_CONVERGED)
                assert_int_equal(outcome.termination, SOFTRELU_EVALUATION_LIMIT);
            /* the evaluation of the point to be returned, from the raw data, comes on top */
            if (outcome.evaluations > (double)limits[k] + 1.0)
                fail_msg("start %d: %g evaluations, limit %lld", start, outcome.evaluations, (long long)limits[k]);
        }
    }
    free(x0);
    solving_free(&solving);
    instance_free(&instance);
}

static void time_limits(void **state) {
    (void)state;
    struct instance instance = realizable(37, 60, 40, 30);
    struct solving solving = solving_of(&instance);
    double *x0 = random_point(38, 40);
    assert_int_equal(softrelu_solver_set_real(solving.solver, SOFTRELU_SETTING_TOLERANCE, 0.0), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_set_start(solving.solver, x0, 40), SOFTRELU_OK);
    const double limits[] = {0.0, 1e-9};
    for (int k = 0; k < 2; k++) {
        assert_int_equal(softrelu_solver_set_real(solving.solver, SOFTRELU_SETTING_TIME_LIMIT, limits[k]), SOFTRELU_OK);
        const struct outcome outcome = solve_and_check(&solving);
        assert_int_equal(outcome.termination, SOFTRELU_TIME_LIMIT);
        assert_true(outcome.loss <= loss_at(&solving, x0));
        assert_true(outcome.iterations <= 1.0);
    }
    free(x0);
    solving_free(&solving);
    instance_free(&instance);
}

/* The trace after a solve with a ring of length records, against one that kept all of them. */
static void compare_rings(const struct solving *solving, int64_t length, const double *losses, int64_t all) {
    const softrelu_report *report = softrelu_solver_report(solving->solver);
    const int64_t kept = all < length ? all : length;
    assert_int_equal(softrelu_report_trace_length(report), kept);
    for (int64_t k = 0; k < kept; k++) {
        double iteration = NAN, loss = NAN;
        assert_int_equal(softrelu_report_trace_number(report, k, SOFTRELU_TRACE_ITERATION, &iteration), SOFTRELU_OK);
        assert_int_equal(softrelu_report_trace_number(report, k, SOFTRELU_TRACE_LOSS, &loss), SOFTRELU_OK);
        assert_true(iteration == (double)(all - kept + k));
        assert_same_doubles(1, &loss, &losses[all - kept + k]);
    }
}

static void trace_ring(void **state) {
    (void)state;
    struct instance instance = realizable(39, 60, 40, 30);
    struct solving solving = solving_of(&instance);
    double *x0 = random_point(40, 40);
    assert_int_equal(softrelu_solver_set_start(solving.solver, x0, 40), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_set_integer(solving.solver, SOFTRELU_SETTING_MAX_ITERATIONS, 12), SOFTRELU_OK);
    const struct outcome outcome = solve_and_check(&solving);
    const softrelu_report *report = softrelu_solver_report(solving.solver);
    const int64_t all = softrelu_report_trace_length(report);
    assert_int_equal(all, (int64_t)outcome.iterations + 1);
    double *losses = test_doubles(all);
    for (int64_t k = 0; k < all; k++)
        assert_int_equal(softrelu_report_trace_number(report, k, SOFTRELU_TRACE_LOSS, &losses[k]), SOFTRELU_OK);
    const int64_t lengths[] = {0, 1, 2, 5, 13, 14, 100};
    for (int k = 0; k < 7; k++) {
        assert_int_equal(softrelu_solver_set_integer(solving.solver, SOFTRELU_SETTING_TRACE_LENGTH, lengths[k]), SOFTRELU_OK);
        (void)solve_and_check(&solving);
        compare_rings(&solving, lengths[k], losses, all);
    }
    free(losses);
    free(x0);
    solving_free(&solving);
    instance_free(&instance);
}

/* Twice the same solver, and another one: the same bits with one BLAS thread. */
static void repeatable(void **state) {
    (void)state;
    const softrelu_status one_thread = softrelu_blas_set_threads(1);
    assert_true(one_thread == SOFTRELU_OK || one_thread == SOFTRELU_ERROR_STATE);
    struct instance instance = realizable(41, 60, 40, 30), other = realizable(42, 60, 40, 30);
    struct solving first = solving_of(&instance), second = solving_of(&instance), between = solving_of(&other);
    double *x[3] = {test_doubles(40), test_doubles(40), test_doubles(40)};
    double *x0 = random_point(43, 40);
    for (int warm = 0; warm < 2; warm++) {
        for (int run = 0; run < 3; run++) {
            struct solving *solving = run == 2 ? &second : &first;
            if (run == 1) { /* something else in between, from elsewhere, must leave nothing behind */
                assert_int_equal(softrelu_solver_set_start(first.solver, x0, 40), SOFTRELU_OK);
                (void)solve_and_check(&first);
                (void)solve_and_check(&between);
            }
            x0[0] += warm == 1 ? 0.0 : (run == 1 ? 1.0 : 0.0);
            double *start = warm == 1 ? NULL : test_doubles(40);
            assert_int_equal(softrelu_solver_set_start(solving->solver, start, warm == 1 ? 0 : 40), SOFTRELU_OK);
            (void)solve_and_check(solving);
            assert_int_equal(softrelu_solver_solution(solving->solver, x[run], 40), SOFTRELU_OK);
            free(start);
        }
        assert_same_doubles(40, x[1], x[0]);
        assert_same_doubles(40, x[2], x[0]);
    }
    for (int k = 0; k < 3; k++)
        free(x[k]);
    free(x0);
    solving_free(&first);
    solving_free(&second);
    solving_free(&between);
    instance_free(&instance);
    instance_free(&other);
}

/* Residuals of the trace at the end: r_{k+1} <= C r_k^2, with C = 100 / r_0 and r_k below 1e-3 r_0 so that this says much more
   than a decrease; 1e-12 r_0 is left to round-off. At least one such pair must be there. */
static void assert_quadratic(const softrelu_report *report) {
    const int64_t length = softrelu_report_trace_length(report);
    double first = NAN, before = NAN;
    int64_t pairs = 0;
    for (int64_t k = 0; k < length; k++) {
        double residual = NAN;
        assert_int_equal(softrelu_report_trace_number(report, k, SOFTRELU_TRACE_RESIDUAL, &residual), SOFTRELU_OK);
        if (k == 0)
            first = residual;
        else if (before <= 1e-3 * first) {
            pairs++;
            if (!(residual <= fmax(100.0 * before * before / first, 1e-12 * first)))
                fail_msg("iteration %lld: residual from %g to %g, first %g", (long long)k, before, residual, first);
        }
        before = residual;
    }
    assert_true(pairs >= 1);
}

/* All units on by large biases, and w > 0 with full rank: F is smooth and its Hessian at the end positive definite. Newton's
   steps alone: those that open a solve converge as they can. */
static void smooth_problems(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= (uint64_t)test_count(20, 3); seed++) {
        struct test_random random = {1000 + seed};
        const struct instance_scales scales = {.A1 = 1, .A2 = 4, .b = 1, .w = 0.1};
        struct instance instance = random_instance(&random, 30, 8, 10, scales, seed % 2 == 0 ? SOFTRELU_SQUARES : SOFTRELU_KL);
        instance.c1 = test_doubles(30);
        instance.c2 = test_doubles(10); /* takes the biases' share of the logits away again */
        for (int i = 0; i < 300; i++) {
            instance.c1[i % 30] = 12.0;
            instance.c2[i / 30] -= 12.0 * instance.A2[i];
        }
        struct solving solving = solving_of(&instance);
        double *x0 = random_point(2000 + seed, 8);
        assert_int_equal(softrelu_solver_set_start(solving.solver, x0, 8), SOFTRELU_OK);
        assert_int_equal(softrelu_solver_set_integer(solving.solver, SOFTRELU_SETTING_WARM_START_ROUNDS, 0), SOFTRELU_OK);
        const struct outcome outcome = solve_and_check(&solving);
        if (outcome.termination != SOFTRELU_CONVERGED)
            fail_msg("seed %d: %s, residual %g", (int)seed, softrelu_termination_name(outcome.termination), outcome.relative);
        assert_true(outcome.relative <= 1e-12);
        assert_quadratic(softrelu_solver_report(solving.solver));
        free(x0);
        solving_free(&solving);
        instance_free(&instance);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(small_family),     cmocka_unit_test(middle_family),
                                       cmocka_unit_test(large_family),     cmocka_unit_test(noisy_family),
                                       cmocka_unit_test(iteration_limits), cmocka_unit_test(evaluation_limits),
                                       cmocka_unit_test(time_limits),      cmocka_unit_test(trace_ring),
                                       cmocka_unit_test(repeatable),       cmocka_unit_test(smooth_problems)};
    return cmocka_run_group_tests_name("solver", tests, NULL, NULL);
}
