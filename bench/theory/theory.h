/* SPDX-License-Identifier: BSD-3-Clause */
/* The experiments of docs/paper.md: each prints a table and writes what the figures are drawn from. */
#ifndef SOFTRELU_BENCH_THEORY_H
#define SOFTRELU_BENCH_THEORY_H

#include "support.h"

#include <stdio.h>

/* (a) Distance to a smooth minimiser per iteration, and by how much a step shortens it. */
void experiment_contraction(const char *folder);
/* (b) Loss above a minimiser on kinks per iteration, with the line search. */
void experiment_loss(const char *folder);
/* (c) Spectral error of the sampled Hessian against the rows drawn. draws: of each number of rows. */
void experiment_spectrum(const char *folder, const char *vocabulary, int64_t draws);

/* folder/name, opened for writing. */
FILE *open_table(const char *folder, const char *name);

/* ---- paths of iterates ---- */

struct method {
    const char *name;
    const char *hessian, *step, *globalisation; /* values of the settings */
    const char *tolerance;
    double epsilon; /* of samples */
    int64_t rows;   /* of samples; 0: epsilon chooses */
};

enum { PATH_MOST = 400 };

struct path {
    int64_t length; /* iterates, the start included */
    double distances[PATH_MOST], energies[PATH_MOST], losses[PATH_MOST], rows[PATH_MOST];
    softrelu_termination termination;
    softrelu_verdict verdict;
    double pinned; /* kinks at the solution */
    double *end;   /* the solution, d */
};

/* A minimiser found as exactly as can be, and what is known of it. */
struct minimiser {
    int64_t d;
    double *x, *hessian; /* d, d x d */
    double loss;
};

struct minimiser find_minimiser(const softrelu_problem *problem, int64_t d, const double *x0);
void minimiser_free(struct minimiser *minimiser);
/* At most so many iterations of the method from x0, seen from the minimiser. */
struct path follow(const softrelu_problem *problem, const struct minimiser *minimiser, const struct method *method,
                   const double *x0, int64_t iterations, int64_t seed);
void path_free(struct path *path);

/* ---- spectra ---- */

/* max |1 - eigenvalue| of H^-1 A; H positive definite, d x d, both left as they are. */
double relative_error(int64_t d, const double *A, const double *H);

#endif
