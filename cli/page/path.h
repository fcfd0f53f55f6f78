/* SPDX-License-Identifier: BSD-3-Clause */
/* The way that a search for a counterfactual went: which probability at which distance. */
#ifndef SOFTRELU_CLI_PAGE_PATH_H
#define SOFTRELU_CLI_PAGE_PATH_H

#include <jansson.h>
#include <stdio.h>

/* The section of the page, from the report; nothing where there is no way. */
void path_write(FILE *stream, const json_t *report);
/* Its plot as an SVG file. */
void path_write_plot(FILE *stream, const json_t *report);

#endif
