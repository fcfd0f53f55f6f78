/*
 * 64 threads with a solver each, on one shared problem and on problems of their own, with every kind of settings, and batches
 * made from several threads: the bits of the serial results.
 */
#include <pthread.h>
#include <stdlib.h>

#include "outcome.h"
#include "variant.h"

enum { THREADS = 64, D = 16, SEED = 91, TARGETS = 6, BATCHES = 8 };

struct job {
    const struct variant *variant;
    uint64_t seed;
    bool own;                 /* a problem of its own: made, used and destroyed in the thread */
    struct varied given;      /* else, the shared one */
    pthread_barrier_t *start; /* NULL: alone */
    softrelu_status status;   /* the first that was not OK: cmocka's assertions belong to the main thread */
    struct outcome_bits outcome[2], gradient;
};

static void keep(struct job *job, softrelu_status status) {
    if (job->status == SOFTRELU_OK)
        job->status = status;
}

static void wait_for_all(const struct job *job) {
    if (job->start != NULL)
        (void)pthread_barrier_wait(job->start);
}

/* The bounds of the variant, where the problem has none. */
static void give_bounds(struct job *job, softrelu_solver *solver) {
    double bound[D];
    for (int side = -1; side <= 1 && job->variant->box > 0.0; side += 2) {
        for (int k = 0; k < D; k++)
            bound[k] = side * job->variant->box;
        keep(job, softrelu_solver_set_vector(solver, side < 0 ? SOFTRELU_LOWER : SOFTRELU_UPPER, bound, D));
    }
}

/* Hessian and gradient at a point, by an evaluator. */
static void evaluate(struct job *job, const softrelu_problem *problem) {
    softrelu_evaluator *evaluator = NULL;
    double x[D];
    struct test_random random = {job->seed};
    random_fill(&random, 1.0, D, x);
    job->gradient = (struct outcome_bits){.count = D + D * D, .trace = D + D * D, .numbers = calloc(D + D * D, sizeof(double))};
    keep(job, softrelu_evaluator_create(problem, &evaluator));
    keep(job, softrelu_evaluator_move(evaluator, x, D));
    keep(job, softrelu_evaluator_gradient(evaluator, job->gradient.numbers, D));
    keep(job, softrelu_evaluator_hessian(evaluator, job->gradient.numbers + D, D));
    softrelu_evaluator_destroy(evaluator);
}

static void *work(void *argument) {
    struct job *job = argument;
    wait_for_all(job);
    struct varied varied = job->own ? varied_of(job->variant, job->seed, D) : job->given;
    softrelu_solver *solver = NULL;
    keep(job, varied_solver(&varied, &solver));
    if (!job->own)
        give_bounds(job, solver);
    for (int round = 0; round < 2 && job->status == SOFTRELU_OK; round++) {
        keep(job, softrelu_solver_solve(solver));
        job->outcome[round] = outcome_of(solver, D);
    }
    evaluate(job, varied.built.problem);
    softrelu_solver_destroy(solver);
    if (job->own)
        varied_free(&varied);
    return NULL;
}

static void job_free(struct job *job) {
    outcome_free(&job->outcome[0]);
    outcome_free(&job->outcome[1]);
    outcome_free(&job->gradient);
}

static void one_blas_thread(void) {
    const softrelu_status one = softrelu_blas_set_threads(1);
    assert_true(one == SOFTRELU_OK || one == SOFTRELU_ERROR_STATE); /* where the BLAS can be told */
}

static struct job job_of(int number, bool own, const struct varied *common) {
    struct job job = {.variant = &VARIANT[number % VARIANTS], .seed = SEED + (uint64_t)number, .own = own, .given = *common};
    job.given.variant = job.variant;
    if (!job.variant->start)
        job.given.x0 = NULL;
    return job;
}

static void as_alone(bool own) {
    one_blas_thread();
    struct varied common = varied_of(&VARIANT[3], SEED, D);
    static struct job alone[THREADS], together[THREADS];
    for (int t = 0; t < THREADS; t++) {
        alone[t] = job_of(t, own, &common);
        (void)work(&alone[t]);
        assert_int_equal(alone[t].status, SOFTRELU_OK);
        assert_true(same_outcome(&alone[t].outcome[0], &alone[t].outcome[1]));
    }
    for (int64_t round = 0; round < test_effort(40, 2, 1); round++) {
        pthread_t threads[THREADS];
        pthread_barrier_t start;
        assert_int_equal(pthread_barrier_init(&start, NULL, THREADS), 0);
        for (int t = 0; t < THREADS; t++) {
            together[t] = job_of(t, own, &common);
            together[t].start = &start;
            assert_int_equal(pthread_create(&threads[t], NULL, work, &together[t]), 0);
        }
        for (int t = 0; t < THREADS; t++)
            assert_int_equal(pthread_join(threads[t], NULL), 0);
        for (int t = 0; t < THREADS; t++) {
            assert_int_equal(together[t].status, SOFTRELU_OK);
            if (!same_outcome(&together[t].outcome[0], &alone[t].outcome[0]) ||
                !same_outcome(&together[t].outcome[1], &alone[t].outcome[0]) ||
                !same_outcome(&together[t].gradient, &alone[t].gradient))
                fail_msg("thread %d, %s: not the serial result", t, together[t].variant->name);
            job_free(&together[t]);
        }
        assert_int_equal(pthread_barrier_destroy(&start), 0);
    }
    for (int t = 0; t < THREADS; t++)
        job_free(&alone[t]);
    varied_free(&common);
}

static void one_problem(void **state) {
    (void)state;
    as_alone(false);
}

static void own_problems(void **state) {
    (void)state;
    as_alone(true);
}

struct batch_job {
    const softrelu_solver *solver;
    const double *b;
    int64_t m;
    int threads;
    softrelu_status status;
    double x[TARGETS * D];
    struct outcome_bits outcomes[TARGETS];
};

static void *work_on_batch(void *argument) {
    struct batch_job *job = argument;
    softrelu_batch *batch = NULL;
    job->status = softrelu_batch_create(job->solver, TARGETS, job->threads, SOFTRELU_BLAS_KEEP, &batch);
    if (job->status == SOFTRELU_OK)
        job->status = softrelu_batch_set_columns(batch, SOFTRELU_B, job->b, job->m);
    if (job->status == SOFTRELU_OK)
        job->status = softrelu_solve_batch(batch, TARGETS, job->x, D);
    for (int64_t t = 0; t < TARGETS && job->status == SOFTRELU_OK; t++)
        job->outcomes[t] = outcome_of_target(batch, t);
    softrelu_batch_destroy(batch);
    return NULL;
}

/* Batches of one to four threads, made from one solver that nobody uses meanwhile, by threads of the caller's. */
static void batches(void **state) {
    (void)state;
    one_blas_thread();
    struct varied varied = varied_of(&VARIANT[1], SEED, D);
    struct test_random random = {SEED};
    softrelu_solver *solver = NULL;
    const int64_t m = varied.instance.m;
    double *b = test_doubles(TARGETS * m);
    for (int64_t k = 0; k < TARGETS * m; k++)
        b[k] = random_uniform(&random, 0.0, 2.0 / (double)m);
    assert_int_equal(varied_solver(&varied, &solver), SOFTRELU_OK);
    static struct batch_job alone, together[BATCHES];
    alone = (struct batch_job){.solver = solver, .b = b, .m = m, .threads = 1};
    (void)work_on_batch(&alone);
    assert_int_equal(alone.status, SOFTRELU_OK);
    for (int64_t round = 0; round < test_effort(40, 4, 1); round++) {
        pthread_t threads[BATCHES];
        for (int k = 0; k < BATCHES; k++) {
            together[k] = (struct batch_job){.solver = solver, .b = b, .m = m, .threads = 1 + k % 4};
            assert_int_equal(pthread_create(&threads[k], NULL, work_on_batch, &together[k]), 0);
        }
        for (int k = 0; k < BATCHES; k++)
            assert_int_equal(pthread_join(threads[k], NULL), 0);
        for (int k = 0; k < BATCHES; k++) {
            assert_int_equal(together[k].status, SOFTRELU_OK);
            assert_same_doubles(TARGETS * D, together[k].x, alone.x);
            for (int t = 0; t < TARGETS; t++) {
                assert_true(same_outcome(&together[k].outcomes[t], &alone.outcomes[t]));
                outcome_free(&together[k].outcomes[t]);
            }
        }
    }
    for (int t = 0; t < TARGETS; t++)
        outcome_free(&alone.outcomes[t]);
    softrelu_solver_destroy(solver);
    free(b);
    varied_free(&varied);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_problem), cmocka_unit_test(own_problems),
                                       cmocka_unit_test(batches)};
    return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}
