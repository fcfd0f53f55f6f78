/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "phases.h"

double seconds_now(void) {
    struct timespec time;
    need(clock_gettime(options.processor ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &time) == 0, "the clock");
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* Short tasks are repeated until the clock can tell. */
double median_seconds(int repeats, task run, void *context) {
    const double SHORTEST = 2e-3;
    double seconds[REPEATS_MOST];
    int64_t calls = 1;
    for (double began = seconds_now(); run(context), seconds_now() - began < SHORTEST && calls < 10000; calls++)
        continue;
    for (int k = 0; k < repeats; k++) {
        const double began = seconds_now();
        for (int64_t call = 0; call < calls; call++)
            run(context);
        seconds[k] = (seconds_now() - began) / (double)calls;
    }
    return quantile(repeats, seconds, 0.5);
}

struct shape scaled_shape(int64_t n, int64_t d, int64_t m) {
    const double s = options.scale;
    return (struct shape){(int64_t)ceil(s * (double)n), (int64_t)ceil(s * (double)d), (int64_t)ceil(s * (double)m)};
}

static void carve(struct srl_arena *arena, struct place *place) {
    srl_point_carve(arena, &place->point, place->model);
    srl_hessian_carve(arena, &place->work, place->model);
    srl_newton_carve(arena, &place->newton, place->model);
    place->scratch = srl_arena_doubles(arena, place->model->n);
    place->kept = srl_arena_matrix(arena, place->model->m, place->model->d);
}

static float *narrowed(int64_t count, const double *values) {
    float *narrow = singles(count);
    for (int64_t k = 0; k < count; k++)
        narrow[k] = (float)values[k];
    return narrow;
}

struct place place_create(struct shape shape, double noise, double weight, bool single_data) {
    struct place place = {0};
    struct generator generator = {0xD1342543DE82EF95u + 1};
    struct network *network = &place.network;
    *network = random_network(&generator, shape.n, shape.d, shape.m, 0.0, 0.0);
    network->w = weight;
    double *z = numbers(shape.m);
    place.x = numbers(shape.d);
    place.x0 = numbers(shape.d);
    draw_normals(&generator, 1.0, shape.d, place.x);
    draw_normals(&generator, 1.0, shape.d, place.x0);
    network_logits(network, place.x, z);
    aim_at(network, &generator, noise, z);
    free(z);
    need_ok(softrelu_problem_create(shape.n, shape.d, shape.m, NULL, NULL, NULL, &place.problem), "the problem");
    if (single_data) {
        place.A1 = narrowed(shape.n * shape.d, network->A1);
        place.A2 = narrowed(shape.m * shape.n, network->A2);
        describe_single(place.problem, network, place.A1, place.A2);
    } else {
        describe(place.problem, network);
    }
    place.model = &place.problem->model;
    place.allocator = srl_allocator_of(NULL, NULL, NULL);
    carve(&place.arena, &place);
    need(srl_arena_reserve(&place.arena, &place.allocator), "out of memory");
    carve(&place.arena, &place);
    need(srl_point_move(place.model, &place.point, place.x0) &&
             srl_point_differentiate(place.model, &place.point, place.scratch),
         "the point");
    return place;
}

void place_destroy(struct place *place) {
    srl_arena_release(&place->arena, &place->allocator);
    softrelu_problem_destroy(place->problem);
    network_free(&place->network);
    free(place->x0);
    free(place->x);
    free(place->A1);
    free(place->A2);
}

int64_t place_active(const struct place *place) {
    int64_t active = 0;
    for (int64_t i = 0; i < place->model->n; i++)
        active += place->point.u[i] > 0.0;
    return active;
}

/* The mean of the rows comes with the gradient where G is not kept in double, as in a solve. */
void place_keep(struct place *place, bool keep, bool single) {
    place->point.with_mean = !keep || single;
    place->point.has_mean = false;
    srl_point_back(place->model, &place->point);
    srl_jacobian_keep_in(&place->work.jacobian, keep ? place->kept : NULL, single);
}
