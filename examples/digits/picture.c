/* SPDX-License-Identifier: BSD-3-Clause */
#include "picture.h"

#include <math.h>
#include <stdio.h>

enum { SHADES = 5, BAR = 16 };
static const double PIXEL_MAX = 16.0;

/* Two columns a pixel: characters are about twice as high as wide. */
static void print_pixel(double value, double largest, bool ascii) {
    static const char *const blocks[SHADES] = {"  ", "░░", "▒▒", "▓▓", "██"};
    static const char *const letters[SHADES] = {"  ", "..", "++", "%%", "@@"};
    double level = fmin(fmax(value / largest, 0.0), 1.0) * SHADES;
    int shade = level >= SHADES ? SHADES - 1 : (int)level;
    fputs(ascii ? letters[shade] : blocks[shade], stdout);
}

/* Changes are smaller than pixels, so they have a scale of their own; the sign stands beside the shade. */
static void print_change(double change, double largest, bool ascii) {
    static const char *const blocks[] = {" ·", "-░", "-▓", "+░", "+▓"};
    static const char *const letters[] = {" .", "-:", "-@", "+:", "+@"};
    double level = largest > 0.0 ? fabs(change) / largest : 0.0;
    int size = level < 0.15 ? 0 : level < 0.5 ? 1 : 2;
    int glyph = size == 0 ? 0 : change < 0.0 ? size : size + 2;
    fputs(ascii ? letters[glyph] : blocks[glyph], stdout);
}

void print_pictures(const double *start, const double *found, bool ascii) {
    const char *edge = ascii ? "|" : "│";
    const char *line = ascii ? "----------------" : "────────────────";
    double largest = 0.0;
    for (int k = 0; k < PIXELS; k++)
        largest = fmax(largest, fabs(found[k] - start[k]));
    printf("   the start image         the found image          change, up to %.1f\n", largest);
    for (int image = 0; image < 3; image++)
        printf("  %s%s%s    ", ascii ? "+" : "┌", line, ascii ? "+" : "┐");
    putchar('\n');
    for (int row = 0; row < SIDE; row++) {
        for (int image = 0; image < 3; image++) {
            printf("  %s", edge);
            for (int k = row * SIDE; k < (row + 1) * SIDE; k++) {
                if (image < 2)
                    print_pixel(image == 0 ? start[k] : found[k], PIXEL_MAX, ascii);
                else
                    print_change(found[k] - start[k], largest, ascii);
            }
            printf("%s    ", edge);
        }
        putchar('\n');
    }
    for (int image = 0; image < 3; image++)
        printf("  %s%s%s    ", ascii ? "+" : "└", line, ascii ? "+" : "┘");
    putchar('\n');
}

static void print_bar(double share, bool ascii) {
    int length = (int)lround(fmin(fmax(share, 0.0), 1.0) * BAR);
    for (int k = 0; k < BAR; k++)
        fputs(k < length ? (ascii ? "#" : "█") : (k == 0 && share > 1e-3 ? (ascii ? "." : "▏") : " "), stdout);
}

void print_distributions(const double *start, const double *asked, const double *found, bool ascii) {
    printf("\n  digit   read in the start image   asked    read in the found image\n");
    for (int digit = 0; digit < DIGITS; digit++) {
        printf("    %d     %5.3f ", digit, start[digit]);
        print_bar(start[digit], ascii);
        if (asked[digit] > 0.0)
            printf("    %5.3f    %5.3f ", asked[digit], found[digit]);
        else
            printf("      %s      %5.3f ", ascii ? "-" : "–", found[digit]);
        print_bar(found[digit], ascii);
        putchar('\n');
    }
}
