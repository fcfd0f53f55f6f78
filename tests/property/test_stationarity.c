/* The stationarity residual on points with known answers and against an independent bounded least-squares solve, and the
   derivative checker on smooth segments and across kinks. */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "support/reference.h"

struct stationarity {
    double residual, relative;
    int64_t pinned, concave;
};

static struct stationarity stationarity_at(const struct instance *instance, const double *x, double kink_tolerance) {
    struct built built = build(instance, PLAIN_PLACEMENT);
    softrelu_evaluator *evaluator = evaluator_at(built.problem, x, instance->d);
    struct stationarity found = {NAN, NAN, -1, -1};
    assert_int_equal(softrelu_evaluator_stationarity(evaluator, kink_tolerance, &found.residual, &found.relative, &found.pinned,
                                                     &found.concave),
                     SOFTRELU_OK);
    assert_int_equal(softrelu_evaluator_stationarity(evaluator, kink_tolerance, NULL, NULL, NULL, NULL), SOFTRELU_OK);
    /* the scale is the root of the summed squares of n + 2 terms, the gradient at most their sum */
    assert_true(found.residual >= 0.0 && found.relative >= 0.0 && found.relative <= sqrt((double)instance->n + 2.0));
    softrelu_evaluator_destroy(evaluator);
    built_free(&built);
    return found;
}

/*
 * One unknown, u = x, z = (x, -x), b = (1/2 -+ 0.3): at x = 0, f = (1/2, 1/2), c = +-(0.3), q = (0.15, -0.15), so that the
 * slope jump is 0.3 for b = (0.2, 0.8) and -0.3 for b = (0.8, 0.2). With rho = 1 the smooth gradient at 0 is -x_ref.
 */
static struct stationarity at_the_v(double x, double b0, double x_ref) {
    double A1[1] = {1.0}, A2[2] = {1.0, -1.0}, b[2] = {b0, 1.0 - b0};
    const struct instance instance = {
        .n = 1, .d = 1, .m = 2, .A1 = A1, .A2 = A2, .b = b, .x_ref = &x_ref, .rho = 1.0, .loss = SOFTRELU_SQUARES};
    return stationarity_at(&instance, &x, 1e-9);
}

static void v_shaped_kink(void **state) {
    (void)state;
    const double x_refs[] = {-0.1, 0.0, 0.2, 0.3, 0.5}, residuals[] = {0.1, 0.0, 0.0, 0.0, 0.2};
    for (int k = 0; k < 5; k++) {
        const struct stationarity found = at_the_v(0.0, 0.2, x_refs[k]);
        assert_true(fabs(found.residual - residuals[k]) <= 4 * DBL_EPSILON);
        assert_int_equal(found.pinned, 1);
        assert_int_equal(found.concave, 0);
    }
    /* a little off the kink, on either side: the residual is that side's gradient */
    assert_true(fabs(at_the_v(1e-3, 0.2, 0.2).residual - 0.1) < 1e-2);
    assert_true(fabs(at_the_v(-1e-3, 0.2, 0.2).residual - 0.2) < 1e-2);
    assert_int_equal(at_the_v(1e-3, 0.2, 0.2).pinned, 0);
}

static void concave_ridge(void **state) {
    (void)state;
    const struct stationarity found = at_the_v(0.0, 0.8, 0.0);
    assert_int_equal(found.pinned, 0);
    assert_int_equal(found.concave, 1);
    /* the gradient of the off side is 0, but the other side falls with slope 0.3: no minimiser */
    assert_true(fabs(found.residual - 0.3) <= 4 * DBL_EPSILON);
    assert_int_equal(at_the_v(1e-3, 0.8, 0.0).concave, 0);
}

/* Rows e1, e2, -e1 with the same jump 0.3 each: the multipliers reach [-0.3, 0.3] x [0, 0.3]. */
static void all_kinks_at_zero(void **state) {
    (void)state;
    double A1[6] = {1, 0, 0, 1, -1, 0}, A2[6] = {1, 1, 1, -1, -1, -1}, b[2] = {0.2, 0.8}, x_ref[2] = {0, 0};
    const double x[2] = {0.0, 0.0};
    const struct instance instance = {
        .n = 3, .d = 2, .m = 2, .A1 = A1, .A2 = A2, .b = b, .x_ref = x_ref, .rho = 1.0, .loss = SOFTRELU_SQUARES};
    const double cases[][3] = {{0.2, 0.5, 0.2}, {-0.25, 0.1, 0.0}, {0.7, -0.3, 0.5}, {-0.3, 0.3, 0.0}, {-0.6, 0.7, 0.5}};
    for (int k = 0; k < 5; k++) {
        x_ref[0] = cases[k][0];
        x_ref[1] = cases[k][1];
        const struct stationarity found = stationarity_at(&instance, x, 1e-9);
        assert_int_equal(found.pinned, 3);
        assert_int_equal(found.concave, 0);
        assert_true(fabs(found.residual - cases[k][2]) <= 8 * DBL_EPSILON);
    }
}

/*
 * The least |base + sum lambda_i a_i| with 0 <= lambda_i <= max(jump_i, 0): cyclic coordinate descent gives the upper number,
 * and the Frank-Wolfe gap of its last point the lower one.
 */
static void bounded_least_squares(const struct instance *instance, const long double *base, const long double *jumps,
                                  long double *upper, long double *lower) {
    const int64_t n = instance->n, d = instance->d;
    long double *lambda = test_long_doubles(n), *rest = test_long_doubles(d), gap = 0.0L, half = 0.0L;
    for (int64_t k = 0; k < d; k++)
        rest[k] = base[k];
    for (int64_t sweep = 0; sweep < 2000; sweep++)
        for (int64_t i = 0; i < n; i++) {
            long double slope = 0.0L, square = 0.0L;
            for (int64_t k = 0; k < d; k++) {
                slope += (long double)instance->A1[i * d + k] * rest[k];
                square += (long double)instance->A1[i * d + k] * (long double)instance->A1[i * d + k];
            }
            const long double moved = fminl(fmaxl(lambda[i] - slope / square, 0.0L), fmaxl(jumps[i], 0.0L));
            for (int64_t k = 0; k < d; k++)
                rest[k] += (moved - lambda[i]) * (long double)instance->A1[i * d + k];
            lambda[i] = moved;
        }
    for (int64_t k = 0; k < d; k++)
        half += 0.5L * rest[k] * rest[k];
    for (int64_t i = 0; i < n; i++) {
        long double slope = 0.0L;
        for (int64_t k = 0; k < d; k++)
            slope += (long double)instance->A1[i * d + k] * rest[k];
        gap += slope * (lambda[i] - (slope > 0.0L ? 0.0L : fmaxl(jumps[i], 0.0L)));
    }
    *upper = sqrtl(2.0L * half);
    *lower = sqrtl(2.0L * fmaxl(half - gap, 0.0L));
    free(lambda);
    free(rest);
}

static struct instance random_kinks_at_zero(struct test_random *random, int64_t trial, int64_t most_units) {
    const int64_t n = random_between(random, 1, most_units), d = random_between(random, 1, 10),
                  m = random_between(random, 2, 9);
    const struct instance_scales scales = {.A1 = 1, .A2 = 1, .b = 1, .c2 = 1, .rho = random_scale(random, -2, 0), .x_ref = 1};
    return random_instance(random, n, d, m, scales, trial % 2 == 0 ? SOFTRELU_SQUARES : SOFTRELU_KL);
}

static void assert_between(int64_t trial, double residual, long double lower, long double upper, long double round_off) {
    if ((long double)residual > upper + round_off || (long double)residual < lower - round_off)
        fail_msg("trial %lld: residual %.17g outside [%.17Lg, %.17Lg]", (long long)trial, residual, lower, upper);
}

/* x = 0: the units with a positive jump are at their kink; those with a negative one are moved off it, where they do nothing.
 */
static void random_kinks(void **state) {
    (void)state;
    struct test_random random = {21};
    for (int64_t trial = 0; trial < test_count(150, 10); trial++) {
        struct instance instance = random_kinks_at_zero(&random, trial, 24);
        const int64_t n = instance.n, d = instance.d;
        double *x = test_doubles(d);
        long double *zero = test_long_doubles(d), upper, lower;
        struct reference at = reference_at(&instance, zero, 1);
        int64_t convex = 0;
        instance.c1 = test_doubles(n);
        for (int64_t i = 0; i < n; i++) {
            convex += at.jumps[i] > 0.0L;
            instance.c1[i] = at.jumps[i] > 0.0L ? 0.0 : -1.0;
        }
        bounded_least_squares(&instance, at.gradient, at.jumps, &upper, &lower);
        const struct stationarity found = stationarity_at(&instance, x, 1e-9);
        assert_int_equal(found.pinned, convex);
        assert_int_equal(found.concave, 0);
        assert_between(trial, found.residual, lower, upper, 1e-13L * at.gradient_scale * (long double)(n + d));
        free(x);
        free(zero);
        reference_free(&at);
        instance_free(&instance);
    }
}

/* The steepest descent from a point with ridges is the largest residual over all choices of the ridges' sides. */
static long double steepest(const struct instance *instance, const struct reference *at) {
    const int64_t n = instance->n, d = instance->d;
    long double *base = test_long_doubles(d), most = 0.0L, upper, lower;
    for (int64_t sides = 0; sides < (1 << n); sides++) {
        bool meaningful = true;
        for (int64_t k = 0; k < d; k++)
            base[k] = at->gradient[k];
        for (int64_t i = 0; i < n; i++) {
            if ((sides >> i & 1) == 0)
                continue;
            meaningful = meaningful && at->jumps[i] < 0.0L;
            for (int64_t k = 0; k < d; k++)
                base[k] += at->jumps[i] * (long double)instance->A1[i * d + k];
        }
        if (!meaningful)
            continue;
        bounded_least_squares(instance, base, at->jumps, &upper, &lower);
        most = fmaxl(most, upper);
    }
    free(base);
    return most;
}

/* With ridges the residual is a lower bound of the steepest descent, and not below the residual of their off sides. */
static void random_ridges(void **state) {
    (void)state;
    struct test_random random = {25};
    for (int64_t trial = 0; trial < test_count(40, 4); trial++) {
        struct instance instance = random_kinks_at_zero(&random, trial, 5);
        double *x = test_doubles(instance.d);
        long double *zero = test_long_doubles(instance.d), upper, lower;
        struct reference at = reference_at(&instance, zero, 1);
        int64_t convex = 0;
        for (int64_t i = 0; i < instance.n; i++)
            convex += at.jumps[i] > 0.0L;
        bounded_least_squares(&instance, at.gradient, at.jumps, &upper, &lower);
        const struct stationarity found = stationarity_at(&instance, x, 1e-9);
        assert_int_equal(found.pinned, convex);
        assert_int_equal(found.concave, instance.n - convex);
        assert_between(trial, found.residual, lower, steepest(&instance, &at), 1e-12L * at.gradient_scale);
        if (found.concave > 0)
            assert_true(found.residual > 0.0);
        free(x);
        free(zero);
        reference_free(&at);
        instance_free(&instance);
    }
}

/* Away from kinks the residual is the norm of the gradient. */
static void smooth_points(void **state) {
    (void)state;
    struct test_random random = {22};
    for (int64_t trial = 0; trial < test_count(100, 10); trial++) {
        struct instance instance =
            random_instance(&random, random_between(&random, 1, 30), 7, 5,
                            (struct instance_scales){.A1 = 1, .A2 = 1, .b = 1, .c1 = 1, .w = 0.1}, SOFTRELU_SQUARES);
        double x[7], gradient[7], square = 0.0;
        random_fill(&random, 1.0, 7, x);
        struct built built = build(&instance, PLAIN_PLACEMENT);
        softrelu_evaluator *evaluator = evaluator_at(built.problem, x, 7);
        assert_int_equal(softrelu_evaluator_gradient(evaluator, gradient, 7), SOFTRELU_OK);
        for (int k = 0; k < 7; k++)
            square += gradient[k] * gradient[k];
        const struct stationarity found = stationarity_at(&instance, x, 1e-9);
        assert_int_equal(found.pinned + found.concave, 0);
        assert_true(fabs(found.residual - sqrt(square)) <= 32 * DBL_EPSILON * sqrt(square));
        softrelu_evaluator_destroy(evaluator);
        built_free(&built);
        instance_free(&instance);
    }
}

/* Among these is one (trial 281) whose second- and third-order remainders cancel at a step in the middle of the halvings. */
static void checker_agrees(void **state) {
    (void)state;
    struct test_random random = {923};
    for (int64_t trial = 0; trial < test_count(400, 10); trial++) {
        const struct instance_scales scales = {.A1 = 1, .A2 = 2, .b = 1, .c1 = 0.5, .w = trial % 3 == 0 ? 0.1 : 0.0};
        struct instance instance =
            random_instance(&random, random_between(&random, 2, 30), random_between(&random, 1, 12),
                            random_between(&random, 2, 20), scales, trial % 2 == 0 ? SOFTRELU_SQUARES : SOFTRELU_KL);
        const int64_t d = instance.d;
        double *x = test_doubles(d), *before = test_doubles(d), *after = test_doubles(d), orders[2] = {0, 0};
        random_fill(&random, 1.0, d, x);
        struct built built = build(&instance, PLAIN_PLACEMENT);
        softrelu_evaluator *evaluator = evaluator_at(built.problem, x, d);
        softrelu_derivative_verdict verdict = SOFTRELU_DERIVATIVES_ROUNDOFF;
        int64_t kink = -2;
        assert_int_equal(softrelu_evaluator_gradient(evaluator, before, d), SOFTRELU_OK);
        assert_int_equal(softrelu_evaluator_check_derivatives(evaluator, NULL, (uint64_t)trial, 0.0, &verdict, &orders[0],
                                                              &orders[1], &kink),
                         SOFTRELU_OK);
        if (verdict == SOFTRELU_DERIVATIVES_DISAGREE)
            fail_msg("trial %lld: orders %g and %g", (long long)trial, orders[0], orders[1]);
        if (verdict == SOFTRELU_DERIVATIVES_AGREE) {
            assert_int_equal(kink, -1);
            assert_true(isnan(orders[0]) || orders[0] > 1.7);
            assert_true(isnan(orders[1]) || orders[1] > 1.7);
        } else if (instance.n > 2) { /* with two units both may be off: nothing to see */
            print_message("  trial %lld (n = %lld): verdict %d\n", (long long)trial, (long long)instance.n, (int)verdict);
        }
        assert_int_equal(softrelu_evaluator_gradient(evaluator, after, d), SOFTRELU_OK);
        assert_same_doubles(d, after, before);
        free(x);
        free(before);
        free(after);
        softrelu_evaluator_destroy(evaluator);
        built_free(&built);
        instance_free(&instance);
    }
}

/* The first unit to change its sign along x + t p, 0 < t <= 1, and where. */
static int64_t first_crossing(const struct instance *instance, const double *x, const double *p, double *t) {
    int64_t first = -1;
    *t = INFINITY;
    for (int64_t i = 0; i < instance->n; i++) {
        double u = instance->c1[i], rate = 0.0;
        for (int64_t k = 0; k < instance->d; k++) {
            u += instance->A1[i * instance->d + k] * x[k];
            rate += instance->A1[i * instance->d + k] * p[k];
        }
        if (-u / rate > 0.0 && -u / rate < *t) {
            *t = -u / rate;
            first = i;
        }
    }
    return first;
}

static void checker_finds_the_kink(void **state) {
    (void)state;
    struct test_random random = {24};
    int64_t smooth = 0, kinks = 0;
    for (int64_t trial = 0; trial < test_count(200, 20); trial++) {
        struct instance instance = random_instance(
            &random, 12, 5, 6, (struct instance_scales){.A1 = 1, .A2 = 2, .b = 1, .c1 = 1, .w = 0.1}, SOFTRELU_SQUARES);
        double x[5], p[5], x_norm = 0.0, p_norm = 0.0, first, step = random_scale(&random, -2, 0);
        random_fill(&random, 1.0, 5, x);
        random_fill(&random, 3.0, 5, p);
        for (int k = 0; k < 5; k++) {
            x_norm = hypot(x_norm, x[k]);
            p_norm = hypot(p_norm, p[k]);
        }
        const int64_t expected = first_crossing(&instance, x, p, &first);
        const double longest = step * (x_norm + 1.0) / p_norm; /* the segment's end in multiples of p */
        struct built built = build(&instance, PLAIN_PLACEMENT);
        softrelu_evaluator *evaluator = evaluator_at(built.problem, x, 5);
        softrelu_derivative_verdict verdict = SOFTRELU_DERIVATIVES_ROUNDOFF;
        int64_t kink = -2;
        assert_int_equal(softrelu_evaluator_check_derivatives(evaluator, p, 0, step, &verdict, NULL, NULL, &kink), SOFTRELU_OK);
        if (first < 0.999 * longest) {
            kinks++;
            assert_int_equal(verdict, SOFTRELU_DERIVATIVES_KINK);
            assert_int_equal(kink, expected);
        } else if (first > 1.001 * longest) {
            smooth++;
            assert_int_equal(verdict, SOFTRELU_DERIVATIVES_AGREE);
            assert_int_equal(kink, -1);
        }
        softrelu_evaluator_destroy(evaluator);
        built_free(&built);
        instance_free(&instance);
    }
    print_message("  %lld segments with a kink, %lld without\n", (long long)kinks, (long long)smooth);
    assert_true(kinks > 0 && smooth > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(v_shaped_kink),     cmocka_unit_test(concave_ridge),
                                       cmocka_unit_test(all_kinks_at_zero), cmocka_unit_test(random_kinks),
                                       cmocka_unit_test(random_ridges),     cmocka_unit_test(smooth_points),
                                       cmocka_unit_test(checker_agrees),    cmocka_unit_test(checker_finds_the_kink)};
    return cmocka_run_group_tests_name("stationarity", tests, NULL, NULL);
}
