/* A solver handle that takes one target after the other: the bits of a new solver for a problem created with that target. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/instance.h"
#include "support/refusal.h"
#include "support/same.h"

enum { N = 30, D = 9, M = 12, TARGETS = 6 };

struct targets {
    double b[TARGETS][M], x_ref[TARGETS][D], lower[TARGETS][D], upper[TARGETS][D];
};

static struct instance draw(struct test_random *random, softrelu_loss loss, struct targets *targets) {
    const struct instance_scales scales = {.A1 = 1, .A2 = 2, .b = 1, .c1 = 0.3, .c2 = 0.3, .w = 1e-2, .x_ref = 1, .rho = 1e-2};
    struct instance instance = random_instance(random, N, D, M, scales, loss);
    for (int t = 0; t < TARGETS; t++) {
        double sum = 0.0;
        for (int j = 0; j < M; j++)
            sum += targets->b[t][j] = random_uniform(random, 0.0, 1.0);
        for (int j = 0; j < M; j++)
            targets->b[t][j] /= sum;
        for (int k = 0; k < D; k++) {
            targets->x_ref[t][k] = random_normal(random);
            targets->lower[t][k] = k % 3 == 0 ? -INFINITY : targets->x_ref[t][k] - random_uniform(random, 0.0, 0.5);
            targets->upper[t][k] = targets->x_ref[t][k] + random_uniform(random, 0.0, 0.5);
        }
    }
    return instance;
}

/* The problem with that target as its own data. */
static struct built build_with(const struct instance *instance, const struct targets *targets, int t, bool bounds) {
    struct instance own = instance_copy(instance);
    memcpy(own.b, targets->b[t], sizeof targets->b[t]);
    memcpy(own.x_ref, targets->x_ref[t], sizeof targets->x_ref[t]);
    own.lower = bounds ? test_copy(targets->lower[t], D) : NULL;
    own.upper = bounds ? test_copy(targets->upper[t], D) : NULL;
    struct built built = build(&own, PLAIN_PLACEMENT);
    instance_free(&own);
    return built;
}

static void give(softrelu_solver *solver, const struct targets *targets, int t, bool bounds) {
    assert_int_equal(softrelu_solver_set_vector(solver, SOFTRELU_B, targets->b[t], M), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_set_vector(solver, SOFTRELU_X_REF, targets->x_ref[t], D), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_set_vector(solver, SOFTRELU_LOWER, bounds ? targets->lower[t] : NULL, bounds ? D : 0),
                     SOFTRELU_OK);
    assert_int_equal(softrelu_solver_set_vector(solver, SOFTRELU_UPPER, bounds ? targets->upper[t] : NULL, bounds ? D : 0),
                     SOFTRELU_OK);
}

static softrelu_solver *solver_with(const softrelu_problem *problem, const char *hessian, const char *step) {
    softrelu_solver *solver = NULL;
    assert_int_equal(softrelu_solver_create(problem, &solver), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_set_text(solver, "hessian", hessian), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_set_text(solver, "step", step), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_set_text(solver, "max_iterations", "200"), SOFTRELU_OK);
    return solver;
}

static void check_reuse(softrelu_loss loss, const char *hessian, const char *step, bool bounds) {
    struct test_random random = {17};
    struct targets targets;
    struct instance instance = draw(&random, loss, &targets);
    struct built shared = build(&instance, PLAIN_PLACEMENT);
    softrelu_solver *reused = solver_with(shared.problem, hessian, step);
    for (int t = 0; t < TARGETS; t++) {
        struct built own = build_with(&instance, &targets, t, bounds);
        softrelu_solver *fresh = solver_with(own.problem, hessian, step);
        give(reused, &targets, t, bounds);
        for (int start = 0; start < 2; start++) {
            assert_int_equal(softrelu_solver_set_start(fresh, start ? targets.x_ref[0] : NULL, start ? D : 0), SOFTRELU_OK);
            assert_int_equal(softrelu_solver_set_start(reused, start ? targets.x_ref[0] : NULL, start ? D : 0), SOFTRELU_OK);
            assert_int_equal(softrelu_solver_solve(fresh), SOFTRELU_OK);
            assert_int_equal(softrelu_solver_solve(reused), SOFTRELU_OK);
            assert_same_solution(reused, fresh, D);
            assert_same_certificate(softrelu_solver_certificate(reused), softrelu_solver_certificate(fresh));
        }
        softrelu_solver_destroy(fresh);
        built_free(&own);
    }
    softrelu_solver_destroy(reused);
    built_free(&shared);
    instance_free(&instance);
}

static void same_bits(void **state) {
    (void)state;
    check_reuse(SOFTRELU_SQUARES, "exact", "cholesky", false);
    check_reuse(SOFTRELU_KL, "exact", "cholesky", true);
    check_reuse(SOFTRELU_SQUARES, "gauss-newton", "pcg", true);
    check_reuse(SOFTRELU_KL, "sampled", "cholesky", false);
}

/* NULL goes back to the problem's own vectors, and the problem has never changed. */
static void back_to_the_problem(void **state) {
    (void)state;
    struct test_random random = {18};
    struct targets targets;
    struct instance instance = draw(&random, SOFTRELU_SQUARES, &targets);
    struct built built = build(&instance, PLAIN_PLACEMENT);
    softrelu_solver *first = solver_with(built.problem, "exact", "cholesky");
    softrelu_solver *second = solver_with(built.problem, "exact", "cholesky");
    double x[D], other[D];
    assert_int_equal(softrelu_solver_solve(first), SOFTRELU_OK);
    give(second, &targets, 0, true);
    assert_int_equal(softrelu_solver_solve(second), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solution(first, x, D), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solution(second, other, D), SOFTRELU_OK);
    assert_true(memcmp(x, other, sizeof x) != 0);
    const softrelu_array arrays[] = {SOFTRELU_B, SOFTRELU_X_REF, SOFTRELU_LOWER, SOFTRELU_UPPER};
    for (int i = 0; i < 4; i++)
        assert_int_equal(softrelu_solver_set_vector(second, arrays[i], NULL, 0), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solve(second), SOFTRELU_OK);
    assert_same_solution(second, first, D);
    softrelu_solver_destroy(first);
    softrelu_solver_destroy(second);
    built_free(&built);
    instance_free(&instance);
}

/* Both bounds may move in any order; only a solve compares them, and says which entry. */
static void bounds_are_compared_when_solving(softrelu_solver *solver, const struct targets *targets) {
    double high[D], higher[D], x[D];
    for (int k = 0; k < D; k++) {
        high[k] = targets->upper[0][k] + 1.0;
        higher[k] = high[k] + 1.0;
    }
    assert_int_equal(softrelu_solver_set_vector(solver, SOFTRELU_UPPER, targets->upper[0], D), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solve(solver), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_set_vector(solver, SOFTRELU_LOWER, high, D), SOFTRELU_OK);
    REFUSE(softrelu_solver_solve(solver), SOFTRELU_ERROR_VALUE);
    SAYS(softrelu_solver_message(solver), "lower[0]");
    SAYS(softrelu_solver_message(solver), "above upper[0]");
    assert_int_equal(softrelu_solver_solution(solver, x, D), SOFTRELU_OK); /* of the solve before */
    assert_int_equal(softrelu_solver_set_vector(solver, SOFTRELU_UPPER, higher, D), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solve(solver), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solution(solver, x, D), SOFTRELU_OK);
    for (int k = 0; k < D; k++)
        assert_true(x[k] >= high[k] && x[k] <= higher[k]);
}

static int call_back(const softrelu_report *report, void *user) {
    const double b[M] = {0};
    (void)report;
    REFUSE(softrelu_solver_set_vector(user, SOFTRELU_B, b, M), SOFTRELU_ERROR_STATE);
    return 1;
}

static void misuse(void **state) {
    (void)state;
    struct test_random random = {19};
    struct targets targets;
    struct instance instance = draw(&random, SOFTRELU_SQUARES, &targets);
    struct built built = build(&instance, PLAIN_PLACEMENT);
    softrelu_solver *s = solver_with(built.problem, "exact", "cholesky"), *t = solver_with(built.problem, "exact", "cholesky");
    double bad[M];
    memcpy(bad, targets.b[0], sizeof bad);
    bad[3] = NAN;
    REFUSE(softrelu_solver_set_vector(NULL, SOFTRELU_B, bad, M), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_solver_set_vector(s, SOFTRELU_B, NULL, M), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_solver_set_vector(s, SOFTRELU_B, bad, M - 1), SOFTRELU_ERROR_SIZE);
    SAYS(softrelu_solver_message(s), "b has 11 entries, expected 12");
    REFUSE(softrelu_solver_set_vector(s, SOFTRELU_B, bad, 0), SOFTRELU_ERROR_SIZE);
    REFUSE(softrelu_solver_set_vector(s, SOFTRELU_B, bad, M), SOFTRELU_ERROR_NOT_FINITE);
    SAYS(softrelu_solver_message(s), "b[3] = nan is not finite");
    REFUSE(softrelu_solver_set_vector(s, SOFTRELU_X_REF, targets.b[0], M), SOFTRELU_ERROR_SIZE);
    REFUSE(softrelu_solver_set_vector(s, SOFTRELU_C1, bad, N), SOFTRELU_ERROR_UNKNOWN);
    REFUSE(softrelu_solver_set_vector(s, SOFTRELU_X0, bad, D), SOFTRELU_ERROR_UNKNOWN);
    bad[0] = INFINITY;
    REFUSE(softrelu_solver_set_vector(s, SOFTRELU_LOWER, bad, D), SOFTRELU_ERROR_NOT_FINITE);
    SAYS(softrelu_solver_message(s), "lower[0] = inf");
    bad[0] = -INFINITY;
    REFUSE(softrelu_solver_set_vector(s, SOFTRELU_UPPER, bad, D), SOFTRELU_ERROR_NOT_FINITE);
    SAYS(softrelu_solver_message(s), "a number or +infinity");
    assert_int_equal(softrelu_solver_solve(s), SOFTRELU_OK); /* as if nothing had happened */
    assert_int_equal(softrelu_solver_solve(t), SOFTRELU_OK);
    assert_same_solution(s, t, D);
    assert_int_equal(softrelu_solver_set_callback(s, call_back, s), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solve(s), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_set_callback(s, NULL, NULL), SOFTRELU_OK);
    bounds_are_compared_when_solving(s, &targets);
    assert_true(refusals >= 12);
    softrelu_solver_destroy(s);
    softrelu_solver_destroy(t);
    built_free(&built);
    instance_free(&instance);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(same_bits), cmocka_unit_test(back_to_the_problem),
                                       cmocka_unit_test(misuse)};
    return cmocka_run_group_tests_name("one handle, many targets", tests, NULL, NULL);
}
