#include "certificate/least_eigenvalue.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/random.h"
#include "linalg/blas.h"

enum { SMALL = 24, BETWEEN_CHECKS = 4, STAGES = 5 };
static const double SLACK = 0.25;    /* of the round-off */
static const double CLOSER = 2.0;    /* residuals below a Ritz value, where the next factorisation is tried */
static const double NOT_BELOW = 8.0; /* times further where that is not below the least eigenvalue */
static const uint64_t SEED = 0x5eed;

int64_t srl_eigenvalue_work(int64_t order) {
    const int64_t pair = srl_least_eigenpair_work(order), ritz = srl_syev_work(SRL_LANCZOS_STEPS);
    return pair > ritz ? pair : ritz;
}

void srl_eigenvalue_carve(struct srl_arena *arena, struct srl_eigenvalue_work *work, double *shared) {
    work->tridiagonal = srl_arena_matrix(arena, SRL_LANCZOS_STEPS, SRL_LANCZOS_STEPS);
    work->values = srl_arena_doubles(arena, SRL_LANCZOS_STEPS);
    work->work = shared;
    work->interruption = NULL;
}

/* to = from - multiple I, lower triangles. 0 when it is positive definite: then to is its factor; < 0 when LAPACK refuses, or
   the examination is interrupted. */
static int factor_shifted(const struct srl_eigenvalue_work *work, int64_t order, const double *from, double multiple,
                          double *to) {
    if (srl_interrupted(work->interruption))
        return -1;
    memcpy(to, from, (size_t)(order * order) * sizeof *to);
    for (int64_t k = 0; k < order; k++)
        to[k + k * order] -= multiple;
    return srl_potrf(order, to, order);
}

/* The next vector of Lanczos's process for (L L')^-1 behind the first `known` of vectors, which are orthonormal; returns its
   length before it was normed, and the entry of the diagonal. */
static double lanczos_step(int64_t order, const double *factor, int64_t known, double *vectors, double *coefficients,
                           double *diagonal) {
    const struct srl_matrix before = {vectors, known, order, order, true};
    double *next = vectors + known * order;
    memcpy(next, next - order, (size_t)order * sizeof *next);
    srl_trsm_lower(SRL_PLAIN, order, 1, factor, order, next, order);
    srl_trsm_lower(SRL_TRANSPOSED, order, 1, factor, order, next, order);
    for (int pass = 0; pass < 2; pass++) { /* against all that came before, twice: once leaves round-off of the first size */
        srl_gemv(SRL_PLAIN, 1.0, &before, next, 0.0, coefficients);
        srl_gemv(SRL_TRANSPOSED, -1.0, &before, coefficients, 1.0, next);
        *diagonal = pass == 0 ? coefficients[known - 1] : *diagonal;
    }
    const double length = srl_norm(order, next);
    if (length > 0.0)
        srl_scale(order, 1.0 / length, next);
    return length;
}

/* The Ritz value after so many steps; *residual: how far from an eigenvalue it may be. */
static double ritz_value(struct srl_eigenvalue_work *work, int64_t steps, const double *diagonal, const double *beside,
                         double *residual) {
    double *t = work->tridiagonal;
    memset(t, 0, (size_t)(steps * steps) * sizeof *t);
    for (int64_t k = 0; k < steps; k++) {
        t[k + k * steps] = diagonal[k];
        if (k + 1 < steps)
            t[k + 1 + k * steps] = beside[k];
    }
    if (srl_syev(true, steps, t, steps, work->values, work->work) != 0)
        return NAN;
    *residual = beside[steps - 1] * fabs(t[steps - 1 + (steps - 1) * steps]);
    return work->values[steps - 1];
}

/* The least eigenvalue of L L', but for accidents; *residual: some eigenvalue is within this of what is returned. */
static double least_by_lanczos(struct srl_eigenvalue_work *work, int64_t order, const double *factor, double tolerance,
                               double *vectors, double *residual) {
    double diagonal[SRL_LANCZOS_STEPS], beside[SRL_LANCZOS_STEPS], coefficients[SRL_LANCZOS_STEPS], value = NAN;
    for (int64_t k = 0; k < order; k++)
        vectors[k] = srl_random_normal(SEED, 0, (uint64_t)k);
    srl_scale(order, 1.0 / srl_norm(order, vectors), vectors);
    for (int64_t step = 0; step < SRL_LANCZOS_STEPS && !srl_interrupted(work->interruption); step++) {
        beside[step] = lanczos_step(order, factor, step + 1, vectors, coefficients, &diagonal[step]);
        const bool invariant = !(beside[step] > DBL_EPSILON * fabs(diagonal[0]));
        if (!invariant && (step + 1) % BETWEEN_CHECKS != 0)
            continue;
        value = 1.0 / ritz_value(work, step + 1, diagonal, beside, residual);
        *residual *= value * value;
        if (invariant || !(*residual > tolerance))
            break;
    }
    return value;
}

/* Lanczos's method again and again, each time with a factor of H less a multiple of the identity that is closer to the least
   eigenvalue: the closer it is, the more it stands out. NaN where that does not work. */
static double close_in(struct srl_eigenvalue_work *work, int64_t order, const double *hessian, const double *factor,
                       double tolerance, double *trial, double *vectors) {
    double shift = 0.0, residual = INFINITY;
    for (int stage = 0; stage < STAGES; stage++) {
        const double *current = stage == 0 ? factor : trial;
        const double value = shift + least_by_lanczos(work, order, current, tolerance, vectors, &residual);
        if (!(residual > tolerance))
            return value;
        double next = value - CLOSER * residual;
        for (residual *= CLOSER; next > shift && factor_shifted(work, order, hessian, next, trial) != 0;
             next = value - residual)
            residual *= NOT_BELOW;
        if (!(next > shift))
            return NAN;
        shift = next;
    }
    return NAN;
}

/* The pair itself. */
static bool find_pair(struct srl_eigenvalue_work *work, int64_t order, const double *hessian, double *trial, double *direction,
                      struct srl_least_eigenvalue *least) {
    memcpy(trial, hessian, (size_t)(order * order) * sizeof *trial);
    least->slack = 0.0;
    least->has_direction = true;
    return !srl_interrupted(work->interruption) &&
           srl_least_eigenpair(order, trial, order, &least->value, direction, work->work) == 0;
}

bool srl_find_least_eigenvalue(struct srl_eigenvalue_work *work, int64_t order, const double *hessian, double round_off,
                               double *factor, double *trial, double *vectors, double *direction,
                               struct srl_least_eigenvalue *least) {
    *least = (struct srl_least_eigenvalue){.slack = SLACK * round_off};
    const int info = factor_shifted(work, order, hessian, 0.0, factor);
    if (info < 0) /* not to be taken for a flat direction */
        return false;
    least->definite = info == 0;
    if (order <= SMALL || !least->definite)
        return find_pair(work, order, hessian, trial, direction, least);
    least->value = close_in(work, order, hessian, factor, 0.5 * least->slack, trial, vectors);
    const bool proved = least->value - least->slack > round_off &&
                        factor_shifted(work, order, hessian, least->value - least->slack, trial) == 0;
    return proved || find_pair(work, order, hessian, trial, direction, least);
}
