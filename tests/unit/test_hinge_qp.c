/* The hinge QP against its own optimality conditions, computed here from the problem as posed. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/random.h"
#include "step/hinge_qp.h"

enum { LARGEST_D = 40, LARGEST_COUNT = 400 };

struct instance {
    int64_t d, count;
    double hessian[LARGEST_D * LARGEST_D], factor[LARGEST_D * LARGEST_D], gradient[LARGEST_D];
    double rows[LARGEST_COUNT * LARGEST_D], offsets[LARGEST_COUNT], weights[LARGEST_COUNT];
};

static double normal(struct srl_random *random) { return srl_random_normal(random); }
static double uniform(struct srl_random *random) { return (double)(srl_random_bits(random) >> 11) * 0x1p-53; }

/* H = M M' with columns of M scaled over 10^(-spread) .. 1, plus a little of the identity. */
static void make_hessian(struct instance *at, struct srl_random *random, double spread) {
    const int64_t d = at->d;
    double m[LARGEST_D * LARGEST_D];
    for (int64_t j = 0; j < d; j++) {
        const double scale = pow(10.0, -0.5 * spread * uniform(random));
        for (int64_t i = 0; i < d; i++)
            m[i + j * d] = scale * normal(random);
    }
    for (int64_t i = 0; i < d; i++)
        for (int64_t j = 0; j < d; j++) {
            double sum = i == j ? pow(10.0, -spread) : 0.0;
            for (int64_t k = 0; k < d; k++)
                sum += m[i + k * d] * m[j + k * d];
            at->hessian[i + j * d] = sum;
        }
    memcpy(at->factor, at->hessian, sizeof at->factor);
    assert_int_equal(srl_potrf(d, at->factor, d), 0);
}

/* Row i: mostly random; some repeat, mirror or scale an earlier one; some are zero. */
static void make_row(struct instance *at, struct srl_random *random, int64_t i, bool degenerate) {
    const int64_t d = at->d;
    const int kind = degenerate && i > 0 ? (int)(8.0 * uniform(random)) : 7;
    const int64_t other = i > 0 ? (int64_t)(uniform(random) * (double)i) : 0;
    for (int64_t k = 0; k < d; k++) {
        const double earlier = at->rows[other * d + k];
        at->rows[i * d + k] = kind == 0   ? earlier
                              : kind == 1 ? -earlier
                              : kind == 2 ? 0.5 * earlier
                              : kind == 3 ? 0.0
                                          : normal(random);
    }
    at->offsets[i] = kind <= 2 ? at->offsets[other] * (kind == 2 ? 0.5 : 1.0) : -fabs(normal(random)) * uniform(random);
    if (degenerate && uniform(random) < 0.3)
        at->offsets[i] = 0.0;
    at->weights[i] = fabs(normal(random)) * (degenerate ? pow(10.0, 18.0 * uniform(random) - 15.0) : 1.0);
}

static void make_instance(struct instance *at, struct srl_random *random, bool degenerate) {
    memset(at, 0, sizeof *at); /* beyond d all is 0 */
    at->d = 1 + (int64_t)(uniform(random) * (uniform(random) < 0.5 ? 5.0 : LARGEST_D));
    if (at->d > LARGEST_D)
        at->d = LARGEST_D;
    at->count = (int64_t)(uniform(random) * (uniform(random) < 0.3   ? 3.0
                                             : uniform(random) < 0.7 ? 2.0 * (double)at->d
                                                                     : LARGEST_COUNT));
    make_hessian(at, random, degenerate ? 6.0 * uniform(random) : 2.0);
    for (int64_t k = 0; k < at->d; k++)
        at->gradient[k] = normal(random);
    for (int64_t i = 0; i < at->count; i++)
        make_row(at, random, i, degenerate);
}

/* The function that is minimised, from the data as posed. */
static double value_at(const struct instance *at, const double *p) {
    double value = 0.0;
    for (int64_t i = 0; i < at->d; i++) {
        double product = 0.0;
        for (int64_t j = 0; j < at->d; j++)
            product += at->hessian[i + j * at->d] * p[j];
        value += p[i] * (at->gradient[i] + 0.5 * product);
    }
    for (int64_t i = 0; i < at->count; i++)
        value += at->weights[i] * fmax(0.0, at->offsets[i] + srl_dot(at->d, at->rows + i * at->d, p));
    return value;
}

/* |H^-1 g|: how long the step would be without hinges, which is what its round-off is relative to when they hold it back. */
static double newton_length(const struct instance *at) {
    double step[LARGEST_D];
    memcpy(step, at->gradient, sizeof step);
    assert_int_equal(srl_potrs(at->d, 1, at->factor, at->d, step, at->d), 0);
    return srl_norm(at->d, step);
}

/* Relative error of the optimality conditions at the returned p: stationarity relative to the largest
   of |g|, |H||p| and |lambda||b|, and for each hinge, relative to |e| + |b| max(|p|, |H^-1 g|), how far its value is on the
   wrong side of its state: off <= 0, full >= 0, pinned = 0. The multipliers of the pinned hinges must be within their bounds.
 */
static double kkt_error(const struct instance *at, const struct srl_hinge_qp *qp) {
    const int64_t d = at->d;
    const double length = fmax(srl_norm(d, qp->step), newton_length(at));
    double rest[LARGEST_D], error = 0.0,
                            terms = fmax(srl_norm(d, at->gradient), srl_norm(d * d, at->hessian) * srl_norm(d, qp->step));
    for (int64_t i = 0; i < d; i++) {
        rest[i] = at->gradient[i];
        for (int64_t j = 0; j < d; j++)
            rest[i] += at->hessian[i + j * d] * qp->step[j];
    }
    for (int64_t i = 0; i < at->count; i++) {
        const double *row = at->rows + i * d, size = srl_norm(d, row);
        const double value = at->offsets[i] + srl_dot(d, row, qp->step);
        const double range = fabs(at->offsets[i]) + size * length + 1e-300;
        double multiplier = 0.0, wrong = value;
        if (srl_hinge_qp_is_full(qp, i)) {
            multiplier = at->weights[i];
            wrong = -value;
        }
        for (int64_t k = 0; k < qp->pinned_count; k++)
            if (qp->pinned[k] == i) {
                multiplier = qp->multipliers[k];
                wrong = fabs(value);
                assert_true(multiplier >= -1e-12 * terms / size && multiplier <= at->weights[i] + 1e-12 * terms / size);
            }
        srl_axpy(d, multiplier, row, rest);
        terms = fmax(terms, fabs(multiplier) * size);
        error = fmax(error, wrong / range);
    }
    return fmax(error, srl_norm(d, rest) / terms);
}

static void solve(struct instance *at, struct srl_hinge_qp *qp, struct srl_random *random, bool guess) {
    qp->d = at->d;
    qp->count = at->count;
    memcpy(qp->rows, at->rows, sizeof at->rows);
    memcpy(qp->offsets, at->offsets, sizeof at->offsets);
    memcpy(qp->weights, at->weights, sizeof at->weights);
    for (int64_t i = 0; i < at->count; i++) /* a wrong guess must cost time only; the solver guesses kinks at zero */
        qp->start[i] = at->offsets[i] == 0.0 || (guess && uniform(random) < 0.05);
    srl_hinge_qp_solve(qp, at->factor, at->gradient);
}

static void check_family(bool degenerate, bool guess, double tolerance, int tries) {
    const struct srl_allocator allocator = srl_allocator_of(NULL, NULL, NULL);
    struct srl_arena arena = {0};
    struct srl_hinge_qp qp;
    static struct instance at;
    struct srl_random random = {degenerate ? 11u : 7u};
    double worst = 0.0;
    int64_t most = 0;
    srl_hinge_qp_carve(&arena, &qp, LARGEST_D, LARGEST_COUNT);
    assert_true(srl_arena_reserve(&arena, &allocator));
    srl_hinge_qp_carve(&arena, &qp, LARGEST_D, LARGEST_COUNT);
    for (int i = 0; i < tries; i++) {
        make_instance(&at, &random, degenerate);
        solve(&at, &qp, &random, guess);
        assert_true(qp.solved);
        const double length = fmax(srl_norm(at.d, qp.step), newton_length(&at));
        double size = fabs(srl_dot(at.d, at.gradient, qp.step)) +
                      srl_norm(at.d * at.d, at.hessian) * srl_dot(at.d, qp.step, qp.step) +
                      1e-300; /* of the terms that add up to the value */
        for (int64_t k = 0; k < at.count; k++)
            size += at.weights[k] * (fabs(at.offsets[k]) + srl_norm(at.d, at.rows + k * at.d) * length);
        const double value = value_at(&at, qp.step);
        assert_true(value <= 1e-12 * size); /* p = 0 is worth 0 */
        if (!(fabs(value - qp.model) <= 1e-12 * size))
            fail_msg("instance %d: value %g, model %g, terms %g", i, value, qp.model, size);
        const double error = kkt_error(&at, &qp);
        if (error > tolerance)
            fail_msg("instance %d: d = %d, %d hinges, %d pinned: KKT error %g", i, (int)at.d, (int)at.count,
                     (int)qp.pinned_count, error);
        worst = fmax(worst, error);
        most = qp.iterations > most ? qp.iterations : most;
    }
    print_message("%d problems, worst relative KKT error %.1e, at most %d iterations\n", tries, worst, (int)most);
    srl_arena_release(&arena, &allocator);
}

static int tries(int full) {
    const char *scale = getenv("SOFTRELU_TEST_SCALE");
    return scale != NULL && strcmp(scale, "small") == 0 ? full / 20 : full;
}

static void generic_problems(void **state) {
    (void)state;
    check_family(false, false, 1e-12, tries(3000));
}

static void wrong_guesses(void **state) {
    (void)state;
    check_family(false, true, 1e-12, tries(2000));
}

/* Repeated, mirrored, scaled and zero rows, hinges at zero, weights over 18 orders of magnitude, H conditioned up to 1e6. */
static void degenerate_problems(void **state) {
    (void)state;
    check_family(true, false, 1e-12, tries(3000));
}

/* min -2p + p^2/2 + w max(0, p - 1): ends at 2 for w = 0, 1.5 for w = 0.5, and on the kink for w >= 1. */
static void one_hinge_by_hand(void **state) {
    (void)state;
    const struct srl_allocator allocator = srl_allocator_of(NULL, NULL, NULL);
    struct srl_arena arena = {0};
    struct srl_hinge_qp qp;
    const double factor = 1.0, gradient = -2.0, weights[] = {0.0, 0.5, 1.0, 3.0}, expected[] = {2.0, 1.5, 1.0, 1.0};
    srl_hinge_qp_carve(&arena, &qp, 1, 1);
    assert_true(srl_arena_reserve(&arena, &allocator));
    srl_hinge_qp_carve(&arena, &qp, 1, 1);
    for (int i = 0; i < 4; i++) {
        qp.count = 1;
        qp.rows[0] = 1.0;
        qp.offsets[0] = -1.0;
        qp.weights[0] = weights[i];
        qp.start[0] = 0;
        srl_hinge_qp_solve(&qp, &factor, &gradient);
        assert_true(qp.solved);
        assert_true(fabs(qp.step[0] - expected[i]) < 1e-15);
        assert_int_equal(qp.pinned_count, i >= 2);
        assert_true(fabs(qp.model - (-2.0 * expected[i] + 0.5 * expected[i] * expected[i] + weights[i] * (expected[i] - 1.0))) <
                    1e-15);
    }
    srl_arena_release(&arena, &allocator);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_hinge_by_hand),
        cmocka_unit_test(generic_problems),
        cmocka_unit_test(wrong_guesses),
        cmocka_unit_test(degenerate_problems),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
