/*
 * Problems whose Hessian is a sum over many rows, for tests of the sampled Hessian, each at a point where the Hessian is
 * positive definite:
 *
 *     gaussian    dense random layers
 *     coherent    2 d rows of the Jacobian carry nearly all of it, thousands of tiny ones the rest
 *     hidden      three rows alone carry one direction, and they are shorter than all the others
 *     digits      tests/data/digits-retrieval, next to a minimiser
 *     vocabulary  tests/data/wide-vocabulary, next to a minimiser
 */
#ifndef SOFTRELU_TESTS_SAMPLING_CASE_H
#define SOFTRELU_TESTS_SAMPLING_CASE_H

#include "support/instance.h"

enum sampling_kind {
    SAMPLING_GAUSSIAN,
    SAMPLING_COHERENT,
    SAMPLING_HIDDEN,
    SAMPLING_DIGITS,
    SAMPLING_VOCABULARY,
    SAMPLING_KINDS
};

struct sampling_case {
    const char *name;
    struct instance instance;
    double *x;
};

/* The synthetic kinds have rows outputs; the others as many as their data. */
struct sampling_case sampling_case(enum sampling_kind kind, softrelu_loss loss, int64_t rows);
void sampling_case_free(struct sampling_case *sampling);

/* What the Hessian is the sum of: H = sum_j r_j C_j' C_j + R, computed here from the formulas. */
struct hessian_rows {
    int64_t d, m;
    double *C, *r; /* m x d, m */
    double *R;     /* d x d */
};

struct hessian_rows hessian_rows(const struct instance *instance, const double *x);
void hessian_rows_free(struct hessian_rows *rows);
/* sum_j weights_j r_j C_j' C_j + R into hessian (d x d); weights = NULL: all 1. */
void hessian_of_rows(const struct hessian_rows *rows, const double *weights, double *hessian);

#endif
