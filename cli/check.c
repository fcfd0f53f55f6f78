/* SPDX-License-Identifier: BSD-3-Clause */
#include "commands.h"

#include "problem.h"
#include "text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct finding {
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
        text_fold(stdout, 0, 2, "disagree: a Taylor remainder does not shrink as it must");
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

static void print_finding(const struct finding *finding, const struct inputs *inputs, const char *point, double length) {
    print_verdict(finding);
    printf("\n  problem    n = %lld, d = %lld, m = %lld\n", (long long)inputs->size[DIMENSION_N],
           (long long)inputs->size[DIMENSION_D], (long long)inputs->size[DIMENSION_M]);
    printf("  point      %s, length %.6g\n", point, length);
    printf("  loss       %.12g\n", finding->loss);
    print_order("gradient", finding->gradient_order);
    print_order("Hessian", finding->hessian_order);
    if (finding->kink >= 0) {
        printf("  kink       hidden unit %lld changes sign on the tested segment\n", (long long)finding->kink);
    }
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
    struct finding finding = {SOFTRELU_DERIVATIVES_ROUNDOFF, NAN, NAN, NAN, -1};
    const softrelu_status status = examine(problem, x, d, arguments->seed, &finding, failure);
    if (status == SOFTRELU_OK && !arguments->quiet) {
        print_finding(&finding, inputs, point, length_of(x, d));
    }
    free(random);
    if (status != SOFTRELU_OK) {
        return outcome_of_status(status);
    }
    return finding.verdict == SOFTRELU_DERIVATIVES_DISAGREE ? OUTCOME_STOPPED : OUTCOME_OK;
}

enum outcome command_check(const struct arguments *arguments, struct failure *failure) {
    struct inputs inputs;
    softrelu_problem *problem = NULL;
    enum outcome outcome = inputs_load(&inputs, arguments->input, false, arguments->map, failure);
    if (outcome == OUTCOME_OK) {
        outcome = problem_build(&inputs, arguments->loss, &problem, failure);
    }
    if (outcome == OUTCOME_OK) {
        outcome = check_point(arguments, &inputs, problem, failure);
    }
    softrelu_problem_destroy(problem);
    inputs_free(&inputs);
    return outcome;
}
