/* SPDX-License-Identifier: BSD-3-Clause */
#include "npy_stream.h"

#include "values.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static enum outcome read_header(struct source *source, struct npy_header *header, struct failure *failure) {
    unsigned char preamble[NPY_PREAMBLE_MAX];
    char text[NPY_HEADER_MAX];
    size_t offset;
    size_t length;
    const size_t available = source->left < NPY_PREAMBLE_MAX ? (size_t)source->left : NPY_PREAMBLE_MAX;
    enum outcome outcome = source_read(source, preamble, available, failure);
    if (outcome == OUTCOME_OK) {
        outcome = npy_parse_preamble(preamble, available, source->name, &offset, &length, failure);
    }
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    const size_t begun = available - offset; /* the shorter preamble of version 1 was read with the text's first bytes */
    if (length < begun || source->left < (int64_t)(length - begun)) {
        return fail(failure, OUTCOME_BAD_INPUT, "'%s': truncated in the .npy header", source->name);
    }
    memcpy(text, preamble + offset, begun);
    outcome = source_read(source, (unsigned char *)text + begun, length - begun, failure);
    return outcome == OUTCOME_OK ? npy_parse_header(text, length, source->name, header, failure) : outcome;
}

static enum outcome check_length(const char *name, int64_t held, const struct npy_header *header, struct failure *failure) {
    const int64_t needed = header->count * (int64_t)header->item_size;
    if (held == needed) {
        return OUTCOME_OK;
    }
    char shape[256];
    return fail(failure, OUTCOME_BAD_INPUT, "'%s': %s: shape %s of float%d needs %lld bytes of data, the file holds %lld", name,
                held < needed ? "truncated" : "bytes after the end of the data",
                npy_shape_text(header->shape, header->dimensions, shape, sizeof shape), (int)(8 * header->item_size),
                (long long)needed, (long long)held);
}

enum outcome npy_read_source(struct source *source, struct reading reading, struct npy_array *array, struct failure *failure) {
    memset(array, 0, sizeof *array);
    enum outcome outcome = read_header(source, &array->header, failure);
    if (outcome == OUTCOME_OK) {
        outcome = check_length(source->name, source->left, &array->header, failure);
    }
    if (outcome == OUTCOME_OK) {
        npy_divide(&array->header, reading);
        outcome = values_read(source, array->header.item_size == 8 ? FLOAT64 : FLOAT32, reading.form, array, failure);
    }
    if (outcome != OUTCOME_OK) {
        npy_free(array);
    }
    return outcome;
}

enum outcome npy_read_as(const char *path, struct reading reading, struct npy_array *array, struct failure *failure) {
    struct source source;
    memset(array, 0, sizeof *array);
    enum outcome outcome = source_open(&source, path, failure);
    if (outcome == OUTCOME_OK) {
        outcome = npy_read_source(&source, reading, array, failure);
        source_close(&source);
    }
    return outcome;
}

enum outcome npy_read(const char *path, struct npy_array *array, struct failure *failure) {
    return npy_read_as(path, (struct reading){0}, array, failure);
}

double npy_number(const struct npy_array *array, int64_t position) {
    return array->singles != NULL ? (double)array->singles[position] : array->values[position];
}

void npy_free(struct npy_array *array) {
    if (array->mapping != NULL) {
        (void)munmap(array->mapping, array->mapped);
    } else {
        free(array->values);
        free(array->singles);
    }
    memset(array, 0, sizeof *array);
}
