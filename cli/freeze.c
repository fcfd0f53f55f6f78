/* SPDX-License-Identifier: BSD-3-Clause */
#include "freeze.h"

#include "archive.h"
#include "number.h"

#include <stdlib.h>
#include <string.h>

/* The number in text up to end, which no other character may be in. */
static bool parse_index(const char *text, const char *end, uint64_t *index) {
    char digits[24];
    const size_t length = (size_t)(end - text);
    if (length >= sizeof digits) {
        return false;
    }
    memcpy(digits, text, length);
    digits[length] = '\0';
    return number_parse_unsigned(digits, index);
}

static enum outcome read_list(const char *text, int64_t d, signed char *frozen, struct failure *failure) {
    for (const char *part = text; part != NULL;) {
        const char *end = part + strcspn(part, ",");
        const char *dash = memchr(part, '-', (size_t)(end - part));
        uint64_t first = 0;
        uint64_t last = 0;
        if (!parse_index(part, dash != NULL ? dash : end, &first) || !parse_index(dash != NULL ? dash + 1 : part, end, &last)) {
            return fail(failure, OUTCOME_BAD_INPUT, "--freeze '%s': '%.*s' is no entry, such as 4, and no range, such as 10-20",
                        text, (int)(end - part), part);
        }
        if (first > last || last >= (uint64_t)d) {
            return fail(failure, OUTCOME_BAD_INPUT, "--freeze '%s': '%.*s' is not within the entries 0 to %lld", text,
                        (int)(end - part), part, (long long)(d - 1));
        }
        memset(frozen + first, 1, (size_t)(last - first + 1));
        part = *end == ',' ? end + 1 : NULL;
    }
    return OUTCOME_OK;
}

static enum outcome read_flags(const char *path, int64_t d, signed char *frozen, struct failure *failure) {
    struct npy_array array;
    enum outcome outcome = array_read(path, NPY_DOUBLES, &array, failure);
    if (outcome != OUTCOME_OK) {
        return fail_prefix(failure, outcome, "--freeze");
    }
    if (array.header.count != d) {
        outcome = fail(failure, OUTCOME_BAD_INPUT, "--freeze '%s': %lld entries; expected %lld, one for each of x", path,
                       (long long)array.header.count, (long long)d);
    }
    for (int64_t k = 0; k < d && outcome == OUTCOME_OK; k++) {
        if (array.values[k] != 0 && array.values[k] != 1) {
            outcome = fail(failure, OUTCOME_BAD_INPUT, "--freeze '%s': entry %lld is %g, neither 0 nor 1", path, (long long)k,
                           array.values[k]);
        } else {
            frozen[k] = array.values[k] == 1;
        }
    }
    npy_free(&array);
    return outcome;
}

enum outcome freeze_read(const char *text, int64_t d, signed char **frozen, struct failure *failure) {
    *frozen = calloc((size_t)d, 1);
    if (*frozen == NULL) {
        return fail(failure, OUTCOME_RESOURCES, "out of memory");
    }
    const bool list = text[0] != '\0' && text[strspn(text, "0123456789,-")] == '\0';
    return list ? read_list(text, d, *frozen, failure) : read_flags(text, d, *frozen, failure);
}
