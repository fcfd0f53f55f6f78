/* SPDX-License-Identifier: BSD-3-Clause */
#include "commands.h"

#include "json.h"
#include "outputs.h"
#include "problem.h"
#include "text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct finding {
    const struct inputs *inputs;
    softrelu_loss loss_kind;
    const char *point; /* where it comes from */
    double length;
    softrelu_derivative_verdict verdict;
    double loss;
    double gradient_order;
    double hessian_order;
    int64_t kink;
};

/* Numbers in (-1, 1) from a seed, by splitmix64 (Steele, Lea and Flood 2014): the same on every machine. */
static void fill_random(double *x, int64_t length, uint64_t seed) {
    for (int64_t i = 0; i < length; i++) {
        seed += UINT64_C(0x9e3779b97f4a7c15);
        uint64_t bits = seed;
        bits = (bits ^ (bits >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        bits = (bits ^ (bits >> 27)) * UINT64_C(0x94d049bb133111eb);
        bits ^= bits >> 31;
        x[i] = ((double)(bits >> 11) + 0.5) * 0x1p-52 - 1;
    }
}

static softrelu_status examine(const softrelu_problem *problem, const double *x, int64_t d, uint64_t seed,
                               struct finding *finding, struct failure *failure) {
    softrelu_evaluator *evaluator = NULL;
    softrelu_status status = softrelu_evaluator_create(problem, &evaluator);
    if (status == SOFTRELU_OK) {
        status = softrelu_evaluator_move(evaluator, x, d);
    }
    if (status == SOFTRELU_OK) {
        status = softrelu_evaluator_loss(evaluator, &finding->loss, NULL, NULL, NULL);
    }
    if (status == SOFTRELU_OK) {
        status = softrelu_evaluator_check_derivatives(evaluator, NULL, seed, 0, &finding->verdict, &finding->gradient_order,
                                                      &finding->hessian_order, &finding->kink);
    }
    if (status != SOFTRELU_OK) {
        (void)fail_status(failure, status, "the derivatives cannot be checked",
                          evaluator != NULL ? softrelu_evaluator_message(evaluator) : "");
    }
    softrelu_evaluator_destroy(evaluator);
    return status;
}

static void print_verdict(const struct finding *finding) {
    switch (finding->verdict) {
    case SOFTRELU_DERIVATIVES_AGREE:
        puts("agree: gradient and Hessian are those of the loss");
        break;
    case SOFTRELU_DERIVATIVES_DISAGREE:
        text_fold(
            stdout, 0, 2,
            "disagree: a Taylor remainder does not shrink as it must; try another point (--x or --seed), and if they disagree "
            "there, too, please report it with these arrays");
        break;
    case SOFTRELU_DERIVATIVES_KINK:
        text_fold(stdout, 0, 2,
                  "kink: nothing can be said, as a hidden unit changes sign right at this point, where the loss has no "
                  "derivative; try another point (--x or --seed)");
        break;
    default:
        text_fold(stdout, 0, 2,
                  "round-off: nothing can be said, as the remainders drown in round-off; try another point (--x or --seed)");
        break;
    }
}

static void print_order(const char *name, double order) {
    if (isfinite(order)) {
        printf("  %-10s remainder shrinks with order %.2f (2 expected)\n", name, order);
    } else {
        printf("  %-10s remainder not measured\n", name);
    }
}

static void print_finding(const struct finding *finding) {
    const int64_t *size = finding->inputs->size;
    print_verdict(finding);
    printf("\n  problem    n = %lld, d = %lld, m = %lld\n", (long long)size[DIMENSION_N], (long long)size[DIMENSION_D],
           (long long)size[DIMENSION_M]);
    printf("  point      %s, length %.6g\n", finding->point, finding->length);
    printf("  loss       %.12g\n", finding->loss);
    print_order("gradient", finding->gradient_order);
    print_order("Hessian", finding->hessian_order);
    if (finding->kink >= 0) {
        printf("  kink       hidden unit %lld changes sign on the tested segment\n", (long long)finding->kink);
    }
}

static const char *verdict_name(softrelu_derivative_verdict verdict) {
    return verdict == SOFTRELU_DERIVATIVES_AGREE      ? "agree"
           : verdict == SOFTRELU_DERIVATIVES_DISAGREE ? "disagree"
           : verdict == SOFTRELU_DERIVATIVES_KINK     ? "kink"
                                                      : "round-off";
}

/* An order that was not measured is null, and so is the kink where there is none. */
static json_t *report_of_finding(const void *argument) {
    const struct finding *finding = argument;
    const double orders[] = {finding->gradient_order, finding->hessian_order};
    json_t *object = json_object();
    const bool ok = object != NULL && json_put(object, "schema", json_integer(1)) &&
                    json_put(object, "version", json_string(softrelu_version())) &&
                    json_put(object, "dimensions", json_dimensions(finding->inputs)) &&
                    json_put(object, "loss_kind", json_string(finding->loss_kind == SOFTRELU_KL ? "kl" : "squares")) &&
                    json_put(object, "verdict", json_string(verdict_name(finding->verdict))) &&
                    json_put(object, "point", json_string(finding->point)) &&
                    json_put(object, "point_length", json_number(finding->length, SOFTRELU_REAL)) &&
                    json_put(object, "loss", json_number(finding->loss, SOFTRELU_REAL)) &&
                    json_put(object, "gradient_order", isfinite(orders[0]) ? json_real(orders[0]) : json_null()) &&
                    json_put(object, "hessian_order", isfinite(orders[1]) ? json_real(orders[1]) : json_null()) &&
                    json_put(object, "kink", finding->kink >= 0 ? json_integer((json_int_t)finding->kink) : json_null());
    return json_finished(object, ok);
}

static double length_of(const double *x, int64_t d) {
    double length = 0;
    for (int64_t i = 0; i < d; i++) {
        length = hypot(length, x[i]);
    }
    return length;
}

/* The point: --x, else --x0, else a random one, for which memory is taken. */
static enum outcome check_point(const struct arguments *arguments, const struct inputs *inputs, const softrelu_problem *problem,
                                struct failure *failure) {
    const int id = inputs->input[INPUT_X].path != NULL ? INPUT_X : INPUT_X0;
    const int64_t d = inputs->size[DIMENSION_D];
    const double *x = inputs->input[id].array.values;
    char point[4200];
    double *random = NULL;
    if (x == NULL) {
        random = malloc((size_t)d * sizeof *random); /* A1 has as many columns in memory: this cannot overflow */
        if (random == NULL) {
            return fail(failure, OUTCOME_RESOURCES, "out of memory");
        }
        fill_random(random, d, arguments->seed);
        (void)snprintf(point, sizeof point, "random (seed %llu)", (unsigned long long)arguments->seed);
        x = random;
    } else {
        (void)input_name(inputs, id, point, sizeof point);
    }
    struct finding finding = {inputs, arguments->loss, point, length_of(x, d), SOFTRELU_DERIVATIVES_ROUNDOFF, NAN, NAN, NAN,
                              -1};
    enum outcome outcome = outcome_of_status(examine(problem, x, d, arguments->seed, &finding, failure));
    free(random);
    if (outcome == OUTCOME_OK) {
        outcome = outputs_write(arguments, &(struct contents){.make = report_of_finding, .argument = &finding}, failure);
    }
    if (outcome == OUTCOME_OK && arguments->summary) {
        print_finding(&finding);
    }
    return outcome == OUTCOME_OK && finding.verdict == SOFTRELU_DERIVATIVES_DISAGREE ? OUTCOME_STOPPED : outcome;
}

enum outcome command_check(const struct arguments *arguments, struct failure *failure) {
    struct inputs inputs;
    softrelu_problem *problem = NULL;
    enum outcome outcome = outputs_check(arguments, failure);
    if (outcome == OUTCOME_OK) {
        outcome = inputs_load(&inputs, arguments->input, false, arguments->map, failure);
    }
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    outcome = problem_build(&inputs, arguments->loss, &problem, failure);
    if (outcome == OUTCOME_OK) {
        outcome = check_point(arguments, &inputs, problem, failure);
    }
    softrelu_problem_destroy(problem);
    inputs_free(&inputs);
    return outcome;
}
