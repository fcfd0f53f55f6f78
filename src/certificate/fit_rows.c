#include "certificate/fit_rows.h"

#include <math.h>
#include <string.h>

void srl_see_length(struct srl_longest *longest, double length) {
    longest->second = fmax(longest->second, fmin(longest->first, length));
    longest->first = fmax(longest->first, length);
}

/* vector = A1' (slopes of the units that are on). slopes are overwritten. */
static void back_through_units(const struct srl_model *model, const unsigned char *on, double *slopes, double *vector) {
    for (int64_t i = 0; i < model->n; i++)
        slopes[i] = on[i] ? slopes[i] : 0.0;
    srl_gemv(SRL_TRANSPOSED, 1.0, &model->A1, slopes, 0.0, vector);
}

/* mean = f'G on the subspace without the largest output's share, relative to its row: sum over j != top of f_j (G_j - G_top).
 */
static void find_mean(struct srl_curvature_work *work, const struct srl_model *model, const struct srl_evaluation *at,
                      const unsigned char *on) {
    const int64_t d = model->d, free = work->space.free;
    double *back = work->weights, *others = work->weights + model->n, *largest = work->scaled, *mean = work->scaled + d;
    const int64_t top = srl_own_output(model, at->top);
    for (int64_t i = 0; i < model->n; i++)
        back[i] = top >= 0 ? srl_output_entry(model, top, i) : 0.0;
    srl_sum(model->ranks, model->n, back);
    back_through_units(model, on, back, largest);
    memcpy(others, at->f, (size_t)model->m * sizeof *others);
    if (top >= 0)
        others[top] = 0.0;
    if (srl_has_output_layer(model))
        srl_gemv(SRL_TRANSPOSED, 1.0, &model->A2, others, 0.0, back);
    else
        memcpy(back, others, (size_t)model->n * sizeof *back);
    srl_sum(model->ranks, model->n, back);
    back_through_units(model, on, back, mean);
    srl_axpy(d, -at->rest, largest, mean);
    srl_to_subspace(&work->space, 2, work->scaled, work->logits);
    memcpy(work->largest, work->logits, (size_t)free * sizeof *work->largest);
    memcpy(work->mean, work->logits + free, (size_t)free * sizeof *work->mean);
}

int64_t srl_begin_fit_rows(struct srl_curvature_work *work, const struct srl_model *model, const struct srl_evaluation *at,
                           const unsigned char *on) {
    int64_t active = 0;
    for (int64_t i = 0; i < model->n; i++)
        if (on[i])
            work->active[active++] = (int32_t)i;
    find_mean(work, model, at, on);
    return active;
}

/* scaled = rows of G: those of A2 times the active rows of A1, as many units at a time as there is room for. */
static void jacobian_rows(struct srl_curvature_work *work, const struct srl_model *model, int64_t active, int64_t first,
                          int64_t count) {
    const int64_t d = model->d;
    memset(work->scaled, 0, (size_t)(count * d) * sizeof *work->scaled);
    for (int64_t start = 0; start < active && !srl_interrupted(model->interruption); start += SRL_UNITS) {
        const int64_t units = active - start < SRL_UNITS ? active - start : SRL_UNITS;
        const int32_t *chosen = work->active + start;
        for (int64_t i = 0; i < units; i++)
            srl_copy_row(&model->A1, chosen[i], work->units + i * d);
        for (int64_t j = 0; j < count; j++)
            for (int64_t i = 0; i < units; i++)
                work->block[j * units + i] = srl_entry(&model->A2, first + j, chosen[i]);
        srl_gemm_add(SRL_PLAIN, count, d, units, work->block, units, work->units, d, work->scaled, d);
    }
    srl_let_go(&model->A2, first, count);
}

/* The same where the units are the outputs. */
static void unit_rows(struct srl_curvature_work *work, const struct srl_model *model, const unsigned char *on, int64_t first,
                      int64_t count) {
    const int64_t d = model->d;
    for (int64_t j = 0; j < count; j++) {
        if (on[first + j])
            srl_copy_row(&model->A1, first + j, work->scaled + j * d);
        else
            memset(work->scaled + j * d, 0, (size_t)d * sizeof *work->scaled);
    }
}

double srl_centred_rows(struct srl_curvature_work *work, const struct srl_model *model, const struct srl_evaluation *at,
                        const unsigned char *on, int64_t active, int64_t first, int64_t count) {
    const int64_t free = work->space.free;
    const double common = srl_dot(free, work->mean, work->mean) + srl_dot(free, work->largest, work->largest);
    const int64_t top = srl_own_output(model, at->top);
    double trace = 0.0;
    if (srl_has_output_layer(model))
        jacobian_rows(work, model, active, first, count);
    else
        unit_rows(work, model, on, first, count);
    srl_to_subspace(&work->space, count, work->scaled, work->logits);
    for (int64_t j = 0; j < count; j++) {
        double *g = work->logits + j * free;
        trace += fabs(at->r[first + j]) * (srl_dot(free, g, g) + common);
        for (int64_t k = 0; k < free; k++)
            g[k] = (first + j == top ? 0.0 : g[k] - work->largest[k]) - work->mean[k];
    }
    return trace;
}
