#include "support/solving.h"

#include <math.h>
#include <stdlib.h>

#include "support/reference.h"

struct solving solving_of(const struct instance *instance) {
    struct solving solving = {instance, instance->d, build(instance, PLAIN_PLACEMENT), NULL, NULL};
    assert_int_equal(softrelu_solver_create(solving.built.problem, &solving.solver), SOFTRELU_OK);
    assert_int_equal(softrelu_evaluator_create(solving.built.problem, &solving.evaluator), SOFTRELU_OK);
    return solving;
}

void solving_free(struct solving *solving) {
    softrelu_solver_destroy(solving->solver);
    softrelu_evaluator_destroy(solving->evaluator);
    built_free(&solving->built);
}

double loss_at(struct solving *solving, const double *x) {
    double loss = NAN;
    assert_int_equal(softrelu_evaluator_move(solving->evaluator, x, solving->d), SOFTRELU_OK);
    assert_int_equal(softrelu_evaluator_loss(solving->evaluator, &loss, NULL, NULL, NULL), SOFTRELU_OK);
    return loss;
}

double report_number(const softrelu_solver *solver, softrelu_quantity quantity) {
    double value = NAN;
    assert_int_equal(softrelu_report_number(softrelu_solver_report(solver), quantity, &value), SOFTRELU_OK);
    return value;
}

double trace_number(const softrelu_solver *solver, int64_t record, softrelu_quantity quantity) {
    double value = NAN;
    assert_int_equal(softrelu_report_trace_number(softrelu_solver_report(solver), record, quantity, &value), SOFTRELU_OK);
    return value;
}

static double certificate_number(const softrelu_certificate *certificate, softrelu_certificate_quantity quantity) {
    double value = NAN;
    assert_int_equal(softrelu_certificate_number(certificate, quantity, &value), SOFTRELU_OK);
    return value;
}

struct judgement judge(const softrelu_problem *problem, const double *x, int64_t d, double *direction) {
    softrelu_certificate *certificate = NULL;
    assert_int_equal(softrelu_certificate_create(problem, &certificate), SOFTRELU_OK);
    if (softrelu_certify(certificate, x, d, 1e-9, 1e-12) != SOFTRELU_OK)
        fail_msg("certify: %s", softrelu_certificate_message(certificate));
    const struct judgement judgement = {
        .verdict = softrelu_certificate_verdict(certificate),
        .reason = softrelu_certificate_reason(certificate),
        .loss = certificate_number(certificate, SOFTRELU_CERTIFICATE_LOSS),
        .residual = certificate_number(certificate, SOFTRELU_CERTIFICATE_RESIDUAL),
        .relative = certificate_number(certificate, SOFTRELU_CERTIFICATE_RESIDUAL_RELATIVE),
        .pinned = certificate_number(certificate, SOFTRELU_CERTIFICATE_PINNED_KINKS),
        .concave = certificate_number(certificate, SOFTRELU_CERTIFICATE_CONCAVE_KINKS),
        .bounds = certificate_number(certificate, SOFTRELU_CERTIFICATE_ACTIVE_BOUNDS),
        .margin = certificate_number(certificate, SOFTRELU_CERTIFICATE_MARGIN),
        .free = certificate_number(certificate, SOFTRELU_CERTIFICATE_FREE_DIMENSIONS),
        .curvature = certificate_number(certificate, SOFTRELU_CERTIFICATE_CURVATURE),
        .round_off = certificate_number(certificate, SOFTRELU_CERTIFICATE_CURVATURE_ROUND_OFF),
        .slope = certificate_number(certificate, SOFTRELU_CERTIFICATE_SLOPE),
    };
    if (direction != NULL)
        assert_int_equal(softrelu_certificate_direction(certificate, direction, d),
                         judgement.verdict == SOFTRELU_VERDICT_NOT_STATIONARY || judgement.reason == SOFTRELU_REASON_SADDLE
                             ? SOFTRELU_OK
                             : SOFTRELU_ERROR_STATE);
    softrelu_certificate_destroy(certificate);
    return judgement;
}

/* What F at the returned point may differ by between two ways of computing it. */
static double noise_at_solution(const struct solving *solving) {
    double *x = test_doubles(solving->d);
    long double *wide = test_long_doubles(solving->d);
    assert_int_equal(softrelu_solver_solution(solving->solver, x, solving->d), SOFTRELU_OK);
    for (int64_t k = 0; k < solving->d; k++)
        wide[k] = (long double)x[k];
    struct reference at = reference_at(solving->instance, wide, 0);
    const double noise = (double)reference_loss_noise(&at, solving->instance->loss);
    reference_free(&at);
    free(x);
    free(wide);
    return noise;
}

static void check_point(struct solving *solving, struct outcome outcome, double allowed) {
    const softrelu_solver *solver = solving->solver;
    double parts[3], residual = NAN, relative = NAN, tolerance = NAN, kink_tolerance = NAN, *x = test_doubles(solving->d);
    int64_t pinned = -1, concave = -1;
    assert_int_equal(softrelu_solver_solution(solver, x, solving->d), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_get_real(solver, SOFTRELU_SETTING_TOLERANCE, &tolerance), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_get_real(solver, SOFTRELU_SETTING_KINK_TOLERANCE, &kink_tolerance), SOFTRELU_OK);
    const double loss = loss_at(solving, x);
    assert_int_equal(softrelu_evaluator_loss(solving->evaluator, NULL, &parts[0], &parts[1], &parts[2]), SOFTRELU_OK);
    assert_int_equal(
        softrelu_evaluator_stationarity(solving->evaluator, kink_tolerance, &residual, &relative, &pinned, &concave),
        SOFTRELU_OK);
    assert_true(fabs(loss - outcome.loss) <= allowed);
    assert_true(fabs(parts[0] - report_number(solver, SOFTRELU_REPORT_LOSS_FIT)) <= allowed);
    assert_true(fabs(parts[1] - report_number(solver, SOFTRELU_REPORT_LOSS_WEIGHTS)) <= allowed);
    assert_true(fabs(parts[2] - report_number(solver, SOFTRELU_REPORT_LOSS_PROXIMITY)) <= allowed);
    if (outcome.termination == SOFTRELU_CONVERGED) {
        assert_true(relative <= tolerance);
        assert_true(outcome.relative <= tolerance);
        assert_int_equal(concave, 0);
        assert_true(report_number(solver, SOFTRELU_REPORT_CONCAVE_KINKS) == 0.0);
        assert_true(report_number(solver, SOFTRELU_REPORT_PINNED_KINKS) == (double)pinned);
    }
    free(x);
}

static void check_trace(const struct solving *solving, struct outcome outcome, double allowed) {
    const softrelu_solver *solver = solving->solver;
    const int64_t length = softrelu_report_trace_length(softrelu_solver_report(solver));
    int64_t capacity = -1;
    assert_int_equal(softrelu_solver_get_integer(solver, SOFTRELU_SETTING_TRACE_LENGTH, &capacity), SOFTRELU_OK);
    assert_true(length <= capacity);
    for (int64_t k = 0; k < length; k++) {
        const double loss = trace_number(solver, k, SOFTRELU_TRACE_LOSS);
        if (!(outcome.loss <= loss + allowed))
            fail_msg("returned loss %.17g above %.17g of record %lld by %g, noise %g", outcome.loss, loss, (long long)k,
                     outcome.loss - loss, allowed);
        assert_true(trace_number(solver, k, SOFTRELU_TRACE_SHIFT) >= 0.0);
        assert_true(trace_number(solver, k, SOFTRELU_TRACE_RESIDUAL) >= 0.0);
        if (k == 0)
            continue;
        assert_true(trace_number(solver, k, SOFTRELU_TRACE_ITERATION) ==
                    trace_number(solver, k - 1, SOFTRELU_TRACE_ITERATION) + 1.0);
        assert_true(loss <= trace_number(solver, k - 1, SOFTRELU_TRACE_LOSS) + allowed);
        assert_true(trace_number(solver, k, SOFTRELU_TRACE_EVALUATIONS) >
                    trace_number(solver, k - 1, SOFTRELU_TRACE_EVALUATIONS));
        assert_true(trace_number(solver, k, SOFTRELU_TRACE_SECONDS) >= trace_number(solver, k - 1, SOFTRELU_TRACE_SECONDS));
        assert_true(trace_number(solver, k, SOFTRELU_TRACE_STEP_SCALE) > 0.0);
    }
    if (length == 0)
        return;
    assert_true(trace_number(solver, length - 1, SOFTRELU_TRACE_ITERATION) == outcome.iterations);
    assert_true(trace_number(solver, length - 1, SOFTRELU_TRACE_EVALUATIONS) <= outcome.evaluations);
}

struct outcome solve_and_check(struct solving *solving) {
    if (softrelu_solver_solve(solving->solver) != SOFTRELU_OK)
        fail_msg("solve: %s", softrelu_solver_message(solving->solver));
    const softrelu_solver *solver = solving->solver;
    const struct outcome outcome = {
        softrelu_report_termination(softrelu_solver_report(solver)), report_number(solver, SOFTRELU_REPORT_LOSS),
        report_number(solver, SOFTRELU_REPORT_RESIDUAL_RELATIVE), report_number(solver, SOFTRELU_REPORT_ITERATIONS),
        report_number(solver, SOFTRELU_REPORT_EVALUATIONS)};
    assert_int_not_equal(outcome.termination, SOFTRELU_NOT_RUN);
    assert_true(isfinite(outcome.loss) && outcome.evaluations >= 1.0);
    const double allowed = noise_at_solution(solving);
    check_point(solving, outcome, allowed);
    check_trace(solving, outcome, allowed);
    return outcome;
}
