/* SPDX-License-Identifier: BSD-3-Clause */
#include "plot.h"

#include <math.h>
#include <stdlib.h>

enum { LEFT = 76, RIGHT = 14, TOP = 16, BOTTOM = 52, TICKS = 6, LEGEND = 18, LEGEND_WIDTH = 250 };

/* Values from least to most lie from one pixel to another; logarithmic ones are mapped by their decades. */
struct axis {
    double least, most;
    bool logarithmic, fractions;
    double from, to;
};

static double place(const struct axis *axis, double value) {
    const double at = axis->logarithmic ? log10(value) : value;
    return axis->from + (axis->to - axis->from) * (at - axis->least) / (axis->most - axis->least);
}

static bool has_place(const struct axis *axis, double value) { return isfinite(value) && (!axis->logarithmic || value > 0); }

static void include(struct axis *axis, double value) {
    if (has_place(axis, value)) {
        const double at = axis->logarithmic ? log10(value) : value;
        axis->least = fmin(axis->least, at);
        axis->most = fmax(axis->most, at);
    }
}

/* 1, 2 or 5 times a power of ten, so that there are at most TICKS of them, and whole: decades on logarithmic axes, else
   iterations and units, unless fractions mean something. */
static double step_of(const struct axis *axis) {
    const double least = (axis->most - axis->least) / TICKS;
    if (axis->logarithmic) {
        return fmax(1, ceil(least));
    }
    if (least <= 1 && !axis->fractions) {
        return 1;
    }
    const double decade = pow(10, floor(log10(least)));
    return least <= decade ? decade : least <= 2 * decade ? 2 * decade : least <= 5 * decade ? 5 * decade : 10 * decade;
}

/* The ends go out to whole steps. An axis without values, or with one, gets some room. */
static void round_ends(struct axis *axis) {
    if (axis->least > axis->most) {
        axis->least = 0;
        axis->most = 1;
    }
    if (axis->most - axis->least < 1e-9 * fmax(1, fabs(axis->most))) {
        axis->least -= axis->logarithmic ? 1 : fmax(0.5, 0.1 * fabs(axis->least));
        axis->most += axis->logarithmic ? 1 : fmax(0.5, 0.1 * fabs(axis->most));
    }
    const double step = step_of(axis);
    axis->least = step * floor(axis->least / step);
    axis->most = step * ceil(axis->most / step);
}

void write_escaped(FILE *stream, const char *text) {
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&':
            (void)fputs("&amp;", stream);
            break;
        case '<':
            (void)fputs("&lt;", stream);
            break;
        case '>':
            (void)fputs("&gt;", stream);
            break;
        case '"':
            (void)fputs("&quot;", stream);
            break;
        default:
            (void)fputc(*text, stream);
        }
    }
}

void plot_style(FILE *stream) {
    (void)fputs(
        ".plot{color-scheme:light dark;--paper:#fff;--ink:#1a1a1a;--faint:#d5d8dc;--a:#0b5fa5;--b:#b3470f}\n"
        "@media (prefers-color-scheme:dark){.plot{--paper:#16181b;--ink:#e8e8e8;--faint:#3c4043;--a:#6cb6ff;--b:#ff9b5e}}\n"
        "@media print{.plot{--paper:#fff;--ink:#000;--faint:#ccc;--a:#0b5fa5;--b:#b3470f}}\n"
        ".plot text{font:13px system-ui,sans-serif;fill:var(--ink)}\n"
        "@media (max-width:40rem){.plot text{font-size:19px}.plot .side{display:none}}\n"
        ".plot .grid{stroke:var(--faint);stroke-width:1}\n"
        ".plot .line{fill:none;stroke-width:2}.plot .a{stroke:var(--a)}.plot .b{stroke:var(--b);stroke-dasharray:6 3}\n"
        ".plot circle.a{fill:var(--a)}.plot circle.b{fill:var(--b);stroke-dasharray:none}\n",
        stream);
}

static void write_ticks(FILE *stream, const struct axis *x, const struct axis *y) {
    const double x_step = step_of(x);
    const double first = ceil(x->least / x_step) * x_step;
    const int columns = (int)floor((x->most - first) / x_step + 1e-9);
    for (int i = 0; i <= columns; i++) {
        const double at = first + i * x_step;
        (void)fprintf(stream, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%g</text>\n", place(x, at), y->from + 21, at);
    }
    const double y_step = step_of(y);
    const int rows = (int)floor((y->most - y->least) / y_step + 1e-9);
    for (int i = 0; i <= rows; i++) {
        const double at = y->least + i * y_step;
        const double row = y->from + (y->to - y->from) * (at - y->least) / (y->most - y->least);
        (void)fprintf(stream, "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>", x->from, x->to, row,
                      row);
        (void)fprintf(stream,
                      y->logarithmic ? "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">1e%g</text>\n"
                                     : "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%g</text>\n",
                      x->from - 8, row + 4, fabs(at) < 1e-9 * y_step ? 0 : at);
    }
}

static void write_series(FILE *stream, const struct plot *plot, const struct plot_series *series, const struct axis *x,
                         const struct axis *y) {
    (void)fprintf(stream, "<polyline class=\"line %s\" points=\"", series->style);
    for (int64_t i = 0; i < plot->count; i++) {
        if (has_place(y, series->y[i])) {
            (void)fprintf(stream, "%.1f,%.1f ", place(x, plot->x[i]), place(y, series->y[i]));
        }
    }
    (void)fputs("\"/>\n", stream);
    for (int64_t i = 0; i < plot->count; i++) {
        if (has_place(y, series->y[i])) {
            (void)fprintf(stream,
                          "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\" data-x=\"%.17g\" data-y=\"%.17g\"><title>",
                          series->style, place(x, plot->x[i]), place(y, series->y[i]), plot->x[i], series->y[i]);
            write_escaped(stream, series->name);
            (void)fprintf(stream, " at %g: %.6g</title></circle>\n", plot->x[i], series->y[i]);
        }
    }
}

/* Names of the lines, where there are several. */
static void write_legend(FILE *stream, const struct plot *plot) {
    int left = LEFT;
    for (int s = 0; s < plot->series_count && plot->series_count > 1; s++) {
        (void)fprintf(stream, "<line class=\"line %s\" x1=\"%d\" x2=\"%d\" y1=\"9\" y2=\"9\"/><text x=\"%d\" y=\"13\">",
                      plot->series[s].style, left, left + 24, left + 30);
        write_escaped(stream, plot->series[s].name);
        (void)fputs("</text>\n", stream);
        left += LEGEND_WIDTH;
    }
}

void plot_write(FILE *stream, const struct plot *plot, bool alone) {
    const int top = plot->series_count > 1 ? TOP + LEGEND : TOP;
    struct axis x = {INFINITY, -INFINITY, false, plot->fractions, LEFT, PLOT_WIDTH - RIGHT};
    struct axis y = {INFINITY, -INFINITY, plot->logarithmic, plot->fractions, PLOT_HEIGHT - BOTTOM, top};
    for (int64_t i = 0; i < plot->count; i++) {
        include(&x, plot->x[i]);
        for (int s = 0; s < plot->series_count; s++) {
            include(&y, plot->series[s].y[i]);
        }
    }
    if (!y.logarithmic) {
        include(&y, 0);
    }
    if (x.most <= x.least) {
        round_ends(&x);
    }
    round_ends(&y);
    (void)fprintf(stream, "<svg class=\"plot\"%s viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"",
                  alone ? " xmlns=\"http://www.w3.org/2000/svg\"" : "", PLOT_WIDTH, PLOT_HEIGHT);
    write_escaped(stream, plot->title);
    (void)fputs("\">\n", stream);
    if (alone) {
        (void)fputs("<style>\n", stream);
        plot_style(stream);
        (void)fputs("</style>\n<rect width=\"100%\" height=\"100%\" style=\"fill:var(--paper)\"/>\n", stream);
    }
    write_ticks(stream, &x, &y);
    (void)fprintf(stream, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">", (LEFT + PLOT_WIDTH - RIGHT) / 2, PLOT_HEIGHT - 8);
    write_escaped(stream, plot->x_label);
    (void)fprintf(stream, "</text><text class=\"side\" transform=\"translate(14 %d) rotate(-90)\" text-anchor=\"middle\">",
                  (top + PLOT_HEIGHT - BOTTOM) / 2);
    write_escaped(stream, plot->y_label);
    (void)fputs("</text>\n", stream);
    write_legend(stream, plot);
    for (int s = 0; s < plot->series_count; s++) {
        write_series(stream, plot, &plot->series[s], &x, &y);
    }
    (void)fputs("</svg>\n", stream);
}

static int shade(double part) { return (int)lround(255 * fmin(fmax(part, 0), 1)); }

void plot_image(FILE *stream, const char *title, const double *values, int64_t rows, int64_t columns, double least, double most,
                bool diverging) {
    const double reach = fmax(fmax(fabs(least), fabs(most)), 1e-300);
    const double range = most > least ? most - least : 1;
    (void)fprintf(stream,
                  "<svg class=\"image\" viewBox=\"0 0 %lld %lld\" role=\"img\" shape-rendering=\"crispEdges\" aria-label=\"",
                  (long long)columns, (long long)rows);
    write_escaped(stream, title);
    (void)fputs("\">\n", stream);
    for (int64_t i = 0; i < rows * columns; i++) {
        const double part = diverging ? values[i] / reach : (values[i] - least) / range;
        const int fade = shade(1 - fabs(part));
        const int red = diverging && part < 0 ? fade : diverging ? 255 : shade(part);
        const int green = diverging ? fade : shade(part);
        const int blue = diverging && part > 0 ? fade : diverging ? 255 : shade(part);
        (void)fprintf(
            stream,
            "<rect x=\"%lld\" y=\"%lld\" width=\"1\" height=\"1\" fill=\"#%02x%02x%02x\" data-y=\"%.17g\"><title>entry %lld: "
            "%.6g</title></rect>\n",
            (long long)(i % columns), (long long)(i / columns), (unsigned)red, (unsigned)green, (unsigned)blue, values[i],
            (long long)i, values[i]);
    }
    (void)fputs("</svg>\n", stream);
}
