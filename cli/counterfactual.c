/* SPDX-License-Identifier: BSD-3-Clause */
/* softrelu counterfactual: the smallest change of an input that changes the answer. */
#include "commands.h"

#include "certificate_json.h"
#include "freeze.h"
#include "interrupt.h"
#include "json.h"
#include "outputs.h"
#include "outputs_table.h"
#include "problem.h"
#include "progress.h"
#include "report_json.h"
#include "session.h"
#include "settings.h"
#include "text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { STARTS_PER_ANSWER = 4, ROWS_SHOWN = 20 };

/* Everything one search holds, so that it is freed in one place. */
struct question {
    const struct arguments *arguments;
    struct inputs inputs;
    softrelu_problem *problem;
    softrelu_counterfactual *search;
    signed char *frozen; /* d, or NULL */
    int64_t wanted;      /* the output */
    int64_t count;       /* answers that are told of */
    double *x;           /* count x d */
    double *before;      /* m: the outputs at the input */
    double *after;       /* count x m: at the answers */
};

static void question_free(struct question *question) {
    softrelu_counterfactual_destroy(question->search);
    softrelu_problem_destroy(question->problem);
    free(question->frozen);
    free(question->x);
    free(question->before);
    free(question->after);
    inputs_free(&question->inputs);
}

static double number(const struct question *question, int64_t answer, softrelu_answer quantity) {
    double value = NAN;
    (void)softrelu_counterfactual_number(question->search, answer, quantity, &value);
    return value;
}

static enum outcome check_early(const struct arguments *arguments, struct failure *failure) {
    const enum outcome outcome = session_check(arguments, failure);
    if (outcome == OUTCOME_OK && arguments->wanted == NULL) {
        return fail(failure, OUTCOME_BAD_INPUT,
                    "counterfactual: --class is missing: the output that is wanted, its number or its name");
    }
    return outcome;
}

static enum outcome prepare(struct question *question, struct failure *failure) {
    const struct arguments *arguments = question->arguments;
    const int64_t *size = question->inputs.size;
    const softrelu_status status = softrelu_counterfactual_create(question->problem, &question->search);
    if (status != SOFTRELU_OK) {
        return fail_status(failure, status, "the search cannot be made", "");
    }
    enum outcome outcome = settings_apply(arguments, softrelu_counterfactual_solver(question->search), failure);
    if (outcome == OUTCOME_OK && arguments->freeze != NULL) {
        outcome = freeze_read(arguments->freeze, size[DIMENSION_D], &question->frozen, failure);
    }
    if (outcome == OUTCOME_OK) {
        outcome = shape_check(arguments, size[DIMENSION_D], failure);
    }
    if (outcome == OUTCOME_OK) {
        question->before = malloc((size_t)size[DIMENSION_M] * sizeof(double)); /* no larger than what A1 and A2 are */
        if (question->before == NULL) {
            outcome = fail(failure, OUTCOME_RESOURCES, "out of memory");
        }
    }
    return outcome;
}

/* The certificate of the nearest answer: of the solve that ends where it begins. NULL where there is none to be had. */
static const softrelu_certificate *certificate_of_nearest(const struct question *question) {
    softrelu_solver *solver = softrelu_counterfactual_solver(question->search);
    const double rho = number(question, 0, SOFTRELU_ANSWER_RHO);
    const bool solved = question->count > 0 && rho > 0 &&
                        softrelu_solver_set_number(solver, SOFTRELU_RHO, rho) == SOFTRELU_OK &&
                        softrelu_solver_set_start(solver, question->x, question->inputs.size[DIMENSION_D]) == SOFTRELU_OK &&
                        softrelu_solver_solve(solver) == SOFTRELU_OK;
    return solved ? softrelu_solver_certificate(solver) : NULL;
}

static enum outcome search(struct question *question, struct failure *failure) {
    const struct arguments *arguments = question->arguments;
    const struct npy_array *input = &question->inputs.input[INPUT_INPUT].array;
    softrelu_solver *solver = softrelu_counterfactual_solver(question->search);
    struct progress progress;
    softrelu_status status = progress_begin(&progress, arguments, solver, question->search);
    if (status == SOFTRELU_OK) {
        interrupt_begin_search(question->search);
        const int64_t starts = arguments->answers > 1 ? STARTS_PER_ANSWER * (int64_t)arguments->answers : 1;
        status = softrelu_counterfactual_search(question->search, input->values, input->header.count, question->wanted,
                                                arguments->confidence, question->frozen, starts);
        interrupt_end();
    }
    progress_end(&progress);
    return status == SOFTRELU_OK
               ? OUTCOME_OK
               : fail_status(failure, status, "the search failed", softrelu_counterfactual_message(question->search));
}

/* The answers that were asked for, and the outputs before and after. */
static enum outcome collect(struct question *question, struct failure *failure) {
    const int64_t d = question->inputs.size[DIMENSION_D];
    const int64_t m = question->inputs.size[DIMENSION_M];
    const int64_t found = softrelu_counterfactual_count(question->search);
    question->count = found < (int64_t)question->arguments->answers ? found : (int64_t)question->arguments->answers;
    softrelu_status status = problem_predict(question->problem, &question->inputs,
                                             question->inputs.input[INPUT_INPUT].array.values, question->before);
    if (status == SOFTRELU_OK && question->count > 0) {
        question->x = calloc((size_t)question->count, (size_t)d * sizeof(double));
        question->after = calloc((size_t)question->count, (size_t)m * sizeof(double));
        status = question->x != NULL && question->after != NULL ? SOFTRELU_OK : SOFTRELU_ERROR_MEMORY;
    }
    for (int64_t i = 0; i < question->count && status == SOFTRELU_OK; i++) {
        status = softrelu_counterfactual_point(question->search, i, question->x + i * d, d);
        if (status == SOFTRELU_OK) {
            status = problem_predict(question->problem, &question->inputs, question->x + i * d, question->after + i * m);
        }
    }
    return status == SOFTRELU_OK ? OUTCOME_OK : fail_status(failure, status, "the answers cannot be evaluated", "");
}

static json_t *answer_json(const struct question *question, int64_t answer, const double *x) {
    json_t *object = json_object();
    bool ok = object != NULL;
#define PUT(id, number_, name, type, text) ok = ok && json_put(object, name, json_number(number(question, answer, id), type));
    SOFTRELU_ANSWER_LIST(PUT)
#undef PUT
    if (x != NULL) {
        ok = ok && json_put(object, "x", json_vector(x, question->inputs.size[DIMENSION_D]));
    }
    return json_finished(object, ok);
}

/* [{"branch", "rho", "confidence", "distance", "reached"}], in the order of the search */
static json_t *path_json(const softrelu_counterfactual *search) {
    json_t *array = json_array();
    bool ok = array != NULL;
    for (int64_t i = 0; ok && i < softrelu_counterfactual_path_length(search); i++) {
        json_t *object = json_object();
        double value = NAN;
        ok = object != NULL;
#define PUT(id, number_, name, type, text)                                                                                     \
    ok = ok && softrelu_counterfactual_path_number(search, i, id, &value) == SOFTRELU_OK &&                                    \
         json_put(object, name, json_number(value, type));
        SOFTRELU_PATH_LIST(PUT)
#undef PUT
        ok = json_array_append_new(array, json_finished(object, ok)) == 0;
    }
    return json_finished(array, ok);
}

static json_t *report_of_question(const void *argument) {
    const struct question *question = argument;
    const struct arguments *arguments = question->arguments;
    const int64_t m = question->inputs.size[DIMENSION_M];
    const softrelu_search outcome = softrelu_counterfactual_outcome(question->search);
    const softrelu_certificate *certificate = certificate_of_nearest(question);
    json_t *object = json_object();
    json_t *answers = json_array();
    bool ok = object != NULL && answers != NULL;
    for (int64_t i = 0; ok && i < question->count; i++) {
        const double *x = question->x + i * question->inputs.size[DIMENSION_D];
        ok = json_array_append_new(answers, answer_json(question, i, x)) == 0;
    }
    ok = ok && json_put(object, "schema", json_integer(1)) && json_put(object, "version", json_string(softrelu_version())) &&
         json_put(object, "outcome", json_string(softrelu_search_name(outcome))) &&
         json_put(object, "outcome_text", json_string(softrelu_search_text(outcome))) &&
         json_put(object, "class", json_integer((json_int_t)question->wanted)) &&
         json_put(object, "confidence", json_real(arguments->confidence)) &&
         json_put(object, "outputs_before", json_vector(question->before, m)) &&
         json_put(object, "outputs_after", question->count > 0 ? json_vector(question->after, m) : json_null()) &&
         json_put(object, "best", answer_json(question, -1, NULL)) && json_put(object, "path", path_json(question->search)) &&
         json_put(object, "certificate", certificate != NULL ? certificate_json(certificate) : json_null()) &&
         json_put_run(object, &question->inputs, SOFTRELU_KL, softrelu_counterfactual_solver(question->search));
    return json_finished(object, object != NULL && json_put(object, "answers", answers) && ok);
}

static int64_t changed_entries(const struct question *question, int64_t answer) {
    const int64_t d = question->inputs.size[DIMENSION_D];
    const double *input = question->inputs.input[INPUT_INPUT].array.values;
    const double *x = question->x + answer * d;
    int64_t changed = 0;
    for (int64_t k = 0; k < d; k++) {
        changed += x[k] != input[k];
    }
    return changed;
}

static void print_answers(const struct question *question) {
    printf("\n  %6s  %12s  %16s  %11s  %s\n", "answer", "distance", "entries changed", "probability", "proof");
    for (int64_t i = 0; i < question->count && i < ROWS_SHOWN; i++) {
        const bool certified = number(question, i, SOFTRELU_ANSWER_CERTIFIED) == 1;
        printf("  %6lld  %12.6g  %16lld  %11.6f  %s\n", (long long)i, number(question, i, SOFTRELU_ANSWER_DISTANCE),
               (long long)changed_entries(question, i), number(question, i, SOFTRELU_ANSWER_CONFIDENCE),
               certified ? "none nearer around" : "none");
    }
    if (question->count > ROWS_SHOWN) {
        printf("  and %lld more\n", (long long)(question->count - ROWS_SHOWN));
    }
    puts("\n  at the nearest answer (f) and at the input (b):\n");
    outputs_table_print(question->after, question->before, question->inputs.size[DIMENSION_M], question->inputs.names);
}

static void print_no_answer(const struct question *question) {
    const double met = number(question, -1, SOFTRELU_ANSWER_CONFIDENCE);
    printf("\n  The highest probability met was %.6g, at distance %.6g.\n\n", met,
           number(question, -1, SOFTRELU_ANSWER_DISTANCE));
    if (softrelu_counterfactual_outcome(question->search) == SOFTRELU_SEARCH_STOPPED) {
        text_fold(stdout, 0, 0, "It was stopped on its way: a search to the end takes more time (--time-limit SECONDS).");
        return;
    }
    text_fold(
        stdout, 0, 0,
        "Try a lower --confidence, fewer entries in --freeze, wider --lower and --upper, or more --answers, which searches "
        "from more points.");
}

static void print_question(const struct question *question) {
    const struct arguments *arguments = question->arguments;
    const int64_t *size = question->inputs.size;
    const softrelu_search outcome = softrelu_counterfactual_outcome(question->search);
    text_fold(stdout, printf("%s: ", softrelu_search_name(outcome)), 2, softrelu_search_text(outcome));
    printf("\n  problem    n = %lld, d = %lld, m = %lld\n", (long long)size[DIMENSION_N], (long long)size[DIMENSION_D],
           (long long)size[DIMENSION_M]);
    char digits[NUMBER_BYTES];
    printf("  wanted     output %s with a probability of %g; the input has %.6g\n",
           names_at(question->inputs.names, question->wanted, digits), arguments->confidence,
           question->before[question->wanted]);
    if (question->count > 0) {
        print_answers(question);
    } else {
        print_no_answer(question);
    }
    putchar('\n');
    outputs_print(arguments, question->count > 0 ? "x" : NULL);
}

static enum outcome answer(struct question *question, struct failure *failure) {
    const struct arguments *arguments = question->arguments;
    enum outcome outcome = inputs_load(&question->inputs, arguments->input, false, arguments->map, failure);
    if (outcome == OUTCOME_OK) {
        outcome = session_names(arguments, &question->inputs, failure);
    }
    if (outcome == OUTCOME_OK) {
        outcome = names_find(question->inputs.names, arguments->wanted, question->inputs.size[DIMENSION_M], &question->wanted,
                             failure);
    }
    if (outcome == OUTCOME_OK) {
        outcome = problem_build(&question->inputs, SOFTRELU_KL, &question->problem, failure);
    }
    if (outcome == OUTCOME_OK) {
        outcome = prepare(question, failure);
    }
    if (outcome == OUTCOME_OK) {
        outcome = search(question, failure);
    }
    if (outcome == OUTCOME_OK) {
        outcome = collect(question, failure);
    }
    if (outcome == OUTCOME_OK) {
        const struct page page = {.x = question->x,
                                  .x_ref = question->inputs.input[INPUT_INPUT].array.values,
                                  .x_ref_name = "the input",
                                  .b_name = "f(input)",
                                  .f = question->after,
                                  .b = question->before,
                                  .d = question->inputs.size[DIMENSION_D],
                                  .m = question->inputs.size[DIMENSION_M],
                                  .rows = arguments->rows,
                                  .columns = arguments->columns};
        const struct contents contents = {.x = question->x,
                                          .rows = arguments->answers > 1 ? question->count : 0,
                                          .length = question->count * page.d,
                                          .make = report_of_question,
                                          .argument = question,
                                          .page = &page,
                                          .f = question->after,
                                          .f_length = question->count * page.m};
        outcome = outputs_write(arguments, &contents, failure);
    }
    if (outcome == OUTCOME_OK && arguments->summary) {
        print_question(question);
    }
    return outcome == OUTCOME_OK && question->count == 0 ? OUTCOME_STOPPED : outcome;
}

enum outcome command_counterfactual(const struct arguments *arguments, struct failure *failure) {
    enum outcome outcome = check_early(arguments, failure);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    struct question question = {.arguments = arguments};
    outcome = answer(&question, failure);
    question_free(&question);
    return outcome;
}
