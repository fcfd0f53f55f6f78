/* The least eigenvalue of the Hessian on the subspace that keeps given kinks and bounds. */
#ifndef SRL_CERTIFICATE_CURVATURE_H
#define SRL_CERTIFICATE_CURVATURE_H

#include "certificate/evaluation.h"

struct srl_curvature {
    double least;            /* eigenvalue; infinite when the subspace is {0}, NaN on overflow */
    double round_off;        /* what round-off may change it by */
    double row_distance;     /* no two rows of the logits' Jacobian on the subspace are further apart */
    int64_t dimensions;      /* of the subspace */
    const double *direction; /* eigenvector of the least eigenvalue, of length 1 (d) */
};

struct srl_curvature_work {
    double *hessian;                 /* on the subspace (d x d), then its eigenvectors, column-major */
    double *concave;                 /* what outputs with r_j < 0 take away from it (d x d) */
    double *basis;                   /* Q of the rows that are kept, then Z row-major (d x dimensions) */
    double *rows;                    /* what is kept, unit rows; then A1 Z of the active units (max(n, n + d) x d) */
    double *block;                   /* active columns of a block of rows of A2 (block x n) */
    double *logits;                  /* the same rows of the Jacobian on the subspace (block x d) */
    double *scaled;                  /* rows to be multiplied with themselves (block x d) */
    double *mean, *largest;          /* rows of it (d) */
    double *weights;                 /* n + m */
    double *eigenvalues, *direction; /* d */
    double *work;
    int32_t *pivots, *active;
};

void srl_curvature_carve(struct srl_arena *arena, struct srl_curvature_work *work, const struct srl_model *model);

/* work->rows holds kept unit rows (count of them); on (n): which units the cell of the Hessian counts as active. False when
   LAPACK refuses. */
bool srl_least_curvature(struct srl_curvature_work *work, const struct srl_model *model, const struct srl_evaluation *at,
                         int64_t kept, const unsigned char *on, struct srl_curvature *found);
/* Of the positive definite Hessian just found, with the same free dimensions and on: no two rows of the logits' Jacobian are
   further apart per unit of (p'Hp)^1/2. Takes one more pass over A2, and destroys eigenvectors and concave. */
double srl_scaled_row_distance(struct srl_curvature_work *work, const struct srl_model *model, const struct srl_evaluation *at,
                               int64_t free, const unsigned char *on);

#endif
