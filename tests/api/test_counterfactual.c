/* The smallest change of an input that changes the answer: what is asked for is reached, nothing nearer reaches it, what is
   frozen stays, and every end says what it is. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/instance.h"
#include "support/refusal.h"

static struct instance network(struct test_random *random, int64_t n, int64_t d, int64_t m) {
    const struct instance_scales scales = {.A1 = 1.0, .A2 = 3.0, .b = 1.0, .c1 = 1.0, .c2 = 0.3};
    return random_instance(random, n, d, m, scales, SOFTRELU_SQUARES);
}

static softrelu_counterfactual *search_of(const struct built *built) {
    softrelu_counterfactual *search = NULL;
    assert_int_equal(softrelu_counterfactual_create(built->problem, &search), SOFTRELU_OK);
    assert_non_null(search);
    return search;
}

static double number_of(const softrelu_counterfactual *search, int64_t index, softrelu_answer quantity) {
    double value = NAN;
    assert_int_equal(softrelu_counterfactual_number(search, index, quantity, &value), SOFTRELU_OK);
    return value;
}

static double confidence_at(const struct built *built, int64_t d, int64_t m, const double *x, int64_t wanted) {
    softrelu_evaluator *evaluator = evaluator_at(built->problem, x, d);
    double *f = test_doubles(m);
    assert_int_equal(softrelu_evaluator_prediction(evaluator, f, m), SOFTRELU_OK);
    const double confidence = f[wanted];
    softrelu_evaluator_destroy(evaluator);
    free(f);
    return confidence;
}

/* What must hold of every list of answers. */
static void check_answers(const struct built *built, const struct instance *instance, const softrelu_counterfactual *search,
                          const double *input, int64_t wanted, double confidence) {
    const int64_t d = instance->d;
    double *x = test_doubles(d), *other = test_doubles(d), before = 0.0;
    for (int64_t i = 0; i < softrelu_counterfactual_count(search); i++) {
        assert_int_equal(softrelu_counterfactual_point(search, i, x, d), SOFTRELU_OK);
        double distance = 0.0;
        for (int64_t k = 0; k < d; k++)
            distance = hypot(distance, x[k] - input[k]);
        assert_true(fabs(number_of(search, i, SOFTRELU_ANSWER_DISTANCE) - distance) <= 1e-14 * distance);
        assert_true(distance >= before);
        before = distance;
        const double reached = confidence_at(built, d, instance->m, x, wanted);
        assert_true(reached >= confidence * (1.0 - 1e-14));
        assert_true(fabs(number_of(search, i, SOFTRELU_ANSWER_CONFIDENCE) - reached) <= 1e-13);
        for (int64_t j = 0; j < i; j++) {
            assert_int_equal(softrelu_counterfactual_point(search, j, other, d), SOFTRELU_OK);
            assert_memory_not_equal(x, other, (size_t)d * sizeof *x);
        }
    }
    free(x);
    free(other);
}

/* In two dimensions every input can be tried: none on a fine grid that reaches the confidence is nearer than the answer. */
static void nothing_is_nearer(void **state) {
    (void)state;
    enum { N = 12, M = 4, GRID = 301, STARTS = 6 };
    struct test_random random = {2308};
    const double confidence = 0.7;
    int64_t found = 0, nearest = 0, certified = 0;
    for (int64_t trial = 0; trial < test_count(40, 4); trial++) {
        struct instance instance = network(&random, N, 2, M);
        struct built built = build(&instance, PLAIN_PLACEMENT);
        softrelu_counterfactual *search = search_of(&built);
        softrelu_evaluator *evaluator = NULL;
        double input[2], f[M];
        random_fill(&random, 1.0, 2, input);
        assert_int_equal(softrelu_counterfactual_search(search, input, 2, trial % M, confidence, NULL, STARTS), SOFTRELU_OK);
        check_answers(&built, &instance, search, input, trial % M, confidence);
        if (softrelu_counterfactual_outcome(search) == SOFTRELU_SEARCH_FOUND) {
            const double reach = number_of(search, 0, SOFTRELU_ANSWER_DISTANCE);
            double least = INFINITY;
            assert_int_equal(softrelu_evaluator_create(built.problem, &evaluator), SOFTRELU_OK);
            for (int64_t point = 0; point < GRID * GRID; point++) {
                const double offset[2] = {reach * (2.0 * (double)(point % GRID) / (GRID - 1) - 1.0),
                                          reach * (2.0 * (double)(point / GRID) / (GRID - 1) - 1.0)};
                const double x[2] = {input[0] + offset[0], input[1] + offset[1]};
                if (hypot(offset[0], offset[1]) >= least)
                    continue;
                assert_int_equal(softrelu_evaluator_move(evaluator, x, 2), SOFTRELU_OK);
                assert_int_equal(softrelu_evaluator_prediction(evaluator, f, M), SOFTRELU_OK);
                if (f[trial % M] >= number_of(search, 0, SOFTRELU_ANSWER_CONFIDENCE))
                    least = hypot(offset[0], offset[1]);
            }
            softrelu_evaluator_destroy(evaluator);
            found++;
            nearest += least >= reach * (1.0 - 1e-9);
            certified += number_of(search, 0, SOFTRELU_ANSWER_CERTIFIED) == 1.0;
        }
        softrelu_counterfactual_destroy(search);
        built_free(&built);
        instance_free(&instance);
    }
    print_message("found %lld, nearest on the grid %lld, certified %lld\n", (long long)found, (long long)nearest,
                  (long long)certified);
    assert_true(found >= test_count(20, 1));
    assert_true(nearest >= found - found / 20); /* local searches: the nearest valley may be missed, but seldom */
    assert_true(certified >= found - found / 20);
}

/* A certified answer's neighbours that reach its confidence are farther away, in any dimension. */
static void no_neighbour_is_nearer(void **state) {
    (void)state;
    struct test_random random = {77};
    int64_t tried = 0, exact = 0, answers = 0;
    for (int64_t trial = 0; trial < test_count(30, 3); trial++) {
        const int64_t n = random_between(&random, 20, 80), d = random_between(&random, 2, 100),
                      m = random_between(&random, 2, 12);
        struct instance instance = network(&random, n, d, m);
        struct built built = build(&instance, PLAIN_PLACEMENT);
        softrelu_counterfactual *search = search_of(&built);
        double *input = test_doubles(3 * d), *x = input + d, *near = x + d;
        random_fill(&random, 1.0, d, input);
        const int64_t wanted = random_between(&random, 0, m - 1);
        const double confidence = random_uniform(&random, 0.5, 0.95);
        assert_int_equal(softrelu_counterfactual_search(search, input, d, wanted, confidence, NULL, 3), SOFTRELU_OK);
        check_answers(&built, &instance, search, input, wanted, confidence);
        for (int64_t i = 0; i < softrelu_counterfactual_count(search); i++) {
            const double reached = number_of(search, i, SOFTRELU_ANSWER_CONFIDENCE);
            answers++;
            exact += reached <= confidence + 1e-8;
            if (number_of(search, i, SOFTRELU_ANSWER_CERTIFIED) != 1.0 || number_of(search, i, SOFTRELU_ANSWER_RHO) == 0.0)
                continue;
            assert_int_equal(softrelu_counterfactual_point(search, i, x, d), SOFTRELU_OK);
            for (int64_t draw = 0; draw < 200; draw++) {
                double distance = 0.0;
                for (int64_t k = 0; k < d; k++) {
                    near[k] = x[k] + 1e-4 * random_normal(&random) - (draw % 2 == 0 ? 1e-5 * (x[k] - input[k]) : 0.0);
                    distance = hypot(distance, near[k] - input[k]);
                }
                if (distance < number_of(search, i, SOFTRELU_ANSWER_DISTANCE)) {
                    assert_true(confidence_at(&built, d, m, near, wanted) < reached);
                    tried++;
                }
            }
        }
        softrelu_counterfactual_destroy(search);
        built_free(&built);
        instance_free(&instance);
        free(input);
    }
    print_message("answers %lld, of just the confidence %lld, nearer neighbours tried %lld\n", (long long)answers,
                  (long long)exact, (long long)tried);
    assert_true(tried > 50 * test_count(10, 1));
    assert_true(answers < 10 || 4 * exact >= 3 * answers); /* the others are where the branch jumps over the confidence */
}

static void frozen_entries_and_bounds(void **state) {
    (void)state;
    struct test_random random = {12};
    for (int64_t trial = 0; trial < test_count(20, 3); trial++) {
        const int64_t d = random_between(&random, 6, 60), m = 5;
        struct instance instance = network(&random, 40, d, m);
        instance.lower = test_doubles(d);
        instance.upper = test_doubles(d);
        double *input = test_doubles(2 * d), *x = input + d;
        signed char *frozen = calloc((size_t)d, 1);
        assert_non_null(frozen);
        for (int64_t k = 0; k < d; k++) {
            instance.lower[k] = -1.0;
            instance.upper[k] = 1.5;
            input[k] = random_uniform(&random, -1.0, 1.5);
            frozen[k] = k % 3 == 0;
        }
        struct built built = build(&instance, PLAIN_PLACEMENT);
        softrelu_counterfactual *search = search_of(&built);
        assert_int_equal(softrelu_counterfactual_search(search, input, d, trial % m, 0.5, frozen, 2), SOFTRELU_OK);
        check_answers(&built, &instance, search, input, trial % m, 0.5);
        for (int64_t i = -1; i < softrelu_counterfactual_count(search); i++) {
            assert_int_equal(softrelu_counterfactual_point(search, i, x, d), SOFTRELU_OK);
            for (int64_t k = 0; k < d; k++) {
                assert_true(x[k] >= -1.0 && x[k] <= 1.5);
                assert_true(frozen[k] == 0 || x[k] == input[k]);
            }
        }
        softrelu_counterfactual_destroy(search);
        built_free(&built);
        instance_free(&instance);
        free(input);
        free(frozen);
    }
}

static int stop(const softrelu_report *report, void *user) {
    (void)report;
    (void)user;
    return 1;
}

static int request(const softrelu_report *report, void *user) {
    (void)report;
    softrelu_counterfactual_request_stop(user);
    return 0;
}

struct inside {
    softrelu_counterfactual *search;
    const double *input;
    softrelu_status status;
};

static int search_again(const softrelu_report *report, void *user) {
    struct inside *inside = user;
    (void)report;
    inside->status = softrelu_counterfactual_search(inside->search, inside->input, 8, 0, 0.5, NULL, 1);
    return 1;
}

static void every_end_says_what_it_is(void **state) {
    (void)state;
    struct test_random random = {5};
    struct instance instance = network(&random, 30, 8, 4);
    struct built built = build(&instance, PLAIN_PLACEMENT);
    softrelu_counterfactual *search = search_of(&built);
    softrelu_solver *solver = softrelu_counterfactual_solver(search);
    double input[8], x[8], again[8];
    random_fill(&random, 1.0, 8, input);
    assert_int_equal(softrelu_counterfactual_outcome(search), SOFTRELU_SEARCH_NOT_RUN);
    assert_int_equal(softrelu_counterfactual_point(search, -1, x, 8), SOFTRELU_ERROR_SIZE);

    /* the class that the input already has */
    int64_t likely = 0;
    for (int64_t j = 1; j < 4; j++)
        if (confidence_at(&built, 8, 4, input, j) > confidence_at(&built, 8, 4, input, likely))
            likely = j;
    const double has = confidence_at(&built, 8, 4, input, likely);
    assert_int_equal(softrelu_counterfactual_search(search, input, 8, likely, 0.9 * has, NULL, 1), SOFTRELU_OK);
    assert_int_equal(softrelu_counterfactual_outcome(search), SOFTRELU_SEARCH_ALREADY);
    assert_int_equal(softrelu_counterfactual_count(search), 1);
    assert_int_equal(softrelu_counterfactual_point(search, 0, x, 8), SOFTRELU_OK);
    assert_same_doubles(8, x, input);
    assert_true(number_of(search, 0, SOFTRELU_ANSWER_DISTANCE) == 0.0 && number_of(search, 0, SOFTRELU_ANSWER_RHO) == 0.0);

    /* found, and the same bits once more */
    const int64_t wanted = (likely + 1) % 4;
    assert_int_equal(softrelu_counterfactual_search(search, input, 8, wanted, 0.8, NULL, 4), SOFTRELU_OK);
    assert_int_equal(softrelu_counterfactual_outcome(search), SOFTRELU_SEARCH_FOUND);
    assert_int_equal(softrelu_counterfactual_point(search, 0, x, 8), SOFTRELU_OK);
    const int64_t count = softrelu_counterfactual_count(search);
    assert_int_equal(softrelu_counterfactual_search(search, input, 8, wanted, 0.8, NULL, 4), SOFTRELU_OK);
    assert_int_equal(softrelu_counterfactual_count(search), count);
    assert_int_equal(softrelu_counterfactual_point(search, 0, again, 8), SOFTRELU_OK);
    assert_same_doubles(8, again, x);
    assert_int_equal(softrelu_counterfactual_point(search, count, x, 8), SOFTRELU_ERROR_SIZE);

    /* stopped, in three ways; what was met on the way is there */
    assert_int_equal(softrelu_solver_set_callback(solver, stop, NULL), SOFTRELU_OK);
    assert_int_equal(softrelu_counterfactual_search(search, input, 8, wanted, 0.8, NULL, 1), SOFTRELU_OK);
    assert_int_equal(softrelu_counterfactual_outcome(search), SOFTRELU_SEARCH_STOPPED);
    assert_true(number_of(search, -1, SOFTRELU_ANSWER_CONFIDENCE) >= 0.0);
    assert_int_equal(softrelu_solver_set_callback(solver, request, search), SOFTRELU_OK);
    assert_int_equal(softrelu_counterfactual_search(search, input, 8, wanted, 0.8, NULL, 1), SOFTRELU_OK);
    assert_int_equal(softrelu_counterfactual_outcome(search), SOFTRELU_SEARCH_STOPPED);
    assert_int_equal(softrelu_solver_set_callback(solver, NULL, NULL), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_set_real(solver, SOFTRELU_SETTING_TIME_LIMIT, 0.0), SOFTRELU_OK);
    assert_int_equal(softrelu_counterfactual_search(search, input, 8, wanted, 0.8, NULL, 1), SOFTRELU_OK);
    assert_int_equal(softrelu_counterfactual_outcome(search), SOFTRELU_SEARCH_STOPPED);
    double limit = NAN;
    assert_int_equal(softrelu_solver_get_real(solver, SOFTRELU_SETTING_TIME_LIMIT, &limit), SOFTRELU_OK);
    assert_true(limit == 0.0);
    assert_int_equal(softrelu_solver_set_real(solver, SOFTRELU_SETTING_TIME_LIMIT, INFINITY), SOFTRELU_OK);

    /* not from inside */
    struct inside inside = {search, input, SOFTRELU_OK};
    assert_int_equal(softrelu_solver_set_callback(solver, search_again, &inside), SOFTRELU_OK);
    assert_int_equal(softrelu_counterfactual_search(search, input, 8, wanted, 0.8, NULL, 1), SOFTRELU_OK);
    assert_int_equal(inside.status, SOFTRELU_ERROR_STATE);
    assert_int_equal(softrelu_solver_set_callback(solver, NULL, NULL), SOFTRELU_OK);
    assert_int_equal(softrelu_counterfactual_search(search, input, 8, wanted, 0.8, NULL, 4), SOFTRELU_OK);
    assert_int_equal(softrelu_counterfactual_point(search, 0, x, 8), SOFTRELU_OK);
    assert_same_doubles(8, x, again);
    softrelu_counterfactual_destroy(search);
    built_free(&built);
    instance_free(&instance);
}

/* An output that depends on nothing cannot be moved; inputs outside the bounds come in. */
static void what_cannot_be_reached(void **state) {
    (void)state;
    struct test_random random = {6};
    struct instance instance = network(&random, 20, 5, 3);
    memset(instance.A2, 0, (size_t)(3 * 20) * sizeof *instance.A2);
    struct built built = build(&instance, PLAIN_PLACEMENT);
    softrelu_counterfactual *search = search_of(&built);
    double input[5] = {0.0}, x[5];
    assert_int_equal(softrelu_counterfactual_search(search, input, 5, 1, 0.99, NULL, 1), SOFTRELU_OK);
    assert_int_equal(softrelu_counterfactual_outcome(search), SOFTRELU_SEARCH_NOT_FOUND);
    assert_int_equal(softrelu_counterfactual_count(search), 0);
    assert_int_equal(softrelu_counterfactual_point(search, 0, x, 5), SOFTRELU_ERROR_SIZE);
    assert_int_equal(softrelu_counterfactual_point(search, -1, x, 5), SOFTRELU_OK);
    assert_true(number_of(search, -1, SOFTRELU_ANSWER_CONFIDENCE) < 0.99);
    softrelu_counterfactual_destroy(search);
    built_free(&built);
    instance_free(&instance);

    /* one unit, one unknown: f_1 = 1 / (1 + exp(-max(x, 0))) reaches 0.6 at log 1.5 = 0.405 */
    const double A1[] = {1.0}, A2[] = {0.0, 1.0}, b[] = {0.5, 0.5}, outside = 3.0;
    softrelu_problem *problem = NULL;
    assert_int_equal(softrelu_problem_create(1, 1, 2, NULL, NULL, NULL, &problem), SOFTRELU_OK);
    assert_int_equal(softrelu_problem_set_matrix(problem, SOFTRELU_A1, A1, SOFTRELU_ROW_MAJOR, 1, SOFTRELU_COPY), SOFTRELU_OK);
    assert_int_equal(softrelu_problem_set_matrix(problem, SOFTRELU_A2, A2, SOFTRELU_ROW_MAJOR, 1, SOFTRELU_COPY), SOFTRELU_OK);
    assert_int_equal(softrelu_problem_set_vector(problem, SOFTRELU_B, b, 2, SOFTRELU_COPY), SOFTRELU_OK);
    assert_int_equal(softrelu_problem_set_number(problem, SOFTRELU_UPPER, 2.0), SOFTRELU_OK);
    assert_int_equal(softrelu_problem_finish(problem), SOFTRELU_OK);
    assert_int_equal(softrelu_counterfactual_create(problem, &search), SOFTRELU_OK);
    assert_int_equal(softrelu_counterfactual_search(search, &outside, 1, 1, 0.6, NULL, 1), SOFTRELU_OK);
    assert_int_equal(softrelu_counterfactual_outcome(search), SOFTRELU_SEARCH_FOUND);
    assert_int_equal(softrelu_counterfactual_point(search, 0, x, 1), SOFTRELU_OK);
    assert_true(x[0] == 2.0 && number_of(search, 0, SOFTRELU_ANSWER_CERTIFIED) == 1.0);
    /* from the dead side of the unit, where nothing slopes: found by other starts */
    const double dead = -1.0, confident = log(1.5);
    assert_int_equal(softrelu_counterfactual_search(search, &dead, 1, 1, 0.6, NULL, 1), SOFTRELU_OK);
    assert_int_equal(softrelu_counterfactual_outcome(search), SOFTRELU_SEARCH_FOUND);
    assert_int_equal(softrelu_counterfactual_point(search, 0, x, 1), SOFTRELU_OK);
    assert_true(fabs(x[0] - confident) <= 1e-8);
    softrelu_counterfactual_destroy(search);
    softrelu_problem_destroy(problem);
}

static void what_is_refused(void **state) {
    (void)state;
    struct test_random random = {9};
    struct instance instance = network(&random, 10, 3, 4);
    struct built built = build(&instance, PLAIN_PLACEMENT);
    softrelu_counterfactual *search = search_of(&built);
    double input[3] = {0.1, 0.2, 0.3}, x[3], value;
    const double bad[3] = {0.0, NAN, 0.0};
    const signed char flags[3] = {0, 2, 0};
#define SEARCH(input, length, wanted, confidence, frozen, starts)                                                              \
    softrelu_counterfactual_search(search, input, length, wanted, confidence, frozen, starts)
    REFUSE(softrelu_counterfactual_search(NULL, input, 3, 0, 0.5, NULL, 1), SOFTRELU_ERROR_NULL);
    REFUSE(SEARCH(NULL, 3, 0, 0.5, NULL, 1), SOFTRELU_ERROR_NULL);
    SAYS(softrelu_counterfactual_message(search), "input");
    REFUSE(SEARCH(input, 2, 0, 0.5, NULL, 1), SOFTRELU_ERROR_SIZE);
    REFUSE(SEARCH(bad, 3, 0, 0.5, NULL, 1), SOFTRELU_ERROR_NOT_FINITE);
    SAYS(softrelu_counterfactual_message(search), "input[1]");
    REFUSE(SEARCH(input, 3, 4, 0.5, NULL, 1), SOFTRELU_ERROR_SIZE);
    SAYS(softrelu_counterfactual_message(search), "class 4");
    REFUSE(SEARCH(input, 3, -1, 0.5, NULL, 1), SOFTRELU_ERROR_SIZE);
    REFUSE(SEARCH(input, 3, 0, 0.0, NULL, 1), SOFTRELU_ERROR_VALUE);
    REFUSE(SEARCH(input, 3, 0, 1.0, NULL, 1), SOFTRELU_ERROR_VALUE);
    REFUSE(SEARCH(input, 3, 0, NAN, NULL, 1), SOFTRELU_ERROR_VALUE);
    SAYS(softrelu_counterfactual_message(search), "confidence");
    REFUSE(SEARCH(input, 3, 0, 0.5, flags, 1), SOFTRELU_ERROR_VALUE);
    SAYS(softrelu_counterfactual_message(search), "frozen[1]");
    REFUSE(SEARCH(input, 3, 0, 0.5, NULL, 0), SOFTRELU_ERROR_VALUE);
    SAYS(softrelu_counterfactual_message(search), "starts");
    REFUSE(SEARCH(input, 3, 0, 0.5, NULL, INT64_MAX), SOFTRELU_ERROR_VALUE);
    REFUSE(softrelu_counterfactual_point(search, 0, x, 3), SOFTRELU_ERROR_SIZE);
    REFUSE(softrelu_counterfactual_number(search, 0, SOFTRELU_ANSWER_RHO, &value), SOFTRELU_ERROR_SIZE);
    assert_int_equal(SEARCH(input, 3, 0, 0.3, NULL, 1), SOFTRELU_OK);
    REFUSE(softrelu_counterfactual_point(search, -1, x, 2), SOFTRELU_ERROR_SIZE);
    REFUSE(softrelu_counterfactual_point(search, -1, NULL, 3), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_counterfactual_number(search, -1, (softrelu_answer)1, &value), SOFTRELU_ERROR_UNKNOWN);
    REFUSE(softrelu_counterfactual_number(search, -1, SOFTRELU_ANSWER_RHO, NULL), SOFTRELU_ERROR_NULL);
    softrelu_counterfactual_destroy(search);
    built_free(&built);

    REFUSE(softrelu_counterfactual_create(NULL, &search), SOFTRELU_ERROR_NULL);
    assert_null(search);
    instance.w = test_doubles(10);
    instance.w[0] = 1.0;
    built = build(&instance, PLAIN_PLACEMENT);
    REFUSE(softrelu_counterfactual_create(built.problem, NULL), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_counterfactual_create(built.problem, &search), SOFTRELU_ERROR_VALUE);
    softrelu_solver *solver = NULL;
    assert_int_equal(softrelu_solver_create(built.problem, &solver), SOFTRELU_OK);
    REFUSE(softrelu_solver_set_number(solver, SOFTRELU_RHO, 1.0), SOFTRELU_ERROR_STATE);
    SAYS(softrelu_solver_message(solver), "rho");
    softrelu_solver_destroy(solver);
    built_free(&built);
    instance_free(&instance);
    assert_string_equal(softrelu_search_name(SOFTRELU_SEARCH_NOT_FOUND), "not-found");
    assert_non_null(strstr(softrelu_search_text(SOFTRELU_SEARCH_NOT_FOUND), "does not prove"));
    assert_string_equal(softrelu_search_name((softrelu_search)1), "unknown outcome");
    assert_string_equal(softrelu_search_text((softrelu_search)1), "unknown outcome");
    softrelu_counterfactual_destroy(NULL);
    softrelu_counterfactual_request_stop(NULL);
    assert_null(softrelu_counterfactual_solver(NULL));
}

static double passed_of(const softrelu_counterfactual *search, int64_t index, softrelu_path quantity) {
    double value = NAN;
    assert_int_equal(softrelu_counterfactual_path_number(search, index, quantity, &value), SOFTRELU_OK);
    return value;
}

struct watcher {
    const softrelu_counterfactual *search;
    int64_t length; /* of the path, as it was last seen */
    bool grows;
};

static int watch(const softrelu_report *report, void *user) {
    (void)report;
    struct watcher *watcher = user;
    const int64_t length = softrelu_counterfactual_path_length(watcher->search);
    watcher->grows = watcher->grows && length >= watcher->length;
    watcher->length = length;
    return 0;
}

/* From the input down in rho, until the confidence is reached; the answers and the best point lie on it. */
static void the_path_is_told(void **state) {
    (void)state;
    struct test_random random = {47};
    struct instance instance = network(&random, 30, 12, 5);
    struct built built = build(&instance, PLAIN_PLACEMENT);
    softrelu_counterfactual *search = search_of(&built);
    assert_int_equal(softrelu_counterfactual_path_length(search), 0);
    assert_int_equal(softrelu_counterfactual_path_length(NULL), 0);
    double input[12], value = 0.0;
    for (int64_t starts = 1; starts <= 9; starts += 8) {
        for (int64_t k = 0; k < 12; k++)
            input[k] = random_uniform(&random, -1.0, 1.0);
        struct watcher watcher = {search, 0, true};
        assert_int_equal(softrelu_solver_set_callback(softrelu_counterfactual_solver(search), watch, &watcher), SOFTRELU_OK);
        assert_int_equal(softrelu_counterfactual_search(search, input, 12, 2, 0.8, NULL, starts), SOFTRELU_OK);
        const int64_t length = softrelu_counterfactual_path_length(search);
        assert_true(watcher.grows && watcher.length > 0 && length >= watcher.length);
        assert_true(passed_of(search, 0, SOFTRELU_PATH_RHO) == 0.0 && passed_of(search, 0, SOFTRELU_PATH_DISTANCE) == 0.0);
        assert_true(fabs(passed_of(search, 0, SOFTRELU_PATH_CONFIDENCE) - confidence_at(&built, 12, 5, input, 2)) <= 1e-14);
        double highest = -1.0, branch = 0.0;
        bool met_nearest = false;
        for (int64_t i = 0; i < length; i++) {
            const double confidence = passed_of(search, i, SOFTRELU_PATH_CONFIDENCE),
                         rho = passed_of(search, i, SOFTRELU_PATH_RHO);
            const bool reached = passed_of(search, i, SOFTRELU_PATH_REACHED) == 1.0;
            if (fabs(confidence - 0.8) > 1e-12) /* else rounding decides */
                assert_true(reached == (confidence > 0.8));
            assert_true(i == 0 || rho > 0.0);
            highest = fmax(highest, confidence);
            met_nearest =
                met_nearest || (reached && rho == number_of(search, 0, SOFTRELU_ANSWER_RHO) &&
                                confidence == number_of(search, 0, SOFTRELU_ANSWER_CONFIDENCE) &&
                                passed_of(search, i, SOFTRELU_PATH_DISTANCE) == number_of(search, 0, SOFTRELU_ANSWER_DISTANCE));
            assert_true(passed_of(search, i, SOFTRELU_PATH_BRANCH) >= branch);
            branch = passed_of(search, i, SOFTRELU_PATH_BRANCH);
        }
        assert_true(met_nearest);
        assert_true(highest == number_of(search, -1, SOFTRELU_ANSWER_CONFIDENCE));
        assert_int_equal(branch > 0.0, starts > 1);
        for (int64_t i = 2; passed_of(search, i - 1, SOFTRELU_PATH_REACHED) == 0.0; i++) /* before anything is reached */
            assert_true(passed_of(search, i, SOFTRELU_PATH_RHO) == 0.25 * passed_of(search, i - 1, SOFTRELU_PATH_RHO));
        REFUSE(softrelu_counterfactual_path_number(search, length, SOFTRELU_PATH_RHO, &value), SOFTRELU_ERROR_SIZE);
    }
    REFUSE(softrelu_counterfactual_path_number(search, -1, SOFTRELU_PATH_RHO, &value), SOFTRELU_ERROR_SIZE);
    REFUSE(softrelu_counterfactual_path_number(search, 0, (softrelu_path)1, &value), SOFTRELU_ERROR_UNKNOWN);
    REFUSE(softrelu_counterfactual_path_number(search, 0, SOFTRELU_PATH_RHO, NULL), SOFTRELU_ERROR_NULL);
    REFUSE(softrelu_counterfactual_path_number(NULL, 0, SOFTRELU_PATH_RHO, &value), SOFTRELU_ERROR_NULL);
    softrelu_counterfactual_destroy(search);
    built_free(&built);
    instance_free(&instance);
}

/* One solver that follows rho gives the bits of new solvers for problems with that rho. */
static void a_rho_of_its_own(void **state) {
    (void)state;
    struct test_random random = {31};
    struct instance instance = synthetic_instance(&random, 30, 9, 20, 0.3, 0.0);
    instance.rho = 0.5;
    struct built built = build(&instance, PLAIN_PLACEMENT);
    softrelu_solver *solver = NULL, *fresh = NULL;
    assert_int_equal(softrelu_solver_create(built.problem, &solver), SOFTRELU_OK);
    double x[9], expected[9];
    for (double rho = 1.0; rho > 1e-6; rho *= 0.1) {
        struct instance other = instance_copy(&instance);
        other.rho = rho;
        struct built anew = build(&other, PLAIN_PLACEMENT);
        assert_int_equal(softrelu_solver_create(anew.problem, &fresh), SOFTRELU_OK);
        assert_int_equal(softrelu_solver_solve(fresh), SOFTRELU_OK);
        assert_int_equal(softrelu_solver_solution(fresh, expected, 9), SOFTRELU_OK);
        assert_int_equal(softrelu_solver_set_number(solver, SOFTRELU_RHO, rho), SOFTRELU_OK);
        assert_int_equal(softrelu_solver_solve(solver), SOFTRELU_OK);
        assert_int_equal(softrelu_solver_solution(solver, x, 9), SOFTRELU_OK);
        assert_same_doubles(9, x, expected);
        softrelu_solver_destroy(fresh);
        built_free(&anew);
        instance_free(&other);
    }
    REFUSE(softrelu_solver_set_number(solver, SOFTRELU_W, 1.0), SOFTRELU_ERROR_UNKNOWN);
    REFUSE(softrelu_solver_set_number(solver, SOFTRELU_RHO, 0.0), SOFTRELU_ERROR_VALUE);
    REFUSE(softrelu_solver_set_number(solver, SOFTRELU_RHO, INFINITY), SOFTRELU_ERROR_NOT_FINITE);
    SAYS(softrelu_solver_message(solver), "rho");
    REFUSE(softrelu_solver_set_number(NULL, SOFTRELU_RHO, 1.0), SOFTRELU_ERROR_NULL);
    softrelu_solver_destroy(solver);
    built_free(&built);
    instance_free(&instance);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_nearer),         cmocka_unit_test(no_neighbour_is_nearer),
        cmocka_unit_test(frozen_entries_and_bounds), cmocka_unit_test(every_end_says_what_it_is),
        cmocka_unit_test(what_cannot_be_reached),    cmocka_unit_test(what_is_refused),
        cmocka_unit_test(the_path_is_told),          cmocka_unit_test(a_rho_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
