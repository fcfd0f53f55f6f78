/* Values and derivatives of divided problems. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "all.h"
#include "support/golden.h"
#include "support/sampling_case.h"

static const double TOLERANCE = 1e-12; /* that of tests/golden */

static double hold(const char *name, const char *what, int64_t count, const double *actual, const double *expected) {
    const double error = worst_error(count, actual, expected);
    assert_doubles_everywhere(what, actual, count);
    if (!(error <= TOLERANCE))
        fail_msg("%s: %s is off by %g relative to its largest entry, allowed %g", name, what, error, TOLERANCE);
    return error;
}

static double check_golden(const char *name, const struct golden *golden, enum division division) {
    const int64_t d = golden->instance.d;
    softrelu_problem *problem = divided_problem(&golden->instance, all, division);
    assert_non_null(problem);
    int64_t outputs = 0, first = -1;
    assert_int_equal(softrelu_problem_outputs(problem, &outputs, &first), SOFTRELU_OK);
    assert_int_equal(outputs, golden->instance.m);
    assert_int_equal(first, division_first(division, golden->instance.m, all->rank, all->size));
    softrelu_evaluator *evaluator = evaluator_at(problem, golden->x, d);
    double value = NAN, worst, *gradient = test_doubles(d), *hessian = test_doubles(d * d), *column = test_doubles(d * d);
    assert_int_equal(softrelu_evaluator_loss(evaluator, &value, NULL, NULL, NULL), SOFTRELU_OK);
    assert_int_equal(softrelu_evaluator_gradient(evaluator, gradient, d), SOFTRELU_OK);
    assert_int_equal(softrelu_evaluator_hessian(evaluator, hessian, d), SOFTRELU_OK);
    worst = hold(name, "value", 1, &value, &golden->value);
    worst = fmax(worst, hold(name, "gradient", d, gradient, golden->gradient));
    worst = fmax(worst, hold(name, "Hessian", d * d, hessian, golden->hessian));
    /* a column of it, in the place of a matrix that is nothing else */
    column[d / 2 * d + d / 2] = 1.0;
    assert_int_equal(softrelu_evaluator_hessian_product(evaluator, column + d / 2 * d, hessian + d / 2 * d, d), SOFTRELU_OK);
    worst = fmax(worst, hold(name, "product with the Hessian", d * d, hessian, golden->hessian));
    softrelu_evaluator_destroy(evaluator);
    softrelu_problem_destroy(problem);
    free(gradient);
    free(hessian);
    free(column);
    return worst;
}

static void golden_cases(void **state) {
    (void)state;
    double worst = 0.0;
    for (int c = 0; c < GOLDEN_CASES; c++) {
        struct golden golden = golden_read(golden_names[c]);
        for (int division = 0; division < DIVISION_COUNT; division++)
            worst = fmax(worst, check_golden(golden_names[c], &golden, (enum division)division));
        golden_free(&golden);
    }
    print_message("  %d cases, %d divisions: worst relative error %.1e\n", GOLDEN_CASES, DIVISION_COUNT, worst);
}

/* One row more or less, or another one, changes the matrix by at least the share of a row in it, which is far above this. */
static const double SAME_SAMPLE = 1e-9;

static void draw(softrelu_evaluator *evaluator, uint64_t number, int64_t d, double *hessian, int64_t *rows) {
    if (softrelu_evaluator_sampled_hessian(evaluator, 0.5, 0, 1, number, hessian, d, rows) != SOFTRELU_OK)
        fail_msg("sample: %s", softrelu_evaluator_message(evaluator));
}

static double compare_samples(struct sampling_case *sampling, enum division division) {
    const int64_t d = sampling->instance.d;
    double worst = 0.0, *hessian = test_doubles(d * d), *expected = test_doubles(d * d);
    softrelu_problem *problem = divided_problem(&sampling->instance, all, division);
    assert_non_null(problem);
    softrelu_evaluator *evaluator = evaluator_at(problem, sampling->x, d);
    struct built whole = build(&sampling->instance, PLAIN_PLACEMENT);
    softrelu_evaluator *alone = evaluator_at(whole.problem, sampling->x, d);
    for (int64_t number = 0; number < test_effort(20, 3, 1); number++) {
        int64_t rows = -1, expected_rows = -2;
        draw(evaluator, (uint64_t)number, d, hessian, &rows);
        assert_same_everywhere("number of rows", &rows, sizeof rows);
        assert_doubles_everywhere("sampled Hessian", hessian, d * d);
        if (is_first()) {
            draw(alone, (uint64_t)number, d, expected, &expected_rows);
            assert_int_equal(rows, expected_rows);
            const double error = worst_error(d * d, hessian, expected);
            if (!(error <= SAME_SAMPLE))
                fail_msg("%s: the sample of %lld rows is another one: off by %g", sampling->name, (long long)rows, error);
            worst = fmax(worst, error);
        }
    }
    softrelu_evaluator_destroy(alone);
    softrelu_evaluator_destroy(evaluator);
    softrelu_problem_destroy(problem);
    built_free(&whole);
    free(hessian);
    free(expected);
    return worst;
}

/* The same rows are drawn for any number of ranks. */
static void samples(void **state) {
    (void)state;
    for (int kind = 0; kind < SAMPLING_KINDS; kind++)
        for (int loss = 0; loss < 2; loss++) {
            double worst = 0.0;
            struct sampling_case sampling =
                sampling_case((enum sampling_kind)kind, loss == 0 ? SOFTRELU_KL : SOFTRELU_SQUARES, 3000);
            from_first(sampling.x, (size_t)sampling.instance.d * sizeof *sampling.x); /* found by a solve, on some */
            for (int division = 0; division < DIVISION_COUNT; division++)
                worst = fmax(worst, compare_samples(&sampling, (enum division)division));
            print_message("  %s, %s, %lld outputs: the same rows, matrices off by %.1e at most\n", sampling.name,
                          loss == 0 ? "kl" : "squares", (long long)sampling.instance.m, worst);
            sampling_case_free(&sampling);
        }
}

int test_values(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(golden_cases), cmocka_unit_test(samples)};
    return cmocka_run_group_tests_name("values", tests, NULL, NULL);
}
