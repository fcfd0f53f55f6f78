/* SPDX-License-Identifier: BSD-3-Clause */
#include "outputs.h"

#include "archive.h"
#include "json.h"
#include "output.h"

#include <string.h>

/* Each file, and how its stream is filled: false when it cannot be written. */
struct kind {
    const char *flag;
    const char *(*path)(const struct arguments *arguments);
    bool (*write)(FILE *stream, const struct arguments *arguments, const struct contents *contents, json_t *report);
};

static const char *path_of_x(const struct arguments *arguments) { return arguments->out; }
static const char *path_of_report(const struct arguments *arguments) { return arguments->report; }
static const char *path_of_page(const struct arguments *arguments) { return arguments->html; }
static const char *path_of_plot(const struct arguments *arguments) { return arguments->svg; }

static struct npy_array output_array(double *values, int64_t rows, int64_t length) {
    struct npy_array array = {.values = values};
    array.header.dimensions = rows > 0 ? 2 : 1;
    array.header.shape[0] = rows > 0 ? rows : length;
    array.header.shape[1] = rows > 0 ? length / rows : 0;
    array.header.count = length;
    return array;
}

/* With what an archive can hold besides: f, and the report. */
static bool write_x(FILE *stream, const struct arguments *arguments, const struct contents *contents, json_t *report) {
    const int64_t rows = contents->rows;
    struct npy_array x = output_array(contents->x, rows, contents->length);
    struct npy_array f = output_array(contents->f, rows, contents->f_length);
    const struct archive_entry entries[] = {{"x", &x}, {"f", &f}};
    return archive_write(stream, arguments->out, entries, contents->f != NULL ? 2 : 1, report);
}

static bool write_report(FILE *stream, const struct arguments *arguments, const struct contents *contents, json_t *report) {
    (void)arguments;
    (void)contents;
    return json_write(stream, report);
}

static bool write_page(FILE *stream, const struct arguments *arguments, const struct contents *contents, json_t *report) {
    (void)arguments;
    struct page page = *contents->page;
    page.report = report;
    page_write(stream, &page);
    return ferror(stream) == 0;
}

static bool write_plot(FILE *stream, const struct arguments *arguments, const struct contents *contents, json_t *report) {
    (void)arguments;
    (void)contents;
    page_write_plot(stream, report);
    return ferror(stream) == 0;
}

static const struct kind kinds[] = {{"out", path_of_x, write_x},
                                    {"report", path_of_report, write_report},
                                    {"html", path_of_page, write_page},
                                    {"svg", path_of_plot, write_plot}};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

enum outcome outputs_check(const struct arguments *arguments, struct failure *failure) {
    struct output outputs[KINDS] = {0};
    enum outcome outcome = arguments->out != NULL ? archive_check(arguments->out, failure) : OUTCOME_OK;
    for (int i = 0; i < KINDS && outcome == OUTCOME_OK; i++) {
        const char *path = kinds[i].path(arguments);
        outcome = path != NULL ? output_begin(&outputs[i], path, failure) : OUTCOME_OK;
        for (int j = 0; j < i && outcome == OUTCOME_OK; j++) {
            if (outputs[i].target != NULL && outputs[j].target != NULL && strcmp(outputs[i].target, outputs[j].target) == 0) {
                outcome = fail(failure, OUTCOME_BAD_INPUT, "--%s and --%s both name '%s'", kinds[j].flag, kinds[i].flag, path);
            }
        }
    }
    for (int i = 0; i < KINDS; i++) {
        output_discard(&outputs[i]);
    }
    return outcome;
}

enum outcome shape_check(const struct arguments *arguments, int64_t d, struct failure *failure) {
    const int64_t entries = arguments->rows * arguments->columns;
    return entries == 0 || entries == d
               ? OUTCOME_OK
               : fail(failure, OUTCOME_BAD_INPUT, "--shape %lldx%lld: x has %lld entries, not %lld", (long long)arguments->rows,
                      (long long)arguments->columns, (long long)d, (long long)entries);
}

static bool is_written(const struct arguments *arguments, const struct contents *contents, int kind) {
    return kinds[kind].path(arguments) != NULL && (kinds[kind].write != write_x || contents->x != NULL);
}

static enum outcome fill_all(const struct arguments *arguments, const struct contents *contents, json_t *report,
                             struct output *outputs, int *count, struct failure *failure) {
    enum outcome outcome = OUTCOME_OK;
    for (int i = 0; i < KINDS && outcome == OUTCOME_OK; i++) {
        if (is_written(arguments, contents, i)) {
            struct output *output = &outputs[(*count)++];
            outcome = output_begin(output, kinds[i].path(arguments), failure);
            if (outcome == OUTCOME_OK) {
                const bool written = kinds[i].write(output->stream, arguments, contents, report);
                outcome = output_complete(output, written, failure);
            }
        }
    }
    return outcome == OUTCOME_OK ? output_commit(outputs, *count, failure) : outcome;
}

enum outcome outputs_write(const struct arguments *arguments, const struct contents *contents, struct failure *failure) {
    struct output outputs[KINDS] = {0};
    int count = 0;
    json_t *report = NULL;
    const bool with_x = contents->x != NULL && arguments->out != NULL && archive_is_named(arguments->out);
    if (with_x || arguments->json || arguments->report != NULL || arguments->html != NULL || arguments->svg != NULL) {
        report = contents->make(contents->argument);
        if (report == NULL) {
            return fail(failure, OUTCOME_RESOURCES, "out of memory for the report");
        }
    }
    enum outcome outcome = fill_all(arguments, contents, report, outputs, &count, failure);
    for (int i = 0; i < count; i++) {
        output_discard(&outputs[i]);
    }
    if (outcome == OUTCOME_OK && arguments->json) {
        outcome = json_print(json_incref(report), failure);
    }
    json_decref(report);
    return outcome;
}

void outputs_print(const struct arguments *arguments, const char *name_of_x) {
    static const char *const names[KINDS] = {NULL, "report", "page", "plot"};
    for (int i = 0; i < KINDS; i++) {
        const char *name = i == 0 ? name_of_x : names[i];
        if (kinds[i].path(arguments) != NULL && name != NULL) {
            printf("%s written to %s\n", name, kinds[i].path(arguments));
        } else if (i == 0 && name != NULL) {
            printf("%s was not written (--out FILE does).\n", name);
        }
    }
}
