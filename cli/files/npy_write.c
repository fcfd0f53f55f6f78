/* SPDX-License-Identifier: BSD-3-Clause */
#include "npy_stream.h"

#include "output.h"

#include <string.h>

enum { ALIGNMENT = 64, TEXT_MAX = 1024 };

/* Version 1.0, padded with spaces so that the data starts at a multiple of 64 bytes, as NumPy writes it. */
static bool put_header(FILE *stream, const int64_t *shape, int dimensions, bool fortran_order) {
    char shape_text[NPY_DIMENSIONS_MAX * 22];
    char text[TEXT_MAX];
    const int written =
        snprintf(text, sizeof text, "{'descr': '<f8', 'fortran_order': %s, 'shape': %s, }", fortran_order ? "True" : "False",
                 npy_shape_text(shape, dimensions, shape_text, sizeof shape_text));
    if (written < 0 || written > TEXT_MAX - ALIGNMENT) {
        return false;
    }
    const size_t before = 10;
    const size_t length = (before + (size_t)written + 1 + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT - before;
    memset(text + written, ' ', length - (size_t)written - 1);
    text[length - 1] = '\n';
    const unsigned char preamble[10] = {
        0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (unsigned char)(length & 0xff), (unsigned char)(length >> 8)};
    return fwrite(preamble, 1, sizeof preamble, stream) == sizeof preamble && fwrite(text, 1, length, stream) == length;
}

bool npy_write_stream(FILE *stream, const double *values, const int64_t *shape, int dimensions, bool fortran_order) {
    if (dimensions < 0 || dimensions > NPY_DIMENSIONS_MAX || !put_header(stream, shape, dimensions, fortran_order)) {
        return false;
    }
    int64_t count = 1;
    for (int i = 0; i < dimensions; i++) {
        count *= shape[i];
    }
    for (int64_t i = 0; i < count; i++) {
        uint64_t bits;
        unsigned char bytes[8];
        memcpy(&bits, &values[i], sizeof bits);
        for (int byte = 0; byte < 8; byte++) {
            bytes[byte] = (unsigned char)(bits >> (8 * byte));
        }
        if (fwrite(bytes, 1, sizeof bytes, stream) != sizeof bytes) {
            return false;
        }
    }
    return true;
}

enum outcome npy_write(const char *path, const double *values, const int64_t *shape, int dimensions, bool fortran_order,
                       struct failure *failure) {
    struct output output = {0};
    enum outcome outcome = output_begin(&output, path, failure);
    if (outcome == OUTCOME_OK) {
        const bool written = npy_write_stream(output.stream, values, shape, dimensions, fortran_order);
        outcome = output_complete(&output, written, failure);
    }
    if (outcome == OUTCOME_OK) {
        outcome = output_commit(&output, 1, failure);
    }
    output_discard(&output);
    return outcome;
}
