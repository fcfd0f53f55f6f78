/* The same bits of solution, report, certificate and trace from the same solver again, from another one, for another copy of
   the problem and in another process; and a report that says what they depend on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "outcome.h"
#include "support/solving.h"
#include "variant.h"

enum { D = 20, SEED = 47 };

static const char *program;

static struct outcome_bits solve(softrelu_solver *solver) {
    (void)softrelu_solver_solve(solver);
    return outcome_of(solver, D);
}

static struct outcome_bits solve_anew(const struct variant *variant) {
    struct varied varied = varied_of(variant, SEED, D);
    softrelu_solver *solver = NULL;
    assert_int_equal(varied_solver(&varied, &solver), SOFTRELU_OK);
    struct outcome_bits outcome = solve(solver);
    softrelu_solver_destroy(solver);
    varied_free(&varied);
    return outcome;
}

static void in_one_process(void **state) {
    (void)state;
    for (int v = 0; v < VARIANTS; v++) {
        struct varied varied = varied_of(&VARIANT[v], SEED, D);
        softrelu_solver *solver = NULL, *other = NULL;
        assert_int_equal(varied_solver(&varied, &solver), SOFTRELU_OK);
        assert_int_equal(varied_solver(&varied, &other), SOFTRELU_OK);
        struct outcome_bits outcomes[] = {solve(solver), solve(solver), solve(other), solve_anew(&VARIANT[v])};
        assert_true(outcomes[0].count > D && outcomes[0].trace < outcomes[0].count);
        for (int k = 1; k < 4; k++)
            if (!same_outcome(&outcomes[k], &outcomes[0]))
                fail_msg("%s: other bits, way %d", VARIANT[v].name, k);
        for (int k = 0; k < 4; k++)
            outcome_free(&outcomes[k]);
        softrelu_solver_destroy(solver);
        softrelu_solver_destroy(other);
        varied_free(&varied);
    }
}

/* What this program writes when it is called with the number of a variant. */
static int write_outcome(int v) {
    struct outcome_bits outcome = solve_anew(&VARIANT[v]);
    const size_t written = fwrite(outcome.numbers, sizeof *outcome.numbers, (size_t)outcome.count, stdout);
    const bool all = written == (size_t)outcome.count;
    outcome_free(&outcome);
    return all ? 0 : 1;
}

static void in_another_process(void **state) {
    (void)state;
    for (int v = 0; v < test_effort(VARIANTS, VARIANTS, 0); v++) { /* none under valgrind, which it would get out of */
        char number[16];
        int ends[2], status = -1;
        struct outcome_bits here = solve_anew(&VARIANT[v]), there = here;
        (void)snprintf(number, sizeof number, "%d", v);
        assert_int_equal(pipe(ends), 0);
        const pid_t pid = fork();
        if (pid == 0) {
            (void)dup2(ends[1], STDOUT_FILENO);
            (void)close(ends[0]);
            (void)close(ends[1]);
            (void)execl(program, program, number, (char *)NULL);
            _exit(127);
        }
        assert_true(pid > 0);
        (void)close(ends[1]);
        FILE *pipe_end = fdopen(ends[0], "r");
        assert_non_null(pipe_end);
        there.numbers = test_doubles(here.count + 1);
        there.count = (int64_t)fread(there.numbers, sizeof *there.numbers, (size_t)here.count + 1, pipe_end);
        (void)fclose(pipe_end);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        if (!same_outcome(&there, &here))
            fail_msg("%s: other bits in another process", VARIANT[v].name);
        free(there.numbers);
        outcome_free(&here);
    }
}

static const char *origin(const softrelu_report *report, softrelu_origin which) {
    static char text[256];
    assert_int_equal(softrelu_report_origin(report, which, text, sizeof text), SOFTRELU_OK);
    return text;
}

static void report_says_so(void **state) {
    (void)state;
    char text[256], tiny[2];
    struct varied varied = varied_of(&VARIANT[8], SEED, D);
    softrelu_solver *solver = NULL;
    assert_int_equal(varied_solver(&varied, &solver), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_set_integer(solver, SOFTRELU_SETTING_SAMPLE_SEED, 9007199254740992), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_set_integer(solver, SOFTRELU_SETTING_START_SEED, 12), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solve(solver), SOFTRELU_OK);
    assert_true(report_number(solver, SOFTRELU_REPORT_SAMPLE_SEED) == 9007199254740992.0);
    assert_true(report_number(solver, SOFTRELU_REPORT_START_SEED) == 12.0);
    assert_true(report_number(solver, SOFTRELU_REPORT_BLAS_THREADS) == (double)softrelu_blas_threads());
    const softrelu_report *report = softrelu_solver_report(solver);
    assert_string_equal(origin(report, SOFTRELU_ORIGIN_VERSION), softrelu_version());
    assert_int_equal(softrelu_blas_description(text, sizeof text), SOFTRELU_OK);
    assert_string_equal(origin(report, SOFTRELU_ORIGIN_BLAS), text);
    const char *kernel = origin(report, SOFTRELU_ORIGIN_BLAS_KERNEL);
    assert_true(kernel[0] != '\0');
    if (strncmp(text, "OpenBLAS", 8) == 0 && strstr(text, "DYNAMIC_ARCH") != NULL)
        assert_non_null(strstr(text, kernel));
    assert_int_equal(softrelu_report_origin(report, SOFTRELU_ORIGIN_VERSION, tiny, sizeof tiny), SOFTRELU_OK);
    assert_true(tiny[0] == softrelu_version()[0] && tiny[1] == '\0');
    assert_int_equal(softrelu_report_origin(report, (softrelu_origin)1, text, sizeof text), SOFTRELU_ERROR_UNKNOWN);
    assert_int_equal(softrelu_report_origin(report, SOFTRELU_ORIGIN_BLAS, text, 0), SOFTRELU_ERROR_SIZE);
    assert_int_equal(softrelu_report_origin(report, SOFTRELU_ORIGIN_BLAS, NULL, 9), SOFTRELU_ERROR_NULL);
    assert_int_equal(softrelu_report_origin(NULL, SOFTRELU_ORIGIN_BLAS, text, 9), SOFTRELU_ERROR_NULL);
    softrelu_solver_destroy(solver);
    varied_free(&varied);
}

int main(int count, char **arguments) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(in_one_process), cmocka_unit_test(in_another_process),
                                       cmocka_unit_test(report_says_so)};
    if (count > 1)
        return write_outcome((int)strtol(arguments[1], NULL, 10));
    program = arguments[0];
    return cmocka_run_group_tests_name("repeat", tests, NULL, NULL);
}
