#define _GNU_SOURCE /* RTLD_DEFAULT */
#include "linalg/runtime.h"

#include <dlfcn.h>
#include <stdint.h>
#include <string.h>

/* POSIX guarantees that dlsym's object pointer holds a function; ISO C has no cast for it, hence the copy. */
static bool find_function(const char *name, void *function_pointer) {
    void *symbol = dlsym(RTLD_DEFAULT, name);
    if (symbol == NULL)
        return false;
    memcpy(function_pointer, &symbol, sizeof symbol);
    return true;
}

const char *srl_blas_description(void) {
    char *(*config)(void);
    const char *text = find_function("openblas_get_config", (void *)&config) ? config() : NULL;
    return text != NULL ? text : "unknown";
}

const char *srl_blas_kernel(void) {
    char *(*core)(void);
    const char *text = find_function("openblas_get_corename", (void *)&core) ? core() : NULL;
    return text != NULL ? text : "unknown";
}

int srl_blas_threads(void) {
    int (*threads)(void);
    return find_function("openblas_get_num_threads", (void *)&threads) ? threads() : 0;
}

bool srl_blas_set_threads(int threads) {
    void (*set)(int);
    if (!find_function("openblas_set_num_threads", (void *)&set))
        return false;
    set(threads);
    return true;
}

/* The Fortran symbol itself, with the integer width left open: that is what is being asked. */
extern long idamax_(const int64_t *n, const double *x, const int64_t *stride);

/* n = 0xffffffff00000003 reads as 3 to a BLAS with 32-bit integers, which then finds the entry 2 of three, and as a negative
   number to one with 64-bit integers, which returns 0 as for any empty vector. Little-endian. */
int srl_blas_integer_bits(void) {
    const int64_t n = (int64_t)0xffffffff00000003u, stride = 1;
    const double x[3] = {0.0, 2.0, 1.0};
    return (int)idamax_(&n, x, &stride) == 2 ? 32 : 64;
}
