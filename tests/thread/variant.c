#include "variant.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct variant VARIANT[VARIANTS] = {
    {"squares", SOFTRELU_SQUARES, 0.3, 0, 2, 1, false, false, ""},
    {"kl", SOFTRELU_KL, 0.3, 0, 2, 1, false, false, ""},
    {"attainable", SOFTRELU_KL, 0, 0, 4, 2, false, false, ""},
    {"from x0", SOFTRELU_SQUARES, 0.3, 0, 2, 1, false, true, ""},
    {"cold", SOFTRELU_KL, 0.3, 0, 2, 1, true, false, "warm_start_rounds=0"},
    {"bounds", SOFTRELU_SQUARES, 0.3, 0.3, 2, 1, false, false, ""},
    {"bounds kl x0", SOFTRELU_KL, 0.3, 0.3, 2, 1, true, true, ""},
    {"gauss-newton", SOFTRELU_SQUARES, 0.3, 0, 2, 1, false, true, "hessian=gauss-newton"},
    {"sampled", SOFTRELU_KL, 0.3, 0, 2, 8, false, false, "hessian=sampled"},
    {"pcg", SOFTRELU_SQUARES, 0.3, 0, 2, 1, false, false, "step=pcg"},
    {"sampled pcg", SOFTRELU_SQUARES, 0.3, 0.5, 2, 8, false, false, "hessian=sampled step=pcg"},
    {"single", SOFTRELU_KL, 0.3, 0, 2, 1, false, false, "curvature_precision=single"},
    {"few outputs", SOFTRELU_KL, 0.3, 0, 1.2, 0.1, true, false, "newton_matrix=small"},
    {"few units", SOFTRELU_SQUARES, 0.3, 0, 0.5, 1, true, false, ""},
    {"starts", SOFTRELU_SQUARES, 0.3, 0, 2, 1, true, false, "starts=4 start_seed=7"},
    {"whole steps", SOFTRELU_KL, 0.01, 0, 2, 1, false, false, "globalisation=none max_iterations=20 jacobian_memory=0"},
};

static double *filled(int64_t count, double value) {
    double *values = test_doubles(count);
    for (int64_t k = 0; k < count; k++)
        values[k] = value;
    return values;
}

static int64_t share(double factor, int64_t d) {
    const int64_t size = (int64_t)(factor * (double)d);
    return size < 2 ? 2 : size;
}

struct varied varied_of(const struct variant *variant, uint64_t seed, int64_t d) {
    struct test_random random = {seed};
    struct varied varied = {.variant = variant};
    struct instance *instance = &varied.instance;
    *instance = synthetic_instance(&random, share(variant->units, d), d, share(variant->outputs, d), variant->noise, 1e-3);
    instance->loss = variant->loss;
    if (variant->proximity) {
        free(instance->w);
        instance->w = NULL;
        instance->rho = 1e-3;
        instance->x_ref = filled(d, 0.1);
    }
    if (variant->box > 0.0) {
        instance->lower = filled(d, -variant->box);
        instance->upper = filled(d, variant->box);
    }
    if (variant->start) {
        varied.x0 = test_doubles(d);
        random_fill(&random, 1.0, d, varied.x0);
    }
    varied.built = build(instance, PLAIN_PLACEMENT);
    return varied;
}

void varied_free(struct varied *varied) {
    built_free(&varied->built);
    instance_free(&varied->instance);
    free(varied->x0);
}

softrelu_status varied_solver(const struct varied *varied, softrelu_solver **solver) {
    char settings[128], *rest = NULL;
    softrelu_status status = softrelu_solver_create(varied->built.problem, solver);
    if (status == SOFTRELU_OK && varied->x0 != NULL)
        status = softrelu_solver_set_start(*solver, varied->x0, varied->instance.d);
    (void)snprintf(settings, sizeof settings, "%s", varied->variant->settings);
    for (char *name = strtok_r(settings, " ", &rest); name != NULL && status == SOFTRELU_OK;
         name = strtok_r(NULL, " ", &rest)) {
        char *value = strchr(name, '=');
        *value++ = '\0';
        status = softrelu_solver_set_text(*solver, name, value);
    }
    return status;
}
