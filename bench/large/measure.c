/* SPDX-License-Identifier: BSD-3-Clause */
#include "large.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- memory ------------------------------------------------------------------------------------------------------ */

struct ledger {
    size_t held, most;
};

enum { HEADER = 64 }; /* bytes before each block, that remember its size and keep the alignment */

static void *allocate(size_t bytes, void *context) {
    struct ledger *ledger = context;
    char *block = malloc(bytes + HEADER);
    if (block == NULL)
        return NULL;
    memcpy(block, &bytes, sizeof bytes);
    ledger->held += bytes;
    ledger->most = ledger->held > ledger->most ? ledger->held : ledger->most;
    return block + HEADER;
}

static void release(void *block, void *context) {
    struct ledger *ledger = context;
    char *start = (char *)block - HEADER;
    size_t bytes;
    memcpy(&bytes, start, sizeof bytes);
    ledger->held -= bytes;
    free(start);
}

/* A line of /proc/self/status, "Name:  number kB", in bytes; 0 where there is none. */
static double status_of(const char *name) {
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    double kibibytes = 0.0;
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, name, strlen(name)) == 0)
            kibibytes = strtod(line + strlen(name), NULL);
    if (file != NULL)
        (void)fclose(file);
    return 1024.0 * kibibytes;
}

/* Memory is measured from here on: the ledger counts what is held now, the system forgets earlier peaks. */
static void begin_measuring(struct ledger *ledger) {
    FILE *file = fopen("/proc/self/clear_refs", "w");
    if (file != NULL) {
        (void)fputs("5", file);
        (void)fclose(file);
    }
    ledger->most = ledger->held;
}

/* ---- the child --------------------------------------------------------------------------------------------------- */

static softrelu_problem *pose_for(const struct shared_problem *shared, const struct method *method, struct ledger *ledger) {
    const struct network *network = &shared->network;
    softrelu_problem *problem = NULL;
    need_ok(softrelu_problem_create(network->n, network->d, network->m, method->plain ? NULL : allocate,
                                    method->plain ? NULL : release, ledger, &problem),
            "the problem");
    if (method->single_data)
        describe_single(problem, network, shared->A1, shared->A2);
    else
        describe(problem, network);
    return problem;
}

static double certificate_number(const softrelu_solver *solver, softrelu_certificate_quantity quantity) {
    double value = NAN;
    need_ok(softrelu_certificate_number(softrelu_solver_certificate(solver), quantity, &value), "the certificate");
    return value;
}

static void fill(struct measurement *measured, const softrelu_solver *solver, int64_t d) {
    measured->termination = softrelu_report_termination(softrelu_solver_report(solver));
    measured->verdict = softrelu_certificate_verdict(softrelu_solver_certificate(solver));
    measured->seconds = report_number(solver, SOFTRELU_REPORT_SECONDS);
    measured->seconds_hessian = report_number(solver, SOFTRELU_REPORT_SECONDS_HESSIAN);
    measured->iterations = report_number(solver, SOFTRELU_REPORT_ITERATIONS);
    measured->rows = report_number(solver, SOFTRELU_REPORT_SAMPLE_ROWS);
    measured->enlargements = report_number(solver, SOFTRELU_REPORT_SAMPLE_ENLARGEMENTS);
    measured->fallbacks = report_number(solver, SOFTRELU_REPORT_SAMPLE_FALLBACKS);
    measured->products = report_number(solver, SOFTRELU_REPORT_HESSIAN_PRODUCTS);
    measured->loss = report_number(solver, SOFTRELU_REPORT_LOSS);
    measured->residual = report_number(solver, SOFTRELU_REPORT_RESIDUAL_RELATIVE);
    measured->distance_bound = certificate_number(solver, SOFTRELU_CERTIFICATE_DISTANCE_BOUND);
    measured->threads = softrelu_blas_threads();
    need_ok(softrelu_solver_solution(solver, measured->x, d), softrelu_solver_message(solver));
}

static void solve(const struct shared_problem *shared, const struct method *method, double epsilon,
                  struct measurement *measured) {
    const double before = status_of("VmRSS:") - status_of("RssShmem:");
    struct ledger ledger = {0, 0};
    softrelu_problem *problem = pose_for(shared, method, &ledger);
    softrelu_solver *solver = NULL;
    need_ok(softrelu_solver_create(problem, &solver), softrelu_problem_message(problem));
    set_text(solver, "hessian", method->hessian);
    set_text(solver, "step", method->step);
    set_text(solver, "jacobian_memory", method->jacobian_memory);
    if (epsilon > 0.0)
        need_ok(softrelu_solver_set_real(solver, SOFTRELU_SETTING_SAMPLE_EPSILON, epsilon), softrelu_solver_message(solver));
    need_ok(softrelu_solver_set_start(solver, shared->x0, shared->network.d), softrelu_solver_message(solver));
    begin_measuring(&ledger); /* some settings give back what others had asked for */
    const clock_t began = clock();
    need_ok(softrelu_solver_solve(solver), softrelu_solver_message(solver));
    measured->seconds_cpu = (double)(clock() - began) / CLOCKS_PER_SEC;
    fill(measured, solver, shared->network.d);
    measured->allocated = (double)ledger.most;
    measured->resident = fmax(0.0, status_of("VmHWM:") - status_of("RssShmem:") - before);
    measured->finished = true;
    softrelu_solver_destroy(solver);
    softrelu_problem_destroy(problem);
}

static size_t size_of(int64_t d) { return sizeof(struct measurement) + (size_t)d * sizeof(double); }

struct measurement *measure(const struct shared_problem *shared, const struct method *method, double epsilon) {
    struct measurement *measured =
        mmap(NULL, size_of(shared->network.d), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    need(measured != MAP_FAILED, "memory");
    (void)fflush(stdout);
    const pid_t child = fork();
    need(child >= 0, "fork");
    if (child == 0) {
        solve(shared, method, epsilon, measured);
        _exit(0);
    }
    int status = 1;
    need(waitpid(child, &status, 0) == child && status == 0 && measured->finished, method->name);
    return measured;
}

void release_measurement(struct measurement *measurement, int64_t d) { need(munmap(measurement, size_of(d)) == 0, "munmap"); }
