/* Input that breaks solvers: every kink at the start, repeated rows, ties, flat directions, one output, huge logits. Every
   solve must converge, and say truly what it found. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/solving.h"

enum { N = 40, D = 12, M = 15 };

static const struct instance_scales SCALES = {.A1 = 3, .A2 = 2, .b = 1};

static void set_w(struct instance *instance, double w) {
    free(instance->w);
    instance->w = test_doubles(instance->n);
    for (int64_t i = 0; i < instance->n; i++)
        instance->w[i] = w;
}

static void set_c1(struct instance *instance, double value) {
    free(instance->c1);
    instance->c1 = test_doubles(instance->n);
    for (int64_t i = 0; i < instance->n; i++)
        instance->c1[i] = value;
}

enum start { WARM, ZERO, RANDOM, WHOLE };

/* Solves from the start and checks all that solve_and_check() does, convergence, and the verdict against a certificate of its
   own. A residual of 1e-12 relative must be confirmed. */
static struct judgement converge(const char *name, const struct instance *instance, enum start start,
                                 struct test_random *random) {
    struct solving solving = solving_of(instance);
    const int64_t d = instance->d;
    double *x = test_doubles(d);
    for (int64_t k = 0; k < d; k++)
        x[k] = start == RANDOM ? random_normal(random) : start == WHOLE ? (double)random_between(random, -2, 2) : 0.0;
    assert_int_equal(softrelu_solver_set_start(solving.solver, start == WARM ? NULL : x, start == WARM ? 0 : d), SOFTRELU_OK);
    const struct outcome outcome = solve_and_check(&solving);
    assert_int_equal(softrelu_solver_solution(solving.solver, x, d), SOFTRELU_OK);
    const struct judgement found = judge(solving.built.problem, x, d, NULL);
    if (outcome.termination != SOFTRELU_CONVERGED || !(found.relative <= 1e-12) ||
        found.verdict == SOFTRELU_VERDICT_NOT_STATIONARY || found.verdict == SOFTRELU_VERDICT_UNDECIDED)
        fail_msg("%s: %s after %g iterations, %s (%s), residual %g", name, softrelu_termination_name(outcome.termination),
                 outcome.iterations, softrelu_verdict_name(found.verdict), softrelu_reason_name(found.reason), found.relative);
    free(x);
    solving_free(&solving);
    return found;
}

static void expect_certified(const char *name, const struct judgement *found) {
    if (found->verdict != SOFTRELU_VERDICT_CERTIFIED)
        fail_msg("%s: %s (%s)", name, softrelu_verdict_name(found->verdict), softrelu_reason_name(found->reason));
}

/* Both losses, several draws. */
#define FOR_DRAWS(instance_expression)                                                                                         \
    struct test_random random = {11};                                                                                          \
    for (int64_t draw = 0; draw < test_count(24, 4); draw++)                                                                   \
        for (struct instance instance = (instance_expression), *once = &instance; once != NULL;                                \
             instance_free(once), once = NULL)

static struct instance draw_of(struct test_random *random, int64_t draw, int64_t n, int64_t d, int64_t m) {
    return random_instance(random, n, d, m, SCALES, draw % 2 == 0 ? SOFTRELU_SQUARES : SOFTRELU_KL);
}

static void all_kinks_at_the_start(void **state) {
    (void)state;
    FOR_DRAWS(draw_of(&random, draw, N, D, M)) {
        set_w(&instance, 1e-3);
        const struct judgement found = converge("x0 = 0", &instance, ZERO, &random);
        expect_certified("x0 = 0", &found);
    }
}

/* Repeated, mirrored, scaled and zero rows. */
static void repeated_rows(void **state) {
    (void)state;
    FOR_DRAWS(draw_of(&random, draw, N, D, M)) {
        set_w(&instance, 1e-3);
        for (int64_t k = 0; k < D; k++) {
            for (int64_t i = 0; i < 10; i++)
                instance.A1[(10 + i) * D + k] = instance.A1[i * D + k];
            for (int64_t i = 0; i < 5; i++) {
                instance.A1[(20 + i) * D + k] = -instance.A1[i * D + k];
                instance.A1[(25 + i) * D + k] = 1.7 * instance.A1[(30 + i) * D + k];
                instance.A1[(35 + i) * D + k] = 0.0;
            }
        }
        for (enum start start = WARM; start <= RANDOM; start++) {
            const struct judgement found = converge("repeated rows", &instance, start, &random);
            expect_certified("repeated rows", &found);
        }
    }
}

static void all_units_off(void **state) {
    (void)state;
    FOR_DRAWS(draw_of(&random, draw, N, D, M)) {
        set_c1(&instance, -50.0);
        struct judgement found = converge("all off, w = 0", &instance, RANDOM, &random);
        assert_int_equal(found.reason, SOFTRELU_REASON_FLAT); /* F is constant there */
        set_w(&instance, 1e-3);
        found = converge("all off", &instance, RANDOM, &random);
        expect_certified("all off", &found);
    }
}

static void integer_ties(void **state) {
    (void)state;
    FOR_DRAWS(draw_of(&random, draw, N, D, M)) {
        for (int64_t i = 0; i < N * D; i++)
            instance.A1[i] = (double)random_between(&random, -2, 2);
        for (int64_t j = 0; j < M * N; j++)
            instance.A2[j] = (double)random_between(&random, -2, 2);
        for (int64_t j = 0; j < M; j++)
            instance.b[j] = j == 0;
        set_w(&instance, 1.0);
        converge("integers", &instance, ZERO, &random);
        converge("integers", &instance, WHOLE, &random);
        set_c1(&instance, 0.0);
        for (int64_t i = 0; i < N; i++)
            instance.c1[i] = (double)random_between(&random, -1, 1);
        converge("integers with biases", &instance, WHOLE, &random);
    }
}

/* A1 of rank 4, nothing else to hold x: flat directions, said so. */
static void deficient_rank(void **state) {
    (void)state;
    int64_t flat = 0, all = 0;
    FOR_DRAWS(draw_of(&random, draw, N, D, M)) {
        double *left = test_doubles(N * 4), *right = test_doubles(4 * D);
        random_fill(&random, 1.0, N * 4, left);
        random_fill(&random, 1.0, 4 * D, right);
        for (int64_t i = 0; i < N; i++)
            for (int64_t k = 0; k < D; k++) {
                instance.A1[i * D + k] = 0.0;
                for (int64_t r = 0; r < 4; r++)
                    instance.A1[i * D + k] += left[i * 4 + r] * right[r * D + k];
            }
        for (enum start start = WARM; start <= RANDOM; start += 2) {
            const struct judgement found = converge("rank 4", &instance, start, &random);
            assert_int_equal(found.verdict, SOFTRELU_VERDICT_STATIONARY);
            flat += found.reason == SOFTRELU_REASON_FLAT;
            all++;
        }
        free(left);
        free(right);
    }
    print_message("  %d of %d are called flat, the others sit on ridges that balance\n", (int)flat, (int)all);
    assert_true(2 * flat >= all);
}

static void more_unknowns_than_units(void **state) {
    (void)state;
    FOR_DRAWS(draw_of(&random, draw, 8, 30, 5)) {
        for (enum start start = WARM; start <= RANDOM; start += 2) {
            const struct judgement found = converge("d > n", &instance, start, &random);
            assert_int_equal(found.verdict, SOFTRELU_VERDICT_STATIONARY);
        }
        instance.rho = 1e-2; /* held near the origin */
        const struct judgement found = converge("d > n, rho", &instance, RANDOM, &random);
        expect_certified("d > n, rho", &found);
    }
}

static void one_of_everything(void **state) {
    (void)state;
    FOR_DRAWS(draw_of(&random, draw, N, D, 1)) {
        converge("m = 1", &instance, RANDOM, &random); /* softmax of one logit is 1: F is constant */
        set_w(&instance, 1e-2);
        instance.b[0] = 0.3;
        converge("m = 1, w", &instance, RANDOM, &random);
    }
    double one[1] = {2.0}, target[1] = {0.5}, w[1] = {1.0};
    for (int loss = 0; loss < 2; loss++)
        for (int regular = 0; regular < 2; regular++) {
            const struct instance instance = {.n = 1,
                                              .d = 1,
                                              .m = 1,
                                              .A1 = one,
                                              .b = target,
                                              .w = regular != 0 ? w : NULL,
                                              .loss = loss == 0 ? SOFTRELU_SQUARES : SOFTRELU_KL};
            struct test_random other = {3};
            const struct judgement found = converge("1 x 1 x 1", &instance, RANDOM, &other);
            if (regular != 0)
                expect_certified("1 x 1 x 1", &found);
        }
}

static void target_far_outside(void **state) {
    (void)state;
    FOR_DRAWS(draw_of(&random, draw, N, D, M)) {
        set_w(&instance, 1e-2);
        for (int64_t j = 0; j < M; j++)
            instance.b[j] = 1e3 * (instance.loss == SOFTRELU_KL ? fabs(random_normal(&random)) : random_normal(&random));
        converge("b far outside", &instance, RANDOM, &random);
        converge("b far outside", &instance, WARM, &random);
    }
}

static void huge_logits(void **state) {
    (void)state;
    FOR_DRAWS(draw_of(&random, draw, N, D, M)) {
        set_w(&instance, 1e-2);
        for (int64_t j = 0; j < M * N; j++)
            instance.A2[j] *= 1e4;
        converge("logits of 1e4", &instance, RANDOM, &random);
        for (int64_t j = 0; j < M; j++)
            instance.b[j] = j == 2;
        converge("logits of 1e4, one class", &instance, RANDOM, &random);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_kinks_at_the_start),
        cmocka_unit_test(repeated_rows),
        cmocka_unit_test(all_units_off),
        cmocka_unit_test(integer_ties),
        cmocka_unit_test(deficient_rank),
        cmocka_unit_test(more_unknowns_than_units),
        cmocka_unit_test(one_of_everything),
        cmocka_unit_test(target_far_outside),
        cmocka_unit_test(huge_logits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
