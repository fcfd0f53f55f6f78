/* SPDX-License-Identifier: BSD-3-Clause */
#include "npy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK_BYTES = 1 << 16 };

static const char *file_kind(mode_t mode) {
    return S_ISDIR(mode)    ? "a directory"
           : S_ISFIFO(mode) ? "a pipe"
           : S_ISCHR(mode)  ? "a device"
           : S_ISBLK(mode)  ? "a device"
           : S_ISSOCK(mode) ? "a socket"
                            : "of an unknown kind";
}

/* Opens without waiting (a pipe without a writer would wait for ever) and tells the length. */
static enum outcome open_regular(const char *path, int *descriptor, int64_t *length, struct failure *failure) {
    *descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (*descriptor < 0) {
        return fail(failure, OUTCOME_BAD_INPUT, "'%s': cannot open: %s", path, strerror(errno));
    }
    struct stat status;
    enum outcome outcome = OUTCOME_OK;
    if (fstat(*descriptor, &status) != 0) {
        outcome = fail(failure, OUTCOME_RESOURCES, "'%s': cannot tell its length: %s", path, strerror(errno));
    } else if (!S_ISREG(status.st_mode)) {
        outcome =
            fail(failure, OUTCOME_BAD_INPUT, "'%s': is %s; expected a regular .npy file", path, file_kind(status.st_mode));
    } else {
        *length = (int64_t)status.st_size;
        return OUTCOME_OK;
    }
    (void)close(*descriptor);
    return outcome;
}

/* Reads exactly length bytes: fewer mean that the file was cut while we read it. */
static enum outcome read_bytes(int descriptor, const char *path, unsigned char *bytes, size_t length, struct failure *failure) {
    while (length > 0) {
        const ssize_t got = read(descriptor, bytes, length);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return fail(failure, OUTCOME_RESOURCES, "'%s': cannot read: %s", path, strerror(errno));
        }
        if (got == 0) {
            return fail(failure, OUTCOME_BAD_INPUT, "'%s': the file shrank while it was read", path);
        }
        bytes += got;
        length -= (size_t)got;
    }
    return OUTCOME_OK;
}

static enum outcome read_header(int descriptor, const char *path, int64_t file_length, struct npy_header *header,
                                int64_t *data_offset, struct failure *failure) {
    unsigned char preamble[NPY_PREAMBLE_MAX];
    char text[NPY_HEADER_MAX];
    size_t offset;
    size_t length;
    const size_t available = file_length < NPY_PREAMBLE_MAX ? (size_t)file_length : NPY_PREAMBLE_MAX;
    enum outcome outcome = read_bytes(descriptor, path, preamble, available, failure);
    if (outcome == OUTCOME_OK) {
        outcome = npy_parse_preamble(preamble, available, path, &offset, &length, failure);
    }
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    if (file_length < (int64_t)(offset + length)) {
        return fail(failure, OUTCOME_BAD_INPUT, "'%s': truncated in the .npy header", path);
    }
    if (lseek(descriptor, (off_t)offset, SEEK_SET) < 0) {
        return fail(failure, OUTCOME_RESOURCES, "'%s': cannot read: %s", path, strerror(errno));
    }
    outcome = read_bytes(descriptor, path, (unsigned char *)text, length, failure);
    *data_offset = (int64_t)(offset + length);
    return outcome == OUTCOME_OK ? npy_parse_header(text, length, path, header, failure) : outcome;
}

static enum outcome check_length(const char *path, int64_t held, const struct npy_header *header, struct failure *failure) {
    const int64_t needed = header->count * (int64_t)header->item_size;
    if (held == needed) {
        return OUTCOME_OK;
    }
    char shape[256];
    return fail(failure, OUTCOME_BAD_INPUT, "'%s': %s: shape %s of float%d needs %lld bytes of data, the file holds %lld", path,
                held < needed ? "truncated" : "bytes after the end of the data",
                npy_shape_text(header->shape, header->dimensions, shape, sizeof shape), (int)(8 * header->item_size),
                (long long)needed, (long long)held);
}

/* Assembled byte by byte, which compilers turn into plain loads where the machine is little-endian too. */
static uint64_t little_endian(const unsigned char *bytes, size_t width) {
    uint64_t bits = 0;
    for (size_t i = 0; i < width; i++) {
        bits |= (uint64_t)bytes[i] << (8 * i);
    }
    return bits;
}

static void decode_float64(const unsigned char *bytes, double *values, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const uint64_t bits = little_endian(bytes + 8 * i, 8);
        memcpy(&values[i], &bits, sizeof bits);
    }
}

static void decode_float32(const unsigned char *bytes, float *values, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const uint32_t bits = (uint32_t)little_endian(bytes + 4 * i, 4);
        memcpy(&values[i], &bits, sizeof bits);
    }
}

static void decode_and_widen(const unsigned char *bytes, double *values, size_t count) {
    for (size_t i = 0; i < count; i++) {
        float value;
        decode_float32(bytes + 4 * i, &value, 1);
        values[i] = (double)value;
    }
}

static enum outcome read_values(int descriptor, const char *path, struct npy_array *array, struct failure *failure) {
    const size_t item = array->header.item_size;
    const size_t count = (size_t)array->header.count;
    unsigned char chunk[CHUNK_BYTES] = {0}; /* cleared once: an analyzer cannot tell that item_size is 4 or 8 */
    for (size_t done = 0; done < count;) {
        const size_t now = count - done < CHUNK_BYTES / item ? count - done : CHUNK_BYTES / item;
        const enum outcome outcome = read_bytes(descriptor, path, chunk, now * item, failure);
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
        if (array->singles != NULL) {
            decode_float32(chunk, array->singles + done, now);
        } else {
            (item == 8 ? decode_float64 : decode_and_widen)(chunk, array->values + done, now);
        }
        done += now;
    }
    return OUTCOME_OK;
}

static enum outcome read_open_file(int descriptor, const char *path, int64_t file_length, bool keep, struct npy_array *array,
                                   struct failure *failure) {
    int64_t data_offset = 0;
    enum outcome outcome = read_header(descriptor, path, file_length, &array->header, &data_offset, failure);
    if (outcome == OUTCOME_OK) {
        outcome = check_length(path, file_length - data_offset, &array->header, failure);
    }
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    keep = keep && array->header.item_size == sizeof *array->singles;
    const uint64_t bytes = (uint64_t)array->header.count * (keep ? sizeof *array->singles : sizeof *array->values);
    void *room = bytes <= SIZE_MAX ? malloc(bytes > 0 ? (size_t)bytes : 1) : NULL;
    array->singles = keep ? room : NULL;
    array->values = keep ? NULL : room;
    if (room == NULL) {
        return fail(failure, OUTCOME_RESOURCES, "'%s': out of memory: its values need %llu bytes", path,
                    (unsigned long long)bytes);
    }
    return read_values(descriptor, path, array, failure);
}

static enum outcome read_file(const char *path, bool keep, struct npy_array *array, struct failure *failure) {
    int descriptor = -1;
    int64_t file_length = 0;
    memset(array, 0, sizeof *array);
    enum outcome outcome = open_regular(path, &descriptor, &file_length, failure);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    outcome = read_open_file(descriptor, path, file_length, keep, array, failure);
    (void)close(descriptor);
    if (outcome != OUTCOME_OK) {
        npy_free(array);
    }
    return outcome;
}

enum outcome npy_read(const char *path, struct npy_array *array, struct failure *failure) {
    return read_file(path, false, array, failure);
}

enum outcome npy_read_kept(const char *path, struct npy_array *array, struct failure *failure) {
    return read_file(path, true, array, failure);
}

double npy_number(const struct npy_array *array, int64_t position) {
    return array->singles != NULL ? (double)array->singles[position] : array->values[position];
}

void npy_free(struct npy_array *array) {
    free(array->values);
    free(array->singles);
    memset(array, 0, sizeof *array);
}
