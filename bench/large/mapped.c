/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A problem whose A2 is larger than the memory it is solved in: made by blocks of rows, written to files, and solved with A2
 * mapped, by a process that may have no more memory than --limit says.
 *
 *     mapped [--m M] [--n N] [--d D] [--limit MIB] [--seed S] [--hessian H] [--step S] [--directory DIR] [--keep 1]
 *
 * The system enforces the limit for what a file does not have (RLIMIT_DATA); the peak of all that is resident, pages of files
 * included, is measured, and must not exceed it either. Passes over A2 are counted where rows are let go of: the linker puts
 * this program in front of that. --keep 1 leaves A1.npy, A2.npy and b.npy, and says how to solve them by softrelu.
 * Exit status 1 when the solve does not end in a certified minimiser, or exceeds the limit.
 */
#include "npy_stream.h"
#include "support.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROWS = 4096, PATH = 512 };
static const double MEBIBYTE = 1048576.0, NOISE = 0.5;

struct plan {
    double m, n, d, limit, seed, keep;
    const char *hessian, *step, *directory;
};

/* ---- passes ------------------------------------------------------------------------------------------------------ */

static double rows_read;

struct srl_matrix; /* of the library's inside, of which no more is known here */
void __real_srl_let_go_of_rows(const struct srl_matrix *a, int64_t first, int64_t count);
void __wrap_srl_let_go_of_rows(const struct srl_matrix *a, int64_t first, int64_t count);

void __wrap_srl_let_go_of_rows(const struct srl_matrix *a, int64_t first, int64_t count) {
    rows_read += (double)count;
    __real_srl_let_go_of_rows(a, first, count);
}

/* ---- the files --------------------------------------------------------------------------------------------------- */

static const char *path_of(const struct plan *plan, const char *name, char *path) {
    need(snprintf(path, PATH, "%s/%s.npy", plan->directory, name) < PATH, "a shorter name of the directory");
    return path;
}

/* The header of a rows x columns array (columns = 0: of a vector); what is in it follows. */
static FILE *begin_file(const struct plan *plan, const char *name, int64_t rows, int64_t columns) {
    char path[PATH];
    FILE *file = fopen(path_of(plan, name, path), "wb");
    const struct npy_array nothing = {.header = {.shape = {rows, columns}, .dimensions = columns > 0 ? 2 : 1}};
    need(file != NULL && npy_write_stream(file, &nothing), path);
    return file;
}

static void add_numbers(FILE *file, int64_t count, const double *values) {
    need(fwrite(values, sizeof *values, (size_t)count, file) == (size_t)count, "room for the files");
}

static void end_file(FILE *file) { need(fclose(file) == 0, "room for the files"); }

/* h = max(A1 x, 0) for an x of its own: what b is aimed at. */
static void draw_teacher(struct generator *generator, int64_t n, int64_t d, const double *A1, double *h) {
    double *x = numbers(d);
    draw_normals(generator, 1.0, d, x);
    for (int64_t i = 0; i < n; i++) {
        double u = 0.0;
        for (int64_t k = 0; k < d; k++)
            u += A1[i * d + k] * x[k];
        h[i] = fmax(u, 0.0);
    }
    free(x);
}

/* Random layers with variances 1/d and 4/n, and b = softmax of a teacher's logits with noise. Only vectors and a block of A2
   are ever in memory. */
static void write_problem(const struct plan *plan) {
    const int64_t n = (int64_t)plan->n, d = (int64_t)plan->d, m = (int64_t)plan->m;
    struct generator generator = {(uint64_t)plan->seed};
    double *A1 = numbers(n * d), *h = numbers(n), *block = numbers(ROWS * n), *z = numbers(m);
    draw_normals(&generator, 1.0 / sqrt((double)d), n * d, A1);
    draw_teacher(&generator, n, d, A1, h);
    FILE *file = begin_file(plan, "A1", n, d);
    add_numbers(file, n * d, A1);
    end_file(file);
    file = begin_file(plan, "A2", m, n);
    for (int64_t first = 0; first < m; first += ROWS) {
        const int64_t count = m - first < ROWS ? m - first : ROWS;
        draw_normals(&generator, 2.0 / sqrt((double)n), count * n, block);
        add_numbers(file, count * n, block);
        for (int64_t j = 0; j < count; j++)
            for (int64_t i = 0; i < n; i++)
                z[first + j] += block[j * n + i] * h[i];
    }
    end_file(file);
    struct network network = {.m = m, .b = numbers(m)};
    aim_at(&network, &generator, NOISE, z);
    file = begin_file(plan, "b", m, 0);
    add_numbers(file, m, network.b);
    end_file(file);
    free(A1);
    free(h);
    free(block);
    free(z);
    free(network.b);
}

/* w^2 A1'A1 is then a hundredth of the curvature that the data have: 2 / d, for rows of G of squared length 2. */
static double weight_of(const struct plan *plan) { return sqrt(1e-2 * 2.0 / plan->n); }

/* ---- the solve --------------------------------------------------------------------------------------------------- */

static double *read_vector(const struct plan *plan, const char *name) {
    char path[PATH];
    struct npy_array array;
    struct failure failure;
    need(npy_read(path_of(plan, name, path), &array, &failure) == OUTCOME_OK, path);
    return array.values;
}

/* A2, which stands at the end of its file. */
static const double *map_matrix(const struct plan *plan) {
    char path[PATH];
    const int file = open(path_of(plan, "A2", path), O_RDONLY | O_CLOEXEC);
    struct stat status = {0};
    need(file >= 0 && fstat(file, &status) == 0, path);
    const char *start = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED, file, 0);
    need(start != MAP_FAILED && close(file) == 0, path);
    return (const double *)(const void *)(start + status.st_size - (int64_t)(plan->m * plan->n) * (int64_t)sizeof(double));
}

static struct rusage used(void) {
    struct rusage usage;
    need(getrusage(RUSAGE_SELF, &usage) == 0, "getrusage");
    return usage;
}

static double seconds_of(struct timeval time) { return (double)time.tv_sec + 1e-6 * (double)time.tv_usec; }

/* Of the processor, the system's share in it. */
static double processor_seconds(void) {
    const struct rusage usage = used();
    return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

static double peak_resident(void) { return 1024.0 * (double)used().ru_maxrss; }

static double certificate_number(const softrelu_solver *solver, softrelu_certificate_quantity quantity) {
    double value = NAN;
    need_ok(softrelu_certificate_number(softrelu_solver_certificate(solver), quantity, &value), "the certificate");
    return value;
}

/* Whether all is as it should be. */
static bool solve(const struct plan *plan) {
    const int64_t n = (int64_t)plan->n, d = (int64_t)plan->d, m = (int64_t)plan->m;
    const struct rlimit limit = {(rlim_t)(plan->limit * MEBIBYTE), (rlim_t)(plan->limit * MEBIBYTE)};
    need(setrlimit(RLIMIT_DATA, &limit) == 0, "setrlimit");
    double *A1 = read_vector(plan, "A1"), *b = read_vector(plan, "b");
    softrelu_problem *problem = NULL;
    softrelu_solver *solver = NULL;
    need_ok(softrelu_problem_create(n, d, m, NULL, NULL, NULL, &problem), "the problem");
    need(softrelu_problem_set_matrix(problem, SOFTRELU_A1, A1, SOFTRELU_ROW_MAJOR, d, SOFTRELU_BORROW) == SOFTRELU_OK &&
             softrelu_problem_set_matrix(problem, SOFTRELU_A2, map_matrix(plan), SOFTRELU_ROW_MAJOR, n, SOFTRELU_MAP) ==
                 SOFTRELU_OK &&
             softrelu_problem_set_vector(problem, SOFTRELU_B, b, m, SOFTRELU_BORROW) == SOFTRELU_OK &&
             softrelu_problem_set_number(problem, SOFTRELU_W, weight_of(plan)) == SOFTRELU_OK &&
             softrelu_problem_set_loss(problem, SOFTRELU_KL) == SOFTRELU_OK && softrelu_problem_finish(problem) == SOFTRELU_OK,
         softrelu_problem_message(problem));
    need_ok(softrelu_solver_create(problem, &solver), softrelu_problem_message(problem));
    set_text(solver, "hessian", plan->hessian);
    set_text(solver, "step", plan->step);
    rows_read = 0.0;
    const double began = processor_seconds();
    need_ok(softrelu_solver_solve(solver), softrelu_solver_message(solver));
    const softrelu_verdict verdict = softrelu_certificate_verdict(softrelu_solver_certificate(solver));
    const double seconds = processor_seconds() - began, data = 8.0 * plan->m * plan->n, peak = peak_resident();
    printf("| %.0f | %.0f | %s, %s | %.0f | %.1f | %.1f | %.1f | %.0f | %.0f | %.0f | %.1e | %s |\n", plan->m, data / MEBIBYTE,
           plan->hessian, plan->step, peak / MEBIBYTE, report_number(solver, SOFTRELU_REPORT_SECONDS), seconds,
           rows_read / plan->m, report_number(solver, SOFTRELU_REPORT_EVALUATIONS),
           report_number(solver, SOFTRELU_REPORT_ITERATIONS), report_number(solver, SOFTRELU_REPORT_HESSIAN_PRODUCTS),
           certificate_number(solver, SOFTRELU_CERTIFICATE_RESIDUAL_RELATIVE), softrelu_verdict_name(verdict));
    softrelu_solver_destroy(solver);
    softrelu_problem_destroy(problem);
    free(A1);
    free(b);
    return verdict == SOFTRELU_VERDICT_CERTIFIED && peak <= plan->limit * MEBIBYTE;
}

/* In a process of its own, whose memory is told apart. */
static int in_child(const struct plan *plan, bool solving) {
    (void)fflush(stdout);
    const pid_t child = fork();
    need(child >= 0, "fork");
    if (child == 0) {
        const bool good = solving ? solve(plan) : (write_problem(plan), true);
        (void)fflush(stdout);
        _exit(good ? 0 : 1);
    }
    int status = 0;
    need(waitpid(child, &status, 0) == child && WIFEXITED(status), "the child");
    return WEXITSTATUS(status);
}

static bool read_options(int count, char **words, struct plan *plan) {
    const struct {
        const char *name;
        double least, most, *value;
    } numbers[] = {{"--m", 2.0, 1e9, &plan->m},         {"--n", 1.0, 1e6, &plan->n},       {"--d", 1.0, 1e5, &plan->d},
                   {"--limit", 1.0, 1e6, &plan->limit}, {"--seed", 0.0, 1e9, &plan->seed}, {"--keep", 0.0, 1.0, &plan->keep}};
    const struct {
        const char *name;
        const char **value;
    } texts[] = {{"--hessian", &plan->hessian}, {"--step", &plan->step}, {"--directory", &plan->directory}};
    bool understood = count % 2 == 1;
    for (int i = 1; i + 1 < count && understood; i += 2) {
        understood = false;
        for (size_t k = 0; k < sizeof numbers / sizeof *numbers && !understood; k++)
            understood = strcmp(words[i], numbers[k].name) == 0 &&
                         read_number(words[i + 1], numbers[k].least, numbers[k].most, numbers[k].value);
        for (size_t k = 0; k < sizeof texts / sizeof *texts && !understood; k++)
            if ((understood = strcmp(words[i], texts[k].name) == 0))
                *texts[k].value = words[i + 1];
    }
    return understood;
}

int main(int count, char **words) {
    struct plan plan = {1e6, 256.0, 64.0, 1024.0, 1.0, 0.0, "exact", "cholesky", "."};
    if (!read_options(count, words, &plan)) {
        fprintf(stderr, "usage: mapped [--m M] [--n N] [--d D] [--limit MIB] [--seed S] [--hessian H] [--step S] "
                        "[--directory DIR] [--keep 1]\n");
        return 2;
    }
    printf("| m | A2, MiB | hessian, step | peak resident, MiB | s | s of the processor | passes over A2 | evaluations | "
           "iterations | products | "
           "residual | verdict |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n");
    int status = in_child(&plan, false);
    status = status == 0 ? in_child(&plan, true) : status;
    static const char *const names[] = {"A1", "A2", "b"};
    char path[PATH];
    for (size_t k = 0; k < 3 && plan.keep == 0.0; k++)
        (void)remove(path_of(&plan, names[k], path));
    if (plan.keep != 0.0)
        printf("\nsoftrelu solve --mmap --A1 %s/A1.npy --A2 %s/A2.npy --b %s/b.npy --loss kl --w %.17g\n", plan.directory,
               plan.directory, plan.directory, weight_of(&plan));
    return status;
}
