/* The Hessian's rows kept, streamed block by block and listed one by one are the same rows. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/handles.h"
#include "support/instance.h"

struct workplace {
    struct built built;
    const struct srl_model *model;
    struct srl_arena arena;
    struct srl_allocator allocator;
    struct srl_point point;
    struct srl_hessian_work work;
    double *scratch, *jacobian;
};

static void carve(struct srl_arena *arena, struct workplace *at) {
    srl_point_carve(arena, &at->point, at->model);
    srl_hessian_carve(arena, &at->work, at->model);
    at->scratch = srl_arena_doubles(arena, at->model->n);
    at->jacobian = srl_arena_matrix(arena, at->model->m, at->model->d);
}

static struct workplace workplace_at(const struct instance *instance, struct placement placement, const double *x) {
    struct workplace at = {.built = build(instance, placement), .allocator = srl_allocator_of(NULL, NULL, NULL)};
    at.model = &at.built.problem->model;
    carve(&at.arena, &at);
    assert_true(srl_arena_reserve(&at.arena, &at.allocator));
    carve(&at.arena, &at);
    assert_true(srl_point_move(at.model, &at.point, x));
    assert_true(srl_point_differentiate(at.model, &at.point, at.scratch));
    return at;
}

static void leave(struct workplace *at) {
    srl_arena_release(&at->arena, &at->allocator);
    built_free(&at->built);
}

/* largest difference in the lower triangles over the largest entry */
static double difference(int64_t d, const double *a, const double *b) {
    double largest = 0.0, worst = 0.0;
    for (int64_t k = 0; k < d; k++)
        for (int64_t i = k; i < d; i++) {
            largest = fmax(largest, fabs(a[i + k * d]));
            worst = fmax(worst, fabs(a[i + k * d] - b[i + k * d]));
        }
    return largest > 0.0 ? worst / largest : worst;
}

static void compare(struct workplace *at, struct test_random *random) {
    const struct srl_model *model = at->model;
    const int64_t d = model->d, m = model->m;
    double *kept = test_doubles(d * d), *streamed = test_doubles(d * d), *listed = test_doubles(d * d),
           *negative = test_doubles(d * d), *weights = test_doubles(m);
    int32_t *rows = calloc((size_t)m, sizeof *rows);
    assert_non_null(rows);

    at->work.jacobian.kept = srl_has_output_layer(model) ? at->jacobian : NULL;
    srl_hessian_assemble(model, &at->work, &at->point, at->point.r, kept);
    at->work.jacobian.kept = NULL;
    srl_hessian_assemble(model, &at->work, &at->point, at->point.r, streamed);
    assert_true(difference(d, kept, streamed) <= 1e-12);

    /* all rows, in two lists and in any order; what negative weights make by itself */
    srl_hessian_prepare(model, &at->work, &at->point);
    srl_hessian_begin(model, &at->work, at->point.r, listed);
    for (int part = 0; part < 2; part++) {
        int64_t count = 0;
        for (int64_t j = m - 1; j >= 0; j--)
            if ((j % 3 == 0) == (part == 0)) {
                rows[count] = (int32_t)j;
                weights[count++] = at->point.r[j];
            }
        at->work.jacobian.kept =
            part == 1 && at->work.jacobian.kept_valid ? at->jacobian : NULL; /* listed rows from a kept one, too */
        srl_hessian_add(model, &at->work, at->point.outer.top, rows, weights, count, listed, negative);
    }
    double trace = 0.0;
    for (int64_t k = 0; k < d; k++) {
        trace += negative[k + k * d];
        for (int64_t i = k; i < d; i++)
            listed[i + k * d] += negative[i + k * d];
    }
    assert_true(difference(d, kept, listed) <= 1e-12);
    assert_true(trace <= 0.0);

    /* the pattern changes and comes back: a kept Jacobian must not be taken for the other pattern's */
    double *x = test_copy(at->point.x, d), *other = test_doubles(d);
    for (int64_t k = 0; k < d; k++)
        other[k] = -x[k] + random_normal(random);
    at->work.jacobian.kept = srl_has_output_layer(model) ? at->jacobian : NULL;
    for (int visit = 0; visit < 2; visit++) {
        assert_true(srl_point_move(model, &at->point, visit == 0 ? other : x));
        assert_true(srl_point_differentiate(model, &at->point, at->scratch));
        if (visit == 0)
            at->work.jacobian.kept = NULL; /* looked at without the kept one */
        srl_hessian_assemble(model, &at->work, &at->point, at->point.r, streamed);
        at->work.jacobian.kept = srl_has_output_layer(model) ? at->jacobian : NULL;
    }
    assert_true(difference(d, kept, streamed) <= 1e-12);
    free(kept);
    free(streamed);
    free(listed);
    free(negative);
    free(weights);
    free(rows);
    free(x);
    free(other);
}

static void check(struct test_random *random, int64_t n, int64_t d, int64_t m, double A2, softrelu_loss loss) {
    const struct instance_scales scales = {
        .A1 = 1, .A2 = A2, .b = 1, .c1 = 0.3, .c2 = 0.3, .w = random_between(random, 0, 1) ? 0.1 : 0.0, .rho = 0.1};
    struct instance instance = random_instance(random, n, d, m, scales, loss);
    double *x = test_doubles(d);
    random_fill(random, 1.0, d, x);
    for (int layout = 0; layout < 2; layout++) {
        const struct placement placement = {layout == 0 ? SOFTRELU_ROW_MAJOR : SOFTRELU_COLUMN_MAJOR, layout, SOFTRELU_COPY};
        struct workplace at = workplace_at(&instance, placement, x);
        compare(&at, random);
        leave(&at);
    }
    free(x);
    instance_free(&instance);
}

static void rows_kept_streamed_and_listed(void **state) {
    (void)state;
    struct test_random random = {4411};
    for (int64_t trial = 0; trial < test_count(60, 6); trial++) {
        const int64_t n = random_between(&random, 1, 50), d = random_between(&random, 1, 20);
        const bool identity = trial % 5 == 0;
        const int64_t m = identity ? n : random_between(&random, 1, 80);
        check(&random, n, d, m, identity ? 0.0 : 1.0, trial % 2 == 0 ? SOFTRELU_SQUARES : SOFTRELU_KL);
    }
}

/* More rows than a block takes, and more columns than its buffer. */
static void many_blocks(void **state) {
    (void)state;
    struct test_random random = {4412};
    check(&random, 30, 4, 2500, 1.0, SOFTRELU_SQUARES);
    check(&random, 1500, 4, 1500, 0.0, SOFTRELU_SQUARES);
    if (test_count(1, 0) > 0)
        check(&random, 9000, 3, 1100, 1.0, SOFTRELU_SQUARES);
}

/* A long walk in small steps: G follows the units that flip, and stays what it is when made from the data. */
static void kept_along_a_walk(void **state) {
    (void)state;
    struct test_random random = {4413};
    const int64_t n = 120, d = 10, m = 70;
    const struct instance_scales scales = {.A1 = 1, .A2 = 1, .b = 1, .c1 = 0.3, .c2 = 0.3, .w = 0.1};
    struct instance instance = random_instance(&random, n, d, m, scales, SOFTRELU_SQUARES);
    double *x = test_doubles(d), *kept = test_doubles(d * d), *anew = test_doubles(d * d);
    random_fill(&random, 1.0, d, x);
    for (int layout = 0; layout < 2; layout++) {
        const struct placement placement = {layout == 0 ? SOFTRELU_ROW_MAJOR : SOFTRELU_COLUMN_MAJOR, layout, SOFTRELU_COPY};
        struct workplace at = workplace_at(&instance, placement, x);
        for (int64_t step = 0; step < test_count(400, 20); step++) {
            for (int64_t k = 0; k < d; k++)
                x[k] += (step % 50 == 49 ? 1.0 : 0.03) * random_normal(&random);
            assert_true(srl_point_move(at.model, &at.point, x));
            assert_true(srl_point_differentiate(at.model, &at.point, at.scratch));
            at.work.jacobian.kept = at.jacobian;
            srl_hessian_assemble(at.model, &at.work, &at.point, at.point.r, kept);
            at.work.jacobian.kept = NULL;
            srl_hessian_assemble(at.model, &at.work, &at.point, at.point.r, anew);
            assert_true(difference(d, kept, anew) <= 1e-12);
        }
        leave(&at);
    }
    free(x);
    free(kept);
    free(anew);
    instance_free(&instance);
}

/* An update that goes wrong is noticed: the rows that are compared go through all of them. */
static void a_spoilt_jacobian_is_noticed(void **state) {
    (void)state;
    struct test_random random = {4414};
    const struct instance_scales scales = {.A1 = 1, .A2 = 1, .b = 1};
    const int64_t n = 60, d = 5, m = 23;
    struct instance instance = random_instance(&random, n, d, m, scales, SOFTRELU_KL);
    double *x = test_doubles(d), hessian[25], anew[25];
    random_fill(&random, 1.0, d, x);
    struct workplace at = workplace_at(&instance, PLAIN_PLACEMENT, x);
    at.work.jacobian.kept = at.jacobian;
    srl_hessian_assemble(at.model, &at.work, &at.point, at.point.r, hessian);
    for (int64_t j = 0; j < m; j++)
        at.jacobian[j * d + 2] += 1e-6; /* every row: whichever are looked at */
    x[0] = -x[0];
    assert_true(srl_point_move(at.model, &at.point, x));
    assert_true(srl_point_differentiate(at.model, &at.point, at.scratch));
    srl_hessian_assemble(at.model, &at.work, &at.point, at.point.r, hessian);
    at.work.jacobian.kept = NULL;
    srl_hessian_assemble(at.model, &at.work, &at.point, at.point.r, anew);
    assert_true(difference(d, hessian, anew) <= 1e-13);
    leave(&at);
    free(x);
    instance_free(&instance);
}

/* The order of the products is chosen by their cost, and does not show in what comes out. */
static void both_orders_of_the_products(void **state) {
    (void)state;
    struct test_random random = {4415};
    assert_true(srl_factors_are_cheaper(50000.0, 100.0, 100.0, 100.0));
    assert_false(srl_factors_are_cheaper(50000.0, 300.0, 100.0, 300.0)); /* many units */
    assert_false(srl_factors_are_cheaper(50000.0, 110.0, 100.0, 0.0));   /* G is there */
    assert_true(srl_factors_are_cheaper(50000.0, 90.0, 100.0, 0.0));
    assert_false(srl_factors_are_cheaper(10.0, 100.0, 100.0, 100.0)); /* few outputs */
    for (int64_t trial = 0; trial < test_count(24, 4); trial++) {
        const int64_t d = random_between(&random, 20, 150), n = random_between(&random, 2, 2 * d);
        const int64_t m = trial % 3 == 0 ? 2500 : random_between(&random, 4 * d, 6 * d);
        const struct instance_scales scales = {
            .A1 = 1, .A2 = trial % 4 == 0 ? 30 : 1, .b = 1, .c1 = 0.3, .c2 = 0.3, .w = 0.1, .rho = 0.1};
        struct instance instance = random_instance(&random, n, d, m, scales, trial % 2 == 0 ? SOFTRELU_SQUARES : SOFTRELU_KL);
        double *x = test_doubles(d), *factors = test_doubles(d * d), *rows = test_doubles(d * d);
        random_fill(&random, 1.0, d, x);
        const struct placement placement = {trial % 2 == 0 ? SOFTRELU_ROW_MAJOR : SOFTRELU_COLUMN_MAJOR, 1, SOFTRELU_COPY};
        struct workplace at = workplace_at(&instance, placement, x);
        srl_jacobian_keep_in(&at.work.jacobian, NULL, trial % 5 == 4);
        for (int64_t k = 0; k < d * d; k++)
            factors[k] = (double)k; /* is overwritten, but for what is above the diagonal */
        srl_hessian_assemble(at.model, &at.work, &at.point, at.point.r, factors);
        assert_true(srl_factors_are_cheaper((double)m, (double)at.work.jacobian.active_count, (double)d,
                                            srl_jacobian_units(&at.work.jacobian)));
        srl_hessian_begin(at.model, &at.work, at.point.r, rows);
        srl_hessian_prepare(at.model, &at.work, &at.point);
        srl_hessian_add_fit(at.model, &at.work, at.point.outer.top, at.point.r, rows);
        assert_true(difference(d, rows, factors) <= (at.work.jacobian.single ? 1e-5 : 1e-13));
        free(x);
        free(factors);
        free(rows);
        leave(&at);
        instance_free(&instance);
    }
}

static size_t work_memory(int64_t n, int64_t d, int64_t m) {
    const double some = 0.0;
    const struct srl_model model = {.n = n, .d = d, .m = m, .A1 = {&some, n, d, d, true}, .A2 = {&some, m, n, n, true}};
    struct srl_hessian_work work = {0};
    struct srl_arena counting = {0};
    srl_hessian_carve(&counting, &work, &model);
    assert_false(counting.overflow);
    return counting.used;
}

/* Without G: a fixed number of rows of A1 and of G, of pieces of A2, and vectors; nothing of size n d, m d or m n. */
static void memory_of_an_assembly(void **state) {
    (void)state;
    const int64_t n = 20000, d = 500, m = 20000;
    const size_t base = work_memory(n, d, m);
    assert_true(base <= (size_t)(32 * d * d + 40000 * d + 24 * (1 << 20) + 64 * (n + m)));
    assert_true(work_memory(2 * n, d, m) - base <= (size_t)(32 * n));
    assert_true(work_memory(n, d, 2 * m) - base <= (size_t)(16 * m));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(rows_kept_streamed_and_listed),
                                       cmocka_unit_test(many_blocks),
                                       cmocka_unit_test(kept_along_a_walk),
                                       cmocka_unit_test(a_spoilt_jacobian_is_noticed),
                                       cmocka_unit_test(both_orders_of_the_products),
                                       cmocka_unit_test(memory_of_an_assembly)};
    return cmocka_run_group_tests_name("hessian", tests, NULL, NULL);
}
