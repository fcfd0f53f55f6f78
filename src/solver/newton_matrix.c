#include "solver/newton_matrix.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "solver/iteration.h"
#include "solver/solver.h"

enum { MOST_ENLARGEMENTS = 2, MEBIBYTE = 1 << 20 };
static const double ENLARGED = 4.0;
static const double MOST_SAMPLED = 0.5; /* of all rows: a larger sample costs as much as the exact matrix */
static const double MOST_MISSED = 3.0;  /* curvature along a step, relative to the sample's */
static const int64_t WORN = 20;         /* products for one step: the kept matrix has become too different */

/* Doubles for what is kept of the data, in other forms. What is mapped is not in memory, and nothing takes its place there. */
static double memory_of(const struct srl_model *model, const struct srl_settings *settings) {
    const bool held = srl_has_output_layer(model) && !model->A2.mapped;
    const double first = (model->A1.single != NULL ? 0.5 : 1.0) * (double)model->d;
    const double second = held ? (model->A2.single != NULL ? 0.5 : 1.0) * (double)model->room : 0.0;
    if (settings->jacobian_memory < 0)
        return (double)model->n * (first + second);
    return (double)settings->jacobian_memory * (MEBIBYTE / (double)sizeof(double));
}

/* By the settings and the shape; what stands in the way of it yet is R. */
static bool may_be_small(const struct srl_model *model, const struct srl_settings *settings) {
    if (model->ranks != NULL || settings->newton_matrix == SOFTRELU_NEWTON_MATRIX_DENSE ||
        settings->step != SOFTRELU_STEP_CHOLESKY || settings->hessian == SOFTRELU_HESSIAN_SAMPLED ||
        settings->curvature_precision != SOFTRELU_PRECISION_DOUBLE || !srl_has_output_layer(model))
        return false;
    return settings->newton_matrix == SOFTRELU_NEWTON_MATRIX_SMALL
               ? model->m <= srl_small_matrix_most(model->d)
               : srl_small_matrix_pays(model->d, model->m, model->curvature != NULL);
}

/* The struct is zero. */
static void carve_root(struct srl_arena *arena, struct srl_root *root, int64_t d) {
    root->factor = srl_arena_matrix(arena, d, d);
    root->work = srl_arena_doubles(arena, 3 * d);
    root->indices = srl_arena_indices(arena, d);
}

void srl_newton_matrix_work_carve(struct srl_arena *arena, struct srl_newton_matrix_work *work, const struct srl_model *model,
                                  const struct srl_settings *settings) {
    const bool sampled = settings->hessian == SOFTRELU_HESSIAN_SAMPLED, pcg = settings->step == SOFTRELU_STEP_PCG;
    const double memory = memory_of(model, settings);
    const bool single = settings->curvature_precision == SOFTRELU_PRECISION_SINGLE;
    const int64_t kept = sampled ? 0 : srl_kept_jacobian(model, single, memory);
    work->jacobian = kept > 0 ? srl_arena_take(arena, kept, single ? sizeof(float) : sizeof(double)) : NULL;
    work->weights = srl_arena_doubles(arena, settings->hessian == SOFTRELU_HESSIAN_GAUSS_NEWTON ? model->room : 0);
    work->kept = pcg && !sampled ? srl_arena_matrix(arena, model->d, model->d) : NULL;
    if (model->curvature != NULL && may_be_small(model, settings))
        carve_root(arena, &work->root, model->d);
    work->light.carved = false;
    if (srl_light_size(model) <= memory - (single ? 0.5 : 1.0) * (double)kept)
        srl_light_carve(arena, &work->light, model);
    if (sampled)
        srl_sampler_carve(arena, &work->sampler, model);
    if (pcg)
        srl_exact_step_carve(arena, &work->exact, model);
}

void srl_reset_newton_matrix(struct srl_solver *solver) {
    struct srl_newton_matrix *matrix = &solver->matrix;
    matrix->has_kept = false;
    solver->hessian_work.jacobian.kept_valid = false; /* what is made by updates depends on the way */
    matrix->draws = 0;
    matrix->enlargement = 1.0;
    matrix->work.exact.cg.products = 0;
    srl_sampler_reset(&matrix->work.sampler);
}

const double *srl_gauss_newton_weights(const struct srl_model *model, const struct srl_point *point, double *room) {
    if (model->loss == SOFTRELU_KL)
        return point->r;
    SRL_TELL(model, .operation = SRL_GAUSS_NEWTON_WEIGHTS, .arrays = {srl_own(point->outer.f), srl_own(room)});
    for (int64_t j = 0; j < model->m; j++)
        room[j] = point->outer.f[j] * point->outer.f[j];
    return room;
}

const double *srl_curvature_weights(struct srl_solver *solver, const struct srl_point *point) {
    if (solver->settings.hessian != SOFTRELU_HESSIAN_GAUSS_NEWTON)
        return point->r;
    return srl_gauss_newton_weights(solver->model, point, solver->matrix.work.weights);
}

static bool has_finite_diagonal(const struct srl_newton *newton, int64_t d) {
    bool finite = true;
    for (int64_t k = 0; k < d; k++)
        finite = finite && isfinite(newton->hessian[k + k * d]);
    return finite;
}

/* Whether R has a factor that small matrices can be taken with. */
static bool has_root(struct srl_solver *solver) {
    const struct srl_model *model = solver->model;
    struct srl_root *root = &solver->matrix.work.root;
    if (!root->sought)
        root->found =
            srl_small_matrix_find_root(model->d, model->curvature, &root->rho, root->factor, root->work, root->indices);
    root->sought = true;
    return root->found;
}

/* Whether the matrix is to be taken as the regulariser's and a few rows. */
static bool takes_small(struct srl_solver *solver) {
    const struct srl_model *model = solver->model;
    return may_be_small(model, &solver->settings) && (model->curvature != NULL ? has_root(solver) : model->rho > 0.0);
}

static void assemble_small(struct srl_solver *solver, const struct srl_point *point, const double *r) {
    struct srl_small_matrix *small = &solver->newton.small;
    small->curvature = solver->model->curvature;
    small->root = small->curvature != NULL ? solver->matrix.work.root.factor : NULL;
    small->rho = small->curvature != NULL ? solver->matrix.work.root.rho : solver->model->rho;
    small->count = srl_hessian_rows(solver->model, &solver->hessian_work, point, r, small->rows, small->signs);
}

static void assemble_dense(struct srl_solver *solver, const struct srl_point *point, const double *r) {
    struct srl_jacobian *jacobian = &solver->hessian_work.jacobian;
    srl_hessian_assemble(solver->model, &solver->hessian_work, point, r, solver->newton.hessian);
    if (jacobian->single && !has_finite_diagonal(&solver->newton, solver->model->d)) { /* beyond single precision: without it */
        srl_jacobian_keep_in(jacobian, NULL, false);
        srl_hessian_assemble(solver->model, &solver->hessian_work, point, r, solver->newton.hessian);
        srl_jacobian_keep_in(jacobian, solver->matrix.work.jacobian, true);
    }
}

static void assemble(struct srl_solver *solver, const struct srl_point *point, const double *r) {
    struct srl_newton_matrix *matrix = &solver->matrix;
    const size_t d = (size_t)solver->model->d;
    solver->newton.always_small = solver->settings.newton_matrix == SOFTRELU_NEWTON_MATRIX_SMALL;
    solver->newton.is_small = takes_small(solver);
    (solver->newton.is_small ? assemble_small : assemble_dense)(solver, point, r);
    solver->report.quantities[SOFTRELU_REPORT_ASSEMBLIES_INDEX]++;
    matrix->source = SRL_MATRIX_ASSEMBLED;
    matrix->has_kept = matrix->work.kept != NULL; /* with step = pcg, where the matrix is dense */
    if (matrix->has_kept)
        memcpy(matrix->work.kept, solver->newton.hessian, d * d * sizeof *matrix->work.kept);
}

static void fall_back(struct srl_solver *solver, const struct srl_point *point, const double *r) {
    solver->report.quantities[SOFTRELU_REPORT_SAMPLE_FALLBACKS_INDEX]++;
    assemble(solver, point, r);
}

static void sample(struct srl_solver *solver, const struct srl_point *point, const double *r, bool fit) {
    struct srl_newton_matrix *matrix = &solver->matrix;
    const struct srl_settings *settings = &solver->settings;
    double *most = &solver->report.quantities[SOFTRELU_REPORT_SAMPLE_ROWS_INDEX];
    const struct srl_sample_plan plan = {
        settings->sample_epsilon,        (double)settings->sample_rows, matrix->enlargement, srl_searches(solver), fit,
        (uint64_t)settings->sample_seed, (uint64_t)matrix->draws++};
    matrix->source = SRL_MATRIX_SAMPLED;
    if (srl_sample_hessian(solver->model, &solver->hessian_work, &matrix->work.sampler, point, r, &plan,
                           solver->newton.hessian))
        *most = fmax(*most, (double)matrix->work.sampler.total);
    else if (!srl_interrupted(solver->model->interruption))
        fall_back(solver, point, r);
}

void srl_forget_fits(struct srl_solver *solver) {
    solver->matrix.has_kept = false;
    srl_sampler_reset(&solver->matrix.work.sampler);
}

void srl_find_newton_matrix(struct srl_solver *solver, const struct srl_point *point, const double *r, bool fit) {
    struct srl_newton_matrix *matrix = &solver->matrix;
    const double began = srl_now();
    const size_t d = (size_t)solver->model->d;
    matrix->enlarged = 0;
    solver->newton.is_small = false;
    srl_newton_forget(&solver->newton);
    if (solver->settings.hessian == SOFTRELU_HESSIAN_SAMPLED) {
        sample(solver, point, r, fit);
    } else if (matrix->has_kept) {
        memcpy(solver->newton.hessian, matrix->work.kept, d * d * sizeof *matrix->work.kept);
        matrix->source = SRL_MATRIX_KEPT;
    } else {
        assemble(solver, point, r);
    }
    solver->report.quantities[SOFTRELU_REPORT_SECONDS_HESSIAN_INDEX] += srl_now() - began;
}

static void enlarge(struct srl_solver *solver) {
    solver->matrix.enlargement *= ENLARGED;
    solver->report.quantities[SOFTRELU_REPORT_SAMPLE_ENLARGEMENTS_INDEX]++;
}

static bool can_enlarge(const struct srl_solver *solver) {
    return ENLARGED * (double)solver->matrix.work.sampler.total < MOST_SAMPLED * (double)solver->model->outputs;
}

bool srl_improve_newton_matrix(struct srl_solver *solver, const struct srl_point *point, const double *r) {
    struct srl_newton_matrix *matrix = &solver->matrix;
    const double began = srl_now();
    if (matrix->source == SRL_MATRIX_ASSEMBLED)
        return false;
    srl_newton_forget(&solver->newton);
    if (matrix->source == SRL_MATRIX_KEPT) {
        assemble(solver, point, r);
    } else if (matrix->enlarged++ < MOST_ENLARGEMENTS && can_enlarge(solver)) {
        enlarge(solver);
        sample(solver, point, r, false);
    } else {
        fall_back(solver, point, r);
    }
    solver->report.quantities[SOFTRELU_REPORT_SECONDS_HESSIAN_INDEX] += srl_now() - began;
    return true;
}

struct srl_exact_plan srl_exact_plan_of(const struct srl_solver *solver, const double *r) {
    return (struct srl_exact_plan){r, solver->settings.step_tolerance, solver->settings.step_products};
}

void srl_judge_preconditioner(struct srl_solver *solver, int64_t products) {
    solver->matrix.has_kept = solver->matrix.has_kept && products < WORN;
    if (solver->matrix.source == SRL_MATRIX_SAMPLED && products >= WORN && can_enlarge(solver))
        enlarge(solver);
}

bool srl_sample_misleads(struct srl_solver *solver, const double *r) {
    const struct srl_model *model = solver->model;
    const struct srl_newton *newton = &solver->newton;
    const int64_t d = model->d;
    double slope, curvature, *image = solver->path.step; /* scratch here */
    if (solver->matrix.source != SRL_MATRIX_SAMPLED)
        return false;
    double *hidden = solver->scratch, *y = solver->line_search.rates;
    for (int64_t i = 0; i < model->n; i++)
        hidden[i] = solver->current.u[i] > 0.0 ? solver->kinks.rates[i] : 0.0;
    srl_to_outputs(model, hidden, y);
    srl_line_derivatives(model, &solver->current, r, newton->step, solver->kinks.rates, y, &slope, &curvature);
    const struct srl_metric metric = srl_newton_metric(newton, d);
    srl_metric_product(&metric, newton->step, image);
    return curvature > MOST_MISSED * srl_dot(d, newton->step, image);
}
