/*
 * The opening: iterations that need no Hessian of F, far from a minimiser, where Newton's model says little. In this order,
 * each for as long as it pays:
 *
 *     fits        of the logits in the present activation pattern (solver/warm_start.c), unless the regulariser makes up most
 *                 of F. Where b can be attained, five or six of them do the work of twenty Newton steps
 *     gradients   as many quasi-Newton steps (step/lbfgs.h) as cost what a Newton iteration does, on the network made light
 *                 (model/light.h), with F computed anew at their end. Where the regulariser decides, or noise, a few of them
 *                 do most of the way
 *     metric      the same once more, measured by the Gauss-Newton matrix of the point, most of which Newton's first iteration
 *                 needs anyway
 */
#ifndef SRL_SOLVER_OPENING_H
#define SRL_SOLVER_OPENING_H

#include "base/alloc.h"
#include "model/model.h"
#include "step/lbfgs.h"

struct srl_solver;
struct srl_progress;

struct srl_opening {
    enum srl_opening_stage {
        SRL_OPENING_FITS,
        SRL_OPENING_GRADIENTS,
        SRL_OPENING_MEASURE,
        SRL_OPENING_METRIC,
        SRL_OPENED
    } stage;
    struct srl_lbfgs lbfgs;
    double *direction; /* d */
};

void srl_opening_carve(struct srl_arena *arena, struct srl_opening *opening, const struct srl_model *model);
void srl_opening_begin(struct srl_solver *solver, bool opens);
/* One iteration of the opening from solver->current. False when it is over: then nothing has changed. */
bool srl_open(struct srl_solver *solver, struct srl_progress *progress);

#endif
