/*
 * The hinge QP by a primal-dual active-set method, many changes at a time (M. Hintermueller, K. Ito and K. Kunisch, "The
 * primal-dual active set strategy as a semismooth Newton method", SIAM J. Optim. 13, 2003).
 *
 * Given the states, p and the multipliers of the pinned follow from one system: with z = S^-1 (g + sum over full w_i b_i) and
 * the columns y_i = S^-1 b_i of the pinned in Y,
 *
 *     Y'Y lambda = e - Y'z,    p = -S'^-1 (z + Y lambda).
 *
 * Then all whose state does not fit change it: pinned ones with a multiplier outside [0, w_i] become off or full, the others
 * whose value has the wrong sign become pinned, or change sides where the multiplier that would hold them, estimated by itself,
 * is beyond the other end. When none is left this is the solution. From a good guess it takes a few rounds, but it may go round
 * in circles; then it gives up, and the method of step/hinge_qp.h, which cannot, does it all.
 */
#ifndef SRL_STEP_HINGE_BLOCKS_H
#define SRL_STEP_HINGE_BLOCKS_H

#include "step/hinge_qp.h"

enum srl_hinge_blocks_end {
    SRL_HINGE_BLOCKS_SOLVED, /* p and all that belongs to the solution are there */
    SRL_HINGE_BLOCKS_ROUGH,  /* p and the states are the solution's but for round-off */
    SRL_HINGE_BLOCKS_FAILED  /* p, states and pinned are to be made anew */
};

/* From the present states and list of the pinned, new hinges off, or with a guess pinned where the caller believes so. The face
   is left with the columns Y, to be made orthonormal. */
enum srl_hinge_blocks_end srl_hinge_solve_by_blocks(struct srl_hinge_qp *qp, bool guess);

#endif
