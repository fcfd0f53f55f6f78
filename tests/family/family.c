/*
 * The synthetic family: a random teacher network and input make b, noise moves its logits. Solves every problem from three
 * starts and prints a table of iterations; every point that a solve returns is judged by a certificate of its own, made from
 * the problem's data.
 *
 *     family [--seeds N] [--sizes K] [--threads T] [--loss squares|kl] [--box B] [--outputs M]
 *            [--newton-matrix auto|dense|small] [--verbose]
 *
 * N problems of each of the first K sizes and each of four regimes, T at a time; --box bounds every entry of x to [-B, B];
 * --outputs replaces the m of the sizes.
 * Exit status: 0 when every solve converged to a residual of at most 1e-10, confirmed by the certificate.
 */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/family_case.h"

enum { SIZES = FAMILY_SIZES, USUAL_SIZES = 4, REGIMES = FAMILY_REGIMES, STARTS = FAMILY_STARTS };
static const double TOLERANCE = 1e-12, KINK_TOLERANCE = 1e-9, RESIDUAL = 1e-10;

static struct {
    int seeds, sizes, threads;
    softrelu_loss loss;
    double box;      /* 0: none */
    int64_t outputs; /* 0: the sizes' own */
    const char *newton_matrix;
    bool verbose;
} options = {.seeds = 25, .sizes = USUAL_SIZES, .threads = 1, .newton_matrix = "auto"};

struct result {
    double iterations, seconds, seconds_hessian, seconds_step, residual;
    softrelu_termination termination;
    softrelu_verdict verdict;
    bool good;
};
static int64_t outputs_of(int size) { return options.outputs > 0 ? options.outputs : family_sizes[size][2]; }
static struct result *results; /* seeds x SIZES x REGIMES x STARTS */
static struct result *result_of(int size, int regime, int seed, int start) {
    return &results[((seed * SIZES + size) * REGIMES + regime) * STARTS + start];
}

static void need(bool ok, const char *what) {
    if (!ok) {
        fprintf(stderr, "family: %s failed\n", what);
        abort();
    }
}

static double quantity(const softrelu_solver *solver, softrelu_quantity id) {
    double value = NAN;
    need(softrelu_report_number(softrelu_solver_report(solver), id, &value) == SOFTRELU_OK, "report");
    return value;
}

static softrelu_problem *problem_of(const struct instance *at) {
    softrelu_problem *problem = NULL;
    need(softrelu_problem_create(at->n, at->d, at->m, NULL, NULL, NULL, &problem) == SOFTRELU_OK, "create");
    bool ok = softrelu_problem_set_matrix(problem, SOFTRELU_A1, at->A1, SOFTRELU_ROW_MAJOR, at->d, SOFTRELU_BORROW) == 0 &&
              softrelu_problem_set_matrix(problem, SOFTRELU_A2, at->A2, SOFTRELU_ROW_MAJOR, at->n, SOFTRELU_BORROW) == 0 &&
              softrelu_problem_set_vector(problem, SOFTRELU_B, at->b, at->m, SOFTRELU_BORROW) == 0 &&
              softrelu_problem_set_vector(problem, SOFTRELU_W, at->w, at->n, SOFTRELU_BORROW) == 0 &&
              softrelu_problem_set_loss(problem, options.loss) == 0;
    if (options.box > 0.0)
        ok = ok && softrelu_problem_set_number(problem, SOFTRELU_LOWER, -options.box) == 0 &&
             softrelu_problem_set_number(problem, SOFTRELU_UPPER, options.box) == 0;
    need(ok && softrelu_problem_finish(problem) == SOFTRELU_OK, "problem");
    return problem;
}

/* Judges the solution by a certificate of its own. */
static void judge(const softrelu_problem *problem, const softrelu_solver *solver, int64_t d, struct result *result) {
    double *x = test_doubles(d);
    softrelu_certificate *certificate = NULL;
    need(softrelu_solver_solution(solver, x, d) == SOFTRELU_OK, "solution");
    need(softrelu_certificate_create(problem, &certificate) == SOFTRELU_OK, "certificate");
    need(softrelu_certify(certificate, x, d, KINK_TOLERANCE, TOLERANCE) == SOFTRELU_OK, "certify");
    need(softrelu_certificate_number(certificate, SOFTRELU_CERTIFICATE_RESIDUAL, &result->residual) == SOFTRELU_OK, "residual");
    result->verdict = softrelu_certificate_verdict(certificate);
    result->good = result->termination == SOFTRELU_CONVERGED && result->residual <= RESIDUAL &&
                   (result->verdict == SOFTRELU_VERDICT_CERTIFIED || result->verdict == SOFTRELU_VERDICT_STATIONARY);
    softrelu_certificate_destroy(certificate);
    free(x);
}

static void run(int size, int regime, int seed) {
    struct test_random random;
    struct instance at = family_instance(size, regime, seed, options.outputs, &random);
    const int64_t n = at.n, d = at.d, m = at.m;
    softrelu_problem *problem = problem_of(&at);
    softrelu_solver *solver = NULL;
    double *x0 = test_doubles(d);
    need(softrelu_solver_create(problem, &solver) == SOFTRELU_OK, "solver");
    need(softrelu_solver_set_text(solver, "newton_matrix", options.newton_matrix) == SOFTRELU_OK, "newton_matrix");
    for (int start = 0; start < STARTS; start++) {
        struct result *result = result_of(size, regime, seed, start);
        const bool given = family_start(start, d, &random, x0);
        need(softrelu_solver_set_start(solver, given ? x0 : NULL, given ? d : 0) == SOFTRELU_OK, "start");
        need(softrelu_solver_solve(solver) == SOFTRELU_OK, "solve");
        result->termination = softrelu_report_termination(softrelu_solver_report(solver));
        result->iterations = quantity(solver, SOFTRELU_REPORT_ITERATIONS);
        result->seconds = quantity(solver, SOFTRELU_REPORT_SECONDS);
        result->seconds_hessian = quantity(solver, SOFTRELU_REPORT_SECONDS_HESSIAN);
        result->seconds_step = quantity(solver, SOFTRELU_REPORT_SECONDS_STEP);
        judge(problem, solver, d, result);
        if (options.verbose || !result->good)
            fprintf(stderr,
                    "(%d, %d, %d) regime %d seed %d %s: %s, %s, %.0f iterations, %.0f evaluations, residual %.1e, loss %.12g, "
                    "%.3f s\n",
                    (int)n, (int)d, (int)m, regime, seed, family_starts[start], softrelu_termination_name(result->termination),
                    softrelu_verdict_name(result->verdict), result->iterations, quantity(solver, SOFTRELU_REPORT_EVALUATIONS),
                    result->residual, quantity(solver, SOFTRELU_REPORT_LOSS), result->seconds);
    }
    softrelu_solver_destroy(solver);
    softrelu_problem_destroy(problem);
    free(x0);
    instance_free(&at);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int next_task; /* the largest problems first */

static void *work(void *unused) {
    (void)unused;
    for (;;) {
        pthread_mutex_lock(&lock);
        const int task = next_task++;
        pthread_mutex_unlock(&lock);
        if (task >= options.sizes * REGIMES * options.seeds)
            return NULL;
        const int size = options.sizes - 1 - task / (REGIMES * options.seeds);
        run(size, task % REGIMES, task / REGIMES % options.seeds);
    }
}

static int ascending(const void *a, const void *b) {
    const double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* Median and largest number of iterations over sizes first .. last. */
static double median(int first, int last, int regime, int start, double *largest) {
    int count = 0;
    double *values = test_doubles((int64_t)(last - first + 1) * options.seeds);
    for (int size = first; size <= last; size++)
        for (int seed = 0; seed < options.seeds; seed++)
            values[count++] = result_of(size, regime, seed, start)->iterations;
    qsort(values, (size_t)count, sizeof *values, ascending);
    *largest = values[count - 1];
    const double middle = 0.5 * (values[(count - 1) / 2] + values[count / 2]);
    free(values);
    return middle;
}

static void print_rows(const char *name, int first, int last) {
    for (int regime = 0; regime < REGIMES; regime++) {
        printf("| %s | %g, %g |", name, family_regimes[regime].noise, family_regimes[regime].w);
        for (int start = 0; start < STARTS; start++) {
            double largest = 0.0;
            const double middle = median(first, last, regime, start, &largest);
            printf(" %g (%g) |", middle, largest);
        }
        printf("\n");
    }
}

/* Where the time of a size goes. */
static void print_seconds(int size) {
    double all = 0.0, hessian = 0.0, step = 0.0, iterations = 0.0;
    for (int i = 0; i < options.seeds * REGIMES * STARTS; i++) {
        const struct result *result = result_of(size, i / STARTS % REGIMES, i / STARTS / REGIMES, i % STARTS);
        all += result->seconds;
        hessian += result->seconds_hessian;
        step += result->seconds_step;
        iterations += result->iterations;
    }
    printf("| %d, %d, %d | %.3g | %.3g | %.3g | %.2f |\n", (int)family_sizes[size][0], (int)family_sizes[size][1],
           (int)outputs_of(size), 1e3 * all / iterations, 1e3 * hessian / iterations, 1e3 * step / iterations, step / hessian);
}

static int print_table(void) {
    int solves = 0, good = 0, certified = 0;
    double seconds = 0.0, worst = 0.0;
    for (int i = 0; i < options.seeds * SIZES * REGIMES * STARTS; i++)
        if (results[i].seconds > 0.0) {
            solves++;
            good += results[i].good;
            certified += results[i].verdict == SOFTRELU_VERDICT_CERTIFIED;
            seconds += results[i].seconds;
            worst = fmax(worst, results[i].residual);
        }
    printf("| n, d, m | noise, w | warm start | random start | zero start |\n|---|---|---|---|---|\n");
    for (int size = 0; size < options.sizes; size++) {
        char name[64];
        snprintf(name, sizeof name, "%d, %d, %d", (int)family_sizes[size][0], (int)family_sizes[size][1],
                 (int)outputs_of(size));
        print_rows(name, size, size);
    }
    print_rows("all", 0, options.sizes - 1);
    printf(
        "\n| n, d, m | ms per iteration | Hessian assembly | kink-aware step | step over assembly |\n|---|---|---|---|---|\n");
    for (int size = 0; size < options.sizes; size++)
        print_seconds(size);
    printf("\nIterations: median (largest) over %d seeds. %d of %d solves converged to a residual of at most %g, confirmed by "
           "the certificate (worst %.1e); %d are certified local minimisers. %.1f s of solving.\n",
           options.seeds, good, solves, RESIDUAL, worst, certified, seconds);
    return good == solves && solves > 0 ? 0 : 1;
}

static int usage(void) {
    fprintf(stderr, "usage: family [--seeds N] [--sizes 1..5] [--threads T] [--loss squares|kl] [--box B] [--outputs M] "
                    "[--newton-matrix auto|dense|small] [--verbose]\n");
    return 2;
}

static bool parse(int count, char **words) {
    for (int i = 1; i < count; i++) {
        const char *value = i + 1 < count ? words[i + 1] : "";
        if (strcmp(words[i], "--verbose") == 0) {
            options.verbose = true;
            continue;
        }
        if (strcmp(words[i], "--seeds") == 0)
            options.seeds = atoi(value);
        else if (strcmp(words[i], "--sizes") == 0)
            options.sizes = atoi(value);
        else if (strcmp(words[i], "--threads") == 0)
            options.threads = atoi(value);
        else if (strcmp(words[i], "--box") == 0)
            options.box = atof(value);
        else if (strcmp(words[i], "--outputs") == 0)
            options.outputs = atoi(value);
        else if (strcmp(words[i], "--newton-matrix") == 0)
            options.newton_matrix = value;
        else if (strcmp(words[i], "--loss") == 0 && (strcmp(value, "squares") == 0 || strcmp(value, "kl") == 0))
            options.loss = value[0] == 'k' ? SOFTRELU_KL : SOFTRELU_SQUARES;
        else
            return false;
        i++;
    }
    return options.seeds >= 1 && options.sizes >= 1 && options.sizes <= SIZES && options.threads >= 1 &&
           options.threads <= 64 && options.box >= 0.0 && options.outputs >= 0;
}

int main(int count, char **words) {
    if (!parse(count, words))
        return usage();
    options.seeds = (int)test_count(options.seeds, 1);
    options.sizes = (int)test_count(options.sizes, 2);
    results = calloc((size_t)options.seeds * SIZES * REGIMES * STARTS, sizeof *results);
    need(results != NULL, "memory");
    pthread_t threads[64];
    for (int i = 1; i < options.threads; i++)
        need(pthread_create(&threads[i], NULL, work, NULL) == 0, "thread");
    work(NULL);
    for (int i = 1; i < options.threads; i++)
        pthread_join(threads[i], NULL);
    const int status = print_table();
    free(results);
    return status;
}
