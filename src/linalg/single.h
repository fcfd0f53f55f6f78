/* Products of a matrix in single precision with vectors in double: every entry is widened on its way, every sum is double. Half
   the memory traffic of the same product with doubles, and but for the order of its sums the same result. */
#ifndef SRL_LINALG_SINGLE_H
#define SRL_LINALG_SINGLE_H

#include "linalg/blas.h"

/* srl_gemv() for such a matrix, of at least one row and one column. */
void srl_gemv_of_single(enum srl_transpose op, double alpha, const struct srl_matrix *a, const double *x, double beta,
                        double *y);

#endif
