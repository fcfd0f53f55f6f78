/* Proved convexity and global minimisers: claimed where it can be, and never where a search finds otherwise. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/solving.h"

static double constant(const softrelu_problem *problem, softrelu_constant which) {
    softrelu_constants *constants = NULL;
    double value = NAN;
    assert_int_equal(softrelu_constants_create(problem, &constants), SOFTRELU_OK);
    assert_int_equal(softrelu_constants_number(constants, which, &value), SOFTRELU_OK);
    softrelu_constants_destroy(constants);
    return value;
}

static double certified_global(const struct solving *solving) {
    double value = -1.0;
    assert_int_equal(
        softrelu_certificate_number(softrelu_solver_certificate(solving->solver), SOFTRELU_CERTIFICATE_GLOBAL, &value),
        SOFTRELU_OK);
    return value;
}

static double within(const struct instance *instance, int64_t k, double x) {
    if (instance->lower != NULL)
        x = fmax(x, instance->lower[k]);
    return instance->upper != NULL ? fmin(x, instance->upper[k]) : x;
}

/* Solves from a random start; x is the solution. */
static double solve_from(struct solving *solving, struct test_random *random, double spread, double *x) {
    for (int64_t k = 0; k < solving->d; k++)
        x[k] = within(solving->instance, k, spread * random_normal(random));
    assert_int_equal(softrelu_solver_set_start(solving->solver, x, solving->d), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solve(solving->solver), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solution(solving->solver, x, solving->d), SOFTRELU_OK);
    return report_number(solving->solver, SOFTRELU_REPORT_LOSS);
}

/* No start and no point nearby may lead below what is claimed to be the global minimum. */
static bool check_claim(struct solving *solving, struct test_random *random, const double *x, double claimed) {
    const int64_t d = solving->d;
    double *y = test_doubles(d);
    bool beaten = false;
    for (int64_t start = 0; start < test_count(12, 2); start++) {
        const double found = solve_from(solving, random, random_scale(random, -1, 1.5), y);
        beaten = beaten || found < claimed - 1e-12 * (1.0 + fabs(claimed));
    }
    for (int64_t point = 0; point < test_count(60, 4); point++) {
        const double step = random_scale(random, -3, 1);
        for (int64_t k = 0; k < d; k++)
            y[k] = within(solving->instance, k, x[k] + step * random_normal(random));
        beaten = beaten || loss_at(solving, y) < claimed - 1e-12 * (1.0 + fabs(claimed));
    }
    free(y);
    return beaten;
}

/* Midpoints of points below the level lie below their mean, were F convex there. */
static bool convex_as_far_as_seen(struct solving *solving, struct test_random *random, const double *centre, double level) {
    const int64_t d = solving->d;
    double *points[3] = {test_doubles(d), test_doubles(d), test_doubles(d)}, values[2];
    bool convex = true;
    for (int64_t pair = 0; pair < test_count(60, 4); pair++) {
        for (int side = 0; side < 2; side++) {
            double step = random_scale(random, -1, 1.5);
            do {
                for (int64_t k = 0; k < d; k++)
                    points[side][k] = within(solving->instance, k, centre[k] + step * random_normal(random));
                step *= 0.7;
            } while ((values[side] = loss_at(solving, points[side])) > level && step > 1e-12);
        }
        for (int64_t k = 0; k < d; k++)
            points[2][k] = 0.5 * (points[0][k] + points[1][k]);
        if (values[0] <= level && values[1] <= level)
            convex = convex && loss_at(solving, points[2]) <= 0.5 * (values[0] + values[1]) + 1e-13 * (1.0 + fabs(level));
    }
    for (int k = 0; k < 3; k++)
        free(points[k]);
    return convex;
}

struct tally {
    int64_t problems, convex, certified, global;
};

/* The point within the bounds nearest to the minimiser of the regulariser, R c = rho x_ref by Gauss and Seidel's sweeps. */
static void least_of_regulariser(const struct instance *instance, double *c) {
    const int64_t d = instance->d;
    for (int64_t k = 0; k < d; k++)
        c[k] = instance->x_ref[k];
    for (int sweep = 0; sweep < 3000 && instance->w != NULL; sweep++)
        for (int64_t k = 0; k < d; k++) {
            double slope = instance->rho * (c[k] - instance->x_ref[k]), curvature = instance->rho;
            for (int64_t i = 0; i < instance->n; i++) {
                const double *a = instance->A1 + i * d, w2 = instance->w[i] * instance->w[i];
                double v = 0.0;
                for (int64_t l = 0; l < d; l++)
                    v += a[l] * c[l];
                slope += w2 * a[k] * v;
                curvature += w2 * a[k] * a[k];
            }
            c[k] -= slope / curvature;
        }
    for (int64_t k = 0; k < d; k++)
        c[k] = within(instance, k, c[k]);
}

/* Solves, and tries to refute whatever is claimed. */
static void examine(struct instance *instance, struct test_random *random, struct tally *tally) {
    struct solving solving = solving_of(instance);
    double *x = test_doubles(instance->d), *centre = test_doubles(instance->d);
    const bool convex = constant(solving.built.problem, SOFTRELU_CONSTANT_CONVEX) == 1.0;
    assert_int_equal(softrelu_solver_solve(solving.solver), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solution(solving.solver, x, instance->d), SOFTRELU_OK);
    const double claimed = report_number(solving.solver, SOFTRELU_REPORT_LOSS), global = certified_global(&solving);
    const bool certified =
        softrelu_certificate_verdict(softrelu_solver_certificate(solving.solver)) == SOFTRELU_VERDICT_CERTIFIED;
    assert_true(certified ? global == 0.0 || global == 1.0 : isnan(global));
    tally->problems++;
    tally->convex += convex;
    tally->certified += certified;
    tally->global += global == 1.0;
    least_of_regulariser(instance, centre);
    const double level = loss_at(&solving, centre); /* convex: where F is at most that; above it anything may be */
    if ((convex && certified && claimed <= level) || global == 1.0) {
        if (check_claim(&solving, random, x, claimed))
            fail_msg("a global minimiser was claimed with F = %.17g, and less was found", claimed);
        if (!convex_as_far_as_seen(&solving, random, x, convex ? level : claimed))
            fail_msg("F is not convex where it was claimed to be");
    }
    free(x);
    free(centre);
    solving_free(&solving);
}

static void set_biases(struct instance *instance, struct test_random *random, double size) {
    free(instance->c1);
    instance->c1 = test_doubles(instance->n);
    for (int64_t i = 0; i < instance->n; i++)
        instance->c1[i] = size * (random_uniform(random, 0, 1) < 0.5 ? -1.0 : 1.0);
}

static struct instance draw_instance(struct test_random *random, softrelu_loss loss, double rho, double bias) {
    const int64_t n = random_between(random, 1, 6), d = random_between(random, 1, 4), m = random_between(random, 2, 5);
    const struct instance_scales scales = {.A1 = 1, .A2 = 1.5, .b = 1, .x_ref = 0.5, .rho = rho};
    struct instance instance = random_instance(random, n, d, m, scales, loss);
    set_biases(&instance, random, bias);
    return instance;
}

static void set_bounds(struct instance *instance, double size) {
    instance->lower = test_doubles(instance->d);
    instance->upper = test_doubles(instance->d);
    for (int64_t k = 0; k < instance->d; k++) {
        instance->lower[k] = -size;
        instance->upper[k] = size;
        instance->x_ref[k] = within(instance, k, instance->x_ref[k]);
    }
}

/* Biases far beyond what the regulariser lets x reach. */
static void convex_problems_are_proved(void **state) {
    (void)state;
    struct test_random random = {51};
    struct tally tally = {0};
    for (int64_t draw = 0; draw < test_count(120, 8); draw++) {
        struct instance instance = draw_instance(&random, draw % 2 ? SOFTRELU_KL : SOFTRELU_SQUARES, 4.0, 100.0);
        if (draw % 3 == 1) /* bounds alone do it where rho only has to outweigh the curvature */
            set_bounds(&instance, 1.0);
        examine(&instance, &random, &tally);
        instance_free(&instance);
    }
    printf("large biases: %d problems, %d proved convex, %d certified, %d global\n", (int)tally.problems, (int)tally.convex,
           (int)tally.certified, (int)tally.global);
    assert_true(tally.convex > tally.problems / 2 && tally.global > tally.problems / 2);
}

/* Bias and regularisation of all sizes: somewhere between the proved and the hopeless lies the border. */
static void border(void **state) {
    (void)state;
    struct test_random random = {52};
    struct tally tally = {0};
    for (int64_t draw = 0; draw < test_count(1500, 20); draw++) {
        const double rho = random_scale(&random, -2, 1), bias = random_scale(&random, -1, 1);
        struct instance instance = draw_instance(&random, draw % 2 ? SOFTRELU_KL : SOFTRELU_SQUARES, rho, bias);
        if (draw % 5 == 0)
            set_bounds(&instance, random_scale(&random, -1, 1));
        if (draw % 7 == 0) /* any b: for kl with negative entries nothing is claimed unless bounds do it */
            random_fill(&random, 1.0, instance.m, instance.b);
        if (draw % 4 >= 2) {
            instance.w = test_doubles(instance.n);
            for (int64_t i = 0; i < instance.n; i++)
                instance.w[i] = random_scale(&random, -1, 0.7);
        }
        examine(&instance, &random, &tally);
        instance_free(&instance);
    }
    printf("border: %d problems, %d proved convex, %d certified, %d global\n", (int)tally.problems, (int)tally.convex,
           (int)tally.certified, (int)tally.global);
    assert_true(tally.convex > 0 && tally.global >= tally.convex / 2);
}

/* ------------------------------------------------------------------------------------------------------------- by hand */

static double A1[1] = {1.0}, A2[2] = {1.0, -1.0};

static double convex_by_hand(double c1, double b1, double rho, double x_ref, softrelu_loss loss, double lower, double upper) {
    double b[2] = {b1, 1.0 - b1}, bias[1] = {c1}, centre[1] = {x_ref}, from[1] = {lower}, to[1] = {upper};
    const struct instance instance = {.n = 1,
                                      .d = 1,
                                      .m = 2,
                                      .A1 = A1,
                                      .A2 = A2,
                                      .b = b,
                                      .c1 = bias,
                                      .x_ref = centre,
                                      .rho = rho,
                                      .loss = loss,
                                      .lower = from,
                                      .upper = to};
    struct built built = build(&instance, PLAIN_PLACEMENT);
    const double convex = constant(built.problem, SOFTRELU_CONSTANT_CONVEX);
    built_free(&built);
    return convex;
}

/* z = +-max(x + c1, 0): the curvature of the fit is at least -4 * 0.12021 = -0.48084. */
static void by_hand(void **state) {
    (void)state;
    /* squares, unit on: rho decides, if the set is away from the kink */
    assert_true(convex_by_hand(20.0, 0.5, 1.0, 0.0, SOFTRELU_SQUARES, -INFINITY, INFINITY) == 1.0);
    assert_true(convex_by_hand(20.0, 0.0, 0.48, 0.0, SOFTRELU_SQUARES, -INFINITY, INFINITY) == 0.0);
    assert_true(convex_by_hand(20.0, 0.0, 0.481, 0.0, SOFTRELU_SQUARES, -INFINITY, INFINITY) == 1.0);
    /* the set: with b = (0, 1), 1/2 rho x^2 <= F(0) = f_1^2 = 1 / (1 + exp(-2 c1))^2, |x| <= 1.3165 for c1 = 1.3 and rho = 1 */
    assert_true(convex_by_hand(1.3, 0.0, 1.0, 0.0, SOFTRELU_SQUARES, -INFINITY, INFINITY) == 0.0);
    assert_true(convex_by_hand(1.33, 0.0, 1.0, 0.0, SOFTRELU_SQUARES, -INFINITY, INFINITY) == 1.0);
    /* off: F is flat but for the regulariser */
    assert_true(convex_by_hand(-20.0, 0.0, 1e-2, 0.0, SOFTRELU_SQUARES, -INFINITY, INFINITY) == 1.0);
    assert_true(convex_by_hand(-20.0, 0.0, 1e-3, 0.0, SOFTRELU_SQUARES, -INFINITY, INFINITY) == 0.0);
    /* kl is convex in its cell without any rho; then only bounds can keep the kink away */
    assert_true(convex_by_hand(2.0, 0.3, 0.0, 0.0, SOFTRELU_KL, -INFINITY, INFINITY) == 0.0);
    assert_true(convex_by_hand(2.0, 0.3, 0.0, 0.0, SOFTRELU_KL, -1.9, INFINITY) == 1.0);
    assert_true(convex_by_hand(2.0, 0.3, 0.0, 0.0, SOFTRELU_KL, -2.1, INFINITY) == 0.0);
    assert_true(convex_by_hand(2.0, -0.3, 0.0, 0.0, SOFTRELU_KL, -1.9, INFINITY) == 1.0); /* beta = 1: convex all the same */
    assert_true(convex_by_hand(20.0, -0.3, 1.0, 0.0, SOFTRELU_KL, -INFINITY, INFINITY) == 0.0); /* no least loss */
    assert_true(convex_by_hand(2.0, 0.0, 0.0, 0.0, SOFTRELU_SQUARES, -1.9, INFINITY) == 0.0);
}

/* A unit that adds the same to every output, and one whose row is 0, have no kink that matters. */
static void kinks_that_are_none(void **state) {
    (void)state;
    double a1[6] = {1.0, 0.5, 0.0, 0.0, 1.0, -1.0}, a2[6] = {2.0, 1.0, 1.0, 2.0, -1.0, 1.0}, b[2] = {0.4, 0.6};
    double c1[3] = {0.0, 0.0, 30.0}, x_ref[2] = {0.1, 0.2};
    struct instance instance = {.n = 3, .d = 2, .m = 2, .A1 = a1, .A2 = a2, .b = b, .c1 = c1, .x_ref = x_ref, .rho = 9.0};
    struct built built = build(&instance, PLAIN_PLACEMENT);
    assert_true(constant(built.problem, SOFTRELU_CONSTANT_CONVEX) == 1.0);
    built_free(&built);
    a2[0] = 2.0 + 1e-15; /* now it is one, however small */
    x_ref[0] = -0.1;     /* and at 0: the set lies on both sides */
    built = build(&instance, PLAIN_PLACEMENT);
    assert_true(constant(built.problem, SOFTRELU_CONSTANT_CONVEX) == 0.0);
    built_free(&built);
    instance.m = 1; /* one output: the loss is constant */
    instance.A2 = a2;
    built = build(&instance, PLAIN_PLACEMENT);
    assert_true(constant(built.problem, SOFTRELU_CONSTANT_CONVEX) == 1.0);
    built_free(&built);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(convex_problems_are_proved), cmocka_unit_test(border),
                                       cmocka_unit_test(by_hand), cmocka_unit_test(kinks_that_are_none)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
