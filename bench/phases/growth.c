/* SPDX-License-Identifier: BSD-3-Clause */
/* How the cost of the parts grows with each of the sizes. */
#include <math.h>
#include <stdlib.h>

#include "phases.h"

enum { STEPS = 4 };

/* Slope of log seconds over log size by least squares. */
static double slope_of(const double *sizes, const double *seconds) {
    double x = 0.0, y = 0.0, xx = 0.0, xy = 0.0;
    for (int k = 0; k < STEPS; k++) {
        x += log(sizes[k]) / STEPS;
        y += log(seconds[k]) / STEPS;
    }
    for (int k = 0; k < STEPS; k++) {
        xx += (log(sizes[k]) - x) * (log(sizes[k]) - x);
        xy += (log(sizes[k]) - x) * (log(seconds[k]) - y);
    }
    return xy / xx;
}

static json_t *growth_row(const char *phase, const char *along, const double *sizes, const double *seconds) {
    json_t *row = json_pack("{s:s, s:s, s:f, s:[], s:[]}", "phase", phase, "along", along, "slope", slope_of(sizes, seconds),
                            "sizes", "seconds");
    need(row != NULL, "out of memory");
    for (int k = 0; k < STEPS; k++) {
        add(json_object_get(row, "sizes"), json_real(sizes[k]));
        add(json_object_get(row, "seconds"), json_real(seconds[k]));
    }
    return row;
}

/* Many targets for one network: k of them, one after the other on one thread, in one batch. */
struct targets {
    softrelu_batch *batch;
    int64_t count, d;
    double *x;
};
static void solve_targets(void *context) {
    const struct targets *targets = context;
    need_ok(softrelu_solve_batch(targets->batch, targets->count, targets->x, targets->d),
            softrelu_batch_message(targets->batch));
}

static json_t *growth_of_batch(void) {
    enum { FEWEST = 16, MOST = FEWEST << (STEPS - 1) };
    const int64_t fewest = options.scale < 1.0 ? 2 : FEWEST;
    const struct shape s = {128, 64, 10};
    struct place made = place_create(s, 0.3, 1e-3, false), *place = &made;
    struct generator generator = {77};
    double *b = numbers(MOST * s.m), *x = numbers(MOST * s.d), *teacher = numbers(s.d), sizes[STEPS], seconds[STEPS];
    for (int64_t t = 0; t < MOST; t++) {
        struct network target = place->network;
        target.b = b + t * s.m;
        double z[16];
        draw_normals(&generator, 1.0, s.d, teacher);
        network_logits(&target, teacher, z);
        aim_at(&target, &generator, 0.3, z);
    }
    softrelu_solver *solver = solver_of(place->problem);
    struct targets targets = {NULL, 0, s.d, x};
    need_ok(softrelu_batch_create(solver, MOST, 1, SOFTRELU_BLAS_KEEP, &targets.batch), softrelu_solver_message(solver));
    need_ok(softrelu_batch_set_columns(targets.batch, SOFTRELU_B, b, s.m), softrelu_batch_message(targets.batch));
    for (int step = 0; step < STEPS; step++) {
        targets.count = fewest << step;
        sizes[step] = (double)targets.count;
        seconds[step] = median_seconds(options.repeats, solve_targets, &targets);
    }
    softrelu_batch_destroy(targets.batch);
    softrelu_solver_destroy(solver);
    place_destroy(place);
    free(b);
    free(x);
    free(teacher);
    return growth_row("k targets of (128, 64, 10)", "k", sizes, seconds);
}

json_t *report_growth(void) {
    const struct {
        const char *name;
        task run;
    } tasks[] = {
        {"evaluation", evaluate}, {"gradient", differentiate}, {"full assembly", assemble_anew}, {"factorisation", factor}};
    enum { TASKS = sizeof tasks / sizeof *tasks };
    json_t *rows = json_array();
    for (int along = 0; along < 3; along++) {
        double sizes[STEPS], seconds[TASKS][STEPS];
        for (int step = 0; step < STEPS; step++) {
            const int64_t by = (int64_t)1 << step;
            const struct shape s =
                scaled_shape(along == 0 ? 1000 * by : 2000, along == 1 ? 100 * by : 200, along == 2 ? 500 * by : 1000);
            struct place made = place_create(s, 0.5, 1e-3, false), *place = &made;
            sizes[step] = (double)(along == 0 ? s.n : along == 1 ? s.d : s.m);
            place_keep(place, true, false);
            for (int k = 0; k < TASKS; k++) {
                if (tasks[k].run == factor)
                    shift_hessian(place);
                seconds[k][step] = median_seconds(options.repeats, tasks[k].run, place);
            }
            place_destroy(place);
        }
        const char *const letters[] = {"n", "d", "m"};
        for (int k = 0; k < TASKS; k++)
            add(rows, growth_row(tasks[k].name, letters[along], sizes, seconds[k]));
    }
    add(rows, growth_of_batch());
    return rows;
}
