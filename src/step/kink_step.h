/*
 * The kink-aware Newton step. The smooth pieces of F are replaced by their second-order model, the convex kinks are kept as
 * they are: with H = Hessian + tau I and, for every unit with slope jump q_i > 0, e_i = -|u_i| and b_i = +-a_i pointing across
 * the kink, the step minimises
 *
 *     g'p + 1/2 p'Hp + sum_i q_i max(0, e_i + b_i'p),
 *
 * subject to lower <= x + p <= upper, so it can end exactly on kinks and bounds, as minimisers of F do. A hinge matters only
 * when the step reaches it: the working set begins with the kinks that Newton's own step crosses, and grows by those that the
 * step found crosses, until there are none; leaving a hinge out can only make the model too small, so the last step minimises
 * the full one. Concave kinks (q_i < 0) are left linear: their hinges only lower F, so
 * the model stays above F to first order. A unit that sits on a ridge takes the slope of the side that descends.
 */
#ifndef SRL_STEP_KINK_STEP_H
#define SRL_STEP_KINK_STEP_H

#include "model/point.h"
#include "model/stationarity.h"
#include "step/hinge_qp.h"
#include "step/newton.h"

struct srl_kink_step {
    struct srl_hinge_qp qp;
    unsigned char *listed;                      /* units that are hinges of the QP (n) */
    double *gradient;                           /* with the slopes that ridges take (d) */
    double *slopes, *other;                     /* n of scratch each */
    double *rates;                              /* A1 step (n) */
    double stiffness;                           /* what srl_stiffen_pinned() has added: 0 for nothing */
    unsigned char *stiff_units, *stiff_entries; /* to these units (n) and entries of x (d) */
};

void srl_kink_step_carve(struct srl_arena *arena, struct srl_kink_step *kinks, const struct srl_model *model);

/*
 * Where the Hessian is not positive definite, the kinks and bounds that hold x may still make F convex around it: on the
 * subspace that keeps them it can be. A term that vanishes there, largest diagonal entry times (a_i'p / |a_i|)^2 for each unit
 * held at its kink and p_k^2 for each x_k held at a bound, leaves the step within the subspace what it is, and usually makes a
 * matrix that is positive definite there so everywhere: then no shift spoils the quadratic convergence. (A factor large enough
 * always does; that much is not needed in practice, and would cost digits.) Held are those whose multipliers are
 * strictly inside their intervals; the others are about to leave, and must not be kept from it. Does nothing to a matrix that
 * is positive definite as it is. found: the stationarity of the point, which has noted in it what holds x.
 */
void srl_stiffen_pinned(const struct srl_model *model, const struct srl_point *point, const struct srl_stationarity *found,
                        struct srl_newton *newton, struct srl_kink_step *kinks);

/* Fills newton->step and kinks->rates from the factored newton. Returns the model's value there, negative for a step that
   promises a decrease; NaN when LAPACK refused. */
double srl_kink_step(const struct srl_model *model, const struct srl_point *point, struct srl_newton *newton,
                     struct srl_kink_step *kinks, double kink_tolerance);

/* Its parts, for steps that go on from there. The first poses the QP and solves it for newton's matrix, the solution in
   kinks->qp; *slope is that of Newton's own step, and *free says that nothing was in its way. False when LAPACK refused or the
   step is beyond double precision. The second makes hinges of the kinks that x + p crosses, rates = A1 p in kinks, and says
   whether there are new ones; the third does that for the QP's solution and solves again, until there are none. */
bool srl_solve_kink_model(const struct srl_model *model, const struct srl_point *point, struct srl_newton *newton,
                          struct srl_kink_step *kinks, double kink_tolerance, double *slope, bool *free);
bool srl_list_crossed(const struct srl_model *model, const struct srl_point *point, struct srl_kink_step *kinks,
                      double kink_tolerance, bool first);
void srl_add_crossed(const struct srl_model *model, const struct srl_point *point, struct srl_kink_step *kinks,
                     double kink_tolerance);

#endif
