/*
 * LAPACK fails: every call of every LAPACK function that the library uses, in turn, alone or with all calls after it, in whole
 * solves and examinations. The result is an error or an honest one: what is called converged is, by an evaluator that nothing
 * disturbs, and so is what is called certified. The handle is as good as before: the next solve has the usual bits.
 *
 * This program's definitions come before LAPACKE's, and call those.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <lapacke.h>

#include "support/instance.h"
#include "support/same.h"
#include "support/solving.h"

/* X(function, has a positive info, where the result lies, entries of it, parameters, arguments). dsyev is for matrices of order
   32768 and more: of them only the wrapper differs. */
#define FUNCTIONS(X)                                                                                                           \
    X(dgelsy, false, b, 0,                                                                                                     \
      (int layout, lapack_int m, lapack_int n, lapack_int nrhs, double *a, lapack_int lda, double *b, lapack_int ldb,          \
       lapack_int *jpvt, double rcond, lapack_int *rank, double *work, lapack_int lwork),                                      \
      (layout, m, n, nrhs, a, lda, b, ldb, jpvt, rcond, rank, work, lwork))                                                    \
    X(dgeqp3, false, a, 0,                                                                                                     \
      (int layout, lapack_int m, lapack_int n, double *a, lapack_int lda, lapack_int *jpvt, double *tau, double *work,         \
       lapack_int lwork),                                                                                                      \
      (layout, m, n, a, lda, jpvt, tau, work, lwork))                                                                          \
    X(dgeqrf, false, a, 0,                                                                                                     \
      (int layout, lapack_int m, lapack_int n, double *a, lapack_int lda, double *tau, double *work, lapack_int lwork),        \
      (layout, m, n, a, lda, tau, work, lwork))                                                                                \
    X(dorgqr, false, a, 0,                                                                                                     \
      (int layout, lapack_int m, lapack_int n, lapack_int k, double *a, lapack_int lda, const double *tau, double *work,       \
       lapack_int lwork),                                                                                                      \
      (layout, m, n, k, a, lda, tau, work, lwork))                                                                             \
    X(dormqr, false, c, 0,                                                                                                     \
      (int layout, char side, char trans, lapack_int m, lapack_int n, lapack_int k, const double *a, lapack_int lda,           \
       const double *tau, double *c, lapack_int ldc, double *work, lapack_int lwork),                                          \
      (layout, side, trans, m, n, k, a, lda, tau, c, ldc, work, lwork))                                                        \
    X(dpocon, false, rcond, 0,                                                                                                 \
      (int layout, char uplo, lapack_int n, const double *a, lapack_int lda, double anorm, double *rcond, double *work,        \
       lapack_int *iwork),                                                                                                     \
      (layout, uplo, n, a, lda, anorm, rcond, work, iwork))                                                                    \
    X(dpotrf, true, a, lda *(n - 1) + n, (int layout, char uplo, lapack_int n, double *a, lapack_int lda),                     \
      (layout, uplo, n, a, lda))                                                                                               \
    X(dpotri, true, a, lda *(n - 1) + n, (int layout, char uplo, lapack_int n, double *a, lapack_int lda),                     \
      (layout, uplo, n, a, lda))                                                                                               \
    X(dpotrs, false, b, 0,                                                                                                     \
      (int layout, char uplo, lapack_int n, lapack_int nrhs, const double *a, lapack_int lda, double *b, lapack_int ldb),      \
      (layout, uplo, n, nrhs, a, lda, b, ldb))                                                                                 \
    X(dsyevd, true, w, n,                                                                                                      \
      (int layout, char jobz, char uplo, lapack_int n, double *a, lapack_int lda, double *w, double *work, lapack_int lwork,   \
       lapack_int *iwork, lapack_int liwork),                                                                                  \
      (layout, jobz, uplo, n, a, lda, w, work, lwork, iwork, liwork))                                                          \
    X(dsyevr, true, w, n,                                                                                                      \
      (int layout, char jobz, char range, char uplo, lapack_int n, double *a, lapack_int lda, double vl, double vu,            \
       lapack_int il, lapack_int iu, double abstol, lapack_int *m, double *w, double *z, lapack_int ldz, lapack_int *isuppz,   \
       double *work, lapack_int lwork, lapack_int *iwork, lapack_int liwork),                                                  \
      (layout, jobz, range, uplo, n, a, lda, vl, vu, il, iu, abstol, m, w, z, ldz, isuppz, work, lwork, iwork, liwork))        \
    X(dtrtri, true, a, lda *(n - 1) + n, (int layout, char uplo, char diag, lapack_int n, double *a, lapack_int lda),          \
      (layout, uplo, diag, n, a, lda))

#define ENUMERATE(function, positive, result, entries, parameters, arguments) CALL_##function,
enum { FUNCTIONS(ENUMERATE) CALLS };
#define NAME(function, positive, result, entries, parameters, arguments) #function,
static const char *const names[] = {FUNCTIONS(NAME)};
#define POSITIVE(function, positive, result, entries, parameters, arguments) positive,
static const bool has_positive_info[] = {FUNCTIONS(POSITIVE)};

/* What is to fail, and what has been called since it was said. */
static struct {
    int function;
    int64_t call; /* from 1; 0: none */
    bool lasting; /* all later calls too */
    lapack_int info;
    int64_t calls[CALLS];
} fault;

static lapack_int refusal(int function) {
    const int64_t call = ++fault.calls[function];
    const bool refused =
        fault.call > 0 && fault.function == function && (call == fault.call || (fault.lasting && call > fault.call));
    return refused ? fault.info : 0;
}

/* A negative info leaves everything as it was; after a positive one the result is of no use to anybody. */
static void spoil(double *result, int64_t entries) {
    for (int64_t i = 0; i < entries; i++)
        result[i] = NAN;
}

#define DEFINE(function, positive, result, entries, parameters, arguments)                                                     \
    lapack_int LAPACKE_##function##_work parameters {                                                                          \
        static lapack_int(*next) parameters;                                                                                   \
        if (next == NULL)                                                                                                      \
            *(void **)&next = dlsym(RTLD_NEXT, "LAPACKE_" #function "_work");                                                  \
        const lapack_int info = refusal(CALL_##function);                                                                      \
        if (info > 0)                                                                                                          \
            spoil(result, entries);                                                                                            \
        return info != 0 ? info : next arguments;                                                                              \
    }
FUNCTIONS(DEFINE)

/* ---------------------------------------------------------------------------------------------------------------- */

struct scene {
    const char *name;
    struct instance instance;
    const char *settings[6]; /* names and values by turns */
};

enum { D = 6, WIDE = 14, LARGE = 70, SCENES = 12 };

static void make_scenes(struct scene *scenes) {
    struct test_random random = {97};
    const struct instance_scales with_weights = {.A1 = 1, .A2 = 2, .b = 1, .c1 = 0.5, .c2 = 0.5, .x_ref = 1, .w = 0.3};
    const struct instance_scales near = {.A1 = 1, .A2 = 3, .b = 1, .c1 = 0.5, .c2 = 0.5, .x_ref = 1, .rho = 1e-2};
    const struct scene made[SCENES] = {
        {"squares", random_instance(&random, 12, D, 8, with_weights, SOFTRELU_SQUARES), {NULL}},
        {"kl, attainable", synthetic_instance(&random, 16, D, 9, 0.1, 1e-3), {NULL}},
        {"bounds", random_instance(&random, 12, D, 8, near, SOFTRELU_SQUARES), {NULL}},
        {"sampled", random_instance(&random, 12, D, 40, near, SOFTRELU_KL), {"hessian", "sampled", "sample_rows", "15"}},
        {"pcg", random_instance(&random, 12, D, 40, near, SOFTRELU_SQUARES), {"step", "pcg", "hessian", "sampled"}},
        {"few outputs", random_instance(&random, 30, WIDE, 2, near, SOFTRELU_SQUARES), {"newton_matrix", "small"}},
        {"fewer units than inputs", random_instance(&random, 5, WIDE, 6, near, SOFTRELU_SQUARES), {NULL}},
        {"single precision", random_instance(&random, 12, D, 8, near, SOFTRELU_KL), {"curvature_precision", "single"}},
        {"starts", random_instance(&random, 12, D, 8, near, SOFTRELU_SQUARES), {"starts", "3"}},
        {"few outputs and weights",
         random_instance(&random, 30, WIDE, 2, with_weights, SOFTRELU_KL),
         {"newton_matrix", "small"}},
        {"gauss-newton", random_instance(&random, 12, D, 8, with_weights, SOFTRELU_SQUARES), {"hessian", "gauss-newton"}},
        {"large", random_instance(&random, 90, LARGE, 100, with_weights, SOFTRELU_SQUARES), {NULL}},
    };
    memcpy(scenes, made, sizeof made);
    scenes[1].instance.loss = SOFTRELU_KL;
    struct instance *bounded = &scenes[2].instance;
    bounded->lower = test_doubles(D);
    bounded->upper = test_doubles(D);
    for (int k = 0; k < D; k++)
        bounded->upper[k] = 0.2 + (bounded->lower[k] = -0.1 * k);
}

/* All, but for the large one under valgrind. */
static int scenes_to_play(void) { return (int)test_effort(SCENES, SCENES, SCENES - 1); }

static void free_scenes(struct scene *scenes) {
    for (int i = 0; i < SCENES; i++)
        instance_free(&scenes[i].instance);
}

static struct solving open_scene(const struct scene *scene) {
    struct solving solving = solving_of(&scene->instance);
    for (int i = 0; i < 6 && scene->settings[i] != NULL; i += 2)
        assert_int_equal(softrelu_solver_set_text(solving.solver, scene->settings[i], scene->settings[i + 1]), SOFTRELU_OK);
    return solving;
}

/* Nothing fails from here on. */
static void mend(void) {
    fault.call = 0;
    memset(fault.calls, 0, sizeof fault.calls);
}

static double relative_residual(struct solving *solving, const double *x) {
    double relative = NAN;
    assert_int_equal(softrelu_evaluator_move(solving->evaluator, x, solving->d), SOFTRELU_OK);
    assert_int_equal(softrelu_evaluator_stationarity(solving->evaluator, 1e-9, NULL, &relative, NULL, NULL), SOFTRELU_OK);
    return relative;
}

/* What a solve says of its end holds, by those whom no fault disturbs. Counts how it ended. */
static void check_end(struct solving *solving, softrelu_status status, int64_t *ends) {
    if (status != SOFTRELU_OK) {
        assert_int_equal(status, SOFTRELU_ERROR_LAPACK);
        assert_true(strlen(softrelu_solver_message(solving->solver)) > 0);
        ends[0]++;
        return;
    }
    double x[LARGE];
    assert_int_equal(softrelu_solver_solution(solving->solver, x, solving->d), SOFTRELU_OK);
    const double loss = report_number(solving->solver, SOFTRELU_REPORT_LOSS);
    assert_true(fabs(loss - loss_at(solving, x)) <= 1e-12 * (1.0 + fabs(loss)));
    for (int64_t k = 0; k < solving->d && solving->instance->lower != NULL; k++)
        assert_true(x[k] >= solving->instance->lower[k] && x[k] <= solving->instance->upper[k]);
    const struct judgement truth = judge(solving->built.problem, x, solving->d, NULL);
    const bool converged = softrelu_report_termination(softrelu_solver_report(solving->solver)) == SOFTRELU_CONVERGED;
    if (converged && solving->instance->lower == NULL)
        assert_true(relative_residual(solving, x) <= 1e-12);
    if (converged)
        assert_true(truth.relative <= 1e-12);
    if (softrelu_certificate_verdict(softrelu_solver_certificate(solving->solver)) == SOFTRELU_VERDICT_CERTIFIED)
        assert_int_equal(truth.verdict, SOFTRELU_VERDICT_CERTIFIED);
    ends[converged ? 2 : 1]++;
}

/* Sets the fault that comes after the present one, in the order call, duration, info; false when all calls of the function have
   had theirs. stride: so many calls at a time. */
static bool next_fault(int function, int64_t calls, int64_t stride) {
    static const lapack_int infos[] = {-1, -1010, 3}; /* a bad argument; no memory (LAPACK_WORK_MEMORY_ERROR); the matrix */
    static int kind = 0;
    const int kinds = has_positive_info[function] ? 6 : 4;
    if (fault.function != function || fault.call == 0) {
        fault.call = 1;
        kind = 0;
    } else if (++kind == kinds) {
        kind = 0;
        fault.call += stride;
    }
    fault.function = function;
    fault.lasting = kind % 2 == 1;
    fault.info = infos[kind / 2];
    memset(fault.calls, 0, sizeof fault.calls);
    return fault.call <= calls;
}

static int64_t seen[CALLS];

/* action(context, true) under every fault that its own calls can meet. */
static int64_t under_every_fault(void (*action)(void *context, bool disturbed), void *context) {
    int64_t tried = 0, calls[CALLS];
    mend();
    action(context, false);
    memcpy(calls, fault.calls, sizeof calls);
    const int64_t most = test_effort(INT64_MAX, 40, 1);
    for (int function = 0; function < CALLS; function++) {
        seen[function] += calls[function];
        mend();
        fault.function = CALLS;
        while (next_fault(function, calls[function], 1 + calls[function] / most)) {
            const int64_t call = fault.call;
            const bool lasting = fault.lasting;
            const lapack_int info = fault.info;
            action(context, true);
            fault.call = call; /* the action has mended it */
            fault.lasting = lasting;
            fault.info = info;
            tried++;
        }
    }
    mend();
    return tried;
}

struct solve_context {
    struct solving solving;
    const softrelu_solver *expected;
    int64_t ends[3];
};

static void solve(void *context, bool disturbed) {
    struct solve_context *solves = context;
    const softrelu_status status = softrelu_solver_solve(solves->solving.solver);
    if (!disturbed) {
        assert_int_equal(status, SOFTRELU_OK);
        return;
    }
    mend();
    check_end(&solves->solving, status, solves->ends);
    assert_int_equal(softrelu_solver_solve(solves->solving.solver), SOFTRELU_OK);
    assert_same_solution(solves->solving.solver, solves->expected, solves->solving.d);
    assert_same_report(softrelu_solver_report(solves->solving.solver), softrelu_solver_report(solves->expected));
    assert_same_certificate(softrelu_solver_certificate(solves->solving.solver), softrelu_solver_certificate(solves->expected));
}

static void solves_are_honest(void **state) {
    (void)state;
    struct scene scenes[SCENES];
    make_scenes(scenes);
    for (int i = 0; i < scenes_to_play(); i++) {
        mend();
        struct solving expected = open_scene(&scenes[i]);
        assert_int_equal(softrelu_solver_solve(expected.solver), SOFTRELU_OK);
        assert_int_equal(softrelu_report_termination(softrelu_solver_report(expected.solver)), SOFTRELU_CONVERGED);
        struct solve_context context = {open_scene(&scenes[i]), expected.solver, {0}};
        const int64_t tried = under_every_fault(solve, &context);
        print_message("  %-24s %5d faults: %d errors, %d ends before convergence, %d converged\n", scenes[i].name, (int)tried,
                      (int)context.ends[0], (int)context.ends[1], (int)context.ends[2]);
        assert_true(tried > 0 && tried == context.ends[0] + context.ends[1] + context.ends[2]);
        solving_free(&context.solving);
        solving_free(&expected);
    }
    free_scenes(scenes);
}

struct examine_context {
    const softrelu_problem *problem;
    softrelu_certificate *certificate;
    const softrelu_certificate *expected;
    double x[LARGE];
    int64_t d, errors;
};

static double quantity(const softrelu_certificate *certificate, softrelu_certificate_quantity wanted) {
    double value = NAN;
    assert_int_equal(softrelu_certificate_number(certificate, wanted, &value), SOFTRELU_OK);
    return value;
}

static void examine(void *context, bool disturbed) {
    struct examine_context *examines = context;
    const softrelu_status status = softrelu_certify(examines->certificate, examines->x, examines->d, 1e-9, 1e-12);
    if (disturbed) {
        const softrelu_verdict verdict = softrelu_certificate_verdict(examines->certificate);
        const double curvature = quantity(examines->certificate, SOFTRELU_CERTIFICATE_CURVATURE);
        const double bound = quantity(examines->certificate, SOFTRELU_CERTIFICATE_DISTANCE_BOUND);
        const bool matrix_is_blamed = fault.info > 0;
        mend();
        examines->errors += status != SOFTRELU_OK;
        if (status != SOFTRELU_OK) {
            assert_int_equal(status, SOFTRELU_ERROR_LAPACK);
            assert_true(strlen(softrelu_certificate_message(examines->certificate)) > 0);
            assert_int_equal(verdict, SOFTRELU_VERDICT_UNDECIDED);
        } else {
            if (verdict == SOFTRELU_VERDICT_CERTIFIED || verdict == SOFTRELU_VERDICT_NOT_STATIONARY)
                assert_int_equal(verdict, softrelu_certificate_verdict(examines->expected));
            const double expected = quantity(examines->expected, SOFTRELU_CERTIFICATE_CURVATURE);
            /* not found, or right; a matrix that is said not to be positive definite has less curvature */
            assert_true(isnan(curvature) || curvature == expected || curvature <= (1.0 + 1e-9) * expected);
            assert_true(matrix_is_blamed || isnan(curvature) || curvature >= (1.0 - 1e-9) * expected);
            assert_true(isnan(bound) ||
                        bound >= (1.0 - 1e-9) * quantity(examines->expected, SOFTRELU_CERTIFICATE_DISTANCE_BOUND));
        }
        assert_int_equal(softrelu_certify(examines->certificate, examines->x, examines->d, 1e-9, 1e-12), SOFTRELU_OK);
    }
    assert_same_certificate(examines->certificate, examines->expected);
}

/* At the solution, where no solve has been yet, and at the origin without biases: all kinds of points. */
static void certificates_are_honest(void **state) {
    (void)state;
    struct scene scenes[SCENES];
    make_scenes(scenes);
    for (int i = 0; i < scenes_to_play(); i++) {
        struct solving solving = open_scene(&scenes[i]);
        int64_t tried = 0, errors = 0;
        for (int point = 0; point < 3; point++) {
            struct examine_context context = {.problem = solving.built.problem, .d = solving.d};
            softrelu_certificate *expected = NULL;
            mend();
            for (int64_t k = 0; k < solving.d; k++)
                context.x[k] = scenes[i].instance.lower != NULL ? scenes[i].instance.lower[k]
                               : point == 1                     ? 0.1 * (double)k
                                                                : 0.0;
            if (point == 0) {
                assert_int_equal(softrelu_solver_solve(solving.solver), SOFTRELU_OK);
                assert_int_equal(softrelu_solver_solution(solving.solver, context.x, solving.d), SOFTRELU_OK);
            }
            assert_int_equal(softrelu_certificate_create(context.problem, &expected), SOFTRELU_OK);
            assert_int_equal(softrelu_certificate_create(context.problem, &context.certificate), SOFTRELU_OK);
            assert_int_equal(softrelu_certify(expected, context.x, context.d, 1e-9, 1e-12), SOFTRELU_OK);
            context.expected = expected;
            tried += under_every_fault(examine, &context);
            errors += context.errors;
            softrelu_certificate_destroy(expected);
            softrelu_certificate_destroy(context.certificate);
        }
        print_message("  %-24s %5d faults, %d errors\n", scenes[i].name, (int)tried, (int)errors);
        solving_free(&solving);
    }
    free_scenes(scenes);
}

enum { CONSTANTS = 64 };

struct constants_context {
    const softrelu_problem *problem;
    double x[LARGE], expected[CONSTANTS];
    int64_t d, errors;
};

static int read_constants(const softrelu_constants *constants, double *values) {
    int count = 0;
#define READ(id, number, name, type, text)                                                                                     \
    assert_int_equal(softrelu_constants_number(constants, id, &values[count]), SOFTRELU_OK);                                   \
    count++;
    SOFTRELU_CONSTANT_LIST(READ)
    return count;
}

/* A constant that could not be found is an error, or an infinite one: never another number; only what is "proved" may be less.
 */
static void constants(void *context, bool disturbed) {
    struct constants_context *all = context;
    softrelu_constants *made = NULL;
    double values[CONSTANTS] = {0};
    softrelu_status status = softrelu_constants_create(all->problem, &made);
    if (status == SOFTRELU_OK)
        status = softrelu_constants_move(made, all->x, all->d);
    if (disturbed)
        mend();
    if (!disturbed) {
        assert_int_equal(status, SOFTRELU_OK);
        assert_true(read_constants(made, all->expected) <= CONSTANTS);
    } else if (status != SOFTRELU_OK) {
        all->errors++;
        assert_int_equal(status, SOFTRELU_ERROR_LAPACK);
        if (made != NULL) {
            assert_true(strlen(softrelu_constants_message(made)) > 0);
            assert_int_equal(softrelu_constants_move(made, all->x, all->d), SOFTRELU_OK); /* as if nothing had happened */
        }
    }
    if (disturbed && made != NULL) {
        const int count = read_constants(made, values);
        for (int i = 0; i < count; i++)
            assert_true(values[i] == all->expected[i] || (isnan(values[i]) && isnan(all->expected[i])) || values[i] == 0.0);
    }
    softrelu_constants_destroy(made);
}

struct evaluate_context {
    struct solving solving;
    double x[LARGE], relative, hessian[LARGE * LARGE];
    int64_t errors;
};

static void evaluate(void *context, bool disturbed) {
    struct evaluate_context *all = context;
    const int64_t d = all->solving.d;
    double relative = -1.0, hessian[LARGE * LARGE], order[2];
    softrelu_derivative_verdict verdict = SOFTRELU_DERIVATIVES_DISAGREE;
    softrelu_evaluator *evaluator = all->solving.evaluator;
    assert_int_equal(softrelu_evaluator_move(evaluator, all->x, d), SOFTRELU_OK);
    hessian[0] = -7.0;
    const softrelu_status sampled = softrelu_evaluator_sampled_hessian(evaluator, 0.5, 2, 1, 0, hessian, d, NULL);
    const softrelu_status stationarity = softrelu_evaluator_stationarity(evaluator, 1e-9, NULL, &relative, NULL, NULL);
    const softrelu_status check =
        softrelu_evaluator_check_derivatives(evaluator, NULL, 1, 0.0, &verdict, &order[0], &order[1], NULL);
    assert_int_equal(check, SOFTRELU_OK);
    assert_true(verdict != SOFTRELU_DERIVATIVES_DISAGREE);
    if (!disturbed) {
        assert_true(sampled == SOFTRELU_OK && stationarity == SOFTRELU_OK);
        all->relative = relative;
        memcpy(all->hessian, hessian, sizeof hessian);
        return;
    }
    const softrelu_status refused = fault.info < 0 ? SOFTRELU_ERROR_LAPACK : SOFTRELU_ERROR_OVERFLOW; /* no shift was enough */
    mend();
    all->errors += (sampled != SOFTRELU_OK) + (stationarity != SOFTRELU_OK);
    assert_true(sampled == SOFTRELU_OK || (sampled == refused && hessian[0] == -7.0));
    assert_true(stationarity == SOFTRELU_OK || (stationarity == SOFTRELU_ERROR_LAPACK && relative == -1.0));
    for (int64_t k = 0; k < d * d && sampled == SOFTRELU_OK; k++)
        assert_true(isfinite(hessian[k]));
    assert_true(stationarity != SOFTRELU_OK || relative >= all->relative * (1.0 - 1e-9) - 1e-14); /* no nearer than it is */
    evaluate(context, false);
}

static void constants_and_evaluators_are_honest(void **state) {
    (void)state;
    struct scene scenes[SCENES];
    make_scenes(scenes);
    for (int i = 0; i < scenes_to_play(); i++) {
        struct evaluate_context evaluates = {.solving = open_scene(&scenes[i])};
        struct constants_context context = {.problem = evaluates.solving.built.problem, .d = evaluates.solving.d};
        mend();
        assert_int_equal(softrelu_solver_solve(evaluates.solving.solver), SOFTRELU_OK);
        assert_int_equal(softrelu_solver_solution(evaluates.solving.solver, evaluates.x, context.d), SOFTRELU_OK);
        memcpy(context.x, evaluates.x, sizeof context.x);
        const int64_t tried = under_every_fault(constants, &context);
        int64_t evaluated = under_every_fault(evaluate, &evaluates);
        memset(evaluates.x, 0, sizeof evaluates.x); /* all kinks where there is no c1 */
        evaluated += under_every_fault(evaluate, &evaluates);
        print_message("  %-24s %5d faults of constants, %d errors; %d of evaluators, %d errors\n", scenes[i].name, (int)tried,
                      (int)context.errors, (int)evaluated, (int)evaluates.errors);
        solving_free(&evaluates.solving);
    }
    free_scenes(scenes);
}

struct batch_context {
    softrelu_batch *batch;
    double expected[3 * D];
    const double *targets;
};

/* A target that fails has its own status, and the other ones are solved. */
static void solve_batch(void *context, bool disturbed) {
    struct batch_context *all = context;
    double x[3 * D] = {0};
    assert_int_equal(softrelu_solve_batch(all->batch, 3, x, D), SOFTRELU_OK);
    if (!disturbed) {
        memcpy(all->expected, x, sizeof x);
        return;
    }
    const bool once = !fault.lasting;
    int others = 0;
    mend();
    for (int t = 0; t < 3; t++) {
        const softrelu_status status = softrelu_batch_status(all->batch, t);
        assert_true(status == SOFTRELU_OK ||
                    (status == SOFTRELU_ERROR_LAPACK && strlen(softrelu_batch_target_message(all->batch, t)) > 0));
        others += memcmp(&x[t * D], &all->expected[t * D], D * sizeof *x) != 0;
    }
    assert_true(!once || others <= 1);
    assert_int_equal(softrelu_solve_batch(all->batch, 3, x, D), SOFTRELU_OK);
    assert_same_doubles(3 * D, x, all->expected);
}

static void one_target_fails_alone(void **state) {
    (void)state;
    struct scene scenes[SCENES];
    make_scenes(scenes);
    const struct instance *instance = &scenes[0].instance;
    double *targets = test_doubles(3 * instance->m);
    for (int64_t j = 0; j < 3 * instance->m; j++)
        targets[j] = instance->b[(j * 5 + j / instance->m) % instance->m];
    struct solving solving = open_scene(&scenes[0]);
    struct batch_context context = {.targets = targets};
    assert_int_equal(softrelu_batch_create(solving.solver, 3, 1, SOFTRELU_BLAS_KEEP, &context.batch), SOFTRELU_OK);
    assert_int_equal(softrelu_batch_set_columns(context.batch, SOFTRELU_B, targets, instance->m), SOFTRELU_OK);
    const int64_t tried = under_every_fault(solve_batch, &context);
    print_message("  a batch of three         %5d faults\n", (int)tried);
    assert_true(tried > test_effort(50, 50, 20));
    softrelu_batch_destroy(context.batch);
    solving_free(&solving);
    free_scenes(scenes);
    free(targets);
}

/* Nothing that the library asks of LAPACK is left out (tests/fault/lapack-functions compares the list with the library). */
static void every_function_was_called(void **state) {
    (void)state;
    for (int function = 0; function < CALLS; function++) {
        print_message("  %-7s called %d times undisturbed\n", names[function], (int)seen[function]);
        assert_true(seen[function] > 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(solves_are_honest), cmocka_unit_test(certificates_are_honest),
                                       cmocka_unit_test(constants_and_evaluators_are_honest),
                                       cmocka_unit_test(one_target_fails_alone), cmocka_unit_test(every_function_was_called)};
    return cmocka_run_group_tests_name("lapack", tests, NULL, NULL);
}
