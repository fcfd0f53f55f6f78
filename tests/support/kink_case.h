/* The cases of tests/data/kinks: problems whose minimiser lies on known ReLU kinks (and one without), computed independently of
   this library. In small-strong-noise F is nearly flat along some directions: there the loss and the kinks are what is known,
   not x. */
#ifndef SOFTRELU_TESTS_KINK_CASE_H
#define SOFTRELU_TESTS_KINK_CASE_H

#include "support/instance.h"

enum { KINK_CASES = 5 };

struct kink_case {
    const char *name;
    int64_t kinks; /* units at zero at the known minimiser */
    bool flat;
    struct instance instance;
    double *x0, *x; /* where to start, the minimiser */
    double loss;
};

struct kink_case kink_case(int number);
void kink_case_free(struct kink_case *known);
/* The units that are at their kink (n) are those that are there at the known minimiser. */
void assert_known_kinks(const struct kink_case *known, const signed char *at_kink);

#endif
