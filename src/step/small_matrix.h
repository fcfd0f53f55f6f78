/*
 * A Newton matrix that is a multiple of the identity plus little: with few outputs, many inputs and no weights w,
 *
 *     H = rho I + V' diag(s) V,    V: the rows sqrt|r_j| C_j with the signs of r_j, then those of held kinks and bounds,
 *
 * k rows in all, k much smaller than d. With V' = U T by Householder's QR (U orthonormal whatever the rank) and the
 * eigenvalues of the small matrix T diag(s) T' = W diag(lambda) W', P = U W,
 *
 *     M = H + tau I = (rho + tau) I + P diag(lambda) P'
 *
 * has the eigenvalues rho + tau + lambda_i, and rho + tau on the rest: whether it is definite is seen for all tau at once. Its
 * symmetric square root serves as S, M = S S': S^-1 x = x_rest / sqrt(rho + tau) + P (P'x / sqrt(rho + tau + lambda)), where
 * x_rest = x - P P'x. Nothing costs more than O(k d), but for P: 4 d k^2 and the eigenvalues.
 *
 * x_rest is what differences of the size of x leave, so a solution's error is round-off of x over rho + tau, in the size of its
 * part beside P: more than Cholesky's backward error where rho is small beside the lambda. Whoever solves with it refines with
 * the product, which is accurate.
 */
#ifndef SRL_STEP_SMALL_MATRIX_H
#define SRL_STEP_SMALL_MATRIX_H

#include "base/alloc.h"
#include "linalg/blas.h"

struct srl_small_matrix {
    int64_t d, most, count; /* rows of V: at most, and there are */
    double rho;
    double *rows;         /* V (most x d, row-major) */
    signed char *signs;   /* of the rows */
    double *basis;        /* P (d x count, column-major) */
    double *eigenvalues;  /* lambda */
    double *orthonormal;  /* U (d x most) */
    double *triangle;     /* T (most x most) */
    double *vectors;      /* W (most x most) */
    double *coefficients; /* P'x */
    double *work;
};

/* The most rows with which it is ever cheaper than the matrix itself. */
int64_t srl_small_matrix_most(int64_t d);
/* Whether it is, with so many rows: by operations, those on small matrices counted at the rate that they run at. */
bool srl_small_matrix_pays(int64_t d, int64_t count);
/* basis, orthonormal: the caller's, with room for d * most each; matrices that the small one takes the place of. */
void srl_small_matrix_carve(struct srl_arena *arena, struct srl_small_matrix *small, int64_t d, double *basis,
                            double *orthonormal);

/* P and lambda of the rows there are. False when they are not finite, or LAPACK refused. */
bool srl_small_matrix_decompose(struct srl_small_matrix *small);
/* Whether H + shift I is positive definite. */
bool srl_small_matrix_is_definite(const struct srl_small_matrix *small, double shift);
/* Diagonal entry k of H. */
double srl_small_matrix_diagonal(const struct srl_small_matrix *small, int64_t k);
/* H itself, lower triangle. */
void srl_small_matrix_expand(const struct srl_small_matrix *small, double *hessian);

/* product = (H + shift I) x */
void srl_small_matrix_product(const struct srl_small_matrix *small, double shift, const double *x, double *product);
/* x = S^-1 x, which is S^-T x */
void srl_small_matrix_solve(const struct srl_small_matrix *small, double shift, double *x);

#endif
