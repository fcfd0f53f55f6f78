/* SPDX-License-Identifier: BSD-3-Clause */
/* The options of every command in one table: parsing and help both read it, so neither can know more than the other. */
#ifndef SOFTRELU_CLI_OPTIONS_H
#define SOFTRELU_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

enum command {
    COMMAND_SOLVE = 1,
    COMMAND_CHECK = 2,
    COMMAND_INFO = 4,
    COMMAND_CERTIFY = 8,
    COMMAND_CONSTANTS = 16,
    COMMAND_COUNTERFACTUAL = 32,
    COMMAND_INVERT = 64,
    COMMAND_CONVERT = 128,
    COMMAND_LAST = COMMAND_CONVERT
};

/* What an option does with its argument. */
enum action {
    ACTION_INPUT,   /* target: input_id */
    ACTION_LOSS,    /* squares or kl */
    ACTION_OUT,     /* output file of x */
    ACTION_REPORT,  /* output file of the report */
    ACTION_HTML,    /* of the page */
    ACTION_SVG,     /* of the plot */
    ACTION_SHAPE,   /* ROWSxCOLUMNS */
    ACTION_SET,     /* NAME=VALUE */
    ACTION_SETTING, /* target: softrelu_setting whose value it is */
    ACTION_SEED,
    ACTION_THREADS,
    ACTION_MODULUS,
    ACTION_NAMES, /* text file of the outputs' names */
    ACTION_CLASS,
    ACTION_CONFIDENCE,
    ACTION_FREEZE,
    ACTION_ANSWERS,
    ACTION_STARTS,
    ACTION_WITHIN,
    ACTION_JSON, /* the report on stdout */
    ACTION_MAP,
    ACTION_QUIET,
    ACTION_VERBOSE,
    ACTION_HELP,
};

struct option_kind {
    const char *flag;     /* without the dashes */
    const char *argument; /* what help calls it; NULL: takes none */
    enum action action;
    int target;
    unsigned commands; /* which ones take it */
    const char *text;
};

/* Number of entries; the table itself by index. */
size_t option_count(void);
const struct option_kind *option_kind(size_t index);

/* How many words it takes that are no options: files. */
int command_words(enum command command);
const char *command_name(enum command command);
/* The command of that name; 0 for none. */
unsigned command_find(const char *name);

/* Help of the whole program, or of one command, on stdout. */
void help_program(void);
void help_command(enum command command);

#endif
