/*
 * What may be called from a callback on the handle that is running: everything that changes it is refused with a clear message
 * and changes nothing, everything that reads it works. Every function of the header that takes a solver or a batch is tried;
 * the list is compared with the header.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "outcome.h"
#include "variant.h"

enum { D = 12, SEED = 53, TARGETS = 3, MOST_NAMES = 64 };

static struct {
    softrelu_solver *solver;
    softrelu_batch *batch;
    double *values; /* as many as anything asks for */
    int64_t m;
    int64_t calls;
} during;

static const char *tried[MOST_NAMES];
static int tried_count;

static void note(const char *name) {
    for (int k = 0; k < tried_count; k++)
        if (strcmp(tried[k], name) == 0)
            return;
    assert_true(tried_count < MOST_NAMES);
    tried[tried_count++] = name;
}

static int failures; /* cmocka's assertions must not jump out of the library */

static void expect(bool holds, const char *what, int line) {
    if (holds)
        return;
    (void)fprintf(stderr, "line %d: %s\n", line, what);
    failures++;
}
#define EXPECT(condition) expect(condition, #condition, __LINE__)

#define REFUSED(function, handle, message, ...)                                                                                \
    do {                                                                                                                       \
        note(#function);                                                                                                       \
        EXPECT(function(handle, __VA_ARGS__) == SOFTRELU_ERROR_STATE);                                                         \
        EXPECT(strstr(message(handle), "is running") != NULL);                                                                 \
    } while (false)
#define READS(function, condition)                                                                                             \
    do {                                                                                                                       \
        note(#function);                                                                                                       \
        EXPECT(condition);                                                                                                     \
    } while (false)

static int no_callback(const softrelu_report *report, void *user) {
    (void)report;
    (void)user;
    return 1;
}

static int no_interrupt(void *user) {
    (void)user;
    return 1;
}

static int no_batch_callback(int64_t target, const softrelu_report *report, void *user) {
    (void)target;
    (void)report;
    (void)user;
    return 1;
}

static void change_solver(softrelu_solver *s) {
    softrelu_batch *batch = (softrelu_batch *)during.values;
    REFUSED(softrelu_solver_set_integer, s, softrelu_solver_message, SOFTRELU_SETTING_MAX_ITERATIONS, 1);
    REFUSED(softrelu_solver_set_real, s, softrelu_solver_message, SOFTRELU_SETTING_TOLERANCE, 0.5);
    REFUSED(softrelu_solver_set_text, s, softrelu_solver_message, "tolerance", "0.5");
    REFUSED(softrelu_solver_set_start, s, softrelu_solver_message, during.values, D);
    REFUSED(softrelu_solver_set_vector, s, softrelu_solver_message, SOFTRELU_B, during.values, during.m);
    REFUSED(softrelu_solver_set_number, s, softrelu_solver_message, SOFTRELU_RHO, 1.0);
    REFUSED(softrelu_solver_set_callback, s, softrelu_solver_message, no_callback, NULL);
    REFUSED(softrelu_solver_set_interrupt, s, softrelu_solver_message, no_interrupt, NULL);
    note("softrelu_solver_solve");
    EXPECT(softrelu_solver_solve(s) == SOFTRELU_ERROR_STATE);
    note("softrelu_batch_create");
    EXPECT(softrelu_batch_create(s, 1, 1, SOFTRELU_BLAS_KEEP, &batch) == SOFTRELU_ERROR_STATE && batch == NULL);
    note("softrelu_solver_destroy");
    softrelu_solver_destroy(s); /* the handle goes on */
}

static void read_solver(const softrelu_solver *s) {
    double x[D], real = -1.0;
    int64_t integer = -1;
    READS(softrelu_solver_get_integer,
          softrelu_solver_get_integer(s, SOFTRELU_SETTING_MAX_ITERATIONS, &integer) == SOFTRELU_OK && integer > 1);
    READS(softrelu_solver_get_real,
          softrelu_solver_get_real(s, SOFTRELU_SETTING_TOLERANCE, &real) == SOFTRELU_OK && real < 0.5);
    READS(softrelu_solver_solution, softrelu_solver_solution(s, x, D) == SOFTRELU_OK);
    READS(softrelu_solver_report, softrelu_solver_report(s) != NULL);
    READS(softrelu_solver_message, strstr(softrelu_solver_message(s), "is running") != NULL);
    READS(softrelu_solver_certificate, softrelu_solver_certificate(s) != NULL);
    READS(softrelu_solver_minimiser_count, softrelu_solver_minimiser_count(s) == 0);
    READS(softrelu_solver_minimiser, softrelu_solver_minimiser(s, 0, x, D) == SOFTRELU_ERROR_SIZE);
    READS(softrelu_solver_minimiser_certificate, softrelu_solver_minimiser_certificate(s, 0) == NULL);
}

static int at_iteration(const softrelu_report *report, void *user) {
    (void)user;
    during.calls++;
    EXPECT(report == softrelu_solver_report(during.solver));
    change_solver(during.solver);
    read_solver(during.solver);
    return 0;
}

static int at_check(void *user) {
    (void)user;
    during.calls++;
    change_solver(during.solver);
    return 0;
}

static void change_batch(softrelu_batch *batch) {
    REFUSED(softrelu_batch_set_columns, batch, softrelu_batch_message, SOFTRELU_B, during.values, during.m);
    REFUSED(softrelu_batch_set_callback, batch, softrelu_batch_message, no_batch_callback, NULL);
    REFUSED(softrelu_solve_batch, batch, softrelu_batch_message, 1, during.values, D);
    note("softrelu_batch_destroy");
    softrelu_batch_destroy(batch);
}

static int in_batch(int64_t target, const softrelu_report *report, void *user) {
    (void)user;
    during.calls++;
    change_batch(during.batch);
    READS(softrelu_batch_status, softrelu_batch_status(during.batch, target) == SOFTRELU_OK);
    READS(softrelu_batch_report, report != NULL && softrelu_batch_report(during.batch, target) != NULL);
    READS(softrelu_batch_certificate, softrelu_batch_certificate(during.batch, target) != NULL);
    READS(softrelu_batch_target_message, softrelu_batch_target_message(during.batch, target)[0] == '\0');
    READS(softrelu_batch_message, strstr(softrelu_batch_message(during.batch), "is running") != NULL);
    READS(softrelu_batch_threads, softrelu_batch_threads(during.batch) == 2);
    return 0;
}

static struct varied varied;

static int set_up(void **state) {
    (void)state;
    varied = varied_of(&VARIANT[1], SEED, D);
    during.m = varied.instance.m;
    during.values = test_doubles(D * during.m);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    varied_free(&varied);
    free(during.values);
    return 0;
}

static void from_callbacks_of_a_solver(void **state) {
    (void)state;
    assert_int_equal(varied_solver(&varied, &during.solver), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solve(during.solver), SOFTRELU_OK);
    struct outcome_bits usual = outcome_of(during.solver, D);
    for (int way = 0; way < 2; way++) {
        during.calls = 0;
        assert_int_equal(softrelu_solver_set_callback(during.solver, way == 0 ? at_iteration : NULL, NULL), SOFTRELU_OK);
        assert_int_equal(softrelu_solver_set_interrupt(during.solver, way == 1 ? at_check : NULL, NULL), SOFTRELU_OK);
        assert_int_equal(softrelu_solver_solve(during.solver), SOFTRELU_OK);
        assert_string_equal(softrelu_solver_message(during.solver), "");
        assert_true(during.calls > 1 && failures == 0);
        struct outcome_bits seen = outcome_of(during.solver, D);
        assert_true(same_outcome(&seen, &usual));
        outcome_free(&seen);
    }
    outcome_free(&usual);
    softrelu_solver_destroy(during.solver);
}

static void from_the_callback_of_a_batch(void **state) {
    (void)state;
    softrelu_solver *solver = NULL;
    double x[TARGETS * D], expected[TARGETS * D];
    (void)softrelu_blas_set_threads(1);
    assert_int_equal(varied_solver(&varied, &solver), SOFTRELU_OK);
    assert_int_equal(softrelu_batch_create(solver, TARGETS, 2, SOFTRELU_BLAS_KEEP, &during.batch), SOFTRELU_OK);
    softrelu_solver_destroy(solver);
    assert_int_equal(softrelu_solve_batch(during.batch, TARGETS, expected, D), SOFTRELU_OK);
    during.calls = 0;
    assert_int_equal(softrelu_batch_set_callback(during.batch, in_batch, NULL), SOFTRELU_OK);
    assert_int_equal(softrelu_solve_batch(during.batch, TARGETS, x, D), SOFTRELU_OK);
    assert_true(during.calls > TARGETS && failures == 0);
    assert_same_doubles(TARGETS * D, x, expected);
    softrelu_batch_destroy(during.batch);
}

static void *change_from_thread(void *unused) {
    change_solver(during.solver);
    return unused;
}

static int from_thread(const softrelu_report *report, void *user) {
    pthread_t thread;
    (void)report;
    (void)user;
    during.calls++;
    EXPECT(pthread_create(&thread, NULL, change_from_thread, NULL) == 0);
    EXPECT(pthread_join(thread, NULL) == 0);
    return 0;
}

/* Other threads are refused, too, while the solver is running. */
static void from_other_threads(void **state) {
    (void)state;
    assert_int_equal(varied_solver(&varied, &during.solver), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_set_callback(during.solver, from_thread, NULL), SOFTRELU_OK);
    during.calls = 0;
    assert_int_equal(softrelu_solver_solve(during.solver), SOFTRELU_OK);
    assert_true(during.calls > 1 && failures == 0);
    softrelu_solver_destroy(during.solver);
}

/* Of the functions that the header declares with a solver or a batch, but for those that make one, all have been tried. */
static void nothing_left_out(void **state) {
    (void)state;
    const char *const elsewhere[] = {"softrelu_solver_create", "softrelu_solver_request_stop", "softrelu_batch_request_stop"};
    FILE *file = fopen(SOFTRELU_HEADER, "r");
    assert_non_null(file);
    static char header[1 << 18];
    header[fread(header, 1, sizeof header - 1, file)] = '\0';
    (void)fclose(file);
    int declared = 0;
    for (char *at = strstr(header, "\nSOFTRELU_API "); at != NULL; at = strstr(at, "\nSOFTRELU_API ")) {
        char *end = strchr(at, ';');
        assert_non_null(end);
        *end = '\0';
        char *open = strchr(at, '('), *name = open;
        assert_non_null(open);
        while (name > at && (name[-1] == '_' || (name[-1] >= 'a' && name[-1] <= 'z')))
            name--;
        *open = '\0';
        bool known = strstr(open + 1, "softrelu_solver *") == NULL && strstr(open + 1, "softrelu_batch *") == NULL;
        declared += !known;
        for (int k = 0; k < tried_count && !known; k++)
            known = strcmp(tried[k], name) == 0;
        for (size_t k = 0; k < sizeof elsewhere / sizeof elsewhere[0] && !known; k++)
            known = strcmp(elsewhere[k], name) == 0; /* test_stop.c */
        if (!known)
            fail_msg("%s was not tried", name);
        at = end + 1;
    }
    assert_true(declared > 30);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(from_callbacks_of_a_solver),
                                       cmocka_unit_test(from_the_callback_of_a_batch), cmocka_unit_test(from_other_threads),
                                       cmocka_unit_test(nothing_left_out)};
    return cmocka_run_group_tests_name("callback", tests, set_up, tear_down);
}
