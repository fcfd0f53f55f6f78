/*
 * The unknowns that a solve works in: x, or the fewer y of model/reduction.h. All of the solver below srl_minimise() sees
 * solver->model and its unknowns; the certificate, whoever asks for a point, and x0 are in x.
 */
#ifndef SRL_SOLVER_UNKNOWNS_H
#define SRL_SOLVER_UNKNOWNS_H

#include "base/alloc.h"
#include "model/reduction.h"

struct srl_solver;

struct srl_unknowns {
    const struct srl_model *full;          /* the problem, with the solver's target */
    const struct srl_reduction *reduction; /* NULL: the unknowns are x */
    struct srl_model reduced;              /* the problem in y */
    double *apart, *x;                     /* what of x is not in y; a point in x (d) */
    double *x_ref, *start;                 /* in y (n) */
};

void srl_unknowns_carve(struct srl_arena *arena, struct srl_unknowns *unknowns);
/* Before a solve: the problem in y for the present target and start. Returns x0 in the unknowns, NULL where none is given. */
const double *srl_enter_unknowns(struct srl_solver *solver);
/* x of the unknowns. */
void srl_leave_unknowns(const struct srl_unknowns *unknowns, const double *values, double *x);
/* x of the current point, good until the next one. */
const double *srl_current_x(struct srl_solver *solver);
/* direction in x into the unknowns. */
void srl_direction_in_unknowns(const struct srl_unknowns *unknowns, const double *direction, double *values);

#endif
