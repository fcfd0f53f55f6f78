#include "model/model.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { CACHED = 1 << 17 };     /* doubles, 1 MiB */
enum { FEWEST_SQUARES = 256 }; /* rows at a time */

int64_t srl_curvature_rows(const struct srl_model *model) { return model->n < 512 ? model->n : 512; }

void srl_assemble_curvature(const struct srl_model *model, double *buffer, double *curvature) {
    const int64_t d = model->d, block = srl_curvature_rows(model);
    for (int64_t k = 0; k < d; k++) /* memory above the triangle stays untouched */
        memset(curvature + k + k * d, 0, (size_t)(d - k) * sizeof *curvature);
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

void srl_add_squares(const struct srl_model *model, int64_t order, int64_t rows, double alpha, const double *b,
                     double *matrix) {
    const int64_t most = order / 3 > FEWEST_SQUARES ? order / 3 : FEWEST_SQUARES; /* the work of a Cholesky factorisation */
    for (int64_t first = 0; first < rows && !srl_interrupted(model->interruption); first += most)
        srl_syrk(order, rows - first < most ? rows - first : most, alpha, b + first * order, order, 1.0, matrix, order);
}

double srl_sum_noise(const struct srl_model *model) {
    return 4.0 * (double)(model->n + model->outputs + model->d + 8) * DBL_EPSILON;
}

void srl_logits(const struct srl_model *model, const double *h, double *z) {
    SRL_TELL(model, .operation = SRL_LOGITS, .arrays = {srl_sent(h, model->n), srl_own(z)});
    if (model->c2 != NULL)
        memcpy(z, model->c2, (size_t)model->m * sizeof *z);
    else
        memset(z, 0, (size_t)model->m * sizeof *z);
    if (srl_has_output_layer(model))
        srl_gemv(SRL_PLAIN, 1.0, &model->A2, h, 1.0, z);
    else
        srl_axpy(model->n, 1.0, h, z);
}

void srl_to_own_outputs(const struct srl_model *model, const double *h, double *y) {
    if (srl_has_output_layer(model))
        srl_gemv(SRL_PLAIN, 1.0, &model->A2, h, 0.0, y);
    else
        memcpy(y, h, (size_t)model->n * sizeof *y);
}

void srl_to_outputs(const struct srl_model *model, const double *h, double *y) {
    SRL_TELL(model, .operation = SRL_TO_OUTPUTS, .arrays = {srl_sent(h, model->n), srl_own(y)});
    srl_to_own_outputs(model, h, y);
}

void srl_copy_outputs(const struct srl_model *model, const double *from, double *to) {
    SRL_TELL(model, .operation = SRL_COPY_OUTPUTS, .arrays = {srl_own(from), srl_own(to)});
    memcpy(to, from, (size_t)model->m * sizeof *to);
}

double srl_norm_of_outputs(const struct srl_model *model, const double *y) {
    SRL_TELL(model, .operation = SRL_NORM_OF_OUTPUTS, .arrays = {srl_own(y)});
    const double own = srl_norm(model->m, y);
    if (model->ranks == NULL)
        return own;
    double largest = own, square;
    srl_largest(model->ranks, 1, &largest);
    if (!(largest > 0.0) || isinf(largest))
        return largest;
    square = (own / largest) * (own / largest);
    srl_sum(model->ranks, 1, &square);
    return largest * sqrt(square);
}

void srl_own_back_to_hidden(const struct srl_model *model, const double *y, double *back) {
    if (srl_has_output_layer(model))
        srl_gemv(SRL_TRANSPOSED, 1.0, &model->A2, y, 0.0, back);
    else
        memcpy(back, y, (size_t)model->n * sizeof *back);
}

void srl_back_to_hidden(const struct srl_model *model, const double *y, double *back) {
    SRL_TELL(model, .operation = SRL_BACK_TO_HIDDEN, .arrays = {srl_own(y), srl_own(back)});
    srl_own_back_to_hidden(model, y, back);
    srl_sum(model->ranks, model->n, back);
}

void srl_own_two_back_to_hidden(const struct srl_model *model, const double *y1, const double *y2, double *back1,
                                double *back2) {
    const struct srl_matrix *a2 = &model->A2;
    if (!srl_has_output_layer(model) || !a2->row_major || model->m == 0) {
        srl_own_back_to_hidden(model, y1, back1);
        srl_own_back_to_hidden(model, y2, back2);
        return;
    }
    const int64_t block = CACHED / model->n + 1; /* rows that stay in the cache for the second product */
    for (int64_t first = 0; first < model->m; first += block) {
        const int64_t rows = model->m - first < block ? model->m - first : block;
        const struct srl_matrix part = srl_some_rows(a2, first, rows);
        const double beta = first > 0 ? 1.0 : 0.0;
        srl_gemv(SRL_TRANSPOSED, 1.0, &part, y1 + first, beta, back1);
        srl_gemv(SRL_TRANSPOSED, 1.0, &part, y2 + first, beta, back2);
        srl_let_go(a2, first, rows);
    }
}

void srl_project_on_bounds(const struct srl_model *model, double *x) {
    for (int64_t k = 0; k < model->d && srl_has_bounds(model); k++)
        x[k] = fmin(fmax(x[k], srl_lower(model, k)), srl_upper(model, k));
}
