/* Problems whose minimiser lies on known ReLU kinks (and one without): from x0 the solver must land on it. The minimisers were
   computed independently of this library. In small-strong-noise F is nearly flat along some directions: there the loss and the
   kinks are asked for, not x. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/npy_data.h"
#include "support/solving.h"

static const char *const names[] = {"small-5-kinks", "small-noisy", "small-strong-noise", "smooth-no-kinks", "wide-d"};
static const int64_t kinks[] = {4, 3, 4, 0, 5}; /* units at zero at the known minimiser */

/* The units that the certificate of the solution has at their kink are those that are there at the known minimiser. */
static void assert_same_kinks(const softrelu_solver *solver, const struct npy_data *A1, const double *expected) {
    const int64_t n = A1->rows, d = A1->columns;
    signed char *at_kink = calloc((size_t)n, 1);
    assert_non_null(at_kink);
    assert_int_equal(softrelu_certificate_active(softrelu_solver_certificate(solver), at_kink, n, NULL, 0), SOFTRELU_OK);
    for (int64_t i = 0; i < n; i++) {
        double u = 0.0, row = 0.0, length = 0.0;
        for (int64_t k = 0; k < d; k++) {
            u += A1->values[i * d + k] * expected[k];
            row = hypot(row, A1->values[i * d + k]);
            length = hypot(length, expected[k]);
        }
        assert_int_equal(at_kink[i], fabs(u) <= 1e-9 * row * length);
    }
    free(at_kink);
}

static void lands_on_the_minimiser(const char *name, int64_t expected_kinks, bool flat) {
    char folder[64];
    snprintf(folder, sizeof folder, "kinks/%s", name);
    struct npy_data A1 = npy_read(folder, "A1.npy"), A2 = npy_read(folder, "A2.npy"), b = npy_read(folder, "b.npy");
    struct npy_data w = npy_read(folder, "w.npy"), x0 = npy_read(folder, "x0.npy");
    struct npy_data expected_x = npy_read(folder, "expected-x.npy"), expected_loss = npy_read(folder, "expected-loss.npy");
    const int64_t n = A1.rows, d = A1.columns, m = A2.rows;
    softrelu_problem *problem = NULL;
    softrelu_solver *solver = NULL;
    assert_int_equal(softrelu_problem_create(n, d, m, NULL, NULL, NULL, &problem), SOFTRELU_OK);
    assert_int_equal(softrelu_problem_set_matrix(problem, SOFTRELU_A1, A1.values, SOFTRELU_ROW_MAJOR, d, SOFTRELU_BORROW),
                     SOFTRELU_OK);
    assert_int_equal(softrelu_problem_set_matrix(problem, SOFTRELU_A2, A2.values, SOFTRELU_ROW_MAJOR, n, SOFTRELU_BORROW),
                     SOFTRELU_OK);
    assert_int_equal(softrelu_problem_set_vector(problem, SOFTRELU_B, b.values, m, SOFTRELU_BORROW), SOFTRELU_OK);
    assert_int_equal(softrelu_problem_set_vector(problem, SOFTRELU_W, w.values, n, SOFTRELU_BORROW), SOFTRELU_OK);
    assert_int_equal(softrelu_problem_finish(problem), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_create(problem, &solver), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_set_start(solver, x0.values, d), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solve(solver), SOFTRELU_OK);

    const softrelu_report *report = softrelu_solver_report(solver);
    const struct judgement judgement = judge(problem, expected_x.values, d, NULL);
    double loss = NAN, residual = NAN, pinned = NAN, distance = 0.0, length = 0.0;
    double *x = test_doubles(d);
    assert_int_equal(softrelu_report_termination(report), SOFTRELU_CONVERGED);
    assert_int_equal(softrelu_report_number(report, SOFTRELU_REPORT_LOSS, &loss), SOFTRELU_OK);
    assert_int_equal(softrelu_report_number(report, SOFTRELU_REPORT_RESIDUAL, &residual), SOFTRELU_OK);
    assert_int_equal(softrelu_report_number(report, SOFTRELU_REPORT_PINNED_KINKS, &pinned), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solution(solver, x, d), SOFTRELU_OK);
    for (int64_t k = 0; k < d; k++) {
        distance = hypot(distance, x[k] - expected_x.values[k]);
        length = hypot(length, expected_x.values[k]);
    }
    print_message("  %s: %d kinks, residual %.1e, distance %.1e, loss off by %.1e\n", name, (int)pinned, residual,
                  distance / length, loss / expected_loss.values[0] - 1.0);
    assert_true(residual <= 1e-10);
    assert_int_equal(softrelu_certificate_verdict(softrelu_solver_certificate(solver)), SOFTRELU_VERDICT_CERTIFIED);
    assert_same_kinks(solver, &A1, expected_x.values);
    /* the published minimiser, rounded to double, is one as well, or so near that it says which way to go */
    assert_true(judgement.verdict == SOFTRELU_VERDICT_CERTIFIED || judgement.relative <= 1e-9);
    assert_int_equal((int64_t)pinned, expected_kinks);
    assert_true(fabs(loss - expected_loss.values[0]) <= 1e-12 * expected_loss.values[0]);
    assert_true(flat || distance <= 1e-7 * length);

    softrelu_solver_destroy(solver);
    softrelu_problem_destroy(problem);
    struct npy_data *all[] = {&A1, &A2, &b, &w, &x0, &expected_x, &expected_loss};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]->values);
    free(x);
}

static void known_minimisers(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        lands_on_the_minimiser(names[i], kinks[i], strcmp(names[i], "small-strong-noise") == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(known_minimisers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
