/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers in text. */
#ifndef SOFTRELU_CLI_NUMBER_H
#define SOFTRELU_CLI_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* Reads a number that is the whole text. "nan" and "inf" count as numbers, for the caller to refuse. */
bool number_parse(const char *text, double *value);
/* Reads digits that are the whole text. */
bool number_parse_unsigned(const char *text, uint64_t *value);
/* "nan", "inf" or "-inf"; NULL for a finite number. */
const char *number_word(double value);

#endif
