/* The hinge QP against its own optimality conditions, computed here from the problem as posed. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/hinge_problem.h"

/* -------------------------------------------------------------------------------------------------- judging an answer */

/* The function that is minimised. */
static double value_at(const struct instance *at, const double *p) {
    double value = 0.0;
    for (int64_t i = 0; i < at->d; i++) {
        double product = at->shift * p[i];
        for (int64_t j = 0; j < at->d; j++)
            product += at->hessian[i + j * at->d] * p[j];
        value += p[i] * (at->gradient[i] + 0.5 * product);
    }
    for (int64_t i = 0; i < at->count; i++)
        value += at->weights[i] * fmax(0.0, at->offsets[i] + srl_dot(at->d, at->rows + i * at->d, p));
    return value;
}

/* |(H + shift I)^-1 g|: how long the step would be without hinges, which is what its round-off is relative to when they hold it
   back. */
static double newton_length(const struct instance *at) {
    double *step = test_copy(at->gradient, at->d);
    assert_int_equal(srl_potrs(at->d, 1, at->factor, at->d, step, at->d), 0);
    const double length = srl_norm(at->d, step);
    free(step);
    return length;
}

/* Multipliers of all hinges into hinges and of all bounds into bounds (NAN: not pinned). */
static void read_multipliers(const struct instance *at, const struct srl_hinge_qp *qp, double *hinges, double *bounds) {
    for (int64_t i = 0; i < at->count; i++)
        hinges[i] = NAN;
    for (int64_t k = 0; k < at->d; k++)
        bounds[k] = NAN;
    for (int64_t j = 0; j < qp->face.count; j++) {
        double *slot = qp->pinned[j] >= 0 ? &hinges[qp->pinned[j]] : &bounds[-1 - qp->pinned[j]];
        assert_true(isnan(*slot)); /* nothing is pinned twice */
        *slot = qp->multipliers[j];
    }
}

/* Relative error of the optimality conditions at p: stationarity relative to the largest of |g|, |H||p| and |lambda||b|; for
   each hinge, relative to |e| + |b| max(|p|, |H^-1 g|), how far its value is on the wrong side of its state: off <= 0, full >=
   0, pinned = 0; multipliers, times |b|, out of [0, w] relative to the same terms. Bounds must hold exactly. */
static double kkt_error(const struct instance *at, const struct srl_hinge_qp *qp, const double *p) {
    const int64_t d = at->d;
    const double length = fmax(srl_norm(d, p), newton_length(at));
    double *rest = test_doubles(d), *hinges = test_doubles(at->count + 1), *bounds = test_doubles(d), error = 0.0,
           outside = 0.0;
    double terms = fmax(srl_norm(d, at->gradient), (srl_norm(d * d, at->hessian) + at->shift) * srl_norm(d, p));
    read_multipliers(at, qp, hinges, bounds);
    for (int64_t i = 0; i < d; i++) {
        rest[i] = at->gradient[i] + at->shift * p[i];
        for (int64_t j = 0; j < d; j++)
            rest[i] += at->hessian[i + j * d] * p[j];
    }
    for (int64_t i = 0; i < at->count; i++) {
        const double *row = at->rows + i * d, size = srl_norm(d, row), value = at->offsets[i] + srl_dot(d, row, p);
        const bool full = srl_hinge_qp_is_full(qp, i), pinned = !isnan(hinges[i]);
        const double lambda = pinned ? hinges[i] : full ? at->weights[i] : 0.0;
        srl_axpy(d, lambda, row, rest);
        terms = fmax(terms, fabs(lambda) * size);
        outside = fmax(outside, size * fmax(-lambda, lambda - at->weights[i]));
        if (at->weights[i] > 0.0) /* without a weight it matters to nobody on which side it is */
            error = fmax(error, (pinned ? fabs(value)
                                 : full ? -value
                                        : value) /
                                    (fabs(at->offsets[i]) + size * length + 1e-300));
    }
    for (int64_t k = 0; k < d && at->bounded; k++) {
        assert_true(p[k] >= at->lower[k] && p[k] <= at->upper[k]);
        if (isnan(bounds[k]))
            continue;
        const bool at_lower = p[k] == at->lower[k], at_upper = p[k] == at->upper[k];
        assert_true(at_lower || at_upper);
        rest[k] += at_upper ? bounds[k] : -bounds[k];
        terms = fmax(terms, fabs(bounds[k]));
        outside = fmax(outside, at_lower && at_upper ? 0.0 : -bounds[k]);
    }
    error = fmax(error, fmax(srl_norm(d, rest), outside) / terms);
    free(rest);
    free(hinges);
    free(bounds);
    return error;
}

/* ------------------------------------------------------------------------------------------------------------------- solving
 */

static double largest_diagonal(const struct instance *at) {
    double largest = 0.0;
    for (int64_t k = 0; k < at->d; k++)
        largest = fmax(largest, at->hessian[k + k * at->d]);
    return largest;
}

static void pose(struct srl_hinge_qp *qp, const struct instance *at) {
    const double shift = at->is_small ? at->small_shift : at->shift;
    qp->metric = (struct srl_metric){
        at->d, at->hessian, shift, at->factor, at->shift + largest_diagonal(at), at->is_small ? &at->small : NULL};
    qp->gradient = at->gradient;
    qp->bounded = at->bounded;
    memcpy(qp->lower, at->lower, (size_t)at->d * sizeof *at->lower);
    memcpy(qp->upper, at->upper, (size_t)at->d * sizeof *at->upper);
    qp->count = 0;
}

static void append(struct srl_hinge_qp *qp, const struct instance *at, int64_t count, struct test_random *random, bool guess) {
    for (int64_t i = qp->count; i < count; i++) { /* a wrong guess must cost time only; the solver guesses kinks at zero */
        memcpy(qp->rows + i * at->d, at->rows + i * at->d, (size_t)at->d * sizeof *at->rows);
        qp->offsets[i] = at->offsets[i];
        qp->weights[i] = at->weights[i];
        qp->start[i] = at->offsets[i] == 0.0 || (guess && uniform(random) < 0.1);
    }
    qp->count = count;
}

static void solve(struct srl_hinge_qp *qp, const struct instance *at, struct test_random *random, const struct family *family) {
    pose(qp, at);
    append(qp, at, family->appended ? at->count / 3 : at->count, random, family->wrong_guess);
    srl_hinge_qp_solve(qp);
    while (qp->count < at->count) {
        append(qp, at, qp->count + 1 + (at->count - qp->count) / 2, random, family->wrong_guess);
        srl_hinge_qp_resume(qp);
    }
}

/* Sum of the magnitudes of the terms of the function at p. */
static double size_of_terms(const struct instance *at, const double *p) {
    const double length = fmax(srl_norm(at->d, p), newton_length(at));
    double size =
        srl_norm(at->d, at->gradient) * length + (srl_norm(at->d * at->d, at->hessian) + at->shift) * length * length + 1e-300;
    for (int64_t k = 0; k < at->count; k++)
        size += at->weights[k] * (fabs(at->offsets[k]) + srl_norm(at->d, at->rows + k * at->d) * length);
    return size;
}

/* Nearby feasible points are not better: the judge above is not fooled about what is minimised. */
static void compare_with_neighbours(const struct instance *at, const double *p, double size, struct test_random *random) {
    const double value = value_at(at, p), reach = 1e-3 * (srl_norm(at->d, p) + newton_length(at));
    double *near = test_doubles(at->d);
    for (int probe = 0; probe < 4; probe++) {
        for (int64_t k = 0; k < at->d; k++) {
            near[k] = p[k] + reach * random_normal(random);
            if (at->bounded)
                near[k] = fmin(fmax(near[k], at->lower[k]), at->upper[k]);
        }
        assert_true(value_at(at, near) >= value - 1e-12 * size);
    }
    free(near);
}

static void check_family(const struct family *family, uint64_t seed, int64_t tries) {
    const struct srl_allocator allocator = srl_allocator_of(NULL, NULL, NULL);
    struct test_random random = {seed};
    double worst = 0.0;
    int64_t most = 0, pinned = 0;
    for (int64_t i = 0; i < tries; i++) {
        struct instance at = make_instance(&random, family);
        struct srl_arena arena = {0};
        struct srl_hinge_qp qp;
        srl_hinge_qp_carve(&arena, &qp, at.d, at.count); /* not a byte more than the problem needs */
        assert_true(srl_arena_reserve(&arena, &allocator));
        srl_hinge_qp_carve(&arena, &qp, at.d, at.count);
        solve(&qp, &at, &random, family);
        assert_int_equal(qp.ended, SRL_HINGE_QP_SOLVED);
        const double size = size_of_terms(&at, qp.step), value = value_at(&at, qp.step);
        assert_true(value <= 1e-12 * size); /* p = 0 is worth 0 */
        if (!(fabs(value - qp.model) <= 1e-12 * size))
            fail_msg("%s %d: value %g, model %g, terms %g", family->name, (int)i, value, qp.model, size);
        const double error = kkt_error(&at, &qp, qp.step);
        if (!(error <= family->tolerance))
            fail_msg("%s %d: d = %d, %d hinges, %d pinned: KKT error %g", family->name, (int)i, (int)at.d, (int)at.count,
                     (int)qp.face.count, error);
        compare_with_neighbours(&at, qp.step, size, &random);
        if (!at.bounded && newton_length(&at) > 0.0) { /* the judge sees a p that is wrong in its 9th digit */
            double *wrong = test_copy(qp.step, at.d);
            wrong[0] += 1e-7 * (srl_norm(at.d, qp.step) + newton_length(&at));
            assert_true(kkt_error(&at, &qp, wrong) > fmin(1e-3 * family->tolerance, error));
            free(wrong);
        }
        worst = fmax(worst, error);
        most = qp.iterations > most ? qp.iterations : most;
        pinned += qp.face.count;
        srl_arena_release(&arena, &allocator);
        free_instance(&at);
    }
    print_message("  %-28s %5d problems, worst relative KKT error %.1e, at most %d iterations, %.1f pinned on average\n",
                  family->name, (int)tries, worst, (int)most, (double)pinned / (double)tries);
}

static const struct family families[] = {
    {.name = "few hinges", .hinges = 0.5, .spread = 2, .tolerance = 1e-12},
    {.name = "about d hinges", .hinges = 2, .spread = 4, .tolerance = 1e-12},
    {.name = "50 d hinges", .hinges = 50, .spread = 3, .tolerance = 1e-12},
    {.name = "wrong guesses", .hinges = 4, .spread = 3, .wrong_guess = true, .tolerance = 1e-12},
    {.name = "degenerate", .hinges = 8, .spread = 6, .degenerate = true, .tolerance = 1e-12},
    {.name = "degenerate, 50 d hinges", .hinges = 50, .spread = 2, .degenerate = true, .tolerance = 1e-12},
    {.name = "integers", .hinges = 6, .integers = true, .tolerance = 1e-12},
    {.name = "bounds", .hinges = 3, .spread = 4, .bounds = true, .tolerance = 1e-12},
    {.name = "bounds alone", .hinges = 0, .spread = 4, .bounds = true, .tolerance = 1e-12},
    {.name = "bounds, wrong guesses", .hinges = 3, .spread = 3, .bounds = true, .wrong_guess = true, .tolerance = 1e-12},
    {.name = "degenerate with bounds", .hinges = 6, .spread = 4, .bounds = true, .degenerate = true, .tolerance = 1e-12},
    {.name = "integers with bounds", .hinges = 4, .integers = true, .bounds = true, .degenerate = true, .tolerance = 1e-12},
    {.name = "appended in rounds", .hinges = 6, .spread = 3, .appended = true, .tolerance = 1e-12},
    {.name = "appended, bounds, degenerate",
     .hinges = 6,
     .spread = 3,
     .appended = true,
     .bounds = true,
     .degenerate = true,
     .tolerance = 1e-12},
    {.name = "small matrix", .hinges = 2, .spread = 4, .small = true, .tolerance = 1e-12},
    {.name = "small matrix, 50 d hinges", .hinges = 50, .spread = 3, .small = true, .tolerance = 1e-12},
    {.name = "small matrix, bounds", .hinges = 3, .spread = 4, .small = true, .bounds = true, .tolerance = 1e-12},
    {.name = "small, appended, degenerate",
     .hinges = 6,
     .spread = 3,
     .small = true,
     .appended = true,
     .bounds = true,
     .degenerate = true,
     .tolerance = 1e-12},
};

static void optimality_conditions(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        check_family(&families[i], 7 + i, test_count(families[i].hinges > 10.0 ? 150 : 600, 12));
}

/* ------------------------------------------------------------------------------------------------------------- by hand */

struct small {
    struct srl_arena arena;
    struct srl_hinge_qp qp;
};

static void carve_small(struct small *small, int64_t d, int64_t capacity) {
    const struct srl_allocator allocator = srl_allocator_of(NULL, NULL, NULL);
    memset(small, 0, sizeof *small);
    srl_hinge_qp_carve(&small->arena, &small->qp, d, capacity);
    assert_true(srl_arena_reserve(&small->arena, &allocator));
    srl_hinge_qp_carve(&small->arena, &small->qp, d, capacity);
}

static void free_small(struct small *small) {
    const struct srl_allocator allocator = srl_allocator_of(NULL, NULL, NULL);
    srl_arena_release(&small->arena, &allocator);
}

/* min -2p + p^2/2 + w max(0, p - 1), p <= upper: ends at 2 for w = 0, 1.5 for w = 0.5, on the kink for w >= 1, on the bound. */
static void one_hinge_by_hand(void **state) {
    (void)state;
    const double one = 1.0, gradient = -2.0, weights[] = {0.0, 0.5, 1.0, 3.0, 0.5}, expected[] = {2.0, 1.5, 1.0, 1.0, 1.25};
    struct small small;
    carve_small(&small, 1, 1);
    struct srl_hinge_qp *qp = &small.qp;
    qp->metric = (struct srl_metric){1, &one, 0.0, &one, 1.0, NULL};
    qp->gradient = &gradient;
    for (int i = 0; i < 5; i++) {
        qp->count = 1;
        qp->rows[0] = 1.0;
        qp->offsets[0] = -1.0;
        qp->weights[0] = weights[i];
        qp->start[0] = 0;
        qp->bounded = i == 4;
        qp->lower[0] = -INFINITY;
        qp->upper[0] = 1.25;
        srl_hinge_qp_solve(qp);
        assert_int_equal(qp->ended, SRL_HINGE_QP_SOLVED);
        assert_true(fabs(qp->step[0] - expected[i]) < 1e-15);
        assert_int_equal(qp->face.count, i >= 2);
        assert_true(fabs(qp->model -
                         (-2.0 * expected[i] + 0.5 * expected[i] * expected[i] + weights[i] * (expected[i] - 1.0))) < 1e-15);
    }
    assert_int_equal(qp->pinned[0], -1);                                                 /* the bound of p_0, ... */
    assert_true(fabs(qp->multipliers[0] - 0.25) < 1e-15 && srl_hinge_qp_is_full(qp, 0)); /* ... -2 + 1.25 + 0.5 + 0.25 = 0 */
    free_small(&small);
}

/* Data beyond double precision end it, without a claim. */
static void not_finite(void **state) {
    (void)state;
    const double identity[4] = {1.0, 0.0, 0.0, 1.0}, spoilt[4] = {1.0, NAN, NAN, 1.0};
    const double gradients[][2] = {{NAN, 1.0}, {INFINITY, 1.0}, {1.0, 1.0}};
    struct small small;
    carve_small(&small, 2, 1);
    for (int i = 0; i < 3; i++) {
        small.qp.metric = (struct srl_metric){2, i == 2 ? spoilt : identity, 0.0, identity, 1.0, NULL};
        small.qp.gradient = gradients[i];
        small.qp.count = 1;
        small.qp.rows[0] = small.qp.rows[1] = 1.0;
        small.qp.offsets[0] = -1.0;
        small.qp.weights[0] = 1.0;
        srl_hinge_qp_solve(&small.qp);
        assert_int_equal(small.qp.ended, SRL_HINGE_QP_NOT_FINITE);
    }
    free_small(&small);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_hinge_by_hand),
        cmocka_unit_test(not_finite),
        cmocka_unit_test(optimality_conditions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
