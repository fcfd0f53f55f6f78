#include "linalg/blas.h"

#include <assert.h>
#include <cblas.h>
#include <math.h>
#include <string.h>

#include "linalg/single.h"

/* Narrowing to the BLAS's integer. Public sizes were checked against SRL_MAX_DIMENSION; a failure here is our own bug. */
static int narrow(int64_t size) {
    assert(size >= 0 && size <= SRL_MAX_DIMENSION);
    return (int)size;
}

/* BLAS wants a leading dimension >= 1 even for empty matrices. */
static int leading(int64_t ld) { return ld > 0 ? narrow(ld) : 1; }

static void multiply_by_blocks(enum srl_transpose op, double alpha, const struct srl_matrix *a, const double *x, double beta,
                               double *y) {
    const int64_t most = srl_rows_at_once(a);
    for (int64_t first = 0; first < a->rows; first += most) {
        const int64_t rows = a->rows - first < most ? a->rows - first : most;
        const struct srl_matrix block = srl_some_rows(a, first, rows);
        if (op == SRL_PLAIN)
            srl_gemv(op, alpha, &block, x, beta, y + first);
        else
            srl_gemv(op, alpha, &block, x + first, first > 0 ? 1.0 : beta, y);
        srl_let_go(a, first, rows);
    }
}

void srl_gemv(enum srl_transpose op, double alpha, const struct srl_matrix *a, const double *x, double beta, double *y) {
    int64_t length = op == SRL_PLAIN ? a->rows : a->columns;
    int64_t inner = op == SRL_PLAIN ? a->columns : a->rows;
    if (length == 0)
        return;
    if (inner == 0) { /* BLAS returns early here without scaling y */
        for (int64_t i = 0; i < length; i++)
            y[i] = beta == 0.0 ? 0.0 : beta * y[i];
        return;
    }
    if (a->mapped) {
        multiply_by_blocks(op, alpha, a, x, beta, y);
        return;
    }
    if (a->single != NULL) {
        srl_gemv_of_single(op, alpha, a, x, beta, y);
        return;
    }
    cblas_dgemv(a->row_major ? CblasRowMajor : CblasColMajor, op == SRL_PLAIN ? CblasNoTrans : CblasTrans, narrow(a->rows),
                narrow(a->columns), alpha, a->data, leading(a->ld), x, 1, beta, y, 1);
}

static void multiply(enum srl_transpose op, int64_t rows, int64_t columns, int64_t inner, const double *a, int64_t lda,
                     const double *b, int64_t ldb, double beta, double *c, int64_t ldc) {
    if (rows == 0 || columns == 0)
        return;
    cblas_dgemm(CblasRowMajor, op == SRL_PLAIN ? CblasNoTrans : CblasTrans, CblasNoTrans, narrow(rows), narrow(columns),
                narrow(inner), 1.0, a, leading(lda), b, leading(ldb), beta, c, leading(ldc));
}

void srl_gemm(enum srl_transpose op, int64_t rows, int64_t columns, int64_t inner, const double *a, int64_t lda,
              const double *b, int64_t ldb, double *c, int64_t ldc) {
    multiply(op, rows, columns, inner, a, lda, b, ldb, 0.0, c, ldc);
}

void srl_gemm_add(enum srl_transpose op, int64_t rows, int64_t columns, int64_t inner, const double *a, int64_t lda,
                  const double *b, int64_t ldb, double *c, int64_t ldc) {
    multiply(op, rows, columns, inner, a, lda, b, ldb, 1.0, c, ldc);
}

void srl_gemm_of_rows(int64_t rows, int64_t columns, int64_t inner, const double *a, const double *b, double *c) {
    if (rows > 0 && columns > 0)
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, narrow(rows), narrow(columns), narrow(inner), 1.0, a,
                    leading(inner), b, leading(inner), 0.0, c, leading(columns));
}

/* Of a matrix in single precision tile by tile, each widened on the stack: exactly, so the product is that of the widened
 * matrix. */
static void multiply_widened(const struct srl_matrix *a, int64_t columns, const double *b, double *c) {
    enum { ROWS = 64, INNER = 128 };
    double tile[ROWS * INNER];
    for (int64_t i = 0; i < a->rows; i += ROWS)
        for (int64_t k = 0; k < a->columns; k += INNER) {
            const struct srl_range rows = {NULL, i, a->rows - i < ROWS ? a->rows - i : ROWS};
            const struct srl_range inner = {NULL, k, a->columns - k < INNER ? a->columns - k : INNER};
            srl_gather(a, rows, inner, tile);
            multiply(a->row_major ? SRL_PLAIN : SRL_TRANSPOSED, rows.count, columns, inner.count, tile,
                     a->row_major ? inner.count : rows.count, b + k * columns, columns, k > 0 ? 1.0 : 0.0, c + i * columns,
                     columns);
        }
}

void srl_gemm_rows(const struct srl_matrix *a, int64_t first, int64_t count, int64_t columns, const double *b, double *c) {
    const struct srl_matrix rows = srl_some_rows(a, first, count);
    if (a->single != NULL)
        multiply_widened(&rows, columns, b, c);
    else
        multiply(a->row_major ? SRL_PLAIN : SRL_TRANSPOSED, count, columns, a->columns, rows.data, a->ld, b, columns, 0.0, c,
                 columns);
    srl_let_go(a, first, count);
}

static void multiply_single(enum srl_transpose op, int64_t rows, int64_t columns, int64_t inner, const float *a, int64_t lda,
                            const float *b, int64_t ldb, float beta, float *c, int64_t ldc) {
    if (rows == 0 || columns == 0)
        return;
    cblas_sgemm(CblasRowMajor, op == SRL_PLAIN ? CblasNoTrans : CblasTrans, CblasNoTrans, narrow(rows), narrow(columns),
                narrow(inner), 1.0F, a, leading(lda), b, leading(ldb), beta, c, leading(ldc));
}

void srl_gemm_single(enum srl_transpose op, int64_t rows, int64_t columns, int64_t inner, const float *a, int64_t lda,
                     const float *b, int64_t ldb, float *c, int64_t ldc) {
    multiply_single(op, rows, columns, inner, a, lda, b, ldb, 0.0F, c, ldc);
}

void srl_gemm_add_single(enum srl_transpose op, int64_t rows, int64_t columns, int64_t inner, const float *a, int64_t lda,
                         const float *b, int64_t ldb, float *c, int64_t ldc) {
    multiply_single(op, rows, columns, inner, a, lda, b, ldb, 1.0F, c, ldc);
}

void srl_gemv_single(enum srl_transpose op, int64_t rows, int64_t columns, const float *a, int64_t lda, const float *x,
                     float *y) {
    const int64_t length = op == SRL_PLAIN ? rows : columns;
    if (rows == 0 || columns == 0)
        memset(y, 0, (size_t)length * sizeof *y);
    else
        cblas_sgemv(CblasRowMajor, op == SRL_PLAIN ? CblasNoTrans : CblasTrans, narrow(rows), narrow(columns), 1.0F, a,
                    leading(lda), x, 1, 0.0F, y, 1);
}

void srl_syrk_single(int64_t order, int64_t rows, float alpha, const float *b, int64_t ldb, float beta, float *s, int64_t lds) {
    if (order > 0)
        cblas_ssyrk(CblasColMajor, CblasLower, CblasNoTrans, narrow(order), narrow(rows), alpha, b, leading(ldb), beta, s,
                    leading(lds));
}

void srl_syrk(int64_t order, int64_t rows, double alpha, const double *b, int64_t ldb, double beta, double *s, int64_t lds) {
    if (order == 0)
        return;
    /* a row-major rows x order matrix is a column-major order x rows one: S = alpha B B' in column-major terms */
    cblas_dsyrk(CblasColMajor, CblasLower, CblasNoTrans, narrow(order), narrow(rows), alpha, b, leading(ldb), beta, s,
                leading(lds));
}

void srl_syrk_of_rows(int64_t order, int64_t columns, const double *b, int64_t ldb, double *s, int64_t lds) {
    if (order > 0)
        cblas_dsyrk(CblasColMajor, CblasLower, CblasTrans, narrow(order), narrow(columns), 1.0, b, leading(ldb), 0.0, s,
                    leading(lds));
}

void srl_syr(int64_t order, double alpha, const double *v, double *s, int64_t lds) {
    if (order > 0)
        cblas_dsyr(CblasColMajor, CblasLower, narrow(order), alpha, v, 1, s, leading(lds));
}

void srl_symv(int64_t order, const double *s, int64_t lds, const double *x, double *y) {
    if (order > 0)
        cblas_dsymv(CblasColMajor, CblasLower, narrow(order), 1.0, s, leading(lds), x, 1, 0.0, y, 1);
}

void srl_trsm_lower(enum srl_transpose op, int64_t order, int64_t columns, const double *l, int64_t ldl, double *b,
                    int64_t ldb) {
    if (order > 0 && columns == 1) /* without packing the triangle */
        cblas_dtrsv(CblasColMajor, CblasLower, op == SRL_PLAIN ? CblasNoTrans : CblasTrans, CblasNonUnit, narrow(order), l,
                    leading(ldl), b, 1);
    else if (order > 0 && columns > 0)
        cblas_dtrsm(CblasColMajor, CblasLeft, CblasLower, op == SRL_PLAIN ? CblasNoTrans : CblasTrans, CblasNonUnit,
                    narrow(order), narrow(columns), 1.0, l, leading(ldl), b, leading(ldb));
}

void srl_trsm_of_rows(int64_t rows, int64_t order, const double *l, int64_t ldl, double *b, int64_t ldb) {
    if (rows > 0 && order > 0)
        cblas_dtrsm(CblasColMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit, narrow(rows), narrow(order), 1.0, l,
                    leading(ldl), b, leading(ldb));
}

void srl_trmm_lower(enum srl_transpose op, int64_t order, int64_t columns, const double *l, int64_t ldl, double *b,
                    int64_t ldb) {
    if (order > 0 && columns > 0)
        cblas_dtrmm(CblasColMajor, CblasLeft, CblasLower, op == SRL_PLAIN ? CblasNoTrans : CblasTrans, CblasNonUnit,
                    narrow(order), narrow(columns), 1.0, l, leading(ldl), b, leading(ldb));
}

double srl_dot(int64_t length, const double *x, const double *y) { return cblas_ddot(narrow(length), x, 1, y, 1); }

double srl_distance(int64_t length, const double *x, const double *y) {
    double sum = 0.0;
    for (int64_t k = 0; k < length; k++)
        sum = hypot(sum, x[k] - y[k]);
    return sum;
}

double srl_norm(int64_t length, const double *x) {
    const double squares = srl_dot(length, x, x);
    if (squares > 1e-280 && squares < 1e280)
        return sqrt(squares);
    const double largest = srl_max_abs(length, x); /* squares may have left the range of double: scale first */
    if (!(largest > 0.0) || isinf(largest))
        return largest;
    double sum = 0.0;
    for (int64_t i = 0; i < length; i++)
        sum += (x[i] / largest) * (x[i] / largest);
    return largest * sqrt(sum);
}

void srl_axpy(int64_t length, double alpha, const double *x, double *y) { cblas_daxpy(narrow(length), alpha, x, 1, y, 1); }

void srl_scale(int64_t length, double alpha, double *x) { cblas_dscal(narrow(length), alpha, x, 1); }

void srl_divide(int64_t length, double divisor, double *x) {
    static const double SMALLEST = 1e-300;
    if (fabs(divisor) > SMALLEST && fabs(divisor) < 1.0 / SMALLEST) { /* its reciprocal keeps all digits */
        srl_scale(length, 1.0 / divisor, x);
        return;
    }
    for (int64_t i = 0; i < length; i++)
        x[i] /= divisor;
}

double srl_max_abs(int64_t length, const double *x) {
    double largest = 0.0;
    for (int64_t i = 0; i < length; i++) {
        const double size = fabs(x[i]);
        if (!(size <= largest)) { /* larger, or NaN */
            if (isnan(size))
                return size;
            largest = size;
        }
    }
    return largest;
}

bool srl_is_finite(int64_t order, const double *s, int64_t lds) {
    bool finite = true;
    for (int64_t k = 0; k < order && finite; k++)
        finite = srl_all_finite(order - k, s + k + k * lds);
    return finite;
}
