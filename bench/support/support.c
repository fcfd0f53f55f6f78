/* SPDX-License-Identifier: BSD-3-Clause */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void need(bool good, const char *what) {
    if (good)
        return;
    fprintf(stderr, "failed: %s\n", what);
    exit(2);
}

void need_ok(softrelu_status status, const char *message) {
    if (status == SOFTRELU_OK)
        return;
    fprintf(stderr, "%s: %s\n", softrelu_status_name(status), message);
    exit(2);
}

bool read_number(const char *text, double least, double most, double *value) {
    char *end = NULL;
    const double number = strtod(text, &end);
    if (end == text || *end != '\0' || !(number >= least && number <= most))
        return false;
    *value = number;
    return true;
}

double *numbers(int64_t count) {
    double *block = calloc(count > 0 ? (size_t)count : 1, sizeof *block);
    need(block != NULL, "out of memory");
    return block;
}

float *singles(int64_t count) { return (float *)(void *)numbers((count + 1) / 2); }

/* splitmix64, Steele, Lea and Flood, OOPSLA 2014 */
static uint64_t draw_bits(struct generator *generator) {
    uint64_t z = generator->state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

double draw_uniform(struct generator *generator) { return (double)(draw_bits(generator) >> 11) * 0x1p-53; }

double draw_normal(struct generator *generator) {
    const uint64_t bits = draw_bits(generator), mask = 0xFFFF;
    const uint64_t sum = (bits & mask) + ((bits >> 16) & mask) + ((bits >> 32) & mask) + (bits >> 48);
    return ((double)sum - 2.0 * 65535.0) * (1.7320508075688772 / 65536.0);
}

void draw_normals(struct generator *generator, double scale, int64_t count, double *values) {
    for (int64_t i = 0; i < count; i++)
        values[i] = scale * draw_normal(generator);
}

struct network random_network(struct generator *generator, int64_t n, int64_t d, int64_t m, double bias, double output_bias) {
    struct network network = {.n = n, .d = d, .m = m, .loss = SOFTRELU_SQUARES};
    network.A1 = numbers(n * d);
    network.A2 = numbers(m * n);
    network.c1 = numbers(n);
    network.c2 = numbers(m);
    network.b = numbers(m);
    draw_normals(generator, 1.0 / sqrt((double)d), n * d, network.A1);
    draw_normals(generator, 2.0 / sqrt((double)n), m * n, network.A2);
    draw_normals(generator, output_bias, m, network.c2);
    for (int64_t i = 0; i < n && bias != 0.0; i++)
        network.c1[i] = (i % 2 == 0 ? bias : -bias) * (1.0 + draw_uniform(generator));
    for (int64_t j = 0; j < m; j++)
        for (int64_t i = 0; i < n; i++)
            network.c2[j] -= network.A2[j * n + i] * fmax(network.c1[i], 0.0);
    return network;
}

void network_free(struct network *network) {
    free(network->A1);
    free(network->A2);
    free(network->c1);
    free(network->c2);
    free(network->b);
    *network = (struct network){0};
}

void network_logits(const struct network *network, const double *x, double *z) {
    const int64_t n = network->n, d = network->d;
    double *h = numbers(n);
    for (int64_t i = 0; i < n; i++) {
        double u = network->c1[i];
        for (int64_t k = 0; k < d; k++)
            u += network->A1[i * d + k] * x[k];
        h[i] = fmax(u, 0.0);
    }
    for (int64_t j = 0; j < network->m; j++) {
        double sum = network->c2[j];
        for (int64_t i = 0; i < n; i++)
            sum += network->A2[j * n + i] * h[i];
        z[j] = sum;
    }
    free(h);
}

void aim_at(struct network *network, struct generator *generator, double noise, double *z) {
    double largest = -INFINITY, sum = 0.0;
    for (int64_t j = 0; j < network->m; j++) {
        z[j] += noise * draw_normal(generator);
        largest = fmax(largest, z[j]);
    }
    for (int64_t j = 0; j < network->m; j++)
        sum += network->b[j] = exp(z[j] - largest);
    for (int64_t j = 0; j < network->m; j++)
        network->b[j] /= sum;
}

/* All but the matrices. */
static bool describe_rest(softrelu_problem *problem, const struct network *network) {
    return softrelu_problem_set_vector(problem, SOFTRELU_C1, network->c1, network->n, SOFTRELU_BORROW) == SOFTRELU_OK &&
           softrelu_problem_set_vector(problem, SOFTRELU_C2, network->c2, network->m, SOFTRELU_BORROW) == SOFTRELU_OK &&
           softrelu_problem_set_vector(problem, SOFTRELU_B, network->b, network->m, SOFTRELU_BORROW) == SOFTRELU_OK &&
           softrelu_problem_set_number(problem, SOFTRELU_W, network->w) == SOFTRELU_OK &&
           softrelu_problem_set_number(problem, SOFTRELU_RHO, network->rho) == SOFTRELU_OK &&
           softrelu_problem_set_loss(problem, network->loss) == SOFTRELU_OK && softrelu_problem_finish(problem) == SOFTRELU_OK;
}

void describe(softrelu_problem *problem, const struct network *network) {
    const softrelu_layout rows = SOFTRELU_ROW_MAJOR;
    need(softrelu_problem_set_matrix(problem, SOFTRELU_A1, network->A1, rows, network->d, SOFTRELU_BORROW) == SOFTRELU_OK &&
             softrelu_problem_set_matrix(problem, SOFTRELU_A2, network->A2, rows, network->n, SOFTRELU_BORROW) == SOFTRELU_OK &&
             describe_rest(problem, network),
         softrelu_problem_message(problem));
}

void describe_single(softrelu_problem *problem, const struct network *network, const float *A1, const float *A2) {
    const softrelu_layout rows = SOFTRELU_ROW_MAJOR;
    need(softrelu_problem_set_matrix_single(problem, SOFTRELU_A1, A1, rows, network->d, SOFTRELU_BORROW) == SOFTRELU_OK &&
             softrelu_problem_set_matrix_single(problem, SOFTRELU_A2, A2, rows, network->n, SOFTRELU_BORROW) == SOFTRELU_OK &&
             describe_rest(problem, network),
         softrelu_problem_message(problem));
}

softrelu_problem *pose(const struct network *network) {
    softrelu_problem *problem = NULL;
    need_ok(softrelu_problem_create(network->n, network->d, network->m, NULL, NULL, NULL, &problem), "the problem");
    describe(problem, network);
    return problem;
}

softrelu_solver *solver_of(const softrelu_problem *problem) {
    softrelu_solver *solver = NULL;
    need_ok(softrelu_solver_create(problem, &solver), "the solver");
    return solver;
}

softrelu_evaluator *evaluator_of(const softrelu_problem *problem) {
    softrelu_evaluator *evaluator = NULL;
    need_ok(softrelu_evaluator_create(problem, &evaluator), "the evaluator");
    return evaluator;
}

void set_text(softrelu_solver *solver, const char *name, const char *value) {
    need_ok(softrelu_solver_set_text(solver, name, value), softrelu_solver_message(solver));
}

double report_number(const softrelu_solver *solver, softrelu_quantity quantity) {
    double value = NAN;
    need_ok(softrelu_report_number(softrelu_solver_report(solver), quantity, &value), "the report");
    return value;
}

double norm_of(int64_t count, const double *values) {
    double sum = 0.0;
    for (int64_t k = 0; k < count; k++)
        sum += values[k] * values[k];
    return sqrt(sum);
}

double distance_of(int64_t count, const double *a, const double *b) {
    double sum = 0.0;
    for (int64_t k = 0; k < count; k++)
        sum += (a[k] - b[k]) * (a[k] - b[k]);
    return sqrt(sum);
}

static int in_order(const void *left, const void *right) {
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

double quantile(int64_t count, double *values, double share) {
    qsort(values, (size_t)count, sizeof *values, in_order);
    return values[(int64_t)(share * (double)(count - 1) + 0.5)];
}
