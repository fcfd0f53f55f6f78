/* SPDX-License-Identifier: BSD-3-Clause */
/* softrelu invert: an input that makes the network say something, wherever it is. */
#include "commands.h"

#include "json.h"
#include "problem.h"
#include "report_json.h"
#include "session.h"
#include "summary.h"
#include "text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { STARTS = 8 };
static const char *const RHO = "1e-6"; /* holds x where the outputs say nothing, and hardly weighs anything elsewhere */

struct inversion {
    struct solve_result result;
    double distance, within; /* total variation */
};

static enum outcome check_early(const struct arguments *arguments, struct failure *failure) {
    if ((arguments->input[INPUT_B] != NULL) == (arguments->wanted != NULL)) {
        return fail(failure, OUTCOME_BAD_INPUT,
                    arguments->wanted != NULL ? "invert: --b and --class both say what is wanted; give one of them"
                                              : "invert: --b FILE or --class J is missing: what is wanted of the outputs");
    }
    return session_check(arguments, failure);
}

/* The class with its confidence, the rest shared by the other outputs, as the target. */
static enum outcome aim(const struct arguments *arguments, struct inputs *inputs, struct failure *failure) {
    const int64_t m = inputs->size[DIMENSION_M];
    int64_t wanted = 0;
    const enum outcome outcome = names_find(inputs->names, arguments->wanted, m, &wanted, failure);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    double *b = malloc((size_t)m * sizeof *b);
    if (b == NULL) {
        return fail(failure, OUTCOME_RESOURCES, "out of memory");
    }
    for (int64_t j = 0; j < m; j++) {
        b[j] = m == 1 ? 1 : (1 - arguments->confidence) / (double)(m - 1);
    }
    b[wanted] = m == 1 ? 1 : arguments->confidence;
    struct input *target = &inputs->input[INPUT_B];
    target->path = "";
    target->array.values = b;
    target->array.header = (struct npy_header){.shape = {m}, .dimensions = 1, .count = m, .item_size = sizeof *b};
    return OUTCOME_OK;
}

static double total_variation(const double *f, const double *b, int64_t m) {
    double sum = 0;
    for (int64_t j = 0; j < m; j++) {
        sum += fabs(f[j] - b[j]);
    }
    return sum / 2;
}

static bool is_found(const struct inversion *inversion) { return inversion->distance <= inversion->within; }

static json_t *report_of_inversion(const void *argument) {
    const struct inversion *inversion = argument;
    json_t *report = report_json(&inversion->result);
    const bool ok = report != NULL && json_put(report, "outcome", json_string(is_found(inversion) ? "found" : "not-found")) &&
                    json_put(report, "total_variation", json_real(inversion->distance)) &&
                    json_put(report, "within", json_real(inversion->within));
    return json_finished(report, ok);
}

static void print_outcome(const struct inversion *inversion) {
    char text[256];
    (void)snprintf(text, sizeof text,
                   is_found(inversion)
                       ? "the outputs are what was asked for, within %.3g (total variation %.3g)."
                       : "no input was found whose outputs are within %.3g of what was asked for; the best is at "
                         "%.3g (total variation). That does not prove that there is none.",
                   inversion->within, inversion->distance);
    text_fold(stdout, printf("%s: ", is_found(inversion) ? "found" : "not-found"), 2, text);
    if (!is_found(inversion)) {
        text_fold(stdout, 2, 2, "More --starts search from more points; a smaller --rho and wider bounds leave x more room.");
    }
    putchar('\n');
}

static enum outcome invert(const struct arguments *arguments, struct session *session, struct failure *failure) {
    enum outcome outcome = inputs_load(&session->inputs, arguments->input, false, arguments->map, failure);
    if (outcome == OUTCOME_OK) {
        outcome = session_names(arguments, &session->inputs, failure);
    }
    if (outcome == OUTCOME_OK && arguments->wanted != NULL) {
        outcome = aim(arguments, &session->inputs, failure);
    }
    if (outcome == OUTCOME_OK) {
        outcome = problem_build(&session->inputs, arguments->loss, &session->problem, failure);
    }
    if (outcome == OUTCOME_OK) {
        outcome = session_prepare(arguments, session, failure);
    }
    if (outcome == OUTCOME_OK) {
        outcome = session_run(arguments, session, failure);
    }
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    const int64_t *size = session->inputs.size;
    const struct inversion inversion = {
        {&session->inputs, session->solver, arguments->loss},
        total_variation(session->f, session->inputs.input[INPUT_B].array.values, size[DIMENSION_M]),
        arguments->within};
    outcome = session_write(arguments, session, report_of_inversion, &inversion, failure);
    if (outcome == OUTCOME_OK && arguments->summary) {
        print_outcome(&inversion);
        summary_print(&inversion.result, session->f, arguments);
    }
    return outcome == OUTCOME_OK && !is_found(&inversion) ? OUTCOME_STOPPED : outcome;
}

enum outcome command_invert(const struct arguments *arguments, struct failure *failure) {
    enum outcome outcome = check_early(arguments, failure);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    struct arguments asked = *arguments; /* and what a question takes for granted */
    asked.loss = SOFTRELU_KL;
    asked.starts = arguments->starts > 0 ? arguments->starts : STARTS;
    asked.input[INPUT_RHO] = arguments->input[INPUT_RHO] != NULL ? arguments->input[INPUT_RHO] : RHO;
    struct session session = {0};
    outcome = invert(&asked, &session, failure);
    session_free(&session);
    return outcome;
}
