/*
 * A Newton matrix that is the regulariser's plus little: with few outputs and many inputs,
 *
 *     H = R + V' diag(s) V,    V: the rows sqrt|r_j| C_j with the signs of r_j, then those of held kinks and bounds,
 *
 * k rows in all, k much smaller than d. R = rho L L', L lower triangular and L L' of mean diagonal entry 1, never changes: L is
 * the identity without weights w, else R is factored once. With L^-1 V' = U T by Householder's QR (U orthonormal whatever the
 * rank) and the eigenvalues of the small matrix T diag(s) T' = Q diag(lambda) Q', P = U Q,
 *
 *     M = H + tau L L' = L ((rho + tau) I + P diag(lambda) P') L'
 *
 * is definite where rho + tau and all rho + tau + lambda_i are positive: that is seen for all tau at once, which is why a shift
 * is a multiple of L L' here. With the symmetric square root K of what is between L and L', S = L K, M = S S':
 * K^-1 x = x_rest / sqrt(rho + tau) + P (P'x / sqrt(rho + tau + lambda)), where x_rest = x - P P'x. Nothing costs more than
 * O(k d), and the triangle, but for P: 4 d k^2, k d^2 where there is an L, and the eigenvalues.
 *
 * x_rest is what differences of the size of x leave, so a solution's error is round-off of x over rho + tau, in the size of its
 * part beside P: more than Cholesky's backward error where rho is small beside the lambda. Whoever solves with it refines with
 * the product, which is made of R and V themselves.
 */
#ifndef SRL_STEP_SMALL_MATRIX_H
#define SRL_STEP_SMALL_MATRIX_H

#include "base/alloc.h"
#include "linalg/blas.h"

struct srl_small_matrix {
    int64_t d, most, count; /* rows of V: at most, and there are */
    double rho;
    const double *curvature; /* R, lower triangle (d x d); NULL: rho I */
    const double *root;      /* L, lower triangle (d x d); NULL: I */
    double *rows;            /* V (most x d, row-major) */
    signed char *signs;      /* of the rows */
    double *basis;           /* P (d x count, column-major) */
    double *eigenvalues;     /* lambda */
    double *orthonormal;     /* U (d x most) */
    double *triangle;        /* T (most x most) */
    double *vectors;         /* Q (most x most) */
    double *coefficients;    /* P'x */
    double *work;
};

/* The most rows with which it is ever cheaper than H itself. */
int64_t srl_small_matrix_most(int64_t d);
/* Whether it is, with so many rows, and an L or none: by operations, those on small matrices counted at the rate that they run
   at. */
bool srl_small_matrix_pays(int64_t d, int64_t count, bool with_root);
/* L of R = curvature, whose mean diagonal entry becomes *rho. False where R is not positive definite, or so little that
   solutions with L lose too many digits. work: 3 d, indices: d. */
bool srl_small_matrix_find_root(int64_t d, const double *curvature, double *rho, double *root, double *work, int32_t *indices);
/* basis, orthonormal: the caller's, with room for d * most each; matrices that the small one takes the place of. */
void srl_small_matrix_carve(struct srl_arena *arena, struct srl_small_matrix *small, int64_t d, double *basis,
                            double *orthonormal);

/* P and lambda of the rows there are. False when they are not finite, or LAPACK refused. */
bool srl_small_matrix_decompose(struct srl_small_matrix *small);
/* Whether M is positive definite. */
bool srl_small_matrix_is_definite(const struct srl_small_matrix *small, double shift);
/* Diagonal entry k of M. */
double srl_small_matrix_diagonal(const struct srl_small_matrix *small, double shift, int64_t k);
/* H itself, lower triangle. */
void srl_small_matrix_expand(const struct srl_small_matrix *small, double *hessian);

/* product = M x */
void srl_small_matrix_product(const struct srl_small_matrix *small, double shift, const double *x, double *product);
/* B = S^-1 B (plain) or S^-T B (transposed) for at most d columns of length d, one after the other. */
void srl_small_matrix_solve(const struct srl_small_matrix *small, double shift, enum srl_transpose op, int64_t columns,
                            double *b);

#endif
