/* The child of a process that has solved, with batches on threads and with a BLAS of two threads, solves: the bits that its
   parent gets, and no hang. */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "outcome.h"
#include "variant.h"

enum { SEED = 31, LATEST = 300 }; /* seconds until a child that hangs is ended */

static struct outcome_bits solve(softrelu_solver *solver, int64_t d) {
    (void)softrelu_solver_solve(solver);
    return outcome_of(solver, d);
}

static bool write_all(int to, const void *bytes, size_t size) {
    for (size_t done = 0; done < size;) {
        const ssize_t written = write(to, (const char *)bytes + done, size - done);
        if (written <= 0)
            return false;
        done += (size_t)written;
    }
    return true;
}

static bool read_all(int from, void *bytes, size_t size) {
    for (size_t done = 0; done < size;) {
        const ssize_t got = read(from, (char *)bytes + done, size - done);
        if (got <= 0)
            return false;
        done += (size_t)got;
    }
    return true;
}

/* With the parent's solver, or with one that it makes. */
static void child(int to, const struct varied *varied, softrelu_solver *solver) {
    (void)alarm(LATEST);
    softrelu_solver *own = NULL;
    if (solver == NULL && varied_solver(varied, &own) != SOFTRELU_OK)
        _exit(2);
    struct outcome_bits outcome = solve(solver != NULL ? solver : own, varied->instance.d);
    _exit(write_all(to, outcome.numbers, (size_t)outcome.count * sizeof *outcome.numbers) ? 0 : 3);
}

static void check_child(const struct varied *varied, softrelu_solver *solver, const struct outcome_bits *expected) {
    int ends[2], status = -1;
    struct outcome_bits found = *expected;
    assert_int_equal(pipe(ends), 0);
    const pid_t pid = fork();
    if (pid == 0)
        child(ends[1], varied, solver);
    assert_true(pid > 0);
    (void)close(ends[1]);
    found.numbers = test_doubles(expected->count);
    const bool complete = read_all(ends[0], found.numbers, (size_t)found.count * sizeof *found.numbers);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("%s: the child ended with status %d", varied->variant->name, status);
    assert_true(complete && same_outcome(&found, expected));
    free(found.numbers);
    (void)close(ends[0]);
}

static void run_batch(const softrelu_solver *solver, int64_t d) {
    enum { TARGETS = 8 };
    softrelu_batch *batch = NULL;
    double *x = test_doubles(TARGETS * d);
    assert_int_equal(softrelu_batch_create(solver, TARGETS, 4, SOFTRELU_BLAS_ONE_THREAD, &batch), SOFTRELU_OK);
    assert_int_equal(softrelu_solve_batch(batch, TARGETS, x, d), SOFTRELU_OK);
    assert_int_equal(softrelu_batch_threads(batch), 4);
    softrelu_batch_destroy(batch);
    free(x);
}

static void after_use(int blas_threads, int64_t d, int64_t variants) {
    const softrelu_status told = softrelu_blas_set_threads(blas_threads);
    assert_true(told == SOFTRELU_OK || told == SOFTRELU_ERROR_STATE);
    for (int v = 0; v < variants; v++) {
        struct varied varied = varied_of(&VARIANT[v], SEED, d);
        softrelu_solver *solver = NULL;
        assert_int_equal(varied_solver(&varied, &solver), SOFTRELU_OK);
        struct outcome_bits usual = solve(solver, d);
        check_child(&varied, solver, &usual);
        run_batch(solver, d);
        check_child(&varied, solver, &usual);
        check_child(&varied, NULL, &usual);
        struct outcome_bits again = solve(solver, d); /* and the parent goes on */
        assert_true(same_outcome(&again, &usual));
        outcome_free(&usual);
        outcome_free(&again);
        softrelu_solver_destroy(solver);
        varied_free(&varied);
    }
}

static void one_thread(void **state) {
    (void)state;
    after_use(1, 12, test_effort(VARIANTS, VARIANTS, 3));
}

/* Large enough for OpenBLAS to use its threads. */
static void two_threads(void **state) {
    (void)state;
    after_use(2, test_effort(160, 64, 24), test_effort(VARIANTS, 2, 1));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_thread), cmocka_unit_test(two_threads)};
    return cmocka_run_group_tests_name("fork", tests, NULL, NULL);
}
