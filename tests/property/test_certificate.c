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

/* ------------------------------------------------------------------------------- points made to be what they are */

/* A2'q at x = 0 when the hidden layer is h there, by the textbook formulas. */
static void slope_jumps(const struct instance *instance, const double *h, double *jumps) {
    const int64_t n = instance->n, m = instance->m;
    long double *f = test_long_doubles(m), sum = 0.0L, mean = 0.0L, beta = 0.0L;
    for (int64_t j = 0; j < m; j++) {
        f[j] = (long double)instance->c2[j];
        for (int64_t i = 0; i < n; i++)
            f[j] += (long double)instance->A2[j * n + i] * (long double)h[i];
        f[j] = expl(f[j]);
        sum += f[j];
    }
    for (int64_t j = 0; j < m; j++) {
        f[j] /= sum;
        mean += f[j] * (f[j] - (long double)instance->b[j]);
        beta += (long double)instance->b[j];
    }
    for (int64_t i = 0; i < n; i++) {
        long double jump = 0.0L;
        for (int64_t j = 0; j < m; j++) {
            const long double c = f[j] - (long double)instance->b[j];
            jump += (long double)instance->A2[j * n + i] *
                    (instance->loss == SOFTRELU_KL ? beta * f[j] - (long double)instance->b[j] : f[j] * (c - mean));
        }
        jumps[i] = (double)jump;
    }
    free(f);
}

enum rows { GENERAL, PARALLEL, NEARLY_PARALLEL, BADLY_SCALED, ROW_KINDS };

/* Every second row repeats the one before, exactly or nearly, or the rows have units of their own. */
static void shape_rows(struct test_random *random, struct instance *instance, enum rows kind) {
    const double apart = random_scale(random, -10, -3);
    for (int64_t i = 1; i < instance->n; i++) {
        double *row = instance->A1 + i * instance->d;
        const double scale = kind == BADLY_SCALED ? random_scale(random, -6, 6) : i % 4 == 1 ? 1.0 : -3.0;
        for (int64_t k = 0; k < instance->d; k++) {
            if (kind == BADLY_SCALED)
                row[k] *= scale;
            else if (i % 2 == 1 && kind == PARALLEL)
                row[k] = scale * row[k - instance->d];
            else if (i % 2 == 1 && kind == NEARLY_PARALLEL)
                row[k] = row[k - instance->d] + apart * row[k];
        }
    }
}

/* All units at a convex kink at x = 0, and x_ref such that multipliers theta q, well inside, balance: a strict minimiser. */
static struct instance minimiser_at_the_origin(struct test_random *random, enum rows kind) {
    const int64_t n = random_between(random, 1, 20), d = random_between(random, 1, 8), m = random_between(random, 2, 9);
    const struct instance_scales scales = {.A1 = 1, .A2 = 1, .b = 1, .c2 = 1, .rho = 1, .x_ref = 1};
    struct instance instance =
        random_instance(random, n, d, m, scales, random_between(random, 0, 1) == 0 ? SOFTRELU_SQUARES : SOFTRELU_KL);
    double *h = test_doubles(n), *jumps = test_doubles(n);
    long double *pull = test_long_doubles(d);
    slope_jumps(&instance, h, jumps);
    shape_rows(random, &instance, kind);
    for (int64_t i = 0; i < n; i++) {
        const double theta = random_uniform(random, 0.1, 0.9);
        for (int64_t j = 0; j < m && jumps[i] < 0.0; j++)
            instance.A2[j * n + i] *= -1.0;
        for (int64_t k = 0; k < d; k++)
            pull[k] += (long double)theta * fabsl((long double)jumps[i]) * (long double)instance.A1[i * d + k];
    }
    for (int64_t k = 0; k < d; k++)
        instance.x_ref[k] = (double)(pull[k] / (long double)instance.rho);
    free(h);
    free(jumps);
    free(pull);
    return instance;
}

/* |A1'lambda + rho (x - x_ref) + mu| at x = 0 from the multipliers that are given out, over its largest term. */
static double recomputed_residual(const struct instance *instance, const double *lambda, const double *mu) {
    long double square = 0.0L, largest = 0.0L;
    for (int64_t k = 0; k < instance->d; k++) {
        long double sum = (long double)mu[k] - (long double)instance->rho * (long double)instance->x_ref[k];
        for (int64_t i = 0; i < instance->n; i++) {
            const long double term = (long double)lambda[i] * (long double)instance->A1[i * instance->d + k];
            sum += term;
            largest = fmaxl(largest, fabsl(term));
        }
        square += sum * sum;
    }
    return (double)(sqrtl(square) / largest);
}

static void minimisers_on_kinks(void **state) {
    (void)state;
    struct test_random random = {4242};
    for (int64_t trial = 0; trial < test_count(800, 40); trial++) {
        struct instance instance = minimiser_at_the_origin(&random, (enum rows)(trial % ROW_KINDS));
        const int64_t n = instance.n, d = instance.d;
        double *x = test_doubles(d), *lambda = test_doubles(n), *mu = test_doubles(d);
        struct built built = build(&instance, PLAIN_PLACEMENT);
        softrelu_certificate *certificate = NULL;
        assert_int_equal(softrelu_certificate_create(built.problem, &certificate), SOFTRELU_OK);
        assert_int_equal(softrelu_certify(certificate, x, d, 1e-9, 1e-12), SOFTRELU_OK);
        if (softrelu_certificate_verdict(certificate) != SOFTRELU_VERDICT_CERTIFIED)
            fail_msg("trial %d: %s (%s)", (int)trial, softrelu_verdict_name(softrelu_certificate_verdict(certificate)),
                     softrelu_reason_name(softrelu_certificate_reason(certificate)));
        assert_int_equal(softrelu_certificate_multipliers(certificate, lambda, n, mu, d), SOFTRELU_OK);
        /* the tolerance is relative to the gradient's scale, which is above its largest term where rows are badly scaled */
        assert_true(recomputed_residual(&instance, lambda, mu) <= 1e-11);
        softrelu_certificate_destroy(certificate);
        built_free(&built);
        free(x);
        free(lambda);
        free(mu);
        instance_free(&instance);
    }
}

/* Targets far off the simplex bend F downwards; x_ref makes x = 0 stationary: a saddle exactly when the Hessian says so. */
static void random_saddles(void **state) {
    (void)state;
    struct test_random random = {11};
    int64_t saddles = 0;
    const int64_t trials = test_count(200, 20);
    for (int64_t trial = 0; trial < trials; trial++) {
        struct instance instance =
            random_instance(&random, 8, 2, 5, (struct instance_scales){.A1 = 1, .A2 = 2, .b = 1, .c1 = 1, .rho = 1, .x_ref = 1},
                            SOFTRELU_SQUARES);
        const double x[2] = {0.0, 0.0};
        double gradient[2], hessian[4], direction[2], near[2];
        random_fill(&random, 3.0, 5, instance.b);
        instance.rho = 1e-3;
        struct built before = build(&instance, PLAIN_PLACEMENT);
        softrelu_evaluator *evaluator = evaluator_at(before.problem, x, 2);
        assert_int_equal(softrelu_evaluator_gradient(evaluator, gradient, 2), SOFTRELU_OK);
        assert_int_equal(softrelu_evaluator_hessian(evaluator, hessian, 2), SOFTRELU_OK);
        softrelu_evaluator_destroy(evaluator);
        built_free(&before);
        for (int k = 0; k < 2; k++)
            instance.x_ref[k] += gradient[k] / instance.rho;

        struct built built = build(&instance, PLAIN_PLACEMENT);
        const struct judgement found = judge(built.problem, x, 2, direction);
        const double middle = 0.5 * (hessian[0] + hessian[3]);
        const double least = middle - hypot(0.5 * (hessian[0] - hessian[3]), hessian[1]);
        assert_true(fabs(least - found.curvature) <= 1e-12 * (1.0 + fabs(middle)));
        if (least < -found.round_off) {
            expect(&found, SOFTRELU_VERDICT_STATIONARY, SOFTRELU_REASON_SADDLE);
            assert_true(found.slope == 0.0 && fabs(hypot(direction[0], direction[1]) - 1.0) <= 1e-14);
            evaluator = evaluator_at(built.problem, x, 2);
            double lowest = INFINITY;
            for (int k = 0; k < 8; k++) {
                for (int j = 0; j < 2; j++)
                    near[j] = (k % 2 == 0 ? 1.0 : -1.0) * pow(10.0, -1.5 - 0.25 * (k - k % 2)) * direction[j];
                lowest = fmin(lowest, loss_at_point(evaluator, near, 2));
            }
            assert_true(lowest < found.loss);
            softrelu_evaluator_destroy(evaluator);
            saddles++;
        } else {
            assert_true(found.reason != SOFTRELU_REASON_SADDLE);
        }
        built_free(&built);
        instance_free(&instance);
    }
    assert_true(4 * saddles >= trials);
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

/* The value and the gradient are finite, the curvature is not. */
static void overflow_of_the_curvature(void **state) {
    (void)state;
    double A1[2] = {1e170, 1e170}, A2[4] = {1, 0, 0, 1}, b[2] = {0.5, 0.5};
    const double x[1] = {1e-180};
    const struct instance instance = {.n = 2, .d = 1, .m = 2, .A1 = A1, .A2 = A2, .b = b, .loss = SOFTRELU_KL};
    const struct judgement found = judge_instance(&instance, x, NULL);
    expect(&found, SOFTRELU_VERDICT_UNDECIDED, SOFTRELU_REASON_OVERFLOW);
}

struct budget {
    int64_t left, live;
};

static void *allocate_within(size_t bytes, void *context) {
    struct budget *budget = context;
    if (budget->left-- == 0)
        return NULL;
    budget->live++;
    return malloc(bytes);
}

static void release_counted(void *block, void *context) {
    ((struct budget *)context)->live--;
    free(block);
}

static void every_allocation_fails(void **state) {
    (void)state;
    struct budget budget = {INT64_MAX, 0};
    const double one[1] = {1.0};
    softrelu_problem *problem = NULL;
    assert_int_equal(softrelu_problem_create(1, 1, 1, allocate_within, release_counted, &budget, &problem), SOFTRELU_OK);
    assert_int_equal(softrelu_problem_set_matrix(problem, SOFTRELU_A1, one, SOFTRELU_ROW_MAJOR, 1, SOFTRELU_COPY), SOFTRELU_OK);
    assert_int_equal(softrelu_problem_set_vector(problem, SOFTRELU_B, one, 1, SOFTRELU_COPY), SOFTRELU_OK);
    assert_int_equal(softrelu_problem_finish(problem), SOFTRELU_OK);
    const int64_t before = budget.live;
    softrelu_status status = SOFTRELU_ERROR_MEMORY;
    for (int64_t allowed = 0; status != SOFTRELU_OK; allowed++) {
        softrelu_certificate *certificate = (softrelu_certificate *)problem; /* anything but NULL */
        budget.left = allowed;
        status = softrelu_certificate_create(problem, &certificate);
        assert_true(status == SOFTRELU_OK || (status == SOFTRELU_ERROR_MEMORY && certificate == NULL && budget.live == before));
        softrelu_certificate_destroy(certificate);
        assert_int_equal(budget.live, before);
    }
    softrelu_problem_destroy(problem);
    assert_int_equal(budget.live, 0);
}

/* The search over the sides of ridges is bounded by its work; where there is no ridge there is nothing to search, however many
   the unknowns. */
static void many_unknowns(void **state) {
    (void)state;
    if (test_count(1, 0) == 0)
        return; /* 400^3 is too much for valgrind */
    struct test_random random = {71};
    struct instance instance = synthetic_instance(&random, 500, 400, 40, 0.5, 0.1);
    struct solving solving = solving_of(&instance);
    assert_int_equal(solve_and_check(&solving).termination, SOFTRELU_CONVERGED);
    double *x = test_doubles(400), *direction = test_doubles(400);
    assert_int_equal(softrelu_solver_solution(solving.solver, x, 400), SOFTRELU_OK);
    const struct judgement found = judge(solving.built.problem, x, 400, direction);
    assert_int_equal(found.verdict, SOFTRELU_VERDICT_CERTIFIED);
    assert_true(found.concave == 0.0);
    free(x);
    free(direction);
    solving_free(&solving);
    instance_free(&instance);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valley_and_ridge),
        cmocka_unit_test(projection_on_a_box),
        cmocka_unit_test(flat_and_curved),

        cmocka_unit_test(random_problems),
        cmocka_unit_test(every_placement),
        cmocka_unit_test(bad_arguments),
        cmocka_unit_test(overflow),
        cmocka_unit_test(minimisers_on_kinks),
        cmocka_unit_test(random_saddles),
        cmocka_unit_test(overflow_of_the_curvature),
        cmocka_unit_test(many_unknowns),
        cmocka_unit_test(every_allocation_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
