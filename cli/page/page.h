/* SPDX-License-Identifier: BSD-3-Clause */
/* A solve as a page: one HTML file that needs nothing else, made from the report's JSON, which it carries within. */
#ifndef SOFTRELU_CLI_PAGE_PAGE_H
#define SOFTRELU_CLI_PAGE_PAGE_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

struct page {
    json_t *report;      /* of softrelu solve, invert or counterfactual */
    const double *x;     /* d; NULL: there is none */
    const double *x_ref; /* d, or NULL for 0 */
    const double *f, *b; /* m */
    const char *x_ref_name, *b_name;
    int64_t d, m;
    int64_t rows, columns; /* of x as an image; 0: it is none */
};

void page_write(FILE *stream, const struct page *page);
/* The losses above the lowest and the residuals, by iteration, as an SVG file; of a search, probabilities by distance. */
void page_write_plot(FILE *stream, const json_t *report);

#endif
