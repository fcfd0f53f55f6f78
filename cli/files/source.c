/* SPDX-License-Identifier: BSD-3-Clause */
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *file_kind(mode_t mode) {
    return S_ISDIR(mode)    ? "a directory"
           : S_ISFIFO(mode) ? "a pipe"
           : S_ISCHR(mode)  ? "a device"
           : S_ISBLK(mode)  ? "a device"
           : S_ISSOCK(mode) ? "a socket"
                            : "of an unknown kind";
}

static enum outcome read_descriptor(struct source *source, unsigned char *bytes, size_t length, size_t *got,
                                    struct failure *failure) {
    ssize_t result;
    do {
        result = read(source->descriptor, bytes, length);
    } while (result < 0 && errno == EINTR);
    if (result < 0) {
        return fail(failure, OUTCOME_RESOURCES, "'%s': cannot read: %s", source->name, strerror(errno));
    }
    *got = (size_t)result;
    return OUTCOME_OK;
}

static enum outcome skip_descriptor(struct source *source, int64_t length, struct failure *failure) {
    return lseek(source->descriptor, (off_t)length, SEEK_CUR) >= 0
               ? OUTCOME_OK
               : fail(failure, OUTCOME_RESOURCES, "'%s': cannot read: %s", source->name, strerror(errno));
}

/* Opens without waiting: a pipe without a writer would wait for ever. */
enum outcome source_open(struct source *source, const char *path, struct failure *failure) {
    *source = (struct source){.name = path, .read = read_descriptor, .skip = skip_descriptor};
    source->descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (source->descriptor < 0) {
        return fail(failure, OUTCOME_BAD_INPUT, "'%s': cannot open: %s", path, strerror(errno));
    }
    struct stat status;
    enum outcome outcome = OUTCOME_OK;
    if (fstat(source->descriptor, &status) != 0) {
        outcome = fail(failure, OUTCOME_RESOURCES, "'%s': cannot tell its length: %s", path, strerror(errno));
    } else if (!S_ISREG(status.st_mode)) {
        outcome = fail(failure, OUTCOME_BAD_INPUT, "'%s': is %s; expected a regular file", path, file_kind(status.st_mode));
    } else {
        source->left = (int64_t)status.st_size;
        return OUTCOME_OK;
    }
    source_close(source);
    return outcome;
}

enum outcome source_move(struct source *source, int64_t offset, int64_t length, struct failure *failure) {
    if (lseek(source->descriptor, (off_t)offset, SEEK_SET) < 0) {
        return fail(failure, OUTCOME_RESOURCES, "'%s': cannot read: %s", source->name, strerror(errno));
    }
    source->left = length;
    return OUTCOME_OK;
}

enum outcome source_read(struct source *source, unsigned char *bytes, size_t length, struct failure *failure) {
    while (length > 0) {
        size_t got = 0;
        const enum outcome outcome = source->read(source, bytes, length, &got, failure);
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
        if (got == 0) {
            return fail(failure, OUTCOME_BAD_INPUT, "'%s': ended, or shrank, while it was read", source->name);
        }
        bytes += got;
        length -= got;
        source->left -= (int64_t)got;
    }
    return OUTCOME_OK;
}

enum outcome source_skip(struct source *source, int64_t length, struct failure *failure) {
    unsigned char dropped[1 << 14];
    enum outcome outcome = OUTCOME_OK;
    if (length > 0 && source->skip != NULL) {
        outcome = source->skip(source, length, failure);
        source->left -= length;
        return outcome;
    }
    while (length > 0 && outcome == OUTCOME_OK) {
        const size_t now = length < (int64_t)sizeof dropped ? (size_t)length : sizeof dropped;
        outcome = source_read(source, dropped, now, failure);
        length -= (int64_t)now;
    }
    return outcome;
}

void source_close(struct source *source) {
    if (source->descriptor >= 0) {
        (void)close(source->descriptor);
    }
    source->descriptor = -1;
}
