/*
 * The model on random problems against tests/support/reference.c: closed forms and central differences in long double.
 *
 * Tolerances. Closed forms: reference_round_off(DBL_EPSILON) times the scale of the terms of the result, a bound on what any
 * order of summation may do. Central differences: F is smooth between kinks, so with p a direction, h a step that crosses no
 * kink and w = 2 max_j |(G p)_j| the oscillation of the logits' rate along it,
 *     | (F(x + hp) - F(x - hp)) / 2h - g'p | <= h^2/6 sup |D^3 F[p,p,p]| <= kappa h^2 w^3
 * where kappa = 2 (1 + sum |b|) covers the third derivative of either loss (17/16 w^3 for squares and b in the simplex, linear
 * in b beyond it; beta w^3 / 8 for kl) over 6. The step is h = eps^(1/3) / w or half the way to the next kink. To this come the
 * round-off of F in long double over h, and that of the library's own result.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "support/reference.h"

struct trial {
    struct instance instance;
    double *x;
    struct reference at;
    struct built built;
    softrelu_evaluator *evaluator;
};

struct shape {
    int64_t n, d, m;
    bool identity;
};

static int64_t random_size(struct test_random *random) {
    const double u = random_uniform(random, 0.0, 1.0);
    return 1 + (int64_t)(59.0 * u * u);
}

/* Every kind of shape in turn: any, d > n, m = 1, n = 1, A2 absent, d = 1, all of size 1. */
static struct shape random_shape(struct test_random *random, int64_t index) {
    struct shape shape = {random_size(random), random_size(random), random_size(random), false};
    switch (index % 7) {
    case 1:
        shape.d = shape.n + random_between(random, 1, 20);
        break;
    case 2:
        shape.m = 1;
        break;
    case 3:
        shape.n = 1;
        break;
    case 4:
        shape.m = shape.n;
        shape.identity = true;
        break;
    case 5:
        shape.d = 1;
        break;
    case 6:
        if (index % 3 == 0)
            shape = (struct shape){1, 1, 1, index % 2 == 0};
        break;
    default:
        break;
    }
    return shape;
}

static bool coin(struct test_random *random) { return random_between(random, 0, 1) == 1; }

/* Data from 1e-8 to 1e8, x such that the logits are from 1e-8 to 1e2 (beyond, the softmax is conditioned worse than double
   precision resolves), and the optional terms present or absent, of a size that can be seen beside the rest. */
static struct instance_scales random_scales(struct test_random *random, bool identity, double *x_scale) {
    struct instance_scales scales = {.A1 = random_scale(random, -8, 8), .A2 = random_scale(random, -8, 8), .b = 1};
    if (identity)
        scales.A2 = 0;
    const double output = identity ? 1.0 : scales.A2, logits = random_scale(random, -8, 2);
    *x_scale = logits / (scales.A1 * output);
    if (coin(random))
        scales.b = random_scale(random, -8, 8);
    if (coin(random))
        scales.c1 = scales.A1 * *x_scale;
    if (coin(random))
        scales.c2 = logits;
    if (coin(random))
        scales.w = random_scale(random, -1, 1) * sqrt(output / (scales.A1 * *x_scale));
    if (coin(random))
        scales.rho = scales.A1 * output / *x_scale;
    if (coin(random))
        scales.x_ref = *x_scale;
    return scales;
}

static struct placement random_placement(struct test_random *random) {
    return (struct placement){coin(random) ? SOFTRELU_ROW_MAJOR : SOFTRELU_COLUMN_MAJOR, random_between(random, 0, 4),
                              coin(random) ? SOFTRELU_COPY : SOFTRELU_BORROW};
}

static struct reference reference_of(const struct instance *instance, const double *x, int order) {
    long double *wide = test_long_doubles(instance->d);
    for (int64_t k = 0; k < instance->d; k++)
        wide[k] = (long double)x[k];
    struct reference at = reference_at(instance, wide, order);
    free(wide);
    return at;
}

/* A point whose units keep their sign under round-off and small steps. */
static double *point_off_kinks(struct test_random *random, const struct instance *instance, double x_scale) {
    double *x = test_doubles(instance->d);
    for (int attempt = 0; attempt < 1000; attempt++) {
        random_fill(random, x_scale, instance->d, x);
        struct reference at = reference_of(instance, x, 0);
        const bool clear = at.margin > 1e-6L;
        reference_free(&at);
        if (clear)
            return x;
    }
    fail_msg("no point off the kinks found");
    return x;
}

static struct trial trial_of(struct test_random *random, int64_t index) {
    const struct shape shape = random_shape(random, index);
    double x_scale;
    const struct instance_scales scales = random_scales(random, shape.identity, &x_scale);
    struct trial trial;
    trial.instance =
        random_instance(random, shape.n, shape.d, shape.m, scales, index % 2 == 0 ? SOFTRELU_SQUARES : SOFTRELU_KL);
    trial.x = point_off_kinks(random, &trial.instance, x_scale);
    trial.at = reference_of(&trial.instance, trial.x, 2);
    trial.built = build(&trial.instance, random_placement(random));
    trial.evaluator = evaluator_at(trial.built.problem, trial.x, shape.d);
    return trial;
}

static void trial_free(struct trial *trial) {
    softrelu_evaluator_destroy(trial->evaluator);
    built_free(&trial->built);
    reference_free(&trial->at);
    instance_free(&trial->instance);
    free(trial->x);
}

/* Runs check on seeded trials and prints the largest error relative to what is allowed. */
static void for_trials(uint64_t seed, int64_t count, double (*check)(struct test_random *random, const struct trial *trial)) {
    struct test_random random = {seed};
    double worst = 0.0;
    for (int64_t index = 0; index < count; index++) {
        struct trial trial = trial_of(&random, index);
        worst = fmax(worst, check(&random, &trial));
        trial_free(&trial);
    }
    print_message("  %lld problems, largest error %.2g of the allowed\n", (long long)count, worst);
}

static double check_values(struct test_random *random, const struct trial *trial) {
    (void)random;
    const struct reference *at = &trial->at;
    const long double round_off = reference_round_off(at, DBL_EPSILON);
    double *u = test_doubles(at->n), *f = test_doubles(at->m), parts[4];
    assert_int_equal(softrelu_evaluator_preactivations(trial->evaluator, u, at->n), SOFTRELU_OK);
    assert_int_equal(softrelu_evaluator_prediction(trial->evaluator, f, at->m), SOFTRELU_OK);
    assert_int_equal(softrelu_evaluator_loss(trial->evaluator, &parts[0], &parts[1], &parts[2], &parts[3]), SOFTRELU_OK);
    double worst = assert_within("u", at->n, u, at->u, 4.0L * (long double)(at->d + 4) * DBL_EPSILON * at->u_scale);
    worst = fmax(worst, assert_within("f", at->m, f, at->f, round_off));
    const long double expected[4] = {at->loss, at->fit, at->weights, at->proximity};
    worst = fmax(worst, assert_within("loss and its parts", 4, parts, expected, round_off * at->loss_scale));
    free(u);
    free(f);
    return worst;
}

static double check_closed_forms(struct test_random *random, const struct trial *trial) {
    (void)random;
    const struct reference *at = &trial->at;
    const int64_t d = at->d, ld = d + 3;
    const long double round_off = reference_round_off(at, DBL_EPSILON);
    double *gradient = test_doubles(d), *padded = test_doubles(d * ld), *hessian = test_doubles(d * d);
    assert_int_equal(softrelu_evaluator_gradient(trial->evaluator, gradient, d), SOFTRELU_OK);
    assert_int_equal(softrelu_evaluator_hessian(trial->evaluator, padded, ld), SOFTRELU_OK);
    for (int64_t k = 0; k < d; k++)
        for (int64_t l = 0; l < d; l++) {
            hessian[k * d + l] = padded[k * ld + l];
            assert_true(padded[k * ld + l] == padded[l * ld + k]);
        }
    double worst = assert_within("gradient", d, gradient, at->gradient, round_off * at->gradient_scale);
    worst = fmax(worst, assert_within("Hessian", d * d, hessian, at->hessian, round_off * at->hessian_scale));
    free(gradient);
    free(padded);
    free(hessian);
    return worst;
}

/* H v by the product against H times v, to 1e-12 of the largest sum of magnitudes in it. */
static double check_product(struct test_random *random, const struct trial *trial) {
    const int64_t d = trial->at.d;
    double *hessian = test_doubles(d * d), *v = test_doubles(d), *product = test_doubles(d);
    long double *expected = test_long_doubles(d), scale = 0.0L;
    random_fill(random, random_scale(random, -8, 8), d, v);
    assert_int_equal(softrelu_evaluator_hessian(trial->evaluator, hessian, d), SOFTRELU_OK);
    assert_int_equal(softrelu_evaluator_hessian_product(trial->evaluator, v, product, d), SOFTRELU_OK);
    for (int64_t k = 0; k < d; k++) {
        long double sum = 0.0L;
        for (int64_t l = 0; l < d; l++) {
            expected[k] += (long double)hessian[k * d + l] * (long double)v[l];
            sum += fabsl((long double)hessian[k * d + l] * (long double)v[l]);
        }
        scale = fmaxl(scale, sum);
    }
    const double worst = assert_within("H v", d, product, expected, 1e-12L * scale);
    double *in_place = test_copy(v, d);
    assert_int_equal(softrelu_evaluator_hessian_product(trial->evaluator, in_place, in_place, d), SOFTRELU_OK);
    assert_same_doubles(d, in_place, product);
    free(in_place);
    free(hessian);
    free(v);
    free(product);
    free(expected);
    return worst;
}

/* A direction with the rates of the units and of the logits along it. */
struct ray {
    long double *direction;
    long double oscillation, h, length; /* of G p; the step; |p|_1 */
};

static struct ray random_ray(struct test_random *random, const struct trial *trial) {
    const struct instance *instance = &trial->instance;
    struct ray ray = {.direction = test_long_doubles(instance->d), .h = INFINITY};
    for (int64_t k = 0; k < instance->d; k++) {
        ray.direction[k] = (long double)random_normal(random);
        ray.length += fabsl(ray.direction[k]);
    }
    for (int64_t j = 0; j < instance->m; j++) {
        long double rate = 0.0L;
        for (int64_t k = 0; k < instance->d; k++)
            rate += trial->at.jacobian[j * instance->d + k] * ray.direction[k];
        ray.oscillation = fmaxl(ray.oscillation, 2.0L * fabsl(rate));
    }
    for (int64_t i = 0; i < instance->n; i++) {
        long double rate = 0.0L;
        for (int64_t k = 0; k < instance->d; k++)
            rate += (long double)instance->A1[i * instance->d + k] * ray.direction[k];
        if (rate != 0.0L)
            ray.h = fminl(ray.h, 0.5L * fabsl(trial->at.u[i] / rate));
    }
    if (ray.oscillation > 0.0L)
        ray.h = fminl(ray.h, cbrtl(reference_epsilon()) / ray.oscillation);
    return ray;
}

static struct reference reference_along(const struct trial *trial, const struct ray *ray, long double t) {
    const int64_t d = trial->instance.d;
    long double *x = test_long_doubles(d);
    for (int64_t k = 0; k < d; k++)
        x[k] = (long double)trial->x[k] + t * ray->direction[k];
    struct reference at = reference_at(&trial->instance, x, 1);
    free(x);
    return at;
}

static double check_differences(struct test_random *random, const struct trial *trial) {
    const struct reference *at = &trial->at;
    const int64_t d = at->d;
    struct ray ray = random_ray(random, trial);
    struct reference ahead = reference_along(trial, &ray, ray.h), behind = reference_along(trial, &ray, -ray.h);
    double *gradient = test_doubles(d), *direction = test_doubles(d), *product = test_doubles(d);
    long double *difference = test_long_doubles(d), slope = 0.0L, kappa = 1.0L, column = 0.0L;
    assert_int_equal(softrelu_evaluator_gradient(trial->evaluator, gradient, d), SOFTRELU_OK);
    for (int64_t k = 0; k < d; k++) {
        direction[k] = (double)ray.direction[k];
        slope += (long double)gradient[k] * ray.direction[k];
        difference[k] = (ahead.gradient[k] - behind.gradient[k]) / (2.0L * ray.h);
        for (int64_t j = 0; j < at->m; j++)
            column = fmaxl(column, 2.0L * fabsl(at->jacobian[j * d + k]));
    }
    for (int64_t j = 0; j < at->m; j++)
        kappa += fabsl((long double)trial->instance.b[j]);
    assert_int_equal(softrelu_evaluator_hessian_product(trial->evaluator, direction, product, d), SOFTRELU_OK);

    const long double round_off = reference_round_off(at, DBL_EPSILON), fine = reference_round_off(at, reference_epsilon());
    const long double quadratic = 2.0L * kappa * ray.h * ray.h * ray.oscillation * ray.oscillation;
    const double rate = (double)slope;
    const long double expected = (ahead.loss - behind.loss) / (2.0L * ray.h);
    double worst = assert_within("slope", 1, &rate, &expected,
                                 quadratic * ray.oscillation + fine * at->loss_scale / ray.h +
                                     round_off * at->gradient_scale * ray.length);
    /* a trilinear form is at most 9/2 of its values on the diagonal */
    worst = fmax(worst, assert_within("H p", d, product, difference,
                                      4.5L * quadratic * column + fine * at->gradient_scale / ray.h +
                                          round_off * at->hessian_scale * ray.length));
    reference_free(&ahead);
    reference_free(&behind);
    free(ray.direction);
    free(gradient);
    free(direction);
    free(product);
    free(difference);
    return worst;
}

/* The softmax does not see a constant added to all logits; round-off sees logits larger by it. */
static double check_shift(struct test_random *random, const struct trial *trial) {
    const struct reference *at = &trial->at;
    const double constant = (coin(random) ? 1.0 : -1.0) * random_scale(random, -2, 4);
    struct instance shifted = instance_copy(&trial->instance);
    if (shifted.c2 == NULL)
        shifted.c2 = test_doubles(at->m);
    for (int64_t j = 0; j < at->m; j++)
        shifted.c2[j] += constant;
    struct built built = build(&shifted, random_placement(random));
    softrelu_evaluator *evaluator = evaluator_at(built.problem, trial->x, at->d);
    double loss, moved;
    assert_int_equal(softrelu_evaluator_loss(trial->evaluator, &loss, NULL, NULL, NULL), SOFTRELU_OK);
    assert_int_equal(softrelu_evaluator_loss(evaluator, &moved, NULL, NULL, NULL), SOFTRELU_OK);
    const long double wide = (long double)loss;
    const long double terms = (long double)(at->n + at->m + at->d + 8);
    const long double round_off =
        8.0L * terms * DBL_EPSILON * (1.0L + at->logit_scale + fabsl((long double)constant)) * at->loss_scale;
    const double worst = assert_within("loss with c2 + constant", 1, &moved, &wide, round_off);
    softrelu_evaluator_destroy(evaluator);
    built_free(&built);
    instance_free(&shifted);
    return worst;
}

static void values(void **state) {
    (void)state;
    for_trials(11, test_count(700, 40), check_values);
}
static void closed_forms(void **state) {
    (void)state;
    for_trials(12, test_count(700, 40), check_closed_forms);
}
static void products(void **state) {
    (void)state;
    for_trials(13, test_count(700, 40), check_product);
}
static void central_differences(void **state) {
    (void)state;
    for_trials(14, test_count(700, 40), check_differences);
}
static void constant_on_all_logits(void **state) {
    (void)state;
    for_trials(15, test_count(300, 20), check_shift);
}

/* w as one number is w as a vector of that number; its sign does not matter. */
static void weight_as_a_number(void **state) {
    (void)state;
    const int64_t n = 9, d = 5, m = 4;
    struct test_random random = {16};
    struct instance instance =
        random_instance(&random, n, d, m, (struct instance_scales){.A1 = 1, .A2 = 1, .b = 1}, SOFTRELU_SQUARES);
    double *x = test_doubles(d), gradient[3][5];
    random_fill(&random, 1.0, d, x);
    for (int form = 0; form < 3; form++) {
        softrelu_problem *problem = NULL;
        double w[9];
        for (int64_t i = 0; i < n; i++)
            w[i] = 0.75;
        assert_int_equal(softrelu_problem_create(n, d, m, NULL, NULL, NULL, &problem), SOFTRELU_OK);
        softrelu_problem_set_matrix(problem, SOFTRELU_A1, instance.A1, SOFTRELU_ROW_MAJOR, d, SOFTRELU_BORROW);
        softrelu_problem_set_matrix(problem, SOFTRELU_A2, instance.A2, SOFTRELU_ROW_MAJOR, n, SOFTRELU_BORROW);
        softrelu_problem_set_vector(problem, SOFTRELU_B, instance.b, m, SOFTRELU_BORROW);
        if (form == 0)
            assert_int_equal(softrelu_problem_set_vector(problem, SOFTRELU_W, w, n, SOFTRELU_COPY), SOFTRELU_OK);
        else
            assert_int_equal(softrelu_problem_set_number(problem, SOFTRELU_W, form == 1 ? 0.75 : -0.75), SOFTRELU_OK);
        assert_int_equal(softrelu_problem_finish(problem), SOFTRELU_OK);
        softrelu_evaluator *evaluator = evaluator_at(problem, x, d);
        assert_int_equal(softrelu_evaluator_gradient(evaluator, gradient[form], d), SOFTRELU_OK);
        softrelu_evaluator_destroy(evaluator);
        softrelu_problem_destroy(problem);
    }
    assert_same_doubles(d, gradient[1], gradient[0]);
    assert_same_doubles(d, gradient[2], gradient[0]);
    free(x);
    instance_free(&instance);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(values),
                                       cmocka_unit_test(closed_forms),
                                       cmocka_unit_test(products),
                                       cmocka_unit_test(central_differences),
                                       cmocka_unit_test(constant_on_all_logits),
                                       cmocka_unit_test(weight_as_a_number)};
    return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
