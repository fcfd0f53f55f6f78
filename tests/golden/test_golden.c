/*
 * Values computed with 60 digits (tests/data/golden): F, gradient and Hessian to 1e-12 of each result's largest entry, in every
 * layout, padding and ownership; and the absent A2 against an identity given in full.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/golden.h"
#include "support/reference.h"

static const double TOLERANCE = 1e-12;

static double hold(const char *name, const char *what, double error) {
    if (!(error <= TOLERANCE))
        fail_msg("%s: %s is off by %g relative to its largest entry, allowed %g", name, what, error, TOLERANCE);
    return error;
}

/* The Hessian into a padded array, whose padding must stay as it was; then without the gaps. */
static double *gapless_hessian(softrelu_evaluator *evaluator, int64_t d) {
    const int64_t ld = d + 2;
    double *padded = test_doubles(d * ld), *hessian = test_doubles(d * d);
    for (int64_t i = 0; i < d * ld; i++)
        padded[i] = -7.0;
    assert_int_equal(softrelu_evaluator_hessian(evaluator, padded, ld), SOFTRELU_OK);
    for (int64_t k = 0; k < d; k++) {
        for (int64_t l = 0; l < d; l++)
            hessian[k * d + l] = padded[k * ld + l];
        assert_true(padded[k * ld + d] == -7.0 && padded[k * ld + d + 1] == -7.0);
    }
    free(padded);
    return hessian;
}

static double check_case(const char *name, const struct golden *golden, struct placement placement) {
    const int64_t d = golden->instance.d;
    struct built built = build(&golden->instance, placement);
    softrelu_evaluator *evaluator = evaluator_at(built.problem, golden->x, d);
    double value = NAN, worst, *gradient = test_doubles(d);
    assert_int_equal(softrelu_evaluator_loss(evaluator, &value, NULL, NULL, NULL), SOFTRELU_OK);
    assert_int_equal(softrelu_evaluator_gradient(evaluator, gradient, d), SOFTRELU_OK);
    double *hessian = gapless_hessian(evaluator, d);
    worst = hold(name, "value", worst_error(1, &value, &golden->value));
    worst = fmax(worst, hold(name, "gradient", worst_error(d, gradient, golden->gradient)));
    worst = fmax(worst, hold(name, "Hessian", worst_error(d * d, hessian, golden->hessian)));
    free(gradient);
    free(hessian);
    softrelu_evaluator_destroy(evaluator);
    built_free(&built);
    return worst;
}

static const struct placement PLACEMENTS[] = {
    {SOFTRELU_ROW_MAJOR, 0, SOFTRELU_COPY},      {SOFTRELU_ROW_MAJOR, 3, SOFTRELU_COPY},
    {SOFTRELU_COLUMN_MAJOR, 0, SOFTRELU_COPY},   {SOFTRELU_COLUMN_MAJOR, 5, SOFTRELU_COPY},
    {SOFTRELU_ROW_MAJOR, 0, SOFTRELU_BORROW},    {SOFTRELU_ROW_MAJOR, 4, SOFTRELU_BORROW},
    {SOFTRELU_COLUMN_MAJOR, 0, SOFTRELU_BORROW}, {SOFTRELU_COLUMN_MAJOR, 1, SOFTRELU_BORROW}};

static void golden_cases(void **state) {
    (void)state;
    double worst = 0.0;
    for (int c = 0; c < GOLDEN_CASES; c++) {
        struct golden golden = golden_read(golden_names[c]);
        double worst_here = 0.0;
        for (size_t p = 0; p < sizeof PLACEMENTS / sizeof *PLACEMENTS; p++)
            worst_here = fmax(worst_here, check_case(golden_names[c], &golden, PLACEMENTS[p]));
        print_message("  %-28s worst relative error %.1e\n", golden_names[c], worst_here);
        worst = fmax(worst, worst_here);
        golden_free(&golden);
    }
    print_message("  %d cases x %zu placements, worst relative error %.2e\n", GOLDEN_CASES,
                  sizeof PLACEMENTS / sizeof *PLACEMENTS, worst);
}

/* The independent reference that the property tests rely on must itself agree with the 60 digits. "saturated" is left to the
   golden values: there b is one-hot, and f - b cancels in the plain formula even in long double. */
static void reference_agrees(void **state) {
    (void)state;
    for (int c = 0; c < GOLDEN_CASES; c++) {
        struct golden golden = golden_read(golden_names[c]);
        const int64_t d = golden.instance.d;
        long double *x = test_long_doubles(d);
        double *gradient = test_doubles(d), *hessian = test_doubles(d * d);
        for (int64_t k = 0; k < d; k++)
            x[k] = (long double)golden.x[k];
        struct reference at = reference_at(&golden.instance, x, 2);
        for (int64_t k = 0; k < d; k++)
            gradient[k] = (double)at.gradient[k];
        for (int64_t k = 0; k < d * d; k++)
            hessian[k] = (double)at.hessian[k];
        const double value = (double)at.loss;
        (void)hold(golden_names[c], "reference value", worst_error(1, &value, &golden.value));
        if (strcmp(golden_names[c], "saturated") != 0) {
            (void)hold(golden_names[c], "reference gradient", worst_error(d, gradient, golden.gradient));
            (void)hold(golden_names[c], "reference Hessian", worst_error(d * d, hessian, golden.hessian));
        }
        free(x);
        free(gradient);
        free(hessian);
        reference_free(&at);
        golden_free(&golden);
    }
}

/* Absent A2 and the identity in full are the same function. Both sides round differently: allowed is the golden tolerance. */
static void compare_with_identity(struct test_random *random, softrelu_loss loss) {
    const int64_t n = random_between(random, 1, 24), d = random_between(random, 1, 12);
    const struct instance_scales scales = {.A1 = 1, .b = 1, .c1 = 0.5, .c2 = 0.5, .w = 0.1, .x_ref = 1, .rho = 0.01};
    struct instance absent = random_instance(random, n, d, n, scales, loss), full = instance_copy(&absent);
    full.A2 = test_doubles(n * n);
    for (int64_t i = 0; i < n; i++)
        full.A2[i * n + i] = 1.0;
    double *x = test_doubles(d), *results[2], values[2];
    random_fill(random, 1.0, d, x);
    for (int side = 0; side < 2; side++) {
        const struct placement placement = PLACEMENTS[random_between(random, 0, 7)];
        struct built built = build(side == 0 ? &absent : &full, placement);
        softrelu_evaluator *evaluator = evaluator_at(built.problem, x, d);
        results[side] = gapless_hessian(evaluator, d);
        double *with_gradient = realloc(results[side], sizeof(double) * (size_t)(d * d + d));
        assert_non_null(with_gradient);
        results[side] = with_gradient;
        assert_int_equal(softrelu_evaluator_gradient(evaluator, with_gradient + d * d, d), SOFTRELU_OK);
        assert_int_equal(softrelu_evaluator_loss(evaluator, &values[side], NULL, NULL, NULL), SOFTRELU_OK);
        softrelu_evaluator_destroy(evaluator);
        built_free(&built);
    }
    (void)hold("identity", "value", worst_error(1, &values[0], &values[1]));
    (void)hold("identity", "Hessian", worst_error(d * d, results[0], results[1]));
    (void)hold("identity", "gradient", worst_error(d, results[0] + d * d, results[1] + d * d));
    free(results[0]);
    free(results[1]);
    free(x);
    instance_free(&absent);
    instance_free(&full);
}

static void absent_output_layer_is_the_identity(void **state) {
    (void)state;
    struct test_random random = {20240101};
    for (int64_t trial = 0; trial < test_count(200, 20); trial++)
        compare_with_identity(&random, trial % 2 == 0 ? SOFTRELU_SQUARES : SOFTRELU_KL);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(golden_cases), cmocka_unit_test(reference_agrees),
                                       cmocka_unit_test(absent_output_layer_is_the_identity)};
    return cmocka_run_group_tests_name("golden", tests, NULL, NULL);
}
