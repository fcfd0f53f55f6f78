#include "support/spectrum.h"

#include <math.h>
#include <stdlib.h>

#include <lapacke.h>

struct spectrum relative_spectrum(int64_t d, const double *A, const double *H) {
    double *a = test_copy(A, d * d), *h = test_copy(H, d * d), *values = test_doubles(d);
    const lapack_int order = (lapack_int)d;
    struct spectrum spectrum = {NAN, NAN};
    if (LAPACKE_dsygv(LAPACK_COL_MAJOR, 1, 'N', 'U', order, a, order, h, order, values) == 0)
        spectrum = (struct spectrum){values[0], values[d - 1]};
    free(a);
    free(h);
    free(values);
    return spectrum;
}

double relative_error(int64_t d, const double *A, const double *H) {
    const struct spectrum spectrum = relative_spectrum(d, A, H);
    return fmax(1.0 - spectrum.least, spectrum.largest - 1.0);
}
