/* What every test shares: cmocka with the headers it wants, memory that fails the test instead of returning NULL, the seeded
   generator, and comparison of arrays. */
#ifndef SOFTRELU_TESTS_TESTING_H
#define SOFTRELU_TESTS_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <softrelu/softrelu.h>

/* How much is tried: normal, small when the environment has SOFTRELU_TEST_SCALE=small (valgrind, and what tests/run repeats in
   other builds), full when it has SOFTRELU_TEST_SCALE=full (what a release is tested with; takes as long as it takes). */
int64_t test_effort(int64_t full, int64_t normal, int64_t small);
int64_t test_count(int64_t normal, int64_t small);

/* Zeroed memory; release with free(). */
double *test_doubles(int64_t count);
long double *test_long_doubles(int64_t count);
double *test_copy(const double *values, int64_t count);

struct test_random {
    uint64_t state;
};
double random_uniform(struct test_random *random, double from, double to);
double random_normal(struct test_random *random);
int64_t random_between(struct test_random *random, int64_t least, int64_t most);
/* 10 to a uniform power */
double random_scale(struct test_random *random, double least_power, double most_power);
void random_fill(struct test_random *random, double scale, int64_t count, double *values);

/* max |actual - expected| over max |expected| (absolute where all expected are 0); infinite when anything is NaN. */
double worst_error(int64_t count, const double *actual, const double *expected);
/* Fails with label, the index and both numbers when |actual - expected| > tolerance anywhere. Returns the largest ratio. */
double assert_within(const char *label, int64_t count, const double *actual, const long double *expected,
                     long double tolerance);
/* The same bits. */
void assert_same_doubles(int64_t count, const double *actual, const double *expected);

#endif
