/* SPDX-License-Identifier: BSD-3-Clause */
#include "peers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "evaluation.h"
#include "member.h"

static const double TOLERANCE = 1e-9;

struct errors {
    double value, gradient, hessian;              /* against the library */
    double loss, slope, columns, product, square; /* |r|^2/2 = F, J'r = gradient, J by columns = J, J v, J'(J v) = (J'J) v */
};

static double relative_error(int64_t count, const double *actual, const double *expected) {
    double error = 0.0, scale = 0.0;
    for (int64_t i = 0; i < count; i++) {
        error = fmax(error, fabs(actual[i] - expected[i]));
        scale = fmax(scale, fabs(expected[i]));
    }
    return error / scale;
}

/* y = M v or, transposed, M'v; M is rows x columns, by rows. */
static void multiply(const double *matrix, int64_t rows, int64_t columns, bool transposed, const double *v, double *y) {
    for (int64_t i = 0; i < (transposed ? columns : rows); i++)
        y[i] = 0.0;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t k = 0; k < columns; k++)
            y[transposed ? k : i] += matrix[i * columns + k] * v[transposed ? i : k];
}

static void compare_with_library(struct evaluation *at, const double *x, struct errors *errors) {
    const int64_t d = at->d;
    softrelu_problem *problem = pose(&at->member->network);
    softrelu_evaluator *evaluator = evaluator_of(problem);
    double *gradient = numbers(d), *expected_gradient = numbers(d), *hessian = numbers(d * d),
           *expected_hessian = numbers(d * d);
    double loss;
    need_ok(softrelu_evaluator_move(evaluator, x, d), softrelu_evaluator_message(evaluator));
    need_ok(softrelu_evaluator_loss(evaluator, &loss, NULL, NULL, NULL), softrelu_evaluator_message(evaluator));
    need_ok(softrelu_evaluator_gradient(evaluator, expected_gradient, d), softrelu_evaluator_message(evaluator));
    need_ok(softrelu_evaluator_hessian(evaluator, expected_hessian, d), softrelu_evaluator_message(evaluator));
    const double value = evaluate_gradient(at, x, gradient);
    evaluate_hessian(at, x, hessian);
    errors->value = relative_error(1, &value, &loss);
    errors->gradient = relative_error(d, gradient, expected_gradient);
    errors->hessian = relative_error(d * d, hessian, expected_hessian);
    softrelu_evaluator_destroy(evaluator);
    softrelu_problem_destroy(problem);
    free(gradient);
    free(expected_gradient);
    free(hessian);
    free(expected_hessian);
}

static void compare_parts(struct evaluation *at, const double *x, struct errors *errors) {
    const int64_t d = at->d, rows = (int64_t)at->m + d;
    double *residuals = numbers(rows), *jacobian = numbers(rows * d), *columns = numbers(rows * d),
           *by_rows = numbers(rows * d), *gradient = numbers(d), *of_d = numbers(d), *of_rows = numbers(rows),
           *product = numbers(rows), *square = numbers(d * d);
    const double value = evaluate_gradient(at, x, gradient);
    evaluate_residuals(at, x, residuals);
    evaluate_jacobian(at, x, jacobian);
    evaluate_jacobian_columns(at, x, columns);
    evaluate_gauss_newton(at, x, square);
    const double half_square = 0.5 * norm_of(rows, residuals) * norm_of(rows, residuals);
    errors->loss = relative_error(1, &half_square, &value);
    multiply(jacobian, rows, d, true, residuals, of_d);
    errors->slope = relative_error(d, of_d, gradient);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t k = 0; k < d; k++)
            by_rows[i * d + k] = columns[i + k * rows];
    errors->columns = relative_error(rows * d, by_rows, jacobian);
    evaluate_product(at, x, x, product);
    multiply(jacobian, rows, d, false, x, of_rows);
    errors->product = relative_error(rows, product, of_rows);
    evaluate_product_transposed(at, x, product, of_d);
    multiply(square, d, d, false, x, gradient);
    errors->square = relative_error(d, of_d, gradient);
    double *const arrays[] = {residuals, jacobian, columns, by_rows, gradient, of_d, of_rows, product, square};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        free(arrays[i]);
}

static bool check_member(int n, int d, int m, double noise, double weight) {
    struct member *member = member_create(n, d, m, noise, weight, 1);
    struct evaluation *at = evaluation_create(member);
    struct errors errors;
    evaluation_start(at, INFINITY, INT64_MAX, false);
    at->scale = 1.0;
    compare_with_library(at, member->x0, &errors);
    compare_parts(at, member->x0, &errors);
    printf("(%d, %d, %d): value %.1e, gradient %.1e, Hessian %.1e; |r|^2/2 %.1e, J'r %.1e, columns %.1e, Jv %.1e, J'Jv %.1e\n",
           n, d, m, errors.value, errors.gradient, errors.hessian, errors.loss, errors.slope, errors.columns, errors.product,
           errors.square);
    evaluation_destroy(at);
    member_destroy(member);
    const double all[] = {errors.value, errors.gradient, errors.hessian, errors.loss,
                          errors.slope, errors.columns,  errors.product, errors.square};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (!(all[i] <= TOLERANCE))
            return false;
    return true;
}

bool check_evaluation(void) {
    bool good = check_member(200, 20, 100, 0.0, 1e-2);
    good = check_member(300, 40, 57, 1.0, 0.1) && good;
    good = check_member(100, 30, 300, 0.5, 1e-3) && good;
    puts(good ? "the evaluations agree" : "the evaluations differ");
    return good;
}
