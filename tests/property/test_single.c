/* Matrices in single precision: everything that comes out is what the same numbers give as doubles. */
#include <math.h>
#include <stdlib.h>

#include "support/solving.h"

static struct instance random_rounded(struct test_random *random, int64_t trial) {
    const int64_t n = random_between(random, 1, 60), d = random_between(random, 1, 25);
    const bool identity = trial % 5 == 4;
    const struct instance_scales scales = {.A1 = 1, .A2 = identity ? 0 : 1, .b = 1, .c1 = 0.3, .c2 = 0.3, .w = 0.1, .rho = 0.1};
    struct instance instance = random_instance(random, n, d, identity ? n : random_between(random, 1, 50), scales,
                                               trial % 2 == 0 ? SOFTRELU_SQUARES : SOFTRELU_KL);
    instance_round(&instance);
    return instance;
}

static struct placement random_placement(struct test_random *random, int64_t which) {
    return (struct placement){random_between(random, 0, 1) ? SOFTRELU_ROW_MAJOR : SOFTRELU_COLUMN_MAJOR,
                              random_between(random, 0, 3), random_between(random, 0, 1) ? SOFTRELU_COPY : SOFTRELU_BORROW,
                              which != 1, which != 0};
}

/* Value, gradient, Hessian, sampled Hessian and Hessian products at a point. */
struct derivatives {
    double loss, *gradient, *hessian, *product;
};

static struct derivatives derivatives_at(const struct built *built, const double *x, int64_t d) {
    struct derivatives at = {NAN, test_doubles(d), test_doubles(d * d), test_doubles(d)};
    softrelu_evaluator *evaluator = evaluator_at(built->problem, x, d);
    assert_int_equal(softrelu_evaluator_loss(evaluator, &at.loss, NULL, NULL, NULL), SOFTRELU_OK);
    assert_int_equal(softrelu_evaluator_gradient(evaluator, at.gradient, d), SOFTRELU_OK);
    assert_int_equal(softrelu_evaluator_hessian(evaluator, at.hessian, d), SOFTRELU_OK);
    assert_int_equal(softrelu_evaluator_hessian_product(evaluator, x, at.product, d), SOFTRELU_OK);
    softrelu_evaluator_destroy(evaluator);
    return at;
}

static void derivatives_free(struct derivatives *at) {
    free(at->gradient);
    free(at->hessian);
    free(at->product);
}

static void the_same_function(void **state) {
    (void)state;
    struct test_random random = {9201};
    for (int64_t trial = 0; trial < test_count(120, 9); trial++) {
        struct instance instance = random_rounded(&random, trial);
        const int64_t d = instance.d;
        double *x = test_doubles(d);
        random_fill(&random, 1.0, d, x);
        struct built wide = build(&instance, PLAIN_PLACEMENT), narrow = build(&instance, random_placement(&random, trial % 3));
        struct derivatives expected = derivatives_at(&wide, x, d), found = derivatives_at(&narrow, x, d);
        assert_true(fabs(found.loss - expected.loss) <= 1e-15 * 16.0 * fabs(expected.loss));
        assert_true(worst_error(d, found.gradient, expected.gradient) <= 1e-12);
        assert_true(worst_error(d * d, found.hessian, expected.hessian) <= 1e-12);
        assert_true(worst_error(d, found.product, expected.product) <= 1e-12);
        derivatives_free(&expected);
        derivatives_free(&found);
        built_free(&wide);
        built_free(&narrow);
        free(x);
        instance_free(&instance);
    }
}

struct end {
    softrelu_termination termination;
    softrelu_verdict verdict;
    double *x;
};

static struct end solved(const struct built *built, const double *x0, int64_t d, bool single) {
    struct end end = {SOFTRELU_NOT_RUN, SOFTRELU_VERDICT_NOT_STATIONARY, test_doubles(d)};
    softrelu_solver *solver = NULL;
    assert_int_equal(softrelu_solver_create(built->problem, &solver), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_set_start(solver, x0, d), SOFTRELU_OK);
    if (single)
        assert_int_equal(softrelu_solver_set_text(solver, "curvature_precision", "single"), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solve(solver), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solution(solver, end.x, d), SOFTRELU_OK);
    end.termination = softrelu_report_termination(softrelu_solver_report(solver));
    end.verdict = softrelu_certificate_verdict(softrelu_solver_certificate(solver));
    softrelu_solver_destroy(solver);
    return end;
}

/* The path may part where a comparison is decided by a last digit; started near a minimiser it cannot lead elsewhere. */
static void the_same_minimiser(void **state) {
    (void)state;
    struct test_random random = {9202};
    for (int64_t trial = 0; trial < test_count(40, 4); trial++) {
        struct instance instance = random_rounded(&random, trial);
        const int64_t d = instance.d;
        double *x0 = test_doubles(d);
        random_fill(&random, 1.0, d, x0);
        struct built wide = build(&instance, PLAIN_PLACEMENT), narrow = build(&instance, random_placement(&random, trial % 3));
        struct end expected = solved(&wide, x0, d, false), near = solved(&narrow, expected.x, d, false),
                   far = solved(&narrow, x0, d, trial % 2 == 0);
        assert_int_equal(expected.termination, SOFTRELU_CONVERGED);
        assert_int_equal(near.termination, SOFTRELU_CONVERGED);
        assert_int_equal(far.termination, SOFTRELU_CONVERGED);
        assert_int_equal(near.verdict, expected.verdict);
        if (expected.verdict == SOFTRELU_VERDICT_CERTIFIED) {
            assert_int_equal(far.verdict, SOFTRELU_VERDICT_CERTIFIED);
            assert_true(worst_error(d, near.x, expected.x) <= 1e-8);
        }
        free(expected.x);
        free(near.x);
        free(far.x);
        built_free(&wide);
        built_free(&narrow);
        free(x0);
        instance_free(&instance);
    }
}

/* Constants of the problem and of a point. */
static void the_same_constants(void **state) {
    (void)state;
    struct test_random random = {9203};
    for (int64_t trial = 0; trial < test_count(30, 3); trial++) {
        struct instance instance = random_rounded(&random, trial);
        double *x = test_doubles(instance.d);
        random_fill(&random, 1.0, instance.d, x);
        struct built built[2] = {build(&instance, PLAIN_PLACEMENT), build(&instance, random_placement(&random, trial % 3))};
        double numbers[2][4];
        const softrelu_constant wanted[4] = {SOFTRELU_CONSTANT_OUTPUT_DISTANCE, SOFTRELU_CONSTANT_HESSIAN_LARGEST_ALL,
                                             SOFTRELU_CONSTANT_ROW_DISTANCE, SOFTRELU_CONSTANT_HESSIAN_LEAST};
        for (int k = 0; k < 2; k++) {
            softrelu_constants *constants = NULL;
            assert_int_equal(softrelu_constants_create(built[k].problem, &constants), SOFTRELU_OK);
            assert_int_equal(softrelu_constants_move(constants, x, instance.d), SOFTRELU_OK);
            for (int c = 0; c < 4; c++)
                assert_int_equal(softrelu_constants_number(constants, wanted[c], &numbers[k][c]), SOFTRELU_OK);
            softrelu_constants_destroy(constants);
            built_free(&built[k]);
        }
        for (int c = 0; c < 4; c++)
            assert_true(fabs(numbers[0][c] - numbers[1][c]) <= 1e-11 * (1.0 + fabs(numbers[0][c])));
        free(x);
        instance_free(&instance);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_same_function), cmocka_unit_test(the_same_minimiser),
                                       cmocka_unit_test(the_same_constants)};
    return cmocka_run_group_tests_name("single", tests, NULL, NULL);
}
