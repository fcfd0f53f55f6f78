/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Arrays by name: the files that hold several of them, and FILE:NAME, by which the command line names one.
 *
 *     x.npy   weights.npz:A1   model.safetensors:fc1.weight   problem.h5:/group/A1
 *
 * The file's extension says what it is; where it says nothing, the first bytes do, and what they leave open is a .npy file. A
 * file whose name has a colon is found first.
 */
#ifndef SOFTRELU_CLI_ARCHIVE_H
#define SOFTRELU_CLI_ARCHIVE_H

#include "npy.h"

#include <jansson.h>
#include <stdio.h>

struct archive_format;

/* An open file with its names. All of it is owned, and freed by archive_close(). */
struct archive {
    const struct archive_format *format; /* NULL: not open */
    char *path;
    char **names; /* of its arrays, in the file's order */
    size_t count;
    char *loss; /* what it says of the output loss, empty: no text; NULL: nothing */
    void *handle;
};

/* What is to be written into one. */
struct archive_entry {
    const char *name;
    struct npy_array *array; /* may be brought into C order */
};

/* What text says: the path and the name are owned and freed by archive_address_free(); name is NULL when there is none. */
struct archive_address {
    char *path;
    char *name;
};
enum outcome archive_address_parse(const char *text, struct archive_address *address, struct failure *failure);
void archive_address_free(struct archive_address *address);

/* Opens the archive, in HDF5 a group of it; group may be NULL. */
enum outcome archive_open(const char *path, const char *group, struct archive *archive, struct failure *failure);
/* Reads the array of that name; NULL: the only one. */
enum outcome archive_read(struct archive *archive, const char *name, enum npy_form form, struct npy_array *array,
                          struct failure *failure);
bool archive_has(const struct archive *archive, const char *name);
void archive_close(struct archive *archive);

/* Reads the array that text, a FILE or FILE:NAME, names. On failure array is empty and the message starts with the quoted
   path. */
enum outcome array_read(const char *text, enum npy_form form, struct npy_array *array, struct failure *failure);

/* Is the file one that holds arrays by name, not a .npy file? */
bool archive_is(const char *path);
/* Would archive_write() to that path, by its extension, write one? */
bool archive_is_named(const char *path);
/* And would that keep texts among the attributes? */
bool archive_keeps_texts(const char *path);
/* Fails when the program was built without what path's extension stands for. */
enum outcome archive_check(const char *path, struct failure *failure);
/* Writes the arrays as path's extension says, .npy for any unknown one; a .npy file holds one array and no name. attributes: an
   object or NULL; HDF5 keeps all of it, .safetensors its texts, the others nothing. False when the stream took less than
   everything, or for want of memory; errno tells which. */
bool archive_write(FILE *stream, const char *path, const struct archive_entry *entries, size_t count, json_t *attributes);

/* The formats, one by one, until NULL; available: the program was built with it. */
const char *archive_title(size_t index, bool *available);

#endif
