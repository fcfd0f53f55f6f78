/* SPDX-License-Identifier: BSD-3-Clause */
/* A .npy file within something that the caller opened. */
#ifndef SOFTRELU_CLI_NPY_STREAM_H
#define SOFTRELU_CLI_NPY_STREAM_H

#include "npy.h"
#include "source.h"

#include <stdio.h>

/* As npy_read_as(). The source must hold one array and nothing else. */
enum outcome npy_read_source(struct source *source, enum npy_form form, struct npy_array *array, struct failure *failure);
/* In the array's order and precision. False when the stream took less than everything; errno tells why. */
bool npy_write_stream(FILE *stream, const struct npy_array *array);

#endif
