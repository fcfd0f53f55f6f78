#include "support/family_case.h"

const int64_t family_sizes[FAMILY_SIZES][3] = {
    {60, 40, 30}, {200, 20, 100}, {1000, 50, 300}, {2000, 100, 500}, {4000, 400, 2000}};
const struct family_regime family_regimes[FAMILY_REGIMES] = {{0.0, 1e-6}, {0.0, 1e-2}, {0.5, 1e-3}, {1.0, 1e-4}};
const char *const family_starts[FAMILY_STARTS] = {"warm", "random", "zero"};

struct instance family_instance(int size, int regime, int seed, int64_t m, struct test_random *random) {
    const int64_t *of = family_sizes[size];
    *random = (struct test_random){(uint64_t)seed * 1000003u + 17u};
    return synthetic_instance(random, of[0], of[1], m > 0 ? m : of[2], family_regimes[regime].noise, family_regimes[regime].w);
}

bool family_start(int start, int64_t d, struct test_random *random, double *x0) {
    for (int64_t k = 0; k < d; k++)
        x0[k] = start == 1 ? random_normal(random) : 0.0;
    return start != 0;
}
