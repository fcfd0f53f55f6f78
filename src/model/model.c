#include "model/model.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { CACHED = 1 << 17 }; /* doubles, 1 MiB */

int64_t srl_curvature_rows(const struct srl_model *model) { return model->n < 512 ? model->n : 512; }

void srl_assemble_curvature(const struct srl_model *model, double *buffer, double *curvature) {
    const int64_t d = model->d, block = srl_curvature_rows(model);
    memset(curvature, 0, (size_t)d * (size_t)d * sizeof *curvature);
    for (int64_t first = 0; first < model->n; first += block) {
        int64_t rows = model->n - first < block ? model->n - first : block;
        for (int64_t i = 0; i < rows; i++) {
            srl_copy_row(&model->A1, first + i, buffer + i * d);
            srl_scale(d, model->w[first + i], buffer + i * d);
        }
        srl_syrk(d, rows, 1.0, buffer, d, 1.0, curvature, d);
    }
    for (int64_t k = 0; k < d; k++)
        curvature[k + k * d] += model->rho;
}

void srl_copy_curvature(const struct srl_model *model, double *matrix) {
    const int64_t d = model->d;
    const size_t size = (size_t)d * (size_t)d * sizeof *matrix;
    if (model->curvature != NULL) {
        memcpy(matrix, model->curvature, size);
        return;
    }
    memset(matrix, 0, size);
    for (int64_t k = 0; k < d; k++)
        matrix[k + k * d] = model->rho;
}

double srl_sum_noise(const struct srl_model *model) { return 4.0 * (double)(model->n + model->m + model->d + 8) * DBL_EPSILON; }

/* norms[i] = root of the sum of (entry / divisors[i])^2 over vector i, times the divisor; vectors lie contiguously or
   interleaved. divisors = NULL: 1. */
static void sum_squares(const double *data, int64_t count, int64_t length, int64_t ld, bool contiguous, const double *divisors,
                        double *norms) {
    memset(norms, 0, (size_t)count * sizeof *norms);
    for (int64_t i = 0; i < count && contiguous; i++)
        for (int64_t j = 0; j < length; j++) {
            const double part = divisors != NULL ? data[i * ld + j] / divisors[i] : data[i * ld + j];
            norms[i] += part * part;
        }
    for (int64_t j = 0; j < length && !contiguous; j++)
        for (int64_t i = 0; i < count; i++) {
            const double part = divisors != NULL ? data[j * ld + i] / divisors[i] : data[j * ld + i];
            norms[i] += part * part;
        }
    for (int64_t i = 0; i < count; i++)
        norms[i] = (divisors != NULL ? divisors[i] : 1.0) * sqrt(norms[i]);
}

/* largest[i] = the largest entry of vector i, 1 for a vector of zeros. */
static void find_largest(const double *data, int64_t count, int64_t length, int64_t ld, bool contiguous, double *largest) {
    memset(largest, 0, (size_t)count * sizeof *largest);
    for (int64_t i = 0; i < count; i++)
        for (int64_t j = 0; j < length; j++)
            largest[i] = fmax(largest[i], fabs(contiguous ? data[i * ld + j] : data[j * ld + i]));
    for (int64_t i = 0; i < count; i++)
        largest[i] = largest[i] > 0.0 ? largest[i] : 1.0;
}

/* norms[i] = |vector i|. Where squares may have over- or underflowed they are added up once more, relative to the largest
 * entry. */
static void strided_norms(const double *data, int64_t count, int64_t length, int64_t ld, bool contiguous, double *largest,
                          double *norms) {
    bool safe = true;
    sum_squares(data, count, length, ld, contiguous, NULL, norms);
    for (int64_t i = 0; i < count; i++)
        safe = safe && norms[i] > 1e-140 && norms[i] < 1e140;
    if (safe)
        return;
    find_largest(data, count, length, ld, contiguous, largest);
    sum_squares(data, count, length, ld, contiguous, largest, norms);
}

void srl_row_norms(const struct srl_model *model, double *scratch, double *norms) {
    strided_norms(model->A1.data, model->n, model->d, model->A1.ld, model->A1.row_major, scratch, norms);
}

void srl_column_norms(const struct srl_model *model, double *scratch, double *norms) {
    strided_norms(model->A2.data, model->n, model->m, model->A2.ld, !model->A2.row_major, scratch, norms);
}

void srl_logits(const struct srl_model *model, const double *h, double *z) {
    if (model->c2 != NULL)
        memcpy(z, model->c2, (size_t)model->m * sizeof *z);
    else
        memset(z, 0, (size_t)model->m * sizeof *z);
    if (srl_has_output_layer(model))
        srl_gemv(SRL_PLAIN, 1.0, &model->A2, h, 1.0, z);
    else
        srl_axpy(model->n, 1.0, h, z);
}

void srl_to_outputs(const struct srl_model *model, const double *h, double *y) {
    if (srl_has_output_layer(model))
        srl_gemv(SRL_PLAIN, 1.0, &model->A2, h, 0.0, y);
    else
        memcpy(y, h, (size_t)model->n * sizeof *y);
}

void srl_back_to_hidden(const struct srl_model *model, const double *y, double *back) {
    if (srl_has_output_layer(model))
        srl_gemv(SRL_TRANSPOSED, 1.0, &model->A2, y, 0.0, back);
    else
        memcpy(back, y, (size_t)model->n * sizeof *back);
}

void srl_two_back_to_hidden(const struct srl_model *model, const double *y1, const double *y2, double *back1, double *back2) {
    const struct srl_matrix *a2 = &model->A2;
    if (!srl_has_output_layer(model) || !a2->row_major) {
        srl_back_to_hidden(model, y1, back1);
        srl_back_to_hidden(model, y2, back2);
        return;
    }
    const int64_t block = CACHED / model->n + 1; /* rows that stay in the cache for the second product */
    for (int64_t first = 0; first < model->m; first += block) {
        const int64_t rows = model->m - first < block ? model->m - first : block;
        const struct srl_matrix part = {a2->data + first * a2->ld, rows, model->n, a2->ld, true};
        const double beta = first > 0 ? 1.0 : 0.0;
        srl_gemv(SRL_TRANSPOSED, 1.0, &part, y1 + first, beta, back1);
        srl_gemv(SRL_TRANSPOSED, 1.0, &part, y2 + first, beta, back2);
    }
}

void srl_project_on_bounds(const struct srl_model *model, double *x) {
    for (int64_t k = 0; k < model->d && srl_has_bounds(model); k++)
        x[k] = fmin(fmax(x[k], srl_lower(model, k)), srl_upper(model, k));
}
