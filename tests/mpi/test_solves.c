/*
 * Solves of divided problems, beside those of the same problems on one rank.
 *
 * On every rank the outcome is the same to the last bit. Beside the solve on one rank sums are added up in another order, and F
 * is not convex: a long path can then end in another minimiser, as it can on one rank with another BLAS or with the outputs in
 * another order. Where it does, both ends must be minimisers for both: from either, either solver stays. How often it does is
 * counted, and so is how often a solve on one rank does when the outputs are put in another order: the ranks must not do it
 * significantly more often.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "all.h"
#include "support/family_case.h"
#include "support/kink_case.h"
#include "support/reference.h"
#include "support/sampling_case.h"
#include "support/solving.h"

static const double SAME_LOSS = 1e-12; /* relative */
static const double SURPRISE = 1e-6;   /* the probability of what is not put down to chance */

/* What is solved, and how. */
struct task {
    const char *name;
    const struct instance *instance;
    enum division division;
    const double *x0;              /* NULL: the solver's own */
    const char *const (*texts)[2]; /* settings, up to a NULL */
};

/* Where a solve ended. */
struct ending {
    softrelu_termination termination;
    softrelu_verdict verdict;
    softrelu_reason reason;
    double loss;
    double *x;           /* d */
    signed char *kinks;  /* n */
    signed char *bounds; /* d */
};

struct tally {
    int64_t solves, elsewhere, elsewhere_in_order; /* of the ranks, of one rank with the outputs in another order */
};
static struct tally tally;

static signed char *test_flags(int64_t count) {
    signed char *flags = calloc((size_t)count, 1);
    assert_non_null(flags);
    return flags;
}

static void ending_free(struct ending *ending) {
    free(ending->x);
    free(ending->kinks);
    free(ending->bounds);
    *ending = (struct ending){0};
}

/* Settings, start, solve. */
static struct ending run(const struct task *task, softrelu_solver *solver) {
    const int64_t n = task->instance->n, d = task->instance->d;
    for (const char *const(*text)[2] = task->texts; text != NULL && (*text)[0] != NULL; text++)
        assert_int_equal(softrelu_solver_set_text(solver, (*text)[0], (*text)[1]), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_set_start(solver, task->x0, task->x0 != NULL ? d : 0), SOFTRELU_OK);
    if (softrelu_solver_solve(solver) != SOFTRELU_OK)
        fail_msg("%s: %s", task->name, softrelu_solver_message(solver));
    const softrelu_certificate *certificate = softrelu_solver_certificate(solver);
    struct ending ending = {.termination = softrelu_report_termination(softrelu_solver_report(solver)),
                            .verdict = softrelu_certificate_verdict(certificate),
                            .reason = softrelu_certificate_reason(certificate),
                            .loss = report_number(solver, SOFTRELU_REPORT_LOSS),
                            .x = test_doubles(d),
                            .kinks = test_flags(n),
                            .bounds = test_flags(d)};
    assert_int_equal(softrelu_solver_solution(solver, ending.x, d), SOFTRELU_OK);
    assert_int_equal(softrelu_certificate_active(certificate, ending.kinks, n, ending.bounds, d), SOFTRELU_OK);
    return ending;
}

static struct ending solve_alone(const struct task *task) {
    struct built built = build(task->instance, PLAIN_PLACEMENT);
    softrelu_solver *solver = NULL;
    assert_int_equal(softrelu_solver_create(built.problem, &solver), SOFTRELU_OK);
    const struct ending ending = run(task, solver);
    softrelu_solver_destroy(solver);
    built_free(&built);
    return ending;
}

/* ---- every rank has the same ---- */

static void certificate_everywhere(const softrelu_certificate *certificate) {
    const int words[] = {(int)softrelu_certificate_verdict(certificate), (int)softrelu_certificate_reason(certificate),
                         (int)softrelu_certificate_distance(certificate)};
    double numbers[32];
    int64_t count = 0;
#define NUMBER(id, number, name, type, text)                                                                                   \
    assert_int_equal(softrelu_certificate_number(certificate, id, &numbers[count++]), SOFTRELU_OK);
    SOFTRELU_CERTIFICATE_LIST(NUMBER)
#undef NUMBER
    assert_true(count <= (int64_t)(sizeof numbers / sizeof *numbers));
    assert_same_everywhere("verdict", words, sizeof words);
    assert_doubles_everywhere("certificate", numbers, count);
}

static void report_everywhere(const softrelu_report *report) {
    const int termination = (int)softrelu_report_termination(report);
    const int64_t length = softrelu_report_trace_length(report);
    double numbers[64], shift;
    int64_t count = 0;
#define NUMBER(id, number, name, type, text)                                                                                   \
    assert_int_equal(softrelu_report_number(report, id, &numbers[count++]), SOFTRELU_OK);
    SOFTRELU_QUANTITY_LIST(NUMBER)
#undef NUMBER
    assert_true(count <= (int64_t)(sizeof numbers / sizeof *numbers));
    assert_same_everywhere("termination", &termination, sizeof termination);
    assert_doubles_everywhere("report", numbers, count);
    assert_same_everywhere("length of the trace", &length, sizeof length);
    for (int64_t record = 0; record < length; record += 1 + length / 5) {
        assert_int_equal(softrelu_report_trace_number(report, record, SOFTRELU_TRACE_SHIFT, &shift), SOFTRELU_OK);
        assert_doubles_everywhere("trace", &shift, 1);
    }
}

static void minimisers_everywhere(const softrelu_solver *solver, int64_t d) {
    const int64_t count = softrelu_solver_minimiser_count(solver);
    double *x = test_doubles(d);
    assert_same_everywhere("number of minimisers", &count, sizeof count);
    for (int64_t i = 0; i < count; i++) {
        const softrelu_certificate *certificate = NULL;
        assert_int_equal(softrelu_solver_minimiser(solver, i, x, d), SOFTRELU_OK);
        assert_doubles_everywhere("minimiser", x, d);
        certificate = softrelu_solver_minimiser_certificate(solver, i);
        assert_non_null(certificate);
        certificate_everywhere(certificate);
    }
    free(x);
}

static struct ending solve_together(const struct task *task) {
    const int64_t n = task->instance->n, d = task->instance->d;
    softrelu_problem *problem = divided_problem(task->instance, all, task->division);
    softrelu_solver *solver = NULL;
    assert_non_null(problem);
    assert_int_equal(softrelu_solver_create(problem, &solver), SOFTRELU_OK);
    const struct ending ending = run(task, solver);
    assert_doubles_everywhere("solution", ending.x, d);
    assert_same_everywhere("set of kinks", ending.kinks, (size_t)n);
    assert_same_everywhere("set of bounds", ending.bounds, (size_t)d);
    report_everywhere(softrelu_solver_report(solver));
    certificate_everywhere(softrelu_solver_certificate(solver));
    minimisers_everywhere(solver, d);
    /* an examiner of its own, by all */
    softrelu_certificate *certificate = NULL;
    assert_int_equal(softrelu_certificate_create(problem, &certificate), SOFTRELU_OK);
    assert_int_equal(softrelu_certify(certificate, ending.x, d, 1e-9, 1e-12), SOFTRELU_OK);
    certificate_everywhere(certificate);
    assert_int_equal(softrelu_certificate_verdict(certificate), ending.verdict);
    softrelu_certificate_destroy(certificate);
    softrelu_solver_destroy(solver);
    softrelu_problem_destroy(problem);
    return ending;
}

/* ---- beside one rank ---- */

/* What two ways of computing F at x may differ by. */
static double noise_at(const struct instance *instance, const double *x) {
    long double *wide = test_long_doubles(instance->d);
    for (int64_t k = 0; k < instance->d; k++)
        wide[k] = (long double)x[k];
    struct reference at = reference_at(instance, wide, 0);
    const double noise = (double)reference_loss_noise(&at, instance->loss);
    reference_free(&at);
    free(wide);
    return noise;
}

static bool is_same_loss(const struct instance *instance, const struct ending *a, const struct ending *b) {
    const double difference = fabs(a->loss - b->loss);
    return difference <= SAME_LOSS * fabs(b->loss) || difference <= noise_at(instance, b->x);
}

static bool is_same(const struct instance *instance, const struct ending *a, const struct ending *b) {
    return is_same_loss(instance, a, b) && a->termination == b->termination && a->verdict == b->verdict &&
           a->reason == b->reason && memcmp(a->kinks, b->kinks, (size_t)instance->n) == 0 &&
           memcmp(a->bounds, b->bounds, (size_t)instance->d) == 0;
}

static void tell(const struct task *task, const char *what, const struct ending *ending) {
    int kinks = 0;
    for (int64_t i = 0; i < task->instance->n; i++)
        kinks += ending->kinks[i];
    print_message("    %-24s %s, %s, %s, F = %.16g, %d kinks\n", what, softrelu_termination_name(ending->termination),
                  softrelu_verdict_name(ending->verdict), softrelu_reason_name(ending->reason), ending->loss, kinks);
}

/* The end of one, as the other's start, is its end. */
static void must_stay(const struct task *task, const char *who, const struct ending *from,
                      struct ending (*solve)(const struct task *)) {
    struct task again = *task;
    static const char *const one_start[][2] = {{"starts", "1"}, {NULL, NULL}};
    again.x0 = from->x;
    again.texts = one_start;
    struct ending ending = solve(&again);
    if (is_first() && !is_same(task->instance, &ending, from)) {
        tell(task, "from", from);
        tell(task, "to", &ending);
        fail_msg("%s: %s does not stay where the other one has ended", task->name, who);
    }
    ending_free(&ending);
}

static struct instance reordered(const struct instance *instance) {
    struct test_random random = {99};
    struct instance made = instance_copy(instance);
    for (int64_t j = instance->m - 1; j > 0; j--) {
        const int64_t other = random_between(&random, 0, j);
        const double b = made.b[j];
        made.b[j] = made.b[other];
        made.b[other] = b;
        if (made.c2 != NULL) {
            const double c2 = made.c2[j];
            made.c2[j] = made.c2[other];
            made.c2[other] = c2;
        }
        for (int64_t i = 0; i < instance->n; i++) {
            const double entry = made.A2[j * instance->n + i];
            made.A2[j * instance->n + i] = made.A2[other * instance->n + i];
            made.A2[other * instance->n + i] = entry;
        }
    }
    return made;
}

/* Whether a solve on one rank ends elsewhere when the outputs are in another order. */
static bool depends_on_order(const struct task *task, const struct ending *alone) {
    struct instance other = reordered(task->instance);
    struct task again = *task;
    again.instance = &other;
    struct ending ending = solve_alone(&again);
    const bool same = is_same(task->instance, &ending, alone);
    ending_free(&ending);
    instance_free(&other);
    return !same;
}

/* Returns where all ranks have ended. */
static struct ending compare(const struct task *task) {
    const int64_t n = task->instance->n, d = task->instance->d;
    struct ending together = solve_together(task), alone = {0};
    int elsewhere = 0;
    if (is_first()) {
        alone = solve_alone(task);
        elsewhere = !is_same(task->instance, &together, &alone);
        tally.elsewhere_in_order += depends_on_order(task, &alone);
        if (elsewhere) {
            print_message("  %s ends elsewhere\n", task->name);
            tell(task, "on one rank", &alone);
            tell(task, "on all", &together);
        }
    }
    tally.solves++;
    from_first(&elsewhere, sizeof elsewhere);
    tally.elsewhere += elsewhere;
    if (elsewhere) {
        if (!is_first()) {
            alone = (struct ending){.x = test_doubles(d), .kinks = test_flags(n), .bounds = test_flags(d)};
        }
        from_first(alone.x, (size_t)d * sizeof *alone.x);
        must_stay(task, "all ranks", &alone, solve_together);
        if (is_first())
            must_stay(task, "one rank", &together, solve_alone);
    }
    ending_free(&alone);
    return together;
}

static void compare_only(const struct task *task) {
    struct ending ending = compare(task);
    ending_free(&ending);
}

/* Whether so many of both would fall to the first one by chance, were both equally likely. */
static void judge_tally(const char *what) {
    double tail = 0.0;
    const double both = (double)(tally.elsewhere + tally.elsewhere_in_order);
    for (double k = (double)tally.elsewhere; k <= both; k += 1.0)
        tail += exp(lgamma(both + 1.0) - lgamma(k + 1.0) - lgamma(both - k + 1.0) - both * log(2.0));
    print_message(
        "  %s: %lld solves, %lld of them end in another minimiser than on one rank; with the outputs in another order, "
        "one rank does in %lld\n",
        what, (long long)tally.solves, (long long)tally.elsewhere, (long long)tally.elsewhere_in_order);
    if (is_first() && tail < SURPRISE)
        fail_msg("the ranks end elsewhere more often than can be put down to chance (%g)", tail);
    tally = (struct tally){0};
}

/* ---- the problems ---- */

static void known_minimisers(void **state) {
    (void)state;
    for (int i = 0; i < KINK_CASES; i++)
        for (int division = 0; division < DIVISION_COUNT; division++) {
            struct kink_case known = kink_case(i);
            const struct task task = {known.name, &known.instance, (enum division)division, known.x0, NULL};
            struct ending ending = compare(&task);
            double distance = 0.0, length = 0.0;
            for (int64_t k = 0; k < known.instance.d; k++) {
                distance = hypot(distance, ending.x[k] - known.x[k]);
                length = hypot(length, known.x[k]);
            }
            assert_int_equal(ending.termination, SOFTRELU_CONVERGED);
            assert_int_equal(ending.verdict, SOFTRELU_VERDICT_CERTIFIED);
            assert_true(fabs(ending.loss - known.loss) <= 1e-12 * known.loss);
            assert_true(known.flat || distance <= 1e-7 * length);
            assert_known_kinks(&known, ending.kinks);
            ending_free(&ending);
            kink_case_free(&known);
        }
    judge_tally("known minimisers");
}

static void put_in_box(struct instance *instance, double bound) {
    instance->lower = test_doubles(instance->d);
    instance->upper = test_doubles(instance->d);
    for (int64_t k = 0; k < instance->d; k++) {
        instance->lower[k] = -bound;
        instance->upper[k] = bound;
    }
}

static void family_member(int size, int regime, int seed, softrelu_loss loss, double box) {
    struct test_random random;
    struct instance instance = family_instance(size, regime, seed, 0, &random);
    double *x0 = test_doubles(instance.d);
    instance.loss = loss;
    if (box > 0.0)
        put_in_box(&instance, box);
    for (int start = 0; start < FAMILY_STARTS; start++) {
        char name[128];
        (void)snprintf(name, sizeof name, "(%lld, %lld, %lld) regime %d seed %d, %s%s, %s start", (long long)instance.n,
                       (long long)instance.d, (long long)instance.m, regime, seed, loss == SOFTRELU_KL ? "kl" : "squares",
                       box > 0.0 ? ", in a box" : "", family_starts[start]);
        const bool given = family_start(start, instance.d, &random, x0);
        const struct task task = {name, &instance, (enum division)((regime + start) % DIVISION_COUNT), given ? x0 : NULL, NULL};
        compare_only(&task);
    }
    free(x0);
    instance_free(&instance);
}

static void family(void **state) {
    (void)state;
    for (int size = 0; size < 2; size++)
        for (int regime = 0; regime < FAMILY_REGIMES; regime++)
            for (int seed = 0; seed < (int)test_effort(10, 1, 1); seed++)
                for (int variant = 0; variant < 4; variant++)
                    family_member(size, regime, seed, variant % 2 == 0 ? SOFTRELU_SQUARES : SOFTRELU_KL,
                                  variant / 2 == 0 ? 0.0 : 0.5);
    judge_tally("synthetic family");
}

/* Settings that take other ways through the library. */
static void settings(void **state) {
    (void)state;
    static const char *const several[][2] = {{"starts", "4"}, {NULL, NULL}},
                             *const single[][2] = {{"curvature_precision", "single"}, {NULL, NULL}},
                             *const streamed[][2] = {{"jacobian_memory", "0"}, {NULL, NULL}},
                             *const gauss[][2] = {{"hessian", "gauss-newton"}, {NULL, NULL}},
                             *const small[][2] = {{"newton_matrix", "small"}, {NULL, NULL}},
                             *const cold[][2] = {{"warm_start_rounds", "0"}, {NULL, NULL}};
    static const struct {
        const char *name;
        const char *const (*texts)[2];
    } ways[] = {{"several starts", several},     {"single precision curvature", single},
                {"streamed Jacobian", streamed}, {"Gauss-Newton", gauss},
                {"small matrix", small},         {"cold", cold}};
    for (size_t way = 0; way < sizeof ways / sizeof *ways; way++) {
        for (int size = 0; size < 2; size++)
            for (int regime = size; regime < FAMILY_REGIMES; regime += (int)test_effort(1, 2, 2)) {
                struct test_random random;
                char name[128];
                struct instance instance = family_instance(size, regime, 7, 0, &random);
                instance.loss = regime % 2 == 0 ? SOFTRELU_KL : SOFTRELU_SQUARES;
                (void)snprintf(name, sizeof name, "%s, size %d, regime %d", ways[way].name, size, regime);
                const struct task task = {name, &instance, (enum division)(regime % DIVISION_COUNT), NULL, ways[way].texts};
                compare_only(&task);
                instance_free(&instance);
            }
        judge_tally(ways[way].name);
    }
}

static void sampled(void **state) {
    (void)state;
    static const char *const plain[][2] = {{"hessian", "sampled"}, {NULL, NULL}}, *const pcg[][2] = {{"hessian", "sampled"},
                                                                                                     {"step", "pcg"},
                                                                                                     {NULL, NULL}};
    for (int kind = 0; kind < SAMPLING_KINDS; kind++)
        for (int loss = 0; loss < 2; loss++) {
            struct sampling_case sampling =
                sampling_case((enum sampling_kind)kind, loss == 0 ? SOFTRELU_KL : SOFTRELU_SQUARES, 3000);
            from_first(sampling.x, (size_t)sampling.instance.d * sizeof *sampling.x);
            for (int step = 0; step < 2; step++) {
                char name[128];
                (void)snprintf(name, sizeof name, "%s, %s, sampled%s", sampling.name, loss == 0 ? "kl" : "squares",
                               step == 0 ? "" : ", pcg");
                const struct task task = {name, &sampling.instance, (enum division)((kind + step) % DIVISION_COUNT), NULL,
                                          step == 0 ? plain : pcg};
                compare_only(&task);
            }
            sampling_case_free(&sampling);
        }
    judge_tally("sampled Hessian");
}

int test_solves(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(known_minimisers), cmocka_unit_test(sampled)};
    return cmocka_run_group_tests_name("solves", tests, NULL, NULL);
}

int test_family(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(family), cmocka_unit_test(settings)};
    return cmocka_run_group_tests_name("family", tests, NULL, NULL);
}
