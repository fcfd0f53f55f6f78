/* The least eigenvalue of the Hessian on the subspace that keeps given kinks and bounds. */
#ifndef SRL_CERTIFICATE_CURVATURE_H
#define SRL_CERTIFICATE_CURVATURE_H

#include "certificate/evaluation.h"
#include "certificate/least_eigenvalue.h"
#include "certificate/subspace.h"

/* Rows of A1 that are multiplied at a time, at most. */
enum { SRL_UNITS = 2 * SRL_MAPPED };

struct srl_curvature {
    double least;            /* eigenvalue; infinite when the subspace is {0}, NaN on overflow */
    double slack;            /* it is proved to be no less than least - slack, */
    double round_off;        /* but for what round-off may change it by */
    double trace;            /* of the matrix that was factored */
    double row_distance;     /* no two rows of the logits' Jacobian on the subspace are further apart */
    double mapping;          /* what rounding may have done to rows on their way to its coordinates, relative and over the
                                unit round-off; 0 where a basis was formed */
    int64_t dimensions;      /* of the subspace */
    const double *direction; /* eigenvector of the least eigenvalue where that is not positive, of length 1 (d) */
};

/*
 * The Hessian there is rho I and what comes from some rows, those of the logits' Jacobian and, with weights w, those of A1.
 * When the rows are few, their QR finds the `core` of the subspace, of their number: the matrix is made on that, and outside
 * the Hessian is rho I. Otherwise the core is everything.
 */
struct srl_curvature_work {
    struct srl_subspace space;
    struct srl_eigenvalue_work eigenvalue;
    int64_t core;                     /* its dimension */
    bool compact;                     /* the core is not everything: */
    bool takes;                       /* some output has r_j < 0 */
    double *core_rows, *core_scalars; /* the rows' QR, a column each (dimensions x core) */
    double *hessian, *factor;         /* on the core, and its Cholesky factor (d x d) */
    double *concave;                  /* what outputs with r_j < 0 take away from it (d x d) */
    double *trial;                    /* scratch of the core's size */
    double *units;                    /* active rows of A1 (SRL_UNITS x d) */
    double *block;                    /* their columns in a block of rows of A2 (SRL_MAPPED x SRL_UNITS) */
    double *logits;                   /* the same rows of the Jacobian on the subspace (SRL_MAPPED x d) */
    double *scaled;                   /* rows to be mapped, or multiplied with themselves (SRL_MAPPED x d) */
    double *mean, *largest;           /* rows of it (d) */
    double *weights;                  /* n + m */
    double *eigenvalues, *direction;  /* d */
    double *work;
    int32_t *active;
};

struct srl_longest;

/* The rows of the fit become part of the matrix; returns their share of the trace, and sees their lengths. On all ranks; on one
   that is told to, with the subspace's basis in place. */
double srl_take_fit(struct srl_curvature_work *work, const struct srl_model *model, const struct srl_evaluation *at,
                    const unsigned char *on, struct srl_longest *longest);
double srl_take_fit_as_told(struct srl_curvature_work *work, const struct srl_model *model, const struct srl_evaluation *at,
                            const unsigned char *on, int64_t rank, bool formed, bool takes);

void srl_curvature_carve(struct srl_arena *arena, struct srl_curvature_work *work, const struct srl_model *model);

/* work->space.rows holds kept unit rows (count of them); on (n): which units the cell of the Hessian counts as active. False
   when LAPACK refuses. */
bool srl_least_curvature(struct srl_curvature_work *work, const struct srl_model *model, const struct srl_evaluation *at,
                         int64_t kept, const unsigned char *on, struct srl_curvature *found);

/* A vector on the subspace by two measures: its length, and (p'Hp)^1/2. */
struct srl_length {
    double plain, metric;
};
/* Of the positive definite Hessian just found: of H^-1 Z'vector (d, destroyed). scratch: d. */
struct srl_length srl_solve_curvature(const struct srl_curvature_work *work, const struct srl_model *model, double *vector,
                                      double *scratch);
/* tr(H^-1 N H^-1) and tr(H^-1 N), with N what outputs with r_j < 0 took away. Destroys hessian. False when LAPACK refuses, or
   interrupted. */
bool srl_traces_of_concave(struct srl_curvature_work *work, const struct srl_model *model, struct srl_length *traces);
/* No two rows of the logits' Jacobian are further apart per unit of (p'Hp)^1/2: of all rows, which may take another pass over
   A2, or (first, and once) of those that are still there, which say no more than that. Says in *all which it was. */
double srl_scaled_row_distance(struct srl_curvature_work *work, const struct srl_model *model, const struct srl_evaluation *at,
                               const unsigned char *on, bool *all);

#endif
