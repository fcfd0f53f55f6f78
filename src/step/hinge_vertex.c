#include "step/hinge_vertex.h"

#include <math.h>
#include <string.h>

#include "step/hinge_state.h"

static const double SLOPE_ROUND_OFF = 1e-13; /* relative size below which a slope is round-off */

static int bound_reached(const struct srl_hinge_qp *qp, int64_t k) {
    return qp->step[k] == qp->lower[k] ? -1 : qp->step[k] == qp->upper[k] ? 1 : 0;
}

/* Pins the hinge or bound at p that the direction breaks most: one that is off and would rise, or full and would fall. False
   when there is none. Its multiplier starts where it was. */
static bool pin_broken(struct srl_hinge_qp *qp) {
    const struct srl_matrix rows = srl_hinge_rows(qp);
    const double length = srl_norm(qp->d, qp->direction), reach = srl_norm(qp->d, qp->step);
    for (;;) {
        double worst = SLOPE_ROUND_OFF * length;
        int32_t which = INT32_MIN;
        srl_gemv(SRL_PLAIN, 1.0, &rows, qp->direction, 0.0, qp->rates);
        for (int64_t i = 0; i < qp->count; i++) {
            const double rate = qp->state[i] == SRL_HINGE_OFF    ? qp->rates[i]
                                : qp->state[i] == SRL_HINGE_FULL ? -qp->rates[i]
                                                                 : 0.0;
            if (rate > worst * qp->norms[i] && qp->weights[i] > 0.0 && srl_hinge_at_kink(qp, i, qp->values[i], reach)) {
                worst = rate / qp->norms[i];
                which = (int32_t)i;
            }
        }
        for (int64_t k = 0; k < qp->d && qp->bounded; k++)
            if (qp->side[k] == 0 && bound_reached(qp, k) * qp->direction[k] > worst) {
                worst = fabs(qp->direction[k]);
                which = (int32_t)(-1 - k);
            }
        if (which == INT32_MIN)
            return false;
        qp->vertex[qp->face.count < qp->d ? qp->face.count : 0] =
            which >= 0 && qp->state[which] == SRL_HINGE_FULL ? qp->weights[which] : 0.0;
        if (which < 0 ? srl_hinge_pin_bound(qp, srl_hinge_component(which), bound_reached(qp, srl_hinge_component(which)))
                      : srl_hinge_pin(qp, which))
            return true;
        if (which < 0)
            return false;
        srl_hinge_set_full(qp, which, false);
        qp->state[which] = SRL_HINGE_DEPENDENT;
    }
}

/* The multipliers of the pinned move to the least-squares solution as far as all stay in their intervals; the first that meets
   an end is let go there. True when the whole way was free. */
static bool balance(struct srl_hinge_qp *qp) {
    double fraction = 1.0;
    int64_t first = -1;
    srl_hinge_direction(qp);
    srl_face_multipliers(&qp->face, qp->residual, qp->multipliers);
    for (int64_t k = 0; k < qp->face.count; k++) {
        const double target = qp->multipliers[k], end = target < 0.0 ? 0.0 : srl_hinge_weight(qp, qp->pinned[k]);
        if ((qp->pinned[k] < 0 && qp->side[srl_hinge_component(qp->pinned[k])] == SRL_BOUND_FIXED) ||
            (target >= 0.0 && target <= end))
            continue;
        const double to_end = (end - qp->vertex[k]) / (target - qp->vertex[k]);
        if (first < 0 || to_end < fraction) {
            fraction = fmin(fmax(to_end, 0.0), 1.0);
            first = k;
        }
    }
    for (int64_t k = 0; k < qp->face.count; k++)
        qp->vertex[k] += fraction * (qp->multipliers[k] - qp->vertex[k]);
    if (first < 0)
        return true;
    const bool full = qp->multipliers[first] > 0.0;
    for (int64_t k = first; k + 1 < qp->face.count; k++)
        qp->vertex[k] = qp->vertex[k + 1];
    srl_hinge_release(qp, first, full);
    return false;
}

void srl_hinge_leave_vertex(struct srl_hinge_qp *qp) {
    const double reach = srl_norm(qp->d, qp->step);
    srl_hinge_settle(qp);
    srl_hinge_clamp(qp);
    srl_hinge_update_values(qp);
    srl_face_clear(&qp->face, &qp->metric);
    memset(qp->side, 0, (size_t)qp->d);
    for (int64_t i = 0; i < qp->count; i++)
        if (qp->state[i] > SRL_HINGE_FULL || srl_hinge_at_kink(qp, i, qp->values[i], reach))
            srl_hinge_set_full(qp, i, false);
    for (int64_t k = 0; k < qp->d && qp->bounded; k++)
        if (qp->lower[k] == qp->upper[k]) {
            qp->vertex[qp->face.count] = 0.0;
            srl_hinge_pin_bound(qp, k, SRL_BOUND_FIXED);
        }
    for (int64_t change = 0; change < 4 * (qp->d + qp->count) && !srl_interrupted(qp->interruption); change++) {
        if (srl_hinge_direction(qp) == 0.0)
            break;
        srl_metric_solve(&qp->metric, SRL_TRANSPOSED, 1, qp->direction);
        if (!pin_broken(qp))
            break;
        while (!balance(qp))
            change++;
    }
    qp->stalled = 0;
}
