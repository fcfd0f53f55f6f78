/* The certificate's least eigenvalue: of matrices with known spectra, definite or not, with clusters and wide ranges. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "certificate/least_eigenvalue.h"
#include "linalg/blas.h"
#include "support/testing.h"

struct bench {
    int64_t order;
    struct srl_arena arena;
    struct srl_eigenvalue_work work;
    double *hessian, *factor, *trial, *vectors, *direction, *shared;
};

static void carve(struct bench *bench) {
    const int64_t order = bench->order;
    bench->shared = srl_arena_doubles(&bench->arena, srl_eigenvalue_work(order));
    srl_eigenvalue_carve(&bench->arena, &bench->work, bench->shared);
    double **matrices[] = {&bench->hessian, &bench->factor, &bench->trial};
    for (int i = 0; i < 3; i++)
        *matrices[i] = srl_arena_matrix(&bench->arena, order, order);
    bench->vectors = srl_arena_matrix(&bench->arena, SRL_LANCZOS_STEPS + 1, order);
    bench->direction = srl_arena_doubles(&bench->arena, order);
}

/* hessian = P diag(spectrum) P' for a product P of a few reflections. */
static void rotate(struct test_random *random, const double *spectrum, struct bench *bench) {
    const int64_t order = bench->order;
    double *v = test_doubles(order), *s = bench->hessian;
    memset(s, 0, (size_t)(order * order) * sizeof *s);
    for (int64_t k = 0; k < order; k++)
        s[k + k * order] = spectrum[k];
    for (int pass = 0; pass < 3; pass++) {
        random_fill(random, 1.0, order, v);
        srl_scale(order, sqrt(2.0) / srl_norm(order, v), v);
        for (int side = 0; side < 2; side++) /* S (I - vv') in place, then its transpose from the other side */
            for (int64_t i = 0; i < order; i++) {
                double product = 0.0;
                for (int64_t k = 0; k < order; k++)
                    product += v[k] * s[side == 0 ? i + k * order : k + i * order];
                for (int64_t k = 0; k < order; k++)
                    s[side == 0 ? i + k * order : k + i * order] -= product * v[k];
            }
    }
    free(v);
}

/* What is found of a spectrum whose first entry is the least; the trace is that of the absolute values. */
static struct srl_least_eigenvalue find(struct test_random *random, int64_t order, const double *spectrum, double *round_off) {
    const struct srl_allocator allocator = srl_allocator_of(NULL, NULL, NULL);
    struct bench bench = {.order = order};
    struct srl_least_eigenvalue least;
    carve(&bench);
    assert_true(srl_arena_reserve(&bench.arena, &allocator));
    carve(&bench);
    double trace = 0.0;
    for (int64_t k = 0; k < order; k++)
        trace += fabs(spectrum[k]);
    *round_off = 64.0 * DBL_EPSILON * trace;
    rotate(random, spectrum, &bench);
    assert_true(srl_find_least_eigenvalue(&bench.work, order, bench.hessian, *round_off, bench.factor, bench.trial,
                                          bench.vectors, bench.direction, &least));
    if (least.has_direction) {
        double *image = test_doubles(order);
        srl_symv(order, bench.hessian, order, bench.direction, image);
        srl_axpy(order, -least.value, bench.direction, image);
        assert_true(fabs(srl_norm(order, bench.direction) - 1.0) < 1e-13 && srl_norm(order, image) <= *round_off);
        free(image);
    }
    srl_arena_release(&bench.arena, &allocator);
    return least;
}

/* Definite: the value within its slack and the round-off, and no eigenvalue is lower than what is said to be proved. */
static void definite(void **state) {
    (void)state;
    struct test_random random = {1};
    const int64_t trials = test_count(200, 8);
    for (int64_t trial = 0; trial < trials; trial++) {
        const int64_t order = random_between(&random, 1, trial % 2 == 0 ? 24 : 120);
        double *spectrum = test_doubles(order), round_off;
        const double least = random_scale(&random, -6.0, 0.0), spread = random_scale(&random, -9.0, 3.0);
        for (int64_t k = 0; k < order; k++) /* one, several, or a band of them near the least one */
            spectrum[k] = k % (trial % 5 + 1) == 0 ? least * (1.0 + (k > 0 ? spread * random_uniform(&random, 0.0, 1.0) : 0.0))
                                                   : least + random_scale(&random, -6.0, 1.0);
        const struct srl_least_eigenvalue found = find(&random, order, spectrum, &round_off);
        assert_true(found.definite && found.slack <= 0.25 * round_off);
        assert_true(fabs(found.value - least) <= 0.5 * round_off);
        free(spectrum);
    }
}

/* A wide gap needs no eigenvectors. */
static void without_pairs(void **state) {
    (void)state;
    struct test_random random = {2};
    double spectrum[100], round_off;
    for (int64_t k = 0; k < 100; k++)
        spectrum[k] = k == 0 ? 1e-3 : 1e-3 + 0.1 * (double)k;
    const struct srl_least_eigenvalue found = find(&random, 100, spectrum, &round_off);
    assert_true(!found.has_direction && found.slack == 0.25 * round_off);
}

/* Not definite: the pair, whatever the order. */
static void indefinite(void **state) {
    (void)state;
    struct test_random random = {3};
    for (int64_t order = 2; order <= 80; order += 13)
        for (int zero = 0; zero < 2; zero++) {
            double spectrum[80], round_off;
            for (int64_t k = 0; k < order; k++)
                spectrum[k] = k > 0 ? random_scale(&random, -3.0, 1.0) : zero != 0 ? 0.0 : -1e-3;
            const struct srl_least_eigenvalue found = find(&random, order, spectrum, &round_off);
            assert_true(found.has_direction && (zero != 0 || !found.definite));
            assert_true(fabs(found.value - spectrum[0]) <= 0.5 * round_off);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(definite),
        cmocka_unit_test(without_pairs),
        cmocka_unit_test(indefinite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
