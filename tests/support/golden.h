/* The cases of tests/data/golden: values that were computed with 60 digits. */
#ifndef SOFTRELU_TESTS_GOLDEN_H
#define SOFTRELU_TESTS_GOLDEN_H

#include "support/instance.h"

enum { GOLDEN_CASES = 14 };
extern const char *const golden_names[GOLDEN_CASES];

struct golden {
    struct instance instance;
    double *x, *gradient, *hessian;
    double value;
};

struct golden golden_read(const char *name);
void golden_free(struct golden *golden);

#endif
