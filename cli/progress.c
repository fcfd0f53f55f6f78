/* SPDX-License-Identifier: BSD-3-Clause */
#include "progress.h"

#include "interrupt.h"

#include <stdio.h>

struct column {
    softrelu_quantity quantity;
    const char *heading;
    int width;
    const char *format; /* of a double, with the width as its argument */
};

/* 78 columns in all. */
static const struct column columns[] = {
    {SOFTRELU_TRACE_ITERATION, "iter", 6, "%*.0f"},      {SOFTRELU_TRACE_LOSS, "loss", 16, "%*.8e"},
    {SOFTRELU_TRACE_RESIDUAL, "residual", 10, "%*.2e"},  {SOFTRELU_TRACE_PINNED_KINKS, "pinned", 7, "%*.0f"},
    {SOFTRELU_TRACE_ACTIVE_UNITS, "active", 7, "%*.0f"}, {SOFTRELU_TRACE_FLIPS, "flips", 6, "%*.0f"},
    {SOFTRELU_TRACE_STEP_SCALE, "step", 9, "%*.1e"},     {SOFTRELU_TRACE_SHIFT, "shift", 9, "%*.1e"},
    {SOFTRELU_TRACE_SECONDS, "time/s", 8, "%*.2f"},
};
enum { COLUMN_COUNT = sizeof columns / sizeof columns[0] };

static void print_heading(void) {
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        (void)fprintf(stderr, "%*s", columns[i].width, columns[i].heading);
    }
    (void)fputc('\n', stderr);
}

#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* the formats are those of the table above */
#endif
static void print_record(const softrelu_report *report, int64_t record) {
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        double value = 0;
        if (softrelu_report_trace_number(report, record, columns[i].quantity, &value) == SOFTRELU_OK) {
            (void)fprintf(stderr, columns[i].format, columns[i].width, value);
        }
    }
    (void)fputc('\n', stderr);
}
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

int progress_iteration(const softrelu_report *report, void *user) {
    struct progress *progress = user;
    if (interrupt_signal() != 0) {
        softrelu_solver_request_stop(progress->solver);
    }
    const int64_t records = softrelu_report_trace_length(report);
    if (progress->shown && records > 0) {
        if (!progress->begun) {
            print_heading();
            progress->begun = true;
        }
        print_record(report, records - 1);
    }
    return 0;
}
