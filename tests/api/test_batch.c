/* Batches: the bits of single solves on any number of threads, bad targets alone, callbacks, stops, and leave to set the BLAS.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/instance.h"
#include "support/refusal.h"
#include "support/same.h"

enum { N = 24, D = 7, M = 9, TARGETS = 13, GAP = 2, LDB = M + GAP, LDX = D + GAP };

static const double SENTINEL = -7.25;

struct scene {
    struct instance instance;
    struct built built;
    softrelu_solver *solver; /* the template */
    double b[TARGETS * LDB], x0[TARGETS * LDX], x_ref[TARGETS * LDX], lower[TARGETS * LDX], upper[TARGETS * LDX];
    double x[TARGETS * LDX];
};

static struct scene *scene_of(softrelu_loss loss) {
    struct scene *scene = (struct scene *)(void *)test_doubles((int64_t)(sizeof *scene / sizeof(double) + 1));
    struct test_random random = {23};
    const struct instance_scales scales = {.A1 = 1, .A2 = 2, .b = 1, .c1 = 0.3, .x_ref = 1, .rho = 1e-2};
    scene->instance = random_instance(&random, N, D, M, scales, loss);
    scene->built = build(&scene->instance, PLAIN_PLACEMENT);
    assert_int_equal(softrelu_solver_create(scene->built.problem, &scene->solver), SOFTRELU_OK);
    for (int t = 0; t < TARGETS; t++) {
        for (int j = 0; j < LDB; j++)
            scene->b[t * LDB + j] = j < M ? random_uniform(&random, 0.0, 2.0 / M) : NAN;
        for (int k = 0; k < LDX; k++) {
            const int at = t * LDX + k;
            scene->x0[at] = k < D ? random_normal(&random) : NAN;
            scene->x_ref[at] = k < D ? random_normal(&random) : NAN;
            scene->lower[at] = k < D ? scene->x_ref[at] - random_uniform(&random, 0.0, 0.5) : NAN;
            scene->upper[at] = k < D ? scene->x_ref[at] + random_uniform(&random, 0.0, 0.5) : NAN;
            scene->x[at] = SENTINEL;
        }
    }
    return scene;
}

static void scene_free(struct scene *scene) {
    softrelu_solver_destroy(scene->solver);
    built_free(&scene->built);
    instance_free(&scene->instance);
    free(scene);
}

static softrelu_batch *batch_of(const struct scene *scene, int threads) {
    softrelu_batch *batch = NULL;
    assert_int_equal(softrelu_batch_create(scene->solver, TARGETS, threads, SOFTRELU_BLAS_ONE_THREAD, &batch), SOFTRELU_OK);
    assert_int_equal(softrelu_batch_set_columns(batch, SOFTRELU_B, scene->b, LDB), SOFTRELU_OK);
    return batch;
}

static void give_all(softrelu_batch *batch, const struct scene *scene) {
    assert_int_equal(softrelu_batch_set_columns(batch, SOFTRELU_X0, scene->x0, LDX), SOFTRELU_OK);
    assert_int_equal(softrelu_batch_set_columns(batch, SOFTRELU_X_REF, scene->x_ref, LDX), SOFTRELU_OK);
    assert_int_equal(softrelu_batch_set_columns(batch, SOFTRELU_LOWER, scene->lower, LDX), SOFTRELU_OK);
    assert_int_equal(softrelu_batch_set_columns(batch, SOFTRELU_UPPER, scene->upper, LDX), SOFTRELU_OK);
}

/* Target t of the batch is what the template solver makes of it. */
static void check_target(const struct scene *scene, const softrelu_batch *batch, int t, bool all) {
    softrelu_solver *single = scene->solver;
    const double *x0 = scene->x0 + t * LDX;
    double x[D];
    assert_int_equal(softrelu_solver_set_vector(single, SOFTRELU_B, scene->b + t * LDB, M), SOFTRELU_OK);
    if (all) {
        assert_int_equal(softrelu_solver_set_vector(single, SOFTRELU_X_REF, scene->x_ref + t * LDX, D), SOFTRELU_OK);
        assert_int_equal(softrelu_solver_set_vector(single, SOFTRELU_LOWER, scene->lower + t * LDX, D), SOFTRELU_OK);
        assert_int_equal(softrelu_solver_set_vector(single, SOFTRELU_UPPER, scene->upper + t * LDX, D), SOFTRELU_OK);
    }
    assert_int_equal(softrelu_solver_set_start(single, all ? x0 : NULL, all ? D : 0), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solve(single), SOFTRELU_OK);
    assert_int_equal(softrelu_batch_status(batch, t), SOFTRELU_OK);
    assert_string_equal(softrelu_batch_target_message(batch, t), "");
    assert_int_equal(softrelu_solver_solution(single, x, D), SOFTRELU_OK);
    assert_same_doubles(D, scene->x + t * LDX, x);
    assert_true(scene->x[t * LDX + D] == SENTINEL);
    assert_same_report(softrelu_batch_report(batch, t), softrelu_solver_report(single));
    assert_same_certificate(softrelu_batch_certificate(batch, t), softrelu_solver_certificate(single));
}

static void check_same(softrelu_loss loss, bool all, const char *setting, const char *value) {
    struct scene *scene = scene_of(loss);
    assert_int_equal(softrelu_solver_set_text(scene->solver, setting, value), SOFTRELU_OK);
    for (int threads = 1; threads <= 4; threads++) {
        softrelu_batch *batch = batch_of(scene, threads);
        if (all)
            give_all(batch, scene);
        for (int round = 0; round < 2; round++) { /* the second time the solvers are used */
            const int64_t count = round == 0 ? TARGETS : TARGETS - 5;
            assert_int_equal(softrelu_solve_batch(batch, count, scene->x, LDX), SOFTRELU_OK);
            assert_int_equal(softrelu_batch_threads(batch), threads);
            for (int t = 0; t < count; t++)
                check_target(scene, batch, t, all);
            assert_true((softrelu_batch_report(batch, TARGETS - 1) == NULL) == (round == 1));
        }
        softrelu_batch_destroy(batch);
        for (int i = 0; i < 3 && all; i++)
            assert_int_equal(softrelu_solver_set_vector(scene->solver, (softrelu_array)(SOFTRELU_X_REF + 10 * i), NULL, 0),
                             SOFTRELU_OK);
        assert_int_equal(softrelu_solver_set_start(scene->solver, NULL, 0), SOFTRELU_OK);
    }
    scene_free(scene);
}

static void same_bits(void **state) {
    (void)state;
    check_same(SOFTRELU_KL, false, "trace_length", "0");
    check_same(SOFTRELU_SQUARES, true, "trace_length", "5");
    check_same(SOFTRELU_SQUARES, false, "starts", "3");
    check_same(SOFTRELU_KL, true, "hessian", "sampled");
}

/* What has no columns is that of the solver the batch was made from, as it was then. */
static void template_is_copied(void **state) {
    (void)state;
    struct scene *scene = scene_of(SOFTRELU_SQUARES);
    softrelu_solver *other = NULL;
    double x[D];
    assert_int_equal(softrelu_solver_set_vector(scene->solver, SOFTRELU_X_REF, scene->x_ref, D), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_set_vector(scene->solver, SOFTRELU_LOWER, scene->lower, D), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_set_vector(scene->solver, SOFTRELU_UPPER, scene->upper, D), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_set_start(scene->solver, scene->x0, D), SOFTRELU_OK);
    softrelu_batch *batch = batch_of(scene, 2);
    assert_int_equal(softrelu_solver_create(scene->built.problem, &other), SOFTRELU_OK);
    softrelu_solver_destroy(scene->solver);
    scene->solver = other;
    assert_int_equal(softrelu_solve_batch(batch, TARGETS, scene->x, LDX), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_set_vector(other, SOFTRELU_X_REF, scene->x_ref, D), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_set_vector(other, SOFTRELU_LOWER, scene->lower, D), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_set_vector(other, SOFTRELU_UPPER, scene->upper, D), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_set_start(other, scene->x0, D), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_set_vector(other, SOFTRELU_B, scene->b + 4 * LDB, M), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solve(other), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solution(other, x, D), SOFTRELU_OK);
    assert_same_doubles(D, scene->x + 4 * LDX, x);
    softrelu_batch_destroy(batch);
    scene_free(scene);
}

static void bad_targets_are_alone(void **state) {
    (void)state;
    for (int threads = 1; threads <= 3; threads += 2) {
        struct scene *scene = scene_of(SOFTRELU_SQUARES);
        softrelu_batch *batch = batch_of(scene, threads);
        give_all(batch, scene);
        const struct {
            int target;
            softrelu_status status;
            const char *says;
        } bad[] = {{0, SOFTRELU_ERROR_NOT_FINITE, "b[2] = nan"},
                   {3, SOFTRELU_ERROR_NOT_FINITE, "x0[1] = inf"},
                   {4, SOFTRELU_ERROR_NOT_FINITE, "x_ref[0] = -inf"},
                   {7, SOFTRELU_ERROR_VALUE, "lower[5]"},
                   {TARGETS - 1, SOFTRELU_ERROR_OVERFLOW, "starting point"}};
        scene->b[0 * LDB + 2] = NAN;
        scene->x0[3 * LDX + 1] = INFINITY;
        scene->x_ref[4 * LDX + 0] = -INFINITY;
        scene->lower[7 * LDX + 5] = scene->upper[7 * LDX + 5] + 1.0;
        for (int k = 0; k < D; k++) {
            scene->x0[(TARGETS - 1) * LDX + k] = 1.7e308;
            scene->upper[(TARGETS - 1) * LDX + k] = INFINITY;
        }
        assert_int_equal(softrelu_solve_batch(batch, TARGETS, scene->x, LDX), SOFTRELU_OK);
        for (int t = 0, k = 0; t < TARGETS; t++) {
            if (k == 5 || bad[k].target != t) {
                check_target(scene, batch, t, true);
                continue;
            }
            REFUSE(softrelu_batch_status(batch, t), bad[k].status);
            SAYS(softrelu_batch_target_message(batch, t), bad[k++].says);
            assert_int_equal(softrelu_report_termination(softrelu_batch_report(batch, t)), SOFTRELU_NOT_RUN);
            assert_int_equal(softrelu_certificate_reason(softrelu_batch_certificate(batch, t)), SOFTRELU_REASON_NOT_RUN);
            for (int i = 0; i < D; i++)
                assert_true(scene->x[t * LDX + i] == SENTINEL);
        }
        softrelu_batch_destroy(batch);
        scene_free(scene);
    }
}

/* Everything the callback sees; it runs on other threads, where cmocka's assertions have no place. */
struct calls {
    softrelu_batch *batch;
    int inside, overlaps, total, ended[TARGETS], begun[TARGETS];
    int stop_target, stop_after; /* -1: none */
    softrelu_status inner;
};

static int count_calls(int64_t target, const softrelu_report *report, void *user) {
    struct calls *calls = user;
    double unused[1] = {0};
    calls->overlaps += calls->inside++ != 0;
    calls->total++;
    calls->begun[target] = 1;
    calls->ended[target] += softrelu_report_termination(report) != SOFTRELU_NOT_RUN;
    if (calls->total == 1 && softrelu_solve_batch(calls->batch, 1, unused, LDX) == SOFTRELU_ERROR_STATE &&
        softrelu_batch_set_columns(calls->batch, SOFTRELU_B, NULL, 0) == SOFTRELU_ERROR_STATE)
        calls->inner = softrelu_batch_set_callback(calls->batch, NULL, NULL);
    if (calls->total == calls->stop_after)
        softrelu_batch_request_stop(calls->batch);
    calls->inside--;
    return target == calls->stop_target;
}

static void callbacks(void **state) {
    (void)state;
    struct scene *scene = scene_of(SOFTRELU_KL);
    softrelu_batch *batch = batch_of(scene, 4);
    struct calls calls = {.batch = batch, .stop_target = 5, .stop_after = -1};
    assert_int_equal(softrelu_batch_set_callback(batch, count_calls, &calls), SOFTRELU_OK);
    assert_int_equal(softrelu_solve_batch(batch, TARGETS, scene->x, LDX), SOFTRELU_OK);
    assert_int_equal(calls.overlaps, 0);
    assert_int_equal(calls.inner, SOFTRELU_ERROR_STATE);
    for (int t = 0; t < TARGETS; t++) {
        assert_int_equal(calls.ended[t], 1);
        if (t != 5)
            check_target(scene, batch, t, false);
    }
    assert_int_equal(softrelu_report_termination(softrelu_batch_report(batch, 5)), SOFTRELU_CALLBACK_STOP);
    assert_int_equal(softrelu_batch_set_callback(batch, NULL, NULL), SOFTRELU_OK);
    const int total = calls.total;
    assert_int_equal(softrelu_solve_batch(batch, TARGETS, scene->x, LDX), SOFTRELU_OK);
    assert_int_equal(calls.total, total);
    softrelu_batch_destroy(batch);
    scene_free(scene);
}

static void stops(void **state) {
    (void)state;
    for (int threads = 1; threads <= 3; threads++) {
        struct scene *scene = scene_of(SOFTRELU_SQUARES);
        softrelu_batch *batch = batch_of(scene, threads);
        struct calls calls = {.batch = batch, .stop_target = -1, .stop_after = 12};
        softrelu_batch_request_stop(batch); /* forgotten: nothing runs */
        assert_int_equal(softrelu_batch_set_callback(batch, count_calls, &calls), SOFTRELU_OK);
        assert_int_equal(softrelu_solve_batch(batch, TARGETS, scene->x, LDX), SOFTRELU_OK);
        int stopped = 0, not_begun = 0;
        for (int t = 0; t < TARGETS; t++) {
            const softrelu_termination ended = softrelu_report_termination(softrelu_batch_report(batch, t));
            assert_int_equal(softrelu_batch_status(batch, t), SOFTRELU_OK);
            assert_int_equal(calls.ended[t], calls.begun[t]);
            stopped += ended == SOFTRELU_STOP_REQUESTED;
            not_begun += ended == SOFTRELU_NOT_RUN;
            assert_true((ended == SOFTRELU_NOT_RUN) == (scene->x[t * LDX] == SENTINEL));
        }
        assert_true(stopped <= threads && not_begun > 0);
        assert_int_equal(softrelu_batch_set_callback(batch, NULL, NULL), SOFTRELU_OK);
        assert_int_equal(softrelu_solve_batch(batch, TARGETS, scene->x, LDX), SOFTRELU_OK); /* the request is forgotten */
        for (int t = 0; t < TARGETS; t++)
            check_target(scene, batch, t, false);
        softrelu_batch_destroy(batch);
        scene_free(scene);
    }
}

static void time_limit_is_for_each(void **state) {
    (void)state;
    struct scene *scene = scene_of(SOFTRELU_SQUARES);
    assert_int_equal(softrelu_solver_set_real(scene->solver, SOFTRELU_SETTING_TIME_LIMIT, 0.0), SOFTRELU_OK);
    softrelu_batch *batch = batch_of(scene, 2);
    assert_int_equal(softrelu_solve_batch(batch, TARGETS, scene->x, LDX), SOFTRELU_OK);
    for (int t = 0; t < TARGETS; t++) {
        assert_int_equal(softrelu_report_termination(softrelu_batch_report(batch, t)), SOFTRELU_TIME_LIMIT);
        assert_true(scene->x[t * LDX] != SENTINEL);
    }
    softrelu_batch_destroy(batch);
    scene_free(scene);
}

/* The process-wide thread count of the BLAS is touched with leave only, and is back afterwards. */
static void blas_threads(void **state) {
    (void)state;
    struct scene *scene = scene_of(SOFTRELU_SQUARES);
    const int before = softrelu_blas_threads();
    const softrelu_status told = softrelu_blas_set_threads(2);
    if (told == SOFTRELU_ERROR_STATE || softrelu_blas_threads() == 1) { /* it cannot be told, or is a serial one */
        scene_free(scene);
        skip();
    }
    assert_int_equal(told, SOFTRELU_OK);
    assert_int_equal(softrelu_blas_threads(), 2);
    softrelu_batch *keep = NULL, *automatic = NULL, *alone = batch_of(scene, 3);
    assert_int_equal(softrelu_batch_create(scene->solver, TARGETS, 2, SOFTRELU_BLAS_KEEP, &keep), SOFTRELU_OK);
    assert_int_equal(softrelu_batch_create(scene->solver, TARGETS, 0, SOFTRELU_BLAS_KEEP, &automatic), SOFTRELU_OK);
    REFUSE(softrelu_solve_batch(keep, TARGETS, scene->x, LDX), SOFTRELU_ERROR_STATE);
    SAYS(softrelu_batch_message(keep), "SOFTRELU_BLAS_ONE_THREAD");
    assert_true(scene->x[0] == SENTINEL);
    assert_int_equal(softrelu_solve_batch(keep, 1, scene->x, LDX), SOFTRELU_OK); /* one target: one thread */
    assert_int_equal(softrelu_solve_batch(automatic, TARGETS, scene->x, LDX), SOFTRELU_OK);
    assert_int_equal(softrelu_batch_threads(automatic), 1);
    assert_int_equal(softrelu_solve_batch(alone, TARGETS, scene->x, LDX), SOFTRELU_OK);
    assert_int_equal(softrelu_batch_threads(alone), 3);
    assert_int_equal(softrelu_blas_threads(), 2);
    assert_int_equal(softrelu_blas_set_threads(1), SOFTRELU_OK);
    assert_int_equal(softrelu_solve_batch(keep, TARGETS, scene->x, LDX), SOFTRELU_OK);
    assert_int_equal(softrelu_batch_threads(keep), 2);
    assert_int_equal(softrelu_blas_threads(), 1);
    for (int t = 0; t < TARGETS; t++)
        assert_int_equal(softrelu_batch_status(keep, t), SOFTRELU_OK);
    assert_int_equal(softrelu_blas_set_threads(before > 0 ? before : 1), SOFTRELU_OK);
    softrelu_batch_destroy(keep);
    softrelu_batch_destroy(automatic);
    softrelu_batch_destroy(alone);
    scene_free(scene);
}

static softrelu_status create(const softrelu_solver *solver, int64_t capacity, int threads, int blas) {
    softrelu_batch *batch = (softrelu_batch *)(void *)&batch;
    const softrelu_status status = softrelu_batch_create(solver, capacity, threads, (softrelu_blas_use)blas, &batch);
    assert_true((status == SOFTRELU_OK) == (batch != NULL));
    softrelu_batch_destroy(batch);
    return status;
}

static int create_from_callback(const softrelu_report *report, void *user) {
    (void)report;
    REFUSE(create(user, 1, 1, SOFTRELU_BLAS_KEEP), SOFTRELU_ERROR_STATE);
    return 1;
}

static void bad_creations(void **state) {
    (void)state;
    struct scene *scene = scene_of(SOFTRELU_SQUARES);
    const softrelu_solver *solver = scene->solver;
    REFUSE(softrelu_batch_create(solver, 1, 1, SOFTRELU_BLAS_KEEP, NULL), SOFTRELU_ERROR_NULL);
    REFUSE(create(NULL, 1, 1, SOFTRELU_BLAS_KEEP), SOFTRELU_ERROR_NULL);
    REFUSE(create(solver, 0, 1, SOFTRELU_BLAS_KEEP), SOFTRELU_ERROR_SIZE);
    REFUSE(create(solver, -5, 1, SOFTRELU_BLAS_KEEP), SOFTRELU_ERROR_SIZE);
    REFUSE(create(solver, 1, -1, SOFTRELU_BLAS_KEEP), SOFTRELU_ERROR_VALUE);
    REFUSE(create(solver, 1, 257, SOFTRELU_BLAS_KEEP), SOFTRELU_ERROR_VALUE);
    REFUSE(create(solver, 1, 1, 5), SOFTRELU_ERROR_VALUE);
    REFUSE(create(solver, INT64_MAX, 1, SOFTRELU_BLAS_KEEP), SOFTRELU_ERROR_MEMORY);
    assert_int_equal(create(solver, 1, 256, SOFTRELU_BLAS_KEEP), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_set_callback(scene->solver, create_from_callback, scene->solver), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solve(scene->solver), SOFTRELU_OK);
    scene_free(scene);
}

static void misuse(void **state) {
    (void)state;
    struct scene *scene = scene_of(SOFTRELU_SQUARES);
    softrelu_batch *batch = batch_of(scene, 2);
    REFUSE(softrelu_batch_set_columns(NULL, SOFTRELU_B, scene->b, LDB), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_batch_set_columns(batch, SOFTRELU_C1, scene->b, LDB), SOFTRELU_ERROR_UNKNOWN);
    SAYS(softrelu_batch_message(batch), "SOFTRELU_X0");
    REFUSE(softrelu_batch_set_columns(batch, SOFTRELU_B, scene->b, M - 1), SOFTRELU_ERROR_SIZE);
    REFUSE(softrelu_batch_set_columns(batch, SOFTRELU_X0, scene->x0, -1), SOFTRELU_ERROR_SIZE);
    REFUSE(softrelu_batch_set_callback(NULL, NULL, NULL), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_solve_batch(NULL, 1, scene->x, LDX), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_solve_batch(batch, 1, NULL, LDX), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_solve_batch(batch, 0, scene->x, LDX), SOFTRELU_ERROR_SIZE);
    REFUSE(softrelu_solve_batch(batch, TARGETS + 1, scene->x, LDX), SOFTRELU_ERROR_SIZE);
    SAYS(softrelu_batch_message(batch), "13");
    REFUSE(softrelu_solve_batch(batch, TARGETS, scene->x, D - 1), SOFTRELU_ERROR_SIZE);
    REFUSE(softrelu_batch_status(NULL, 0), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_batch_status(batch, 0), SOFTRELU_ERROR_SIZE);
    assert_null(softrelu_batch_report(batch, 0));
    assert_null(softrelu_batch_certificate(NULL, 0));
    assert_non_null(softrelu_batch_message(NULL));
    assert_non_null(softrelu_batch_target_message(NULL, 0));
    assert_non_null(softrelu_batch_target_message(batch, 0));
    assert_int_equal(softrelu_batch_threads(batch), 0);
    assert_int_equal(softrelu_batch_threads(NULL), 0);
    softrelu_batch_request_stop(NULL);
    softrelu_batch_destroy(NULL);
    assert_true(scene->x[0] == SENTINEL);
    assert_int_equal(softrelu_solve_batch(batch, TARGETS, scene->x, LDX), SOFTRELU_OK);
    assert_string_equal(softrelu_batch_message(batch), "");
    double kinks[N], direction[D];
    signed char active[N];
    const softrelu_certificate *certificate = softrelu_batch_certificate(batch, 0);
    REFUSE(softrelu_certificate_multipliers(certificate, kinks, N, NULL, 0), SOFTRELU_ERROR_STATE);
    REFUSE(softrelu_certificate_active(certificate, active, N, NULL, 0), SOFTRELU_ERROR_STATE);
    REFUSE(softrelu_certificate_direction(certificate, direction, D), SOFTRELU_ERROR_STATE);
    assert_int_equal(softrelu_report_trace_length(softrelu_batch_report(batch, 0)), 0);
    REFUSE(softrelu_batch_status(batch, -1), SOFTRELU_ERROR_SIZE);
    REFUSE(softrelu_batch_status(batch, TARGETS), SOFTRELU_ERROR_SIZE);
    assert_int_equal(softrelu_batch_set_columns(batch, SOFTRELU_B, NULL, 0), SOFTRELU_OK); /* the solver's own b for all */
    assert_int_equal(softrelu_solve_batch(batch, 2, scene->x, LDX), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solve(scene->solver), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solution(scene->solver, direction, D), SOFTRELU_OK);
    assert_same_doubles(D, scene->x, direction);
    assert_same_doubles(D, scene->x + LDX, direction);
    softrelu_batch_destroy(batch);
    scene_free(scene);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(same_bits),
                                       cmocka_unit_test(template_is_copied),
                                       cmocka_unit_test(bad_targets_are_alone),
                                       cmocka_unit_test(callbacks),
                                       cmocka_unit_test(stops),
                                       cmocka_unit_test(time_limit_is_for_each),
                                       cmocka_unit_test(blas_threads),
                                       cmocka_unit_test(bad_creations),
                                       cmocka_unit_test(misuse)};
    return cmocka_run_group_tests_name("batches", tests, NULL, NULL);
}
