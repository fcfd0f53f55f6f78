/* Bad arguments of evaluators, solvers, settings and reports; texts; and calls from the callback. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/instance.h"
#include "support/refusal.h"

enum { N = 4, D = 3, M = 2 };

static const double SENTINEL = -7.25;

struct handles {
    struct instance instance;
    struct built built;
    softrelu_evaluator *evaluator;
    softrelu_solver *solver;
    double x[D];
};

static int set_up(void **state) {
    static struct handles handles;
    struct test_random random = {71};
    handles.instance = random_instance(&random, N, D, M, (struct instance_scales){.A1 = 1, .A2 = 1, .b = 1, .c1 = 1, .w = 0.1},
                                       SOFTRELU_SQUARES);
    random_fill(&random, 1.0, D, handles.x);
    handles.built = build(&handles.instance, PLAIN_PLACEMENT);
    assert_int_equal(softrelu_evaluator_create(handles.built.problem, &handles.evaluator), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_create(handles.built.problem, &handles.solver), SOFTRELU_OK);
    *state = &handles;
    return 0;
}

static int tear_down(void **state) {
    struct handles *handles = *state;
    softrelu_solver_destroy(handles->solver);
    softrelu_evaluator_destroy(handles->evaluator);
    built_free(&handles->built);
    instance_free(&handles->instance);
    return 0;
}

static void texts(void **state) {
    (void)state;
#define CHECK_STATUS(name, number, sentence)                                                                                   \
    assert_int_equal(name, number);                                                                                            \
    assert_string_equal(softrelu_status_name(name), #name);                                                                    \
    assert_string_equal(softrelu_status_text(name), sentence);
    SOFTRELU_STATUS_LIST(CHECK_STATUS)
#define CHECK_TERMINATION(name, number, word, sentence)                                                                        \
    assert_int_equal(name, number);                                                                                            \
    assert_string_equal(softrelu_termination_name(name), word);                                                                \
    assert_string_equal(softrelu_termination_text(name), sentence);
    SOFTRELU_TERMINATION_LIST(CHECK_TERMINATION)
    assert_string_equal(softrelu_status_name((softrelu_status)-11), "unknown status");
    assert_non_null(softrelu_status_text((softrelu_status)12345));
    assert_non_null(softrelu_termination_name((softrelu_termination)-1));
    assert_non_null(softrelu_termination_text((softrelu_termination)7));
}

static void library(void **state) {
    (void)state;
    char text[256] = "", tiny[4] = "???", version[32];
    REFUSE(softrelu_blas_description(NULL, sizeof text), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_blas_description(text, 0), SOFTRELU_ERROR_SIZE);
    assert_int_equal(softrelu_blas_description(text, sizeof text), SOFTRELU_OK);
    assert_true(text[0] != '\0');
    assert_int_equal(softrelu_blas_description(tiny, sizeof tiny), SOFTRELU_OK);
    assert_int_equal(strlen(tiny), 3);
    REFUSE(softrelu_blas_set_threads(0), SOFTRELU_ERROR_VALUE);
    REFUSE(softrelu_blas_set_threads(-3), SOFTRELU_ERROR_VALUE);
    assert_int_equal(softrelu_blas_integer_bits(), 32);
    assert_true(softrelu_blas_threads() >= 0);
    assert_int_equal(softrelu_abi_version(), SOFTRELU_ABI_VERSION);
    assert_true(snprintf(version, sizeof version, "%d.%d.%d", SOFTRELU_VERSION_MAJOR, SOFTRELU_VERSION_MINOR,
                         SOFTRELU_VERSION_PATCH) > 0);
    assert_string_equal(softrelu_version(), version);
}

static void evaluator_without_a_point(void **state) {
    const struct handles *handles = *state;
    double out[N * N] = {SENTINEL}, number = SENTINEL;
    softrelu_evaluator *e = NULL;
    softrelu_derivative_verdict verdict;
    assert_int_equal(softrelu_evaluator_create(handles->built.problem, &e), SOFTRELU_OK);
    REFUSE(softrelu_evaluator_preactivations(e, out, N), SOFTRELU_ERROR_STATE);
    REFUSE(softrelu_evaluator_prediction(e, out, M), SOFTRELU_ERROR_STATE);
    REFUSE(softrelu_evaluator_loss(e, &number, NULL, NULL, NULL), SOFTRELU_ERROR_STATE);
    REFUSE(softrelu_evaluator_gradient(e, out, D), SOFTRELU_ERROR_STATE);
    REFUSE(softrelu_evaluator_hessian(e, out, D), SOFTRELU_ERROR_STATE);
    REFUSE(softrelu_evaluator_hessian_product(e, handles->x, out, D), SOFTRELU_ERROR_STATE);
    REFUSE(softrelu_evaluator_stationarity(e, 1e-9, &number, NULL, NULL, NULL), SOFTRELU_ERROR_STATE);
    REFUSE(softrelu_evaluator_check_derivatives(e, NULL, 1, 0.0, &verdict, NULL, NULL, NULL), SOFTRELU_ERROR_STATE);
    SAYS(softrelu_evaluator_message(e), "point");
    assert_true(out[0] == SENTINEL && number == SENTINEL);
    softrelu_evaluator_destroy(e);
}

static void evaluator_moves(void **state) {
    const struct handles *handles = *state;
    softrelu_evaluator *e = handles->evaluator;
    double bad[D + 1] = {1, 2, 3, 4}, before = NAN, after = NAN;
    assert_int_equal(softrelu_evaluator_move(e, handles->x, D), SOFTRELU_OK);
    assert_int_equal(softrelu_evaluator_loss(e, &before, NULL, NULL, NULL), SOFTRELU_OK);
    REFUSE(softrelu_evaluator_move(NULL, handles->x, D), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_evaluator_move(e, NULL, D), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_evaluator_move(e, bad, D - 1), SOFTRELU_ERROR_SIZE);
    REFUSE(softrelu_evaluator_move(e, bad, D + 1), SOFTRELU_ERROR_SIZE);
    REFUSE(softrelu_evaluator_move(e, bad, 0), SOFTRELU_ERROR_SIZE);
    bad[2] = -INFINITY;
    REFUSE(softrelu_evaluator_move(e, bad, D), SOFTRELU_ERROR_NOT_FINITE);
    SAYS(softrelu_evaluator_message(e), "x[2]");
    SAYS(softrelu_evaluator_message(e), "-inf");
    assert_int_equal(softrelu_evaluator_loss(e, &after, NULL, NULL, NULL), SOFTRELU_OK); /* still at the point before */
    assert_same_doubles(1, &after, &before);
    for (int k = 0; k < D; k++)
        bad[k] = 1.7e308;
    REFUSE(softrelu_evaluator_move(e, bad, D), SOFTRELU_ERROR_OVERFLOW);
    REFUSE(softrelu_evaluator_loss(e, &after, NULL, NULL, NULL), SOFTRELU_ERROR_STATE); /* now at no point */
    assert_int_equal(softrelu_evaluator_move(e, handles->x, D), SOFTRELU_OK);
}

static void evaluator_outputs(void **state) {
    const struct handles *handles = *state;
    softrelu_evaluator *e = handles->evaluator;
    double out[N * N], number = SENTINEL, bad[D] = {1, NAN, 3}, zero[D] = {0, 0, 0};
    softrelu_derivative_verdict verdict = SOFTRELU_DERIVATIVES_ROUNDOFF;
    for (int k = 0; k < N * N; k++)
        out[k] = SENTINEL;
    assert_int_equal(softrelu_evaluator_move(e, handles->x, D), SOFTRELU_OK);
    REFUSE(softrelu_evaluator_preactivations(NULL, out, N), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_evaluator_preactivations(e, NULL, N), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_evaluator_preactivations(e, out, N - 1), SOFTRELU_ERROR_SIZE);
    REFUSE(softrelu_evaluator_prediction(NULL, out, M), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_evaluator_prediction(e, NULL, M), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_evaluator_prediction(e, out, M + 1), SOFTRELU_ERROR_SIZE);
    REFUSE(softrelu_evaluator_loss(NULL, &number, NULL, NULL, NULL), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_evaluator_gradient(NULL, out, D), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_evaluator_gradient(e, NULL, D), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_evaluator_gradient(e, out, D + 1), SOFTRELU_ERROR_SIZE);
    REFUSE(softrelu_evaluator_hessian(NULL, out, D), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_evaluator_hessian(e, NULL, D), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_evaluator_hessian(e, out, D - 1), SOFTRELU_ERROR_SIZE);
    REFUSE(softrelu_evaluator_hessian(e, out, -D), SOFTRELU_ERROR_SIZE);
    REFUSE(softrelu_evaluator_hessian_product(NULL, handles->x, out, D), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_evaluator_hessian_product(e, NULL, out, D), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_evaluator_hessian_product(e, handles->x, NULL, D), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_evaluator_hessian_product(e, handles->x, out, D - 1), SOFTRELU_ERROR_SIZE);
    REFUSE(softrelu_evaluator_hessian_product(e, bad, out, D), SOFTRELU_ERROR_NOT_FINITE);
    SAYS(softrelu_evaluator_message(e), "direction[1]");
    REFUSE(softrelu_evaluator_stationarity(NULL, 1e-9, &number, NULL, NULL, NULL), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_evaluator_stationarity(e, -1e-9, &number, NULL, NULL, NULL), SOFTRELU_ERROR_VALUE);
    REFUSE(softrelu_evaluator_stationarity(e, NAN, &number, NULL, NULL, NULL), SOFTRELU_ERROR_VALUE);
    REFUSE(softrelu_evaluator_check_derivatives(NULL, NULL, 1, 0.0, &verdict, &number, NULL, NULL), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_evaluator_check_derivatives(e, NULL, 1, 0.0, NULL, &number, NULL, NULL), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_evaluator_check_derivatives(e, zero, 1, 0.0, &verdict, &number, NULL, NULL), SOFTRELU_ERROR_VALUE);
    REFUSE(softrelu_evaluator_check_derivatives(e, bad, 1, 0.0, &verdict, &number, NULL, NULL), SOFTRELU_ERROR_NOT_FINITE);
    REFUSE(softrelu_evaluator_check_derivatives(e, NULL, 1, -1.0, &verdict, &number, NULL, NULL), SOFTRELU_ERROR_VALUE);
    REFUSE(softrelu_evaluator_check_derivatives(e, NULL, 1, NAN, &verdict, &number, NULL, NULL), SOFTRELU_ERROR_VALUE);
    for (int k = 0; k < N * N; k++)
        assert_true(out[k] == SENTINEL);
    assert_true(number == SENTINEL);
    assert_non_null(softrelu_evaluator_message(NULL));
}

/* Each of its values by number and by name; numbers between them and other names are refused. */
static void check_choice(softrelu_solver *solver, softrelu_setting id, const char *setting, int64_t standard) {
    int64_t value = -1, now = -1;
    const char *name;
    assert_int_equal(softrelu_solver_get_integer(solver, id, &now), SOFTRELU_OK);
    assert_int_equal(now, standard);
    int64_t values = 0;
    for (; (name = softrelu_setting_choice(id, values, &value)) != NULL; values++) {
        assert_int_equal(softrelu_solver_set_text(solver, setting, name), SOFTRELU_OK);
        assert_int_equal(softrelu_solver_get_integer(solver, id, &now), SOFTRELU_OK);
        assert_int_equal(now, value);
        REFUSE(softrelu_solver_set_integer(solver, id, value + 1), SOFTRELU_ERROR_VALUE);
        SAYS(softrelu_solver_message(solver), setting);
        assert_int_equal(softrelu_solver_set_integer(solver, id, value), SOFTRELU_OK);
    }
    assert_true(values >= 2);
    REFUSE(softrelu_solver_set_integer(solver, id, -1), SOFTRELU_ERROR_VALUE);
    REFUSE(softrelu_solver_set_real(solver, id, 0.0), SOFTRELU_ERROR_UNKNOWN);
    REFUSE(softrelu_solver_set_text(solver, setting, "nothing of the kind"), SOFTRELU_ERROR_VALUE);
    SAYS(softrelu_solver_message(solver), softrelu_setting_choice(id, values - 1, NULL));
    REFUSE(softrelu_solver_set_text(solver, setting, "0"), SOFTRELU_ERROR_VALUE);
    assert_int_equal(softrelu_solver_get_integer(solver, id, &now), SOFTRELU_OK);
    assert_int_equal(now, value);
    assert_int_equal(softrelu_solver_set_integer(solver, id, standard), SOFTRELU_OK);
    assert_null(softrelu_setting_choice(id, -1, NULL));
}

static void settings_described(void **state) {
    const struct handles *handles = *state;
    const int64_t count = softrelu_setting_count();
    assert_true(count >= 7);
    for (int64_t k = 0; k < count; k++) {
        softrelu_setting id = SOFTRELU_SETTING_MAX_;
        const char *name = NULL, *text = NULL;
        softrelu_type type = SOFTRELU_TYPE_MAX_;
        double standard = NAN, least = NAN, most = NAN;
        assert_int_equal(softrelu_setting_describe(k, &id, &name, &type, &standard, &least, &most, &text), SOFTRELU_OK);
        assert_true(name != NULL && name[0] != '\0' && text != NULL && text[0] != '\0');
        assert_true(least <= standard && standard <= most);
        if (type == SOFTRELU_CHOICE) {
            check_choice(handles->solver, id, name, (int64_t)standard);
        } else if (type == SOFTRELU_INTEGER) {
            int64_t value = -1, again = -1;
            assert_int_equal(softrelu_solver_get_integer(handles->solver, id, &value), SOFTRELU_OK);
            assert_true((double)value == standard);
            REFUSE(softrelu_solver_set_integer(handles->solver, id, (int64_t)least - 1), SOFTRELU_ERROR_VALUE);
            SAYS(softrelu_solver_message(handles->solver), name);
            REFUSE(softrelu_solver_set_integer(handles->solver, id, (int64_t)most + 1), SOFTRELU_ERROR_VALUE);
            REFUSE(softrelu_solver_set_real(handles->solver, id, 1.0), SOFTRELU_ERROR_UNKNOWN);
            assert_int_equal(softrelu_solver_get_integer(handles->solver, id, &again), SOFTRELU_OK);
            assert_int_equal(again, value);
        } else {
            double value = -1, again = -1;
            assert_int_equal(softrelu_solver_get_real(handles->solver, id, &value), SOFTRELU_OK);
            assert_true(value == standard);
            REFUSE(softrelu_solver_set_real(handles->solver, id, nextafter(least, -INFINITY)), SOFTRELU_ERROR_VALUE);
            SAYS(softrelu_solver_message(handles->solver), name);
            REFUSE(softrelu_solver_set_real(handles->solver, id, NAN), SOFTRELU_ERROR_VALUE);
            REFUSE(softrelu_solver_set_integer(handles->solver, id, 1), SOFTRELU_ERROR_UNKNOWN);
            assert_int_equal(softrelu_solver_get_real(handles->solver, id, &again), SOFTRELU_OK);
            assert_true(again == value);
        }
    }
    REFUSE(softrelu_setting_describe(-1, NULL, NULL, NULL, NULL, NULL, NULL, NULL), SOFTRELU_ERROR_UNKNOWN);
    REFUSE(softrelu_setting_describe(count, NULL, NULL, NULL, NULL, NULL, NULL, NULL), SOFTRELU_ERROR_UNKNOWN);
    assert_int_equal(softrelu_setting_describe(0, NULL, NULL, NULL, NULL, NULL, NULL, NULL), SOFTRELU_OK);
}

static void settings_as_text(void **state) {
    const struct handles *handles = *state;
    softrelu_solver *s = handles->solver;
    const struct {
        const char *name, *value;
        softrelu_status expected;
    } bad[] = {{"tolerance", "", SOFTRELU_ERROR_VALUE},
               {"tolerance", "small", SOFTRELU_ERROR_VALUE},
               {"tolerance", "1e-12x", SOFTRELU_ERROR_VALUE},
               {"tolerance", "-1", SOFTRELU_ERROR_VALUE},
               {"tolerance", "nan", SOFTRELU_ERROR_VALUE},
               {"tolerance", "1e999", SOFTRELU_ERROR_VALUE},
               {"max_iterations", "1.5", SOFTRELU_ERROR_VALUE},
               {"max_iterations", "", SOFTRELU_ERROR_VALUE},
               {"max_iterations", "-1", SOFTRELU_ERROR_VALUE},
               {"max_iterations", "99999999999999999999", SOFTRELU_ERROR_VALUE},
               {"max_evaluations", "0", SOFTRELU_ERROR_VALUE},
               {"trace_length", "ten", SOFTRELU_ERROR_VALUE},
               {"max-iterations", "5", SOFTRELU_ERROR_UNKNOWN},
               {"Tolerance", "1", SOFTRELU_ERROR_UNKNOWN},
               {"", "1", SOFTRELU_ERROR_UNKNOWN},
               {NULL, "1", SOFTRELU_ERROR_NULL},
               {"tolerance", NULL, SOFTRELU_ERROR_NULL}};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        REFUSE(softrelu_solver_set_text(s, bad[k].name, bad[k].value), bad[k].expected);
        assert_true(softrelu_solver_message(s)[0] != '\0');
    }
    double tolerance = 0, time_limit = 0;
    int64_t iterations = 0;
    assert_int_equal(softrelu_solver_set_text(s, "tolerance", "2.5e-7"), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_set_text(s, "max_iterations", "17"), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_set_text(s, "time_limit", "inf"), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_get_real(s, SOFTRELU_SETTING_TOLERANCE, &tolerance), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_get_real(s, SOFTRELU_SETTING_TIME_LIMIT, &time_limit), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_get_integer(s, SOFTRELU_SETTING_MAX_ITERATIONS, &iterations), SOFTRELU_OK);
    assert_true(tolerance == 2.5e-7 && iterations == 17 && isinf(time_limit));
    assert_string_equal(softrelu_solver_message(s), "");
}

static void solver_arguments(void **state) {
    const struct handles *handles = *state;
    softrelu_solver *s = handles->solver;
    double bad[D] = {1, 2, INFINITY}, out[D] = {SENTINEL, SENTINEL, SENTINEL}, real = SENTINEL;
    int64_t integer = -99;
    REFUSE(softrelu_solver_set_start(NULL, bad, D), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_solver_set_start(s, NULL, D), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_solver_set_start(s, bad, D - 1), SOFTRELU_ERROR_SIZE);
    REFUSE(softrelu_solver_set_start(s, bad, -1), SOFTRELU_ERROR_SIZE);
    REFUSE(softrelu_solver_set_start(s, bad, D), SOFTRELU_ERROR_NOT_FINITE);
    SAYS(softrelu_solver_message(s), "x0[2]");
    REFUSE(softrelu_solver_solution(s, out, D), SOFTRELU_ERROR_STATE);
    REFUSE(softrelu_solver_solution(NULL, out, D), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_solver_solution(s, NULL, D), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_solver_solution(s, out, D + 1), SOFTRELU_ERROR_SIZE);
    REFUSE(softrelu_solver_solve(NULL), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_solver_set_callback(NULL, NULL, NULL), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_solver_set_integer(NULL, SOFTRELU_SETTING_MAX_ITERATIONS, 1), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_solver_set_real(NULL, SOFTRELU_SETTING_TOLERANCE, 0.5), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_solver_set_text(NULL, "tolerance", "0.5"), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_solver_set_integer(s, (softrelu_setting)11, 1), SOFTRELU_ERROR_UNKNOWN);
    REFUSE(softrelu_solver_set_real(s, (softrelu_setting)-40, 0.5), SOFTRELU_ERROR_UNKNOWN);
    REFUSE(softrelu_solver_get_integer(s, SOFTRELU_SETTING_TOLERANCE, &integer), SOFTRELU_ERROR_UNKNOWN);
    REFUSE(softrelu_solver_get_integer(s, SOFTRELU_SETTING_MAX_ITERATIONS, NULL), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_solver_get_integer(NULL, SOFTRELU_SETTING_MAX_ITERATIONS, &integer), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_solver_get_real(s, SOFTRELU_SETTING_MAX_ITERATIONS, &real), SOFTRELU_ERROR_UNKNOWN);
    REFUSE(softrelu_solver_get_real(s, SOFTRELU_SETTING_TOLERANCE, NULL), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_solver_get_real(NULL, SOFTRELU_SETTING_TOLERANCE, &real), SOFTRELU_ERROR_NULL);
    assert_true(out[0] == SENTINEL && out[2] == SENTINEL && real == SENTINEL && integer == -99);
    assert_null(softrelu_solver_report(NULL));
    assert_non_null(softrelu_solver_message(NULL));
    assert_int_equal(softrelu_report_termination(softrelu_solver_report(s)), SOFTRELU_NOT_RUN);
}

static void reports(void **state) {
    const struct handles *handles = *state;
    double value = SENTINEL;
    assert_int_equal(softrelu_solver_solve(handles->solver), SOFTRELU_OK);
    const softrelu_report *report = softrelu_solver_report(handles->solver);
    const int64_t length = softrelu_report_trace_length(report);
    assert_true(length >= 1);
    REFUSE(softrelu_report_number(NULL, SOFTRELU_REPORT_LOSS, &value), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_report_number(report, SOFTRELU_REPORT_LOSS, NULL), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_report_number(report, SOFTRELU_TRACE_LOSS, &value), SOFTRELU_ERROR_UNKNOWN);
    REFUSE(softrelu_report_number(report, (softrelu_quantity)11, &value), SOFTRELU_ERROR_UNKNOWN);
    REFUSE(softrelu_report_trace_number(NULL, 0, SOFTRELU_TRACE_LOSS, &value), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_report_trace_number(report, 0, SOFTRELU_TRACE_LOSS, NULL), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_report_trace_number(report, 0, SOFTRELU_REPORT_LOSS, &value), SOFTRELU_ERROR_UNKNOWN);
    REFUSE(softrelu_report_trace_number(report, -1, SOFTRELU_TRACE_LOSS, &value), SOFTRELU_ERROR_SIZE);
    REFUSE(softrelu_report_trace_number(report, length, SOFTRELU_TRACE_LOSS, &value), SOFTRELU_ERROR_SIZE);
    assert_true(value == SENTINEL);
    assert_int_equal(softrelu_report_termination(NULL), SOFTRELU_NOT_RUN);
    assert_int_equal(softrelu_report_trace_length(NULL), 0);
#define READ_QUANTITY(name, number, word, type, text)                                                                          \
    assert_int_equal(softrelu_report_number(report, name, &value), SOFTRELU_OK);
    SOFTRELU_QUANTITY_LIST(READ_QUANTITY)
#define READ_TRACE(name, number, word, type, text)                                                                             \
    assert_int_equal(softrelu_report_trace_number(report, length - 1, name, &value), SOFTRELU_OK);
    SOFTRELU_TRACE_LIST(READ_TRACE)
}

/* From the callback whatever would change the solver is SOFTRELU_ERROR_STATE; settings may be read. */
static int call_back(const softrelu_report *report, void *user) {
    softrelu_solver *s = user;
    double x[D] = {0, 0, 0}, real = SENTINEL;
    int64_t integer = -99;
    assert_ptr_equal(report, softrelu_solver_report(s));
    REFUSE(softrelu_solver_solve(s), SOFTRELU_ERROR_STATE);
    REFUSE(softrelu_solver_set_start(s, x, D), SOFTRELU_ERROR_STATE);
    REFUSE(softrelu_solver_set_callback(s, NULL, NULL), SOFTRELU_ERROR_STATE);
    REFUSE(softrelu_solver_set_integer(s, SOFTRELU_SETTING_TRACE_LENGTH, 5), SOFTRELU_ERROR_STATE);
    REFUSE(softrelu_solver_set_real(s, SOFTRELU_SETTING_TOLERANCE, 0.5), SOFTRELU_ERROR_STATE);
    REFUSE(softrelu_solver_set_text(s, "tolerance", "0.5"), SOFTRELU_ERROR_STATE);
    x[0] = SENTINEL;
    assert_int_equal(softrelu_solver_solution(s, x, D), SOFTRELU_OK); /* the present point */
    assert_true(x[0] != SENTINEL && isfinite(x[0]));
    assert_int_equal(softrelu_solver_get_integer(s, SOFTRELU_SETTING_TRACE_LENGTH, &integer), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_get_real(s, SOFTRELU_SETTING_TOLERANCE, &real), SOFTRELU_OK);
    return 0;
}

static void calls_from_the_callback(void **state) {
    const struct handles *handles = *state;
    assert_int_equal(softrelu_solver_set_callback(handles->solver, call_back, handles->solver), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solve(handles->solver), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_set_callback(handles->solver, NULL, NULL), SOFTRELU_OK);
}

static void enough_cases(void **state) {
    (void)state;
    print_message("  %lld refusals checked\n", (long long)refusals);
    assert_true(refusals >= 90);
}

#define HANDLES_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(texts),
                                       cmocka_unit_test(library),
                                       HANDLES_TEST(evaluator_without_a_point),
                                       HANDLES_TEST(evaluator_moves),
                                       HANDLES_TEST(evaluator_outputs),
                                       HANDLES_TEST(settings_described),
                                       HANDLES_TEST(settings_as_text),
                                       HANDLES_TEST(solver_arguments),
                                       HANDLES_TEST(reports),
                                       HANDLES_TEST(calls_from_the_callback),
                                       cmocka_unit_test(enough_cases)};
    return cmocka_run_group_tests_name("arguments of evaluators, solvers and reports", tests, NULL, NULL);
}
