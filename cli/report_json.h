/* SPDX-License-Identifier: BSD-3-Clause */
/* The report as JSON. Its keys are fixed: readers may rely on every one of them. */
#ifndef SOFTRELU_CLI_REPORT_JSON_H
#define SOFTRELU_CLI_REPORT_JSON_H

#include "failure.h"
#include "inputs.h"

#include <stdio.h>

struct solve_result {
    const struct inputs *inputs;
    const softrelu_solver *solver;
    softrelu_loss loss;
};

/* Writes the report of the last solve into stream. written tells whether the stream took everything (else errno says why
   not); the outcome is a failure only when there is no memory to build the report. */
enum outcome report_json_write(const struct solve_result *result, FILE *stream, bool *written, struct failure *failure);

#endif
