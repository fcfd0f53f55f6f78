#include "step/exact_step.h"

#include <math.h>
#include <string.h>

enum { ROUNDS = 12 };

void srl_exact_step_carve(struct srl_arena *arena, struct srl_exact_step *exact, const struct srl_model *model) {
    srl_conjugate_gradients_carve(arena, &exact->cg, model->d);
    exact->linear = srl_arena_doubles(arena, model->d);
    exact->gradient = srl_arena_doubles(arena, model->d);
    exact->best = srl_arena_doubles(arena, model->d);
    exact->hidden = srl_arena_doubles(arena, 2 * model->n);
    exact->output = srl_arena_doubles(arena, model->m);
    exact->values = srl_arena_doubles(arena, model->n);
}

/* What is multiplied with: H at the point, with what newton has had added to its own matrix. */
struct operand {
    const struct srl_model *model;
    const struct srl_point *point;
    const double *r;
    double shift;
    const struct srl_kink_step *kinks; /* for what has been stiffened; NULL: nothing */
    double *hidden, *output;
};

static void multiply(void *context, const double *direction, double *product) {
    const struct operand *operand = context;
    const struct srl_model *model = operand->model;
    const struct srl_kink_step *kinks = operand->kinks;
    srl_hessian_product(model, operand->point, operand->r, direction, operand->hidden, operand->output, product);
    srl_axpy(model->d, operand->shift, direction, product);
    if (kinks == NULL || kinks->stiffness == 0.0)
        return;
    const double *rates = operand->hidden; /* A1 direction */
    for (int64_t i = 0; i < model->n; i++)
        if (kinks->stiff_units[i])
            srl_add_row(&model->A1, i, kinks->stiffness * rates[i] / (model->row_norms[i] * model->row_norms[i]), product);
    for (int64_t k = 0; k < model->d; k++)
        product[k] += kinks->stiff_entries[k] ? kinks->stiffness * direction[k] : 0.0;
}

static struct operand operand_of(const struct srl_model *model, const struct srl_point *point, const struct srl_newton *newton,
                                 const struct srl_kink_step *kinks, const struct srl_exact_plan *plan,
                                 const struct srl_exact_step *exact) {
    return (struct operand){model, point, plan->r, newton->shift, kinks, exact->hidden, exact->output};
}

/* |p| in the metric of H~; product = H~ p. */
static double length_in_metric(const struct srl_newton *newton, int64_t d, const double *p, double *product) {
    srl_symv(d, newton->hessian, d, p, product);
    srl_axpy(d, newton->shift, p, product);
    return sqrt(fmax(0.0, srl_dot(d, p, product)));
}

/* The exact model at cg->solution. */
static double exact_value(const struct srl_kink_step *kinks, const struct srl_exact_step *exact) {
    const struct srl_conjugate_gradients *cg = &exact->cg;
    return srl_dot(cg->d, kinks->gradient, cg->solution) + 0.5 * srl_dot(cg->d, cg->image, cg->solution) +
           srl_hinge_qp_hinges(&kinks->qp, cg->solution, exact->values);
}

static void find_linear_part(const struct srl_kink_step *kinks, double *linear) {
    const struct srl_hinge_qp *qp = &kinks->qp;
    for (int64_t k = 0; k < qp->d; k++)
        linear[k] = (qp->linear[k] - qp->gradient[k]) + kinks->gradient[k];
}

/* The QP's gradient becomes g + (H - H~) p for p = cg->solution. */
static void model_at_solution(const struct srl_newton *newton, struct srl_kink_step *kinks, struct srl_exact_step *exact) {
    struct srl_conjugate_gradients *cg = &exact->cg;
    double *gradient = cg->product;
    length_in_metric(newton, cg->d, cg->solution, gradient);
    for (int64_t k = 0; k < cg->d; k++)
        gradient[k] = kinks->gradient[k] + (cg->image[k] - gradient[k]);
    srl_hinge_qp_change_gradient(&kinks->qp, gradient);
    memcpy(exact->gradient, gradient, (size_t)cg->d * sizeof *gradient);
    kinks->qp.gradient = exact->gradient;
}

/* Evaluates the exact model at the QP's solution, which becomes cg->solution, and keeps it when it is the best. */
static bool consider(const struct srl_kink_step *kinks, struct srl_exact_step *exact, struct operand *operand, double *value) {
    struct srl_conjugate_gradients *cg = &exact->cg;
    memcpy(cg->solution, kinks->qp.step, (size_t)cg->d * sizeof *cg->solution);
    multiply(operand, cg->solution, cg->image);
    cg->products++;
    const double here = exact_value(kinks, exact);
    if (!(here < *value))
        return false;
    *value = here;
    memcpy(exact->best, cg->solution, (size_t)cg->d * sizeof *exact->best);
    return true;
}

/* Faces and conjugate gradients in turn. Returns the model's value at exact->best. */
static double improve(const struct srl_model *model, const struct srl_point *point, const struct srl_newton *newton,
                      struct srl_kink_step *kinks, double kink_tolerance, const struct srl_exact_plan *plan,
                      struct srl_exact_step *exact) {
    struct operand operand = operand_of(model, point, newton, kinks, plan, exact);
    struct srl_conjugate_gradients *cg = &exact->cg;
    struct srl_hinge_qp *qp = &kinks->qp;
    const double error = plan->tolerance * length_in_metric(newton, model->d, qp->step, cg->product);
    const int64_t last = cg->products + plan->most_products;
    double value = INFINITY;
    for (int round = 0; round < ROUNDS && consider(kinks, exact, &operand, &value) && cg->products < last; round++) {
        find_linear_part(kinks, exact->linear);
        if (srl_conjugate_gradients(cg, &qp->face, exact->linear, multiply, &operand, error, last - cg->products) >=
            SRL_CG_CONCAVE)
            break;
        model_at_solution(newton, kinks, exact);
        srl_hinge_qp_resume(qp);
        srl_add_crossed(model, point, kinks, kink_tolerance);
        for (int64_t k = 0; k < model->d; k++)
            cg->residual[k] = qp->step[k] - cg->solution[k];
        if (length_in_metric(newton, model->d, cg->residual, cg->product) <= error) {
            (void)consider(kinks, exact, &operand, &value);
            break;
        }
    }
    return value;
}

double srl_exact_kink_step(const struct srl_model *model, const struct srl_point *point, struct srl_newton *newton,
                           struct srl_kink_step *kinks, double kink_tolerance, const struct srl_exact_plan *plan,
                           struct srl_exact_step *exact) {
    double slope;
    bool free;
    if (!srl_solve_kink_model(model, point, newton, kinks, kink_tolerance, &slope, &free))
        return NAN;
    const double value = improve(model, point, newton, kinks, kink_tolerance, plan, exact);
    memcpy(newton->step, exact->best, (size_t)model->d * sizeof *newton->step);
    srl_gemv(SRL_PLAIN, 1.0, &model->A1, newton->step, 0.0, kinks->rates);
    return value;
}

bool srl_exact_solve(const struct srl_model *model, const struct srl_point *point, struct srl_newton *newton,
                     struct srl_kink_step *kinks, const double *gradient, const struct srl_exact_plan *plan,
                     struct srl_exact_step *exact) {
    struct operand operand = operand_of(model, point, newton, NULL, plan, exact);
    struct srl_conjugate_gradients *cg = &exact->cg;
    if (isnan(srl_newton_solve(newton, model->d, gradient)))
        return false;
    memcpy(cg->solution, newton->step, (size_t)model->d * sizeof *cg->solution);
    const double error = plan->tolerance * length_in_metric(newton, model->d, cg->solution, cg->product);
    multiply(&operand, cg->solution, cg->image);
    cg->products++;
    srl_face_clear(&kinks->qp.face, newton->factor);
    const enum srl_cg_end end =
        srl_conjugate_gradients(cg, &kinks->qp.face, gradient, multiply, &operand, error, plan->most_products);
    memcpy(newton->step, cg->solution, (size_t)model->d * sizeof *newton->step);
    return end <= SRL_CG_LIMIT;
}
