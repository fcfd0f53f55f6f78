/*
 * The bound of the distance to a minimiser, against minimisers known to more than 30 digits (tests/data/solutions, made by its
 * script): at the minimiser rounded to double, at the solver's own answer, and at points all around, on and off the face, the
 * minimiser is never further away than the certificate says.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/npy_data.h"
#include "support/solving.h"

enum { PERTURBATIONS = 40, FURTHEST = -16 };

/* bounded: a good bound is asked for at the solver's answer; the others are ill-conditioned or nearly saturated. */
static const struct known {
    const char *name, *data; /* data: where the problem is, if not beside the solution */
    bool bounded;
} CASES[] = {{"kinks-small-5-kinks", "kinks/small-5-kinks", true},
             {"kinks-small-noisy", "kinks/small-noisy", true},
             {"kinks-small-strong-noise", "kinks/small-strong-noise", true},
             {"kinks-smooth-no-kinks", "kinks/smooth-no-kinks", true},
             {"kinks-wide-d", "kinks/wide-d", true},
             {"plain", NULL, true},
             {"kl", NULL, true},
             {"biases", NULL, true},
             {"kl-biases", NULL, true},
             {"no-output-layer", NULL, true},
             {"no-output-layer-on-kinks", NULL, true},
             {"kl-no-output-layer", NULL, true},
             {"box", NULL, true},
             {"kl-box", NULL, true},
             {"vertex-of-a-box", NULL, true},
             {"near-a-reference", NULL, true},
             {"wide", NULL, true},
             {"vertex", NULL, true},
             {"kl-vertex", NULL, true},
             {"smooth", NULL, true},
             {"small-units", NULL, true},
             {"large-units", NULL, true},
             {"heavy-target", NULL, true},
             {"ill-conditioned", NULL, false},
             {"ill-conditioned-squares", NULL, false},
             {"saturated", NULL, false},
             {"kl-saturated", NULL, false},
             {"steep", NULL, false},
             {"kl-steep", NULL, true},
             {"twins", NULL, true}};
enum { CASE_COUNT = sizeof CASES / sizeof *CASES };

struct solution {
    struct instance instance;
    double *hi, *lo; /* the minimiser is their sum */
    long double length;
};

static double *read_optional(const char *folder, const char *name, int64_t rows) {
    char path[1024];
    data_path(path, sizeof path, folder, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    (void)fclose(file);
    struct npy_data data = npy_read(folder, name);
    assert_int_equal(data.rows, rows);
    return data.values;
}

static softrelu_loss read_loss(const char *folder) {
    char path[1024], word[16] = "squares";
    data_path(path, sizeof path, folder, "loss.txt");
    FILE *file = fopen(path, "r"); /* tests/data/kinks has none */
    if (file != NULL) {
        assert_int_equal(fscanf(file, "%15s", word), 1);
        (void)fclose(file);
    }
    return strcmp(word, "kl") == 0 ? SOFTRELU_KL : SOFTRELU_SQUARES;
}

static struct solution read_solution(const struct known *known) {
    char own[128];
    assert_true(snprintf(own, sizeof own, "solutions/%s", known->name) < (int)sizeof own);
    const char *folder = known->data != NULL ? known->data : own;
    const struct npy_data A1 = npy_read(folder, "A1.npy"), b = npy_read(folder, "b.npy");
    const int64_t n = A1.rows, d = A1.columns, m = b.rows;
    struct solution solution = {.instance = {.n = n, .d = d, .m = m, .A1 = A1.values, .b = b.values}};
    struct instance *instance = &solution.instance;
    instance->A2 = read_optional(folder, "A2.npy", m);
    instance->c1 = read_optional(folder, "c1.npy", n);
    instance->c2 = read_optional(folder, "c2.npy", m);
    instance->w = read_optional(folder, "w.npy", n);
    instance->x_ref = read_optional(folder, "xref.npy", d);
    instance->lower = read_optional(folder, "lower.npy", d);
    instance->upper = read_optional(folder, "upper.npy", d);
    double *rho = read_optional(folder, "rho.npy", 1);
    instance->rho = rho != NULL ? rho[0] : 0.0;
    instance->loss = read_loss(folder);
    free(rho);
    solution.hi = read_optional(own, "x-hi.npy", d);
    solution.lo = read_optional(own, "x-lo.npy", d);
    assert_true(solution.hi != NULL && solution.lo != NULL);
    for (int64_t k = 0; k < d; k++)
        solution.length = hypotl(solution.length, (long double)solution.hi[k]);
    return solution;
}

static void solution_free(struct solution *solution) {
    instance_free(&solution->instance);
    free(solution->hi);
    free(solution->lo);
}

/* x is within a factor of two of x-hi or far from it: the first difference is exact, or lo does not matter. */
static long double distance_to(const struct solution *solution, const double *x) {
    long double sum = 0.0L;
    for (int64_t k = 0; k < solution->instance.d; k++) {
        const long double off = ((long double)x[k] - (long double)solution->hi[k]) - (long double)solution->lo[k];
        sum += off * off;
    }
    return sqrtl(sum);
}

struct tally {
    int64_t certified, bounded, reasons[5];
    double *ratios; /* of bound and distance */
};

static double number(const softrelu_certificate *certificate, softrelu_certificate_quantity quantity) {
    double value = NAN;
    assert_int_equal(softrelu_certificate_number(certificate, quantity, &value), SOFTRELU_OK);
    return value;
}

/* Where the certificate says something of another face than the minimiser's, the minimiser it speaks of is another one. */
static bool same_face(const softrelu_certificate *one, const softrelu_certificate *other, const struct instance *instance) {
    const int64_t n = instance->n, d = instance->d;
    signed char *kinks = calloc((size_t)(2 * n), 1), *bounds = calloc((size_t)(2 * d), 1);
    assert_true(kinks != NULL && bounds != NULL);
    assert_int_equal(softrelu_certificate_active(one, kinks, n, bounds, d), SOFTRELU_OK);
    assert_int_equal(softrelu_certificate_active(other, kinks + n, n, bounds + d, d), SOFTRELU_OK);
    const bool same = memcmp(kinks, kinks + n, (size_t)n) == 0 && memcmp(bounds, bounds + d, (size_t)d) == 0;
    free(kinks);
    free(bounds);
    return same;
}

/* The bound at x, NaN for none, with everything that must hold of it. */
static double check_point(const struct known *known, const struct solution *solution, softrelu_certificate *certificate,
                          const softrelu_certificate *solved, const double *x, double tolerance, struct tally *tally) {
    assert_int_equal(softrelu_certify(certificate, x, solution->instance.d, fmax(1e-9, tolerance), fmax(1e-12, tolerance)),
                     SOFTRELU_OK);
    const double bound = number(certificate, SOFTRELU_CERTIFICATE_DISTANCE_BOUND);
    const double radius = number(certificate, SOFTRELU_CERTIFICATE_CONVERGENCE_RADIUS);
    const softrelu_distance answer = softrelu_certificate_distance(certificate);
    const bool certified = softrelu_certificate_verdict(certificate) == SOFTRELU_VERDICT_CERTIFIED;
    const long double distance = distance_to(solution, x);
    assert_true(isnan(bound) == (answer != SOFTRELU_DISTANCE_PROVED) && isnan(radius) == isnan(bound));
    assert_true(certified == (answer != SOFTRELU_DISTANCE_NOT_CERTIFIED));
    tally->certified += certified;
    tally->reasons[answer / 10]++;
    if (isnan(bound) || !same_face(certificate, solved, &solution->instance))
        return NAN;
    if (!(distance <= (long double)bound))
        fail_msg("%s: the minimiser is %.3Lg away, %.3g is the bound", known->name, distance, bound);
    assert_true(radius >= 0.0);
    if (distance > 0.0L)
        tally->ratios[tally->bounded++] = (double)((long double)bound / distance);
    return bound;
}

/* x = the minimiser and a random move, into the bounds; on_face: without its part across the kinks, up to round-off. */
static void perturb(const struct solution *solution, const signed char *kinks, const signed char *bounds,
                    struct test_random *random, double size, bool on_face, double *x) {
    const struct instance *instance = &solution->instance;
    const int64_t d = instance->d;
    double length = 0.0;
    for (int64_t k = 0; k < d; k++)
        x[k] = bounds[k] != 0 ? 0.0 : random_normal(random);
    for (int round = 0; round < 200 && on_face; round++) /* alternating projections */
        for (int64_t i = 0; i < instance->n; i++) {
            const double *row = instance->A1 + i * d;
            double product = 0.0, square = 0.0;
            for (int64_t k = 0; k < d && kinks[i] != 0; k++) {
                product += bounds[k] != 0 ? 0.0 : row[k] * x[k];
                square += bounds[k] != 0 ? 0.0 : row[k] * row[k];
            }
            for (int64_t k = 0; k < d && square > 0.0; k++)
                x[k] -= bounds[k] != 0 ? 0.0 : product / square * row[k];
        }
    for (int64_t k = 0; k < d; k++)
        length = hypot(length, x[k]);
    for (int64_t k = 0; k < d; k++) {
        x[k] = solution->hi[k] + (length > 0.0 ? size * (double)solution->length / length * x[k] : 0.0);
        x[k] = fmin(fmax(x[k], instance->lower != NULL ? instance->lower[k] : -INFINITY),
                    instance->upper != NULL ? instance->upper[k] : INFINITY);
    }
}

static int ascending(const void *a, const void *b) {
    const double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static void print_tally(const char *name, double solved, long double distance, struct tally *tally) {
    qsort(tally->ratios, (size_t)tally->bounded, sizeof *tally->ratios, ascending);
    print_message("  %-26s solver's answer within %.1e, in truth %.1Le; %lld points certified, %lld bounded "
                  "(curvature %lld, cell %lld, multipliers %lld), bound/distance %.3g to %.3g, median %.3g\n",
                  name, solved, distance, (long long)tally->certified, (long long)tally->bounded,
                  (long long)tally->reasons[SOFTRELU_DISTANCE_CURVATURE / 10],
                  (long long)tally->reasons[SOFTRELU_DISTANCE_CELL / 10],
                  (long long)tally->reasons[SOFTRELU_DISTANCE_MULTIPLIERS / 10], tally->bounded > 0 ? tally->ratios[0] : NAN,
                  tally->bounded > 0 ? tally->ratios[tally->bounded - 1] : NAN,
                  tally->bounded > 0 ? tally->ratios[tally->bounded / 2] : NAN);
}

static void check_case(const struct known *known, struct test_random *random) {
    struct solution solution = read_solution(known);
    const int64_t n = solution.instance.n, d = solution.instance.d, perturbations = test_count(PERTURBATIONS, 2);
    struct solving solving = solving_of(&solution.instance);
    softrelu_certificate *certificate = NULL;
    double *x = test_doubles(d);
    signed char *kinks = calloc((size_t)n, 1), *bounds = calloc((size_t)d, 1);
    struct tally tally = {.ratios = test_doubles(2 + 16 * PERTURBATIONS)};
    assert_true(kinks != NULL && bounds != NULL);
    assert_int_equal(softrelu_certificate_create(solving.built.problem, &certificate), SOFTRELU_OK);
    for (int64_t k = 0; k < d; k++) /* near enough for this minimiser, and no other, to be found */
        x[k] = solution.hi[k] + 1e-4 * random_normal(random) * (double)solution.length / sqrt((double)d);
    assert_int_equal(softrelu_solver_set_start(solving.solver, x, d), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solve(solving.solver), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solution(solving.solver, x, d), SOFTRELU_OK);
    const softrelu_certificate *solved = softrelu_solver_certificate(solving.solver);
    assert_int_equal(softrelu_certificate_active(solved, kinks, n, bounds, d), SOFTRELU_OK);
    const double bound = check_point(known, &solution, certificate, solved, x, 0.0, &tally);
    const long double distance = distance_to(&solution, x);
    assert_true(distance <= 1e-6L * solution.length);
    check_point(known, &solution, certificate, solved, solution.hi, 0.0, &tally);
    assert_true(bound == number(solved, SOFTRELU_CERTIFICATE_DISTANCE_BOUND) || isnan(bound));
    for (int64_t power = FURTHEST; power <= -2; power += test_count(1, 7))
        for (int64_t k = 0; k < perturbations; k++) {
            perturb(&solution, kinks, bounds, random, random_scale(random, (double)power, (double)power + 1.0), k % 2 == 0, x);
            check_point(known, &solution, certificate, solved, x, ldexp(1.0, (int)random_between(random, -40, -3)), &tally);
        }
    print_tally(known->name, bound, distance, &tally);
    assert_true(!known->bounded || bound <= 1e-6 * (double)solution.length);
    softrelu_certificate_destroy(certificate);
    solving_free(&solving);
    solution_free(&solution);
    free(tally.ratios);
    free(x);
    free(kinks);
    free(bounds);
}

static void never_further_than_the_bound(void **state) {
    (void)state;
    struct test_random random = {411};
    for (int i = 0; i < CASE_COUNT; i++)
        check_case(&CASES[i], &random);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(never_further_than_the_bound)};
    return cmocka_run_group_tests_name("distance", tests, NULL, NULL);
}
