/* Evaluators: values and derivatives at a point. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "api/handles.h"
#include "base/random.h"

static void carve(struct srl_arena *arena, softrelu_evaluator *evaluator) {
    const struct srl_model *model = evaluator->model;
    srl_point_carve(arena, &evaluator->point, model);
    srl_stationarity_carve(arena, &evaluator->stationarity_work, model);
    srl_derivative_check_carve(arena, &evaluator->check_work, model);
    evaluator->scratch = srl_arena_doubles(arena, 2 * model->n);
    evaluator->output = srl_arena_doubles(arena, model->m);
}

softrelu_status softrelu_evaluator_create(const softrelu_problem *problem, softrelu_evaluator **evaluator) {
    if (evaluator == NULL)
        return SOFTRELU_ERROR_NULL;
    *evaluator = NULL;
    if (problem == NULL)
        return SOFTRELU_ERROR_NULL;
    if (!problem->sealed)
        return SOFTRELU_ERROR_STATE;
    softrelu_evaluator *created = srl_allocate(&problem->allocator, 1, sizeof *created);
    if (created == NULL)
        return SOFTRELU_ERROR_MEMORY;
    created->model = &problem->model;
    created->allocator = problem->allocator;
    carve(&created->arena, created);
    if (!srl_arena_reserve(&created->arena, &created->allocator)) {
        softrelu_evaluator_destroy(created);
        return SOFTRELU_ERROR_MEMORY;
    }
    carve(&created->arena, created);
    *evaluator = created;
    return SOFTRELU_OK;
}

void softrelu_evaluator_destroy(softrelu_evaluator *evaluator) {
    if (evaluator == NULL)
        return;
    const struct srl_allocator allocator = evaluator->allocator;
    srl_arena_release(&evaluator->arena, &allocator);
    srl_arena_release(&evaluator->hessian_arena, &allocator);
    srl_arena_release(&evaluator->sampler_arena, &allocator);
    srl_release(&allocator, evaluator);
}

softrelu_status softrelu_evaluator_move(softrelu_evaluator *evaluator, const double *x, int64_t length) {
    if (evaluator == NULL)
        return SOFTRELU_ERROR_NULL;
    struct srl_message *message = &evaluator->message;
    message->text[0] = '\0';
    if (x == NULL)
        return srl_fail(message, SOFTRELU_ERROR_NULL, "x is NULL");
    softrelu_status status = srl_check_length(message, "x", length, evaluator->model->d);
    if (status == SOFTRELU_OK)
        status = srl_check_finite(message, "x", x, length);
    if (status != SOFTRELU_OK)
        return status;
    evaluator->differentiated = false;
    evaluator->placed = srl_point_move(evaluator->model, &evaluator->point, x);
    if (!evaluator->placed)
        return srl_fail(message, SOFTRELU_ERROR_OVERFLOW, "the network or the loss is beyond double precision at x");
    return SOFTRELU_OK;
}

/* What every getter needs: a point, and output (NULL only for a missing argument) of the right length. */
static softrelu_status check_at_point(softrelu_evaluator *evaluator, const char *name, const void *output, int64_t length,
                                      int64_t expected) {
    evaluator->message.text[0] = '\0';
    if (!evaluator->placed)
        return srl_fail(&evaluator->message, SOFTRELU_ERROR_STATE,
                        "the evaluator is at no point yet: call softrelu_evaluator_move");
    if (output == NULL)
        return srl_fail(&evaluator->message, SOFTRELU_ERROR_NULL, "%s is NULL", name);
    return srl_check_length(&evaluator->message, name, length, expected);
}

static softrelu_status differentiate(softrelu_evaluator *evaluator) {
    if (!evaluator->differentiated)
        evaluator->differentiated = srl_point_differentiate(evaluator->model, &evaluator->point, evaluator->scratch);
    if (!evaluator->differentiated)
        return srl_fail(&evaluator->message, SOFTRELU_ERROR_OVERFLOW, "the derivatives are beyond double precision at x");
    return SOFTRELU_OK;
}

softrelu_status softrelu_evaluator_preactivations(softrelu_evaluator *evaluator, double *u, int64_t length) {
    if (evaluator == NULL)
        return SOFTRELU_ERROR_NULL;
    softrelu_status status = check_at_point(evaluator, "u", u, length, evaluator->model->n);
    if (status == SOFTRELU_OK)
        memcpy(u, evaluator->point.u, (size_t)length * sizeof *u);
    return status;
}

softrelu_status softrelu_evaluator_prediction(softrelu_evaluator *evaluator, double *f, int64_t length) {
    if (evaluator == NULL)
        return SOFTRELU_ERROR_NULL;
    softrelu_status status = check_at_point(evaluator, "f", f, length, evaluator->model->m);
    if (status == SOFTRELU_OK)
        memcpy(f, evaluator->point.outer.f, (size_t)length * sizeof *f);
    return status;
}

softrelu_status softrelu_evaluator_loss(softrelu_evaluator *evaluator, double *total, double *fit, double *weights,
                                        double *proximity) {
    if (evaluator == NULL)
        return SOFTRELU_ERROR_NULL;
    softrelu_status status = check_at_point(evaluator, "loss", evaluator, 0, 0);
    if (status != SOFTRELU_OK)
        return status;
    if (total != NULL)
        *total = evaluator->point.loss;
    if (fit != NULL)
        *fit = evaluator->point.fit;
    if (weights != NULL)
        *weights = evaluator->point.weights;
    if (proximity != NULL)
        *proximity = evaluator->point.proximity;
    return SOFTRELU_OK;
}

softrelu_status softrelu_evaluator_gradient(softrelu_evaluator *evaluator, double *gradient, int64_t length) {
    if (evaluator == NULL)
        return SOFTRELU_ERROR_NULL;
    softrelu_status status = check_at_point(evaluator, "gradient", gradient, length, evaluator->model->d);
    if (status == SOFTRELU_OK)
        status = differentiate(evaluator);
    if (status == SOFTRELU_OK)
        memcpy(gradient, evaluator->point.gradient, (size_t)length * sizeof *gradient);
    return status;
}

static void carve_hessian(struct srl_arena *arena, softrelu_evaluator *evaluator) {
    const int64_t kept = srl_kept_jacobian(evaluator->model, false, -1.0);
    srl_hessian_carve(arena, &evaluator->hessian_work, evaluator->model);
    srl_jacobian_keep_in(&evaluator->hessian_work.jacobian, kept > 0 ? srl_arena_doubles(arena, kept) : NULL, false);
    evaluator->hessian = srl_arena_matrix(arena, evaluator->model->d, evaluator->model->d);
}

static softrelu_status reserve_hessian(softrelu_evaluator *evaluator) {
    if (evaluator->hessian_arena.base != NULL)
        return SOFTRELU_OK;
    evaluator->hessian_arena = (struct srl_arena){0};
    carve_hessian(&evaluator->hessian_arena, evaluator);
    if (!srl_arena_reserve(&evaluator->hessian_arena, &evaluator->allocator))
        return srl_fail(&evaluator->message, SOFTRELU_ERROR_MEMORY,
                        "no memory for the Hessian (d = %" PRId64 ") and the Jacobian (m = %" PRId64 ")", evaluator->model->d,
                        evaluator->model->m);
    carve_hessian(&evaluator->hessian_arena, evaluator);
    return SOFTRELU_OK;
}

/* What both Hessians need: a differentiated point, room in hessian, and work memory. */
static softrelu_status check_hessian(softrelu_evaluator *evaluator, const double *hessian, int64_t leading_dimension) {
    softrelu_status status = check_at_point(evaluator, "hessian", hessian, 0, 0);
    if (status != SOFTRELU_OK)
        return status;
    if (leading_dimension < evaluator->model->d)
        return srl_fail(&evaluator->message, SOFTRELU_ERROR_SIZE,
                        "hessian: leading dimension %" PRId64 ", expected at least %" PRId64, leading_dimension,
                        evaluator->model->d);
    status = differentiate(evaluator);
    return status == SOFTRELU_OK ? reserve_hessian(evaluator) : status;
}

/* The full matrix from the lower triangle in evaluator->hessian, if it is finite. */
static softrelu_status hand_out_hessian(softrelu_evaluator *evaluator, double *hessian, int64_t leading_dimension) {
    const int64_t d = evaluator->model->d;
    for (int64_t j = 0; j < d; j++)
        if (!isfinite(srl_max_abs(d - j, evaluator->hessian + j + j * d)))
            return srl_fail(&evaluator->message, SOFTRELU_ERROR_OVERFLOW, "the Hessian is beyond double precision at x");
    for (int64_t j = 0; j < d; j++)
        for (int64_t i = j; i < d; i++)
            hessian[i + j * leading_dimension] = hessian[j + i * leading_dimension] = evaluator->hessian[i + j * d];
    return SOFTRELU_OK;
}

softrelu_status softrelu_evaluator_hessian(softrelu_evaluator *evaluator, double *hessian, int64_t leading_dimension) {
    if (evaluator == NULL)
        return SOFTRELU_ERROR_NULL;
    const softrelu_status status = check_hessian(evaluator, hessian, leading_dimension);
    if (status != SOFTRELU_OK)
        return status;
    srl_hessian_assemble(evaluator->model, &evaluator->hessian_work, &evaluator->point, evaluator->point.r, evaluator->hessian);
    return hand_out_hessian(evaluator, hessian, leading_dimension);
}

static softrelu_status reserve_sampler(softrelu_evaluator *evaluator) {
    struct srl_arena *arena = &evaluator->sampler_arena;
    if (arena->base != NULL)
        return SOFTRELU_OK;
    *arena = (struct srl_arena){0};
    srl_sampler_carve(arena, &evaluator->sampler, evaluator->model);
    if (!srl_arena_reserve(arena, &evaluator->allocator))
        return srl_fail(&evaluator->message, SOFTRELU_ERROR_MEMORY,
                        "no memory to sample rows (n = %" PRId64 ", d = %" PRId64 ", m = %" PRId64 ")", evaluator->model->n,
                        evaluator->model->d, evaluator->model->m);
    srl_sampler_carve(arena, &evaluator->sampler, evaluator->model);
    return SOFTRELU_OK;
}

softrelu_status softrelu_evaluator_sampled_hessian(softrelu_evaluator *evaluator, double epsilon, int64_t rows, uint64_t seed,
                                                   uint64_t draw, double *hessian, int64_t leading_dimension,
                                                   int64_t *sampled) {
    if (evaluator == NULL)
        return SOFTRELU_ERROR_NULL;
    softrelu_status status = check_hessian(evaluator, hessian, leading_dimension);
    if (status != SOFTRELU_OK)
        return status;
    if (rows < 0 || rows > evaluator->model->m)
        return srl_fail(&evaluator->message, SOFTRELU_ERROR_VALUE, "rows = %" PRId64 " is outside [0, m = %" PRId64 "]", rows,
                        evaluator->model->m);
    if (rows == 0 && !(epsilon > 0.0 && epsilon < 1.0))
        return srl_fail(&evaluator->message, SOFTRELU_ERROR_VALUE, "epsilon = %g is outside (0, 1)", epsilon);
    status = reserve_sampler(evaluator);
    if (status != SOFTRELU_OK)
        return status;
    const struct srl_sample_plan plan = {epsilon, (double)rows, 1.0, false, false, seed, draw};
    void *kept = evaluator->hessian_work.jacobian.kept; /* a sample has no use for it */
    evaluator->hessian_work.jacobian.kept = NULL;
    srl_sampler_reset(&evaluator->sampler);
    const bool done = srl_sample_hessian(evaluator->model, &evaluator->hessian_work, &evaluator->sampler, &evaluator->point,
                                         evaluator->point.r, &plan, evaluator->hessian);
    evaluator->hessian_work.jacobian.kept = kept;
    if (!done && evaluator->sampler.refused)
        return srl_fail(&evaluator->message, SOFTRELU_ERROR_LAPACK, "LAPACK refused the sampled Hessian");
    if (!done)
        return srl_fail(&evaluator->message, SOFTRELU_ERROR_OVERFLOW, "the sampled Hessian is beyond double precision at x");
    status = hand_out_hessian(evaluator, hessian, leading_dimension);
    if (status == SOFTRELU_OK && sampled != NULL)
        *sampled = evaluator->sampler.count;
    return status;
}

softrelu_status softrelu_evaluator_hessian_product(softrelu_evaluator *evaluator, const double *direction, double *product,
                                                   int64_t length) {
    if (evaluator == NULL)
        return SOFTRELU_ERROR_NULL;
    softrelu_status status = check_at_point(evaluator, "product", product, length, evaluator->model->d);
    if (status != SOFTRELU_OK)
        return status;
    if (direction == NULL)
        return srl_fail(&evaluator->message, SOFTRELU_ERROR_NULL, "direction is NULL");
    status = srl_check_finite(&evaluator->message, "direction", direction, length);
    if (status == SOFTRELU_OK)
        status = differentiate(evaluator);
    if (status != SOFTRELU_OK)
        return status;
    double *result = evaluator->check_work.product; /* the caller's array stays untouched on overflow */
    srl_hessian_product(evaluator->model, &evaluator->point, evaluator->point.r, direction, evaluator->scratch,
                        evaluator->output, result);
    if (!isfinite(srl_max_abs(length, result)))
        return srl_fail(&evaluator->message, SOFTRELU_ERROR_OVERFLOW, "the product is beyond double precision");
    memcpy(product, result, (size_t)length * sizeof *product);
    return SOFTRELU_OK;
}

softrelu_status softrelu_evaluator_stationarity(softrelu_evaluator *evaluator, double kink_tolerance, double *residual,
                                                double *relative, int64_t *pinned, int64_t *concave) {
    if (evaluator == NULL)
        return SOFTRELU_ERROR_NULL;
    softrelu_status status = check_at_point(evaluator, "residual", evaluator, 0, 0);
    if (status != SOFTRELU_OK)
        return status;
    if (!(kink_tolerance >= 0.0) || isinf(kink_tolerance))
        return srl_fail(&evaluator->message, SOFTRELU_ERROR_VALUE, "kink_tolerance = %g is not a finite number >= 0",
                        kink_tolerance);
    status = differentiate(evaluator);
    if (status != SOFTRELU_OK)
        return status;
    const struct srl_stationarity found =
        srl_stationarity_at(evaluator->model, &evaluator->stationarity_work, &evaluator->point, kink_tolerance);
    if (residual != NULL)
        *residual = found.residual;
    if (relative != NULL)
        *relative = found.relative;
    if (pinned != NULL)
        *pinned = found.pinned;
    if (concave != NULL)
        *concave = found.concave;
    return SOFTRELU_OK;
}

/* The direction to test: the user's, or a random one. */
static softrelu_status choose_direction(softrelu_evaluator *evaluator, const double *direction, uint64_t seed) {
    const int64_t d = evaluator->model->d;
    double *chosen = evaluator->check_work.direction;
    for (int64_t k = 0; k < d; k++)
        chosen[k] = direction != NULL ? direction[k] : srl_random_normal(seed, 0, (uint64_t)k);
    softrelu_status status = srl_check_finite(&evaluator->message, "direction", chosen, d);
    if (status == SOFTRELU_OK && srl_max_abs(d, chosen) == 0.0)
        return srl_fail(&evaluator->message, SOFTRELU_ERROR_VALUE, "direction is zero");
    return status;
}

softrelu_status softrelu_evaluator_check_derivatives(softrelu_evaluator *evaluator, const double *direction, uint64_t seed,
                                                     double step, softrelu_derivative_verdict *verdict, double *gradient_order,
                                                     double *hessian_order, int64_t *kink) {
    if (evaluator == NULL)
        return SOFTRELU_ERROR_NULL;
    softrelu_status status = check_at_point(evaluator, "verdict", verdict, 0, 0);
    if (status != SOFTRELU_OK)
        return status;
    if (!(step >= 0.0) || isinf(step))
        return srl_fail(&evaluator->message, SOFTRELU_ERROR_VALUE, "step = %g is not a finite number >= 0", step);
    status = choose_direction(evaluator, direction, seed);
    if (status == SOFTRELU_OK)
        status = differentiate(evaluator);
    if (status != SOFTRELU_OK)
        return status;
    const struct srl_derivative_check check =
        srl_check_derivatives(evaluator->model, &evaluator->check_work, &evaluator->point, step);
    *verdict = check.verdict;
    if (gradient_order != NULL)
        *gradient_order = check.gradient_order;
    if (hessian_order != NULL)
        *hessian_order = check.hessian_order;
    if (kink != NULL)
        *kink = check.kink;
    return SOFTRELU_OK;
}

const char *softrelu_evaluator_message(const softrelu_evaluator *evaluator) {
    return evaluator != NULL ? evaluator->message.text : "the evaluator is NULL";
}
