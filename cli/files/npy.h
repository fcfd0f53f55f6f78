/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * NumPy's .npy files, versions 1.0, 2.0 and 3.0, little-endian float64 and float32, C and Fortran order.
 *
 * The reader trusts nothing: the header is parsed by a strict grammar (not by a search for substrings), every product of
 * sizes is checked, and the length of the file must be exactly what the header promises before memory is asked for. A file
 * that is not regular (directory, pipe, device) is refused: it has no length to check against, and may never end.
 */
#ifndef SOFTRELU_CLI_NPY_H
#define SOFTRELU_CLI_NPY_H

#include "failure.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NPY_DIMENSIONS_MAX 32 /* as NumPy 1.x */
#define NPY_HEADER_MAX 10000  /* longest header text in bytes; NumPy's own limit when it reads */
#define NPY_PREAMBLE_MAX 12   /* magic string, version, length of the header */

/* What a header says. */
struct npy_header {
    int64_t shape[NPY_DIMENSIONS_MAX];
    int dimensions;     /* 0 for a lone number */
    int64_t count;      /* product of shape */
    size_t item_size;   /* 8 for float64, 4 for float32 */
    bool fortran_order; /* columns contiguous */
    /* Of a part of an array, npy_divide(): shape and count are the part's. All zero: it is whole. */
    int axis;       /* along which it is one */
    int64_t first;  /* the index of its first entry there */
    int64_t entire; /* how many entries the whole array has there */
};

/* What becomes of a file's numbers. */
enum npy_form {
    NPY_DOUBLES, /* all are widened to doubles */
    NPY_KEPT,    /* those of fewer than 64 bits become floats */
    NPY_MAPPED   /* they are left in the file, which the array then shows: a matrix in C order, numbers as memory has them */
};

/* How an array is read: as it is, and as doubles, where nothing else is said. */
struct reading {
    enum npy_form form;
    enum { UNDIVIDED, BY_ROWS, BY_ENTRIES } division; /* BY_ENTRIES: of a vector, which may have come as one row */
    int part, parts;                                  /* of a divided array: which, of how many that are as equal as can be */
};

/* An array in memory: header.count numbers in the file's order. */
struct npy_array {
    struct npy_header header;
    double *values; /* freed by npy_free() */
    float *singles; /* in its place when float32 was to be kept */
    void *mapping;  /* NULL: none; else what they lie in, and they are not to be written to */
    size_t mapped;  /* its bytes */
};

/* Reads the preamble's bytes: writes where the header's text starts and how long it is. name is used in messages only. */
enum outcome npy_parse_preamble(const unsigned char *bytes, size_t length, const char *name, size_t *text_offset,
                                size_t *text_length, struct failure *failure);
/* Parses the header's text, a Python dictionary literal. */
enum outcome npy_parse_header(const char *text, size_t length, const char *name, struct npy_header *header,
                              struct failure *failure);
/* Sets count, the product of shape; false when that is more than memory can hold. */
bool npy_count(struct npy_header *header);

/* The first of so many entries that belongs to a part of them; part = parts: all. */
int64_t npy_part_first(int64_t entries, int part, int parts);
/* Leaves of the array what is to be read. */
void npy_divide(struct npy_header *header, struct reading reading);
/* The header of the array that this is a part of. */
struct npy_header npy_entire(const struct npy_header *header);

/* Reads the file at path. On failure array is empty and the message starts with the quoted path. */
enum outcome npy_read(const char *path, struct npy_array *array, struct failure *failure);
/* The same, as reading says. */
enum outcome npy_read_as(const char *path, struct reading reading, struct npy_array *array, struct failure *failure);
/* The number at a position in memory. */
double npy_number(const struct npy_array *array, int64_t position);
/* Frees the values. An empty (all zero) array is allowed. */
void npy_free(struct npy_array *array);

/* "(3, 4)", "(3,)" or "()", cut off where the room ends. Returns text. */
const char *npy_shape_text(const int64_t *shape, int dimensions, char *text, size_t size);
/* The index of the entry at a position in memory, as NumPy counts: "[1, 2]". Returns text. */
const char *npy_index_text(const struct npy_header *header, int64_t position, char *text, size_t size);

#endif
