#include "model/outer.h"

#include <math.h>

/* Largest logit; NaN anywhere is passed on, since a comparison would lose it. */
static int64_t largest_logit(int64_t m, const double *z) {
    int64_t top = 0;
    for (int64_t j = 1; j < m; j++)
        if (z[j] > z[top] || isnan(z[j]))
            top = j;
    return top;
}

/* c_k = f_k - b_k at the largest entry, written with S = 1 - f_k where f_k is close to 1. */
static double top_excess(const struct srl_model *model, const struct srl_outer *outer) {
    const double b = model->b[outer->top];
    return outer->rest < 0.5 ? (1.0 - b) - outer->rest : outer->f[outer->top] - b;
}

static double squares_value(const struct srl_model *model, const struct srl_outer *outer) {
    double sum = 0.0;
    for (int64_t j = 0; j < model->m; j++) {
        double c = j == outer->top ? top_excess(model, outer) : outer->f[j] - model->b[j];
        sum += c * c;
    }
    return 0.5 * sum;
}

/* -sum b_j log f_j with log f_j = (z_j - z_k) - log(sum of exp(z_i - z_k)): never the logarithm of an underflowed f. */
static double kl_value(const struct srl_model *model, const double *z, int64_t top, double log_sum) {
    double sum = 0.0;
    for (int64_t j = 0; j < model->m; j++)
        if (model->b[j] != 0.0)
            sum -= model->b[j] * ((z[j] - z[top]) - log_sum);
    return sum;
}

/* x - log(1 + x) without cancellation: with s = x / (2 + x), log(1 + x) = 2 (s + s^3/3 + s^5/5 + ...) and x - 2 s = x s. */
static double log_excess(double x) {
    if (fabs(x) > 0.1)
        return x - log1p(x);
    const double s = x / (2.0 + x), square = s * s;
    double series = 0.0;
    for (int k = 15; k >= 3; k -= 2) /* s < 0.053: the terms left out are below 1e-21 of the first */
        series = series * square + 1.0 / (double)k;
    return s * (x - 2.0 * square * series);
}

/* The excess of the cross-entropy for f of the logits z; its value where some b_j is negative, and nothing is least. */
static double kl_excess(const struct srl_model *model, const double *z, const struct srl_outer *outer, double log_sum,
                        double value) {
    const int64_t top = outer->top;
    double others = 0.0, excess = 0.0;
    for (int64_t j = 0; j < model->m; j++) {
        if (model->b[j] < 0.0)
            return value;
        others += j == top ? 0.0 : model->b[j];
    }
    const double beta = others + model->b[top];
    for (int64_t j = 0; j < model->m; j++) {
        const double b = model->b[j], difference = j == top ? others - beta * outer->rest : beta * outer->f[j] - b;
        if (b == 0.0)
            excess += difference;
        else if (difference > -0.5 * b && isfinite(difference / b))
            excess += b * log_excess(difference / b);
        else /* f_j or b_j may have underflowed: the logarithms one by one, that of f_j from the logits */
            excess += difference - b * ((log(beta) - log(b)) + ((z[j] - z[top]) - log_sum));
    }
    return excess;
}

double srl_outer_value(const struct srl_model *model, const double *z, struct srl_outer *outer) {
    const int64_t top = largest_logit(model->m, z);
    if (!isfinite(z[top]))
        return NAN;
    double others = 0.0;
    for (int64_t j = 0; j < model->m; j++) {
        outer->f[j] = j == top ? 1.0 : exp(z[j] - z[top]);
        others += j == top ? 0.0 : outer->f[j];
    }
    const double scale = 1.0 / (1.0 + others);
    for (int64_t j = 0; j < model->m; j++)
        outer->f[j] *= scale;
    outer->top = top;
    outer->rest = others * scale;
    if (model->loss != SOFTRELU_KL)
        return outer->excess = squares_value(model, outer);
    const double value = kl_value(model, z, top, log1p(others));
    outer->excess = kl_excess(model, z, outer, log1p(others), value);
    return value;
}

/* By what terms of the slopes are divided before they are squared: 1 but where the squares of the target overflow. */
static double unit_of_terms(const struct srl_model *model) {
    const double largest = srl_max_abs(model->m, model->b);
    return largest > 1e100 ? largest : 1.0;
}

static double squares_derivatives(const struct srl_model *model, const struct srl_outer *outer, double *q, double *r) {
    const int64_t k = outer->top;
    const double *f = outer->f, *b = model->b;
    const double c_top = top_excess(model, outer), c_top_terms = f[k] + fabs(b[k]);
    double mean_others = 0.0, mean_terms = 0.0;
    for (int64_t j = 0; j < model->m; j++) {
        mean_others += j == k ? 0.0 : f[j] * (f[j] - b[j]);
        mean_terms += j == k ? 0.0 : f[j] * (f[j] + fabs(b[j]));
    }
    const double t_top = c_top * outer->rest - mean_others;
    const double t_top_terms = c_top_terms * outer->rest + mean_terms;
    const double per_unit = 1.0 / unit_of_terms(model);
    double terms = 0.0;
    for (int64_t j = 0; j < model->m; j++) {
        double t = j == k ? t_top : ((f[j] - b[j]) - c_top) + t_top;
        double term = f[j] * (j == k ? t_top_terms : f[j] + fabs(b[j]) + c_top_terms + t_top_terms);
        q[j] = f[j] * t;
        r[j] = f[j] * (f[j] + t);
        terms += (term * per_unit) * (term * per_unit);
    }
    return sqrt(terms) / per_unit;
}

static double kl_derivatives(const struct srl_model *model, const struct srl_outer *outer, double *q, double *r) {
    const int64_t k = outer->top;
    const double *f = outer->f, *b = model->b;
    double others = 0.0; /* beta - b_k */
    for (int64_t j = 0; j < model->m; j++)
        others += j == k ? 0.0 : b[j];
    const double beta = others + b[k], per_unit = 1.0 / unit_of_terms(model);
    double terms = 0.0;
    for (int64_t j = 0; j < model->m; j++) {
        double term = fabs(beta) * f[j] + fabs(b[j]);
        q[j] = j == k ? others - beta * outer->rest : beta * f[j] - b[j];
        r[j] = beta * f[j];
        terms += (term * per_unit) * (term * per_unit);
    }
    return sqrt(terms) / per_unit;
}

double srl_outer_derivatives(const struct srl_model *model, const struct srl_outer *outer, double *q, double *r) {
    return model->loss == SOFTRELU_KL ? kl_derivatives(model, outer, q, r) : squares_derivatives(model, outer, q, r);
}

void srl_centre(const struct srl_model *model, const struct srl_outer *outer, double *v) {
    const int64_t k = outer->top;
    const double v_top = v[k];
    double mean = 0.0;
    for (int64_t j = 0; j < model->m; j++) {
        v[j] -= v_top;
        mean += j == k ? 0.0 : outer->f[j] * v[j];
    }
    for (int64_t j = 0; j < model->m; j++)
        v[j] -= mean;
}
