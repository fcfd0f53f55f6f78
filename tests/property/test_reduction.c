/* Fewer units than inputs: a solve works in as many unknowns as there are units, and says what a solve in all of x says. Bounds
   that hold nothing make it work in x. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/solving.h"

static struct instance fewer_units(struct test_random *random, int64_t trial) {
    const int64_t n = random_between(random, 1, 12), d = n + random_between(random, 1, 20), m = random_between(random, 2, 15);
    const struct instance_scales scales = {.A1 = 1,
                                           .A2 = trial % 6 == 5 ? 0.0 : 2.0,
                                           .b = 1,
                                           .c1 = trial % 2 == 0 ? 0.3 : 0.0,
                                           .c2 = 0.2,
                                           .w = trial % 3 == 0 ? 0.0 : 0.1,
                                           .x_ref = trial % 4 == 3 ? 0.0 : 1.0,
                                           .rho = trial % 5 == 4 ? 0.0 : 0.05};
    struct instance instance =
        random_instance(random, n, d, scales.A2 > 0.0 ? m : n, scales, trial % 2 == 0 ? SOFTRELU_KL : SOFTRELU_SQUARES);
    for (int64_t k = 0; k < d && trial % 7 == 6; k++) /* a unit that sees nothing, and one that is another's twin */
        instance.A1[k] = n > 2 ? -2.0 * instance.A1[d + k] : 0.0;
    return instance;
}

static void give_bounds(softrelu_solver *solver, int64_t d, double size) {
    double *bounds = test_doubles(d);
    for (int sign = -1; sign <= 1; sign += 2) {
        for (int64_t k = 0; k < d; k++)
            bounds[k] = sign * size;
        assert_int_equal(softrelu_solver_set_vector(solver, sign < 0 ? SOFTRELU_LOWER : SOFTRELU_UPPER,
                                                    size > 0.0 ? bounds : NULL, size > 0.0 ? d : 0),
                         SOFTRELU_OK);
    }
    free(bounds);
}

/* x_ref plus some of each row: a start from which both ways are the same but for round-off. */
static void start_beside(struct test_random *random, const struct instance *instance, double *x0) {
    for (int64_t k = 0; k < instance->d; k++)
        x0[k] = instance->x_ref != NULL ? instance->x_ref[k] : 0.0;
    for (int64_t i = 0; i < instance->n; i++) {
        const double t = random_normal(random);
        for (int64_t k = 0; k < instance->d; k++)
            x0[k] += t * instance->A1[i * instance->d + k];
    }
}

static softrelu_verdict verdict_of(const softrelu_solver *solver) {
    return softrelu_certificate_verdict(softrelu_solver_certificate(solver));
}

/* solve_and_check() compares loss and residual with an evaluation in x. */
static void same_minimisers(void **state) {
    (void)state;
    struct test_random random = {4242};
    int64_t same = 0, held = 0, solves = 0;
    for (int64_t trial = 0; trial < test_count(200, 14); trial++) {
        struct instance instance = fewer_units(&random, trial);
        const int64_t d = instance.d;
        struct solving solving = solving_of(&instance);
        double *x0 = test_doubles(d), *x[2] = {test_doubles(d), test_doubles(d)};
        start_beside(&random, &instance, x0);
        if (trial % 3 != 1)
            assert_int_equal(softrelu_solver_set_start(solving.solver, x0, d), SOFTRELU_OK);
        struct outcome outcomes[2];
        softrelu_verdict verdicts[2];
        for (int in_x = 0; in_x < 2; in_x++) {
            if (in_x == 1)
                give_bounds(solving.solver, d, 1e200);
            outcomes[in_x] = solve_and_check(&solving);
            if (outcomes[in_x].termination != SOFTRELU_CONVERGED)
                fail_msg("trial %lld: %s", (long long)trial, softrelu_termination_name(outcomes[in_x].termination));
            verdicts[in_x] = verdict_of(solving.solver);
            assert_int_equal(softrelu_solver_solution(solving.solver, x[in_x], d), SOFTRELU_OK);
        }
        solves++;
        const bool level = fabs(outcomes[0].loss - outcomes[1].loss) <= 1e-12 * (1.0 + fabs(outcomes[1].loss));
        same += level;
        held += verdicts[0] == SOFTRELU_VERDICT_CERTIFIED;
        if (level && verdicts[0] == SOFTRELU_VERDICT_CERTIFIED && verdicts[1] == SOFTRELU_VERDICT_CERTIFIED)
            for (int64_t k = 0; k < d; k++)
                assert_true(fabs(x[0][k] - x[1][k]) <= 1e-6 * (1.0 + fabs(x[1][k])));
        free(x0);
        free(x[0]);
        free(x[1]);
        solving_free(&solving);
        instance_free(&instance);
    }
    print_message("  %lld of %lld solves end at the same loss, %lld certified\n", (long long)same, (long long)solves,
                  (long long)held);
    assert_true(20 * same >= 19 * solves); /* F has many minima, and round-off decides at some forks */
    assert_true(10 * held >= 7 * solves);  /* those without rho are flat */
}

/* What lies beside the rows of A1: x_ref's where rho holds x to it, the start's where nothing does. */
static void what_is_apart(void **state) {
    (void)state;
    const double A1[3] = {1.0, 2.0, 2.0}, A2[2] = {1.0, -1.0}, b[2] = {0.8, 0.2}, x_ref[3] = {3.0, 1.0, -1.0},
                 start[3] = {0.5, -0.5, 2.0};
    for (int held = 0; held < 2; held++) {
        softrelu_problem *problem = NULL;
        softrelu_solver *solver = NULL;
        assert_int_equal(softrelu_problem_create(1, 3, 2, NULL, NULL, NULL, &problem), SOFTRELU_OK);
        assert_int_equal(softrelu_problem_set_matrix(problem, SOFTRELU_A1, A1, SOFTRELU_ROW_MAJOR, 3, SOFTRELU_COPY),
                         SOFTRELU_OK);
        assert_int_equal(softrelu_problem_set_matrix(problem, SOFTRELU_A2, A2, SOFTRELU_ROW_MAJOR, 1, SOFTRELU_COPY),
                         SOFTRELU_OK);
        assert_int_equal(softrelu_problem_set_vector(problem, SOFTRELU_B, b, 2, SOFTRELU_COPY), SOFTRELU_OK);
        assert_int_equal(softrelu_problem_set_vector(problem, SOFTRELU_X_REF, x_ref, 3, SOFTRELU_COPY), SOFTRELU_OK);
        assert_int_equal(softrelu_problem_set_number(problem, SOFTRELU_RHO, held ? 0.1 : 0.0), SOFTRELU_OK);
        assert_int_equal(softrelu_problem_finish(problem), SOFTRELU_OK);
        assert_int_equal(softrelu_solver_create(problem, &solver), SOFTRELU_OK);
        assert_int_equal(softrelu_solver_set_start(solver, start, 3), SOFTRELU_OK);
        assert_int_equal(softrelu_solver_solve(solver), SOFTRELU_OK);
        double x[3], t = 0.0;
        assert_int_equal(softrelu_solver_solution(solver, x, 3), SOFTRELU_OK);
        const double *from = held ? x_ref : start;
        for (int k = 0; k < 3; k++)
            t += A1[k] * (x[k] - from[k]) / 9.0;
        for (int k = 0; k < 3; k++)
            assert_true(fabs(x[k] - from[k] - t * A1[k]) <= 1e-14);
        softrelu_solver_destroy(solver);
        softrelu_problem_destroy(problem);
    }
}

static int count_points(const softrelu_report *report, void *user) {
    (void)report;
    struct solving *solving = user;
    double *x = test_doubles(solving->d);
    assert_int_equal(softrelu_solver_solution(solving->solver, x, solving->d), SOFTRELU_OK);
    const int64_t last = softrelu_report_trace_length(report) - 1;
    double loss = NAN;
    assert_int_equal(softrelu_report_trace_number(report, last, SOFTRELU_TRACE_LOSS, &loss), SOFTRELU_OK);
    assert_true(fabs(loss_at(solving, x) - loss) <= 1e-12 * (1.0 + fabs(loss)));
    free(x);
    return 0;
}

/* What is seen on the way is in x, and so are the ends of several starts with their certificates. */
static void all_that_is_told(void **state) {
    (void)state;
    struct test_random random = {11};
    struct instance instance = fewer_units(&random, 0);
    struct solving solving = solving_of(&instance);
    const int64_t d = instance.d;
    double *x = test_doubles(d), *direction = test_doubles(d);
    assert_int_equal(softrelu_solver_set_callback(solving.solver, count_points, &solving), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_set_text(solving.solver, "starts", "6"), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solve(solving.solver), SOFTRELU_OK);
    for (int64_t end = 0; end < softrelu_solver_minimiser_count(solving.solver); end++) {
        assert_int_equal(softrelu_solver_minimiser(solving.solver, end, x, d), SOFTRELU_OK);
        const softrelu_certificate *kept = softrelu_solver_minimiser_certificate(solving.solver, end);
        const struct judgement found = judge(solving.built.problem, x, d, direction);
        double loss = NAN;
        assert_int_equal(softrelu_certificate_number(kept, SOFTRELU_CERTIFICATE_LOSS, &loss), SOFTRELU_OK);
        assert_int_equal(softrelu_certificate_verdict(kept), found.verdict);
        assert_true(fabs(found.loss - loss) <= 1e-13 * (1.0 + fabs(loss)));
    }
    free(x);
    free(direction);
    solving_free(&solving);
    instance_free(&instance);
}

/* Bounds that come and go leave a solver that is as good as new. */
static void bounds_come_and_go(void **state) {
    (void)state;
    struct test_random random = {12};
    struct instance instance = fewer_units(&random, 1);
    struct solving used = solving_of(&instance), fresh = solving_of(&instance);
    const int64_t d = instance.d;
    double *x[2] = {test_doubles(d), test_doubles(d)}, *x0 = test_doubles(d), *b = test_copy(instance.b, instance.m);
    random_fill(&random, 1.0, d, x0);
    b[0] += 0.25;
    for (int bounded = 0; bounded < 2; bounded++) {
        for (int k = 0; k < 2; k++) {
            softrelu_solver *solver = k == 0 ? used.solver : fresh.solver;
            assert_int_equal(softrelu_solver_set_start(solver, x0, d), SOFTRELU_OK);
            assert_int_equal(softrelu_solver_set_vector(solver, SOFTRELU_B, b, instance.m), SOFTRELU_OK);
            assert_int_equal(softrelu_solver_set_text(solver, "starts", "3"), SOFTRELU_OK);
        }
        give_bounds(used.solver, d, bounded ? 0.0 : 0.3); /* x0 and b are kept through it */
        assert_int_equal(softrelu_report_termination(softrelu_solver_report(used.solver)), SOFTRELU_NOT_RUN);
        if (!bounded) {
            assert_int_equal(softrelu_solver_solve(used.solver), SOFTRELU_OK);
            give_bounds(fresh.solver, d, 0.3);
        } else {
            give_bounds(fresh.solver, d, 0.0);
            assert_int_equal(softrelu_solver_solve(used.solver), SOFTRELU_OK);
        }
        assert_int_equal(softrelu_solver_solve(fresh.solver), SOFTRELU_OK);
        assert_int_equal(softrelu_solver_solution(used.solver, x[0], d), SOFTRELU_OK);
        assert_int_equal(softrelu_solver_solution(fresh.solver, x[1], d), SOFTRELU_OK);
        assert_same_doubles(d, x[0], x[1]);
        for (int64_t k = 0; k < d && !bounded; k++)
            assert_true(fabs(x[0][k]) <= 0.3);
    }
    struct solving third = solving_of(&instance);
    assert_int_equal(softrelu_solver_set_start(third.solver, x0, d), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_set_vector(third.solver, SOFTRELU_B, b, instance.m), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_set_text(third.solver, "starts", "3"), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solve(third.solver), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solution(third.solver, x[1], d), SOFTRELU_OK);
    assert_same_doubles(d, x[0], x[1]);
    free(x[0]);
    free(x[1]);
    free(x0);
    free(b);
    solving_free(&used);
    solving_free(&fresh);
    solving_free(&third);
    instance_free(&instance);
}

static bool refuse_memory;
static int64_t blocks, calls, fail_at;

static void *allocate(size_t bytes, void *context) {
    (void)context;
    void *block = refuse_memory || ++calls == fail_at ? NULL : malloc(bytes);
    blocks += block != NULL;
    return block;
}

static void release(void *block, void *context) {
    (void)context;
    blocks--;
    free(block);
}

/* Without memory for the other unknowns a bound is refused, and the last outcome is still there. */
static void no_memory_for_bounds(void **state) {
    (void)state;
    enum { N = 3, D = 8, M = 4 };
    struct test_random random = {13};
    const struct instance_scales scales = {.A1 = 1, .A2 = 2, .b = 1, .rho = 0.1};
    struct instance instance = random_instance(&random, N, D, M, scales, SOFTRELU_SQUARES);
    softrelu_problem *problem = NULL;
    softrelu_solver *solver = NULL;
    const double upper[D] = {1, 1, 1, 1, 1, 1, 1, 1};
    double x[2][D];
    assert_int_equal(softrelu_problem_create(N, D, M, allocate, release, NULL, &problem), SOFTRELU_OK);
    assert_int_equal(softrelu_problem_set_matrix(problem, SOFTRELU_A1, instance.A1, SOFTRELU_ROW_MAJOR, D, SOFTRELU_COPY),
                     SOFTRELU_OK);
    assert_int_equal(softrelu_problem_set_matrix(problem, SOFTRELU_A2, instance.A2, SOFTRELU_ROW_MAJOR, N, SOFTRELU_COPY),
                     SOFTRELU_OK);
    assert_int_equal(softrelu_problem_set_vector(problem, SOFTRELU_B, instance.b, M, SOFTRELU_COPY), SOFTRELU_OK);
    assert_int_equal(softrelu_problem_set_number(problem, SOFTRELU_RHO, 0.1), SOFTRELU_OK);
    assert_int_equal(softrelu_problem_finish(problem), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_create(problem, &solver), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solve(solver), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solution(solver, x[0], D), SOFTRELU_OK);
    refuse_memory = true;
    assert_int_equal(softrelu_solver_set_vector(solver, SOFTRELU_UPPER, upper, D), SOFTRELU_ERROR_MEMORY);
    assert_non_null(strstr(softrelu_solver_message(solver), "no memory"));
    assert_int_equal(softrelu_solver_solution(solver, x[1], D), SOFTRELU_OK);
    assert_same_doubles(D, x[1], x[0]);
    assert_int_equal(softrelu_solver_solve(solver), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solution(solver, x[1], D), SOFTRELU_OK);
    assert_same_doubles(D, x[1], x[0]);
    refuse_memory = false;
    assert_int_equal(softrelu_solver_set_vector(solver, SOFTRELU_UPPER, upper, D), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solve(solver), SOFTRELU_OK);
    softrelu_solver_destroy(solver);
    softrelu_problem_destroy(problem);
    assert_int_equal(blocks, 0);
    instance_free(&instance);
}

/* A whole scene with the k-th allocation failing, for every k. */
static softrelu_status play(const struct instance *instance, softrelu_problem **problem, softrelu_solver **solver) {
    const int64_t n = instance->n, d = instance->d, m = instance->m;
    double *upper = test_doubles(d);
    softrelu_status status = softrelu_problem_create(n, d, m, allocate, release, NULL, problem);
    if (status == SOFTRELU_OK)
        status = softrelu_problem_set_matrix(*problem, SOFTRELU_A1, instance->A1, SOFTRELU_ROW_MAJOR, d, SOFTRELU_BORROW);
    if (status == SOFTRELU_OK)
        status = softrelu_problem_set_matrix(*problem, SOFTRELU_A2, instance->A2, SOFTRELU_ROW_MAJOR, n, SOFTRELU_BORROW);
    if (status == SOFTRELU_OK)
        status = softrelu_problem_set_vector(*problem, SOFTRELU_B, instance->b, m, SOFTRELU_BORROW);
    if (status == SOFTRELU_OK)
        status = softrelu_problem_set_vector(*problem, SOFTRELU_W, instance->w, n, SOFTRELU_BORROW);
    if (status == SOFTRELU_OK)
        status = softrelu_problem_finish(*problem);
    if (status == SOFTRELU_OK)
        status = softrelu_solver_create(*problem, solver);
    if (status == SOFTRELU_OK)
        status = softrelu_solver_set_text(*solver, "starts", "2");
    if (status == SOFTRELU_OK)
        status = softrelu_solver_set_vector(*solver, SOFTRELU_UPPER, upper, d);
    if (status == SOFTRELU_OK)
        status = softrelu_solver_set_vector(*solver, SOFTRELU_UPPER, NULL, 0);
    if (status == SOFTRELU_OK)
        status = softrelu_solver_solve(*solver);
    free(upper);
    return status;
}

static void every_allocation_fails(void **state) {
    (void)state;
    struct test_random random = {14};
    const struct instance_scales scales = {.A1 = 1, .A2 = 2, .b = 1, .w = 0.1};
    struct instance instance = random_instance(&random, 3, 8, 4, scales, SOFTRELU_SQUARES);
    softrelu_status status = SOFTRELU_ERROR_MEMORY;
    for (fail_at = 1; status != SOFTRELU_OK; fail_at++) {
        softrelu_problem *problem = NULL;
        softrelu_solver *solver = NULL;
        calls = 0;
        status = play(&instance, &problem, &solver);
        assert_true(status == SOFTRELU_OK || status == SOFTRELU_ERROR_MEMORY);
        if (solver != NULL) /* whatever failed, it solves */
            assert_int_equal(softrelu_solver_solve(solver), SOFTRELU_OK);
        softrelu_solver_destroy(solver);
        softrelu_problem_destroy(problem);
        assert_int_equal(blocks, 0);
    }
    assert_true(fail_at > 12);
    fail_at = 0;
    instance_free(&instance);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(same_minimisers),      cmocka_unit_test(what_is_apart),
                                       cmocka_unit_test(all_that_is_told),     cmocka_unit_test(bounds_come_and_go),
                                       cmocka_unit_test(no_memory_for_bounds), cmocka_unit_test(every_allocation_fails)};
    return cmocka_run_group_tests_name("reduction", tests, NULL, NULL);
}
