/* SPDX-License-Identifier: BSD-3-Clause */
/* The report as JSON. Its keys are fixed: readers may rely on every one of them. */
#ifndef SOFTRELU_CLI_REPORT_JSON_H
#define SOFTRELU_CLI_REPORT_JSON_H

#include "inputs.h"

#include <jansson.h>

struct solve_result {
    const struct inputs *inputs;
    const softrelu_solver *solver;
    softrelu_loss loss;
};

/* The report of the last solve; NULL for want of memory. */
json_t *report_json(const struct solve_result *result);

/* Many targets. */
struct batch_result {
    const struct inputs *inputs;
    const softrelu_solver *solver; /* with the settings of all */
    const softrelu_batch *batch;
    softrelu_loss loss;
    double seconds;
    int64_t converged, certified, failed;
};

/* The report of a batch: what all targets share, and "results", one object for each; NULL for want of memory. */
json_t *batch_json(const struct batch_result *result);

/* Adds what does not depend on the target: dimensions, loss, settings, and what computed it. */
bool json_put_run(json_t *object, const struct inputs *inputs, softrelu_loss loss, const softrelu_solver *solver);

#endif
