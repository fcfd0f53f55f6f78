/* SPDX-License-Identifier: BSD-3-Clause */
/* The arrays and numbers a problem is made of: one table says what each is, and everything about them follows from it. */
#ifndef SOFTRELU_CLI_INPUTS_H
#define SOFTRELU_CLI_INPUTS_H

#include "failure.h"
#include "names.h"
#include "npy.h"

#include <softrelu/softrelu.h>

enum input_id {
    INPUT_A1,
    INPUT_A2,
    INPUT_B,
    INPUT_C1,
    INPUT_C2,
    INPUT_W,
    INPUT_RHO,
    INPUT_X_REF,
    INPUT_LOWER,
    INPUT_UPPER,
    INPUT_X0,
    INPUT_X,
    INPUT_INPUT,
    INPUT_COUNT
};

enum dimension { DIMENSION_NONE, DIMENSION_N, DIMENSION_D, DIMENSION_M, DIMENSION_COUNT };

struct input_kind {
    const char *flag;       /* of the command line, without the dashes */
    const char *name;       /* in files that hold a whole problem; NULL: it is no part of one */
    softrelu_array array;   /* where it goes in the problem; 0: it is a point, not data */
    enum dimension rows;    /* DIMENSION_NONE: it has no array form */
    enum dimension columns; /* DIMENSION_NONE: it is a vector */
    bool number;            /* may be given as a number */
    bool required;
    double infinite; /* the infinity that is allowed too: -1, 1, or 0 for none */
};

/* What was given for one input. */
struct input {
    const char *path;        /* FILE or FILE:NAME; NULL when it was not given as a file */
    const char *number_text; /* the number, or the file it was in; NULL when it was not given as a number */
    double number;
    struct npy_array array;
    bool by_target; /* one row for each target, in C order */
};

struct inputs {
    struct input input[INPUT_COUNT];
    int64_t size[DIMENSION_COUNT]; /* n, d and m by their dimension */
    int64_t rows;                  /* of A2, c2 and b that this process has: m where they are not divided */
    int64_t targets;               /* rows of a 2-D b; 0: b is one target */
    const struct names *names;     /* of the outputs; NULL: not looked at */
};

/* The table, by input_id. */
const struct input_kind *input_kind(int id);
/* "--A1 'A1.npy'" or "--w 3": how messages name an input. Returns text. */
const char *input_name(const struct inputs *inputs, int id, char *text, size_t size);
/* Loads and checks all inputs; texts[id] is what the user gave, or NULL. many: b may have a row for each of many targets, and
   then x0, x_ref and the bounds too; entries of such rows are for the library to check, target by target. map: A2 stays in its
   file, and its entries too are for the library to check. On failure inputs are empty again. */
enum outcome inputs_load(struct inputs *inputs, const char *const texts[INPUT_COUNT], bool many, bool map,
                         struct failure *failure);
void inputs_free(struct inputs *inputs);

#endif
