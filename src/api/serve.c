/* What a rank does when the first one tells it to: the same function with its own rows. Points and the like that live on the
   first rank only are put together here from what has been sent of them. */
#include <string.h>

#include "api/together.h"
#include "certificate/certificate.h"
#include "certificate/fit_rows.h"
#include "certificate/sensitivity.h"
#include "model/hessian.h"
#include "model/light.h"
#include "model/point.h"
#include "solver/solver.h"
#include "step/line.h"
#include "step/sampling.h"

/* The i-th array of a call. */
static void *array(const struct srl_call *call, int i) { return call->arrays[i].at.to; }

static void serve_outer(const struct srl_model *model, const struct srl_call *call) {
    struct srl_outer outer = srl_outer_of(call, array(call, 0), call->integers[0]);
    switch (call->operation) {
    case SRL_OUTER_VALUE:
        outer.f = array(call, 1);
        (void)srl_outer_value(model, array(call, 0), &outer);
        break;
    case SRL_OUTER_DERIVATIVES:
        (void)srl_outer_derivatives(model, &outer, array(call, 1), array(call, 2));
        break;
    case SRL_POINT_BACK:
        srl_two_back(model, &outer, array(call, 1), array(call, 2), array(call, 3));
        break;
    case SRL_LINE_DERIVATIVES: {
        double slope, curvature;
        srl_output_derivatives(model, &outer, array(call, 1), array(call, 2), array(call, 3), &slope, &curvature);
        break;
    }
    case SRL_CURVE_OUTPUTS:
        srl_curve_outputs(model, &outer, array(call, 1), array(call, 2), array(call, 3), array(call, 4));
        break;
    default: /* SRL_FIT_WEIGHTS */
        srl_fit_weights(model, &outer);
        break;
    }
}

static void serve_hessian(const struct srl_model *model, const struct srl_call *call) {
    struct srl_hessian_work *work = array(call, 0);
    if (call->operation == SRL_HESSIAN_ADD_SAMPLE) {
        const size_t size = (size_t)model->d * (size_t)model->d * sizeof(double);
        memset(array(call, 4), 0, size);
        memset(array(call, 5), 0, size);
        srl_hessian_add_sample(model, work, call->integers[0], array(call, 1), array(call, 2), array(call, 3), array(call, 4),
                               array(call, 5));
        return;
    }
    const struct srl_point point = {.u = array(call, 2),
                                    .outer = srl_outer_of(call, array(call, 3), call->integers[0]),
                                    .has_mean = array(call, 4) != NULL,
                                    .mean_hidden = array(call, 4)};
    srl_jacobian_from_number(&work->jacobian, call->integers[1], array(call, 1));
    if (call->operation == SRL_HESSIAN_PREPARE) {
        srl_hessian_prepare(model, work, &point);
        return;
    }
    srl_jacobian_look(model, &work->jacobian, point.u);
    srl_hessian_assemble_own(model, work, &point, array(call, 5), call->integers[2] != 0, array(call, 6));
}

static void serve_light(const struct srl_model *model, const struct srl_call *call) {
    struct srl_light *light = array(call, 0);
    const struct srl_point point = {.u = array(call, 1), .h = array(call, 2)};
    switch (call->operation) {
    case SRL_LIGHT_BEGIN:
        light->ready = false;
        srl_light_begin(model, light, &point);
        break;
    case SRL_LIGHT_LOGITS:
        srl_light_find_logits(model, light, &point, array(call, 3));
        break;
    default: /* SRL_LIGHT_BACK */
        srl_light_back(model, light, &point, array(call, 2), array(call, 3));
        break;
    }
}

static void serve_sample(const struct srl_model *model, const struct srl_call *call) {
    double first, second;
    switch (call->operation) {
    case SRL_SAMPLE_MEASURE: {
        const struct srl_outer outer = srl_outer_of(call, NULL, call->integers[0]);
        srl_sample_measure(model, array(call, 0), array(call, 1), &outer);
        break;
    }
    case SRL_SAMPLE_MEASURE_NOTHING:
        srl_sample_measure_nothing(model, array(call, 0), array(call, 1));
        break;
    case SRL_SAMPLE_CHANGE:
        srl_sample_change(model, array(call, 0), array(call, 1), &first, &second);
        break;
    case SRL_SAMPLE_ROUND:
        srl_sample_round(model, array(call, 0), array(call, 1), array(call, 2), call->numbers[0], &first, &second);
        break;
    default: /* SRL_SAMPLE_DRAW */
        srl_sample_draw(model, array(call, 0), array(call, 1), array(call, 2), call->numbers[0], (uint64_t)call->integers[0],
                        (uint64_t)call->integers[1]);
        break;
    }
}

static void serve_certificate(const struct srl_model *model, const struct srl_call *call) {
    struct srl_sensitivity sensitivity = {0};
    double first, second;
    switch (call->operation) {
    case SRL_EVALUATE_OUTPUTS:
        (void)srl_evaluate_outputs(array(call, 0), model, &first, &second);
        break;
    case SRL_CONVEX_FIT:
        (void)srl_has_negative_curvature(array(call, 0), model);
        break;
    case SRL_FIT_ROWS:
        (void)srl_take_fit_as_told(array(call, 0), model, array(call, 1), array(call, 2), call->integers[0],
                                   call->integers[1] != 0, call->integers[2] != 0);
        break;
    case SRL_SCALED_ROWS: {
        bool all = call->integers[0] != 0;
        (void)srl_scaled_row_distance(array(call, 0), model, array(call, 1), array(call, 2), &all);
        break;
    }
    case SRL_LEVERS:
        srl_find_levers(model, array(call, 0), array(call, 1), &sensitivity);
        break;
    case SRL_SENSITIVITY:
        srl_find_slopes_and_bends(array(call, 0), model, &sensitivity);
        break;
    case SRL_ROW_DISTANCE:
        srl_rows_activate(array(call, 0), model);
        (void)srl_largest_row_distance(array(call, 0), model, (enum srl_rows_of)call->integers[0]);
        break;
    case SRL_LEVEL:
        (void)srl_loss_at(model, array(call, 0), call->numbers[0]);
        break;
    case SRL_LEAST_LOSS:
        (void)srl_least_loss(model);
        break;
    default: /* SRL_LOSS_CONSTANTS */
        (void)srl_loss_constants_of(model);
        break;
    }
}

void srl_serve(const struct srl_call *call) {
    const struct srl_model *model = call->model;
    switch ((enum srl_operation)call->operation) {
    case SRL_LOGITS:
        srl_logits(model, array(call, 0), array(call, 1));
        break;
    case SRL_TO_OUTPUTS:
        srl_to_outputs(model, array(call, 0), array(call, 1));
        break;
    case SRL_BACK_TO_HIDDEN:
        srl_back_to_hidden(model, array(call, 0), array(call, 1));
        break;
    case SRL_COPY_OUTPUTS:
        srl_copy_outputs(model, array(call, 0), array(call, 1));
        break;
    case SRL_MOVE_OUTPUTS:
        srl_move_outputs(model, array(call, 0), call->numbers[0], array(call, 1), array(call, 2), call->integers[0],
                         array(call, 3), array(call, 4));
        break;
    case SRL_NORM_OF_OUTPUTS:
        (void)srl_norm_of_outputs(model, array(call, 0));
        break;
    case SRL_OUTER_VALUE:
    case SRL_OUTER_DERIVATIVES:
    case SRL_POINT_BACK:
    case SRL_LINE_DERIVATIVES:
    case SRL_CURVE_OUTPUTS:
    case SRL_FIT_WEIGHTS:
        serve_outer(model, call);
        break;
    case SRL_HESSIAN_ASSEMBLE:
    case SRL_HESSIAN_PREPARE:
    case SRL_HESSIAN_ADD_SAMPLE:
        serve_hessian(model, call);
        break;
    case SRL_GAUSS_NEWTON_WEIGHTS: {
        const struct srl_point point = {.outer.f = array(call, 0), .r = NULL};
        (void)srl_gauss_newton_weights(model, &point, array(call, 1));
        break;
    }
    case SRL_LIGHT_BEGIN:
    case SRL_LIGHT_LOGITS:
    case SRL_LIGHT_BACK:
        serve_light(model, call);
        break;
    case SRL_FIT_TARGET:
        (void)srl_fit_target(model, array(call, 0));
        break;
    case SRL_FIT_SLOPES:
        srl_fit_slopes(model, array(call, 0), array(call, 1), call->numbers[0], call->numbers[1], array(call, 2),
                       array(call, 3), array(call, 4));
        break;
    case SRL_SAMPLE_MEASURE:
    case SRL_SAMPLE_MEASURE_NOTHING:
    case SRL_SAMPLE_CHANGE:
    case SRL_SAMPLE_ROUND:
    case SRL_SAMPLE_DRAW:
        serve_sample(model, call);
        break;
    case SRL_EVALUATE_OUTPUTS:
    case SRL_CONVEX_FIT:
    case SRL_FIT_ROWS:
    case SRL_SCALED_ROWS:
    case SRL_LEVERS:
    case SRL_SENSITIVITY:
    case SRL_ROW_DISTANCE:
    case SRL_LEVEL:
    case SRL_LEAST_LOSS:
    case SRL_LOSS_CONSTANTS:
        serve_certificate(model, call);
        break;
    }
}
