/* SPDX-License-Identifier: BSD-3-Clause */
/* Pictures of 8 x 8 images and of distributions, in characters. */
#ifndef DIGITS_PICTURE_H
#define DIGITS_PICTURE_H

#include <stdbool.h>

enum { SIDE = 8, PIXELS = SIDE * SIDE, DIGITS = 10 };

/* The start image, the found one and their difference side by side; pixels 0..16, what lies outside is shown as its end. */
void print_pictures(const double *start, const double *found, bool ascii);
/* Digit by digit: what the start image is read as, what was asked for, what the found image is read as. */
void print_distributions(const double *start, const double *asked, const double *found, bool ascii);

#endif
