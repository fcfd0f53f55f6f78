/* The step by conjugate gradients on the exact Hessian, started from the factor of another matrix, is the step that factoring
   the exact Hessian gives: kinks, bounds and stiffened Hessians included. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/handles.h"
#include "support/instance.h"

struct workplace {
    struct built built;
    const struct srl_model *model;
    struct srl_arena arena;
    struct srl_allocator allocator;
    struct srl_point point;
    struct srl_hessian_work work;
    struct srl_stationarity_work held;
    struct srl_newton newton;
    struct srl_kink_step kinks;
    struct srl_exact_step exact;
    double *scratch, *hessian;
};

static void carve(struct srl_arena *arena, struct workplace *at) {
    srl_point_carve(arena, &at->point, at->model);
    srl_hessian_carve(arena, &at->work, at->model);
    srl_stationarity_carve(arena, &at->held, at->model);
    srl_newton_carve(arena, &at->newton, at->model);
    srl_kink_step_carve(arena, &at->kinks, at->model);
    srl_exact_step_carve(arena, &at->exact, at->model);
    at->scratch = srl_arena_doubles(arena, at->model->n);
    at->hessian = srl_arena_matrix(arena, at->model->d, at->model->d);
}

static struct workplace workplace_of(const struct instance *instance) {
    struct workplace at = {.built = build(instance, PLAIN_PLACEMENT), .allocator = srl_allocator_of(NULL, NULL, NULL)};
    at.model = &at.built.problem->model;
    carve(&at.arena, &at);
    assert_true(srl_arena_reserve(&at.arena, &at.allocator));
    carve(&at.arena, &at);
    return at;
}

static void leave(struct workplace *at) {
    srl_arena_release(&at->arena, &at->allocator);
    built_free(&at->built);
}

/* H~ = L (I + epsilon E) L' - shift I for H + shift I = L L' and a symmetric E of norm about 1: as close as a sample would be.
 */
static void perturb(struct test_random *random, int64_t d, double epsilon, const double *factor, double shift,
                    double *hessian) {
    double *change = test_doubles(d * d), *left = test_doubles(d * d);
    for (int64_t k = 0; k < d; k++)
        for (int64_t i = k; i < d; i++)
            change[i + k * d] = change[k + i * d] = random_normal(random) * epsilon / (2.0 * sqrt((double)d));
    for (int64_t k = 0; k < d; k++)
        change[k + k * d] += 1.0;
    for (int64_t i = 0; i < d; i++)
        for (int64_t j = 0; j < d; j++)
            for (int64_t k = 0; k <= i; k++)
                left[i + j * d] += factor[i + k * d] * change[k + j * d];
    for (int64_t j = 0; j < d; j++)
        for (int64_t i = j; i < d; i++) {
            hessian[i + j * d] = i == j ? -shift : 0.0;
            for (int64_t k = 0; k <= j; k++)
                hessian[i + j * d] += left[i + k * d] * factor[j + k * d];
        }
    free(change);
    free(left);
}

struct tally {
    int64_t steps, pinned, stiffened, singular;
    double worst;
};

/* So ill-conditioned that two ways of computing H, both right to round-off, have different steps. */
static bool is_singular(const struct srl_newton *newton, int64_t d, double *least_pivot) {
    double least = INFINITY;
    for (int64_t k = 0; k < d; k++)
        least = fmin(least, newton->factor[k + k * d] * newton->factor[k + k * d]);
    *least_pivot = least;
    return least < 1e-8 * srl_newton_scale(newton, d);
}

static void one_step(struct workplace *at, struct test_random *random, double shift, double epsilon, struct tally *tally) {
    const struct srl_model *model = at->model;
    const int64_t d = model->d;
    const double kink_tolerance = 1e-9;
    struct srl_newton *newton = &at->newton;
    assert_true(srl_point_differentiate(model, &at->point, at->scratch));
    srl_hessian_assemble(model, &at->work, &at->point, at->point.r, newton->hessian);
    srl_newton_forget(newton);
    const struct srl_stationarity found = srl_stationarity_at(model, &at->held, &at->point, kink_tolerance);
    srl_stiffen_pinned(model, &at->point, &found, newton, &at->kinks);
    if (srl_newton_factor(newton, d, shift) != 0)
        return;
    double least_pivot;
    if (is_singular(newton, d, &least_pivot)) {
        tally->singular++;
        return;
    }
    const double promise = srl_kink_step(model, &at->point, newton, &at->kinks, kink_tolerance);
    assert_true(isfinite(promise));
    double *step = test_copy(newton->step, d), *image = test_doubles(d);
    srl_symv(d, newton->hessian, d, step, image);
    const double length = sqrt(fmax(0.0, srl_dot(d, step, image) + newton->shift * srl_dot(d, step, step)));
    tally->pinned += at->kinks.qp.face.count;
    tally->stiffened += at->kinks.stiffness > 0.0;

    memcpy(at->hessian, newton->hessian, (size_t)(d * d) * sizeof *at->hessian);
    perturb(random, d, epsilon, newton->factor, newton->shift, newton->hessian);
    const double same_shift = newton->shift;
    srl_newton_forget(newton);
    if (srl_newton_factor(newton, d, same_shift) == 0 && newton->shift == same_shift) {
        const struct srl_exact_plan plan = {at->point.r, 1e-13, 20 * d + 50};
        const double exact_promise =
            srl_exact_kink_step(model, &at->point, newton, &at->kinks, kink_tolerance, &plan, &at->exact);
        for (int64_t k = 0; k < d; k++)
            image[k] = newton->step[k] - step[k];
        double *product = test_doubles(d);
        srl_symv(d, at->hessian, d, image, product);
        const double error = sqrt(fmax(0.0, srl_dot(d, image, product) + same_shift * srl_dot(d, image, image)));
        /* what the gradient's round-off alone does to a step */
        const double noise = 64.0 * DBL_EPSILON * at->point.gradient_scale / sqrt(least_pivot);
        if (!(error <= 1e-7 * length + noise))
            fail_msg("error %g of a step of length %g, promises %g and %g", error, length, exact_promise, promise);
        /* the noise is a length: a step that every unknown is pinned against may be shorter */
        assert_true(fabs(exact_promise - promise) <= 1e-7 * fabs(promise) + noise * (length + noise));
        tally->worst = fmax(tally->worst, length > 1e6 * noise ? error / length : 0.0);
        tally->steps++;
        free(product);
    }
    free(step);
    free(image);
}

static void add_bounds(struct instance *instance, const double *x) {
    instance->lower = test_doubles(instance->d);
    instance->upper = test_doubles(instance->d);
    for (int64_t k = 0; k < instance->d; k++) {
        instance->lower[k] = k % 3 == 0 ? x[k] - 0.05 : -INFINITY;
        instance->upper[k] = k % 4 == 0 ? x[k] + 0.05 : INFINITY;
    }
}

static void same_step(void **state) {
    (void)state;
    struct test_random random = {77};
    struct tally tally = {0};
    for (int64_t trial = 0; trial < test_count(300, 15); trial++) {
        const int64_t n = random_between(&random, 2, 60), d = random_between(&random, 1, 20),
                      m = random_between(&random, 2, 60);
        struct instance instance =
            synthetic_instance(&random, n, d, m, random_uniform(&random, 0.0, 1.0), random_scale(&random, -3, 0));
        instance.loss = trial % 2 == 0 ? SOFTRELU_KL : SOFTRELU_SQUARES;
        double *x = test_doubles(d);
        random_fill(&random, 1.0, d, x);
        if (trial % 3 == 0)
            add_bounds(&instance, x);
        struct workplace at = workplace_of(&instance);
        for (int step = 0; step < 4; step++) { /* whole steps, so that later ones start on kinks */
            if (step == 0 ? !srl_point_move(at.model, &at.point, x) : false)
                break;
            const double shift = trial % 4 == 0 ? 1e-3 : 0.0;
            one_step(&at, &random, shift, trial % 5 == 0 ? 0.7 : 0.2, &tally);
            double *next = test_copy(at.point.x, d);
            srl_axpy(d, 1.0, at.newton.step, next);
            srl_project_on_bounds(at.model, next);
            const bool finite = srl_point_move(at.model, &at.point, next);
            free(next);
            if (!finite)
                break;
        }
        leave(&at);
        free(x);
        instance_free(&instance);
    }
    print_message(
        "  %lld steps with %lld kinks and bounds pinned, %lld stiffened, %lld singular ones left out; worst error %.1e\n",
        (long long)tally.steps, (long long)tally.pinned, (long long)tally.stiffened, (long long)tally.singular, tally.worst);
    assert_true(tally.steps >= test_count(500, 25));
    assert_true(tally.pinned >= tally.steps);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(same_step)};
    return cmocka_run_group_tests_name("exact step", tests, NULL, NULL);
}
