/* SPDX-License-Identifier: BSD-3-Clause */
/* What the parts of a solve cost beside what the machine can do. Sees the library's internals, as unit tests do: the parts have
   no public names. */
#ifndef SOFTRELU_BENCH_PHASES_H
#define SOFTRELU_BENCH_PHASES_H

#include <jansson.h>

#include "api/handles.h"
#include "model/hessian.h"
#include "step/newton.h"
#include "support.h"

enum { REPEATS_MOST = 25 };

struct options {
    int repeats;       /* of kernels */
    int solve_repeats; /* of whole solves at the middle size; those at the large one run once */
    int large;         /* regimes of the large size that are solved */
    bool processor;    /* the processor's clock, not the wall's */
    double scale;      /* of the sizes, for a run in a test */
    const char *only;  /* one section; NULL: all */
    const char *out;   /* JSON */
};
extern struct options options;

struct shape {
    int64_t n, d, m;
};
struct shape scaled_shape(int64_t n, int64_t d, int64_t m);

/* Seconds of a call, the median over the repeats. */
typedef void (*task)(void *context);
double median_seconds(int repeats, task run, void *context);
double seconds_now(void);

/* What the machine does: multiplications and additions a second of large products, bytes a second of reading. */
struct rates {
    double dgemm, sgemm, stream;
};
struct rates measure_rates(void);

/* A member of the synthetic family, and a random point with all that an assembly needs. */
struct place {
    struct network network;
    double *x0, *x;
    softrelu_problem *problem;
    const struct srl_model *model;
    struct srl_arena arena;
    struct srl_allocator allocator;
    struct srl_point point;
    struct srl_hessian_work work;
    struct srl_newton newton;
    double *scratch, *kept; /* n, m d */
    float *A1, *A2;         /* where the matrices are in single precision */
};
struct place place_create(struct shape shape, double noise, double weight, bool single_data);
void place_destroy(struct place *place);
int64_t place_active(const struct place *place);
/* Makes G anew, or not at all, with the next assembly. */
void place_keep(struct place *place, bool keep, bool single);

/* What is measured; context is a place. */
void evaluate(void *context);
void differentiate(void *context);
void assemble_anew(void *context);
void factor(void *context);
/* Makes the Hessian positive definite, once and for all. */
void shift_hessian(struct place *place);

/* Sections of the report, arrays of objects. */
void add(json_t *array, json_t *value);
json_t *report_rates(const struct rates *rates);
json_t *report_assembly(const struct rates *rates);
json_t *report_phases(const struct rates *rates);
json_t *report_growth(void);
json_t *report_solves(void);

/* Seconds of a full assembly, G made anew and kept, and of the factorisation. */
double assembly_and_factorisation(struct place *place, int repeats);

#endif
