#include "step/small_matrix.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* One operation on small matrices takes as long as so many of a large Cholesky factorisation. */
static const double SLOWER = 3.0;

int64_t srl_small_matrix_most(int64_t d) { return d / 2; }

bool srl_small_matrix_pays(int64_t d, int64_t count) {
    const double size = (double)d, rows = (double)count;
    return count <= srl_small_matrix_most(d) &&
           SLOWER * (4.0 * size * rows * rows + 10.0 * rows * rows * rows) < size * size * size / 3.0 + rows * size * size;
}

void srl_small_matrix_carve(struct srl_arena *arena, struct srl_small_matrix *small, int64_t d, double *basis,
                            double *orthonormal) {
    const int64_t most = srl_small_matrix_most(d), qr = srl_orthonormal_work(d, most), eigen = srl_syev_work(most);
    small->d = d;
    small->most = most;
    small->rows = srl_arena_matrix(arena, most, d);
    small->signs = (signed char *)srl_arena_flags(arena, most);
    small->basis = basis;
    small->orthonormal = orthonormal;
    small->eigenvalues = srl_arena_doubles(arena, most);
    small->triangle = srl_arena_matrix(arena, most, most);
    small->vectors = srl_arena_matrix(arena, most, most);
    small->coefficients = srl_arena_doubles(arena, most);
    small->work = srl_arena_doubles(arena, qr > eigen ? qr : eigen);
}

/* T diag(s) T', lower triangle; T is upper triangular, column-major. */
static void weigh_triangle(const struct srl_small_matrix *small, const double *triangle, double *product) {
    const int64_t k = small->count;
    for (int64_t j = 0; j < k; j++)
        for (int64_t i = j; i < k; i++) {
            double sum = 0.0;
            for (int64_t l = i; l < k; l++)
                sum += small->signs[l] * triangle[i + l * k] * triangle[j + l * k];
            product[i + j * k] = sum;
        }
}

bool srl_small_matrix_decompose(struct srl_small_matrix *small) {
    const int64_t d = small->d, k = small->count;
    if (!isfinite(srl_norm(k * d, small->rows)))
        return false;
    memcpy(small->orthonormal, small->rows, (size_t)(k * d) * sizeof *small->rows);
    if (srl_orthonormal(d, k, small->orthonormal, small->triangle, small->work) != 0)
        return false;
    weigh_triangle(small, small->triangle, small->vectors);
    if (srl_syev(true, k, small->vectors, k, small->eigenvalues, small->work) != 0)
        return false;
    srl_gemm(SRL_PLAIN, k, d, k, small->vectors, k, small->orthonormal, d, small->basis, d); /* P' = W'U', row-major */
    return true;
}

bool srl_small_matrix_is_definite(const struct srl_small_matrix *small, double shift) {
    const double rest = small->rho + shift, least = small->count > 0 ? fmin(0.0, small->eigenvalues[0]) : 0.0;
    const double largest = small->count > 0 ? fmax(-least, small->eigenvalues[small->count - 1]) : 0.0;
    return rest + least > DBL_EPSILON * (double)(small->count + 1) * (rest + largest);
}

double srl_small_matrix_diagonal(const struct srl_small_matrix *small, int64_t k) {
    double sum = small->rho;
    for (int64_t i = 0; i < small->count; i++)
        sum += small->signs[i] * small->rows[i * small->d + k] * small->rows[i * small->d + k];
    return sum;
}

void srl_small_matrix_expand(const struct srl_small_matrix *small, double *hessian) {
    const int64_t d = small->d;
    memset(hessian, 0, (size_t)(d * d) * sizeof *hessian);
    for (int64_t k = 0; k < d; k++)
        hessian[k + k * d] = small->rho;
    for (int64_t first = 0, end; first < small->count; first = end) { /* runs of one sign */
        for (end = first + 1; end < small->count && small->signs[end] == small->signs[first];)
            end++;
        srl_syrk(d, end - first, small->signs[first], small->rows + first * d, d, 1.0, hessian, d);
    }
}

static struct srl_matrix basis_of(const struct srl_small_matrix *small) {
    return (struct srl_matrix){small->basis, small->d, small->count, small->d, false};
}

void srl_small_matrix_product(const struct srl_small_matrix *small, double shift, const double *x, double *product) {
    const struct srl_matrix basis = basis_of(small);
    double *along = small->coefficients;
    srl_gemv(SRL_TRANSPOSED, 1.0, &basis, x, 0.0, along);
    for (int64_t i = 0; i < small->count; i++)
        along[i] *= small->eigenvalues[i];
    for (int64_t k = 0; k < small->d; k++)
        product[k] = (small->rho + shift) * x[k];
    srl_gemv(SRL_PLAIN, 1.0, &basis, along, 1.0, product);
}

void srl_small_matrix_solve(const struct srl_small_matrix *small, double shift, double *x) {
    const struct srl_matrix basis = basis_of(small);
    const double rest = small->rho + shift, root = sqrt(rest);
    double *along = small->coefficients;
    srl_gemv(SRL_TRANSPOSED, 1.0, &basis, x, 0.0, along);
    for (int64_t i = 0; i < small->count; i++)
        along[i] *= root / sqrt(rest + small->eigenvalues[i]) - 1.0;
    srl_gemv(SRL_PLAIN, 1.0, &basis, along, 1.0, x);
    srl_scale(small->d, 1.0 / root, x);
}
