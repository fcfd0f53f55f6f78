#include "step/hinge_qp.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { OFF, FULL, PINNED };
/* Relative sizes below which a slope, a direction or a violation is round-off. */
static const double SLOPE_ROUND_OFF = 1e-13, DIRECTION_ROUND_OFF = 1e-14, MULTIPLIER_ROUND_OFF = 1e-13, DEPENDENT = 1e-10;

void srl_hinge_qp_carve(struct srl_arena *arena, struct srl_hinge_qp *qp, int64_t d, int64_t capacity) {
    qp->d = d;
    qp->capacity = capacity;
    qp->rows = srl_arena_matrix(arena, capacity, d);
    qp->offsets = srl_arena_doubles(arena, capacity);
    qp->weights = srl_arena_doubles(arena, capacity);
    qp->start = srl_arena_flags(arena, capacity);
    qp->step = srl_arena_doubles(arena, d);
    qp->state = srl_arena_flags(arena, capacity);
    qp->pinned = srl_arena_indices(arena, d);
    qp->basis = srl_arena_matrix(arena, d, d);
    qp->triangle = srl_arena_matrix(arena, d, d);
    qp->linear = srl_arena_doubles(arena, d);
    qp->s = srl_arena_doubles(arena, d);
    qp->residual = srl_arena_doubles(arena, d);
    qp->direction = srl_arena_doubles(arena, d);
    qp->multipliers = srl_arena_doubles(arena, d);
    qp->values = srl_arena_doubles(arena, capacity);
    qp->rates = srl_arena_doubles(arena, capacity);
    qp->bends = srl_arena_take(arena, capacity, sizeof *qp->bends);
}

static const double *row(const struct srl_hinge_qp *qp, int64_t hinge) { return qp->rows + hinge * qp->d; }

/* x - QQ'x in place, twice for full orthogonality; the coefficients Q'x are added to coefficients unless NULL. */
static void project_out(const struct srl_hinge_qp *qp, double *x, double *coefficients) {
    for (int pass = 0; pass < 2; pass++)
        for (int64_t k = 0; k < qp->pinned_count; k++) {
            const double *q = qp->basis + k * qp->d;
            const double along = srl_dot(qp->d, q, x);
            srl_axpy(qp->d, -along, q, x);
            if (coefficients != NULL)
                coefficients[k] += along;
        }
}

static void set_full(struct srl_hinge_qp *qp, int64_t hinge, bool full) {
    if ((qp->state[hinge] == FULL) != full)
        srl_axpy(qp->d, full ? qp->weights[hinge] : -qp->weights[hinge], row(qp, hinge), qp->linear);
    qp->state[hinge] = full ? FULL : OFF;
}

/* Pins a hinge: a new column of Q and T. False, and nothing changed, when its row depends on the pinned ones. */
static bool pin(struct srl_hinge_qp *qp, int64_t hinge) {
    if (qp->pinned_count == qp->d)
        return false;
    double *q = qp->basis + qp->pinned_count * qp->d, *column = qp->triangle + qp->pinned_count * qp->d;
    memcpy(q, row(qp, hinge), (size_t)qp->d * sizeof *q);
    memset(column, 0, (size_t)qp->d * sizeof *column);
    const double before = srl_norm(qp->d, q);
    project_out(qp, q, column);
    const double after = srl_norm(qp->d, q);
    if (!(after > DEPENDENT * before))
        return false;
    srl_scale(qp->d, 1.0 / after, q);
    column[qp->pinned_count] = after;
    set_full(qp, hinge, false);
    qp->pinned[qp->pinned_count++] = (int32_t)hinge;
    qp->state[hinge] = PINNED;
    return true;
}

/* Lets the k-th pinned hinge go and rebuilds the columns behind it. */
static void release(struct srl_hinge_qp *qp, int64_t k, bool full) {
    const int64_t count = qp->pinned_count, hinge = qp->pinned[k];
    set_full(qp, hinge, full);
    qp->pinned_count = k;
    for (int64_t j = k + 1; j < count; j++) {
        const int64_t other = qp->pinned[j];
        if (!pin(qp, other))
            set_full(qp, other, false);
    }
}

/* values_i = e_i + y_i's. */
static void update_values(struct srl_hinge_qp *qp) {
    const struct srl_matrix rows = {qp->rows, qp->count, qp->d, qp->d, true};
    memcpy(qp->values, qp->offsets, (size_t)qp->count * sizeof *qp->values);
    srl_gemv(SRL_PLAIN, 1.0, &rows, qp->s, 1.0, qp->values);
}

/* s moves within the span of Q so that the pinned hinges are at zero: T'c = -values, s += Q c. */
static void settle_on_face(struct srl_hinge_qp *qp) {
    update_values(qp);
    double *c = qp->direction; /* scratch here */
    for (int64_t k = 0; k < qp->pinned_count; k++) {
        const double *column = qp->triangle + k * qp->d;
        c[k] = (-qp->values[qp->pinned[k]] - srl_dot(k, column, c)) / column[k];
    }
    for (int64_t k = 0; k < qp->pinned_count; k++)
        srl_axpy(qp->d, c[k], qp->basis + k * qp->d, qp->s);
}

static void begin(struct srl_hinge_qp *qp, const double *factor, const double *gradient) {
    memcpy(qp->linear, gradient, (size_t)qp->d * sizeof *qp->linear);
    srl_trsm_lower(SRL_PLAIN, qp->d, 1, factor, qp->d, qp->linear, qp->d);
    srl_trsm_lower(SRL_PLAIN, qp->d, qp->count, factor, qp->d, qp->rows, qp->d);
    memset(qp->s, 0, (size_t)qp->d * sizeof *qp->s);
    memset(qp->state, OFF, (size_t)qp->count);
    qp->pinned_count = 0;
    qp->iterations = 0;
    for (int64_t i = 0; i < qp->count; i++)
        if (qp->start[i])
            pin(qp, i);
    settle_on_face(qp);
    update_values(qp);
    for (int64_t i = 0; i < qp->count; i++)
        if (qp->state[i] != PINNED && qp->values[i] > 0.0)
            set_full(qp, i, true);
}

/* direction = -(I - QQ')(s + linear); returns its length, 0 when it is round-off. */
static double find_direction(struct srl_hinge_qp *qp) {
    for (int64_t k = 0; k < qp->d; k++)
        qp->residual[k] = qp->s[k] + qp->linear[k];
    const double size = srl_norm(qp->d, qp->s) + srl_norm(qp->d, qp->linear);
    memcpy(qp->direction, qp->residual, (size_t)qp->d * sizeof *qp->direction);
    srl_scale(qp->d, -1.0, qp->direction);
    project_out(qp, qp->direction, NULL);
    const double length = srl_norm(qp->d, qp->direction);
    return length > DIRECTION_ROUND_OFF * size ? length : 0.0;
}

static int by_position(const void *a, const void *b) {
    const struct srl_bend *left = a, *right = b;
    if (left->at != right->at)
        return left->at < right->at ? -1 : 1;
    return left->hinge < right->hinge ? -1 : left->hinge > right->hinge;
}

/* Where the hinges bend the parabola along direction, for 0 <= t <= 1, in order. */
static int64_t find_bends(struct srl_hinge_qp *qp, double length) {
    const struct srl_matrix rows = {qp->rows, qp->count, qp->d, qp->d, true};
    int64_t found = 0;
    srl_gemv(SRL_PLAIN, 1.0, &rows, qp->direction, 0.0, qp->rates);
    for (int64_t i = 0; i < qp->count; i++) {
        if (qp->state[i] == PINNED || qp->weights[i] == 0.0)
            continue;
        const bool bends = qp->state[i] == OFF ? qp->rates[i] > 0.0 : qp->rates[i] < 0.0;
        const double at = bends ? fmax(0.0, -qp->values[i] / qp->rates[i]) : INFINITY;
        if (at <= 1.0 && fabs(qp->rates[i]) > SLOPE_ROUND_OFF * length * srl_norm(qp->d, row(qp, i)))
            qp->bends[found++] = (struct srl_bend){at, i};
    }
    qsort(qp->bends, (size_t)found, sizeof *qp->bends, by_position);
    return found;
}

/* Moves to the exact minimiser along direction; hinges passed change state, the one that stops the move is pinned. True when
   the minimiser is the parabola's own, t = 1 of an unbent one. */
static bool move(struct srl_hinge_qp *qp, double length) {
    const int64_t bends = find_bends(qp, length);
    const double curvature = length * length;
    double jumps = 0.0, t = 1.0;
    int64_t stopped_by = -1;
    for (int64_t k = 0; k < bends; k++) {
        const int64_t hinge = qp->bends[k].hinge;
        const double at = qp->bends[k].at, slope = (at - 1.0) * curvature + jumps;
        if (slope >= 0.0)
            break;
        jumps += qp->weights[hinge] * fabs(qp->rates[hinge]);
        if ((at - 1.0) * curvature + jumps >= 0.0) {
            t = at;
            stopped_by = hinge;
            break;
        }
        set_full(qp, hinge, qp->state[hinge] == OFF);
    }
    if (stopped_by < 0)
        t = 1.0 - jumps / curvature;
    srl_axpy(qp->d, t, qp->direction, qp->s);
    if (stopped_by >= 0)
        pin(qp, stopped_by);
    update_values(qp);
    return stopped_by < 0 && jumps == 0.0;
}

/* At the minimiser of a face: lets the worst multiplier go. False when all are in their bounds: the problem is solved. */
static bool release_worst(struct srl_hinge_qp *qp) {
    double *lambda = qp->multipliers, worst = 0.0;
    for (int64_t k = 0; k < qp->d; k++)
        qp->residual[k] = qp->s[k] + qp->linear[k];
    const double scale = srl_norm(qp->d, qp->residual);
    int64_t chosen = -1;
    for (int64_t k = 0; k < qp->pinned_count; k++) /* Q'(-r), then T lambda = that */
        lambda[k] = -srl_dot(qp->d, qp->basis + k * qp->d, qp->residual);
    for (int64_t k = qp->pinned_count - 1; k >= 0; k--) {
        lambda[k] /= qp->triangle[k + k * qp->d];
        srl_axpy(k, -lambda[k], qp->triangle + k * qp->d, lambda);
    }
    for (int64_t k = 0; k < qp->pinned_count; k++) {
        const double size = srl_norm(qp->d, row(qp, qp->pinned[k]));
        const double violation = fmax(-lambda[k], lambda[k] - qp->weights[qp->pinned[k]]) * size;
        if (violation > MULTIPLIER_ROUND_OFF * scale && violation > worst) {
            worst = violation;
            chosen = k;
        }
    }
    if (chosen < 0)
        return false;
    release(qp, chosen, lambda[chosen] > 0.0);
    return true;
}

void srl_hinge_qp_solve(struct srl_hinge_qp *qp, const double *factor, const double *gradient) {
    const int64_t limit = 100 + 4 * (qp->d + qp->count);
    begin(qp, factor, gradient);
    qp->solved = false;
    while (!qp->solved && qp->iterations++ < limit) {
        const double length = find_direction(qp);
        const bool at_minimiser_of_face = length == 0.0 || move(qp, length);
        qp->solved = at_minimiser_of_face && !release_worst(qp);
    }
    settle_on_face(qp);

    /* 1/2 |s|^2 + (L^-1 g)'s + sum w_i max(0, e_i + y_i's); p = L'^-1 s */
    update_values(qp);
    memcpy(qp->step, gradient, (size_t)qp->d * sizeof *qp->step);
    srl_trsm_lower(SRL_PLAIN, qp->d, 1, factor, qp->d, qp->step, qp->d);
    qp->model = 0.5 * srl_dot(qp->d, qp->s, qp->s) + srl_dot(qp->d, qp->step, qp->s);
    for (int64_t i = 0; i < qp->count; i++)
        if (qp->state[i] != PINNED && qp->values[i] > 0.0)
            qp->model += qp->weights[i] * qp->values[i];
    memcpy(qp->step, qp->s, (size_t)qp->d * sizeof *qp->step);
    srl_trsm_lower(SRL_TRANSPOSED, qp->d, 1, factor, qp->d, qp->step, qp->d);
}

bool srl_hinge_qp_is_full(const struct srl_hinge_qp *qp, int64_t hinge) { return qp->state[hinge] == FULL; }
