#include "support/testing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int64_t test_effort(int64_t full, int64_t normal, int64_t small) {
    const char *scale = getenv("SOFTRELU_TEST_SCALE");
    if (scale == NULL)
        return normal;
    return strcmp(scale, "small") == 0 ? small : strcmp(scale, "full") == 0 ? full : normal;
}

int64_t test_count(int64_t normal, int64_t small) { return test_effort(normal, normal, small); }

static void *zeroed(int64_t count, size_t size) {
    void *block = calloc(count > 0 ? (size_t)count : 1, size);
    assert_non_null(block);
    return block;
}

double *test_doubles(int64_t count) { return zeroed(count, sizeof(double)); }

long double *test_long_doubles(int64_t count) { return zeroed(count, sizeof(long double)); }

double *test_copy(const double *values, int64_t count) {
    double *copy = test_doubles(count);
    memcpy(copy, values, (size_t)count * sizeof *copy);
    return copy;
}

/* xorshift64*: not the generator of the library */
static uint64_t random_bits(struct test_random *random) {
    uint64_t s = random->state != 0 ? random->state : 88172645463325252u;
    s ^= s >> 12;
    s ^= s << 25;
    s ^= s >> 27;
    random->state = s;
    return s * 0x2545F4914F6CDD1Du;
}

double random_uniform(struct test_random *random, double from, double to) {
    return from + (to - from) * ((double)(random_bits(random) >> 11) * 0x1p-53);
}

double random_normal(struct test_random *random) {
    /* the polar method */
    double a, b, s;
    do {
        a = random_uniform(random, -1.0, 1.0);
        b = random_uniform(random, -1.0, 1.0);
        s = a * a + b * b;
    } while (s >= 1.0 || s == 0.0);
    return a * sqrt(-2.0 * log(s) / s);
}

int64_t random_between(struct test_random *random, int64_t least, int64_t most) {
    return least + (int64_t)(random_bits(random) % (uint64_t)(most - least + 1));
}

double random_scale(struct test_random *random, double least_power, double most_power) {
    return pow(10.0, random_uniform(random, least_power, most_power));
}

void random_fill(struct test_random *random, double scale, int64_t count, double *values) {
    for (int64_t i = 0; i < count; i++)
        values[i] = scale * random_normal(random);
}

double worst_error(int64_t count, const double *actual, const double *expected) {
    double worst = 0.0, largest = 0.0;
    for (int64_t i = 0; i < count; i++) {
        double error = fabs(actual[i] - expected[i]);
        if (!(error <= worst))
            worst = isnan(error) ? INFINITY : error;
        largest = fmax(largest, fabs(expected[i]));
    }
    return largest > 0.0 ? worst / largest : worst;
}

double assert_within(const char *label, int64_t count, const double *actual, const long double *expected,
                     long double tolerance) {
    long double worst = 0.0L;
    for (int64_t i = 0; i < count; i++) {
        long double error = fabsl((long double)actual[i] - expected[i]);
        if (!(error <= tolerance))
            fail_msg("%s[%lld] = %.17g, expected %.20Lg: off by %Lg, allowed %Lg", label, (long long)i, actual[i], expected[i],
                     error, tolerance);
        worst = fmaxl(worst, tolerance > 0.0L ? error / tolerance : 0.0L);
    }
    return (double)worst;
}

void assert_same_doubles(int64_t count, const double *actual, const double *expected) {
    for (int64_t i = 0; i < count; i++)
        if (memcmp(&actual[i], &expected[i], sizeof(double)) != 0)
            fail_msg("entry %lld: %.17g and %.17g differ", (long long)i, actual[i], expected[i]);
}
