/*
 * By how much a time limit is overshot, and how long a request to stop waits.
 *
 *     overshoot [--d D] [--trials N] [--seed S] [VARIANT ...]
 *
 * For each variant (tests/thread/variant.c), a problem in D unknowns: one solve to its end, whose longest time between two
 * checks is the worst that can happen to any limit, in operations (which do not depend on what else the machine does) and in
 * seconds; then N solves with random time limits shorter than that solve, and how long after the limit they return. Beside it,
 * a Cholesky factorisation of order D: D^3 / 3 operations, and its time at the same place.
 */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <lapacke.h>

#include "variant.h"
#include "work.h"

static struct { long d, trials, seed; } options = {2000, 20, 1};

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int by_size(const void *a, const void *b) {
    const double left = *(const double *)a, right = *(const double *)b;
    return left < right ? -1 : left > right;
}

static double median(double *values, long count) {
    qsort(values, (size_t)count, sizeof *values, by_size);
    return values[count / 2];
}

/* Median of seven. */
static double factorisation(int64_t d) {
    double *matrix = test_doubles(d * d), times[7];
    for (int k = 0; k < 7; k++) {
        for (int64_t j = 0; j < d; j++)
            for (int64_t i = 0; i < d; i++)
                matrix[i + j * d] = i == j ? 2.0 * (double)d : cos((double)(i * j));
        const double began = now();
        assert_int_equal(LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'L', (lapack_int)d, matrix, (lapack_int)d), 0);
        times[k] = now() - began;
    }
    free(matrix);
    return median(times, 7);
}

struct gaps {
    double last, longest;
    long checks;
    struct work most; /* between two of them */
    char where[128];  /* its phases */
};

static void find_phases(char *where, size_t size) {
    size_t used = 0;
    where[0] = '\0';
    for (int phase = 0; phase < PHASES && used < size; phase++)
        if (work_in((enum phase)phase))
            used += (size_t)snprintf(where + used, size - used, "%s%s", used > 0 ? ", " : "", PHASE_NAME[phase]);
}

static int check(void *user) {
    struct gaps *gaps = user;
    const double at = now();
    gaps->longest = fmax(gaps->longest, at - gaps->last);
    gaps->last = at;
    gaps->checks++;
    if (work.flops > gaps->most.flops) {
        gaps->most = work;
        find_phases(gaps->where, sizeof gaps->where);
    }
    work_reset();
    return 0;
}

static void solve(softrelu_solver *solver) {
    if (softrelu_solver_solve(solver) != SOFTRELU_OK)
        fail_msg("%s", softrelu_solver_message(solver));
}

static double worst_of_all;

static void measure(const struct variant *variant, double unit) {
    struct varied varied = varied_of(variant, (uint64_t)options.seed, options.d);
    struct test_random random = {(uint64_t)options.seed};
    softrelu_solver *solver = NULL;
    assert_int_equal(varied_solver(&varied, &solver), SOFTRELU_OK);
    struct gaps gaps = {.last = now()};
    assert_int_equal(softrelu_solver_set_interrupt(solver, check, &gaps), SOFTRELU_OK);
    work_reset();
    const double began = now();
    solve(solver);
    (void)check(&gaps);
    const double whole = gaps.last - began;
    const char *ended = softrelu_termination_name(softrelu_report_termination(softrelu_solver_report(solver)));
    assert_int_equal(softrelu_solver_set_interrupt(solver, NULL, NULL), SOFTRELU_OK);
    const double d = (double)options.d;
    printf("%-13s %8.2f  %-15s %7ld %8.3f %6.2f", variant->name, whole, ended, gaps.checks, gaps.longest,
           gaps.most.flops / (d * d * d / 3.0));
    (void)fflush(stdout);
    double *over = test_doubles(options.trials), worst = 0.0;
    long interrupted = 0;
    for (long trial = 0; trial < options.trials; trial++) {
        const double limit = random_uniform(&random, 0.0, whole);
        assert_int_equal(softrelu_solver_set_real(solver, SOFTRELU_SETTING_TIME_LIMIT, limit), SOFTRELU_OK);
        const double from = now();
        solve(solver);
        over[trial] = fmax(0.0, now() - from - limit);
        worst = fmax(worst, over[trial]);
        interrupted += over[trial] > 0.0;
    }
    if (options.trials > 0)
        printf("   %4ld of %4ld %8.3f %8.3f %6.1f", interrupted, options.trials, median(over, options.trials), worst,
               worst / unit);
    printf("   %s of %s\n", gaps.most.largest, gaps.where[0] == '\0' ? "the loop" : gaps.where);
    worst_of_all = fmax(worst_of_all, worst);
    free(over);
    softrelu_solver_destroy(solver);
    varied_free(&varied);
}

int main(int count, char **arguments) {
    int named = 1;
    const struct {
        const char *name;
        long *value;
    } numbers[] = {{"--d", &options.d}, {"--trials", &options.trials}, {"--seed", &options.seed}};
    for (; named + 1 < count && strncmp(arguments[named], "--", 2) == 0; named += 2)
        for (size_t k = 0; k < sizeof numbers / sizeof numbers[0]; k++)
            if (strcmp(arguments[named], numbers[k].name) == 0)
                *numbers[k].value = strtol(arguments[named + 1], NULL, 10);
    const double unit = factorisation(options.d);
    printf("d = %ld; a Cholesky factorisation takes %.3f s\n\n", options.d, unit);
    printf("%-13s %8s  %-15s %7s %8s %6s   %12s %8s %8s %6s\n", "variant", "seconds", "ends", "checks", "longest", "chol.",
           "past limit", "median", "worst", "chol.");
    for (int v = 0; v < VARIANTS; v++) {
        bool wanted = named == count;
        for (int k = named; k < count; k++)
            wanted = wanted || strcmp(arguments[k], VARIANT[v].name) == 0;
        if (wanted)
            measure(&VARIANT[v], unit);
    }
    printf("\nworst %.3f s\n", worst_of_all);
    return 0;
}
