/* SPDX-License-Identifier: BSD-3-Clause */
#include "evaluation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cblas.h>
#include <lapacke.h>

#include "member.h"

/* ---- memory ------------------------------------------------------------------------------------------------------ */

/* R = w^2 A1'A1 = U'U; where R is singular in floating point U is that of the least multiple of I more that is not. */
static void make_regulariser(struct evaluation *at) {
    const int d = at->d;
    const size_t bytes = (size_t)d * (size_t)d * sizeof(double);
    const double weight = at->member->weight;
    cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, d, at->n, weight * weight, at->member->network.A1, d, 0.0,
                at->regulariser, d);
    for (int i = 0; i < d; i++)
        for (int k = 0; k < i; k++)
            at->regulariser[i * d + k] = at->regulariser[k * d + i];
    double shift = 0.0;
    do {
        memcpy(at->factor, at->regulariser, bytes);
        for (int i = 0; i < d; i++)
            at->factor[i * d + i] += shift;
        shift = shift > 0.0 ? 10.0 * shift : 1e-300;
    } while (LAPACKE_dpotrf(LAPACK_ROW_MAJOR, 'U', d, at->factor, d) != 0);
    for (int i = 0; i < d; i++)
        memset(at->factor + i * d, 0, (size_t)i * sizeof(double));
}

/* As numbers(), with its pages in memory: their faults are not the solvers' time. */
static double *touched(int64_t count) {
    double *values = numbers(count);
    for (int64_t i = 0; i < count; i++)
        ((volatile double *)values)[i] = 0.0;
    return values;
}

struct evaluation *evaluation_create(const struct member *member) {
    struct evaluation *at = calloc(1, sizeof *at);
    need(at != NULL, "out of memory");
    const int64_t n = member->n, d = member->d, m = member->m;
    at->member = member;
    at->n = member->n;
    at->d = member->d;
    at->m = member->m;
    double **const of_d[] = {&at->x, &at->gradient, &at->centre}, **const of_n[] = {&at->u, &at->h, &at->back, &at->slopes},
                   **const of_m[] = {&at->f, &at->misfit, &at->q, &at->weights};
    for (size_t i = 0; i < sizeof of_d / sizeof *of_d; i++)
        *of_d[i] = touched(d);
    for (size_t i = 0; i < sizeof of_n / sizeof *of_n; i++)
        *of_n[i] = touched(n);
    for (size_t i = 0; i < sizeof of_m / sizeof *of_m; i++)
        *of_m[i] = touched(m);
    at->regulariser = touched(d * d);
    at->factor = touched(d * d);
    at->jacobian = touched(m * d);
    at->weighted = touched(m * d);
    at->active_rows = touched(n * d);
    at->active_columns = touched(m * n);
    at->signs = calloc((size_t)n, 1);
    at->active = calloc((size_t)n, sizeof *at->active);
    need(at->signs != NULL && at->active != NULL, "out of memory");
    make_regulariser(at);
    race_init(&at->race, at->d);
    return at;
}

void evaluation_destroy(struct evaluation *at) {
    double *const arrays[] = {at->x,           at->gradient,      at->centre, at->u,        at->h,
                              at->back,        at->slopes,        at->f,      at->misfit,   at->q,
                              at->weights,     at->regulariser,   at->factor, at->jacobian, at->weighted,
                              at->active_rows, at->active_columns};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        free(arrays[i]);
    free(at->signs);
    free(at->active);
    race_free(&at->race);
    free(at);
}

/* ---- value and gradient ------------------------------------------------------------------------------------------ */

static void softmax(int m, double *z) {
    double largest = z[0], sum = 0.0;
    for (int j = 1; j < m; j++)
        largest = fmax(largest, z[j]);
    for (int j = 0; j < m; j++)
        sum += z[j] = exp(z[j] - largest);
    for (int j = 0; j < m; j++)
        z[j] /= sum;
}

static void move(struct evaluation *at, const double *x) {
    const int n = at->n, d = at->d, m = at->m;
    if (at->has_x && memcmp(x, at->x, (size_t)d * sizeof *x) == 0)
        return;
    const struct network *network = &at->member->network;
    memcpy(at->x, x, (size_t)d * sizeof *x);
    at->has_x = true;
    at->has_gradient = at->has_jacobian = false;
    cblas_dgemv(CblasRowMajor, CblasNoTrans, n, d, 1.0, network->A1, d, x, 1, 0.0, at->u, 1);
    double regular = 0.0, fit = 0.0, mean = 0.0;
    for (int i = 0; i < n; i++) {
        at->h[i] = at->u[i] > 0.0 ? at->u[i] : 0.0;
        regular += at->u[i] * at->u[i];
    }
    cblas_dgemv(CblasRowMajor, CblasNoTrans, m, n, 1.0, network->A2, n, at->h, 1, 0.0, at->f, 1);
    softmax(m, at->f);
    for (int j = 0; j < m; j++) {
        at->misfit[j] = at->f[j] - network->b[j];
        fit += at->misfit[j] * at->misfit[j];
        mean += at->f[j] * at->misfit[j];
    }
    at->mean_misfit = mean;
    at->loss = 0.5 * (fit + network->w * network->w * regular);
    if (!isfinite(at->loss))
        at->loss = HUGE_VAL;
    at->counts.values++;
    race_loss(&at->race, x, at->loss);
}

static void differentiate(struct evaluation *at, const double *x) {
    move(at, x);
    if (at->has_gradient)
        return;
    const int n = at->n, d = at->d, m = at->m;
    const struct network *network = &at->member->network;
    const double weight = network->w * network->w;
    for (int j = 0; j < m; j++)
        at->q[j] = at->f[j] * (at->misfit[j] - at->mean_misfit);
    cblas_dgemv(CblasRowMajor, CblasTrans, m, n, 1.0, network->A2, n, at->q, 1, 0.0, at->back, 1);
    for (int i = 0; i < n; i++)
        at->slopes[i] = (at->u[i] > 0.0 ? at->back[i] : 0.0) + weight * at->u[i];
    cblas_dgemv(CblasRowMajor, CblasTrans, n, d, 1.0, network->A1, d, at->slopes, 1, 0.0, at->gradient, 1);
    at->has_gradient = true;
    at->counts.gradients++;
    race_gradient(&at->race, cblas_dnrm2(d, at->gradient, 1));
}

void evaluation_start(struct evaluation *at, double time_limit, int64_t evaluation_limit, bool processor_time) {
    void (*const over)(void *) = at->race.over;
    at->race.over = NULL;
    at->race.processor_time = processor_time;
    race_start(&at->race, INFINITY, INT64_MAX);
    at->has_x = at->has_signs = false;
    move(at, at->member->x0);
    at->start = at->loss;
    at->scale = at->loss > 0.0 && isfinite(at->loss) ? 1.0 / at->loss : 1.0;
    at->has_x = false;
    memset(&at->counts, 0, sizeof at->counts);
    at->race.over = over;
    race_start(&at->race, time_limit, evaluation_limit);
}

void evaluation_get_start(const struct evaluation *at, double *x) { memcpy(x, at->member->x0, (size_t)at->d * sizeof *x); }

bool evaluation_is_over(const struct evaluation *at) { return at->race.end != RACE_RUNS; }

double evaluate_value(struct evaluation *at, const double *x) {
    move(at, x);
    return at->scale * at->loss;
}

double evaluate_gradient(struct evaluation *at, const double *x, double *gradient) {
    differentiate(at, x);
    for (int k = 0; k < at->d; k++)
        gradient[k] = at->scale * at->gradient[k];
    return at->scale * at->loss;
}

/* ---- residuals and their Jacobian -------------------------------------------------------------------------------- */

void evaluate_residuals(struct evaluation *at, const double *x, double *residuals) {
    move(at, x);
    const int d = at->d, m = at->m;
    const double root = sqrt(at->scale);
    for (int j = 0; j < m; j++)
        residuals[j] = root * at->misfit[j];
    memcpy(residuals + m, x, (size_t)d * sizeof *x);
    cblas_dtrmv(CblasRowMajor, CblasUpper, CblasNoTrans, CblasNonUnit, d, at->factor, d, residuals + m, 1);
    cblas_dscal(d, root, residuals + m, 1);
}

/* Brings the list of active units up to date; whether it changed. */
static bool signs_changed(struct evaluation *at, int *active) {
    bool changed = !at->has_signs;
    int count = 0;
    for (int i = 0; i < at->n; i++) {
        const signed char sign = at->u[i] > 0.0;
        changed = changed || sign != at->signs[i];
        at->signs[i] = sign;
        at->active[count] = i;
        count += sign;
    }
    *active = count;
    at->has_signs = true;
    return changed;
}

static void linearise(struct evaluation *at, const double *x) {
    differentiate(at, x);
    if (at->has_jacobian)
        return;
    const int n = at->n, d = at->d, m = at->m;
    const struct network *network = &at->member->network;
    int active;
    if (signs_changed(at, &active)) {
        for (int k = 0; k < active; k++)
            memcpy(at->active_rows + (int64_t)k * d, network->A1 + (int64_t)at->active[k] * d, (size_t)d * sizeof(double));
        for (int64_t j = 0; j < m; j++)
            for (int64_t k = 0; k < active; k++)
                at->active_columns[j * active + k] = network->A2[j * n + at->active[k]];
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, d, active, 1.0, at->active_columns, active > 0 ? active : 1,
                    at->active_rows, d, 0.0, at->jacobian, d);
    }
    cblas_dgemv(CblasRowMajor, CblasTrans, m, d, 1.0, at->jacobian, d, at->f, 1, 0.0, at->centre, 1);
    at->has_jacobian = true;
}

void evaluate_jacobian(struct evaluation *at, const double *x, double *jacobian) {
    linearise(at, x);
    at->counts.jacobians++;
    const int64_t d = at->d, m = at->m;
    const double root = sqrt(at->scale);
    for (int64_t j = 0; j < m; j++)
        for (int64_t k = 0; k < d; k++)
            jacobian[j * d + k] = root * at->f[j] * (at->jacobian[j * d + k] - at->centre[k]);
    for (int64_t i = 0; i < d * d; i++)
        jacobian[m * d + i] = root * at->factor[i];
}

void evaluate_jacobian_columns(struct evaluation *at, const double *x, double *jacobian) {
    enum { TILE = 8 }; /* columns at a time: rows are read in whole cache lines */
    linearise(at, x);
    at->counts.jacobians++;
    const int64_t d = at->d, m = at->m, rows = m + d;
    const double root = sqrt(at->scale);
    for (int64_t first = 0; first < d; first += TILE) {
        const int64_t end = first + TILE < d ? first + TILE : d;
        for (int64_t j = 0; j < m; j++)
            for (int64_t k = first; k < end; k++)
                jacobian[j + k * rows] = root * at->f[j] * (at->jacobian[j * d + k] - at->centre[k]);
        for (int64_t j = 0; j < d; j++)
            for (int64_t k = first; k < end; k++)
                jacobian[m + j + k * rows] = root * at->factor[j * d + k];
    }
}

/* ---- second order ------------------------------------------------------------------------------------------------ */

/* scale (C' diag(weights) C + R), C the Jacobian of the logits centred: rows of positive and of negative weight by a product
   each. */
static void assemble(struct evaluation *at, double *hessian) {
    const int d = at->d, m = at->m;
    int positive = 0, negative = 0;
    for (int j = 0; j < m; j++) {
        if (at->weights[j] == 0.0)
            continue;
        const double root = sqrt(fabs(at->weights[j]));
        double *row = at->weighted + (int64_t)(at->weights[j] > 0.0 ? positive++ : m - ++negative) * d;
        for (int k = 0; k < d; k++)
            row[k] = root * (at->jacobian[(int64_t)j * d + k] - at->centre[k]);
    }
    memcpy(hessian, at->regulariser, (size_t)d * (size_t)d * sizeof *hessian);
    cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, d, positive, at->scale, at->weighted, d, at->scale, hessian, d);
    cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, d, negative, -at->scale, at->weighted + (int64_t)(m - negative) * d, d,
                1.0, hessian, d);
    for (int i = 0; i < d; i++)
        for (int k = 0; k < i; k++)
            hessian[i * d + k] = hessian[k * d + i];
}

void evaluate_hessian(struct evaluation *at, const double *x, double *hessian) {
    linearise(at, x);
    at->counts.hessians++;
    for (int j = 0; j < at->m; j++)
        at->weights[j] = at->f[j] * (at->f[j] + at->misfit[j] - at->mean_misfit);
    assemble(at, hessian);
}

void evaluate_gauss_newton(struct evaluation *at, const double *x, double *hessian) {
    linearise(at, x);
    at->counts.jacobians++;
    for (int j = 0; j < at->m; j++)
        at->weights[j] = at->f[j] * at->f[j];
    assemble(at, hessian);
}

/* v -> diag(f) (v - 1 f'v), in place: the derivative of softmax, symmetric. */
static void through_softmax(const struct evaluation *at, double *v) {
    const double mean = cblas_ddot(at->m, at->f, 1, v, 1);
    for (int j = 0; j < at->m; j++)
        v[j] = at->f[j] * (v[j] - mean);
}

static void keep_active(struct evaluation *at) {
    for (int i = 0; i < at->n; i++)
        if (!(at->u[i] > 0.0))
            at->slopes[i] = 0.0;
}

void evaluate_product(struct evaluation *at, const double *x, const double *v, double *product) {
    move(at, x);
    at->counts.products++;
    const int n = at->n, d = at->d, m = at->m;
    const struct network *network = &at->member->network;
    cblas_dgemv(CblasRowMajor, CblasNoTrans, n, d, 1.0, network->A1, d, v, 1, 0.0, at->slopes, 1);
    keep_active(at);
    cblas_dgemv(CblasRowMajor, CblasNoTrans, m, n, 1.0, network->A2, n, at->slopes, 1, 0.0, product, 1);
    through_softmax(at, product);
    memcpy(product + m, v, (size_t)d * sizeof *v);
    cblas_dtrmv(CblasRowMajor, CblasUpper, CblasNoTrans, CblasNonUnit, d, at->factor, d, product + m, 1);
    cblas_dscal(m + d, sqrt(at->scale), product, 1);
}

void evaluate_product_transposed(struct evaluation *at, const double *x, const double *v, double *product) {
    move(at, x);
    at->counts.products++;
    const int n = at->n, d = at->d, m = at->m;
    const struct network *network = &at->member->network;
    const double root = sqrt(at->scale);
    memcpy(at->weights, v, (size_t)m * sizeof *v);
    through_softmax(at, at->weights);
    cblas_dgemv(CblasRowMajor, CblasTrans, m, n, 1.0, network->A2, n, at->weights, 1, 0.0, at->slopes, 1);
    keep_active(at);
    memcpy(product, v + m, (size_t)d * sizeof *v);
    cblas_dtrmv(CblasRowMajor, CblasUpper, CblasTrans, CblasNonUnit, d, at->factor, d, product, 1);
    cblas_dgemv(CblasRowMajor, CblasTrans, n, d, root, network->A1, d, at->slopes, 1, root, product, 1);
}
