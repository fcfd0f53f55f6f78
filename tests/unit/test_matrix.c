/* A matrix of floats is read, and multiplied, like the same matrix of doubles; in either layout, with gaps between its vectors.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "linalg/blas.h"
#include "support/testing.h"

struct pair {
    double *entries; /* rows x columns, row-major, without gaps */
    double *wide;
    float *narrow;
    struct srl_matrix of_doubles, of_floats;
};

static struct pair random_pair(struct test_random *random, int64_t rows, int64_t columns, bool row_major) {
    const int64_t ld = (row_major ? columns : rows) + random_between(random, 0, 3), size = ld * (row_major ? rows : columns);
    struct pair pair = {test_doubles(rows * columns), test_doubles(size), calloc((size_t)size, sizeof *pair.narrow), {0}, {0}};
    assert_non_null(pair.narrow);
    for (int64_t k = 0; k < size; k++)
        pair.wide[k] = pair.narrow[k] = NAN;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++) {
            const int64_t at = row_major ? i * ld + j : i + j * ld;
            pair.narrow[at] = (float)random_normal(random);
            pair.wide[at] = pair.entries[i * columns + j] = pair.narrow[at];
        }
    pair.of_doubles = (struct srl_matrix){pair.wide, rows, columns, ld, row_major};
    pair.of_floats = (struct srl_matrix){NULL, rows, columns, ld, row_major, pair.narrow};
    return pair;
}

static void pair_free(struct pair *pair) {
    free(pair->entries);
    free(pair->wide);
    free(pair->narrow);
}

static double largest_difference(int64_t count, const double *a, const double *b) {
    double largest = 0.0;
    for (int64_t k = 0; k < count; k++)
        largest = fabs(a[k] - b[k]) <= largest ? largest : fabs(a[k] - b[k]);
    return largest;
}

static void products(struct test_random *random, const struct pair *pair) {
    const int64_t rows = pair->of_doubles.rows, columns = pair->of_doubles.columns, longer = rows > columns ? rows : columns;
    double *x = test_doubles(longer), *y = test_doubles(longer), *expected = test_doubles(longer),
           *start = test_doubles(longer);
    random_fill(random, 1.0, longer, x);
    random_fill(random, 1.0, longer, start);
    for (int op = 0; op < 2; op++)
        for (int k = 0; k < 3; k++) {
            const double alpha = k == 1 ? -1.5 : 1.0, beta = (double)k - 1.0;
            const int64_t length = op == 0 ? rows : columns;
            for (int64_t i = 0; i < length; i++) {
                double sum = 0.0;
                for (int64_t j = 0; j < (op == 0 ? columns : rows); j++)
                    sum += x[j] * (op == 0 ? pair->entries[i * columns + j] : pair->entries[j * columns + i]);
                expected[i] = alpha * sum + beta * start[i];
                y[i] = beta == 0.0 ? NAN : start[i]; /* is not read then */
            }
            srl_gemv(op == 0 ? SRL_PLAIN : SRL_TRANSPOSED, alpha, &pair->of_floats, x, beta, y);
            assert_true(largest_difference(length, y, expected) <= 8.0 * DBL_EPSILON * (double)(longer + 4));
        }
    free(x);
    free(y);
    free(expected);
    free(start);
}

static void products_with_matrices(struct test_random *random, const struct pair *pair) {
    const int64_t rows = pair->of_doubles.rows, columns = pair->of_doubles.columns, width = random_between(random, 1, 9);
    const int64_t first = random_between(random, 0, rows - 1), count = random_between(random, 1, rows - first);
    double *b = test_doubles(columns * width), *c = test_doubles(count * width), *expected = test_doubles(count * width);
    random_fill(random, 1.0, columns * width, b);
    srl_gemm_rows(&pair->of_doubles, first, count, width, b, expected);
    srl_gemm_rows(&pair->of_floats, first, count, width, b, c);
    for (int64_t i = 0; i < count; i++)
        for (int64_t k = 0; k < width; k++) {
            double sum = 0.0;
            for (int64_t j = 0; j < columns; j++)
                sum += pair->entries[(first + i) * columns + j] * b[j * width + k];
            assert_true(fabs(expected[i * width + k] - sum) <= 8.0 * DBL_EPSILON * (double)(columns + 4));
        }
    assert_true(largest_difference(count * width, c, expected) <= 8.0 * DBL_EPSILON * (double)(columns + 4));
    free(b);
    free(c);
    free(expected);
}

static void reading(struct test_random *random, const struct pair *pair) {
    const struct srl_matrix *both[2] = {&pair->of_doubles, &pair->of_floats};
    const int64_t rows = pair->of_doubles.rows, columns = pair->of_doubles.columns, longer = rows > columns ? rows : columns;
    double *out = test_doubles(longer), *scratch = test_doubles(longer), *x = test_doubles(columns);
    int32_t *list = calloc((size_t)longer, sizeof *list);
    assert_non_null(list);
    random_fill(random, 1.0, columns, x);
    for (int kind = 0; kind < 2; kind++) {
        const struct srl_matrix *a = both[kind], some = srl_some_rows(a, rows / 2, rows - rows / 2);
        const int64_t i = random_between(random, 0, rows - 1);
        const double *row = pair->entries + i * columns;
        srl_copy_row(a, i, out);
        assert_memory_equal(out, row, (size_t)columns * sizeof *out);
        srl_add_row(a, i, 2.0, out);
        for (int64_t j = 0; j < columns; j++) {
            assert_true(out[j] == 3.0 * row[j] || fabs(out[j] - 3.0 * row[j]) <= 4.0 * DBL_EPSILON * fabs(row[j]));
            assert_true(srl_entry(a, i, j) == row[j]);
            assert_true(srl_entry(&some, 0, j) == pair->entries[rows / 2 * columns + j]);
        }
        const double *part = srl_vector_part(a, 0, 0, srl_vector_length(a), scratch);
        for (int64_t k = 0; k < srl_vector_length(a); k++)
            assert_true(part[k] == (a->row_major ? pair->entries[k] : pair->entries[k * columns]));

        int64_t listed = 0;
        for (int64_t j = columns - 1; j >= 0; j -= 2)
            list[listed++] = (int32_t)j;
        memset(out, 0, (size_t)rows * sizeof *out);
        srl_add_columns(a, list, listed, x, out);
        for (int64_t r = 0; r < rows; r++) {
            double sum = 0.0;
            for (int64_t k = 0; k < listed; k++)
                sum += pair->entries[r * columns + list[k]] * x[k];
            assert_true(fabs(out[r] - sum) <= 8.0 * DBL_EPSILON * (double)(columns + 4));
        }
        srl_row_norms_of(a, scratch, out);
        for (int64_t r = 0; r < rows; r++)
            assert_true(fabs(out[r] - srl_norm(columns, pair->entries + r * columns)) <=
                        1e-14 * (1.0 + out[r]) * sqrt((double)columns));
        srl_column_norms_of(a, scratch, out);
        for (int64_t j = 0; j < columns; j++) {
            double sum = 0.0;
            for (int64_t r = 0; r < rows; r++)
                sum += pair->entries[r * columns + j] * pair->entries[r * columns + j];
            assert_true(fabs(out[j] - sqrt(sum)) <= 1e-14 * (1.0 + sqrt(sum)) * sqrt((double)rows));
        }
    }
    free(out);
    free(scratch);
    free(x);
    free(list);
}

static void gathering(struct test_random *random, const struct pair *pair) {
    const struct srl_matrix *both[2] = {&pair->of_doubles, &pair->of_floats};
    const int64_t rows = pair->of_doubles.rows, columns = pair->of_doubles.columns;
    double *out = test_doubles(rows * columns);
    float *single = calloc((size_t)(rows * columns), sizeof *single);
    int32_t *list = calloc((size_t)columns, sizeof *list);
    assert_true(single != NULL && list != NULL);
    for (int64_t j = 0; j < columns; j++)
        list[j] = (int32_t)random_between(random, 0, columns - 1);
    const struct srl_range some = {NULL, rows / 3, rows - rows / 3}, listed = {list, 0, columns};
    for (int kind = 0; kind < 2; kind++) {
        srl_gather(both[kind], some, listed, out);
        srl_gather_single(both[kind], some, listed, single);
        for (int64_t i = 0; i < some.count; i++)
            for (int64_t j = 0; j < columns; j++) {
                const int64_t at = both[kind]->row_major ? i * columns + j : i + j * some.count;
                assert_true(out[at] == pair->entries[(some.first + i) * columns + list[j]]);
                assert_true((double)single[at] == out[at]);
            }
    }
    free(out);
    free(single);
    free(list);
}

static void floats_are_read_like_doubles(void **state) {
    (void)state;
    struct test_random random = {8121};
    for (int64_t trial = 0; trial < test_count(200, 12); trial++) {
        const int64_t most = trial % 10 == 9 ? 300 : 20;
        const int64_t rows = random_between(&random, 1, most), columns = random_between(&random, 1, most);
        struct pair pair = random_pair(&random, rows, columns, trial % 2 == 0);
        products(&random, &pair);
        products_with_matrices(&random, &pair);
        reading(&random, &pair);
        gathering(&random, &pair);
        pair_free(&pair);
    }
}

/* Squares that leave the range of double are added up relative to the largest entry; rows of zeros have norm 0. */
static void norms_of_extremes(void **state) {
    (void)state;
    const double entries[6] = {3e200, 4e200, 3e-200, 4e-200, 0.0, 0.0};
    const float singles[4] = {3e-38F, 4e-38F, 3e38F, 0.0F};
    double norms[3], scratch[3];
    for (int by_columns = 0; by_columns < 2; by_columns++) {
        const struct srl_matrix rows = {entries, by_columns ? 2 : 3, by_columns ? 3 : 2, 2, !by_columns};
        (by_columns ? srl_column_norms_of : srl_row_norms_of)(&rows, scratch, norms);
        assert_true(fabs(norms[0] / 5e200 - 1.0) <= 1e-15 && fabs(norms[1] / 5e-200 - 1.0) <= 1e-15 && norms[2] == 0.0);
    }
    const struct srl_matrix floats = {NULL, 2, 2, 2, true, singles};
    srl_row_norms_of(&floats, scratch, norms);
    assert_true(fabs(norms[0] / hypot((double)3e-38F, (double)4e-38F) - 1.0) <= 1e-15 && norms[1] == (double)3e38F);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(floats_are_read_like_doubles), cmocka_unit_test(norms_of_extremes)};
    return cmocka_run_group_tests_name("matrix", tests, NULL, NULL);
}
