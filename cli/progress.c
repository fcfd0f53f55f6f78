/* SPDX-License-Identifier: BSD-3-Clause */
#include "progress.h"

#include "interrupt.h"

#include <math.h>
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
static const double ROUND_OFF = 1e-16; /* relative: where a tolerance of 0 ends */

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

static void print_row(struct progress *progress, const softrelu_report *report) {
    const int64_t records = softrelu_report_trace_length(report);
    if (records > 0 && !progress->begun) {
        print_heading();
        progress->begun = true;
    }
    if (records > 0) {
        print_record(report, records - 1);
    }
}

/* How far the residual has come on its way from the decade it began in to that of the tolerance. */
static struct live_part residual_bar(int rank, const struct progress *progress) {
    const double from = ceil(log10(fmax(progress->first_relative, ROUND_OFF)));
    const double to = fmin(floor(log10(fmax(progress->tolerance, ROUND_OFF))), from - 1);
    const double at = log10(fmax(progress->relative, ROUND_OFF));
    struct live_part bar = {.rank = rank, .is_bar = true, .done = (from - at) / (from - to)};
    (void)snprintf(bar.text, sizeof bar.text, "1e%.0f [", from);
    (void)snprintf(bar.end, sizeof bar.end, "] 1e%.0f", to);
    return bar;
}

static void draw(struct progress *progress) {
    enum { ITERATION = 1, RESIDUAL, SOLVE, BAR, TIME, LOSS, KINKS, NONE = 0 }; /* in order of importance */
    const bool started = progress->solves > 0;
    const struct live_part parts[LIVE_PARTS] = {
        live_text(started ? NONE : ITERATION, "starting"),
        live_text(started ? ITERATION : NONE, "iter %.0f", progress->iteration),
        live_text(started && progress->starts > 1 ? SOLVE : NONE, "start %lld/%lld", (long long)progress->solves,
                  (long long)progress->starts),
        live_text(started ? LOSS : NONE, "loss %.3e", progress->loss),
        live_text(started ? RESIDUAL : NONE, "residual %.1e", progress->relative),
        residual_bar(started ? BAR : NONE, progress),
        live_text(started ? KINKS : NONE, "kinks %.0f", progress->pinned),
        live_text(TIME, "%.1f s", live_seconds(&progress->live)),
    };
    live_draw(&progress->live, parts);
}

static double last_passed(const struct progress *progress, softrelu_path quantity) {
    double value = NAN;
    const int64_t last = softrelu_counterfactual_path_length(progress->search) - 1;
    (void)softrelu_counterfactual_path_number(progress->search, last, quantity, &value);
    return value;
}

/* Of a search the solves are the steps, and what they have come to is what counts. */
static void draw_search(struct progress *progress) {
    enum { STEP = 1, PROBABILITY, RHO, DISTANCE, TIME, ITERATION, RESIDUAL, NONE = 0 };
    const int64_t passed = softrelu_counterfactual_path_length(progress->search);
    const struct live_part parts[LIVE_PARTS] = {
        live_text(STEP, "step %lld", (long long)passed),
        live_text(passed > 1 ? RHO : NONE, "rho %.1e", last_passed(progress, SOFTRELU_PATH_RHO)),
        live_text(passed > 0 ? PROBABILITY : NONE, "probability %.4f", last_passed(progress, SOFTRELU_PATH_CONFIDENCE)),
        live_text(passed > 0 ? DISTANCE : NONE, "distance %.4g", last_passed(progress, SOFTRELU_PATH_DISTANCE)),
        live_text(progress->solves > 0 ? ITERATION : NONE, "iter %.0f", progress->iteration),
        live_text(progress->solves > 0 ? RESIDUAL : NONE, "residual %.1e", progress->relative),
        live_text(TIME, "%.1f s", live_seconds(&progress->live)),
    };
    live_draw(&progress->live, parts);
}

/* A softrelu_interrupt: the time goes on in iterations that take long, and before the first. */
static int tick(void *user) {
    struct progress *progress = user;
    if (live_is_due(&progress->live)) {
        (progress->search != NULL ? draw_search : draw)(progress);
    }
    return 0;
}

static double number(const softrelu_report *report, softrelu_quantity quantity) {
    double value = NAN;
    (void)softrelu_report_number(report, quantity, &value);
    return value;
}

static void look(struct progress *progress, const softrelu_report *report) {
    progress->iteration = number(report, SOFTRELU_REPORT_ITERATIONS);
    progress->loss = number(report, SOFTRELU_REPORT_LOSS);
    progress->relative = number(report, SOFTRELU_REPORT_RESIDUAL_RELATIVE);
    progress->pinned = number(report, SOFTRELU_REPORT_PINNED_KINKS);
    if (progress->iteration == 0) {
        progress->solves++;
        progress->first_relative = progress->relative;
    }
}

/* A softrelu_callback. */
static int on_iteration(const softrelu_report *report, void *user) {
    struct progress *progress = user;
    if (interrupt_signal() != 0) {
        softrelu_solver_request_stop(progress->solver);
        softrelu_counterfactual_request_stop(progress->search);
    }
    look(progress, report);
    if (progress->table) {
        print_row(progress, report);
    }
    return tick(progress);
}

softrelu_status progress_begin(struct progress *progress, const struct arguments *arguments, softrelu_solver *solver,
                               softrelu_counterfactual *search) {
    *progress = (struct progress){.solver = solver, .search = search, .table = arguments->verbose};
    live_begin(&progress->live, !arguments->verbose && !arguments->quiet);
    (void)softrelu_solver_get_real(solver, SOFTRELU_SETTING_TOLERANCE, &progress->tolerance);
    (void)softrelu_solver_get_integer(solver, SOFTRELU_SETTING_STARTS, &progress->starts);
    const softrelu_status status = softrelu_solver_set_callback(solver, on_iteration, progress);
    return status == SOFTRELU_OK ? softrelu_solver_set_interrupt(solver, progress->live.on ? tick : NULL, progress) : status;
}

void progress_end(struct progress *progress) {
    live_end(&progress->live);
    if (progress->begun) {
        (void)fputc('\n', stderr);
    }
    (void)softrelu_solver_set_callback(progress->solver, NULL, NULL);
    (void)softrelu_solver_set_interrupt(progress->solver, NULL, NULL);
}
