#include "certificate/pinned.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "certificate/sensitivity.h"
#include "certificate/witness.h"

static const double UNIT = 0.5 * DBL_EPSILON; /* relative error of one operation */
static const double TINY = 1e-250;            /* products below it may have lost digits to underflow */

/* Whether a b = c e, exactly. */
static bool same_product(double a, double b, double c, double e) {
    const double left = a * b, right = c * e;
    if (left != right || isinf(left))
        return false;
    if (fabs(left) < TINY)
        return (a == 0.0 || b == 0.0) && (c == 0.0 || e == 0.0);
    return fma(a, b, -left) == fma(c, e, -right);
}

/* Whether units i and j are at their kinks at the same points, exactly. */
static bool proportional(const struct srl_model *model, int64_t i, int64_t j) {
    int64_t pivot = 0;
    for (int64_t k = 1; k < model->d; k++)
        if (fabs(srl_entry(&model->A1, i, k)) > fabs(srl_entry(&model->A1, i, pivot)))
            pivot = k;
    const double left = srl_entry(&model->A1, i, pivot), right = srl_entry(&model->A1, j, pivot);
    bool same = model->c1 == NULL || same_product(model->c1[j], left, model->c1[i], right);
    for (int64_t k = 0; k < model->d && same; k++)
        same = same_product(srl_entry(&model->A1, j, k), left, srl_entry(&model->A1, i, k), right);
    return same;
}

/* Members of one kink whose rows are parallel within round-off only are not one kink. */
static bool members_agree(const struct softrelu_certificate *certificate) {
    for (int64_t k = 0; k < certificate->kink_count; k++) {
        const struct srl_kink *kink = &certificate->kinks[k];
        for (int64_t j = kink->next; j >= 0; j = certificate->next[j])
            if (!proportional(certificate->model, kink->unit, j))
                return false;
    }
    return true;
}

/* R^-1 into the upper triangle of curvature.hessian, column-major with d rows. 0, > 0 where it does not exist, < 0 on refusal.
 */
static int invert_rows(struct softrelu_certificate *certificate) {
    const int64_t d = certificate->model->d, count = certificate->kink_count;
    double *rows = certificate->curvature.hessian; /* no longer needed: there is its factor */
    for (int64_t k = 0; k < count; k++) {
        double *row = rows + k * d;
        srl_kink_row(certificate, &certificate->kinks[k], row);
        for (int64_t j = 0; j < d; j++)
            row[j] = certificate->bound[j] != 0 ? 0.0 : row[j];
    }
    return srl_inverse_triangle(d, count, rows, certificate->curvature.direction, certificate->curvature.work);
}

/* The norms from R^-1. What was computed is the triangle of rows that differ by error from the true ones in the Frobenius norm:
   Householder reflections and the inversion together. False where that may hide a dependence. */
static bool measure_rows(const struct softrelu_certificate *certificate, double *rates, struct srl_pinned *face) {
    const int64_t d = certificate->model->d, count = face->kinks;
    const double *inverse = certificate->curvature.hessian, kinks = (double)count;
    const double error = 16.0 * ((double)d + kinks) * kinks * UNIT * sqrt(kinks);
    double square = 0.0, offset = 0.0, noise = 0.0;
    memset(rates, 0, (size_t)count * sizeof *rates);
    for (int64_t j = 0; j < count; j++) {
        double move = 0.0;
        for (int64_t i = 0; i <= j; i++) {
            const double entry = inverse[i + j * d];
            const int32_t unit = certificate->kinks[i].unit;
            rates[i] = hypot(rates[i], entry);
            move += entry * (certificate->at.u[unit] / certificate->model->row_norms[unit]);
        }
        offset = hypot(offset, move);
    }
    for (int64_t i = 0; i < count; i++) {
        const int32_t unit = certificate->kinks[i].unit;
        square += rates[i] * rates[i];
        noise = hypot(noise, srl_error_of_unit(certificate, unit) / certificate->model->row_norms[unit] +
                                 ((double)d + kinks + 4.0) * UNIT * fabs(certificate->at.u[unit]) /
                                     certificate->model->row_norms[unit]);
    }
    face->inverse = sqrt(square);
    const double known = 1.0 - face->inverse * error;
    if (!(known > 0.5))
        return false;
    for (int64_t i = 0; i < count; i++)
        rates[i] += face->inverse * (face->inverse * error / known);
    face->offset = (offset + face->inverse * noise) / known;
    face->inverse /= known;
    face->all_inverse = 1.0 + face->inverse * (1.0 + sqrt(kinks));
    return true;
}

/* Rows first, first + 1, ... of the kinks and, behind them, of the bounds. */
static void held_rows(const struct softrelu_certificate *certificate, int64_t first, int64_t count, double *rows) {
    const int64_t d = certificate->model->d;
    int64_t place = certificate->kink_count - first;
    for (int64_t k = 0; k < count && k < place; k++)
        srl_kink_row(certificate, &certificate->kinks[first + k], rows + k * d);
    for (int64_t j = 0; j < d && place < count; j++) {
        if (certificate->bound[j] == 0)
            continue;
        if (place >= 0) {
            memset(rows + place * d, 0, (size_t)d * sizeof *rows);
            rows[j + place * d] = 1.0;
        }
        place++;
    }
}

/* How far the subspace that was computed leans out of the face: the parts on it of all rows, over their least singular value.
 */
static double find_tilt(struct softrelu_certificate *certificate, const struct srl_curvature *found,
                        const struct srl_pinned *face) {
    const int64_t d = certificate->model->d, held = face->kinks + face->bounds;
    struct srl_curvature_work *work = &certificate->curvature;
    double off = 0.0, *rows = work->units, *parts = work->units + SRL_MAPPED * d;
    for (int64_t first = 0; first < held && face->free > 0; first += SRL_MAPPED) {
        const int64_t count = held - first < SRL_MAPPED ? held - first : SRL_MAPPED;
        held_rows(certificate, first, count, rows);
        srl_to_subspace(&work->space, count, rows, parts);
        off = hypot(off, srl_norm(count * face->free, parts));
    }
    off += ((double)d + 4.0) * UNIT * sqrt((double)(face->kinks * face->free));
    off += found->mapping * UNIT * sqrt((double)held);
    return off * face->all_inverse;
}

bool srl_find_pinned(struct softrelu_certificate *certificate, const struct srl_curvature *found, double *rates,
                     struct srl_pinned *face, bool *meets) {
    *face = (struct srl_pinned){.kinks = certificate->kink_count, .free = found->dimensions, .all_inverse = 1.0};
    for (int64_t k = 0; k < certificate->model->d; k++)
        face->bounds += certificate->bound[k] != 0;
    *meets = face->kinks + face->bounds + face->free == certificate->model->d && members_agree(certificate);
    if (!*meets)
        return true;
    const int info = invert_rows(certificate);
    *meets = info == 0 && measure_rows(certificate, rates, face);
    if (*meets)
        face->tilt = find_tilt(certificate, found, face);
    return info >= 0;
}
