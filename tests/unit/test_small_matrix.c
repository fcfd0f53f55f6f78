/* The small form of a Newton matrix is the matrix: products, solutions and definiteness against the matrix written out. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "step/newton.h"
#include "support/testing.h"

struct pair {
    int64_t d;
    struct srl_arena arena;
    struct srl_small_matrix small;
    double *basis, *orthonormal, *matrix; /* matrix: full */
};

/* Rows over the spread of decades, a third of them subtracted, the last one the sum of the others. */
static struct pair pair_of(struct test_random *random, int64_t d, int64_t count, double rho, double spread) {
    const struct srl_allocator allocator = srl_allocator_of(NULL, NULL, NULL);
    struct pair pair = {
        .d = d, .basis = test_doubles(d * d), .orthonormal = test_doubles(d * d), .matrix = test_doubles(d * d)};
    srl_small_matrix_carve(&pair.arena, &pair.small, d, pair.basis, pair.orthonormal);
    assert_true(srl_arena_reserve(&pair.arena, &allocator));
    srl_small_matrix_carve(&pair.arena, &pair.small, d, pair.basis, pair.orthonormal);
    struct srl_small_matrix *small = &pair.small;
    small->rho = rho;
    small->count = count;
    for (int64_t i = 0; i < count; i++) {
        const double scale = random_scale(random, -spread, 0.0);
        small->signs[i] = random_between(random, 0, 2) == 0 ? -1 : 1;
        for (int64_t k = 0; k < d; k++)
            small->rows[i * d + k] = scale * random_normal(random);
        for (int64_t j = 0; j < i && i == count - 1; j++)
            srl_axpy(d, 1.0, small->rows + j * d, small->rows + i * d);
    }
    for (int64_t i = 0; i < d; i++)
        for (int64_t j = 0; j < d; j++) {
            pair.matrix[i + j * d] = i == j ? rho : 0.0;
            for (int64_t k = 0; k < count; k++)
                pair.matrix[i + j * d] += small->signs[k] * small->rows[k * d + i] * small->rows[k * d + j];
        }
    return pair;
}

static void pair_free(struct pair *pair) {
    const struct srl_allocator allocator = srl_allocator_of(NULL, NULL, NULL);
    srl_arena_release(&pair->arena, &allocator);
    free(pair->basis);
    free(pair->orthonormal);
    free(pair->matrix);
}

/* y = (matrix + shift I) x, without the library. */
static void multiply(const struct pair *pair, double shift, const double *x, double *y) {
    for (int64_t i = 0; i < pair->d; i++) {
        y[i] = shift * x[i];
        for (int64_t j = 0; j < pair->d; j++)
            y[i] += pair->matrix[i + j * pair->d] * x[j];
    }
}

static void compare(struct pair *pair, struct test_random *random, double shift) {
    const int64_t d = pair->d;
    const double size = srl_norm(d * d, pair->matrix) + shift;
    double *x = test_doubles(d), *y = test_doubles(d), *z = test_doubles(d), *written = test_doubles(d * d);
    random_fill(random, 1.0, d, x);
    multiply(pair, shift, x, y);
    srl_small_matrix_product(&pair->small, shift, x, z);
    srl_axpy(d, -1.0, y, z);
    assert_true(srl_norm(d, z) <= 1e-14 * (double)d * size * srl_norm(d, x));

    srl_small_matrix_expand(&pair->small, written);
    for (int64_t k = 0; k < d; k++) {
        assert_true(fabs(srl_small_matrix_diagonal(&pair->small, k) - pair->matrix[k + k * d]) <= 1e-13 * size);
        for (int64_t i = k; i < d; i++)
            assert_true(fabs(written[i + k * d] - pair->matrix[i + k * d]) <= 1e-13 * size);
        written[k + k * d] += shift;
    }
    const bool definite = srl_small_matrix_is_definite(&pair->small, shift);
    assert_int_equal(definite, srl_potrf(d, written, d) == 0); /* none here is singular within round-off */
    if (definite) { /* S^-1 S^-T (M x) = x, up to the round-off of M x over the least eigenvalue */
        const double least = fmin(1.0, (pair->small.rho + shift + fmin(0.0, pair->small.eigenvalues[0])) / size);
        srl_small_matrix_solve(&pair->small, shift, y);
        srl_small_matrix_solve(&pair->small, shift, y);
        srl_axpy(d, -1.0, x, y);
        assert_true(srl_norm(d, y) <= 1e-14 * (double)d / least * srl_norm(d, x));
    }
    free(x);
    free(y);
    free(z);
    free(written);
}

static void is_the_matrix(void **state) {
    (void)state;
    struct test_random random = {31};
    int64_t definite = 0, all = 0;
    for (int64_t trial = 0; trial < test_count(300, 10); trial++) {
        const int64_t d = random_between(&random, 4, 50), count = random_between(&random, 1, srl_small_matrix_most(d));
        struct pair pair = pair_of(&random, d, count, random_scale(&random, -4.0, 0.0), 3.0);
        assert_true(srl_small_matrix_decompose(&pair.small));
        for (double shift = 0.0; shift < 1e4; shift = shift == 0.0 ? 1e-3 : 10.0 * shift) {
            compare(&pair, &random, shift);
            definite += srl_small_matrix_is_definite(&pair.small, shift);
            all++;
        }
        pair_free(&pair);
    }
    assert_true(definite > all / 4 && definite < all); /* both kinds were there */
}

/* No rows: a multiple of the identity. Data beyond double precision are refused. */
static void ends_of_the_range(void **state) {
    (void)state;
    struct test_random random = {32};
    struct pair pair = pair_of(&random, 12, 0, 4.0, 0.0);
    double x[12], y[12];
    random_fill(&random, 1.0, 12, x);
    memcpy(y, x, sizeof y);
    assert_true(srl_small_matrix_decompose(&pair.small));
    assert_true(srl_small_matrix_is_definite(&pair.small, 0.0) && !srl_small_matrix_is_definite(&pair.small, -4.0));
    srl_small_matrix_solve(&pair.small, 5.0, y);
    for (int64_t k = 0; k < 12; k++)
        assert_true(fabs(y[k] - x[k] / 3.0) <= 4.0 * DBL_EPSILON * fabs(x[k]));
    pair.small.count = 2;
    random_fill(&random, 1.0, 24, pair.small.rows);
    pair.small.signs[0] = pair.small.signs[1] = 1;
    pair.small.rows[5] = INFINITY;
    assert_false(srl_small_matrix_decompose(&pair.small));
    pair_free(&pair);
}

/* It is preferred where it is cheap, and never with more rows than there is room for. */
static void choice(void **state) {
    (void)state;
    assert_true(srl_small_matrix_pays(784, 10) && srl_small_matrix_pays(64, 9));
    assert_false(srl_small_matrix_pays(16, 8) || srl_small_matrix_pays(100, 51) || srl_small_matrix_pays(1, 1));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_the_matrix),
        cmocka_unit_test(ends_of_the_range),
        cmocka_unit_test(choice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
