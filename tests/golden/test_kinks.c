/* Problems whose minimiser lies on known ReLU kinks: from x0 the solver must land on it. */
#include <math.h>
#include <stdlib.h>

#include "support/kink_case.h"
#include "support/solving.h"

static void lands_on_the_minimiser(const struct kink_case *known) {
    const int64_t d = known->instance.d;
    struct built built = build(&known->instance, PLAIN_PLACEMENT);
    softrelu_solver *solver = NULL;
    assert_int_equal(softrelu_solver_create(built.problem, &solver), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_set_start(solver, known->x0, d), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solve(solver), SOFTRELU_OK);

    const struct judgement judgement = judge(built.problem, known->x, d, NULL);
    const double loss = report_number(solver, SOFTRELU_REPORT_LOSS), residual = report_number(solver, SOFTRELU_REPORT_RESIDUAL);
    const double pinned = report_number(solver, SOFTRELU_REPORT_PINNED_KINKS);
    double distance = 0.0, length = 0.0, *x = test_doubles(d);
    assert_int_equal(softrelu_report_termination(softrelu_solver_report(solver)), SOFTRELU_CONVERGED);
    assert_int_equal(softrelu_solver_solution(solver, x, d), SOFTRELU_OK);
    for (int64_t k = 0; k < d; k++) {
        distance = hypot(distance, x[k] - known->x[k]);
        length = hypot(length, known->x[k]);
    }
    print_message("  %s: %d kinks, residual %.1e, distance %.1e, loss off by %.1e\n", known->name, (int)pinned, residual,
                  distance / length, loss / known->loss - 1.0);
    assert_true(residual <= 1e-10);
    assert_int_equal(softrelu_certificate_verdict(softrelu_solver_certificate(solver)), SOFTRELU_VERDICT_CERTIFIED);
    signed char *at_kink = calloc((size_t)known->instance.n, 1);
    assert_non_null(at_kink);
    assert_int_equal(softrelu_certificate_active(softrelu_solver_certificate(solver), at_kink, known->instance.n, NULL, 0),
                     SOFTRELU_OK);
    assert_known_kinks(known, at_kink);
    free(at_kink);
    /* the published minimiser, rounded to double, is one as well, or so near that it says which way to go */
    assert_true(judgement.verdict == SOFTRELU_VERDICT_CERTIFIED || judgement.relative <= 1e-9);
    assert_int_equal((int64_t)pinned, known->kinks);
    assert_true(fabs(loss - known->loss) <= 1e-12 * known->loss);
    assert_true(known->flat || distance <= 1e-7 * length);

    softrelu_solver_destroy(solver);
    built_free(&built);
    free(x);
}

static void known_minimisers(void **state) {
    (void)state;
    for (int i = 0; i < KINK_CASES; i++) {
        struct kink_case known = kink_case(i);
        lands_on_the_minimiser(&known);
        kink_case_free(&known);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(known_minimisers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
