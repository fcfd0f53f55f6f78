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
    double *basis, *orthonormal, *curvature, *root, *matrix; /* matrix: full */
};

/* R = A'A + least I of A with rows over two decades, as many as columns or fewer: lower triangle. */
static void fill_curvature(struct test_random *random, int64_t d, double least, double *curvature) {
    const int64_t rows = random_between(random, 1, d);
    double *a = test_doubles(rows * d);
    for (int64_t i = 0; i < rows; i++)
        random_fill(random, random_scale(random, -2.0, 0.0), d, a + i * d);
    srl_syrk(d, rows, 1.0, a, d, 0.0, curvature, d);
    for (int64_t k = 0; k < d; k++)
        curvature[k + k * d] += least;
    free(a);
}

static bool find_root(int64_t d, const double *curvature, double *rho, double *root) {
    double *work = test_doubles(3 * d);
    int32_t *indices = malloc((size_t)d * sizeof *indices);
    assert_non_null(indices);
    const bool found = srl_small_matrix_find_root(d, curvature, rho, root, work, indices);
    free(work);
    free(indices);
    return found;
}

/* Entry (i, j) of R. */
static double curvature_entry(const struct srl_small_matrix *small, int64_t i, int64_t j) {
    const int64_t row = i > j ? i : j, column = i > j ? j : i;
    return small->curvature != NULL ? small->curvature[row + column * small->d] : i == j ? small->rho : 0.0;
}

/* Rows over the spread of decades, a third of them subtracted, the last one the sum of the others, beside rho I or, with an L,
   a matrix of least eigenvalue rho or a little more. */
static struct pair pair_of(struct test_random *random, int64_t d, int64_t count, double rho, double spread, bool with_root) {
    const struct srl_allocator allocator = srl_allocator_of(NULL, NULL, NULL);
    struct pair pair = {.d = d,
                        .basis = test_doubles(d * d),
                        .orthonormal = test_doubles(d * d),
                        .matrix = test_doubles(d * d),
                        .curvature = test_doubles(d * d),
                        .root = test_doubles(d * d)};
    srl_small_matrix_carve(&pair.arena, &pair.small, d, pair.basis, pair.orthonormal);
    assert_true(srl_arena_reserve(&pair.arena, &allocator));
    srl_small_matrix_carve(&pair.arena, &pair.small, d, pair.basis, pair.orthonormal);
    struct srl_small_matrix *small = &pair.small;
    small->rho = rho;
    small->curvature = small->root = NULL;
    if (with_root) {
        fill_curvature(random, d, rho, pair.curvature);
        small->curvature = pair.curvature;
        assert_true(find_root(d, pair.curvature, &small->rho, pair.root));
        small->root = pair.root;
    }
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
            pair.matrix[i + j * d] = curvature_entry(small, i, j);
            for (int64_t k = 0; k < count; k++)
                pair.matrix[i + j * d] += small->signs[k] * small->rows[k * d + i] * small->rows[k * d + j];
        }
    return pair;
}

/* Entry (i, j) of L L'. */
static double shift_entry(const struct srl_small_matrix *small, int64_t i, int64_t j) {
    double sum = small->root == NULL && i == j;
    for (int64_t k = 0; k <= (i < j ? i : j) && small->root != NULL; k++)
        sum += small->root[i + k * small->d] * small->root[j + k * small->d];
    return sum;
}

static void pair_free(struct pair *pair) {
    const struct srl_allocator allocator = srl_allocator_of(NULL, NULL, NULL);
    srl_arena_release(&pair->arena, &allocator);
    free(pair->basis);
    free(pair->orthonormal);
    free(pair->curvature);
    free(pair->root);
    free(pair->matrix);
}

/* y = (matrix + shift L L') x, without the library. */
static void multiply(const struct pair *pair, double shift, const double *x, double *y) {
    for (int64_t i = 0; i < pair->d; i++) {
        y[i] = 0.0;
        for (int64_t j = 0; j < pair->d; j++)
            y[i] += (pair->matrix[i + j * pair->d] + shift * shift_entry(&pair->small, i, j)) * x[j];
    }
}

/* Of matrix + shift L L'. */
static double least_eigenvalue(const struct pair *pair, double shift) {
    const int64_t d = pair->d;
    double *shifted = test_copy(pair->matrix, d * d), *values = test_doubles(d), *work = test_doubles(srl_syev_work(d));
    for (int64_t i = 0; i < d; i++)
        for (int64_t j = 0; j < d; j++)
            shifted[i + j * d] += shift * shift_entry(&pair->small, i, j);
    assert_int_equal(srl_syev(false, d, shifted, d, values, work), 0);
    const double least = values[0];
    free(shifted);
    free(values);
    free(work);
    return least;
}

static void compare(struct pair *pair, struct test_random *random, double shift) {
    const int64_t d = pair->d;
    const double size = srl_norm(d * d, pair->matrix) + (double)d * shift;
    double *x = test_doubles(d), *y = test_doubles(d), *z = test_doubles(d), *written = test_doubles(d * d);
    random_fill(random, 1.0, d, x);
    multiply(pair, shift, x, y);
    srl_small_matrix_product(&pair->small, shift, x, z);
    srl_axpy(d, -1.0, y, z);
    assert_true(srl_norm(d, z) <= 1e-14 * (double)d * size * srl_norm(d, x));

    srl_small_matrix_expand(&pair->small, written);
    for (int64_t k = 0; k < d; k++) {
        for (int64_t i = k; i < d; i++) {
            assert_true(fabs(written[i + k * d] - pair->matrix[i + k * d]) <= 1e-13 * size);
            written[i + k * d] += shift * shift_entry(&pair->small, i, k);
        }
        assert_true(fabs(srl_small_matrix_diagonal(&pair->small, shift, k) - written[k + k * d]) <= 1e-13 * size);
    }
    const bool definite = srl_small_matrix_is_definite(&pair->small, shift);
    assert_int_equal(definite, srl_potrf(d, written, d) == 0); /* none here is singular within round-off */
    if (definite) { /* S^-T S^-1 (M x) = x, up to the round-off of M x over the least eigenvalue */
        const double least = least_eigenvalue(pair, shift) / size;
        srl_small_matrix_solve(&pair->small, shift, SRL_PLAIN, 1, y);
        srl_small_matrix_solve(&pair->small, shift, SRL_TRANSPOSED, 1, y);
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
        struct pair pair = pair_of(&random, d, count, random_scale(&random, -4.0, 0.0), 3.0, trial % 2 == 1);
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
    struct pair pair = pair_of(&random, 12, 0, 4.0, 0.0, false);
    double x[12], y[12];
    random_fill(&random, 1.0, 12, x);
    memcpy(y, x, sizeof y);
    assert_true(srl_small_matrix_decompose(&pair.small));
    assert_true(srl_small_matrix_is_definite(&pair.small, 0.0) && !srl_small_matrix_is_definite(&pair.small, -4.0));
    srl_small_matrix_solve(&pair.small, 5.0, SRL_PLAIN, 1, y);
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
    for (int with_root = 0; with_root < 2; with_root++) {
        assert_true(srl_small_matrix_pays(784, 10, with_root) && srl_small_matrix_pays(64, 7, with_root));
        assert_false(srl_small_matrix_pays(16, 8, with_root) || srl_small_matrix_pays(100, 51, with_root) ||
                     srl_small_matrix_pays(1, 1, with_root));
    }
    assert_true(srl_small_matrix_pays(128, 16, false) && !srl_small_matrix_pays(128, 16, true));
}

/* rho L L' is R, and L L' of mean diagonal entry 1; no L where R is singular, nearly so, or not finite. */
static void roots(void **state) {
    (void)state;
    struct test_random random = {33};
    for (int64_t trial = 0; trial < test_count(100, 5); trial++) {
        const int64_t d = random_between(&random, 1, 40);
        struct srl_small_matrix small = {.d = d};
        double *curvature = test_doubles(d * d), *root = test_doubles(d * d), mean = 0.0;
        const double scale = random_scale(&random, -100.0, 100.0);
        fill_curvature(&random, d, random_scale(&random, -4.0, 0.0), curvature);
        srl_scale(d * d, scale, curvature);
        assert_true(find_root(d, curvature, &small.rho, root));
        small.root = root;
        for (int64_t k = 0; k < d; k++) {
            mean += shift_entry(&small, k, k) / (double)d;
            for (int64_t i = k; i < d; i++)
                assert_true(fabs(small.rho * shift_entry(&small, i, k) - curvature[i + k * d]) <=
                            1e-14 * (double)d * (double)d * small.rho);
        }
        assert_true(fabs(mean - 1.0) <= 1e-13);
        if (d > 1) {
            for (int64_t k = 0; k < d; k++)
                for (int64_t i = k; i < d; i++)
                    curvature[i + k * d] = scale * (i == k && i > 0 ? 1.0 : i == k ? 1e-13 : 0.0);
            assert_false(find_root(d, curvature, &small.rho, root));
            curvature[0] = 0.0;
            assert_false(find_root(d, curvature, &small.rho, root));
            curvature[0] = INFINITY;
            assert_false(find_root(d, curvature, &small.rho, root));
        }
        free(curvature);
        free(root);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_the_matrix),
        cmocka_unit_test(ends_of_the_range),
        cmocka_unit_test(choice),
        cmocka_unit_test(roots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
