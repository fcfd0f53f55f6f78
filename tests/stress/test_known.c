/* What fuzzing and the random problems beside this file have found, each in its smallest form. */
#include <math.h>
#include <string.h>

#include "stress/extremes.h"
#include "support/solving.h"

/* The stationarity residual at x, for an evaluator of its own. */
static double residual_at(const softrelu_problem *problem, const double *x, int64_t d, double *relative, int64_t *pinned) {
    softrelu_evaluator *evaluator = evaluator_at(problem, x, d);
    double residual = NAN;
    assert_int_equal(softrelu_evaluator_stationarity(evaluator, 1e-9, &residual, relative, pinned, NULL), SOFTRELU_OK);
    softrelu_evaluator_destroy(evaluator);
    return residual;
}

/* Equal rows with biases of 1e-24 have two kinks: how far apart they are is measured in biases, not in ones. */
static void kinks_of_small_biases(void **state) {
    (void)state;
    double A1[] = {1, 1}, A2[] = {1, 1, 0, 0}, b[] = {0, 1}, c1[] = {-1e-24, 1e-24}, x = 0.0, gradient = NAN, relative = NAN;
    const struct instance instance = {.n = 2, .d = 1, .m = 2, .A1 = A1, .A2 = A2, .b = b, .c1 = c1};
    softrelu_problem *problem = sealed_or_refused(&instance);
    int64_t pinned = -1;
    const double residual = residual_at(problem, &x, 1, &relative, &pinned);
    softrelu_evaluator *evaluator = evaluator_at(problem, &x, 1);
    assert_int_equal(softrelu_evaluator_gradient(evaluator, &gradient, 1), SOFTRELU_OK);
    assert_true(gradient > 0.2 && residual == gradient && relative > 0.1);
    assert_int_equal(pinned, 0);
    softrelu_evaluator_destroy(evaluator);
    softrelu_problem_destroy(problem);
}

/* A row whose length has no reciprocal in double precision: the residual was NaN, and NaN passed for 0. */
static void subnormal_row_at_its_kink(void **state) {
    (void)state;
    double A1[] = {1e-320}, A2[] = {1, 0}, b[] = {0, 1}, x_ref = 1.0, x = 0.0, relative = NAN;
    const struct instance instance = {.n = 1, .d = 1, .m = 2, .A1 = A1, .A2 = A2, .b = b, .x_ref = &x_ref, .rho = 1.0};
    softrelu_problem *problem = sealed_or_refused(&instance);
    softrelu_solver *solver = NULL;
    int64_t pinned = -1;
    assert_true(residual_at(problem, &x, 1, &relative, &pinned) == 1.0 && relative > 0.1);
    assert_int_equal(pinned, 1);
    assert_int_equal(softrelu_solver_create(problem, &solver), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_set_start(solver, &x, 1), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solve(solver), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solution(solver, &x, 1), SOFTRELU_OK);
    assert_int_equal(softrelu_report_termination(softrelu_solver_report(solver)), SOFTRELU_CONVERGED);
    assert_true(fabs(x - 1.0) < 1e-12);
    softrelu_solver_destroy(solver);
    softrelu_problem_destroy(problem);
}

/* With fewer units than inputs A1 does not see all of x_ref, but what rounds off of the rest is 1e284. */
static void far_reference_that_is_not_seen(void **state) {
    (void)state;
    double A1[] = {0.3, 0.7}, A2[] = {1, 0}, b[] = {0, 1}, x_ref[] = {1e300, 1.7e300}, w = 1.0, x[2];
    const struct instance instance = {.n = 1, .d = 2, .m = 2, .A1 = A1, .A2 = A2, .b = b, .x_ref = x_ref, .w = &w};
    softrelu_problem *problem = sealed_or_refused(&instance);
    softrelu_solver *solver = NULL;
    assert_int_equal(softrelu_solver_create(problem, &solver), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solve(solver), SOFTRELU_ERROR_OVERFLOW);
    assert_non_null(strstr(softrelu_solver_message(solver), "x_ref"));
    assert_int_equal(softrelu_solver_solution(solver, x, 2), SOFTRELU_ERROR_STATE);
    assert_int_equal(softrelu_report_termination(softrelu_solver_report(solver)), SOFTRELU_NOT_RUN);
    softrelu_solver_destroy(solver);
    softrelu_problem_destroy(problem);
}

/* |a||x| beyond double precision makes no kink of a unit that is far from 0. */
static void far_point_is_on_no_kink(void **state) {
    (void)state;
    double A1[] = {1e11, 1}, A2[] = {1, 0}, b[] = {0, 1};
    const double x[] = {1e292, 1e300};
    const struct instance instance = {.n = 1, .d = 2, .m = 2, .A1 = A1, .A2 = A2, .b = b};
    softrelu_problem *problem = sealed_or_refused(&instance);
    softrelu_certificate *certificate = NULL;
    double relative = NAN, kinks = NAN;
    int64_t pinned = -1;
    (void)residual_at(problem, x, 2, &relative, &pinned);
    assert_int_equal(pinned, 0);
    assert_int_equal(softrelu_certificate_create(problem, &certificate), SOFTRELU_OK);
    assert_int_equal(softrelu_certify(certificate, x, 2, 1e-9, 1e-12), SOFTRELU_OK);
    assert_int_equal(softrelu_certificate_number(certificate, SOFTRELU_CERTIFICATE_PINNED_KINKS, &kinks), SOFTRELU_OK);
    assert_true(kinks == 0.0);
    softrelu_certificate_destroy(certificate);
    softrelu_problem_destroy(problem);
}

/* The multipliers of a stationary point whose curvature overflows are known. */
static void multipliers_beside_curvature_that_overflows(void **state) {
    (void)state;
    double A1[] = {1, 0, 0, 1}, A2[] = {1e200, 1e200, 0, 0}, b[] = {1, 0}, c1[] = {1, 1}, lambda[2] = {NAN, NAN};
    const double x[] = {0, 0};
    const struct instance instance = {
        .n = 2, .d = 2, .m = 2, .A1 = A1, .A2 = A2, .b = b, .c1 = c1, .loss = SOFTRELU_KL, .rho = 1};
    softrelu_problem *problem = sealed_or_refused(&instance);
    softrelu_certificate *certificate = NULL;
    assert_int_equal(softrelu_certificate_create(problem, &certificate), SOFTRELU_OK);
    assert_int_equal(softrelu_certify(certificate, x, 2, 1e-9, 1e-12), SOFTRELU_OK);
    assert_int_equal(softrelu_certificate_reason(certificate), SOFTRELU_REASON_OVERFLOW);
    assert_int_equal(softrelu_certificate_multipliers(certificate, lambda, 2, NULL, 0), SOFTRELU_OK);
    assert_true(lambda[0] == 0.0 && lambda[1] == 0.0);
    softrelu_certificate_destroy(certificate);
    softrelu_problem_destroy(problem);
}

/* A1'A1 underflows, and yet A2 A1 is of ordinary size: nothing is proved convex by it, and the bounds hold. */
static void constants_of_products_that_underflow(void **state) {
    (void)state;
    double A1[] = {1e-200, 2e-200, -1e-200, 1e-200}, A2[] = {3e200, -1e200, 1e200, 2e200}, b[] = {0, 1};
    const struct instance instance = {.n = 2, .d = 2, .m = 2, .A1 = A1, .A2 = A2, .b = b, .rho = 1e-3};
    softrelu_problem *problem = sealed_or_refused(&instance);
    softrelu_constants *constants = NULL;
    double distance = NAN, convex = NAN;
    assert_int_equal(softrelu_constants_create(problem, &constants), SOFTRELU_OK);
    assert_int_equal(softrelu_constants_number(constants, SOFTRELU_CONSTANT_ROW_DISTANCE_ALL, &distance), SOFTRELU_OK);
    assert_int_equal(softrelu_constants_number(constants, SOFTRELU_CONSTANT_CONVEX_IN_CELLS, &convex), SOFTRELU_OK);
    assert_true(distance >= sqrt(20.0) && convex == 0.0); /* of (3, 6) and (1, 2), the rows where only unit 0 is on */
    softrelu_constants_destroy(constants);
    softrelu_problem_destroy(problem);
}

/* 0 times infinity: bounds are numbers, or infinite. */
static void constants_of_products_that_overflow(void **state) {
    (void)state;
    double A1[] = {1e300, 1e300}, A2[] = {1, 1, 1, 1}, b[] = {0, 1}, number = NAN;
    const struct instance instance = {.n = 2, .d = 1, .m = 2, .A1 = A1, .A2 = A2, .b = b};
    softrelu_problem *problem = sealed_or_refused(&instance);
    softrelu_constants *constants = NULL;
    assert_int_equal(softrelu_constants_create(problem, &constants), SOFTRELU_OK);
    assert_int_equal(softrelu_constants_number(constants, SOFTRELU_CONSTANT_ROW_DISTANCE_ALL, &number), SOFTRELU_OK);
    assert_true(number == 0.0); /* the rows of A2 are the same, and so are those of G */
    assert_int_equal(softrelu_constants_number(constants, SOFTRELU_CONSTANT_HESSIAN_LIPSCHITZ_ALL, &number), SOFTRELU_OK);
    assert_true(number == 0.0);
    softrelu_constants_destroy(constants);
    softrelu_problem_destroy(problem);
}

/* Targets below the normal range, and targets whose squares overflow, have losses and slopes that do not. */
static void smallest_and_largest_targets(void **state) {
    (void)state;
    double A1[] = {1}, A2[] = {1, 0}, b[2][2] = {{1, 1e-315}, {1e200, 3e200}}, x = 0.5;
    for (int k = 0; k < 2; k++) {
        const struct instance instance = {.n = 1, .d = 1, .m = 2, .A1 = A1, .A2 = A2, .b = b[k], .loss = SOFTRELU_KL};
        softrelu_problem *problem = sealed_or_refused(&instance);
        softrelu_evaluator *evaluator = evaluator_at(problem, &x, 1);
        struct reference at = reference_at(&instance, (long double[]){0.5L}, 1);
        double loss = NAN, gradient = NAN;
        assert_int_equal(softrelu_evaluator_loss(evaluator, &loss, NULL, NULL, NULL), SOFTRELU_OK);
        assert_int_equal(softrelu_evaluator_gradient(evaluator, &gradient, 1), SOFTRELU_OK);
        assert_within("loss", 1, &loss, &at.loss, 1e-14L * at.loss_scale);
        assert_within("gradient", 1, &gradient, at.gradient, 1e-14L * at.gradient_scale);
        reference_free(&at);
        softrelu_evaluator_destroy(evaluator);
        softrelu_problem_destroy(problem);
    }
}

/* rho takes the square of a long way back into range. */
static void far_reference_held_weakly(void **state) {
    (void)state;
    double A1[] = {1}, A2[] = {1, 0}, b[] = {0, 1}, x_ref = -1e200, x = 0.0, proximity = NAN;
    const struct instance instance = {.n = 1, .d = 1, .m = 2, .A1 = A1, .A2 = A2, .b = b, .x_ref = &x_ref, .rho = 1e-300};
    softrelu_problem *problem = sealed_or_refused(&instance);
    softrelu_evaluator *evaluator = evaluator_at(problem, &x, 1);
    assert_int_equal(softrelu_evaluator_loss(evaluator, NULL, NULL, NULL, &proximity), SOFTRELU_OK);
    assert_true(fabs(proximity / 5e99 - 1.0) < 1e-14);
    softrelu_evaluator_destroy(evaluator);
    softrelu_problem_destroy(problem);
}

static void choices_of_any_index(void **state) {
    (void)state;
    int64_t value = 7;
    assert_null(softrelu_setting_choice(SOFTRELU_SETTING_NEWTON_MATRIX, INT64_MIN, &value));
    assert_null(softrelu_setting_choice(SOFTRELU_SETTING_NEWTON_MATRIX, -1, &value));
    assert_null(softrelu_setting_choice(SOFTRELU_SETTING_NEWTON_MATRIX, INT64_MAX, &value));
    assert_int_equal(value, 7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinks_of_small_biases),
        cmocka_unit_test(subnormal_row_at_its_kink),
        cmocka_unit_test(far_reference_that_is_not_seen),
        cmocka_unit_test(far_point_is_on_no_kink),
        cmocka_unit_test(multipliers_beside_curvature_that_overflows),
        cmocka_unit_test(constants_of_products_that_underflow),
        cmocka_unit_test(constants_of_products_that_overflow),
        cmocka_unit_test(smallest_and_largest_targets),
        cmocka_unit_test(far_reference_held_weakly),
        cmocka_unit_test(choices_of_any_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
