#define _GNU_SOURCE /* dladdr, RTLD_DEFAULT */
#include "linalg/runtime.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* A Fortran symbol that every BLAS has, with the integer width left open: srl_blas_integer_bits asks for it. */
extern long idamax_(const int64_t *n, const double *x, const int64_t *stride);

/* ISO C has no cast between the pointers to objects that dlsym and dladdr know and those to functions, hence the copies. */
static bool look_up(void *library, const char *name, void *function_pointer) {
    void *symbol = dlsym(library, name);
    if (symbol == NULL)
        return false;
    memcpy(function_pointer, &symbol, sizeof symbol);
    return true;
}

/* A function of the library that computes for us, or of one it needs: another BLAS may be in the process too (a LAPACK made
   from OpenBLAS on top of BLIS, a numpy of its own), and what that one says is beside the point. A BLAS that was linked into
   the program has no library of its own: what the program sees then is the answer. */
static bool find_function(const char *name, void *function_pointer) {
    long (*const any)(const int64_t *, const double *, const int64_t *) = idamax_;
    void *address;
    Dl_info found;
    memcpy(&address, &any, sizeof address);
    void *blas = dladdr(address, &found) != 0 ? dlopen(found.dli_fname, RTLD_LAZY | RTLD_NOLOAD) : NULL;
    if (blas == NULL)
        return look_up(RTLD_DEFAULT, name, function_pointer);
    const bool known = look_up(blas, name, function_pointer);
    (void)dlclose(blas); /* it stays: this library is linked to it */
    return known;
}

void srl_blas_description(char *text, size_t size) {
    char *(*openblas)(void);
    char *(*blis)(void);
    if (find_function("openblas_get_config", (void *)&openblas)) {
        snprintf(text, size, "%s", openblas());
    } else if (find_function("bli_info_get_version_str", (void *)&blis)) {
        snprintf(text, size, "BLIS %s", blis());
    } else {
        snprintf(text, size, "unknown");
    }
}

const char *srl_blas_kernel(void) {
    char *(*core)(void);
    const char *text = find_function("openblas_get_corename", (void *)&core) ? core() : NULL;
    return text != NULL ? text : "unknown";
}

/* BLIS counts in 64 bits, and answers -1 where nobody has told it how many. */
int srl_blas_threads(void) {
    int (*openblas)(void);
    int64_t (*blis)(void);
    if (find_function("openblas_get_num_threads", (void *)&openblas))
        return openblas();
    if (find_function("bli_thread_get_num_threads", (void *)&blis) && blis() > 0)
        return (int)blis();
    return 0;
}

bool srl_blas_set_threads(int threads) {
    void (*openblas)(int);
    void (*blis)(int64_t);
    if (find_function("openblas_set_num_threads", (void *)&openblas)) {
        openblas(threads);
    } else if (find_function("bli_thread_set_num_threads", (void *)&blis)) {
        blis(threads);
    } else {
        return false;
    }
    return true;
}

/* n = 0xffffffff00000003 reads as 3 to a BLAS with 32-bit integers, which then finds the entry 2 of three, and as a negative
   number to one with 64-bit integers, which returns 0 as for any empty vector. Little-endian. */
int srl_blas_integer_bits(void) {
    const int64_t n = (int64_t)0xffffffff00000003u, stride = 1;
    const double x[3] = {0.0, 2.0, 1.0};
    return (int)idamax_(&n, x, &stride) == 2 ? 32 : 64;
}
