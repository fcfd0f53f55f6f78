/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Files that appear whole or not at all. The content goes to a temporary file in the folder of the target (rename works only
 * within a file system), is flushed to the disk, and then takes the target's name in one step. Until that step an existing
 * target is untouched.
 *
 * Where the system can, the temporary file has no name before all outputs are complete: a program that is killed leaves
 * nothing. Elsewhere, and in the moment when names are given, it may leave ".softrelu-PID-N.tmp" beside the target: of no use
 * to anybody.
 *
 * A symbolic link stays one: the file it leads to is replaced. A link to nothing and whatever is not a regular file are
 * refused. A file that is replaced keeps its permissions, not its owner or its other hard links.
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
    char *target;     /* where it will lie, without links or detours: equal ones are one file */
    char *temporary;  /* name of the temporary file; NULL while it has none */
    FILE *stream;
};

/* Creates the temporary file and opens its stream. The output must be all zero. */
enum outcome output_begin(struct output *output, const char *path, struct failure *failure);
/* Flushes to the disk. written: whether every write before succeeded (errno still telling why not). Nothing may be written
   afterwards. */
enum outcome output_complete(struct output *output, bool written, struct failure *failure);
/* Gives complete files their names, all in a row once each has all it needs on the disk. Each takes its name in one step, all
   of them cannot: should the system fail or the program be killed between two, the first is new and the second what it was. */
enum outcome output_commit(struct output *outputs, int count, struct failure *failure);
/* Removes the temporary file if there still is one, and frees. An all-zero output is allowed. */
void output_discard(struct output *output);

#endif
