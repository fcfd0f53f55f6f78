#include "model/constants.h"

#include <float.h>
#include <math.h>
#include <string.h>

void srl_constants_carve(struct srl_arena *arena, struct srl_constants *constants, const struct srl_model *model) {
    const int64_t d = model->d;
    constants->model = model;
    srl_convexity_carve(arena, &constants->convexity, model);
    srl_point_carve(arena, &constants->point, model);
    srl_hessian_carve(arena, &constants->hessian, model);
    constants->gram = srl_arena_matrix(arena, d, d);
    constants->matrix = srl_arena_matrix(arena, d, d);
    constants->other = srl_arena_matrix(arena, d, d);
    constants->weights = srl_arena_doubles(arena, model->n > model->m ? model->n : model->m);
    constants->eigenvalues = srl_arena_doubles(arena, d);
    constants->work = srl_arena_doubles(arena, srl_syev_work(d));
}

/* factor * square^2 where a factor of 0 wins over anything. */
static double times_square(double factor, double root) { return factor > 0.0 && root > 0.0 ? factor * root * root : 0.0; }

/* The ends of the spectrum of a symmetric matrix, which is destroyed; infinite when an entry is. False when LAPACK refuses. */
static bool find_ends(struct srl_constants *constants, double *matrix, double *least, double *largest) {
    const int64_t d = constants->model->d;
    *least = -INFINITY;
    *largest = INFINITY;
    if (!srl_is_finite(d, matrix, d))
        return true;
    if (srl_syev(false, d, matrix, d, constants->eigenvalues, constants->work) != 0)
        return false;
    *least = constants->eigenvalues[0];
    *largest = constants->eigenvalues[d - 1];
    return true;
}

/* out = R + factor S, lower triangles. */
static void regulariser_plus(const struct srl_model *model, double factor, const double *s, double *out) {
    const int64_t d = model->d;
    srl_copy_curvature(model, out);
    for (int64_t j = 0; j < d; j++)
        for (int64_t i = j; i < d; i++)
            out[i + j * d] += factor * s[i + j * d];
}

static double trace_of(const double *matrix, int64_t d) {
    double trace = 0.0;
    for (int64_t k = 0; k < d; k++)
        trace += fabs(matrix[k + k * d]);
    return trace;
}

/* What round-off, below the normal range too, may have changed an eigenvalue of A1' diag(s) A1 by. */
static double gram_noise(const struct srl_model *model, const double *gram) {
    const bool is_zero = srl_max_abs(model->n, model->row_norms) == 0.0;
    const double underflow = is_zero ? 0.0 : (double)model->n * (double)model->d * DBL_TRUE_MIN;
    return srl_sum_noise(model) * trace_of(gram, model->d) + underflow;
}

/* A1' diag(s) A1 with s in the rows' on, by rows that lie in memory. */
static void find_gram(struct srl_constants *constants, double *gram) {
    const struct srl_model *model = constants->model;
    struct srl_rows *rows = &constants->convexity.rows;
    srl_rows_activate(rows, model);
    const int64_t count = srl_has_output_layer(model) ? rows->active_count : model->n;
    srl_syrk(model->d, count, 1.0, rows->active_rows, model->d, 0.0, gram, model->d);
}

/* Of the rows of G over all cells. With A2 absent they are rows of A1 or 0; else A1' diag(s) times differences of rows of A2.
 */
static double row_distance_of_all_cells(struct srl_constants *constants) {
    const struct srl_model *model = constants->model;
    const double of_a2 = constants->numbers[SOFTRELU_CONSTANT_OUTPUT_DISTANCE_INDEX];
    if (model->m == 1 || of_a2 == 0.0)
        return 0.0;
    const double through_norm = of_a2 * sqrt(constants->gram_largest);
    if (srl_has_output_layer(model))
        return through_norm;
    const double of_rows = srl_largest_row_distance(&constants->convexity.rows, model, SRL_ROWS_OF_G).largest;
    return fmin(fmax(of_rows, srl_max_abs(model->n, model->row_norms)), through_norm);
}

/* What the least eigenvalue of R is proved to be: at least rho. */
static double proved_regulariser(const struct srl_constants *constants) {
    const struct srl_model *model = constants->model;
    const double least = constants->numbers[SOFTRELU_CONSTANT_REGULARISER_LEAST_INDEX];
    return model->curvature == NULL ? least
                                    : fmax(model->rho, least - srl_sum_noise(model) * trace_of(model->curvature, model->d));
}

/* Lower bound of the least eigenvalue of R + (a fit's Hessian >= -c1 osc^2), osc^2 <= distance^2 p' gram p. */
static bool least_with(struct srl_constants *constants, double distance, const double *gram, double *least) {
    const struct srl_model *model = constants->model;
    const double factor = times_square(constants->loss.below, distance);
    double unused;
    *least = proved_regulariser(constants);
    if (factor == 0.0)
        return true;
    regulariser_plus(model, -factor, gram, constants->matrix);
    if (!find_ends(constants, constants->matrix, least, &unused))
        return false;
    const double noise = srl_sum_noise(model) * constants->numbers[SOFTRELU_CONSTANT_REGULARISER_LARGEST_INDEX];
    *least = isfinite(*least) ? *least - (noise + factor * gram_noise(model, gram)) : -INFINITY;
    return true;
}

static void put_loss_constants(struct srl_constants *constants) {
    double *numbers = constants->numbers;
    constants->loss = srl_loss_constants_of(constants->model);
    numbers[SOFTRELU_CONSTANT_CURVATURE_BELOW_INDEX] = constants->loss.below;
    numbers[SOFTRELU_CONSTANT_CURVATURE_ABOVE_INDEX] = constants->loss.above;
    numbers[SOFTRELU_CONSTANT_CURVATURE_CHANGE_INDEX] = constants->loss.change;
}

/* R is at least rho I, and A1'A1 at least 0: what round-off makes of that is put right. */
static bool put_regulariser(struct srl_constants *constants) {
    const struct srl_model *model = constants->model;
    double least = model->rho, largest = model->rho, gram_least, gram_largest;
    if (model->curvature != NULL) {
        srl_copy_curvature(model, constants->matrix);
        if (!find_ends(constants, constants->matrix, &least, &largest))
            return false;
    }
    memset(constants->convexity.rows.on, 1, (size_t)model->n);
    find_gram(constants, constants->gram);
    memcpy(constants->matrix, constants->gram, (size_t)model->d * (size_t)model->d * sizeof *constants->matrix);
    const double noise = gram_noise(model, constants->gram);
    if (!find_ends(constants, constants->matrix, &gram_least, &gram_largest))
        return false;
    constants->gram_least = isfinite(noise) ? fmax(gram_least - noise, 0.0) : 0.0;
    constants->gram_largest = gram_largest + noise;
    constants->numbers[SOFTRELU_CONSTANT_REGULARISER_LEAST_INDEX] = fmax(least, model->rho);
    constants->numbers[SOFTRELU_CONSTANT_REGULARISER_LARGEST_INDEX] = fmax(largest, model->rho);
    return true;
}

static bool put_hessian_bounds(struct srl_constants *constants) {
    const struct srl_model *model = constants->model;
    double *numbers = constants->numbers, least, largest, unused;
    const double of_a2 = numbers[SOFTRELU_CONSTANT_OUTPUT_DISTANCE_INDEX];
    const double of_g = numbers[SOFTRELU_CONSTANT_ROW_DISTANCE_ALL_INDEX];
    const double r_largest = numbers[SOFTRELU_CONSTANT_REGULARISER_LARGEST_INDEX];
    const double factor = times_square(constants->loss.above, of_a2);
    if (!least_with(constants, of_a2, constants->gram, &least))
        return false;
    regulariser_plus(model, factor, constants->gram, constants->matrix);
    if (!find_ends(constants, constants->matrix, &unused, &largest))
        return false;
    largest += srl_sum_noise(model) * r_largest * (double)model->d + factor * gram_noise(model, constants->gram);
    numbers[SOFTRELU_CONSTANT_HESSIAN_LEAST_ALL_INDEX] =
        fmax(least, proved_regulariser(constants) - times_square(constants->loss.below, of_g));
    numbers[SOFTRELU_CONSTANT_HESSIAN_LARGEST_ALL_INDEX] =
        fmin(isnan(largest) ? INFINITY : largest, r_largest + times_square(constants->loss.above, of_g));
    numbers[SOFTRELU_CONSTANT_HESSIAN_LIPSCHITZ_ALL_INDEX] = times_square(constants->loss.change * of_g, of_g);
    return true;
}

bool srl_constants_of_problem(struct srl_constants *constants) {
    const struct srl_model *model = constants->model;
    double *numbers = constants->numbers;
    for (int k = 0; k < SRL_CONSTANT_COUNT; k++)
        numbers[k] = NAN;
    constants->placed = false;
    put_loss_constants(constants);
    if (!put_regulariser(constants))
        return false;
    numbers[SOFTRELU_CONSTANT_OUTPUT_DISTANCE_INDEX] =
        srl_largest_row_distance(&constants->convexity.rows, model, SRL_ROWS_OF_A2).largest;
    numbers[SOFTRELU_CONSTANT_ROW_DISTANCE_ALL_INDEX] = row_distance_of_all_cells(constants);
    numbers[SOFTRELU_CONSTANT_SPECTRAL_NORM_ALL_INDEX] =
        model->m > 1 ? sqrt((double)(model->m - 1)) * numbers[SOFTRELU_CONSTANT_ROW_DISTANCE_ALL_INDEX] : 0.0;
    if (!put_hessian_bounds(constants))
        return false;
    numbers[SOFTRELU_CONSTANT_CONVEX_IN_CELLS_INDEX] = numbers[SOFTRELU_CONSTANT_HESSIAN_LEAST_ALL_INDEX] >= 0.0;
    srl_point_of_low_level(&constants->convexity, model, constants->point.x);
    numbers[SOFTRELU_CONSTANT_CONVEX_INDEX] = srl_convex_below(&constants->convexity, model, constants->point.x);
    return true;
}

/* matrix = C'C and other = C' diag(r) C + R. */
static void accumulate(struct srl_constants *constants) {
    const struct srl_model *model = constants->model;
    const struct srl_point *point = &constants->point;
    srl_hessian_assemble(model, &constants->hessian, point, point->r, constants->other);
    for (int64_t j = 0; j < model->m; j++)
        constants->weights[j] = 1.0;
    memset(constants->matrix, 0, (size_t)model->d * (size_t)model->d * sizeof *constants->matrix);
    srl_hessian_prepare(model, &constants->hessian, point);
    srl_hessian_add_fit(model, &constants->hessian, point->outer.top, constants->weights, constants->matrix);
}

static void put_nearest_kink(const struct srl_constants *constants, double *numbers) {
    double nearest = INFINITY, unit = -1.0;
    for (int64_t i = 0; i < constants->model->n; i++) {
        const double norm = constants->model->row_norms[i];
        const double distance = norm > 0.0 ? fabs(constants->point.u[i]) / norm : INFINITY;
        if (distance < nearest) {
            nearest = distance;
            unit = (double)i;
        }
    }
    numbers[SOFTRELU_CONSTANT_KINK_DISTANCE_INDEX] = nearest;
    numbers[SOFTRELU_CONSTANT_KINK_UNIT_INDEX] = unit;
}

/* Bounds in the whole cell of the point. constants->matrix is overwritten. */
static bool put_cell_bounds(struct srl_constants *constants, double *numbers) {
    const double of_g = numbers[SOFTRELU_CONSTANT_ROW_DISTANCE_INDEX];
    double least;
    find_gram(constants, constants->other);
    if (!least_with(constants, numbers[SOFTRELU_CONSTANT_OUTPUT_DISTANCE_INDEX], constants->other, &least))
        return false;
    least = fmax(least, proved_regulariser(constants) - times_square(constants->loss.below, of_g));
    numbers[SOFTRELU_CONSTANT_HESSIAN_LEAST_CELL_INDEX] = fmax(least, numbers[SOFTRELU_CONSTANT_HESSIAN_LEAST_ALL_INDEX]);
    numbers[SOFTRELU_CONSTANT_HESSIAN_LIPSCHITZ_INDEX] =
        fmin(times_square(constants->loss.change * of_g, of_g), numbers[SOFTRELU_CONSTANT_HESSIAN_LIPSCHITZ_ALL_INDEX]);
    return true;
}

softrelu_status srl_constants_at(struct srl_constants *constants, const double *x) {
    const struct srl_model *model = constants->model;
    struct srl_rows *rows = &constants->convexity.rows;
    double numbers[SRL_CONSTANT_COUNT], largest, least, unused;
    memcpy(numbers, constants->numbers, sizeof numbers);
    if (!srl_point_move(model, &constants->point, x) || !srl_point_differentiate(model, &constants->point, constants->weights))
        return SOFTRELU_ERROR_OVERFLOW;
    for (int64_t i = 0; i < model->n; i++)
        rows->on[i] = constants->point.u[i] > 0.0;
    srl_rows_activate(rows, model);
    const struct srl_row_distance distance = srl_largest_row_distance(rows, model, SRL_ROWS_OF_G);
    numbers[SOFTRELU_CONSTANT_ROW_DISTANCE_INDEX] = distance.largest;
    numbers[SOFTRELU_CONSTANT_ROW_DISTANCE_EXACT_INDEX] = distance.exact;
    accumulate(constants);
    if (!find_ends(constants, constants->matrix, &unused, &largest) || !find_ends(constants, constants->other, &least, &unused))
        return SOFTRELU_ERROR_LAPACK;
    if (!isfinite(largest) || !isfinite(least) || !isfinite(distance.largest))
        return SOFTRELU_ERROR_OVERFLOW;
    numbers[SOFTRELU_CONSTANT_SPECTRAL_NORM_INDEX] = sqrt(fmax(largest, 0.0));
    numbers[SOFTRELU_CONSTANT_HESSIAN_LEAST_INDEX] = least;
    if (!put_cell_bounds(constants, numbers))
        return SOFTRELU_ERROR_LAPACK;
    put_nearest_kink(constants, numbers);
    memcpy(constants->numbers, numbers, sizeof numbers);
    constants->placed = true;
    return SOFTRELU_OK;
}

/* Over all cells, Hessian >= (w^2 - c1 D_A2^2) A1'A1 + rho I and >= w^2 A1'A1 + (rho - c1 D^2) I: the better one counts. */
double srl_weight_for(const struct srl_constants *constants, double modulus) {
    const double *numbers = constants->numbers, rho = constants->model->rho, missing = modulus - rho;
    const double of_a2 = times_square(constants->loss.below, numbers[SOFTRELU_CONSTANT_OUTPUT_DISTANCE_INDEX]);
    const double of_g = times_square(constants->loss.below, numbers[SOFTRELU_CONSTANT_ROW_DISTANCE_ALL_INDEX]);
    const double apart = missing + of_g <= 0.0         ? 0.0
                         : constants->gram_least > 0.0 ? (missing + of_g) / constants->gram_least
                                                       : INFINITY;
    if (missing <= 0.0) {
        const double spare = constants->gram_largest > 0.0 ? -missing / constants->gram_largest : INFINITY;
        return fmin(apart, fmax(of_a2 - spare, 0.0));
    }
    return fmin(apart, constants->gram_least > 0.0 ? of_a2 + missing / constants->gram_least : INFINITY);
}
