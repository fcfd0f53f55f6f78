/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Certified solves per second of small problems: one network, one solver handle, one target after the other. The targets are a
 * teacher's outputs with noise on the logits, so that the loss cannot vanish; rho holds x, and w where weights are given, the
 * same for all units.
 *
 *     small [--targets K] [--repeats R] [--noise S] [--rho R] [--weights W] [--loss squares|kl] [--shape n,d,m]
 *           [--newton-matrix auto|dense|small]
 *
 * Medians over the repeats; every solve must end certified, or is counted.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support.h"

struct options {
    int64_t targets, repeats, n, d, m;
    double noise, rho, weights;
    softrelu_loss loss;
    const char *newton_matrix;
};

static double now(void) {
    struct timespec time;
    need(clock_gettime(CLOCK_MONOTONIC, &time) == 0, "the clock");
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* n,d,m */
static bool read_shape(const char *text, struct options *options) {
    int64_t *sizes[] = {&options->n, &options->d, &options->m};
    char *end = NULL;
    bool good = true;
    for (int k = 0; k < 3 && good; k++) {
        const intmax_t size = strtoimax(text, &end, 10);
        good = end != text && size >= 1 && size <= INT32_MAX && *end == (k < 2 ? ',' : '\0');
        *sizes[k] = size;
        text = end + 1;
    }
    return good;
}

static struct options options_of(int argc, char **argv) {
    struct options options = {.noise = 0.3, .rho = 1e-3, .loss = SOFTRELU_KL, .newton_matrix = "auto"};
    double targets = 300, repeats = 5;
    bool good = argc % 2 == 1;
    for (int i = 1; i + 1 < argc && good; i += 2) {
        const char *value = argv[i + 1];
        if (strcmp(argv[i], "--targets") == 0)
            good = read_number(value, 1, 1e9, &targets);
        else if (strcmp(argv[i], "--repeats") == 0)
            good = read_number(value, 1, 1e6, &repeats);
        else if (strcmp(argv[i], "--noise") == 0)
            good = read_number(value, 0.0, 1e3, &options.noise);
        else if (strcmp(argv[i], "--rho") == 0)
            good = read_number(value, 0.0, 1e300, &options.rho);
        else if (strcmp(argv[i], "--weights") == 0)
            good = read_number(value, 0.0, 1e300, &options.weights);
        else if (strcmp(argv[i], "--loss") == 0)
            options.loss = strcmp(value, "kl") == 0 ? SOFTRELU_KL : SOFTRELU_SQUARES;
        else if (strcmp(argv[i], "--newton-matrix") == 0)
            options.newton_matrix = value;
        else
            good = strcmp(argv[i], "--shape") == 0 && read_shape(value, &options);
    }
    need(good, "options: see the head of the file");
    options.targets = (int64_t)targets;
    options.repeats = (int64_t)repeats;
    return options;
}

/* One target per column, m x targets. */
static double *draw_targets(struct network *network, struct generator *generator, const struct options *options) {
    double *all = numbers(network->m * options->targets), *x = numbers(network->d), *z = numbers(network->m);
    for (int64_t t = 0; t < options->targets; t++) {
        draw_normals(generator, 1.0, network->d, x);
        network_logits(network, x, z);
        aim_at(network, generator, options->noise, z);
        memcpy(all + t * network->m, network->b, (size_t)network->m * sizeof *all);
    }
    free(x);
    free(z);
    return all;
}

struct tally {
    double iterations, evaluations, factorisations, pinned, hessian, step;
    int64_t certified;
};

static void solve_all(softrelu_solver *solver, const double *targets, int64_t count, int64_t m, struct tally *tally) {
    *tally = (struct tally){0};
    for (int64_t t = 0; t < count; t++) {
        need_ok(softrelu_solver_set_vector(solver, SOFTRELU_B, targets + t * m, m), softrelu_solver_message(solver));
        need_ok(softrelu_solver_solve(solver), softrelu_solver_message(solver));
        tally->iterations += report_number(solver, SOFTRELU_REPORT_ITERATIONS);
        tally->evaluations += report_number(solver, SOFTRELU_REPORT_EVALUATIONS);
        tally->factorisations += report_number(solver, SOFTRELU_REPORT_FACTORISATIONS);
        tally->pinned += report_number(solver, SOFTRELU_REPORT_PINNED_KINKS);
        tally->hessian += report_number(solver, SOFTRELU_REPORT_SECONDS_HESSIAN);
        tally->step += report_number(solver, SOFTRELU_REPORT_SECONDS_STEP);
        tally->certified += softrelu_certificate_verdict(softrelu_solver_certificate(solver)) == SOFTRELU_VERDICT_CERTIFIED;
    }
}

static void measure(const struct options *options, int64_t n, int64_t d, int64_t m) {
    struct generator generator = {1};
    struct network network = random_network(&generator, n, d, m, 0.0, 0.0);
    network.rho = options->rho;
    network.w = options->weights;
    network.loss = options->loss;
    double *targets = draw_targets(&network, &generator, options), *rates = numbers(options->repeats);
    softrelu_problem *problem = pose(&network);
    softrelu_solver *solver = solver_of(problem);
    set_text(solver, "newton_matrix", options->newton_matrix);
    struct tally tally = {0};
    double seconds = 0.0;
    for (int64_t repeat = 0; repeat < options->repeats; repeat++) {
        const double began = now();
        solve_all(solver, targets, options->targets, m, &tally);
        seconds = now() - began;
        rates[repeat] = (double)options->targets / seconds;
    }
    const double k = (double)options->targets;
    printf("%6ld %6ld %6ld  %9.0f  %5.1f%%  %5.1f  %5.1f  %5.1f  %5.1f  %4.0f%%  %4.0f%%\n", (long)n, (long)d, (long)m,
           quantile(options->repeats, rates, 0.5), 100.0 * (double)tally.certified / k, tally.iterations / k,
           tally.evaluations / k, tally.factorisations / k, tally.pinned / k, 100.0 * tally.hessian / seconds,
           100.0 * tally.step / seconds);
    softrelu_solver_destroy(solver);
    softrelu_problem_destroy(problem);
    network_free(&network);
    free(targets);
    free(rates);
}

int main(int argc, char **argv) {
    const struct options options = options_of(argc, argv);
    need(setvbuf(stdout, NULL, _IOLBF, 0) == 0, "stdout");
    const int64_t shapes[][3] = {{32, 16, 10}, {128, 64, 10}, {128, 784, 10}};
    printf("%s, noise %g, rho %g, w %g, %ld targets, %d BLAS thread(s)\n", options.loss == SOFTRELU_KL ? "kl" : "squares",
           options.noise, options.rho, options.weights, (long)options.targets, softrelu_blas_threads());
    printf("     n      d      m   solves/s  certif   iter   eval   fact   pins   hess   step\n");
    if (options.n > 0) {
        measure(&options, options.n, options.d, options.m);
    } else {
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
            measure(&options, shapes[i][0], shapes[i][1], shapes[i][2]);
    }
    return 0;
}
