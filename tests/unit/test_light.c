/* The network made light says what the network says, to six digits, wherever its units have gone. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/handles.h"
#include "model/light.h"
#include "support/instance.h"

struct workplace {
    struct built built;
    const struct srl_model *model;
    struct srl_arena arena;
    struct srl_allocator allocator;
    struct srl_point exact, light_point;
    struct srl_light light;
    double *scratch, *rates, *expected;
};

static void carve(struct srl_arena *arena, struct workplace *at, bool light) {
    const struct srl_model *model = at->model;
    srl_point_carve(arena, &at->exact, model);
    srl_point_carve(arena, &at->light_point, model);
    at->scratch = srl_arena_doubles(arena, model->n);
    at->rates = srl_arena_doubles(arena, model->n);
    at->expected = srl_arena_doubles(arena, model->n);
    if (light)
        srl_light_carve(arena, &at->light, model);
}

static struct workplace workplace_of(const struct instance *instance, struct placement placement, bool light) {
    struct workplace at = {.built = build(instance, placement), .allocator = srl_allocator_of(NULL, NULL, NULL)};
    at.model = &at.built.problem->model;
    carve(&at.arena, &at, light);
    assert_true(srl_arena_reserve(&at.arena, &at.allocator));
    carve(&at.arena, &at, light);
    return at;
}

static void compare_at(struct workplace *at, const double *x) {
    const struct srl_model *model = at->model;
    assert_true(srl_point_move(model, &at->exact, x));
    assert_true(srl_point_differentiate(model, &at->exact, at->scratch));
    memcpy(at->light_point.x, x, (size_t)model->d * sizeof *x);
    memcpy(at->light_point.v, at->exact.v, (size_t)model->n * sizeof *x);
    assert_true(srl_light_evaluate(model, &at->light, &at->light_point));
    assert_true(srl_light_differentiate(model, &at->light, &at->light_point, at->scratch));
    assert_true(fabs(at->light_point.loss - at->exact.loss) <= 1e-5 * (1.0 + fabs(at->exact.loss)));
    assert_true(worst_error(model->m, at->light_point.z, at->exact.z) <= 1e-5);
    /* relative to the terms: the gradient itself may cancel */
    for (int64_t k = 0; k < model->d; k++)
        if (!(fabs(at->light_point.gradient[k] - at->exact.gradient[k]) <= 1e-5 * at->exact.gradient_scale))
            fail_msg("gradient[%lld] = %g, expected %g", (long long)k, at->light_point.gradient[k], at->exact.gradient[k]);
    srl_light_rates(model, &at->light, x, at->rates);
    assert_true(worst_error(model->n, at->rates, at->exact.v) <= 1e-5);
}

/* Units come and go from point to point: members are added, and gathered anew when there is no room left. */
static void follows_the_units(void **state) {
    (void)state;
    struct test_random random = {77};
    int64_t grown = 0, regathered = 0;
    for (int64_t trial = 0; trial < test_count(60, 6); trial++) {
        const int64_t n = random_between(&random, 1, 90), d = random_between(&random, 1, 12);
        const bool output = trial % 5 != 4;
        const struct instance_scales scales = {1.0, output ? 1.0 : 0.0, 1.0, 0.5, 0.3, trial % 3 == 0 ? 0.0 : 0.1, 1.0, 0.2};
        struct instance instance = random_instance(&random, n, d, output ? random_between(&random, 1, 40) : n, scales,
                                                   trial % 2 == 0 ? SOFTRELU_KL : SOFTRELU_SQUARES);
        const struct placement placement = {trial % 2 == 0 ? SOFTRELU_ROW_MAJOR : SOFTRELU_COLUMN_MAJOR, trial % 3,
                                            SOFTRELU_COPY, false, false};
        const bool light = trial % 7 != 6; /* without memory for it the network itself answers */
        struct workplace at = workplace_of(&instance, placement, light);
        double *x = test_doubles(d);
        for (int step = 0; step < 12; step++) {
            random_fill(&random, step < 6 ? 0.2 * (step + 1) : 3.0, d, x);
            const int64_t members = at.light.count, room = at.light.stride;
            if (step == 0) {
                assert_true(srl_point_move(at.model, &at.exact, x));
                srl_light_begin(at.model, &at.light, &at.exact);
            }
            compare_at(&at, x);
            grown += step > 0 && at.light.count > members;
            regathered += step > 0 && at.light.stride != room;
        }
        free(x);
        srl_arena_release(&at.arena, &at.allocator);
        built_free(&at.built);
        instance_free(&instance);
    }
    assert_true(grown > 0);
    assert_true(regathered > 0 || test_count(1, 0) == 0);
}

/* Data beyond single precision is noticed, not passed on. */
static void notices_overflow(void **state) {
    (void)state;
    struct test_random random = {78};
    const struct instance_scales scales = {1.0, 1e60, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0};
    struct instance instance = random_instance(&random, 20, 5, 8, scales, SOFTRELU_SQUARES);
    struct workplace at = workplace_of(&instance, PLAIN_PLACEMENT, true);
    double x[5] = {1.0, -1.0, 0.5, 2.0, -0.3};
    assert_true(srl_point_move(at.model, &at.exact, x));
    srl_light_begin(at.model, &at.light, &at.exact);
    memcpy(at.light_point.x, x, sizeof x);
    memcpy(at.light_point.v, at.exact.v, 20 * sizeof *x);
    assert_false(srl_light_evaluate(at.model, &at.light, &at.light_point));
    srl_arena_release(&at.arena, &at.allocator);
    built_free(&at.built);
    instance_free(&instance);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(follows_the_units), cmocka_unit_test(notices_overflow)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
