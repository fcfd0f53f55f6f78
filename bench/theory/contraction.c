/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * (a) The local theorem: whole steps, no line search, a fresh sample each time. Distance to a smooth minimiser per iteration
 * from a start inside the ball that the constants at the minimiser certify, and from far outside; and by which factor a step
 * shortens the distance, beside epsilon and beside the number of rows.
 */
#include "theory.h"

#include <math.h>
#include <stdlib.h>

static const struct method INSIDE[] = {
    {"exact", "exact", "cholesky", "none", "0", 0.0, 0},
    {"Gauss-Newton", "gauss-newton", "cholesky", "none", "0", 0.0, 0},
    {"sampled, epsilon 0.1", "sampled", "cholesky", "none", "0", 0.1, 0},
    {"sampled, epsilon 0.5", "sampled", "cholesky", "none", "0", 0.5, 0},
    {"sampled, 5 d rows", "sampled", "cholesky", "none", "0", 0.5, 5},
};
static const struct method OUTSIDE[] = {
    {"whole steps, exact", "exact", "cholesky", "none", "0", 0.0, 0},
    {"whole steps, sampled", "sampled", "cholesky", "none", "0", 0.5, 0},
    {"line search, exact", "exact", "cholesky", "search", "0", 0.0, 0},
    {"line search, sampled", "sampled", "cholesky", "search", "0", 0.5, 0},
};
enum { INSIDE_COUNT = 5, OUTSIDE_COUNT = 4, ITERATIONS = 40, STARTS = 100, REACH_STARTS = 20 };

struct setting {
    const char *loss;
    struct network network;
    softrelu_problem *problem;
    struct minimiser minimiser;
    double radius, floor;
};

/* The certified radius 2 l / (3 M), cut where the nearest kink is. */
static double radius_at(const softrelu_problem *problem, const struct minimiser *at) {
    softrelu_constants *constants = NULL;
    double l = NAN, M = NAN, kink = NAN;
    need_ok(softrelu_constants_create(problem, &constants), "the constants");
    need_ok(softrelu_constants_move(constants, at->x, at->d), softrelu_constants_message(constants));
    need_ok(softrelu_constants_number(constants, SOFTRELU_CONSTANT_HESSIAN_LEAST, &l), "l");
    need_ok(softrelu_constants_number(constants, SOFTRELU_CONSTANT_HESSIAN_LIPSCHITZ, &M), "M");
    need_ok(softrelu_constants_number(constants, SOFTRELU_CONSTANT_KINK_DISTANCE, &kink), "the nearest kink");
    softrelu_constants_destroy(constants);
    printf("l = %.3g, M = %.3g, 2 l / (3 M) = %.3g, nearest kink at %.3g\n", l, M, 2.0 * l / (3.0 * M), kink);
    need(l > 0.0, "a minimiser without curvature");
    return fmin(2.0 * l / (3.0 * M), kink);
}

/* Few outputs have most of the probability, as in language; biases keep the kinks away from the minimiser. */
static struct setting setting_of(softrelu_loss loss) {
    struct generator generator = {5};
    struct setting setting = {.loss = loss == SOFTRELU_KL ? "kl" : "squares"};
    setting.network = random_network(&generator, 40, 10, 20000, 2.5, 2.0);
    setting.network.loss = loss;
    setting.network.rho = loss == SOFTRELU_KL ? 1e-2 : 1e-4;
    double *x = numbers(10), *z = numbers(20000);
    draw_normals(&generator, 1.0, 10, x);
    network_logits(&setting.network, x, z);
    aim_at(&setting.network, &generator, 0.3, z);
    setting.problem = pose(&setting.network);
    setting.minimiser = find_minimiser(setting.problem, 10, x);
    printf("\n%s: (n, d, m) = (40, 10, 20000), |x*| = %.3g, ", setting.loss, norm_of(10, setting.minimiser.x));
    setting.radius = radius_at(setting.problem, &setting.minimiser);
    setting.floor = 1e-13 * (1.0 + norm_of(10, setting.minimiser.x));
    free(x);
    free(z);
    return setting;
}

static void setting_free(struct setting *setting) {
    softrelu_problem_destroy(setting->problem);
    minimiser_free(&setting->minimiser);
    network_free(&setting->network);
}

static double *start_at(const struct setting *setting, uint64_t seed, double distance) {
    const int64_t d = setting->network.d;
    struct generator generator = {seed};
    double *x0 = numbers(d);
    draw_normals(&generator, 1.0, d, x0);
    const double scale = distance / norm_of(d, x0);
    for (int64_t k = 0; k < d; k++)
        x0[k] = setting->minimiser.x[k] + scale * x0[k];
    return x0;
}

/* A method's rows are given as multiples of d. */
static struct method sized(struct method method, int64_t d) {
    method.rows *= d;
    return method;
}

static void print_path(FILE *table, const struct setting *setting, const char *place, const struct method *method,
                       const struct path *path) {
    printf("  %-22s", method->name);
    for (int64_t k = 0; k < path->length; k++) {
        if (k < 8)
            printf(" %8.1e", path->distances[k]);
        fprintf(table, "%s,%s,\"%s\",%lld,%.6g,%.6g,%.6g,%.0f\n", setting->loss, place, method->name, (long long)k,
                path->distances[k], path->energies[k], setting->radius, path->rows[k]);
    }
    printf(" -> %.1e after %lld, %.0f rows\n", path->distances[path->length - 1], (long long)path->length - 1,
           path->length > 1 ? path->rows[1] : 0.0);
}

static void follow_all(FILE *table, const struct setting *setting, const char *place, const struct method *methods, int count,
                       const double *x0) {
    const int64_t d = setting->network.d;
    printf("  distance to the minimiser, from %s the ball\n", place);
    for (int k = 0; k < count; k++) {
        if (setting->network.loss == SOFTRELU_KL && methods[k].hessian[0] == 'g')
            continue; /* the same as exact */
        const struct method method = sized(methods[k], d);
        struct path path = follow(setting->problem, &setting->minimiser, &method, x0, ITERATIONS, 1);
        print_path(table, setting, place, &method, &path);
        path_free(&path);
    }
}

/* From how many of the starts at that distance a method ends at the minimiser. */
static int reach(const struct setting *setting, struct method method, double distance) {
    int reached = 0;
    method.tolerance = "1e-12";
    for (int start = 0; start < REACH_STARTS; start++) {
        double *x0 = start_at(setting, 500 + (uint64_t)start, distance);
        struct path path = follow(setting->problem, &setting->minimiser, &method, x0, ITERATIONS, 1 + start);
        reached += path.distances[path.length - 1] <= 1e-6;
        path_free(&path);
        free(x0);
    }
    return reached;
}

static void print_reach(const struct setting *setting) {
    static const double distances[] = {1.0, 3.0, 10.0, 30.0};
    printf("  of %d starts at a distance, how many end at the minimiser within %d iterations (the ball's radius: %.2g)\n",
           REACH_STARTS, ITERATIONS, setting->radius);
    printf("  %-22s %8s %8s %8s %8s %8s\n", "", "in ball", "1", "3", "10", "30");
    for (int k = 0; k < OUTSIDE_COUNT; k++) {
        printf("  %-22s %8d", OUTSIDE[k].name, reach(setting, OUTSIDE[k], 0.99 * setting->radius));
        for (int l = 0; l < 4; l++)
            printf(" %8d", reach(setting, OUTSIDE[k], distances[l]));
        printf("\n");
    }
}

/* The factors of all steps from starts at half the radius until round-off takes over. */
static void measure(FILE *table, const struct setting *setting, double epsilon, int64_t rows) {
    const int64_t d = setting->network.d;
    const struct method method = {"sampled", "sampled", "cholesky", "none", "0", epsilon, rows};
    double *plain = numbers(STARTS * ITERATIONS), *natural = numbers(STARTS * ITERATIONS), drawn = 0.0;
    int64_t count = 0;
    for (int start = 0; start < STARTS; start++) {
        double *x0 = start_at(setting, 100 + (uint64_t)start, 0.5 * setting->radius);
        struct path path = follow(setting->problem, &setting->minimiser, &method, x0, ITERATIONS, 1 + start);
        for (int64_t k = 1; k < path.length && path.distances[k] > 10.0 * setting->floor; k++, count++) {
            plain[count] = path.distances[k] / path.distances[k - 1];
            natural[count] = path.energies[k] / path.energies[k - 1];
            drawn += path.rows[k];
        }
        path_free(&path);
        free(x0);
    }
    need(count > 0, "no step above round-off");
    drawn /= (double)count;
    printf(
        "  %s %-7.3g %6.0f rows: median %.3f, 99 of 100 %.3f, worst %.3f in the Hessian's norm; worst %.3f in the plain one; "
        "%lld steps\n",
        rows > 0 ? "rows/d " : "epsilon", rows > 0 ? (double)rows / (double)d : epsilon, drawn, quantile(count, natural, 0.5),
        quantile(count, natural, 0.99), quantile(count, natural, 1.0), quantile(count, plain, 1.0), (long long)count);
    fprintf(table, "%s,%g,%lld,%lld,%.1f,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g\n", setting->loss, rows > 0 ? NAN : epsilon,
            (long long)rows, (long long)d, drawn, quantile(count, natural, 0.01), quantile(count, natural, 0.5),
            quantile(count, natural, 0.99), quantile(count, natural, 1.0), quantile(count, plain, 0.5),
            quantile(count, plain, 0.99), quantile(count, plain, 1.0));
    free(plain);
    free(natural);
}

void experiment_contraction(const char *folder) {
    static const double epsilons[] = {0.5, 0.4, 0.3, 0.2, 0.1};
    FILE *paths = open_table(folder, "paths.csv"), *factors = open_table(folder, "factors.csv");
    fprintf(paths, "loss,start,method,iteration,distance,energy,radius,rows\n");
    fprintf(factors, "loss,epsilon,asked,d,rows,low,median,high,worst,plain_median,plain_high,plain_worst\n");
    printf("\n(a) whole steps towards a smooth minimiser\n");
    for (int loss = 0; loss < 2; loss++) {
        struct setting setting = setting_of(loss == 0 ? SOFTRELU_SQUARES : SOFTRELU_KL);
        double *near = start_at(&setting, 7, 0.99 * setting.radius), *far = start_at(&setting, 8, 6.0);
        follow_all(paths, &setting, "inside", INSIDE, INSIDE_COUNT, near);
        follow_all(paths, &setting, "outside", OUTSIDE, OUTSIDE_COUNT, far);
        print_reach(&setting);
        printf("  the factor by which a step shortens the distance, from starts at half the radius\n");
        for (int k = 0; k < 5; k++)
            measure(factors, &setting, epsilons[k], 0);
        for (int64_t rows = 3; rows <= 400; rows *= 2)
            measure(factors, &setting, 0.5, rows * setting.network.d);
        free(near);
        free(far);
        setting_free(&setting);
    }
    need(fclose(paths) == 0 && fclose(factors) == 0, "writing paths.csv and factors.csv");
}
