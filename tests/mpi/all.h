/* What the MPI tests share: every rank runs every test, each test is passed by all ranks together, and a failure on one ends
   all of them. */
#ifndef SOFTRELU_TESTS_MPI_ALL_H
#define SOFTRELU_TESTS_MPI_ALL_H

#include "support/ranks.h"

/* The ranks of this run, and whether this is the first of them. */
extern const softrelu_communicator *all;
bool is_first(void);

/* What a rank has, or the first one, on all. They sleep while they wait: it may take its time. */
void from_rank(int rank, void *bytes, size_t count);
void from_first(void *bytes, size_t count);
/* Fails where this rank's bytes are not those of the first. */
void assert_same_everywhere(const char *what, const void *bytes, size_t count);
void assert_doubles_everywhere(const char *what, const double *values, int64_t count);

/* The suites. Each returns how many tests failed. */
int test_values(void);
int test_solves(void);
int test_family(void);
int test_errors(void);

#endif
