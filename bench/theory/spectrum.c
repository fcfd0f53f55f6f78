/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * (c) max |1 - eigenvalue of H^-1 H~| against the number of rows drawn: by the library's estimated leverage scores, and with
 * equal probabilities. Beside it what the theorem promises with probability 0.99 for exact scores tau_j: the epsilon with
 * rows = sum of min(1, alpha tau_j), alpha = 2 (1 + epsilon / 3) log(2 d / 0.01) / epsilon^2.
 */
#include "theory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <lapacke.h>

#include "npy.h"

double relative_error(int64_t d, const double *A, const double *H) {
    double *a = numbers(d * d), *h = numbers(d * d), *values = numbers(d);
    memcpy(a, A, (size_t)(d * d) * sizeof *a);
    memcpy(h, H, (size_t)(d * d) * sizeof *h);
    const lapack_int order = (lapack_int)d;
    need(LAPACKE_dsygv(LAPACK_COL_MAJOR, 1, 'N', 'U', order, a, order, h, order, values) == 0, "the Hessian is not definite");
    const double error = fmax(1.0 - values[0], values[d - 1] - 1.0);
    free(a);
    free(h);
    free(values);
    return error;
}

/* H = sum_j f_j C_j' C_j + R for "kl" and a target that adds up to 1, at a point x. */
struct view {
    int64_t d, m;
    double *C, *f, *R, *H, *scores;
    softrelu_evaluator *evaluator;
    softrelu_problem *problem;
};

static void find_rows(const struct network *network, const double *x, struct view *view) {
    const int64_t n = network->n, d = network->d, m = network->m;
    double *mean = numbers(d);
    for (int64_t i = 0; i < n; i++) {
        double u = network->c1[i];
        for (int64_t k = 0; k < d; k++)
            u += network->A1[i * d + k] * x[k];
        for (int64_t j = 0; j < m && u > 0.0; j++)
            for (int64_t k = 0; k < d; k++)
                view->C[j * d + k] += network->A2[j * n + i] * network->A1[i * d + k];
    }
    for (int64_t j = 0; j < m; j++)
        for (int64_t k = 0; k < d; k++)
            mean[k] += view->f[j] * view->C[j * d + k];
    for (int64_t j = 0; j < m; j++)
        for (int64_t k = 0; k < d; k++)
            view->C[j * d + k] -= mean[k];
    free(mean);
}

static void add_rows(const struct view *view, const double *weights, double *hessian) {
    const int64_t d = view->d;
    memcpy(hessian, view->R, (size_t)(d * d) * sizeof *hessian);
    for (int64_t j = 0; j < view->m; j++) {
        const double weight = view->f[j] * (weights == NULL ? 1.0 : weights[j]), *row = view->C + j * d;
        for (int64_t k = 0; k < d && weight != 0.0; k++)
            for (int64_t l = 0; l < d; l++)
                hessian[k * d + l] += weight * row[k] * row[l];
    }
}

/* Exact leverage scores f_j C_j H^-1 C_j'. */
static void find_scores(struct view *view) {
    const int64_t d = view->d;
    const lapack_int order = (lapack_int)d;
    double *factor = numbers(d * d), *row = numbers(d);
    memcpy(factor, view->H, (size_t)(d * d) * sizeof *factor);
    need(LAPACKE_dpotrf(LAPACK_COL_MAJOR, 'L', order, factor, order) == 0, "the Hessian is not definite");
    for (int64_t j = 0; j < view->m; j++) {
        memcpy(row, view->C + j * d, (size_t)d * sizeof *row);
        need(LAPACKE_dtrtrs(LAPACK_COL_MAJOR, 'L', 'N', 'N', order, 1, factor, order, row, order) == 0, "a triangle");
        view->scores[j] = view->f[j] * norm_of(d, row) * norm_of(d, row);
    }
    free(factor);
    free(row);
}

static struct view view_of(const struct network *network, const double *x) {
    const int64_t d = network->d, m = network->m;
    struct view view = {d, m, numbers(m * d), numbers(m), numbers(d * d), numbers(d * d), numbers(m), NULL, pose(network)};
    view.evaluator = evaluator_of(view.problem);
    need_ok(softrelu_evaluator_move(view.evaluator, x, d), softrelu_evaluator_message(view.evaluator));
    need_ok(softrelu_evaluator_prediction(view.evaluator, view.f, m), softrelu_evaluator_message(view.evaluator));
    need_ok(softrelu_evaluator_hessian(view.evaluator, view.H, d), softrelu_evaluator_message(view.evaluator));
    find_rows(network, x, &view);
    for (int64_t k = 0; k < d; k++)
        view.R[k * d + k] = network->rho;
    double *again = numbers(d * d);
    add_rows(&view, NULL, again);
    need(relative_error(d, again, view.H) <= 1e-8, "the rows do not add up to the Hessian");
    free(again);
    find_scores(&view);
    return view;
}

static void view_free(struct view *view) {
    softrelu_evaluator_destroy(view->evaluator);
    softrelu_problem_destroy(view->problem);
    free(view->C);
    free(view->f);
    free(view->R);
    free(view->H);
    free(view->scores);
}

/* What the theorem promises for so many rows. */
static double promised(const struct view *view, double rows) {
    double low = 1e-6, high = 1e6;
    for (int step = 0; step < 100; step++) {
        const double epsilon = sqrt(low * high);
        const double alpha = 2.0 * (1.0 + epsilon / 3.0) * log(2.0 * (double)view->d / 0.01) / (epsilon * epsilon);
        double sum = 0.0;
        for (int64_t j = 0; j < view->m; j++)
            sum += fmin(1.0, alpha * view->scores[j]);
        if (sum > rows)
            low = epsilon;
        else
            high = epsilon;
    }
    return high;
}

static double draw_equally(const struct view *view, struct generator *generator, double rows, double *weights,
                           double *hessian) {
    const double chance = fmin(1.0, rows / (double)view->m);
    for (int64_t j = 0; j < view->m; j++)
        weights[j] = draw_uniform(generator) < chance ? 1.0 / chance : 0.0;
    add_rows(view, weights, hessian);
    return relative_error(view->d, hessian, view->H);
}

static void compare(FILE *table, const char *name, const struct network *network, const double *x, int64_t draws) {
    struct view view = view_of(network, x);
    const int64_t d = view.d;
    struct generator generator = {99};
    double *ours = numbers(draws), *equal = numbers(draws), *weights = numbers(view.m), *sampled = numbers(d * d);
    printf("\n%s: m = %lld, d = %lld\n  rows    by scores: median, 99 of 100   equal chances: median, 99 of 100   promised\n",
           name, (long long)view.m, (long long)d);
    for (double share = 2.0; share * (double)d < (double)view.m; share *= 2.0) {
        const int64_t rows = (int64_t)(share * (double)d);
        for (int64_t draw = 0; draw < draws; draw++) {
            need_ok(softrelu_evaluator_sampled_hessian(view.evaluator, 0.5, rows, 1, (uint64_t)draw, sampled, d, NULL),
                    softrelu_evaluator_message(view.evaluator));
            ours[draw] = relative_error(d, sampled, view.H);
            equal[draw] = draw_equally(&view, &generator, (double)rows, weights, sampled);
        }
        const double promise = promised(&view, (double)rows);
        printf("  %-7lld %8.3g  %8.3g                 %8.3g  %8.3g                    %8.3g\n", (long long)rows,
               quantile(draws, ours, 0.5), quantile(draws, ours, 0.99), quantile(draws, equal, 0.5),
               quantile(draws, equal, 0.99), promise);
        fprintf(table, "%s,%lld,%lld,%lld,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g\n", name, (long long)view.m, (long long)d,
                (long long)rows, quantile(draws, ours, 0.01), quantile(draws, ours, 0.5), quantile(draws, ours, 0.99),
                quantile(draws, equal, 0.01), quantile(draws, equal, 0.5), quantile(draws, equal, 0.99), promise);
    }
    free(ours);
    free(equal);
    free(weights);
    free(sampled);
    view_free(&view);
}

/* A point near which the network's own distribution is the target. */
static double *look_at(struct network *network, struct generator *generator) {
    double *x = numbers(network->d), *z = numbers(network->m);
    draw_normals(generator, 1.0, network->d, x);
    network_logits(network, x, z);
    aim_at(network, generator, 0.5, z);
    free(z);
    return x;
}

static void gaussian(FILE *table, int64_t draws) {
    struct generator generator = {11};
    struct network network = random_network(&generator, 32, 8, 20000, 0.0, 0.3);
    network.loss = SOFTRELU_KL;
    network.rho = 1e-3;
    double *x = look_at(&network, &generator);
    compare(table, "Gaussian", &network, x, draws);
    free(x);
    network_free(&network);
}

/* Sixteen rows carry nearly everything, the others a thousandth of their length; all units are on. */
static void coherent(FILE *table, int64_t draws) {
    struct generator generator = {12};
    const int64_t n = 8, m = 20000;
    struct network network = random_network(&generator, n, n, m, 0.0, 0.3);
    network.loss = SOFTRELU_KL;
    network.rho = 1e-3 / (double)m;
    for (int64_t i = 0; i < n; i++) {
        network.c1[i] = 20.0;
        for (int64_t j = 0; j < m; j++) {
            network.A2[j * n + i] *= j % (m / 16) == 0 ? 1.0 : 1e-3;
            network.c2[j] -= 20.0 * network.A2[j * n + i];
        }
    }
    double *x = look_at(&network, &generator);
    compare(table, "coherent", &network, x, draws);
    free(x);
    network_free(&network);
}

static void read_into(const char *folder, const char *name, double **values, int64_t *rows) {
    static struct failure failure; /* large */
    struct npy_array array = {0};
    char path[4096];
    need(snprintf(path, sizeof path, "%s/%s.npy", folder, name) < (int)sizeof path, "a path that is too long");
    need(npy_read(path, &array, &failure) == OUTCOME_OK, failure.text);
    free(*values);
    *values = numbers(array.header.count);
    memcpy(*values, array.values, (size_t)array.header.count * sizeof **values);
    *rows = array.header.shape[0];
    npy_free(&array);
}

static void words(FILE *table, const char *folder, int64_t draws) {
    struct generator generator = {13};
    const int64_t d = 8;
    int64_t count = 0;
    struct network network = random_network(&generator, 24, d, 1, 0.0, 0.0);
    network.loss = SOFTRELU_KL;
    network.rho = 1e-3;
    read_into(folder, "A2", &network.A2, &count);
    read_into(folder, "c2", &network.c2, &network.m);
    read_into(folder, "b", &network.b, &network.m);
    need(count == network.m, "arrays of different sizes");
    double *x = numbers(d);
    draw_normals(&generator, 1.0, d, x);
    compare(table, "wide vocabulary", &network, x, draws);
    free(x);
    network_free(&network);
}

void experiment_spectrum(const char *folder, const char *vocabulary, int64_t draws) {
    FILE *table = open_table(folder, "spectrum.csv");
    fprintf(table, "data,m,d,rows,low,median,high,equal_low,equal_median,equal_high,promised\n");
    printf("\n(c) spectral error of the sampled Hessian, %lld draws of each size\n", (long long)draws);
    gaussian(table, draws);
    coherent(table, draws);
    words(table, vocabulary, draws);
    need(fclose(table) == 0, "writing spectrum.csv");
}
