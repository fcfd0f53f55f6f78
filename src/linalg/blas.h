/*
 * The seam to BLAS and LAPACK: only src/linalg names either. Sizes are int64_t here and the BLAS's 32-bit integers behind;
 * SRL_MAX_DIMENSION bounds every size and leading dimension, and is checked once, where problems are created.
 *
 * Symmetric matrices are column-major with only the lower triangle read and written, unless a comment says "full".
 */
#ifndef SRL_LINALG_BLAS_H
#define SRL_LINALG_BLAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "linalg/matrix.h"

#define SRL_MAX_DIMENSION INT32_MAX

enum srl_transpose { SRL_PLAIN, SRL_TRANSPOSED };

/* y = alpha op(A) x + beta y; y is not read when beta = 0. A is read once, a mapped one by blocks of rows that are let go of.
   Sizes of 0 are allowed everywhere in this file. */
void srl_gemv(enum srl_transpose op, double alpha, const struct srl_matrix *a, const double *x, double beta, double *y);
/* C = (rows first to first + count of A, let go of) B, with B (A's columns x columns) and C row-major without gaps. */
void srl_gemm_rows(const struct srl_matrix *a, int64_t first, int64_t count, int64_t columns, const double *b, double *c);
/* C = op(A) B, with op(A) (rows x inner), B (inner x columns) and C row-major with leading dimensions; a transposed A lies in
   memory as inner x rows. */
void srl_gemm(enum srl_transpose op, int64_t rows, int64_t columns, int64_t inner, const double *a, int64_t lda,
              const double *b, int64_t ldb, double *c, int64_t ldc);
/* C += op(A) B, likewise. */
void srl_gemm_add(enum srl_transpose op, int64_t rows, int64_t columns, int64_t inner, const double *a, int64_t lda,
                  const double *b, int64_t ldb, double *c, int64_t ldc);
/* C = A B', with A (rows x inner), B (columns x inner) and C (rows x columns) row-major without gaps. */
void srl_gemm_of_rows(int64_t rows, int64_t columns, int64_t inner, const double *a, const double *b, double *c);
/* S = alpha B' B + beta S, lower triangle, with B (rows x order) row-major, leading dimension ldb. */
void srl_syrk(int64_t order, int64_t rows, double alpha, const double *b, int64_t ldb, double beta, double *s, int64_t lds);
/* S = B B', likewise, with B (order x columns): the Gram matrix of its rows. */
void srl_syrk_of_rows(int64_t order, int64_t columns, const double *b, int64_t ldb, double *s, int64_t lds);
/* gemm and syrk in single precision. */
void srl_gemm_single(enum srl_transpose op, int64_t rows, int64_t columns, int64_t inner, const float *a, int64_t lda,
                     const float *b, int64_t ldb, float *c, int64_t ldc);
void srl_gemm_add_single(enum srl_transpose op, int64_t rows, int64_t columns, int64_t inner, const float *a, int64_t lda,
                         const float *b, int64_t ldb, float *c, int64_t ldc);
/* y = op(A) x for A (rows x columns) row-major. */
void srl_gemv_single(enum srl_transpose op, int64_t rows, int64_t columns, const float *a, int64_t lda, const float *x,
                     float *y);
void srl_syrk_single(int64_t order, int64_t rows, float alpha, const float *b, int64_t ldb, float beta, float *s, int64_t lds);
/* S += alpha v v', lower triangle. */
void srl_syr(int64_t order, double alpha, const double *v, double *s, int64_t lds);
/* y = S x for a symmetric S given by its lower triangle. */
void srl_symv(int64_t order, const double *s, int64_t lds, const double *x, double *y);
/* B = L^-1 B (plain) or L^-T B (transposed) for columns x of B (order x columns, column-major). */
void srl_trsm_lower(enum srl_transpose op, int64_t order, int64_t columns, const double *l, int64_t ldl, double *b,
                    int64_t ldb);
/* B = B L^-T for B (rows x order, column-major). */
void srl_trsm_of_rows(int64_t rows, int64_t order, const double *l, int64_t ldl, double *b, int64_t ldb);
/* B = L B (plain) or L' B (transposed) for columns of B, as above. */
void srl_trmm_lower(enum srl_transpose op, int64_t order, int64_t columns, const double *l, int64_t ldl, double *b,
                    int64_t ldb);

double srl_dot(int64_t length, const double *x, const double *y);
double srl_norm(int64_t length, const double *x);                      /* Euclidean, without undue overflow */
double srl_distance(int64_t length, const double *x, const double *y); /* |x - y|, likewise */
void srl_axpy(int64_t length, double alpha, const double *x, double *y);
void srl_scale(int64_t length, double alpha, double *x);
void srl_divide(int64_t length, double divisor, double *x); /* also by numbers without a reciprocal, below 1e-308 */
double srl_max_abs(int64_t length, const double *x);
/* Whether no entry of the lower triangle of S is NaN or infinite. */
bool srl_is_finite(int64_t order, const double *s, int64_t lds);

/* Cholesky S = L L' in place in the lower triangle. 0: done; k > 0: the leading minor of order k is not positive definite
   (or not finite); < 0: LAPACK refused an argument. */
int srl_potrf(int64_t order, double *s, int64_t lds);
/* 1 / (norm |S^-1|), for the norm of S or another number, by an estimate of |S^-1|, both the largest sums of a column. 0 where
   LAPACK refused. work: 3 order, indices: order. */
double srl_reciprocal_condition(int64_t order, const double *l, int64_t ldl, double norm, double *work, int32_t *indices);
/* Solves L L' X = B in place for columns right-hand sides (column-major). 0, or < 0 as above. */
int srl_potrs(int64_t order, int64_t columns, const double *l, int64_t ldl, double *b, int64_t ldb);
/* The inverse of L L' in place of L, lower triangle. 0, or < 0 as above. */
int srl_potri(int64_t order, double *l, int64_t ldl);
/* Minimises |A x - b| for A (rows x columns, column-major, destroyed) by a rank-revealing orthogonal factorisation, the
   shortest x where A is rank-deficient at 1e-13. b (max(rows, columns)) holds b on entry, x on exit. pivots: columns entries.
   work: srl_least_squares_work(rows, columns) doubles. 0, or < 0 as above. */
int64_t srl_least_squares_work(int64_t rows, int64_t columns);
int srl_least_squares(int64_t rows, int64_t columns, double *a, int64_t lda, double *b, int32_t *pivots, double *work);
/* Householder's QR of A (rows x columns, column-major): R into the upper triangle, the reflectors that make up Q below it and
   into scalars (min(rows, columns)). Pivoted: the columns in an order of falling pivots; returns how many of these are more
   than tolerance times the first, the rank. < 0: LAPACK refused. pivots: columns entries, work: srl_reflectors_work(). */
int64_t srl_reflectors_work(int64_t rows, int64_t columns);
int srl_reflectors(int64_t rows, int64_t columns, double *a, double *scalars, double *work);
int64_t srl_pivoted_reflectors(int64_t rows, int64_t columns, double *a, double tolerance, double *scalars, int32_t *pivots,
                               double *work);
/* C = Q C or Q'C for the Q of the first count reflectors, C (rows x columns, column-major). work: srl_reflect_work(columns). */
int64_t srl_reflect_work(int64_t columns);
int srl_reflect(enum srl_transpose op, int64_t rows, int64_t columns, int64_t count, const double *reflectors,
                const double *scalars, double *c, double *work);
/* A = QT for A (rows x columns, rows >= columns, column-major), Q in its place, T upper triangular (columns x columns).
   Q is orthonormal whatever the rank. 0, or < 0 as above. work: srl_orthonormal_work(rows, columns) doubles. */
int64_t srl_orthonormal_work(int64_t rows, int64_t columns);
int srl_orthonormal(int64_t rows, int64_t columns, double *a, double *t, double *work);
/* Inverse of the triangle R of A = QR (rows x columns, rows >= columns, column-major, destroyed) into the upper triangle of A.
   0; > 0: R is singular; < 0: LAPACK refused. scalars: columns; work: srl_reflectors_work(rows, columns) doubles. */
int srl_inverse_triangle(int64_t rows, int64_t columns, double *a, double *scalars, double *work);
/* Eigenvalues of a symmetric matrix (lower triangle, destroyed) in ascending order into w; with vectors, they replace S, by
   divide and conquer.
   work: srl_syev_work(order) doubles. 0, > 0 no convergence, < 0 refused. */
int64_t srl_syev_work(int64_t order);
int srl_syev(bool vectors, int64_t order, double *s, int64_t lds, double *w, double *work);
/* The least eigenvalue and its vector alone (order >= 1), by bisection; S is destroyed. work: srl_least_eigenpair_work(order)
   doubles. 0, > 0 no convergence, < 0 refused. */
int64_t srl_least_eigenpair_work(int64_t order);
int srl_least_eigenpair(int64_t order, double *s, int64_t lds, double *eigenvalue, double *vector, double *work);

#endif
