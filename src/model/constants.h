/*
 * What is known of F before any solve: how far its derivatives can reach over all cells, and more sharply in the cell of a
 * point. With D_A2 and D_G the largest distances between two rows, osc(v) = max v - min v, and c1, c2, c3 of the loss,
 *
 *     osc(G p) <= D_G |p|,     osc(A2 diag(s) A1 p) <= D_A2 |diag(s) A1 p| <= D_A2 |A1 p|,
 *
 * everything follows: Hessian >= R - c1 D_A2^2 A1'A1 in all cells at once, its Lipschitz constant in a cell <= c3 D_G^3, and so
 * on. docs/constants.md has the proofs.
 */
#ifndef SRL_MODEL_CONSTANTS_H
#define SRL_MODEL_CONSTANTS_H

#include "model/convexity.h"
#include "model/hessian.h"

#define SRL_CONSTANT_INDEX(name, number, word, type, text) name##_INDEX,
enum { SOFTRELU_CONSTANT_LIST(SRL_CONSTANT_INDEX) SRL_CONSTANT_COUNT };
#undef SRL_CONSTANT_INDEX

struct srl_constants {
    const struct srl_model *model;
    double numbers[SRL_CONSTANT_COUNT]; /* those of a point: NaN before the first */
    bool placed;                        /* there has been one */
    struct srl_loss_constants loss;
    double gram_least, gram_largest; /* bounds of the eigenvalues of A1'A1 */
    struct srl_convexity_work convexity;
    struct srl_point point;
    struct srl_hessian_work hessian;
    double *gram, *matrix, *other; /* A1'A1, and what eigenvalues are sought of (d x d) */
    double *weights;               /* the larger of n and m */
    double *eigenvalues, *work;
};

void srl_constants_carve(struct srl_arena *arena, struct srl_constants *constants, const struct srl_model *model);
/* The constants of the problem. False when LAPACK refuses. */
bool srl_constants_of_problem(struct srl_constants *constants);
/* Those of a point x: SOFTRELU_OK, SOFTRELU_ERROR_OVERFLOW or SOFTRELU_ERROR_LAPACK; then nothing has changed. */
softrelu_status srl_constants_at(struct srl_constants *constants, const double *x);
/* The least w^2 that is proved to give every cell a Hessian with least eigenvalue >= modulus. */
double srl_weight_for(const struct srl_constants *constants, double modulus);

#endif
