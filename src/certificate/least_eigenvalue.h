/*
 * The least eigenvalue of a symmetric matrix H that is expected to be positive definite, and its Cholesky factor.
 *
 * A Ritz value of H^-1 by Lanczos's method says where the least eigenvalue is at most, and another factorisation, of H less
 * nearly that much on its diagonal, that it is no less (Sylvester's law of inertia): a few factorisations in place of a
 * reduction to tridiagonal form. Where one of them fails, and for small matrices, the eigenpair is computed.
 */
#ifndef SRL_CERTIFICATE_LEAST_EIGENVALUE_H
#define SRL_CERTIFICATE_LEAST_EIGENVALUE_H

#include "base/alloc.h"
#include "base/interruption.h"

enum { SRL_LANCZOS_STEPS = 12 };

struct srl_eigenvalue_work {
    double *tridiagonal; /* of Lanczos's process, then its eigenvectors */
    double *values;      /* its eigenvalues */
    double *work;
    struct srl_interruption *interruption; /* NULL: none */
};

struct srl_least_eigenvalue {
    double value;
    double slack;       /* it is proved to be no less than value - slack */
    bool has_direction; /* the eigenvector was computed */
    bool definite;      /* factor is valid */
};

int64_t srl_eigenvalue_work(int64_t order);
void srl_eigenvalue_carve(struct srl_arena *arena, struct srl_eigenvalue_work *work, double *shared);
/* hessian, factor, trial: order x order, lower triangles; vectors: SRL_LANCZOS_STEPS + 1 rows of order; direction: order. What
   is no more than round_off need not be told apart from 0 by a factorisation. False when LAPACK refuses. */
bool srl_find_least_eigenvalue(struct srl_eigenvalue_work *work, int64_t order, const double *hessian, double round_off,
                               double *factor, double *trial, double *vectors, double *direction,
                               struct srl_least_eigenvalue *least);

#endif
