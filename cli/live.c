/* SPDX-License-Identifier: BSD-3-Clause */
/* glibc, for the terminal's size (ioctl's requests are no part of POSIX). */
#define _DEFAULT_SOURCE
#include "live.h"

#include "clock.h"
#include "number.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { COLUMNS_UNKNOWN = 80, COLUMNS_MOST = 1000, GAP = 2, BAR_LEAST = 6, BAR_MOST = 40 };
static const double QUIET_FOR = 0.2, EVERY = 0.1; /* seconds */
static const char *const erase = "\r\033[K", *const green = "\033[32m", *const plain = "\033[0m";

/* Of the environment, "" where it is not set. */
static const char *variable(const char *name) {
    const char *value = getenv(name);
    return value != NULL ? value : "";
}

static bool obeys(void) {
    const char *term = variable("TERM");
    return isatty(STDERR_FILENO) == 1 && term[0] != '\0' && strcmp(term, "dumb") != 0;
}

void live_begin(struct live *live, bool wanted) {
    const double now = clock_seconds();
    *live = (struct live){
        .on = wanted && obeys(), .colour = variable("NO_COLOR")[0] == '\0', .began = now, .last = now + QUIET_FOR - EVERY};
}

bool live_is_due(const struct live *live) { return live->on && clock_seconds() - live->last >= EVERY; }

double live_seconds(const struct live *live) { return clock_seconds() - live->began; }

/* As the terminal says; else as the shell says. */
static int terminal_columns(void) {
    struct winsize size;
    uint64_t columns = 0;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        columns = size.ws_col;
    } else if (!number_parse_unsigned(variable("COLUMNS"), &columns) || columns == 0) {
        columns = COLUMNS_UNKNOWN;
    }
    return columns < COLUMNS_MOST ? (int)columns : COLUMNS_MOST;
}

static int least_width(const struct live_part *part) {
    return (int)strlen(part->text) + (part->is_bar ? BAR_LEAST + (int)strlen(part->end) : 0);
}

struct live_part live_text(int rank, const char *format, ...) {
    struct live_part part = {.rank = rank};
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(part.text, sizeof part.text, format, arguments);
    va_end(arguments);
    return part;
}

/* Which parts there is room for, the important ones first; how many columns are left. */
static int choose(const struct live_part parts[LIVE_PARTS], int columns, bool shown[LIVE_PARTS]) {
    int left = columns + GAP; /* none before the first */
    for (int rank = 1; rank <= LIVE_PARTS; rank++) {
        for (int i = 0; i < LIVE_PARTS; i++) {
            const int width = GAP + least_width(&parts[i]);
            if (parts[i].rank == rank && (width <= left || rank == 1)) {
                shown[i] = true;
                left -= width;
            }
        }
    }
    return left;
}

static void draw_bar(const struct live *live, const struct live_part *part, int cells) {
    const double done = part->done > 0 ? part->done < 1 ? part->done : 1 : 0; /* nan is 0 */
    const int full = (int)(done * cells);
    (void)fprintf(stderr, "%s%s", part->text, live->colour && full > 0 ? green : "");
    for (int i = 0; i < cells; i++) {
        (void)fputs(i == full && live->colour && full > 0 ? plain : "", stderr);
        (void)fputc(i < full ? '=' : '-', stderr);
    }
    (void)fprintf(stderr, "%s%s", live->colour && full == cells ? plain : "", part->end);
}

void live_draw(struct live *live, const struct live_part parts[LIVE_PARTS]) {
    const int columns = terminal_columns() - 1; /* in the last column some terminals wrap at once */
    bool shown[LIVE_PARTS] = {false};
    const int left = choose(parts, columns, shown);
    const char *gap = "";
    (void)fputs(erase, stderr);
    for (int i = 0; i < LIVE_PARTS; i++) {
        if (!shown[i]) {
            continue;
        }
        (void)fputs(gap, stderr);
        gap = "  ";
        if (parts[i].is_bar) {
            draw_bar(live, &parts[i], left < BAR_MOST - BAR_LEAST ? BAR_LEAST + left : BAR_MOST);
        } else {
            (void)fprintf(stderr, "%.*s", columns, parts[i].text); /* the first may be too long by itself */
        }
    }
    (void)fflush(stderr);
    live->drawn = true;
    live->last = clock_seconds();
}

void live_end(struct live *live) {
    if (live->drawn) {
        (void)fputs(erase, stderr);
        (void)fflush(stderr);
    }
    live->on = live->drawn = false;
}
