/* SPDX-License-Identifier: BSD-3-Clause */
/* Writing a .npy file into a stream that the caller opened. */
#ifndef SOFTRELU_CLI_NPY_STREAM_H
#define SOFTRELU_CLI_NPY_STREAM_H

#include "npy.h"

#include <stdio.h>

/* As npy_write(). False when the stream took less than everything; errno tells why. */
bool npy_write_stream(FILE *stream, const double *values, const int64_t *shape, int dimensions, bool fortran_order);

#endif
