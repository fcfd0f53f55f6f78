/* The small form of the Newton matrix leads to the points that the dense one leads to, with every loss, bound and curvature;
   and where it cannot be, the solve is the dense one bit by bit. */
#include <math.h>
#include <stdlib.h>

#include "support/solving.h"

static void set(softrelu_solver *solver, const char *name, const char *value) {
    if (softrelu_solver_set_text(solver, name, value) != SOFTRELU_OK)
        fail_msg("%s", softrelu_solver_message(solver));
}

static void add_box(struct instance *instance, double size) {
    instance->lower = test_doubles(instance->d);
    instance->upper = test_doubles(instance->d);
    for (int64_t k = 0; k < instance->d; k++) {
        instance->lower[k] = k % 4 == 3 ? -INFINITY : -size;
        instance->upper[k] = k % 5 == 4 ? INFINITY : size;
    }
}

static void forget_weights(struct instance *instance) {
    free(instance->w);
    instance->w = NULL;
}

/* Each of its own size. With more units than inputs A1 is sometimes of lower rank, held by rho alone, or there is no rho. */
static void set_weights(struct test_random *random, struct instance *instance, int64_t trial) {
    const int64_t n = instance->n, d = instance->d;
    for (int64_t i = 0; i < n; i++)
        instance->w[i] = random_scale(random, -2.0, 0.0);
    for (int64_t i = 0; i < n && trial % 4 == 1; i++)
        instance->A1[i * d + d - 1] = instance->A1[i * d];
    if (n > d && trial % 4 == 2)
        instance->rho = 0.0;
}

/* Few outputs, more inputs or fewer inputs than units, with weights or without; every third one nearly saturated: |r_j| over
   many decades. */
static struct instance instance_of(struct test_random *random, int64_t trial, bool weighted) {
    const int64_t d = random_between(random, 16, 60), n = random_between(random, 10, 150), m = random_between(random, 2, 6);
    struct instance instance = synthetic_instance(random, n, d, m, trial % 2 == 0 ? 0.0 : 0.5, 1.0);
    instance.rho = random_scale(random, -6.0, -1.0);
    if (weighted)
        set_weights(random, &instance, trial);
    else
        forget_weights(&instance);
    instance.loss = trial % 4 < 2 ? SOFTRELU_KL : SOFTRELU_SQUARES;
    for (int64_t i = 0; i < n * m && trial % 3 == 2; i++)
        instance.A2[i] *= 8.0;
    if (trial % 5 == 4)
        add_box(&instance, 0.3);
    return instance;
}

static bool solve_with(struct solving *solving, const char *form, double *x, struct outcome *outcome) {
    set(solving->solver, "newton_matrix", form);
    *outcome = solve_and_check(solving);
    assert_int_equal(softrelu_solver_solution(solving->solver, x, solving->d), SOFTRELU_OK);
    return softrelu_certificate_verdict(softrelu_solver_certificate(solving->solver)) == SOFTRELU_VERDICT_CERTIFIED;
}

static bool are_same(int64_t d, const double *a, const double *b) {
    bool same = true;
    for (int64_t k = 0; k < d; k++)
        same = same && a[k] == b[k];
    return same;
}

static void same_points(bool weighted) {
    static const char *const FORMS[] = {"dense", "small", "auto"}, *const HESSIANS[] = {"exact", "gauss-newton"};
    struct test_random random = {weighted ? 2026 : 2024};
    int64_t certified[3] = {0}, same = 0, differs = 0;
    double iterations[3] = {0};
    const int64_t trials = test_effort(1500, 120, 4);
    for (int64_t trial = 0; trial < trials; trial++) {
        struct instance instance = instance_of(&random, trial, weighted);
        const int64_t d = instance.d;
        struct solving solving = solving_of(&instance);
        double *x0 = test_doubles(d), *x[3];
        random_fill(&random, 1.0, d, x0);
        if (trial % 2 == 1)
            assert_int_equal(softrelu_solver_set_start(solving.solver, x0, d), SOFTRELU_OK);
        set(solving.solver, "hessian", HESSIANS[trial % 7 == 6]);
        for (int form = 0; form < 3; form++) {
            struct outcome outcome;
            x[form] = test_doubles(d);
            certified[form] += solve_with(&solving, FORMS[form], x[form], &outcome);
            if (outcome.termination != SOFTRELU_CONVERGED)
                fail_msg("trial %lld, %s: %s, relative residual %g", (long long)trial, FORMS[form],
                         softrelu_termination_name(outcome.termination), outcome.relative);
            iterations[form] += outcome.iterations;
        }
        same += worst_error(d, x[1], x[0]) <= 1e-7;
        differs += !are_same(d, x[1], x[0]);
        for (int form = 0; form < 3; form++)
            free(x[form]);
        free(x0);
        solving_free(&solving);
        instance_free(&instance);
    }
    print_message(
        "  %lld solves each: certified %lld dense, %lld small, %lld auto; %.0f, %.0f and %.0f iterations; the same point "
        "in %lld\n",
        (long long)trials, (long long)certified[0], (long long)certified[1], (long long)certified[2], iterations[0],
        iterations[1], iterations[2], (long long)same);
    assert_true(2 * differs >= trials); /* it is another way to compute */
    assert_true(same >= trials - trials / 5);
    assert_true(certified[1] >= certified[0] - trials / 40 && certified[2] >= certified[0] - trials / 40);
}

static void same_points_without_weights(void **state) {
    (void)state;
    same_points(false);
}

static void same_points_with_weights(void **state) {
    (void)state;
    same_points(true);
}

/* There is no small form with many outputs (0), and none with a singular R: no rho and no weights (1), or no rho and fewer
   units than inputs, with bounds (2), or weights that leave fewer (3). */
static void dense_where_it_must_be(void **state) {
    (void)state;
    struct test_random random = {2025};
    for (int64_t trial = 0; trial < 4; trial++) {
        struct instance instance = synthetic_instance(&random, trial == 2 ? 15 : 60, 20, trial == 0 ? 11 : 4, 0.5, 1e-2);
        struct outcome outcome;
        double x[2][20];
        if (trial == 1)
            forget_weights(&instance);
        if (trial == 2)
            add_box(&instance, 0.5);
        for (int64_t i = 19; i < instance.n && trial == 3; i++)
            instance.w[i] = 0.0;
        instance.rho = trial == 0 ? 1e-3 : 0.0;
        struct solving solving = solving_of(&instance);
        solve_with(&solving, "dense", x[0], &outcome);
        solve_with(&solving, "small", x[1], &outcome);
        assert_int_equal(outcome.termination, SOFTRELU_CONVERGED);
        assert_true(are_same(20, x[0], x[1]));
        solving_free(&solving);
        instance_free(&instance);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_points_without_weights),
        cmocka_unit_test(same_points_with_weights),
        cmocka_unit_test(dense_where_it_must_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
