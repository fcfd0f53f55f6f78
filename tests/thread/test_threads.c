/* One sealed problem, several threads, a solver and an evaluator each: the bits of the serial result. */
#include <pthread.h>
#include <stdlib.h>

#include "support/instance.h"

enum { THREADS = 4, N = 50, D = 12, M = 20, RESULTS = 3 * D };

struct job {
    const softrelu_problem *problem;
    double x0[D], results[RESULTS]; /* solution, gradient and H x0 at x0 */
    softrelu_termination termination;
    softrelu_status status; /* the first that was not OK: cmocka's assertions belong to the main thread */
};

static void keep(struct job *job, softrelu_status status) {
    if (job->status == SOFTRELU_OK)
        job->status = status;
}

static void *work(void *argument) {
    struct job *job = argument;
    softrelu_solver *solver = NULL;
    softrelu_evaluator *evaluator = NULL;
    job->status = SOFTRELU_OK;
    keep(job, softrelu_solver_create(job->problem, &solver));
    keep(job, softrelu_evaluator_create(job->problem, &evaluator));
    keep(job, softrelu_solver_set_start(solver, job->x0, D));
    keep(job, softrelu_solver_set_integer(solver, SOFTRELU_SETTING_MAX_ITERATIONS, 60));
    for (int round = 0; round < 2; round++) {
        keep(job, softrelu_solver_solve(solver));
        keep(job, softrelu_solver_solution(solver, job->results, D));
        keep(job, softrelu_evaluator_move(evaluator, job->x0, D));
        keep(job, softrelu_evaluator_gradient(evaluator, job->results + D, D));
        keep(job, softrelu_evaluator_hessian_product(evaluator, job->x0, job->results + 2 * D, D));
    }
    job->termination = softrelu_report_termination(softrelu_solver_report(solver));
    softrelu_solver_destroy(solver);
    softrelu_evaluator_destroy(evaluator);
    return NULL;
}

static void shared_problem(void **state) {
    (void)state;
    /* one BLAS thread, where the BLAS can be told */
    const softrelu_status one_thread = softrelu_blas_set_threads(1);
    assert_true(one_thread == SOFTRELU_OK || one_thread == SOFTRELU_ERROR_STATE);
    struct test_random random = {91};
    struct instance instance = synthetic_instance(&random, N, D, M, 0.5, 1e-3);
    struct built built = build(&instance, PLAIN_PLACEMENT);
    static struct job serial[THREADS], parallel[THREADS];
    for (int k = 0; k < THREADS; k++) {
        serial[k].problem = built.problem;
        random_fill(&random, 1.0, D, serial[k].x0);
    }
    for (int k = 0; k < THREADS; k++) {
        (void)work(&serial[k]);
        assert_int_equal(serial[k].status, SOFTRELU_OK);
    }
    for (int64_t round = 0; round < test_count(5, 1); round++) {
        pthread_t threads[THREADS];
        for (int k = 0; k < THREADS; k++) {
            parallel[k] = (struct job){.problem = built.problem};
            for (int i = 0; i < D; i++)
                parallel[k].x0[i] = serial[k].x0[i];
            assert_int_equal(pthread_create(&threads[k], NULL, work, &parallel[k]), 0);
        }
        for (int k = 0; k < THREADS; k++)
            assert_int_equal(pthread_join(threads[k], NULL), 0);
        for (int k = 0; k < THREADS; k++) {
            assert_int_equal(parallel[k].status, SOFTRELU_OK);
            assert_int_equal(parallel[k].termination, serial[k].termination);
            assert_same_doubles(RESULTS, parallel[k].results, serial[k].results);
        }
    }
    built_free(&built);
    instance_free(&instance);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(shared_problem)};
    return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}
