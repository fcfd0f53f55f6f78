/* Problems whose outputs are divided among ranks, here threads of the test: the same results as of one rank, one course of the
   solve whatever happens on which rank, and an end of every call when the communicator breaks at any of its calls. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/ranks.h"
#include "support/solving.h"

enum { MOST = 4, MOST_SETTINGS = 4 };
#if defined(__SANITIZE_THREAD__)
enum { EVERY = 10 }; /* ThreadSanitizer learns nothing from breaking all of them */
#else
enum { EVERY = 1 };
#endif

/* ---- evaluation ---- */

struct evaluation {
    const struct instance *instance;
    enum division division;
    const double *x, *direction;
    struct values {
        softrelu_status status;
        double loss, parts[3], residual, relative;
        int64_t pinned, sampled;
        double *u, *f, *gradient, *hessian, *product, *sampled_hessian; /* f: of all outputs, each rank writes its own */
    } values[MOST];
};

static struct values room_for_values(const struct instance *of) {
    return (struct values){.u = test_doubles(of->n),
                           .f = test_doubles(of->m),
                           .gradient = test_doubles(of->d),
                           .hessian = test_doubles(of->d * of->d),
                           .product = test_doubles(of->d),
                           .sampled_hessian = test_doubles(of->d * of->d)};
}

static void free_values(struct values *values) {
    double *all[] = {values->u, values->f, values->gradient, values->hessian, values->product, values->sampled_hessian};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

static softrelu_status evaluate(const softrelu_problem *problem, const struct evaluation *at, struct values *values) {
    softrelu_evaluator *evaluator = NULL;
    int64_t n, d, m, first = 0;
    (void)softrelu_problem_dimensions(problem, &n, &d, &m);
    (void)softrelu_problem_outputs(problem, NULL, &first);
    softrelu_status status = softrelu_evaluator_create(problem, &evaluator);
    if (status == SOFTRELU_OK)
        status = softrelu_evaluator_move(evaluator, at->x, d);
    if (status == SOFTRELU_OK)
        status = softrelu_evaluator_loss(evaluator, &values->loss, &values->parts[0], &values->parts[1], &values->parts[2]);
    if (status == SOFTRELU_OK)
        status = softrelu_evaluator_preactivations(evaluator, values->u, n);
    if (status == SOFTRELU_OK)
        status = softrelu_evaluator_prediction(evaluator, values->f + first, m);
    if (status == SOFTRELU_OK)
        status = softrelu_evaluator_gradient(evaluator, values->gradient, d);
    if (status == SOFTRELU_OK)
        status = softrelu_evaluator_hessian(evaluator, values->hessian, d);
    if (status == SOFTRELU_OK)
        status = softrelu_evaluator_hessian_product(evaluator, at->direction, values->product, d);
    if (status == SOFTRELU_OK)
        status = softrelu_evaluator_stationarity(evaluator, 1e-9, &values->residual, &values->relative, &values->pinned, NULL);
    if (status == SOFTRELU_OK)
        status = softrelu_evaluator_sampled_hessian(evaluator, 0.5, 0, 3, 1, values->sampled_hessian, d, &values->sampled);
    softrelu_evaluator_destroy(evaluator);
    return status;
}

static void evaluate_rank(const softrelu_communicator *with, void *context) {
    struct evaluation *at = context;
    struct values *values = &at->values[with->rank];
    softrelu_problem *problem = divided_problem(at->instance, with, at->division);
    values->status = problem != NULL ? evaluate(problem, at, values) : SOFTRELU_ERROR_MISSING;
    softrelu_problem_destroy(problem);
}

static void assert_close(int64_t count, const double *actual, const double *expected) {
    const double error = worst_error(count, actual, expected);
    if (!(error <= 1e-12))
        fail_msg("off by %.1e", error);
}

static void assert_values(const struct instance *of, const struct values *actual, const struct values *expected) {
    const int64_t d = of->d;
    assert_int_equal(actual->status, SOFTRELU_OK);
    assert_close(1, &actual->loss, &expected->loss);
    assert_close(3, actual->parts, expected->parts);
    assert_close(of->n, actual->u, expected->u);
    assert_close(d, actual->gradient, expected->gradient);
    assert_close(d * d, actual->hessian, expected->hessian);
    assert_close(d, actual->product, expected->product);
    assert_int_equal(actual->pinned, expected->pinned);
    assert_true(fabs(actual->residual - expected->residual) <= 1e-12 * expected->residual);
    assert_int_equal(actual->sampled, expected->sampled);
    assert_close(d * d, actual->sampled_hessian, expected->sampled_hessian);
}

static void evaluates_like_one(const struct instance *instance, struct test_random *random) {
    double *x = test_doubles(instance->d), *direction = test_doubles(instance->d);
    random_fill(random, 1.0, instance->d, x);
    random_fill(random, 1.0, instance->d, direction);
    struct evaluation at = {.instance = instance, .x = x, .direction = direction};
    struct values expected = room_for_values(instance);
    struct built built = build(instance, PLAIN_PLACEMENT);
    expected.status = evaluate(built.problem, &at, &expected);
    assert_int_equal(expected.status, SOFTRELU_OK);
    for (int size = 1; size <= MOST; size++)
        for (int division = 0; division < DIVISION_COUNT; division++) {
            double *f = test_doubles(instance->m);
            at.division = (enum division)division;
            for (int rank = 0; rank < size; rank++)
                at.values[rank] = room_for_values(instance);
            (void)run_on_threads(size, -1, 0, evaluate_rank, &at);
            for (int rank = 0; rank < size; rank++) {
                assert_values(instance, &at.values[rank], &expected);
                for (int64_t j = 0; j < instance->m; j++)
                    f[j] += at.values[rank].f[j];
                free_values(&at.values[rank]);
            }
            assert_close(instance->m, f, expected.f);
            free(f);
        }
    built_free(&built);
    free_values(&expected);
    free(x);
    free(direction);
}

static void evaluation_is_that_of_one_rank(void **state) {
    (void)state;
    struct test_random random = {31};
    static const int64_t shapes[][3] = {
        {30, 8, 40}, {12, 20, 300}, {9, 6, 4}, {20, 5, 1}}; /* n, d, m: one rank in four empty */
    for (size_t shape = 0; shape < sizeof shapes / sizeof *shapes; shape++)
        for (int kl = 0; kl < 2; kl++) {
            struct instance instance = random_instance(&random, shapes[shape][0], shapes[shape][1], shapes[shape][2],
                                                       (struct instance_scales){2.0, 2.0, 1.0, 0.3, 0.3, 0.1, 1.0, 0.1},
                                                       kl ? SOFTRELU_KL : SOFTRELU_SQUARES);
            evaluates_like_one(&instance, &random);
            instance_free(&instance);
        }
}

/* ---- solves ---- */

struct solve {
    const struct instance *instance;
    enum division division;
    const char *settings[MOST_SETTINGS][2];
    int stopping_rank; /* asks to stop as soon as the solve has begun */
    int interrupting_rank;
    double time_limit; /* of the first rank */
    bool stop_by_callback;
    struct end {
        softrelu_status status;
        softrelu_termination termination;
        softrelu_verdict verdict, again;
        softrelu_reason reason;
        softrelu_distance distance;
        double loss, iterations, minimisers, global, trace;
        double *x, *lambda;
        char message[256];
    } ends[MOST];
};

static int say_stop(void *user) {
    (void)user;
    return 1;
}
static int stop_at_once(const softrelu_report *report, void *user) {
    (void)report;
    (void)user;
    return 1;
}

static int request_stop(void *user) {
    softrelu_solver_request_stop(user);
    return 0;
}

static softrelu_status prepare(const struct solve *of, int rank, softrelu_solver *solver) {
    softrelu_status status = SOFTRELU_OK;
    for (int i = 0; i < MOST_SETTINGS && of->settings[i][0] != NULL && status == SOFTRELU_OK; i++)
        status = softrelu_solver_set_text(solver, of->settings[i][0], of->settings[i][1]);
    if (status == SOFTRELU_OK && rank == 0 && of->time_limit > 0.0)
        status = softrelu_solver_set_real(solver, SOFTRELU_SETTING_TIME_LIMIT, of->time_limit);
    if (status == SOFTRELU_OK && of->stop_by_callback)
        status = softrelu_solver_set_callback(solver, stop_at_once, NULL);
    if (status == SOFTRELU_OK && of->interrupting_rank == rank + 1)
        status = softrelu_solver_set_interrupt(solver, say_stop, NULL);
    if (status == SOFTRELU_OK && of->stopping_rank == rank + 1)
        status = softrelu_solver_set_interrupt(solver, request_stop, solver);
    return status;
}

static void note_end(const softrelu_problem *problem, const softrelu_solver *solver, struct end *end) {
    int64_t n, d;
    const softrelu_certificate *certificate = softrelu_solver_certificate(solver);
    (void)softrelu_problem_dimensions(problem, &n, &d, NULL);
    end->termination = softrelu_report_termination(softrelu_solver_report(solver));
    end->verdict = softrelu_certificate_verdict(certificate);
    end->reason = softrelu_certificate_reason(certificate);
    end->distance = softrelu_certificate_distance(certificate);
    end->loss = report_number(solver, SOFTRELU_REPORT_LOSS);
    end->iterations = report_number(solver, SOFTRELU_REPORT_ITERATIONS);
    end->minimisers = (double)softrelu_solver_minimiser_count(solver);
    end->trace = (double)softrelu_report_trace_length(softrelu_solver_report(solver));
    (void)softrelu_certificate_number(certificate, SOFTRELU_CERTIFICATE_GLOBAL, &end->global);
    if (end->x != NULL)
        (void)softrelu_solver_solution(solver, end->x, d);
    if (end->lambda != NULL)
        (void)softrelu_certificate_multipliers(certificate, end->lambda, n, NULL, 0);
    softrelu_certificate *other = NULL; /* an examiner of its own */
    end->status = softrelu_certificate_create(problem, &other);
    if (end->status == SOFTRELU_OK)
        end->status = softrelu_certify(other, end->x, d, 1e-9, 1e-10);
    end->again = softrelu_certificate_verdict(other);
    softrelu_certificate_destroy(other);
}

static void solve_problem(const softrelu_problem *problem, const struct solve *of, int rank, struct end *end) {
    softrelu_solver *solver = NULL;
    end->status = softrelu_solver_create(problem, &solver);
    if (end->status == SOFTRELU_OK)
        end->status = prepare(of, rank, solver);
    if (end->status == SOFTRELU_OK)
        end->status = softrelu_solver_solve(solver);
    (void)snprintf(end->message, sizeof end->message, "%s", softrelu_solver_message(solver));
    if (end->status == SOFTRELU_OK)
        note_end(problem, solver, end);
    softrelu_solver_destroy(solver);
}

static void solve_rank(const softrelu_communicator *with, void *context) {
    struct solve *of = context;
    softrelu_problem *problem = divided_problem(of->instance, with, of->division);
    of->ends[with->rank].status = SOFTRELU_ERROR_MISSING;
    if (problem != NULL)
        solve_problem(problem, of, with->rank, &of->ends[with->rank]);
    softrelu_problem_destroy(problem);
}

static void give_room(struct solve *of, int size) {
    for (int rank = 0; rank < size; rank++) {
        of->ends[rank] = (struct end){.x = test_doubles(of->instance->d), .lambda = test_doubles(of->instance->n)};
    }
}
static void take_room(struct solve *of, int size) {
    for (int rank = 0; rank < size; rank++) {
        free(of->ends[rank].x);
        free(of->ends[rank].lambda);
    }
}

/* All ranks say the same of the solve, to the bit. */
static void assert_agreement(const struct solve *of, int size) {
    const struct end *first = &of->ends[0];
    for (int rank = 1; rank < size; rank++) {
        const struct end *end = &of->ends[rank];
        assert_int_equal(end->status, first->status);
        assert_int_equal(end->termination, first->termination);
        assert_int_equal(end->verdict, first->verdict);
        assert_int_equal(end->again, first->again);
        assert_int_equal(end->reason, first->reason);
        assert_int_equal(end->distance, first->distance);
        const double numbers[] = {end->loss, end->iterations, end->minimisers, end->global, end->trace};
        const double expected[] = {first->loss, first->iterations, first->minimisers, first->global, first->trace};
        assert_same_doubles(5, numbers, expected);
        assert_same_doubles(of->instance->d, end->x, first->x);
        assert_same_doubles(of->instance->n, end->lambda, first->lambda);
    }
}

static void solves_like_one(struct solve *of) {
    struct end alone = {.x = test_doubles(of->instance->d), .lambda = test_doubles(of->instance->n)};
    struct built built = build(of->instance, PLAIN_PLACEMENT);
    solve_problem(built.problem, of, 0, &alone);
    assert_int_equal(alone.status, SOFTRELU_OK);
    assert_int_equal(alone.termination, SOFTRELU_CONVERGED);
    for (int size = 1; size <= MOST; size++)
        for (int division = 0; division < DIVISION_COUNT; division++) {
            of->division = (enum division)division;
            give_room(of, size);
            (void)run_on_threads(size, -1, 0, solve_rank, of);
            assert_agreement(of, size);
            const struct end *end = &of->ends[0];
            assert_int_equal(end->status, SOFTRELU_OK);
            assert_int_equal(end->termination, alone.termination);
            assert_int_equal(end->verdict, alone.verdict);
            assert_int_equal(end->again, alone.again);
            assert_int_equal(end->reason, alone.reason);
            assert_int_equal(end->minimisers, alone.minimisers);
            assert_true(end->global == alone.global || (isnan(end->global) && isnan(alone.global)));
            if (!(fabs(end->loss - alone.loss) <= 1e-12 * fabs(alone.loss)))
                fail_msg("%d ranks: %.17g, one: %.17g", size, end->loss, alone.loss);
            take_room(of, size);
        }
    free(alone.x);
    free(alone.lambda);
    built_free(&built);
}

/* Weights large enough that rounding does not decide which minimiser is found. */
static struct instance steady_instance(struct test_random *random, softrelu_loss loss) {
    struct instance instance = synthetic_instance(random, 40, 10, 60, 0.3, 0.3);
    instance.loss = loss;
    return instance;
}

static void a_solve_is_that_of_one_rank(void **state) {
    (void)state;
    static const char *const variants[][MOST_SETTINGS][2] = {
        {{"hessian", "exact"}},
        {{"hessian", "sampled"}},
        {{"hessian", "sampled"}, {"step", "pcg"}},
        {{"step", "pcg"}},
        {{"hessian", "gauss-newton"}},
        {{"curvature_precision", "single"}},
        {{"jacobian_memory", "0"}},
        {{"starts", "3"}},
        {{"warm_start_rounds", "0"}},
    };
    struct test_random random = {11};
    for (size_t variant = 0; variant < sizeof variants / sizeof *variants; variant++)
        for (int kl = 0; kl < 2; kl++) {
            struct instance instance = steady_instance(&random, kl ? SOFTRELU_KL : SOFTRELU_SQUARES);
            struct solve of = {.instance = &instance};
            memcpy(of.settings, variants[variant], sizeof of.settings);
            solves_like_one(&of);
            instance_free(&instance);
        }
}

static void bounds_and_few_units_are_those_of_one_rank(void **state) {
    (void)state;
    struct test_random random = {5};
    for (int kl = 0; kl < 2; kl++) {
        struct instance box = steady_instance(&random, kl ? SOFTRELU_KL : SOFTRELU_SQUARES);
        box.lower = test_doubles(box.d);
        box.upper = test_doubles(box.d);
        for (int64_t k = 0; k < box.d; k++) {
            box.lower[k] = -0.3;
            box.upper[k] = 0.3;
        }
        struct solve of = {.instance = &box};
        solves_like_one(&of);
        instance_free(&box);
        struct instance few = synthetic_instance(&random, 8, 20, 50, 0.3, 0.3); /* solved in 8 unknowns */
        few.loss = kl ? SOFTRELU_KL : SOFTRELU_SQUARES;
        few.rho = 0.1;
        of = (struct solve){.instance = &few};
        solves_like_one(&of);
        instance_free(&few);
    }
}

/* No unit changes sides in the box, so that F is proved convex there, which takes the distances of rows. */
static void a_global_minimum_is_that_of_one_rank(void **state) {
    (void)state;
    struct test_random random = {13};
    struct instance sure = steady_instance(&random, SOFTRELU_SQUARES);
    sure.c1 = test_doubles(sure.n);
    sure.lower = test_doubles(sure.d);
    sure.upper = test_doubles(sure.d);
    for (int64_t i = 0; i < sure.n; i++) {
        sure.c1[i] = i % 2 == 0 ? 5.0 : -5.0;
        sure.w[i] = 3.0;
    }
    for (int64_t k = 0; k < sure.d; k++) {
        sure.lower[k] = -0.1;
        sure.upper[k] = 0.1;
    }
    struct solve of = {.instance = &sure};
    solves_like_one(&of);
    assert_true(of.ends[0].global == 1.0);
    instance_free(&sure);
}

/* ---- endings ---- */

static void assert_ended(struct solve *of, int size, softrelu_termination termination) {
    give_room(of, size);
    (void)run_on_threads(size, -1, 0, solve_rank, of);
    assert_agreement(of, size);
    assert_int_equal(of->ends[0].status, SOFTRELU_OK);
    assert_int_equal(of->ends[0].termination, termination);
    take_room(of, size);
}

/* Problems on which rounding decides where a solve ends, and of little curvature: how far a minimiser is may take the rows in
   the measure of the Hessian. */
static void ranks_agree_on_what_is_hard(void **state) {
    (void)state;
    static const double noise[] = {0.0, 0.0, 0.5, 1.0}, w[] = {1e-6, 1e-2, 1e-3, 1e-4};
    struct test_random random = {19};
    for (int regime = 0; regime < 4; regime++)
        for (int kl = 0; kl < 2; kl++) {
            struct instance hard = synthetic_instance(&random, 60, 40, 30, noise[regime], w[regime]);
            hard.loss = kl ? SOFTRELU_KL : SOFTRELU_SQUARES;
            struct solve of = {.instance = &hard};
            assert_ended(&of, 3, SOFTRELU_CONVERGED);
            instance_free(&hard);
        }
}

static void any_rank_ends_a_solve(void **state) {
    (void)state;
    struct test_random random = {17};
    struct instance instance = synthetic_instance(&random, 200, 20, 100, 1.0, 1e-4);
    for (int rank = 0; rank < 3; rank++) {
        struct solve stop = {.instance = &instance, .stopping_rank = rank + 1};
        assert_ended(&stop, 3, SOFTRELU_STOP_REQUESTED);
        struct solve interrupt = {.instance = &instance, .interrupting_rank = rank + 1};
        assert_ended(&interrupt, 3, SOFTRELU_CALLBACK_STOP);
    }
    struct solve late = {.instance = &instance, .time_limit = 1e-9};
    assert_ended(&late, 3, SOFTRELU_TIME_LIMIT);
    struct solve called = {.instance = &instance, .stop_by_callback = true};
    assert_ended(&called, 3, SOFTRELU_CALLBACK_STOP);
    instance_free(&instance);
}

/* ---- a communicator that breaks ---- */

static void assert_broken(const struct solve *of, int size, int64_t call) {
    for (int rank = 0; rank < size; rank++) {
        const softrelu_status status = of->ends[rank].status;
        if (status != SOFTRELU_ERROR_COMMUNICATION && status != SOFTRELU_ERROR_MISSING) /* the latter: no problem was made */
            fail_msg("call %lld: rank %d ended with %s", (long long)call, rank, softrelu_status_name(status));
    }
}

static void every_call_may_break(const struct instance *instance, const char *name, const char *value) {
    /* two iterations and a certificate say everything that ranks ever say to each other */
    struct solve of = {.instance = instance, .settings = {{name, value}, {"max_iterations", "2"}}};
    for (int rank = 0; rank < 2; rank++) {
        give_room(&of, 2);
        const int64_t calls = run_on_threads(2, -1, 0, solve_rank, &of), step = test_effort(EVERY, EVERY, 50);
        take_room(&of, 2);
        for (int64_t call = 1; call <= calls; call += call < 40 ? 1 : step) {
            give_room(&of, 2);
            (void)run_on_threads(2, rank, call, solve_rank, &of);
            assert_broken(&of, 2, call);
            take_room(&of, 2);
        }
    }
}

static void a_broken_communicator_is_an_error_everywhere(void **state) {
    (void)state;
    struct test_random random = {23};
    struct instance instance = synthetic_instance(&random, 12, 5, 20, 0.3, 0.05);
    every_call_may_break(&instance, "hessian", "exact");
    instance.loss = SOFTRELU_KL;
    every_call_may_break(&instance, "hessian", "sampled");
    every_call_may_break(&instance, "starts", "2");
    instance_free(&instance);
}

static void broken_evaluation(void **state) {
    (void)state;
    struct test_random random = {29};
    struct instance instance = synthetic_instance(&random, 12, 5, 20, 0.3, 0.05);
    double *x = test_doubles(instance.d);
    random_fill(&random, 1.0, instance.d, x);
    struct evaluation at = {.instance = &instance, .x = x, .direction = x};
    for (int rank = 0; rank < 2; rank++)
        at.values[rank] = room_for_values(&instance);
    const int64_t calls = run_on_threads(2, -1, 0, evaluate_rank, &at);
    for (int breaking = 0; breaking < 2; breaking++)
        for (int64_t call = 1; call <= calls; call++) {
            (void)run_on_threads(2, breaking, call, evaluate_rank, &at);
            for (int rank = 0; rank < 2; rank++)
                assert_true(at.values[rank].status == SOFTRELU_ERROR_COMMUNICATION ||
                            at.values[rank].status == SOFTRELU_ERROR_MISSING);
        }
    for (int rank = 0; rank < 2; rank++)
        free_values(&at.values[rank]);
    free(x);
    instance_free(&instance);
}

/* ---- errors of one rank ---- */

struct attempt {
    int64_t n, d, m;     /* of rank 1; the first has 4, 3, 2 */
    int missing;         /* what rank 1 does not give: 1 A1, 2 b, 3 A2; 4: it gives A2 in single precision; 5: NaN in its A2 */
    int64_t allocations; /* of rank 1, before one fails; < 0: none does */
    const char *setting[2]; /* of rank 1 */
    softrelu_status status[2], other[3];
    char message[2][256];
};

struct pool {
    int64_t left;
};
static void *allocate(size_t bytes, void *context) {
    struct pool *pool = context;
    return pool->left-- == 0 ? NULL : malloc(bytes);
}
static void release(void *block, void *context) {
    (void)context;
    free(block);
}

static softrelu_status attempt_problem(const struct attempt *attempt, const softrelu_communicator *with, struct pool *pool,
                                       softrelu_problem **problem) {
    static const double entries[] = {1, -2, 3, -1, 2, -3, 2, 1, -1, 3, 1, 2}, bad[] = {NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
    static const float singles[] = {1, -2, 3, -1, 2, -3, 2, 1};
    const bool second = with->rank == 1;
    const int missing = second ? attempt->missing : 0;
    const int64_t n = second ? attempt->n : 4, d = second ? attempt->d : 3, m = second ? attempt->m : 2;
    softrelu_status status = softrelu_problem_create_distributed(n, d, m, with, allocate, release, pool, problem);
    if (status != SOFTRELU_OK)
        return status;
    if (missing != 1)
        (void)softrelu_problem_set_matrix(*problem, SOFTRELU_A1, entries, SOFTRELU_ROW_MAJOR, d, SOFTRELU_BORROW);
    if (missing != 2 && m > 0)
        (void)softrelu_problem_set_vector(*problem, SOFTRELU_B, entries + 6, m, SOFTRELU_BORROW);
    if (missing == 4)
        (void)softrelu_problem_set_matrix_single(*problem, SOFTRELU_A2, singles, SOFTRELU_ROW_MAJOR, n, SOFTRELU_BORROW);
    else if (missing != 3 && m > 0)
        (void)softrelu_problem_set_matrix(*problem, SOFTRELU_A2, missing == 5 ? bad : entries, SOFTRELU_ROW_MAJOR, n,
                                          SOFTRELU_BORROW);
    (void)softrelu_problem_set_number(*problem, SOFTRELU_RHO, 0.5);
    return softrelu_problem_finish(*problem);
}

static void attempt_rank(const softrelu_communicator *with, void *context) {
    struct attempt *attempt = context;
    struct pool pool = {with->rank == 1 ? attempt->allocations : -1};
    softrelu_problem *problem = NULL;
    softrelu_solver *solver = NULL;
    softrelu_status status = attempt_problem(attempt, with, &pool, &problem);
    if (status == SOFTRELU_OK)
        status = softrelu_solver_create(problem, &solver);
    if (status == SOFTRELU_OK && with->rank == 1 && attempt->setting[0] != NULL)
        status = softrelu_solver_set_text(solver, attempt->setting[0], attempt->setting[1]);
    if (status == SOFTRELU_OK)
        status = softrelu_solver_solve(solver);
    attempt->status[with->rank] = status;
    (void)snprintf(attempt->message[with->rank], sizeof attempt->message[0], "%s",
                   solver != NULL ? softrelu_solver_message(solver) : softrelu_problem_message(problem));
    if (status == SOFTRELU_OK && with->rank == 0) { /* what is not made of such a problem */
        softrelu_constants *constants = NULL;
        softrelu_counterfactual *counterfactual = NULL;
        softrelu_batch *batch = NULL;
        attempt->other[0] = softrelu_constants_create(problem, &constants);
        attempt->other[1] = softrelu_counterfactual_create(problem, &counterfactual);
        attempt->other[2] = softrelu_batch_create(solver, 2, 1, SOFTRELU_BLAS_KEEP, &batch);
    }
    softrelu_solver_destroy(solver);
    softrelu_problem_destroy(problem);
}

static struct attempt attempted(struct attempt attempt) {
    (void)run_on_threads(2, -1, 0, attempt_rank, &attempt);
    return attempt;
}

static void an_error_of_one_rank_is_one_of_all(void **state) {
    (void)state;
    const struct {
        struct attempt attempt;
        softrelu_status status;
        const char *message; /* of the first rank */
    } cases[] = {
        {{.n = 4, .d = 3, .m = 2, .allocations = -1}, SOFTRELU_OK, ""},
        {{.n = 4, .d = 3, .m = 0, .allocations = -1}, SOFTRELU_OK, ""},
        {{.n = 5, .d = 3, .m = 2, .allocations = -1}, SOFTRELU_ERROR_SIZE, ""},
        {{.n = 4, .d = 2, .m = 2, .allocations = -1}, SOFTRELU_ERROR_SIZE, ""},
        {{.n = 4, .d = 3, .m = -1, .allocations = -1}, SOFTRELU_ERROR_SIZE, ""},
        {{.n = 0, .d = 3, .m = 2, .allocations = -1}, SOFTRELU_ERROR_SIZE, ""},
        {{.n = 4, .d = 3, .m = 2, .missing = 1, .allocations = -1}, SOFTRELU_ERROR_MISSING, "rank 1: A1 has not been given"},
        {{.n = 4, .d = 3, .m = 2, .missing = 2, .allocations = -1}, SOFTRELU_ERROR_MISSING, "rank 1: b has not been given"},
        {{.n = 4, .d = 3, .m = 2, .missing = 3, .allocations = -1}, SOFTRELU_ERROR_MISSING, "rank 1: A2 has not been given"},
        {{.n = 4, .d = 3, .m = 2, .missing = 5, .allocations = -1}, SOFTRELU_ERROR_MISSING, "rank 1: A2 has not been given"},
        {{.n = 4, .d = 3, .m = 2, .missing = 4, .allocations = -1},
         SOFTRELU_ERROR_VALUE,
         "A2 is in single precision on some ranks only"},
        {{.n = 4, .d = 3, .m = 2, .allocations = -1, .setting = {"hessian", "sampled"}},
         SOFTRELU_ERROR_STATE,
         "the ranks' handles are not alike: the same settings, bounds and starts have to be given on all"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct attempt found = attempted(cases[i].attempt);
        assert_int_equal(found.status[0], cases[i].status);
        assert_int_equal(found.status[1], cases[i].status);
        if (cases[i].message[0] != '\0')
            assert_string_equal(found.message[0], cases[i].message);
        for (int other = 0; other < 3 && found.status[0] == SOFTRELU_OK; other++)
            assert_int_equal(found.other[other], SOFTRELU_ERROR_STATE);
    }
}

static void memory_of_one_rank_is_memory_of_all(void **state) {
    (void)state;
    int64_t failing = 0;
    for (int64_t allocations = 0; allocations < 100; allocations++) {
        const struct attempt found = attempted((struct attempt){.n = 4, .d = 3, .m = 2, .allocations = allocations});
        assert_int_equal(found.status[0], found.status[1]);
        if (found.status[0] == SOFTRELU_OK)
            break;
        assert_int_equal(found.status[0], SOFTRELU_ERROR_MEMORY);
        failing++;
    }
    assert_true(failing >= 5 && failing < 100);
}

static void communicators_that_are_none(void **state) {
    (void)state;
    softrelu_problem *problem = NULL;
    softrelu_communicator none = {0};
    assert_int_equal(softrelu_problem_create_distributed(1, 1, 1, NULL, NULL, NULL, NULL, &problem), SOFTRELU_ERROR_NULL);
    assert_int_equal(softrelu_problem_create_distributed(1, 1, 1, &none, NULL, NULL, NULL, NULL), SOFTRELU_ERROR_NULL);
    assert_int_equal(softrelu_problem_create_distributed(1, 1, 1, &none, NULL, NULL, NULL, &problem), SOFTRELU_ERROR_VALUE);
    assert_null(problem);
    assert_int_equal(softrelu_problem_outputs(NULL, NULL, NULL), SOFTRELU_ERROR_NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evaluation_is_that_of_one_rank),
        cmocka_unit_test(a_solve_is_that_of_one_rank),
        cmocka_unit_test(bounds_and_few_units_are_those_of_one_rank),
        cmocka_unit_test(a_global_minimum_is_that_of_one_rank),
        cmocka_unit_test(ranks_agree_on_what_is_hard),
        cmocka_unit_test(any_rank_ends_a_solve),
        cmocka_unit_test(an_error_of_one_rank_is_one_of_all),
        cmocka_unit_test(memory_of_one_rank_is_memory_of_all),
        cmocka_unit_test(communicators_that_are_none),
        cmocka_unit_test(a_broken_communicator_is_an_error_everywhere),
        cmocka_unit_test(broken_evaluation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
