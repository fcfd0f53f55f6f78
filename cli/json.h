/* SPDX-License-Identifier: BSD-3-Clause */
/* What all JSON of the program shares. */
#ifndef SOFTRELU_CLI_JSON_H
#define SOFTRELU_CLI_JSON_H

#include "inputs.h"

#include <jansson.h>
#include <stdio.h>

/* JSON has no token for NaN and infinity: they become the strings "nan", "inf" and "-inf". */
json_t *json_number(double value, softrelu_type type);
/* Adds a value to an object. Takes NULL as a failure, so that a chain of these needs one test at its end. */
bool json_put(json_t *object, const char *key, json_t *value);
/* Writes it, indented, with a last newline. False when the stream took less than everything. */
bool json_write(FILE *stream, const json_t *value);
/* The same to stdout for --json, where a failure is the program's. value: NULL for want of memory; it is let go. */
enum outcome json_print(json_t *value, struct failure *failure);
/* {"n": ..., "d": ..., "m": ...} */
json_t *json_dimensions(const struct inputs *inputs);
/* [x_0, x_1, ...] */
json_t *json_vector(const double *x, int64_t length);
/* The object if ok; else NULL, and it is gone. */
json_t *json_finished(json_t *object, bool ok);

#endif
