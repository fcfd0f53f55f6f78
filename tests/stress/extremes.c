#include "stress/extremes.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 7 };

static bool one_in(struct test_random *random, int64_t count) { return random_between(random, 1, count) == 1; }

/* Sizes of entries. */
enum size { ORDINARY, ANY, ROOT, SUBNORMAL, LARGE, SIZES };

static double size_of(struct test_random *random, enum size size) {
    switch (size) {
    case ANY:
        return random_scale(random, -300, 300);
    case ROOT:
        return random_scale(random, one_in(random, 2) ? -155 : 145, one_in(random, 2) ? -145 : 155);
    case SUBNORMAL:
        return DBL_TRUE_MIN * (double)random_between(random, 0, 1000);
    case LARGE:
        return random_scale(random, 2, 12);
    default:
        return 1.0;
    }
}

static enum size random_size(struct test_random *random) {
    return one_in(random, 2) ? ORDINARY : (enum size)random_between(random, ANY, SIZES - 1);
}

/* Numbers of one size, or each of its own, some of them 0 or whole. */
static double *numbers(struct test_random *random, int64_t count) {
    double *values = test_doubles(count);
    const enum size size = random_size(random);
    const bool each = one_in(random, 4), whole = one_in(random, 4), zeros = one_in(random, 4);
    double scale = size_of(random, size);
    for (int64_t i = 0; i < count; i++) {
        if (each)
            scale = size_of(random, size);
        values[i] = scale * (whole ? (double)random_between(random, -2, 2) : random_normal(random));
        if (zeros && one_in(random, 3))
            values[i] = 0.0;
    }
    return values;
}

static double *numbers_or_null(struct test_random *random, int64_t count) {
    return one_in(random, 2) ? NULL : numbers(random, count);
}

/* Some rows become others, their opposites or 0. */
static void repeat_rows(struct test_random *random, double *values, int64_t rows, int64_t columns) {
    if (!one_in(random, 3))
        return;
    for (int64_t i = 1; i < rows; i++) {
        const double *from = values + random_between(random, 0, i - 1) * columns;
        const double factor = one_in(random, 3) ? -1.0 : one_in(random, 8) ? 0.0 : 1.0;
        for (int64_t k = 0; k < columns && i % 2 == 1; k++)
            values[i * columns + k] = factor * from[k];
    }
}

static void repeat_columns(struct test_random *random, double *values, int64_t rows, int64_t columns) {
    if (columns < 2 || !one_in(random, 5))
        return;
    const int64_t from = random_between(random, 0, columns - 2);
    for (int64_t i = 0; i < rows; i++)
        values[i * columns + columns - 1] = values[i * columns + from];
}

static double *target(struct test_random *random, int64_t m) {
    if (one_in(random, 4))
        return numbers(random, m);
    double *b = test_doubles(m), sum = 0.0;
    const int64_t only = one_in(random, 4) ? random_between(random, 0, m - 1) : -1;
    for (int64_t j = 0; j < m; j++)
        sum += b[j] = j == only ? 1.0 : only >= 0 || one_in(random, 4) ? 0.0 : exp(3.0 * random_normal(random));
    for (int64_t j = 0; j < m && sum > 0.0; j++)
        b[j] /= sum;
    return b;
}

static void draw_bounds(struct test_random *random, struct instance *made) {
    made->lower = numbers(random, made->d);
    made->upper = numbers(random, made->d);
    for (int64_t k = 0; k < made->d; k++) {
        const double low = fmin(made->lower[k], made->upper[k]), high = fmax(made->lower[k], made->upper[k]);
        made->lower[k] = one_in(random, 4) ? -INFINITY : low;
        made->upper[k] = one_in(random, 4) ? INFINITY : one_in(random, 4) && isfinite(made->lower[k]) ? low : high;
    }
}

struct instance extreme_instance(struct test_random *random) {
    struct instance made = {.n = random_between(random, 1, MOST), .d = random_between(random, 1, MOST)};
    const bool identity = one_in(random, 6);
    made.m = identity ? made.n : random_between(random, 1, MOST);
    made.loss = one_in(random, 2) ? SOFTRELU_SQUARES : SOFTRELU_KL;
    made.A1 = numbers(random, made.n * made.d);
    repeat_rows(random, made.A1, made.n, made.d);
    repeat_columns(random, made.A1, made.n, made.d);
    if (!identity) {
        made.A2 = numbers(random, made.m * made.n);
        repeat_rows(random, made.A2, made.m, made.n);
        repeat_columns(random, made.A2, made.m, made.n);
    }
    made.b = target(random, made.m);
    made.c1 = numbers_or_null(random, made.n);
    made.c2 = numbers_or_null(random, made.m);
    made.w = numbers_or_null(random, made.n);
    made.x_ref = numbers_or_null(random, made.d);
    made.rho = one_in(random, 2) ? 0.0 : fabs(size_of(random, random_size(random)));
    if (one_in(random, 3))
        draw_bounds(random, &made);
    return made;
}

double *extreme_point(struct test_random *random, const struct instance *instance) {
    double *x = one_in(random, 5) ? test_doubles(instance->d) : numbers(random, instance->d);
    if (one_in(random, 3)) { /* on a kink, but for round-off */
        const double *row = instance->A1 + random_between(random, 0, instance->n - 1) * instance->d;
        const int64_t last = instance->d - 1;
        double rest = 0.0;
        for (int64_t k = 0; k < last; k++)
            rest += row[k] * x[k];
        const double moved = instance->c1 == NULL && row[last] != 0.0 ? -rest / row[last] : x[last];
        x[last] = isfinite(moved) ? moved : x[last];
    }
    return x;
}

static softrelu_status give(softrelu_problem *problem, softrelu_array array, const double *values, int64_t length) {
    return values == NULL ? SOFTRELU_OK : softrelu_problem_set_vector(problem, array, values, length, SOFTRELU_COPY);
}

softrelu_problem *sealed_or_refused(const struct instance *instance) {
    const int64_t n = instance->n, d = instance->d, m = instance->m;
    softrelu_problem *problem = NULL;
    assert_int_equal(softrelu_problem_create(n, d, m, NULL, NULL, NULL, &problem), SOFTRELU_OK);
    assert_int_equal(softrelu_problem_set_matrix(problem, SOFTRELU_A1, instance->A1, SOFTRELU_ROW_MAJOR, d, SOFTRELU_COPY),
                     SOFTRELU_OK);
    if (instance->A2 != NULL)
        assert_int_equal(softrelu_problem_set_matrix(problem, SOFTRELU_A2, instance->A2, SOFTRELU_ROW_MAJOR, n, SOFTRELU_COPY),
                         SOFTRELU_OK);
    assert_int_equal(give(problem, SOFTRELU_B, instance->b, m), SOFTRELU_OK);
    assert_int_equal(give(problem, SOFTRELU_C1, instance->c1, n), SOFTRELU_OK);
    assert_int_equal(give(problem, SOFTRELU_C2, instance->c2, m), SOFTRELU_OK);
    assert_int_equal(give(problem, SOFTRELU_W, instance->w, n), SOFTRELU_OK);
    assert_int_equal(give(problem, SOFTRELU_X_REF, instance->x_ref, d), SOFTRELU_OK);
    assert_int_equal(give(problem, SOFTRELU_LOWER, instance->lower, d), SOFTRELU_OK);
    assert_int_equal(give(problem, SOFTRELU_UPPER, instance->upper, d), SOFTRELU_OK);
    assert_int_equal(softrelu_problem_set_number(problem, SOFTRELU_RHO, instance->rho), SOFTRELU_OK);
    assert_int_equal(softrelu_problem_set_loss(problem, instance->loss), SOFTRELU_OK);
    const softrelu_status status = softrelu_problem_finish(problem);
    if (status == SOFTRELU_OK)
        return problem;
    if (status != SOFTRELU_ERROR_OVERFLOW || softrelu_problem_message(problem)[0] == '\0')
        fail_msg("finish: %s: %s", softrelu_status_name(status), softrelu_problem_message(problem));
    softrelu_problem_destroy(problem);
    return NULL;
}

static long double largest(const double *values, int64_t count, long double absent) {
    long double found = 0.0L;
    for (int64_t i = 0; i < count && values != NULL; i++)
        found = fmaxl(found, fabsl((long double)values[i]));
    return values == NULL ? absent : found;
}

long double largest_intermediate(const struct instance *instance, const struct reference *at, const double *x) {
    const long double a1 = 1.0L + largest(instance->A1, instance->n * instance->d, 0);
    const long double a2 = 1.0L + largest(instance->A2, instance->n * instance->m, 1);
    const long double w = 1.0L + largest(instance->w, instance->n, 0), b = 1.0L + largest(instance->b, instance->m, 0);
    const long double away = 1.0L + largest(x, instance->d, 0) + largest(instance->x_ref, instance->d, 0);
    const long double regular = w * w * a1 * a1 * away + (1.0L + (long double)instance->rho) * away;
    return fmaxl(b * b * a2 * a2 * a1 * a1, regular) * (1.0L + at->u_scale);
}

struct underflow underflow_of(const struct instance *instance, const struct reference *at, const double *x) {
    const long double least = DBL_TRUE_MIN, terms = (long double)(instance->n + instance->d + instance->m + 8);
    const long double a1 = largest(instance->A1, instance->n * instance->d, 0),
                      a2 = largest(instance->A2, instance->n * instance->m, 1);
    const long double w = largest(instance->w, instance->n, 0), b = largest(instance->b, instance->m, 0);
    const long double away = largest(x, instance->d, 0) + largest(instance->x_ref, instance->d, 0);
    struct underflow under;
    under.u = terms * least;
    under.z = terms * (1.0L + a2) * under.u;
    const long double outputs = terms * (1.0L + b) * (under.z + least); /* of q and r */
    const long double jacobian = terms * (1.0L + a1 * a2);
    under.loss = terms * ((1.0L + b) * (1.0L + b) * (under.z + least) + (1.0L + w) * (1.0L + w * at->u_scale) * under.u +
                          (1.0L + instance->rho) * (1.0L + away) * least);
    under.gradient = terms * (jacobian * outputs + (1.0L + a1) * (1.0L + w) * (1.0L + w) * under.u * terms +
                              (1.0L + instance->rho) * least + a1 * a2 * outputs);
    under.hessian = terms * terms *
                    (jacobian * jacobian * outputs + (1.0L + b) * jacobian * (1.0L + a1) * least +
                     (1.0L + w * a1) * (1.0L + a1) * least + terms * a1 * a1 * (1.0L + a2) * (1.0L + b) * least);
    under.product = under.hessian + terms * terms * (1.0L + a1) * (1.0L + w) * (1.0L + w) * least;
    return under;
}
