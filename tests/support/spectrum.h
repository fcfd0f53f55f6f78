/* How two symmetric matrices compare, by LAPACK. */
#ifndef SOFTRELU_TESTS_SPECTRUM_H
#define SOFTRELU_TESTS_SPECTRUM_H

#include "support/testing.h"

struct spectrum {
    double least, largest;
};

/* Least and largest eigenvalue of H^-1 A for A symmetric and H positive definite, both d x d without gaps and left as they
   are. So (1 - e) H <= A <= (1 + e) H holds exactly for e >= max(1 - least, largest - 1). NaN where H is not positive
   definite. */
struct spectrum relative_spectrum(int64_t d, const double *A, const double *H);
/* That e. */
double relative_error(int64_t d, const double *A, const double *H);

#endif
