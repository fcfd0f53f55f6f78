#include "model/outer.h"

#include <math.h>

/* Own index of the largest logit, -1 where there are none. */
static int64_t largest_logit(int64_t m, const double *z) {
    int64_t top = m > 0 ? 0 : -1;
    for (int64_t j = 1; j < m; j++)
        if (z[j] > z[top])
            top = j;
    return top;
}

double srl_find_top_of(const struct srl_model *model, int64_t own, double largest, struct srl_outer *outer) {
    double most = own >= 0 ? largest : -INFINITY;
    outer->top = own;
    if (model->ranks == NULL)
        return most;
    srl_largest(model->ranks, 1, &most);
    double first = own >= 0 && largest == most ? -(double)(model->first + own) : -INFINITY;
    srl_largest(model->ranks, 1, &first);
    outer->top = isinf(first) ? 0 : (int64_t)-first;
    return most;
}

/* The largest logit of all, its index into outer->top. False when a logit is not finite. */
static bool find_top(const struct srl_model *model, const double *z, struct srl_outer *outer, double *largest) {
    const int64_t own = largest_logit(model->m, z);
    bool finite = true;
    for (int64_t j = 0; j < model->m; j++)
        finite = finite && isfinite(z[j]);
    double most[] = {finite ? 0.0 : 1.0, srl_max_abs(model->m, model->b)};
    srl_largest(model->ranks, 2, most);
    outer->largest_b = most[1];
    if (most[0] > 0.0)
        return false;
    *largest = srl_find_top_of(model, own, own >= 0 ? z[own] : 0.0, outer);
    return isfinite(*largest);
}

/* c_k = f_k - b_k at the largest entry, written with S = 1 - f_k where f_k is close to 1. */
static double top_excess(const struct srl_outer *outer) {
    return outer->rest < 0.5 ? (1.0 - outer->top_b) - outer->rest : outer->top_f - outer->top_b;
}

static double squares_value(const struct srl_model *model, const struct srl_outer *outer) {
    const int64_t top = srl_own_output(model, outer->top);
    double sum = 0.0;
    for (int64_t j = 0; j < model->m; j++) {
        double c = j == top ? top_excess(outer) : outer->f[j] - model->b[j];
        sum += c * c;
    }
    srl_sum(model->ranks, 1, &sum);
    return 0.5 * sum;
}

/* -sum b_j log f_j with log f_j = (z_j - z_k) - log(sum of exp(z_i - z_k)): never the logarithm of an underflowed f. */
static double kl_value(const struct srl_model *model, const double *z, double z_top, double log_sum) {
    double sum = 0.0;
    for (int64_t j = 0; j < model->m; j++)
        if (model->b[j] != 0.0)
            sum -= model->b[j] * ((z[j] - z_top) - log_sum);
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

/* This rank's part of the excess of the cross-entropy for f of the logits z. */
static double kl_excess(const struct srl_model *model, const double *z, double z_top, const struct srl_outer *outer,
                        double log_sum) {
    const int64_t top = srl_own_output(model, outer->top);
    const double beta = outer->other_b + outer->top_b;
    double excess = 0.0;
    for (int64_t j = 0; j < model->m; j++) {
        const double b = model->b[j];
        const double difference = j == top ? outer->other_b - beta * outer->rest : beta * outer->f[j] - b;
        if (b == 0.0)
            excess += difference;
        else if (difference > -0.5 * b && isfinite(difference / b))
            excess += b * log_excess(difference / b);
        else /* f_j or b_j may have underflowed: the logarithms one by one, that of f_j from the logits */
            excess += difference - b * ((log(beta) - log(b)) + ((z[j] - z_top) - log_sum));
    }
    return excess;
}

static bool has_negative_target(const struct srl_model *model) {
    bool negative = false;
    for (int64_t j = 0; j < model->m; j++)
        negative = negative || model->b[j] < 0.0;
    return negative;
}

/* Value and excess; where some b_j is negative nothing is least, and the excess is the value. */
static double kl_value_and_excess(const struct srl_model *model, const double *z, double z_top, double others, bool negative,
                                  struct srl_outer *outer) {
    double sums[] = {kl_value(model, z, z_top, log1p(others)), 0.0};
    if (!negative)
        sums[1] = kl_excess(model, z, z_top, outer, log1p(others));
    srl_sum(model->ranks, 2, sums);
    outer->excess = negative ? sums[0] : sums[1];
    return sums[0];
}

double srl_outer_value(const struct srl_model *model, const double *z, struct srl_outer *outer) {
    SRL_TELL(model, .operation = SRL_OUTER_VALUE, .arrays = {srl_own(z), srl_own(outer->f)});
    double z_top;
    if (!find_top(model, z, outer, &z_top))
        return NAN;
    const int64_t top = srl_own_output(model, outer->top);
    enum { OTHERS, OTHER_B, TOP_B, NEGATIVE, SUMS };
    double sums[SUMS] = {[TOP_B] = top >= 0 ? model->b[top] : 0.0, [NEGATIVE] = has_negative_target(model)};
    for (int64_t j = 0; j < model->m; j++) {
        outer->f[j] = j == top ? 1.0 : exp(z[j] - z_top);
        sums[OTHERS] += j == top ? 0.0 : outer->f[j];
        sums[OTHER_B] += j == top ? 0.0 : model->b[j];
    }
    srl_sum(model->ranks, SUMS, sums);
    const double scale = 1.0 / (1.0 + sums[OTHERS]);
    for (int64_t j = 0; j < model->m; j++)
        outer->f[j] *= scale;
    outer->rest = sums[OTHERS] * scale;
    outer->top_f = scale;
    outer->top_b = sums[TOP_B];
    outer->other_b = sums[OTHER_B];
    if (model->loss != SOFTRELU_KL)
        return outer->excess = squares_value(model, outer);
    return kl_value_and_excess(model, z, z_top, sums[OTHERS], sums[NEGATIVE] > 0.0, outer);
}

/* By what terms of the slopes are divided before they are squared: 1 but where the squares of the target overflow. */
static double unit_of_terms(const struct srl_outer *outer) { return outer->largest_b > 1e100 ? outer->largest_b : 1.0; }

/* Of this rank: the sum of the squares of the terms. */
static double squares_derivatives(const struct srl_model *model, const struct srl_outer *outer, double *q, double *r) {
    const int64_t k = srl_own_output(model, outer->top);
    const double *f = outer->f, *b = model->b;
    const double c_top = top_excess(outer), c_top_terms = outer->top_f + fabs(outer->top_b);
    double means[] = {0.0, 0.0}; /* of the others' errors, and of their terms */
    for (int64_t j = 0; j < model->m; j++) {
        means[0] += j == k ? 0.0 : f[j] * (f[j] - b[j]);
        means[1] += j == k ? 0.0 : f[j] * (f[j] + fabs(b[j]));
    }
    srl_sum(model->ranks, 2, means);
    const double t_top = c_top * outer->rest - means[0];
    const double t_top_terms = c_top_terms * outer->rest + means[1];
    const double per_unit = 1.0 / unit_of_terms(outer);
    double terms = 0.0;
    for (int64_t j = 0; j < model->m; j++) {
        double t = j == k ? t_top : ((f[j] - b[j]) - c_top) + t_top;
        double term = f[j] * (j == k ? t_top_terms : f[j] + fabs(b[j]) + c_top_terms + t_top_terms);
        q[j] = f[j] * t;
        r[j] = f[j] * (f[j] + t);
        terms += (term * per_unit) * (term * per_unit);
    }
    return terms;
}

static double kl_derivatives(const struct srl_model *model, const struct srl_outer *outer, double *q, double *r) {
    const int64_t k = srl_own_output(model, outer->top);
    const double *f = outer->f, *b = model->b;
    const double beta = outer->other_b + outer->top_b, per_unit = 1.0 / unit_of_terms(outer);
    double terms = 0.0;
    for (int64_t j = 0; j < model->m; j++) {
        double term = fabs(beta) * f[j] + fabs(b[j]);
        q[j] = j == k ? outer->other_b - beta * outer->rest : beta * f[j] - b[j];
        r[j] = beta * f[j];
        terms += (term * per_unit) * (term * per_unit);
    }
    return terms;
}

double srl_outer_derivatives(const struct srl_model *model, const struct srl_outer *outer, double *q, double *r) {
    SRL_TELL(model, .operation = SRL_OUTER_DERIVATIVES, .arrays = {srl_own(outer->f), srl_own(q), srl_own(r)},
             .numbers = SRL_OUTER_IN_NUMBERS(outer), .integers = {outer->top});
    const bool kl = model->loss == SOFTRELU_KL;
    double terms = kl ? kl_derivatives(model, outer, q, r) : squares_derivatives(model, outer, q, r);
    if (!isfinite(srl_max_abs(model->m, r)))
        terms = NAN;
    srl_sum(model->ranks, 1, &terms);
    return sqrt(terms) * unit_of_terms(outer);
}

double srl_top_entry(const struct srl_model *model, const struct srl_outer *outer, const double *v) {
    const int64_t k = srl_own_output(model, outer->top);
    double entry = k >= 0 ? v[k] : 0.0;
    srl_sum(model->ranks, 1, &entry);
    return entry;
}

void srl_centre_own(const struct srl_model *model, const struct srl_outer *outer, double *v) {
    const int64_t k = srl_own_output(model, outer->top);
    const double v_top = srl_top_entry(model, outer, v);
    double mean = 0.0;
    for (int64_t j = 0; j < model->m; j++) {
        v[j] -= v_top;
        mean += j == k ? 0.0 : outer->f[j] * v[j];
    }
    srl_sum(model->ranks, 1, &mean);
    for (int64_t j = 0; j < model->m; j++)
        v[j] -= mean;
}
