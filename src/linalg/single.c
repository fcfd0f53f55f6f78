#include "linalg/single.h"

#include <string.h>

/* VECTORS of the matrix at a time, so that x or y is read once for all of them. */
enum { LANES = 8, VECTORS = 4 };
typedef double doubles __attribute__((vector_size(LANES * sizeof(double))));
typedef float floats __attribute__((vector_size(LANES * sizeof(float))));

/* What runs on any machine, and what wider ones do faster. */
#define TARGET
#define KERNEL(name) name##_plain
#include "linalg/single_kernels.h"
#if defined(__x86_64__)
#define TARGET __attribute__((target("avx2")))
#define KERNEL(name) name##_avx2
#include "linalg/single_kernels.h"
#define TARGET __attribute__((target("avx512f")))
#define KERNEL(name) name##_avx512
#include "linalg/single_kernels.h"
#endif

struct kernels {
    void (*dots)(const float *a, int64_t ld, int64_t length, const double *x, double *sums);
    double (*dot)(const float *a, int64_t length, const double *x);
    void (*combine)(const float *a, int64_t ld, int64_t length, const double *weights, double *restrict y);
};

static struct kernels kernels_of_machine(void) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f"))
        return (struct kernels){dots_avx512, dot_avx512, combine_avx512};
    if (__builtin_cpu_supports("avx2"))
        return (struct kernels){dots_avx2, dot_avx2, combine_avx2};
#endif
    return (struct kernels){dots_plain, dot_plain, combine_plain};
}

static double onto(double sum, double alpha, double beta, double y) { return alpha * sum + (beta == 0.0 ? 0.0 : beta * y); }

/* y_v = alpha (vector v, x) + beta y_v. */
static void along(const struct srl_matrix *a, double alpha, const double *x, double beta, double *y) {
    const struct kernels kernels = kernels_of_machine();
    const int64_t vectors = srl_vectors(a), length = srl_vector_length(a);
    int64_t v = 0;
    for (; v + VECTORS <= vectors; v += VECTORS) {
        double sums[VECTORS];
        kernels.dots(a->single + v * a->ld, a->ld, length, x, sums);
        for (int k = 0; k < VECTORS; k++)
            y[v + k] = onto(sums[k], alpha, beta, y[v + k]);
    }
    for (; v < vectors; v++)
        y[v] = onto(kernels.dot(a->single + v * a->ld, length, x), alpha, beta, y[v]);
}

/* y = alpha sum of x_v (vector v) + beta y. */
static void across(const struct srl_matrix *a, double alpha, const double *x, double beta, double *y) {
    const struct kernels kernels = kernels_of_machine();
    const int64_t vectors = srl_vectors(a), length = srl_vector_length(a);
    for (int64_t i = 0; i < length && beta != 1.0; i++)
        y[i] = beta == 0.0 ? 0.0 : beta * y[i];
    int64_t v = 0;
    for (; v + VECTORS <= vectors; v += VECTORS) {
        double weights[VECTORS];
        for (int k = 0; k < VECTORS; k++)
            weights[k] = alpha * x[v + k];
        kernels.combine(a->single + v * a->ld, a->ld, length, weights, y);
    }
    for (; v < vectors; v++)
        for (int64_t i = 0; i < length; i++)
            y[i] += (double)a->single[v * a->ld + i] * (alpha * x[v]);
}

void srl_gemv_of_single(enum srl_transpose op, double alpha, const struct srl_matrix *a, const double *x, double beta,
                        double *y) {
    if ((op == SRL_PLAIN) == a->row_major)
        along(a, alpha, x, beta, y);
    else
        across(a, alpha, x, beta, y);
}
