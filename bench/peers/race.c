/* SPDX-License-Identifier: BSD-3-Clause */
#include "race.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support.h"

static const double GRADIENT_ZERO = 1e-10;
static const double LOSS_GRAIN = 1e-8, RESIDUAL_GRAIN = 1e-2; /* relative falls below these are not worth a record */
static const double PROGRESS = 1e-12;                         /* relative falls below this are no progress */
enum { PATIENCE = 500, PATIENCE_PER_UNKNOWN = 2 };            /* evaluations without progress */

const char *race_end_name(enum race_end end) {
    static const char *const names[] = {"own", "gradient", "stalled", "evaluations", "time"};
    return names[end];
}

static double now(const struct race *race) {
    struct timespec time;
    need(clock_gettime(race->processor_time ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &time) == 0, "the clock");
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void descent_add(struct descent *descent, double seconds, double value) {
    if (descent->count == descent->room) {
        descent->room = descent->room > 0 ? 2 * descent->room : 1024;
        descent->seconds = realloc(descent->seconds, (size_t)descent->room * sizeof(double));
        descent->values = realloc(descent->values, (size_t)descent->room * sizeof(double));
        need(descent->seconds != NULL && descent->values != NULL, "out of memory");
    }
    descent->seconds[descent->count] = seconds;
    descent->values[descent->count++] = value;
}

static void descent_free(struct descent *descent) {
    free(descent->seconds);
    free(descent->values);
    *descent = (struct descent){0};
}

void race_init(struct race *race, int d) { *race = (struct race){.d = d, .best_x = numbers(d)}; }

void race_free(struct race *race) {
    descent_free(&race->loss);
    descent_free(&race->residual);
    free(race->best_x);
}

void race_start(struct race *race, double time_limit, int64_t evaluation_limit) {
    race->time_limit = time_limit;
    race->evaluation_limit = evaluation_limit;
    race->loss.count = race->residual.count = race->evaluations = race->mark_at = 0;
    race->best = race->mark = INFINITY;
    race->end = RACE_RUNS;
    race->origin = now(race);
}

double race_seconds(const struct race *race) { return now(race) - race->origin; }

static void finish(struct race *race, enum race_end end) {
    if (race->end != RACE_RUNS)
        return;
    race->end = end;
    if (race->over != NULL)
        race->over(race->context);
}

/* Falls of less than a grain wait for the next one, or for the end of the run. */
static void fall_to(struct race *race, const double *x, double seconds, double loss) {
    const int64_t count = race->loss.count;
    race->best = loss;
    memcpy(race->best_x, x, (size_t)race->d * sizeof *x);
    if (count == 0 || loss < race->loss.values[count - 1] * (1.0 - LOSS_GRAIN))
        descent_add(&race->loss, seconds, loss);
}

void race_loss(struct race *race, const double *x, double loss) {
    const double seconds = race_seconds(race);
    race->evaluations++;
    if (loss < race->best)
        fall_to(race, x, seconds, loss);
    if (race->best < race->mark * (1.0 - PROGRESS)) {
        race->mark = race->best;
        race->mark_at = race->evaluations;
    }
    if (race->evaluations - race->mark_at > PATIENCE + PATIENCE_PER_UNKNOWN * race->d)
        finish(race, RACE_STALLED);
    else if (race->evaluations >= race->evaluation_limit)
        finish(race, RACE_EVALUATIONS);
    else if (seconds > race->time_limit)
        finish(race, RACE_TIME);
}

void race_residual(struct race *race, double residual) {
    const int64_t count = race->residual.count;
    if (count == 0 || residual < race->residual.values[count - 1] * (1.0 - RESIDUAL_GRAIN))
        descent_add(&race->residual, race_seconds(race), residual);
}

void race_gradient(struct race *race, double length) {
    race_residual(race, length);
    if (length <= GRADIENT_ZERO)
        finish(race, RACE_GRADIENT);
}
