/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One line on the terminal of stderr, written over again and again while something runs, and gone when it ends: a carriage
 * return and the sequence that erases to the end of the line are all it takes. It is never as wide as the terminal, whose width
 * is asked for anew each time, so that it cannot wrap.
 */
#ifndef SOFTRELU_CLI_LIVE_H
#define SOFTRELU_CLI_LIVE_H

#include "failure.h"

#include <stdbool.h>

enum { LIVE_TEXT = 64, LIVE_PARTS = 8 };

/* A piece of the line. What is left of the width, a bar fills, between its two texts. */
struct live_part {
    int rank; /* 1 is shown before 2 where there is no room for both; 0: there is nothing to show */
    bool is_bar;
    double done;          /* of a bar: from 0 to 1 */
    char text[LIVE_TEXT]; /* of a bar: in front of it */
    char end[LIVE_TEXT];  /* of a bar: behind it */
};

struct live {
    bool on, colour, drawn;
    double began, last; /* seconds on the monotonic clock */
};

/* Begins, if wanted, and if stderr is a terminal that obeys control sequences: not where TERM says dumb or nothing. Colour is
   left out where NO_COLOR is set (no-color.org). */
void live_begin(struct live *live, bool wanted);
/* Whether to draw now: ten times a second, and not at all for what is over before anybody could read it. */
bool live_is_due(const struct live *live);
/* Seconds since it began. */
double live_seconds(const struct live *live);
/* A part that is a text, printf-like. */
FAILURE_FORMAT(2, 3)
struct live_part live_text(int rank, const char *format, ...);
void live_draw(struct live *live, const struct live_part parts[LIVE_PARTS]);
/* Erases the line. */
void live_end(struct live *live);

#endif
