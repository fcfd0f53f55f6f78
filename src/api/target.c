/* The target of a solver: the vectors that it may have in place of the problem's. */
#include <math.h>
#include <string.h>

#include "api/handles.h"

struct target_slot {
    const char *name;
    int64_t length;
    const double **values, *of_problem;
    double *room;
};

/* Where a vector of the solver's target is kept; name = NULL when array is none. */
static struct target_slot target_slot_of(softrelu_solver *solver, softrelu_array array) {
    struct srl_model *model = &solver->model;
    const struct srl_model *problem = &solver->problem->model;
    switch ((int)array) {
    case SOFTRELU_B:
        return (struct target_slot){"b", model->m, &model->b, problem->b, solver->target[SRL_TARGET_B]};
    case SOFTRELU_X_REF:
        return (struct target_slot){"x_ref", model->d, &model->x_ref, problem->x_ref, solver->target[SRL_TARGET_X_REF]};
    case SOFTRELU_LOWER:
        return (struct target_slot){"lower", model->d, &model->lower, problem->lower, solver->target[SRL_TARGET_LOWER]};
    case SOFTRELU_UPPER:
        return (struct target_slot){"upper", model->d, &model->upper, problem->upper, solver->target[SRL_TARGET_UPPER]};
    default:
        return (struct target_slot){NULL, 0, NULL, NULL, NULL};
    }
}

/* The vector is the problem's again. */
static softrelu_status take_back(softrelu_solver *solver, softrelu_array array) {
    const struct target_slot slot = target_slot_of(solver, array);
    const double *before = *slot.values;
    *slot.values = slot.of_problem;
    const softrelu_status status = srl_use_unknowns(solver, srl_prefers_reduction(solver));
    if (status != SOFTRELU_OK)
        *slot.values = before;
    return status;
}

softrelu_status softrelu_solver_set_vector(softrelu_solver *solver, softrelu_array array, const double *values,
                                           int64_t length) {
    if (solver == NULL)
        return SOFTRELU_ERROR_NULL;
    softrelu_status status = srl_check_idle(solver);
    if (status != SOFTRELU_OK)
        return status;
    const char *name = target_slot_of(solver, array).name;
    if (name == NULL)
        return srl_fail(&solver->message, SOFTRELU_ERROR_UNKNOWN,
                        "array %d is not a vector of a solver: SOFTRELU_B, SOFTRELU_X_REF, SOFTRELU_LOWER or SOFTRELU_UPPER",
                        (int)array);
    if (values == NULL && length == 0)
        return take_back(solver, array);
    if (values == NULL)
        return srl_fail(&solver->message, SOFTRELU_ERROR_NULL, "%s: values is NULL", name);
    status = srl_check_vector(&solver->message, array, name, values, length, target_slot_of(solver, array).length);
    if (status == SOFTRELU_OK && (array == SOFTRELU_LOWER || array == SOFTRELU_UPPER))
        status = srl_use_unknowns(solver, false);
    if (status != SOFTRELU_OK)
        return status;
    const struct target_slot slot = target_slot_of(solver, array);
    memmove(slot.room, values, (size_t)length * sizeof *values);
    *slot.values = slot.room;
    return SOFTRELU_OK;
}

softrelu_status softrelu_solver_set_number(softrelu_solver *solver, softrelu_array array, double value) {
    if (solver == NULL)
        return SOFTRELU_ERROR_NULL;
    const softrelu_status status = srl_check_idle(solver);
    if (status != SOFTRELU_OK)
        return status;
    if (array != SOFTRELU_RHO)
        return srl_fail(&solver->message, SOFTRELU_ERROR_UNKNOWN, "array %d is not a number of a solver: SOFTRELU_RHO",
                        (int)array);
    if (!isfinite(value))
        return srl_fail(&solver->message, SOFTRELU_ERROR_NOT_FINITE, "rho = %g is not finite", value);
    if (!(value > 0.0))
        return srl_fail(&solver->message, SOFTRELU_ERROR_VALUE, "rho = %g is not > 0", value);
    if (solver->model.curvature != NULL)
        return srl_fail(&solver->message, SOFTRELU_ERROR_STATE,
                        "rho: the problem has weights w, and holds R = A1' diag(w^2) A1 + rho I");
    solver->model.rho = value;
    return SOFTRELU_OK;
}

const double *srl_own_vector(const softrelu_solver *solver, softrelu_array array) {
    const struct srl_model *model = &solver->model, *problem = &solver->problem->model;
    switch ((int)array) {
    case SOFTRELU_B:
        return model->b != problem->b ? model->b : NULL;
    case SOFTRELU_X_REF:
        return model->x_ref != problem->x_ref ? model->x_ref : NULL;
    case SOFTRELU_LOWER:
        return model->lower != problem->lower ? model->lower : NULL;
    case SOFTRELU_UPPER:
        return model->upper != problem->upper ? model->upper : NULL;
    default:
        return solver->core.has_start ? solver->core.start : NULL;
    }
}
