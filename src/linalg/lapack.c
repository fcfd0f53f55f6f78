/* Only the LAPACKE_*_work functions: no hidden allocation, no NaN scan, no transposition. */
#include "linalg/blas.h"

#include <math.h>
#include <string.h>

#include <lapacke.h>

static lapack_int narrow(int64_t size) { return (lapack_int)(size > 0 ? size : 1); }

int srl_potrf(int64_t order, double *s, int64_t lds) {
    if (order == 0)
        return 0;
    return (int)LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'L', (lapack_int)order, s, narrow(lds));
}

double srl_reciprocal_condition(int64_t order, const double *l, int64_t ldl, double norm, double *work, int32_t *indices) {
    double reciprocal = 0.0;
    if (LAPACKE_dpocon_work(LAPACK_COL_MAJOR, 'L', (lapack_int)order, l, narrow(ldl), norm, &reciprocal, work, indices) != 0)
        return 0.0;
    return reciprocal;
}

int srl_potrs(int64_t order, int64_t columns, const double *l, int64_t ldl, double *b, int64_t ldb) {
    if (order == 0 || columns == 0)
        return 0;
    return (int)LAPACKE_dpotrs_work(LAPACK_COL_MAJOR, 'L', (lapack_int)order, (lapack_int)columns, l, narrow(ldl), b,
                                    narrow(ldb));
}

int srl_potri(int64_t order, double *l, int64_t ldl) {
    if (order == 0)
        return 0;
    return (int)LAPACKE_dpotri_work(LAPACK_COL_MAJOR, 'L', (lapack_int)order, l, narrow(ldl));
}

/* dgelsy asks for mn + max(2 mn, 32 (columns + 1), 32 mn + 32 * 1) with its own block size of 32; twice that leaves room. */
int64_t srl_least_squares_work(int64_t rows, int64_t columns) { return 70 * ((rows < columns ? rows : columns) + columns + 1); }

int srl_least_squares(int64_t rows, int64_t columns, double *a, int64_t lda, double *b, int32_t *pivots, double *work) {
    int64_t longer = rows > columns ? rows : columns;
    lapack_int rank = 0;
    for (int64_t i = rows; i < longer; i++)
        b[i] = 0.0;
    for (int64_t j = 0; j < columns; j++)
        pivots[j] = 0; /* every column is free to be pivoted */
    return (int)LAPACKE_dgelsy_work(LAPACK_COL_MAJOR, (lapack_int)rows, (lapack_int)columns, 1, a, narrow(lda), b,
                                    narrow(longer), pivots, 1e-13, &rank, work,
                                    (lapack_int)srl_least_squares_work(rows, columns));
}

/* What dgeqp3 (2 columns + (columns + 1) 32), dgeqrf (32 columns) and dorgqr (32 rows) ask for. */
int64_t srl_reflectors_work(int64_t rows, int64_t columns) { return 36 * ((rows > columns ? rows : columns) + 1); }

int64_t srl_pivoted_reflectors(int64_t rows, int64_t columns, double *a, double tolerance, double *scalars, int32_t *pivots,
                               double *work) {
    const int64_t fewer = rows < columns ? rows : columns;
    int64_t rank = 0;
    for (int64_t j = 0; j < columns; j++)
        pivots[j] = 0;
    if (columns > 0) {
        const lapack_int info = LAPACKE_dgeqp3_work(LAPACK_COL_MAJOR, (lapack_int)rows, (lapack_int)columns, a, narrow(rows),
                                                    pivots, scalars, work, (lapack_int)srl_reflectors_work(rows, columns));
        if (info != 0)
            return info;
    }
    while (rank < fewer && fabs(a[rank + rank * rows]) > tolerance * fabs(a[0]))
        rank++;
    return rank;
}

int srl_reflectors(int64_t rows, int64_t columns, double *a, double *scalars, double *work) {
    if (columns == 0)
        return 0;
    return (int)LAPACKE_dgeqrf_work(LAPACK_COL_MAJOR, (lapack_int)rows, (lapack_int)columns, a, narrow(rows), scalars, work,
                                    (lapack_int)srl_reflectors_work(rows, columns));
}

/* columns reflector scalars, then what dgeqrf and dorgqr ask for. */
int64_t srl_orthonormal_work(int64_t rows, int64_t columns) { return columns + srl_reflectors_work(rows, columns); }

int srl_orthonormal(int64_t rows, int64_t columns, double *a, double *t, double *work) {
    if (columns == 0)
        return 0;
    int info = srl_reflectors(rows, columns, a, work, work + columns);
    for (int64_t j = 0; j < columns; j++)
        memcpy(t + j * columns, a + j * rows, (size_t)(j + 1) * sizeof *t);
    if (info == 0)
        info = (int)LAPACKE_dorgqr_work(LAPACK_COL_MAJOR, (lapack_int)rows, (lapack_int)columns, (lapack_int)columns, a,
                                        narrow(rows), work, work + columns, (lapack_int)srl_reflectors_work(rows, columns));
    return info;
}

/* dormqr works in blocks of 32 vectors, beside a triangle of 65 x 64. */
int64_t srl_reflect_work(int64_t columns) { return 32 * columns + 65 * 64; }

int srl_reflect(enum srl_transpose op, int64_t rows, int64_t columns, int64_t count, const double *reflectors,
                const double *scalars, double *c, double *work) {
    if (columns == 0 || count == 0)
        return 0;
    return (int)LAPACKE_dormqr_work(LAPACK_COL_MAJOR, 'L', op == SRL_PLAIN ? 'N' : 'T', (lapack_int)rows, (lapack_int)columns,
                                    (lapack_int)count, reflectors, narrow(rows), scalars, c, narrow(rows), work,
                                    (lapack_int)srl_reflect_work(columns));
}

int srl_inverse_triangle(int64_t rows, int64_t columns, double *a, double *scalars, double *work) {
    if (columns == 0)
        return 0;
    const int info = srl_reflectors(rows, columns, a, scalars, work);
    if (info != 0)
        return info;
    return (int)LAPACKE_dtrtri_work(LAPACK_COL_MAJOR, 'U', 'N', (lapack_int)columns, a, narrow(rows));
}

/* dsyevd asks for 1 + 6 n + 2 n^2 doubles, and behind them 3 + 5 n integers. Where the former are more than its integers can
   say, dsyev with 34 n does it. */
static int64_t syevd_doubles(int64_t order) { return 1 + 6 * order + 2 * order * order; }
static int64_t syevd_integers(int64_t order) { return 3 + 5 * order; }

int64_t srl_syev_work(int64_t order) {
    const int64_t doubles = syevd_doubles(order) > SRL_MAX_DIMENSION ? 34 * order : syevd_doubles(order);
    return doubles + syevd_integers(order) * (int64_t)sizeof(lapack_int) / (int64_t)sizeof(double) + 1;
}

int srl_syev(bool vectors, int64_t order, double *s, int64_t lds, double *w, double *work) {
    const char job = vectors ? 'V' : 'N';
    if (order == 0)
        return 0;
    if (syevd_doubles(order) > SRL_MAX_DIMENSION)
        return (int)LAPACKE_dsyev_work(LAPACK_COL_MAJOR, job, 'L', (lapack_int)order, s, narrow(lds), w, work,
                                       (lapack_int)(34 * order));
    lapack_int *integers = (lapack_int *)(void *)(work + syevd_doubles(order));
    return (int)LAPACKE_dsyevd_work(LAPACK_COL_MAJOR, job, 'L', (lapack_int)order, s, narrow(lds), w, work,
                                    narrow(syevd_doubles(order)), integers, narrow(syevd_integers(order)));
}

/* dsyevr asks for 26 n doubles, dsytrd in blocks for 38 n, and 10 n integers. */
static int64_t least_doubles(int64_t order) { return 40 * order; }
static int64_t least_integers(int64_t order) { return 10 * order; }

int64_t srl_least_eigenpair_work(int64_t order) {
    return least_doubles(order) + least_integers(order) * (int64_t)sizeof(lapack_int) / (int64_t)sizeof(double) + order + 1;
}

int srl_least_eigenpair(int64_t order, double *s, int64_t lds, double *eigenvalue, double *vector, double *work) {
    lapack_int found = 0, support[2], *integers = (lapack_int *)(void *)(work + order + least_doubles(order));
    const int info = (int)LAPACKE_dsyevr_work(LAPACK_COL_MAJOR, 'V', 'I', 'L', (lapack_int)order, s, narrow(lds), 0.0, 0.0, 1,
                                              1, 0.0, &found, work, vector, narrow(order), support, work + order,
                                              (lapack_int)least_doubles(order), integers, (lapack_int)least_integers(order));
    *eigenvalue = work[0];
    return info != 0 || found == 1 ? info : 1;
}
