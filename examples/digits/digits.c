/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which image, as near as possible to this handwritten digit, does the network read as half a 3 and half an 8?
 *
 *     minimise over 0 <= x <= 16   -sum_j b_j log f_j(x)  +  rho/2 |x - start|^2
 *
 * f is what the network reads in x, b the distribution asked for. A large rho keeps x near the start, a small one lets f come
 * near b: the default moves a pixel by a few of its 16 levels and misses b by a few hundredths.
 */
#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <softrelu/softrelu.h>

#include "npy.h"
#include "picture.h"

enum { HIDDEN = 96 };
static const double BRIGHTEST = 16.0; /* pixel */

struct options {
    const char *data;
    long index; /* of the start image */
    double target[DIGITS];
    double rho;
    double within;   /* fail unless every |f_j - b_j| is below this; 0: do not ask */
    long pairs;      /* only solve so many pairs of image and target, and say what became of them; 0: do not */
    double accuracy; /* only measure the accuracy, and fail below this; 0: do not ask */
    bool ascii;
};

enum { A1, C1, A2, C2, IMAGES, LABELS, ARRAYS };

static int complain(const char *what, const char *why) {
    fprintf(stderr, "digits: %s: %s\n", what, why);
    return 2;
}

/* ---- the network and the images ---------------------------------------------------------------------------------- */

static int load(const char *folder, struct npy_array arrays[ARRAYS]) {
    static const char *const names[ARRAYS] = {"A1", "c1", "A2", "c2", "images", "labels"};
    static const int64_t counts[ARRAYS] = {HIDDEN * PIXELS, HIDDEN, DIGITS * HIDDEN, DIGITS, 0, 0};
    for (int i = 0; i < ARRAYS; i++) {
        char path[4096];
        static struct failure failure; /* large */
        snprintf(path, sizeof path, "%s/%s.npy", folder, names[i]);
        if (npy_read(path, &arrays[i], &failure) != OUTCOME_OK)
            return complain("reading the data", failure.text);
        if ((counts[i] > 0 && arrays[i].header.count != counts[i]) || arrays[i].header.fortran_order)
            return complain(path, "not the array this example was made with");
    }
    if (arrays[IMAGES].header.count != PIXELS * arrays[LABELS].header.count)
        return complain(folder, "images and labels do not belong together");
    return 0;
}

/* The problem of reaching target from the start image; NULL after telling what went wrong. */
static softrelu_problem *pose(const struct npy_array arrays[ARRAYS], const double *start, const double *target, double rho) {
    softrelu_problem *problem = NULL;
    if (softrelu_problem_create(HIDDEN, PIXELS, DIGITS, NULL, NULL, NULL, &problem) != SOFTRELU_OK) {
        complain("the problem", "out of memory");
        return NULL;
    }
    /* borrowed: the arrays outlive the problem */
    if (softrelu_problem_set_matrix(problem, SOFTRELU_A1, arrays[A1].values, SOFTRELU_ROW_MAJOR, PIXELS, SOFTRELU_BORROW) ||
        softrelu_problem_set_vector(problem, SOFTRELU_C1, arrays[C1].values, HIDDEN, SOFTRELU_BORROW) ||
        softrelu_problem_set_matrix(problem, SOFTRELU_A2, arrays[A2].values, SOFTRELU_ROW_MAJOR, HIDDEN, SOFTRELU_BORROW) ||
        softrelu_problem_set_vector(problem, SOFTRELU_C2, arrays[C2].values, DIGITS, SOFTRELU_BORROW) ||
        softrelu_problem_set_vector(problem, SOFTRELU_B, target, DIGITS, SOFTRELU_BORROW) ||
        softrelu_problem_set_vector(problem, SOFTRELU_X_REF, start, PIXELS, SOFTRELU_BORROW) ||
        softrelu_problem_set_number(problem, SOFTRELU_LOWER, 0.0) ||
        softrelu_problem_set_number(problem, SOFTRELU_UPPER, BRIGHTEST) ||
        softrelu_problem_set_number(problem, SOFTRELU_RHO, rho) || softrelu_problem_set_loss(problem, SOFTRELU_KL) ||
        softrelu_problem_finish(problem)) {
        complain("the problem", softrelu_problem_message(problem));
        softrelu_problem_destroy(problem);
        return NULL;
    }
    return problem;
}

static bool read_image(softrelu_evaluator *evaluator, const double *image, double *distribution) {
    if (softrelu_evaluator_move(evaluator, image, PIXELS) || softrelu_evaluator_prediction(evaluator, distribution, DIGITS)) {
        complain("reading an image", softrelu_evaluator_message(evaluator));
        return false;
    }
    return true;
}

/* ---- the two jobs ------------------------------------------------------------------------------------------------ */

static int measure_accuracy(const struct npy_array arrays[ARRAYS], softrelu_evaluator *evaluator, double least) {
    const int64_t count = arrays[LABELS].header.count;
    int64_t right = 0;
    for (int64_t i = 0; i < count; i++) {
        double f[DIGITS];
        int best = 0;
        if (!read_image(evaluator, arrays[IMAGES].values + i * PIXELS, f))
            return 2;
        for (int digit = 1; digit < DIGITS; digit++)
            best = f[digit] > f[best] ? digit : best;
        right += best == (int)arrays[LABELS].values[i];
    }
    printf("%lld of %lld held-out images are read rightly: %.2f %%\n", (long long)right, (long long)count,
           100.0 * (double)right / (double)count);
    return (double)right >= least * (double)count ? 0 : 1;
}

static double number(const softrelu_report *report, softrelu_quantity quantity) {
    double value = NAN;
    softrelu_report_number(report, quantity, &value);
    return value;
}

static int find_image(const struct options *options, const double *start, softrelu_evaluator *evaluator,
                      softrelu_solver *solver) {
    double found[PIXELS], f_start[DIGITS], f_found[DIGITS], moved = 0.0, missed = 0.0;
    if (softrelu_solver_solve(solver) || softrelu_solver_solution(solver, found, PIXELS))
        return complain("solving", softrelu_solver_message(solver));
    if (!read_image(evaluator, start, f_start) || !read_image(evaluator, found, f_found))
        return 2;
    for (int k = 0; k < PIXELS; k++)
        moved += (found[k] - start[k]) * (found[k] - start[k]);
    for (int digit = 0; digit < DIGITS; digit++)
        missed = fmax(missed, fabs(f_found[digit] - options->target[digit]));

    print_pictures(start, found, options->ascii);
    print_distributions(f_start, options->target, f_found, options->ascii);
    const softrelu_report *report = softrelu_solver_report(solver);
    const softrelu_termination ended = softrelu_report_termination(report);
    printf("\n  |x - start| = %.2f of %.2f    largest miss of the target %.3f    rho %g\n", sqrt(moved),
           sqrt((double)PIXELS) * BRIGHTEST, missed, options->rho);
    printf("  %s: %s\n", softrelu_termination_name(ended), softrelu_termination_text(ended));
    const softrelu_certificate *certificate = softrelu_solver_certificate(solver);
    const softrelu_reason reason = softrelu_certificate_reason(certificate);
    printf("  %s%s%s\n", softrelu_verdict_name(softrelu_certificate_verdict(certificate)),
           reason != SOFTRELU_REASON_NONE ? ": " : "", reason != SOFTRELU_REASON_NONE ? softrelu_reason_text(reason) : "");
    printf("  %d units at their kink, %d pixels at a bound\n", (int)number(report, SOFTRELU_REPORT_PINNED_KINKS),
           (int)number(report, SOFTRELU_REPORT_ACTIVE_BOUNDS));
    printf("  loss %.6f, residual %.1e, %d iterations, %.1f ms\n", number(report, SOFTRELU_REPORT_LOSS),
           number(report, SOFTRELU_REPORT_RESIDUAL), (int)number(report, SOFTRELU_REPORT_ITERATIONS),
           1e3 * number(report, SOFTRELU_REPORT_SECONDS));
    return options->within > 0.0 && missed > options->within ? 1 : 0;
}

/* The k-th pair: an image, and a target between the digit it shows and another one. */
static const double *choose_pair(const struct npy_array arrays[ARRAYS], long k, double target[DIGITS]) {
    static const double shares[] = {0.1, 0.5, 0.9, 1.0}; /* of the other digit */
    const int64_t image = (7 * (int64_t)k) % arrays[LABELS].header.count;
    const int label = (int)arrays[LABELS].values[image], other = (label + 1 + (int)(k % (DIGITS - 1))) % DIGITS;
    memset(target, 0, DIGITS * sizeof *target);
    target[other] = shares[k % 4];
    target[label] = 1.0 - shares[k % 4];
    return arrays[IMAGES].values + image * PIXELS;
}

struct tally {
    long converged, certified, kinks, bounds;
    double seconds;
};

/* Solves one pair. False, after telling what went wrong, when the result is neither certified nor explained. */
static bool count_pair(const struct options *options, const struct npy_array arrays[ARRAYS], long k, struct tally *tally) {
    double target[DIGITS];
    const double *start = choose_pair(arrays, k, target);
    softrelu_problem *problem = pose(arrays, start, target, options->rho);
    softrelu_solver *solver = NULL;
    if (problem == NULL || softrelu_solver_create(problem, &solver) || softrelu_solver_solve(solver)) {
        complain("solving", solver != NULL ? softrelu_solver_message(solver) : "no solver");
        softrelu_problem_destroy(problem);
        return false;
    }
    const softrelu_report *report = softrelu_solver_report(solver);
    const softrelu_certificate *certificate = softrelu_solver_certificate(solver);
    const softrelu_verdict verdict = softrelu_certificate_verdict(certificate);
    const bool converged = softrelu_report_termination(report) == SOFTRELU_CONVERGED;
    tally->converged += converged;
    tally->certified += verdict == SOFTRELU_VERDICT_CERTIFIED;
    tally->kinks += (long)number(report, SOFTRELU_REPORT_PINNED_KINKS);
    tally->bounds += (long)number(report, SOFTRELU_REPORT_ACTIVE_BOUNDS);
    tally->seconds += number(report, SOFTRELU_REPORT_SECONDS);
    if (verdict != SOFTRELU_VERDICT_CERTIFIED)
        printf("  pair %ld: %s, %s: %s\n", k, softrelu_termination_name(softrelu_report_termination(report)),
               softrelu_verdict_name(verdict), softrelu_reason_text(softrelu_certificate_reason(certificate)));
    softrelu_solver_destroy(solver);
    softrelu_problem_destroy(problem);
    return converged && (verdict == SOFTRELU_VERDICT_CERTIFIED || verdict == SOFTRELU_VERDICT_STATIONARY);
}

static int solve_pairs(const struct options *options, const struct npy_array arrays[ARRAYS]) {
    struct tally tally = {0};
    bool good = true;
    for (long k = 0; k < options->pairs; k++)
        good = count_pair(options, arrays, k, &tally) && good;
    printf("%ld pairs of image and target, pixels within [0, %g]: %ld converged, %ld certified local minimisers (%.1f %%);\n"
           "on average %.1f units at their kink, %.1f pixels at a bound, %.2f ms\n",
           options->pairs, BRIGHTEST, tally.converged, tally.certified,
           100.0 * (double)tally.certified / (double)options->pairs, (double)tally.kinks / (double)options->pairs,
           (double)tally.bounds / (double)options->pairs, 1e3 * tally.seconds / (double)options->pairs);
    return good ? 0 : 1;
}

static int run(const struct options *options, const struct npy_array arrays[ARRAYS]) {
    if (options->pairs > 0)
        return solve_pairs(options, arrays);
    if (options->index >= arrays[LABELS].header.count)
        return complain("--index", "there are not that many images");
    const double *start = arrays[IMAGES].values + options->index * PIXELS;
    softrelu_problem *problem = pose(arrays, start, options->target, options->rho);
    softrelu_evaluator *evaluator = NULL;
    softrelu_solver *solver = NULL;
    int status = 2;
    if (problem != NULL) {
        if (softrelu_evaluator_create(problem, &evaluator) || softrelu_solver_create(problem, &solver))
            complain("the solver", "out of memory");
        else if (options->accuracy > 0.0)
            status = measure_accuracy(arrays, evaluator, options->accuracy);
        else
            status = find_image(options, start, evaluator, solver);
    }
    softrelu_solver_destroy(solver);
    softrelu_evaluator_destroy(evaluator);
    softrelu_problem_destroy(problem);
    return status;
}

/* ---- options ----------------------------------------------------------------------------------------------------- */

/* "3:0.5,8:0.5" */
static bool parse_target(const char *text, double target[DIGITS]) {
    memset(target, 0, DIGITS * sizeof *target);
    double sum = 0.0;
    for (;;) {
        char *end = NULL;
        if (text[0] < '0' || text[0] > '9' || text[1] != ':')
            return false;
        double share = strtod(text + 2, &end);
        if (end == text + 2 || !(share >= 0.0 && share <= 1.0))
            return false;
        target[text[0] - '0'] = share;
        sum += share;
        if (*end == '\0')
            return fabs(sum - 1.0) < 1e-9;
        if (*end != ',')
            return false;
        text = end + 1;
    }
}

static bool parse_number(const char *text, double *value) {
    char *end = NULL;
    *value = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*value) && *value >= 0.0;
}

/* One option with its value. */
static bool take(struct options *options, const char *name, const char *value) {
    double index = 0.0;
    if (strcmp(name, "--data") == 0) {
        options->data = value;
        return true;
    }
    if (strcmp(name, "--target") == 0)
        return parse_target(value, options->target);
    if (strcmp(name, "--rho") == 0)
        return parse_number(value, &options->rho);
    if (strcmp(name, "--within") == 0)
        return parse_number(value, &options->within);
    if (strcmp(name, "--accuracy") == 0)
        return parse_number(value, &options->accuracy);
    if (strcmp(name, "--pairs") == 0) {
        if (!parse_number(value, &index) || index < 1.0 || index > 1e6)
            return false;
        options->pairs = (long)index;
        return true;
    }
    if (strcmp(name, "--index") != 0 || !parse_number(value, &index) || index >= 1e6)
        return false;
    options->index = (long)index;
    return true;
}

static bool parse(int count, char **arguments, struct options *options) {
    for (int i = 1; i < count; i++) {
        if (strcmp(arguments[i], "--ascii") == 0)
            options->ascii = true;
        else if (i + 1 == count || !take(options, arguments[i], arguments[i + 1]))
            return false;
        else
            i++;
    }
    return true;
}

int main(int count, char **arguments) {
    struct options options = {.data = DIGITS_DATA, .index = 4, .rho = 1e-3};
    struct npy_array arrays[ARRAYS] = {0};
    options.target[3] = options.target[8] = 0.5;
    setlocale(LC_CTYPE, "");
    options.ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
    if (!parse(count, arguments, &options)) {
        fputs("usage: digits [--index I] [--target 3:0.5,8:0.5] [--rho R] [--data FOLDER] [--ascii] [--within MISS] "
              "[--accuracy LEAST] [--pairs N]\n"
              "Shares of --target are at least 0 and add up to 1; numbers are at least 0.\n",
              stderr);
        return 2;
    }
    int status = load(options.data, arrays);
    if (status == 0)
        status = run(&options, arrays);
    for (int i = 0; i < ARRAYS; i++)
        npy_free(&arrays[i]);
    return status;
}
