/* SPDX-License-Identifier: BSD-3-Clause */
#include "text.h"

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
