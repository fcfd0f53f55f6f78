#include "support/instance.h"

#include <math.h>
#include <stdlib.h>

const struct placement PLAIN_PLACEMENT = {SOFTRELU_ROW_MAJOR, 0, SOFTRELU_COPY};

static double *random_array(struct test_random *random, double scale, int64_t count) {
    if (scale == 0.0)
        return NULL;
    double *values = test_doubles(count);
    random_fill(random, scale, count, values);
    return values;
}

static void softmax_in_place(int64_t m, double *z) {
    double largest = z[0], sum = 0.0;
    for (int64_t j = 1; j < m; j++)
        largest = fmax(largest, z[j]);
    for (int64_t j = 0; j < m; j++)
        sum += z[j] = exp(z[j] - largest);
    for (int64_t j = 0; j < m; j++)
        z[j] /= sum;
}

struct instance random_instance(struct test_random *random, int64_t n, int64_t d, int64_t m, struct instance_scales scales,
                                softrelu_loss loss) {
    struct instance made = {.n = n, .d = d, .m = m, .rho = scales.rho, .loss = loss};
    assert_true(scales.A2 != 0.0 || m == n);
    made.A1 = random_array(random, scales.A1 / sqrt((double)d), n * d);
    made.A2 = random_array(random, scales.A2 / sqrt((double)n), m * n);
    made.b = random_array(random, 1.0, m);
    softmax_in_place(m, made.b);
    for (int64_t j = 0; j < m; j++)
        made.b[j] *= scales.b;
    made.c1 = random_array(random, scales.c1, n);
    made.c2 = random_array(random, scales.c2, m);
    made.w = random_array(random, scales.w, n);
    made.x_ref = random_array(random, scales.x_ref, d);
    return made;
}

struct instance synthetic_instance(struct test_random *random, int64_t n, int64_t d, int64_t m, double noise, double w) {
    struct instance made =
        random_instance(random, n, d, m, (struct instance_scales){.A1 = 1, .A2 = 2, .b = 1}, SOFTRELU_SQUARES);
    double *teacher = random_array(random, 1.0, d);
    for (int64_t j = 0; j < m; j++)
        made.b[j] = noise * random_normal(random);
    for (int64_t i = 0; i < n; i++) {
        double u = 0.0;
        for (int64_t k = 0; k < d; k++)
            u += made.A1[i * d + k] * teacher[k];
        for (int64_t j = 0; j < m; j++)
            made.b[j] += made.A2[j * n + i] * fmax(u, 0.0);
    }
    softmax_in_place(m, made.b);
    free(teacher);
    if (w != 0.0) {
        made.w = test_doubles(n);
        for (int64_t i = 0; i < n; i++)
            made.w[i] = w;
    }
    return made;
}

static double *copy_or_null(const double *values, int64_t count) { return values == NULL ? NULL : test_copy(values, count); }

struct instance instance_copy(const struct instance *instance) {
    struct instance copy = *instance;
    copy.A1 = copy_or_null(instance->A1, instance->n * instance->d);
    copy.A2 = copy_or_null(instance->A2, instance->m * instance->n);
    copy.b = copy_or_null(instance->b, instance->m);
    copy.c1 = copy_or_null(instance->c1, instance->n);
    copy.c2 = copy_or_null(instance->c2, instance->m);
    copy.w = copy_or_null(instance->w, instance->n);
    copy.x_ref = copy_or_null(instance->x_ref, instance->d);
    copy.lower = copy_or_null(instance->lower, instance->d);
    copy.upper = copy_or_null(instance->upper, instance->d);
    return copy;
}

void instance_free(struct instance *instance) {
    free(instance->A1);
    free(instance->A2);
    free(instance->b);
    free(instance->c1);
    free(instance->c2);
    free(instance->w);
    free(instance->x_ref);
    free(instance->lower);
    free(instance->upper);
    *instance = (struct instance){0};
}

void instance_round(struct instance *instance) {
    for (int64_t i = 0; i < instance->n * instance->d; i++)
        instance->A1[i] = (double)(float)instance->A1[i];
    for (int64_t i = 0; i < instance->m * instance->n && instance->A2 != NULL; i++)
        instance->A2[i] = (double)(float)instance->A2[i];
}

double *place_matrix(const double *values, int64_t rows, int64_t columns, struct placement placement, int64_t *ld) {
    const bool row_major = placement.layout == SOFTRELU_ROW_MAJOR;
    const int64_t outer = row_major ? rows : columns;
    *ld = (row_major ? columns : rows) + placement.padding;
    double *placed = test_doubles(outer * *ld);
    for (int64_t i = 0; i < outer * *ld; i++)
        placed[i] = NAN;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t k = 0; k < columns; k++)
            placed[row_major ? i * *ld + k : i + k * *ld] = values[i * columns + k];
    return placed;
}

/* Frees a buffer of count doubles that the library was to copy, or gives it back when the library borrows it. */
static double *spoil_copied(double *buffer, int64_t count, softrelu_ownership ownership) {
    if (ownership == SOFTRELU_BORROW)
        return buffer;
    for (int64_t i = 0; i < count; i++)
        buffer[i] = NAN;
    free(buffer);
    return NULL;
}

/* The same numbers as floats, in place of the buffer of doubles. */
static float *narrow(double *values, int64_t count) {
    float *narrowed = calloc((size_t)count, sizeof *narrowed);
    assert_non_null(narrowed);
    for (int64_t i = 0; i < count; i++) {
        narrowed[i] = (float)values[i];
        assert_true(isnan(values[i]) || (double)narrowed[i] == values[i]);
    }
    free(values);
    return narrowed;
}

static void *give_single(softrelu_problem *problem, softrelu_array array, double *placed, int64_t count, int64_t ld,
                         struct placement placement) {
    float *narrowed = narrow(placed, count);
    assert_int_equal(softrelu_problem_set_matrix_single(problem, array, narrowed, placement.layout, ld, placement.ownership),
                     SOFTRELU_OK);
    if (placement.ownership == SOFTRELU_BORROW)
        return narrowed;
    for (int64_t i = 0; i < count; i++)
        narrowed[i] = NAN;
    free(narrowed);
    return NULL;
}

static void *give_matrix(softrelu_problem *problem, softrelu_array array, const double *values, int64_t rows, int64_t columns,
                         struct placement placement) {
    int64_t ld;
    double *placed = place_matrix(values, rows, columns, placement, &ld);
    const int64_t count = ld * (placement.layout == SOFTRELU_ROW_MAJOR ? rows : columns);
    if (array == SOFTRELU_A1 ? placement.single_A1 : placement.single_A2)
        return give_single(problem, array, placed, count, ld, placement);
    assert_int_equal(softrelu_problem_set_matrix(problem, array, placed, placement.layout, ld, placement.ownership),
                     SOFTRELU_OK);
    return spoil_copied(placed, count, placement.ownership);
}

static void give_vector(softrelu_problem *problem, softrelu_array array, const double *values, int64_t length,
                        softrelu_ownership ownership) {
    if (values == NULL)
        return;
    if (ownership == SOFTRELU_BORROW) {
        assert_int_equal(softrelu_problem_set_vector(problem, array, values, length, ownership), SOFTRELU_OK);
        return;
    }
    double *copy = test_copy(values, length);
    assert_int_equal(softrelu_problem_set_vector(problem, array, copy, length, ownership), SOFTRELU_OK);
    (void)spoil_copied(copy, length, ownership);
}

struct built build(const struct instance *instance, struct placement placement) {
    const int64_t n = instance->n, d = instance->d, m = instance->m;
    struct built built = {NULL, NULL, NULL};
    assert_int_equal(softrelu_problem_create(n, d, m, NULL, NULL, NULL, &built.problem), SOFTRELU_OK);
    built.A1 = give_matrix(built.problem, SOFTRELU_A1, instance->A1, n, d, placement);
    if (instance->A2 != NULL)
        built.A2 = give_matrix(built.problem, SOFTRELU_A2, instance->A2, m, n, placement);
    give_vector(built.problem, SOFTRELU_B, instance->b, m, placement.ownership);
    give_vector(built.problem, SOFTRELU_C1, instance->c1, n, placement.ownership);
    give_vector(built.problem, SOFTRELU_C2, instance->c2, m, placement.ownership);
    give_vector(built.problem, SOFTRELU_W, instance->w, n, placement.ownership);
    give_vector(built.problem, SOFTRELU_X_REF, instance->x_ref, d, placement.ownership);
    give_vector(built.problem, SOFTRELU_LOWER, instance->lower, d, placement.ownership);
    give_vector(built.problem, SOFTRELU_UPPER, instance->upper, d, placement.ownership);
    if (instance->rho != 0.0)
        assert_int_equal(softrelu_problem_set_number(built.problem, SOFTRELU_RHO, instance->rho), SOFTRELU_OK);
    assert_int_equal(softrelu_problem_set_loss(built.problem, instance->loss), SOFTRELU_OK);
    if (softrelu_problem_finish(built.problem) != SOFTRELU_OK)
        fail_msg("finish: %s", softrelu_problem_message(built.problem));
    return built;
}

void built_free(struct built *built) {
    softrelu_problem_destroy(built->problem);
    free(built->A1);
    free(built->A2);
    *built = (struct built){NULL, NULL, NULL};
}

softrelu_evaluator *evaluator_at(const softrelu_problem *problem, const double *x, int64_t d) {
    softrelu_evaluator *evaluator = NULL;
    assert_int_equal(softrelu_evaluator_create(problem, &evaluator), SOFTRELU_OK);
    if (softrelu_evaluator_move(evaluator, x, d) != SOFTRELU_OK)
        fail_msg("move: %s", softrelu_evaluator_message(evaluator));
    return evaluator;
}
