/* Limited-memory directions against the definition: B is updated pair by pair as a matrix. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "linalg/blas.h"
#include "step/lbfgs.h"
#include "support/testing.h"

enum { D = 7 };

static struct srl_lbfgs lbfgs_of(struct srl_arena *arena, const struct srl_allocator *allocator) {
    struct srl_lbfgs lbfgs;
    srl_lbfgs_carve(arena, &lbfgs, D);
    assert_true(srl_arena_reserve(arena, allocator));
    srl_lbfgs_carve(arena, &lbfgs, D);
    srl_lbfgs_reset(&lbfgs);
    return lbfgs;
}

/* B = (I - s y'/s'y) B (I - y s'/s'y) + s s'/s'y */
static void update(double *b, const double *s, const double *y) {
    double left[D * D], slope = 0.0, next[D * D];
    for (int i = 0; i < D; i++)
        slope += s[i] * y[i];
    for (int i = 0; i < D; i++)
        for (int j = 0; j < D; j++)
            left[i * D + j] = (i == j) - s[i] * y[j] / slope;
    for (int i = 0; i < D; i++)
        for (int j = 0; j < D; j++) {
            next[i * D + j] = s[i] * s[j] / slope;
            for (int k = 0; k < D; k++)
                for (int l = 0; l < D; l++)
                    next[i * D + j] += left[i * D + k] * b[k * D + l] * left[j * D + l];
        }
    memcpy(b, next, sizeof next);
}

/* B before the pairs: the inverse of the metric, or a multiple of the identity */
static void first_inverse(const double *factor, const double *s, const double *y, double *b) {
    double slope = 0.0, size = 0.0;
    for (int i = 0; i < D; i++) {
        slope += s[i] * y[i];
        size += y[i] * y[i];
    }
    for (int j = 0; j < D; j++) {
        double column[D] = {0.0};
        column[j] = factor != NULL ? 1.0 : slope / size;
        if (factor != NULL)
            assert_int_equal(srl_potrs(D, 1, factor, D, column, D), 0);
        for (int i = 0; i < D; i++)
            b[i * D + j] = column[i];
    }
}

static void draw_pair(struct test_random *random, double s[D], double y[D]) {
    double slope = 0.0;
    for (int i = 0; i < D; i++) {
        s[i] = random_normal(random);
        y[i] = random_normal(random);
        slope += s[i] * y[i];
    }
    for (int i = 0; i < D && slope < 0.0; i++)
        y[i] = -y[i];
}

static void is_the_definition(void **state) {
    (void)state;
    struct test_random random = {5};
    double factor[D * D] = {0.0};
    for (int j = 0; j < D; j++)
        for (int i = j; i < D; i++)
            factor[i + j * D] = i == j ? random_uniform(&random, 0.5, 2.0) : 0.3 * random_normal(&random);
    for (int metric = 0; metric < 2; metric++)
        for (int pairs = 1; pairs <= 2 * SRL_LBFGS_MEMORY + 1; pairs++) {
            struct srl_arena arena = {0};
            const struct srl_allocator allocator = srl_allocator_of(NULL, NULL, NULL);
            struct srl_lbfgs lbfgs = lbfgs_of(&arena, &allocator);
            double s[2 * SRL_LBFGS_MEMORY + 1][D], y[2 * SRL_LBFGS_MEMORY + 1][D], b[D * D];
            const double zero[D] = {0.0};
            for (int k = 0; k < pairs; k++) {
                draw_pair(&random, s[k], y[k]);
                srl_lbfgs_learn(&lbfgs, zero, s[k], zero, y[k]);
            }
            first_inverse(metric == 1 ? factor : NULL, s[pairs - 1], y[pairs - 1], b);
            for (int k = pairs > SRL_LBFGS_MEMORY ? pairs - SRL_LBFGS_MEMORY : 0; k < pairs; k++)
                update(b, s[k], y[k]);
            double gradient[D], expected[D] = {0.0}, direction[D];
            random_fill(&random, 1.0, D, gradient);
            for (int i = 0; i < D; i++)
                for (int j = 0; j < D; j++)
                    expected[i] -= b[i * D + j] * gradient[j];
            const struct srl_metric measure = {.d = D, .factor = factor};
            srl_lbfgs_direction(&lbfgs, metric == 1 ? &measure : NULL, gradient, direction);
            assert_true(worst_error(D, direction, expected) <= 1e-9);
            srl_arena_release(&arena, &allocator);
        }
}

/* Pairs along which the slope falls are left out, and without any the direction is -gradient. */
static void descends_always(void **state) {
    (void)state;
    struct srl_arena arena = {0};
    const struct srl_allocator allocator = srl_allocator_of(NULL, NULL, NULL);
    struct srl_lbfgs lbfgs = lbfgs_of(&arena, &allocator);
    struct test_random random = {6};
    double s[D], y[D], gradient[D], direction[D];
    const double zero[D] = {0.0};
    for (int k = 0; k < 50; k++) {
        draw_pair(&random, s, y);
        for (int i = 0; i < D; i++)
            y[i] = k % 2 == 0 ? -y[i] : y[i];
        const int64_t before = lbfgs.count;
        srl_lbfgs_learn(&lbfgs, zero, s, zero, y);
        assert_true(k % 2 == 1 || lbfgs.count == before);
        random_fill(&random, 1.0, D, gradient);
        srl_lbfgs_direction(&lbfgs, NULL, gradient, direction);
        double slope = 0.0;
        for (int i = 0; i < D; i++)
            slope += gradient[i] * direction[i];
        assert_true(slope < 0.0);
        for (int i = 0; i < D && k == 0; i++)
            assert_true(direction[i] == -gradient[i]);
    }
    assert_true(lbfgs.count == SRL_LBFGS_MEMORY);
    srl_arena_release(&arena, &allocator);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(is_the_definition), cmocka_unit_test(descends_always)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
