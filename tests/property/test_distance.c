/* The bound of the distance to a minimiser: by hand where the answer is known, on random problems against minimisers refined in
   long double, and what the ball of convergence promises. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/reference.h"
#include "support/refining.h"
#include "support/refusal.h"
#include "support/solving.h"

#ifndef TRIALS
#define TRIALS 400
#endif

static double number(const softrelu_certificate *certificate, softrelu_certificate_quantity quantity) {
    double value = NAN;
    assert_int_equal(softrelu_certificate_number(certificate, quantity, &value), SOFTRELU_OK);
    return value;
}

struct found {
    softrelu_distance answer;
    double bound, radius;
};

static struct found find_placed(const struct instance *instance, const double *x, double kink_tolerance, double tolerance,
                                struct placement placement) {
    struct built built = build(instance, placement);
    softrelu_certificate *certificate = NULL;
    assert_int_equal(softrelu_certificate_create(built.problem, &certificate), SOFTRELU_OK);
    assert_int_equal(softrelu_certify(certificate, x, instance->d, kink_tolerance, tolerance), SOFTRELU_OK);
    const struct found found = {softrelu_certificate_distance(certificate),
                                number(certificate, SOFTRELU_CERTIFICATE_DISTANCE_BOUND),
                                number(certificate, SOFTRELU_CERTIFICATE_CONVERGENCE_RADIUS)};
    assert_true(isnan(found.bound) == (found.answer != SOFTRELU_DISTANCE_PROVED));
    assert_true(isnan(found.radius) == isnan(found.bound));
    softrelu_certificate_destroy(certificate);
    built_free(&built);
    return found;
}

static struct found find(const struct instance *instance, const double *x, double kink_tolerance, double tolerance) {
    return find_placed(instance, x, kink_tolerance, tolerance, PLAIN_PLACEMENT);
}

static void expect(const struct found *found, softrelu_distance answer) {
    if (found->answer != answer)
        fail_msg("%s, expected %s", softrelu_distance_name(found->answer), softrelu_distance_name(answer));
}

/* ------------------------------------------------------------------------------------------------------------- by hand */

/* One unknown, z = (max(x, 0), -max(x, 0)), rho = 1: crossing 0 upwards changes the slope by 1/2 - b_0. */
static struct found at_the_v(double x, double b, double x_ref, double tolerance) {
    double A1[1] = {1.0}, A2[2] = {1.0, -1.0}, target[2] = {b, 1.0 - b}, centre[1] = {x_ref};
    const struct instance instance = {
        .n = 1, .d = 1, .m = 2, .A1 = A1, .A2 = A2, .b = target, .x_ref = centre, .rho = 1.0, .loss = SOFTRELU_SQUARES};
    return find(&instance, &x, 1e-9, tolerance);
}

static void a_valley(void **state) {
    (void)state;
    struct found found = at_the_v(0.0, 0.2, 0.1, 1e-12); /* held by the kink alone, and exactly there */
    expect(&found, SOFTRELU_DISTANCE_PROVED);
    assert_true(found.bound == 0.0);
    found = at_the_v(0.0, 0.2, 0.0, 1e-12); /* certified although the multiplier is 0: nothing holds x */
    expect(&found, SOFTRELU_DISTANCE_MULTIPLIERS);
    found = at_the_v(0.0, 0.2, 0.5, 1e-12);
    expect(&found, SOFTRELU_DISTANCE_NOT_CERTIFIED);
    found = at_the_v(-1e-6, 0.2, 1e-3, 1.5); /* Newton's step leads across the kink */
    expect(&found, SOFTRELU_DISTANCE_CELL);
    found = at_the_v(-0.5, 0.2, -0.75, 0.9); /* a parabola of curvature 1 */
    expect(&found, SOFTRELU_DISTANCE_PROVED);
    assert_true(found.bound >= 0.25 && found.bound <= 0.25 * (1.0 + 1e-6));
}

/* 1/2 |x - x_ref|^2 over a box, with a network that says nothing (m = 1): the bound is the distance. */
static void a_parabola_over_a_box(void **state) {
    (void)state;
    double A1[4] = {1, 2, 3, 4}, A2[1] = {1.0}, b[1] = {1.0}, centre[4] = {3.0, -2.0, 0.25, 7.0}, c1[1] = {-100.0};
    double lower[4] = {-1.0, -1.0, -1.0, 0.5}, upper[4] = {1.0, INFINITY, 1.0, 0.5};
    const struct instance instance = {.n = 1,
                                      .d = 4,
                                      .m = 1,
                                      .A1 = A1,
                                      .A2 = A2,
                                      .b = b,
                                      .c1 = c1,
                                      .x_ref = centre,
                                      .lower = lower,
                                      .upper = upper,
                                      .rho = 1.0,
                                      .loss = SOFTRELU_SQUARES};
    const double x[4] = {1.0, -1.0, 0.21875, 0.5}, corner[4] = {1.0, -1.0, 1.0, 0.5};
    struct found found = find(&instance, x, 1e-9, 0.5);
    expect(&found, SOFTRELU_DISTANCE_PROVED);
    assert_true(found.bound >= 0.03125 && found.bound <= 0.03125 * (1.0 + 1e-6));
    assert_true(found.radius > 0.1 && found.radius < 0.375); /* x_1 is held by a slope of 1 */
    found = find(&instance, corner, 1e-9, 1e-12);            /* x_2 wants to leave its bound */
    expect(&found, SOFTRELU_DISTANCE_NOT_CERTIFIED);
    lower[2] = 0.21; /* nearer to x_2 than the minimiser */
    found = find(&instance, x, 1e-9, 0.5);
    expect(&found, SOFTRELU_DISTANCE_CELL);
}

/* Two units at one kink of x = (0, 0): rows a and factor a, the second with one entry changed by change. */
static struct found at_a_double_kink(double factor, double change, double c1) {
    const double a[2] = {1.0 / 3.0, 0.7};
    double A1[4] = {a[0], a[1], factor * a[0], factor * a[1] * (1.0 + change)}, A2[4] = {1, 1, -1, -1}, b[2] = {0.2, 0.8};
    double bias[2] = {0.0, c1}, centre[2] = {0.1, 0.0};
    const double x[2] = {0.1 - a[0] * (a[0] * 0.1) / (a[0] * a[0] + a[1] * a[1]),
                         -a[1] * (a[0] * 0.1) / (a[0] * a[0] + a[1] * a[1])};
    const struct instance instance = {
        .n = 2, .d = 2, .m = 2, .A1 = A1, .A2 = A2, .b = b, .c1 = bias, .x_ref = centre, .rho = 1.0, .loss = SOFTRELU_SQUARES};
    return find(&instance, x, 1e-9, 1e-12);
}

static void one_kink_or_two(void **state) {
    (void)state;
    const double factors[] = {1.0, 2.0, 0.125}, changes[] = {4.0 * DBL_EPSILON, 1e-14, 1e-13};
    for (int i = 0; i < 3; i++) {
        struct found found = at_a_double_kink(factors[i], 0.0, 0.0);
        expect(&found, SOFTRELU_DISTANCE_PROVED);
        assert_true(found.bound < 1e-13);
        found = at_a_double_kink(factors[i], 0.0, 1e-14); /* the same direction, another place */
        expect(&found, SOFTRELU_DISTANCE_CELL);
        for (int j = 0; j < 3; j++) {
            found = at_a_double_kink(factors[i], changes[j], 0.0);
            expect(&found, SOFTRELU_DISTANCE_CELL);
        }
    }
}

static void assert_near(const struct found *found, const struct found *expected, double factor, double tolerance) {
    expect(found, SOFTRELU_DISTANCE_PROVED);
    assert_true(fabs(found->bound / expected->bound / factor - 1.0) < tolerance);
    assert_true(fabs(found->radius / expected->radius / factor - 1.0) < tolerance);
}

/* The matrices as they may lie in memory, and x in other units, by a power of two. */
static void layouts_and_units_do_not_matter(void **state) {
    (void)state;
    enum { N = 20, D = 8, M = 10 };
    struct test_random random = {5};
    struct instance instance = synthetic_instance(&random, N, D, M, 0.3, 0.1);
    instance.loss = SOFTRELU_KL;
    struct solving solving = solving_of(&instance);
    double *x = test_doubles(D);
    assert_int_equal(softrelu_solver_solve(solving.solver), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solution(solving.solver, x, D), SOFTRELU_OK);
    const struct found before = find(&instance, x, 1e-9, 1e-12);
    expect(&before, SOFTRELU_DISTANCE_PROVED);
    const struct placement placements[] = {{SOFTRELU_COLUMN_MAJOR, 3, SOFTRELU_BORROW}, {SOFTRELU_ROW_MAJOR, 1, SOFTRELU_COPY}};
    for (int i = 0; i < 2; i++) {
        const struct found placed = find_placed(&instance, x, 1e-9, 1e-12, placements[i]);
        assert_near(&placed, &before, 1.0, 0.5); /* the residual is round-off, and another one */
    }
    for (int64_t i = 0; i < N * D; i++)
        instance.A1[i] /= 1024.0;
    for (int64_t k = 0; k < D; k++)
        x[k] *= 1024.0;
    const struct found after = find(&instance, x, 1e-9, 1e-12);
    assert_near(&after, &before, 1024.0, 1e-6);
    free(x);
    solving_free(&solving);
    instance_free(&instance);
}

/* Without a certificate, before the first point, after a refused one, where F overflows, and for a number that is no answer. */
static void misuse(void **state) {
    (void)state;
    double A1[1] = {1.0}, b[1] = {1.0};
    const double near = -1e-3, nowhere = NAN, far = 1e200;
    const struct instance instance = {.n = 1, .d = 1, .m = 1, .A1 = A1, .b = b, .rho = 1.0, .loss = SOFTRELU_SQUARES};
    struct built built = build(&instance, PLAIN_PLACEMENT);
    softrelu_certificate *certificate = NULL;
    assert_int_equal(softrelu_certificate_distance(NULL), SOFTRELU_DISTANCE_NOT_CERTIFIED);
    assert_string_equal(softrelu_distance_name(SOFTRELU_DISTANCE_PROVED), "proved");
    assert_string_equal(softrelu_distance_name((softrelu_distance)77), "unknown");
    assert_string_equal(softrelu_distance_text((softrelu_distance)77), "unknown reason");
    assert_int_equal(softrelu_certificate_create(built.problem, &certificate), SOFTRELU_OK);
    assert_int_equal(softrelu_certificate_distance(certificate), SOFTRELU_DISTANCE_NOT_CERTIFIED);
    assert_true(isnan(number(certificate, SOFTRELU_CERTIFICATE_DISTANCE_BOUND)));
    assert_int_equal(softrelu_certify(certificate, &near, 1, 1e-9, 1.0), SOFTRELU_OK);
    assert_int_equal(softrelu_certificate_distance(certificate), SOFTRELU_DISTANCE_CELL); /* the minimiser is the kink itself */
    REFUSE(softrelu_certify(certificate, &nowhere, 1, 1e-9, 1.0), SOFTRELU_ERROR_NOT_FINITE);
    assert_int_equal(softrelu_certificate_distance(certificate), SOFTRELU_DISTANCE_CELL);
    assert_int_equal(softrelu_certify(certificate, &far, 1, 1e-9, 1.0), SOFTRELU_OK);
    assert_int_equal(softrelu_certificate_reason(certificate), SOFTRELU_REASON_OVERFLOW);
    assert_int_equal(softrelu_certificate_distance(certificate), SOFTRELU_DISTANCE_NOT_CERTIFIED);
    softrelu_certificate_destroy(certificate);
    built_free(&built);
}

/* -------------------------------------------------------------------------------------------------------- random problems */

static struct instance random_problem(struct test_random *random, int64_t trial) {
    const int64_t n = random_between(random, 1, 40), d = random_between(random, 1, 12), m = random_between(random, 2, 20);
    const bool identity = trial % 5 == 0;
    const struct instance_scales scales = {.A1 = random_scale(random, -3, 3),
                                           .A2 = identity ? 0.0 : random_scale(random, -2, 1),
                                           .b = 1,
                                           .c1 = trial % 2 == 0 ? 0.3 : 0.0,
                                           .c2 = trial % 7 == 0 ? 1.0 : 0.0,
                                           .w = random_scale(random, -3, 0),
                                           .x_ref = trial % 3 == 0 ? 1.0 : 0.0,
                                           .rho = trial % 3 == 0 ? random_scale(random, -4, 0) : 0.0};
    struct instance instance = random_instance(random, n, d, identity ? n : m, scales,
                                               random_between(random, 0, 1) == 0 ? SOFTRELU_SQUARES : SOFTRELU_KL);
    for (int64_t i = 1; i < n && trial % 4 == 1; i += 3) { /* repeated and mirrored rows */
        const double factor = i % 2 == 0 ? -2.0 : 1.0;
        for (int64_t k = 0; k < d; k++)
            instance.A1[i * d + k] = factor * instance.A1[(i - 1) * d + k];
        if (instance.c1 != NULL)
            instance.c1[i] = factor * instance.c1[i - 1];
    }
    for (int64_t i = 0; i < n && trial % 6 == 5; i++) /* a direction that hardly matters */
        instance.A1[i * d] *= 1e-3;
    if (trial % 4 == 0) {
        instance.lower = test_doubles(d);
        instance.upper = test_doubles(d);
        for (int64_t k = 0; k < d; k++) {
            instance.lower[k] = -random_uniform(random, 0.0, 1.0);
            instance.upper[k] = random_uniform(random, 0.0, 1.0);
        }
    }
    return instance;
}

struct tally {
    int64_t solved, certified, asked, bounded, balls, steps;
    double least; /* bound over distance */
};

/* x* plus a move of the given length, within the bounds of x; along: on the face. */
static void move_from(const struct face *face, const long double *minimiser, struct test_random *random, long double length,
                      bool along, long double *moved) {
    const struct instance *instance = face->instance;
    long double norm = 0.0L;
    for (int64_t k = 0; k < instance->d; k++)
        moved[k] = face->bound[k] != 0 ? 0.0L : (long double)random_normal(random);
    if (along)
        face_project(face, moved);
    for (int64_t k = 0; k < instance->d; k++)
        norm = hypotl(norm, moved[k]);
    for (int64_t k = 0; k < instance->d; k++)
        moved[k] = minimiser[k] + (norm > 0.0L ? length / norm * moved[k] : 0.0L);
}

static long double distance_between(int64_t d, const long double *one, const long double *other) {
    long double distance = 0.0L;
    for (int64_t k = 0; k < d; k++)
        distance = hypotl(distance, one[k] - other[k]);
    return distance;
}

/* Newton steps from within the ball at least square the error over its radius. known: what the minimiser itself is known to. */
static void check_ball(const struct face *face, const long double *minimiser, double radius, long double known,
                       struct test_random *random, struct tally *tally) {
    const int64_t d = face->instance->d;
    long double *x = test_long_doubles(d);
    const long double reach = fminl((long double)radius, 1e6L);
    for (int trial = 0; trial < 3; trial++) {
        move_from(face, minimiser, random, reach * (trial == 0 ? 0.999L : (long double)random_uniform(random, 0.01, 1.0)), true,
                  x);
        for (int step = 0; step < 4; step++) {
            const long double before = distance_between(d, x, minimiser);
            face_newton(face, x);
            const long double after = distance_between(d, x, minimiser);
            if (!(after <= before * (before / (long double)radius) * (1.0L + 1e-6L) + known + 1e-30L * (long double)radius))
                fail_msg("an error of %Lg becomes %Lg, radius %g", before, after, radius);
            tally->steps++;
        }
    }
    tally->balls++;
    free(x);
}

/* The certificate at points around the minimiser. */
static void check_around(const struct face *face, softrelu_certificate *certificate, const long double *minimiser,
                         long double known, struct test_random *random, struct tally *tally) {
    const struct instance *instance = face->instance;
    const int64_t n = instance->n, d = instance->d;
    long double *moved = test_long_doubles(d), length = 0.0L;
    double *x = test_doubles(d);
    signed char *kinks = calloc((size_t)n, 1), *bounds = calloc((size_t)d, 1);
    assert_true(kinks != NULL && bounds != NULL);
    for (int64_t k = 0; k < d; k++)
        length = hypotl(length, minimiser[k]);
    for (int trial = 0; trial < 12; trial++) {
        move_from(face, minimiser, random, length * (long double)random_scale(random, -17, -2), trial % 2 == 0, moved);
        for (int64_t k = 0; k < d; k++) {
            x[k] = (double)moved[k];
            x[k] = fmin(fmax(x[k], instance->lower != NULL ? instance->lower[k] : x[k]),
                        instance->upper != NULL ? instance->upper[k] : x[k]);
            moved[k] = (long double)x[k];
        }
        assert_int_equal(
            softrelu_certify(certificate, x, d, fmax(1e-9, random_scale(random, -12, -1)), random_scale(random, -12, -1)),
            SOFTRELU_OK);
        const double bound = number(certificate, SOFTRELU_CERTIFICATE_DISTANCE_BOUND);
        tally->asked++;
        if (isnan(bound))
            continue;
        assert_int_equal(softrelu_certificate_active(certificate, kinks, n, bounds, d), SOFTRELU_OK);
        if (memcmp(kinks, face->kink, (size_t)n) != 0 || memcmp(bounds, face->bound, (size_t)d) != 0)
            continue; /* it speaks of a minimiser of another face */
        const long double distance = distance_between(d, moved, minimiser);
        if (!(distance <= (long double)bound + known))
            fail_msg("%Lg away, %g is the bound", distance, bound);
        tally->bounded++;
        if (distance > 100.0L * known)
            tally->least = fmin(tally->least, (double)((long double)bound / distance));
    }
    free(moved);
    free(x);
    free(kinks);
    free(bounds);
}

static void check_problem(const struct instance *instance, struct test_random *random, struct tally *tally) {
    const int64_t d = instance->d;
    struct solving solving = solving_of(instance);
    double *x = test_doubles(d);
    long double *minimiser = test_long_doubles(d), *start = test_long_doubles(d), length = 0.0L;
    assert_int_equal(softrelu_solver_solve(solving.solver), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solution(solving.solver, x, d), SOFTRELU_OK);
    const softrelu_certificate *solved = softrelu_solver_certificate(solving.solver);
    const double bound = number(solved, SOFTRELU_CERTIFICATE_DISTANCE_BOUND);
    tally->solved++;
    tally->certified += softrelu_certificate_verdict(solved) == SOFTRELU_VERDICT_CERTIFIED;
    if (!isnan(bound)) {
        struct face face = face_of(instance, solved);
        softrelu_certificate *certificate = NULL;
        for (int64_t k = 0; k < d; k++) {
            minimiser[k] = start[k] = (long double)x[k];
            length = hypotl(length, start[k]);
        }
        const long double last = face_refine(&face, minimiser);
        const long double digits = reference_epsilon() / (long double)DBL_EPSILON; /* what the bound would be in long double */
        const long double known =
            4.0L * last + 256.0L * reference_epsilon() * fmaxl(length, 1e-3L) + digits * (long double)bound;
        if (!(distance_between(d, minimiser, start) <= (long double)bound + known))
            fail_msg("the solver's answer is %Lg away, %g is the bound", distance_between(d, minimiser, start), bound);
        tally->bounded++;
        tally->asked++;
        assert_int_equal(softrelu_certificate_create(solving.built.problem, &certificate), SOFTRELU_OK);
        check_around(&face, certificate, minimiser, known, random, tally);
        const double radius = number(solved, SOFTRELU_CERTIFICATE_CONVERGENCE_RADIUS);
        if (radius > 0.0)
            check_ball(&face, minimiser, radius, 40.0L * known, random, tally);
        softrelu_certificate_destroy(certificate);
        face_free(&face);
    }
    free(x);
    free(minimiser);
    free(start);
    solving_free(&solving);
}

static void random_problems(void **state) {
    (void)state;
    struct test_random random = {97};
    struct tally tally = {.least = INFINITY};
    const int64_t trials = test_count(TRIALS, 6);
    for (int64_t trial = 0; trial < trials; trial++) {
        struct instance instance = random_problem(&random, trial);
        check_problem(&instance, &random, &tally);
        instance_free(&instance);
    }
    print_message(
        "  %lld problems, %lld certified; of %lld points %lld have a bound, at least %.6f times the distance; %lld balls, "
        "%lld Newton steps in them\n",
        (long long)tally.solved, (long long)tally.certified, (long long)tally.asked, (long long)tally.bounded, tally.least,
        (long long)tally.balls, (long long)tally.steps);
    assert_true(tally.bounded >= tally.asked / 3 && tally.balls >= tally.certified / 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_valley),        cmocka_unit_test(a_parabola_over_a_box),
                                       cmocka_unit_test(one_kink_or_two), cmocka_unit_test(layouts_and_units_do_not_matter),
                                       cmocka_unit_test(misuse),          cmocka_unit_test(random_problems)};
    return cmocka_run_group_tests_name("distance", tests, NULL, NULL);
}
