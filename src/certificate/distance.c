#include "certificate/distance.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "certificate/pinned.h"
#include "certificate/sensitivity.h"

static const double UNIT = 0.5 * DBL_EPSILON; /* relative error of one operation */
static const double SAFE = 1.0 + 1e-8;        /* for the round-off of the bounds themselves */
static const double NEARBY = 0.1;             /* oscillation of the logits within which the local bounds of derivatives serve */

/* What is known of F on the face around the nearest point of it to x, xbar. */
struct local {
    struct srl_pinned face;
    struct srl_sensitivity sensitivity;
    double rows;              /* D: osc(G p) <= D |p| on the face */
    double logits;            /* error of any logit, against those at xbar */
    double gradient;          /* error of the whole gradient, against that at xbar */
    double pull;              /* error of its part on the face, as far as it comes from that of the logits, */
    double slope;             /* and otherwise */
    double least;             /* eigenvalue of the Hessian on the face at xbar */
    double change;            /* M: Lipschitz constant of that Hessian within domain */
    double domain;            /* radius around xbar */
    double convex;            /* p'Rp, and that of all outputs with their |r_j|, is at most this times p'Hp on the face */
    double newton;            /* length of Newton's step from xbar */
    double newton_all;        /* r: of all of them together, and the distance from xbar to the minimiser */
    double swing;             /* oscillation of the logits' change from xbar to there */
    double pushed;            /* change of the regularisers' gradient likewise */
    const double *low, *high; /* the least and the largest entry of A2 at each unit of the face's kinks (n) */
};

/* Error of the terms of the gradient that are no products with D2loss: q, A2'q, A1' slopes, the regularisers, lambda. */
static double error_of_sums(const struct softrelu_certificate *certificate, const struct local *local) {
    const struct srl_model *model = certificate->model;
    const struct srl_sensitivity *sensitivity = &local->sensitivity;
    const double n = (double)model->n, d = (double)model->d, m = (double)model->m, x_norm = certificate->at.x_norm;
    double terms = (m + n + 8.0) * sensitivity->lever * sensitivity->slopes;
    terms += (n + d + 8.0) * sensitivity->weights * x_norm;
    if (model->rho > 0.0)
        terms += 6.0 * model->rho * (x_norm + (model->x_ref != NULL ? srl_norm(model->d, model->x_ref) : 0.0));
    double held = srl_norm(model->d, certificate->gradient);
    for (int64_t k = 0; k < certificate->kink_count; k++)
        held += fabs(certificate->kinks[k].lambda);
    terms += ((double)certificate->kink_count + d + 6.0) * held;
    return UNIT * terms + sensitivity->lever * sensitivity->slope_error +
           (sensitivity->weights + model->rho) * local->face.offset + DBL_MIN;
}

static void find_errors(const struct softrelu_certificate *certificate, const struct srl_curvature *found,
                        struct local *local) {
    const struct srl_sensitivity *sensitivity = &local->sensitivity;
    const struct srl_pinned *face = &local->face;
    const double d = (double)certificate->model->d, everywhere = 2.0 * sensitivity->lever;
    local->logits = sensitivity->logits + sensitivity->lever * face->offset;
    const double pull = srl_bend_within(sensitivity, 2.0 * local->logits) * 2.0 * local->logits;
    const double sums = error_of_sums(certificate, local), rest = srl_norm(certificate->model->d, certificate->rest);
    local->gradient = everywhere * pull + sums;
    const double curved =
        9.0 * srl_change_within(sensitivity, 2.0 * local->logits) * local->rows * local->logits * local->logits;
    local->pull = local->rows * pull;
    local->slope = sums + curved + (2.0 * face->tilt + (d + 2.0 + found->mapping) * UNIT) * rest;
}

/* Operations behind an entry of the logits' Jacobian on the face. */
static double operations_of(const struct srl_model *model, const struct srl_curvature *found) {
    return (double)(model->m + 2 * model->n + 2 * model->d + 16) + found->mapping;
}

/* What the computed Hessian on the face, and what was proved of its least eigenvalue, may be off by, against that at xbar. */
static double error_of_hessian(const struct softrelu_certificate *certificate, const struct srl_curvature *found,
                               const struct local *local) {
    const struct srl_model *model = certificate->model;
    const struct srl_sensitivity *sensitivity = &local->sensitivity;
    const double n = (double)model->n, d = (double)model->d, m = (double)model->m, free = (double)local->face.free;
    const double rows = local->rows, lever = sensitivity->lever, regularisers = sensitivity->weights + model->rho;
    const double bend = srl_bend_within(sensitivity, 2.0 * local->logits);
    const double moved = 9.0 * srl_change_within(sensitivity, 2.0 * local->logits) * rows * rows * local->logits;
    const double sums = sensitivity->bend * rows * ((m + 8.0) * rows + 6.0 * operations_of(model, found) * lever) +
                        (n + 2.0 * d + 8.0 + found->mapping) * regularisers;
    return moved + sensitivity->bend_error * rows * rows + UNIT * (sums + 4.0 * (free + 4.0) * found->trace) + found->slack +
           3.0 * local->face.tilt * (4.0 * bend * lever * lever + regularisers);
}

/* What errors of the logits may change Newton's step by. The gradient's error is B'y with B = diag(|r|)^1/2 C on the face and
   |y|^2 at most the bend times their oscillation squared, and B'B is the Hessian, without the regularisers, and twice what
   outputs with r_j < 0 take away from it: |H^-1 B'|^2 is at most 1/l and twice the trace of that between two H^-1. */
static bool step_of_pull(struct softrelu_certificate *certificate, struct local *local, double error, struct srl_length *step) {
    struct srl_length taken;
    if (!srl_traces_of_concave(&certificate->curvature, certificate->model, &taken))
        return false;
    double plain = 1.0 / local->least + 2.0 * taken.plain, metric = 1.0 + 2.0 * taken.metric;
    metric += 4.0 * error / local->least;
    plain += 4.0 * (error / local->least) / local->least;
    local->convex = metric;
    const double swing = sqrt(local->sensitivity.bend) * 2.0 * local->logits;
    *step = (struct srl_length){fmin(local->pull / local->least, sqrt(plain) * swing),
                                fmin(local->pull / sqrt(local->least), sqrt(metric) * swing)};
    return true;
}

/* The bound of D3loss that holds everywhere, or that which holds near the point: whichever gives the larger ball of quadratic
   convergence. rows: the oscillation of the logits per length in the measure in which the least eigenvalue is least. */
static void choose_change(const struct local *local, double rows, double least, double *change, double *domain) {
    const struct srl_sensitivity *sensitivity = &local->sensitivity;
    const double cube = rows * rows * rows, everywhere = sensitivity->everywhere.change * cube;
    const double nearby = srl_change_within(sensitivity, 2.0 * local->logits + NEARBY) * cube;
    const bool near = fmin(least / nearby, 1.5 * NEARBY / rows) > least / everywhere;
    *domain = near ? NEARBY / rows : INFINITY;
    *change = near ? nearby : everywhere;
}

/* What Newton's steps after the first one add to its length, at most; NaN where Kantorovich's condition fails. */
static double later_steps(double first, double least, double change, double domain) {
    const double h = SAFE * first * change / least, root = sqrt(1.0 - 2.0 * h);
    const double added = SAFE * first * 2.0 * h / ((1.0 + root) * (1.0 + root));
    return h < 0.5 && first + added < domain ? added : NAN;
}

/* The same in the measure of the Hessian, with the rows that are at hand or with all of them: *all. */
static double steps_with_rows(struct softrelu_certificate *certificate, const struct srl_curvature *found,
                              const struct local *local, double first, double least, bool *all, double *rows) {
    double change, domain;
    *rows =
        SAFE * srl_scaled_row_distance(&certificate->curvature, certificate->model, &certificate->at, certificate->on, all) +
        (local->rows - found->row_distance) / sqrt(local->least);
    choose_change(local, *rows, least, &change, &domain);
    return later_steps(first, least, change, domain);
}

/* Where some rows show that the condition fails, the others are not looked at. */
static double later_metric_steps(struct softrelu_certificate *certificate, const struct srl_curvature *found,
                                 const struct local *local, double first, double least, double *rows) {
    bool all = false;
    double added = steps_with_rows(certificate, found, local, first, least, &all, rows);
    if (!all && !isnan(added)) {
        all = true;
        added = steps_with_rows(certificate, found, local, first, least, &all, rows);
    }
    return added;
}

/* The theorem of Newton and Kantorovich at xbar, in the usual measure of length, and where that fails in that of the Hessian
   there, which directions of little curvature do not spoil. *converges: its condition holds in one of them. False when LAPACK
   refuses. */
static bool newton_converges(struct softrelu_certificate *certificate, const struct srl_curvature *found, struct local *local,
                             bool *converges) {
    *converges = local->face.free == 0;
    if (*converges) {
        local->swing = local->pushed = 0.0;
        return true;
    }
    const double error = error_of_hessian(certificate, found, local);
    local->least = found->least - error;
    if (!(local->least > 0.0))
        return true;
    struct srl_length pulled;
    memcpy(certificate->other, certificate->rest, (size_t)certificate->model->d * sizeof *certificate->other);
    const struct srl_length solved =
        srl_solve_curvature(&certificate->curvature, certificate->model, certificate->other, certificate->row);
    if (!step_of_pull(certificate, local, error, &pulled))
        return false;
    const double regularisers = local->sensitivity.weights + certificate->model->rho;
    const double growth = found->least / local->least; /* of an inverse, from the computed Hessian to the true one */
    local->newton = growth * (solved.plain + pulled.plain) + local->slope / local->least;
    choose_change(local, local->rows, local->least, &local->change, &local->domain);
    double added = later_steps(local->newton, local->least, local->change, local->domain);
    if (isnan(added)) {
        double rows;
        const double root = sqrt(local->least), metric = growth * (solved.metric + pulled.metric + local->slope / root);
        const double more = later_metric_steps(certificate, found, local, metric, 1.0 / growth, &rows);
        added = more * growth / root;
        local->swing = SAFE * rows * (metric + more);
        local->pushed = SAFE * sqrt(regularisers * local->convex) * (metric + more); /* |Rp| <= |R|^1/2 (p'Rp)^1/2 */
    }
    local->newton_all = SAFE * (local->newton + added);
    local->swing = fmin(local->swing, SAFE * local->rows * local->newton_all);
    local->pushed = fmin(local->pushed, SAFE * regularisers * local->newton_all);
    *converges = isfinite(local->newton_all);
    return true;
}

/* No unit but those at their kink changes sides, and no bound but those of x is met, within this distance from x. */
static double reach_of_cell(const struct softrelu_certificate *certificate, const double *x) {
    const struct srl_model *model = certificate->model;
    double reach = INFINITY;
    for (int64_t i = 0; i < model->n; i++) {
        const bool matters = !srl_has_output_layer(model) || model->column_norms[i] > 0.0;
        if (matters && model->row_norms[i] > 0.0 && !certificate->at_kink[i])
            reach = fmin(reach, (fabs(certificate->at.u[i]) - srl_error_of_unit(certificate, i)) / model->row_norms[i]);
    }
    for (int64_t k = 0; k < model->d; k++)
        if (certificate->bound[k] == 0)
            reach = fmin(reach, fmin(x[k] - srl_lower(model, k), srl_upper(model, k) - x[k]));
    return reach / SAFE;
}

/* What a move on the face changes, per unit of its length. */
struct change {
    double gradient, oscillation; /* of the logits */
    double bend;                  /* on the way */
};

/* Change of W of a kink: by round-off into *error, returned per unit of a move. */
static double change_of_width(const struct softrelu_certificate *certificate, const struct srl_kink *kink,
                              const struct local *local, const struct change *change, double *error) {
    const struct srl_model *model = certificate->model;
    const struct srl_sensitivity *sensitivity = &local->sensitivity;
    double rate = 0.0;
    *error = 0.0;
    for (int64_t i = kink->unit, j = kink->next; i >= 0; i = j, j = j >= 0 ? certificate->next[j] : -1) {
        const double least = local->low[i], most = local->high[i];
        const double length = model->row_norms[i], size = fmax(fabs(least), fabs(most));
        rate += length * change->bend * (most - least) * change->oscillation;
        *error += length * (change->bend * (most - least) * 2.0 * local->logits +
                            size * ((double)(model->m + model->d + 6) * UNIT * sensitivity->slopes + sensitivity->slope_error));
    }
    return rate;
}

/* Moves up to this many units, at most within, leave every multiplier strictly inside its interval. */
static double reach_of_multipliers(const struct softrelu_certificate *certificate, const double *rates,
                                   const struct local *local, const struct change *change, double within) {
    const double error = local->gradient + srl_norm(certificate->model->d, certificate->rest), swing = change->gradient;
    double reach = within;
    for (int64_t k = 0; k < local->face.kinks; k++) {
        const struct srl_kink *kink = &certificate->kinks[k];
        double width_error;
        const double width_rate = change_of_width(certificate, kink, local, change, &width_error);
        const double below = kink->lambda - rates[k] * error,
                     above = kink->width - kink->lambda - rates[k] * error - width_error;
        if (!(below > 0.0 && above > 0.0))
            return -1.0;
        reach = fmin(reach, fmin(below / (rates[k] * swing), above / (rates[k] * swing + width_rate)));
    }
    const double rate = 1.0 + local->face.inverse * sqrt((double)local->face.kinks);
    for (int64_t k = 0; k < certificate->model->d; k++) {
        if (certificate->bound[k] != 1 && certificate->bound[k] != -1)
            continue;
        const double inside = fabs(certificate->mu[k]) - rate * error;
        if (!(inside > 0.0))
            return -1.0;
        reach = fmin(reach, inside / (rate * swing));
    }
    return reach;
}

/* Whether the multipliers are strictly inside at the minimiser. */
static bool multipliers_hold(const struct softrelu_certificate *certificate, const double *rates, const struct local *local) {
    const double bend = srl_bend_within(&local->sensitivity, 2.0 * local->logits + local->swing);
    const struct change all = {bend * 2.0 * local->sensitivity.lever * local->swing + local->pushed, local->swing, bend};
    return reach_of_multipliers(certificate, rates, local, &all, 1.0) >= 1.0;
}

/* The ball of quadratic convergence: the Hessian changes by a third of what it is, no kink or bound is met, and no multiplier
   leaves: neither those at a point of it nor those of the quadratic model there, whose gradient may be off by three moves'
   worth.
 */
static double convergence_radius(const struct softrelu_certificate *certificate, const double *rates, const struct local *local,
                                 double cell) {
    const struct srl_sensitivity *sensitivity = &local->sensitivity;
    const double least = local->least - local->change * local->newton_all; /* at the minimiser */
    const double quadratic = local->change > 0.0 ? 2.0 * least / (3.0 * local->change) : INFINITY;
    const double near = fmax(0.0, fmin(fmin(quadratic, local->domain), cell));
    const double bend = srl_bend_within(sensitivity, 2.0 * local->logits + (local->rows > 0.0 ? near * local->rows : 0.0));
    const double stiffness = bend * 2.0 * sensitivity->lever * local->rows + sensitivity->weights + certificate->model->rho;
    const struct change change = {3.0 * stiffness, local->rows, bend};
    return reach_of_multipliers(certificate, rates, local, &change, near) / SAFE;
}

/* The minimiser is where it was found if no kink or bound is met on the way and the multipliers are strictly inside there. */
static void judge(const struct softrelu_certificate *certificate, const double *x, const double *rates,
                  const struct local *local, struct srl_distance *distance) {
    const double bound = SAFE * (local->face.offset + local->newton_all), cell = reach_of_cell(certificate, x);
    if (!(bound < cell)) {
        distance->answer = SOFTRELU_DISTANCE_CELL;
    } else if (!multipliers_hold(certificate, rates, local)) {
        distance->answer = SOFTRELU_DISTANCE_MULTIPLIERS;
    } else {
        const double radius = convergence_radius(certificate, rates, local, cell);
        *distance = (struct srl_distance){SOFTRELU_DISTANCE_PROVED, bound, fmax(0.0, radius - 2.0 * bound)};
    }
}

/* The extremes at the units of the face's kinks, all in one pass over A2. */
static void find_extremes(const struct softrelu_certificate *certificate, struct local *local, double *low, double *high) {
    const struct srl_model *model = certificate->model;
    int32_t *units = certificate->curvature.active; /* scratch by now */
    int64_t count = 0;
    for (int64_t k = 0; k < local->face.kinks; k++)
        for (int64_t i = certificate->kinks[k].unit, j = certificate->kinks[k].next; i >= 0;
             i = j, j = j >= 0 ? certificate->next[j] : -1)
            units[count++] = (int32_t)i;
    if (srl_has_output_layer(model))
        srl_column_extremes(&model->A2, units, count, low, high);
    for (int64_t k = 0; k < count && !srl_has_output_layer(model); k++) {
        low[units[k]] = model->m > 1 ? 0.0 : 1.0;
        high[units[k]] = 1.0;
    }
    local->low = low;
    local->high = high;
}

bool srl_bound_distance(struct softrelu_certificate *certificate, const double *x, const struct srl_curvature *found,
                        struct srl_distance *distance) {
    const struct srl_model *model = certificate->model;
    struct local local = {.least = INFINITY, .domain = INFINITY, .swing = INFINITY, .pushed = INFINITY};
    double *rates = certificate->best; /* scratch by now */
    bool meets;
    *distance = (struct srl_distance){SOFTRELU_DISTANCE_CELL, NAN, NAN};
    if (srl_interrupted(model->interruption) || !srl_find_pinned(certificate, found, rates, &local.face, &meets))
        return false;
    if (!meets)
        return true;
    srl_find_sensitivity(certificate, certificate->y, certificate->slopes, &local.sensitivity);
    local.rows =
        SAFE * found->row_distance + 6.0 * local.sensitivity.lever * (operations_of(model, found) * UNIT + local.face.tilt);
    local.rows = local.face.free > 0 ? local.rows : 0.0;
    find_errors(certificate, found, &local);
    bool converges;
    if (!newton_converges(certificate, found, &local, &converges))
        return false;
    if (!converges) {
        distance->answer = SOFTRELU_DISTANCE_CURVATURE;
        return true;
    }
    find_extremes(certificate, &local, certificate->y, certificate->slopes); /* scratch again */
    judge(certificate, x, rates, &local, distance);
    return true;
}
