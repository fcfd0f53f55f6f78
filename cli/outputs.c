/* SPDX-License-Identifier: BSD-3-Clause */
#include "outputs.h"

#include "npy_stream.h"
#include "output.h"

#include <string.h>

enum outcome outputs_check(const struct arguments *arguments, struct failure *failure) {
    struct output out = {0};
    struct output report = {0};
    enum outcome outcome = arguments->out != NULL ? output_begin(&out, arguments->out, failure) : OUTCOME_OK;
    if (outcome == OUTCOME_OK && arguments->report != NULL) {
        outcome = output_begin(&report, arguments->report, failure);
    }
    if (outcome == OUTCOME_OK && out.target != NULL && report.target != NULL && strcmp(out.target, report.target) == 0) {
        outcome = fail(failure, OUTCOME_BAD_INPUT, "--out and --report both name '%s'", arguments->report);
    }
    output_discard(&out);
    output_discard(&report);
    return outcome;
}

static enum outcome fill_x(const double *x, int64_t rows, int64_t length, struct output *output, const char *path,
                           struct failure *failure) {
    enum outcome outcome = output_begin(output, path, failure);
    if (outcome == OUTCOME_OK) {
        const int64_t shape[] = {rows > 0 ? rows : length, rows > 0 ? length / rows : 0};
        const bool written = npy_write_stream(output->stream, x, shape, rows > 0 ? 2 : 1, false);
        outcome = output_complete(output, written, failure);
    }
    return outcome;
}

static enum outcome fill_report(json_t *(*make)(const void *), const void *argument, struct output *output, const char *path,
                                struct failure *failure) {
    json_t *report = make(argument);
    if (report == NULL) {
        return fail(failure, OUTCOME_RESOURCES, "out of memory for the report");
    }
    enum outcome outcome = output_begin(output, path, failure);
    if (outcome == OUTCOME_OK) {
        const bool written = json_dumpf(report, output->stream, JSON_INDENT(2)) == 0 && fputc('\n', output->stream) != EOF;
        outcome = output_complete(output, written, failure);
    }
    json_decref(report);
    return outcome;
}

enum outcome outputs_write(const struct arguments *arguments, const double *x, int64_t rows, int64_t length,
                           json_t *(*make)(const void *), const void *argument, struct failure *failure) {
    enum { OUTPUTS = 2 };
    struct output outputs[OUTPUTS] = {0};
    int count = 0;
    enum outcome outcome = OUTCOME_OK;
    if (arguments->out != NULL && x != NULL) {
        outcome = fill_x(x, rows, length, &outputs[count++], arguments->out, failure);
    }
    if (outcome == OUTCOME_OK && arguments->report != NULL) {
        outcome = fill_report(make, argument, &outputs[count++], arguments->report, failure);
    }
    if (outcome == OUTCOME_OK) {
        outcome = output_commit(outputs, count, failure);
    }
    for (int i = 0; i < count; i++) {
        output_discard(&outputs[i]);
    }
    return outcome;
}
