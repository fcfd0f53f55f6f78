/* SPDX-License-Identifier: BSD-3-Clause */
#include "large.h"

#include <math.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static const double NOISE = 0.5, WEIGHT_SHARE = 1e-2;

/* b: what the teacher input gives, noise on the logits. In a child: a process that forks must not have used the BLAS, whose
   threads it would lose. */
static void aim_from_teacher(struct network *network, struct generator *generator, const double *teacher) {
    const pid_t child = fork();
    need(child >= 0, "fork");
    if (child == 0) {
        softrelu_problem *problem = pose(network);
        softrelu_evaluator *evaluator = evaluator_of(problem);
        double *f = numbers(network->m);
        need_ok(softrelu_evaluator_move(evaluator, teacher, network->d), softrelu_evaluator_message(evaluator));
        need_ok(softrelu_evaluator_prediction(evaluator, f, network->m), softrelu_evaluator_message(evaluator));
        for (int64_t j = 0; j < network->m; j++)
            f[j] = log(f[j]);
        aim_at(network, generator, NOISE, f);
        free(f);
        softrelu_evaluator_destroy(evaluator);
        softrelu_problem_destroy(problem);
        _exit(0);
    }
    int status = 1;
    need(waitpid(child, &status, 0) == child && status == 0, "the teacher's target");
}

/* w^2 A1'A1 is a share of the loss's curvature, which is about the squared length of the rows of G, 2, times the sum of r: 1
   for "kl", the sum of f^2 for "squares". */
static double weight_for(const struct network *network) {
    double sum = 0.0;
    for (int64_t j = 0; j < network->m; j++)
        sum += network->b[j] * network->b[j];
    const double curvature = 2.0 / (double)network->d * (network->loss == SOFTRELU_KL ? 1.0 : sum);
    return sqrt(WEIGHT_SHARE * curvature * (double)network->d / (double)network->n);
}

static size_t size_with_singles(const struct shared_problem *shared, int64_t entries) {
    return shared->bytes + (size_t)entries * sizeof(float);
}

struct shared_problem share_problem(int64_t n, int64_t d, int64_t m, softrelu_loss loss, uint64_t seed) {
    const int64_t matrices = n * d + m * n, count = matrices + n + 2 * m + 2 * d;
    struct shared_problem shared = {.bytes = (size_t)count * sizeof(double)};
    shared.block = mmap(NULL, size_with_singles(&shared, matrices), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    need(shared.block != MAP_FAILED, "memory for the data");
    double *A1 = shared.block, *A2 = A1 + n * d, *c1 = A2 + m * n, *c2 = c1 + n, *b = c2 + m;
    double *teacher = b + m;
    shared.x0 = teacher + d;
    shared.A1 = (float *)(void *)(shared.x0 + d);
    shared.A2 = shared.A1 + n * d;
    shared.network = (struct network){n, d, m, A1, A2, c1, c2, b, 0.0, 0.0, loss};
    struct generator generator = {seed};
    draw_normals(&generator, 1.0 / sqrt((double)d), n * d, A1);
    draw_normals(&generator, 2.0 / sqrt((double)n), m * n, A2);
    for (int64_t k = 0; k < matrices; k++)
        shared.A1[k] = (float)A1[k];
    for (int64_t j = 0; j < m; j++)
        b[j] = 1.0 / (double)m;
    draw_normals(&generator, 1.0, d, teacher);
    draw_normals(&generator, 1.0, d, shared.x0);
    aim_from_teacher(&shared.network, &generator, teacher);
    shared.network.w = weight_for(&shared.network);
    return shared;
}

void unshare_problem(struct shared_problem *shared) {
    const struct network *network = &shared->network;
    need(munmap(shared->block, size_with_singles(shared, network->n * (network->d + network->m))) == 0, "munmap");
}
