/* SPDX-License-Identifier: BSD-3-Clause */
#include "page.h"

#include "path.h"
#include "plot.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { OUTPUTS_SHOWN = 12, CHANGES_SHOWN = 10 };

static const char style[] =
    ":root{color-scheme:light "
    "dark;--paper:#fff;--ink:#1a1a1a;--soft:#5a6068;--faint:#d5d8dc;--card:#f5f6f8;--a:#0b5fa5;--b:#b3470f;"
    "--good:#176b32;--bad:#9c1c1c}\n"
    "@media "
    "(prefers-color-scheme:dark){:root{--paper:#16181b;--ink:#e8e8e8;--soft:#a8aeb6;--faint:#3c4043;--card:#202327;--a:#6cb6ff;"
    "--b:#ff9b5e;--good:#6fd28d;--bad:#ff8f8f}}\n"
    "*{box-sizing:border-box}body{margin:0 auto;max-width:56rem;padding:1rem;background:var(--paper);color:var(--ink);"
    "font:1rem/1.5 system-ui,sans-serif}\n"
    "h1{font-size:1.5rem;margin:.5rem 0}h2{font-size:1.15rem;margin:2rem 0 .5rem;border-bottom:1px solid var(--faint)}\n"
    "h1 .good{color:var(--good)}h1 .bad{color:var(--bad)}p{margin:.4rem 0}.soft{color:var(--soft)}\n"
    ".cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.6rem;margin:1rem 0;padding:0}\n"
    ".cards div{background:var(--card);border-radius:.5rem;padding:.5rem .75rem}.cards dt{color:var(--soft);font-size:.85rem}"
    ".cards dd{margin:0;font-size:1.1rem;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}\n"
    "table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}th,td{text-align:left;padding:.2rem .5rem;"
    "border-bottom:1px solid "
    "var(--faint);vertical-align:top}td.number,th.number{text-align:right;white-space:nowrap}th.name{overflow-wrap:anywhere;"
    "min-width:6rem}\n"
    ".wide{overflow-x:auto}.bar{position:relative;height:1rem;margin-top:.25rem;min-width:7rem;background:var(--card)}"
    ".bar i{position:absolute;inset:0 auto 0 0;background:var(--a)}.bar b{position:absolute;top:-2px;bottom:-2px;width:3px;"
    "background:var(--b)}\n"
    ".plot{width:100%;height:auto;display:block}figure{margin:1rem 0}figcaption{color:var(--soft);font-size:.9rem}\n"
    ".images{display:grid;grid-template-columns:repeat(auto-fit,minmax(8rem,1fr));gap:1rem}.image{width:100%;display:block;"
    "border:1px solid var(--faint)}\n"
    "p.sentence::first-letter{text-transform:uppercase}\n"
    "details{margin:.5rem 0}summary{cursor:pointer}summary:focus-visible,a:focus-visible{outline:3px solid var(--a)}\n"
    "@media print{:root{--paper:#fff;--ink:#000;--soft:#444;--card:#f2f2f2}body{max-width:none;font-size:10pt}figure,tr,.cards{"
    "break-inside:avoid}.bar i,.bar b,.image{print-color-adjust:exact;-webkit-print-color-adjust:exact}}\n";

static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

/* NaN for what is no number: such as "nan", or null. */
static double number_of(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static void write_value(FILE *stream, const json_t *value) {
    if (json_is_integer(value)) {
        (void)fprintf(stream, "%lld", (long long)json_integer_value(value));
    } else if (json_is_real(value)) {
        (void)fprintf(stream, "%.6g", json_real_value(value));
    } else if (json_is_string(value)) {
        write_escaped(stream, json_string_value(value));
    } else {
        (void)fputs(json_is_true(value) ? "yes" : json_is_false(value) ? "no" : "–", stream);
    }
}

/* A column of the trace; NULL for want of memory, or of records. */
static double *column(const json_t *report, const char *key) {
    const json_t *trace = json_object_get(report, "trace");
    const size_t count = json_array_size(trace);
    double *values = count > 0 ? calloc(count, sizeof *values) : NULL;
    for (size_t i = 0; i < count && values != NULL; i++) {
        values[i] = number_of(json_array_get(trace, i), key);
    }
    return values;
}

struct trace {
    int64_t count;
    double *iteration, *loss, *residual, *pinned, *flips;
};

/* Losses as they are above the lowest one. Of several starts the trace is that of the best. */
static struct trace trace_of(const json_t *report) {
    struct trace trace = {(int64_t)json_array_size(json_object_get(report, "trace")),
                          column(report, "iteration"),
                          column(report, "loss"),
                          column(report, "residual"),
                          column(report, "pinned_kinks"),
                          column(report, "flips")};
    if (trace.iteration == NULL || trace.loss == NULL || trace.residual == NULL || trace.pinned == NULL ||
        trace.flips == NULL) {
        trace.count = 0;
    }
    double lowest = INFINITY;
    for (int64_t i = 0; i < trace.count; i++) {
        lowest = fmin(lowest, trace.loss[i]);
    }
    for (int64_t i = 0; i < trace.count; i++) {
        trace.loss[i] -= lowest;
    }
    return trace;
}

static void trace_free(struct trace *trace) {
    free(trace->iteration);
    free(trace->loss);
    free(trace->residual);
    free(trace->pinned);
    free(trace->flips);
}

static struct plot convergence_plot(const struct trace *trace, struct plot_series series[2]) {
    series[0] = (struct plot_series){"loss above the lowest", "a", trace->loss};
    series[1] = (struct plot_series){"residual", "b", trace->residual};
    return (struct plot){"Loss above the lowest and stationarity residual, by iteration, on a logarithmic axis",
                         "iteration",
                         "loss − lowest, residual",
                         true,
                         false,
                         trace->count,
                         trace->iteration,
                         series,
                         2};
}

void page_write_plot(FILE *stream, const json_t *report) {
    if (json_object_get(report, "path") != NULL) {
        path_write_plot(stream, report);
        return;
    }
    struct trace trace = trace_of(report);
    struct plot_series series[2];
    const struct plot plot = convergence_plot(&trace, series);
    plot_write(stream, &plot, true);
    trace_free(&trace);
}

static void write_cell(FILE *stream, const char *heading, const char *format, double value) {
    (void)fprintf(stream, "<div><dt>%s</dt><dd>", heading);
    if (isfinite(value)) {
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* the formats are those of the calls below */
#endif
        (void)fprintf(stream, format, value);
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif
    } else {
        (void)fputs(isnan(value) ? "–" : value > 0 ? "∞" : "−∞", stream);
    }
    (void)fputs("</dd></div>\n", stream);
}

/* What the report calls an output. */
static void write_output_name(FILE *stream, const json_t *report, int64_t output) {
    const char *name = json_string_value(json_array_get(json_object_get(report, "names"), (size_t)output));
    if (name != NULL) {
        write_escaped(stream, name);
    } else {
        (void)fprintf(stream, "%lld", (long long)output);
    }
}

/* Of a search for an input of another class. */
static void write_answers(FILE *stream, const json_t *report) {
    const json_t *answers = json_object_get(report, "answers");
    const bool found = json_array_size(answers) > 0;
    (void)fprintf(stream, "<h1><span class=\"%s\">", found ? "good" : "bad");
    write_escaped(stream, text_of(report, "outcome"));
    (void)fputs("</span></h1>\n<p class=\"sentence\">", stream);
    write_escaped(stream, text_of(report, "outcome_text"));
    (void)fputs(".</p>\n<p class=\"soft\">Wanted: output <strong>", stream);
    write_output_name(stream, report, (int64_t)number_of(report, "class"));
    (void)fprintf(stream, "</strong> with a probability of %g.</p>\n", number_of(report, "confidence"));
    const json_t *nearest = found ? json_array_get(answers, 0) : json_object_get(report, "best");
    const json_t *before = json_array_get(json_object_get(report, "outputs_before"), (size_t)number_of(report, "class"));
    (void)fputs("<dl class=\"cards\">\n", stream);
    write_cell(stream, found ? "distance" : "nearest miss: distance", "%.6g", number_of(nearest, "distance"));
    write_cell(stream, found ? "probability" : "its probability", "%.6g", number_of(nearest, "confidence"));
    write_cell(stream, "before", "%.6g", json_number_value(before));
    write_cell(stream, "answers", "%.0f", (double)json_array_size(answers));
    (void)fputs("</dl>\n", stream);
    if (json_array_size(answers) < 2) {
        return;
    }
    (void)fputs(
        "<div class=\"wide\"><table id=\"answers\"><thead><tr><th scope=\"col\" class=\"number\">answer</th><th scope=\"col\" "
        "class=\"number\">distance</th><th scope=\"col\" class=\"number\">probability</th><th scope=\"col\">none nearer around"
        "</th></tr></thead><tbody>\n",
        stream);
    size_t index = 0;
    const json_t *answer = NULL;
    json_array_foreach(answers, index, answer) {
        (void)fprintf(
            stream,
            "<tr><th scope=\"row\" class=\"number\">%zu</th><td class=\"number\">%.6g</td><td class=\"number\">%.6f</td><td>%s"
            "</td></tr>\n",
            index, number_of(answer, "distance"), number_of(answer, "confidence"),
            number_of(answer, "certified") == 1 ? "proved" : "not proved");
    }
    (void)fputs("</tbody></table></div>\n", stream);
}

static void write_summary(FILE *stream, const struct page *page) {
    const json_t *report = page->report;
    const json_t *certificate = json_object_get(report, "certificate");
    const bool certified = strcmp(text_of(certificate, "verdict"), "certified local minimiser") == 0;
    (void)fprintf(stream, "<h1><span class=\"%s\">", certified ? "good" : "bad");
    write_escaped(stream, text_of(certificate, "verdict"));
    (void)fputs("</span></h1>\n<p class=\"sentence\">", stream);
    write_escaped(stream, text_of(certificate, "text"));
    (void)fputs(".</p>\n<p class=\"soft\">The solve ended <strong>", stream);
    write_escaped(stream, text_of(report, "termination"));
    const json_t *size = json_object_get(report, "dimensions");
    (void)fprintf(stream, "</strong>: n = %.0f hidden units, d = %.0f unknowns, m = %.0f outputs, loss ", number_of(size, "n"),
                  number_of(size, "d"), number_of(size, "m"));
    write_escaped(stream, text_of(report, "loss_kind"));
    (void)fputs(".</p>\n<dl class=\"cards\">\n", stream);
    write_cell(stream, "loss", "%.10g", number_of(report, "loss"));
    write_cell(stream, "of it: fit", "%.6g", number_of(report, "loss_fit"));
    write_cell(stream, "weights", "%.6g", number_of(report, "loss_weights"));
    write_cell(stream, "proximity", "%.6g", number_of(report, "loss_proximity"));
    write_cell(stream, "residual", "%.3g", number_of(report, "residual"));
    write_cell(stream, "a minimiser within", "%.3g", number_of(report, "distance_bound"));
    write_cell(stream, "pinned kinks", "%.0f", number_of(report, "pinned_kinks"));
    write_cell(stream, "active bounds", "%.0f", number_of(report, "active_bounds"));
    write_cell(stream, "iterations", "%.0f", number_of(report, "iterations"));
    write_cell(stream, "evaluations", "%.0f", number_of(report, "evaluations"));
    write_cell(stream, "seconds", "%.3g", number_of(report, "seconds"));
    (void)fputs("</dl>\n", stream);
}

static void write_trace_table(FILE *stream, const json_t *report) {
    static const char *const keys[] = {"iteration",    "loss",  "residual",  "pinned_kinks",
                                       "active_units", "flips", "step_norm", "seconds"};
    enum { KEYS = sizeof keys / sizeof keys[0] };
    (void)fputs("<details><summary>The numbers of every iteration</summary><div class=\"wide\"><table><thead><tr>", stream);
    for (size_t k = 0; k < KEYS; k++) {
        (void)fprintf(stream, "<th scope=\"col\" class=\"number\">%s</th>", keys[k]);
    }
    (void)fputs("</tr></thead><tbody>\n", stream);
    size_t index = 0;
    const json_t *record = NULL;
    json_array_foreach(json_object_get(report, "trace"), index, record) {
        (void)fputs("<tr>", stream);
        for (size_t k = 0; k < KEYS; k++) {
            (void)fputs("<td class=\"number\">", stream);
            write_value(stream, json_object_get(record, keys[k]));
            (void)fputs("</td>", stream);
        }
        (void)fputs("</tr>\n", stream);
    }
    (void)fputs("</tbody></table></div></details>\n", stream);
}

static void write_convergence(FILE *stream, const json_t *report) {
    struct trace trace = trace_of(report);
    struct plot_series series[2];
    if (trace.count > 0) {
        const struct plot convergence = convergence_plot(&trace, series);
        (void)fputs("<h2>Convergence</h2>\n<figure id=\"convergence\">", stream);
        plot_write(stream, &convergence, false);
        (void)fputs(
            "<figcaption>What is 0, such as the last loss above the lowest, has no place on a logarithmic axis.</figcaption>"
            "</figure>\n",
            stream);
        series[0] = (struct plot_series){"units at their kink", "a", trace.pinned};
        series[1] = (struct plot_series){"units that flipped", "b", trace.flips};
        const struct plot kinks = {"Units at their kink, and units that changed side, by iteration",
                                   "iteration",
                                   "units",
                                   false,
                                   false,
                                   trace.count,
                                   trace.iteration,
                                   series,
                                   2};
        (void)fputs("<figure id=\"kinks\">", stream);
        plot_write(stream, &kinks, false);
        (void)fputs(
            "<figcaption>A minimiser that holds units at their kinks is where general solvers stall.</figcaption></figure>\n",
            stream);
        write_trace_table(stream, report);
    }
    trace_free(&trace);
}

/* The entry of largest key that is less than the one before, ties by index; -1 when there is none. */
static int64_t next_largest(const double *key, int64_t count, int64_t before) {
    int64_t best = -1;
    for (int64_t i = 0; i < count; i++) {
        const bool behind = before < 0 || key[i] < key[before] || (i > before && key[i] == key[before]);
        if (behind && (best < 0 || key[i] > key[best])) {
            best = i;
        }
    }
    return best;
}

static void write_bar(FILE *stream, double value, double mark, double scale) {
    const double full = scale > 0 ? 100 / scale : 0;
    (void)fprintf(
        stream,
        "<div class=\"bar\" aria-hidden=\"true\"><i style=\"width:%.2f%%\"></i><b style=\"left:calc(%.2f%% - 1px)\"></b></div>",
        fmin(fmax(value * full, 0), 100), fmin(fmax(mark * full, 0), 100));
}

static void write_outputs(FILE *stream, const struct page *page) {
    double *key = malloc((size_t)page->m * sizeof *key);
    if (key == NULL) {
        return;
    }
    double scale = 0;
    for (int64_t j = 0; j < page->m; j++) {
        key[j] = fmax(page->f[j], page->b[j]);
        scale = fmax(scale, fmin(key[j], 1));
    }
    (void)fputs(
        "<h2>Outputs</h2>\n<div class=\"wide\"><table id=\"outputs\"><caption class=\"soft\">The largest: f(x) as a bar, ",
        stream);
    write_escaped(stream, page->b_name);
    const char *kind = json_object_get(page->report, "names") != NULL ? "name" : "number";
    (void)fprintf(stream,
                  " as a mark.</caption><thead><tr><th scope=\"col\" class=\"%s\">output</th><th scope=\"col\" "
                  "class=\"number\">f(x)</th><th scope=\"col\" class=\"number\">",
                  kind);
    write_escaped(stream, page->b_name);
    (void)fputs("</th><th scope=\"col\">both</th></tr></thead><tbody>\n", stream);
    int64_t j = -1;
    for (int shown = 0; shown < OUTPUTS_SHOWN && (j = next_largest(key, page->m, j)) >= 0; shown++) {
        (void)fprintf(stream, "<tr data-index=\"%lld\" data-f=\"%.17g\" data-b=\"%.17g\"><th scope=\"row\" class=\"%s\">",
                      (long long)j, page->f[j], page->b[j], kind);
        write_output_name(stream, page->report, j);
        (void)fprintf(stream, "</th><td class=\"number\">%.6f</td><td class=\"number\">%.6f</td><td>", page->f[j], page->b[j]);
        write_bar(stream, page->f[j], page->b[j], scale);
        (void)fputs("</td></tr>\n", stream);
    }
    (void)fputs("</tbody></table></div>\n", stream);
    if (page->m > OUTPUTS_SHOWN) {
        (void)fprintf(stream, "<p class=\"soft\">%lld more outputs.</p>\n", (long long)(page->m - OUTPUTS_SHOWN));
    }
    free(key);
}

static void write_images(FILE *stream, const struct page *page, const double *x_ref, const double *change) {
    double least = INFINITY;
    double most = -INFINITY;
    double reach = 0;
    for (int64_t k = 0; k < page->d; k++) {
        least = fmin(least, fmin(page->x[k], x_ref[k]));
        most = fmax(most, fmax(page->x[k], x_ref[k]));
        reach = fmax(reach, fabs(change[k]));
    }
    (void)fputs("<div class=\"images\" id=\"images\">\n<figure>", stream);
    plot_image(stream, "The point that x is held near, as an image", x_ref, page->rows, page->columns, least, most, false);
    (void)fputs("<figcaption>", stream);
    write_escaped(stream, page->x_ref_name);
    (void)fputs("</figcaption></figure>\n<figure>", stream);
    plot_image(stream, "The point that was found, as an image", page->x, page->rows, page->columns, least, most, false);
    (void)fputs("<figcaption>x</figcaption></figure>\n<figure>", stream);
    plot_image(stream, "The change from the one to the other, as an image", change, page->rows, page->columns, -reach, reach,
               true);
    (void)fprintf(stream, "<figcaption>the change: red is more, blue is less, up to %.3g</figcaption></figure>\n</div>\n",
                  reach);
}

static void write_changes(FILE *stream, const struct page *page, const double *x_ref, const double *change, double *key) {
    for (int64_t k = 0; k < page->d; k++) {
        key[k] = fabs(change[k]);
    }
    (void)fputs(
        "<div class=\"wide\"><table id=\"changes\"><caption class=\"soft\">The largest changes.</caption><thead><tr><th "
        "scope=\"col\" "
        "class=\"number\">entry</th><th scope=\"col\" class=\"number\">before</th><th scope=\"col\" class=\"number\">x</th><th "
        "scope=\"col\" class=\"number\">change</th></tr></thead><tbody>\n",
        stream);
    int64_t k = -1;
    for (int shown = 0; shown < CHANGES_SHOWN && (k = next_largest(key, page->d, k)) >= 0; shown++) {
        (void)fprintf(stream,
                      "<tr data-index=\"%lld\" data-x=\"%.17g\"><th scope=\"row\" class=\"number\">%lld</th><td "
                      "class=\"number\">%.6g</td><td "
                      "class=\"number\">%.6g</td><td class=\"number\">%+.6g</td></tr>\n",
                      (long long)k, page->x[k], (long long)k, x_ref[k], page->x[k], change[k]);
    }
    (void)fputs("</tbody></table></div>\n", stream);
    if (page->d > CHANGES_SHOWN) {
        (void)fprintf(stream, "<p class=\"soft\">%lld more entries.</p>\n", (long long)(page->d - CHANGES_SHOWN));
    }
}

static void write_input(FILE *stream, const struct page *page) {
    double *room = calloc((size_t)page->d, 3 * sizeof *room);
    if (room == NULL) {
        return;
    }
    double *x_ref = room;
    double *change = room + page->d;
    for (int64_t k = 0; k < page->d; k++) {
        x_ref[k] = page->x_ref != NULL ? page->x_ref[k] : 0;
        change[k] = page->x[k] - x_ref[k];
    }
    (void)fputs("<h2>Input</h2>\n", stream);
    if (page->rows > 0) {
        write_images(stream, page, x_ref, change);
    }
    write_changes(stream, page, x_ref, change, room + 2 * page->d);
    free(room);
}

/* Two columns, key and value, of an object's plain members. */
static void write_table(FILE *stream, const char *id, json_t *object) {
    (void)fprintf(stream, "<div class=\"wide\"><table id=\"%s\"><tbody>\n", id);
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(object, key, value) {
        if (!json_is_object(value) && !json_is_array(value)) {
            (void)fputs("<tr><th scope=\"row\">", stream);
            write_escaped(stream, key);
            (void)fputs("</th><td>", stream);
            write_value(stream, value);
            (void)fputs("</td></tr>\n", stream);
        }
    }
    (void)fputs("</tbody></table></div>\n", stream);
}

static void write_certificate(FILE *stream, const json_t *report) {
    json_t *certificate = json_object_get(report, "certificate");
    (void)fputs("<h2>Certificate</h2>\n<p class=\"sentence\">", stream);
    write_escaped(stream, text_of(certificate, "text"));
    (void)fputs(".</p>\n<p class=\"sentence\">", stream);
    write_escaped(stream, text_of(certificate, "distance_text"));
    (void)fputs(".</p>\n<p class=\"soft\">Computed anew from the data, by code that shares nothing with the solver's "
                "step.</p>\n<details>"
                "<summary>All quantities</summary>\n",
                stream);
    write_table(stream, "certificate", certificate);
    (void)fputs("</details>\n", stream);
}

/* "</script" must not end the element early: '<' is as good as its escape in JSON's strings, and nowhere else. */
static int write_json_part(const char *text, size_t length, void *stream) {
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '<' ? fputs("\\u003c", stream) < 0 : fputc(text[i], stream) == EOF) {
            return -1;
        }
    }
    return 0;
}

void page_write(FILE *stream, const struct page *page) {
    (void)fputs("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
                "content=\"width=device-width,initial-scale=1\">\n<link rel=\"icon\" href=\"data:,\">\n<title>softrelu: ",
                stream);
    write_escaped(stream, text_of(page->report, json_object_get(page->report, "outcome") != NULL ? "outcome" : "termination"));
    (void)fprintf(stream, "</title>\n<style>\n%s", style);
    plot_style(stream);
    (void)fputs("</style>\n</head>\n<body>\n<main>\n", stream);
    if (json_object_get(page->report, "answers") != NULL) {
        write_answers(stream, page->report);
        path_write(stream, page->report);
    } else {
        write_summary(stream, page);
        write_convergence(stream, page->report);
    }
    if (page->x != NULL) {
        write_outputs(stream, page);
        write_input(stream, page);
    }
    if (json_is_object(json_object_get(page->report, "certificate"))) {
        write_certificate(stream, page->report);
    }
    (void)fputs("<h2>Settings</h2>\n<details><summary>Every setting of the solve</summary>\n", stream);
    write_table(stream, "settings", json_object_get(page->report, "settings"));
    (void)fputs("</details>\n<details><summary>Everything else in the report</summary>\n", stream);
    write_table(stream, "everything", page->report);
    (void)fputs("</details>\n</main>\n<footer><p class=\"soft\">softrelu ", stream);
    write_escaped(stream, text_of(page->report, "version"));
    (void)fputs(", ", stream);
    write_escaped(stream, text_of(page->report, "blas"));
    (void)fputs("</p></footer>\n<script type=\"application/json\" id=\"report\">", stream);
    (void)json_dump_callback(page->report, write_json_part, stream, JSON_COMPACT);
    (void)fputs("</script>\n</body>\n</html>\n", stream);
}
