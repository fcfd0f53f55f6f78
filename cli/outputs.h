/* SPDX-License-Identifier: BSD-3-Clause */
/* The files of --out, --report, --html and --svg: checked early, and written together; and the report of --json. */
#ifndef SOFTRELU_CLI_OUTPUTS_H
#define SOFTRELU_CLI_OUTPUTS_H

#include "arguments.h"
#include "page.h"

#include <jansson.h>

/* What is to be written. */
struct contents {
    double *x;                     /* of --out: length numbers; NULL: there is nothing to write to it */
    int64_t rows, length;          /* so many rows of a 2-D array, 0: a vector */
    json_t *(*make)(const void *); /* builds the report from its argument; NULL for want of memory */
    const void *argument;
    const struct page *page; /* of --html, but for its report, which is made; NULL: there is none */
    double *f;               /* the outputs at x, which go where x goes if that file can hold them; NULL: there are none */
    int64_t f_length;
};

/* Could all be written? Asked before hours of work whose result could then not be kept. Leaves nothing behind. */
enum outcome outputs_check(const struct arguments *arguments, struct failure *failure);

/* Are the rows and columns of --shape those of an x of d entries? */
enum outcome shape_check(const struct arguments *arguments, int64_t d, struct failure *failure);

/* All files are complete on the disk, and have what they need there, before the first takes its name: a full disk leaves all
   old ones in place. What --json prints comes last. */
enum outcome outputs_write(const struct arguments *arguments, const struct contents *contents, struct failure *failure);
/* Says on stdout what was written where. */
void outputs_print(const struct arguments *arguments, const char *name_of_x);

#endif
