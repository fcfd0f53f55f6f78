/*
 * Conjugate gradients for the equations of a step, preconditioned by a factor L L' that is close to H, on the face of pinned
 * kinks and bounds:
 *
 *     min over p in p0 + {v : the pinned rows v = 0} of  c'p + 1/2 p'Hp
 *
 * H is multiplied with, never formed. With p = p0 + L'^-1 y and Q an orthonormal basis of L^-1 row for the pinned rows
 * (step/face.h), the face is {y : Q'y = 0}, and y solves (I - QQ') L^-1 H L'^-1 y = s, s = -(I - QQ') L^-1 (c + H p0), with a
 * matrix that is close to the identity. Working in y, with s projected at once, keeps what the pinned kinks hold in balance out
 * of the iteration: next to it, what is left to solve for is small (Gould, Hribar and Nocedal, "On the solution of equality
 * constrained quadratic programming problems arising in optimization", SIAM J. Sci. Comput. 23, 2001). |s| is about the error
 * of p in the metric of L L'; that ends it.
 */
#ifndef SRL_STEP_CONJUGATE_GRADIENTS_H
#define SRL_STEP_CONJUGATE_GRADIENTS_H

#include "base/alloc.h"
#include "base/interruption.h"
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
    struct srl_interruption *interruption; /* NULL: none */
    int64_t d;
    double *solution;       /* p (d) */
    double *image;          /* H p (d) */
    double *residual;       /* s (d) */
    double *conjugate;      /* the direction in y (d) */
    double *direction;      /* in p (d); scratch between the calls */
    double *product;        /* H direction (d); scratch between the calls */
    double *preconditioned; /* (I - QQ') L^-1 product (d) */
    int64_t products;       /* so far */
};

void srl_conjugate_gradients_carve(struct srl_arena *arena, struct srl_conjugate_gradients *cg, int64_t d);

/* From cg->solution with its cg->image, until the error is below error or most_products more have been made. */
enum srl_cg_end srl_conjugate_gradients(struct srl_conjugate_gradients *cg, struct srl_face *face, const double *c,
                                        srl_multiply multiply, void *context, double error, int64_t most_products);

#endif
