/* The states of hinges and bounds in step/hinge_qp.h, and where p stands. For the parts of the QP only. */
#ifndef SRL_STEP_HINGE_STATE_H
#define SRL_STEP_HINGE_STATE_H

#include "step/hinge_qp.h"

/* DEPENDENT: off or full makes no difference on the face, its row lies in its span. */
enum { SRL_HINGE_OFF, SRL_HINGE_FULL, SRL_HINGE_PINNED, SRL_HINGE_DEPENDENT };
enum { SRL_BOUND_FIXED = 2 }; /* the side of a bound that is both */

static inline const double *srl_hinge_row(const struct srl_hinge_qp *qp, int64_t hinge) { return qp->rows + hinge * qp->d; }
static inline struct srl_matrix srl_hinge_rows(const struct srl_hinge_qp *qp) {
    return (struct srl_matrix){qp->rows, qp->count, qp->d, qp->d, true};
}
static inline int64_t srl_hinge_component(int32_t which) { return -1 - (int64_t)which; } /* of a bound */
/* Of a hinge or a bound. */
double srl_hinge_weight(const struct srl_hinge_qp *qp, int32_t which);

/* A hinge that is not pinned. */
void srl_hinge_set_full(struct srl_hinge_qp *qp, int64_t hinge, bool full);
/* Pin them as the last of the face. False when they depend on it. */
bool srl_hinge_pin(struct srl_hinge_qp *qp, int64_t hinge);
bool srl_hinge_pin_bound(struct srl_hinge_qp *qp, int64_t k, int side);
/* The k-th pinned one leaves the face, and takes a state: full or off. */
void srl_hinge_release(struct srl_hinge_qp *qp, int64_t k, bool full);
/* Hinges that were left alone as dependent are looked at again. */
void srl_hinge_forget_dependence(struct srl_hinge_qp *qp);

/* values_i = e_i + b_i'p. */
void srl_hinge_update_values(struct srl_hinge_qp *qp);
/* How far p is beyond the pinned hinge or bound. */
double srl_hinge_excess(const struct srl_hinge_qp *qp, int32_t which);
/* p, whose values are known, moves within the span of the pinned rows so that all of them hold. */
void srl_hinge_settle(struct srl_hinge_qp *qp);
/* Entries of p at pinned bounds are exactly there. */
void srl_hinge_hold_bounds(struct srl_hinge_qp *qp);
/* Round-off may take p beyond a bound that it did not mean to meet. */
void srl_hinge_clamp(struct srl_hinge_qp *qp);
/* The function at p, whose values are known, from image = Mp. */
double srl_hinge_value(const struct srl_hinge_qp *qp, const double *image);
bool srl_hinge_within_bounds(const struct srl_hinge_qp *qp);
/* Whether a p with |p| = length that gives hinge i the value is at its kink up to round-off. */
bool srl_hinge_at_kink(const struct srl_hinge_qp *qp, int64_t i, double value, double length);
/* New hinges take the state of the side that p is on. */
void srl_hinge_classify(struct srl_hinge_qp *qp);
/* residual = S^-1 (linear + Mp), direction = -(I - QQ') residual = delta. Returns |delta|, 0 when it is round-off. */
double srl_hinge_direction(struct srl_hinge_qp *qp);

#endif
