#include "step/newton.h"

#include <float.h>
#include <math.h>
#include <string.h>

static const double FIRST_SHIFT = 1e-12, LAST_SHIFT = 1e6, SHIFT_FACTOR = 10.0; /* relative to the largest diagonal entry */

static const double FOOTHOLD_DROP = 1e3;

void srl_newton_carve(struct srl_arena *arena, struct srl_newton *newton, const struct srl_model *model) {
    newton->hessian = srl_arena_matrix(arena, model->d, model->d);
    newton->factor = srl_arena_matrix(arena, model->d, model->d);
    newton->step = srl_arena_doubles(arena, model->d);
    newton->rest = srl_arena_doubles(arena, model->d);
    srl_small_matrix_carve(arena, &newton->small, model->d, newton->hessian, newton->factor);
    newton->interruption = model->interruption;
}

/* The largest diagonal entry in magnitude, shift added. */
static double largest_diagonal(const struct srl_newton *newton, int64_t d, double shift) {
    double largest = 0.0;
    for (int64_t k = 0; k < d; k++)
        largest = fmax(largest, fabs(newton->is_small ? srl_small_matrix_diagonal(&newton->small, shift, k)
                                                      : newton->hessian[k + k * d] + shift));
    return largest;
}

double srl_newton_scale(const struct srl_newton *newton, int64_t d) {
    const double largest = largest_diagonal(newton, d, 0.0);
    return largest > 0.0 ? largest : 1.0;
}

bool srl_newton_prefers_small(const struct srl_newton *newton, int64_t rows) {
    return newton->always_small ? rows <= newton->small.most
                                : srl_small_matrix_pays(newton->small.d, rows, newton->small.root != NULL);
}

void srl_newton_expand(struct srl_newton *newton) {
    srl_small_matrix_expand(&newton->small, newton->hessian);
    newton->is_small = false;
}

/* The eigenvalues of a small matrix serve for all shifts. */
static int decompose_with(struct srl_newton *newton, double shift) {
    if (!newton->is_decomposed) {
        newton->factorisations++;
        newton->is_decomposed = srl_small_matrix_decompose(&newton->small);
    }
    newton->shift = shift;
    return !newton->is_decomposed ? -1 : srl_small_matrix_is_definite(&newton->small, shift) ? 0 : 1;
}

static int factor_with(struct srl_newton *newton, int64_t d, double shift) {
    if (srl_interrupted(newton->interruption))
        return 1;
    if (newton->is_small)
        return decompose_with(newton, shift);
    memcpy(newton->factor, newton->hessian, (size_t)d * (size_t)d * sizeof *newton->factor);
    for (int64_t k = 0; k < d; k++)
        newton->factor[k + k * d] += shift;
    newton->shift = shift;
    newton->factorisations++;
    return srl_potrf(d, newton->factor, d);
}

bool srl_newton_is_convex(struct srl_newton *newton, int64_t d) {
    newton->is_factor = factor_with(newton, d, 0.0) == 0;
    return newton->is_factor;
}

int srl_newton_factor(struct srl_newton *newton, int64_t d, double least_shift) {
    if (least_shift == 0.0 && newton->is_factor)
        return 0;
    newton->is_factor = false;
    const double scale = srl_newton_scale(newton, d);
    /* the matrix changes little from one iteration to the next: start just below what was needed last time */
    const double first_rung = fmax(fmax(fmax(FIRST_SHIFT * scale, DBL_MIN), SHIFT_FACTOR * least_shift),
                                   fmin(newton->foothold, scale) / FOOTHOLD_DROP);
    for (double shift = least_shift;; shift = shift < first_rung ? first_rung : SHIFT_FACTOR * shift) {
        const int info = factor_with(newton, d, shift);
        if (info == 0 && shift > least_shift)
            newton->foothold = shift;
        if (info <= 0 || !(shift <= LAST_SHIFT * scale) || isinf(shift) || srl_interrupted(newton->interruption))
            return info;
    }
}

double srl_newton_solve(struct srl_newton *newton, int64_t d, const double *gradient) {
    const struct srl_metric metric = srl_newton_metric(newton, d);
    for (int64_t k = 0; k < d; k++)
        newton->step[k] = -gradient[k];
    srl_metric_solve(&metric, SRL_PLAIN, 1, newton->step);
    srl_metric_solve(&metric, SRL_TRANSPOSED, 1, newton->step);
    if (newton->is_small) { /* one step of refinement */
        srl_metric_product(&metric, newton->step, newton->rest);
        srl_axpy(d, 1.0, gradient, newton->rest);
        srl_metric_solve(&metric, SRL_PLAIN, 1, newton->rest);
        srl_metric_solve(&metric, SRL_TRANSPOSED, 1, newton->rest);
        srl_axpy(d, -1.0, newton->rest, newton->step);
    }
    return srl_dot(d, gradient, newton->step);
}

struct srl_metric srl_newton_metric(const struct srl_newton *newton, int64_t d) {
    return (struct srl_metric){d,
                               newton->hessian,
                               newton->shift,
                               newton->factor,
                               largest_diagonal(newton, d, newton->shift),
                               newton->is_small ? &newton->small : NULL};
}
