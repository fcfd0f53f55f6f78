/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Files that appear whole or not at all. The content goes to a temporary file in the folder of the target (rename works only
 * within a file system), is flushed to the disk, and then takes the target's name in one step. Until that step an existing
 * target is untouched.
 *
 *     output_begin(); write to output.stream; output_complete(); output_commit(); always output_discard();
 */
#ifndef SOFTRELU_CLI_OUTPUT_H
#define SOFTRELU_CLI_OUTPUT_H

#include "failure.h"

#include <stdbool.h>
#include <stdio.h>

struct output {
    const char *path; /* as the user wrote it: for messages, the caller's memory */
    char *target;     /* where it will lie; symbolic links followed, so that a link stays a link */
    char *temporary;  /* NULL when there is none on the disk */
    FILE *stream;
};

/* Would output_begin() work? Asked before hours of work whose result could then not be kept. Leaves nothing behind. */
enum outcome output_check(const char *path, struct failure *failure);
/* Creates the temporary file and opens its stream. The output must be all zero. */
enum outcome output_begin(struct output *output, const char *path, struct failure *failure);
/* Flushes to the disk and closes. written: whether every write before succeeded (errno still telling why not). */
enum outcome output_complete(struct output *output, bool written, struct failure *failure);
/* Gives the complete file its name. */
enum outcome output_commit(struct output *output, struct failure *failure);
/* Removes the temporary file if there still is one, and frees. An all-zero output is allowed. */
void output_discard(struct output *output);

#endif
