#include "step/lbfgs.h"

#include "linalg/blas.h"

static const double RISES = 1e-10; /* s'y relative to |s||y| */

void srl_lbfgs_carve(struct srl_arena *arena, struct srl_lbfgs *lbfgs, int64_t d) {
    lbfgs->d = d;
    lbfgs->moves = srl_arena_matrix(arena, SRL_LBFGS_MEMORY, d);
    lbfgs->changes = srl_arena_matrix(arena, SRL_LBFGS_MEMORY, d);
}

void srl_lbfgs_reset(struct srl_lbfgs *lbfgs) { lbfgs->count = lbfgs->next = 0; }

/* The k-th pair back from the last one. */
static int64_t back(const struct srl_lbfgs *lbfgs, int64_t k) {
    return (lbfgs->next + SRL_LBFGS_MEMORY - 1 - k) % SRL_LBFGS_MEMORY;
}

void srl_lbfgs_direction(const struct srl_lbfgs *lbfgs, const struct srl_metric *metric, const double *gradient,
                         double *direction) {
    const int64_t d = lbfgs->d;
    double weights[SRL_LBFGS_MEMORY] = {0.0};
    for (int64_t k = 0; k < d; k++)
        direction[k] = -gradient[k];
    for (int64_t k = 0; k < lbfgs->count; k++) {
        const int64_t at = back(lbfgs, k);
        weights[k] = srl_dot(d, lbfgs->moves + at * d, direction) / lbfgs->slopes[at];
        srl_axpy(d, -weights[k], lbfgs->changes + at * d, direction);
    }
    if (metric != NULL) {
        srl_metric_solve(metric, SRL_PLAIN, 1, direction);
        srl_metric_solve(metric, SRL_TRANSPOSED, 1, direction);
    } else if (lbfgs->count > 0) { /* the size of B: that of the last pair */
        const double *change = lbfgs->changes + back(lbfgs, 0) * d;
        srl_scale(d, lbfgs->slopes[back(lbfgs, 0)] / srl_dot(d, change, change), direction);
    }
    for (int64_t k = lbfgs->count - 1; k >= 0; k--) {
        const int64_t at = back(lbfgs, k);
        const double weight = srl_dot(d, lbfgs->changes + at * d, direction) / lbfgs->slopes[at];
        srl_axpy(d, weights[k] - weight, lbfgs->moves + at * d, direction);
    }
}

void srl_lbfgs_learn(struct srl_lbfgs *lbfgs, const double *x0, const double *x1, const double *g0, const double *g1) {
    double *move = lbfgs->moves + lbfgs->next * lbfgs->d, *change = lbfgs->changes + lbfgs->next * lbfgs->d;
    for (int64_t k = 0; k < lbfgs->d; k++) {
        move[k] = x1[k] - x0[k];
        change[k] = g1[k] - g0[k];
    }
    const double slope = srl_dot(lbfgs->d, move, change);
    if (!(slope > RISES * srl_norm(lbfgs->d, move) * srl_norm(lbfgs->d, change)))
        return;
    lbfgs->slopes[lbfgs->next] = slope;
    lbfgs->next = (lbfgs->next + 1) % SRL_LBFGS_MEMORY;
    lbfgs->count += lbfgs->count < SRL_LBFGS_MEMORY;
}
