/* SPDX-License-Identifier: BSD-3-Clause */
/* The numbers of an array, from little-endian bytes to memory. */
#ifndef SOFTRELU_CLI_VALUES_H
#define SOFTRELU_CLI_VALUES_H

#include "npy.h"
#include "source.h"

#include <stdio.h>

enum number_type { FLOAT64, FLOAT32, FLOAT16, BFLOAT16 };

/* Room for the array's header.count numbers: singles if single, else values. name is used in messages only. */
enum outcome values_allocate(struct npy_array *array, bool single, const char *name, struct failure *failure);
/* Room, and the numbers from the source, which must have the whole array left, be this a part of it or not, and is at its end
   then; or the numbers mapped. */
enum outcome values_read(struct source *source, enum number_type type, enum npy_form form, struct npy_array *array,
                         struct failure *failure);
/* Maps the numbers, where the source is a file and has them as memory would. */
enum outcome values_map(const struct source *source, enum number_type type, struct npy_array *array, struct failure *failure);
/* Brings an array that is in Fortran order into C order, whatever its dimensions. */
enum outcome values_order(struct npy_array *array, struct failure *failure);
/* Writes the numbers as they lie, little-endian. False when the stream took less than everything. */
bool values_write(FILE *stream, const struct npy_array *array);

#endif
