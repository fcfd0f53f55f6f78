/* SPDX-License-Identifier: BSD-3-Clause */
#include "number.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>

bool number_parse(const char *text, double *value) {
    char *end = NULL;
    if (text[0] == '\0' || isspace((unsigned char)text[0])) {
        return false;
    }
    *value = strtod(text, &end);
    return end != text && *end == '\0';
}

bool number_parse_unsigned(const char *text, uint64_t *value) {
    char *end = NULL;
    if (!isdigit((unsigned char)text[0])) { /* strtoull would accept spaces and a minus sign */
        return false;
    }
    errno = 0;
    *value = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0';
}

const char *number_word(double value) {
    if (isnan(value)) {
        return "nan";
    }
    if (isinf(value)) {
        return value > 0 ? "inf" : "-inf";
    }
    return NULL;
}
