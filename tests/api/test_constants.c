/* Constants through the API: every misuse, what failing calls leave behind, and hostile data. */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "support/instance.h"
#include "support/refusal.h"

enum { N = 5, D = 3, M = 4 };

#define ID(name, number, word, type, text) name,
static const softrelu_constant IDS[] = {SOFTRELU_CONSTANT_LIST(ID)};
#undef ID
enum { COUNT = sizeof IDS / sizeof *IDS };

static struct instance test_instance(uint64_t seed) {
    struct test_random random = {seed};
    const struct instance_scales scales = {.A1 = 1, .A2 = 1, .b = 1, .c1 = 0.5, .w = 0.3, .x_ref = 1, .rho = 0.1};
    return random_instance(&random, N, D, M, scales, SOFTRELU_SQUARES);
}

static void read_all(const softrelu_constants *constants, double *values) {
    for (int k = 0; k < COUNT; k++)
        assert_int_equal(softrelu_constants_number(constants, IDS[k], &values[k]), SOFTRELU_OK);
}

static void misuse(void **state) {
    (void)state;
    struct instance instance = test_instance(71);
    struct built built = build(&instance, PLAIN_PLACEMENT);
    softrelu_problem *open = NULL;
    softrelu_constants *constants = (softrelu_constants *)(void *)&built;
    const double x[D] = {0.1, 0.2, 0.3}, bad[D] = {0.1, NAN, 0.3};
    double value = -7.0;
    assert_int_equal(softrelu_problem_create(N, D, M, NULL, NULL, NULL, &open), SOFTRELU_OK);
    REFUSE(softrelu_constants_create(built.problem, NULL), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_constants_create(NULL, &constants), SOFTRELU_ERROR_NULL);
    assert_null(constants);
    REFUSE(softrelu_constants_create(open, &constants), SOFTRELU_ERROR_STATE);
    assert_null(constants);
    assert_int_equal(softrelu_constants_create(built.problem, &constants), SOFTRELU_OK);
    assert_string_equal(softrelu_constants_message(constants), "");
    for (int k = 0; k < COUNT; k++) {
        const bool of_point = IDS[k] >= SOFTRELU_CONSTANT_ROW_DISTANCE;
        value = -7.0;
        assert_int_equal(softrelu_constants_number(constants, IDS[k], &value), of_point ? SOFTRELU_ERROR_STATE : SOFTRELU_OK);
        assert_true(of_point == (value == -7.0));
    }
    REFUSE(softrelu_constants_number(NULL, IDS[0], &value), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_constants_number(constants, IDS[0], NULL), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_constants_number(constants, (softrelu_constant)3205, &value), SOFTRELU_ERROR_UNKNOWN);
    REFUSE(softrelu_constants_move(NULL, x, D), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_constants_move(constants, NULL, D), SOFTRELU_ERROR_NULL);
    SAYS(softrelu_constants_message(constants), "x is NULL");
    REFUSE(softrelu_constants_move(constants, x, D - 1), SOFTRELU_ERROR_SIZE);
    SAYS(softrelu_constants_message(constants), "x");
    REFUSE(softrelu_constants_move(constants, bad, D), SOFTRELU_ERROR_NOT_FINITE);
    SAYS(softrelu_constants_message(constants), "x[1]");
    REFUSE(softrelu_constants_weight(NULL, 1.0, &value), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_constants_weight(constants, 1.0, NULL), SOFTRELU_ERROR_NULL);
    for (int k = 0; k < 4; k++) {
        const double moduli[4] = {0.0, -1.0, NAN, INFINITY};
        value = -7.0;
        REFUSE(softrelu_constants_weight(constants, moduli[k], &value), SOFTRELU_ERROR_VALUE);
        SAYS(softrelu_constants_message(constants), "modulus");
        assert_true(value == -7.0);
    }
    assert_string_equal(softrelu_constants_message(NULL), "the constants are NULL");
    softrelu_constants_destroy(NULL);
    softrelu_constants_destroy(constants);
    softrelu_problem_destroy(open);
    built_free(&built);
    instance_free(&instance);
}

static void failed_move_changes_nothing(void **state) {
    (void)state;
    struct instance instance = test_instance(72);
    struct built built = build(&instance, PLAIN_PLACEMENT);
    softrelu_constants *constants = NULL;
    const double x[D] = {0.1, 0.2, 0.3}, far[D] = {1e308, 1e308, -1e308};
    double before[COUNT], after[COUNT];
    assert_int_equal(softrelu_constants_create(built.problem, &constants), SOFTRELU_OK);
    assert_int_equal(softrelu_constants_move(constants, x, D), SOFTRELU_OK);
    read_all(constants, before);
    REFUSE(softrelu_constants_move(constants, far, D), SOFTRELU_ERROR_OVERFLOW);
    SAYS(softrelu_constants_message(constants), "double precision");
    read_all(constants, after);
    assert_same_doubles(COUNT, after, before);
    assert_int_equal(softrelu_constants_move(constants, x, D), SOFTRELU_OK);
    read_all(constants, after);
    assert_same_doubles(COUNT, after, before);
    softrelu_constants_destroy(constants);
    built_free(&built);
    instance_free(&instance);
}

/* Layouts and ownerships are of no consequence. */
static void placements_agree(void **state) {
    (void)state;
    struct instance instance = test_instance(73);
    const struct placement placements[] = {{SOFTRELU_ROW_MAJOR, 0, SOFTRELU_COPY}, {SOFTRELU_COLUMN_MAJOR, 3, SOFTRELU_BORROW}};
    const double x[D] = {0.4, -0.2, 0.3};
    double values[2][COUNT];
    for (int k = 0; k < 2; k++) {
        struct built built = build(&instance, placements[k]);
        softrelu_constants *constants = NULL;
        assert_int_equal(softrelu_constants_create(built.problem, &constants), SOFTRELU_OK);
        assert_int_equal(softrelu_constants_move(constants, x, D), SOFTRELU_OK);
        read_all(constants, values[k]);
        softrelu_constants_destroy(constants);
        built_free(&built);
    }
    assert_true(worst_error(COUNT, values[0], values[1]) < 1e-14);
    instance_free(&instance);
}

/* Entries near the ends of double: no NaN where a number belongs, no crash, and lower bounds that overflow say -infinity. */
static void huge_and_tiny(void **state) {
    (void)state;
    for (int power = -300; power <= 300; power += 150)
        for (int rho = 0; rho < 2; rho++) {
            struct instance instance = test_instance(74);
            for (int k = 0; k < N * D; k++)
                instance.A1[k] *= pow(10.0, 0.5 * power);
            for (int k = 0; k < M * N; k++)
                instance.A2[k] *= pow(10.0, power);
            free(instance.w);
            instance.w = NULL;
            instance.rho = (double)rho;
            struct built built = build(&instance, PLAIN_PLACEMENT);
            softrelu_constants *constants = NULL;
            assert_int_equal(softrelu_constants_create(built.problem, &constants), SOFTRELU_OK);
            for (int k = 0; k < COUNT && IDS[k] < SOFTRELU_CONSTANT_ROW_DISTANCE; k++) {
                double value;
                assert_int_equal(softrelu_constants_number(constants, IDS[k], &value), SOFTRELU_OK);
                assert_true(!isnan(value));
            }
            double least, weight;
            assert_int_equal(softrelu_constants_number(constants, SOFTRELU_CONSTANT_HESSIAN_LEAST_ALL, &least), SOFTRELU_OK);
            assert_true(least <= rho);
            assert_int_equal(softrelu_constants_weight(constants, 2.0, &weight), SOFTRELU_OK);
            assert_true(weight > 0.0);
            softrelu_constants_destroy(constants);
            built_free(&built);
            instance_free(&instance);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(misuse), cmocka_unit_test(failed_move_changes_nothing),
                                       cmocka_unit_test(placements_agree), cmocka_unit_test(huge_and_tiny)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
