#include "step/exact_step.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { ROUNDS = 40 };
static const double NOISE = 64.0 * DBL_EPSILON;
static const double ON_FACE = 1e-12; /* of a pinned row's terms: round-off */

void srl_exact_step_carve(struct srl_arena *arena, struct srl_exact_step *exact, const struct srl_model *model) {
    srl_conjugate_gradients_carve(arena, &exact->cg, model->d);
    exact->cg.interruption = model->interruption;
    exact->linear = srl_arena_doubles(arena, model->d);
    exact->gradient = srl_arena_doubles(arena, model->d);
    exact->base = srl_arena_doubles(arena, model->d);
    exact->base_image = srl_arena_doubles(arena, model->d);
    exact->hidden = srl_arena_doubles(arena, 2 * model->n);
    exact->output = srl_arena_doubles(arena, model->room);
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

static void multiply_at_solution(struct srl_conjugate_gradients *cg, struct operand *operand) {
    multiply(operand, cg->solution, cg->image);
    cg->products++;
}

static struct operand operand_of(const struct srl_model *model, const struct srl_point *point, const struct srl_newton *newton,
                                 const struct srl_kink_step *kinks, const struct srl_exact_plan *plan,
                                 const struct srl_exact_step *exact) {
    return (struct operand){model, point, plan->r, newton->shift, kinks, exact->hidden, exact->output};
}

/* |p| in the metric of H~; product = H~ p. */
static double length_in_metric(const struct srl_newton *newton, int64_t d, const double *p, double *product) {
    const struct srl_metric metric = srl_newton_metric(newton, d);
    srl_metric_product(&metric, p, product);
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

/* Whether p lies on the QP's face. */
static bool is_on_face(const struct srl_hinge_qp *qp, const double *p) {
    const double length = srl_norm(qp->d, p);
    bool on = true;
    for (int64_t k = 0; k < qp->face.count && on; k++) {
        const int32_t which = qp->pinned[k];
        const double *row = qp->rows + (which >= 0 ? which : 0) * qp->d;
        if (which < 0)
            on = p[-1 - which] == qp->step[-1 - which];
        else
            on = fabs(qp->offsets[which] + srl_dot(qp->d, row, p)) <=
                 ON_FACE * (fabs(qp->offsets[which]) + qp->norms[which] * length);
    }
    return on;
}

/* The most of the move from base that keeps the bounds. */
static double farthest(const struct srl_hinge_qp *qp, const double *base, const double *move) {
    double t = 1.0;
    for (int64_t k = 0; k < qp->d && qp->bounded; k++) {
        const double bound = move[k] > 0.0 ? qp->upper[k] : qp->lower[k];
        if (base[k] + move[k] < qp->lower[k] || base[k] + move[k] > qp->upper[k])
            t = fmin(t, fmax(0.0, (bound - base[k]) / move[k]));
    }
    return t;
}

/* The hinges' values at base and rates along move. */
static void evaluate_hinges(struct srl_hinge_qp *qp, const double *base, const double *move) {
    const struct srl_matrix rows = {qp->rows, qp->count, qp->d, qp->d, true};
    memcpy(qp->values, qp->offsets, (size_t)qp->count * sizeof *qp->values);
    srl_gemv(SRL_PLAIN, 1.0, &rows, base, 1.0, qp->values);
    srl_gemv(SRL_PLAIN, 1.0, &rows, move, 0.0, qp->rates);
}

/* Whether the hinge is in its linear part right behind base. */
static bool is_active(const struct srl_hinge_qp *qp, int64_t i) {
    return qp->values[i] > 0.0 || (qp->values[i] == 0.0 && qp->rates[i] > 0.0);
}

/* The t in [0, end] where the model is least, from its slope right behind 0: at the hinges' bends it jumps up, and from bend to
   bend it is followed until it is no longer negative. */
static double least_on_line(const struct srl_hinge_qp *qp, double slope, double curvature, double end) {
    double t = 0.0;
    for (;;) {
        double here = slope + t * curvature, bend = end;
        for (int64_t i = 0; i < qp->count; i++) {
            const double at = qp->rates[i] != 0.0 ? -qp->values[i] / qp->rates[i] : 0.0;
            here += at > 0.0 && at <= t ? qp->weights[i] * fabs(qp->rates[i]) : 0.0;
            bend = at > t ? fmin(bend, at) : bend;
        }
        const double zero = curvature > 0.0 ? t - here / curvature : INFINITY;
        if (here >= 0.0)
            return t;
        if (zero <= bend || bend >= end)
            return fmin(zero, end);
        t = bend;
    }
}

static void go(struct srl_exact_step *exact, double t, const double *move, const double *image) {
    for (int64_t k = 0; k < exact->cg.d; k++) {
        exact->cg.solution[k] = exact->base[k] + t * move[k];
        exact->cg.image[k] = exact->base_image[k] + t * image[k];
    }
}

static void set_base(struct srl_exact_step *exact) {
    const size_t size = (size_t)exact->cg.d * sizeof *exact->base;
    memcpy(exact->base, exact->cg.solution, size);
    memcpy(exact->base_image, exact->cg.image, size);
}

/* Conjugate gradients on the face, as far as the model falls. False when H is not positive definite there. */
static bool move_on_face(struct srl_kink_step *kinks, struct srl_exact_step *exact, struct operand *operand, double error,
                         int64_t products) {
    struct srl_conjugate_gradients *cg = &exact->cg;
    struct srl_hinge_qp *qp = &kinks->qp;
    double *move = cg->direction, *image = cg->product;
    set_base(exact);
    find_linear_part(kinks, exact->linear);
    if (!srl_hinge_qp_complete_face(qp))
        return false;
    const enum srl_cg_end end = srl_conjugate_gradients(cg, &qp->face, exact->linear, multiply, operand, error, products);
    for (int64_t k = 0; k < cg->d; k++) {
        move[k] = cg->solution[k] - exact->base[k];
        image[k] = cg->image[k] - exact->base_image[k];
    }
    evaluate_hinges(qp, exact->base, move);
    /* they end where the slope along the whole move is 0: it need not be added up from terms that the pinned kinks cancel */
    const double curvature = srl_dot(cg->d, image, move);
    double slope = -curvature;
    for (int64_t i = 0; i < qp->count; i++)
        if (!srl_hinge_qp_is_pinned(qp, i))
            slope += ((double)is_active(qp, i) - (double)srl_hinge_qp_is_full(qp, i)) * qp->weights[i] * qp->rates[i];
    go(exact, least_on_line(qp, slope, curvature, farthest(qp, exact->base, move)), move, image);
    return end < SRL_CG_CONCAVE;
}

/* Towards the QP's solution, length away in the metric of H~, as far as the model falls; all the way where that is too near to
   be judged. */
static void move_to_model(struct srl_kink_step *kinks, struct srl_exact_step *exact, struct operand *operand, double length) {
    struct srl_conjugate_gradients *cg = &exact->cg;
    struct srl_hinge_qp *qp = &kinks->qp;
    double *move = cg->direction, *image = cg->product;
    multiply(operand, move, image);
    cg->products++;
    set_base(exact);
    evaluate_hinges(qp, exact->base, move);
    const double curvature = srl_dot(cg->d, image, move);
    const double reach = srl_norm(cg->d, exact->base);
    double terms = srl_norm(cg->d, kinks->gradient) * srl_norm(cg->d, move);
    double slope = srl_dot(cg->d, kinks->gradient, move) + srl_dot(cg->d, exact->base_image, move);
    for (int64_t i = 0; i < qp->count; i++) {
        slope += is_active(qp, i) ? qp->weights[i] * qp->rates[i] : 0.0;
        terms += srl_hinge_qp_is_pinned(qp, i) ? qp->weights[i] * qp->norms[i] * reach : 0.0; /* from a kink to the same one */
    }
    go(exact, length * length > NOISE * terms ? least_on_line(qp, slope, curvature, 1.0) : 1.0, move, image);
}

/* The two moves in turn. Returns the model's value at cg->solution; the QP's solution is the same but for the tolerance. */
static double improve(const struct srl_model *model, const struct srl_point *point, const struct srl_newton *newton,
                      struct srl_kink_step *kinks, double kink_tolerance, const struct srl_exact_plan *plan,
                      struct srl_exact_step *exact) {
    struct operand operand = operand_of(model, point, newton, kinks, plan, exact);
    struct srl_conjugate_gradients *cg = &exact->cg;
    struct srl_hinge_qp *qp = &kinks->qp;
    const double error = plan->tolerance * length_in_metric(newton, model->d, qp->step, cg->product);
    const int64_t last = cg->products + plan->most_products;
    bool on_face = true;
    memcpy(cg->solution, qp->step, (size_t)cg->d * sizeof *cg->solution);
    multiply_at_solution(cg, &operand);
    for (int round = 0; round < ROUNDS && cg->products < last && !srl_interrupted(model->interruption); round++) {
        if (on_face && !move_on_face(kinks, exact, &operand, error, last - cg->products))
            break;
        model_at_solution(newton, kinks, exact);
        srl_gemv(SRL_PLAIN, 1.0, &model->A1, cg->solution, 0.0, kinks->rates);
        srl_list_crossed(model, point, kinks, kink_tolerance, false);
        srl_hinge_qp_resume(qp);
        srl_add_crossed(model, point, kinks, kink_tolerance);
        for (int64_t k = 0; k < model->d; k++)
            cg->direction[k] = qp->step[k] - cg->solution[k];
        const double length = length_in_metric(newton, model->d, cg->direction, cg->product);
        if (length <= error) {
            memcpy(cg->solution, qp->step, (size_t)cg->d * sizeof *cg->solution); /* which is exactly on its kinks */
            break;
        }
        move_to_model(kinks, exact, &operand, length);
        on_face = is_on_face(qp, cg->solution);
    }
    return exact_value(kinks, exact);
}

double srl_exact_kink_step(const struct srl_model *model, const struct srl_point *point, struct srl_newton *newton,
                           struct srl_kink_step *kinks, double kink_tolerance, const struct srl_exact_plan *plan,
                           struct srl_exact_step *exact) {
    double slope;
    bool free;
    if (!srl_solve_kink_model(model, point, newton, kinks, kink_tolerance, &slope, &free))
        return NAN;
    const double value = improve(model, point, newton, kinks, kink_tolerance, plan, exact);
    memcpy(newton->step, exact->cg.solution, (size_t)model->d * sizeof *newton->step);
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
    multiply_at_solution(cg, &operand);
    kinks->qp.metric = srl_newton_metric(newton, model->d);
    srl_face_clear(&kinks->qp.face, &kinks->qp.metric);
    const enum srl_cg_end end =
        srl_conjugate_gradients(cg, &kinks->qp.face, gradient, multiply, &operand, error, plan->most_products);
    memcpy(newton->step, cg->solution, (size_t)model->d * sizeof *newton->step);
    return end <= SRL_CG_LIMIT;
}
