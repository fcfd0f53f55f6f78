/* SPDX-License-Identifier: BSD-3-Clause */
#include "inputs.h"

#include "archive.h"
#include "number.h"
#include "ranks.h"
#include "values.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct input_kind kinds[INPUT_COUNT] = {
    [INPUT_A1] = {"A1", "A1", SOFTRELU_A1, DIMENSION_N, DIMENSION_D, false, true, 0},
    [INPUT_A2] = {"A2", "A2", SOFTRELU_A2, DIMENSION_M, DIMENSION_N, false, false, 0},
    [INPUT_B] = {"b", "b", SOFTRELU_B, DIMENSION_M, DIMENSION_NONE, false, true, 0},
    [INPUT_C1] = {"c1", "c1", SOFTRELU_C1, DIMENSION_N, DIMENSION_NONE, false, false, 0},
    [INPUT_C2] = {"c2", "c2", SOFTRELU_C2, DIMENSION_M, DIMENSION_NONE, false, false, 0},
    [INPUT_W] = {"w", "w", SOFTRELU_W, DIMENSION_N, DIMENSION_NONE, true, false, 0},
    [INPUT_RHO] = {"rho", "rho", SOFTRELU_RHO, DIMENSION_NONE, DIMENSION_NONE, true, false, 0},
    [INPUT_X_REF] = {"x-ref", "x_ref", SOFTRELU_X_REF, DIMENSION_D, DIMENSION_NONE, false, false, 0},
    [INPUT_LOWER] = {"lower", "lower", SOFTRELU_LOWER, DIMENSION_D, DIMENSION_NONE, true, false, -1},
    [INPUT_UPPER] = {"upper", "upper", SOFTRELU_UPPER, DIMENSION_D, DIMENSION_NONE, true, false, 1},
    [INPUT_X0] = {"x0", "x0", (softrelu_array)0, DIMENSION_D, DIMENSION_NONE, false, false, 0},
    [INPUT_X] = {"x", NULL, (softrelu_array)0, DIMENSION_D, DIMENSION_NONE, false, false, 0},
    [INPUT_INPUT] = {"input", NULL, (softrelu_array)0, DIMENSION_D, DIMENSION_NONE, false, true, 0},
};

static const char dimension_letters[DIMENSION_COUNT] = {'?', 'n', 'd', 'm'};

const struct input_kind *input_kind(int id) { return &kinds[id]; }

const char *input_name(const struct inputs *inputs, int id, char *text, size_t size) {
    const struct input *input = &inputs->input[id];
    if (input->path != NULL) {
        (void)snprintf(text, size, "--%s '%s'", kinds[id].flag, input->path);
    } else {
        (void)snprintf(text, size, "--%s %s", kinds[id].flag, input->number_text != NULL ? input->number_text : "");
    }
    return text;
}

/* Where a dimension comes from, so that the user sees which of two arrays to mend. */
static const char *dimension_origin(const struct inputs *inputs, enum dimension dimension) {
    switch (dimension) {
    case DIMENSION_N:
        return "the rows of A1";
    case DIMENSION_D:
        return "the columns of A1";
    default:
        return inputs->input[INPUT_A2].path != NULL ? "the rows of A2" : "n, as there is no A2";
    }
}

static bool is_allowed(const struct input_kind *kind, double value) {
    return isfinite(value) || (isinf(value) && value * kind->infinite > 0);
}

/* What entries must be. */
static const char *wanted(const struct input_kind *kind) {
    return kind->infinite < 0 ? "finite or -inf" : kind->infinite > 0 ? "finite or inf" : "finite";
}

static enum outcome set_number(struct input *input, int id, const char *text, double number, struct failure *failure) {
    input->number_text = text;
    input->number = number;
    return is_allowed(&kinds[id], number)
               ? OUTCOME_OK
               : fail(failure, OUTCOME_BAD_INPUT, "--%s %s: expected a %s number", kinds[id].flag, text, wanted(&kinds[id]));
}

/* What has a row for each output is divided among the ranks. Of b the first one has all, its own rows at the beginning: what it
   says of the result shows them. */
static struct reading reading_of(int id, bool map) {
    const bool matrix = kinds[id].columns != DIMENSION_NONE; /* the library takes either precision */
    const bool all = ranks_communicator() == NULL || kinds[id].rows != DIMENSION_M || (id == INPUT_B && ranks_rank() == 0);
    const enum npy_form form = map && id == INPUT_A2 ? NPY_MAPPED : matrix ? NPY_KEPT : NPY_DOUBLES;
    return (struct reading){form, all ? UNDIVIDED : matrix ? BY_ROWS : BY_ENTRIES, ranks_rank(), ranks_count()};
}

static enum outcome load_one(struct inputs *inputs, int id, const char *text, bool map, struct failure *failure) {
    struct input *input = &inputs->input[id];
    const bool number_only = kinds[id].rows == DIMENSION_NONE;
    double number;
    if (kinds[id].number && number_parse(text, &number)) {
        return set_number(input, id, text, number, failure);
    }
    const enum outcome outcome = array_read(text, reading_of(id, map), &input->array, failure);
    if (outcome != OUTCOME_OK) {
        char flag[48];
        (void)snprintf(flag, sizeof flag, "--%s%s", kinds[id].flag, number_only ? ": expected a number, or a file:" : "");
        return fail_prefix(failure, outcome, flag);
    }
    const struct npy_header *header = &input->array.header;
    if (kinds[id].number && (number_only ? header->count == 1 : header->dimensions == 0)) { /* a lone number, in a file */
        number = npy_number(&input->array, 0);
        npy_free(&input->array);
        return set_number(input, id, text, number, failure);
    }
    if (number_only) {
        return fail(failure, OUTCOME_BAD_INPUT, "--%s '%s': expected one number, not %lld", kinds[id].flag, text,
                    (long long)header->count);
    }
    input->path = text;
    return OUTCOME_OK;
}

/* n, d and m are what A1 and A2 say they are; every other array is then measured against them. */
static enum outcome find_dimensions(struct inputs *inputs, struct failure *failure) {
    static const char *const meanings[] = {
        [INPUT_A1] = "2-D, n hidden units x d unknowns", [INPUT_A2] = "2-D, m outputs x n hidden units"};
    for (int id = INPUT_A1; id <= INPUT_A2; id++) {
        const struct npy_header header = npy_entire(&inputs->input[id].array.header);
        if (inputs->input[id].path != NULL && (header.dimensions != 2 || header.count == 0)) {
            char shape[256];
            return fail(failure, OUTCOME_BAD_INPUT, "--%s '%s': shape %s; expected %s, at least 1 x 1", kinds[id].flag,
                        inputs->input[id].path, npy_shape_text(header.shape, header.dimensions, shape, sizeof shape),
                        meanings[id]);
        }
    }
    inputs->size[DIMENSION_N] = inputs->input[INPUT_A1].array.header.shape[0];
    inputs->size[DIMENSION_D] = inputs->input[INPUT_A1].array.header.shape[1];
    const struct npy_header *output = &inputs->input[inputs->input[INPUT_A2].path != NULL ? INPUT_A2 : INPUT_A1].array.header;
    inputs->size[DIMENSION_M] = npy_entire(output).shape[0];
    inputs->rows = output->shape[0];
    return OUTCOME_OK;
}

/* A vector of k entries may come as (k,), (1, k), (k, 1), and for k = 1 as a lone number. */
static bool is_vector_of(const struct npy_header *header, int64_t entries) {
    const bool flat = header->dimensions < 2 || (header->dimensions == 2 && (header->shape[0] == 1 || header->shape[1] == 1));
    return flat && header->count == entries;
}

/* k targets of m entries as k rows; (1, m), and (m, 1) for m > 1, are one. */
static void find_targets(struct inputs *inputs) {
    const struct npy_header *b = &inputs->input[INPUT_B].array.header;
    const int64_t m = inputs->size[DIMENSION_M];
    if (b->dimensions == 2 && b->shape[1] == m && b->shape[0] > 1 && !is_vector_of(b, m)) {
        inputs->targets = b->shape[0];
    }
}

static bool has_row_for_each(const struct inputs *inputs, int id, int64_t entries) {
    const struct npy_header *header = &inputs->input[id].array.header;
    const bool may = id == INPUT_B || id == INPUT_X_REF || id == INPUT_LOWER || id == INPUT_UPPER || id == INPUT_X0;
    return may && inputs->targets > 0 && header->dimensions == 2 && header->shape[0] == inputs->targets &&
           header->shape[1] == entries;
}

static enum outcome check_shape(const struct inputs *inputs, int id, struct failure *failure) {
    const struct npy_header entire = npy_entire(&inputs->input[id].array.header);
    const struct npy_header *header = &entire;
    const struct input_kind *kind = &kinds[id];
    const int64_t rows = inputs->size[kind->rows];
    const int64_t columns = inputs->size[kind->columns];
    char shape[256];
    (void)npy_shape_text(header->shape, header->dimensions, shape, sizeof shape);
    if (kind->columns == DIMENSION_NONE) {
        return is_vector_of(header, rows) ? OUTCOME_OK
                                          : fail(failure, OUTCOME_BAD_INPUT, "--%s '%s': shape %s; expected (%lld,): %c is %s",
                                                 kind->flag, inputs->input[id].path, shape, (long long)rows,
                                                 dimension_letters[kind->rows], dimension_origin(inputs, kind->rows));
    }
    return header->shape[0] == rows && header->shape[1] == columns
               ? OUTCOME_OK
               : fail(failure, OUTCOME_BAD_INPUT, "--%s '%s': shape %s; expected (%lld, %lld): %c is %s", kind->flag,
                      inputs->input[id].path, shape, (long long)rows, (long long)columns, dimension_letters[kind->columns],
                      dimension_origin(inputs, kind->columns));
}

/* The library refuses such entries too, but only here is it known how the file's author would index them. */
static enum outcome check_finite(const struct input *input, int id, struct failure *failure) {
    const struct npy_header *header = &input->array.header;
    for (int64_t i = 0; i < header->count; i++) {
        const double value = npy_number(&input->array, i);
        if (!is_allowed(&kinds[id], value)) {
            char index[256];
            return fail(failure, OUTCOME_BAD_INPUT, "--%s '%s': entry %s is %s; every entry must be %s", kinds[id].flag,
                        input->path, npy_index_text(header, i, index, sizeof index), number_word(value), wanted(&kinds[id]));
        }
    }
    return OUTCOME_OK;
}

static enum outcome check_arrays(struct inputs *inputs, struct failure *failure) {
    for (int id = 0; id < INPUT_COUNT; id++) {
        struct input *input = &inputs->input[id];
        if (input->path == NULL) {
            continue;
        }
        if (has_row_for_each(inputs, id, inputs->size[kinds[id].rows])) {
            input->by_target = true;
            const enum outcome ordered = values_order(&input->array, failure);
            if (ordered != OUTCOME_OK) {
                return ordered;
            }
            continue;
        }
        enum outcome outcome = check_shape(inputs, id, failure);
        if (outcome == OUTCOME_OK && input->array.mapping == NULL) {
            outcome = check_finite(input, id, failure);
        }
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
    }
    return OUTCOME_OK;
}

enum outcome inputs_load(struct inputs *inputs, const char *const texts[INPUT_COUNT], bool many, bool map,
                         struct failure *failure) {
    enum outcome outcome = OUTCOME_OK;
    memset(inputs, 0, sizeof *inputs);
    if (map && texts[INPUT_A2] == NULL) {
        return fail(failure, OUTCOME_BAD_INPUT, "--mmap: there is no A2 that could stay in its file");
    }
    for (int id = 0; id < INPUT_COUNT && outcome == OUTCOME_OK; id++) {
        if (texts[id] != NULL) {
            outcome = load_one(inputs, id, texts[id], map, failure);
        }
    }
    if (outcome == OUTCOME_OK) {
        outcome = find_dimensions(inputs, failure);
    }
    if (outcome == OUTCOME_OK && many) {
        find_targets(inputs);
    }
    if (outcome == OUTCOME_OK) {
        outcome = check_arrays(inputs, failure);
    }
    if (outcome != OUTCOME_OK) {
        inputs_free(inputs);
    }
    return outcome;
}

void inputs_free(struct inputs *inputs) {
    for (int id = 0; id < INPUT_COUNT; id++) {
        npy_free(&inputs->input[id].array);
    }
    memset(inputs, 0, sizeof *inputs);
}
