/* An allocator that fails at the k-th allocation, for every k: SOFTRELU_ERROR_MEMORY, nothing leaked, everything still usable.
   And one that counts: no allocation while a solver solves. */
#include <stdlib.h>
#include <string.h>

#include "support/counting.h"
#include "support/instance.h"

enum { N = 12, D = 5, M = 6, RESULTS = 2 * D * D + 2 * D };

struct scene {
    const struct instance *instance;
    struct counting *counting;
    softrelu_problem *problem;
    softrelu_evaluator *evaluator;
    softrelu_solver *solver;
    softrelu_constants *constants;
    softrelu_batch *batch;
    double x[D], results[RESULTS];
};

/* One step of the scene. Every step must succeed, or fail for memory and then succeed when repeated. */
typedef softrelu_status (*step)(struct scene *scene);

static softrelu_status create_problem(struct scene *scene) {
    scene->problem = (softrelu_problem *)(void *)scene;
    const softrelu_status status =
        softrelu_problem_create(N, D, M, counting_allocate, counting_release, scene->counting, &scene->problem);
    assert_true((status == SOFTRELU_OK) == (scene->problem != NULL));
    return status;
}
static softrelu_status give_A1(struct scene *scene) {
    return softrelu_problem_set_matrix(scene->problem, SOFTRELU_A1, scene->instance->A1, SOFTRELU_ROW_MAJOR, D, SOFTRELU_COPY);
}
static softrelu_status give_A2(struct scene *scene) {
    return softrelu_problem_set_matrix(scene->problem, SOFTRELU_A2, scene->instance->A2, SOFTRELU_ROW_MAJOR, N, SOFTRELU_COPY);
}
static softrelu_status give_b(struct scene *scene) {
    return softrelu_problem_set_vector(scene->problem, SOFTRELU_B, scene->instance->b, M, SOFTRELU_COPY);
}
static softrelu_status give_c1(struct scene *scene) {
    return softrelu_problem_set_vector(scene->problem, SOFTRELU_C1, scene->instance->c1, N, SOFTRELU_COPY);
}
static softrelu_status give_c2(struct scene *scene) {
    return softrelu_problem_set_vector(scene->problem, SOFTRELU_C2, scene->instance->c2, M, SOFTRELU_COPY);
}
static softrelu_status give_x_ref(struct scene *scene) {
    return softrelu_problem_set_vector(scene->problem, SOFTRELU_X_REF, scene->instance->x_ref, D, SOFTRELU_COPY);
}
static softrelu_status give_w(struct scene *scene) { return softrelu_problem_set_number(scene->problem, SOFTRELU_W, 0.1); }
static softrelu_status finish(struct scene *scene) { return softrelu_problem_finish(scene->problem); }
static softrelu_status create_evaluator(struct scene *scene) {
    scene->evaluator = (softrelu_evaluator *)(void *)scene;
    const softrelu_status status = softrelu_evaluator_create(scene->problem, &scene->evaluator);
    assert_true((status == SOFTRELU_OK) == (scene->evaluator != NULL));
    return status;
}
static softrelu_status move(struct scene *scene) { return softrelu_evaluator_move(scene->evaluator, scene->x, D); }
static softrelu_status hessian(struct scene *scene) {
    double *out = scene->results;
    out[0] = -7.0;
    const softrelu_status status = softrelu_evaluator_hessian(scene->evaluator, out, D);
    assert_true(status == SOFTRELU_OK || out[0] == -7.0);
    return status;
}
static softrelu_status sampled_hessian(struct scene *scene) {
    double *out = scene->results + D * D + 2 * D;
    out[0] = -7.0;
    int64_t rows = -7;
    const softrelu_status status = softrelu_evaluator_sampled_hessian(scene->evaluator, 0.5, 0, 1, 0, out, D, &rows);
    assert_true(status == SOFTRELU_OK ? rows >= 0 && rows <= M : out[0] == -7.0 && rows == -7);
    return status;
}
static softrelu_status gradient(struct scene *scene) {
    return softrelu_evaluator_gradient(scene->evaluator, scene->results + D * D, D);
}
static softrelu_status create_solver(struct scene *scene) {
    scene->solver = (softrelu_solver *)(void *)scene;
    const softrelu_status status = softrelu_solver_create(scene->problem, &scene->solver);
    assert_true((status == SOFTRELU_OK) == (scene->solver != NULL));
    return status;
}
static softrelu_status lengthen_trace(struct scene *scene) {
    const softrelu_status status = softrelu_solver_set_integer(scene->solver, SOFTRELU_SETTING_TRACE_LENGTH, 2000);
    int64_t length = 0;
    assert_int_equal(softrelu_solver_get_integer(scene->solver, SOFTRELU_SETTING_TRACE_LENGTH, &length), SOFTRELU_OK);
    assert_int_equal(length, status == SOFTRELU_OK ? 2000 : 1000);
    return status;
}
static softrelu_status lengthen_trace_by_text(struct scene *scene) {
    return softrelu_solver_set_text(scene->solver, "trace_length", "3000");
}
/* A setting that asks for other work memory: refused, it is what it was, and the solver as good as before. */
static softrelu_status ask_for(struct scene *scene, const char *name, softrelu_setting setting, const char *value,
                               int64_t before, int64_t after) {
    const softrelu_status status = softrelu_solver_set_text(scene->solver, name, value);
    int64_t now = -1;
    assert_int_equal(softrelu_solver_get_integer(scene->solver, setting, &now), SOFTRELU_OK);
    assert_int_equal(now, status == SOFTRELU_OK ? after : before);
    return status;
}
static softrelu_status ask_for_streaming(struct scene *scene) {
    return ask_for(scene, "jacobian_memory", SOFTRELU_SETTING_JACOBIAN_MEMORY, "0", -1, 0);
}
static softrelu_status ask_for_samples(struct scene *scene) {
    return ask_for(scene, "hessian", SOFTRELU_SETTING_HESSIAN, "sampled", SOFTRELU_HESSIAN_EXACT, SOFTRELU_HESSIAN_SAMPLED);
}
static softrelu_status ask_for_products(struct scene *scene) {
    return ask_for(scene, "step", SOFTRELU_SETTING_STEP, "pcg", SOFTRELU_STEP_CHOLESKY, SOFTRELU_STEP_PCG);
}
static softrelu_status solve(struct scene *scene) {
    const int64_t calls = scene->counting->calls;
    const softrelu_status status = softrelu_solver_solve(scene->solver);
    assert_int_equal(scene->counting->calls, calls); /* no allocation while it solves */
    return status;
}
static softrelu_status ask_for_starts(struct scene *scene) {
    return ask_for(scene, "starts", SOFTRELU_SETTING_STARTS, "3", 1, 3);
}
static softrelu_status shorten_trace(struct scene *scene) {
    return softrelu_solver_set_text(scene->solver, "trace_length", "7");
}
static softrelu_status take_target(struct scene *scene) {
    const int64_t calls = scene->counting->calls;
    assert_int_equal(softrelu_solver_set_vector(scene->solver, SOFTRELU_B, scene->instance->b, M), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_set_vector(scene->solver, SOFTRELU_X_REF, scene->x, D), SOFTRELU_OK);
    const softrelu_status status = softrelu_solver_set_vector(scene->solver, SOFTRELU_LOWER, NULL, 0);
    assert_int_equal(scene->counting->calls, calls);
    return status;
}
static softrelu_status create_batch(struct scene *scene) {
    scene->batch = (softrelu_batch *)(void *)scene;
    const softrelu_status status = softrelu_batch_create(scene->solver, 2, 2, SOFTRELU_BLAS_ONE_THREAD, &scene->batch);
    assert_true((status == SOFTRELU_OK) == (scene->batch != NULL));
    return status;
}
static softrelu_status solve_batch(struct scene *scene) {
    const int64_t calls = scene->counting->calls;
    double x[2 * D];
    assert_int_equal(softrelu_batch_set_columns(scene->batch, SOFTRELU_X_REF, scene->instance->x_ref, D), SOFTRELU_OK);
    assert_int_equal(softrelu_batch_set_columns(scene->batch, SOFTRELU_X_REF, NULL, 0), SOFTRELU_OK);
    const softrelu_status status = softrelu_solve_batch(scene->batch, 2, x, D);
    assert_int_equal(softrelu_batch_status(scene->batch, 1), SOFTRELU_OK);
    assert_int_equal(scene->counting->calls, calls); /* nor for the threads of a batch */
    return status;
}
static softrelu_status solution(struct scene *scene) {
    return softrelu_solver_solution(scene->solver, scene->results + D * D + D, D);
}

static softrelu_status create_constants(struct scene *scene) {
    scene->constants = (softrelu_constants *)(void *)scene;
    const softrelu_status status = softrelu_constants_create(scene->problem, &scene->constants);
    assert_true((status == SOFTRELU_OK) == (scene->constants != NULL));
    return status;
}
static softrelu_status move_constants(struct scene *scene) {
    const int64_t calls = scene->counting->calls;
    const softrelu_status status = softrelu_constants_move(scene->constants, scene->x, D);
    assert_int_equal(scene->counting->calls, calls);
    return status;
}

static const step STEPS[] = {create_problem,
                             give_A1,
                             give_A2,
                             give_b,
                             give_c1,
                             give_c2,
                             give_x_ref,
                             give_w,
                             give_A1,
                             /* replaced */ give_b,
                             finish,
                             create_evaluator,
                             move,
                             hessian,
                             gradient,
                             sampled_hessian,
                             create_solver,
                             lengthen_trace,
                             solve,
                             lengthen_trace_by_text,
                             ask_for_streaming,
                             solve,
                             ask_for_samples,
                             solve,
                             ask_for_products,
                             solve,
                             ask_for_starts,
                             solve,
                             take_target,
                             shorten_trace,
                             solve,
                             create_batch,
                             solve_batch,
                             solution,
                             create_constants,
                             move_constants};
enum { STEP_COUNT = sizeof STEPS / sizeof *STEPS };

static void destroy(struct scene *scene) {
    softrelu_batch_destroy(scene->batch);
    softrelu_constants_destroy(scene->constants);
    softrelu_solver_destroy(scene->solver);
    softrelu_evaluator_destroy(scene->evaluator);
    softrelu_problem_destroy(scene->problem);
    assert_int_equal(scene->counting->live, 0);
}

static struct scene scene_of(const struct instance *instance, struct counting *counting) {
    struct scene scene = {.instance = instance, .counting = counting};
    for (int k = 0; k < D; k++)
        scene.x[k] = 0.3 * (k + 1);
    return scene;
}

/* Plays the scene with the failure at call fail_at. What failed is repeated, or everything is destroyed at once. True when the
   failure happened. */
static bool play(const struct instance *instance, int64_t fail_at, bool give_up, double *results) {
    struct counting counting = {.fail_at = fail_at};
    struct scene scene = scene_of(instance, &counting);
    for (int k = 0; k < STEP_COUNT; k++) {
        const bool failed_before = counting.failed;
        softrelu_status status = STEPS[k](&scene);
        if (counting.failed && !failed_before) {
            if (status != SOFTRELU_ERROR_MEMORY)
                fail_msg("step %d, allocation %d refused: %s", k, (int)fail_at, softrelu_status_name(status));
            if (give_up)
                break;
            status = STEPS[k](&scene);
        }
        if (status != SOFTRELU_OK)
            fail_msg("step %d, allocation %d refused: %s", k, (int)fail_at, softrelu_status_name(status));
    }
    memcpy(results, scene.results, sizeof scene.results);
    destroy(&scene);
    return counting.failed;
}

static struct instance test_instance(void) {
    struct test_random random = {81};
    const struct instance_scales scales = {.A1 = 1, .A2 = 2, .b = 1, .c1 = 0.5, .c2 = 0.5, .x_ref = 1};
    return random_instance(&random, N, D, M, scales, SOFTRELU_SQUARES);
}

static void every_allocation_fails_once(void **state) {
    (void)state;
    struct instance instance = test_instance();
    double undisturbed[RESULTS], results[RESULTS];
    assert_false(play(&instance, 0, false, undisturbed));
    int64_t failures = 0;
    for (int64_t k = 1; play(&instance, k, false, results); k++) {
        failures++;
        assert_same_doubles(RESULTS, results, undisturbed); /* the repeated call went on as if nothing had happened */
        assert_true(play(&instance, k, true, results));     /* and giving up leaks nothing */
    }
    assert_same_doubles(RESULTS, results, undisturbed);
    print_message("  %lld allocations, each refused once\n", (long long)failures);
    assert_true(failures >= STEP_COUNT - 14); /* all steps but fourteen allocate at least once */
    instance_free(&instance);
}

/* Replacing data, failing setters and bad values leak nothing either, and a failed replacement leaves the old data. */
static void failed_replacement_keeps_the_old(void **state) {
    (void)state;
    struct instance instance = test_instance();
    struct counting counting = {0};
    struct scene scene = scene_of(&instance, &counting);
    for (int k = 0; k < 8; k++)
        assert_int_equal(STEPS[k](&scene), SOFTRELU_OK);
    double *other = test_doubles(N * D);
    counting.fail_at = counting.calls + 1;
    assert_int_equal(softrelu_problem_set_matrix(scene.problem, SOFTRELU_A1, other, SOFTRELU_ROW_MAJOR, D, SOFTRELU_COPY),
                     SOFTRELU_ERROR_MEMORY);
    assert_true(strstr(softrelu_problem_message(scene.problem), "A1") != NULL);
    const float single[M * N] = {0.5F};
    counting.fail_at = counting.calls + 1;
    assert_int_equal(
        softrelu_problem_set_matrix_single(scene.problem, SOFTRELU_A2, single, SOFTRELU_ROW_MAJOR, N, SOFTRELU_COPY),
        SOFTRELU_ERROR_MEMORY);
    assert_true(strstr(softrelu_problem_message(scene.problem), "A2: no memory for a copy of") != NULL);
    counting.fail_at = counting.calls + 1;
    assert_int_equal(softrelu_problem_set_vector(scene.problem, SOFTRELU_B, other, M, SOFTRELU_COPY), SOFTRELU_ERROR_MEMORY);
    counting.fail_at = counting.calls + 1;
    assert_int_equal(softrelu_problem_set_number(scene.problem, SOFTRELU_W, 5.0), SOFTRELU_ERROR_MEMORY);
    for (int k = 10; k < STEP_COUNT; k++)
        assert_int_equal(STEPS[k](&scene), SOFTRELU_OK);
    double undisturbed[RESULTS];
    assert_false(play(&instance, 0, false, undisturbed));
    assert_same_doubles(RESULTS, scene.results, undisturbed);
    free(other);
    destroy(&scene);
    instance_free(&instance);
}

/* Solving again and again, from here and there, and evaluating, allocate nothing. */
static void no_allocation_while_solving(void **state) {
    (void)state;
    struct instance instance = test_instance();
    struct counting counting = {0};
    struct scene scene = scene_of(&instance, &counting);
    for (int k = 0; k < STEP_COUNT; k++)
        assert_int_equal(STEPS[k](&scene), SOFTRELU_OK);
    const int64_t calls = counting.calls, live = counting.live;
    for (int round = 0; round < 5; round++) {
        scene.x[round] += 1.0;
        assert_int_equal(softrelu_solver_set_start(scene.solver, round == 3 ? NULL : scene.x, round == 3 ? 0 : D), SOFTRELU_OK);
        assert_int_equal(take_target(&scene), SOFTRELU_OK);
        assert_int_equal(solve(&scene), SOFTRELU_OK);
        assert_int_equal(solve_batch(&scene), SOFTRELU_OK);
        assert_int_equal(move(&scene), SOFTRELU_OK);
        assert_int_equal(hessian(&scene), SOFTRELU_OK);
        assert_int_equal(sampled_hessian(&scene), SOFTRELU_OK);
        assert_int_equal(gradient(&scene), SOFTRELU_OK);
    }
    assert_int_equal(counting.calls, calls);
    assert_int_equal(counting.live, live);
    destroy(&scene);
    instance_free(&instance);
}

/* With many outputs constants and certificates have no room for anything of the size of the Jacobian. */
static void rows_are_streamed(void **state) {
    (void)state;
    enum { FEW = 3, WIDE = 40, MANY = 20000 };
    struct test_random random = {82};
    double *a1 = test_doubles(FEW * WIDE), *a2 = test_doubles(MANY * FEW), *b = test_doubles(MANY), *x = test_doubles(WIDE);
    random_fill(&random, 1.0, FEW * WIDE, a1);
    random_fill(&random, 1.0, MANY * FEW, a2);
    random_fill(&random, 1.0, WIDE, x);
    b[7] = 1.0;
    struct counting counting = {0};
    softrelu_problem *problem = NULL;
    softrelu_constants *constants = NULL;
    softrelu_certificate *certificate = NULL;
    assert_int_equal(softrelu_problem_create(FEW, WIDE, MANY, counting_allocate, counting_release, &counting, &problem),
                     SOFTRELU_OK);
    assert_int_equal(softrelu_problem_set_matrix(problem, SOFTRELU_A1, a1, SOFTRELU_ROW_MAJOR, WIDE, SOFTRELU_BORROW),
                     SOFTRELU_OK);
    assert_int_equal(softrelu_problem_set_matrix(problem, SOFTRELU_A2, a2, SOFTRELU_ROW_MAJOR, FEW, SOFTRELU_BORROW),
                     SOFTRELU_OK);
    assert_int_equal(softrelu_problem_set_vector(problem, SOFTRELU_B, b, MANY, SOFTRELU_BORROW), SOFTRELU_OK);
    assert_int_equal(softrelu_problem_finish(problem), SOFTRELU_OK);
    const size_t jacobian = sizeof(double) * MANY * WIDE;
    counting.bytes = 0;
    assert_int_equal(softrelu_constants_create(problem, &constants), SOFTRELU_OK);
    assert_int_equal(softrelu_constants_move(constants, x, WIDE), SOFTRELU_OK);
    assert_true(counting.bytes < jacobian / 3);
    counting.bytes = 0;
    assert_int_equal(softrelu_certificate_create(problem, &certificate), SOFTRELU_OK);
    assert_true(counting.bytes < jacobian / 3);
    softrelu_certificate_destroy(certificate);
    softrelu_constants_destroy(constants);
    softrelu_problem_destroy(problem);
    assert_int_equal(counting.live, 0);
    free(a1);
    free(a2);
    free(b);
    free(x);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_allocation_fails_once),
                                       cmocka_unit_test(failed_replacement_keeps_the_old),
                                       cmocka_unit_test(no_allocation_while_solving), cmocka_unit_test(rows_are_streamed)};
    return cmocka_run_group_tests_name("allocation", tests, NULL, NULL);
}
