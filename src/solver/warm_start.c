/*
 * The warm start: fitting logits is a linear least-squares problem once the activation pattern is fixed.
 *
 * Let y = log b (entries that are not positive replaced by a value well below the smallest positive one: the logarithm has
 * nothing to say there). With the slopes s of the ReLUs fixed, z(x) = A2 diag(s)(A1 x + c1) + c2 is affine and
 *
 *     x = argmin  1/2 sum_j omega_j (z_j(x) - y_j - mean)^2 + 1/2 |diag(w) A1 x|^2 + rho/2 |x - x_ref|^2
 *
 * is one Newton step with the curvature weights r = omega and the centring f = omega / sum omega: the Hessian assembly serves
 * as it is, and so do samples of it. The output loss itself weighs logit j by b_j^2 (squares) or b_j (kl), which counts only
 * the few largest outputs; equal weights find the pattern best when b can be attained, but follow the noise of small outputs
 * when it cannot. sqrt b_j is the best of both on the synthetic family; their mean is the typical curvature of the output loss
 * at f = b, so that fit and regulariser keep their true proportion. The first round takes every ReLU at its average slope 1/2,
 * the next ones the pattern of the point just found; when b was made by some input, the right pattern is found in a round or
 * two and x is that input. The best F seen wins.
 */
#include "solver/solver.h"

#include <math.h>
#include <string.h>

static const double PAYS = 0.8;          /* a round that leaves more than that of F is the last one */
static const double RIDGE = 1e-12;       /* relative to the largest diagonal entry */
static const double LEAST_WEIGHT = 1e-8; /* of a logit, squared, relative to the largest */

/* Evaluates F at trial->x, brought within the bounds (counted), and keeps the point in current when it is the best so far. */
static void consider(struct srl_solver *solver, bool *found) {
    solver->budget.evaluations++;
    srl_project_on_bounds(solver->model, solver->trial.x);
    if (!srl_point_move(solver->model, &solver->trial, solver->trial.x))
        return;
    if (!*found || solver->trial.merit < solver->current.merit) {
        struct srl_point better = solver->trial;
        solver->trial = solver->current;
        solver->current = better;
        memcpy(solver->trial.x, better.x, (size_t)solver->model->d * sizeof *better.x); /* where the next round starts from */
        memcpy(solver->trial.v, better.v, (size_t)solver->model->n * sizeof *better.v);
        srl_copy_outputs(solver->model, better.z, solver->trial.z);
        memcpy(solver->trial.u, better.u, (size_t)solver->model->n * sizeof *better.u);
        *found = true;
    }
}

/* y and omega. */
double srl_fit_target(const struct srl_model *model, double *target) {
    SRL_TELL(model, .operation = SRL_FIT_TARGET, .arrays = {srl_own(target)});
    double most[] = {0.0, -INFINITY}, sums[] = {0.0, 0.0}; /* the largest b_j, - the least positive one; sums of b_j^2, |b_j| */
    for (int64_t j = 0; j < model->m; j++) {
        most[0] = fmax(most[0], model->b[j]);
        most[1] = model->b[j] > 0.0 ? fmax(most[1], -model->b[j]) : most[1];
        sums[0] += model->b[j] * model->b[j];
        sums[1] += fabs(model->b[j]);
    }
    srl_largest(model->ranks, 2, most);
    srl_sum(model->ranks, 2, sums);
    const double floor = most[0] > 0.0 ? fmax(-0.1 * most[1], 1e-12 * most[0]) : 1.0;
    for (int64_t j = 0; j < model->m; j++)
        target[j] = log(fmax(model->b[j], floor));
    const double omega = sums[model->loss == SOFTRELU_KL] / (double)model->outputs;
    return omega > 0.0 && isfinite(omega) ? omega : 1.0 / (double)model->outputs;
}

/* f_j proportional to sqrt b_j (those not positive as if just below the least positive one), with sum 1. */
void srl_fit_weights(const struct srl_model *model, struct srl_outer *outer) {
    SRL_TELL(model, .operation = SRL_FIT_WEIGHTS, .arrays = {srl_own(outer->f)});
    double largest = 0.0, sum = 0.0, top_f = -1.0;
    int64_t top = -1;
    for (int64_t j = 0; j < model->m; j++)
        largest = fmax(largest, model->b[j]);
    srl_largest(model->ranks, 1, &largest);
    for (int64_t j = 0; j < model->m; j++)
        sum += outer->f[j] = largest > 0.0 ? sqrt(fmax(model->b[j] / largest, LEAST_WEIGHT)) : 1.0;
    srl_sum(model->ranks, 1, &sum);
    for (int64_t j = 0; j < model->m; j++) {
        outer->f[j] /= sum;
        if (outer->f[j] > top_f) {
            top = j;
            top_f = outer->f[j];
        }
    }
    srl_find_top_of(model, top, top_f, outer);
    const int64_t own = srl_own_output(model, outer->top);
    outer->rest = 0.0;
    for (int64_t j = 0; j < model->m; j++)
        outer->rest += j == own ? 0.0 : outer->f[j];
    srl_sum(model->ranks, 1, &outer->rest);
}

/* q and r of the least squares at the logits in z, which become what is left of them. */
void srl_fit_slopes(const struct srl_model *model, const double *target, const double *f, double slope, double omega, double *z,
                    double *q, double *r) {
    SRL_TELL(model, .operation = SRL_FIT_SLOPES, .arrays = {srl_own(target), srl_own(f), srl_own(z), srl_own(q), srl_own(r)},
             .numbers = {slope, omega});
    double mean = 0.0;
    for (int64_t j = 0; j < model->m; j++) {
        z[j] -= target[j];
        mean += f[j] * z[j];
    }
    srl_sum(model->ranks, 1, &mean);
    for (int64_t j = 0; j < model->m; j++) {
        const double weight = omega * (double)model->outputs * f[j];
        q[j] = weight * slope * (z[j] - mean);
        r[j] = weight * slope * slope;
    }
}

/* The least-squares problem at trial->x, v, z with the units that are on, all or those with u > 0, at a slope: trial becomes a
   point whose Hessian is that of the problem, and its gradient the problem's there. */
static void linearise(struct srl_solver *solver, bool all_on, double slope, double omega) {
    const struct srl_model *model = solver->model;
    struct srl_point *at = &solver->trial;
    for (int64_t i = 0; i < model->n; i++) {
        const double u = at->v[i] + (model->c1 != NULL ? model->c1[i] : 0.0);
        at->u[i] = all_on || at->u[i] > 0.0 ? 1.0 : -1.0; /* only its sign is looked at */
        at->h[i] = at->u[i] > 0.0 ? slope * u : 0.0;
    }
    if (all_on || slope != 1.0) /* else the logits are the point's own */
        srl_logits(model, at->h, at->z);
    srl_fit_weights(model, &at->outer);
    srl_fit_slopes(model, solver->target, at->outer.f, slope, omega, at->z, at->q, at->r);
    at->has_mean = false;
    srl_point_back(model, at);
    for (int64_t i = 0; i < model->n; i++)
        solver->scratch[i] = at->u[i] > 0.0 ? at->slope_jumps[i] : 0.0;
    srl_gradient_of_slopes(model, at, solver->scratch, at->gradient);
}

/* The least-squares problem linearised in trial: its solution into trial->x. With a matrix that is not the problem's own, a
   step towards it. */
static bool fit(struct srl_solver *solver) {
    const struct srl_model *model = solver->model;
    struct srl_newton *newton = &solver->newton;
    struct srl_point *at = &solver->trial;
    srl_find_newton_matrix(solver, at, at->r, true);
    if (srl_interrupted(model->interruption))
        return false;
    if (srl_newton_factor(newton, model->d, RIDGE * srl_newton_scale(newton, model->d)) != 0)
        return false;
    if (solver->settings.step == SOFTRELU_STEP_PCG) {
        const struct srl_exact_plan plan = srl_exact_plan_of(solver, at->r);
        if (!srl_exact_solve(model, at, newton, &solver->kinks, at->gradient, &plan, &solver->matrix.work.exact))
            return false;
    } else if (isnan(srl_newton_solve(newton, model->d, at->gradient))) {
        return false;
    }
    srl_axpy(model->d, 1.0, newton->step, at->x);
    return true;
}

bool srl_fit_logits(struct srl_solver *solver) {
    const struct srl_model *model = solver->model;
    const double omega = srl_fit_target(model, solver->target);
    bool any_on = false;
    for (int64_t i = 0; i < model->n; i++)
        any_on = any_on || solver->current.u[i] > 0.0;
    memcpy(solver->trial.x, solver->current.x, (size_t)model->d * sizeof *solver->trial.x);
    memcpy(solver->trial.v, solver->current.v, (size_t)model->n * sizeof *solver->trial.v);
    srl_copy_outputs(model, solver->current.z, solver->trial.z);
    memcpy(solver->trial.u, solver->current.u, (size_t)model->n * sizeof *solver->trial.u);
    linearise(solver, !any_on, any_on ? 1.0 : 0.5, omega);
    if (!fit(solver))
        return false;
    srl_project_on_bounds(model, solver->trial.x);
    solver->budget.evaluations++;
    return srl_point_move(model, &solver->trial, solver->trial.x);
}

bool srl_fit_may_pay(const struct srl_point *point) {
    const double regulariser = point->weights + point->proximity;
    return point->merit - regulariser >= regulariser;
}

bool srl_warm_start(struct srl_solver *solver) {
    const struct srl_model *model = solver->model;
    const double omega = srl_fit_target(model, solver->target);
    bool found = false;
    if (model->x_ref != NULL || solver->settings.warm_start_rounds == 0) {
        if (model->x_ref != NULL)
            memcpy(solver->trial.x, model->x_ref, (size_t)model->d * sizeof *model->x_ref);
        else
            memset(solver->trial.x, 0, (size_t)model->d * sizeof *solver->trial.x);
        consider(solver, &found);
    }
    for (int64_t round = 0; round < solver->settings.warm_start_rounds; round++) {
        if (found && srl_budget_exhausted(&solver->budget) != SOFTRELU_NOT_RUN)
            break;
        if (round == 0) {
            memset(solver->trial.x, 0, (size_t)model->d * sizeof *solver->trial.x);
            memset(solver->trial.v, 0, (size_t)model->n * sizeof *solver->trial.v);
        }
        const double before = found ? solver->current.merit : INFINITY;
        linearise(solver, round == 0, round == 0 ? 0.5 : 1.0, omega);
        if (!fit(solver))
            break;
        consider(solver, &found);
        if (!found || !srl_fit_may_pay(&solver->current) || (round > 0 && !(solver->current.merit <= PAYS * before)))
            break;
    }
    if (!found) { /* every fit overflowed: the origin is the mildest point there is */
        memset(solver->trial.x, 0, (size_t)model->d * sizeof *solver->trial.x);
        consider(solver, &found);
    }
    return found;
}
