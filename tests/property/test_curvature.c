/* The certificate's curvature against the least eigenvalue of the evaluator's Hessian, at points that a choice of x_ref makes
   stationary: many rows and few, definite Hessians and others, with entries of x that are held. */
#include <math.h>
#include <stdlib.h>

#include "support/eigenvalues.h"
#include "support/solving.h"

struct shape {
    int64_t n, d, m;
    double w;
};

/* Every third entry of x is held by equal bounds, when asked for. */
static bool is_held(int64_t k, bool held) { return held && k % 3 == 0; }

/* x_ref such that the gradient at x, if no unit is at its kink, vanishes. */
static void make_stationary(struct instance *instance, const double *x) {
    struct built built = build(instance, PLAIN_PLACEMENT);
    softrelu_evaluator *evaluator = evaluator_at(built.problem, x, instance->d);
    double *gradient = test_doubles(instance->d);
    assert_int_equal(softrelu_evaluator_gradient(evaluator, gradient, instance->d), SOFTRELU_OK);
    for (int64_t k = 0; k < instance->d; k++)
        instance->x_ref[k] += gradient[k] / instance->rho;
    softrelu_evaluator_destroy(evaluator);
    built_free(&built);
    free(gradient);
}

/* The rows and columns of the evaluator's Hessian at x that are not held: their number, into matrix. */
static int64_t free_hessian(const softrelu_problem *problem, const double *x, int64_t d, bool held, long double *matrix) {
    softrelu_evaluator *evaluator = evaluator_at(problem, x, d);
    double *hessian = test_doubles(d * d);
    int64_t count = 0, free_count = 0;
    assert_int_equal(softrelu_evaluator_hessian(evaluator, hessian, d), SOFTRELU_OK);
    for (int64_t i = 0; i < d; i++) {
        if (is_held(i, held))
            continue;
        free_count++;
        for (int64_t k = 0; k < d; k++)
            if (!is_held(k, held))
                matrix[count++] = hessian[i * d + k];
    }
    softrelu_evaluator_destroy(evaluator);
    free(hessian);
    return free_count;
}

/* p'Hp along the direction that is given. */
static double curvature_along(const softrelu_problem *problem, const double *x, int64_t d, const double *p) {
    softrelu_evaluator *evaluator = evaluator_at(problem, x, d);
    double *hessian = test_doubles(d * d), sum = 0.0;
    assert_int_equal(softrelu_evaluator_hessian(evaluator, hessian, d), SOFTRELU_OK);
    for (int64_t i = 0; i < d; i++)
        for (int64_t k = 0; k < d; k++)
            sum += p[i] * hessian[i * d + k] * p[k];
    softrelu_evaluator_destroy(evaluator);
    free(hessian);
    return sum;
}

static void check_direction(const softrelu_problem *problem, const double *x, int64_t d, bool held, const double *direction,
                            const struct judgement *found) {
    double length = 0.0;
    for (int64_t k = 0; k < d; k++) {
        length = hypot(length, direction[k]);
        assert_true(!is_held(k, held) || fabs(direction[k]) < 1e-14);
    }
    assert_true(fabs(length - 1.0) < 1e-12);
    assert_true(fabs(curvature_along(problem, x, d, direction) - found->curvature) <= found->round_off);
}

/* Returns whether the Hessian was not positive definite. */
static bool check_shape(struct test_random *random, struct shape shape, double target, softrelu_loss loss, bool held) {
    struct instance instance =
        random_instance(random, shape.n, shape.d, shape.m,
                        (struct instance_scales){.A1 = 2, .A2 = 3, .b = 1, .c1 = 1, .w = shape.w, .rho = 1, .x_ref = 1}, loss);
    const int64_t d = shape.d;
    double *x = test_doubles(d), *direction = test_doubles(d), lower[128], upper[128];
    long double *matrix = test_long_doubles(d * d), least, largest;
    random_fill(random, 1.0, d, x);
    for (int64_t j = 0; j < shape.m; j++)
        instance.b[j] *= target;
    instance.rho = random_scale(random, -4.0, -1.0);
    make_stationary(&instance, x);
    for (int64_t k = 0; k < d; k++) {
        lower[k] = is_held(k, held) ? x[k] : -INFINITY;
        upper[k] = is_held(k, held) ? x[k] : INFINITY;
    }
    instance.lower = lower;
    instance.upper = upper;
    struct built built = build(&instance, PLAIN_PLACEMENT);
    const struct judgement found = judge(built.problem, x, d, direction);
    const int64_t order = free_hessian(built.problem, x, d, held, matrix);
    eigenvalues(order, matrix, &least, &largest);
    assert_true(found.pinned == 0.0 && found.free == (double)order);
    assert_true(fabs(found.curvature - (double)least) <= found.round_off);
    assert_int_equal(found.verdict,
                     found.curvature > found.round_off ? SOFTRELU_VERDICT_CERTIFIED : SOFTRELU_VERDICT_STATIONARY);
    if (found.reason == SOFTRELU_REASON_SADDLE)
        check_direction(built.problem, x, d, held, direction, &found);
    built_free(&built);
    instance.lower = instance.upper = NULL;
    instance_free(&instance);
    free(x);
    free(direction);
    free(matrix);
    return found.reason == SOFTRELU_REASON_SADDLE;
}

static void least_eigenvalues(void **state) {
    (void)state;
    const struct shape shapes[] = {{40, 30, 4, 0.0}, {12, 100, 5, 0.0},  {12, 100, 5, 0.5}, {50, 40, 30, 0.0},
                                   {50, 40, 4, 0.5}, {60, 50, 200, 0.1}, {9, 7, 5, 0.0},    {300, 30, 150, 0.0}};
    struct test_random random = {7};
    const size_t count = sizeof shapes / sizeof *shapes - (size_t)test_count(0, 1); /* the last is the large one */
    int64_t saddles = 0, tried = 0;
    for (size_t i = 0; i < count; i++)
        for (int64_t trial = 0; trial < test_count(8, 2); trial++, tried++)
            saddles += check_shape(&random, shapes[i], trial % 4 < 2 ? 1.0 : 4.0, SOFTRELU_SQUARES, trial % 2 != 0);
    assert_true(8 * saddles >= tried && 8 * (tried - saddles) >= tried);
    for (size_t i = 0; i < count; i++)
        assert_false(check_shape(&random, shapes[i], 1.0, SOFTRELU_KL, i % 2 != 0));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(least_eigenvalues)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
