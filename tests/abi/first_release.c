/*
 * A program of the first release. It sees the header of that release, softrelu-0.1.h, never the present one, and runs with the
 * present library: a function that is gone keeps it from being linked, and a number, a name or a parameter that has changed
 * makes it fail. It calls every function of that header, which tests/abi/check-symbols sees to. Neither file is edited as long
 * as the ABI number stays 0.
 */
#include "softrelu-0.1.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 3, D = 2, M = 3, TARGETS = 2 };
static const double A1[N * D] = {1, 0, 0, 1, 1, 1}, C1[N] = {5, 5, 5}, C2[M] = {0, 0, 0}, B[M] = {0.2, 0.3, 0.5};
static const float A2[M * N] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
static int failures;

#define CHECK(condition) check((condition), #condition, __LINE__)
static void check(int holds, const char *condition, int line) {
    if (!holds) {
        failures++;
        printf("first_release.c:%d: no longer true: %s\n", line, condition);
    }
}
static int same(const char *left, const char *right) { return left != NULL && right != NULL && strcmp(left, right) == 0; }

/* Numbers and words that programs have compiled into them. */
static void check_words(void) {
#define STATUS(name, number, text) CHECK(same(softrelu_status_name((softrelu_status)(number)), #name));
    SOFTRELU_STATUS_LIST(STATUS)
#define TERMINATION(name, number, word, text) CHECK(same(softrelu_termination_name((softrelu_termination)(number)), word));
    SOFTRELU_TERMINATION_LIST(TERMINATION)
#define VERDICT(name, number, word, text) CHECK(same(softrelu_verdict_name((softrelu_verdict)(number)), word));
    SOFTRELU_VERDICT_LIST(VERDICT)
#define REASON(name, number, word, text) CHECK(same(softrelu_reason_name((softrelu_reason)(number)), word));
    SOFTRELU_REASON_LIST(REASON)
#define DISTANCE(name, number, word, text) CHECK(same(softrelu_distance_name((softrelu_distance)(number)), word));
    SOFTRELU_DISTANCE_LIST(DISTANCE)
    CHECK(strlen(softrelu_status_text(SOFTRELU_ERROR_MEMORY)) > 0);
    CHECK(strlen(softrelu_termination_text(SOFTRELU_CONVERGED)) > 0);
    CHECK(strlen(softrelu_verdict_text(SOFTRELU_VERDICT_CERTIFIED)) > 0);
    CHECK(strlen(softrelu_reason_text(SOFTRELU_REASON_FLAT)) > 0);
    CHECK(strlen(softrelu_distance_text(SOFTRELU_DISTANCE_CELL)) > 0);
}

static void check_library(void) {
    char text[200];
    int major = 0;
    CHECK(sscanf(softrelu_version(), "%d.", &major) == 1 && major >= SOFTRELU_VERSION_MAJOR);
    CHECK(softrelu_abi_version() == SOFTRELU_ABI_VERSION);
    CHECK(softrelu_blas_description(text, sizeof text) == SOFTRELU_OK && strlen(text) > 0);
    CHECK(softrelu_blas_integer_bits() == 32);
    const int threads = softrelu_blas_threads();
    const softrelu_status status = softrelu_blas_set_threads(threads > 0 ? threads : 1);
    CHECK(status == SOFTRELU_OK || status == SOFTRELU_ERROR_STATE);
}

/* A setting, and the numbers of its values by their names. */
static void check_setting(softrelu_setting wanted, const char *wanted_name, softrelu_type wanted_type, const char *values) {
    for (int64_t i = 0; i < softrelu_setting_count(); i++) {
        softrelu_setting setting;
        softrelu_type type;
        const char *name, *text;
        double standard, minimum, maximum;
        CHECK(softrelu_setting_describe(i, &setting, &name, &type, &standard, &minimum, &maximum, &text) == SOFTRELU_OK);
        if (setting != wanted)
            continue;
        CHECK(same(name, wanted_name));
        CHECK(type == wanted_type);
        CHECK(minimum <= standard && standard <= maximum && strlen(text) > 0);
        while (*values != '\0') {
            char word[60] = "";
            int number = 0, length = 0, found = 0;
            int64_t value;
            CHECK(sscanf(values, "%59[^=]=%d %n", word, &number, &length) == 2);
            for (int64_t k = 0; (name = softrelu_setting_choice(setting, k, &value)) != NULL; k++)
                found += same(name, word) && value == number;
            CHECK(found == 1);
            values += length;
        }
        return;
    }
    check(0, wanted_name, __LINE__); /* the setting is gone */
}

static void check_settings(void) {
    check_setting(SOFTRELU_SETTING_MAX_ITERATIONS, "max_iterations", SOFTRELU_INTEGER, "");
    check_setting(SOFTRELU_SETTING_MAX_EVALUATIONS, "max_evaluations", SOFTRELU_INTEGER, "");
    check_setting(SOFTRELU_SETTING_TIME_LIMIT, "time_limit", SOFTRELU_REAL, "");
    check_setting(SOFTRELU_SETTING_TOLERANCE, "tolerance", SOFTRELU_REAL, "");
    check_setting(SOFTRELU_SETTING_KINK_TOLERANCE, "kink_tolerance", SOFTRELU_REAL, "");
    check_setting(SOFTRELU_SETTING_TRACE_LENGTH, "trace_length", SOFTRELU_INTEGER, "");
    check_setting(SOFTRELU_SETTING_WARM_START_ROUNDS, "warm_start_rounds", SOFTRELU_INTEGER, "");
    check_setting(SOFTRELU_SETTING_HESSIAN, "hessian", SOFTRELU_CHOICE, "exact=0 gauss-newton=10 sampled=20");
    check_setting(SOFTRELU_SETTING_SAMPLE_EPSILON, "sample_epsilon", SOFTRELU_REAL, "");
    check_setting(SOFTRELU_SETTING_SAMPLE_ROWS, "sample_rows", SOFTRELU_INTEGER, "");
    check_setting(SOFTRELU_SETTING_SAMPLE_SEED, "sample_seed", SOFTRELU_INTEGER, "");
    check_setting(SOFTRELU_SETTING_STEP, "step", SOFTRELU_CHOICE, "cholesky=0 pcg=10");
    check_setting(SOFTRELU_SETTING_STEP_TOLERANCE, "step_tolerance", SOFTRELU_REAL, "");
    check_setting(SOFTRELU_SETTING_STEP_PRODUCTS, "step_products", SOFTRELU_INTEGER, "");
    check_setting(SOFTRELU_SETTING_GLOBALISATION, "globalisation", SOFTRELU_CHOICE, "search=0 none=10");
    check_setting(SOFTRELU_SETTING_JACOBIAN_MEMORY, "jacobian_memory", SOFTRELU_INTEGER, "");
    check_setting(SOFTRELU_SETTING_STARTS, "starts", SOFTRELU_INTEGER, "");
    check_setting(SOFTRELU_SETTING_START_SEED, "start_seed", SOFTRELU_INTEGER, "");
    check_setting(SOFTRELU_SETTING_CURVATURE_PRECISION, "curvature_precision", SOFTRELU_CHOICE, "double=0 single=10");
    check_setting(SOFTRELU_SETTING_NEWTON_MATRIX, "newton_matrix", SOFTRELU_CHOICE, "auto=0 dense=10 small=20");
}

static void *allocate(size_t bytes, void *context) {
    ++*(int *)context;
    return malloc(bytes);
}
static void release(void *block, void *context) {
    --*(int *)context;
    free(block);
}

static softrelu_problem *make_problem(int *blocks) {
    softrelu_problem *problem = NULL;
    int64_t n = 0, d = 0, m = 0;
    CHECK(softrelu_problem_create(N, D, M, allocate, release, blocks, &problem) == SOFTRELU_OK);
    CHECK(softrelu_problem_set_matrix(problem, SOFTRELU_A1, A1, SOFTRELU_ROW_MAJOR, D, SOFTRELU_COPY) == SOFTRELU_OK);
    CHECK(softrelu_problem_set_matrix_single(problem, SOFTRELU_A2, A2, SOFTRELU_COLUMN_MAJOR, M, SOFTRELU_BORROW) ==
          SOFTRELU_OK);
    CHECK(softrelu_problem_set_vector(problem, SOFTRELU_B, B, M, SOFTRELU_COPY) == SOFTRELU_OK);
    CHECK(softrelu_problem_set_vector(problem, SOFTRELU_C1, C1, N, SOFTRELU_BORROW) == SOFTRELU_OK);
    CHECK(softrelu_problem_set_vector(problem, SOFTRELU_C2, C2, M, SOFTRELU_COPY) == SOFTRELU_OK);
    CHECK(softrelu_problem_set_vector(problem, SOFTRELU_X_REF, C2, D, SOFTRELU_COPY) == SOFTRELU_OK);
    CHECK(softrelu_problem_set_number(problem, SOFTRELU_RHO, 1e-3) == SOFTRELU_OK);
    CHECK(softrelu_problem_set_number(problem, SOFTRELU_W, 1e-2) == SOFTRELU_OK);
    CHECK(softrelu_problem_set_number(problem, SOFTRELU_LOWER, -9.0) == SOFTRELU_OK);
    CHECK(softrelu_problem_set_number(problem, SOFTRELU_UPPER, 9.0) == SOFTRELU_OK);
    CHECK(softrelu_problem_set_number(problem, SOFTRELU_RHO, -1.0) == SOFTRELU_ERROR_VALUE);
    CHECK(strstr(softrelu_problem_message(problem), "rho") != NULL);
    CHECK(softrelu_problem_set_loss(problem, SOFTRELU_SQUARES) == SOFTRELU_OK);
    CHECK(softrelu_problem_set_loss(problem, SOFTRELU_KL) == SOFTRELU_OK);
    CHECK(softrelu_problem_finish(problem) == SOFTRELU_OK);
    CHECK(softrelu_problem_finish(problem) == SOFTRELU_ERROR_STATE);
    CHECK(softrelu_problem_dimensions(problem, &n, &d, &m) == SOFTRELU_OK && n == N && d == D && m == M);
    return problem;
}

static void check_evaluator(const softrelu_problem *problem) {
    softrelu_evaluator *evaluator = NULL;
    double u[N], f[M], total, fit, weights, proximity, g[D], h[D * D], sampled[D * D], product[D], residual, relative, order[2];
    const double x[D] = {0.5, -0.25}, e[D] = {1, 0};
    int64_t pinned, concave, rows, kink;
    softrelu_derivative_verdict verdict = SOFTRELU_DERIVATIVES_DISAGREE;
    CHECK(softrelu_evaluator_create(problem, &evaluator) == SOFTRELU_OK);
    CHECK(softrelu_evaluator_gradient(evaluator, g, D) == SOFTRELU_ERROR_STATE);
    CHECK(softrelu_evaluator_move(evaluator, x, D) == SOFTRELU_OK);
    CHECK(softrelu_evaluator_move(evaluator, x, D + 1) == SOFTRELU_ERROR_SIZE &&
          strlen(softrelu_evaluator_message(evaluator)) > 0);
    CHECK(softrelu_evaluator_preactivations(evaluator, u, N) == SOFTRELU_OK && u[0] == 5.5 && u[1] == 4.75 && u[2] == 5.25);
    CHECK(softrelu_evaluator_prediction(evaluator, f, M) == SOFTRELU_OK && fabs(f[0] + f[1] + f[2] - 1) < 1e-12);
    CHECK(softrelu_evaluator_loss(evaluator, &total, &fit, &weights, &proximity) == SOFTRELU_OK);
    CHECK(fabs(total - fit - weights - proximity) < 1e-12 && fabs(proximity - 0.5e-3 * 0.3125) < 1e-15);
    CHECK(softrelu_evaluator_gradient(evaluator, g, D) == SOFTRELU_OK);
    CHECK(softrelu_evaluator_hessian(evaluator, h, D) == SOFTRELU_OK && h[1] == h[2]);
    CHECK(softrelu_evaluator_sampled_hessian(evaluator, 0.5, M, UINT64_C(1), UINT64_C(0), sampled, D, &rows) == SOFTRELU_OK);
    CHECK(softrelu_evaluator_hessian_product(evaluator, e, product, D) == SOFTRELU_OK && fabs(product[0] - h[0]) < 1e-12);
    CHECK(softrelu_evaluator_stationarity(evaluator, 1e-9, &residual, &relative, &pinned, &concave) == SOFTRELU_OK);
    CHECK(fabs(residual - hypot(g[0], g[1])) < 1e-12 && pinned == 0 && concave == 0);
    CHECK(softrelu_evaluator_check_derivatives(evaluator, e, UINT64_C(1), 0.0, &verdict, &order[0], &order[1], &kink) ==
          SOFTRELU_OK);
    CHECK(verdict == SOFTRELU_DERIVATIVES_AGREE && kink == -1);
    softrelu_evaluator_destroy(evaluator);
}

static int count_iterations(const softrelu_report *report, void *user) {
    ++*(int *)user;
    return softrelu_report_termination(report) != SOFTRELU_NOT_RUN;
}

static void check_certificate(const softrelu_certificate *certificate) {
    double value, kinks[N], bounds[D], direction[D];
    signed char at_kink[N], at_bound[D];
    CHECK(softrelu_certificate_verdict(certificate) == SOFTRELU_VERDICT_CERTIFIED);
    CHECK(softrelu_certificate_reason(certificate) == SOFTRELU_REASON_NONE);
    CHECK(softrelu_certificate_distance(certificate) == SOFTRELU_DISTANCE_PROVED);
#define CERTIFICATE(name, number, word, type, text)                                                                            \
    CHECK(softrelu_certificate_number(certificate, (softrelu_certificate_quantity)(number), &value) == SOFTRELU_OK);
    SOFTRELU_CERTIFICATE_LIST(CERTIFICATE)
    CHECK(softrelu_certificate_number(certificate, SOFTRELU_CERTIFICATE_FREE_DIMENSIONS, &value) == SOFTRELU_OK && value == D);
    CHECK(softrelu_certificate_multipliers(certificate, kinks, N, bounds, D) == SOFTRELU_OK && bounds[0] == 0);
    CHECK(softrelu_certificate_active(certificate, at_kink, N, at_bound, D) == SOFTRELU_OK && at_kink[0] == 0);
    CHECK(softrelu_certificate_direction(certificate, direction, D) == SOFTRELU_ERROR_STATE);
}

static void check_report(const softrelu_report *report) {
    double value = -1;
    CHECK(softrelu_report_termination(report) == SOFTRELU_CONVERGED);
#define QUANTITY(name, number, word, type, text)                                                                               \
    CHECK(softrelu_report_number(report, (softrelu_quantity)(number), &value) == SOFTRELU_OK);
    SOFTRELU_QUANTITY_LIST(QUANTITY)
    CHECK(softrelu_report_number(report, SOFTRELU_REPORT_RESIDUAL_RELATIVE, &value) == SOFTRELU_OK && value <= 1e-11);
    const int64_t records = softrelu_report_trace_length(report);
    CHECK(records > 0);
#define TRACE(name, number, word, type, text)                                                                                  \
    CHECK(softrelu_report_trace_number(report, records - 1, (softrelu_quantity)(number), &value) == SOFTRELU_OK);
    SOFTRELU_TRACE_LIST(TRACE)
    CHECK(softrelu_report_trace_number(report, 0, SOFTRELU_TRACE_ITERATION, &value) == SOFTRELU_OK && value == 0);
}

static void check_solver(const softrelu_problem *problem, softrelu_solver *solver, double *x) {
    int called = 0;
    int64_t integer = 0;
    double real = 0;
    const double start[D] = {0.1, 0.1};
    CHECK(softrelu_solver_set_integer(solver, SOFTRELU_SETTING_MAX_ITERATIONS, 500) == SOFTRELU_OK);
    CHECK(softrelu_solver_get_integer(solver, SOFTRELU_SETTING_MAX_ITERATIONS, &integer) == SOFTRELU_OK && integer == 500);
    CHECK(softrelu_solver_set_real(solver, SOFTRELU_SETTING_TOLERANCE, 1e-11) == SOFTRELU_OK);
    CHECK(softrelu_solver_get_real(solver, SOFTRELU_SETTING_TOLERANCE, &real) == SOFTRELU_OK && real == 1e-11);
    CHECK(softrelu_solver_set_text(solver, "starts", "2") == SOFTRELU_OK);
    CHECK(softrelu_solver_set_text(solver, "nonsense", "2") == SOFTRELU_ERROR_UNKNOWN);
    CHECK(strstr(softrelu_solver_message(solver), "nonsense") != NULL);
    CHECK(softrelu_solver_set_start(solver, start, D) == SOFTRELU_OK);
    CHECK(softrelu_solver_set_vector(solver, SOFTRELU_B, B, M) == SOFTRELU_OK);
    CHECK(softrelu_solver_set_callback(solver, count_iterations, &called) == SOFTRELU_OK);
    CHECK(softrelu_solver_solve(solver) == SOFTRELU_OK);
    softrelu_solver_request_stop(solver);
    CHECK(called > 0);
    CHECK(softrelu_solver_solution(solver, x, D) == SOFTRELU_OK);
    check_report(softrelu_solver_report(solver));
    check_certificate(softrelu_solver_certificate(solver));
    CHECK(softrelu_solver_minimiser_count(solver) >= 1);
    CHECK(softrelu_solver_minimiser(solver, 0, x, D) == SOFTRELU_OK);
    CHECK(softrelu_certificate_verdict(softrelu_solver_minimiser_certificate(solver, 0)) == SOFTRELU_VERDICT_CERTIFIED);

    softrelu_certificate *certificate = NULL;
    CHECK(softrelu_certificate_create(problem, &certificate) == SOFTRELU_OK);
    CHECK(softrelu_certify(certificate, x, D, 1e-9, 1e-11) == SOFTRELU_OK);
    check_certificate(certificate);
    CHECK(softrelu_certify(certificate, x, D, -1.0, 1e-11) == SOFTRELU_ERROR_VALUE);
    CHECK(strlen(softrelu_certificate_message(certificate)) > 0);
    softrelu_certificate_destroy(certificate);
}

static int ignore(int64_t target, const softrelu_report *report, void *user) {
    return target < 0 || report == NULL || user != NULL;
}

static void check_batch(const softrelu_solver *solver) {
    softrelu_batch *batch = NULL;
    const double targets[TARGETS * M] = {0.2, 0.3, 0.5, 0.3, 0.3, 0.4};
    double x[TARGETS * D] = {0};
    CHECK(softrelu_batch_create(solver, TARGETS, 1, SOFTRELU_BLAS_KEEP, &batch) == SOFTRELU_OK);
    CHECK(softrelu_batch_set_callback(batch, ignore, NULL) == SOFTRELU_OK);
    CHECK(softrelu_batch_set_columns(batch, SOFTRELU_B, targets, M) == SOFTRELU_OK);
    CHECK(softrelu_batch_set_columns(batch, SOFTRELU_A1, targets, M) == SOFTRELU_ERROR_UNKNOWN);
    CHECK(strlen(softrelu_batch_message(batch)) > 0);
    CHECK(softrelu_solve_batch(batch, TARGETS, x, D) == SOFTRELU_OK);
    softrelu_batch_request_stop(batch);
    for (int64_t t = 0; t < TARGETS; t++) {
        CHECK(softrelu_batch_status(batch, t) == SOFTRELU_OK && same(softrelu_batch_target_message(batch, t), ""));
        CHECK(softrelu_report_termination(softrelu_batch_report(batch, t)) == SOFTRELU_CONVERGED);
        CHECK(softrelu_certificate_verdict(softrelu_batch_certificate(batch, t)) == SOFTRELU_VERDICT_CERTIFIED);
    }
    CHECK(softrelu_batch_threads(batch) == 1);
    softrelu_batch_destroy(batch);
}

static void check_constants(const softrelu_problem *problem, const double *x) {
    softrelu_constants *constants = NULL;
    double value, weight;
    CHECK(softrelu_constants_create(problem, &constants) == SOFTRELU_OK);
    CHECK(softrelu_constants_move(constants, x, D) == SOFTRELU_OK);
#define CONSTANT(name, number, word, type, text)                                                                               \
    CHECK(softrelu_constants_number(constants, (softrelu_constant)(number), &value) == SOFTRELU_OK);
    SOFTRELU_CONSTANT_LIST(CONSTANT)
    CHECK(softrelu_constants_number(constants, SOFTRELU_CONSTANT_KINK_UNIT, &value) == SOFTRELU_OK && value >= -1 && value < N);
    CHECK(softrelu_constants_weight(constants, 0.1, &weight) == SOFTRELU_OK && weight > 0);
    CHECK(softrelu_constants_weight(constants, -0.1, &weight) == SOFTRELU_ERROR_VALUE);
    CHECK(strlen(softrelu_constants_message(constants)) > 0);
    softrelu_constants_destroy(constants);
}

int main(void) {
    int blocks = 0;
    double x[D] = {0};
    check_words();
    check_library();
    check_settings();
    softrelu_problem *problem = make_problem(&blocks);
    softrelu_solver *solver = NULL;
    CHECK(softrelu_solver_create(problem, &solver) == SOFTRELU_OK);
    check_evaluator(problem);
    check_solver(problem, solver, x);
    check_batch(solver);
    check_constants(problem, x);
    CHECK(blocks > 0);
    softrelu_solver_destroy(solver);
    softrelu_problem_destroy(problem);
    CHECK(blocks == 0);
    printf("a program of %d.%d.%d with the library of %s: %d failures\n", SOFTRELU_VERSION_MAJOR, SOFTRELU_VERSION_MINOR,
           SOFTRELU_VERSION_PATCH, softrelu_version(), failures);
    return failures != 0;
}
