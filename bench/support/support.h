/* SPDX-License-Identifier: BSD-3-Clause */
/* What the benchmarks share: memory and calls that must not fail, seeded random numbers, a two-layer network with a target, and
   order statistics. */
#ifndef SOFTRELU_BENCH_SUPPORT_H
#define SOFTRELU_BENCH_SUPPORT_H

#include <stdbool.h>
#include <stdint.h>

#include <softrelu/softrelu.h>

/* Ends the program with status 2 and the message unless good. */
void need(bool good, const char *what);
/* The same for a call on a handle with a message; status 0 is good. */
void need_ok(softrelu_status status, const char *message);
/* The number that is the whole of text, between least and most: for options. */
bool read_number(const char *text, double least, double most, double *value);
/* Zeroed memory, released with free(). */
double *numbers(int64_t count);
float *singles(int64_t count);

struct generator {
    uint64_t state;
};
double draw_uniform(struct generator *generator);
/* The sum of four uniform numbers, scaled to variance 1: near enough to normal, and fast. */
double draw_normal(struct generator *generator);
void draw_normals(struct generator *generator, double scale, int64_t count, double *values);

/* u = A1 x + c1, z = A2 max(u, 0) + c2; matrices row-major. */
struct network {
    int64_t n, d, m;
    double *A1, *A2, *c1, *c2, *b;
    double w, rho;
    softrelu_loss loss;
};

/* Random layers, all arrays allocated: A1 and A2 with variances 1/d and 4/n, c2 with the standard deviation output_bias. Hidden
   biases are 0 when bias is 0, else bias or more away from it, to either side; c2 then takes away what they add to logits. */
struct network random_network(struct generator *generator, int64_t n, int64_t d, int64_t m, double bias, double output_bias);
void network_free(struct network *network);
/* Logits at x into z (m). */
void network_logits(const struct network *network, const double *x, double *z);
/* b = softmax of the logits z, which are overwritten with noise added to them. */
void aim_at(struct network *network, struct generator *generator, double noise, double *z);
/* Gives the network to a problem, which borrows it, and seals that. */
void describe(softrelu_problem *problem, const struct network *network);
/* The same with its matrices as floats. */
void describe_single(softrelu_problem *problem, const struct network *network, const float *A1, const float *A2);
/* A sealed problem that borrows the network. */
softrelu_problem *pose(const struct network *network);
softrelu_solver *solver_of(const softrelu_problem *problem);
softrelu_evaluator *evaluator_of(const softrelu_problem *problem);
void set_text(softrelu_solver *solver, const char *name, const char *value);
double report_number(const softrelu_solver *solver, softrelu_quantity quantity);

double norm_of(int64_t count, const double *values);
double distance_of(int64_t count, const double *a, const double *b);
/* The share-quantile, 0 <= share <= 1, of values, which are sorted. */
double quantile(int64_t count, double *values, double share);

#endif
