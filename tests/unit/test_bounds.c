/* Bounds hold at every point where the solver evaluates F: the linker puts these functions in front of the evaluation. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/point.h"
#include "support/solving.h"

static int64_t evaluated, outside;

static void look(const struct srl_model *model, const double *x) {
    evaluated++;
    for (int64_t k = 0; k < model->d; k++)
        outside += !(x[k] >= srl_lower(model, k) && x[k] <= srl_upper(model, k));
}

bool __real_srl_point_judge(const struct srl_model *model, struct srl_point *point);
bool __wrap_srl_point_judge(const struct srl_model *model, struct srl_point *point);
bool __real_srl_point_move(const struct srl_model *model, struct srl_point *point, const double *x);
bool __wrap_srl_point_move(const struct srl_model *model, struct srl_point *point, const double *x);

bool __wrap_srl_point_judge(const struct srl_model *model, struct srl_point *point) {
    look(model, point->x);
    return __real_srl_point_judge(model, point);
}

bool __wrap_srl_point_move(const struct srl_model *model, struct srl_point *point, const double *x) {
    look(model, x);
    return __real_srl_point_move(model, point, x);
}

/* Narrow, one-sided, infinite and fixed entries, in every mixture. */
static void make_bounds(struct instance *instance, struct test_random *random) {
    instance->lower = test_doubles(instance->d);
    instance->upper = test_doubles(instance->d);
    for (int64_t k = 0; k < instance->d; k++) {
        const double centre = random_normal(random), width = random_scale(random, -3.0, 0.5);
        const int64_t kind = random_between(random, 0, 4);
        instance->lower[k] = kind == 0 || kind == 1 ? -INFINITY : centre - width;
        instance->upper[k] = kind == 0 || kind == 2 ? INFINITY : kind == 4 ? instance->lower[k] : centre + width;
    }
}

static void one_problem(struct test_random *random, int64_t trial) {
    const int64_t n = random_between(random, 1, 40), d = random_between(random, 1, 25), m = random_between(random, 1, 20);
    const struct instance_scales scales = {.A1 = random_scale(random, -1, 1),
                                           .A2 = trial % 3 == 0 && m == n ? 0.0 : random_scale(random, -1, 1),
                                           .b = 1,
                                           .c1 = trial % 2 == 0 ? 0.5 : 0.0,
                                           .w = random_scale(random, -4, 0),
                                           .rho = trial % 4 == 0 ? 0.1 : 0.0,
                                           .x_ref = trial % 4 == 0 ? 3.0 : 0.0};
    struct instance instance = random_instance(random, n, d, m, scales, trial % 2 == 0 ? SOFTRELU_KL : SOFTRELU_SQUARES);
    make_bounds(&instance, random);
    struct solving solving = solving_of(&instance);
    double *x = test_doubles(d), *start = test_doubles(d);
    random_fill(random, 3.0, d, start); /* mostly outside */
    static const char *const hessians[] = {"exact", "gauss-newton", "sampled"};
    assert_int_equal(softrelu_solver_set_text(solving.solver, "hessian", hessians[trial % 3]), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_set_text(solving.solver, "step", trial % 2 == 0 ? "pcg" : "cholesky"), SOFTRELU_OK);
    for (int attempt = 0; attempt < 2; attempt++) {
        assert_int_equal(softrelu_solver_set_start(solving.solver, attempt == 0 ? start : NULL, attempt == 0 ? d : 0),
                         SOFTRELU_OK);
        evaluated = outside = 0;
        assert_int_equal(softrelu_solver_solve(solving.solver), SOFTRELU_OK);
        assert_int_equal(softrelu_solver_solution(solving.solver, x, d), SOFTRELU_OK);
        assert_true(evaluated > 0);
        assert_int_equal(outside, 0);
        const softrelu_termination ended = softrelu_report_termination(softrelu_solver_report(solving.solver));
        const struct judgement found = judge(solving.built.problem, x, d, NULL);
        if (ended != SOFTRELU_CONVERGED || found.relative > 1e-12)
            fail_msg("trial %d: n %d d %d m %d: %s, residual %g, %s", (int)trial, (int)n, (int)d, (int)m,
                     softrelu_termination_name(ended), found.relative, softrelu_reason_name(found.reason));
        assert_true(report_number(solving.solver, SOFTRELU_REPORT_ACTIVE_BOUNDS) == found.bounds);
    }
    free(x);
    free(start);
    solving_free(&solving);
    instance_free(&instance);
}

static void never_left(void **state) {
    (void)state;
    struct test_random random = {3};
    for (int64_t trial = 0; trial < test_count(400, 20); trial++)
        one_problem(&random, trial);
}

/* All entries fixed: the one point there is, is the answer. */
static void all_fixed(void **state) {
    (void)state;
    struct test_random random = {4};
    struct instance instance =
        random_instance(&random, 6, 3, 4, (struct instance_scales){.A1 = 1, .A2 = 1, .b = 1, .w = 1}, SOFTRELU_SQUARES);
    instance.lower = test_doubles(3);
    random_fill(&random, 1.0, 3, instance.lower);
    instance.upper = test_copy(instance.lower, 3);
    struct solving solving = solving_of(&instance);
    double x[3];
    assert_int_equal(softrelu_solver_solve(solving.solver), SOFTRELU_OK);
    assert_int_equal(softrelu_report_termination(softrelu_solver_report(solving.solver)), SOFTRELU_CONVERGED);
    assert_int_equal(softrelu_solver_solution(solving.solver, x, 3), SOFTRELU_OK);
    assert_same_doubles(3, x, instance.lower);
    const struct judgement found = judge(solving.built.problem, x, 3, NULL);
    assert_int_equal(found.verdict, SOFTRELU_VERDICT_CERTIFIED);
    assert_true(found.free == 0.0 && isinf(found.curvature) && found.bounds == 3.0);
    solving_free(&solving);
    instance_free(&instance);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(never_left), cmocka_unit_test(all_fixed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
