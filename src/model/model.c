#include "model/model.h"

#include <math.h>
#include <string.h>

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

/* norms[i] = |vector i| for vectors that lie contiguously or interleaved; two passes, so that no square over- or underflows:
   largest entries first, then the sum of squares relative to them. */
static void strided_norms(const double *data, int64_t count, int64_t length, int64_t ld, bool contiguous, double *largest,
                          double *norms) {
    int64_t outer = contiguous ? count : length, inner = contiguous ? length : count;
    memset(largest, 0, (size_t)count * sizeof *largest);
    memset(norms, 0, (size_t)count * sizeof *norms);
    for (int64_t i = 0; i < outer; i++)
        for (int64_t j = 0; j < inner; j++) {
            int64_t vector = contiguous ? i : j;
            largest[vector] = fmax(largest[vector], fabs(data[i * ld + j]));
        }
    for (int64_t i = 0; i < outer; i++)
        for (int64_t j = 0; j < inner; j++) {
            int64_t vector = contiguous ? i : j;
            double part = largest[vector] > 0.0 ? data[i * ld + j] / largest[vector] : 0.0;
            norms[vector] += part * part;
        }
    for (int64_t i = 0; i < count; i++)
        norms[i] = largest[i] * sqrt(norms[i]);
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

void srl_project_on_bounds(const struct srl_model *model, double *x) {
    for (int64_t k = 0; k < model->d && srl_has_bounds(model); k++)
        x[k] = fmin(fmax(x[k], srl_lower(model, k)), srl_upper(model, k));
}
