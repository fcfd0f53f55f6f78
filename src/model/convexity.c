#include "model/convexity.h"

#include <float.h>
#include <string.h>

/* R may be that close to singular, relative to its trace: more, and products with its inverse would mean little. */
static const double LEAST_EIGENVALUE = 1e-9;
static const double TINY = 1e-200; /* squares of numbers below its root may underflow: nothing is proved with them */

void srl_convexity_carve(struct srl_arena *arena, struct srl_convexity_work *work, const struct srl_model *model) {
    srl_rows_carve(arena, &work->rows, model);
    work->factor = srl_arena_matrix(arena, model->d, model->d);
    work->matrix = srl_arena_matrix(arena, model->d, model->d);
    work->columns = srl_arena_matrix(arena, SRL_ROW_BLOCK, model->d);
    work->centre = srl_arena_doubles(arena, model->d);
    work->gradient = srl_arena_doubles(arena, model->d);
    work->at_centre = srl_arena_doubles(arena, model->n);
    work->at_point = srl_arena_doubles(arena, model->n);
    work->outputs = srl_arena_doubles(arena, model->m);
    work->factored = work->ill = false;
}

static double trace_of_regulariser(const struct srl_model *model) {
    double trace = 0.0;
    for (int64_t k = 0; k < model->d; k++)
        trace += model->curvature != NULL ? model->curvature[k + k * model->d] : model->rho;
    return trace;
}

/* matrix = R - multiple I, lower triangle; returns the trace of R. */
static double shifted_regulariser(const struct srl_model *model, double multiple, double *matrix) {
    srl_copy_curvature(model, matrix);
    for (int64_t k = 0; k < model->d; k++)
        matrix[k + k * model->d] -= multiple;
    return trace_of_regulariser(model);
}

/* Once: the factor of R. False when R is singular, or nearly so. */
static bool factor_regulariser(struct srl_convexity_work *work, const struct srl_model *model) {
    if (work->factored)
        return !work->ill;
    const double trace = shifted_regulariser(model, 0.0, work->factor);
    work->factored = true;
    work->ill = !(trace > TINY) || !isfinite(trace);
    if (!work->ill && model->curvature != NULL) {
        (void)shifted_regulariser(model, LEAST_EIGENVALUE * trace, work->matrix);
        work->ill = srl_interrupted(model->interruption) || srl_potrf(model->d, work->matrix, model->d) != 0 ||
                    srl_interrupted(model->interruption) || srl_potrf(model->d, work->factor, model->d) != 0;
    }
    for (int64_t k = 0; k < model->d && model->curvature == NULL; k++)
        work->factor[k + k * model->d] = sqrt(model->rho);
    return !work->ill;
}

/* A value with a bound of its round-off. */
struct rounded {
    double value, noise;
};

/* reg(x), and u = A1 x + c1. */
static struct rounded regulariser_at(const struct srl_model *model, const double *x, double *pre_activations) {
    const double x_norm = srl_norm(model->d, x);
    double sum = 0.0, size = 0.0;
    srl_gemv(SRL_PLAIN, 1.0, &model->A1, x, 0.0, pre_activations);
    for (int64_t i = 0; i < model->n; i++) {
        const double w = model->w != NULL ? model->w[i] : 0.0, term = w * pre_activations[i];
        const double terms = w * (model->row_norms[i] * x_norm);
        sum += 0.5 * term * term;
        size += terms * terms;
        pre_activations[i] += model->c1 != NULL ? model->c1[i] : 0.0;
    }
    for (int64_t k = 0; k < model->d && model->rho > 0.0; k++) {
        const double centre = model->x_ref != NULL ? model->x_ref[k] : 0.0, offset = x[k] - centre;
        sum += 0.5 * model->rho * offset * offset;
        size += model->rho * (x[k] * x[k] + centre * centre);
    }
    return (struct rounded){sum, srl_sum_noise(model) * size};
}

/* The loss at the logits in work->outputs, which are off by as much as noise each. It is a difference of terms that have at
   most the slope |b|_1 in the logits (kl), or a function of f whose slope is at most that of |f - b|. */
static struct rounded loss_at(const struct srl_convexity_work *work, const struct srl_model *model, double noise) {
    const double *z = work->outputs;
    double top = z[0], total = 0.0, sum = 0.0, size = 0.0, span = 0.0;
    for (int64_t j = 1; j < model->m; j++)
        top = fmax(top, z[j]);
    for (int64_t j = 0; j < model->m; j++)
        total += exp(z[j] - top);
    for (int64_t j = 0; j < model->m; j++) {
        const double b = model->b[j], difference = exp(z[j] - top) / total - b;
        span = fmax(span, top - z[j]);
        size += fabs(b);
        if (model->loss == SOFTRELU_KL)
            sum += b == 0.0 ? 0.0 : b * (log(total) - (z[j] - top));
        else
            sum += 0.5 * difference * difference;
    }
    const double slope = model->loss == SOFTRELU_KL ? 2.0 * size : 2.0 * (1.0 + size);
    return (struct rounded){sum,
                            slope * (noise + srl_sum_noise(model) * (1.0 + span + log(total))) + srl_sum_noise(model) * sum};
}

/* An upper bound of F(x), from reg(x) and u in work->at_point. */
static double level_at(struct srl_convexity_work *work, const struct srl_model *model, const double *x,
                       struct rounded regulariser) {
    double *hidden = work->at_centre, size = 0.0;
    const double x_norm = srl_norm(model->d, x);
    for (int64_t i = 0; i < model->n; i++) {
        const double column = model->column_norms != NULL ? model->column_norms[i] : 1.0;
        hidden[i] = fmax(work->at_point[i], 0.0);
        size += column * (model->row_norms[i] * x_norm + (model->c1 != NULL ? fabs(model->c1[i]) : 0.0));
    }
    srl_logits(model, hidden, work->outputs);
    if (model->c2 != NULL)
        size += srl_max_abs(model->m, model->c2);
    const struct rounded loss = loss_at(work, model, srl_sum_noise(model) * size);
    return regulariser.value + regulariser.noise + loss.value + loss.noise;
}

/* A lower bound of the loss over all distributions; NaN where there is none. Squares: f_j in [0, 1], and sum f = 1.
   Cross-entropy: least at f = b / beta, beta = sum b, where it is sum b_j log(beta / b_j). */
static double least_loss(const struct srl_model *model) {
    double sum = 0.0, outside = 0.0, entropy = 0.0, size = 0.0;
    for (int64_t j = 0; j < model->m; j++) {
        const double b = model->b[j], excess = b - fmin(fmax(b, 0.0), 1.0);
        if (model->loss == SOFTRELU_KL && b < 0.0)
            return NAN;
        sum += b;
        size += fabs(b);
        outside += 0.5 * excess * excess;
    }
    if (model->loss != SOFTRELU_KL) {
        const double missed = fmax(fabs(sum - 1.0) - srl_sum_noise(model) * (1.0 + size), 0.0);
        return (1.0 - srl_sum_noise(model)) * fmax(outside, 0.5 * missed * missed / (double)model->m);
    }
    size = 0.0;
    for (int64_t j = 0; j < model->m; j++)
        if (model->b[j] > 0.0) {
            entropy += model->b[j] * (log(sum) - log(model->b[j]));
            size += model->b[j] * (1.0 + fabs(log(sum)) + fabs(log(model->b[j])));
        }
    return entropy - srl_sum_noise(model) * size;
}

/* c, with R c = rho x_ref up to round-off. */
static void find_centre(struct srl_convexity_work *work, const struct srl_model *model) {
    for (int64_t k = 0; k < model->d; k++)
        work->centre[k] = model->x_ref != NULL ? model->rho * model->x_ref[k] : 0.0;
    if (model->curvature == NULL && model->x_ref != NULL)
        memcpy(work->centre, model->x_ref, (size_t)model->d * sizeof *work->centre);
    else
        (void)srl_potrs(model->d, 1, work->factor, model->d, work->centre, model->d);
}

/* |gradient of reg at c| in the norm of R^-1, round-off included: c is not exactly the minimiser. trace: of R. */
static double slope_at_centre(struct srl_convexity_work *work, const struct srl_model *model, double trace) {
    double *gradient = work->gradient;
    if (model->curvature == NULL)
        return 0.0;
    srl_symv(model->d, model->curvature, model->d, work->centre, gradient);
    for (int64_t k = 0; k < model->d; k++)
        gradient[k] -= model->x_ref != NULL ? model->rho * model->x_ref[k] : 0.0;
    const double reference = model->x_ref != NULL ? model->rho * srl_norm(model->d, model->x_ref) : 0.0;
    const double noise = srl_sum_noise(model) * (trace * srl_norm(model->d, work->centre) + reference);
    return (srl_norm(model->d, gradient) + noise) / sqrt(LEAST_EIGENVALUE * trace);
}

/* The radius in the norm of R of the ball around c that holds {F <= level}: reg(y) >= reg(c) - slope r + r^2 / 2. NaN
   where there is none. Leaves u at c in work->at_centre. */
static double radius_of(struct srl_convexity_work *work, const struct srl_model *model, double level) {
    const double trace = trace_of_regulariser(model);
    find_centre(work, model);
    const struct rounded least = regulariser_at(model, work->centre, work->at_centre);
    const double of_loss = least_loss(model),
                 noise = least.noise + srl_sum_noise(model) * (level + fabs(of_loss) + least.value);
    const double above = level - of_loss - least.value + noise, slope = slope_at_centre(work, model, trace);
    return (slope + sqrt(2.0 * fmax(above, 0.0) + slope * slope)) * (isnan(above) ? NAN : 1.0);
}

/* Whether F sees the kink of unit i at all: not when its row is 0, or when it adds the same to every output. */
static bool has_kink(const struct srl_model *model, int64_t i) {
    if (model->row_norms[i] == 0.0 || model->m == 1)
        return false;
    if (!srl_has_output_layer(model))
        return true;
    if (model->column_norms[i] == 0.0) /* of a unit that no output listens to, without a look at all of A2 */
        return false;
    const double first = srl_entry(&model->A2, 0, i);
    for (int64_t j = 1; j < model->m; j++) {
        if (srl_entry(&model->A2, j, i) != first)
            return true;
        srl_let_go_behind(&model->A2, j);
    }
    return false;
}

static double noise_of_unit(const struct srl_model *model, int64_t i, double x_norm) {
    return srl_sum_noise(model) * (model->row_norms[i] * x_norm + (model->c1 != NULL ? fabs(model->c1[i]) : 0.0));
}

/* Whether side u_i > 0 on the whole box, a the row of unit i: the least of each term is at one end. */
static bool is_on_side(const struct srl_model *model, int64_t i, const double *a, double side) {
    double least = model->c1 != NULL ? side * model->c1[i] : 0.0, size = fabs(least);
    for (int64_t k = 0; k < model->d; k++) {
        const double slope = side * a[k];
        const double term = slope == 0.0 ? 0.0 : slope * (slope > 0.0 ? srl_lower(model, k) : srl_upper(model, k));
        least += term;
        size += fabs(term);
    }
    return least > srl_sum_noise(model) * size;
}

/* The sign of u_i on the whole box; 0 when it has both or the box has no end where it matters. row: d of scratch. */
static int sign_on_box(const struct srl_model *model, int64_t i, double *row) {
    if (!srl_has_bounds(model))
        return 0;
    srl_copy_row(&model->A1, i, row);
    return is_on_side(model, i, row, 1.0) ? 1 : is_on_side(model, i, row, -1.0) ? -1 : 0;
}

/* The units that the box does not hold, by their indices into work->rows.active; the others' sides into work->rows.on. False
   when x, which is in the set, is too close to one's kink. */
static bool collect_units(struct srl_convexity_work *work, const struct srl_model *model, const double *x, int64_t *open) {
    const double x_norm = srl_norm(model->d, x);
    *open = 0;
    for (int64_t i = 0; i < model->n; i++) {
        work->rows.on[i] = 0;
        if (!has_kink(model, i))
            continue;
        const int sign = sign_on_box(model, i, work->columns);
        work->rows.on[i] = sign != 0 ? sign > 0 : work->at_point[i] > 0.0;
        if (sign != 0)
            continue;
        if (!(fabs(work->at_point[i]) > noise_of_unit(model, i, x_norm)))
            return false;
        work->rows.active[(*open)++] = (int32_t)i;
    }
    return true;
}

/* Whether the first open units keep their sign at c on the ball of that radius. The trace is an upper bound of R's eigenvalues:
   most balls that are too large are found out by it. */
static bool ball_holds_units(struct srl_convexity_work *work, const struct srl_model *model, double radius, int64_t open) {
    const int64_t d = model->d;
    const double room = 1.0 + 16.0 * (double)(model->n + d + 8) * DBL_EPSILON / LEAST_EIGENVALUE; /* R and its factor round */
    const double centre_norm = srl_norm(d, work->centre);
    const double most = model->curvature != NULL ? trace_of_regulariser(model) : model->rho;
    for (int64_t k = 0; k < open; k++) {
        const int64_t i = work->rows.active[k];
        const double u = work->at_centre[i];
        if ((u > 0.0) != (work->rows.on[i] != 0) || !(fabs(u) > radius * model->row_norms[i] / sqrt(most)))
            return false;
    }
    for (int64_t first = 0; first < open && !srl_interrupted(model->interruption); first += SRL_ROW_BLOCK) {
        const int64_t count = open - first < SRL_ROW_BLOCK ? open - first : SRL_ROW_BLOCK;
        for (int64_t k = 0; k < count; k++)
            srl_copy_row(&model->A1, work->rows.active[first + k], work->columns + k * d);
        srl_trsm_lower(SRL_PLAIN, d, count, work->factor, d, work->columns, d);
        for (int64_t k = 0; k < count; k++) {
            const int64_t i = work->rows.active[first + k];
            const double reach = room * radius * srl_norm(d, work->columns + k * d);
            if (!(fabs(work->at_centre[i]) > reach + noise_of_unit(model, i, centre_norm)))
                return false;
        }
    }
    return true;
}

/* Whether work->matrix, less what round-off may have added, is positive semidefinite. size: of what its diagonal was made of.
 */
static bool is_semidefinite(struct srl_convexity_work *work, const struct srl_model *model, double size) {
    const int64_t d = model->d;
    for (int64_t k = 0; k < d; k++)
        work->matrix[k + k * d] -= srl_sum_noise(model) * size;
    return size > TINY && isfinite(size) && !srl_interrupted(model->interruption) && srl_potrf(d, work->matrix, d) == 0;
}

/* The Hessian in the cell work->rows.on is at least R - below D_G^2 I, and R - below D_A2^2 A1' diag(s) A1. */
static bool cell_is_convex(struct srl_convexity_work *work, const struct srl_model *model) {
    const double below = srl_loss_constants_of(model).below;
    const int64_t d = model->d;
    struct srl_rows *rows = &work->rows;
    if (!(below > 0.0))
        return true;
    srl_rows_activate(rows, model);
    const double of_g = srl_largest_row_distance(rows, model, SRL_ROWS_OF_G).largest, shift = below * of_g * of_g;
    double gram = 0.0, noise = 0.0; /* trace of A1' diag(s) A1, and what the terms of G may have lost */
    for (int64_t i = 0; i < model->n; i++) {
        const double column = model->column_norms != NULL ? model->column_norms[i] : 1.0;
        gram += rows->on[i] ? model->row_norms[i] * model->row_norms[i] : 0.0;
        noise += rows->on[i] ? srl_sum_noise(model) * column * model->row_norms[i] : 0.0;
    }
    if (rows->active_count == 0)
        return true; /* all units are off */
    const double widened = shift + below * (2.0 * of_g + noise) * noise;
    const double trace = shifted_regulariser(model, widened, work->matrix);
    if (is_semidefinite(work, model, trace + (double)d * widened))
        return true;
    const double of_a2 = srl_largest_row_distance(rows, model, SRL_ROWS_OF_A2).largest, factor = below * of_a2 * of_a2;
    (void)shifted_regulariser(model, 0.0, work->matrix);
    const int64_t count = srl_has_output_layer(model) ? rows->active_count : model->n;
    srl_add_squares(model, d, count, -factor, rows->active_rows, work->matrix);
    return is_semidefinite(work, model, trace + factor * gram);
}

bool srl_convex_below(struct srl_convexity_work *work, const struct srl_model *model, const double *x) {
    if (model->m == 1)
        return true; /* the loss is constant */
    if (!srl_has_bounds(model) && model->curvature == NULL && !(model->rho > 0.0))
        return false;
    int64_t open;
    const struct rounded regulariser = regulariser_at(model, x, work->at_point);
    if (!isfinite(regulariser.value) || !collect_units(work, model, x, &open))
        return false;
    if (open > 0) {
        if (!factor_regulariser(work, model))
            return false;
        const double radius = radius_of(work, model, level_at(work, model, x, regulariser));
        if (!isfinite(radius) || !ball_holds_units(work, model, radius, open))
            return false;
    }
    return cell_is_convex(work, model);
}

void srl_point_of_low_level(struct srl_convexity_work *work, const struct srl_model *model, double *x) {
    if (factor_regulariser(work, model))
        find_centre(work, model);
    else if (model->x_ref != NULL)
        memcpy(work->centre, model->x_ref, (size_t)model->d * sizeof *work->centre);
    else
        memset(work->centre, 0, (size_t)model->d * sizeof *work->centre);
    memcpy(x, work->centre, (size_t)model->d * sizeof *x);
    srl_project_on_bounds(model, x);
}
