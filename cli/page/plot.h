/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Plots as SVG. What they look like (colours, light or dark, lines) is said by classes, whose style is the page's, or, for a
 * file of its own, plot_style(). Every point carries its numbers as data-x and data-y and as a title, so that what is seen can
 * be compared with what was computed.
 */
#ifndef SOFTRELU_CLI_PAGE_PLOT_H
#define SOFTRELU_CLI_PAGE_PLOT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { PLOT_WIDTH = 640, PLOT_HEIGHT = 300 };

/* One line: count points. Points that a logarithmic axis has no place for (0, NaN) are left out. */
struct plot_series {
    const char *name;
    const char *style; /* its class: "a" or "b" */
    const double *y;
};

struct plot {
    const char *title; /* what it shows, for readers that do not see it */
    const char *x_label;
    const char *y_label;
    bool logarithmic; /* the y axis */
    bool fractions;   /* axes may have steps below 1: they count nothing */
    int64_t count;
    const double *x;
    const struct plot_series *series;
    int series_count;
};

/* The plot as one <svg> element; with a namespace and its style when it is to be a file of its own. */
void plot_write(FILE *stream, const struct plot *plot, bool alone);

/* An image of rows x columns cells, values by rows from least to most: grey, or from blue over white to red around 0. */
void plot_image(FILE *stream, const char *title, const double *values, int64_t rows, int64_t columns, double least, double most,
                bool diverging);

/* The rules for the classes that plots use. */
void plot_style(FILE *stream);

/* Text with what means something in HTML and SVG escaped. */
void write_escaped(FILE *stream, const char *text);

#endif
