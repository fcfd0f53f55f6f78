/* SPDX-License-Identifier: BSD-3-Clause */
/* softrelu constants: what is known of F before any solve. */
#include "commands.h"

#include "json.h"
#include "number.h"
#include "outputs.h"
#include "problem.h"
#include "text.h"

#include <math.h>
#include <stdio.h>

struct constant {
    softrelu_constant id;
    const char *name;
    softrelu_type type;
    const char *text;
};

#define CONSTANT(id, number, name, type, text) {id, name, type, text},
static const struct constant constants[] = {SOFTRELU_CONSTANT_LIST(CONSTANT)};
#undef CONSTANT

enum { CONSTANT_COUNT = sizeof constants / sizeof constants[0] };

struct finding {
    const struct inputs *inputs;
    softrelu_constants *constants;
    softrelu_loss loss;
    double modulus; /* 0: none was given */
    double weight_squared;
};

static bool of_point(const struct constant *constant) { return constant->id >= SOFTRELU_CONSTANT_ROW_DISTANCE; }

/* False for one of a point when there is none. */
static bool read_constant(const struct finding *finding, const struct constant *constant, double *value) {
    return softrelu_constants_number(finding->constants, constant->id, value) == SOFTRELU_OK;
}

static void print_row(const char *name, double value, softrelu_type type, const char *text) {
    enum { TEXT_COLUMN = 42 };
    char number[32];
    (void)snprintf(number, sizeof number, type == SOFTRELU_INTEGER ? "%.0f" : "%.6g", value);
    const char *word = number_word(value);
    const int used = printf("  %-26s %-11s ", name, word == NULL ? number : word);
    printf("%*s", used < TEXT_COLUMN ? TEXT_COLUMN - used : 0, "");
    text_fold(stdout, used < TEXT_COLUMN ? TEXT_COLUMN : used, TEXT_COLUMN, text);
}

static void print_finding(const struct finding *finding) {
    const int64_t *size = finding->inputs->size;
    printf("problem: n = %lld, d = %lld, m = %lld, %s\n\n", (long long)size[DIMENSION_N], (long long)size[DIMENSION_D],
           (long long)size[DIMENSION_M], finding->loss == SOFTRELU_KL ? "kl" : "squares");
    bool at_point = false;
    for (size_t i = 0; i < CONSTANT_COUNT; i++) {
        double value = NAN;
        if (!read_constant(finding, &constants[i], &value)) {
            continue;
        }
        if (of_point(&constants[i]) && !at_point) {
            at_point = true;
            puts("\nat the point of --x\n");
        }
        print_row(constants[i].name, value, constants[i].type, constants[i].text);
    }
    if (finding->modulus > 0) {
        printf("\nfor a Hessian with least eigenvalue >= %g in every cell\n\n", finding->modulus);
        print_row("weight_squared", finding->weight_squared, SOFTRELU_REAL,
                  "least w^2, the same for every hidden row, for which that is proved");
    }
}

static json_t *report_of_finding(const void *argument) {
    const struct finding *finding = argument;
    json_t *object = json_object();
    json_t *values = json_object();
    bool ok = object != NULL && values != NULL && json_put(object, "schema", json_integer(1)) &&
              json_put(object, "version", json_string(softrelu_version())) &&
              json_put(object, "dimensions", json_dimensions(finding->inputs)) &&
              json_put(object, "loss_kind", json_string(finding->loss == SOFTRELU_KL ? "kl" : "squares"));
    for (size_t i = 0; ok && i < CONSTANT_COUNT; i++) {
        double value = NAN;
        const bool known = read_constant(finding, &constants[i], &value);
        ok = json_put(values, constants[i].name, known ? json_number(value, constants[i].type) : json_null());
    }
    if (ok && finding->modulus > 0) {
        ok = json_put(object, "modulus", json_real(finding->modulus)) &&
             json_put(object, "weight_squared", json_number(finding->weight_squared, SOFTRELU_REAL));
    }
    ok = json_put(object, "constants", values) && ok; /* values belong to the object now, or are gone */
    return json_finished(object, ok);
}

static enum outcome find(const struct arguments *arguments, struct finding *finding, const softrelu_problem *problem,
                         struct failure *failure) {
    const struct npy_array *x = &finding->inputs->input[INPUT_X].array;
    softrelu_status status = softrelu_constants_create(problem, &finding->constants);
    if (status == SOFTRELU_OK && x->values != NULL) {
        status = softrelu_constants_move(finding->constants, x->values, x->header.count);
    }
    if (status == SOFTRELU_OK && finding->modulus > 0) {
        status = softrelu_constants_weight(finding->constants, finding->modulus, &finding->weight_squared);
    }
    if (status != SOFTRELU_OK) {
        return fail_status(failure, status, "the constants cannot be computed",
                           finding->constants != NULL ? softrelu_constants_message(finding->constants) : "");
    }
    const enum outcome outcome =
        outputs_write(arguments, &(struct contents){NULL, 0, 0, report_of_finding, finding, NULL, NULL, 0}, failure);
    if (outcome == OUTCOME_OK && arguments->summary) {
        print_finding(finding);
    }
    return outcome;
}

enum outcome command_constants(const struct arguments *arguments, struct failure *failure) {
    struct inputs inputs;
    softrelu_problem *problem = NULL;
    enum outcome outcome = outputs_check(arguments, failure);
    if (outcome == OUTCOME_OK) {
        outcome = inputs_load(&inputs, arguments->input, false, arguments->map, failure);
    }
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    struct finding finding = {&inputs, NULL, arguments->loss, arguments->modulus, NAN};
    outcome = problem_build(&inputs, arguments->loss, &problem, failure);
    if (outcome == OUTCOME_OK) {
        outcome = find(arguments, &finding, problem, failure);
    }
    softrelu_constants_destroy(finding.constants);
    softrelu_problem_destroy(problem);
    inputs_free(&inputs);
    return outcome;
}
