/* SPDX-License-Identifier: BSD-3-Clause */
/* From loaded inputs to the library's problem. */
#ifndef SOFTRELU_CLI_PROBLEM_H
#define SOFTRELU_CLI_PROBLEM_H

#include "inputs.h"

/* What the library's status means for the exit status: whose fault it is. */
enum outcome outcome_of_status(softrelu_status status);
/* Writes "doing: message" (or the status's own text where the message is empty) and returns the outcome. */
enum outcome fail_status(struct failure *failure, softrelu_status status, const char *doing, const char *message);

/* Builds and seals the problem, which borrows the inputs: they must outlive it. On failure *problem is NULL. */
enum outcome problem_build(const struct inputs *inputs, softrelu_loss loss, softrelu_problem **problem,
                           struct failure *failure);

/* The outputs f (m) at x (d); on another rank than the first only its rows of them. */
softrelu_status problem_predict(const softrelu_problem *problem, const struct inputs *inputs, const double *x, double *f);
/* The same for every row of x (rows x d) and f (rows x m). Where x is no point, such as nan, f stays as it was. */
softrelu_status problem_predict_rows(const softrelu_problem *problem, const struct inputs *inputs, int64_t rows,
                                     const double *x, double *f);

#endif
