#include "step/hinge_qp.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "step/hinge_blocks.h"
#include "step/hinge_state.h"
#include "step/hinge_vertex.h"

/* Relative sizes below which a slope or a violation is round-off. */
static const double SLOPE_ROUND_OFF = 1e-13, MULTIPLIER_ROUND_OFF = 1e-13;
static const double WORTH_REFINING = 0.1; /* a step on the same face relative to the one before it */
enum { REFINEMENTS = 3 };                 /* steps on one face, the first included */
enum { STALLED = 20 };                    /* steps of length zero in a row that call for srl_hinge_leave_vertex() */

void srl_hinge_qp_carve(struct srl_arena *arena, struct srl_hinge_qp *qp, int64_t d, int64_t capacity) {
    qp->d = d;
    qp->capacity = capacity;
    qp->interruption = NULL;
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

static void forget(struct srl_hinge_qp *qp) {
    memcpy(qp->linear, qp->gradient, (size_t)qp->d * sizeof *qp->linear);
    memset(qp->step, 0, (size_t)qp->d * sizeof *qp->step);
    memcpy(qp->values, qp->offsets, (size_t)qp->count * sizeof *qp->values);
    memset(qp->state, SRL_HINGE_OFF, (size_t)qp->count);
    memset(qp->side, 0, (size_t)qp->d);
    qp->known = 0;
    srl_face_clear(&qp->face, &qp->metric);
}

static void begin_at_zero(struct srl_hinge_qp *qp, bool guess) {
    forget(qp);
    for (int64_t k = 0; k < qp->d && qp->bounded; k++) /* what is fixed, and what the gradient pushes out of bounds */
        if (qp->lower[k] == 0.0 && qp->upper[k] == 0.0 && !srl_interrupted(qp->interruption))
            srl_hinge_pin_bound(qp, k, SRL_BOUND_FIXED);
    for (int64_t k = 0; k < qp->d && qp->bounded && guess; k++)
        if (qp->side[k] == 0 && (qp->gradient[k] > 0.0 ? qp->lower[k] : qp->upper[k]) == 0.0 &&
            !srl_interrupted(qp->interruption))
            srl_hinge_pin_bound(qp, k, qp->gradient[k] > 0.0 ? -1 : 1);
    for (int64_t i = 0; i < qp->count && guess; i++)
        if (qp->start[i] && !srl_interrupted(qp->interruption))
            srl_hinge_pin(qp, i);
    srl_hinge_settle(qp);
    srl_hinge_classify(qp);
}

/* ---- one iteration ---- */

static int by_position(const void *a, const void *b) {
    const struct srl_bend *left = a, *right = b;
    if (left->at != right->at)
        return left->at < right->at ? -1 : 1;
    return left->which < right->which ? -1 : left->which > right->which;
}

/* Where hinges bend the parabola along dp, and where bounds end it, for 0 <= t <= 1, in order. */
static int64_t find_bends(struct srl_hinge_qp *qp) {
    const struct srl_matrix rows = srl_hinge_rows(qp);
    const double length = srl_norm(qp->d, qp->direction);
    int64_t found = 0;
    srl_gemv(SRL_PLAIN, 1.0, &rows, qp->direction, 0.0, qp->rates);
    for (int64_t i = 0; i < qp->count; i++) {
        if (qp->state[i] > SRL_HINGE_FULL || qp->weights[i] == 0.0)
            continue;
        const bool bends = qp->state[i] == SRL_HINGE_OFF ? qp->rates[i] > 0.0 : qp->rates[i] < 0.0;
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
        srl_hinge_set_full(qp, which, qp->state[which] == SRL_HINGE_OFF);
    }
    *t = 1.0 - jumps / curvature;
    return -1;
}

/* Moves to the exact minimiser along the direction. True when that is the end of an unbent parabola, t = 1. */
static bool move(struct srl_hinge_qp *qp, double length) {
    srl_metric_solve(&qp->metric, SRL_TRANSPOSED, 1, qp->direction);
    const int64_t bends = find_bends(qp);
    double t = 1.0;
    const int64_t stopped = walk(qp, bends, length * length, &t);
    srl_axpy(qp->d, t, qp->direction, qp->step);
    srl_hinge_clamp(qp);
    qp->stalled = t > 0.0 ? 0 : qp->stalled + 1;
    if (stopped >= 0) {
        const int32_t which = qp->bends[stopped].which;
        if (which < 0)
            srl_hinge_pin_bound(qp, srl_hinge_component(which), qp->direction[srl_hinge_component(which)] > 0.0 ? 1 : -1);
        else if (!srl_hinge_pin(qp, which)) {
            srl_hinge_set_full(qp, which, false);
            qp->state[which] = SRL_HINGE_DEPENDENT;
        }
    }
    srl_hinge_update_values(qp);
    return stopped < 0 && t == 1.0;
}

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
        if (which < 0 && qp->side[srl_hinge_component(which)] == SRL_BOUND_FIXED)
            continue;
        const double size = srl_face_length(&qp->face, k);
        const double violation = fmax(-lambda[k], lambda[k] - srl_hinge_weight(qp, which)) * size;
        if (violation > worst) {
            worst = violation;
            chosen = k;
        }
    }
    if (chosen < 0)
        return false;
    srl_hinge_release(qp, chosen, lambda[chosen] > 0.0);
    srl_hinge_forget_dependence(qp);
    return true;
}

static void run(struct srl_hinge_qp *qp) {
    const int64_t limit = qp->iterations + 100 + 4 * (qp->d + qp->count);
    int64_t on_face = 0;
    double previous = INFINITY;
    qp->ended = SRL_HINGE_QP_LIMIT;
    while (qp->ended == SRL_HINGE_QP_LIMIT && qp->iterations++ < limit && !srl_interrupted(qp->interruption)) {
        if (qp->stalled > STALLED)
            srl_hinge_leave_vertex(qp);
        const double length = srl_hinge_direction(qp);
        if (!isfinite(length))
            qp->ended = SRL_HINGE_QP_NOT_FINITE;
        else if (length > 0.0 && on_face < REFINEMENTS && (on_face == 0 || length < WORTH_REFINING * previous))
            on_face = move(qp, length) ? on_face + 1 : 0;
        else if (release_worst(qp))
            on_face = 0;
        else
            qp->ended = SRL_HINGE_QP_SOLVED;
        previous = length;
    }
    srl_hinge_settle(qp);
    srl_hinge_clamp(qp);
    srl_hinge_update_values(qp);
    srl_metric_product(&qp->metric, qp->step, qp->direction);
    qp->model = srl_hinge_value(qp, qp->direction);
}

/* By blocks, and if need be from what they have found, or from p = 0. */
static void solve(struct srl_hinge_qp *qp, bool guess) {
    const enum srl_hinge_blocks_end found = srl_hinge_solve_by_blocks(qp, guess);
    qp->by_blocks = found == SRL_HINGE_BLOCKS_SOLVED;
    qp->ended = SRL_HINGE_QP_SOLVED;
    if (qp->by_blocks)
        return;
    if (srl_interrupted(qp->interruption)) { /* p = 0 */
        forget(qp);
        qp->model = 0.0;
        qp->ended = SRL_HINGE_QP_LIMIT;
        return;
    }
    if (found == SRL_HINGE_BLOCKS_FAILED || !srl_face_orthonormalise(&qp->face)) {
        begin_at_zero(qp, true);
        if (!srl_hinge_within_bounds(qp)) /* the guess led astray */
            begin_at_zero(qp, false);
    }
    run(qp);
}

void srl_hinge_qp_solve(struct srl_hinge_qp *qp) {
    qp->iterations = 0;
    qp->stalled = 0;
    forget(qp);
    solve(qp, true);
}

void srl_hinge_qp_start_at(struct srl_hinge_qp *qp, const double *step) {
    qp->iterations = 0;
    qp->stalled = 0;
    begin_at_zero(qp, false);
    memcpy(qp->step, step, (size_t)qp->d * sizeof *step);
    qp->by_blocks = true;
    qp->ended = SRL_HINGE_QP_SOLVED;
}

void srl_hinge_qp_resume(struct srl_hinge_qp *qp) {
    if (qp->by_blocks) {
        solve(qp, false);
        return;
    }
    memset(qp->state + qp->known, SRL_HINGE_OFF, (size_t)(qp->count - qp->known));
    srl_hinge_update_values(qp);
    srl_hinge_classify(qp);
    run(qp);
}

bool srl_hinge_qp_complete_face(struct srl_hinge_qp *qp) { return qp->face.orthonormal || srl_face_orthonormalise(&qp->face); }

void srl_hinge_qp_change_gradient(struct srl_hinge_qp *qp, const double *gradient) {
    srl_axpy(qp->d, -1.0, qp->gradient, qp->linear);
    srl_axpy(qp->d, 1.0, gradient, qp->linear);
    qp->gradient = gradient;
}

double srl_hinge_qp_hinges(const struct srl_hinge_qp *qp, const double *p, double *values) {
    const struct srl_matrix rows = srl_hinge_rows(qp);
    const double length = srl_norm(qp->d, p);
    double sum = 0.0;
    memcpy(values, qp->offsets, (size_t)qp->count * sizeof *values);
    srl_gemv(SRL_PLAIN, 1.0, &rows, p, 1.0, values);
    for (int64_t i = 0; i < qp->count; i++)
        if (qp->state[i] != SRL_HINGE_PINNED || !srl_hinge_at_kink(qp, i, values[i], length))
            sum += qp->weights[i] * fmax(0.0, values[i]);
    return sum;
}

bool srl_hinge_qp_is_full(const struct srl_hinge_qp *qp, int64_t hinge) { return qp->state[hinge] == SRL_HINGE_FULL; }

bool srl_hinge_qp_is_pinned(const struct srl_hinge_qp *qp, int64_t hinge) { return qp->state[hinge] == SRL_HINGE_PINNED; }
