/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * (b) Convergence in the loss where the Hessian is not Lipschitz: the minimisers lie on kinks. Loss above the minimum per
 * iteration with the line search, from a random start, until the solver ends; each method against the minimiser it ends at.
 */
#include "theory.h"

#include <math.h>
#include <stdlib.h>

static const struct method METHODS[] = {
    {"exact", "exact", "cholesky", "search", "1e-12", 0.0, 0},
    {"Gauss-Newton", "gauss-newton", "cholesky", "search", "1e-12", 0.0, 0},
    {"sampled, epsilon 0.5", "sampled", "cholesky", "search", "1e-12", 0.5, 0},
    {"sampled, 5 d rows", "sampled", "cholesky", "search", "1e-12", 0.5, 5},
    {"conjugate gradients, sampled", "sampled", "pcg", "search", "1e-12", 0.9, 0},
};
enum { METHOD_COUNT = 5, SEEDS = 10, ITERATIONS = 200 };

static struct network network_of(softrelu_loss loss, uint64_t seed, double **x0) {
    struct generator generator = {1000 + seed};
    struct network network = random_network(&generator, 200, 20, 10000, 0.0, 1.0);
    network.loss = loss;
    network.rho = 1e-4 * (loss == SOFTRELU_KL ? 1.0 : 1e-2);
    double *teacher = numbers(20), *z = numbers(10000);
    draw_normals(&generator, 1.0, 20, teacher);
    network_logits(&network, teacher, z);
    aim_at(&network, &generator, 1.0, z);
    *x0 = numbers(20);
    draw_normals(&generator, 1.0, 20, *x0);
    free(teacher);
    free(z);
    return network;
}

static void run(FILE *table, softrelu_loss loss, uint64_t seed) {
    double *x0 = NULL;
    struct network network = network_of(loss, seed, &x0);
    softrelu_problem *problem = pose(&network);
    const char *name = loss == SOFTRELU_KL ? "kl" : "squares";
    printf("  %s, seed %d\n", name, (int)seed);
    for (int k = 0; k < METHOD_COUNT; k++) {
        if (loss == SOFTRELU_KL && METHODS[k].hessian[0] == 'g')
            continue; /* the same as exact */
        struct method method = METHODS[k];
        method.rows *= network.d;
        struct minimiser nowhere = {network.d, numbers(network.d), numbers(network.d * network.d), 0.0};
        struct path path = follow(problem, &nowhere, &method, x0, ITERATIONS, (int64_t)seed);
        struct minimiser end = find_minimiser(problem, network.d, path.end);
        printf("    %-30s %3lld iterations, %s, %s, %.0f kinks, loss %.10g, polished by %.1e\n", method.name,
               (long long)path.length - 1, softrelu_termination_name(path.termination), softrelu_verdict_name(path.verdict),
               path.pinned, path.losses[path.length - 1], distance_of(network.d, end.x, path.end));
        for (int64_t i = 0; i < path.length; i++)
            fprintf(table, "%s,%d,\"%s\",%lld,%.17g,%.17g\n", name, (int)seed, method.name, (long long)i, path.losses[i],
                    end.loss);
        minimiser_free(&nowhere);
        minimiser_free(&end);
        path_free(&path);
    }
    softrelu_problem_destroy(problem);
    network_free(&network);
    free(x0);
}

void experiment_loss(const char *folder) {
    FILE *table = open_table(folder, "loss.csv");
    fprintf(table, "loss,seed,method,iteration,value,least\n");
    printf("\n(b) the loss above the minimum, minimisers on kinks, line search\n");
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        run(table, SOFTRELU_SQUARES, seed);
        run(table, SOFTRELU_KL, seed);
    }
    need(fclose(table) == 0, "writing loss.csv");
}
