#include "linalg/single.h"

/* Sums in LANES that do not wait for each other, of VECTORS vectors at a time, so that x or y is read once for all of them. */
enum { LANES = 4, VECTORS = 4 };

/* sums = products of one vector with x. */
static double dot(const float *a, int64_t length, const double *x) {
    double lanes[LANES] = {0.0}, sum = 0.0;
    const int64_t whole = length - length % LANES;
    for (int64_t i = 0; i < whole; i += LANES)
        for (int lane = 0; lane < LANES; lane++)
            lanes[lane] += (double)a[i + lane] * x[i + lane];
    for (int64_t i = whole; i < length; i++)
        sum += (double)a[i] * x[i];
    return sum + ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3]));
}

/* The same of VECTORS vectors, each in the same order of sums. */
static void dots(const float *a, int64_t ld, int64_t length, const double *x, double *sums) {
    const float *a0 = a, *a1 = a + ld, *a2 = a + 2 * ld, *a3 = a + 3 * ld;
    double s0[LANES] = {0.0}, s1[LANES] = {0.0}, s2[LANES] = {0.0}, s3[LANES] = {0.0};
    const int64_t whole = length - length % LANES;
    for (int64_t i = 0; i < whole; i += LANES)
        for (int lane = 0; lane < LANES; lane++) {
            s0[lane] += (double)a0[i + lane] * x[i + lane];
            s1[lane] += (double)a1[i + lane] * x[i + lane];
            s2[lane] += (double)a2[i + lane] * x[i + lane];
            s3[lane] += (double)a3[i + lane] * x[i + lane];
        }
    for (int64_t i = whole; i < length; i++) {
        sums[0] += (double)a0[i] * x[i];
        sums[1] += (double)a1[i] * x[i];
        sums[2] += (double)a2[i] * x[i];
        sums[3] += (double)a3[i] * x[i];
    }
    sums[0] += (s0[0] + s0[1]) + (s0[2] + s0[3]);
    sums[1] += (s1[0] + s1[1]) + (s1[2] + s1[3]);
    sums[2] += (s2[0] + s2[1]) + (s2[2] + s2[3]);
    sums[3] += (s3[0] + s3[1]) + (s3[2] + s3[3]);
}

static double onto(double sum, double alpha, double beta, double y) { return alpha * sum + (beta == 0.0 ? 0.0 : beta * y); }

/* y_v = alpha (vector v, x) + beta y_v. */
static void along(const struct srl_matrix *a, double alpha, const double *x, double beta, double *y) {
    const int64_t vectors = srl_vectors(a), length = srl_vector_length(a), whole = vectors - vectors % VECTORS;
    for (int64_t v = 0; v < whole; v += VECTORS) {
        double sums[VECTORS] = {0.0};
        dots(a->single + v * a->ld, a->ld, length, x, sums);
        for (int k = 0; k < VECTORS; k++)
            y[v + k] = onto(sums[k], alpha, beta, y[v + k]);
    }
    for (int64_t v = whole; v < vectors; v++)
        y[v] = onto(dot(a->single + v * a->ld, length, x), alpha, beta, y[v]);
}

/* y += x_0 (vector 0) + ... of VECTORS vectors. */
static void combine(const float *a, int64_t ld, int64_t length, double alpha, const double *x, double *restrict y) {
    const float *a0 = a, *a1 = a + ld, *a2 = a + 2 * ld, *a3 = a + 3 * ld;
    const double x0 = alpha * x[0], x1 = alpha * x[1], x2 = alpha * x[2], x3 = alpha * x[3];
    for (int64_t i = 0; i < length; i++)
        y[i] += ((double)a0[i] * x0 + (double)a1[i] * x1) + ((double)a2[i] * x2 + (double)a3[i] * x3);
}

/* y = alpha sum of x_v (vector v) + beta y. */
static void across(const struct srl_matrix *a, double alpha, const double *x, double beta, double *restrict y) {
    const int64_t vectors = srl_vectors(a), length = srl_vector_length(a), whole = vectors - vectors % VECTORS;
    for (int64_t i = 0; i < length && beta != 1.0; i++)
        y[i] = beta == 0.0 ? 0.0 : beta * y[i];
    for (int64_t v = 0; v < whole; v += VECTORS)
        combine(a->single + v * a->ld, a->ld, length, alpha, x + v, y);
    for (int64_t v = whole; v < vectors; v++) {
        const float *vector = a->single + v * a->ld;
        const double weight = alpha * x[v];
        for (int64_t i = 0; i < length; i++)
            y[i] += (double)vector[i] * weight;
    }
}

void srl_gemv_of_single(enum srl_transpose op, double alpha, const struct srl_matrix *a, const double *x, double beta,
                        double *y) {
    if ((op == SRL_PLAIN) == a->row_major)
        along(a, alpha, x, beta, y);
    else
        across(a, alpha, x, beta, y);
}
