#include "certificate/evaluation.h"

#include <math.h>
#include <string.h>

void srl_evaluation_carve(struct srl_arena *arena, struct srl_evaluation *at, const struct srl_model *model) {
    double **hidden[] = {&at->v, &at->u, &at->h, &at->jumps};
    double **output[] = {&at->z, &at->f, &at->q, &at->r};
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        *hidden[i] = srl_arena_doubles(arena, model->n);
    for (size_t i = 0; i < sizeof output / sizeof *output; i++)
        *output[i] = srl_arena_doubles(arena, model->room);
}

/* A sum that carries along what its additions lose (A. Neumaier, Z. Angew. Math. Mech. 54, 1974): exact to the last digits
   however many terms it has. Distances are no better known than the slopes of the loss are. */
struct sum {
    double total, lost;
};
static void add(struct sum *sum, double term) {
    const double total = sum->total + term;
    sum->lost += fabs(sum->total) >= fabs(term) ? (sum->total - total) + term : (term - total) + sum->total;
    sum->total = total;
}
static double value_of(const struct sum *sum) { return sum->total + sum->lost; }

/* u and h. */
static void feed_forward(struct srl_evaluation *at, const struct srl_model *model, const double *x) {
    srl_gemv(SRL_PLAIN, 1.0, &model->A1, x, 0.0, at->v);
    for (int64_t i = 0; i < model->n; i++) {
        at->u[i] = at->v[i] + (model->c1 != NULL ? model->c1[i] : 0.0);
        at->h[i] = fmax(at->u[i], 0.0);
    }
}

static void find_logits(struct srl_evaluation *at, const struct srl_model *model) {
    for (int64_t j = 0; j < model->m; j++)
        at->z[j] = (model->c2 != NULL ? model->c2[j] : 0.0) + (srl_has_output_layer(model) ? 0.0 : at->h[j]);
    if (srl_has_output_layer(model))
        srl_gemv(SRL_PLAIN, 1.0, &model->A2, at->h, 1.0, at->z);
}

/* The largest logit and whose it is: of several the first. */
static void find_top(struct srl_evaluation *at, const struct srl_model *model) {
    int64_t own = model->m > 0 ? 0 : -1;
    for (int64_t j = 1; j < model->m; j++)
        if (at->z[j] > at->z[own])
            own = j;
    const double mine = own >= 0 ? at->z[own] : -INFINITY;
    at->z_top = mine;
    srl_largest(model->ranks, 1, &at->z_top);
    double first = mine == at->z_top ? -(double)(model->first + own) : -INFINITY;
    srl_largest(model->ranks, 1, &first);
    at->top = isfinite(first) ? (int64_t)-first : 0;
}

/* f, its largest entry and what is left beside it; returns log sum exp(z - z_top). */
static double soften(struct srl_evaluation *at, const struct srl_model *model) {
    struct sum sum = {0.0, 0.0};
    find_top(at, model);
    const int64_t top = srl_own_output(model, at->top);
    for (int64_t j = 0; j < model->m; j++) {
        at->f[j] = exp(at->z[j] - at->z_top);
        add(&sum, j == top ? 0.0 : at->f[j]);
    }
    double sums[] = {value_of(&sum), top >= 0 ? model->b[top] : 0.0};
    srl_sum(model->ranks, 2, sums);
    for (int64_t j = 0; j < model->m; j++)
        at->f[j] /= 1.0 + sums[0];
    at->b_top = sums[1];
    at->rest = sums[0] / (1.0 + sums[0]);
    return log1p(sums[0]);
}

/* The norm of what ranks have a part of each. */
static double norm_of_parts(const struct srl_model *model, double part) {
    double largest = part;
    srl_largest(model->ranks, 1, &largest);
    if (!(largest > 0.0) || isinf(largest))
        return largest;
    double square = (part / largest) * (part / largest);
    srl_sum(model->ranks, 1, &square);
    return model->ranks != NULL ? largest * sqrt(square) : part;
}

/* q, r and the loss of -sum b log f; returns the size of the terms of q. */
static double cross_entropy(struct srl_evaluation *at, const struct srl_model *model, double log_sum, double *loss) {
    const int64_t top = srl_own_output(model, at->top);
    struct sum all = {0.0, 0.0}, without_top = {0.0, 0.0};
    double terms = 0.0;
    for (int64_t j = 0; j < model->m; j++) {
        add(&all, model->b[j]);
        add(&without_top, j == top ? 0.0 : model->b[j]);
    }
    double sums[] = {value_of(&all), value_of(&without_top)};
    srl_sum(model->ranks, 2, sums);
    const double beta = sums[0];
    *loss = 0.0;
    for (int64_t j = 0; j < model->m; j++) {
        *loss -= model->b[j] * ((at->z[j] - at->z_top) - log_sum);
        at->q[j] = beta * at->f[j] - model->b[j];
        at->r[j] = beta * at->f[j];
        terms = hypot(terms, fabs(beta) * at->f[j] + fabs(model->b[j]));
    }
    /* beta f_top - b_top = (beta - b_top) - beta (1 - f_top), without the cancellation when f_top is close to 1 */
    if (top >= 0)
        at->q[top] = sums[1] - beta * at->rest;
    srl_sum(model->ranks, 1, loss);
    return norm_of_parts(model, terms);
}

/* q, r and the loss 1/2 |f - b|^2; returns the size of the terms of q. With c = f - b and t = c - f'c: q = f t, r = f (f + t).
 */
static double least_squares(struct srl_evaluation *at, const struct srl_model *model, double *loss) {
    const int64_t top = srl_own_output(model, at->top);
    const double c_top = (1.0 - at->b_top) - at->rest, c_top_size = (1.0 - at->rest) + fabs(at->b_top);
    struct sum sum = {0.0, 0.0};
    double others_size = 0.0, terms = 0.0;
    *loss = top >= 0 ? 0.5 * c_top * c_top : 0.0;
    for (int64_t j = 0; j < model->m; j++) {
        if (j == top)
            continue;
        const double c = at->f[j] - model->b[j];
        add(&sum, at->f[j] * c);
        others_size += at->f[j] * (at->f[j] + fabs(model->b[j]));
        *loss += 0.5 * c * c;
    }
    double sums[] = {value_of(&sum), others_size, *loss};
    srl_sum(model->ranks, 3, sums);
    *loss = sums[2];
    const double t_top = c_top * at->rest - sums[0], t_top_size = c_top_size * at->rest + sums[1];
    for (int64_t j = 0; j < model->m; j++) {
        const double t = j == top ? t_top : ((at->f[j] - model->b[j]) - c_top) + t_top;
        const double size = j == top ? t_top_size : at->f[j] + fabs(model->b[j]) + c_top_size + t_top_size;
        at->q[j] = at->f[j] * t;
        at->r[j] = at->f[j] * (at->f[j] + t);
        terms = hypot(terms, at->f[j] * size);
    }
    return norm_of_parts(model, terms);
}

static void go_back(struct srl_evaluation *at, const struct srl_model *model) {
    if (srl_has_output_layer(model))
        srl_gemv(SRL_TRANSPOSED, 1.0, &model->A2, at->q, 0.0, at->jumps);
    else
        memcpy(at->jumps, at->q, (size_t)model->n * sizeof *at->jumps);
    srl_sum(model->ranks, model->n, at->jumps);
}

bool srl_evaluate_outputs(struct srl_evaluation *at, const struct srl_model *model, double *fit, double *terms) {
    SRL_TELL(model, .operation = SRL_EVALUATE_OUTPUTS, .arrays = {srl_own(at), srl_sent(at->h, model->n)});
    find_logits(at, model);
    const double log_sum = soften(at, model);
    *terms = model->loss == SOFTRELU_KL ? cross_entropy(at, model, log_sum, fit) : least_squares(at, model, fit);
    go_back(at, model);
    double wrong = !isfinite(srl_max_abs(model->m, at->z)) || !isfinite(srl_max_abs(model->m, at->r));
    srl_sum(model->ranks, 1, &wrong);
    return wrong == 0.0;
}

bool srl_has_negative_curvature(const struct srl_evaluation *at, const struct srl_model *model) {
    SRL_TELL(model, .operation = SRL_CONVEX_FIT, .arrays = {srl_own(at)});
    double negative = 0.0;
    for (int64_t j = 0; j < model->m; j++)
        negative += at->r[j] < 0.0;
    srl_sum(model->ranks, 1, &negative);
    return negative > 0.0;
}

static double regularisers(const struct srl_evaluation *at, const struct srl_model *model, const double *x) {
    double sum = 0.0;
    for (int64_t i = 0; i < model->n && model->w != NULL; i++)
        sum += 0.5 * (model->w[i] * at->v[i]) * (model->w[i] * at->v[i]);
    for (int64_t k = 0; k < model->d && model->rho > 0.0; k++) {
        const double offset = x[k] - (model->x_ref != NULL ? model->x_ref[k] : 0.0);
        sum += 0.5 * model->rho * offset * offset;
    }
    return sum;
}

/* What the gradient's round-off is relative to: each unit's term with the cancellation within q and A1 x undone. */
static const double NEAR_KINK = 1e-6; /* a unit that close below its kink may have a share */

static double gradient_scale(const struct srl_evaluation *at, const struct srl_model *model, double terms) {
    double scale = 0.0;
    for (int64_t i = 0; i < model->n; i++) {
        const double size = model->row_norms[i] * at->x_norm + (model->c1 != NULL ? fabs(model->c1[i]) : 0.0);
        double slope =
            at->u[i] >= -NEAR_KINK * size ? terms * (srl_has_output_layer(model) ? model->column_norms[i] : 1.0) : 0.0;
        if (model->w != NULL)
            slope += model->w[i] * (model->w[i] * (model->row_norms[i] * at->x_norm));
        scale = hypot(scale, slope * model->row_norms[i]);
    }
    if (model->rho > 0.0)
        scale += model->rho * (at->x_norm + (model->x_ref != NULL ? srl_norm(model->d, model->x_ref) : 0.0));
    return scale;
}

bool srl_evaluate(struct srl_evaluation *at, const struct srl_model *model, const double *x) {
    double fit, terms;
    at->x_norm = srl_norm(model->d, x);
    feed_forward(at, model, x);
    const bool finite = srl_evaluate_outputs(at, model, &fit, &terms);
    at->loss = fit + regularisers(at, model, x);
    at->scale = gradient_scale(at, model, terms);
    return finite && isfinite(at->loss) && isfinite(at->scale) && isfinite(srl_max_abs(model->n, at->u)) &&
           isfinite(srl_max_abs(model->n, at->jumps));
}

void srl_slopes_to_gradient(const struct srl_evaluation *at, const struct srl_model *model, const double *x, double *slopes,
                            double *gradient) {
    for (int64_t i = 0; i < model->n && model->w != NULL; i++)
        slopes[i] += model->w[i] * (model->w[i] * at->v[i]);
    srl_gemv(SRL_TRANSPOSED, 1.0, &model->A1, slopes, 0.0, gradient);
    for (int64_t k = 0; k < model->d && model->rho > 0.0; k++)
        gradient[k] += model->rho * (x[k] - (model->x_ref != NULL ? model->x_ref[k] : 0.0));
}
