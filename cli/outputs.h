/* SPDX-License-Identifier: BSD-3-Clause */
/* The files of --out and --report: checked early, and written together. */
#ifndef SOFTRELU_CLI_OUTPUTS_H
#define SOFTRELU_CLI_OUTPUTS_H

#include "arguments.h"

#include <jansson.h>

/* Could both be written? Asked before hours of work whose result could then not be kept. Leaves nothing behind. */
enum outcome outputs_check(const struct arguments *arguments, struct failure *failure);

/* Writes x, length numbers in so many rows of a 2-D array, 0: in a vector (NULL: there is nothing to write to --out), and the
   report that make builds from its argument (NULL for want of memory). Both files are complete on the disk, and have
   what they need there, before the first takes its name: a full disk leaves both old ones in place. */
enum outcome outputs_write(const struct arguments *arguments, const double *x, int64_t rows, int64_t length,
                           json_t *(*make)(const void *), const void *argument, struct failure *failure);

#endif
