/* Everything a solve leaves behind but its times, as numbers that can be compared bit by bit, kept or sent elsewhere. */
#ifndef SOFTRELU_TESTS_OUTCOME_H
#define SOFTRELU_TESTS_OUTCOME_H

#include "support/testing.h"

struct outcome_bits {
    int64_t count;
    int64_t trace; /* where the trace begins, */
    int64_t width; /* numbers in one of its records, to the end */
    double *numbers;
};

/* Solution, termination, report, certificate, minimisers and trace of the last solve, in d unknowns. Zeros where the solver
   refuses, which it does in other threads without telling cmocka. */
struct outcome_bits outcome_of(const softrelu_solver *solver, int64_t d);
/* The same of one target of a batch: no solution, no minimisers, no trace. */
struct outcome_bits outcome_of_target(const softrelu_batch *batch, int64_t target);
void outcome_free(struct outcome_bits *outcome);
bool same_outcome(const struct outcome_bits *one, const struct outcome_bits *other);
/* Whether one trace, but for its last record, is the beginning of the other. */
bool trace_begins(const struct outcome_bits *shorter, const struct outcome_bits *longer);

#endif
