/* SPDX-License-Identifier: BSD-3-Clause */
/* What each format of an archive must be able to do. */
#ifndef SOFTRELU_CLI_ARCHIVE_FORMAT_H
#define SOFTRELU_CLI_ARCHIVE_FORMAT_H

#include "archive.h"
#include "source.h"

/* Formats whose library was missing when the program was built have no functions. */
struct archive_format {
    const char *title;
    const char *extensions[3];
    const char *magic; /* the first bytes; NULL: none that tell */
    /* Fills names, count, loss and handle. On failure archive_close() is called. */
    enum outcome (*open)(struct archive *archive, const char *group, struct failure *failure);
    /* index: of the name; label: the quoted path and name for messages. */
    enum outcome (*read)(struct archive *archive, size_t index, const char *label, enum npy_form form, struct npy_array *array,
                         struct failure *failure);
    void (*close)(struct archive *archive);
    /* False when the stream took less than everything, or for want of memory; errno tells which. */
    bool (*write)(FILE *stream, const struct archive_entry *entries, size_t count, json_t *attributes);
};

extern const struct archive_format safetensors_format;
extern const struct archive_format npz_format;
extern const struct archive_format hdf5_format;

/* Adds a copy of a name, which must be new. */
enum outcome archive_add_name(struct archive *archive, const char *name, size_t length, struct failure *failure);

#endif
