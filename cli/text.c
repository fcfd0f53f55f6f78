/* SPDX-License-Identifier: BSD-3-Clause */
#include "text.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>

void text_fold(FILE *stream, int column, int indent, const char *text) {
    int at = column;
    int start = column; /* where this line's first word stands: no space before it, and no fold either */
    while (*text != '\0') {
        const int length = (int)strcspn(text, " ");
        if (at > start && at + 1 + length > TEXT_COLUMNS) {
            (void)fprintf(stream, "\n%*s", indent, "");
            at = start = indent;
        }
        if (at > start) {
            (void)fputc(' ', stream);
            at++;
        }
        (void)fprintf(stream, "%.*s", length, text);
        at += length;
        text += length;
        text += strspn(text, " ");
    }
    (void)fputc('\n', stream);
}

uint32_t text_next(const char **text) {
    const unsigned char *bytes = (const unsigned char *)*text;
    const int more = bytes[0] < 0x80 ? 0 : bytes[0] >> 5 == 6 ? 1 : bytes[0] >> 4 == 14 ? 2 : bytes[0] >> 3 == 30 ? 3 : -1;
    static const uint32_t least_of[] = {0, 0x80, 0x800, 0x10000}; /* shorter ones must be written shorter */
    uint32_t code = more > 0 ? bytes[0] & (0x3fU >> more) : bytes[0];
    bool good = more >= 0;
    for (int i = 1; i <= more && good; i++) {
        good = bytes[i] >> 6 == 2; /* a zero byte is none: the end is not passed */
        code = code << 6 | (bytes[i] & 0x3fU);
    }
    good = good && code >= least_of[more] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
    *text += good ? 1 + more : 1;
    return good ? code : TEXT_BAD;
}

/* 0 for accents that are put on the letter before, 2 for the letters of East Asia and pictures. */
static int width_of(uint32_t code) {
    static const struct {
        uint32_t first, last;
        int width;
    } others[] = {{0x300, 0x36f, 0},   {0x200b, 0x200f, 0}, {0xfe00, 0xfe0f, 0}, {0x1100, 0x115f, 2},   {0x2e80, 0xa4cf, 2},
                  {0xac00, 0xd7a3, 2}, {0xf900, 0xfaff, 2}, {0xff00, 0xff60, 2}, {0x1f300, 0x1faff, 2}, {0x20000, 0x3fffd, 2}};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (code >= others[i].first && code <= others[i].last) {
            return others[i].width;
        }
    }
    return 1;
}

/* As many bytes as fit into so many columns, and how many they take. */
static size_t fit(const char *text, int columns, int *width) {
    const char *at = text;
    *width = 0;
    while (*at != '\0') {
        const char *next = at;
        const int more = width_of(text_next(&next));
        if (*width + more > columns) {
            break;
        }
        *width += more;
        at = next;
    }
    return (size_t)(at - text);
}

int text_width(const char *text) {
    int width;
    (void)fit(text, INT_MAX, &width);
    return width;
}

void text_print_fitted(FILE *stream, const char *text, int columns) {
    int width;
    size_t length = fit(text, columns, &width);
    const bool cut = text[length] != '\0';
    if (cut) {
        length = fit(text, columns - 2, &width);
    }
    (void)fprintf(stream, "%.*s%s%*s", (int)length, text, cut ? ".." : "", columns - width - (cut ? 2 : 0), "");
}

static size_t least(size_t a, size_t b, size_t c) {
    const size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* Levenshtein's distance, one row of his table at a time. */
size_t text_distance(const char *left, const char *right) {
    enum { LONGEST = 63 };
    size_t row[LONGEST + 1];
    const size_t rows = strnlen(left, LONGEST);
    const size_t columns = strnlen(right, LONGEST);
    for (size_t j = 0; j <= columns; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= rows; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= columns; j++) {
            const size_t above = row[j];
            row[j] = least(above + 1, row[j - 1] + 1, diagonal + (left[i - 1] != right[j - 1]));
            diagonal = above;
        }
    }
    return row[columns];
}

int text_is_near(const char *word, size_t distance) { return distance <= 1 + strlen(word) / 4; }

size_t text_nearest(const char *word, char *const *texts, size_t count) {
    size_t nearest = count;
    size_t distance = SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        const size_t d = text_distance(word, texts[i]);
        if (d < distance) {
            nearest = i;
            distance = d;
        }
    }
    return nearest < count && text_is_near(word, distance) ? nearest : count;
}
