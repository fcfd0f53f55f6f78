/* Random hinge QPs, in families: for unit/test_hinge_qp.c. */
#ifndef SOFTRELU_TESTS_HINGE_PROBLEM_H
#define SOFTRELU_TESTS_HINGE_PROBLEM_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "step/hinge_qp.h"
#include "support/testing.h"

static double uniform(struct test_random *random) { return random_uniform(random, 0.0, 1.0); }

struct family {
    const char *name;
    double hinges;   /* at most, in multiples of d */
    double spread;   /* decades between the eigenvalues of H, at most */
    bool degenerate; /* rows repeated, mirrored, scaled and zero; hinges at zero; weights over 18 decades */
    bool integers;   /* small integers only: exact ties everywhere */
    bool bounds;
    bool wrong_guess;
    bool appended;    /* the hinges arrive in several rounds */
    bool small;       /* H is a multiple of the identity and a few rows, and factored as such */
    double tolerance; /* of the KKT error */
};

struct instance {
    int64_t d, count;
    double *hessian, *factor, *gradient; /* H without the shift, L of H + shift I */
    double shift, small_shift;           /* small_shift: that of small, which hessian holds already */
    double *rows, *offsets, *weights;
    double *lower, *upper;
    bool bounded, is_small;
    struct srl_arena arena;
    struct srl_small_matrix small;
    double *basis, *orthonormal, *curvature, *root; /* of small */
};

static void free_instance(struct instance *at) {
    double *all[] = {at->hessian, at->factor, at->gradient, at->rows,        at->offsets,   at->weights,
                     at->lower,   at->upper,  at->basis,    at->orthonormal, at->curvature, at->root};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    const struct srl_allocator allocator = srl_allocator_of(NULL, NULL, NULL);
    srl_arena_release(&at->arena, &allocator);
}

/* H = M M' with columns of M scaled over the spread, plus a little of the identity; or integer and diagonally dominant. */
static void make_hessian(struct instance *at, struct test_random *random, const struct family *family) {
    const int64_t d = at->d;
    const double spread = family->spread * uniform(random);
    double *m = test_doubles(d * d);
    for (int64_t j = 0; j < d; j++) {
        const double scale = pow(10.0, -0.5 * spread * uniform(random));
        for (int64_t i = 0; i < d; i++)
            m[i + j * d] = scale * random_normal(random);
    }
    for (int64_t i = 0; i < d; i++)
        for (int64_t j = 0; j <= i; j++) {
            double sum = i == j ? pow(10.0, -spread) : 0.0;
            for (int64_t k = 0; k < d; k++)
                sum += m[i + k * d] * m[j + k * d];
            if (family->integers)
                sum = i == j ? 2.0 * (double)d : (double)random_between(random, -1, 1);
            at->hessian[i + j * d] = at->hessian[j + i * d] = sum;
        }
    at->shift = family->integers ? 0.0 : uniform(random) < 0.5 ? 0.0 : uniform(random) * at->hessian[0];
    memcpy(at->factor, at->hessian, (size_t)(d * d) * sizeof *at->factor);
    for (int64_t k = 0; k < d; k++)
        at->factor[k + k * d] += at->shift;
    assert_int_equal(srl_potrf(d, at->factor, d), 0);
    free(m);
}

/* R = N N' with columns of N scaled over half the spread, plus a little of the identity, and its L. */
static void make_root(struct instance *at, struct test_random *random, const struct family *family) {
    const int64_t d = at->d;
    struct srl_small_matrix *small = &at->small;
    double *n = test_doubles(d * d), *work = test_doubles(3 * d);
    int32_t *indices = malloc((size_t)d * sizeof *indices);
    assert_non_null(indices);
    for (int64_t j = 0; j < d; j++)
        random_fill(random, pow(10.0, -0.25 * family->spread * uniform(random)), d, n + j * d);
    at->curvature = test_doubles(d * d);
    at->root = test_doubles(d * d);
    srl_syrk(d, d, small->rho, n, d, 0.0, at->curvature, d);
    for (int64_t k = 0; k < d; k++)
        at->curvature[k + k * d] += small->rho * pow(10.0, -0.5 * family->spread);
    assert_true(srl_small_matrix_find_root(d, at->curvature, &small->rho, at->root, work, indices));
    small->curvature = at->curvature;
    small->root = at->root;
    free(n);
    free(work);
    free(indices);
}

/* H = R + rows scaled over the spread, a few of them subtracted, the shift that makes it definite included. R is rho I or
   another matrix, at the lower end. */
static void make_small_hessian(struct instance *at, struct test_random *random, const struct family *family) {
    const struct srl_allocator allocator = srl_allocator_of(NULL, NULL, NULL);
    const int64_t d = at->d, count = random_between(random, 0, srl_small_matrix_most(d));
    struct srl_small_matrix *small = &at->small;
    at->is_small = true;
    at->basis = test_doubles(d * d);
    at->orthonormal = test_doubles(d * d);
    srl_small_matrix_carve(&at->arena, small, d, at->basis, at->orthonormal);
    assert_true(srl_arena_reserve(&at->arena, &allocator));
    srl_small_matrix_carve(&at->arena, small, d, at->basis, at->orthonormal);
    small->rho = pow(10.0, -family->spread * uniform(random));
    small->count = count;
    if (uniform(random) < 0.5)
        make_root(at, random, family);
    for (int64_t i = 0; i < count; i++) {
        const double scale = pow(10.0, -0.5 * family->spread * uniform(random));
        small->signs[i] = uniform(random) < 0.2 ? -1 : 1;
        for (int64_t k = 0; k < d; k++)
            small->rows[i * d + k] = scale * random_normal(random);
        if (i > 0 && uniform(random) < 0.1) /* centred rows are dependent, too */
            memcpy(small->rows + i * d, small->rows, (size_t)d * sizeof *small->rows);
    }
    assert_true(srl_small_matrix_decompose(small));
    srl_small_matrix_expand(small, at->hessian);
    for (at->small_shift = uniform(random) < 0.5 ? 0.0 : uniform(random);
         !srl_small_matrix_is_definite(small, at->small_shift);)
        at->small_shift = fmax(2.0 * at->small_shift, 1e-6);
    for (int64_t k = 0; k < d; k++)
        for (int64_t j = k; j < d; j++) /* L L' = R / rho */
            at->hessian[j + k * d] +=
                at->small_shift * (small->root == NULL ? (double)(j == k) : small->curvature[j + k * d] / small->rho);
    for (int64_t j = 0; j < d; j++)
        for (int64_t i = j; i < d; i++)
            at->hessian[j + i * d] = at->hessian[i + j * d];
    memcpy(at->factor, at->hessian, (size_t)(d * d) * sizeof *at->factor);
    assert_int_equal(srl_potrf(d, at->factor, d), 0);
}

/* Row i: mostly random; some repeat, mirror or scale an earlier one; some are zero. */
static void make_hinge(struct instance *at, struct test_random *random, const struct family *family, int64_t i) {
    const int64_t d = at->d, other = i > 0 ? random_between(random, 0, i - 1) : 0;
    const int kind = family->degenerate && i > 0 ? (int)random_between(random, 0, 7) : 7;
    for (int64_t k = 0; k < d; k++) {
        const double earlier = at->rows[other * d + k];
        const double fresh = family->integers ? (double)random_between(random, -2, 2) : random_normal(random);
        at->rows[i * d + k] = kind == 0 ? earlier : kind == 1 ? -earlier : kind == 2 ? 0.5 * earlier : kind == 3 ? 0.0 : fresh;
    }
    at->offsets[i] = kind <= 2 ? at->offsets[other] * (kind == 2 ? 0.5 : 1.0) : -fabs(random_normal(random)) * uniform(random);
    if (family->degenerate && uniform(random) < 0.3)
        at->offsets[i] = 0.0;
    at->weights[i] = fabs(random_normal(random)) * (family->degenerate ? random_scale(random, -15.0, 3.0) : 1.0);
    if (family->integers) {
        at->offsets[i] = (double)random_between(random, -2, 0);
        at->weights[i] = (double)random_between(random, 0, 3);
    }
}

/* Free, one-sided, narrow, fixed, and already reached. */
static void make_bounds(struct instance *at, struct test_random *random, const struct family *family) {
    at->bounded = family->bounds;
    for (int64_t k = 0; k < at->d; k++) {
        const int kind = (int)random_between(random, 0, 5);
        const double below = family->integers ? -1.0 : -uniform(random), above = family->integers ? 1.0 : uniform(random);
        at->lower[k] = kind == 0 || kind == 1 ? -INFINITY : kind >= 4 ? 0.0 : below;
        at->upper[k] = kind == 0 || kind == 2 ? INFINITY : kind == 5 ? 0.0 : above;
    }
}

static struct instance make_instance(struct test_random *random, const struct family *family) {
    const int64_t d = random_between(random, 1, uniform(random) < 0.5 ? 5 : 60);
    const int64_t most = (int64_t)(family->hinges * (double)d), some = most < 3 ? most : 3;
    struct instance at = {.d = d, .count = random_between(random, 0, uniform(random) < 0.2 ? some : most)};
    at.hessian = test_doubles(d * d);
    at.factor = test_doubles(d * d);
    at.gradient = test_doubles(d);
    at.rows = test_doubles(at.count * d + 1);
    at.offsets = test_doubles(at.count + 1);
    at.weights = test_doubles(at.count + 1);
    at.lower = test_doubles(d);
    at.upper = test_doubles(d);
    (family->small ? make_small_hessian : make_hessian)(&at, random, family);
    for (int64_t k = 0; k < d; k++)
        at.gradient[k] = family->integers ? (double)random_between(random, -9, 9) : random_normal(random);
    for (int64_t i = 0; i < at.count; i++)
        make_hinge(&at, random, family, i);
    make_bounds(&at, random, family);
    return at;
}

#endif
