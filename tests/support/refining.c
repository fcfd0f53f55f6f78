#include "support/refining.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/reference.h"

enum { MOST_STEPS = 30 };
static const long double DEPENDENT = 1e-9L;

/* Adds the unit row of unit i unless it depends on those before; basis: an orthonormal basis of those. */
static void add_row(struct face *face, int64_t i, long double *basis) {
    const int64_t d = face->instance->d;
    long double *row = face->rows + face->kinks * d, *rest = basis + face->kinks * d, length = 0.0L, left = 0.0L;
    for (int64_t k = 0; k < d; k++)
        length = hypotl(length, (long double)face->instance->A1[i * d + k]);
    for (int64_t k = 0; k < d; k++) {
        row[k] = (long double)face->instance->A1[i * d + k] / length;
        rest[k] = face->bound[k] != 0 ? 0.0L : row[k];
    }
    for (int64_t j = 0; j < face->kinks; j++) {
        long double product = 0.0L;
        for (int64_t k = 0; k < d; k++)
            product += basis[j * d + k] * rest[k];
        for (int64_t k = 0; k < d; k++)
            rest[k] -= product * basis[j * d + k];
    }
    for (int64_t k = 0; k < d; k++)
        left = hypotl(left, rest[k]);
    if (!(left > DEPENDENT))
        return;
    for (int64_t k = 0; k < d; k++)
        rest[k] /= left;
    face->units[face->kinks++] = i;
}

struct face face_of(const struct instance *instance, const softrelu_certificate *certificate) {
    const int64_t n = instance->n, d = instance->d;
    struct face face = {.instance = instance};
    long double *basis = test_long_doubles((d + 1) * d);
    face.rows = test_long_doubles((d + 1) * d);
    face.units = calloc((size_t)d + 1, sizeof *face.units);
    face.kink = calloc((size_t)n, 1);
    face.bound = calloc((size_t)d, 1);
    assert_true(face.units != NULL && face.kink != NULL && face.bound != NULL);
    assert_int_equal(softrelu_certificate_active(certificate, face.kink, n, face.bound, d), SOFTRELU_OK);
    for (int64_t i = 0; i < n; i++)
        if (face.kink[i] != 0)
            add_row(&face, i, basis);
    free(basis);
    return face;
}

void face_free(struct face *face) {
    free(face->rows);
    free(face->units);
    free(face->kink);
    free(face->bound);
    *face = (struct face){0};
}

/* Solves M y = side by elimination with row pivoting, in place. */
static void eliminate(int64_t size, long double *M, long double *side) {
    for (int64_t k = 0; k < size; k++) {
        int64_t pivot = k;
        for (int64_t i = k + 1; i < size; i++)
            if (fabsl(M[i * size + k]) > fabsl(M[pivot * size + k]))
                pivot = i;
        for (int64_t j = 0; j < size; j++) {
            const long double kept = M[k * size + j];
            M[k * size + j] = M[pivot * size + j];
            M[pivot * size + j] = kept;
        }
        const long double kept = side[k];
        side[k] = side[pivot];
        side[pivot] = kept;
        for (int64_t i = k + 1; i < size; i++) {
            const long double factor = M[i * size + k] / M[k * size + k];
            for (int64_t j = k; j < size; j++)
                M[i * size + j] -= factor * M[k * size + j];
            side[i] -= factor * side[k];
        }
    }
    for (int64_t k = size - 1; k >= 0; k--) {
        for (int64_t j = k + 1; j < size; j++)
            side[k] -= M[k * size + j] * side[j];
        side[k] /= M[k * size + k];
    }
}

/* [H A'; A 0] (p, lambda) = (slope, offset), p = 0 at bounds; H = NULL: the identity. p into slope. */
static void solve_conditions(const struct face *face, const long double *H, long double *slope, const long double *offset) {
    const int64_t d = face->instance->d, size = d + face->kinks;
    long double *M = test_long_doubles(size * size), *side = test_long_doubles(size);
    for (int64_t k = 0; k < d; k++) {
        const bool held = face->bound[k] != 0;
        side[k] = held ? 0.0L : slope[k];
        for (int64_t l = 0; l < d; l++)
            M[k * size + l] = held || face->bound[l] != 0 || H == NULL ? (k == l ? 1.0L : 0.0L) : H[k * d + l];
        for (int64_t g = 0; g < face->kinks && !held; g++)
            M[k * size + d + g] = M[(d + g) * size + k] = face->rows[g * d + k];
    }
    memcpy(side + d, offset, (size_t)face->kinks * sizeof *side);
    eliminate(size, M, side);
    memcpy(slope, side, (size_t)d * sizeof *slope);
    free(M);
    free(side);
}

long double face_newton(const struct face *face, long double *x) {
    const struct instance *instance = face->instance;
    const int64_t d = instance->d;
    struct reference at = reference_at(instance, x, 2);
    long double *offset = test_long_doubles(face->kinks + 1), length = 0.0L;
    for (int64_t g = 0; g < face->kinks; g++) {
        long double row = 0.0L;
        for (int64_t k = 0; k < d; k++)
            row = hypotl(row, (long double)instance->A1[face->units[g] * d + k]);
        offset[g] = -at.u[face->units[g]] / row;
    }
    for (int64_t k = 0; k < d; k++)
        at.gradient[k] = -at.gradient[k];
    solve_conditions(face, at.hessian, at.gradient, offset);
    for (int64_t k = 0; k < d; k++) {
        x[k] += at.gradient[k];
        length = hypotl(length, at.gradient[k]);
    }
    free(offset);
    reference_free(&at);
    return length;
}

void face_project(const struct face *face, long double *move) {
    long double *offset = test_long_doubles(face->kinks + 1);
    solve_conditions(face, NULL, move, offset);
    free(offset);
}

long double face_refine(const struct face *face, long double *x) {
    long double length = INFINITY, before;
    int steps = 0;
    do {
        before = length;
        length = face_newton(face, x);
    } while (length < 0.5L * before && length > 0.0L && ++steps < MOST_STEPS);
    return length;
}
