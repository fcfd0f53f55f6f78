/* The members of the synthetic family: a random teacher network and input make b, noise moves its logits. */
#ifndef SOFTRELU_TESTS_FAMILY_CASE_H
#define SOFTRELU_TESTS_FAMILY_CASE_H

#include "support/instance.h"

enum { FAMILY_SIZES = 5, FAMILY_REGIMES = 4, FAMILY_STARTS = 3 };
extern const int64_t family_sizes[FAMILY_SIZES][3]; /* n, d, m */
extern const struct family_regime { double noise, w; } family_regimes[FAMILY_REGIMES];
extern const char *const family_starts[FAMILY_STARTS]; /* the solver's own, random, zero */

/* m > 0: in place of the size's own. random: seeded here, and goes on to the random start. */
struct instance family_instance(int size, int regime, int seed, int64_t m, struct test_random *random);
/* x0 (d) of that start; false: the solver's own. */
bool family_start(int start, int64_t d, struct test_random *random, double *x0);

#endif
