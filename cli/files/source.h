/* SPDX-License-Identifier: BSD-3-Clause */
/* Bytes of known length that are read, or stepped over, from the first to the last: a file, or an entry of an archive. */
#ifndef SOFTRELU_CLI_SOURCE_H
#define SOFTRELU_CLI_SOURCE_H

#include "failure.h"

#include <stdint.h>

struct source {
    const char *name; /* for messages */
    int64_t left;     /* bytes that are still to come */
    /* Reads up to length bytes, at least one; none at an unforeseen end. */
    enum outcome (*read)(struct source *source, unsigned char *bytes, size_t length, size_t *got, struct failure *failure);
    /* Steps over length bytes; NULL where only reading them does. */
    enum outcome (*skip)(struct source *source, int64_t length, struct failure *failure);
    int descriptor; /* of a file */
    void *entry;    /* of an archive */
};

/* Opens a regular file; whatever else may have no length or no end is refused. */
enum outcome source_open(struct source *source, const char *path, struct failure *failure);
/* Goes on reading at an offset from the file's first byte, length bytes. */
enum outcome source_move(struct source *source, int64_t offset, int64_t length, struct failure *failure);
/* Reads exactly length bytes, which must be left. */
enum outcome source_read(struct source *source, unsigned char *bytes, size_t length, struct failure *failure);
/* Steps over the next length bytes, which must be left. */
enum outcome source_skip(struct source *source, int64_t length, struct failure *failure);
/* Closes the file. */
void source_close(struct source *source);

#endif
