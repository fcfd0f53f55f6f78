/* SPDX-License-Identifier: BSD-3-Clause */
/* softrelu certify: what a point is, whoever found it. */
#include "commands.h"

#include "certificate_json.h"
#include "certificate_text.h"
#include "json.h"
#include "outputs.h"
#include "problem.h"
#include "ranks.h"
#include "settings.h"
#include "text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct examination {
    const struct inputs *inputs;
    const softrelu_certificate *certificate;
    softrelu_loss loss;
};

static double number(const softrelu_certificate *certificate, softrelu_certificate_quantity quantity) {
    double value = NAN;
    (void)softrelu_certificate_number(certificate, quantity, &value);
    return value;
}

static void print_curvature(const softrelu_certificate *certificate) {
    const double free = number(certificate, SOFTRELU_CERTIFICATE_FREE_DIMENSIONS);
    if (free == 0) {
        puts("  curvature  kinks and bounds leave no direction free");
    } else if (free > 0) {
        printf("  curvature  %.3g, the least on %.0f free dimensions (round-off %.1g)\n",
               number(certificate, SOFTRELU_CERTIFICATE_CURVATURE), free,
               number(certificate, SOFTRELU_CERTIFICATE_CURVATURE_ROUND_OFF));
    }
}

static void print_examination(const struct examination *at, const char *out) {
    const softrelu_certificate *certificate = at->certificate;
    const softrelu_verdict verdict = softrelu_certificate_verdict(certificate);
    const softrelu_reason reason = softrelu_certificate_reason(certificate);
    const int64_t *size = at->inputs->size;
    text_fold(stdout, printf("%s: ", softrelu_verdict_name(verdict)), 2, softrelu_verdict_text(verdict));
    if (number(certificate, SOFTRELU_CERTIFICATE_GLOBAL) == 1) {
        text_fold(stdout, 0, 2, "It is the global minimiser: F is proved convex wherever it is as low.");
    }
    if (reason != SOFTRELU_REASON_NONE) {
        text_fold(stdout, printf("%s: ", softrelu_reason_name(reason)), 2, softrelu_reason_text(reason));
    }
    printf("\n  problem    n = %lld, d = %lld, m = %lld, %s\n", (long long)size[DIMENSION_N], (long long)size[DIMENSION_D],
           (long long)size[DIMENSION_M], at->loss == SOFTRELU_KL ? "kl" : "squares");
    printf("  loss       %.12g\n", number(certificate, SOFTRELU_CERTIFICATE_LOSS));
    printf("  residual   %.3g (relative %.3g)\n", number(certificate, SOFTRELU_CERTIFICATE_RESIDUAL),
           number(certificate, SOFTRELU_CERTIFICATE_RESIDUAL_RELATIVE));
    printf("  kinks      %.0f pinned, %.0f on ridges\n", number(certificate, SOFTRELU_CERTIFICATE_PINNED_KINKS),
           number(certificate, SOFTRELU_CERTIFICATE_CONCAVE_KINKS));
    printf("  bounds     %.0f active\n", number(certificate, SOFTRELU_CERTIFICATE_ACTIVE_BOUNDS));
    const double margin = number(certificate, SOFTRELU_CERTIFICATE_MARGIN);
    if (isfinite(margin)) {
        printf("  margin     %.3g, the least slope that holds a kink or a bound (relative)\n", margin);
    }
    print_curvature(certificate);
    certificate_print_distance(certificate);
    if (verdict == SOFTRELU_VERDICT_NOT_STATIONARY) {
        printf("  slope      %.3g along the direction of descent\n", number(certificate, SOFTRELU_CERTIFICATE_SLOPE));
    }
    if (out != NULL) {
        printf("\ndirection written to %s\n", out);
    }
    certificate_print_advice(certificate);
}

static json_t *report_of_examination(const void *argument) {
    const struct examination *at = argument;
    json_t *object = json_object();
    const bool ok = object != NULL && json_put(object, "schema", json_integer(1)) &&
                    json_put(object, "version", json_string(softrelu_version())) &&
                    json_put(object, "dimensions", json_dimensions(at->inputs)) &&
                    json_put(object, "loss_kind", json_string(at->loss == SOFTRELU_KL ? "kl" : "squares")) &&
                    json_put(object, "certificate", certificate_json(at->certificate)) &&
                    json_put(object, "multipliers",
                             multipliers_json(at->certificate, at->inputs->size[DIMENSION_N], at->inputs->size[DIMENSION_D]));
    return json_finished(object, ok);
}

/* Writes and prints what was found; direction holds d numbers of scratch. */
static enum outcome tell(const struct arguments *arguments, const struct examination *at, double *direction,
                         struct failure *failure) {
    const int64_t d = at->inputs->size[DIMENSION_D];
    const bool directed = softrelu_certificate_direction(at->certificate, direction, d) == SOFTRELU_OK;
    const enum outcome outcome = outputs_write(
        arguments, &(struct contents){directed ? direction : NULL, 0, d, report_of_examination, at, NULL, NULL, 0}, failure);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    if (arguments->summary) {
        print_examination(at, directed ? arguments->out : NULL);
    }
    return softrelu_certificate_verdict(at->certificate) == SOFTRELU_VERDICT_CERTIFIED ? OUTCOME_OK : OUTCOME_STOPPED;
}

static enum outcome examine(const struct arguments *arguments, const struct inputs *inputs, const softrelu_problem *problem,
                            const struct tolerances *tolerances, struct failure *failure) {
    const struct npy_array *x = &inputs->input[INPUT_X].array;
    softrelu_certificate *certificate = NULL;
    softrelu_status status = softrelu_certificate_create(problem, &certificate);
    if (status != SOFTRELU_OK) {
        return fail_status(failure, status, "the certificate cannot be made", "");
    }
    status = softrelu_certify(certificate, x->values, x->header.count, tolerances->kink, tolerances->residual);
    enum outcome outcome = OUTCOME_OK;
    if (status != SOFTRELU_OK) {
        outcome = fail_status(failure, status, "--x", softrelu_certificate_message(certificate));
    } else {
        double *direction = malloc((size_t)x->header.count * sizeof *direction); /* as large as x, which is in memory */
        const struct examination at = {inputs, certificate, arguments->loss};
        if (direction == NULL) {
            outcome = fail(failure, OUTCOME_RESOURCES, "out of memory");
        } else {
            outcome = tell(arguments, &at, direction, failure);
        }
        free(direction);
    }
    softrelu_certificate_destroy(certificate);
    return outcome;
}

enum outcome command_certify(const struct arguments *arguments, struct failure *failure) {
    struct inputs inputs;
    struct tolerances tolerances = {0};
    softrelu_problem *problem = NULL;
    enum outcome outcome = settings_check(arguments, &tolerances, failure);
    if (outcome == OUTCOME_OK) {
        outcome = outputs_check(arguments, failure);
    }
    outcome = ranks_agree(outcome, failure);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    outcome = ranks_agree(inputs_load(&inputs, arguments->input, false, arguments->map, failure), failure);
    if (outcome == OUTCOME_OK) {
        outcome = problem_build(&inputs, arguments->loss, &problem, failure);
    }
    if (outcome == OUTCOME_OK) {
        outcome = examine(arguments, &inputs, problem, &tolerances, failure);
    }
    softrelu_problem_destroy(problem);
    inputs_free(&inputs);
    return outcome;
}
