/* The constants of a problem and of a point. */
#include <math.h>

#include "api/handles.h"
#include "model/constants.h"

struct softrelu_constants {
    struct srl_constants core;
    struct srl_allocator allocator;
    struct srl_arena arena;
    struct srl_message message;
};

static softrelu_status reserve(softrelu_constants *constants, const struct srl_model *model) {
    srl_constants_carve(&constants->arena, &constants->core, model);
    if (!srl_arena_reserve(&constants->arena, &constants->allocator))
        return SOFTRELU_ERROR_MEMORY;
    srl_constants_carve(&constants->arena, &constants->core, model);
    return srl_constants_of_problem(&constants->core) ? SOFTRELU_OK : SOFTRELU_ERROR_LAPACK;
}

softrelu_status softrelu_constants_create(const softrelu_problem *problem, softrelu_constants **constants) {
    if (constants == NULL)
        return SOFTRELU_ERROR_NULL;
    *constants = NULL;
    if (problem == NULL)
        return SOFTRELU_ERROR_NULL;
    if (!problem->sealed || srl_is_divided(problem))
        return SOFTRELU_ERROR_STATE;
    softrelu_constants *created = srl_allocate(&problem->allocator, 1, sizeof *created);
    if (created == NULL)
        return SOFTRELU_ERROR_MEMORY;
    created->allocator = problem->allocator;
    const softrelu_status status = reserve(created, &problem->model);
    if (status != SOFTRELU_OK) {
        softrelu_constants_destroy(created);
        return status;
    }
    *constants = created;
    return SOFTRELU_OK;
}

void softrelu_constants_destroy(softrelu_constants *constants) {
    if (constants == NULL)
        return;
    const struct srl_allocator allocator = constants->allocator;
    srl_arena_release(&constants->arena, &allocator);
    srl_release(&allocator, constants);
}

softrelu_status softrelu_constants_move(softrelu_constants *constants, const double *x, int64_t length) {
    if (constants == NULL)
        return SOFTRELU_ERROR_NULL;
    struct srl_message *message = &constants->message;
    message->text[0] = '\0';
    if (x == NULL)
        return srl_fail(message, SOFTRELU_ERROR_NULL, "x is NULL");
    softrelu_status status = srl_check_length(message, "x", length, constants->core.model->d);
    if (status == SOFTRELU_OK)
        status = srl_check_finite(message, "x", x, length);
    if (status != SOFTRELU_OK)
        return status;
    status = srl_constants_at(&constants->core, x);
    if (status == SOFTRELU_ERROR_OVERFLOW)
        return srl_fail(message, status, "F or its derivatives are beyond double precision at x");
    if (status != SOFTRELU_OK)
        return srl_fail(message, status, "LAPACK refused a matrix of the point");
    return SOFTRELU_OK;
}

static int constant_index(softrelu_constant constant) {
#define INDEX_CASE(name, number, word, type, text)                                                                             \
    case name:                                                                                                                 \
        return name##_INDEX;
    switch ((int)constant) {
        SOFTRELU_CONSTANT_LIST(INDEX_CASE)
    default:
        return -1;
    }
#undef INDEX_CASE
}

softrelu_status softrelu_constants_number(const softrelu_constants *constants, softrelu_constant constant, double *value) {
    if (constants == NULL || value == NULL)
        return SOFTRELU_ERROR_NULL;
    const int index = constant_index(constant);
    if (index < 0)
        return SOFTRELU_ERROR_UNKNOWN;
    if (constant >= SOFTRELU_CONSTANT_ROW_DISTANCE && !constants->core.placed)
        return SOFTRELU_ERROR_STATE;
    *value = constants->core.numbers[index];
    return SOFTRELU_OK;
}

softrelu_status softrelu_constants_weight(softrelu_constants *constants, double modulus, double *weight_squared) {
    if (constants == NULL)
        return SOFTRELU_ERROR_NULL;
    constants->message.text[0] = '\0';
    if (weight_squared == NULL)
        return srl_fail(&constants->message, SOFTRELU_ERROR_NULL, "weight_squared is NULL");
    if (!(modulus > 0.0) || isinf(modulus))
        return srl_fail(&constants->message, SOFTRELU_ERROR_VALUE, "modulus = %g is not a finite number > 0", modulus);
    *weight_squared = srl_weight_for(&constants->core, modulus);
    return SOFTRELU_OK;
}

const char *softrelu_constants_message(const softrelu_constants *constants) {
    return constants != NULL ? constants->message.text : "the constants are NULL";
}
