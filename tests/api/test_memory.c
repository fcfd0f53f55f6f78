/* What the library holds, counted by an allocator: a sealed problem, and the Jacobian's cache within its setting. */
#include <stdlib.h>
#include <string.h>

#include "support/instance.h"

struct ledger {
    size_t held, most;
};

enum { HEADER = 64 }; /* bytes before each block, that remember its size and keep the alignment */

static void *allocate(size_t bytes, void *context) {
    struct ledger *ledger = context;
    char *block = malloc(bytes + HEADER);
    assert_non_null(block);
    memcpy(block, &bytes, sizeof bytes);
    ledger->held += bytes;
    ledger->most = ledger->held > ledger->most ? ledger->held : ledger->most;
    return block + HEADER;
}

static void release(void *block, void *context) {
    struct ledger *ledger = context;
    char *start = (char *)block - HEADER;
    size_t bytes;
    memcpy(&bytes, start, sizeof bytes);
    ledger->held -= bytes;
    free(start);
}

enum { N = 300, D = 40, M = 500 };
static double A1[N * D], A2[M * N], b[M];
static float A1_single[N * D], A2_single[M * N];

static int set_up(void **state) {
    (void)state;
    struct test_random random = {71};
    random_fill(&random, 0.2, N * D, A1);
    random_fill(&random, 0.1, M * N, A2);
    for (int k = 0; k < N * D; k++)
        A1_single[k] = (float)A1[k];
    for (int k = 0; k < M * N; k++)
        A2_single[k] = (float)A2[k];
    for (int j = 0; j < M; j++)
        b[j] = 1.0 / M;
    return 0;
}

static softrelu_problem *sealed(struct ledger *ledger, bool single, softrelu_ownership ownership) {
    softrelu_problem *problem = NULL;
    assert_int_equal(softrelu_problem_create(N, D, M, allocate, release, ledger, &problem), SOFTRELU_OK);
    if (single) {
        assert_int_equal(softrelu_problem_set_matrix_single(problem, SOFTRELU_A1, A1_single, SOFTRELU_ROW_MAJOR, D, ownership),
                         SOFTRELU_OK);
        assert_int_equal(softrelu_problem_set_matrix_single(problem, SOFTRELU_A2, A2_single, SOFTRELU_ROW_MAJOR, N, ownership),
                         SOFTRELU_OK);
    } else {
        assert_int_equal(softrelu_problem_set_matrix(problem, SOFTRELU_A1, A1, SOFTRELU_ROW_MAJOR, D, ownership), SOFTRELU_OK);
        assert_int_equal(softrelu_problem_set_matrix(problem, SOFTRELU_A2, A2, SOFTRELU_ROW_MAJOR, N, ownership), SOFTRELU_OK);
    }
    assert_int_equal(softrelu_problem_set_vector(problem, SOFTRELU_B, b, M, ownership), SOFTRELU_OK);
    assert_int_equal(softrelu_problem_set_number(problem, SOFTRELU_W, 0.1), SOFTRELU_OK);
    assert_int_equal(softrelu_problem_finish(problem), SOFTRELU_OK);
    return problem;
}

/* The copy of the data in its own precision, R, and vectors. */
static void of_a_problem(void **state) {
    (void)state;
    const size_t entries = N * D + M * N, rest = (size_t)D * D * sizeof(double) + 64 * (N + M + D) + 4096;
    for (int single = 0; single < 2; single++) {
        const size_t data = entries * (single ? sizeof(float) : sizeof(double));
        struct ledger copied = {0, 0}, borrowed = {0, 0};
        softrelu_problem *copying = sealed(&copied, single, SOFTRELU_COPY);
        softrelu_problem *borrowing = sealed(&borrowed, single, SOFTRELU_BORROW);
        assert_true(copied.held >= data && copied.held <= data + rest);
        assert_true(borrowed.held <= rest);
        assert_true(borrowed.most <= rest + 600 * D * sizeof(double)); /* a block of rows for the moment */
        softrelu_problem_destroy(copying);
        softrelu_problem_destroy(borrowing);
        assert_true(copied.held == 0 && borrowed.held == 0);
    }
}

static size_t held_with(softrelu_solver *solver, const struct ledger *ledger, const char *megabytes) {
    assert_int_equal(softrelu_solver_set_text(solver, "jacobian_memory", megabytes), SOFTRELU_OK);
    return ledger->held;
}

/* G takes m d numbers where they are within the setting, and the light network, floats, where there is still room beside it; by
   default as many bytes as A1 and A2. */
static void of_the_cache(void **state) {
    (void)state;
    const size_t whole = (size_t)M * D * sizeof(double), light = (size_t)(N * D + M * N) * sizeof(float),
                 vectors = 64 * (N + M + D);
    for (int single = 0; single < 2; single++) {
        struct ledger ledger = {0, 0};
        softrelu_problem *problem = sealed(&ledger, single, SOFTRELU_BORROW);
        softrelu_solver *solver = NULL;
        assert_int_equal(softrelu_solver_create(problem, &solver), SOFTRELU_OK);
        const size_t without = held_with(solver, &ledger, "0"), both = held_with(solver, &ledger, "1"),
                     standard = held_with(solver, &ledger, "-1");
        assert_true(both - without >= whole + light && both - without <= whole + light + vectors);
        if (single == 0)
            assert_true(standard == both);
        else
            assert_true(standard - without >= whole && standard - without <= whole + vectors);
        assert_int_equal(softrelu_solver_set_text(solver, "curvature_precision", "single"), SOFTRELU_OK);
        const size_t half = whole / 2 + (single == 0 ? light : 0);
        assert_true(ledger.held - without >= half && ledger.held - without <= half + vectors);
        const size_t before = ledger.held;
        ledger.most = 0;
        assert_int_equal(softrelu_solver_solve(solver), SOFTRELU_OK);
        assert_true(ledger.held == before && ledger.most == 0); /* nothing is asked for while it runs */
        softrelu_solver_destroy(solver);
        softrelu_problem_destroy(problem);
        assert_true(ledger.held == 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(of_a_problem), cmocka_unit_test(of_the_cache)};
    return cmocka_run_group_tests_name("memory", tests, set_up, NULL);
}
