#include "support/eigenvalues.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void eigenvalues(int64_t order, const long double *matrix, long double *least, long double *largest) {
    long double *a = test_long_doubles(order * order);
    memcpy(a, matrix, (size_t)(order * order) * sizeof *a);
    long double off = 1.0L, size = 0.0L;
    for (int64_t k = 0; k < order * order; k++)
        size = fmaxl(size, fabsl(a[k]));
    for (int sweep = 0; sweep < 60 && off > 1e-19L * size; sweep++) {
        off = 0.0L;
        for (int64_t p = 0; p < order; p++)
            for (int64_t q = p + 1; q < order; q++) {
                off = fmaxl(off, fabsl(a[p * order + q]));
                if (a[p * order + q] == 0.0L)
                    continue;
                const long double theta = (a[q * order + q] - a[p * order + p]) / (2 * a[p * order + q]);
                const long double t = (theta < 0 ? -1.0L : 1.0L) / (fabsl(theta) + sqrtl(theta * theta + 1));
                const long double c = 1 / sqrtl(t * t + 1), s = t * c;
                for (int64_t k = 0; k < order; k++) {
                    const long double kp = a[k * order + p], kq = a[k * order + q];
                    a[k * order + p] = c * kp - s * kq;
                    a[k * order + q] = s * kp + c * kq;
                }
                for (int64_t k = 0; k < order; k++) {
                    const long double pk = a[p * order + k], qk = a[q * order + k];
                    a[p * order + k] = c * pk - s * qk;
                    a[q * order + k] = s * pk + c * qk;
                }
            }
    }
    *least = *largest = a[0];
    for (int64_t k = 1; k < order; k++) {
        *least = fminl(*least, a[k * order + k]);
        *largest = fmaxl(*largest, a[k * order + k]);
    }
    free(a);
}
