/*
 * The sampled Hessian: reproducible, unbiased, of as many rows as asked for, and what it does with problems that are hardly
 * any. How close it is to the Hessian is counted by the program tests/sampling.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/refusal.h"
#include "support/sampling_case.h"
#include "support/spectrum.h"

struct trial {
    struct sampling_case sampling;
    int64_t d, m;
    struct built built;
    softrelu_evaluator *evaluator;
    double *hessian, *sampled;
};

static struct trial trial_of(struct sampling_case sampling) {
    struct trial trial = {.sampling = sampling, .d = sampling.instance.d, .m = sampling.instance.m};
    trial.built = build(&trial.sampling.instance, PLAIN_PLACEMENT);
    trial.evaluator = evaluator_at(trial.built.problem, trial.sampling.x, trial.d);
    trial.hessian = test_doubles(trial.d * trial.d);
    trial.sampled = test_doubles(trial.d * trial.d);
    assert_int_equal(softrelu_evaluator_hessian(trial.evaluator, trial.hessian, trial.d), SOFTRELU_OK);
    return trial;
}

static void trial_free(struct trial *trial) {
    softrelu_evaluator_destroy(trial->evaluator);
    built_free(&trial->built);
    free(trial->hessian);
    free(trial->sampled);
    sampling_case_free(&trial->sampling);
}

/* Draws into trial->sampled; the number of rows. */
static int64_t draw(struct trial *trial, double epsilon, int64_t rows, uint64_t seed, uint64_t number) {
    int64_t sampled = -1;
    if (softrelu_evaluator_sampled_hessian(trial->evaluator, epsilon, rows, seed, number, trial->sampled, trial->d, &sampled) !=
        SOFTRELU_OK)
        fail_msg("%s", softrelu_evaluator_message(trial->evaluator));
    return sampled;
}

static double error_of(const struct trial *trial) { return relative_error(trial->d, trial->sampled, trial->hessian); }

/* ---- reproducible ------------------------------------------------------------------------------------------------ */

static void same_seed_same_sample(void **state) {
    (void)state;
    struct trial trial = trial_of(sampling_case(SAMPLING_GAUSSIAN, SOFTRELU_KL, 3000));
    const int64_t d = trial.d;
    softrelu_evaluator *other = evaluator_at(trial.built.problem, trial.sampling.x, d);
    double *first = test_doubles(d * d), *again = test_doubles(d * d);
    const int64_t rows = draw(&trial, 0.5, 200, 5, 9);
    memcpy(first, trial.sampled, (size_t)(d * d) * sizeof *first);
    (void)draw(&trial, 0.5, 200, 5, 10);
    assert_memory_not_equal(first, trial.sampled, (size_t)(d * d) * sizeof *first);
    (void)draw(&trial, 0.5, 200, 6, 9);
    assert_memory_not_equal(first, trial.sampled, (size_t)(d * d) * sizeof *first);
    assert_int_equal(draw(&trial, 0.5, 200, 5, 9), rows);
    assert_same_doubles(d * d, trial.sampled, first);
    int64_t rows_again = -1;
    assert_int_equal(softrelu_evaluator_sampled_hessian(other, 0.5, 200, 5, 9, again, d, &rows_again), SOFTRELU_OK);
    assert_int_equal(rows_again, rows);
    assert_same_doubles(d * d, again, first);
    softrelu_evaluator_destroy(other);
    free(first);
    free(again);
    trial_free(&trial);
}

/* Random numbers belong to rows, not to threads: other sums of the BLAS move scores by round-off, and the same rows are drawn. */
static void any_number_of_threads(void **state) {
    (void)state;
    if (softrelu_blas_set_threads(1) != SOFTRELU_OK) {
        print_message("  this BLAS cannot be told how many threads to use\n");
        return;
    }
    struct trial trial = trial_of(sampling_case(SAMPLING_GAUSSIAN, SOFTRELU_SQUARES, 6000));
    const int64_t d = trial.d;
    double *one = test_doubles(d * d);
    for (uint64_t number = 0; number < 5; number++) {
        const int64_t rows = draw(&trial, 0.9, 0, 3, number);
        memcpy(one, trial.sampled, (size_t)(d * d) * sizeof *one);
        assert_true(rows < 3000);
        for (int threads = 2; threads <= 4; threads++) {
            assert_int_equal(softrelu_blas_set_threads(threads), SOFTRELU_OK);
            assert_int_equal(draw(&trial, 0.9, 0, 3, number), rows);
            assert_true(worst_error(d * d, trial.sampled, one) <= 1e-12);
        }
        assert_int_equal(softrelu_blas_set_threads(1), SOFTRELU_OK);
    }
    free(one);
    trial_free(&trial);
}

static void symmetric_in_a_padded_array(void **state) {
    (void)state;
    struct trial trial = trial_of(sampling_case(SAMPLING_DIGITS, SOFTRELU_SQUARES, 0));
    const int64_t d = trial.d, ld = d + 3;
    double *padded = test_doubles(d * ld);
    for (int64_t i = 0; i < d * ld; i++)
        padded[i] = -7.0;
    (void)draw(&trial, 0.5, 60, 1, 2);
    assert_int_equal(softrelu_evaluator_sampled_hessian(trial.evaluator, 0.5, 60, 1, 2, padded, ld, NULL), SOFTRELU_OK);
    for (int64_t k = 0; k < d; k++) {
        for (int64_t l = 0; l < d; l++) {
            assert_same_doubles(1, &padded[k * ld + l], &trial.sampled[k * d + l]);
            assert_same_doubles(1, &trial.sampled[k * d + l], &trial.sampled[l * d + k]);
        }
        for (int64_t l = d; l < ld; l++)
            assert_true(padded[k * ld + l] == -7.0);
    }
    free(padded);
    trial_free(&trial);
}

/* Nothing that is exact moves: loss, gradient and Hessian are the same bits before and after. */
static void leaves_the_point_alone(void **state) {
    (void)state;
    struct trial trial = trial_of(sampling_case(SAMPLING_VOCABULARY, SOFTRELU_KL, 0));
    const int64_t d = trial.d;
    double *before = test_doubles(d + 1), *after = test_doubles(d + 1), *hessian = test_doubles(d * d);
    for (int round = 0; round < 2; round++) {
        double *into = round == 0 ? before : after;
        assert_int_equal(softrelu_evaluator_loss(trial.evaluator, &into[d], NULL, NULL, NULL), SOFTRELU_OK);
        assert_int_equal(softrelu_evaluator_gradient(trial.evaluator, into, d), SOFTRELU_OK);
        (void)draw(&trial, 0.5, 100, 1, 1);
    }
    assert_int_equal(softrelu_evaluator_hessian(trial.evaluator, hessian, d), SOFTRELU_OK);
    assert_same_doubles(d + 1, after, before);
    assert_same_doubles(d * d, hessian, trial.hessian);
    free(before);
    free(after);
    free(hessian);
    trial_free(&trial);
}

/* ---- unbiased ---------------------------------------------------------------------------------------------------- */

/*
 * The mean of N independent draws misses H by about 1/sqrt(N) of what one draw does. In each entry of the matrix the mean's
 * error over the standard deviation of the mean, both measured, is below 4.5 except with a probability of 1e-5, and below 3
 * on the average over entries by far.
 */
static void check_unbiased(enum sampling_kind kind, softrelu_loss loss) {
    struct trial trial = trial_of(sampling_case(kind, loss, test_count(4000, 1000)));
    const int64_t d = trial.d, draws = test_count(800, 60);
    double *mean = test_doubles(d * d), *square = test_doubles(d * d), largest = 0.0, worst = 0.0;
    for (int64_t k = 0; k < d * d; k++)
        largest = fmax(largest, fabs(trial.hessian[k]));
    for (int64_t number = 0; number < draws; number++) {
        (void)draw(&trial, 0.5, 20 * d, 3, (uint64_t)number);
        for (int64_t k = 0; k < d * d; k++) {
            const double away = trial.sampled[k] - trial.hessian[k];
            mean[k] += away / (double)draws;
            square[k] += away * away / (double)draws;
        }
    }
    for (int64_t k = 0; k < d * d; k++) {
        const double deviation = sqrt(fmax(square[k] - mean[k] * mean[k], 0.0) / (double)draws);
        assert_true(deviation > 0.0);
        worst = fmax(worst, fabs(mean[k]) / fmax(deviation, 1e-14 * largest));
    }
    print_message("  %s: mean of %lld draws of %lld rows, worst entry %.2f standard deviations from the Hessian\n",
                  trial.sampling.name, (long long)draws, (long long)(20 * d), worst);
    assert_true(worst <= 4.5);
    free(mean);
    free(square);
    trial_free(&trial);
}

static void mean_of_many_is_the_hessian(void **state) {
    (void)state;
    check_unbiased(SAMPLING_GAUSSIAN, SOFTRELU_KL);
    check_unbiased(SAMPLING_GAUSSIAN, SOFTRELU_SQUARES);
    check_unbiased(SAMPLING_HIDDEN, SOFTRELU_KL);
    check_unbiased(SAMPLING_DIGITS, SOFTRELU_SQUARES);
    check_unbiased(SAMPLING_VOCABULARY, SOFTRELU_KL);
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

/* Each row takes part or not, independently: the number of rows has a variance below its mean. */
static void expected_number_of_rows(void **state) {
    (void)state;
    const int64_t wanted[] = {25, 100, 400}, draws = test_count(100, 10);
    for (int kind = SAMPLING_GAUSSIAN; kind < SAMPLING_KINDS; kind++) {
        if (kind == SAMPLING_COHERENT)
            continue; /* a dozen rows have all the scores there are */
        struct trial trial = trial_of(sampling_case((enum sampling_kind)kind, SOFTRELU_KL, 2000));
        for (int k = 0; k < 3; k++) {
            double sum = 0.0;
            for (int64_t number = 0; number < draws; number++)
                sum += (double)draw(&trial, 0.5, wanted[k], 4, (uint64_t)number);
            const double expected = fmin((double)wanted[k], (double)trial.m), mean = sum / (double)draws;
            if (!(fabs(mean - expected) <= 5.0 * sqrt(expected / (double)draws) + 0.5))
                fail_msg("%s: %g rows on the average, asked for %g", trial.sampling.name, mean, expected);
        }
        trial_free(&trial);
    }
}

static void all_rows_make_the_hessian(void **state) {
    (void)state;
    for (int kind = 0; kind < SAMPLING_KINDS; kind++) {
        struct trial trial = trial_of(sampling_case((enum sampling_kind)kind, SOFTRELU_SQUARES, 600));
        assert_int_equal(draw(&trial, 0.5, trial.m, 1, 1), trial.m);
        assert_true(error_of(&trial) <= 1e-10);
        trial_free(&trial);
    }
}

static void smaller_epsilon_takes_more_rows(void **state) {
    (void)state;
    struct trial trial = trial_of(sampling_case(SAMPLING_GAUSSIAN, SOFTRELU_KL, test_count(20000, 2000)));
    int64_t before = 0;
    for (double epsilon = 0.9; epsilon > 0.15; epsilon -= 0.2) {
        const int64_t rows = draw(&trial, epsilon, 0, 1, 1);
        assert_true(rows > before && rows <= trial.m);
        before = rows;
    }
    trial_free(&trial);
}

/* A few rows that carry everything are taken in every draw; a handful of rows beyond them is enough. */
static void rows_that_carry_a_direction_are_taken(void **state) {
    (void)state;
    struct trial trial = trial_of(sampling_case(SAMPLING_HIDDEN, SOFTRELU_KL, 3000));
    for (int64_t number = 0; number < test_count(200, 10); number++) {
        (void)draw(&trial, 0.5, 30 * trial.d, 8, (uint64_t)number);
        const int64_t last = trial.d * trial.d - 1; /* the curvature along the hidden direction */
        assert_true(fabs(trial.sampled[last] - trial.hessian[last]) <= 0.5 * trial.hessian[last]);
    }
    trial_free(&trial);
}

/* ---- problems that are hardly any -------------------------------------------------------------------------------- */

static struct sampling_case small_case(struct instance instance, uint64_t seed) {
    struct test_random random = {seed};
    struct sampling_case sampling = {.name = "small", .instance = instance};
    sampling.instance.rho = 0.5;
    sampling.x = test_doubles(instance.d);
    random_fill(&random, 1.0, instance.d, sampling.x);
    return sampling;
}

static void assert_exact(struct trial *trial, double epsilon, int64_t rows) {
    (void)draw(trial, epsilon, rows, 1, 1);
    for (int64_t k = 0; k < trial->d * trial->d; k++)
        assert_true(fabs(trial->sampled[k] - trial->hessian[k]) <= 1e-13);
}

static void one_output(void **state) {
    (void)state;
    struct test_random random = {11};
    const struct instance_scales scales = {.A1 = 1, .A2 = 1, .b = 1, .w = 0.3};
    for (int loss = 0; loss < 2; loss++) {
        struct instance instance = random_instance(&random, 6, 4, 1, scales, loss == 0 ? SOFTRELU_SQUARES : SOFTRELU_KL);
        struct trial trial = trial_of(small_case(instance, 12));
        assert_exact(&trial, 0.5, 0); /* C = 0 */
        assert_exact(&trial, 0.5, 1);
        trial_free(&trial);
    }
}

static void all_units_off(void **state) {
    (void)state;
    struct test_random random = {13};
    const struct instance_scales scales = {.A1 = 1, .A2 = 1, .b = 1, .w = 0.3};
    struct instance instance = random_instance(&random, 6, 4, 40, scales, SOFTRELU_KL);
    instance.c1 = test_doubles(6);
    for (int i = 0; i < 6; i++)
        instance.c1[i] = -100.0;
    struct trial trial = trial_of(small_case(instance, 14));
    assert_exact(&trial, 0.5, 0);
    assert_exact(&trial, 0.5, 7);
    trial_free(&trial);
}

static void one_unknown(void **state) {
    (void)state;
    struct test_random random = {15};
    struct instance instance =
        random_instance(&random, 5, 1, 300, (struct instance_scales){.A1 = 1, .A2 = 1, .b = 1}, SOFTRELU_KL);
    struct trial trial = trial_of(small_case(instance, 16));
    for (uint64_t number = 0; number < 20; number++) {
        (void)draw(&trial, 0.5, 0, 1, number);
        assert_true(error_of(&trial) <= 0.5);
    }
    trial_free(&trial);
}

static void absent_output_layer(void **state) {
    (void)state;
    struct test_random random = {17};
    struct instance absent =
        random_instance(&random, 900, 4, 900, (struct instance_scales){.A1 = 3, .b = 1, .c1 = 0.5}, SOFTRELU_KL);
    struct trial trial = trial_of(small_case(absent, 18));
    for (uint64_t number = 0; number < (uint64_t)test_count(100, 5); number++) {
        const int64_t rows = draw(&trial, 0.5, 0, 1, number);
        assert_true(rows > 0 && rows < 900);
        assert_true(error_of(&trial) <= 0.5);
    }
    trial_free(&trial);
}

/* ---- errors ------------------------------------------------------------------------------------------------------ */

static void bad_arguments(void **state) {
    (void)state;
    struct trial trial = trial_of(sampling_case(SAMPLING_DIGITS, SOFTRELU_KL, 0));
    const int64_t d = trial.d, m = trial.m;
    softrelu_evaluator *evaluator = trial.evaluator, *fresh = NULL;
    double *hessian = trial.sampled;
    int64_t rows = -5;
    const double bad_epsilons[] = {0.0, -0.5, 1.0, 2.0, NAN, INFINITY};
    for (int k = 0; k < 6; k++) {
        REFUSE(softrelu_evaluator_sampled_hessian(evaluator, bad_epsilons[k], 0, 1, 1, hessian, d, &rows),
               SOFTRELU_ERROR_VALUE);
        assert_int_equal(softrelu_evaluator_sampled_hessian(evaluator, bad_epsilons[k], 50, 1, 1, hessian, d, NULL),
                         SOFTRELU_OK);
    }
    const int64_t bad_rows[] = {-1, INT64_MIN, m + 1, INT64_MAX};
    for (int k = 0; k < 4; k++)
        REFUSE(softrelu_evaluator_sampled_hessian(evaluator, 0.5, bad_rows[k], 1, 1, hessian, d, &rows), SOFTRELU_ERROR_VALUE);
    REFUSE(softrelu_evaluator_sampled_hessian(evaluator, 0.5, 0, 1, 1, hessian, d - 1, &rows), SOFTRELU_ERROR_SIZE);
    REFUSE(softrelu_evaluator_sampled_hessian(evaluator, 0.5, 0, 1, 1, NULL, d, &rows), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_evaluator_sampled_hessian(NULL, 0.5, 0, 1, 1, hessian, d, &rows), SOFTRELU_ERROR_NULL);
    assert_int_equal(softrelu_evaluator_create(trial.built.problem, &fresh), SOFTRELU_OK);
    REFUSE(softrelu_evaluator_sampled_hessian(fresh, 0.5, 0, 1, 1, hessian, d, &rows), SOFTRELU_ERROR_STATE);
    assert_int_equal(rows, -5);
    softrelu_evaluator_destroy(fresh);
    trial_free(&trial);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_seed_same_sample),
        cmocka_unit_test(any_number_of_threads),
        cmocka_unit_test(symmetric_in_a_padded_array),
        cmocka_unit_test(leaves_the_point_alone),
        cmocka_unit_test(mean_of_many_is_the_hessian),
        cmocka_unit_test(expected_number_of_rows),
        cmocka_unit_test(all_rows_make_the_hessian),
        cmocka_unit_test(smaller_epsilon_takes_more_rows),
        cmocka_unit_test(rows_that_carry_a_direction_are_taken),
        cmocka_unit_test(one_output),
        cmocka_unit_test(all_units_off),
        cmocka_unit_test(one_unknown),
        cmocka_unit_test(absent_output_layer),
        cmocka_unit_test(bad_arguments),
    };
    return cmocka_run_group_tests_name("sampling", tests, NULL, NULL);
}
