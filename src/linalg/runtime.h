/* What the BLAS that was loaded says of itself. Debian's alternatives may put another one behind the same name, so functions
   that only OpenBLAS or only BLIS has are looked up while running, never linked. */
#ifndef SRL_LINALG_RUNTIME_H
#define SRL_LINALG_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>

void srl_blas_description(char *text, size_t size); /* "unknown" when it cannot be asked */
/* The kind of processor its kernels are for. */
const char *srl_blas_kernel(void); /* "unknown" when it cannot be asked */
int srl_blas_integer_bits(void);
int srl_blas_threads(void); /* 0 when it cannot be asked */
bool srl_blas_set_threads(int threads);

#endif
