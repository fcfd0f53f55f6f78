#include "step/face.h"

#include <math.h>
#include <string.h>

static const double DEPENDENCE = 1e-10;     /* what is left of a row beside the others, relative to it, that is round-off */
static const double NEAR_DEPENDENCE = 1e-5; /* the same where products of the rows stand for them */

void srl_face_carve(struct srl_arena *arena, struct srl_face *face, int64_t d) {
    face->d = d;
    face->interruption = NULL;
    face->basis = srl_arena_matrix(arena, d, d);
    face->triangle = srl_arena_matrix(arena, d, d);
    face->coefficients = srl_arena_doubles(arena, d);
    face->products = srl_arena_matrix(arena, d, d);
    face->lengths = srl_arena_doubles(arena, d);
}

void srl_face_clear(struct srl_face *face, const struct srl_metric *metric) {
    face->count = 0;
    face->orthonormal = true;
    face->metric = metric;
}

static struct srl_matrix basis_of(const struct srl_face *face) {
    return (struct srl_matrix){face->basis, face->d, face->count, face->d, false};
}

static double *column(const struct srl_face *face, int64_t k) { return face->triangle + k * face->d; }

/* x -= QQ'x, twice; the coefficients Q'x are added to coefficients unless NULL. */
static void split(struct srl_face *face, double *x, double *coefficients) {
    const struct srl_matrix basis = basis_of(face);
    for (int pass = 0; pass < 2 && face->count > 0; pass++) {
        srl_gemv(SRL_TRANSPOSED, 1.0, &basis, x, 0.0, face->coefficients);
        srl_gemv(SRL_PLAIN, -1.0, &basis, face->coefficients, 1.0, x);
        if (coefficients != NULL)
            srl_axpy(face->count, 1.0, face->coefficients, coefficients);
    }
}

void srl_face_project_out(struct srl_face *face, double *x) { split(face, x, NULL); }

double *srl_face_slot(struct srl_face *face) { return face->count < face->d ? face->basis + face->count * face->d : NULL; }

bool srl_face_append(struct srl_face *face) {
    double *y = srl_face_slot(face), *t = column(face, face->count);
    memset(t, 0, (size_t)face->d * sizeof *t);
    srl_metric_solve(face->metric, SRL_PLAIN, 1, y);
    const double before = srl_norm(face->d, y);
    split(face, y, t);
    const double after = srl_norm(face->d, y);
    if (!(after > DEPENDENCE * before))
        return false;
    srl_scale(face->d, 1.0 / after, y);
    t[face->count++] = after;
    return true;
}

bool srl_face_find_products(struct srl_face *face) {
    const int64_t count = face->count;
    double *s = face->products;
    srl_syrk_of_rows(count, face->d, face->basis, face->d, s, count);
    for (int64_t k = 0; k < count; k++)
        face->lengths[k] = sqrt(s[k + k * count]);
    bool regular = !srl_interrupted(face->interruption) && srl_potrf(count, s, count) == 0;
    for (int64_t k = 0; k < count; k++)
        regular = regular && s[k + k * count] > NEAR_DEPENDENCE * face->lengths[k];
    return regular;
}

void srl_face_solve_products(const struct srl_face *face, double *b) {
    srl_trsm_lower(SRL_PLAIN, face->count, 1, face->products, face->count, b, face->count);
    srl_trsm_lower(SRL_TRANSPOSED, face->count, 1, face->products, face->count, b, face->count);
}

bool srl_face_orthonormalise(struct srl_face *face) {
    const int64_t count = face->count;
    for (int64_t k = 0; k < count; k++) { /* T = I */
        memset(column(face, k), 0, (size_t)face->d * sizeof *face->triangle);
        column(face, k)[k] = 1.0;
    }
    for (int pass = 0; pass < 2; pass++) { /* Q = Y L'^-1, T = L' T */
        if (!srl_face_find_products(face))
            return false;
        srl_trsm_of_rows(face->d, count, face->products, count, face->basis, face->d);
        srl_trmm_lower(SRL_TRANSPOSED, count, count, face->products, count, face->triangle, face->d);
    }
    face->orthonormal = true;
    return true;
}

/* Rows j and j + 1 of T, from column j on, and columns j and j + 1 of Q, so that T(j + 1, j) becomes 0. */
static void rotate(struct srl_face *face, int64_t j) {
    const int64_t d = face->d;
    const double above = column(face, j)[j], below = column(face, j)[j + 1], length = hypot(above, below);
    const double c = above / length, s = below / length;
    for (int64_t i = j; i < face->count; i++) {
        double *t = column(face, i) + j;
        const double first = t[0], second = t[1];
        t[0] = c * first + s * second;
        t[1] = c * second - s * first;
    }
    double *q = face->basis + j * d;
    for (int64_t i = 0; i < d; i++) {
        const double left = q[i], right = q[i + d];
        q[i] = c * left + s * right;
        q[i + d] = c * right - s * left;
    }
    column(face, j)[j + 1] = 0.0;
}

void srl_face_remove(struct srl_face *face, int64_t k) {
    face->count--;
    for (int64_t j = k; j < face->count; j++) /* upper Hessenberg from here on */
        memcpy(column(face, j), column(face, j + 1), (size_t)face->d * sizeof *face->triangle);
    for (int64_t j = k; j < face->count; j++)
        rotate(face, j);
}

void srl_face_multipliers(const struct srl_face *face, const double *residual, double *lambda) {
    const struct srl_matrix basis = basis_of(face);
    if (face->count == 0)
        return;
    srl_gemv(SRL_TRANSPOSED, -1.0, &basis, residual, 0.0, lambda);
    for (int64_t k = face->count - 1; k >= 0; k--) {
        lambda[k] /= column(face, k)[k];
        srl_axpy(k, -lambda[k], column(face, k), lambda);
    }
}

void srl_face_move(const struct srl_face *face, double *excess, double *move) {
    const struct srl_matrix basis = basis_of(face);
    memset(move, 0, (size_t)face->d * sizeof *move);
    if (face->count == 0)
        return;
    for (int64_t k = 0; k < face->count; k++)
        excess[k] = (-excess[k] - srl_dot(k, column(face, k), excess)) / column(face, k)[k];
    srl_gemv(SRL_PLAIN, 1.0, &basis, excess, 0.0, move);
    srl_metric_solve(face->metric, SRL_TRANSPOSED, 1, move);
}

double srl_face_length(const struct srl_face *face, int64_t k) { return srl_norm(k + 1, column(face, k)); }
