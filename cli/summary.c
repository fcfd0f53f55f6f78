/* SPDX-License-Identifier: BSD-3-Clause */
#include "summary.h"

#include "certificate_text.h"
#include "interrupt.h"
#include "outputs.h"
#include "outputs_table.h"
#include "text.h"

#include <math.h>

static double number(const softrelu_report *report, softrelu_quantity quantity) {
    double value = NAN;
    (void)softrelu_report_number(report, quantity, &value);
    return value;
}

/* "1 iteration", "2 iterations". */
static void print_count(double count, const char *singular, const char *plural) {
    printf("%.0f %s", count, count == 1 ? singular : plural);
}

static void print_termination(softrelu_termination termination) {
    const char *text = softrelu_termination_text(termination);
    if (termination == SOFTRELU_STOP_REQUESTED && interrupt_signal() != 0) {
        text = interrupt_text();
    }
    const char *name = softrelu_termination_name(termination);
    const int used = printf("%s: ", name);
    text_fold(stdout, used, 2, text);
}

/* What to try, for ends that the user can do something about. */
static void print_advice(softrelu_termination termination) {
    static const struct {
        softrelu_termination termination;
        const char *text;
    } advice[] = {
        {SOFTRELU_ITERATION_LIMIT, "More iterations: --max-iterations N. To go on from here: --x0 with the file of --out."},
        {SOFTRELU_EVALUATION_LIMIT,
         "More evaluations: --set max_evaluations=N. To go on from here: --x0 with the file of --out."},
        {SOFTRELU_TIME_LIMIT, "More time: --time-limit SECONDS. To go on from here: --x0 with the file of --out."},
        {SOFTRELU_STOP_REQUESTED, "This is the best point found so far. To go on from here: --x0 with the file of --out."},
        {SOFTRELU_NO_PROGRESS, "If the residual is good enough for you, --tolerance T accepts it."},
        {SOFTRELU_NUMERICAL_FAILURE, "Regularisation (--w or --rho) makes the Newton matrix easier to factor."},
    };
    for (size_t i = 0; i < sizeof advice / sizeof advice[0]; i++) {
        if (advice[i].termination == termination) {
            putchar('\n');
            text_fold(stdout, 0, 0, advice[i].text);
        }
    }
}

static void print_loss(const softrelu_report *report) {
    printf("  loss       %.12g\n", number(report, SOFTRELU_REPORT_LOSS));
    const double weights = number(report, SOFTRELU_REPORT_LOSS_WEIGHTS);
    const double proximity = number(report, SOFTRELU_REPORT_LOSS_PROXIMITY);
    if (weights != 0 || proximity != 0) { /* otherwise the fit is all of it */
        printf("             = fit %.6g + weights %.6g + proximity %.6g\n", number(report, SOFTRELU_REPORT_LOSS_FIT), weights,
               proximity);
    }
}

static void print_work(const softrelu_report *report, int64_t m) {
    printf("  work       ");
    print_count(number(report, SOFTRELU_REPORT_ITERATIONS), "iteration, ", "iterations, ");
    print_count(number(report, SOFTRELU_REPORT_EVALUATIONS), "evaluation, ", "evaluations, ");
    printf("%.3g s\n", number(report, SOFTRELU_REPORT_SECONDS));
    const double rows = number(report, SOFTRELU_REPORT_SAMPLE_ROWS);
    const double products = number(report, SOFTRELU_REPORT_HESSIAN_PRODUCTS);
    if (rows > 0) {
        printf("  samples    up to %.0f of the Jacobian's %lld rows; ", rows, (long long)m);
        print_count(number(report, SOFTRELU_REPORT_SAMPLE_ENLARGEMENTS), "enlargement, ", "enlargements, ");
        print_count(number(report, SOFTRELU_REPORT_SAMPLE_FALLBACKS), "fallback\n", "fallbacks\n");
    }
    if (products > 0) {
        printf("  products   %.0f with the Hessian, by conjugate gradients\n", products);
    }
}

/* What the point is, and why not more. */
static void print_point(const struct solve_result *result) {
    const softrelu_certificate *certificate = softrelu_solver_certificate(result->solver);
    const softrelu_reason reason = softrelu_certificate_reason(certificate);
    const double bounds = number(softrelu_solver_report(result->solver), SOFTRELU_REPORT_ACTIVE_BOUNDS);
    if (result->inputs->input[INPUT_LOWER].path != NULL || result->inputs->input[INPUT_LOWER].number_text != NULL ||
        result->inputs->input[INPUT_UPPER].path != NULL || result->inputs->input[INPUT_UPPER].number_text != NULL) {
        printf("  bounds     %.0f active\n", bounds);
    }
    double global = 0;
    (void)softrelu_certificate_number(certificate, SOFTRELU_CERTIFICATE_GLOBAL, &global);
    printf("  point      %s%s\n", softrelu_verdict_name(softrelu_certificate_verdict(certificate)),
           global == 1 ? ", the global minimiser" : "");
    if (reason != SOFTRELU_REASON_NONE) {
        printf("%13s", "");
        text_fold(stdout, 13 + printf("%s: ", softrelu_reason_name(reason)), 13, softrelu_reason_text(reason));
    }
    certificate_print_distance(certificate);
}

void summary_print(const struct solve_result *result, const double *f, const struct arguments *arguments) {
    const softrelu_report *report = softrelu_solver_report(result->solver);
    const softrelu_termination termination = softrelu_report_termination(report);
    const int64_t *size = result->inputs->size;
    print_termination(termination);
    printf("\n  problem    n = %lld, d = %lld, m = %lld, %s\n", (long long)size[DIMENSION_N], (long long)size[DIMENSION_D],
           (long long)size[DIMENSION_M], result->loss == SOFTRELU_KL ? "kl" : "squares");
    print_loss(report);
    printf("  residual   %.3g (relative %.3g)\n", number(report, SOFTRELU_REPORT_RESIDUAL),
           number(report, SOFTRELU_REPORT_RESIDUAL_RELATIVE));
    printf("  kinks      ");
    print_count(number(report, SOFTRELU_REPORT_PINNED_KINKS), "unit pinned at its kink\n", "units pinned at their kinks\n");
    print_point(result);
    print_work(report, size[DIMENSION_M]);
    putchar('\n');
    outputs_table_print(f, result->inputs->input[INPUT_B].array.values, size[DIMENSION_M], result->inputs->names);
    putchar('\n');
    outputs_print(arguments, "x");
    if (termination == SOFTRELU_CONVERGED) {
        certificate_print_advice(softrelu_solver_certificate(result->solver));
    } else {
        print_advice(termination);
    }
}
