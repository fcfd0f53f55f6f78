/* The constants of a problem and of a point against dense computations, and against what is found in many cells. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/eigenvalues.h"
#include "support/reference.h"

struct scene {
    const struct instance *instance;
    struct built built;
    softrelu_constants *constants;
};

static struct scene scene_of(const struct instance *instance) {
    struct scene scene = {instance, build(instance, PLAIN_PLACEMENT), NULL};
    assert_int_equal(softrelu_constants_create(scene.built.problem, &scene.constants), SOFTRELU_OK);
    return scene;
}

static void scene_free(struct scene *scene) {
    softrelu_constants_destroy(scene->constants);
    built_free(&scene->built);
}

static double number(const struct scene *scene, softrelu_constant constant) {
    double value = NAN;
    assert_int_equal(softrelu_constants_number(scene->constants, constant, &value), SOFTRELU_OK);
    return value;
}

static void move(struct scene *scene, const double *x) {
    assert_int_equal(softrelu_constants_move(scene->constants, x, scene->instance->d), SOFTRELU_OK);
}

static struct reference reference_in(const struct instance *instance, const double *x) {
    long double *exact = test_long_doubles(instance->d);
    for (int64_t k = 0; k < instance->d; k++)
        exact[k] = x[k];
    const struct reference reference = reference_at(instance, exact, 2);
    free(exact);
    return reference;
}

static void near(const char *name, double actual, long double expected, long double scale) {
    if (!(fabsl(actual - expected) <= 1e-12L * scale))
        fail_msg("%s is %.17g, expected %.17Lg (scale %.3Lg)", name, actual, expected, scale);
}

static void at_most(const char *name, long double value, double bound, long double scale) {
    if (!(value <= bound + 1e-13L * scale))
        fail_msg("%s: %.17Lg exceeds %.17g", name, value, bound);
}

/* Largest distance between two of the rows. */
static long double row_distance(int64_t rows, int64_t length, const long double *matrix) {
    long double largest = 0.0L;
    for (int64_t j = 0; j < rows; j++)
        for (int64_t k = 0; k < j; k++) {
            long double sum = 0.0L;
            for (int64_t l = 0; l < length; l++)
                sum += (matrix[j * length + l] - matrix[k * length + l]) * (matrix[j * length + l] - matrix[k * length + l]);
            largest = fmaxl(largest, sqrtl(sum));
        }
    return largest;
}

/* Spectral norm of the rows of G less their mean under f. */
static long double centred_norm(const struct reference *at) {
    const int64_t d = at->d, m = at->m;
    long double *gram = test_long_doubles(d * d), *mean = test_long_doubles(d), least, largest;
    for (int64_t j = 0; j < m; j++)
        for (int64_t k = 0; k < d; k++)
            mean[k] += at->f[j] * at->jacobian[j * d + k];
    for (int64_t j = 0; j < m; j++)
        for (int64_t k = 0; k < d; k++)
            for (int64_t l = 0; l < d; l++)
                gram[k * d + l] += (at->jacobian[j * d + k] - mean[k]) * (at->jacobian[j * d + l] - mean[l]);
    eigenvalues(d, gram, &least, &largest);
    free(gram);
    free(mean);
    return sqrtl(fmaxl(largest, 0.0L));
}

static void check_kinks(const struct scene *scene, const struct reference *at) {
    const struct instance *instance = scene->instance;
    long double nearest = INFINITY;
    int64_t unit = -1;
    for (int64_t i = 0; i < instance->n; i++) {
        long double norm = 0.0L;
        for (int64_t k = 0; k < instance->d; k++)
            norm += (long double)instance->A1[i * instance->d + k] * instance->A1[i * instance->d + k];
        if (norm > 0.0L && fabsl(at->u[i]) / sqrtl(norm) < nearest) {
            nearest = fabsl(at->u[i]) / sqrtl(norm);
            unit = i;
        }
    }
    assert_true(number(scene, SOFTRELU_CONSTANT_KINK_UNIT) == (double)unit);
    if (unit < 0)
        assert_true(isinf(number(scene, SOFTRELU_CONSTANT_KINK_DISTANCE)));
    else
        near("kink distance", number(scene, SOFTRELU_CONSTANT_KINK_DISTANCE), nearest, at->u_scale);
}

/* Everything about a point against the dense computation, and against the bounds over all cells. */
static void check_point(struct scene *scene, const double *x) {
    const struct instance *instance = scene->instance;
    move(scene, x);
    struct reference at = reference_in(instance, x);
    long double least, largest;
    eigenvalues(instance->d, at.hessian, &least, &largest);
    const long double scale = 1.0L + at.hessian_scale, distance = row_distance(instance->m, instance->d, at.jacobian);
    const long double norm = centred_norm(&at);
    near("least eigenvalue", number(scene, SOFTRELU_CONSTANT_HESSIAN_LEAST), least, scale);
    near("spectral norm", number(scene, SOFTRELU_CONSTANT_SPECTRAL_NORM), norm, scale);
    assert_true(number(scene, SOFTRELU_CONSTANT_ROW_DISTANCE_EXACT) == 1.0);
    near("row distance", number(scene, SOFTRELU_CONSTANT_ROW_DISTANCE), distance, 1.0L + distance);
    check_kinks(scene, &at);
    at_most("row distance", distance, number(scene, SOFTRELU_CONSTANT_ROW_DISTANCE_ALL), 1.0L + distance);
    at_most("spectral norm", norm, number(scene, SOFTRELU_CONSTANT_SPECTRAL_NORM_ALL), scale);
    at_most("largest eigenvalue", largest, number(scene, SOFTRELU_CONSTANT_HESSIAN_LARGEST_ALL), scale);
    at_most("bound in the cell", number(scene, SOFTRELU_CONSTANT_HESSIAN_LEAST_CELL), (double)least, scale);
    at_most("bound in all cells", number(scene, SOFTRELU_CONSTANT_HESSIAN_LEAST_ALL),
            number(scene, SOFTRELU_CONSTANT_HESSIAN_LEAST_CELL), scale);
    assert_true(number(scene, SOFTRELU_CONSTANT_HESSIAN_LIPSCHITZ) <= number(scene, SOFTRELU_CONSTANT_HESSIAN_LIPSCHITZ_ALL));
    reference_free(&at);
}

/* R, A1'A1 and D_A2 against the dense computation. */
static void check_problem(const struct scene *scene) {
    const struct instance *instance = scene->instance;
    const int64_t n = instance->n, d = instance->d, m = instance->m;
    long double *r = test_long_doubles(d * d), *a2 = test_long_doubles(m * n), least, largest;
    for (int64_t i = 0; i < n; i++) {
        const long double w = instance->w != NULL ? instance->w[i] : 0.0;
        for (int64_t k = 0; k < d; k++)
            for (int64_t l = 0; l < d; l++)
                r[k * d + l] += w * w * instance->A1[i * d + k] * instance->A1[i * d + l];
    }
    for (int64_t k = 0; k < d; k++)
        r[k * d + k] += instance->rho;
    for (int64_t j = 0; j < m; j++)
        for (int64_t i = 0; i < n; i++)
            a2[j * n + i] = instance->A2 != NULL ? instance->A2[j * n + i] : j == i;
    eigenvalues(d, r, &least, &largest);
    near("least of R", number(scene, SOFTRELU_CONSTANT_REGULARISER_LEAST), least, 1.0L + largest);
    near("largest of R", number(scene, SOFTRELU_CONSTANT_REGULARISER_LARGEST), largest, 1.0L + largest);
    const long double distance = row_distance(m, n, a2);
    near("rows of A2", number(scene, SOFTRELU_CONSTANT_OUTPUT_DISTANCE), distance, 1.0L + distance);
    free(r);
    free(a2);
}

static struct instance draw_instance(struct test_random *random, int64_t draw) {
    const int64_t shapes[][3] = {{6, 3, 4}, {12, 5, 7}, {4, 7, 3}, {9, 4, 1}, {1, 1, 2}, {8, 6, 8}, {5, 2, 12}, {1, 3, 1}};
    const int64_t *shape = shapes[draw % 8];
    const bool identity = draw % 8 == 5 || draw % 8 == 7;
    const struct instance_scales scales = {.A1 = 2,
                                           .A2 = identity ? 0 : 3,
                                           .b = draw % 3 == 2 ? 3 : 1,
                                           .c1 = draw % 2 ? 0.5 : 0,
                                           .c2 = draw % 5 ? 0.5 : 0,
                                           .w = draw % 4 ? 0.3 : 0,
                                           .x_ref = 1,
                                           .rho = draw % 3 ? 0.1 : 0};
    struct instance instance =
        random_instance(random, shape[0], shape[1], shape[2], scales, draw / 8 % 2 ? SOFTRELU_KL : SOFTRELU_SQUARES);
    if (draw % 6 == 1 && shape[0] > 1) /* a repeated row and a row of zeros */
        memcpy(instance.A1, instance.A1 + shape[1], (size_t)shape[1] * sizeof *instance.A1);
    if (draw % 6 == 2 && shape[0] > 2)
        memset(instance.A1 + 2 * shape[1], 0, (size_t)shape[1] * sizeof *instance.A1);
    if (draw % 7 == 3)
        for (int64_t j = 0; j < shape[2]; j++)
            instance.b[j] = random_normal(random);
    return instance;
}

static void against_dense(void **state) {
    (void)state;
    struct test_random random = {41};
    for (int64_t draw = 0; draw < test_count(160, 8); draw++) {
        struct instance instance = draw_instance(&random, draw);
        struct scene scene = scene_of(&instance);
        double *x = test_doubles(instance.d);
        check_problem(&scene);
        for (int64_t point = 0; point < test_count(4, 2); point++) {
            random_fill(&random, point == 3 ? 0.0 : 1.0 + (double)point, instance.d, x);
            check_point(&scene, x);
        }
        free(x);
        scene_free(&scene);
        instance_free(&instance);
    }
}

/* ---------------------------------------------------------------------------------------------- change within one cell */

static bool same_cell(const struct reference *one, const struct reference *other) {
    bool same = true;
    for (int64_t i = 0; i < one->n; i++)
        same = same && (one->u[i] > 0) == (other->u[i] > 0);
    return same;
}

/* |H(y) - H(x)| over |y - x|, 0 when y is in another cell. */
static double change_rate(const struct instance *instance, const struct reference *at, const double *x, const double *y) {
    const int64_t d = instance->d;
    struct reference there = reference_in(instance, y);
    long double length = 0.0L, least, largest, *change = test_long_doubles(d * d);
    for (int64_t k = 0; k < d; k++)
        length += ((long double)y[k] - x[k]) * ((long double)y[k] - x[k]);
    for (int64_t k = 0; k < d * d; k++)
        change[k] = there.hessian[k] - at->hessian[k];
    eigenvalues(d, change, &least, &largest);
    const double rate = same_cell(at, &there) ? (double)(fmaxl(largest, -least) / sqrtl(length)) : 0.0;
    free(change);
    reference_free(&there);
    return rate;
}

static void hessian_is_lipschitz(void **state) {
    (void)state;
    struct test_random random = {42};
    double shares[2] = {0.0, 0.0};
    for (int64_t draw = 0; draw < test_count(64, 8); draw++) {
        struct instance instance = draw_instance(&random, draw);
        struct scene scene = scene_of(&instance);
        double *x = test_doubles(instance.d), *y = test_doubles(instance.d);
        for (int64_t pair = 0; pair < test_count(12, 3); pair++) {
            const double step = random_scale(&random, -2.5, 0);
            random_fill(&random, 1.0, instance.d, x);
            for (int64_t k = 0; k < instance.d; k++)
                y[k] = x[k] + step * random_normal(&random);
            move(&scene, x);
            struct reference at = reference_in(&instance, x);
            const double rate = change_rate(&instance, &at, x, y), bound = number(&scene, SOFTRELU_CONSTANT_HESSIAN_LIPSCHITZ);
            at_most("change of the Hessian", rate, bound, 1e3 + at.hessian_scale / step);
            double *share = &shares[instance.loss == SOFTRELU_KL];
            *share = bound > 0.0 ? fmax(*share, rate / bound) : *share;
            reference_free(&at);
        }
        free(x);
        free(y);
        scene_free(&scene);
        instance_free(&instance);
    }
    printf("Hessian's Lipschitz constant in a cell: at most %.1f %% (squares) and %.1f %% (kl) of the bound seen\n",
           100 * shares[0], 100 * shares[1]);
}

/* ------------------------------------------------------------------------------------------------- weights for a modulus */

/* The least of lambda_min(Hessian) over random points, and some where the probability is spread as the worst case asks. */
static long double least_over_points(const struct instance *instance, struct test_random *random, int64_t points) {
    double *x = test_doubles(instance->d);
    long double worst = INFINITY;
    for (int64_t point = 0; point < points; point++) {
        random_fill(random, random_scale(random, -1, 1), instance->d, x);
        struct reference at = reference_in(instance, x);
        long double least, largest;
        eigenvalues(instance->d, at.hessian, &least, &largest);
        worst = fminl(worst, least);
        reference_free(&at);
    }
    free(x);
    return worst;
}

static void set_weight(struct instance *instance, double weight_squared) {
    free(instance->w);
    instance->w = test_doubles(instance->n);
    for (int64_t i = 0; i < instance->n; i++)
        instance->w[i] = sqrt(weight_squared);
}

static void one_modulus(struct instance *instance, const char *name, double modulus, struct test_random *random) {
    struct scene scene = scene_of(instance);
    double weight_squared = NAN;
    assert_int_equal(softrelu_constants_weight(scene.constants, modulus, &weight_squared), SOFTRELU_OK);
    assert_true(weight_squared >= 0.0);
    scene_free(&scene);
    if (isinf(weight_squared)) {
        assert_true(instance->rho < modulus || instance->d > instance->n);
        return;
    }
    set_weight(instance, weight_squared);
    scene = scene_of(instance);
    const double proved = number(&scene, SOFTRELU_CONSTANT_HESSIAN_LEAST_ALL);
    const long double seen = least_over_points(instance, random, test_count(1000, 4));
    printf("%-8s l = %-5g rho = %-4g w^2 = %-9.4g proved %-9.6g least seen %-9.6Lg l / seen %.3Lf\n", name, modulus,
           instance->rho, weight_squared, proved, seen, modulus / seen);
    if (weight_squared > 0.0)
        near("modulus", proved, modulus, (1.0L + weight_squared) * 1e3L);
    else
        assert_true(proved >= modulus);
    assert_true(seen >= modulus * (1.0L - 1e-12L));
    scene_free(&scene);
}

static void strong_convexity(void **state) {
    (void)state;
    struct test_random random = {43};
    const struct {
        const char *name;
        int64_t n, d, m;
        bool identity;
        softrelu_loss loss;
        double rho;
    } cases[] = {{"squares", 10, 4, 6, false, SOFTRELU_SQUARES, 0.0}, {"squares", 30, 8, 12, false, SOFTRELU_SQUARES, 0.05},
                 {"squares", 3, 2, 2, false, SOFTRELU_SQUARES, 0.0},  {"identity", 8, 3, 8, true, SOFTRELU_SQUARES, 0.0},
                 {"identity", 2, 1, 2, true, SOFTRELU_SQUARES, 0.3},  {"kl", 10, 4, 6, false, SOFTRELU_KL, 0.0},
                 {"d > n", 3, 5, 4, false, SOFTRELU_SQUARES, 5.0},    {"d > n", 3, 5, 4, false, SOFTRELU_SQUARES, 0.0},
                 {"m = 2", 1, 1, 2, false, SOFTRELU_SQUARES, 0.0}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
        for (int modulus = 0; modulus < 2; modulus++) {
            const struct instance_scales scales = {.A1 = 1.5, .A2 = cases[k].identity ? 0 : 1.5, .b = 1, .rho = cases[k].rho};
            struct instance instance = random_instance(&random, cases[k].n, cases[k].d, cases[k].m, scales, cases[k].loss);
            one_modulus(&instance, cases[k].name, modulus ? 1.0 : 0.1, &random);
            instance_free(&instance);
        }
}

/* m = 2, n = d = 1: what is proved is what happens, up to the target that is the worst one. */
static void tight_by_hand(void **state) {
    (void)state;
    double A1[1] = {1.0}, A2[2] = {1.0, -1.0}, b[2] = {1.0, 0.0};
    struct instance instance = {.n = 1, .d = 1, .m = 2, .A1 = A1, .A2 = A2, .b = b, .rho = 0.0, .loss = SOFTRELU_SQUARES};
    double c1[1] = {0.0};
    instance.c1 = c1;
    instance.w = NULL;
    struct scene scene = scene_of(&instance);
    double weight_squared;
    assert_int_equal(softrelu_constants_weight(scene.constants, 0.5, &weight_squared), SOFTRELU_OK);
    assert_true(fabs(number(&scene, SOFTRELU_CONSTANT_OUTPUT_DISTANCE) - 2.0) < 1e-15); /* one column, of 1 and -1 */
    assert_true(fabs(weight_squared - (0.5 + 4 * 0.12021)) < 1e-12);
    scene_free(&scene);
    /* softmax(u, -u) for u > 0 has f_1 in (1/2, 1); with b the other output the concave part, f_1 = 0.864, is met */
    b[0] = 0.0;
    b[1] = 1.0;
    scene = scene_of(&instance);
    double least = INFINITY;
    for (int step = 1; step < 3000; step++) {
        const double x = 1e-3 * step;
        move(&scene, &x);
        least = fmin(least, number(&scene, SOFTRELU_CONSTANT_HESSIAN_LEAST));
    }
    const double bound = number(&scene, SOFTRELU_CONSTANT_HESSIAN_LEAST_ALL);
    assert_true(bound <= least && least < 0.9999 * bound);
    scene_free(&scene);
}

/* Many outputs: the distances become bounds through a centre. */
static void bounds_through_a_centre(void **state) {
    (void)state;
    if (test_count(1, 0) == 0)
        return; /* all pairs of 6000 rows take too long in slow motion */
    struct test_random random = {44};
    const struct instance_scales scales = {.A1 = 1, .A2 = 1, .b = 1, .w = 0.1};
    struct instance instance = random_instance(&random, 4, 3, 6000, scales, SOFTRELU_SQUARES);
    struct scene scene = scene_of(&instance);
    double *x = test_doubles(instance.d);
    random_fill(&random, 0.5, instance.d, x);
    move(&scene, x);
    assert_true(number(&scene, SOFTRELU_CONSTANT_ROW_DISTANCE_EXACT) == 0.0);
    struct reference at = reference_in(&instance, x);
    const double distance = (double)row_distance(6000, 3, at.jacobian), bound = number(&scene, SOFTRELU_CONSTANT_ROW_DISTANCE);
    assert_true(distance <= bound && bound <= 2.0 * distance);
    near("spectral norm", number(&scene, SOFTRELU_CONSTANT_SPECTRAL_NORM), centred_norm(&at), 1e3L);
    long double *a2 = test_long_doubles(6000 * 4);
    for (int64_t k = 0; k < 6000 * 4; k++)
        a2[k] = instance.A2[k];
    const double of_a2 = (double)row_distance(6000, 4, a2), found = number(&scene, SOFTRELU_CONSTANT_OUTPUT_DISTANCE);
    assert_true(of_a2 <= found && found <= 2.0 * of_a2);
    free(a2);
    free(x);
    reference_free(&at);
    scene_free(&scene);
    instance_free(&instance);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(against_dense), cmocka_unit_test(hessian_is_lipschitz),
                                       cmocka_unit_test(strong_convexity), cmocka_unit_test(tight_by_hand),
                                       cmocka_unit_test(bounds_through_a_centre)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
