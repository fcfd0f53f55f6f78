/* SPDX-License-Identifier: BSD-3-Clause */
/* Names of the network's outputs: from a text file, or from the attribute "names" of an HDF5 file. */
#ifndef SOFTRELU_CLI_NAMES_H
#define SOFTRELU_CLI_NAMES_H

#include "failure.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* All of it is owned. No names: none are known, and outputs go by their numbers. */
struct names {
    char **text;
    int64_t count;
};

enum { NAME_BYTES_MOST = 200 };

/* Room for so many names, each NULL; and one of them, of so many bytes. */
enum outcome names_allocate(struct names *names, int64_t count, struct failure *failure);
enum outcome names_set(struct names *names, int64_t index, const char *text, size_t length, struct failure *failure);
void names_free(struct names *names);

/* The lines of a text file. */
enum outcome names_read(const char *path, struct names *names, struct failure *failure);
/* Fails unless there are m of them, each of UTF-8 that can be shown: not empty, not long, no control characters. origin: where
   they are from. */
enum outcome names_check(const struct names *names, const char *origin, int64_t m, struct failure *failure);

/* The output that word, of --class, means: its number, or else its name. */
enum outcome names_find(const struct names *names, const char *word, int64_t m, int64_t *output, struct failure *failure);
/* What an output is called: its name, or else its number, which is put in number. */
enum { NUMBER_BYTES = 24 };
const char *names_at(const struct names *names, int64_t output, char number[NUMBER_BYTES]);
/* ["cat", "dog"]; NULL for want of memory. */
json_t *names_json(const struct names *names);

#endif
