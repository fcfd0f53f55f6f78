/* Bad arguments: each refused with its own status and a message that names the culprit, and nothing changed. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/instance.h"
#include "support/refusal.h"

enum { N = 4, D = 3, M = 2 };

static const float SINGLE[N * D] = {0.5F, 1.0F, 2.0F};
static double A1[N * D], A2[M * N], b[M] = {0.25, 0.75}, vector4[N] = {1, 2, 3, 4};

static int set_up(void **state) {
    (void)state;
    struct test_random random = {61};
    random_fill(&random, 1.0, N * D, A1);
    random_fill(&random, 1.0, M * N, A2);
    return 0;
}

static softrelu_problem *open_problem(void) {
    softrelu_problem *problem = NULL;
    assert_int_equal(softrelu_problem_create(N, D, M, NULL, NULL, NULL, &problem), SOFTRELU_OK);
    return problem;
}

static softrelu_problem *sealed_problem(void) {
    softrelu_problem *problem = open_problem();
    assert_int_equal(softrelu_problem_set_matrix(problem, SOFTRELU_A1, A1, SOFTRELU_ROW_MAJOR, D, SOFTRELU_COPY), SOFTRELU_OK);
    assert_int_equal(softrelu_problem_set_matrix(problem, SOFTRELU_A2, A2, SOFTRELU_ROW_MAJOR, N, SOFTRELU_COPY), SOFTRELU_OK);
    assert_int_equal(softrelu_problem_set_vector(problem, SOFTRELU_B, b, M, SOFTRELU_COPY), SOFTRELU_OK);
    assert_int_equal(softrelu_problem_set_number(problem, SOFTRELU_W, 0.1), SOFTRELU_OK);
    assert_int_equal(softrelu_problem_finish(problem), SOFTRELU_OK);
    return problem;
}

static void *give(size_t bytes, void *context) {
    (void)context;
    return malloc(bytes);
}
static void take(void *block, void *context) {
    (void)context;
    free(block);
}

static void creating(void **state) {
    (void)state;
    const int64_t sizes[][3] = {{0, D, M},
                                {N, 0, M},
                                {N, D, 0},
                                {-1, D, M},
                                {N, -1, M},
                                {N, D, -1},
                                {INT64_MIN, D, M},
                                {(int64_t)INT32_MAX + 1, D, M},
                                {N, (int64_t)INT32_MAX + 1, M},
                                {N, D, (int64_t)INT32_MAX + 1},
                                {INT64_MAX, INT64_MAX, INT64_MAX}};
    int anything = 0;
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        softrelu_problem *problem = (softrelu_problem *)(void *)&anything;
        REFUSE(softrelu_problem_create(sizes[k][0], sizes[k][1], sizes[k][2], NULL, NULL, NULL, &problem), SOFTRELU_ERROR_SIZE);
        assert_null(problem);
    }
    softrelu_problem *problem = (softrelu_problem *)(void *)&anything;
    REFUSE(softrelu_problem_create(N, D, M, give, NULL, NULL, &problem), SOFTRELU_ERROR_VALUE);
    assert_null(problem);
    problem = (softrelu_problem *)(void *)&anything;
    REFUSE(softrelu_problem_create(N, D, M, NULL, take, NULL, &problem), SOFTRELU_ERROR_VALUE);
    assert_null(problem);
    REFUSE(softrelu_problem_create(N, D, M, NULL, NULL, NULL, NULL), SOFTRELU_ERROR_NULL);
    softrelu_problem_destroy(NULL);
    softrelu_evaluator_destroy(NULL);
    softrelu_solver_destroy(NULL);
    softrelu_solver_request_stop(NULL);
    softrelu_problem_destroy(open_problem()); /* half built */
}

/* n d of 2^62 doubles cannot be addressed: refused before anything is read. */
static void overflowing_matrix(void **state) {
    (void)state;
    const softrelu_layout layouts[] = {SOFTRELU_ROW_MAJOR, SOFTRELU_COLUMN_MAJOR};
    for (int k = 0; k < 2; k++) {
        softrelu_problem *problem = NULL;
        assert_int_equal(softrelu_problem_create(INT32_MAX, INT32_MAX, 1, NULL, NULL, NULL, &problem), SOFTRELU_OK);
        REFUSE(softrelu_problem_set_matrix_single(problem, SOFTRELU_A1, SINGLE, layouts[k], INT32_MAX, SOFTRELU_COPY),
               SOFTRELU_ERROR_SIZE);
        REFUSE(softrelu_problem_set_matrix(problem, SOFTRELU_A1, A1, layouts[k], INT32_MAX, SOFTRELU_COPY),
               SOFTRELU_ERROR_SIZE);
        SAYS(softrelu_problem_message(problem), "A1");
        softrelu_problem_destroy(problem);
    }
}

static void matrices(void **state) {
    (void)state;
    const struct {
        softrelu_array array;
        const double *values;
        softrelu_layout layout;
        int64_t ld;
        softrelu_ownership ownership;
        softrelu_status expected;
        const char *says;
    } cases[] = {
        {SOFTRELU_A1, NULL, SOFTRELU_ROW_MAJOR, D, SOFTRELU_COPY, SOFTRELU_ERROR_NULL, "A1"},
        {SOFTRELU_A2, NULL, SOFTRELU_ROW_MAJOR, N, SOFTRELU_COPY, SOFTRELU_ERROR_NULL, "A2"},
        {SOFTRELU_B, A1, SOFTRELU_ROW_MAJOR, D, SOFTRELU_COPY, SOFTRELU_ERROR_UNKNOWN, "30"},
        {SOFTRELU_RHO, A1, SOFTRELU_ROW_MAJOR, D, SOFTRELU_COPY, SOFTRELU_ERROR_UNKNOWN, "70"},
        {(softrelu_array)11, A1, SOFTRELU_ROW_MAJOR, D, SOFTRELU_COPY, SOFTRELU_ERROR_UNKNOWN, "11"},
        {SOFTRELU_A1, A1, (softrelu_layout)0, D, SOFTRELU_COPY, SOFTRELU_ERROR_VALUE, "layout 0"},
        {SOFTRELU_A1, A1, (softrelu_layout)103, D, SOFTRELU_COPY, SOFTRELU_ERROR_VALUE, "layout 103"},
        {SOFTRELU_A1, A1, SOFTRELU_ROW_MAJOR, D, (softrelu_ownership)1, SOFTRELU_ERROR_VALUE, "ownership 1"},
        {SOFTRELU_A1, A1, SOFTRELU_ROW_MAJOR, D - 1, SOFTRELU_COPY, SOFTRELU_ERROR_SIZE, "leading dimension 2"},
        {SOFTRELU_A1, A1, SOFTRELU_ROW_MAJOR, 0, SOFTRELU_COPY, SOFTRELU_ERROR_SIZE, "leading dimension 0"},
        {SOFTRELU_A1, A1, SOFTRELU_ROW_MAJOR, -D, SOFTRELU_BORROW, SOFTRELU_ERROR_SIZE, "leading dimension -3"},
        {SOFTRELU_A1, A1, SOFTRELU_COLUMN_MAJOR, N - 1, SOFTRELU_COPY, SOFTRELU_ERROR_SIZE, "leading dimension 3"},
        {SOFTRELU_A2, A2, SOFTRELU_ROW_MAJOR, N - 1, SOFTRELU_COPY, SOFTRELU_ERROR_SIZE, "A2"},
        {SOFTRELU_A2, A2, SOFTRELU_COLUMN_MAJOR, M - 1, SOFTRELU_COPY, SOFTRELU_ERROR_SIZE, "A2"},
        {SOFTRELU_A1, A1, SOFTRELU_ROW_MAJOR, (int64_t)INT32_MAX + 1, SOFTRELU_COPY, SOFTRELU_ERROR_SIZE, "A1"},
        {SOFTRELU_A1, A1, SOFTRELU_COLUMN_MAJOR, INT64_MAX, SOFTRELU_BORROW, SOFTRELU_ERROR_SIZE, "A1"},
    };
    softrelu_problem *problem = open_problem();
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        REFUSE(softrelu_problem_set_matrix(problem, cases[k].array, cases[k].values, cases[k].layout, cases[k].ld,
                                           cases[k].ownership),
               cases[k].expected);
        SAYS(softrelu_problem_message(problem), cases[k].says);
        REFUSE(softrelu_problem_set_matrix_single(problem, cases[k].array, cases[k].values != NULL ? SINGLE : NULL,
                                                  cases[k].layout, cases[k].ld, cases[k].ownership),
               cases[k].expected);
        SAYS(softrelu_problem_message(problem), cases[k].says);
    }
    REFUSE(softrelu_problem_set_matrix_single(NULL, SOFTRELU_A1, SINGLE, SOFTRELU_ROW_MAJOR, D, SOFTRELU_COPY),
           SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_problem_set_matrix(NULL, SOFTRELU_A1, A1, SOFTRELU_ROW_MAJOR, D, SOFTRELU_COPY), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_problem_finish(problem), SOFTRELU_ERROR_MISSING); /* none of these gave it an A1 */
    SAYS(softrelu_problem_message(problem), "A1");
    softrelu_problem_destroy(problem);
}

/* One bad entry: the message has the array, row and column (whatever the layout) and the value. */
static void matrices_not_finite(void **state) {
    (void)state;
    const double bad[] = {NAN, INFINITY, -INFINITY};
    const char *values[] = {"nan", "= inf", "= -inf"};
    for (int k = 0; k < 3; k++)
        for (int column_major = 0; column_major < 2; column_major++) {
            softrelu_problem *problem = open_problem();
            double *copy = test_copy(A1, N * D);
            copy[column_major == 1 ? 2 + 1 * N : 2 * D + 1] = bad[k];
            REFUSE(softrelu_problem_set_matrix(problem, SOFTRELU_A1, copy,
                                               column_major == 1 ? SOFTRELU_COLUMN_MAJOR : SOFTRELU_ROW_MAJOR,
                                               column_major == 1 ? N : D, k == 0 ? SOFTRELU_BORROW : SOFTRELU_COPY),
                   SOFTRELU_ERROR_NOT_FINITE);
            SAYS(softrelu_problem_message(problem), "A1[2, 1]");
            SAYS(softrelu_problem_message(problem), values[k]);
            float single[N * D] = {0.0F};
            single[column_major == 1 ? 2 + 1 * N : 2 * D + 1] = (float)bad[k];
            REFUSE(softrelu_problem_set_matrix_single(problem, SOFTRELU_A1, single,
                                                      column_major == 1 ? SOFTRELU_COLUMN_MAJOR : SOFTRELU_ROW_MAJOR,
                                                      column_major == 1 ? N : D, k == 0 ? SOFTRELU_BORROW : SOFTRELU_COPY),
                   SOFTRELU_ERROR_NOT_FINITE);
            SAYS(softrelu_problem_message(problem), "A1[2, 1]");
            SAYS(softrelu_problem_message(problem), values[k]);
            free(copy);
            softrelu_problem_destroy(problem);
        }
}

static void vectors(void **state) {
    (void)state;
    const struct {
        softrelu_array array;
        const char *name;
        int64_t length;
    } arrays[] = {{SOFTRELU_B, "b", M},         {SOFTRELU_C1, "c1", N},       {SOFTRELU_C2, "c2", M},      {SOFTRELU_W, "w", N},
                  {SOFTRELU_X_REF, "x_ref", D}, {SOFTRELU_LOWER, "lower", D}, {SOFTRELU_UPPER, "upper", D}};
    softrelu_problem *problem = open_problem();
    for (size_t k = 0; k < sizeof arrays / sizeof *arrays; k++) {
        const int64_t length = arrays[k].length;
        double values[N + 1] = {1, 2, 3, 4, 5};
        const int64_t wrong[] = {length - 1, length + 1, 0, -1, INT64_MAX};
        for (int w = 0; w < 5; w++) {
            REFUSE(softrelu_problem_set_vector(problem, arrays[k].array, values, wrong[w], SOFTRELU_COPY), SOFTRELU_ERROR_SIZE);
            SAYS(softrelu_problem_message(problem), arrays[k].name);
        }
        REFUSE(softrelu_problem_set_vector(problem, arrays[k].array, NULL, length, SOFTRELU_COPY), SOFTRELU_ERROR_NULL);
        SAYS(softrelu_problem_message(problem), arrays[k].name);
        REFUSE(softrelu_problem_set_vector(problem, arrays[k].array, values, length, (softrelu_ownership)-3),
               SOFTRELU_ERROR_VALUE);
        values[1] = NAN;
        REFUSE(softrelu_problem_set_vector(problem, arrays[k].array, values, length, SOFTRELU_BORROW),
               SOFTRELU_ERROR_NOT_FINITE);
        SAYS(softrelu_problem_message(problem), "[1]");
        SAYS(softrelu_problem_message(problem), "nan");
        SAYS(softrelu_problem_message(problem), arrays[k].name);
    }
    REFUSE(softrelu_problem_set_vector(problem, SOFTRELU_B, NULL, 0, SOFTRELU_COPY), SOFTRELU_ERROR_NULL); /* not optional */
    REFUSE(softrelu_problem_set_vector(problem, SOFTRELU_A1, vector4, N, SOFTRELU_COPY), SOFTRELU_ERROR_UNKNOWN);
    REFUSE(softrelu_problem_set_vector(problem, SOFTRELU_RHO, vector4, 1, SOFTRELU_COPY), SOFTRELU_ERROR_UNKNOWN);
    REFUSE(softrelu_problem_set_vector(problem, (softrelu_array)-1, vector4, N, SOFTRELU_COPY), SOFTRELU_ERROR_UNKNOWN);
    REFUSE(softrelu_problem_set_vector(NULL, SOFTRELU_B, b, M, SOFTRELU_COPY), SOFTRELU_ERROR_NULL);
    assert_int_equal(softrelu_problem_set_vector(problem, SOFTRELU_C1, NULL, 0, SOFTRELU_COPY), SOFTRELU_OK);
    assert_string_equal(softrelu_problem_message(problem), "");
    softrelu_problem_destroy(problem);
}

static void numbers_and_loss(void **state) {
    (void)state;
    softrelu_problem *problem = open_problem();
    REFUSE(softrelu_problem_set_number(problem, SOFTRELU_RHO, -1e-300), SOFTRELU_ERROR_VALUE);
    SAYS(softrelu_problem_message(problem), "rho");
    REFUSE(softrelu_problem_set_number(problem, SOFTRELU_RHO, NAN), SOFTRELU_ERROR_NOT_FINITE);
    REFUSE(softrelu_problem_set_number(problem, SOFTRELU_RHO, INFINITY), SOFTRELU_ERROR_NOT_FINITE);
    REFUSE(softrelu_problem_set_number(problem, SOFTRELU_W, -INFINITY), SOFTRELU_ERROR_NOT_FINITE);
    SAYS(softrelu_problem_message(problem), "w");
    REFUSE(softrelu_problem_set_number(problem, SOFTRELU_W, NAN), SOFTRELU_ERROR_NOT_FINITE);
    REFUSE(softrelu_problem_set_number(problem, SOFTRELU_B, 1.0), SOFTRELU_ERROR_UNKNOWN);
    REFUSE(softrelu_problem_set_number(problem, (softrelu_array)71, 1.0), SOFTRELU_ERROR_UNKNOWN);
    REFUSE(softrelu_problem_set_number(NULL, SOFTRELU_RHO, 1.0), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_problem_set_loss(problem, (softrelu_loss)1), SOFTRELU_ERROR_VALUE);
    REFUSE(softrelu_problem_set_loss(problem, (softrelu_loss)-10), SOFTRELU_ERROR_VALUE);
    REFUSE(softrelu_problem_set_loss(NULL, SOFTRELU_KL), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_problem_finish(NULL), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_problem_dimensions(NULL, NULL, NULL, NULL), SOFTRELU_ERROR_NULL);
    assert_int_equal(softrelu_problem_dimensions(problem, NULL, NULL, NULL), SOFTRELU_OK);
    assert_non_null(softrelu_problem_message(NULL));
    softrelu_problem_destroy(problem);
}

/* Bounds may be infinite on their own side only, and must not cross; a problem refused for that can be mended. */
static void bounds(void **state) {
    (void)state;
    softrelu_problem *problem = open_problem();
    double lower[D], upper[D];
    for (int k = 0; k < D; k++) {
        lower[k] = k == 0 ? -INFINITY : -1.0;
        upper[k] = k == 0 ? INFINITY : 1.0;
    }
    assert_int_equal(softrelu_problem_set_vector(problem, SOFTRELU_LOWER, lower, D, SOFTRELU_COPY), SOFTRELU_OK);
    assert_int_equal(softrelu_problem_set_vector(problem, SOFTRELU_UPPER, upper, D, SOFTRELU_COPY), SOFTRELU_OK);
    REFUSE(softrelu_problem_set_vector(problem, SOFTRELU_LOWER, upper, D, SOFTRELU_COPY), SOFTRELU_ERROR_NOT_FINITE);
    SAYS(softrelu_problem_message(problem), "lower[0] = inf is not a number or -infinity");
    REFUSE(softrelu_problem_set_vector(problem, SOFTRELU_UPPER, lower, D, SOFTRELU_COPY), SOFTRELU_ERROR_NOT_FINITE);
    SAYS(softrelu_problem_message(problem), "upper[0] = -inf");
    REFUSE(softrelu_problem_set_number(problem, SOFTRELU_LOWER, INFINITY), SOFTRELU_ERROR_NOT_FINITE);
    REFUSE(softrelu_problem_set_number(problem, SOFTRELU_UPPER, -INFINITY), SOFTRELU_ERROR_NOT_FINITE);
    REFUSE(softrelu_problem_set_number(problem, SOFTRELU_UPPER, NAN), SOFTRELU_ERROR_NOT_FINITE);
    SAYS(softrelu_problem_message(problem), "upper = nan");

    assert_int_equal(softrelu_problem_set_matrix(problem, SOFTRELU_A1, A1, SOFTRELU_ROW_MAJOR, D, SOFTRELU_COPY), SOFTRELU_OK);
    assert_int_equal(softrelu_problem_set_matrix(problem, SOFTRELU_A2, A2, SOFTRELU_ROW_MAJOR, N, SOFTRELU_COPY), SOFTRELU_OK);
    assert_int_equal(softrelu_problem_set_vector(problem, SOFTRELU_B, b, M, SOFTRELU_COPY), SOFTRELU_OK);
    assert_int_equal(softrelu_problem_set_number(problem, SOFTRELU_UPPER, -2.0), SOFTRELU_OK);
    REFUSE(softrelu_problem_finish(problem), SOFTRELU_ERROR_VALUE);
    SAYS(softrelu_problem_message(problem), "lower[1] = -1 is above upper[1] = -2");
    assert_int_equal(softrelu_problem_set_number(problem, SOFTRELU_UPPER, INFINITY), SOFTRELU_OK); /* none again */
    assert_int_equal(softrelu_problem_finish(problem), SOFTRELU_OK);
    softrelu_problem_destroy(problem);
}

static void incomplete_problems(void **state) {
    (void)state;
    softrelu_evaluator *evaluator = NULL;
    softrelu_solver *solver = NULL;
    softrelu_problem *problem = open_problem();
    REFUSE(softrelu_evaluator_create(problem, &evaluator), SOFTRELU_ERROR_STATE);
    REFUSE(softrelu_solver_create(problem, &solver), SOFTRELU_ERROR_STATE);
    assert_true(evaluator == NULL && solver == NULL);
    assert_int_equal(softrelu_problem_set_vector(problem, SOFTRELU_B, b, M, SOFTRELU_COPY), SOFTRELU_OK);
    REFUSE(softrelu_problem_finish(problem), SOFTRELU_ERROR_MISSING);
    SAYS(softrelu_problem_message(problem), "A1");
    assert_int_equal(softrelu_problem_set_matrix(problem, SOFTRELU_A1, A1, SOFTRELU_ROW_MAJOR, D, SOFTRELU_COPY), SOFTRELU_OK);
    REFUSE(softrelu_problem_finish(problem), SOFTRELU_ERROR_SIZE); /* no A2, m != n */
    SAYS(softrelu_problem_message(problem), "A2");
    softrelu_problem_destroy(problem);

    problem = open_problem();
    assert_int_equal(softrelu_problem_set_matrix(problem, SOFTRELU_A1, A1, SOFTRELU_ROW_MAJOR, D, SOFTRELU_COPY), SOFTRELU_OK);
    assert_int_equal(softrelu_problem_set_matrix(problem, SOFTRELU_A2, A2, SOFTRELU_ROW_MAJOR, N, SOFTRELU_COPY), SOFTRELU_OK);
    REFUSE(softrelu_problem_finish(problem), SOFTRELU_ERROR_MISSING);
    SAYS(softrelu_problem_message(problem), "b");
    assert_int_equal(softrelu_problem_set_vector(problem, SOFTRELU_B, b, M, SOFTRELU_COPY), SOFTRELU_OK);
    assert_int_equal(softrelu_problem_set_number(problem, SOFTRELU_W, 1e200), SOFTRELU_OK);
    REFUSE(softrelu_problem_finish(problem), SOFTRELU_ERROR_OVERFLOW);
    assert_int_equal(softrelu_problem_set_number(problem, SOFTRELU_W, 1.0), SOFTRELU_OK); /* it can be put right */
    assert_int_equal(softrelu_problem_finish(problem), SOFTRELU_OK);
    softrelu_problem_destroy(problem);
}

static void sealed_problems(void **state) {
    (void)state;
    softrelu_problem *problem = sealed_problem();
    REFUSE(softrelu_problem_set_matrix(problem, SOFTRELU_A1, A1, SOFTRELU_ROW_MAJOR, D, SOFTRELU_COPY), SOFTRELU_ERROR_STATE);
    REFUSE(softrelu_problem_set_matrix_single(problem, SOFTRELU_A1, SINGLE, SOFTRELU_ROW_MAJOR, D, SOFTRELU_COPY),
           SOFTRELU_ERROR_STATE);
    REFUSE(softrelu_problem_set_vector(problem, SOFTRELU_B, b, M, SOFTRELU_COPY), SOFTRELU_ERROR_STATE);
    REFUSE(softrelu_problem_set_vector(problem, SOFTRELU_C1, NULL, 0, SOFTRELU_COPY), SOFTRELU_ERROR_STATE);
    REFUSE(softrelu_problem_set_number(problem, SOFTRELU_RHO, 1.0), SOFTRELU_ERROR_STATE);
    REFUSE(softrelu_problem_set_loss(problem, SOFTRELU_KL), SOFTRELU_ERROR_STATE);
    REFUSE(softrelu_problem_finish(problem), SOFTRELU_ERROR_STATE);
    SAYS(softrelu_problem_message(problem), "sealed");
    REFUSE(softrelu_evaluator_create(problem, NULL), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_solver_create(problem, NULL), SOFTRELU_ERROR_NULL);
    int64_t n = 0, d = 0, m = 0;
    assert_int_equal(softrelu_problem_dimensions(problem, &n, &d, &m), SOFTRELU_OK);
    assert_true(n == N && d == D && m == M);
    softrelu_problem_destroy(problem);
}

static void enough_cases(void **state) {
    (void)state;
    print_message("  %lld refusals checked\n", (long long)refusals);
    assert_true(refusals >= 60);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(creating),        cmocka_unit_test(overflowing_matrix),
                                       cmocka_unit_test(matrices),        cmocka_unit_test(matrices_not_finite),
                                       cmocka_unit_test(vectors),         cmocka_unit_test(numbers_and_loss),
                                       cmocka_unit_test(bounds),          cmocka_unit_test(incomplete_problems),
                                       cmocka_unit_test(sealed_problems), cmocka_unit_test(enough_cases)};
    return cmocka_run_group_tests_name("arguments of problems", tests, set_up, NULL);
}
