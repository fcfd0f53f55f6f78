#include "step/hinge_state.h"

#include <math.h>
#include <string.h>

/* Relative sizes below which a direction or a violation is round-off. */
static const double DIRECTION_ROUND_OFF = 1e-15, AT_KINK = 1e-13;

/* ---- states of hinges ---- */

double srl_hinge_weight(const struct srl_hinge_qp *qp, int32_t which) { return which < 0 ? INFINITY : qp->weights[which]; }

void srl_hinge_set_full(struct srl_hinge_qp *qp, int64_t hinge, bool full) {
    if ((qp->state[hinge] == SRL_HINGE_FULL) != full)
        srl_axpy(qp->d, full ? qp->weights[hinge] : -qp->weights[hinge], srl_hinge_row(qp, hinge), qp->linear);
    qp->state[hinge] = full ? SRL_HINGE_FULL : SRL_HINGE_OFF;
}

bool srl_hinge_pin(struct srl_hinge_qp *qp, int64_t hinge) {
    double *slot = srl_face_slot(&qp->face);
    if (slot == NULL)
        return false;
    memcpy(slot, srl_hinge_row(qp, hinge), (size_t)qp->d * sizeof *slot);
    qp->pinned[qp->face.count] = (int32_t)hinge;
    if (!srl_face_append(&qp->face))
        return false;
    srl_hinge_set_full(qp, hinge, false);
    qp->state[hinge] = SRL_HINGE_PINNED;
    return true;
}

bool srl_hinge_pin_bound(struct srl_hinge_qp *qp, int64_t k, int side) {
    double *slot = srl_face_slot(&qp->face);
    if (slot == NULL)
        return false;
    memset(slot, 0, (size_t)qp->d * sizeof *slot);
    slot[k] = side < 0 ? -1.0 : 1.0;
    qp->pinned[qp->face.count] = (int32_t)(-1 - k);
    if (!srl_face_append(&qp->face))
        return false;
    qp->side[k] = (signed char)side;
    return true;
}

void srl_hinge_forget_dependence(struct srl_hinge_qp *qp) {
    for (int64_t i = 0; i < qp->known; i++)
        if (qp->state[i] == SRL_HINGE_DEPENDENT)
            srl_hinge_set_full(qp, i, qp->values[i] > 0.0);
}

void srl_hinge_release(struct srl_hinge_qp *qp, int64_t k, bool full) {
    const int32_t which = qp->pinned[k];
    srl_face_remove(&qp->face, k);
    memmove(qp->pinned + k, qp->pinned + k + 1, (size_t)(qp->face.count - k) * sizeof *qp->pinned);
    if (which >= 0)
        srl_hinge_set_full(qp, which, full);
    else
        qp->side[srl_hinge_component(which)] = 0;
}

/* ---- where p stands ---- */

void srl_hinge_update_values(struct srl_hinge_qp *qp) {
    const struct srl_matrix rows = srl_hinge_rows(qp);
    memcpy(qp->values, qp->offsets, (size_t)qp->count * sizeof *qp->values);
    srl_gemv(SRL_PLAIN, 1.0, &rows, qp->step, 1.0, qp->values);
}

double srl_hinge_excess(const struct srl_hinge_qp *qp, int32_t which) {
    if (which >= 0)
        return qp->values[which];
    const int64_t k = srl_hinge_component(which);
    return qp->side[k] < 0 ? qp->lower[k] - qp->step[k] : qp->step[k] - qp->upper[k];
}

void srl_hinge_settle(struct srl_hinge_qp *qp) {
    double *beyond = qp->vertex; /* scratch here */
    for (int64_t k = 0; k < qp->face.count; k++)
        beyond[k] = srl_hinge_excess(qp, qp->pinned[k]);
    srl_face_move(&qp->face, beyond, qp->direction);
    srl_axpy(qp->d, 1.0, qp->direction, qp->step);
    srl_hinge_hold_bounds(qp);
    srl_hinge_update_values(qp);
}

void srl_hinge_hold_bounds(struct srl_hinge_qp *qp) {
    for (int64_t k = 0; k < qp->d && qp->bounded; k++)
        if (qp->side[k] != 0)
            qp->step[k] = qp->side[k] < 0 ? qp->lower[k] : qp->upper[k];
}

void srl_hinge_clamp(struct srl_hinge_qp *qp) {
    for (int64_t k = 0; k < qp->d && qp->bounded; k++)
        qp->step[k] = fmin(fmax(qp->step[k], qp->lower[k]), qp->upper[k]);
}

double srl_hinge_value(const struct srl_hinge_qp *qp, const double *image) {
    double value = 0.5 * srl_dot(qp->d, image, qp->step) + srl_dot(qp->d, qp->gradient, qp->step);
    for (int64_t i = 0; i < qp->count; i++)
        if (qp->state[i] != SRL_HINGE_PINNED && qp->values[i] > 0.0)
            value += qp->weights[i] * qp->values[i];
    return value;
}

bool srl_hinge_within_bounds(const struct srl_hinge_qp *qp) {
    for (int64_t k = 0; k < qp->d && qp->bounded; k++)
        if (!(qp->step[k] >= qp->lower[k] && qp->step[k] <= qp->upper[k]))
            return false;
    return true;
}

bool srl_hinge_at_kink(const struct srl_hinge_qp *qp, int64_t i, double value, double length) {
    return fabs(value) <= AT_KINK * (fabs(qp->offsets[i]) + qp->norms[i] * length);
}

void srl_hinge_classify(struct srl_hinge_qp *qp) {
    for (; qp->known < qp->count; qp->known++) {
        const int64_t i = qp->known;
        qp->norms[i] = srl_norm(qp->d, srl_hinge_row(qp, i));
        if (qp->state[i] != SRL_HINGE_PINNED)
            srl_hinge_set_full(qp, i, qp->values[i] > 0.0);
    }
}

double srl_hinge_direction(struct srl_hinge_qp *qp) {
    srl_metric_product(&qp->metric, qp->step, qp->residual);
    srl_axpy(qp->d, 1.0, qp->linear, qp->residual);
    srl_metric_solve(&qp->metric, SRL_PLAIN, 1, qp->residual);
    for (int64_t k = 0; k < qp->d; k++)
        qp->direction[k] = -qp->residual[k];
    srl_face_project_out(&qp->face, qp->direction);
    const double length = qp->face.count < qp->d ? srl_norm(qp->d, qp->direction) : 0.0;
    return length <= DIRECTION_ROUND_OFF * srl_norm(qp->d, qp->residual) ? 0.0 : length; /* NaN stays NaN */
}
