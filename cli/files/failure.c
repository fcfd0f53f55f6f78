/* SPDX-License-Identifier: BSD-3-Clause */
#include "failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* File names and file contents end up in messages; what a terminal would obey must not. */
static void disarm(char *text) {
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f) {
            *text = '?';
        }
    }
}

void failure_write(struct failure *failure, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(failure->text, sizeof failure->text, format, arguments);
    va_end(arguments);
    disarm(failure->text);
}

enum outcome fail_prefix(struct failure *failure, enum outcome outcome, const char *prefix) {
    const size_t length = strlen(failure->text);
    const size_t wanted = strlen(prefix) + 1; /* with the space */
    if (wanted < sizeof failure->text - length) {
        memmove(failure->text + wanted, failure->text, length + 1);
        memcpy(failure->text, prefix, wanted - 1);
        failure->text[wanted - 1] = ' ';
    }
    return outcome;
}
