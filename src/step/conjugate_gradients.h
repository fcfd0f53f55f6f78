/*
 * Conjugate gradients for the equations of a step, preconditioned by a factor L L' that is close to H, on the face of pinned
 * kinks and bounds:
 *
 *     min over p in p0 + {y : the pinned rows y = 0} of  c'p + 1/2 p'Hp
 *
 * H is multiplied with, never formed. With y_i = L^-1 row_i and Q an orthonormal basis of them (step/face.h), the
 * preconditioner L'^-1 (I - QQ') L^-1 keeps every direction on the face (Gould, Hribar and Nocedal, "On the solution of
 * equality constrained quadratic programming problems arising in optimization", 2001). The error of p in the metric of L L' is
 * about the root of residual' L'^-1 (I - QQ') L^-1 residual: that is what ends the iteration.
 */
#ifndef SRL_STEP_CONJUGATE_GRADIENTS_H
#define SRL_STEP_CONJUGATE_GRADIENTS_H

#include "base/alloc.h"
#include "step/face.h"

/* product = H direction. */
typedef void (*srl_multiply)(void *context, const double *direction, double *product);

enum srl_cg_end {
    SRL_CG_SOLVED,
    SRL_CG_LIMIT,   /* of products */
    SRL_CG_CONCAVE, /* H is not positive definite on the face */
    SRL_CG_NOT_FINITE
};

struct srl_conjugate_gradients {
    int64_t d;
    double *solution;  /* p (d) */
    double *image;     /* H p (d) */
    double *residual;  /* -(c + H p) (d) */
    double *direction; /* d */
    double *product;   /* H direction; scratch elsewhere (d) */
    double *preconditioned;
    int64_t products; /* so far */
};

void srl_conjugate_gradients_carve(struct srl_arena *arena, struct srl_conjugate_gradients *cg, int64_t d);

/* From cg->solution with its cg->image, until the error is below error or most_products more have been made. */
enum srl_cg_end srl_conjugate_gradients(struct srl_conjugate_gradients *cg, struct srl_face *face, const double *c,
                                        srl_multiply multiply, void *context, double error, int64_t most_products);

#endif
