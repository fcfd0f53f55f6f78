#include "step/hinge_qp.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { OFF, FULL, PINNED, DEPENDENT }; /* DEPENDENT: off or full makes no difference on the face, its row lies in its span */
enum { FIXED = 2 };
/* Relative sizes below which a slope, a direction or a violation is round-off. */
static const double SLOPE_ROUND_OFF = 1e-13, DIRECTION_ROUND_OFF = 1e-15, MULTIPLIER_ROUND_OFF = 1e-13;
static const double AT_KINK = 1e-13;
enum { REFINEMENTS = 3 }; /* steps on one face, the first included */
enum { STALLED = 20 };    /* steps of length zero in a row that call for leave_vertex() */

void srl_hinge_qp_carve(struct srl_arena *arena, struct srl_hinge_qp *qp, int64_t d, int64_t capacity) {
    qp->d = d;
    qp->capacity = capacity;
    qp->lower = srl_arena_doubles(arena, d);
    qp->upper = srl_arena_doubles(arena, d);
    qp->rows = srl_arena_matrix(arena, capacity, d);
    qp->offsets = srl_arena_doubles(arena, capacity);
    qp->weights = srl_arena_doubles(arena, capacity);
    qp->start = srl_arena_flags(arena, capacity);
    qp->step = srl_arena_doubles(arena, d);
    qp->pinned = srl_arena_indices(arena, d);
    qp->multipliers = srl_arena_doubles(arena, d);
    qp->vertex = srl_arena_doubles(arena, d);
    qp->state = srl_arena_flags(arena, capacity);
    qp->side = (signed char *)srl_arena_flags(arena, d);
    srl_face_carve(arena, &qp->face, d);
    qp->linear = srl_arena_doubles(arena, d);
    qp->residual = srl_arena_doubles(arena, d);
    qp->direction = srl_arena_doubles(arena, d);
    qp->values = srl_arena_doubles(arena, capacity);
    qp->rates = srl_arena_doubles(arena, capacity);
    qp->norms = srl_arena_doubles(arena, capacity);
    qp->bends = srl_arena_take(arena, capacity > INT64_MAX - d ? -1 : capacity + d, sizeof *qp->bends);
}

static const double *row(const struct srl_hinge_qp *qp, int64_t hinge) { return qp->rows + hinge * qp->d; }
static struct srl_matrix rows_of(const struct srl_hinge_qp *qp) {
    return (struct srl_matrix){qp->rows, qp->count, qp->d, qp->d, true};
}
static int64_t component(int32_t which) { return -1 - (int64_t)which; } /* of a bound */

/* ---- states of hinges ---- */

static void set_full(struct srl_hinge_qp *qp, int64_t hinge, bool full) {
    if ((qp->state[hinge] == FULL) != full)
        srl_axpy(qp->d, full ? qp->weights[hinge] : -qp->weights[hinge], row(qp, hinge), qp->linear);
    qp->state[hinge] = full ? FULL : OFF;
}

static bool pin_hinge(struct srl_hinge_qp *qp, int64_t hinge) {
    double *slot = srl_face_slot(&qp->face);
    if (slot == NULL)
        return false;
    memcpy(slot, row(qp, hinge), (size_t)qp->d * sizeof *slot);
    qp->pinned[qp->face.count] = (int32_t)hinge;
    if (!srl_face_append(&qp->face))
        return false;
    set_full(qp, hinge, false);
    qp->state[hinge] = PINNED;
    return true;
}

static bool pin_bound(struct srl_hinge_qp *qp, int64_t k, int side) {
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

/* Hinges that were left alone as dependent are looked at again. */
static void forget_dependence(struct srl_hinge_qp *qp) {
    for (int64_t i = 0; i < qp->known; i++)
        if (qp->state[i] == DEPENDENT)
            set_full(qp, i, qp->values[i] > 0.0);
}

static void unpin(struct srl_hinge_qp *qp, int64_t k) {
    srl_face_remove(&qp->face, k);
    memmove(qp->pinned + k, qp->pinned + k + 1, (size_t)(qp->face.count - k) * sizeof *qp->pinned);
}

static void release(struct srl_hinge_qp *qp, int64_t k, bool full) {
    const int32_t which = qp->pinned[k];
    unpin(qp, k);
    if (which >= 0)
        set_full(qp, which, full);
    else
        qp->side[component(which)] = 0;
    forget_dependence(qp);
}

/* ---- where p stands ---- */

/* values_i = e_i + b_i'p. */
static void update_values(struct srl_hinge_qp *qp) {
    const struct srl_matrix rows = rows_of(qp);
    memcpy(qp->values, qp->offsets, (size_t)qp->count * sizeof *qp->values);
    srl_gemv(SRL_PLAIN, 1.0, &rows, qp->step, 1.0, qp->values);
}

static double bound_of(const struct srl_hinge_qp *qp, int64_t k) { return qp->side[k] < 0 ? qp->lower[k] : qp->upper[k]; }

/* How far p is beyond the pinned hinge or bound. */
static double excess(const struct srl_hinge_qp *qp, int32_t which) {
    if (which >= 0)
        return qp->values[which];
    const int64_t k = component(which);
    return qp->side[k] < 0 ? qp->lower[k] - qp->step[k] : qp->step[k] - qp->upper[k];
}

/* p moves within the span of the pinned rows so that all of them hold. */
static void settle_on_face(struct srl_hinge_qp *qp) {
    double *beyond = qp->vertex; /* scratch here */
    update_values(qp);
    for (int64_t k = 0; k < qp->face.count; k++)
        beyond[k] = excess(qp, qp->pinned[k]);
    srl_face_move(&qp->face, beyond, qp->direction);
    srl_axpy(qp->d, 1.0, qp->direction, qp->step);
    for (int64_t k = 0; k < qp->d && qp->bounded; k++)
        if (qp->side[k] != 0)
            qp->step[k] = bound_of(qp, k);
    update_values(qp);
}

/* Round-off may take p beyond a bound that it did not mean to meet. */
static void clamp(struct srl_hinge_qp *qp) {
    for (int64_t k = 0; k < qp->d && qp->bounded; k++)
        qp->step[k] = fmin(fmax(qp->step[k], qp->lower[k]), qp->upper[k]);
}

static bool within_bounds(const struct srl_hinge_qp *qp) {
    for (int64_t k = 0; k < qp->d && qp->bounded; k++)
        if (!(qp->step[k] >= qp->lower[k] && qp->step[k] <= qp->upper[k]))
            return false;
    return true;
}

/* New hinges take the state of the side that p is on. */
static void classify(struct srl_hinge_qp *qp) {
    for (; qp->known < qp->count; qp->known++) {
        const int64_t i = qp->known;
        qp->norms[i] = srl_norm(qp->d, row(qp, i));
        if (qp->state[i] != PINNED)
            set_full(qp, i, qp->values[i] > 0.0);
    }
}

static void begin_at_zero(struct srl_hinge_qp *qp, bool guess) {
    memcpy(qp->linear, qp->gradient, (size_t)qp->d * sizeof *qp->linear);
    memset(qp->step, 0, (size_t)qp->d * sizeof *qp->step);
    memset(qp->state, OFF, (size_t)qp->count);
    memset(qp->side, 0, (size_t)qp->d);
    qp->known = 0;
    srl_face_clear(&qp->face, qp->factor);
    for (int64_t k = 0; k < qp->d && qp->bounded; k++) /* what is fixed, and what the gradient pushes out of bounds */
        if (qp->lower[k] == 0.0 && qp->upper[k] == 0.0)
            pin_bound(qp, k, FIXED);
    for (int64_t k = 0; k < qp->d && qp->bounded && guess; k++)
        if (qp->side[k] == 0 && (qp->gradient[k] > 0.0 ? qp->lower[k] : qp->upper[k]) == 0.0)
            pin_bound(qp, k, qp->gradient[k] > 0.0 ? -1 : 1);
    for (int64_t i = 0; i < qp->count && guess; i++)
        if (qp->start[i])
            pin_hinge(qp, i);
    settle_on_face(qp);
    classify(qp);
}

/* ---- one iteration ---- */

/* residual = L^-1 (linear + Hp), direction = -(I - QQ') residual = delta. Returns |delta|, 0 when it is round-off. */
static double find_direction(struct srl_hinge_qp *qp) {
    srl_symv(qp->d, qp->hessian, qp->d, qp->step, qp->residual);
    srl_axpy(qp->d, qp->shift, qp->step, qp->residual);
    srl_axpy(qp->d, 1.0, qp->linear, qp->residual);
    srl_trsm_lower(SRL_PLAIN, qp->d, 1, qp->factor, qp->d, qp->residual, qp->d);
    for (int64_t k = 0; k < qp->d; k++)
        qp->direction[k] = -qp->residual[k];
    srl_face_project_out(&qp->face, qp->direction);
    const double length = qp->face.count < qp->d ? srl_norm(qp->d, qp->direction) : 0.0;
    return length <= DIRECTION_ROUND_OFF * srl_norm(qp->d, qp->residual) ? 0.0 : length; /* NaN stays NaN */
}

static int by_position(const void *a, const void *b) {
    const struct srl_bend *left = a, *right = b;
    if (left->at != right->at)
        return left->at < right->at ? -1 : 1;
    return left->which < right->which ? -1 : left->which > right->which;
}

/* Where hinges bend the parabola along dp, and where bounds end it, for 0 <= t <= 1, in order. */
static int64_t find_bends(struct srl_hinge_qp *qp) {
    const struct srl_matrix rows = rows_of(qp);
    const double length = srl_norm(qp->d, qp->direction);
    int64_t found = 0;
    srl_gemv(SRL_PLAIN, 1.0, &rows, qp->direction, 0.0, qp->rates);
    for (int64_t i = 0; i < qp->count; i++) {
        if (qp->state[i] > FULL || qp->weights[i] == 0.0)
            continue;
        const bool bends = qp->state[i] == OFF ? qp->rates[i] > 0.0 : qp->rates[i] < 0.0;
        const double at = bends ? fmax(0.0, -qp->values[i] / qp->rates[i]) : INFINITY;
        if (at <= 1.0 && fabs(qp->rates[i]) > SLOPE_ROUND_OFF * length * qp->norms[i])
            qp->bends[found++] = (struct srl_bend){at, (int32_t)i};
    }
    for (int64_t k = 0; k < qp->d && qp->bounded; k++) {
        const double bound = qp->direction[k] > 0.0 ? qp->upper[k] : qp->lower[k];
        const double at = qp->side[k] == 0 ? fmax(0.0, (bound - qp->step[k]) / qp->direction[k]) : INFINITY;
        if (at <= 1.0 && fabs(qp->direction[k]) > SLOPE_ROUND_OFF * length)
            qp->bends[found++] = (struct srl_bend){at, (int32_t)(-1 - k)};
    }
    qsort(qp->bends, (size_t)found, sizeof *qp->bends, by_position);
    return found;
}

/* Walks the bends up to the one where the slope changes sign: hinges passed change state. Returns its place in bends, or -1
   with the end of the parabola in *t. */
static int64_t walk(struct srl_hinge_qp *qp, int64_t bends, double curvature, double *t) {
    double jumps = 0.0;
    for (int64_t k = 0; k < bends; k++) {
        const int32_t which = qp->bends[k].which;
        *t = qp->bends[k].at;
        if ((*t - 1.0) * curvature + jumps >= 0.0)
            break;
        if (which < 0)
            return k;
        jumps += qp->weights[which] * fabs(qp->rates[which]);
        if ((*t - 1.0) * curvature + jumps >= 0.0)
            return k;
        set_full(qp, which, qp->state[which] == OFF);
    }
    *t = 1.0 - jumps / curvature;
    return -1;
}

/* Moves to the exact minimiser along the direction. True when that is the end of an unbent parabola, t = 1. */
static bool move(struct srl_hinge_qp *qp, double length) {
    srl_trsm_lower(SRL_TRANSPOSED, qp->d, 1, qp->factor, qp->d, qp->direction, qp->d);
    const int64_t bends = find_bends(qp);
    double t = 1.0;
    const int64_t stopped = walk(qp, bends, length * length, &t);
    srl_axpy(qp->d, t, qp->direction, qp->step);
    clamp(qp);
    qp->stalled = t > 0.0 ? 0 : qp->stalled + 1;
    if (stopped >= 0) {
        const int32_t which = qp->bends[stopped].which;
        if (which < 0)
            pin_bound(qp, component(which), qp->direction[component(which)] > 0.0 ? 1 : -1);
        else if (!pin_hinge(qp, which)) {
            set_full(qp, which, false);
            qp->state[which] = DEPENDENT;
        }
    }
    update_values(qp);
    return stopped < 0 && t == 1.0;
}

static double weight_of(const struct srl_hinge_qp *qp, int32_t which) { return which < 0 ? INFINITY : qp->weights[which]; }

/* At the minimiser of a face: lets the multiplier go that violates its interval most. False when all are inside: the problem is
   solved. */
static bool release_worst(struct srl_hinge_qp *qp) {
    const double *lambda = qp->multipliers;
    const double scale = MULTIPLIER_ROUND_OFF * srl_norm(qp->d, qp->residual);
    double worst = scale;
    int64_t chosen = -1;
    srl_face_multipliers(&qp->face, qp->residual, qp->multipliers);
    for (int64_t k = 0; k < qp->face.count; k++) {
        const int32_t which = qp->pinned[k];
        if (which < 0 && qp->side[component(which)] == FIXED)
            continue;
        const double size = srl_face_length(&qp->face, k);
        const double violation = fmax(-lambda[k], lambda[k] - weight_of(qp, which)) * size;
        if (violation > worst) {
            worst = violation;
            chosen = k;
        }
    }
    if (chosen < 0)
        return false;
    release(qp, chosen, lambda[chosen] > 0.0);
    return true;
}

/* ---- degenerate vertices ---- */

/* Whether p is at the kink of hinge i up to round-off. */
static bool at_kink(const struct srl_hinge_qp *qp, int64_t i, double length) {
    return fabs(qp->values[i]) <= AT_KINK * (fabs(qp->offsets[i]) + qp->norms[i] * length);
}

static int bound_reached(const struct srl_hinge_qp *qp, int64_t k) {
    return qp->step[k] == qp->lower[k] ? -1 : qp->step[k] == qp->upper[k] ? 1 : 0;
}

/* Pins the hinge or bound at p that the direction breaks most: one that is off and would rise, or full and would fall. False
   when there is none. Its multiplier starts where it was. */
static bool pin_broken(struct srl_hinge_qp *qp) {
    const struct srl_matrix rows = rows_of(qp);
    const double length = srl_norm(qp->d, qp->direction), reach = srl_norm(qp->d, qp->step);
    for (;;) {
        double worst = SLOPE_ROUND_OFF * length;
        int32_t which = INT32_MIN;
        srl_gemv(SRL_PLAIN, 1.0, &rows, qp->direction, 0.0, qp->rates);
        for (int64_t i = 0; i < qp->count; i++) {
            const double rate = qp->state[i] == OFF ? qp->rates[i] : qp->state[i] == FULL ? -qp->rates[i] : 0.0;
            if (rate > worst * qp->norms[i] && qp->weights[i] > 0.0 && at_kink(qp, i, reach)) {
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
            which >= 0 && qp->state[which] == FULL ? qp->weights[which] : 0.0;
        if (which < 0 ? pin_bound(qp, component(which), bound_reached(qp, component(which))) : pin_hinge(qp, which))
            return true;
        if (which < 0)
            return false;
        set_full(qp, which, false);
        qp->state[which] = DEPENDENT;
    }
}

/* The multipliers of the pinned move to the least-squares solution as far as all stay in their intervals; the first that meets
   an end is let go there. True when the whole way was free. */
static bool balance(struct srl_hinge_qp *qp) {
    double fraction = 1.0;
    int64_t first = -1;
    find_direction(qp);
    srl_face_multipliers(&qp->face, qp->residual, qp->multipliers);
    for (int64_t k = 0; k < qp->face.count; k++) {
        const double target = qp->multipliers[k], end = target < 0.0 ? 0.0 : weight_of(qp, qp->pinned[k]);
        if ((qp->pinned[k] < 0 && qp->side[component(qp->pinned[k])] == FIXED) || (target >= 0.0 && target <= end))
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
    const int32_t which = qp->pinned[first];
    for (int64_t k = first; k + 1 < qp->face.count; k++)
        qp->vertex[k] = qp->vertex[k + 1];
    unpin(qp, first);
    if (which >= 0)
        set_full(qp, which, full);
    else
        qp->side[component(which)] = 0;
    return false;
}

/* Where more hinges than dimensions meet at p, pinning one after the other can go round in circles without moving. Then the
   direction of steepest descent in the metric of H is found instead: the least |L^-1 (g + Hp + sum lambda_i b_i)| over
   0 <= lambda_i <= w_i of all hinges at p, by the active-set method for least squares with bounds, which shortens it with every
   change of the set. The hinges whose multiplier is inside become the pinned ones; then p moves, or it is the solution. */
static void leave_vertex(struct srl_hinge_qp *qp) {
    const double reach = srl_norm(qp->d, qp->step);
    settle_on_face(qp);
    clamp(qp);
    update_values(qp);
    srl_face_clear(&qp->face, qp->factor);
    memset(qp->side, 0, (size_t)qp->d);
    for (int64_t i = 0; i < qp->count; i++)
        if (qp->state[i] > FULL || at_kink(qp, i, reach))
            set_full(qp, i, false);
    for (int64_t k = 0; k < qp->d && qp->bounded; k++)
        if (qp->lower[k] == qp->upper[k]) {
            qp->vertex[qp->face.count] = 0.0;
            pin_bound(qp, k, FIXED);
        }
    for (int64_t change = 0; change < 4 * (qp->d + qp->count); change++) {
        if (find_direction(qp) == 0.0)
            break;
        srl_trsm_lower(SRL_TRANSPOSED, qp->d, 1, qp->factor, qp->d, qp->direction, qp->d);
        if (!pin_broken(qp))
            break;
        while (!balance(qp))
            change++;
    }
    qp->stalled = 0;
}

/* g'p + 1/2 p'Hp + sum w_i max(0, e_i + b_i'p) */
static double value(struct srl_hinge_qp *qp) {
    srl_symv(qp->d, qp->hessian, qp->d, qp->step, qp->direction);
    srl_axpy(qp->d, qp->shift, qp->step, qp->direction);
    double value = 0.5 * srl_dot(qp->d, qp->direction, qp->step) + srl_dot(qp->d, qp->gradient, qp->step);
    for (int64_t i = 0; i < qp->count; i++)
        if (qp->state[i] != PINNED && qp->values[i] > 0.0)
            value += qp->weights[i] * qp->values[i];
    return value;
}

static void run(struct srl_hinge_qp *qp) {
    const int64_t limit = qp->iterations + 100 + 4 * (qp->d + qp->count);
    int64_t on_face = 0;
    qp->ended = SRL_HINGE_QP_LIMIT;
    while (qp->ended == SRL_HINGE_QP_LIMIT && qp->iterations++ < limit) {
        if (qp->stalled > STALLED)
            leave_vertex(qp);
        const double length = find_direction(qp);
        if (!isfinite(length))
            qp->ended = SRL_HINGE_QP_NOT_FINITE;
        else if (length > 0.0 && on_face < REFINEMENTS)
            on_face = move(qp, length) ? on_face + 1 : 0;
        else if (release_worst(qp))
            on_face = 0;
        else
            qp->ended = SRL_HINGE_QP_SOLVED;
    }
    settle_on_face(qp);
    clamp(qp);
    update_values(qp);
    qp->model = value(qp);
}

void srl_hinge_qp_solve(struct srl_hinge_qp *qp) {
    qp->iterations = 0;
    qp->stalled = 0;
    begin_at_zero(qp, true);
    if (!within_bounds(qp)) /* the guess led astray */
        begin_at_zero(qp, false);
    run(qp);
}

void srl_hinge_qp_start_at(struct srl_hinge_qp *qp, const double *step) {
    qp->iterations = 0;
    qp->stalled = 0;
    begin_at_zero(qp, false);
    memcpy(qp->step, step, (size_t)qp->d * sizeof *step);
    qp->ended = SRL_HINGE_QP_SOLVED;
}

void srl_hinge_qp_resume(struct srl_hinge_qp *qp) {
    memset(qp->state + qp->known, OFF, (size_t)(qp->count - qp->known));
    update_values(qp);
    classify(qp);
    run(qp);
}

void srl_hinge_qp_change_gradient(struct srl_hinge_qp *qp, const double *gradient) {
    srl_axpy(qp->d, -1.0, qp->gradient, qp->linear);
    srl_axpy(qp->d, 1.0, gradient, qp->linear);
    qp->gradient = gradient;
}

double srl_hinge_qp_hinges(const struct srl_hinge_qp *qp, const double *p, double *values) {
    const struct srl_matrix rows = rows_of(qp);
    double sum = 0.0;
    memcpy(values, qp->offsets, (size_t)qp->count * sizeof *values);
    srl_gemv(SRL_PLAIN, 1.0, &rows, p, 1.0, values);
    for (int64_t i = 0; i < qp->count; i++)
        sum += qp->weights[i] * fmax(0.0, values[i]);
    return sum;
}

bool srl_hinge_qp_is_full(const struct srl_hinge_qp *qp, int64_t hinge) { return qp->state[hinge] == FULL; }

bool srl_hinge_qp_is_pinned(const struct srl_hinge_qp *qp, int64_t hinge) { return qp->state[hinge] == PINNED; }
