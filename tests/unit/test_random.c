/* Random numbers are functions of seed, stream and index, the same for ever: seeds in users' reports depend on them. */
#include <math.h>

#include "base/random.h"
#include "support/testing.h"

/* Philox4x32-10 of counter 0 and key 0 begins with 6627e8d5 e169c58d (the known answers of its authors). */
static void known_answer(void **state) {
    (void)state;
    const uint64_t bits = 0x6627e8d5e169c58dULL >> 12;
    assert_true(srl_random_uniform(0, 0, 0) == ((double)bits + 0.5) * 0x1p-52);
}

static void every_argument_matters(void **state) {
    (void)state;
    static const uint64_t values[] = {0, 1, 2, 1ULL << 32, (1ULL << 32) + 1, UINT64_MAX};
    double seen[6 * 6 * 6];
    int64_t count = 0;
    for (int a = 0; a < 6; a++)
        for (int b = 0; b < 6; b++)
            for (int c = 0; c < 6; c++) {
                const double value = srl_random_uniform(values[a], values[b], values[c]);
                assert_true(value > 0.0 && value < 1.0);
                assert_true(value == srl_random_uniform(values[a], values[b], values[c]));
                for (int64_t k = 0; k < count; k++)
                    assert_true(value != seen[k]);
                seen[count++] = value;
            }
}

/* Moments within five standard deviations. */
static void moments(void **state) {
    (void)state;
    const int64_t count = test_count(200000, 20000);
    double uniform[2] = {0}, normal[4] = {0};
    for (int64_t i = 0; i < count; i++) {
        const double u = srl_random_uniform(3, 5, (uint64_t)i), z = srl_random_normal(3, 6, (uint64_t)i);
        uniform[0] += u;
        uniform[1] += u * u;
        for (int k = 0; k < 4; k++)
            normal[k] += pow(z, k + 1);
    }
    const double n = (double)count, root = sqrt(n);
    assert_true(fabs(uniform[0] / n - 0.5) <= 5.0 * sqrt(1.0 / 12.0) / root);
    assert_true(fabs(uniform[1] / n - 1.0 / 3.0) <= 5.0 * sqrt(4.0 / 45.0) / root);
    assert_true(fabs(normal[0] / n) <= 5.0 / root);
    assert_true(fabs(normal[1] / n - 1.0) <= 5.0 * sqrt(2.0) / root);
    assert_true(fabs(normal[2] / n) <= 5.0 * sqrt(15.0) / root);
    assert_true(fabs(normal[3] / n - 3.0) <= 5.0 * sqrt(96.0) / root);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(known_answer), cmocka_unit_test(every_argument_matters),
                                       cmocka_unit_test(moments)};
    return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}
