#include "model/point.h"

#include <math.h>
#include <string.h>

void srl_point_carve(struct srl_arena *arena, struct srl_point *point, const struct srl_model *model) {
    point->x = srl_arena_doubles(arena, model->d);
    point->v = srl_arena_doubles(arena, model->n);
    point->u = srl_arena_doubles(arena, model->n);
    point->h = srl_arena_doubles(arena, model->n);
    point->z = srl_arena_doubles(arena, model->room);
    point->outer.f = srl_arena_doubles(arena, model->room);
    point->q = srl_arena_doubles(arena, model->room);
    point->r = srl_arena_doubles(arena, model->room);
    point->slope_jumps = srl_arena_doubles(arena, model->n);
    point->kink_jumps = model->twins != NULL ? srl_arena_doubles(arena, model->n) : point->slope_jumps;
    point->gradient = srl_arena_doubles(arena, model->d);
    point->held = srl_arena_flags(arena, model->n);
    point->held_entries = srl_arena_flags(arena, model->d);
    point->mean_hidden = srl_arena_doubles(arena, model->n);
    point->with_mean = point->has_mean = false;
}

bool srl_point_move(const struct srl_model *model, struct srl_point *point, const double *x) {
    if (x != point->x)
        memcpy(point->x, x, (size_t)model->d * sizeof *x);
    srl_gemv(SRL_PLAIN, 1.0, &model->A1, point->x, 0.0, point->v);
    return srl_point_evaluate(model, point);
}

static double half_sum_of_squares(int64_t length, const double *weights, const double *values) {
    double sum = 0.0;
    for (int64_t i = 0; i < length; i++)
        sum += (weights[i] * values[i]) * (weights[i] * values[i]);
    return 0.5 * sum;
}

static double proximity(const struct srl_model *model, const double *x) {
    double sum = 0.0;
    for (int64_t k = 0; k < model->d; k++) {
        double offset = x[k] - (model->x_ref != NULL ? model->x_ref[k] : 0.0);
        sum += model->rho * offset * offset; /* the square alone may overflow */
    }
    return 0.5 * sum;
}

bool srl_point_activate(const struct srl_model *model, struct srl_point *point) {
    bool finite = true;
    point->has_mean = false;
    for (int64_t i = 0; i < model->n; i++) {
        point->u[i] = point->v[i] + (model->c1 != NULL ? model->c1[i] : 0.0);
        point->h[i] = point->u[i] > 0.0 ? point->u[i] : 0.0;
        finite = finite && isfinite(point->u[i]);
    }
    return finite;
}

bool srl_point_judge(const struct srl_model *model, struct srl_point *point) {
    point->fit = srl_outer_value(model, point->z, &point->outer);
    point->weights = model->w != NULL ? half_sum_of_squares(model->n, model->w, point->v) : 0.0;
    point->proximity = model->rho > 0.0 ? proximity(model, point->x) : 0.0;
    point->loss = point->fit + point->weights + point->proximity;
    point->merit = point->outer.excess + point->weights + point->proximity;
    return isfinite(point->loss) && isfinite(point->merit);
}

bool srl_point_evaluate(const struct srl_model *model, struct srl_point *point) {
    const bool finite = srl_point_activate(model, point);
    srl_logits(model, point->h, point->z);
    return srl_point_judge(model, point) && finite;
}

double srl_smooth_slope(const struct srl_model *model, const struct srl_point *point, int64_t i) {
    return model->w != NULL ? model->w[i] * (model->w[i] * point->v[i]) : 0.0;
}

void srl_add_proximity_slopes(const struct srl_model *model, const struct srl_point *point, double *gradient) {
    for (int64_t k = 0; k < model->d && model->rho > 0.0; k++)
        gradient[k] += model->rho * (point->x[k] - (model->x_ref != NULL ? model->x_ref[k] : 0.0));
}

void srl_gradient_of_slopes(const struct srl_model *model, const struct srl_point *point, double *slopes, double *gradient) {
    for (int64_t i = 0; i < model->n; i++)
        slopes[i] += srl_smooth_slope(model, point, i);
    srl_gemv(SRL_TRANSPOSED, 1.0, &model->A1, slopes, 0.0, gradient);
    srl_add_proximity_slopes(model, point, gradient);
}

double srl_logit_scale(const struct srl_model *model, const struct srl_point *point) {
    double sum = 0.0;
    for (int64_t i = 0; i < model->n; i++) {
        const double part = point->h[i] * (model->column_norms != NULL ? model->column_norms[i] : 1.0);
        sum += part * part;
    }
    return sqrt(sum);
}

/* A unit that close below its kink may have a share in the gradient. */
static const double NEAR_KINK = 1e-6;

/* Root of the summed squares of what the gradient is added up from, with every cancellation undone. terms: n of scratch. */
static double gradient_scale(const struct srl_model *model, const struct srl_point *point, double output_terms, double *terms) {
    const double x_norm = srl_norm(model->d, point->x);
    for (int64_t i = 0; i < model->n; i++) {
        double column = model->column_norms != NULL ? model->column_norms[i] : 1.0;
        double slope = point->u[i] >= 0.0 || srl_at_kink(model, point, i, x_norm, NEAR_KINK) ? output_terms * column : 0.0;
        if (model->w != NULL)
            slope += model->w[i] * (model->w[i] * (model->row_norms[i] * x_norm));
        terms[i] = slope * model->row_norms[i];
    }
    double scale = srl_norm(model->n, terms);
    if (model->rho > 0.0)
        scale += model->rho * x_norm;
    if (model->rho > 0.0 && model->x_ref != NULL)
        scale += model->rho * srl_norm(model->d, model->x_ref);
    return scale;
}

void srl_two_back(const struct srl_model *model, const struct srl_outer *outer, const double *q, double *slope_jumps,
                  double *mean_hidden) {
    SRL_TELL(model, .operation = SRL_POINT_BACK,
             .arrays = {srl_own(outer->f), srl_own(q), srl_own(slope_jumps), srl_own(mean_hidden)}, .integers = {outer->top});
    const int64_t k = srl_own_output(model, outer->top);
    const double top = k >= 0 ? outer->f[k] : 0.0;
    if (k >= 0)
        outer->f[k] = 0.0; /* for the moment */
    srl_own_two_back_to_hidden(model, q, outer->f, slope_jumps, mean_hidden);
    if (k >= 0)
        outer->f[k] = top;
    srl_sum(model->ranks, model->n, slope_jumps);
    srl_sum(model->ranks, model->n, mean_hidden);
}

void srl_point_back(const struct srl_model *model, struct srl_point *point) {
    if (!point->with_mean || point->has_mean) {
        srl_back_to_hidden(model, point->q, point->slope_jumps);
        return;
    }
    srl_two_back(model, &point->outer, point->q, point->slope_jumps, point->mean_hidden);
    point->has_mean = true;
}

bool srl_point_differentiate(const struct srl_model *model, struct srl_point *point, double *scratch) {
    const double output_terms = srl_outer_derivatives(model, &point->outer, point->q, point->r);
    srl_point_back(model, point);
    if (model->twins != NULL)
        srl_add_up_twins(model, point->slope_jumps, point->kink_jumps);
    point->gradient_scale = gradient_scale(model, point, output_terms, scratch);
    for (int64_t i = 0; i < model->n; i++)
        scratch[i] = point->u[i] > 0.0 ? point->slope_jumps[i] : 0.0;
    srl_gradient_of_slopes(model, point, scratch, point->gradient);
    return isfinite(srl_max_abs(model->d, point->gradient)) && isfinite(srl_max_abs(model->n, point->slope_jumps)) &&
           isfinite(output_terms) && isfinite(point->gradient_scale);
}

void srl_output_derivatives(const struct srl_model *model, const struct srl_outer *outer, const double *q, const double *r,
                            double *y, double *slope, double *curvature) {
    SRL_TELL(model, .operation = SRL_LINE_DERIVATIVES, .arrays = {srl_own(outer->f), srl_own(q), srl_own(r), srl_own(y)},
             .integers = {outer->top});
    double sums[] = {srl_dot(model->m, q, y), 0.0};
    srl_centre_own(model, outer, y);
    for (int64_t j = 0; j < model->m; j++)
        sums[1] += r[j] * y[j] * y[j];
    srl_sum(model->ranks, 2, sums);
    *slope = sums[0];
    *curvature = sums[1];
}

void srl_line_derivatives(const struct srl_model *model, const struct srl_point *point, const double *r, const double *step,
                          const double *rates, double *y, double *slope, double *curvature) {
    srl_output_derivatives(model, &point->outer, point->q, r, y, slope, curvature);
    for (int64_t i = 0; i < model->n && model->w != NULL; i++) {
        const double weighted = model->w[i] * rates[i];
        *slope += weighted * (model->w[i] * point->v[i]);
        *curvature += weighted * weighted;
    }
    for (int64_t k = 0; k < model->d && model->rho > 0.0; k++) {
        *slope += model->rho * step[k] * (point->x[k] - (model->x_ref != NULL ? model->x_ref[k] : 0.0));
        *curvature += model->rho * step[k] * step[k];
    }
}

/* y = (centring)' diag(r) (centring) e in output space, with e already centred: y_j = r_j e_j - f_j sum_i r_i e_i, where at
   the largest entry k the cancellation r_k e_k - f_k r_k e_k = (1 - f_k) r_k e_k is done by hand. */
static void weigh_and_centre(const struct srl_model *model, const struct srl_outer *outer, const double *r, double *e) {
    const int64_t k = srl_own_output(model, outer->top);
    const double *f = outer->f;
    double sums[] = {0.0, 0.0}; /* of all but e_k, and that */
    for (int64_t j = 0; j < model->m; j++) {
        e[j] *= r[j];
        sums[j == k] += e[j];
    }
    srl_sum(model->ranks, 2, sums);
    const double others = sums[0], weighted_top = sums[1];
    for (int64_t j = 0; j < model->m; j++)
        e[j] = j == k ? outer->rest * weighted_top - f[j] * others : e[j] - f[j] * (weighted_top + others);
}

void srl_curve_outputs(const struct srl_model *model, const struct srl_outer *outer, const double *r, const double *rates,
                       double *output, double *back) {
    SRL_TELL(model, .operation = SRL_CURVE_OUTPUTS,
             .arrays = {srl_own(outer->f), srl_own(r), srl_sent(rates, model->n), srl_own(output), srl_own(back)},
             .numbers = SRL_OUTER_IN_NUMBERS(outer), .integers = {outer->top});
    srl_to_own_outputs(model, rates, output);
    srl_centre_own(model, outer, output);
    weigh_and_centre(model, outer, r, output);
    srl_own_back_to_hidden(model, output, back);
    srl_sum(model->ranks, model->n, back);
}

void srl_hessian_product(const struct srl_model *model, const struct srl_point *point, const double *r, const double *direction,
                         double *hidden, double *output, double *product) {
    const int64_t n = model->n;
    double *rates = hidden, *back = hidden + n; /* rates of change of A1 x, and what comes back from the outputs */
    srl_gemv(SRL_PLAIN, 1.0, &model->A1, direction, 0.0, rates);

    for (int64_t i = 0; i < n; i++)
        back[i] = point->u[i] > 0.0 ? rates[i] : 0.0;
    srl_curve_outputs(model, &point->outer, r, back, output, back);
    for (int64_t i = 0; i < n; i++)
        back[i] = (point->u[i] > 0.0 ? back[i] : 0.0) + (model->w != NULL ? model->w[i] * (model->w[i] * rates[i]) : 0.0);
    for (int64_t k = 0; k < model->d; k++)
        product[k] = model->rho * direction[k];
    srl_gemv(SRL_TRANSPOSED, 1.0, &model->A1, back, 1.0, product);
}
