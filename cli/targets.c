/* SPDX-License-Identifier: BSD-3-Clause */
#define _POSIX_C_SOURCE 200809L
#include "targets.h"

#include "interrupt.h"
#include "outputs.h"
#include "problem.h"
#include "report_json.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { LISTED = 5, EVERY = 100 }; /* failures that the summary lists; targets between two lines of progress */

struct progress_of_targets {
    softrelu_batch *batch;
    int64_t targets, ended;
    bool shown, terminal;
};

static double now(void) {
    struct timespec time = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* A softrelu_batch_callback. Also hands on a signal that came before the batch listened. */
static int count_target(int64_t target, const softrelu_report *report, void *user) {
    struct progress_of_targets *progress = user;
    if (interrupt_signal() != 0) {
        softrelu_batch_request_stop(progress->batch);
    }
    if (softrelu_report_termination(report) == SOFTRELU_NOT_RUN &&
        softrelu_batch_status(progress->batch, target) == SOFTRELU_OK) {
        return 0; /* under way */
    }
    progress->ended++;
    if (progress->shown && (progress->ended % EVERY == 0 || progress->ended == progress->targets)) {
        (void)fprintf(stderr, "%s%lld of %lld targets%s", progress->terminal ? "\r" : "", (long long)progress->ended,
                      (long long)progress->targets, progress->terminal ? "" : "\n");
    }
    return 0;
}

static softrelu_status give_columns(softrelu_batch *batch, const struct inputs *inputs) {
    static const struct {
        enum input_id id;
        softrelu_array array;
    } columns[] = {{INPUT_B, SOFTRELU_B},
                   {INPUT_X0, SOFTRELU_X0},
                   {INPUT_X_REF, SOFTRELU_X_REF},
                   {INPUT_LOWER, SOFTRELU_LOWER},
                   {INPUT_UPPER, SOFTRELU_UPPER}};
    softrelu_status status = SOFTRELU_OK;
    for (size_t i = 0; i < sizeof columns / sizeof columns[0] && status == SOFTRELU_OK; i++) {
        const struct input *input = &inputs->input[columns[i].id];
        if (input->by_target) {
            status = softrelu_batch_set_columns(batch, columns[i].array, input->array.values, input->array.header.shape[1]);
        }
    }
    return status;
}

static enum outcome run(const struct arguments *arguments, const struct inputs *inputs, softrelu_batch *batch, double *x,
                        struct failure *failure) {
    struct progress_of_targets progress = {.batch = batch, .targets = inputs->targets, .terminal = isatty(STDERR_FILENO) == 1};
    progress.shown = !arguments->quiet && (arguments->verbose || progress.terminal);
    softrelu_status status = give_columns(batch, inputs);
    if (status == SOFTRELU_OK) {
        status = softrelu_batch_set_callback(batch, count_target, &progress);
    }
    if (status == SOFTRELU_OK) {
        interrupt_begin_batch(batch);
        status = softrelu_solve_batch(batch, inputs->targets, x, inputs->size[DIMENSION_D]);
        interrupt_end();
    }
    if (progress.shown && progress.terminal) {
        (void)fputc('\n', stderr);
    }
    return status == SOFTRELU_OK ? OUTCOME_OK : fail_status(failure, status, "the batch failed", softrelu_batch_message(batch));
}

static void count_results(struct batch_result *result) {
    for (int64_t t = 0; t < result->inputs->targets; t++) {
        const softrelu_certificate *certificate = softrelu_batch_certificate(result->batch, t);
        result->failed += softrelu_batch_status(result->batch, t) != SOFTRELU_OK;
        result->converged += softrelu_report_termination(softrelu_batch_report(result->batch, t)) == SOFTRELU_CONVERGED;
        result->certified += softrelu_certificate_verdict(certificate) == SOFTRELU_VERDICT_CERTIFIED;
    }
}

static void print_failures(const struct batch_result *result) {
    int64_t listed = 0;
    for (int64_t t = 0; t < result->inputs->targets && listed < LISTED; t++) {
        if (softrelu_batch_status(result->batch, t) != SOFTRELU_OK) {
            printf("  target %lld: %s\n", (long long)t, softrelu_batch_target_message(result->batch, t));
            listed++;
        }
    }
    if (result->failed > listed) {
        printf("  and %lld more\n", (long long)(result->failed - listed));
    }
}

static void print_summary(const struct arguments *arguments, const struct batch_result *result) {
    const int64_t *size = result->inputs->size;
    printf("%lld of %lld targets converged\n\n", (long long)result->converged, (long long)result->inputs->targets);
    printf("  problem    n = %lld, d = %lld, m = %lld, %s\n", (long long)size[DIMENSION_N], (long long)size[DIMENSION_D],
           (long long)size[DIMENSION_M], result->loss == SOFTRELU_KL ? "kl" : "squares");
    printf("  points     %lld certified local minimisers\n", (long long)result->certified);
    printf("  work       %.3g s on %d thread(s), %.4g targets/s\n", result->seconds, softrelu_batch_threads(result->batch),
           (double)result->inputs->targets / fmax(result->seconds, 1e-9));
    if (interrupt_signal() != 0) {
        printf("  stopped    %s\n", interrupt_text());
    }
    if (result->failed > 0) {
        printf("\n%lld failed:\n", (long long)result->failed);
        print_failures(result);
    }
    putchar('\n');
    outputs_print(arguments, "x");
}

static json_t *report_of_targets(const void *result) { return batch_json(result); }

static enum outcome finish(const struct arguments *arguments, struct batch_result *result, double *x, struct failure *failure) {
    const int64_t rows = result->inputs->targets;
    count_results(result);
    const enum outcome outcome = outputs_write(
        arguments,
        &(struct contents){x, rows, rows * result->inputs->size[DIMENSION_D], report_of_targets, result, NULL, NULL, 0},
        failure);
    if (outcome == OUTCOME_OK && !arguments->quiet) {
        print_summary(arguments, result);
    }
    return outcome == OUTCOME_OK && result->converged < rows ? OUTCOME_STOPPED : outcome;
}

/* Rows of nan, for targets that get none. */
static double *empty_rows(int64_t rows, int64_t length) {
    if ((uint64_t)rows > SIZE_MAX / sizeof(double) / (uint64_t)length) {
        return NULL;
    }
    double *x = malloc((size_t)(rows * length) * sizeof *x);
    for (int64_t i = 0; x != NULL && i < rows * length; i++) {
        x[i] = NAN;
    }
    return x;
}

enum outcome solve_targets(const struct arguments *arguments, const struct inputs *inputs, const softrelu_solver *solver,
                           struct failure *failure) {
    softrelu_batch *batch = NULL;
    double *x = empty_rows(inputs->targets, inputs->size[DIMENSION_D]);
    /* the BLAS of this process is the program's own, to be set as it likes */
    const softrelu_status status =
        x != NULL ? softrelu_batch_create(solver, inputs->targets, (int)arguments->threads, SOFTRELU_BLAS_ONE_THREAD, &batch)
                  : SOFTRELU_ERROR_MEMORY;
    enum outcome outcome = status == SOFTRELU_OK ? OUTCOME_OK : fail_status(failure, status, "the batch cannot be made", "");
    if (outcome == OUTCOME_OK) {
        const double began = now();
        outcome = run(arguments, inputs, batch, x, failure);
        struct batch_result result = {inputs, solver, batch, arguments->loss, now() - began, 0, 0, 0};
        if (outcome == OUTCOME_OK) {
            outcome = finish(arguments, &result, x, failure);
        }
    }
    softrelu_batch_destroy(batch);
    free(x);
    return outcome;
}
