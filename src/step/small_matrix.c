#include "step/small_matrix.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* What a large Cholesky factorisation does in the time that one operation on small matrices, or one on few columns with a large
   triangle, takes. Measured, d from 32 to 1200: both forms take as long at k = 11, 13, 25, 50 and 120 rows with an L of d = 64,
   128, 200, 400 and 784. */
static const double SLOWER = 3.0, TRIANGLE = 2.0;
/* Of R over its mean diagonal entry, the least that 1 / |R^-1| may be: a solution with L keeps half of its digits. */
static const double LEAST_ROOT = 1e-8;

int64_t srl_small_matrix_most(int64_t d) { return d / 2; }

bool srl_small_matrix_pays(int64_t d, int64_t count, bool with_root) {
    const double size = (double)d, rows = (double)count, update = rows * size * size;
    const double whitening = with_root ? TRIANGLE * update : 0.0;
    return count <= srl_small_matrix_most(d) &&
           SLOWER * (4.0 * size * rows * rows + 10.0 * rows * rows * rows) + whitening < size * size * size / 3.0 + update;
}

bool srl_small_matrix_find_root(int64_t d, const double *curvature, double *rho, double *root, double *work, int32_t *indices) {
    *rho = 0.0;
    for (int64_t k = 0; k < d; k++)
        *rho += curvature[k + k * d] / (double)d;
    if (!(*rho > 0.0) || !isfinite(*rho))
        return false;
    for (int64_t k = 0; k < d; k++) /* memory above the triangle stays untouched */
        for (int64_t i = k; i < d; i++)
            root[i + k * d] = curvature[i + k * d] / *rho;
    return srl_potrf(d, root, d) == 0 && srl_reciprocal_condition(d, root, d, 1.0, work, indices) > LEAST_ROOT;
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
    memcpy(small->orthonormal, small->rows, (size_t)(k * d) * sizeof *small->rows);
    if (small->root != NULL)
        srl_trsm_lower(SRL_PLAIN, d, k, small->root, d, small->orthonormal, d);
    if (!isfinite(srl_norm(k * d, small->orthonormal)))
        return false;
    if (srl_orthonormal(d, k, small->orthonormal, small->triangle, small->work) != 0)
        return false;
    weigh_triangle(small, small->triangle, small->vectors);
    if (srl_syev(true, k, small->vectors, k, small->eigenvalues, small->work) != 0)
        return false;
    srl_gemm(SRL_PLAIN, k, d, k, small->vectors, k, small->orthonormal, d, small->basis, d); /* P' = Q'U', row-major */
    return true;
}

bool srl_small_matrix_is_definite(const struct srl_small_matrix *small, double shift) {
    const double rest = small->rho + shift, least = small->count > 0 ? fmin(0.0, small->eigenvalues[0]) : 0.0;
    const double largest = small->count > 0 ? fmax(-least, small->eigenvalues[small->count - 1]) : 0.0;
    return rest + least > DBL_EPSILON * (double)(small->count + 1) * (rest + largest);
}

/* Diagonal entry k of R. */
static double diagonal_of_curvature(const struct srl_small_matrix *small, int64_t k) {
    return small->curvature != NULL ? small->curvature[k + k * small->d] : small->rho;
}

double srl_small_matrix_diagonal(const struct srl_small_matrix *small, double shift, int64_t k) {
    double sum = diagonal_of_curvature(small, k) * (1.0 + shift / small->rho);
    for (int64_t i = 0; i < small->count; i++)
        sum += small->signs[i] * small->rows[i * small->d + k] * small->rows[i * small->d + k];
    return sum;
}

void srl_small_matrix_expand(const struct srl_small_matrix *small, double *hessian) {
    const int64_t d = small->d;
    if (small->curvature != NULL)
        memcpy(hessian, small->curvature, (size_t)(d * d) * sizeof *hessian);
    else
        memset(hessian, 0, (size_t)(d * d) * sizeof *hessian);
    for (int64_t k = 0; k < d; k++)
        hessian[k + k * d] = diagonal_of_curvature(small, k);
    for (int64_t first = 0, end; first < small->count; first = end) { /* runs of one sign */
        for (end = first + 1; end < small->count && small->signs[end] == small->signs[first];)
            end++;
        srl_syrk(d, end - first, small->signs[first], small->rows + first * d, d, 1.0, hessian, d);
    }
}

void srl_small_matrix_product(const struct srl_small_matrix *small, double shift, const double *x, double *product) {
    const struct srl_matrix rows = {small->rows, small->count, small->d, small->d, true};
    double *along = small->coefficients;
    srl_gemv(SRL_PLAIN, 1.0, &rows, x, 0.0, along);
    for (int64_t i = 0; i < small->count; i++)
        along[i] *= small->signs[i];
    if (small->curvature != NULL)
        srl_symv(small->d, small->curvature, small->d, x, product);
    else
        memcpy(product, x, (size_t)small->d * sizeof *product);
    srl_scale(small->d, small->curvature != NULL ? 1.0 + shift / small->rho : small->rho + shift, product);
    srl_gemv(SRL_TRANSPOSED, 1.0, &rows, along, 1.0, product);
}

/* B = K^-1 B; orthonormal, which P has been made from, is scratch by now. */
static void solve_between(const struct srl_small_matrix *small, double shift, int64_t columns, double *b) {
    const int64_t d = small->d, k = small->count;
    const struct srl_matrix basis = {small->basis, d, k, d, false};
    const double rest = small->rho + shift, root = sqrt(rest);
    double *along = columns == 1 ? small->coefficients : small->orthonormal; /* P'B, a row for each column of B */
    if (columns == 1)
        srl_gemv(SRL_TRANSPOSED, 1.0, &basis, b, 0.0, along);
    else
        srl_gemm_of_rows(columns, k, d, b, small->basis, along);
    for (int64_t i = 0; i < k; i++) {
        const double factor = root / sqrt(rest + small->eigenvalues[i]) - 1.0;
        for (int64_t j = 0; j < columns; j++)
            along[i + j * k] *= factor;
    }
    if (columns == 1)
        srl_gemv(SRL_PLAIN, 1.0, &basis, along, 1.0, b);
    else
        srl_gemm_add(SRL_PLAIN, columns, d, k, along, k, small->basis, d, b, d);
    srl_scale(columns * d, 1.0 / root, b);
}

void srl_small_matrix_solve(const struct srl_small_matrix *small, double shift, enum srl_transpose op, int64_t columns,
                            double *b) {
    const int64_t d = small->d;
    if (small->root != NULL && op == SRL_PLAIN)
        srl_trsm_lower(SRL_PLAIN, d, columns, small->root, d, b, d);
    solve_between(small, shift, columns, b);
    if (small->root != NULL && op == SRL_TRANSPOSED)
        srl_trsm_lower(SRL_TRANSPOSED, d, columns, small->root, d, b, d);
}
