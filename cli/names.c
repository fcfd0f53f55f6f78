/* SPDX-License-Identifier: BSD-3-Clause */
#include "names.h"

#include "number.h"
#include "source.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum outcome names_allocate(struct names *names, int64_t count, struct failure *failure) {
    names->text = (uint64_t)count < SIZE_MAX / sizeof *names->text ? calloc((size_t)count + 1, sizeof *names->text) : NULL;
    names->count = names->text != NULL ? count : 0;
    return names->text != NULL ? OUTCOME_OK
                               : fail(failure, OUTCOME_RESOURCES, "out of memory for %lld names", (long long)count);
}

enum outcome names_set(struct names *names, int64_t index, const char *text, size_t length, struct failure *failure) {
    names->text[index] = strndup(text, length);
    return names->text[index] != NULL ? OUTCOME_OK : fail(failure, OUTCOME_RESOURCES, "out of memory");
}

void names_free(struct names *names) {
    for (int64_t i = 0; i < names->count; i++) {
        free(names->text[i]);
    }
    free((void *)names->text);
    *names = (struct names){NULL, 0};
}

/* The bytes of a file, a zero behind them. *bytes is the caller's to free, whatever the outcome. */
static enum outcome read_all(const char *path, char **bytes, size_t *length, struct failure *failure) {
    struct source source;
    enum outcome outcome = source_open(&source, path, failure);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    *length = (size_t)source.left;
    *bytes = malloc(*length + 1);
    if (*bytes == NULL) {
        outcome = fail(failure, OUTCOME_RESOURCES, "'%s': out of memory", path);
    } else {
        (*bytes)[*length] = '\0';
        outcome = source_read(&source, (unsigned char *)*bytes, *length, failure);
    }
    source_close(&source);
    return outcome;
}

static int64_t count_lines(const char *bytes, size_t length) {
    int64_t lines = length > 0 && bytes[length - 1] != '\n'; /* the last may lack its end */
    for (size_t i = 0; i < length; i++) {
        lines += bytes[i] == '\n';
    }
    return lines;
}

enum outcome names_read(const char *path, struct names *names, struct failure *failure) {
    char *bytes = NULL;
    size_t length = 0;
    enum outcome outcome = read_all(path, &bytes, &length, failure);
    if (outcome == OUTCOME_OK && memchr(bytes, '\0', length) != NULL) {
        outcome =
            fail(failure, OUTCOME_BAD_INPUT, "'%s': is no text, as it has zero bytes; expected a name in each line", path);
    }
    if (outcome == OUTCOME_OK) {
        outcome = names_allocate(names, count_lines(bytes, length), failure);
    }
    const char *line = bytes;
    for (int64_t i = 0; i < names->count && outcome == OUTCOME_OK; i++) {
        const size_t end = strcspn(line, "\n");
        const size_t name = end > 0 && line[end - 1] == '\r' ? end - 1 : end; /* as Windows ends lines */
        outcome = names_set(names, i, line, name, failure);
        line += end + 1;
    }
    free(bytes);
    return outcome;
}

/* What is wrong with a name; NULL: nothing. */
static const char *fault_of(const char *name) {
    if (name[0] == '\0') {
        return "is empty";
    }
    if (strlen(name) > NAME_BYTES_MOST) {
        return "is too long";
    }
    for (const char *at = name; *at != '\0';) {
        const uint32_t code = text_next(&at);
        if (code == TEXT_BAD) {
            return "is not UTF-8";
        }
        if (code < 0x20 || (code >= 0x7f && code < 0xa0)) {
            return "has a control character";
        }
    }
    return NULL;
}

/* As far as a message can show it. */
static const char *shown(const char *name, char text[64]) {
    size_t used = 0;
    for (const char *at = name; *at != '\0' && used < 56;) {
        const char *character = at;
        const uint32_t code = text_next(&at);
        const bool plain = code != TEXT_BAD && code >= 0x20 && (code < 0x7f || code >= 0xa0);
        const size_t length = plain ? (size_t)(at - character) : 1;
        memcpy(text + used, plain ? character : "?", length);
        used += length;
        text[used] = '\0';
    }
    if (used >= 56) {
        (void)snprintf(text + used, 64 - used, "...");
    }
    return used > 0 ? text : "";
}

enum outcome names_check(const struct names *names, const char *origin, int64_t m, struct failure *failure) {
    if (names->count != m) {
        return fail(failure, OUTCOME_BAD_INPUT, "%s: %lld names; expected %lld, one for each output", origin,
                    (long long)names->count, (long long)m);
    }
    for (int64_t j = 0; j < m; j++) {
        const char *fault = fault_of(names->text[j]);
        if (fault != NULL) {
            char text[64] = "";
            return fail(failure, OUTCOME_BAD_INPUT,
                        "%s: name [%lld] '%s' %s; expected UTF-8 of 1 to %d bytes that can be shown", origin, (long long)j,
                        shown(names->text[j], text), fault, NAME_BYTES_MOST);
        }
    }
    return OUTCOME_OK;
}

static enum outcome unknown(const struct names *names, const char *word, int64_t m, struct failure *failure) {
    const size_t nearest = text_nearest(word, names->text, (size_t)names->count);
    if (nearest < (size_t)names->count) {
        return fail(failure, OUTCOME_BAD_INPUT, "--class '%s': no output has that name; did you mean '%s'?", word,
                    names->text[nearest]);
    }
    return fail(failure, OUTCOME_BAD_INPUT, "--class '%s': expected an output, 0 to %lld, or %s", word, (long long)(m - 1),
                names->count > 0 ? "its name" : "its name and --names");
}

enum outcome names_find(const struct names *names, const char *word, int64_t m, int64_t *output, struct failure *failure) {
    uint64_t number = 0;
    if (number_parse_unsigned(word, &number)) {
        *output = (int64_t)number;
        return number < (uint64_t)m ? OUTCOME_OK
                                    : fail(failure, OUTCOME_BAD_INPUT, "--class %s: the network has the outputs 0 to %lld",
                                           word, (long long)(m - 1));
    }
    *output = -1;
    for (int64_t j = 0; j < names->count; j++) {
        if (strcmp(names->text[j], word) == 0 && *output >= 0) {
            return fail(failure, OUTCOME_BAD_INPUT,
                        "--class '%s': that is the name of the outputs %lld and %lld; give a number", word, (long long)*output,
                        (long long)j);
        }
        *output = strcmp(names->text[j], word) == 0 ? j : *output;
    }
    return *output >= 0 ? OUTCOME_OK : unknown(names, word, m, failure);
}

const char *names_at(const struct names *names, int64_t output, char number[NUMBER_BYTES]) {
    if (names->count > 0) {
        return names->text[output];
    }
    (void)snprintf(number, NUMBER_BYTES, "%lld", (long long)output);
    return number;
}

json_t *names_json(const struct names *names) {
    json_t *array = json_array();
    bool ok = array != NULL;
    for (int64_t j = 0; ok && j < names->count; j++) {
        ok = json_array_append_new(array, json_string(names->text[j])) == 0;
    }
    if (!ok) {
        json_decref(array);
    }
    return ok ? array : NULL;
}
