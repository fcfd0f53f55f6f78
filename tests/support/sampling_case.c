#include "support/sampling_case.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/npy_data.h"

static const char *const NAMES[SAMPLING_KINDS] = {"gaussian", "coherent", "hidden", "digits", "vocabulary"};

/* ---- the formulas ------------------------------------------------------------------------------------------------ */

/* Logits at x into z (m). */
static void logits_at(const struct instance *instance, const double *x, double *z) {
    double *h = test_doubles(instance->n);
    for (int64_t i = 0; i < instance->n; i++) {
        double u = instance->c1 == NULL ? 0.0 : instance->c1[i];
        for (int64_t k = 0; k < instance->d; k++)
            u += instance->A1[i * instance->d + k] * x[k];
        h[i] = fmax(u, 0.0);
    }
    for (int64_t j = 0; j < instance->m; j++) {
        z[j] = instance->c2 == NULL ? 0.0 : instance->c2[j];
        for (int64_t i = 0; i < instance->n; i++)
            z[j] += instance->A2 == NULL ? (i == j ? h[i] : 0.0) : instance->A2[j * instance->n + i] * h[i];
    }
    free(h);
}

static void softmax_of(int64_t m, const double *z, double *f) {
    double largest = -INFINITY, sum = 0.0;
    for (int64_t j = 0; j < m; j++)
        largest = fmax(largest, z[j]);
    for (int64_t j = 0; j < m; j++)
        sum += f[j] = exp(z[j] - largest);
    for (int64_t j = 0; j < m; j++)
        f[j] /= sum;
}

/* The logits' Jacobian A2 diag(s) A1 into G (m x d). */
static void jacobian_at(const struct instance *instance, const double *x, double *G) {
    const int64_t n = instance->n, d = instance->d;
    for (int64_t i = 0; i < n; i++) {
        double u = instance->c1 == NULL ? 0.0 : instance->c1[i];
        for (int64_t k = 0; k < d; k++)
            u += instance->A1[i * d + k] * x[k];
        for (int64_t j = 0; j < instance->m && u > 0.0; j++) {
            const double weight = instance->A2 == NULL ? (i == j ? 1.0 : 0.0) : instance->A2[j * n + i];
            for (int64_t k = 0; k < d; k++)
                G[j * d + k] += weight * instance->A1[i * d + k];
        }
    }
}

static void centre(int64_t m, int64_t d, const double *f, double *G) {
    double *mean = test_doubles(d);
    for (int64_t j = 0; j < m; j++)
        for (int64_t k = 0; k < d; k++)
            mean[k] += f[j] * G[j * d + k];
    for (int64_t j = 0; j < m; j++)
        for (int64_t k = 0; k < d; k++)
            G[j * d + k] -= mean[k];
    free(mean);
}

static void curvature_weights(const struct instance *instance, const double *f, double *r) {
    double total = 0.0, mean = 0.0;
    for (int64_t j = 0; j < instance->m; j++) {
        total += instance->b[j];
        mean += f[j] * (f[j] - instance->b[j]);
    }
    for (int64_t j = 0; j < instance->m; j++)
        r[j] = instance->loss == SOFTRELU_KL ? total * f[j] : f[j] * (f[j] + (f[j] - instance->b[j]) - mean);
}

struct hessian_rows hessian_rows(const struct instance *instance, const double *x) {
    const int64_t n = instance->n, d = instance->d, m = instance->m;
    struct hessian_rows rows = {d, m, test_doubles(m * d), test_doubles(m), test_doubles(d * d)};
    double *z = test_doubles(m), *f = test_doubles(m);
    logits_at(instance, x, z);
    softmax_of(m, z, f);
    jacobian_at(instance, x, rows.C);
    centre(m, d, f, rows.C);
    curvature_weights(instance, f, rows.r);
    for (int64_t k = 0; k < d; k++) {
        rows.R[k * d + k] = instance->rho;
        for (int64_t l = 0; l < d; l++)
            for (int64_t i = 0; i < n && instance->w != NULL; i++)
                rows.R[k * d + l] += instance->w[i] * instance->w[i] * instance->A1[i * d + k] * instance->A1[i * d + l];
    }
    free(z);
    free(f);
    return rows;
}

void hessian_rows_free(struct hessian_rows *rows) {
    free(rows->C);
    free(rows->r);
    free(rows->R);
    *rows = (struct hessian_rows){0};
}

void hessian_of_rows(const struct hessian_rows *rows, const double *weights, double *hessian) {
    const int64_t d = rows->d;
    memcpy(hessian, rows->R, (size_t)(d * d) * sizeof *hessian);
    for (int64_t j = 0; j < rows->m; j++) {
        const double weight = rows->r[j] * (weights == NULL ? 1.0 : weights[j]), *row = rows->C + j * d;
        for (int64_t k = 0; k < d && weight != 0.0; k++)
            for (int64_t l = 0; l < d; l++)
                hessian[k * d + l] += weight * row[k] * row[l];
    }
}

/* ---- the data ---------------------------------------------------------------------------------------------------- */

/* b: the distribution at x, its logits moved by noise. */
static void aim(struct test_random *random, double noise, struct sampling_case *sampling) {
    struct instance *instance = &sampling->instance;
    double *z = test_doubles(instance->m);
    logits_at(instance, sampling->x, z);
    for (int64_t j = 0; j < instance->m; j++)
        z[j] += noise * random_normal(random);
    if (instance->b == NULL)
        instance->b = test_doubles(instance->m);
    softmax_of(instance->m, z, instance->b);
    free(z);
}

/* The curvature weights of "squares" are smaller than those of "kl" by a factor of about the largest probability. */
static double weight_scale(const struct instance *instance) {
    return instance->loss == SOFTRELU_KL ? 1.0 : 1.0 / (double)instance->m;
}

static void gaussian(struct test_random *random, int64_t m, softrelu_loss loss, struct sampling_case *sampling) {
    const int64_t n = 16, d = 5;
    const struct instance_scales scales = {.A1 = 1, .A2 = 2, .b = 1, .c1 = 0.3, .c2 = 0.3};
    sampling->instance = random_instance(random, n, d, m, scales, loss);
    sampling->x = test_doubles(d);
    random_fill(random, 1.0, d, sampling->x);
    aim(random, 0.5, sampling);
    sampling->instance.rho = 1e-3 * weight_scale(&sampling->instance);
}

/* Rows P (m x d, taken over) as the Jacobian: d units that are on and see x itself, as many that are off. The logits at x are
   random and small, so that all outputs have about the same probability and P alone decides what counts. */
static void pose_rows(struct test_random *random, int64_t d, int64_t m, double *P, softrelu_loss loss,
                      struct sampling_case *sampling) {
    const int64_t n = 2 * d;
    const double bias = 20.0;
    struct instance *instance = &sampling->instance;
    *instance = random_instance(random, n, d, m, (struct instance_scales){.A1 = 1, .A2 = 1, .b = 1, .c1 = 1, .c2 = 0.3}, loss);
    sampling->x = test_doubles(d);
    random_fill(random, 0.3, d, sampling->x);
    for (int64_t i = 0; i < n; i++) {
        instance->c1[i] = i < d ? bias : -bias;
        for (int64_t k = 0; k < d && i < d; k++)
            instance->A1[i * d + k] = i == k ? 1.0 : 0.0;
    }
    for (int64_t j = 0; j < m; j++)
        for (int64_t k = 0; k < d; k++) {
            instance->A2[j * n + k] = P[j * d + k];
            instance->c2[j] -= P[j * d + k] * (bias + sampling->x[k]);
        }
    aim(random, 0.1, sampling);
    free(P);
}

static void coherent(struct test_random *random, int64_t m, softrelu_loss loss, struct sampling_case *sampling) {
    const int64_t d = 6;
    double *P = test_doubles(m * d);
    for (int64_t j = 0; j < m; j++)
        random_fill(random, j % (m / (2 * d)) == 0 ? 1.0 : 1e-3, d, P + j * d);
    pose_rows(random, d, m, P, loss, sampling);
    sampling->instance.rho = 1e-3 * weight_scale(&sampling->instance) / (double)m;
}

static void hidden(struct test_random *random, int64_t m, softrelu_loss loss, struct sampling_case *sampling) {
    const int64_t d = 6;
    double *P = test_doubles(m * d);
    for (int64_t j = 0; j < m; j++) {
        random_fill(random, 1.0, d - 1, P + j * d);
        if (j % (m / 3) == m / 6) {
            memset(P + j * d, 0, (size_t)d * sizeof *P);
            P[j * d + d - 1] = random_uniform(random, 0.2, 0.3);
        }
    }
    pose_rows(random, d, m, P, loss, sampling);
    sampling->instance.rho = 1e-4 * weight_scale(&sampling->instance) / (double)m;
}

/* Next to a minimiser, off the kinks that it lies on. */
static void settle(struct test_random *random, struct sampling_case *sampling) {
    const int64_t d = sampling->instance.d;
    struct built built = build(&sampling->instance, PLAIN_PLACEMENT);
    softrelu_solver *solver = NULL;
    sampling->x = test_doubles(d);
    assert_int_equal(softrelu_solver_create(built.problem, &solver), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solve(solver), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solution(solver, sampling->x, d), SOFTRELU_OK);
    for (int64_t k = 0; k < d; k++)
        sampling->x[k] += 1e-3 * random_normal(random);
    softrelu_solver_destroy(solver);
    built_free(&built);
}

static double *read_vector(const char *folder, const char *name, int64_t length) {
    const struct npy_data data = npy_read(folder, name);
    assert_int_equal(data.rows, length);
    assert_int_equal(data.columns, 1);
    return data.values;
}

static void digits(struct test_random *random, softrelu_loss loss, struct sampling_case *sampling) {
    const char *folder = "digits-retrieval";
    const struct npy_data A1 = npy_read(folder, "A1.npy"), A2 = npy_read(folder, "A2.npy");
    assert_int_equal(A2.columns, A1.rows);
    sampling->instance =
        (struct instance){.n = A1.rows, .d = A1.columns, .m = A2.rows, .A1 = A1.values, .A2 = A2.values, .loss = loss};
    sampling->instance.c1 = read_vector(folder, "c1.npy", A1.rows);
    sampling->instance.b = read_vector(folder, "b.npy", A2.rows);
    sampling->instance.rho = loss == SOFTRELU_KL ? 1e-3 : 1e-5;
    settle(random, sampling);
}

static void vocabulary(struct test_random *random, softrelu_loss loss, struct sampling_case *sampling) {
    const char *folder = "wide-vocabulary";
    const struct npy_data A2 = npy_read(folder, "A2.npy");
    const int64_t n = A2.columns, d = 8;
    sampling->instance = (struct instance){.n = n, .d = d, .m = A2.rows, .A2 = A2.values, .loss = loss};
    sampling->instance.c2 = read_vector(folder, "c2.npy", A2.rows);
    sampling->instance.b = read_vector(folder, "b.npy", A2.rows);
    sampling->instance.A1 = test_doubles(n * d);
    random_fill(random, 1.0 / sqrt((double)d), n * d, sampling->instance.A1);
    sampling->instance.rho = loss == SOFTRELU_KL ? 1e-3 : 1e-5;
    settle(random, sampling);
}

struct sampling_case sampling_case(enum sampling_kind kind, softrelu_loss loss, int64_t rows) {
    struct sampling_case sampling = {.name = NAMES[kind]};
    struct test_random random = {4000 + (uint64_t)kind};
    switch (kind) {
    case SAMPLING_GAUSSIAN:
        gaussian(&random, rows, loss, &sampling);
        break;
    case SAMPLING_COHERENT:
        coherent(&random, rows, loss, &sampling);
        break;
    case SAMPLING_HIDDEN:
        hidden(&random, rows, loss, &sampling);
        break;
    case SAMPLING_DIGITS:
        digits(&random, loss, &sampling);
        break;
    default:
        vocabulary(&random, loss, &sampling);
        break;
    }
    return sampling;
}

void sampling_case_free(struct sampling_case *sampling) {
    instance_free(&sampling->instance);
    free(sampling->x);
    *sampling = (struct sampling_case){0};
}
