#include "step/hinge_blocks.h"

#include <math.h>
#include <string.h>

#include "step/hinge_state.h"

enum { REFINEMENTS = 3 };
enum { COLUMNS = 256 };             /* that are made at a time */
enum { ROUNDS = 40, PATIENCE = 5 }; /* in all; in a row that leave as many wrong as an earlier one */
/* Relative sizes below which a value, a multiplier or a gradient is round-off. */
static const double VALUE_ROUND_OFF = 1e-13, MULTIPLIER_ROUND_OFF = 1e-13, STATIONARY = 4e-15;
static const double SETTLED = 1e-8; /* a correction after which p is known to its last digits */

/* ---- the pinned rows: columns y_i in the face's basis, not orthonormal until the end ---- */

static double *column(const struct srl_hinge_qp *qp, int64_t k) { return qp->face.basis + k * qp->d; }

/* e_i of a hinge or a bound. */
static double offset_of(const struct srl_hinge_qp *qp, int32_t which) {
    const int64_t k = srl_hinge_component(which);
    return which >= 0 ? qp->offsets[which] : qp->side[k] < 0 ? qp->lower[k] : -qp->upper[k];
}

/* The columns of the pinned from the first-th on. */
static void make_columns(struct srl_hinge_qp *qp, int64_t first) {
    for (int64_t k = first; k < qp->face.count; k++) {
        const int32_t which = qp->pinned[k];
        if (which >= 0) {
            memcpy(column(qp, k), srl_hinge_row(qp, which), (size_t)qp->d * sizeof *qp->rows);
        } else {
            memset(column(qp, k), 0, (size_t)qp->d * sizeof *qp->rows);
            column(qp, k)[srl_hinge_component(which)] = qp->side[srl_hinge_component(which)] < 0 ? -1.0 : 1.0;
        }
    }
    for (int64_t k = first; k < qp->face.count && !srl_interrupted(qp->interruption); k += COLUMNS)
        srl_metric_solve(&qp->metric, SRL_PLAIN, qp->face.count - k < COLUMNS ? qp->face.count - k : COLUMNS, column(qp, k));
}

/* Appends to the pinned, the column to be made later. False when there is no room for it. */
static bool list_pinned(struct srl_hinge_qp *qp, int32_t which) {
    if (qp->face.count == qp->d)
        return false;
    qp->pinned[qp->face.count++] = which;
    return true;
}

/* ---- one round ---- */

/* The move of p and of the multipliers that answers a gradient, in residual, and excesses of the pinned, in vertex: there they
   are returned. Returns |z|. */
static double answer(struct srl_hinge_qp *qp) {
    const struct srl_matrix columns = {qp->face.basis, qp->d, qp->face.count, qp->d, false};
    double *z = qp->residual, *lambda = qp->vertex;
    srl_metric_solve(&qp->metric, SRL_PLAIN, 1, z);
    const double length = srl_norm(qp->d, z);
    srl_gemv(SRL_TRANSPOSED, -1.0, &columns, z, 1.0, lambda);
    srl_face_solve_products(&qp->face, lambda);
    srl_gemv(SRL_PLAIN, 1.0, &columns, lambda, 1.0, z);
    srl_metric_solve(&qp->metric, SRL_TRANSPOSED, 1, z);
    srl_scale(qp->d, -1.0, z);
    return length;
}

/* p and the multipliers that the states ask for; *scale: of the multipliers times the lengths of their columns. False when
   columns are nearly dependent, or p is not finite. */
static bool solve_for_states(struct srl_hinge_qp *qp, double *scale) {
    if (srl_interrupted(qp->interruption) || !srl_face_find_products(&qp->face))
        return false;
    memcpy(qp->residual, qp->linear, (size_t)qp->d * sizeof *qp->residual);
    for (int64_t k = 0; k < qp->face.count; k++)
        qp->vertex[k] = offset_of(qp, qp->pinned[k]);
    *scale = answer(qp);
    memcpy(qp->step, qp->residual, (size_t)qp->d * sizeof *qp->step);
    memcpy(qp->multipliers, qp->vertex, (size_t)qp->face.count * sizeof *qp->multipliers);
    srl_hinge_update_values(qp);
    return isfinite(srl_norm(qp->d, qp->step));
}

/* Of the first count pinned, those whose multiplier is outside its interval take the state of that end; the others, and those
   behind, move up. Returns how many. */
static int64_t unpin_wrong(struct srl_hinge_qp *qp, int64_t count, double scale) {
    int64_t kept = 0;
    for (int64_t k = 0; k < count; k++) {
        const int32_t which = qp->pinned[k];
        const double lambda = qp->multipliers[k], noise = MULTIPLIER_ROUND_OFF * scale / qp->face.lengths[k];
        const bool fixed = which < 0 && qp->side[srl_hinge_component(which)] == SRL_BOUND_FIXED;
        const bool above = lambda > srl_hinge_weight(qp, which) + noise;
        if (fixed || (lambda >= -noise && !above)) {
            if (kept < k)
                memcpy(column(qp, kept), column(qp, k), (size_t)qp->d * sizeof *qp->rows);
            qp->pinned[kept++] = which;
        } else if (which < 0) {
            qp->side[srl_hinge_component(which)] = 0;
        } else {
            srl_hinge_set_full(qp, which, above);
        }
    }
    memmove(qp->pinned + kept, qp->pinned + count, (size_t)(qp->face.count - count) * sizeof *qp->pinned);
    qp->face.count -= count - kept;
    return count - kept;
}

/* Hinges that are not pinned and whose value has the wrong sign become pinned as long as there is room. Returns how many are
   wrong. */
static int64_t pin_wrong_hinges(struct srl_hinge_qp *qp) {
    const double length = srl_norm(qp->d, qp->step);
    int64_t wrong = 0;
    for (int64_t i = 0; i < qp->count; i++) {
        const double beyond = qp->state[i] == SRL_HINGE_FULL ? -qp->values[i] : qp->values[i];
        if (qp->state[i] > SRL_HINGE_FULL || !(qp->weights[i] > 0.0) ||
            !(beyond > VALUE_ROUND_OFF * (fabs(qp->offsets[i]) + qp->norms[i] * length)))
            continue;
        wrong++;
        if (list_pinned(qp, (int32_t)i)) {
            srl_hinge_set_full(qp, i, false);
            qp->state[i] = SRL_HINGE_PINNED;
        }
    }
    return wrong;
}

/* The same for bounds that p breaks. */
static int64_t pin_wrong_bounds(struct srl_hinge_qp *qp) {
    const double noise = VALUE_ROUND_OFF * srl_norm(qp->d, qp->step);
    int64_t wrong = 0;
    for (int64_t k = 0; k < qp->d && qp->bounded; k++) {
        const double below = qp->lower[k] - qp->step[k], above = qp->step[k] - qp->upper[k];
        if (qp->side[k] != 0 || !(fmax(below, above) > noise))
            continue;
        wrong++;
        if (list_pinned(qp, (int32_t)(-1 - k)))
            qp->side[k] = below > above ? -1 : 1;
    }
    return wrong;
}

/* What is fixed is pinned, and with a guess what the gradient pushes out of bounds. */
static void take_bounds(struct srl_hinge_qp *qp, bool guess) {
    for (int64_t k = 0; k < qp->d && qp->bounded; k++) {
        const bool fixed = qp->lower[k] == 0.0 && qp->upper[k] == 0.0;
        const bool pushed = guess && (qp->gradient[k] > 0.0 ? qp->lower[k] : qp->upper[k]) == 0.0;
        if (qp->side[k] == 0 && (fixed || pushed) && list_pinned(qp, (int32_t)(-1 - k)))
            qp->side[k] = fixed ? SRL_BOUND_FIXED : qp->gradient[k] > 0.0 ? -1 : 1;
    }
}

/* New hinges are off, or pinned where that is believed. */
static void take_hinges(struct srl_hinge_qp *qp, bool guess) {
    for (; qp->known < qp->count; qp->known++) {
        const int64_t i = qp->known;
        qp->norms[i] = srl_norm(qp->d, srl_hinge_row(qp, i));
        qp->state[i] = guess && qp->start[i] && list_pinned(qp, (int32_t)i) ? SRL_HINGE_PINNED : SRL_HINGE_OFF;
    }
}

/* residual = linear + Mp + sum over pinned lambda_i b_i. Returns how much of its terms is left. */
static double find_rest(struct srl_hinge_qp *qp) {
    double *image = qp->direction, *rest = qp->residual;
    srl_metric_product(&qp->metric, qp->step, image);
    qp->model = srl_hinge_value(qp, image);
    memcpy(rest, qp->linear, (size_t)qp->d * sizeof *rest);
    srl_axpy(qp->d, 1.0, image, rest);
    for (int64_t k = 0; k < qp->face.count; k++) {
        const int64_t component = srl_hinge_component(qp->pinned[k]);
        if (qp->pinned[k] >= 0)
            srl_axpy(qp->d, qp->multipliers[k], srl_hinge_row(qp, qp->pinned[k]), rest);
        else
            rest[component] += qp->side[component] < 0 ? -qp->multipliers[k] : qp->multipliers[k];
    }
    return srl_norm(qp->d, rest) / (srl_norm(qp->d, qp->linear) + qp->metric.size * srl_norm(qp->d, qp->step));
}

/* One step of iterative refinement, rest being known. Returns how far p has moved, relative to where it is. */
static double correct(struct srl_hinge_qp *qp) {
    for (int64_t k = 0; k < qp->face.count; k++)
        qp->vertex[k] = srl_hinge_excess(qp, qp->pinned[k]);
    (void)answer(qp);
    srl_axpy(qp->d, 1.0, qp->residual, qp->step);
    srl_axpy(qp->face.count, 1.0, qp->vertex, qp->multipliers);
    srl_hinge_hold_bounds(qp);
    srl_hinge_clamp(qp);
    srl_hinge_update_values(qp);
    return srl_norm(qp->d, qp->residual) / srl_norm(qp->d, qp->step);
}

static enum srl_hinge_blocks_end refine(struct srl_hinge_qp *qp) {
    (void)find_rest(qp);
    for (int refinement = 0; refinement < REFINEMENTS; refinement++) {
        const double moved = correct(qp), left = find_rest(qp);
        if (left <= STATIONARY && !(moved > SETTLED))
            return SRL_HINGE_BLOCKS_SOLVED;
    }
    return SRL_HINGE_BLOCKS_ROUGH;
}

/* All whose state does not fit change it. Returns how many did; *kept: the pinned that were so before. */
static int64_t exchange(struct srl_hinge_qp *qp, double scale, int64_t *kept) {
    const int64_t pinned = qp->face.count;
    const int64_t wrong = pin_wrong_hinges(qp) + pin_wrong_bounds(qp);
    const int64_t unpinned = unpin_wrong(qp, pinned, scale);
    *kept = pinned - unpinned;
    return wrong + unpinned;
}

enum srl_hinge_blocks_end srl_hinge_solve_by_blocks(struct srl_hinge_qp *qp, bool guess) {
    int64_t fewest = INT64_MAX, patience = PATIENCE, kept = 0;
    qp->face.orthonormal = false;
    if (qp->known == 0)
        take_bounds(qp, guess);
    take_hinges(qp, guess);
    for (int64_t round = 0; round < ROUNDS && patience > 0; round++) {
        double scale;
        qp->iterations++;
        make_columns(qp, kept);
        if (!solve_for_states(qp, &scale))
            return SRL_HINGE_BLOCKS_FAILED;
        const int64_t wrong = exchange(qp, scale, &kept);
        if (wrong == 0)
            return refine(qp);
        patience = wrong < fewest ? PATIENCE : patience - 1;
        fewest = wrong < fewest ? wrong : fewest;
    }
    return SRL_HINGE_BLOCKS_FAILED;
}
