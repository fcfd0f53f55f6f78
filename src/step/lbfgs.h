/*
 * Directions of the limited-memory BFGS method: -B g, where B approximates the inverse Hessian by the last few moves s of x and
 * the changes y of the gradient along them (Liu and Nocedal, "On the limited memory BFGS method for large scale optimization",
 * Math. Program. 45, 1989). No matrix, no product with A1 or A2.
 */
#ifndef SRL_STEP_LBFGS_H
#define SRL_STEP_LBFGS_H

#include "base/alloc.h"
#include "step/metric.h"

enum { SRL_LBFGS_MEMORY = 10 };

struct srl_lbfgs {
    int64_t d, count, next;          /* pairs there are; where the next one goes */
    double *moves, *changes;         /* s and y (MEMORY x d each) */
    double slopes[SRL_LBFGS_MEMORY]; /* s'y > 0 */
};

void srl_lbfgs_carve(struct srl_arena *arena, struct srl_lbfgs *lbfgs, int64_t d);
void srl_lbfgs_reset(struct srl_lbfgs *lbfgs);
/* direction = -B gradient. Before it has learnt anything B is the inverse of the metric's matrix, or without one (NULL) a
   multiple of the identity, 1 as long as there are no pairs. */
void srl_lbfgs_direction(const struct srl_lbfgs *lbfgs, const struct srl_metric *metric, const double *gradient,
                         double *direction);
/* Learns from the move from x0 to x1, where the gradients are g0 and g1. A move along which the slope does not rise is left
   out: it would make B indefinite. */
void srl_lbfgs_learn(struct srl_lbfgs *lbfgs, const double *x0, const double *x1, const double *g0, const double *g1);

#endif
