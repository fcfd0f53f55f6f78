/* SPDX-License-Identifier: BSD-3-Clause */
/* Problems with very many outputs, and what one method does on one of them in a process of its own. */
#ifndef SOFTRELU_BENCH_LARGE_H
#define SOFTRELU_BENCH_LARGE_H

#include "support.h"

#include <stddef.h>

/* The data of a problem, in memory that child processes share: it is there once, and is told apart from what they take. */
struct shared_problem {
    struct network network;
    double *x0;
    float *A1, *A2; /* the matrices once more in single precision */
    size_t bytes;   /* without those */
    void *block;
};

/* A random network of that shape, its target made by a teacher input and noise on the logits, w a hundredth of the data's
   curvature, and a random start. */
struct shared_problem share_problem(int64_t n, int64_t d, int64_t m, softrelu_loss loss, uint64_t seed);
void unshare_problem(struct shared_problem *shared);

struct method {
    const char *name;
    const char *hessian, *step, *jacobian_memory; /* values of the settings */
    bool single_data;                             /* the matrices as floats */
    bool plain; /* memory straight from the system, where what is not touched is not there; else counted in `allocated` */
};

/* Filled by the child that measured it; memory in bytes. */
struct measurement {
    bool finished;
    softrelu_termination termination;
    softrelu_verdict verdict;
    double seconds, seconds_cpu, seconds_hessian, iterations, rows, enlargements, fallbacks, products, loss, residual,
        distance_bound;
    double allocated; /* most that the library held at a time */
    double resident;  /* most memory of the process beyond the data and what it began with; 0 where the system does not tell */
    int threads;      /* of the BLAS */
    double x[];       /* d */
};

/* Solves from x0 in a forked process; epsilon of samples, 0 for the library's own. Released with release_measurement(). */
struct measurement *measure(const struct shared_problem *shared, const struct method *method, double epsilon);
void release_measurement(struct measurement *measurement, int64_t d);

#endif
