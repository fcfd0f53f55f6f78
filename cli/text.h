/* SPDX-License-Identifier: BSD-3-Clause */
/* Text for people: folded at 80 columns, measured in columns, and guesses at what a mistyped word was meant to be. */
#ifndef SOFTRELU_CLI_TEXT_H
#define SOFTRELU_CLI_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { TEXT_COLUMNS = 80 };

/* Prints words of text, folding at the last column; the first line continues at column, the others start at indent. Ends the
   line. */
void text_fold(FILE *stream, int column, int indent, const char *text);
/* The next character of UTF-8, which text is moved behind; TEXT_BAD where it is none, and text is then moved by a byte. */
#define TEXT_BAD UINT32_MAX
uint32_t text_next(const char **text);
/* Columns that UTF-8 takes on a terminal. */
int text_width(const char *text);
/* Prints it in just so many columns, at least 2: with spaces behind it, or cut, with two dots for what is missing. */
void text_print_fitted(FILE *stream, const char *text, int columns);
/* A measure of how unlike two words are: insertions, deletions and replacements (words cut at 63 letters). */
size_t text_distance(const char *left, const char *right);
/* Is distance small enough for "did you mean"? */
int text_is_near(const char *word, size_t distance);
/* The index of the text that word was meant to be; count where none is near. */
size_t text_nearest(const char *word, char *const *texts, size_t count);

#endif
