/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the parts of a solve cost on one rank and on several: seconds of work of the rank that leads and of those that serve it,
 * and what the messages take. One line of JSON for each part goes to the standard output of the first rank; bench/scaling/model
 * makes docs/scaling.md of them.
 *
 * Ranks that wait for each other may do so by asking again and again: the seconds of work are those of the processor that a
 * rank has spent outside of the communicator.
 */
#include <jansson.h>
#include <lapacke.h>
#include <math.h>
#include <mpi.h>
#include <softrelu/softrelu_mpi.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support.h"

enum { REPEATS_MOST = 25, FEW_STEPS = 1, MANY_STEPS = 4, SEED = 20240917 };
static const double NOISE = 0.5;

static struct {
    int64_t n, d, m;
    int repeats;
    bool certificate;
} options = {800, 100, 8000, 5, true};

static int rank, size;

/* ---- clocks ---- */

static double seconds_of(clockid_t clock) {
    struct timespec time;
    need(clock_gettime(clock, &time) == 0, "the clock");
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* Since the program began: of the wall, of this rank's processor, and what of both was spent on messages. */
struct moment {
    double wall, processor, talking, waiting;
};
static struct moment spent; /* on messages */

static struct moment now(void) {
    return (struct moment){seconds_of(CLOCK_MONOTONIC), seconds_of(CLOCK_PROCESS_CPUTIME_ID), spent.processor, spent.wall};
}

/* ---- a communicator that looks at the clock ---- */

static int timed(const struct moment *before, int error) {
    const struct moment after = now();
    spent.wall += after.wall - before->wall;
    spent.processor += after.processor - before->processor;
    return error;
}
static int timed_sum(void *context, double *values, int64_t count) {
    const softrelu_communicator *with = context;
    const struct moment before = now();
    return timed(&before, with->sum(with->context, values, count));
}
static int timed_largest(void *context, double *values, int64_t count) {
    const softrelu_communicator *with = context;
    const struct moment before = now();
    return timed(&before, with->largest(with->context, values, count));
}
static int timed_broadcast(void *context, void *bytes, int64_t count, int root) {
    const softrelu_communicator *with = context;
    const struct moment before = now();
    return timed(&before, with->broadcast(with->context, bytes, count, root));
}

/* ---- the problem ---- */

/* The part of a rank. Row j of A2, and the noise of its target, depend on the seed and on j alone. */
struct part {
    struct network network; /* of its rows */
    double *x, *x0;
    softrelu_problem *problem;
    softrelu_solver *solver;
    softrelu_evaluator *evaluator;
    softrelu_certificate *certificate;
    double *result, *matrix;
    bool turned; /* the sign of x, which changes all units' sides */
};

static struct generator generator_of(int64_t stream) {
    struct generator generator = {SEED + 0xD1342543DE82EF95u * (uint64_t)(stream + 1)};
    (void)draw_uniform(&generator);
    return generator;
}

static void combine(double *value, MPI_Op operation) {
    need(MPI_Allreduce(MPI_IN_PLACE, value, 1, MPI_DOUBLE, operation, MPI_COMM_WORLD) == MPI_SUCCESS, "MPI_Allreduce");
}

static void make_network(struct part *part, int64_t first, int64_t own) {
    struct network *network = &part->network;
    struct generator shared = generator_of(-1);
    *network = random_network(&shared, options.n, options.d, 1, 0.0, 0.0);
    network->m = own;
    network->w = 1e-3;
    part->x = numbers(options.d);
    part->x0 = numbers(options.d);
    draw_normals(&shared, 1.0, options.d, part->x);
    draw_normals(&shared, 1.0, options.d, part->x0);
    free(network->A2);
    free(network->c2);
    free(network->b);
    network->A2 = numbers(own * options.n);
    network->c2 = numbers(own);
    network->b = numbers(own);
    for (int64_t j = 0; j < own; j++) {
        struct generator of_row = generator_of(first + j);
        draw_normals(&of_row, 2.0 / sqrt((double)options.n), options.n, network->A2 + j * options.n);
        network->b[j] = NOISE * draw_normal(&of_row);
    }
    double *z = numbers(own), largest = -INFINITY, sum = 0.0;
    network_logits(network, part->x, z);
    for (int64_t j = 0; j < own; j++)
        largest = fmax(largest, network->b[j] += z[j]);
    combine(&largest, MPI_MAX);
    for (int64_t j = 0; j < own; j++)
        sum += network->b[j] = exp(network->b[j] - largest);
    combine(&sum, MPI_SUM);
    for (int64_t j = 0; j < own; j++)
        network->b[j] /= sum;
    free(z);
}

static struct part make_part(const softrelu_communicator *with) {
    struct part part = {0};
    const int64_t first = options.m * rank / size, own = options.m * (rank + 1) / size - first;
    make_network(&part, first, own);
    need_ok(softrelu_problem_create_distributed(options.n, options.d, own, with, NULL, NULL, NULL, &part.problem), "problem");
    describe(part.problem, &part.network);
    part.solver = solver_of(part.problem);
    part.evaluator = evaluator_of(part.problem);
    need_ok(softrelu_certificate_create(part.problem, &part.certificate), "certificate");
    part.result = numbers(options.d);
    part.matrix = numbers(options.d * options.d);
    set_text(part.solver, "jacobian_memory", "0");
    return part;
}

static void free_part(struct part *part) {
    softrelu_certificate_destroy(part->certificate);
    softrelu_evaluator_destroy(part->evaluator);
    softrelu_solver_destroy(part->solver);
    softrelu_problem_destroy(part->problem);
    network_free(&part->network);
    free(part->x);
    free(part->x0);
    free(part->result);
    free(part->matrix);
}

/* ---- what is measured ---- */

static void move(struct part *part) {
    part->turned = !part->turned;
    for (int64_t k = 0; k < options.d; k++)
        part->result[k] = part->turned ? -part->x0[k] : part->x0[k];
    need_ok(softrelu_evaluator_move(part->evaluator, part->result, options.d), "evaluation");
}
static void differentiate(struct part *part) {
    need_ok(softrelu_evaluator_gradient(part->evaluator, part->result, options.d), "gradient");
}
static void move_and_differentiate(struct part *part) {
    move(part);
    differentiate(part);
}
static void assemble(struct part *part) {
    need_ok(softrelu_evaluator_hessian(part->evaluator, part->matrix, options.d), "Hessian");
}
static void multiply(struct part *part) {
    need_ok(softrelu_evaluator_hessian_product(part->evaluator, part->x, part->result, options.d), "product");
}
static void sample(struct part *part) {
    const int64_t asked = 20 * options.d < options.m ? 20 * options.d : options.m;
    int64_t rows;
    need_ok(softrelu_evaluator_sampled_hessian(part->evaluator, 0.5, asked, 1, 0, part->matrix, options.d, &rows),
            "sampled Hessian");
}
static void certify(struct part *part) {
    need_ok(softrelu_certify(part->certificate, part->result, options.d, 1e-9, 1e-10), "certificate");
}

/* Positive definite, and its factorisation, on the first rank alone. */
static void fill(struct part *part) {
    for (int64_t k = 0; k < options.d * options.d; k++)
        part->matrix[k] = k % (options.d + 1) == 0 ? 2.0 * (double)options.d : 1.0;
}
static void factor(struct part *part) {
    const lapack_int d = (lapack_int)options.d;
    need(rank > 0 || LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'L', d, part->matrix, d) == 0, "dpotrf");
}

static void speak(struct part *part) {
    (void)part;
    double value = 1.0;
    combine(&value, MPI_SUM);
}
static void add_up(struct part *part) {
    need(MPI_Allreduce(MPI_IN_PLACE, part->matrix, (int)(options.d * options.d), MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD) ==
             MPI_SUCCESS,
         "MPI_Allreduce");
}

static void take_steps(struct part *part, int steps) {
    need_ok(softrelu_solver_set_integer(part->solver, SOFTRELU_SETTING_MAX_ITERATIONS, steps), "a setting");
    need_ok(softrelu_solver_set_start(part->solver, part->x0, options.d), "a start");
    need_ok(softrelu_solver_solve(part->solver), softrelu_solver_message(part->solver));
    need(report_number(part->solver, SOFTRELU_REPORT_ITERATIONS) == (double)steps, "steps");
}
static void take_few_steps(struct part *part) { take_steps(part, FEW_STEPS); }
static void take_many_steps(struct part *part) { take_steps(part, MANY_STEPS); }

struct cost {
    double wall, work, messages; /* seconds of a call; of the processor on a rank; of the wall, in the communicator */
};

static struct cost measure(struct part *part, void (*prepare)(struct part *), void (*run)(struct part *)) {
    double wall[REPEATS_MOST], work[REPEATS_MOST], messages[REPEATS_MOST];
    for (int k = -1; k < options.repeats; k++) { /* one to warm up */
        if (prepare != NULL)
            prepare(part);
        need(MPI_Barrier(MPI_COMM_WORLD) == MPI_SUCCESS, "MPI_Barrier");
        const struct moment before = now();
        run(part);
        const struct moment after = now();
        const int at = k < 0 ? 0 : k;
        wall[at] = after.wall - before.wall;
        work[at] = (after.processor - before.processor) - (after.talking - before.talking);
        messages[at] = after.waiting - before.waiting;
    }
    /* work: the least, which is least disturbed by what else the machine does */
    return (struct cost){quantile(options.repeats, wall, 0.5), quantile(options.repeats, work, 0.0),
                         quantile(options.repeats, messages, 0.5)};
}

/* ---- the report ---- */

static void print_line(json_t *line) {
    need(line != NULL && json_dumpf(line, stdout, JSON_COMPACT) == 0 && putchar('\n') == '\n', "writing");
    json_decref(line);
}

static void report(const char *part, struct cost cost) {
    double others = rank > 0 ? cost.work : 0.0;
    combine(&others, MPI_MAX);
    if (rank == 0)
        print_line(json_pack("{s:s, s:i, s:I, s:I, s:I, s:f, s:f, s:f, s:f}", "part", part, "ranks", size, "n",
                             (json_int_t)options.n, "d", (json_int_t)options.d, "m", (json_int_t)options.m, "wall", cost.wall,
                             "first", cost.work, "others", others, "messages", cost.messages));
}

static struct cost of_one_step(struct part *part) {
    const struct cost few = measure(part, NULL, take_few_steps), many = measure(part, NULL, take_many_steps);
    const double steps = MANY_STEPS - FEW_STEPS;
    return (struct cost){(many.wall - few.wall) / steps, (many.work - few.work) / steps,
                         (many.messages - few.messages) / steps};
}

static void measure_parts(struct part *part) {
    report("evaluation", measure(part, NULL, move));
    report("gradient", measure(part, move, differentiate));
    report("hessian", measure(part, move_and_differentiate, assemble));
    report("product", measure(part, move_and_differentiate, multiply));
    report("sampled", measure(part, move_and_differentiate, sample));
    report("cholesky", measure(part, fill, factor));
    report("message", measure(part, NULL, speak));
    report("matrix", measure(part, NULL, add_up));
    set_text(part->solver, "globalisation", "none");
    set_text(part->solver, "warm_start_rounds", "0");
    report("step", of_one_step(part));
    if (!options.certificate)
        return;
    set_text(part->solver, "globalisation", "search");
    set_text(part->solver, "warm_start_rounds", "5");
    need_ok(softrelu_solver_set_integer(part->solver, SOFTRELU_SETTING_MAX_ITERATIONS, 1000), "a setting");
    need_ok(softrelu_solver_solve(part->solver), softrelu_solver_message(part->solver));
    need_ok(softrelu_solver_solution(part->solver, part->result, options.d), "the solution");
    report("certificate", measure(part, NULL, certify));
}

static bool take(const char *name, const char *value) {
    double number = 0.0;
    if (!read_number(value, 0.0, 1e9, &number))
        return false;
    if (strcmp(name, "--n") == 0 && number >= 1.0)
        options.n = (int64_t)number;
    else if (strcmp(name, "--d") == 0 && number >= 1.0)
        options.d = (int64_t)number;
    else if (strcmp(name, "--m") == 0 && number >= 1.0)
        options.m = (int64_t)number;
    else if (strcmp(name, "--repeats") == 0 && number >= 1.0 && number <= REPEATS_MOST)
        options.repeats = (int)number;
    else if (strcmp(name, "--certificate") == 0)
        options.certificate = number > 0.0;
    else
        return false;
    return true;
}

int main(int count, char **words) {
    need(MPI_Init(&count, &words) == MPI_SUCCESS, "MPI_Init");
    (void)MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    (void)MPI_Comm_size(MPI_COMM_WORLD, &size);
    bool understood = true;
    for (int i = 1; i < count; i += 2)
        understood = understood && i + 1 < count && take(words[i], words[i + 1]);
    if (!understood) {
        if (rank == 0)
            fprintf(stderr, "usage: scaling [--n N] [--d D] [--m M] [--repeats R] [--certificate 0|1]\n");
        (void)MPI_Finalize();
        return 2;
    }
    softrelu_communicator *with = NULL;
    need_ok(softrelu_comm_create_mpi(MPI_COMM_WORLD, &with), "the communicator");
    const softrelu_communicator timing = {sizeof timing, with->rank,    with->size,     with,
                                          timed_sum,     timed_largest, timed_broadcast};
    struct part part = make_part(&timing);
    measure_parts(&part);
    free_part(&part);
    softrelu_comm_destroy_mpi(with);
    need(MPI_Finalize() == MPI_SUCCESS, "MPI_Finalize");
    return 0;
}
