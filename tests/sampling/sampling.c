/*
 * How often the sampled Hessian is what it promises to be: (1 - epsilon) H <= H~ <= (1 + epsilon) H.
 *
 *     sampling [--draws N] [--rows M]
 *
 * draws, for each kind of data, loss and epsilon, N samples of as many rows as the library chooses, and says in how many of
 * them it holds, of how many rows they are and how far off the worst is; and beside it the same for as many rows drawn with
 * equal probabilities. Exit status 0: the library keeps its promise in 99 of 100 draws everywhere, and equal probabilities
 * fail to on the coherent and the hidden data. M: rows of the synthetic data.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/sampling_case.h"
#include "support/spectrum.h"

static const double EPSILONS[] = {0.5, 0.2, 0.1};
enum { EPSILON_COUNT = 3 };

static struct { long draws, rows; } options = {1000, 20000};

struct tally {
    double rows, worst; /* mean and largest error */
    long kept;          /* draws within epsilon */
};

static void count(struct tally *tally, double rows, double error, double epsilon) {
    tally->rows += rows / (double)options.draws;
    tally->worst = fmax(tally->worst, isnan(error) ? INFINITY : error);
    tally->kept += error <= epsilon;
}

static struct tally library_draws(softrelu_evaluator *evaluator, const double *hessian, int64_t d, double epsilon) {
    struct tally tally = {0};
    double *sampled = test_doubles(d * d);
    for (long draw = 0; draw < options.draws; draw++) {
        int64_t rows = 0;
        const softrelu_status status =
            softrelu_evaluator_sampled_hessian(evaluator, epsilon, 0, 1, (uint64_t)draw, sampled, d, &rows);
        if (status != SOFTRELU_OK)
            fail_msg("%s", softrelu_evaluator_message(evaluator));
        count(&tally, (double)rows, relative_error(d, sampled, hessian), epsilon);
    }
    free(sampled);
    return tally;
}

/* Each row with the same probability, as many as expected. */
static struct tally equal_draws(const struct hessian_rows *exact, const double *hessian, double expected, double epsilon) {
    struct tally tally = {0};
    struct test_random random = {77};
    const double probability = fmin(1.0, expected / (double)exact->m);
    double *sampled = test_doubles(exact->d * exact->d), *weights = test_doubles(exact->m);
    for (long draw = 0; draw < options.draws; draw++) {
        double rows = 0.0;
        for (int64_t j = 0; j < exact->m; j++) {
            weights[j] = random_uniform(&random, 0.0, 1.0) < probability ? 1.0 / probability : 0.0;
            rows += weights[j] > 0.0 ? 1.0 : 0.0;
        }
        hessian_of_rows(exact, weights, sampled);
        count(&tally, rows, relative_error(exact->d, sampled, hessian), epsilon);
    }
    free(sampled);
    free(weights);
    return tally;
}

/* Largest eigenvalue of H^-1 |H|, where |H| has |r| in the place of r: 1 when no r is negative. */
static double cancellation(struct hessian_rows *exact, const double *hessian) {
    double *absolute = test_doubles(exact->d * exact->d), *r = exact->r;
    exact->r = test_doubles(exact->m);
    for (int64_t j = 0; j < exact->m; j++)
        exact->r[j] = fabs(r[j]);
    hessian_of_rows(exact, NULL, absolute);
    free(exact->r);
    exact->r = r;
    const double largest = relative_spectrum(exact->d, absolute, hessian).largest;
    free(absolute);
    return largest;
}

static bool run_case(enum sampling_kind kind, softrelu_loss loss) {
    struct sampling_case sampling = sampling_case(kind, loss, options.rows);
    const int64_t d = sampling.instance.d;
    struct hessian_rows exact = hessian_rows(&sampling.instance, sampling.x);
    double *hessian = test_doubles(d * d);
    struct built built = build(&sampling.instance, PLAIN_PLACEMENT);
    softrelu_evaluator *evaluator = evaluator_at(built.problem, sampling.x, d);
    assert_int_equal(softrelu_evaluator_hessian(evaluator, hessian, d), SOFTRELU_OK);
    const double kappa = cancellation(&exact, hessian);
    const bool uneven = kind == SAMPLING_COHERENT || kind == SAMPLING_HIDDEN;
    bool good = true;
    for (int e = 0; e < EPSILON_COUNT; e++) {
        const struct tally ours = library_draws(evaluator, hessian, d, EPSILONS[e]);
        const struct tally equal = equal_draws(&exact, hessian, ours.rows, EPSILONS[e]);
        printf("| %s, %s | %lld, %lld | %.3g | %.1f | %.0f | %.4f | %.2g | %.4f | %.2g |\n", sampling.name,
               loss == SOFTRELU_KL ? "kl" : "squares", (long long)exact.m, (long long)d, kappa, EPSILONS[e], ours.rows,
               (double)ours.kept / (double)options.draws, ours.worst, (double)equal.kept / (double)options.draws, equal.worst);
        (void)fflush(stdout);
        good = good && 100 * (options.draws - ours.kept) <= options.draws;
        /* a sample of nearly all rows is good whatever the chances */
        const bool fails_with_equal = uneven && 2.0 * ours.rows < 0.7 * (double)exact.m;
        good = good && (!fails_with_equal || 2 * equal.kept <= options.draws);
    }
    softrelu_evaluator_destroy(evaluator);
    built_free(&built);
    free(hessian);
    hessian_rows_free(&exact);
    sampling_case_free(&sampling);
    return good;
}

static bool parse(int words_count, char **words) {
    for (int i = 1; i < words_count; i += 2) {
        if (i + 1 == words_count)
            return false;
        if (strcmp(words[i], "--draws") == 0)
            options.draws = atol(words[i + 1]);
        else if (strcmp(words[i], "--rows") == 0)
            options.rows = atol(words[i + 1]);
        else
            return false;
    }
    return options.draws >= 1 && options.rows >= 100;
}

int main(int words_count, char **words) {
    if (!parse(words_count, words)) {
        fprintf(stderr, "usage: sampling [--draws N] [--rows M]\n");
        return 2;
    }
    options.draws = (long)test_count(options.draws, 2);
    options.rows = (long)test_count(options.rows, 1000);
    bool good = true;
    printf("%ld draws each\n\n"
           "| data, loss | m, d | kappa | epsilon | rows drawn | within epsilon | worst error | equal probabilities: within | "
           "worst |\n"
           "|---|---|---|---|---|---|---|---|---|\n",
           options.draws);
    for (int kind = 0; kind < SAMPLING_KINDS; kind++)
        for (int loss = 0; loss < 2; loss++)
            good = run_case((enum sampling_kind)kind, loss == 0 ? SOFTRELU_KL : SOFTRELU_SQUARES) && good;
    return good ? 0 : 1;
}
