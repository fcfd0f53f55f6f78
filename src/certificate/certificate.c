#include "certificate/certificate.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "certificate/distance.h"
#include "certificate/witness.h"

enum { MOST_RIDGES = 16, MOST_NEUTRAL = 6 };                /* all sides of so many kinks are tried */
static const double MOST_WORK = 1e9, WORK_OF_CHOICE = 40.0; /* in flops; the second times d^3 */
static const double NOISE = 64.0 * DBL_EPSILON;             /* of a slope, relative to the gradient's scale */
static const double STRICT = 1e-12; /* least relative slope by which a multiplier is inside its interval */

void srl_certificate_matrices_carve(struct srl_arena *arena, struct softrelu_certificate *certificate,
                                    const struct srl_model *model) {
    srl_curvature_carve(arena, &certificate->curvature, model);
    srl_convexity_carve(arena, &certificate->convexity, model);
}

void srl_certificate_vectors_carve(struct srl_arena *arena, struct softrelu_certificate *certificate,
                                   const struct srl_model *model) {
    const int64_t n = model->n, d = model->d;
    certificate->model = model;
    srl_evaluation_carve(arena, &certificate->at, model);
    double **of_units[] = {&certificate->lambda, &certificate->slopes, &certificate->y, &certificate->best};
    double **of_x[] = {&certificate->mu,   &certificate->direction, &certificate->gradient,
                       &certificate->rest, &certificate->row,       &certificate->other};
    for (size_t i = 0; i < sizeof of_units / sizeof *of_units; i++)
        *of_units[i] = srl_arena_doubles(arena, n);
    for (size_t i = 0; i < sizeof of_x / sizeof *of_x; i++)
        *of_x[i] = srl_arena_doubles(arena, d);
    certificate->at_kink = (signed char *)srl_arena_flags(arena, n);
    certificate->bound = (signed char *)srl_arena_flags(arena, d);
    certificate->solution = srl_arena_doubles(arena, n > d ? n : d);
    certificate->kinks = srl_arena_take(arena, n, sizeof *certificate->kinks);
    certificate->next = srl_arena_indices(arena, n);
    certificate->mirrored = srl_arena_flags(arena, n);
    certificate->free = srl_arena_flags(arena, n);
    certificate->on = srl_arena_flags(arena, n > d ? n : d);
}

void srl_certificate_carve(struct srl_arena *arena, struct softrelu_certificate *certificate, const struct srl_model *model) {
    srl_certificate_matrices_carve(arena, certificate, model);
    srl_certificate_vectors_carve(arena, certificate, model);
}

void srl_certificate_clear(struct softrelu_certificate *certificate) {
    certificate->verdict = SOFTRELU_VERDICT_UNDECIDED;
    certificate->reason = SOFTRELU_REASON_NOT_RUN;
    certificate->distance = SOFTRELU_DISTANCE_NOT_CERTIFIED;
    certificate->examined = certificate->has_direction = false;
    for (int i = 0; i < SRL_CERTIFICATE_COUNT; i++)
        certificate->quantities[i] = NAN;
    certificate->quantities[SOFTRELU_CERTIFICATE_SLOPE_INDEX] = 0.0;
}

static void conclude(struct softrelu_certificate *certificate, softrelu_verdict verdict, softrelu_reason reason) {
    certificate->verdict = verdict;
    certificate->reason = reason;
}

static void keep_direction(struct softrelu_certificate *certificate, const double *direction, double factor, double slope) {
    for (int64_t k = 0; k < certificate->model->d; k++)
        certificate->direction[k] = factor * direction[k];
    certificate->has_direction = true;
    certificate->quantities[SOFTRELU_CERTIFICATE_SLOPE_INDEX] = slope;
}

/* Whether -rest, of the witness last found, is a direction of descent; then it is kept. */
static bool descends(struct softrelu_certificate *certificate, double length) {
    if (!(length > 0.0))
        return false;
    double *p = certificate->other;
    for (int64_t k = 0; k < certificate->model->d; k++)
        p[k] = -certificate->rest[k] / length;
    const double slope = srl_directional_derivative(certificate, p);
    if (!(slope < -NOISE * certificate->at.scale))
        return false;
    keep_direction(certificate, p, 1.0, slope);
    return true;
}

static int64_t count_ridges(const struct softrelu_certificate *certificate, double noise) {
    int64_t ridges = 0;
    for (int64_t k = 0; k < certificate->kink_count; k++)
        ridges += certificate->kinks[k].width < -noise;
    return ridges;
}

/* The k-th ridge takes the slopes of the side that bit k of sides says. */
static void take_sides(struct softrelu_certificate *certificate, double noise, int64_t sides) {
    int64_t ridge = 0;
    for (int64_t k = 0; k < certificate->kink_count; k++) {
        struct srl_kink *kink = &certificate->kinks[k];
        kink->above = kink->width < -noise && ridge < 62 && (sides >> ridge++ & 1) != 0;
    }
}

/* A ridge's term min(0, W a'p) is the lower of two linear ones, so F'(x; p) >= 0 for all p exactly when it holds for every
   choice of a slope for every ridge. Tries them all, or, when they are too many, each ridge alone; leaves the worst residual. A
   choice under which some direction descends ends the search. True when all were tried. */
static bool try_ridges(struct softrelu_certificate *certificate, const double *x, int64_t ridges, double noise, double *worst,
                       bool *solved) {
    const double d = (double)certificate->model->d;
    const bool all = ridges == 0 || (ridges <= MOST_RIDGES && ldexp(WORK_OF_CHOICE * d * d * d, (int)ridges) <= MOST_WORK);
    const int64_t choices = all ? (int64_t)1 << ridges : 1 + (ridges < 62 ? ridges : 62);
    *worst = 0.0;
    for (int64_t choice = choices - 1; choice >= 0 && *solved && !certificate->has_direction; choice--) {
        take_sides(certificate, noise, all ? choice : choice == 0 ? 0 : (int64_t)1 << (choice - 1));
        srl_find_gradient(certificate, x);
        const double length = srl_find_witness(certificate, noise, solved);
        *worst = fmax(*worst, length);
        if (length > 0.0)
            descends(certificate, length);
    }
    return all;
}

/* Where a multiplier is in its interval. In one so narrow that both ends are near it may be at either. */
enum place { WEAK_BELOW, STRONG, WEAK_ABOVE, NEUTRAL };
static enum place place_of(const struct srl_kink *kink, double noise, double strict) {
    if (kink->width <= fmax(noise, 2.0 * strict))
        return NEUTRAL;
    return kink->lambda <= strict ? WEAK_BELOW : kink->width - kink->lambda <= strict ? WEAK_ABOVE : STRONG;
}

static void set_members(struct softrelu_certificate *certificate, const struct srl_kink *kink, bool above) {
    certificate->on[kink->unit] = above;
    for (int64_t j = kink->next; j >= 0; j = certificate->next[j])
        certificate->on[j] = above != (certificate->mirrored[j] != 0);
}

/* Curvature on the subspace that the strong kinks and bounds hold, in the cell where the neutral kinks are on the sides given.
 */
static bool curvature_with(struct softrelu_certificate *certificate, double noise, double strict, int64_t sides, bool all_off,
                           struct srl_curvature *found) {
    const struct srl_model *model = certificate->model;
    int64_t kept = 0, neutral = 0;
    for (int64_t i = 0; i < model->n; i++)
        certificate->on[i] = certificate->at.u[i] > 0.0;
    for (int64_t k = 0; k < certificate->kink_count; k++) {
        const struct srl_kink *kink = &certificate->kinks[k];
        const enum place place = place_of(kink, noise, strict);
        set_members(certificate, kink, place == WEAK_ABOVE || (place == NEUTRAL && (sides >> neutral & 1) != 0));
        neutral += place == NEUTRAL && neutral < 62;
        if (place == STRONG)
            srl_kink_row(certificate, kink, certificate->curvature.space.rows + kept++ * model->d);
    }
    for (int64_t k = 0; k < model->d; k++) {
        if (certificate->bound[k] == 0 || (certificate->bound[k] != 2 && fabs(certificate->mu[k]) <= strict))
            continue;
        double *row = certificate->curvature.space.rows + kept++ * model->d;
        memset(row, 0, (size_t)model->d * sizeof *row);
        row[k] = 1.0;
    }
    if (all_off)
        memset(certificate->on, 0, (size_t)model->n);
    return srl_least_curvature(&certificate->curvature, model, &certificate->at, kept, certificate->on, found);
}

/* Without negative curvature weights the Hessian of every cell is that of the cell with all units off plus squares. */
static bool fit_is_convex(const struct softrelu_certificate *certificate) {
    return !srl_has_negative_curvature(&certificate->at, certificate->model);
}

/* The least curvature over the cells that meet at x: neutral kinks leave it open which one a move enters. *all: no cell has a
   lesser one, because all were looked at or by fit_is_convex(). False when LAPACK refuses. */
static bool least_of_cells(struct softrelu_certificate *certificate, double noise, double strict, bool *all,
                           struct srl_curvature *least) {
    int64_t neutral = 0;
    for (int64_t k = 0; k < certificate->kink_count; k++)
        neutral += place_of(&certificate->kinks[k], noise, strict) == NEUTRAL;
    const bool few = neutral <= MOST_NEUTRAL, all_off = !few && fit_is_convex(certificate);
    const int64_t cells = few ? (int64_t)1 << neutral : all_off ? 1 : 2;
    *all = few || all_off;
    for (int64_t cell = 0; cell < cells; cell++) {
        struct srl_curvature found;
        if (!curvature_with(certificate, noise, strict, few ? cell : -cell, all_off, &found))
            return false;
        if (isnan(found.least)) {
            *least = found;
            return true;
        }
        if (cell == 0 || found.least - found.round_off < least->least - least->round_off) {
            *least = found;
            if (found.least < -found.round_off)
                keep_direction(certificate, found.direction, 1.0, 0.0);
        }
    }
    return true;
}

static double margin_of(const struct softrelu_certificate *certificate) {
    double margin = INFINITY;
    for (int64_t k = 0; k < certificate->kink_count; k++) {
        const struct srl_kink *kink = &certificate->kinks[k];
        margin = fmin(margin, fmax(0.0, fmin(kink->lambda, kink->width - kink->lambda)));
    }
    for (int64_t k = 0; k < certificate->model->d; k++)
        if (certificate->bound[k] == 1 || certificate->bound[k] == -1)
            margin = fmin(margin, fabs(certificate->mu[k]));
    return isinf(margin) || certificate->at.scale == 0.0 ? margin : margin / certificate->at.scale;
}

/* A certified minimiser: how far is one? Not asked where a multiplier is weak: then x is held by less than all its kinks and
   bounds. False when LAPACK refuses. */
static bool judge_distance(struct softrelu_certificate *certificate, const double *x, bool weak,
                           const struct srl_curvature *least) {
    struct srl_distance distance = {SOFTRELU_DISTANCE_MULTIPLIERS, NAN, NAN};
    if (!weak && !srl_bound_distance(certificate, x, least, &distance))
        return false;
    certificate->distance = distance.answer;
    certificate->quantities[SOFTRELU_CERTIFICATE_DISTANCE_BOUND_INDEX] = distance.bound;
    certificate->quantities[SOFTRELU_CERTIFICATE_CONVERGENCE_RADIUS_INDEX] = distance.radius;
    return true;
}

/* A stationary point: is it a minimiser? */
static bool judge_curvature(struct softrelu_certificate *certificate, const double *x, double noise, double residual) {
    double *quantities = certificate->quantities;
    const double strict = fmax(STRICT * certificate->at.scale, 10.0 * residual);
    bool all_cells;
    struct srl_curvature least;
    if (!least_of_cells(certificate, noise, strict, &all_cells, &least))
        return false;
    if (isnan(least.least)) {
        certificate->has_direction = false;
        conclude(certificate, SOFTRELU_VERDICT_UNDECIDED, SOFTRELU_REASON_OVERFLOW);
        return true;
    }
    quantities[SOFTRELU_CERTIFICATE_CURVATURE_INDEX] = least.least;
    quantities[SOFTRELU_CERTIFICATE_CURVATURE_ROUND_OFF_INDEX] = least.round_off;
    quantities[SOFTRELU_CERTIFICATE_FREE_DIMENSIONS_INDEX] = (double)least.dimensions;
    const bool weak = quantities[SOFTRELU_CERTIFICATE_MARGIN_INDEX] * certificate->at.scale <= strict;
    if (least.least > least.round_off && all_cells)
        conclude(certificate, SOFTRELU_VERDICT_CERTIFIED, SOFTRELU_REASON_NONE);
    else if (weak) /* the subspace is larger than the cone that matters: nothing is proved by what happens on it */
        conclude(certificate, SOFTRELU_VERDICT_STATIONARY, SOFTRELU_REASON_COMPLEMENTARITY);
    else if (least.least < -least.round_off)
        conclude(certificate, SOFTRELU_VERDICT_STATIONARY, SOFTRELU_REASON_SADDLE);
    else
        conclude(certificate, SOFTRELU_VERDICT_STATIONARY, SOFTRELU_REASON_FLAT);
    certificate->has_direction = certificate->reason == SOFTRELU_REASON_SADDLE;
    return certificate->verdict != SOFTRELU_VERDICT_CERTIFIED || judge_distance(certificate, x, weak, &least);
}

/* theta q_j for members along the kink's direction, (1 - theta) q_j for mirrored ones: the same share for all. */
static void spread_multipliers(struct softrelu_certificate *certificate) {
    const double *jumps = certificate->at.jumps;
    for (int64_t i = 0; i < certificate->model->n; i++)
        certificate->lambda[i] = certificate->at.u[i] > 0.0 && !certificate->at_kink[i] ? jumps[i] : 0.0;
    for (int64_t k = 0; k < certificate->kink_count; k++) {
        const struct srl_kink *kink = &certificate->kinks[k];
        const double share = kink->width > 0.0 ? kink->lambda / kink->width : 0.0;
        certificate->lambda[kink->unit] = share * jumps[kink->unit];
        for (int64_t j = kink->next; j >= 0; j = certificate->next[j])
            certificate->lambda[j] = (certificate->mirrored[j] ? 1.0 - share : share) * jumps[j];
    }
}

static void count(struct softrelu_certificate *certificate, double noise) {
    double *quantities = certificate->quantities;
    int64_t pinned = 0, concave = 0, bounds = 0;
    for (int64_t k = 0; k < certificate->kink_count; k++) {
        const struct srl_kink *kink = &certificate->kinks[k];
        int64_t units = 1;
        for (int64_t j = kink->next; j >= 0; j = certificate->next[j])
            units++;
        *(kink->width < -noise ? &concave : &pinned) += units;
    }
    for (int64_t k = 0; k < certificate->model->d; k++)
        bounds += certificate->bound[k] != 0;
    quantities[SOFTRELU_CERTIFICATE_PINNED_KINKS_INDEX] = (double)pinned;
    quantities[SOFTRELU_CERTIFICATE_CONCAVE_KINKS_INDEX] = (double)concave;
    quantities[SOFTRELU_CERTIFICATE_ACTIVE_BOUNDS_INDEX] = (double)bounds;
}

static bool examine(struct softrelu_certificate *certificate, const double *x, double kink_tolerance, double tolerance) {
    double *quantities = certificate->quantities;
    const double noise = NOISE * certificate->at.scale;
    srl_find_kinks(certificate, x, kink_tolerance);
    const int64_t ridges = count_ridges(certificate, noise);
    count(certificate, noise);
    double residual;
    bool solved = true;
    const bool all_sides = try_ridges(certificate, x, ridges, noise, &residual, &solved);
    if (!solved)
        return false;
    const double relative = residual == 0.0 ? 0.0 : residual / certificate->at.scale; /* NaN stays NaN */
    quantities[SOFTRELU_CERTIFICATE_RESIDUAL_INDEX] = residual;
    quantities[SOFTRELU_CERTIFICATE_RESIDUAL_RELATIVE_INDEX] = relative;
    quantities[SOFTRELU_CERTIFICATE_MARGIN_INDEX] = margin_of(certificate);
    spread_multipliers(certificate);
    const bool small = relative <= tolerance;
    if (certificate->has_direction && (!small || ridges > 0)) {
        conclude(certificate, SOFTRELU_VERDICT_NOT_STATIONARY, small ? SOFTRELU_REASON_RIDGE : SOFTRELU_REASON_RESIDUAL);
        return true;
    }
    certificate->has_direction = false;
    quantities[SOFTRELU_CERTIFICATE_SLOPE_INDEX] = 0.0;
    if (!small || !all_sides) {
        conclude(certificate, SOFTRELU_VERDICT_UNDECIDED, small ? SOFTRELU_REASON_RIDGE : SOFTRELU_REASON_RESIDUAL);
        return true;
    }
    if (ridges > 0) {
        conclude(certificate, SOFTRELU_VERDICT_STATIONARY, SOFTRELU_REASON_RIDGE);
        return true;
    }
    return judge_curvature(certificate, x, noise, residual);
}

/* LAPACK refused, or the solve was interrupted: then at least F is known. */
static void give_up(struct softrelu_certificate *certificate) {
    srl_certificate_clear(certificate);
    if (!srl_interrupted(certificate->model->interruption))
        return;
    certificate->reason = SOFTRELU_REASON_INTERRUPTED;
    certificate->quantities[SOFTRELU_CERTIFICATE_LOSS_INDEX] = certificate->at.loss;
}

bool srl_certificate_examine(struct softrelu_certificate *certificate, const double *x, double kink_tolerance,
                             double tolerance) {
    srl_certificate_clear(certificate);
    if (!srl_evaluate(&certificate->at, certificate->model, x)) {
        conclude(certificate, SOFTRELU_VERDICT_UNDECIDED, SOFTRELU_REASON_OVERFLOW);
        certificate->examined = true;
        return true;
    }
    certificate->quantities[SOFTRELU_CERTIFICATE_LOSS_INDEX] = certificate->at.loss;
    certificate->examined =
        examine(certificate, x, kink_tolerance, tolerance) && !srl_interrupted(certificate->model->interruption);
    if (!certificate->examined)
        give_up(certificate);
    if (certificate->verdict == SOFTRELU_VERDICT_CERTIFIED)
        certificate->quantities[SOFTRELU_CERTIFICATE_GLOBAL_INDEX] =
            srl_convex_below(&certificate->convexity, certificate->model, x) &&
            !srl_interrupted(certificate->model->interruption);
    return certificate->examined;
}
