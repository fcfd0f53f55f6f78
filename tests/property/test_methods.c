/* Every matrix and every way to the step end at certified points, by their own rules: what the report counts, what a seed
   decides, and what is done when a sample is too small. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/solving.h"

static const char *const HESSIANS[] = {"exact", "gauss-newton", "sampled"}, *const STEPS[] = {"cholesky", "pcg"};

static void set(softrelu_solver *solver, const char *name, const char *value) {
    if (softrelu_solver_set_text(solver, name, value) != SOFTRELU_OK)
        fail_msg("%s", softrelu_solver_message(solver));
}

static double count(const struct solving *solving, softrelu_quantity quantity) {
    return report_number(solving->solver, quantity);
}

static void check_counts(const struct solving *solving, int hessian, int step) {
    const double rows = count(solving, SOFTRELU_REPORT_SAMPLE_ROWS),
                 products = count(solving, SOFTRELU_REPORT_HESSIAN_PRODUCTS);
    const double iterations = count(solving, SOFTRELU_REPORT_ITERATIONS);
    assert_true((rows > 0.0) == (hessian == 2) || count(solving, SOFTRELU_REPORT_SAMPLE_FALLBACKS) > 0.0);
    const double gradients = count(solving, SOFTRELU_REPORT_GRADIENT_STEPS);
    assert_true(step == 1 ? products + gradients > 0.0 || iterations == 0.0 : products == 0.0);
    /* every iteration assembles, but for gradient steps; conjugate gradients go on with the last matrix; samples need none */
    const double assemblies = count(solving, SOFTRELU_REPORT_ASSEMBLIES);
    if (hessian == 2)
        assert_true(assemblies == count(solving, SOFTRELU_REPORT_SAMPLE_FALLBACKS));
    else
        assert_true(step == 1 || assemblies + gradients >= iterations);
    const int64_t length = softrelu_report_trace_length(softrelu_solver_report(solving->solver));
    double most = 0.0;
    for (int64_t record = 0; record < length; record++)
        most = fmax(most, trace_number(solving->solver, record, SOFTRELU_TRACE_SAMPLE_ROWS));
    assert_true(most <= rows); /* fits of the warm start sample, too */
    assert_true(trace_number(solving->solver, length - 1, SOFTRELU_TRACE_HESSIAN_PRODUCTS) == products);
}

static struct instance instance_of(struct test_random *random, int64_t trial) {
    static const double noises[] = {0.0, 0.0, 0.5, 1.0}, weights[] = {1e-3, 1e-2, 1e-2, 1e-3};
    const int64_t d = random_between(random, 2, 12), n = d * random_between(random, 3, 10),
                  m = d * random_between(random, 4, 60);
    struct instance instance = synthetic_instance(random, n, d, m, noises[trial % 4], weights[trial % 4]);
    instance.loss = trial % 3 == 0 ? SOFTRELU_KL : SOFTRELU_SQUARES;
    if (trial % 5 == 4) {
        instance.lower = test_doubles(d);
        instance.upper = test_doubles(d);
        for (int64_t k = 0; k < d; k++) {
            instance.lower[k] = -0.5;
            instance.upper[k] = 0.5;
        }
    }
    return instance;
}

/* solve_and_check() compares everything with an evaluator of its own; here: all methods converge, and to certified minimisers.
 */
static void all_methods_converge(void **state) {
    (void)state;
    struct test_random random = {909};
    int64_t solves = 0, certified = 0, same = 0, compared = 0;
    double assembled[2] = {0.0, 0.0}; /* with exact Hessians: by each way to the step */
    for (int64_t trial = 0; trial < test_count(40, 3); trial++) {
        struct instance instance = instance_of(&random, trial);
        struct solving solving = solving_of(&instance);
        double *x0 = test_doubles(instance.d), exact_loss = NAN;
        random_fill(&random, 1.0, instance.d, x0);
        if (trial % 2 == 0)
            assert_int_equal(softrelu_solver_set_start(solving.solver, x0, instance.d), SOFTRELU_OK);
        for (int method = 0; method < 6; method++) {
            set(solving.solver, "hessian", HESSIANS[method / 2]);
            set(solving.solver, "step", STEPS[method % 2]);
            set(solving.solver, "jacobian_memory", trial % 2 == 0 ? "0" : "-1");
            set(solving.solver, "curvature_precision", trial % 3 == 1 ? "single" : "double");
            const struct outcome outcome = solve_and_check(&solving);
            if (outcome.termination != SOFTRELU_CONVERGED)
                fail_msg("trial %lld, %s, %s: %s, relative residual %g", (long long)trial, HESSIANS[method / 2],
                         STEPS[method % 2], softrelu_termination_name(outcome.termination), outcome.relative);
            check_counts(&solving, method / 2, method % 2);
            if (method < 2)
                assembled[method] += count(&solving, SOFTRELU_REPORT_ASSEMBLIES);
            const softrelu_certificate *certificate = softrelu_solver_certificate(solving.solver);
            certified += softrelu_certificate_verdict(certificate) == SOFTRELU_VERDICT_CERTIFIED;
            solves++;
            exact_loss = method == 0 ? outcome.loss : exact_loss;
            compared += method > 0;
            same += method > 0 && fabs(outcome.loss - exact_loss) <= 1e-9 * (1.0 + fabs(exact_loss));
        }
        free(x0);
        solving_free(&solving);
        instance_free(&instance);
    }
    print_message("  %lld solves converged, %lld certified; %lld of %lld at the minimum that exact Newton steps found\n",
                  (long long)solves, (long long)certified, (long long)same, (long long)compared);
    print_message("  %.0f exact Hessians assembled, %.0f where conjugate gradients go on with the last one\n", assembled[0],
                  assembled[1]);
    assert_true(assembled[1] < 0.7 * assembled[0]);
    assert_true(certified >= solves - solves / 50);
    assert_true(2 * same >= compared); /* F has many minima; the same path is the rule all the same */
}

/* Conjugate gradients to a small tolerance take the very steps that factoring takes. */
static void exact_steps_by_products(void **state) {
    (void)state;
    struct test_random random = {910};
    for (int64_t trial = 0; trial < test_count(12, 2); trial++) {
        struct instance instance = synthetic_instance(&random, 60, 8, 120, 0.3, 1e-2);
        struct solving solving = solving_of(&instance);
        double *x0 = test_doubles(8), expected[8], x[8];
        random_fill(&random, 1.0, 8, x0);
        assert_int_equal(softrelu_solver_set_start(solving.solver, x0, 8), SOFTRELU_OK);
        set(solving.solver, "step_tolerance", "1e-12");
        const double iterations = solve_and_check(&solving).iterations;
        assert_int_equal(softrelu_solver_solution(solving.solver, expected, 8), SOFTRELU_OK);
        for (int method = 0; method < 2; method++) {
            set(solving.solver, "hessian", method == 0 ? "exact" : "sampled");
            set(solving.solver, "step", "pcg");
            const struct outcome outcome = solve_and_check(&solving);
            assert_true(fabs(outcome.iterations - iterations) <= 2.0); /* the last ones are up to round-off */
            assert_int_equal(softrelu_solver_solution(solving.solver, x, 8), SOFTRELU_OK);
            assert_true(worst_error(8, x, expected) <= 1e-8);
        }
        free(x0);
        solving_free(&solving);
        instance_free(&instance);
    }
}

/* Single precision curvature: the same certified points, to the same accuracy; data beyond its range are no obstacle. */
static void single_precision(void **state) {
    (void)state;
    struct test_random random = {914};
    int64_t same = 0;
    const int64_t trials = test_count(40, 4);
    for (int64_t trial = 0; trial < trials; trial++) {
        struct instance instance = synthetic_instance(&random, 80, 8, 60, trial % 2 == 0 ? 0.0 : 0.5, 1e-2);
        const double scale = trial % 4 == 3 ? 1e150 : 1.0; /* of A1; x is then small */
        for (int64_t i = 0; i < instance.n * instance.d; i++)
            instance.A1[i] *= scale;
        struct solving solving = solving_of(&instance);
        double x[2][8], x0[8];
        random_fill(&random, 1.0 / scale, 8, x0);
        assert_int_equal(softrelu_solver_set_start(solving.solver, x0, 8), SOFTRELU_OK);
        for (int single = 0; single < 2; single++) {
            set(solving.solver, "curvature_precision", single ? "single" : "double");
            set(solving.solver, "jacobian_memory", trial % 3 == 0 ? "0" : "-1");
            assert_int_equal(solve_and_check(&solving).termination, SOFTRELU_CONVERGED);
            assert_int_equal(softrelu_certificate_verdict(softrelu_solver_certificate(solving.solver)),
                             SOFTRELU_VERDICT_CERTIFIED);
            assert_int_equal(softrelu_solver_solution(solving.solver, x[single], 8), SOFTRELU_OK);
        }
        same += worst_error(8, x[1], x[0]) <= 1e-8;
        solving_free(&solving);
        instance_free(&instance);
    }
    print_message("  the same point in %lld of %lld solves\n", (long long)same, (long long)trials);
    assert_true(same >= trials - trials / 10);
}

/* The same seed gives the same solve, bit by bit; another one does not. */
static void seeds_decide(void **state) {
    (void)state;
    struct test_random random = {911};
    struct instance instance = synthetic_instance(&random, 80, 8, 4000, 0.5, 1e-3);
    struct solving solving = solving_of(&instance);
    double x0[8], x[3][8], losses[3][2];
    random_fill(&random, 1.0, 8, x0);
    assert_int_equal(softrelu_solver_set_start(solving.solver, x0, 8), SOFTRELU_OK);
    set(solving.solver, "hessian", "sampled");
    for (int run = 0; run < 3; run++) {
        set(solving.solver, "sample_seed", run < 2 ? "7" : "8");
        assert_int_equal(solve_and_check(&solving).termination, SOFTRELU_CONVERGED);
        assert_int_equal(softrelu_solver_solution(solving.solver, x[run], 8), SOFTRELU_OK);
        for (int64_t record = 1; record <= 2; record++)
            losses[run][record - 1] = trace_number(solving.solver, record, SOFTRELU_TRACE_LOSS);
        assert_true(count(&solving, SOFTRELU_REPORT_SAMPLE_ROWS) < 2000.0);
    }
    assert_same_doubles(8, x[0], x[1]);
    assert_same_doubles(2, losses[0], losses[1]);
    assert_true(losses[0][0] != losses[2][0] || losses[0][1] != losses[2][1]);
    solving_free(&solving);
    instance_free(&instance);
}

/* One row a sample is far too few: samples are enlarged, the exact Hessian helps out, and both are counted. */
static void too_small_samples(void **state) {
    (void)state;
    struct test_random random = {912};
    double enlargements = 0.0, fallbacks = 0.0;
    for (int64_t trial = 0; trial < test_count(12, 2); trial++) {
        const int64_t m = trial % 2 == 0 ? 2000 : 60; /* no sample is large enough below half of the rows */
        struct instance instance = synthetic_instance(&random, 100, 10, m, 0.3, 1e-4);
        struct solving solving = solving_of(&instance);
        set(solving.solver, "hessian", "sampled");
        set(solving.solver, "sample_rows", "1");
        assert_int_equal(solve_and_check(&solving).termination, SOFTRELU_CONVERGED);
        enlargements += count(&solving, SOFTRELU_REPORT_SAMPLE_ENLARGEMENTS);
        fallbacks += count(&solving, SOFTRELU_REPORT_SAMPLE_FALLBACKS);
        assert_true(count(&solving, SOFTRELU_REPORT_SAMPLE_ROWS) <= (double)m);
        solving_free(&solving);
        instance_free(&instance);
    }
    print_message("  %.0f enlargements, %.0f fallbacks\n", enlargements, fallbacks);
    assert_true(enlargements > 0.0 && fallbacks > 0.0);
}

/* Whole steps from near a minimiser find it; from far away F may rise, which a search never lets happen. */
static void whole_steps(void **state) {
    (void)state;
    struct test_random random = {913};
    int64_t rises = 0;
    for (int64_t trial = 0; trial < test_count(20, 3); trial++) {
        struct instance instance = synthetic_instance(&random, 60, 8, 40, 0.0, 1e-3);
        struct solving solving = solving_of(&instance);
        double x[8], x0[8];
        assert_int_equal(solve_and_check(&solving).termination, SOFTRELU_CONVERGED);
        assert_int_equal(softrelu_solver_solution(solving.solver, x, 8), SOFTRELU_OK);
        set(solving.solver, "globalisation", "none");
        for (int far = 0; far < 2; far++) {
            for (int k = 0; k < 8; k++)
                x0[k] = x[k] + (far ? 3.0 : 1e-4) * random_normal(&random);
            assert_int_equal(softrelu_solver_set_start(solving.solver, x0, 8), SOFTRELU_OK);
            set(solving.solver, "max_iterations", "30");
            assert_int_equal(softrelu_solver_solve(solving.solver), SOFTRELU_OK);
            const softrelu_report *report = softrelu_solver_report(solving.solver);
            if (!far)
                assert_int_equal(softrelu_report_termination(report), SOFTRELU_CONVERGED);
            const int64_t length = softrelu_report_trace_length(report);
            for (int64_t record = 1; record < length; record++) {
                assert_true(trace_number(solving.solver, record, SOFTRELU_TRACE_STEP_SCALE) == 1.0);
                rises += far && trace_number(solving.solver, record, SOFTRELU_TRACE_LOSS) >
                                    trace_number(solving.solver, record - 1, SOFTRELU_TRACE_LOSS);
            }
        }
        solving_free(&solving);
        instance_free(&instance);
    }
    assert_true(rises > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_methods_converge), cmocka_unit_test(exact_steps_by_products),
                                       cmocka_unit_test(single_precision),     cmocka_unit_test(seeds_decide),
                                       cmocka_unit_test(too_small_samples),    cmocka_unit_test(whole_steps)};
    return cmocka_run_group_tests_name("methods", tests, NULL, NULL);
}
