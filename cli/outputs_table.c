/* SPDX-License-Identifier: BSD-3-Clause */
#include "outputs_table.h"

#include "text.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { ROWS = 8, BAR = 32, NAME_LEAST = 10, NAME_MOST = 15 };

static double importance(const double *f, const double *b, int64_t j) { return f[j] > b[j] ? f[j] : b[j]; }

/* The entries of greatest max(f, b), greatest first. One pass: m may be large. Returns how many. */
static int find_top(const double *f, const double *b, int64_t m, int64_t top[ROWS]) {
    int count = 0;
    for (int64_t j = 0; j < m; j++) {
        int place = count;
        while (place > 0 && importance(f, b, j) > importance(f, b, top[place - 1])) {
            place--;
        }
        if (place == ROWS) {
            continue;
        }
        count += count < ROWS;
        for (int i = count - 1; i > place; i--) {
            top[i] = top[i - 1];
        }
        top[place] = j;
    }
    return count;
}

/* The place of a value among the bar's cells. b need not be a distribution: what lies outside is put at the edge. */
static int cell(double value, double scale) {
    const double place = scale > 0 ? floor(value / scale * BAR + 0.5) : 0;
    return place < 0 ? 0 : place > BAR ? BAR : (int)place;
}

/* f as a bar of '=', b as a '|' over it. */
static void print_bar(double f, double b, double scale) {
    char bar[BAR + 2];
    memset(bar, ' ', sizeof bar);
    memset(bar, '=', (size_t)cell(f, scale));
    bar[cell(b, scale)] = '|';
    int length = BAR + 1;
    while (length > 0 && bar[length - 1] == ' ') {
        length--;
    }
    printf("%.*s", length, bar);
}

/* Names begin in one column, numbers end in one. */
static void print_name(const struct names *names, int64_t output, int width) {
    if (names->count > 0) {
        printf("  ");
        text_print_fitted(stdout, names->text[output], width);
    } else {
        printf("  %*lld", width, (long long)output);
    }
}

static void print_rest(const double *f, const double *b, int64_t m, const int64_t *top, int shown) {
    double f_rest = 0;
    double b_rest = 0;
    for (int64_t j = 0; j < m; j++) {
        bool listed = false;
        for (int i = 0; i < shown; i++) {
            listed = listed || top[i] == j;
        }
        if (!listed) {
            f_rest += f[j];
            b_rest += b[j];
        }
    }
    printf("  %lld more, in all %.6g of f and %.6g of b\n", (long long)(m - shown), f_rest, b_rest);
}

void outputs_table_print(const double *f, const double *b, int64_t m, const struct names *names) {
    int64_t top[ROWS];
    const int shown = find_top(f, b, m, top);
    double scale = 0;
    double widest = 0;
    int name_width = NAME_LEAST;
    for (int i = 0; i < shown; i++) {
        scale = fmax(scale, fmin(importance(f, b, top[i]), 1)); /* bars compare probabilities */
        const int width = names->count > 0 ? text_width(names->text[top[i]]) : 0;
        name_width = width <= name_width ? name_width : width < NAME_MOST ? width : NAME_MOST;
        widest = fmax(widest, fmax(fabs(f[top[i]]), fabs(b[top[i]])));
    }
    const bool fixed = widest >= 0.01 && widest < 1000;
    printf(names->count > 0 ? "  %-*s  %12s  %12s  f (=) and b (|)\n" : "  %*s  %12s  %12s  f (=) and b (|)\n", name_width,
           "output", "f", "b");
    for (int i = 0; i < shown; i++) {
        const int64_t j = top[i];
        print_name(names, j, name_width);
        printf(fixed ? "  %12.6f  %12.6f  " : "  %12.4e  %12.4e  ", f[j], b[j]);
        print_bar(f[j], b[j], scale);
        putchar('\n');
    }
    if (m > shown) {
        print_rest(f, b, m, top, shown);
    }
}
