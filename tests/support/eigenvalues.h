/* Least and largest eigenvalue of a symmetric matrix (full, order x order) in long double, by Jacobi's rotations. */
#ifndef SOFTRELU_TESTS_EIGENVALUES_H
#define SOFTRELU_TESTS_EIGENVALUES_H

#include "support/testing.h"

void eigenvalues(int64_t order, const long double *matrix, long double *least, long double *largest);

#endif
