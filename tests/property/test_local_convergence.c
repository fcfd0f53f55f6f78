/*
 * The local theorem at work: whole steps from starts inside the ball that the constants at the minimiser x* certify.
 *
 * With l the least eigenvalue of the Hessian at x* and M its Lipschitz constant in the cell, Newton's step from x takes the
 * error e = |x - x*| to at most M e^2 / (2 (l - M e)), which is e^2 / radius or less for e < radius = 2 l / (3 M). With a
 * Hessian between (1 - epsilon) and (1 + epsilon) times the exact one the error shrinks by 2 epsilon or less in the norm of
 * the Hessian at x*. At a minimiser on kinks all of this is on the face that keeps them, with l the least eigenvalue there.
 * docs/paper.md has the proofs.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/solving.h"
#include "support/spectrum.h"

static const double EPSILONS[] = {0.5, 0.2, 0.1};
enum { EPSILON_COUNT = 3, PATH_MAX = 60 };

/* A minimiser, and the ball around it (on its face) in which the theorem holds. */
struct minimiser {
    struct instance instance;
    struct solving solving;
    int64_t d, pinned;
    double *x, *hessian, *normals; /* normals: orthonormal, of the pinned units, pinned x d */
    double radius, floor;          /* floor: how well x is known */
};

static void take_real(softrelu_solver *solver, softrelu_setting setting, double value) {
    assert_int_equal(softrelu_solver_set_real(solver, setting, value), SOFTRELU_OK);
}

static void take_integer(softrelu_solver *solver, softrelu_setting setting, int64_t value) {
    assert_int_equal(softrelu_solver_set_integer(solver, setting, value), SOFTRELU_OK);
}

static void take_text(softrelu_solver *solver, const char *name, const char *value) {
    if (softrelu_solver_set_text(solver, name, value) != SOFTRELU_OK)
        fail_msg("%s", softrelu_solver_message(solver));
}

static double norm_of(int64_t d, const double *v) {
    double sum = 0.0;
    for (int64_t k = 0; k < d; k++)
        sum += v[k] * v[k];
    return sqrt(sum);
}

/* |x - x*|, and the same in the norm of the Hessian at x*. */
static double distance(const struct minimiser *at, const double *x) {
    double sum = 0.0;
    for (int64_t k = 0; k < at->d; k++)
        sum += (x[k] - at->x[k]) * (x[k] - at->x[k]);
    return sqrt(sum);
}

static double energy(const struct minimiser *at, const double *x) {
    double sum = 0.0;
    for (int64_t k = 0; k < at->d; k++)
        for (int64_t l = 0; l < at->d; l++)
            sum += (x[k] - at->x[k]) * at->hessian[k * at->d + l] * (x[l] - at->x[l]);
    return sqrt(fmax(sum, 0.0));
}

/* Takes from v its part along the normals. */
static void onto_face(const struct minimiser *at, int64_t normals, double *v) {
    for (int round = 0; round < 2; round++)
        for (int64_t i = 0; i < normals; i++) {
            double along = 0.0;
            for (int64_t k = 0; k < at->d; k++)
                along += at->normals[i * at->d + k] * v[k];
            for (int64_t k = 0; k < at->d; k++)
                v[k] -= along * at->normals[i * at->d + k];
        }
}

/* ---- the minimiser ----------------------------------------------------------------------------------------------- */

static double certificate_number(const softrelu_certificate *certificate, softrelu_certificate_quantity quantity) {
    double value = NAN;
    assert_int_equal(softrelu_certificate_number(certificate, quantity, &value), SOFTRELU_OK);
    return value;
}

/* Orthonormal normals of the kinks that hold x. */
static void find_normals(struct minimiser *at, const softrelu_certificate *certificate) {
    const int64_t n = at->instance.n, d = at->d;
    signed char *active = calloc((size_t)n, 1);
    assert_non_null(active);
    assert_int_equal(softrelu_certificate_active(certificate, active, n, NULL, 0), SOFTRELU_OK);
    for (int64_t i = 0; i < n; i++) {
        if (active[i] == 0)
            continue;
        double *normal = at->normals + at->pinned * d;
        memcpy(normal, at->instance.A1 + i * d, (size_t)d * sizeof *normal);
        onto_face(at, at->pinned, normal);
        const double length = norm_of(d, normal);
        assert_true(length > 1e-8);
        for (int64_t k = 0; k < d; k++)
            normal[k] /= length;
        at->pinned++;
    }
    free(active);
}

/* Distance to the nearest kink other than those that x is on. */
static double other_kinks(const struct minimiser *at) {
    double nearest = INFINITY;
    for (int64_t i = 0; i < at->instance.n; i++) {
        const double *row = at->instance.A1 + i * at->d, length = norm_of(at->d, row);
        double u = at->instance.c1 == NULL ? 0.0 : at->instance.c1[i];
        for (int64_t k = 0; k < at->d; k++)
            u += row[k] * at->x[k];
        if (fabs(u) > 1e-9 * length * (1.0 + norm_of(at->d, at->x)))
            nearest = fmin(nearest, fabs(u) / length);
    }
    return nearest;
}

static double constant(softrelu_constants *constants, softrelu_constant which) {
    double value = NAN;
    assert_int_equal(softrelu_constants_number(constants, which, &value), SOFTRELU_OK);
    return value;
}

static double trace_of(int64_t d, const double *matrix) {
    double sum = 0.0;
    for (int64_t k = 0; k < d; k++)
        sum += matrix[k * d + k];
    return sum;
}

/* The certified radius. The multipliers of pinned kinks keep within their intervals while the gradient moves by less than
   their margin; a tenth of it leaves room for normals that are not orthogonal. */
static double radius_of(const struct minimiser *at, const softrelu_certificate *certificate) {
    softrelu_constants *constants = NULL;
    assert_int_equal(softrelu_constants_create(at->solving.built.problem, &constants), SOFTRELU_OK);
    assert_int_equal(softrelu_constants_move(constants, at->x, at->d), SOFTRELU_OK);
    const double l = certificate_number(certificate, SOFTRELU_CERTIFICATE_CURVATURE);
    const double M = constant(constants, SOFTRELU_CONSTANT_HESSIAN_LIPSCHITZ);
    if (at->pinned == 0)
        assert_true(fabs(l - constant(constants, SOFTRELU_CONSTANT_HESSIAN_LEAST)) <= 1e-6 * l);
    softrelu_constants_destroy(constants);
    double radius = fmin(2.0 * l / (3.0 * M), other_kinks(at));
    if (at->pinned > 0) {
        const double residual = certificate_number(certificate, SOFTRELU_CERTIFICATE_RESIDUAL);
        const double scale = residual / certificate_number(certificate, SOFTRELU_CERTIFICATE_RESIDUAL_RELATIVE);
        const double margin = certificate_number(certificate, SOFTRELU_CERTIFICATE_MARGIN) * scale;
        radius = fmin(radius, 0.1 * margin / trace_of(at->d, at->hessian));
    }
    return radius;
}

/* Solves as well as it can be done. Takes the instance over. */
static struct minimiser minimiser_of(struct instance instance) {
    struct minimiser at = {.instance = instance, .d = instance.d};
    at.x = test_doubles(at.d);
    at.hessian = test_doubles(at.d * at.d);
    at.normals = test_doubles(instance.n * at.d);
    return at;
}

/* Three whole exact steps from a point that has converged bring it as near as round-off allows. */
static void polish(struct minimiser *at) {
    softrelu_solver *solver = at->solving.solver;
    take_text(solver, "globalisation", "none");
    take_real(solver, SOFTRELU_SETTING_TOLERANCE, 0.0);
    take_integer(solver, SOFTRELU_SETTING_MAX_ITERATIONS, 3);
    assert_int_equal(softrelu_solver_set_start(solver, at->x, at->d), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solve(solver), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solution(solver, at->x, at->d), SOFTRELU_OK);
}

static bool locate(struct minimiser *at) {
    at->solving = solving_of(&at->instance);
    softrelu_solver *solver = at->solving.solver;
    assert_int_equal(softrelu_solver_solve(solver), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solution(solver, at->x, at->d), SOFTRELU_OK);
    polish(at);
    assert_int_equal(softrelu_evaluator_move(at->solving.evaluator, at->x, at->d), SOFTRELU_OK);
    assert_int_equal(softrelu_evaluator_hessian(at->solving.evaluator, at->hessian, at->d), SOFTRELU_OK);
    softrelu_certificate *certificate = NULL;
    assert_int_equal(softrelu_certificate_create(at->solving.built.problem, &certificate), SOFTRELU_OK);
    assert_int_equal(softrelu_certify(certificate, at->x, at->d, 1e-9, 1e-12), SOFTRELU_OK);
    const bool certified = softrelu_certificate_verdict(certificate) == SOFTRELU_VERDICT_CERTIFIED;
    if (certified) {
        find_normals(at, certificate);
        at->radius = radius_of(at, certificate);
        const double condition = trace_of(at->d, at->hessian) / certificate_number(certificate, SOFTRELU_CERTIFICATE_CURVATURE);
        at->floor = 32.0 * DBL_EPSILON * condition * (1.0 + norm_of(at->d, at->x));
    }
    softrelu_certificate_destroy(certificate);
    return certified;
}

static void minimiser_free(struct minimiser *at) {
    solving_free(&at->solving);
    instance_free(&at->instance);
    free(at->x);
    free(at->hessian);
    free(at->normals);
}

/* ---- the path ---------------------------------------------------------------------------------------------------- */

struct path {
    const struct minimiser *at;
    softrelu_solver *solver;
    int length;
    double distances[PATH_MAX], energies[PATH_MAX];
};

static int record(const softrelu_report *report, void *user) {
    (void)report;
    struct path *path = user;
    double *x = test_doubles(path->at->d);
    assert_int_equal(softrelu_solver_solution(path->solver, x, path->at->d), SOFTRELU_OK);
    path->distances[path->length] = distance(path->at, x);
    path->energies[path->length] = energy(path->at, x);
    path->length++;
    free(x);
    return path->length == PATH_MAX || path->distances[path->length - 1] <= path->at->floor;
}

/* Whole steps from a random point at a share of the radius. */
static struct path walk(const struct minimiser *at, struct test_random *random, double share) {
    struct path path = {.at = at, .solver = at->solving.solver};
    double *x0 = test_doubles(at->d);
    random_fill(random, 1.0, at->d, x0);
    onto_face(at, at->pinned, x0);
    const double scale = share * at->radius / norm_of(at->d, x0);
    for (int64_t k = 0; k < at->d; k++)
        x0[k] = at->x[k] + scale * x0[k];
    assert_int_equal(softrelu_solver_set_start(path.solver, x0, at->d), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_set_callback(path.solver, record, &path), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solve(path.solver), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_set_callback(path.solver, NULL, NULL), SOFTRELU_OK);
    assert_true(path.length >= 2);
    assert_true(fabs(path.distances[0] - share * at->radius) <= 1e-9 * at->radius + at->floor);
    free(x0);
    return path;
}

struct factors {
    double worst, worst_plain, sum; /* in the Hessian's norm; in the plain norm; of logarithms */
    int count;
};

static void check_exact_steps(const struct minimiser *at, struct test_random *random, double *worst) {
    take_text(at->solving.solver, "hessian", "exact");
    const struct path path = walk(at, random, random_uniform(random, 0.1, 0.999));
    for (int k = 1; k < path.length; k++) {
        const double before = path.distances[k - 1] / at->radius, after = path.distances[k] / at->radius;
        if (!(after <= fmax(before * before, at->floor / at->radius)))
            fail_msg("step %d: error from %g to %g of the radius %g, floor %g", k, before, after, at->radius, at->floor);
        if (path.distances[k] > at->floor)
            *worst = fmax(*worst, after / (before * before));
    }
    if (!(path.distances[path.length - 1] <= at->floor))
        fail_msg("%g from the minimiser after %d steps, floor %g", path.distances[path.length - 1], path.length - 1, at->floor);
}

static void check_sampled_steps(const struct minimiser *at, struct test_random *random, double epsilon, uint64_t seed,
                                struct factors *factors) {
    softrelu_solver *solver = at->solving.solver;
    const double floor = at->floor * sqrt(trace_of(at->d, at->hessian));
    take_text(solver, "hessian", "sampled");
    take_real(solver, SOFTRELU_SETTING_SAMPLE_EPSILON, epsilon);
    take_integer(solver, SOFTRELU_SETTING_SAMPLE_SEED, (int64_t)seed);
    const struct path path = walk(at, random, random_uniform(random, 0.1, 0.999));
    for (int k = 1; k < path.length; k++) {
        if (path.energies[k] <= floor / epsilon)
            break;
        const double factor = path.energies[k] / path.energies[k - 1];
        if (!(factor <= 2.0 * epsilon))
            fail_msg("epsilon %g, step %d: factor %g", epsilon, k, factor);
        factors->worst = fmax(factors->worst, factor);
        factors->worst_plain = fmax(factors->worst_plain, path.distances[k] / path.distances[k - 1]);
        factors->sum += log(factor);
        factors->count++;
    }
}

struct tally {
    int minimisers;
    double squaring; /* worst after / before^2, in units of the radius */
    struct factors factors[EPSILON_COUNT];
};

static void check_minimiser(struct minimiser *at, uint64_t seed, struct tally *tally) {
    struct test_random random = {9000 + seed};
    take_integer(at->solving.solver, SOFTRELU_SETTING_MAX_ITERATIONS, 25);
    check_exact_steps(at, &random, &tally->squaring);
    for (int e = 0; e < EPSILON_COUNT; e++)
        check_sampled_steps(at, &random, EPSILONS[e], seed, &tally->factors[e]);
    tally->minimisers++;
}

static void print_tally(const struct tally *tally) {
    print_message("  %d minimisers; exact steps: error / radius at most %.2g times the square of the one before\n",
                  tally->minimisers, tally->squaring);
    for (int e = 0; e < EPSILON_COUNT; e++) {
        const struct factors *factors = &tally->factors[e];
        print_message("  epsilon %.1f: factor at most %.3f in the Hessian's norm (%.3f on the average), %.3f in the plain one, "
                      "of %d steps\n",
                      EPSILONS[e], factors->worst, exp(factors->sum / factors->count), factors->worst_plain, factors->count);
        assert_true(factors->count > 0);
    }
}

/* ---- the problems ------------------------------------------------------------------------------------------------ */

/* Biases keep every unit far on its side: the minimiser is smooth. */
static struct instance smooth_instance(uint64_t seed, softrelu_loss loss) {
    struct test_random random = {seed};
    const int64_t n = 12, d = 4, m = test_count(1000, 300);
    struct instance made = synthetic_instance(&random, n, d, m, 0.3, 0.0);
    made.loss = loss;
    made.rho = loss == SOFTRELU_KL ? 1e-2 : 1e-2 / (double)m;
    made.c1 = test_doubles(n);
    made.c2 = test_doubles(m);
    for (int64_t i = 0; i < n; i++) {
        made.c1[i] = i % 3 == 0 ? -12.0 : 12.0;
        for (int64_t j = 0; j < m; j++)
            made.c2[j] -= made.A2[j * n + i] * fmax(made.c1[i], 0.0);
    }
    return made;
}

static void smooth_minimisers(void **state) {
    (void)state;
    struct tally tally = {0};
    for (uint64_t seed = 1; seed <= (uint64_t)test_count(100, 3); seed++) {
        struct minimiser at = minimiser_of(smooth_instance(seed, seed % 2 == 0 ? SOFTRELU_SQUARES : SOFTRELU_KL));
        assert_true(locate(&at));
        assert_int_equal(at.pinned, 0);
        check_minimiser(&at, seed, &tally);
        minimiser_free(&at);
    }
    print_tally(&tally);
}

static bool is_definite(const struct minimiser *at) {
    double *identity = test_doubles(at->d * at->d);
    for (int64_t k = 0; k < at->d; k++)
        identity[k * at->d + k] = 1.0;
    const double least = relative_spectrum(at->d, at->hessian, identity).least;
    free(identity);
    return least > 0.0;
}

/* Certified minimisers on kinks. A sample is near the Hessian in its own metric only where that is positive definite. */
static void minimisers_on_kinks(void **state) {
    (void)state;
    struct tally tally = {0};
    const int wanted = (int)test_count(100, 2);
    for (uint64_t seed = 1; tally.minimisers < wanted && seed <= 1000; seed++) {
        struct test_random random = {500 + seed};
        const int64_t m = test_count(1000, 300);
        const bool kl = seed % 2 == 0;
        struct instance instance = synthetic_instance(&random, 24, 6, m, 1.0, kl ? 0.1 : 0.3 / sqrt((double)m));
        instance.loss = kl ? SOFTRELU_KL : SOFTRELU_SQUARES;
        struct minimiser at = minimiser_of(instance);
        if (locate(&at) && at.pinned > 0 && at.pinned < at.d && is_definite(&at))
            check_minimiser(&at, seed, &tally);
        minimiser_free(&at);
    }
    assert_int_equal(tally.minimisers, wanted);
    print_tally(&tally);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(smooth_minimisers), cmocka_unit_test(minimisers_on_kinks)};
    return cmocka_run_group_tests_name("local convergence", tests, NULL, NULL);
}
