/* Several starts of one solve: what they find is listed in order, each with its certificate, and the lowest is the solution. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/instance.h"
#include "support/refusal.h"
#include "support/same.h"
#include "support/solving.h"

enum { STARTS = 8 };

static double loss_of(const softrelu_certificate *certificate) {
    double loss = NAN;
    assert_int_equal(softrelu_certificate_number(certificate, SOFTRELU_CERTIFICATE_LOSS, &loss), SOFTRELU_OK);
    return loss;
}

static double distance(int64_t d, const double *x, const double *y) {
    double sum = 0.0;
    for (int64_t k = 0; k < d; k++)
        sum = hypot(sum, x[k] - y[k]);
    return sum;
}

/* The certificate that is listed is the one that an examiner makes anew, multipliers included. */
static void check_certificate(const struct solving *solving, const double *x, const softrelu_certificate *listed) {
    const int64_t n = solving->instance->n, d = solving->d;
    softrelu_certificate *anew = NULL;
    double *left = test_doubles(n + d), *right = test_doubles(n + d);
    assert_int_equal(softrelu_certificate_create(solving->built.problem, &anew), SOFTRELU_OK);
    assert_int_equal(softrelu_certify(anew, x, d, 1e-9, 1e-12), SOFTRELU_OK);
    assert_same_certificate(listed, anew);
    assert_int_equal(softrelu_certificate_multipliers(listed, left, n, left + n, d), SOFTRELU_OK);
    assert_int_equal(softrelu_certificate_multipliers(anew, right, n, right + n, d), SOFTRELU_OK);
    assert_same_doubles(n + d, left, right);
    signed char *kinks = calloc((size_t)(2 * (n + d)), 1);
    assert_non_null(kinks);
    assert_int_equal(softrelu_certificate_active(listed, kinks, n, kinks + n, d), SOFTRELU_OK);
    assert_int_equal(softrelu_certificate_active(anew, kinks + n + d, n, kinks + 2 * n + d, d), SOFTRELU_OK);
    assert_memory_equal(kinks, kinks + n + d, (size_t)(n + d));
    softrelu_certificate_destroy(anew);
    free(left);
    free(right);
    free(kinks);
}

/* Order, distinctness, certificates; returns how many there are. */
static int64_t check_list(const struct solving *solving) {
    const softrelu_solver *solver = solving->solver;
    const int64_t d = solving->d, count = softrelu_solver_minimiser_count(solver);
    double *x = test_doubles(d * (count + 2)), *solution = x + d * count, *zero = solution + d;
    assert_true(count >= 1);
    assert_true(report_number(solver, SOFTRELU_REPORT_MINIMISERS) == (double)count);
    assert_int_equal(softrelu_solver_solution(solver, solution, d), SOFTRELU_OK);
    for (int64_t i = 0; i < count; i++) {
        const softrelu_certificate *certificate = softrelu_solver_minimiser_certificate(solver, i);
        assert_int_equal(softrelu_solver_minimiser(solver, i, x + i * d, d), SOFTRELU_OK);
        check_certificate(solving, x + i * d, certificate);
        for (int64_t j = 0; j < i; j++)
            assert_true(distance(d, x + i * d, x + j * d) >
                        1e-6 * fmax(distance(d, x + i * d, zero), distance(d, x + j * d, zero)));
        if (i > 0) {
            const double before = loss_of(softrelu_solver_minimiser_certificate(solver, i - 1));
            assert_true(loss_of(certificate) >= before - 1e-12 * fabs(before));
        }
    }
    assert_same_doubles(d, x, solution);
    assert_same_certificate(softrelu_solver_certificate(solver), softrelu_solver_minimiser_certificate(solver, 0));
    free(x);
    return count;
}

/* Never above the single start; and on these problems, where minima are many, mostly below. */
static void lower_or_equal(void **state) {
    (void)state;
    struct test_random random = {31};
    int64_t lower = 0, found = 0;
    const int64_t cases = test_count(12, 2);
    for (int64_t k = 0; k < cases; k++) {
        struct instance instance = synthetic_instance(&random, 40, 10, 20, 0.5, 1e-3);
        instance.loss = k % 2 == 0 ? SOFTRELU_SQUARES : SOFTRELU_KL;
        struct solving solving = solving_of(&instance);
        assert_int_equal(softrelu_solver_minimiser_count(solving.solver), 0);
        const struct outcome single = solve_and_check(&solving);
        assert_int_equal(check_list(&solving), 1);
        assert_true(report_number(solving.solver, SOFTRELU_REPORT_STARTS) == 1.0);
        assert_int_equal(softrelu_solver_set_integer(solving.solver, SOFTRELU_SETTING_STARTS, STARTS), SOFTRELU_OK);
        const struct outcome several = solve_and_check(&solving); /* the trace is that of the lowest, too */
        assert_true(report_number(solving.solver, SOFTRELU_REPORT_STARTS) == (double)STARTS);
        assert_true(several.loss <= single.loss);
        lower += several.loss < single.loss * (1.0 - 1e-6);
        found += check_list(&solving);
        solving_free(&solving);
        instance_free(&instance);
    }
    print_message("  %lld of %lld lower with %d starts, %.1f distinct ends\n", (long long)lower, (long long)cases, STARTS,
                  (double)found / (double)cases);
    assert_true(4 * lower >= cases && found >= 2 * cases);
}

/* Starts that end at the same point are one entry: F is convex in this cell, and everything leads there. */
static void one_minimiser_is_listed_once(void **state) {
    (void)state;
    struct test_random random = {32};
    const struct instance_scales scales = {.A1 = 1, .A2 = 1, .b = 1, .x_ref = 1, .rho = 50.0};
    struct instance instance = random_instance(&random, 20, 6, 10, scales, SOFTRELU_KL);
    struct solving solving = solving_of(&instance);
    assert_int_equal(softrelu_solver_set_integer(solving.solver, SOFTRELU_SETTING_STARTS, STARTS), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solve(solving.solver), SOFTRELU_OK);
    assert_int_equal(check_list(&solving), 1);
    solving_free(&solving);
    instance_free(&instance);
}

/* The seed decides, and nothing else; the first start is that of a single solve. */
static void seeds(void **state) {
    (void)state;
    struct test_random random = {33};
    struct instance instance = synthetic_instance(&random, 40, 10, 20, 0.5, 1e-3);
    struct solving one = solving_of(&instance), two = solving_of(&instance);
    double *x0 = test_doubles(one.d), *left = test_doubles(one.d), *right = test_doubles(one.d);
    random_fill(&random, 1.0, one.d, x0);
    for (int given = 0; given < 2; given++) {
        assert_int_equal(softrelu_solver_set_start(one.solver, given ? x0 : NULL, given ? one.d : 0), SOFTRELU_OK);
        assert_int_equal(softrelu_solver_set_start(two.solver, given ? x0 : NULL, given ? one.d : 0), SOFTRELU_OK);
        assert_int_equal(softrelu_solver_set_text(one.solver, "starts", "9"), SOFTRELU_OK);
        assert_int_equal(softrelu_solver_set_text(two.solver, "starts", "9"), SOFTRELU_OK);
        assert_int_equal(softrelu_solver_set_text(one.solver, "start_seed", "9"), SOFTRELU_OK);
        assert_int_equal(softrelu_solver_set_text(two.solver, "start_seed", "10"), SOFTRELU_OK);
        assert_int_equal(softrelu_solver_solve(one.solver), SOFTRELU_OK);
        assert_int_equal(softrelu_solver_solve(two.solver), SOFTRELU_OK);
        bool differ = softrelu_solver_minimiser_count(one.solver) != softrelu_solver_minimiser_count(two.solver);
        for (int64_t i = 0; !differ && i < softrelu_solver_minimiser_count(one.solver); i++) {
            assert_int_equal(softrelu_solver_minimiser(one.solver, i, left, one.d), SOFTRELU_OK);
            assert_int_equal(softrelu_solver_minimiser(two.solver, i, right, one.d), SOFTRELU_OK);
            differ = memcmp(left, right, (size_t)one.d * sizeof *left) != 0;
        }
        assert_true(differ);
        assert_int_equal(softrelu_solver_set_text(two.solver, "start_seed", "9"), SOFTRELU_OK);
        assert_int_equal(softrelu_solver_solve(two.solver), SOFTRELU_OK);
        assert_same_solution(two.solver, one.solver, one.d);
    }
    free(x0);
    free(left);
    free(right);
    solving_free(&one);
    solving_free(&two);
    instance_free(&instance);
}

/* Counts the starts it sees, and stops the solve in one of them. */
struct watch {
    int64_t starts, stop_in;
};
static int stop_in_start(const softrelu_report *report, void *user) {
    struct watch *watch = user;
    double iteration = -1.0;
    (void)softrelu_report_trace_number(report, softrelu_report_trace_length(report) - 1, SOFTRELU_TRACE_ITERATION, &iteration);
    watch->starts += iteration == 0.0;
    return watch->starts == watch->stop_in;
}

static void stops_end_all_starts(void **state) {
    (void)state;
    struct test_random random = {34};
    struct instance instance = synthetic_instance(&random, 40, 10, 20, 0.5, 1e-3);
    struct solving solving = solving_of(&instance);
    struct watch watch = {0, 3};
    assert_int_equal(softrelu_solver_set_text(solving.solver, "starts", "6"), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_set_callback(solving.solver, stop_in_start, &watch), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solve(solving.solver), SOFTRELU_OK);
    assert_int_equal(watch.starts, 3);
    assert_true(report_number(solving.solver, SOFTRELU_REPORT_STARTS) == 3.0);
    (void)check_list(&solving);
    watch = (struct watch){0, -1};
    assert_int_equal(softrelu_solver_set_real(solving.solver, SOFTRELU_SETTING_TIME_LIMIT, 0.0), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solve(solving.solver), SOFTRELU_OK);
    assert_int_equal(watch.starts, 1);
    assert_int_equal(softrelu_report_termination(softrelu_solver_report(solving.solver)), SOFTRELU_TIME_LIMIT);
    solving_free(&solving);
    instance_free(&instance);
}

static void bounds_hold(void **state) {
    (void)state;
    struct test_random random = {35};
    struct instance instance = synthetic_instance(&random, 40, 10, 20, 0.5, 1e-3);
    instance.lower = test_doubles(10);
    instance.upper = test_doubles(10);
    for (int k = 0; k < 10; k++) {
        instance.lower[k] = -0.2;
        instance.upper[k] = k == 3 ? -0.2 : 0.3;
    }
    struct solving solving = solving_of(&instance);
    assert_int_equal(softrelu_solver_set_integer(solving.solver, SOFTRELU_SETTING_STARTS, STARTS), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solve(solving.solver), SOFTRELU_OK);
    for (int64_t i = 0; i < check_list(&solving); i++) {
        double x[10];
        assert_int_equal(softrelu_solver_minimiser(solving.solver, i, x, 10), SOFTRELU_OK);
        for (int k = 0; k < 10; k++)
            assert_true(x[k] >= instance.lower[k] && x[k] <= instance.upper[k]);
    }
    solving_free(&solving);
    instance_free(&instance);
}

static void misuse(void **state) {
    (void)state;
    struct test_random random = {36};
    struct instance instance = synthetic_instance(&random, 12, 4, 6, 0.5, 1e-3);
    struct solving solving = solving_of(&instance);
    softrelu_solver *s = solving.solver;
    double x[5];
    assert_int_equal(softrelu_solver_minimiser_count(NULL), 0);
    REFUSE(softrelu_solver_minimiser(s, 0, x, 4), SOFTRELU_ERROR_SIZE); /* before the first solve */
    assert_null(softrelu_solver_minimiser_certificate(s, 0));
    assert_null(softrelu_solver_minimiser_certificate(NULL, 0));
    REFUSE(softrelu_solver_set_integer(s, SOFTRELU_SETTING_STARTS, 0), SOFTRELU_ERROR_VALUE);
    REFUSE(softrelu_solver_set_integer(s, SOFTRELU_SETTING_STARTS, 1001), SOFTRELU_ERROR_VALUE);
    assert_int_equal(softrelu_solver_set_integer(s, SOFTRELU_SETTING_STARTS, 3), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solve(s), SOFTRELU_OK);
    const int64_t count = softrelu_solver_minimiser_count(s);
    REFUSE(softrelu_solver_minimiser(NULL, 0, x, 4), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_solver_minimiser(s, 0, NULL, 4), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_solver_minimiser(s, 0, x, 5), SOFTRELU_ERROR_SIZE);
    REFUSE(softrelu_solver_minimiser(s, -1, x, 4), SOFTRELU_ERROR_SIZE);
    REFUSE(softrelu_solver_minimiser(s, count, x, 4), SOFTRELU_ERROR_SIZE);
    assert_null(softrelu_solver_minimiser_certificate(s, count));
    assert_null(softrelu_solver_minimiser_certificate(s, -1));
    solving_free(&solving);
    instance_free(&instance);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(lower_or_equal), cmocka_unit_test(one_minimiser_is_listed_once),
                                       cmocka_unit_test(seeds),          cmocka_unit_test(stops_end_all_starts),
                                       cmocka_unit_test(bounds_hold),    cmocka_unit_test(misuse)};
    return cmocka_run_group_tests_name("several starts", tests, NULL, NULL);
}
