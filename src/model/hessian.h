/*
 * The Hessian of F in the cell of a point, in the paper's form A' diag(.) A:
 *
 *     H = C' diag(r) C + R,    C = G - 1 (f'G),    G = A2 diag(s) A1  (m x d: Jacobian of the logits), s the active units
 *
 * The weighted sum is a dsyrk over the rows of C (model/jacobian.h gives those of G), scaled by sqrt|r_j|, those with r_j > 0
 * added, those with r_j < 0 subtracted. With A2 absent the rows of the units that are off are all equal, so they enter as one.
 * In single precision the products of a block of rows are; they are added up in double.
 *
 * Centring subtracts the row of the most probable output k first: with mu = sum_{j != k} f_j (G_j - G_k), which needs no
 * difference of nearly equal numbers when f_k is close to 1, C_j = (G_j - G_k) - mu and C_k = -mu.
 *
 * That takes 2 m a d + m d^2 multiplications for a active units. When they are few, fewer than about 2 d, the other order of
 * the products is cheaper,
 *
 *     H = (diag(s) A1)' [C2' diag(r) C2] diag(s) A1 + R,    C2 = A2 diag(s), its rows centred likewise,
 *
 * with the bracket only at the active units: m a^2 + 2 a^2 d + a d^2. The order is chosen by that count, where a kept G costs
 * no more than the units that flipped.
 *
 * No m x m matrix is formed, and none of all n units.
 */
#ifndef SRL_MODEL_HESSIAN_H
#define SRL_MODEL_HESSIAN_H

#include "base/alloc.h"
#include "model/jacobian.h"
#include "model/point.h"

struct srl_hessian_work {
    struct srl_jacobian jacobian;
    double *top_row;                    /* G_k (d) */
    double *mean_row;                   /* mu (d) */
    double *mean_hidden;                /* A2' (f without its entry k) on the active units: mu before it goes through A1 (n) */
    double *top_outputs, *mean_outputs; /* what rows of A2 are centred by, at the active units */
    double *weights;                    /* f without its entry k (m) */
    void *scaled_rows;                  /* rows of C or C2 times sqrt|weight|, a block at a time, in the Jacobian's precision */
    float *sum;                         /* what a block adds in single precision */
    double *inner;                      /* C2' diag(r) C2 */
};

void srl_hessian_carve(struct srl_arena *arena, struct srl_hessian_work *work, const struct srl_model *model);
/* Gets ready for the rows of C at an evaluated point: the active units, G_k and mu. On a rank that is told to, of the point
   only u, outer and, where it is there, mean_hidden are looked at. */
void srl_hessian_prepare(const struct srl_model *model, struct srl_hessian_work *work, const struct srl_point *point);
/* hessian = R, and with A2 absent the rows that all units that are off share. Lower triangle (d x d), as below. */
void srl_hessian_begin(const struct srl_model *model, struct srl_hessian_work *work, const double *r, double *hessian);
/* Adds weights_k C_j' C_j over the listed rows j = rows[k] of this rank: to positive where the weight is, to negative where it
   is negative. Both may be the same matrix. rows = NULL lists all m, and count is m. */
void srl_hessian_add(const struct srl_model *model, struct srl_hessian_work *work, int64_t output, const int32_t *rows,
                     const double *weights, int64_t count, double *positive, double *negative);
/* The rows of C with weights r_j other than 0 (output layer present), times sqrt|r_j|, into rows, with the signs of r_j: those
   with r_j > 0 first. Prepares for the point by itself. Returns how many: at most m, which is at most what
   srl_jacobian_most_rows() says. The Jacobian in double precision. */
int64_t srl_hessian_rows(const struct srl_model *model, struct srl_hessian_work *work, const struct srl_point *point,
                         const double *r, double *rows, signed char *signs);
/* hessian += C' diag(r) C. */
void srl_hessian_add_fit(const struct srl_model *model, struct srl_hessian_work *work, int64_t top, const double *r,
                         double *hessian);

/* The same for the rows of a sample on all ranks: positive and negative are what they add up to. The leading rank's positive
   and negative are added to. */
void srl_hessian_add_sample(const struct srl_model *model, struct srl_hessian_work *work, int64_t top, const int32_t *rows,
                            const double *weights, const int64_t *count, double *positive, double *negative);

/* What other ranks have to know of a Jacobian before they work with theirs. */
int64_t srl_jacobian_in_number(const struct srl_jacobian *jacobian);
void srl_jacobian_from_number(struct srl_jacobian *jacobian, int64_t number, void *kept);

/* Whether H comes cheaper from the factors of G than from its rows, which cost products with so many units. */
bool srl_factors_are_cheaper(double m, double active, double d, double units);

/* On a rank that is told to: its part. */
void srl_hessian_assemble_own(const struct srl_model *model, struct srl_hessian_work *work, const struct srl_point *point,
                              const double *r, bool from_factors, double *hessian);

/* The Hessian at a differentiated point, with the curvature weights r (point->r, or others), into the lower triangle. */
void srl_hessian_assemble(const struct srl_model *model, struct srl_hessian_work *work, const struct srl_point *point,
                          const double *r, double *hessian);

#endif
