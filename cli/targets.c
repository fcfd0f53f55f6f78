/* SPDX-License-Identifier: BSD-3-Clause */
#include "targets.h"

#include "archive.h"
#include "clock.h"
#include "interrupt.h"
#include "live.h"
#include "outputs.h"
#include "problem.h"
#include "report_json.h"

#include <math.h>
#include <stdlib.h>

enum { LISTED = 5, EVERY = 100 }; /* failures that the summary lists; targets between two lines of progress */

struct progress_of_targets {
    softrelu_batch *batch;
    int64_t targets, ended;
    bool listed; /* a line now and then, for --verbose */
    struct live live;
};

static void draw(struct progress_of_targets *progress) {
    const double done = (double)progress->ended;
    const double seconds = live_seconds(&progress->live);
    struct live_part bar = {.rank = 3, .is_bar = true, .text = "[", .end = "]", .done = done / (double)progress->targets};
    const struct live_part parts[LIVE_PARTS] = {
        live_text(1, "%lld/%lld targets", (long long)progress->ended, (long long)progress->targets), bar,
        live_text(2, "%.1f s", seconds), live_text(4, "%.3g targets/s", done / seconds)};
    live_draw(&progress->live, parts);
}

/* A softrelu_batch_callback. Also hands on a signal that came before the batch listened. */
static int count_target(int64_t target, const softrelu_report *report, void *user) {
    struct progress_of_targets *progress = user;
    if (interrupt_signal() != 0) {
        softrelu_batch_request_stop(progress->batch);
    }
    const bool under_way = softrelu_report_termination(report) == SOFTRELU_NOT_RUN &&
                           softrelu_batch_status(progress->batch, target) == SOFTRELU_OK;
    progress->ended += !under_way;
    if (progress->listed && !under_way && (progress->ended % EVERY == 0 || progress->ended == progress->targets)) {
        (void)fprintf(stderr, "%lld of %lld targets\n", (long long)progress->ended, (long long)progress->targets);
    }
    if (live_is_due(&progress->live)) {
        draw(progress);
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
    struct progress_of_targets progress = {.batch = batch, .targets = inputs->targets, .listed = arguments->verbose};
    live_begin(&progress.live, !arguments->quiet && !arguments->verbose);
    softrelu_status status = give_columns(batch, inputs);
    if (status == SOFTRELU_OK) {
        status = softrelu_batch_set_callback(batch, count_target, &progress);
    }
    if (status == SOFTRELU_OK) {
        interrupt_begin_batch(batch);
        status = softrelu_solve_batch(batch, inputs->targets, x, inputs->size[DIMENSION_D]);
        interrupt_end();
    }
    live_end(&progress.live);
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
    const int threads = softrelu_batch_threads(result->batch);
    printf("  work       %.3g s on %d thread%s, %.4g targets/s\n", result->seconds, threads, threads == 1 ? "" : "s",
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
    if (result->converged < result->inputs->targets && arguments->report == NULL) {
        puts("\nThe report says of each target how it ended: --report FILE.");
    }
}

static json_t *report_of_targets(const void *result) { return batch_json(result); }

/* What the targets get, in rows of nan until they have it. */
struct results {
    double *x; /* targets x d */
    double *f; /* targets x m, for a file that holds it; else NULL */
};

/* Rows of nan; NULL for want of memory. */
static double *empty_rows(int64_t rows, int64_t length) {
    if ((uint64_t)rows > SIZE_MAX / sizeof(double) / (uint64_t)length) {
        return NULL;
    }
    double *values = malloc((size_t)(rows * length) * sizeof *values);
    for (int64_t i = 0; values != NULL && i < rows * length; i++) {
        values[i] = NAN;
    }
    return values;
}

static enum outcome results_allocate(const struct arguments *arguments, const struct inputs *inputs, struct results *results,
                                     struct failure *failure) {
    const bool with_f = arguments->out != NULL && archive_is_named(arguments->out);
    results->x = empty_rows(inputs->targets, inputs->size[DIMENSION_D]);
    results->f = with_f ? empty_rows(inputs->targets, inputs->size[DIMENSION_M]) : NULL;
    return results->x != NULL && (results->f != NULL || !with_f)
               ? OUTCOME_OK
               : fail(failure, OUTCOME_RESOURCES, "out of memory for the results of %lld targets%s", (long long)inputs->targets,
                      with_f ? "; an --out that ends in .npy holds x alone" : "");
}

static enum outcome finish(const struct arguments *arguments, const struct session *session, struct batch_result *result,
                           const struct results *results, struct failure *failure) {
    const struct inputs *inputs = result->inputs;
    const int64_t rows = inputs->targets;
    const softrelu_status status =
        results->f != NULL ? problem_predict_rows(session->problem, inputs, rows, results->x, results->f) : SOFTRELU_OK;
    if (status != SOFTRELU_OK) {
        return fail_status(failure, status, "f cannot be evaluated at the results", "");
    }
    count_results(result);
    const struct contents contents = {.x = results->x,
                                      .rows = rows,
                                      .length = rows * inputs->size[DIMENSION_D],
                                      .make = report_of_targets,
                                      .argument = result,
                                      .f = results->f,
                                      .f_length = rows * inputs->size[DIMENSION_M]};
    const enum outcome outcome = outputs_write(arguments, &contents, failure);
    if (outcome == OUTCOME_OK && arguments->summary) {
        print_summary(arguments, result);
    }
    return outcome == OUTCOME_OK && result->converged < rows ? OUTCOME_STOPPED : outcome;
}

static enum outcome solve_all(const struct arguments *arguments, const struct session *session, softrelu_batch *batch,
                              const struct results *results, struct failure *failure) {
    const double began = clock_seconds();
    const enum outcome outcome = run(arguments, &session->inputs, batch, results->x, failure);
    struct batch_result result = {&session->inputs, session->solver, batch, arguments->loss, clock_seconds() - began, 0, 0, 0};
    return outcome == OUTCOME_OK ? finish(arguments, session, &result, results, failure) : outcome;
}

enum outcome solve_targets(const struct arguments *arguments, const struct session *session, struct failure *failure) {
    struct results results = {0};
    softrelu_batch *batch = NULL;
    enum outcome outcome = results_allocate(arguments, &session->inputs, &results, failure);
    if (outcome == OUTCOME_OK) { /* the BLAS of this process is the program's own, to be set as it likes */
        const softrelu_status status = softrelu_batch_create(session->solver, session->inputs.targets, (int)arguments->threads,
                                                             SOFTRELU_BLAS_ONE_THREAD, &batch);
        outcome = status == SOFTRELU_OK ? solve_all(arguments, session, batch, &results, failure)
                                        : fail_status(failure, status, "the batch cannot be made", "");
    }
    softrelu_batch_destroy(batch);
    free(results.x);
    free(results.f);
    return outcome;
}
