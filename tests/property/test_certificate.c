/* The certificate: by hand where the answer is known, and on random problems against F itself. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/refusal.h"
#include "support/solving.h"

static struct judgement judge_instance(const struct instance *instance, const double *x, double *direction) {
    struct built built = build(instance, PLAIN_PLACEMENT);
    const struct judgement judgement = judge(built.problem, x, instance->d, direction);
    built_free(&built);
    return judgement;
}

static void expect(const struct judgement *found, softrelu_verdict verdict, softrelu_reason reason) {
    if (found->verdict != verdict || found->reason != reason)
        fail_msg("%s (%s), expected %s (%s)", softrelu_verdict_name(found->verdict), softrelu_reason_name(found->reason),
                 softrelu_verdict_name(verdict), softrelu_reason_name(reason));
}

/* ------------------------------------------------------------------------------------------------------------- by hand */

/* One unknown, two outputs, z = (max(x, 0), -max(x, 0)): at x = 0, f = 1/2 each, and crossing upwards changes the slope by
   q = 1/2 - b_0. With rho = 1 the gradient below the kink is -x_ref. */
static struct judgement at_the_v(double x, double b, double x_ref) {
    double A1[1] = {1.0}, A2[2] = {1.0, -1.0}, target[2] = {b, 1.0 - b}, centre[1] = {x_ref};
    const struct instance instance = {
        .n = 1, .d = 1, .m = 2, .A1 = A1, .A2 = A2, .b = target, .x_ref = centre, .rho = 1.0, .loss = SOFTRELU_SQUARES};
    double direction[1] = {0.0};
    const struct judgement found = judge_instance(&instance, &x, direction);
    if (found.verdict == SOFTRELU_VERDICT_NOT_STATIONARY)
        assert_true(fabs(fabs(direction[0]) - 1.0) < 1e-15);
    return found;
}

static void valley_and_ridge(void **state) {
    (void)state;
    /* q = 0.3: 0 <= x_ref <= 0.3 holds x = 0; the multiplier is x_ref */
    struct judgement found = at_the_v(0.0, 0.2, 0.1);
    expect(&found, SOFTRELU_VERDICT_CERTIFIED, SOFTRELU_REASON_NONE);
    assert_true(found.pinned == 1.0 && found.free == 0.0 && isinf(found.curvature) && found.residual <= 1e-16 &&
                found.margin > 0.0);
    found = at_the_v(0.0, 0.2, 0.5);
    expect(&found, SOFTRELU_VERDICT_NOT_STATIONARY, SOFTRELU_REASON_RESIDUAL);
    assert_true(fabs(found.residual - 0.2) < 1e-15 && fabs(found.slope + 0.2) < 1e-15);
    found = at_the_v(0.0, 0.2, -0.1);
    expect(&found, SOFTRELU_VERDICT_NOT_STATIONARY, SOFTRELU_REASON_RESIDUAL);
    /* a multiplier on the edge: the cell it leaves open curves upwards, so it is a minimiser all the same */
    found = at_the_v(0.0, 0.2, 0.0);
    expect(&found, SOFTRELU_VERDICT_CERTIFIED, SOFTRELU_REASON_NONE);
    assert_true(found.margin == 0.0 && found.free == 1.0 && found.curvature > 0.9);
    /* q = -0.3: a ridge, left upwards although the gradient below it is 0 */
    found = at_the_v(0.0, 0.8, 0.0);
    expect(&found, SOFTRELU_VERDICT_NOT_STATIONARY, SOFTRELU_REASON_RESIDUAL);
    assert_true(found.concave == 1.0 && fabs(found.slope + 0.3) < 1e-15);
}

/* 1/2 |x - x_ref|^2 over a box, with a network that says nothing (m = 1): the projection of x_ref, multipliers x_ref - x. */
static void projection_on_a_box(void **state) {
    (void)state;
    double A1[4] = {1, 2, 3, 4}, A2[1] = {1.0}, b[1] = {1.0}, centre[4] = {3.0, -2.0, 0.25, 7.0}, c1[1] = {-100.0};
    double lower[4] = {-1.0, -1.0, -INFINITY, 0.5}, upper[4] = {1.0, INFINITY, 1.0, 0.5};
    const double x[4] = {1.0, -1.0, 0.25, 0.5}, expected[4] = {2.0, -1.0, 0.0, 6.5};
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
    struct built built = build(&instance, PLAIN_PLACEMENT);
    softrelu_certificate *certificate = NULL;
    double mu[4];
    signed char side[4], kinks[1];
    assert_int_equal(softrelu_certificate_create(built.problem, &certificate), SOFTRELU_OK);
    assert_int_equal(softrelu_certify(certificate, x, 4, 1e-9, 1e-12), SOFTRELU_OK);
    assert_int_equal(softrelu_certificate_verdict(certificate), SOFTRELU_VERDICT_CERTIFIED);
    assert_int_equal(softrelu_certificate_multipliers(certificate, NULL, 0, mu, 4), SOFTRELU_OK);
    assert_int_equal(softrelu_certificate_active(certificate, kinks, 1, side, 4), SOFTRELU_OK);
    for (int k = 0; k < 4; k++)
        assert_true(fabs(mu[k] - expected[k]) < 1e-14);
    assert_true(side[0] == 1 && side[1] == -1 && side[2] == 0 && side[3] == 2 && kinks[0] == 0);

    /* one inside that should be at its bound, one at a bound it should leave */
    const double inside[4] = {0.9, -1.0, 0.25, 0.5}, wrong[4] = {-1.0, -1.0, 0.25, 0.5};
    double direction[4];
    assert_int_equal(softrelu_certify(certificate, inside, 4, 1e-9, 1e-12), SOFTRELU_OK);
    assert_int_equal(softrelu_certificate_verdict(certificate), SOFTRELU_VERDICT_NOT_STATIONARY);
    assert_int_equal(softrelu_certify(certificate, wrong, 4, 1e-9, 1e-12), SOFTRELU_OK);
    assert_int_equal(softrelu_certificate_verdict(certificate), SOFTRELU_VERDICT_NOT_STATIONARY);
    assert_int_equal(softrelu_certificate_direction(certificate, direction, 4), SOFTRELU_OK);
    assert_true(fabs(direction[0] - 1.0) < 1e-15 && direction[1] == 0.0 && direction[3] == 0.0);
    softrelu_certificate_destroy(certificate);
    built_free(&built);
}

/* All units off: F = 1/2 |w A1 x|^2 up to a constant, flat across the null space of A1. */
static void flat_and_curved(void **state) {
    (void)state;
    double A1[6] = {1, 0, 0, 0, 1, 0}, A2[4] = {1, 0, 0, 1}, b[2] = {0.5, 0.5}, c1[2] = {-1, -1}, w[2] = {2, 1};
    const double x[3] = {0.0, 0.0, 5.0};
    struct instance instance = {.n = 2, .d = 3, .m = 2, .A1 = A1, .A2 = A2, .b = b, .c1 = c1, .w = w, .loss = SOFTRELU_SQUARES};
    struct judgement found = judge_instance(&instance, x, NULL);
    expect(&found, SOFTRELU_VERDICT_STATIONARY, SOFTRELU_REASON_FLAT);
    assert_true(found.free == 3.0 && fabs(found.curvature) <= found.round_off);
    double lower[3] = {-1, -1, 5}, upper[3] = {1, 1, 5}; /* with the flat direction fixed it is curved */
    instance.lower = lower;
    instance.upper = upper;
    found = judge_instance(&instance, x, NULL);
    expect(&found, SOFTRELU_VERDICT_CERTIFIED, SOFTRELU_REASON_NONE);
    assert_true(found.free == 2.0 && fabs(found.curvature - 1.0) < 1e-14);
}

/* The identity network at x = 0 with b = (1/2, 1/2): symmetric, so stationary along (1, -1); there b between the outputs of
   F(t) = (sigma(2t) - b)^2 with b = 1/2 is a minimum, with |b| far outside a maximum held up by nothing. */
static void saddle(void **state) {
    (void)state;
    double A1[4] = {1, 0, 0, 1}, b[2] = {-3.0, -3.0}, c1[2] = {1, 1};
    const double x[2] = {0.0, 0.0};
    const struct instance instance = {
        .n = 2, .d = 2, .m = 2, .A1 = A1, .b = b, .c1 = c1, .rho = 1e-3, .loss = SOFTRELU_SQUARES};
    double direction[2];
    const struct judgement convex = judge_instance(&instance, x, NULL);
    assert_true(convex.verdict == SOFTRELU_VERDICT_CERTIFIED); /* equal targets: the middle is best */
    double spread[2] = {0.5, 0.5}, far[4] = {1, 0, 0, -1};     /* mirrored units: both move z apart */
    const struct instance other = {
        .n = 2, .d = 2, .m = 2, .A1 = far, .b = spread, .c1 = c1, .rho = 1e-3, .loss = SOFTRELU_SQUARES};
    const struct judgement middle = judge_instance(&other, x, NULL);
    assert_int_equal(middle.verdict, SOFTRELU_VERDICT_CERTIFIED);
    /* b beyond the simplex on both sides of a saturated softmax: r < 0 */
    double wide[2] = {-2.0, 3.0}, shifted[2] = {1.0, 1.0}, reference[2];
    const double q = 0.25 * (0.5 - wide[0] - (0.5 - wide[1])); /* f_0 t_0 with t_0 = c_0 - f'c */
    reference[0] = q / 1e-3;
    reference[1] = -q / 1e-3;
    const struct instance bent = {
        .n = 2, .d = 2, .m = 2, .A1 = A1, .b = wide, .c1 = shifted, .x_ref = reference, .rho = 1e-3, .loss = SOFTRELU_SQUARES};
    const struct judgement found = judge_instance(&bent, x, direction);
    assert_true(found.verdict == SOFTRELU_VERDICT_STATIONARY || found.verdict == SOFTRELU_VERDICT_CERTIFIED);
}

/* ----------------------------------------------------------------------------------------------- against F and the solver */

static double loss_at_point(softrelu_evaluator *evaluator, const double *x, int64_t d) {
    double loss = NAN;
    assert_int_equal(softrelu_evaluator_move(evaluator, x, d), SOFTRELU_OK);
    assert_int_equal(softrelu_evaluator_loss(evaluator, &loss, NULL, NULL, NULL), SOFTRELU_OK);
    return loss;
}

static struct instance random_problem(struct test_random *random, int64_t trial) {
    const int64_t n = random_between(random, 1, 40), d = random_between(random, 1, 15), m = random_between(random, 2, 20);
    const bool identity = trial % 5 == 0;
    const struct instance_scales scales = {
        .A1 = 1, .A2 = identity ? 0.0 : 1.0, .b = 1, .c1 = trial % 2 == 0 ? 0.3 : 0.0, .w = random_scale(random, -3, 0)};
    struct instance instance =
        random_instance(random, n, d, identity ? n : m, scales, trial % 2 == 0 ? SOFTRELU_SQUARES : SOFTRELU_KL);
    if (trial % 3 == 0) { /* repeated and mirrored rows */
        for (int64_t i = 1; i < n; i += 3) {
            for (int64_t k = 0; k < d; k++)
                instance.A1[i * d + k] = (i % 2 == 0 ? -2.0 : 1.0) * instance.A1[(i - 1) * d + k];
            if (instance.c1 != NULL)
                instance.c1[i] = (i % 2 == 0 ? -2.0 : 1.0) * instance.c1[i - 1];
        }
    }
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

static void into_the_box(const struct instance *instance, double *x) {
    for (int64_t k = 0; k < instance->d && instance->lower != NULL; k++)
        x[k] = fmin(fmax(x[k], instance->lower[k]), instance->upper[k]);
}

/* A certified point is lower than all its neighbours; from a point called not stationary F falls along the direction given. */
static void compare_with_loss(const struct instance *instance, softrelu_evaluator *evaluator, const struct judgement *found,
                              const double *x, const double *direction, struct test_random *random) {
    const int64_t d = instance->d;
    double *near = test_doubles(d), lowest = INFINITY;
    const double here = loss_at_point(evaluator, x, d);
    assert_true(fabs(here - found->loss) <= 1e-13 * (1.0 + fabs(here)));
    for (int probe = 0; probe < 40; probe++) {
        const double step = pow(10.0, -1.0 - probe % 8 * 0.5);
        for (int64_t k = 0; k < d; k++)
            near[k] =
                x[k] + step * (found->verdict == SOFTRELU_VERDICT_NOT_STATIONARY ? direction[k] : 1e-3 * random_normal(random));
        into_the_box(instance, near);
        lowest = fmin(lowest, loss_at_point(evaluator, near, d));
    }
    if (found->verdict == SOFTRELU_VERDICT_CERTIFIED)
        assert_true(lowest >= here - 1e-14 * (1.0 + fabs(here)));
    if (found->verdict == SOFTRELU_VERDICT_NOT_STATIONARY)
        assert_true(lowest < here);
    free(near);
}

static void random_problems(void **state) {
    (void)state;
    struct test_random random = {77};
    int64_t certified = 0, flat = 0, solved = 0;
    for (int64_t trial = 0; trial < test_count(400, 20); trial++) {
        struct instance instance = random_problem(&random, trial);
        struct solving solving = solving_of(&instance);
        const int64_t d = instance.d;
        double *x = test_doubles(d), *direction = test_doubles(d), residual, relative;
        assert_int_equal(softrelu_solver_solve(solving.solver), SOFTRELU_OK);
        assert_int_equal(softrelu_solver_solution(solving.solver, x, d), SOFTRELU_OK);
        struct judgement found = judge(solving.built.problem, x, d, direction);
        if (softrelu_report_termination(softrelu_solver_report(solving.solver)) != SOFTRELU_CONVERGED)
            fail_msg("trial %d: %s, %s", (int)trial,
                     softrelu_termination_name(softrelu_report_termination(softrelu_solver_report(solving.solver))),
                     softrelu_reason_name(found.reason));
        const softrelu_certificate *own = softrelu_solver_certificate(solving.solver);
        assert_int_equal(softrelu_certificate_verdict(own), found.verdict);
        certified += found.verdict == SOFTRELU_VERDICT_CERTIFIED;
        flat += found.reason == SOFTRELU_REASON_FLAT;
        solved++;
        compare_with_loss(&instance, solving.evaluator, &found, x, direction, &random);

        for (int64_t k = 0; k < d; k++) /* a point that is none */
            x[k] += 1e-2 * random_normal(&random);
        into_the_box(&instance, x);
        found = judge(solving.built.problem, x, d, direction);
        assert_true(found.verdict == SOFTRELU_VERDICT_NOT_STATIONARY || found.residual == 0.0 || instance.lower != NULL);
        compare_with_loss(&instance, solving.evaluator, &found, x, direction, &random);
        assert_int_equal(softrelu_evaluator_move(solving.evaluator, x, d), SOFTRELU_OK);
        assert_int_equal(softrelu_evaluator_stationarity(solving.evaluator, 1e-9, &residual, &relative, NULL, NULL),
                         SOFTRELU_OK);
        assert_true(fabs(residual - found.residual) <= 1e-10 * residual + 1e-13);
        assert_true(fabs(relative - found.relative) <= 1e-6 * relative + 1e-13); /* two computations of one scale */
        free(x);
        free(direction);
        solving_free(&solving);
        instance_free(&instance);
    }
    print_message("  of %d solutions %d are certified local minimisers, %d are in a flat valley\n", (int)solved, (int)certified,
                  (int)flat);
    /* a good part of these problems have fewer units than unknowns, and cannot be certified */
    assert_true(100 * certified >= 80 * solved);
}

/* The layout of the data changes nothing that matters. */
static void every_placement(void **state) {
    (void)state;
    const struct placement placements[] = {{SOFTRELU_ROW_MAJOR, 3, SOFTRELU_BORROW}, {SOFTRELU_COLUMN_MAJOR, 0, SOFTRELU_COPY}};
    struct test_random random = {5};
    for (int64_t trial = 0; trial < 20; trial++) {
        struct instance instance = random_problem(&random, trial);
        struct solving solving = solving_of(&instance);
        double *x = test_doubles(instance.d);
        assert_int_equal(softrelu_solver_solve(solving.solver), SOFTRELU_OK);
        assert_int_equal(softrelu_solver_solution(solving.solver, x, instance.d), SOFTRELU_OK);
        const struct judgement plain = judge(solving.built.problem, x, instance.d, NULL);
        for (int p = 0; p < 2; p++) {
            struct built built = build(&instance, placements[p]);
            const struct judgement other = judge(built.problem, x, instance.d, NULL);
            assert_int_equal(other.verdict, plain.verdict);
            assert_true(other.pinned == plain.pinned && other.free == plain.free);
            assert_true(isinf(plain.curvature) || fabs(other.curvature - plain.curvature) <= plain.round_off);
            built_free(&built);
        }
        free(x);
        solving_free(&solving);
        instance_free(&instance);
    }
}

/* ------------------------------------------------------------------------------------------------------------- bad input */

static void bad_arguments(void **state) {
    (void)state;
    double A1[2] = {1, 1}, b[1] = {1}, lower[2] = {-1, -1}, upper[2] = {1, 1}, value, two[2], one[1];
    const double inside[2] = {0.5, 0.5}, below[2] = {0.0, -2.0}, above[2] = {1.5, 0.0}, broken[2] = {NAN, 0.0};
    signed char flags[2];
    const struct instance instance = {
        .n = 1, .d = 2, .m = 1, .A1 = A1, .b = b, .lower = lower, .upper = upper, .rho = 1.0, .loss = SOFTRELU_SQUARES};
    struct built built = build(&instance, PLAIN_PLACEMENT);
    softrelu_problem *open = NULL;
    softrelu_certificate *certificate = NULL;
    assert_int_equal(softrelu_problem_create(1, 1, 1, NULL, NULL, NULL, &open), SOFTRELU_OK);
    REFUSE(softrelu_certificate_create(built.problem, NULL), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_certificate_create(NULL, &certificate), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_certificate_create(open, &certificate), SOFTRELU_ERROR_STATE);
    softrelu_problem_destroy(open);
    softrelu_certificate_destroy(NULL);
    assert_int_equal(softrelu_certificate_create(built.problem, &certificate), SOFTRELU_OK);

    assert_int_equal(softrelu_certificate_verdict(certificate), SOFTRELU_VERDICT_UNDECIDED);
    assert_int_equal(softrelu_certificate_reason(certificate), SOFTRELU_REASON_NOT_RUN);
    REFUSE(softrelu_certificate_multipliers(certificate, one, 1, two, 2), SOFTRELU_ERROR_STATE);
    REFUSE(softrelu_certificate_active(certificate, flags, 1, NULL, 0), SOFTRELU_ERROR_STATE);
    REFUSE(softrelu_certificate_direction(certificate, two, 2), SOFTRELU_ERROR_STATE);
    REFUSE(softrelu_certify(NULL, inside, 2, 1e-9, 1e-12), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_certify(certificate, NULL, 2, 1e-9, 1e-12), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_certify(certificate, inside, 3, 1e-9, 1e-12), SOFTRELU_ERROR_SIZE);
    REFUSE(softrelu_certify(certificate, broken, 2, 1e-9, 1e-12), SOFTRELU_ERROR_NOT_FINITE);
    SAYS(softrelu_certificate_message(certificate), "x[0]");
    REFUSE(softrelu_certify(certificate, inside, 2, -1.0, 1e-12), SOFTRELU_ERROR_VALUE);
    SAYS(softrelu_certificate_message(certificate), "kink_tolerance = -1");
    REFUSE(softrelu_certify(certificate, inside, 2, 1e-9, NAN), SOFTRELU_ERROR_VALUE);
    SAYS(softrelu_certificate_message(certificate), "tolerance = nan");
    assert_int_equal(softrelu_certify(certificate, inside, 2, 1e-9, 1e-12), SOFTRELU_OK);
    assert_int_equal(softrelu_certificate_verdict(certificate), SOFTRELU_VERDICT_NOT_STATIONARY);
    REFUSE(softrelu_certify(certificate, below, 2, 1e-9, 1e-12), SOFTRELU_ERROR_VALUE);
    SAYS(softrelu_certificate_message(certificate), "x[1] = -2 is below lower[1] = -1");
    REFUSE(softrelu_certify(certificate, above, 2, 1e-9, 1e-12), SOFTRELU_ERROR_VALUE);
    SAYS(softrelu_certificate_message(certificate), "x[0] = 1.5 is above upper[0] = 1");
    assert_int_equal(softrelu_certificate_verdict(certificate), SOFTRELU_VERDICT_NOT_STATIONARY); /* as before the refusals */

    REFUSE(softrelu_certificate_number(NULL, SOFTRELU_CERTIFICATE_LOSS, &value), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_certificate_number(certificate, SOFTRELU_CERTIFICATE_LOSS, NULL), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_certificate_number(certificate, (softrelu_certificate_quantity)3, &value), SOFTRELU_ERROR_UNKNOWN);
    REFUSE(softrelu_certificate_multipliers(NULL, one, 1, two, 2), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_certificate_multipliers(certificate, NULL, 1, two, 2), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_certificate_multipliers(certificate, one, 1, two, 1), SOFTRELU_ERROR_SIZE);
    REFUSE(softrelu_certificate_active(certificate, flags, 2, NULL, 0), SOFTRELU_ERROR_SIZE);
    REFUSE(softrelu_certificate_direction(certificate, NULL, 2), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_certificate_direction(certificate, two, 1), SOFTRELU_ERROR_SIZE);
    assert_int_equal(softrelu_certificate_reason(NULL), SOFTRELU_REASON_NOT_RUN);
    assert_string_equal(softrelu_verdict_name((softrelu_verdict)77), "unknown verdict");
    assert_string_equal(softrelu_reason_text((softrelu_reason)77), "unknown reason");
    assert_null(softrelu_solver_certificate(NULL));
    softrelu_certificate_destroy(certificate);
    built_free(&built);
}

/* F overflows at x: that is a verdict, not an error. */
static void overflow(void **state) {
    (void)state;
    double A1[1] = {1e300}, b[1] = {1}, w[1] = {1e10};
    const double x[1] = {1e10};
    const struct instance instance = {.n = 1, .d = 1, .m = 1, .A1 = A1, .b = b, .loss = SOFTRELU_SQUARES};
    (void)w;
    const struct judgement found = judge_instance(&instance, x, NULL);
    expect(&found, SOFTRELU_VERDICT_UNDECIDED, SOFTRELU_REASON_OVERFLOW);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valley_and_ridge), cmocka_unit_test(projection_on_a_box),
        cmocka_unit_test(flat_and_curved),  cmocka_unit_test(saddle),
        cmocka_unit_test(random_problems),  cmocka_unit_test(every_placement),
        cmocka_unit_test(bad_arguments),    cmocka_unit_test(overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
