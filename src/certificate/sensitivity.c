#include "certificate/sensitivity.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { BLOCK = 128, LANES = 4 };
static const double UNIT = 0.5 * DBL_EPSILON; /* relative error of one operation */
static const double OPERATIONS = 16.0;        /* along the longest way to q_j and r_j */
static const double WIDEST = 746.0;           /* logits further below the top one have a probability of 0 */

double srl_error_of_unit(const struct softrelu_certificate *certificate, int64_t i) {
    const struct srl_model *model = certificate->model;
    const double bias = model->c1 != NULL ? fabs(model->c1[i]) : 0.0;
    return ((double)model->d + 2.0) * UNIT * (model->row_norms[i] * certificate->at.x_norm + bias);
}

/* Of every unit that is on, or at its kink: the length of its row, and what its output may be off by on the face, where that of
   a unit at its kink is 0. */
static void weigh_units(const struct softrelu_certificate *certificate, double *levers, double *errors) {
    const struct srl_model *model = certificate->model;
    const struct srl_evaluation *at = &certificate->at;
    const double summation = ((double)model->n + 2.0) * UNIT;
    for (int64_t i = 0; i < model->n; i++) {
        const bool at_kink = certificate->at_kink[i] != 0, counts = at_kink || at->u[i] > 0.0;
        levers[i] = counts ? model->row_norms[i] : 0.0;
        errors[i] = counts ? srl_error_of_unit(certificate, i) + summation * at->h[i] : 0.0;
        errors[i] += at_kink ? fabs(at->u[i]) : 0.0;
    }
}

/* sum over i of |row_i| weights_i for two sets of weights, in lanes that do not wait for each other. */
static void add_up_row(int64_t n, const double *row, const double *levers, const double *errors, double *lever, double *error) {
    double of_levers[LANES] = {0.0}, of_errors[LANES] = {0.0};
    for (int64_t i = 0; i + LANES <= n; i += LANES)
        for (int lane = 0; lane < LANES; lane++) {
            of_levers[lane] += fabs(row[i + lane]) * levers[i + lane];
            of_errors[lane] += fabs(row[i + lane]) * errors[i + lane];
        }
    for (int64_t i = n - n % LANES; i < n; i++) {
        *lever += fabs(row[i]) * levers[i];
        *error += fabs(row[i]) * errors[i];
    }
    for (int lane = 0; lane < LANES; lane++) {
        *lever += of_levers[lane];
        *error += of_errors[lane];
    }
}

/* The same for a block of rows of A2, along the rows or the columns as it lies. */
static void add_up_rows(const struct srl_matrix *A2, int64_t first, int64_t count, const double *levers, const double *errors,
                        double *lever, double *error) {
    double buffer[BLOCK];
    for (int64_t j = 0; j < count && A2->row_major; j++)
        for (int64_t i = 0; i < A2->columns; i += BLOCK) {
            const int64_t size = A2->columns - i < BLOCK ? A2->columns - i : BLOCK;
            add_up_row(size, srl_vector_part(A2, first + j, i, size, buffer), levers + i, errors + i, lever + j, error + j);
        }
    for (int64_t i = 0; i < A2->columns && !A2->row_major; i++) {
        const double *column = srl_vector_part(A2, i, first, count, buffer);
        for (int64_t j = 0; j < count; j++) {
            lever[j] += fabs(column[j]) * levers[i];
            error[j] += fabs(column[j]) * errors[i];
        }
    }
}

/* The largest lever of an output, and the largest error of a logit's sum. */
void srl_find_levers(const struct srl_model *model, const double *levers, const double *errors, struct srl_sensitivity *found) {
    SRL_TELL(model, .operation = SRL_LEVERS, .arrays = {srl_sent(levers, model->n), srl_sent(errors, model->n)});
    const double summation = ((double)model->n + 2.0) * UNIT;
    found->lever = found->logits = 0.0;
    for (int64_t first = 0; first < model->m; first += BLOCK) {
        const int64_t count = model->m - first < BLOCK ? model->m - first : BLOCK;
        double lever[BLOCK] = {0.0}, error[BLOCK] = {0.0};
        for (int64_t j = 0; j < count; j++)
            error[j] = model->c2 != NULL ? summation * fabs(model->c2[first + j]) : 0.0;
        if (srl_has_output_layer(model)) {
            add_up_rows(&model->A2, first, count, levers, errors, lever, error);
            srl_let_go(&model->A2, first, count);
        } else {
            for (int64_t j = 0; j < count; j++) {
                lever[j] = levers[first + j];
                error[j] += errors[first + j];
            }
        }
        found->lever = fmax(found->lever, srl_max_abs(count, lever));
        found->logits = fmax(found->logits, srl_max_abs(count, error));
    }
    double most[] = {found->lever, found->logits};
    srl_largest(model->ranks, 2, most);
    found->lever = most[0];
    found->logits = most[1];
}

/* The softmax of the computed logits is that of logits that differ by this: from the subtraction of the top one, and exp. */
static double error_of_softmax(const struct srl_evaluation *at, const struct srl_model *model) {
    double widest = 0.0;
    for (int64_t j = 0; j < model->m; j++)
        widest = fmax(widest, at->z_top - at->z[j]);
    srl_largest(model->ranks, 1, &widest);
    return UNIT * (fmin(widest, WIDEST) + 6.0);
}

/* What the computed q and r are off by, over the unit round-off and a small number. With T = (1 + |b_top|) (1 - f_top) + sum
   over j != top of f_j (f_j + |b_j|), which bounds the terms of t_top, those of any other t_j are at most f_j + |b_j| + 1 +
   |b_top| + T. */
static void squares_errors(const struct srl_evaluation *at, const struct srl_model *model, struct srl_sensitivity *found) {
    const int64_t own = srl_own_output(model, at->top);
    const double *f = at->f, b_top = fabs(at->b_top);
    double others = 0.0, sums[] = {0.0, 0.0}; /* of the errors of q, and of r */
    for (int64_t j = 0; j < model->m; j++)
        others += j == own ? 0.0 : f[j] * (f[j] + fabs(model->b[j]));
    srl_sum(model->ranks, 1, &others);
    const double top = (1.0 + b_top) * at->rest + others;
    for (int64_t j = 0; j < model->m; j++) {
        const double size = j == own ? top : f[j] + fabs(model->b[j]) + 1.0 + b_top + top;
        sums[0] += f[j] * size;
        sums[1] += f[j] * (f[j] + size) * (j != own);
    }
    srl_sum(model->ranks, 2, sums);
    found->slope_error = sums[0];
    found->bend_error = at->rest * at->rest * (1.0 + top) + sums[1];
}

/* With S = sum of f_k (2 f_k + |b_k|), |r_j| is at most s_j = f_j (2 f_j + |b_j| + S), and along v it changes by at most
   2 s_j osc(v). The mean f'v moves by the variance of v, at most 2 (1 - f_top) osc(v)^2 and osc(v)^2 / 4. */
static void squares_sizes(const struct srl_evaluation *at, const struct srl_model *model, struct srl_sensitivity *found) {
    const int64_t own = srl_own_output(model, at->top);
    const double *f = at->f;
    double moment = 0.0, others = 0.0;
    for (int64_t j = 0; j < model->m; j++)
        moment += f[j] * (2.0 * f[j] + fabs(model->b[j]));
    srl_sum(model->ranks, 1, &moment);
    for (int64_t j = 0; j < model->m; j++)
        others += j == own ? 0.0 : f[j] * (2.0 * f[j] + fabs(model->b[j]) + moment);
    srl_sum(model->ranks, 1, &others);
    const double top = at->rest * at->rest * (2.0 + fabs(at->b_top) + moment);
    found->drift = 2.0 * (others + top);
    found->change = 2.5 * others + 6.0 * top;
}

/* r = beta f: D3loss is beta times the third central moment of v under f. */
static void cross_entropy_sizes(const struct srl_evaluation *at, const struct srl_model *model, struct srl_sensitivity *found) {
    const int64_t own = srl_own_output(model, at->top);
    double others = 0.0;
    for (int64_t j = 0; j < model->m; j++)
        others += j == own ? 0.0 : fabs(model->b[j]);
    srl_sum(model->ranks, 1, &others);
    const double total = others + fabs(at->b_top);
    found->slope_error = 2.0 * (others + total * at->rest);
    found->bend_error = found->change = total * (at->rest + at->rest * at->rest);
    found->drift = 2.0 * found->change;
}

/* |q|_1, and the bend: of r as computed, and what it may be more. */
static void add_up_slopes(const struct srl_evaluation *at, const struct srl_model *model, struct srl_sensitivity *found) {
    const int64_t own = srl_own_output(model, at->top);
    double sums[] = {0.0, 0.0};
    for (int64_t j = 0; j < model->m; j++) {
        sums[0] += fabs(at->q[j]);
        sums[1] += (j == own ? at->rest * at->rest : 1.0) * fabs(at->r[j]);
    }
    srl_sum(model->ranks, 2, sums);
    found->slope_error *= OPERATIONS * UNIT;
    found->bend_error *= OPERATIONS * UNIT;
    found->slopes = sums[0] + found->slope_error;
    found->bend = sums[1] + found->bend_error;
}

void srl_find_slopes_and_bends(const struct srl_evaluation *at, const struct srl_model *model, struct srl_sensitivity *found) {
    SRL_TELL(model, .operation = SRL_SENSITIVITY, .arrays = {srl_own(at)});
    found->logits += error_of_softmax(at, model);
    if (model->loss == SOFTRELU_KL) {
        cross_entropy_sizes(at, model, found);
    } else {
        squares_errors(at, model, found);
        squares_sizes(at, model, found);
    }
    add_up_slopes(at, model, found);
}

void srl_find_sensitivity(const struct softrelu_certificate *certificate, double *levers, double *errors,
                          struct srl_sensitivity *found) {
    const struct srl_model *model = certificate->model;
    found->everywhere = srl_loss_constants_of(model);
    weigh_units(certificate, levers, errors);
    srl_find_levers(model, levers, errors, found);
    srl_find_slopes_and_bends(&certificate->at, model, found);
    found->weights = 0.0;
    for (int64_t i = 0; i < model->n && model->w != NULL; i++)
        found->weights += (model->w[i] * model->row_norms[i]) * (model->w[i] * model->row_norms[i]);
}

/* No product of more than five of f_j and 1 - f_top stands in drift and change, and each grows by at most exp(reach). */
double srl_bend_within(const struct srl_sensitivity *sensitivity, double reach) {
    const double everywhere = sensitivity->everywhere.below + sensitivity->everywhere.above;
    return fmin(everywhere, exp(2.0 * reach) * sensitivity->bend + reach * exp(5.0 * reach) * sensitivity->drift);
}

double srl_change_within(const struct srl_sensitivity *sensitivity, double reach) {
    return fmin(sensitivity->everywhere.change, sensitivity->change * exp(5.0 * reach));
}
