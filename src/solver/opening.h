/*
 * The opening: iterations that need no Hessian of F, far from a minimiser, where Newton's model says little.
 *
 * An iteration is as many quasi-Newton steps (step/lbfgs.h) as cost what a Newton iteration does, on the network made light
 * (model/light.h); F is computed anew at its end. They go on for as long as each iteration cuts F by half. Then they are tried
 * once more with the Gauss-Newton matrix of the point as their metric, which Newton's first iteration needs most of anyway.
 * Where no unit is on, and no derivative tells which should be, a fit of the logits (solver/warm_start.c) goes first.
 */
#ifndef SRL_SOLVER_OPENING_H
#define SRL_SOLVER_OPENING_H

#include "base/alloc.h"
#include "model/model.h"
#include "step/lbfgs.h"

struct srl_solver;
struct srl_progress;

struct srl_opening {
    enum srl_opening_stage { SRL_OPENING_FIT, SRL_OPENING_GRADIENTS, SRL_OPENING_METRIC, SRL_OPENED } stage;
    struct srl_lbfgs lbfgs;
    double *direction; /* d */
};

void srl_opening_carve(struct srl_arena *arena, struct srl_opening *opening, const struct srl_model *model);
void srl_opening_begin(struct srl_solver *solver, bool opens);
/* One iteration of the opening from solver->current. False when it is over: then nothing has changed. */
bool srl_open(struct srl_solver *solver, struct srl_progress *progress);

#endif
