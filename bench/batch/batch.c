/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A batch of handwritten digits: for each of many pairs, which image near a given one does the network of examples/digits read
 * as half of one digit and half of another? Pixels stay within 0 and 16.
 *
 *     batch [--targets K] [--repeats R] [--threads T]
 *
 * Targets per second on one thread and on T, in turns, medians over the repeats; and what part of T times the rate of one
 * thread that is. One BLAS thread.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "npy.h"
#include "support.h"

enum { HIDDEN = 96, PIXELS = 64, DIGITS = 10, IMAGES = 450 };

struct options {
    int64_t targets, repeats;
    int threads;
};

static double seconds_of(clockid_t clock) {
    struct timespec time;
    need(clock_gettime(clock, &time) == 0, "the clock");
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static struct options options_of(int argc, char **argv) {
    double targets = 10000, repeats = 5, threads = 2;
    bool good = argc % 2 == 1;
    for (int i = 1; i + 1 < argc && good; i += 2) {
        if (strcmp(argv[i], "--targets") == 0)
            good = read_number(argv[i + 1], 1, 1e9, &targets);
        else if (strcmp(argv[i], "--repeats") == 0)
            good = read_number(argv[i + 1], 1, 1e6, &repeats);
        else
            good = strcmp(argv[i], "--threads") == 0 && read_number(argv[i + 1], 1, 1024, &threads);
    }
    need(good, "options: see the head of the file");
    return (struct options){(int64_t)targets, (int64_t)repeats, (int)threads};
}

static struct npy_array load(const char *name, int64_t count) {
    char path[4096];
    struct npy_array array = {0};
    struct failure failure;
    (void)snprintf(path, sizeof path, "%s/%s.npy", BATCH_DATA, name);
    need(npy_read(path, &array, &failure) == OUTCOME_OK && array.header.count == count, path);
    return array;
}

/* Start images and targets, by columns: image after image, each asked to become another digit by half. */
static void draw(const double *images, const double *labels, int64_t targets, double *b, double *x_ref) {
    for (int64_t t = 0; t < targets; t++) {
        const int64_t image = t % IMAGES, is = (int64_t)labels[image], other = (is + 1 + (t / IMAGES) % (DIGITS - 1)) % DIGITS;
        const double share = 0.3 + 0.4 * (double)((t * 7919) % 101) / 100.0;
        memcpy(x_ref + t * PIXELS, images + image * PIXELS, PIXELS * sizeof *x_ref);
        b[t * DIGITS + is] = 1.0 - share;
        b[t * DIGITS + other] = share;
    }
}

static softrelu_solver *prepare(struct network *network, softrelu_problem **made) {
    softrelu_problem *problem = NULL;
    need_ok(softrelu_problem_create(HIDDEN, PIXELS, DIGITS, NULL, NULL, NULL, &problem), "the problem");
    need_ok(softrelu_problem_set_number(problem, SOFTRELU_LOWER, 0.0), softrelu_problem_message(problem));
    need_ok(softrelu_problem_set_number(problem, SOFTRELU_UPPER, 16.0), softrelu_problem_message(problem));
    describe(problem, network);
    *made = problem;
    return solver_of(problem);
}

/* Seconds per target, on the wall and of all processors together. */
struct cost {
    double *wall, *processors;
};

static void run(softrelu_batch *batch, int64_t targets, double *x, struct cost *cost, int64_t repeat) {
    const double wall = seconds_of(CLOCK_MONOTONIC), processors = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    need_ok(softrelu_solve_batch(batch, targets, x, PIXELS), softrelu_batch_message(batch));
    cost->wall[repeat] = (seconds_of(CLOCK_MONOTONIC) - wall) / (double)targets;
    cost->processors[repeat] = (seconds_of(CLOCK_PROCESS_CPUTIME_ID) - processors) / (double)targets;
}

static int64_t count_certified(const softrelu_batch *batch, int64_t targets) {
    int64_t certified = 0;
    for (int64_t t = 0; t < targets; t++)
        certified += softrelu_certificate_verdict(softrelu_batch_certificate(batch, t)) == SOFTRELU_VERDICT_CERTIFIED;
    return certified;
}

int main(int argc, char **argv) {
    const struct options options = options_of(argc, argv);
    const int64_t k = options.targets;
    struct npy_array arrays[] = {load("A1", HIDDEN * PIXELS), load("A2", DIGITS * HIDDEN),     load("c1", HIDDEN),
                                 load("c2", DIGITS),          load("images", IMAGES * PIXELS), load("labels", IMAGES)};
    double *b = numbers(k * DIGITS), *x_ref = numbers(k * PIXELS), *x = numbers(k * PIXELS);
    struct cost costs[2];
    struct network network = {HIDDEN, PIXELS, DIGITS, arrays[0].values, arrays[1].values, arrays[2].values, arrays[3].values,
                              b,      0.0,    1e-3,   SOFTRELU_KL};
    draw(arrays[4].values, arrays[5].values, k, b, x_ref);
    softrelu_problem *problem = NULL;
    softrelu_solver *solver = prepare(&network, &problem);
    softrelu_batch *batches[2];
    for (int i = 0; i < 2; i++) {
        costs[i] = (struct cost){numbers(options.repeats), numbers(options.repeats)};
        need_ok(softrelu_batch_create(solver, k, i == 0 ? 1 : options.threads, SOFTRELU_BLAS_ONE_THREAD, &batches[i]),
                "the batch");
        need_ok(softrelu_batch_set_columns(batches[i], SOFTRELU_B, b, DIGITS), softrelu_batch_message(batches[i]));
        need_ok(softrelu_batch_set_columns(batches[i], SOFTRELU_X_REF, x_ref, PIXELS), softrelu_batch_message(batches[i]));
    }
    for (int64_t repeat = 0; repeat < options.repeats; repeat++)
        for (int i = 0; i < 2; i++)
            run(batches[i], k, x, &costs[i], repeat);
    printf("%ld targets, 64 -> 96 -> 10, kl, rho 1e-3, 0 <= x <= 16: %ld certified\n", (long)k,
           (long)count_certified(batches[1], k));
    double wall[2], processors[2];
    for (int i = 0; i < 2; i++) {
        wall[i] = quantile(options.repeats, costs[i].wall, 0.5);
        processors[i] = quantile(options.repeats, costs[i].processors, 0.5);
        printf("%d thread(s): %.0f targets/s, %.3f ms of processor time each\n", softrelu_batch_threads(batches[i]),
               1.0 / wall[i], 1e3 * processors[i]);
    }
    printf("parallel efficiency %.0f %%, of processor time %.0f %%\n", 100.0 * wall[0] / wall[1] / options.threads,
           100.0 * processors[0] / processors[1]);
    for (int i = 0; i < 2; i++) {
        softrelu_batch_destroy(batches[i]);
        free(costs[i].wall);
        free(costs[i].processors);
    }
    softrelu_solver_destroy(solver);
    softrelu_problem_destroy(problem);
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        npy_free(&arrays[i]);
    free(b);
    free(x_ref);
    free(x);
    return 0;
}
