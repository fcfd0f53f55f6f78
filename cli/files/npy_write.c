/* SPDX-License-Identifier: BSD-3-Clause */
#include "npy_stream.h"

#include "values.h"

#include <string.h>

enum { ALIGNMENT = 64, TEXT_MAX = 1024 };

/* Version 1.0, padded with spaces so that the data starts at a multiple of 64 bytes, as NumPy writes it. */
static bool put_header(FILE *stream, const struct npy_array *array) {
    const struct npy_header *header = &array->header;
    char shape[NPY_DIMENSIONS_MAX * 22];
    char text[TEXT_MAX];
    const int written = snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }",
                                 array->singles != NULL ? "<f4" : "<f8", header->fortran_order ? "True" : "False",
                                 npy_shape_text(header->shape, header->dimensions, shape, sizeof shape));
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

bool npy_write_stream(FILE *stream, const struct npy_array *array) {
    return put_header(stream, array) && values_write(stream, array);
}
