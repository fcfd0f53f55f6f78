/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The header of a .npy file:
 *
 *     \x93NUMPY  major minor  length (2 bytes little-endian in version 1, 4 bytes later)  text
 *     text = { 'descr' : STRING , 'fortran_order' : True|False , 'shape' : ( INTEGER , ... ) [,] } spaces newline
 *
 * with the three keys in any order, each exactly once.
 */
#include "npy.h"

#include <stdio.h>
#include <string.h>

struct cursor {
    const char *at;
    const char *end;
    const char *name; /* of the file, for messages */
    struct failure *failure;
};

enum key { KEY_DESCR, KEY_FORTRAN_ORDER, KEY_SHAPE, KEY_COUNT };
static const char *const key_names[KEY_COUNT] = {"descr", "fortran_order", "shape"};

static enum outcome broken(const struct cursor *cursor, const char *what) {
    return fail(cursor->failure, OUTCOME_BAD_INPUT, "'%s': broken .npy header: %s", cursor->name, what);
}

enum outcome npy_parse_preamble(const unsigned char *bytes, size_t length, const char *name, size_t *text_offset,
                                size_t *text_length, struct failure *failure) {
    static const unsigned char magic[6] = {0x93, 'N', 'U', 'M', 'P', 'Y'};
    if (length < sizeof magic || memcmp(bytes, magic, sizeof magic) != 0) {
        return fail(failure, OUTCOME_BAD_INPUT, "'%s': not a .npy file (it does not start with NumPy's magic string)", name);
    }
    if (length < 10) {
        return fail(failure, OUTCOME_BAD_INPUT, "'%s': truncated in the .npy header", name);
    }
    if (bytes[6] < 1 || bytes[6] > 3 || bytes[7] != 0) {
        return fail(failure, OUTCOME_BAD_INPUT, "'%s': .npy version %d.%d; expected 1.0, 2.0 or 3.0", name, bytes[6], bytes[7]);
    }
    const size_t width = bytes[6] == 1 ? 2 : 4;
    if (length < 8 + width) {
        return fail(failure, OUTCOME_BAD_INPUT, "'%s': truncated in the .npy header", name);
    }
    size_t stated = 0;
    for (size_t i = width; i > 0; i--) {
        stated = stated << 8 | bytes[8 + i - 1];
    }
    if (stated > NPY_HEADER_MAX) {
        return fail(failure, OUTCOME_BAD_INPUT, "'%s': the .npy header claims %zu bytes; at most %d are read", name, stated,
                    NPY_HEADER_MAX);
    }
    *text_offset = 8 + width;
    *text_length = stated;
    return OUTCOME_OK;
}

static void skip_spaces(struct cursor *cursor) {
    while (cursor->at < cursor->end && (*cursor->at == ' ' || *cursor->at == '\t')) {
        cursor->at++;
    }
}

/* Steps over one character, spaces before it allowed. */
static bool accept(struct cursor *cursor, char wanted) {
    skip_spaces(cursor);
    if (cursor->at < cursor->end && *cursor->at == wanted) {
        cursor->at++;
        return true;
    }
    return false;
}

static bool accept_word(struct cursor *cursor, const char *word) {
    const size_t length = strlen(word);
    skip_spaces(cursor);
    if ((size_t)(cursor->end - cursor->at) >= length && memcmp(cursor->at, word, length) == 0) {
        cursor->at += length;
        return true;
    }
    return false;
}

/* A quoted string without escapes: no key and no dtype that can be read needs one. */
static bool accept_string(struct cursor *cursor, const char **text, size_t *length) {
    skip_spaces(cursor);
    if (cursor->at == cursor->end || (*cursor->at != '\'' && *cursor->at != '"')) {
        return false;
    }
    const char quote = *cursor->at;
    const char *start = cursor->at + 1;
    const char *stop = memchr(start, quote, (size_t)(cursor->end - start));
    if (stop == NULL || memchr(start, '\\', (size_t)(stop - start)) != NULL) {
        return false;
    }
    *text = start;
    *length = (size_t)(stop - start);
    cursor->at = stop + 1;
    return true;
}

static const char *kind_name(char kind) {
    static const char kinds[] = "fiubcOSUVMm";
    static const char *const names[] = {"float",   "signed integer", "unsigned integer", "boolean",
                                        "complex", "Python object",  "string",           "string",
                                        "raw",     "datetime",       "timedelta"};
    const char *found = kind != '\0' ? strchr(kinds, kind) : NULL;
    return found != NULL ? names[found - kinds] : "unknown";
}

static enum outcome parse_descr(struct cursor *cursor, struct npy_header *header) {
    const char *text;
    size_t length;
    if (!accept_string(cursor, &text, &length)) {
        if (accept(cursor, '[')) {
            return fail(cursor->failure, OUTCOME_BAD_INPUT,
                        "'%s': structured dtype; expected '<f8' (float64) or '<f4' (float32)", cursor->name);
        }
        return broken(cursor, "'descr' is not a string");
    }
    if (length == 3 && (memcmp(text, "<f8", 3) == 0 || memcmp(text, "<f4", 3) == 0)) {
        header->item_size = text[2] == '8' ? 8 : 4;
        return OUTCOME_OK;
    }
    const bool ordered = length > 1 && strchr("<>|=", text[0]) != NULL;
    const char *kind = length > 0 ? text + (ordered ? 1 : 0) : "";
    return fail(cursor->failure, OUTCOME_BAD_INPUT, "'%s': dtype '%.*s' (%s%s); expected '<f8' (float64) or '<f4' (float32)",
                cursor->name, (int)(length < 40 ? length : 40), text, length > 0 && text[0] == '>' ? "big-endian " : "",
                kind_name(*kind));
}

static enum outcome parse_fortran_order(struct cursor *cursor, struct npy_header *header) {
    if (accept_word(cursor, "True")) {
        header->fortran_order = true;
        return OUTCOME_OK;
    }
    if (accept_word(cursor, "False")) {
        header->fortran_order = false;
        return OUTCOME_OK;
    }
    return broken(cursor, "'fortran_order' is neither True nor False");
}

static enum outcome parse_size(struct cursor *cursor, int64_t *size) {
    skip_spaces(cursor);
    const char *start = cursor->at;
    *size = 0;
    for (; cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9'; cursor->at++) {
        const int digit = *cursor->at - '0';
        if (*size > (INT64_MAX - digit) / 10) {
            return broken(cursor, "a dimension in 'shape' does not fit in 64 bits");
        }
        *size = *size * 10 + digit;
    }
    if (cursor->at == start) {
        return broken(cursor, "'shape' is not a tuple of non-negative integers");
    }
    return OUTCOME_OK;
}

static enum outcome parse_shape(struct cursor *cursor, struct npy_header *header) {
    if (!accept(cursor, '(')) {
        return broken(cursor, "'shape' is not a tuple");
    }
    header->dimensions = 0;
    bool comma = true; /* (3) is a number in Python; only (3,) is a tuple */
    while (!accept(cursor, ')')) {
        if (!comma) {
            return broken(cursor, "'shape' is not a tuple of non-negative integers");
        }
        if (header->dimensions == NPY_DIMENSIONS_MAX) {
            return broken(cursor, "'shape' has more than 32 dimensions");
        }
        const enum outcome outcome = parse_size(cursor, &header->shape[header->dimensions]);
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
        header->dimensions++;
        comma = accept(cursor, ',');
    }
    return header->dimensions == 1 && !comma ? broken(cursor, "'shape' is not a tuple") : OUTCOME_OK;
}

static enum outcome parse_key(struct cursor *cursor, enum key *key) {
    const char *text;
    size_t length;
    if (!accept_string(cursor, &text, &length)) {
        return broken(cursor, "a quoted key is missing");
    }
    for (*key = KEY_DESCR; *key < KEY_COUNT; (*key)++) {
        if (strlen(key_names[*key]) == length && memcmp(key_names[*key], text, length) == 0) {
            return accept(cursor, ':') ? OUTCOME_OK : broken(cursor, "a ':' is missing after a key");
        }
    }
    return fail(cursor->failure, OUTCOME_BAD_INPUT, "'%s': broken .npy header: unknown key '%.*s'", cursor->name,
                (int)(length < 40 ? length : 40), text);
}

static enum outcome parse_dictionary(struct cursor *cursor, struct npy_header *header) {
    static enum outcome (*const parsers[KEY_COUNT])(struct cursor *, struct npy_header *) = {parse_descr, parse_fortran_order,
                                                                                             parse_shape};
    bool seen[KEY_COUNT] = {false, false, false};
    if (!accept(cursor, '{')) {
        return broken(cursor, "it is not a dictionary");
    }
    bool comma = true;
    while (!accept(cursor, '}')) {
        enum key key = KEY_DESCR;
        enum outcome outcome = comma ? parse_key(cursor, &key) : broken(cursor, "a ',' or the closing '}' is missing");
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
        if (seen[key]) {
            return fail(cursor->failure, OUTCOME_BAD_INPUT, "'%s': broken .npy header: key '%s' twice", cursor->name,
                        key_names[key]);
        }
        seen[key] = true;
        outcome = parsers[key](cursor, header);
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
        comma = accept(cursor, ',');
    }
    for (int key = KEY_DESCR; key < KEY_COUNT; key++) {
        if (!seen[key]) {
            return fail(cursor->failure, OUTCOME_BAD_INPUT, "'%s': broken .npy header: key '%s' is missing", cursor->name,
                        key_names[key]);
        }
    }
    return OUTCOME_OK;
}

/* A zero anywhere makes the array empty, but does not excuse an overflow of the rest. */
bool npy_count(struct npy_header *header) {
    int64_t product = 1;
    bool empty = false;
    for (int i = 0; i < header->dimensions; i++) {
        const int64_t size = header->shape[i];
        if (size == 0) {
            empty = true;
        } else if (product > INT64_MAX / 8 / size) {
            return false;
        } else {
            product *= size;
        }
    }
    header->count = empty ? 0 : product;
    return true;
}

/* entries * part / parts, which might overflow */
int64_t npy_part_first(int64_t entries, int part, int parts) { return entries / parts * part + entries % parts * part / parts; }

void npy_divide(struct npy_header *header, struct reading reading) {
    const int axis = reading.division == BY_ENTRIES && header->dimensions == 2 && header->shape[0] == 1 ? 1 : 0;
    const int64_t entire = header->dimensions > 0 ? header->shape[axis] : 1;
    if (reading.division == UNDIVIDED || entire == 0) {
        return;
    }
    header->axis = axis;
    header->entire = entire;
    header->first = npy_part_first(entire, reading.part, reading.parts);
    header->shape[axis] = npy_part_first(entire, reading.part + 1, reading.parts) - header->first;
    header->count = header->count / entire * header->shape[axis];
}

struct npy_header npy_entire(const struct npy_header *header) {
    struct npy_header entire = *header;
    if (header->entire > 0) {
        entire.axis = 0;
        entire.first = entire.entire = 0;
        entire.shape[header->axis] = header->entire;
        (void)npy_count(&entire); /* it could before */
    }
    return entire;
}

enum outcome npy_parse_header(const char *text, size_t length, const char *name, struct npy_header *header,
                              struct failure *failure) {
    struct cursor cursor = {text, text + length, name, failure};
    memset(header, 0, sizeof *header);
    const enum outcome outcome = parse_dictionary(&cursor, header);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    skip_spaces(&cursor);
    if (cursor.at + 1 != cursor.end || *cursor.at != '\n') {
        return broken(&cursor, "something follows the dictionary, or the newline that ends it is missing");
    }
    if (!npy_count(header)) {
        char shape[256];
        return fail(failure, OUTCOME_BAD_INPUT, "'%s': shape %s has more entries than memory can hold", name,
                    npy_shape_text(header->shape, header->dimensions, shape, sizeof shape));
    }
    return OUTCOME_OK;
}

const char *npy_shape_text(const int64_t *shape, int dimensions, char *text, size_t size) {
    size_t used = (size_t)snprintf(text, size, "(");
    for (int i = 0; i < dimensions && used < size; i++) {
        const char *after = i + 1 < dimensions ? ", " : dimensions == 1 ? "," : "";
        used += (size_t)snprintf(text + used, size - used, "%lld%s", (long long)shape[i], after);
    }
    if (used < size) {
        (void)snprintf(text + used, size - used, ")");
    }
    return text;
}

const char *npy_index_text(const struct npy_header *header, int64_t position, char *text, size_t size) {
    int64_t index[NPY_DIMENSIONS_MAX] = {0};
    for (int i = 0; i < header->dimensions; i++) { /* the fastest axis first: the last one in C order */
        const int axis = header->fortran_order ? i : header->dimensions - 1 - i;
        index[axis] = position % header->shape[axis];
        position /= header->shape[axis];
    }
    index[header->axis] += header->first;
    size_t used = (size_t)snprintf(text, size, "[");
    for (int i = 0; i < header->dimensions && used < size; i++) {
        used += (size_t)snprintf(text + used, size - used, "%s%lld", i > 0 ? ", " : "", (long long)index[i]);
    }
    if (used < size) {
        (void)snprintf(text + used, size - used, "]");
    }
    return text;
}
