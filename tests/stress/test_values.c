/*
 * Values and derivatives at the ends of double precision against the reference in long double: u, f, the loss and its parts,
 * gradient, Hessian and products with it, each within the a-priori bound that tests/support/reference.h states, and what
 * numbers below the normal range add to it. Where a unit is so near its kink that double precision cannot tell its side, what
 * is continuous is compared and the derivatives are not. What is refused for overflow must be too large somewhere.
 */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stress/extremes.h"

enum quantity { PREACTIVATIONS, PREDICTION, LOSS, GRADIENT, HESSIAN, PRODUCT, QUANTITIES };
static const char *const names[QUANTITIES] = {"pre-activations", "prediction", "loss and its parts",
                                              "gradient",        "Hessian",    "product"};

/* Compared; of these, with a bound below a millionth of the scale; the largest error over its bound. */
static struct {
    int64_t compared[QUANTITIES], sharp[QUANTITIES], refused, sealed, overflow, on_kink;
    double worst[QUANTITIES];
} tally;

static int64_t drawn; /* for messages */

static void compare(enum quantity what, int64_t count, const double *actual, const long double *expected, long double scale,
                    long double bound) {
    char label[64];
    (void)snprintf(label, sizeof label, "draw %lld, %s", (long long)drawn, names[what]);
    tally.worst[what] = fmax(tally.worst[what], assert_within(label, count, actual, expected, bound));
    tally.compared[what]++;
    tally.sharp[what] += bound < 1e-6L * scale;
}

/* Whether a refusal for overflow is honest: something on the way may be near the end of double precision. */
static void check_overflow(softrelu_status status, const char *message, long double largest) {
    if (status != SOFTRELU_ERROR_OVERFLOW || strstr(message, "precision") == NULL || largest < 1e300L)
        fail_msg("draw %lld: %s: %s, largest term %Lg", (long long)drawn, softrelu_status_name(status), message, largest);
    tally.overflow++;
}

/* Whether every unit is on the side that the reference says. */
static bool same_sides(const struct reference *at, const double *u) {
    bool same = true;
    for (int64_t i = 0; i < at->n; i++)
        same = same && (u[i] > 0.0) == (at->u[i] > 0.0L);
    return same;
}

static bool compare_values(softrelu_evaluator *evaluator, const struct reference *at, struct underflow under,
                           long double round_off) {
    double *u = test_doubles(at->n), *f = test_doubles(at->m), parts[4];
    const long double expected[4] = {at->loss, at->fit, at->weights, at->proximity};
    assert_int_equal(softrelu_evaluator_preactivations(evaluator, u, at->n), SOFTRELU_OK);
    assert_int_equal(softrelu_evaluator_prediction(evaluator, f, at->m), SOFTRELU_OK);
    assert_int_equal(softrelu_evaluator_loss(evaluator, &parts[0], &parts[1], &parts[2], &parts[3]), SOFTRELU_OK);
    compare(PREACTIVATIONS, at->n, u, at->u, at->u_scale,
            4.0L * (long double)(at->d + 4) * DBL_EPSILON * at->u_scale + under.u);
    compare(PREDICTION, at->m, f, at->f, 1.0L, round_off + under.z);
    compare(LOSS, 4, parts, expected, at->loss_scale, round_off * at->loss_scale + under.loss);
    const bool same = same_sides(at, u);
    tally.on_kink += !same;
    free(u);
    free(f);
    return same;
}

static void compare_product(struct test_random *random, softrelu_evaluator *evaluator, const struct reference *at,
                            long double bound, long double largest) {
    const int64_t d = at->d;
    double *v = test_doubles(d), *product = test_doubles(d);
    long double *expected = test_long_doubles(d), length = 0.0L;
    random_fill(random, 1.0, d, v);
    for (int64_t k = 0; k < d; k++) {
        length += fabsl((long double)v[k]);
        for (int64_t l = 0; l < d; l++)
            expected[k] += at->hessian[k * d + l] * (long double)v[l];
    }
    const softrelu_status status = softrelu_evaluator_hessian_product(evaluator, v, product, d);
    if (status == SOFTRELU_OK)
        compare(PRODUCT, d, product, expected, at->hessian_scale * length, bound * length);
    else
        check_overflow(status, softrelu_evaluator_message(evaluator), largest);
    free(v);
    free(product);
    free(expected);
}

static void compare_derivatives(struct test_random *random, softrelu_evaluator *evaluator, const struct reference *at,
                                struct underflow under, long double round_off, long double largest) {
    const int64_t d = at->d;
    double *gradient = test_doubles(d), *hessian = test_doubles(d * d);
    softrelu_status status = softrelu_evaluator_gradient(evaluator, gradient, d);
    if (status == SOFTRELU_OK)
        compare(GRADIENT, d, gradient, at->gradient, at->gradient_scale, round_off * at->gradient_scale + under.gradient);
    else
        check_overflow(status, softrelu_evaluator_message(evaluator), largest);
    const long double bound = round_off * at->hessian_scale + under.hessian;
    status = softrelu_evaluator_hessian(evaluator, hessian, d);
    if (status == SOFTRELU_OK)
        compare(HESSIAN, d * d, hessian, at->hessian, at->hessian_scale, bound);
    else
        check_overflow(status, softrelu_evaluator_message(evaluator), largest);
    compare_product(random, evaluator, at, round_off * at->hessian_scale + under.product, largest);
    free(gradient);
    free(hessian);
}

static void evaluate(struct test_random *random, const struct instance *instance, const softrelu_problem *problem) {
    const int64_t d = instance->d;
    softrelu_evaluator *evaluator = NULL;
    double *x = extreme_point(random, instance);
    long double *wide = test_long_doubles(d);
    for (int64_t k = 0; k < d; k++)
        wide[k] = (long double)x[k];
    struct reference at = reference_at(instance, wide, 2);
    const struct underflow under = underflow_of(instance, &at, x);
    const long double round_off = reference_round_off(&at, DBL_EPSILON);
    const long double of_values = fmaxl(fmaxl(at.u_scale, at.logit_scale), at.loss_scale * (1.0L + at.logit_scale));
    assert_int_equal(softrelu_evaluator_create(problem, &evaluator), SOFTRELU_OK);
    const softrelu_status status = softrelu_evaluator_move(evaluator, x, d);
    if (status != SOFTRELU_OK)
        check_overflow(status, softrelu_evaluator_message(evaluator), of_values);
    else if (compare_values(evaluator, &at, under, round_off) && round_off < 0.1L) /* beyond, f is not known to any digit */
        compare_derivatives(random, evaluator, &at, under, round_off, largest_intermediate(instance, &at, x));
    softrelu_evaluator_destroy(evaluator);
    reference_free(&at);
    free(x);
    free(wide);
}

/* SOFTRELU_STRESS_DRAW=N: that problem alone. */
static void values(void **state) {
    (void)state;
    if (reference_epsilon() > LDBL_EPSILON) /* under valgrind the reference has no range beyond that of double */
        skip();
    const char *only = getenv("SOFTRELU_STRESS_DRAW");
    const int64_t first = only != NULL ? strtoll(only, NULL, 10) : 0;
    const int64_t count = only != NULL ? 1 : test_effort(1000000, 60000, 300);
    for (drawn = first; drawn < first + count; drawn++) {
        struct test_random random = {(uint64_t)drawn * 0x9E3779B97F4A7C15u + 29};
        struct instance instance = extreme_instance(&random);
        softrelu_problem *problem = sealed_or_refused(&instance);
        tally.sealed += problem != NULL;
        if (problem != NULL)
            evaluate(&random, &instance, problem);
        softrelu_problem_destroy(problem);
        instance_free(&instance);
    }
    print_message("  %lld problems, %lld sealed; %lld refusals for overflow; %lld points on a kink within round-off\n",
                  (long long)count, (long long)tally.sealed, (long long)tally.overflow, (long long)tally.on_kink);
    for (int what = 0; what < QUANTITIES; what++) {
        print_message("  %-18s %7lld compared, %7lld with a bound below 1e-6, largest error %.2g of the bound\n", names[what],
                      (long long)tally.compared[what], (long long)tally.sharp[what], tally.worst[what]);
        assert_true(only != NULL || tally.sharp[what] > count / 10);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(values)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
