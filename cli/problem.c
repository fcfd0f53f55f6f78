/* SPDX-License-Identifier: BSD-3-Clause */
#include "problem.h"

#include "ranks.h"

#include <stdio.h>
#include <stdlib.h>

enum outcome outcome_of_status(softrelu_status status) {
    switch (status) {
    case SOFTRELU_OK:
        return OUTCOME_OK;
    case SOFTRELU_ERROR_MEMORY:
    case SOFTRELU_ERROR_LAPACK:
    case SOFTRELU_ERROR_COMMUNICATION:
        return OUTCOME_RESOURCES;
    default:
        return OUTCOME_BAD_INPUT;
    }
}

enum outcome fail_status(struct failure *failure, softrelu_status status, const char *doing, const char *message) {
    const char *text = message[0] != '\0' ? message : softrelu_status_text(status);
    return fail(failure, outcome_of_status(status), "%s: %s", doing, text);
}

static softrelu_status give(softrelu_problem *problem, const struct input_kind *kind, const struct input *input,
                            const struct inputs *inputs) {
    const struct npy_header *header = &input->array.header;
    if (input->path == NULL) {
        return softrelu_problem_set_number(problem, kind->array, input->number);
    }
    if (kind->rows == DIMENSION_M && inputs->rows == 0) { /* more ranks than outputs */
        return SOFTRELU_OK;
    }
    if (kind->columns == DIMENSION_NONE) {
        const int64_t length = kind->rows == DIMENSION_M ? inputs->rows : header->count;
        return softrelu_problem_set_vector(problem, kind->array, input->array.values, length, SOFTRELU_BORROW);
    }
    const softrelu_layout layout = header->fortran_order ? SOFTRELU_COLUMN_MAJOR : SOFTRELU_ROW_MAJOR;
    const int64_t leading = header->fortran_order ? header->shape[0] : header->shape[1];
    const softrelu_ownership ownership = input->array.mapping != NULL ? SOFTRELU_MAP : SOFTRELU_BORROW;
    return input->array.singles != NULL
               ? softrelu_problem_set_matrix_single(problem, kind->array, input->array.singles, layout, leading, ownership)
               : softrelu_problem_set_matrix(problem, kind->array, input->array.values, layout, leading, ownership);
}

/* A problem has a target of its own, which none of many is, and a search for a class has none: 0, in whose place each solve
   puts its own. */
static softrelu_status give_no_target(softrelu_problem *problem, int64_t m) {
    double *zeros = calloc((size_t)m, sizeof *zeros);
    const softrelu_status status =
        zeros != NULL ? softrelu_problem_set_vector(problem, SOFTRELU_B, zeros, m, SOFTRELU_COPY) : SOFTRELU_ERROR_MEMORY;
    free(zeros);
    return status;
}

static enum outcome give_all(softrelu_problem *problem, const struct inputs *inputs, softrelu_loss loss,
                             struct failure *failure) {
    softrelu_status status = softrelu_problem_set_loss(problem, loss);
    if (status != SOFTRELU_OK) {
        return fail_status(failure, status, "--loss", softrelu_problem_message(problem));
    }
    for (int id = 0; id < INPUT_COUNT; id++) {
        const struct input *input = &inputs->input[id];
        const struct input_kind *kind = input_kind(id);
        const bool given = input->path != NULL || input->number_text != NULL;
        if ((!given && id != INPUT_B) || kind->array == 0) {
            continue;
        }
        if (!given || input->by_target) {
            status = id == INPUT_B ? give_no_target(problem, inputs->size[DIMENSION_M]) : SOFTRELU_OK;
        } else {
            status = give(problem, kind, input, inputs);
        }
        if (status != SOFTRELU_OK) {
            char name[4200];
            return fail_status(failure, status, input_name(inputs, id, name, sizeof name), softrelu_problem_message(problem));
        }
    }
    return OUTCOME_OK;
}

enum outcome problem_build(const struct inputs *inputs, softrelu_loss loss, softrelu_problem **problem,
                           struct failure *failure) {
    const int64_t n = inputs->size[DIMENSION_N];
    const int64_t d = inputs->size[DIMENSION_D];
    const int64_t m = inputs->rows;
    const softrelu_communicator *with = ranks_communicator();
    softrelu_status status = with == NULL ? softrelu_problem_create(n, d, m, NULL, NULL, NULL, problem)
                                          : softrelu_problem_create_distributed(n, d, m, with, NULL, NULL, NULL, problem);
    if (status != SOFTRELU_OK) {
        return fail(failure, outcome_of_status(status), "a problem with n = %lld, d = %lld, m = %lld cannot be made: %s",
                    (long long)n, (long long)d, (long long)m, softrelu_status_text(status));
    }
    enum outcome outcome = ranks_agree(give_all(*problem, inputs, loss, failure), failure);
    if (outcome == OUTCOME_OK) {
        status = softrelu_problem_finish(*problem);
        if (status != SOFTRELU_OK) {
            outcome = fail_status(failure, status, "the problem cannot be assembled", softrelu_problem_message(*problem));
        }
    }
    if (outcome != OUTCOME_OK) {
        softrelu_problem_destroy(*problem);
        *problem = NULL;
    }
    return outcome;
}

static softrelu_status predict(softrelu_evaluator *evaluator, const struct inputs *inputs, const double *x, double *f) {
    const softrelu_status status = softrelu_evaluator_move(evaluator, x, inputs->size[DIMENSION_D]);
    return status == SOFTRELU_OK ? softrelu_evaluator_prediction(evaluator, f, inputs->rows) : status;
}

softrelu_status problem_predict(const softrelu_problem *problem, const struct inputs *inputs, const double *x, double *f) {
    softrelu_evaluator *evaluator = NULL;
    softrelu_status status = softrelu_evaluator_create(problem, &evaluator);
    if (status == SOFTRELU_OK) {
        status = predict(evaluator, inputs, x, f);
    }
    if (status == SOFTRELU_OK) {
        ranks_gather(f, inputs->size[DIMENSION_M]);
    }
    softrelu_evaluator_destroy(evaluator);
    return status;
}

softrelu_status problem_predict_rows(const softrelu_problem *problem, const struct inputs *inputs, int64_t rows,
                                     const double *x, double *f) {
    softrelu_evaluator *evaluator = NULL;
    const softrelu_status status = softrelu_evaluator_create(problem, &evaluator);
    for (int64_t i = 0; i < rows && status == SOFTRELU_OK; i++) {
        (void)predict(evaluator, inputs, x + i * inputs->size[DIMENSION_D], f + i * inputs->size[DIMENSION_M]);
    }
    softrelu_evaluator_destroy(evaluator);
    return status;
}
