/* What happens on one rank ends the call on all, with the same outcome, and nobody is left waiting. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "all.h"
#include "support/family_case.h"
#include "support/refusal.h"
#include "support/solving.h"

static bool is_last(void) { return all->rank == all->size - 1; }

/* Status and message of a call that the last rank has made fail. */
static void assert_refused_by_last(softrelu_status status, softrelu_status expected, const char *message, const char *text) {
    char where[32] = "";
    assert_int_equal(status, expected);
    SAYS(message, text);
    (void)snprintf(where, sizeof where, "rank %d: ", all->size - 1);
    if (!is_last())
        SAYS(message, where);
}

static struct instance some_instance(void) {
    struct test_random random;
    return family_instance(1, 2, 3, 0, &random);
}

struct subject {
    struct instance instance;
    softrelu_problem *problem;
    softrelu_solver *solver;
};

static struct subject some_subject(void) {
    struct subject subject = {some_instance(), NULL, NULL};
    subject.problem = divided_problem(&subject.instance, all, DIVISION_EVEN);
    assert_non_null(subject.problem);
    assert_int_equal(softrelu_solver_create(subject.problem, &subject.solver), SOFTRELU_OK);
    return subject;
}

static void subject_free(struct subject *subject) {
    softrelu_solver_destroy(subject->solver);
    softrelu_problem_destroy(subject->problem);
    instance_free(&subject->instance);
}

/* Solves, and the outcome is the same on all. */
static softrelu_termination solve(const struct subject *subject) {
    if (softrelu_solver_solve(subject->solver) != SOFTRELU_OK)
        fail_msg("solve: %s", softrelu_solver_message(subject->solver));
    const softrelu_termination termination = softrelu_report_termination(softrelu_solver_report(subject->solver));
    const softrelu_verdict verdict = softrelu_certificate_verdict(softrelu_solver_certificate(subject->solver));
    const double iterations = report_number(subject->solver, SOFTRELU_REPORT_ITERATIONS);
    double *x = test_doubles(subject->instance.d);
    assert_int_equal(softrelu_solver_solution(subject->solver, x, subject->instance.d), SOFTRELU_OK);
    assert_same_everywhere("termination", &termination, sizeof termination);
    assert_same_everywhere("verdict", &verdict, sizeof verdict);
    assert_doubles_everywhere("number of iterations", &iterations, 1);
    assert_doubles_everywhere("solution", x, subject->instance.d);
    free(x);
    return termination;
}

/* ---- descriptions that do not fit ---- */

static void sizes_that_differ(void **state) {
    (void)state;
    softrelu_problem *problem = NULL;
    const struct {
        int64_t n, d, m;
    } sizes[] = {{all->size > 1 && is_last() ? 7 : 6, 4, 5},
                 {6, all->size > 1 && is_last() ? 3 : 4, 5},
                 {6, 4, 0},
                 {6, 4, is_last() ? -1 : 5}};
    for (size_t i = all->size > 1 ? 0 : 2; i < sizeof sizes / sizeof *sizes; i++) {
        assert_int_equal(
            softrelu_problem_create_distributed(sizes[i].n, sizes[i].d, sizes[i].m, all, NULL, NULL, NULL, &problem),
            SOFTRELU_ERROR_SIZE);
        assert_null(problem);
    }
}

static void data_that_are_bad_on_one(void **state) {
    (void)state;
    struct instance whole = some_instance();
    const int64_t n = whole.n, d = whole.d, m = 10;
    softrelu_problem *problem = NULL;
    assert_int_equal(softrelu_problem_create_distributed(n, d, m, all, NULL, NULL, NULL, &problem), SOFTRELU_OK);
    assert_int_equal(softrelu_problem_set_matrix(problem, SOFTRELU_A1, whole.A1, SOFTRELU_ROW_MAJOR, d, SOFTRELU_COPY),
                     SOFTRELU_OK);
    assert_int_equal(softrelu_problem_set_vector(problem, SOFTRELU_B, whole.b, m, SOFTRELU_COPY), SOFTRELU_OK);
    whole.A2[3 * n + 2] = is_last() ? NAN : 1.0;
    const softrelu_status given =
        softrelu_problem_set_matrix(problem, SOFTRELU_A2, whole.A2, SOFTRELU_ROW_MAJOR, n, SOFTRELU_COPY);
    assert_int_equal(given, is_last() ? SOFTRELU_ERROR_NOT_FINITE : SOFTRELU_OK);
    const softrelu_status finished = softrelu_problem_finish(problem);
    assert_refused_by_last(finished, SOFTRELU_ERROR_MISSING, softrelu_problem_message(problem), "A2 has not been given");
    /* mended there, it can be sealed */
    whole.A2[3 * n + 2] = 1.0;
    if (is_last())
        assert_int_equal(softrelu_problem_set_matrix(problem, SOFTRELU_A2, whole.A2, SOFTRELU_ROW_MAJOR, n, SOFTRELU_COPY),
                         SOFTRELU_OK);
    assert_int_equal(softrelu_problem_finish(problem), SOFTRELU_OK);
    softrelu_problem_destroy(problem);
    instance_free(&whole);
}

static void bound(const struct subject *subject, softrelu_array array, double value) {
    double *bounds = test_doubles(subject->instance.d);
    for (int64_t k = 0; k < subject->instance.d; k++)
        bounds[k] = value;
    assert_int_equal(softrelu_solver_set_vector(subject->solver, array, bounds, subject->instance.d), SOFTRELU_OK);
    free(bounds);
}

static void solvers_that_differ(void **state) {
    (void)state;
    struct subject subject = some_subject();
    if (all->size > 1) {
        assert_int_equal(softrelu_solver_set_text(subject.solver, "hessian", is_last() ? "sampled" : "exact"), SOFTRELU_OK);
        assert_int_equal(softrelu_solver_solve(subject.solver), SOFTRELU_ERROR_STATE);
        SAYS(softrelu_solver_message(subject.solver), "not alike");
        assert_int_equal(softrelu_solver_set_text(subject.solver, "hessian", "exact"), SOFTRELU_OK);
    }
    /* bounds that cross */
    bound(&subject, SOFTRELU_LOWER, is_last() ? 2.0 : -2.0);
    bound(&subject, SOFTRELU_UPPER, 1.0);
    const softrelu_status crossed = softrelu_solver_solve(subject.solver);
    assert_refused_by_last(crossed, SOFTRELU_ERROR_VALUE, softrelu_solver_message(subject.solver), "is above upper[0]");
    bound(&subject, SOFTRELU_LOWER, -2.0);
    assert_int_equal(solve(&subject), SOFTRELU_CONVERGED);
    /* where numbers differ, those of the first rank count */
    assert_int_equal(softrelu_solver_set_integer(subject.solver, SOFTRELU_SETTING_MAX_ITERATIONS, is_first() ? 3 : 1000),
                     SOFTRELU_OK);
    assert_int_equal(solve(&subject), SOFTRELU_ITERATION_LIMIT);
    subject_free(&subject);
}

static void calls_that_differ(void **state) {
    (void)state;
    if (all->size == 1)
        return;
    struct subject subject = some_subject();
    softrelu_certificate *certificate = NULL;
    double *x = test_doubles(subject.instance.d);
    assert_int_equal(softrelu_certificate_create(subject.problem, &certificate), SOFTRELU_OK);
    if (is_last()) {
        assert_int_equal(softrelu_certify(certificate, x, subject.instance.d, 1e-9, 1e-12), SOFTRELU_ERROR_STATE);
        SAYS(softrelu_certificate_message(certificate), "different calls");
    } else {
        assert_int_equal(softrelu_solver_solve(subject.solver), SOFTRELU_ERROR_STATE);
        SAYS(softrelu_solver_message(subject.solver), "different calls");
    }
    assert_int_equal(softrelu_certify(certificate, x, subject.instance.d, 1e-9, 1e-12), SOFTRELU_OK);
    assert_int_equal(solve(&subject), SOFTRELU_CONVERGED);
    softrelu_certificate_destroy(certificate);
    subject_free(&subject);
    free(x);
}

/* ---- stops ---- */

struct stopper {
    softrelu_solver *solver;
    int64_t calls, at; /* 0: never */
};

static int stop_by_callback(const softrelu_report *report, void *user) {
    struct stopper *stopper = user;
    (void)report;
    return ++stopper->calls == stopper->at;
}

static int stop_by_interrupt(void *user) {
    struct stopper *stopper = user;
    return ++stopper->calls == stopper->at;
}

static int request_stop(void *user) {
    struct stopper *stopper = user;
    if (++stopper->calls == stopper->at)
        (void)softrelu_solver_request_stop(stopper->solver);
    return 0;
}

/* Only the first rank's callback is called. */
static void callbacks(void **state) {
    (void)state;
    struct subject subject = some_subject();
    struct stopper stopper = {.at = is_first() ? 4 : 1};
    assert_int_equal(softrelu_solver_set_callback(subject.solver, stop_by_callback, &stopper), SOFTRELU_OK);
    assert_int_equal(solve(&subject), SOFTRELU_CALLBACK_STOP);
    assert_int_equal(stopper.calls, is_first() ? 4 : 0);
    assert_int_equal(softrelu_solver_set_callback(subject.solver, NULL, NULL), SOFTRELU_OK);
    assert_int_equal(solve(&subject), SOFTRELU_CONVERGED);
    subject_free(&subject);
}

/* Stops the last rank at its at-th check. A point that has converged by then is none the worse, but nothing is said of it. */
static bool stop_last(const struct subject *subject, softrelu_interrupt interrupt, int64_t at, softrelu_termination expected) {
    struct stopper stopper = {subject->solver, 0, at};
    assert_int_equal(softrelu_solver_set_interrupt(subject->solver, is_last() ? interrupt : NULL, &stopper), SOFTRELU_OK);
    const softrelu_termination termination = solve(subject);
    const softrelu_verdict verdict = softrelu_certificate_verdict(softrelu_solver_certificate(subject->solver));
    bool reached = stopper.calls >= at;
    if (is_last() && reached)
        assert_true(termination == expected || (termination == SOFTRELU_CONVERGED && verdict == SOFTRELU_VERDICT_UNDECIDED));
    else if (is_last())
        assert_int_equal(termination, SOFTRELU_CONVERGED);
    assert_int_equal(softrelu_solver_set_interrupt(subject->solver, NULL, NULL), SOFTRELU_OK);
    return reached;
}

/* The exact Hessian, and the sampled one: at check 1, 2, 4, 8, 16, ... full: at every one. */
static void stops_on_another_rank(void **state) {
    (void)state;
    struct subject subject = some_subject();
    const bool every_one = test_effort(1, 0, 0) != 0;
    for (int hessian = 0; hessian < 2; hessian++) {
        int64_t stops = 0;
        bool goes_on = true;
        assert_int_equal(softrelu_solver_set_text(subject.solver, "hessian", hessian == 0 ? "exact" : "sampled"), SOFTRELU_OK);
        for (int64_t at = 1; goes_on; at += every_one ? 1 : at) {
            int reached = stop_last(&subject, stop_by_interrupt, at, SOFTRELU_CALLBACK_STOP);
            reached += stop_last(&subject, request_stop, at, SOFTRELU_STOP_REQUESTED);
            from_rank(all->size - 1, &reached, sizeof reached);
            stops += reached;
            goes_on = reached != 0;
        }
        print_message("  %lld stops\n", (long long)stops);
        assert_true(stops >= 4);
        assert_int_equal(solve(&subject), SOFTRELU_CONVERGED);
    }
    subject_free(&subject);
}

/* Only the first rank's clock is looked at. */
static void time_limits(void **state) {
    (void)state;
    struct subject subject = some_subject();
    assert_int_equal(softrelu_solver_set_real(subject.solver, SOFTRELU_SETTING_TIME_LIMIT, is_first() ? 0.0 : INFINITY),
                     SOFTRELU_OK);
    assert_int_equal(solve(&subject), SOFTRELU_TIME_LIMIT);
    assert_int_equal(softrelu_solver_set_real(subject.solver, SOFTRELU_SETTING_TIME_LIMIT, is_first() ? 1e-3 : INFINITY),
                     SOFTRELU_OK);
    (void)solve(&subject);
    assert_int_equal(softrelu_solver_set_real(subject.solver, SOFTRELU_SETTING_TIME_LIMIT, is_first() ? INFINITY : 0.0),
                     SOFTRELU_OK);
    assert_int_equal(solve(&subject), SOFTRELU_CONVERGED);
    subject_free(&subject);
}

/* What is not made of divided problems. */
static void refusals_of_divided_problems(void **state) {
    (void)state;
    struct subject subject = some_subject();
    softrelu_batch *batch = NULL;
    softrelu_counterfactual *counterfactual = NULL;
    softrelu_constants *constants = NULL;
    REFUSE(softrelu_batch_create(subject.solver, 1, 1, SOFTRELU_BLAS_KEEP, &batch), SOFTRELU_ERROR_STATE);
    REFUSE(softrelu_counterfactual_create(subject.problem, &counterfactual), SOFTRELU_ERROR_STATE);
    REFUSE(softrelu_constants_create(subject.problem, &constants), SOFTRELU_ERROR_STATE);
    subject_free(&subject);
}

int test_errors(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(sizes_that_differ),   cmocka_unit_test(data_that_are_bad_on_one),
                                       cmocka_unit_test(solvers_that_differ), cmocka_unit_test(calls_that_differ),
                                       cmocka_unit_test(callbacks),           cmocka_unit_test(stops_on_another_rank),
                                       cmocka_unit_test(time_limits),         cmocka_unit_test(refusals_of_divided_problems)};
    return cmocka_run_group_tests_name("errors", tests, NULL, NULL);
}
