/*
 * Solves of problems at the ends of double precision: each ends in time with a report of finite numbers or a clear error, and
 * what is called converged is stationary for the reference, which computes in long double from the formulas and takes from the
 * library only multipliers, that it checks.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stress/extremes.h"
#include "support/solving.h"

enum { ITERATIONS = 200, ENDINGS = 10 };
static const double SECONDS = 20.0; /* under a sanitizer, on a busy machine */

/* The scales of the library and of the reference are made of the same terms, added up in different ways. */
static const long double SCALES_APART = 10.0L;

static struct {
    int64_t problems, refused, overflow, ended[ENDINGS], converged_with_ridges, decided;
    double worst;
} tally;

static int64_t drawn; /* for messages */

#define WRONG(format, ...) fail_msg("draw %lld: " format, (long long)drawn, __VA_ARGS__)

static void choose_settings(struct test_random *random, softrelu_solver *solver) {
    static const char *const choices[][2] = {{"hessian", "gauss-newton"},
                                             {"hessian", "sampled"},
                                             {"step", "pcg"},
                                             {"starts", "3"},
                                             {"newton_matrix", "small"},
                                             {"newton_matrix", "dense"},
                                             {"curvature_precision", "single"},
                                             {"warm_start_rounds", "0"},
                                             {"globalisation", "none"},
                                             {"jacobian_memory", "0"}};
    assert_int_equal(softrelu_solver_set_integer(solver, SOFTRELU_SETTING_MAX_ITERATIONS, ITERATIONS), SOFTRELU_OK);
    const int64_t chosen = random_between(random, 0, 19);
    if (chosen < 10)
        assert_int_equal(softrelu_solver_set_text(solver, choices[chosen][0], choices[chosen][1]), SOFTRELU_OK);
}

/* Finite, or a residual or a length beyond double precision. */
static bool may_be(const char *word, double value) {
    return isfinite(value) || (value == INFINITY && (strstr(word, "residual") != NULL || strcmp(word, "step_norm") == 0));
}

static void check_report(const softrelu_solver *solver) {
    const int64_t length = softrelu_report_trace_length(softrelu_solver_report(solver));
    double value;
#define CHECK_NUMBER(name, number, word, type, text)                                                                           \
    value = report_number(solver, name);                                                                                       \
    if (!may_be(word, value))                                                                                                  \
        WRONG("%s of the report is %g", word, value);
    SOFTRELU_QUANTITY_LIST(CHECK_NUMBER)
#undef CHECK_NUMBER
#define CHECK_TRACE(name, number, word, type, text)                                                                            \
    for (int64_t k = 0; k < length; k++)                                                                                       \
        if (value = trace_number(solver, k, name), !may_be(word, value))                                                       \
            WRONG("%s of record %lld is %g", word, (long long)k, value);
    SOFTRELU_TRACE_LIST(CHECK_TRACE)
#undef CHECK_TRACE
    assert_true(report_number(solver, SOFTRELU_REPORT_ITERATIONS) <= ITERATIONS);
    if (!(report_number(solver, SOFTRELU_REPORT_SECONDS_STARTS) <= SECONDS))
        WRONG("%g seconds", report_number(solver, SOFTRELU_REPORT_SECONDS_STARTS));
}

static double number_of(const softrelu_certificate *certificate, softrelu_certificate_quantity quantity) {
    double value = NAN;
    assert_int_equal(softrelu_certificate_number(certificate, quantity, &value), SOFTRELU_OK);
    return value;
}

/* Nothing of the library but the multipliers of a certificate made anew. */
static void check_stationary(const struct instance *instance, const softrelu_problem *problem, const double *x,
                             double tolerance, double kink_tolerance) {
    const int64_t n = instance->n, d = instance->d;
    softrelu_certificate *certificate = NULL;
    double *lambda = test_doubles(n), *mu = test_doubles(d);
    long double *wide = test_long_doubles(d);
    signed char *kinks = calloc((size_t)n, 1);
    assert_int_equal(softrelu_certificate_create(problem, &certificate), SOFTRELU_OK);
    assert_int_equal(softrelu_certify(certificate, x, d, kink_tolerance, tolerance), SOFTRELU_OK);
    assert_int_equal(softrelu_certificate_multipliers(certificate, lambda, n, mu, d), SOFTRELU_OK);
    assert_int_equal(softrelu_certificate_active(certificate, kinks, n, NULL, 0), SOFTRELU_OK);
    for (int64_t k = 0; k < d; k++)
        wide[k] = (long double)x[k];
    struct reference at = reference_at(instance, wide, 1);
    const struct underflow underflow = underflow_of(instance, &at, x);
    const long double round_off = reference_round_off(&at, DBL_EPSILON), under = underflow.gradient;
    const struct reference_residual found =
        reference_residual(instance, &at, wide, kinks, lambda, mu, (long double)kink_tolerance, underflow.u);
    const long double allowed = SCALES_APART * (((long double)tolerance + round_off) * found.scale + under);
    if ((found.residual > allowed && found.ridges == 0) || found.strays > 0)
        WRONG("called converged: residual %Lg (the library: %g), scale %Lg, allowed %Lg, %lld kinks are none", found.residual,
              number_of(certificate, SOFTRELU_CERTIFICATE_RESIDUAL), found.scale, allowed, (long long)found.strays);
    tally.converged_with_ridges += found.ridges > 0;
    tally.decided += found.ridges == 0 && found.scale > 0.0L && round_off < 1e-6L && under < 1e-6L * found.scale;
    if (found.residual > 0.0L && found.ridges == 0)
        tally.worst = fmax(tally.worst, (double)(found.residual / allowed));
    reference_free(&at);
    softrelu_certificate_destroy(certificate);
    free(lambda);
    free(mu);
    free(wide);
    free(kinks);
}

static void check_constants(const softrelu_problem *problem, const double *x, int64_t d) {
    softrelu_constants *constants = NULL;
    double value = 0.0;
    assert_int_equal(softrelu_constants_create(problem, &constants), SOFTRELU_OK);
    const softrelu_status moved = softrelu_constants_move(constants, x, d);
    if (moved != SOFTRELU_OK && (moved != SOFTRELU_ERROR_OVERFLOW || softrelu_constants_message(constants)[0] == '\0'))
        WRONG("constants: %s: %s", softrelu_status_name(moved), softrelu_constants_message(constants));
#define CHECK_CONSTANT(name, number, word, type, text)                                                                         \
    if (softrelu_constants_number(constants, name, &value) == SOFTRELU_OK && isnan(value))                                     \
        WRONG("constant %s is not a number", word);
    SOFTRELU_CONSTANT_LIST(CHECK_CONSTANT)
#undef CHECK_CONSTANT
    softrelu_constants_destroy(constants);
}

static void solve(struct test_random *random, const struct instance *instance, softrelu_problem *problem) {
    const int64_t d = instance->d;
    softrelu_solver *solver = NULL;
    double *x = extreme_point(random, instance), tolerance = NAN, kink_tolerance = NAN;
    assert_int_equal(softrelu_solver_create(problem, &solver), SOFTRELU_OK);
    choose_settings(random, solver);
    if (random_between(random, 0, 1) == 1)
        assert_int_equal(softrelu_solver_set_start(solver, x, d), SOFTRELU_OK);
    const softrelu_status status = softrelu_solver_solve(solver);
    if (status != SOFTRELU_OK) {
        if (status != SOFTRELU_ERROR_OVERFLOW || strstr(softrelu_solver_message(solver), "not finite") == NULL)
            WRONG("solve: %s: %s", softrelu_status_name(status), softrelu_solver_message(solver));
        assert_int_equal(softrelu_solver_solution(solver, x, d), SOFTRELU_ERROR_STATE);
        tally.overflow++;
    } else {
        const softrelu_termination ended = softrelu_report_termination(softrelu_solver_report(solver));
        check_report(solver);
        assert_int_equal(softrelu_solver_solution(solver, x, d), SOFTRELU_OK);
        for (int64_t k = 0; k < d; k++)
            assert_true(isfinite(x[k]) && (instance->lower == NULL || x[k] >= instance->lower[k]) &&
                        (instance->upper == NULL || x[k] <= instance->upper[k]));
        assert_int_equal(softrelu_solver_get_real(solver, SOFTRELU_SETTING_TOLERANCE, &tolerance), SOFTRELU_OK);
        assert_int_equal(softrelu_solver_get_real(solver, SOFTRELU_SETTING_KINK_TOLERANCE, &kink_tolerance), SOFTRELU_OK);
        if (ended == SOFTRELU_CONVERGED)
            check_stationary(instance, problem, x, tolerance, kink_tolerance);
        check_constants(problem, x, d);
        tally.ended[ended / 10]++;
    }
    softrelu_solver_destroy(solver);
    free(x);
}

/* SOFTRELU_STRESS_DRAW=N: that problem alone. */
static void extremes(void **state) {
    (void)state;
    if (reference_epsilon() > LDBL_EPSILON) /* under valgrind the reference has no range beyond that of double */
        skip();
    const char *only = getenv("SOFTRELU_STRESS_DRAW");
    const int64_t first = only != NULL ? strtoll(only, NULL, 10) : 0;
    const int64_t count = only != NULL ? 1 : test_effort(200000, 15000, 100);
    for (int64_t draw = first; draw < first + count; draw++) {
        drawn = draw;
        struct test_random random = {(uint64_t)draw * 0x9E3779B97F4A7C15u + 17};
        struct instance instance = extreme_instance(&random);
        softrelu_problem *problem = sealed_or_refused(&instance);
        tally.problems++;
        tally.refused += problem == NULL;
        if (problem != NULL)
            solve(&random, &instance, problem);
        softrelu_problem_destroy(problem);
        instance_free(&instance);
    }
    print_message("  %lld problems: %lld refused (R overflows), %lld without a start (F overflows)\n",
                  (long long)tally.problems, (long long)tally.refused, (long long)tally.overflow);
    for (int ended = 1; ended < ENDINGS; ended++)
        if (tally.ended[ended] > 0)
            print_message("  %7lld %s\n", (long long)tally.ended[ended],
                          softrelu_termination_name((softrelu_termination)(10 * ended)));
    print_message("  of those converged, %lld with ridges; %lld where round-off leaves the reference a say; largest residual "
                  "%.2g of the allowed\n",
                  (long long)tally.converged_with_ridges, (long long)tally.decided, tally.worst);
    assert_true(only != NULL || tally.ended[SOFTRELU_CONVERGED / 10] > count / 4);
    assert_true(only != NULL || tally.decided > count / 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(extremes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
