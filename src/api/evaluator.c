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
    evaluator->output = srl_arena_doubles(arena, model->room);
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
        return srl_agree_on_memory(problem, false);
    created->model = &problem->model;
    created->allocator = problem->allocator;
    carve(&created->arena, created);
    const bool room = srl_arena_reserve(&created->arena, &created->allocator);
    const softrelu_status status = srl_agree_on_memory(problem, room);
    if (status != SOFTRELU_OK) {
        softrelu_evaluator_destroy(created);
        return status;
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

/* ---- calls of all ranks together ---- */

/* What a call works with: the evaluator, and what of its arguments that takes. */
struct task {
    softrelu_evaluator *evaluator;
    const double *in;
    double *out;
    double number;
    const struct srl_sample_plan *plan;
    struct srl_stationarity *stationarity;
    struct srl_derivative_check *check;
};

static softrelu_status together(struct task *task, int kind, softrelu_status (*work)(void *), softrelu_status status) {
    softrelu_evaluator *evaluator = task->evaluator;
    const struct srl_arena *arenas[] = {&evaluator->arena, &evaluator->hessian_arena, &evaluator->sampler_arena};
    struct srl_joint_call joint = {.kind = kind, .work = work, .context = task};
    joint.regions[0] = srl_region_at(evaluator, sizeof *evaluator);
    for (int i = 0; i < 3; i++)
        joint.regions[i + 1] = srl_region_at(arenas[i]->base, arenas[i]->capacity);
    joint.regions[4] = srl_region_of_model(evaluator->model);
    return srl_together(evaluator->model->ranks, &joint, status, &evaluator->message);
}

/* From the first rank to the others. */
static void share(const softrelu_evaluator *evaluator, void *bytes, int64_t size) {
    srl_spread(evaluator->model->ranks, 0, bytes, size);
}

/* Whether that went well. */
static softrelu_status shared(softrelu_evaluator *evaluator) {
    const struct srl_ranks *ranks = evaluator->model->ranks;
    return ranks != NULL && ranks->failed ? srl_fail_ranks(&evaluator->message) : SOFTRELU_OK;
}

/* What getters hand out of a point. */
static softrelu_status share_point(softrelu_evaluator *evaluator) {
    struct srl_point *point = &evaluator->point;
    double *numbers[] = {&point->loss, &point->fit, &point->weights, &point->proximity};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        share(evaluator, numbers[i], sizeof *numbers[i]);
    share(evaluator, point->u, evaluator->model->n * (int64_t)sizeof *point->u);
    return shared(evaluator);
}

static softrelu_status move_point(void *context) {
    const struct task *task = context;
    if (!srl_point_move(task->evaluator->model, &task->evaluator->point, task->in))
        return srl_fail(&task->evaluator->message, SOFTRELU_ERROR_OVERFLOW,
                        "the network or the loss is beyond double precision at x");
    return SOFTRELU_OK;
}

softrelu_status softrelu_evaluator_move(softrelu_evaluator *evaluator, const double *x, int64_t length) {
    if (evaluator == NULL)
        return SOFTRELU_ERROR_NULL;
    struct srl_message *message = &evaluator->message;
    message->text[0] = '\0';
    softrelu_status status = x == NULL ? srl_fail(message, SOFTRELU_ERROR_NULL, "x is NULL")
                                       : srl_check_length(message, "x", length, evaluator->model->d);
    if (status == SOFTRELU_OK)
        status = srl_check_finite(message, "x", x, length);
    const bool argued = status == SOFTRELU_OK;
    struct task task = {.evaluator = evaluator, .in = x};
    status = together(&task, SRL_CALL_MOVE, move_point, status);
    if (status == SOFTRELU_OK)
        status = share_point(evaluator);
    if (argued && (status == SOFTRELU_OK || status == SOFTRELU_ERROR_OVERFLOW)) {
        evaluator->differentiated = false;
        evaluator->placed = status == SOFTRELU_OK;
    }
    return status;
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

static softrelu_status differentiate_point(void *context) {
    softrelu_evaluator *evaluator = ((struct task *)context)->evaluator;
    if (!srl_point_differentiate(evaluator->model, &evaluator->point, evaluator->scratch))
        return srl_fail(&evaluator->message, SOFTRELU_ERROR_OVERFLOW, "the derivatives are beyond double precision at x");
    return SOFTRELU_OK;
}

/* The first derivatives, unless they are there. status: of the checks before. */
static softrelu_status differentiate(softrelu_evaluator *evaluator, softrelu_status status) {
    struct task task = {.evaluator = evaluator};
    if (evaluator->differentiated)
        return srl_agree(evaluator->model->ranks, status, &evaluator->message);
    status = together(&task, SRL_CALL_DIFFERENTIATE, differentiate_point, status);
    if (status == SOFTRELU_OK) {
        share(evaluator, evaluator->point.gradient, evaluator->model->d * (int64_t)sizeof *evaluator->point.gradient);
        status = shared(evaluator);
    }
    evaluator->differentiated = status == SOFTRELU_OK;
    return status;
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
    status = differentiate(evaluator, status);
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
    if (status == SOFTRELU_OK && leading_dimension < evaluator->model->d)
        status = srl_fail(&evaluator->message, SOFTRELU_ERROR_SIZE,
                          "hessian: leading dimension %" PRId64 ", expected at least %" PRId64, leading_dimension,
                          evaluator->model->d);
    status = differentiate(evaluator, status);
    return status == SOFTRELU_OK ? reserve_hessian(evaluator) : status;
}

/* The full matrix from the lower triangle in evaluator->hessian of the first rank, if it is finite. */
static softrelu_status hand_out_hessian(softrelu_evaluator *evaluator, double *hessian, int64_t leading_dimension) {
    const int64_t d = evaluator->model->d;
    share(evaluator, evaluator->hessian, d * d * (int64_t)sizeof *evaluator->hessian);
    if (shared(evaluator) != SOFTRELU_OK)
        return SOFTRELU_ERROR_COMMUNICATION;
    for (int64_t j = 0; j < d; j++)
        if (!isfinite(srl_max_abs(d - j, evaluator->hessian + j + j * d)))
            return srl_fail(&evaluator->message, SOFTRELU_ERROR_OVERFLOW, "the Hessian is beyond double precision at x");
    for (int64_t j = 0; j < d; j++)
        for (int64_t i = j; i < d; i++)
            hessian[i + j * leading_dimension] = hessian[j + i * leading_dimension] = evaluator->hessian[i + j * d];
    return SOFTRELU_OK;
}

static softrelu_status assemble(void *context) {
    softrelu_evaluator *evaluator = ((struct task *)context)->evaluator;
    srl_hessian_assemble(evaluator->model, &evaluator->hessian_work, &evaluator->point, evaluator->point.r, evaluator->hessian);
    return SOFTRELU_OK;
}

softrelu_status softrelu_evaluator_hessian(softrelu_evaluator *evaluator, double *hessian, int64_t leading_dimension) {
    if (evaluator == NULL)
        return SOFTRELU_ERROR_NULL;
    struct task task = {.evaluator = evaluator};
    const softrelu_status status =
        together(&task, SRL_CALL_HESSIAN, assemble, check_hessian(evaluator, hessian, leading_dimension));
    if (status != SOFTRELU_OK)
        return status;
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

static softrelu_status sample(void *context) {
    const struct task *task = context;
    softrelu_evaluator *evaluator = task->evaluator;
    struct srl_jacobian *jacobian = &evaluator->hessian_work.jacobian;
    void *kept = jacobian->kept; /* a sample has no use for it */
    jacobian->kept = NULL;
    srl_sampler_reset(&evaluator->sampler);
    const bool done = srl_sample_hessian(evaluator->model, &evaluator->hessian_work, &evaluator->sampler, &evaluator->point,
                                         evaluator->point.r, task->plan, evaluator->hessian);
    jacobian->kept = kept;
    if (!done && evaluator->sampler.refused)
        return srl_fail(&evaluator->message, SOFTRELU_ERROR_LAPACK, "LAPACK refused the sampled Hessian");
    if (!done)
        return srl_fail(&evaluator->message, SOFTRELU_ERROR_OVERFLOW, "the sampled Hessian is beyond double precision at x");
    return SOFTRELU_OK;
}

softrelu_status softrelu_evaluator_sampled_hessian(softrelu_evaluator *evaluator, double epsilon, int64_t rows, uint64_t seed,
                                                   uint64_t draw, double *hessian, int64_t leading_dimension,
                                                   int64_t *sampled) {
    if (evaluator == NULL)
        return SOFTRELU_ERROR_NULL;
    softrelu_status status = check_hessian(evaluator, hessian, leading_dimension);
    if (status == SOFTRELU_OK && (rows < 0 || rows > evaluator->model->outputs))
        status = srl_fail(&evaluator->message, SOFTRELU_ERROR_VALUE, "rows = %" PRId64 " is outside [0, m = %" PRId64 "]", rows,
                          evaluator->model->outputs);
    if (status == SOFTRELU_OK && rows == 0 && !(epsilon > 0.0 && epsilon < 1.0))
        status = srl_fail(&evaluator->message, SOFTRELU_ERROR_VALUE, "epsilon = %g is outside (0, 1)", epsilon);
    if (status == SOFTRELU_OK)
        status = reserve_sampler(evaluator);
    const struct srl_sample_plan plan = {epsilon, (double)rows, 1.0, false, false, seed, draw};
    struct task task = {.evaluator = evaluator, .plan = &plan};
    status = together(&task, SRL_CALL_SAMPLED, sample, status);
    if (status != SOFTRELU_OK)
        return status;
    share(evaluator, &evaluator->sampler.total, sizeof evaluator->sampler.total);
    status = hand_out_hessian(evaluator, hessian, leading_dimension);
    if (status == SOFTRELU_OK && sampled != NULL)
        *sampled = evaluator->sampler.total;
    return status;
}

static softrelu_status multiply(void *context) {
    const struct task *task = context;
    softrelu_evaluator *evaluator = task->evaluator;
    srl_hessian_product(evaluator->model, &evaluator->point, evaluator->point.r, task->in, evaluator->scratch,
                        evaluator->output, task->out);
    return SOFTRELU_OK;
}

softrelu_status softrelu_evaluator_hessian_product(softrelu_evaluator *evaluator, const double *direction, double *product,
                                                   int64_t length) {
    if (evaluator == NULL)
        return SOFTRELU_ERROR_NULL;
    softrelu_status status = check_at_point(evaluator, "product", product, length, evaluator->model->d);
    if (status == SOFTRELU_OK)
        status = direction == NULL ? srl_fail(&evaluator->message, SOFTRELU_ERROR_NULL, "direction is NULL")
                                   : srl_check_finite(&evaluator->message, "direction", direction, length);
    status = differentiate(evaluator, status);
    double *result = evaluator->check_work.product; /* the caller's array stays untouched on overflow */
    struct task task = {.evaluator = evaluator, .in = direction, .out = result};
    status = together(&task, SRL_CALL_PRODUCT, multiply, status);
    if (status != SOFTRELU_OK)
        return status;
    share(evaluator, result, length * (int64_t)sizeof *result);
    if (shared(evaluator) != SOFTRELU_OK)
        return SOFTRELU_ERROR_COMMUNICATION;
    if (!isfinite(srl_max_abs(length, result)))
        return srl_fail(&evaluator->message, SOFTRELU_ERROR_OVERFLOW, "the product is beyond double precision");
    memcpy(product, result, (size_t)length * sizeof *product);
    return SOFTRELU_OK;
}

static softrelu_status find_stationarity(void *context) {
    const struct task *task = context;
    softrelu_evaluator *evaluator = task->evaluator;
    *task->stationarity = srl_stationarity_at(evaluator->model, &evaluator->stationarity_work, &evaluator->point, task->number);
    return SOFTRELU_OK;
}

softrelu_status softrelu_evaluator_stationarity(softrelu_evaluator *evaluator, double kink_tolerance, double *residual,
                                                double *relative, int64_t *pinned, int64_t *concave) {
    if (evaluator == NULL)
        return SOFTRELU_ERROR_NULL;
    softrelu_status status = check_at_point(evaluator, "residual", evaluator, 0, 0);
    if (status == SOFTRELU_OK && (!(kink_tolerance >= 0.0) || isinf(kink_tolerance)))
        status = srl_fail(&evaluator->message, SOFTRELU_ERROR_VALUE, "kink_tolerance = %g is not a finite number >= 0",
                          kink_tolerance);
    status = differentiate(evaluator, status);
    struct srl_stationarity found;
    struct task task = {.evaluator = evaluator, .number = kink_tolerance, .stationarity = &found};
    status = together(&task, SRL_CALL_CHECK, find_stationarity, status);
    if (status != SOFTRELU_OK)
        return status;
    share(evaluator, &found, sizeof found);
    if (shared(evaluator) != SOFTRELU_OK)
        return SOFTRELU_ERROR_COMMUNICATION;
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

static softrelu_status check(void *context) {
    const struct task *task = context;
    softrelu_evaluator *evaluator = task->evaluator;
    *task->check = srl_check_derivatives(evaluator->model, &evaluator->check_work, &evaluator->point, task->number);
    return SOFTRELU_OK;
}

softrelu_status softrelu_evaluator_check_derivatives(softrelu_evaluator *evaluator, const double *direction, uint64_t seed,
                                                     double step, softrelu_derivative_verdict *verdict, double *gradient_order,
                                                     double *hessian_order, int64_t *kink) {
    if (evaluator == NULL)
        return SOFTRELU_ERROR_NULL;
    softrelu_status status = check_at_point(evaluator, "verdict", verdict, 0, 0);
    if (status == SOFTRELU_OK && (!(step >= 0.0) || isinf(step)))
        status = srl_fail(&evaluator->message, SOFTRELU_ERROR_VALUE, "step = %g is not a finite number >= 0", step);
    if (status == SOFTRELU_OK)
        status = choose_direction(evaluator, direction, seed);
    status = differentiate(evaluator, status);
    struct srl_derivative_check found;
    struct task task = {.evaluator = evaluator, .number = step, .check = &found};
    status = together(&task, SRL_CALL_CHECK, check, status);
    if (status != SOFTRELU_OK)
        return status;
    share(evaluator, &found, sizeof found);
    if (shared(evaluator) != SOFTRELU_OK)
        return SOFTRELU_ERROR_COMMUNICATION;
    *verdict = found.verdict;
    if (gradient_order != NULL)
        *gradient_order = found.gradient_order;
    if (hessian_order != NULL)
        *hessian_order = found.hessian_order;
    if (kink != NULL)
        *kink = found.kink;
    return SOFTRELU_OK;
}

const char *softrelu_evaluator_message(const softrelu_evaluator *evaluator) {
    return evaluator != NULL ? evaluator->message.text : "the evaluator is NULL";
}
