/* SPDX-License-Identifier: BSD-3-Clause */
#include "values.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK_BYTES = 1 << 16 };

static const size_t widths[] = {[FLOAT64] = 8, [FLOAT32] = 4, [FLOAT16] = 2, [BFLOAT16] = 2};

/* Assembled byte by byte, which compilers turn into plain loads where the machine is little-endian too. */
static uint64_t little_endian(const unsigned char *bytes, size_t width) {
    uint64_t bits = 0;
    for (size_t i = 0; i < width; i++) {
        bits |= (uint64_t)bytes[i] << (8 * i);
    }
    return bits;
}

static float float_of_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* sign 1, exponent 5, fraction 10: every one is a float32 */
static float half(uint32_t bits) {
    const uint32_t sign = (bits & 0x8000U) << 16;
    const uint32_t exponent = bits >> 10 & 0x1fU;
    const uint32_t fraction = bits & 0x3ffU;
    if (exponent == 0) { /* zero or subnormal: fraction / 2^24 */
        const float magnitude = (float)fraction * 0x1p-24F;
        return sign != 0 ? -magnitude : magnitude;
    }
    const uint32_t wide = exponent == 0x1fU ? 0xffU : exponent + (127 - 15);
    return float_of_bits(sign | wide << 23 | fraction << 13);
}

static float single(const unsigned char *bytes, enum number_type type) {
    const uint32_t bits = (uint32_t)(type == FLOAT32 ? little_endian(bytes, 4) : little_endian(bytes, 2));
    return type == FLOAT16 ? half(bits) : float_of_bits(type == BFLOAT16 ? bits << 16 : bits);
}

static double number(const unsigned char *bytes, enum number_type type) {
    if (type != FLOAT64) {
        return (double)single(bytes, type);
    }
    const uint64_t bits = little_endian(bytes, 8);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static size_t item_in_memory(const struct npy_array *array) {
    return array->singles != NULL ? sizeof *array->singles : sizeof *array->values;
}

enum outcome values_allocate(struct npy_array *array, bool single, const char *name, struct failure *failure) {
    const uint64_t bytes = (uint64_t)array->header.count * (single ? sizeof *array->singles : sizeof *array->values);
    void *room = bytes <= SIZE_MAX ? malloc(bytes > 0 ? (size_t)bytes : 1) : NULL;
    array->singles = single ? room : NULL;
    array->values = single ? NULL : room;
    return room != NULL ? OUTCOME_OK
                        : fail(failure, OUTCOME_RESOURCES, "'%s': out of memory: its values need %llu bytes", name,
                               (unsigned long long)bytes);
}

/* A part of an array lies in its file in so many runs, each between numbers of other parts. */
struct runs {
    int64_t count, before, length, behind;
};

static struct runs find_runs(const struct npy_header *header) {
    struct runs runs = {1, header->first, header->count, header->entire - header->first};
    if (header->entire == 0) {
        return (struct runs){1, 0, header->count, 0};
    }
    int64_t together = 1; /* entries that lie together for each index of the axis */
    for (int i = 0; i < header->dimensions; i++) {
        const bool faster = header->fortran_order ? i < header->axis : i > header->axis;
        if (i != header->axis) {
            *(faster ? &together : &runs.count) *= header->shape[i];
        }
    }
    runs.length = runs.count > 0 ? header->count / runs.count : 0;
    runs.before *= together;
    runs.behind = runs.behind * together - runs.length;
    return runs;
}

static enum outcome read_run(struct source *source, enum number_type type, size_t from, size_t count, struct npy_array *array,
                             struct failure *failure) {
    const size_t width = widths[type];
    unsigned char chunk[CHUNK_BYTES];
    enum outcome outcome = OUTCOME_OK;
    for (size_t done = 0; done < count && outcome == OUTCOME_OK;) {
        const size_t now = count - done < CHUNK_BYTES / width ? count - done : CHUNK_BYTES / width;
        outcome = source_read(source, chunk, now * width, failure);
        for (size_t i = 0; i < now && outcome == OUTCOME_OK; i++) {
            if (array->singles != NULL) {
                array->singles[from + done + i] = single(chunk + width * i, type);
            } else {
                array->values[from + done + i] = number(chunk + width * i, type);
            }
        }
        done += now;
    }
    return outcome;
}

enum outcome values_read(struct source *source, enum number_type type, enum npy_form form, struct npy_array *array,
                         struct failure *failure) {
    const int64_t width = (int64_t)widths[type];
    const struct runs runs = find_runs(&array->header);
    if (form == NPY_MAPPED && array->header.count > 0) { /* in C order, where some of the rows are one run */
        const enum outcome skipped = source_skip(source, runs.before * width, failure);
        return skipped == OUTCOME_OK ? values_map(source, type, array, failure) : skipped;
    }
    enum outcome outcome = values_allocate(array, form != NPY_DOUBLES && type != FLOAT64, source->name, failure);
    for (int64_t i = 0; i < runs.count && outcome == OUTCOME_OK; i++) {
        outcome = source_skip(source, runs.before * width, failure);
        if (outcome == OUTCOME_OK) {
            outcome = read_run(source, type, (size_t)(i * runs.length), (size_t)runs.length, array, failure);
        }
        if (outcome == OUTCOME_OK) {
            outcome = source_skip(source, runs.behind * width, failure);
        }
    }
    return outcome;
}

enum outcome values_order(struct npy_array *array, struct failure *failure) {
    struct npy_header *header = &array->header;
    const size_t item = item_in_memory(array);
    const unsigned char *from = array->singles != NULL ? (unsigned char *)array->singles : (unsigned char *)array->values;
    if (!header->fortran_order || header->dimensions < 2) {
        header->fortran_order = false;
        return OUTCOME_OK;
    }
    unsigned char *ordered = malloc(header->count > 0 ? (size_t)header->count * item : 1);
    if (ordered == NULL) {
        return fail(failure, OUTCOME_RESOURCES, "out of memory");
    }
    int64_t index[NPY_DIMENSIONS_MAX] = {0};
    for (int64_t i = 0; i < header->count; i++) { /* the position in C order; the last index is the fastest there */
        int64_t position = 0;
        for (int axis = header->dimensions - 1; axis >= 0; axis--) {
            position = position * header->shape[axis] + index[axis];
        }
        memcpy(ordered + (size_t)i * item, from + (size_t)position * item, item);
        for (int axis = header->dimensions - 1; axis >= 0 && ++index[axis] == header->shape[axis]; axis--) {
            index[axis] = 0;
        }
    }
    const bool single = array->singles != NULL;
    free(array->values);
    free(array->singles);
    array->values = single ? NULL : (double *)(void *)ordered;
    array->singles = single ? (float *)(void *)ordered : NULL;
    header->fortran_order = false;
    return OUTCOME_OK;
}

bool values_write(FILE *stream, const struct npy_array *array) {
    const size_t width = item_in_memory(array);
    for (int64_t i = 0; i < array->header.count; i++) {
        uint64_t bits = 0;
        uint32_t few = 0;
        unsigned char bytes[8] = {0}; /* cleared: an analyzer cannot tell that width is 4 or 8 */
        if (array->singles != NULL) {
            memcpy(&few, &array->singles[i], sizeof few);
            bits = few;
        } else {
            memcpy(&bits, &array->values[i], sizeof bits);
        }
        for (size_t byte = 0; byte < width; byte++) {
            bytes[byte] = (unsigned char)(bits >> (8 * byte));
        }
        if (fwrite(bytes, 1, width, stream) != width) {
            return false;
        }
    }
    return true;
}
