/*
 * Where more hinges than dimensions meet at p, pinning one after the other can go round in circles without moving. Then the
 * direction of steepest descent in the metric of M is found instead: the least |S^-1 (g + Mp + sum lambda_i b_i)| over 0 <=
 * lambda_i <= w_i of all hinges at p, by the active-set method for least squares with bounds, which shortens it with every
 * change of the set. The hinges whose multiplier is inside become the pinned ones; then p moves, or it is the solution.
 */
#ifndef SRL_STEP_HINGE_VERTEX_H
#define SRL_STEP_HINGE_VERTEX_H

#include "step/hinge_qp.h"

void srl_hinge_leave_vertex(struct srl_hinge_qp *qp);

#endif
