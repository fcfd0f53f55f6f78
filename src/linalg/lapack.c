/* Only the LAPACKE_*_work functions: no hidden allocation, no NaN scan, no transposition. */
#include "linalg/blas.h"

#include <lapacke.h>

static lapack_int narrow(int64_t size) { return (lapack_int)(size > 0 ? size : 1); }

int srl_potrf(int64_t order, double *s, int64_t lds) {
    if (order == 0)
        return 0;
    return (int)LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'L', (lapack_int)order, s, narrow(lds));
}

int srl_potrs(int64_t order, int64_t columns, const double *l, int64_t ldl, double *b, int64_t ldb) {
    if (order == 0 || columns == 0)
        return 0;
    return (int)LAPACKE_dpotrs_work(LAPACK_COL_MAJOR, 'L', (lapack_int)order, (lapack_int)columns, l, narrow(ldl), b,
                                    narrow(ldb));
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

int64_t srl_syev_work(int64_t order) { return order < 1 ? 1 : 34 * order; }

int srl_syev(bool vectors, int64_t order, double *s, int64_t lds, double *w, double *work) {
    if (order == 0)
        return 0;
    return (int)LAPACKE_dsyev_work(LAPACK_COL_MAJOR, vectors ? 'V' : 'N', 'L', (lapack_int)order, s, narrow(lds), w, work,
                                   (lapack_int)srl_syev_work(order));
}
