/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One run of one solver against the clock: the best loss seen over time, the least residual seen over time, and what ends a run
 * that does not end by itself.
 */
#ifndef SOFTRELU_BENCH_PEERS_RACE_H
#define SOFTRELU_BENCH_PEERS_RACE_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum race_end {
    RACE_RUNS = 0,
    RACE_GRADIENT,    /* a gradient of length GRADIENT_ZERO or less was seen */
    RACE_STALLED,     /* no progress for many evaluations */
    RACE_EVALUATIONS, /* the limit of evaluations */
    RACE_TIME         /* the time limit */
};
const char *race_end_name(enum race_end end);

/* A quantity that only falls, and when it did. */
struct descent {
    double *seconds, *values;
    int64_t count, room;
};

struct race {
    int d;
    double time_limit;
    int64_t evaluation_limit;
    bool processor_time; /* seconds are those of the processor, not of the wall: for one thread on a machine that is shared */
    double origin;
    struct descent loss, residual;
    double best, *best_x;
    double mark; /* the best loss when progress was last made, mark_at evaluations into the run */
    int64_t mark_at, evaluations;
    enum race_end end;
    void (*over)(void *context); /* called as soon as the run has an end; need not return. NULL: whoever runs it asks */
    void *context;
};

void race_init(struct race *race, int d);
void race_free(struct race *race);
/* Forgets all that was seen and starts the clock. */
void race_start(struct race *race, double time_limit, int64_t evaluation_limit);
double race_seconds(const struct race *race);
/* An evaluation of the loss at x. */
void race_loss(struct race *race, const double *x, double loss);
/* The stationarity residual at a point of the run. */
void race_residual(struct race *race, double residual);
/* The same of a solver that does not know about kinks: the length of the gradient. A tiny one ends the run. */
void race_gradient(struct race *race, double length);

#ifdef __cplusplus
}
#endif

#endif
