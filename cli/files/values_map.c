/* SPDX-License-Identifier: BSD-3-Clause */
#include "values.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static enum outcome refuse(const struct source *source, const char *why, struct failure *failure) {
    return fail(failure, OUTCOME_BAD_INPUT, "'%s': cannot be mapped: %s", source->name, why);
}

static bool is_little_endian(void) {
    const uint16_t one = 1;
    unsigned char first;
    memcpy(&first, &one, 1);
    return first == 1;
}

enum outcome values_map(const struct source *source, enum number_type type, struct npy_array *array, struct failure *failure) {
    const int64_t width = type == FLOAT64 ? sizeof(double) : sizeof(float);
    const int64_t page = sysconf(_SC_PAGESIZE);
    const int64_t offset = source->descriptor >= 0 ? lseek(source->descriptor, 0, SEEK_CUR) : -1;
    const int64_t before = offset % page; /* a mapping begins where a page does */
    if (offset < 0) {
        return refuse(source, "it lies in a .npz archive", failure);
    }
    if (type != FLOAT64 && type != FLOAT32) {
        return refuse(source, "its numbers have 16 bits; expected float64 or float32", failure);
    }
    if (array->header.fortran_order && array->header.dimensions > 1) {
        return refuse(source, "it is in Fortran order; expected C order, for it is read by rows", failure);
    }
    if (offset % width != 0) {
        return refuse(source, "its numbers begin at a byte where no number may lie in memory", failure);
    }
    if (!is_little_endian()) {
        return refuse(source, "this machine is big-endian, and the file is not", failure);
    }
    const size_t bytes = (size_t)(before + array->header.count * width);
    char *start = mmap(NULL, bytes, PROT_READ, MAP_SHARED, source->descriptor, (off_t)(offset - before));
    if (start == MAP_FAILED) {
        return fail(failure, OUTCOME_RESOURCES, "'%s': cannot be mapped: %s", source->name, strerror(errno));
    }
    array->mapping = start;
    array->mapped = bytes;
    array->values = type == FLOAT64 ? (double *)(void *)(start + before) : NULL;
    array->singles = type == FLOAT64 ? NULL : (float *)(void *)(start + before);
    return OUTCOME_OK;
}
