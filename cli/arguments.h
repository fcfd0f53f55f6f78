/* SPDX-License-Identifier: BSD-3-Clause */
/* What the user asked for on the command line. */
#ifndef SOFTRELU_CLI_ARGUMENTS_H
#define SOFTRELU_CLI_ARGUMENTS_H

#include "failure.h"
#include "inputs.h"
#include "options.h"

/* One --set, or one of the options that stand for a setting. All texts are those of argv, or static. */
struct setting_text {
    const char *option; /* the flag it came by, for messages */
    char *name;         /* owned; NULL when the option stands for a setting */
    softrelu_setting setting;
    const char *value;
};

struct arguments {
    enum command command;
    bool help;
    const char *word[2]; /* files without an option */
    const char *input[INPUT_COUNT];
    char *input_found[INPUT_COUNT]; /* those of input that came from the problem file: owned */
    softrelu_loss loss;
    bool has_loss;
    const char *out;
    const char *report;
    const char *html;
    const char *svg;
    int64_t rows; /* of x as an image, 0: it is none */
    int64_t columns;
    struct setting_text *settings; /* in the order given: the last one of a name counts */
    size_t setting_count;
    uint64_t seed;
    uint64_t threads;       /* 0: not given */
    double modulus;         /* 0: not given */
    const char *wanted;     /* the class, a number or a name; NULL: not given */
    const char *names_file; /* NULL: not given */
    struct names names;     /* of the outputs, from there or the problem file: owned */
    double confidence;
    const char *freeze;
    uint64_t answers;
    uint64_t starts; /* 0: not given */
    double within;
    bool map;
    bool quiet;
    bool verbose;
    bool json;    /* the report goes to stdout */
    bool summary; /* which otherwise, unless quiet, says what was found to people */
};

/* Parses argv[1], the command, and its options. On failure arguments are empty. */
enum outcome arguments_parse(int argc, char **argv, struct arguments *arguments, struct failure *failure);
/* Leaves nothing to be written or printed. */
void arguments_mute(struct arguments *arguments);
void arguments_free(struct arguments *arguments);

#endif
