/*
 * What ranks say to each other, message by message, in the steps of a solve and in a certificate: that of the tables in
 * docs/scaling.md, which depends on n and d alone, not on how many outputs there are or how many ranks.
 */
#include <stdlib.h>
#include <string.h>

#include "support/ranks.h"
#include "support/solving.h"

enum { MOST_RANKS = 4, MOST_MESSAGES = 1 << 15, MOST_MARKS = 64, MOST_SETTINGS = 4 };
enum {
    LETTER = 248,
    STOPS = 2,
    COLUMNS = 16,
    PEAKS = 4,
    LEAST_ROOM = 4096
}; /* bytes; entries behind each sum; of a sketch; of a target */

enum kind { SENT, SUMMED, LARGEST };
struct message {
    enum kind kind;
    int64_t bytes;
};

struct script {
    struct message *messages;
    int64_t count;
};

static void write_message(struct script *script, enum kind kind, int64_t bytes) {
    if (script->count == MOST_MESSAGES)
        abort(); /* also in threads, where nothing can be asserted */
    script->messages[script->count++] = (struct message){kind, bytes};
}

static struct script new_script(void) {
    struct script script = {calloc(MOST_MESSAGES, sizeof(struct message)), 0};
    assert_non_null(script.messages);
    return script;
}

static bool is_same_message(struct message one, struct message other) {
    return one.kind == other.kind && one.bytes == other.bytes;
}

/* ---- a communicator that writes down what it is asked for ---- */

struct recorder {
    const softrelu_communicator *with;
    struct script log;
};

static int record_sum(void *context, double *values, int64_t count) {
    struct recorder *recorder = context;
    write_message(&recorder->log, SUMMED, count * (int64_t)sizeof *values);
    return recorder->with->sum(recorder->with->context, values, count);
}
static int record_largest(void *context, double *values, int64_t count) {
    struct recorder *recorder = context;
    write_message(&recorder->log, LARGEST, count * (int64_t)sizeof *values);
    return recorder->with->largest(recorder->with->context, values, count);
}
static int record_broadcast(void *context, void *bytes, int64_t count, int root) {
    struct recorder *recorder = context;
    write_message(&recorder->log, SENT, count);
    return recorder->with->broadcast(recorder->with->context, bytes, count, root);
}

static softrelu_communicator recording(struct recorder *recorder) {
    return (softrelu_communicator){sizeof(softrelu_communicator),
                                   recorder->with->rank,
                                   recorder->with->size,
                                   recorder,
                                   record_sum,
                                   record_largest,
                                   record_broadcast};
}

/* ---- the operations, as docs/scaling.md has them ---- */

enum operation {
    LOGITS, /* and rates of change of logits */
    COPY,   /* and moves by no columns */
    MOVE,
    NORM,
    VALUE,
    SLOPES,
    BACK,
    LINE,
    HESSIAN,
    FROM_FACTORS,
    CURVE,
    PREPARE,
    ONE_SUM,  /* the sampler's first look, and whether some weight is negative */
    TWO_SUMS, /* the sampler's rounds, draws and looks for changes */
    SKETCH,
    SAMPLE,
    EXAMINE,
    FIT,
    FIT_OF_BOTH_SIGNS,
    CONSTANTS,
    LEVERS,
    SENSITIVITY,
    OPERATIONS
};

struct shape {
    int64_t n, d, m;
    bool kl, kept; /* the loss; whether G is kept */
};

static void letter(struct script *to) { write_message(to, SENT, LETTER); }
static void sent(struct script *to, int64_t doubles) {
    if (doubles > 0)
        write_message(to, SENT, 8 * doubles);
}
static void summed(struct script *to, int64_t doubles) { write_message(to, SUMMED, 8 * (doubles + STOPS)); }
static void largest(struct script *to, int64_t doubles) { write_message(to, LARGEST, 8 * doubles); }
static void largest_two(struct script *to) {
    largest(to, 1);
    summed(to, 1);
    largest(to, 1);
}
static int64_t triangle(int64_t order) { return order * (order + 1) / 2; }

/* In parts of the most numbers that are added up at a time. */
static void sum_triangle(struct script *to, const struct shape *of, int64_t order) {
    int64_t room = triangle(of->d) > of->n ? triangle(of->d) : of->n, left = triangle(order);
    room = room > LEAST_ROOM ? room : LEAST_ROOM;
    for (; left > 0; left -= room)
        summed(to, left < room ? left : room);
}

/* size: of what depends on the point: columns moved by, active units, dimensions that are free. */
static void operate(struct script *to, enum operation operation, const struct shape *of, int64_t size) {
    letter(to);
    switch (operation) {
    case LOGITS:
        sent(to, of->n);
        break;
    case MOVE:
        write_message(to, SENT, 4 * size);
        sent(to, size);
        break;
    case NORM:
        largest(to, 1);
        summed(to, 1);
        break;
    case VALUE:
        largest(to, 2);
        largest(to, 1);
        largest(to, 1);
        summed(to, 4);
        summed(to, of->kl ? 2 : 1);
        break;
    case SLOPES:
        if (!of->kl)
            summed(to, 2);
        summed(to, 1);
        break;
    case BACK:
        summed(to, of->n);
        if (!of->kept)
            summed(to, of->n);
        break;
    case LINE:
        summed(to, 1);
        summed(to, 1);
        summed(to, 2);
        break;
    case HESSIAN:
        sent(to, of->n);
        summed(to, of->d);
        if (of->kept)
            summed(to, of->d);
        summed(to, triangle(of->d));
        break;
    case FROM_FACTORS:
        sent(to, of->n);
        if (of->kept)
            summed(to, of->n);
        summed(to, size);
        sum_triangle(to, of, size);
        break;
    case CURVE:
        sent(to, of->n);
        summed(to, 1);
        summed(to, 1);
        summed(to, 2);
        summed(to, of->n);
        break;
    case PREPARE:
        sent(to, of->n);
        summed(to, of->d);
        break;
    case ONE_SUM:
        summed(to, 1);
        break;
    case TWO_SUMS:
        summed(to, 2);
        break;
    case SKETCH:
        sent(to, COLUMNS * of->n);
        summed(to, COLUMNS);
        break;
    case SAMPLE:
        summed(to, triangle(of->d));
        summed(to, triangle(of->d));
        break;
    case EXAMINE:
        sent(to, of->n);
        largest(to, 1);
        largest(to, 1);
        summed(to, 2);
        if (of->kl)
            summed(to, 2);
        summed(to, of->kl ? 1 : 3);
        largest(to, 1);
        summed(to, 1);
        summed(to, of->n);
        summed(to, 1);
        break;
    case FIT:
    case FIT_OF_BOTH_SIGNS:
        write_message(to, SENT, of->n);
        sent(to, size < of->d ? of->d * size : 0);
        summed(to, of->n);
        summed(to, of->n);
        summed(to, 1);
        summed(to, triangle(size));
        if (operation == FIT_OF_BOTH_SIGNS)
            summed(to, triangle(size));
        largest_two(to);
        break;
    case CONSTANTS:
        for (int i = 0; i < (of->kl ? 0 : 1 + 2 * PEAKS); i++)
            largest(to, 1);
        if (of->kl)
            summed(to, 2);
        break;
    case LEVERS:
        sent(to, of->n);
        sent(to, of->n);
        largest(to, 2);
        break;
    case SENSITIVITY:
        largest(to, 1);
        summed(to, 1);
        for (int i = 0; i < (of->kl ? 0 : 3); i++)
            summed(to, i == 0 ? 2 : 1);
        summed(to, 2);
        break;
    default: /* COPY */
        break;
    }
}

static struct traffic total(const struct message *messages, int64_t count) {
    struct traffic traffic = {count, 0};
    for (int64_t i = 0; i < count; i++)
        traffic.bytes += messages[i].bytes;
    return traffic;
}

static void assert_traffic(struct traffic actual, int64_t messages, int64_t bytes) {
    assert_int_equal(actual.messages, messages);
    assert_int_equal(actual.bytes, bytes);
}

static bool begins_with(const struct script *log, int64_t at, int64_t end, const struct script *expected) {
    if (end - at < expected->count)
        return false;
    for (int64_t i = 0; i < expected->count; i++)
        if (!is_same_message(log->messages[at + i], expected->messages[i]))
            return false;
    return true;
}

/* ---- solves whose iterations are marked ---- */

struct mark {
    int64_t at;
    double evaluations, flips, products, active;
};

struct solve {
    const struct instance *instance;
    const char *settings[MOST_SETTINGS][2];
    const double *x0;
    enum division division;
    struct recorder recorders[MOST_RANKS];
    struct mark marks[MOST_MARKS];
    int count;
    int64_t began; /* where the certificate does */
    double *x;     /* the end */
    softrelu_verdict verdict;
    bool distance;       /* was asked for, and bounded */
    double free, ending; /* dimensions; whether it met the tolerance */
};

static int mark_iteration(const softrelu_report *report, void *user) {
    struct solve *of = user;
    if (of->count == MOST_MARKS)
        return 1;
    struct mark *mark = &of->marks[of->count++];
    double *const numbers[] = {&mark->evaluations, &mark->flips, &mark->products, &mark->active};
    const softrelu_quantity quantities[] = {SOFTRELU_TRACE_EVALUATIONS, SOFTRELU_TRACE_FLIPS, SOFTRELU_TRACE_HESSIAN_PRODUCTS,
                                            SOFTRELU_TRACE_ACTIVE_UNITS};
    mark->at = of->recorders[0].log.count;
    for (int i = 0; i < 4; i++)
        (void)softrelu_report_trace_number(report, softrelu_report_trace_length(report) - 1, quantities[i], numbers[i]);
    return 0;
}

/* In threads that are not the test's own nothing may be asserted, and one that stopped would leave the others waiting. */
static void must_equal(int64_t actual, int64_t expected) {
    if (actual != expected)
        abort();
}

static void certify_again(struct solve *of, const softrelu_problem *problem, int rank) {
    softrelu_certificate *certificate = NULL;
    must_equal(softrelu_certificate_create(problem, &certificate), SOFTRELU_OK);
    if (rank == 0)
        of->began = of->recorders[0].log.count;
    must_equal(softrelu_certify(certificate, of->x, of->instance->d, 1e-9, 1e-10), SOFTRELU_OK);
    if (rank == 0) {
        of->verdict = softrelu_certificate_verdict(certificate);
        of->distance = softrelu_certificate_distance(certificate) == SOFTRELU_DISTANCE_PROVED;
        (void)softrelu_certificate_number(certificate, SOFTRELU_CERTIFICATE_FREE_DIMENSIONS, &of->free);
    }
    softrelu_certificate_destroy(certificate);
}

static void solve_rank(const softrelu_communicator *with, void *context) {
    struct solve *of = context;
    struct recorder *recorder = &of->recorders[with->rank];
    recorder->with = with;
    const softrelu_communicator recorded = recording(recorder);
    softrelu_problem *problem = divided_problem(of->instance, &recorded, of->division);
    softrelu_solver *solver = NULL;
    must_equal(problem != NULL, true);
    must_equal(softrelu_solver_create(problem, &solver), SOFTRELU_OK);
    for (int i = 0; i < MOST_SETTINGS && of->settings[i][0] != NULL; i++)
        must_equal(softrelu_solver_set_text(solver, of->settings[i][0], of->settings[i][1]), SOFTRELU_OK);
    must_equal(softrelu_solver_set_start(solver, of->x0, of->instance->d), SOFTRELU_OK);
    if (with->rank == 0)
        (void)softrelu_solver_set_callback(solver, mark_iteration, of);
    must_equal(softrelu_solver_solve(solver), SOFTRELU_OK);
    double *x = test_doubles(of->instance->d);
    (void)softrelu_solver_solution(solver, x, of->instance->d);
    if (with->rank == 0) {
        memcpy(of->x, x, (size_t)of->instance->d * sizeof *x);
        of->ending = softrelu_report_termination(softrelu_solver_report(solver)) == SOFTRELU_CONVERGED;
    }
    softrelu_solver_destroy(solver);
    double nothing = 0.0; /* all wait for the first */
    must_equal(with->sum(with->context, &nothing, 1), 0);
    certify_again(of, problem, with->rank);
    must_equal(traffic_of(with).messages, recorder->log.count + 1);
    softrelu_problem_destroy(problem);
    free(x);
}

/* All ranks take part in the same. */
static void run_solve(struct solve *of, int size) {
    of->count = 0;
    of->x = test_doubles(of->instance->d);
    for (int rank = 0; rank < size; rank++)
        of->recorders[rank].log = new_script();
    (void)run_on_threads(size, -1, 0, solve_rank, of);
    const struct script *first = &of->recorders[0].log;
    for (int rank = 1; rank < size; rank++) {
        assert_int_equal(of->recorders[rank].log.count, first->count);
        assert_true(begins_with(&of->recorders[rank].log, 0, first->count, first));
    }
}

static void forget_solve(struct solve *of, int size) {
    for (int rank = 0; rank < size; rank++)
        free(of->recorders[rank].log.messages);
    free(of->x);
}

/* Iterations whose messages are those of the steps alone: when the last one meets the tolerance, its point is looked at again.
 */
static int whole_iterations(const struct solve *of) { return of->count - (of->ending != 0.0); }

struct trial {
    struct instance instance;
    struct shape shape;
    double *x0;
};

static struct trial trial_of(struct test_random *random, int64_t n, int64_t d, int64_t m, bool kl, bool kept) {
    struct trial trial = {synthetic_instance(random, n, d, m, 0.3, 0.03), {n, d, m, kl, kept}, test_doubles(d)};
    trial.instance.loss = kl ? SOFTRELU_KL : SOFTRELU_SQUARES;
    random_fill(random, 1.0, d, trial.x0);
    return trial;
}

static void free_trial(struct trial *trial) {
    instance_free(&trial->instance);
    free(trial->x0);
}

/* n, d, m: many units for each input, so that the Hessian is made from rows; no array of n or d has the size of a letter */
static const int64_t SHAPES[][3] = {{60, 10, 40}, {80, 12, 300}, {100, 16, 130}, {60, 10, 500}};
enum { SHAPE_COUNT = sizeof SHAPES / sizeof SHAPES[0] };

static void each_trial(void (*check)(const struct trial *trial, int size)) {
    struct test_random random = {41};
    for (int shape = 0; shape < test_effort(SHAPE_COUNT, SHAPE_COUNT, 1); shape++)
        for (int variant = 0; variant < 4; variant++) {
            struct trial trial =
                trial_of(&random, SHAPES[shape][0], SHAPES[shape][1], SHAPES[shape][2], (variant & 1) != 0, (variant & 2) != 0);
            for (int size = 1; size <= MOST_RANKS; size += 1 + shape)
                check(&trial, size);
            free_trial(&trial);
        }
}

/* ---- the whole-step method ---- */

static void check_whole_steps(const struct trial *trial, int size) {
    const struct shape *of = &trial->shape;
    const int64_t n = of->n, d = of->d;
    struct solve solve = {.instance = &trial->instance,
                          .x0 = trial->x0,
                          .division = (enum division)(size % DIVISION_COUNT),
                          .settings = {{"globalisation", "none"},
                                       {"warm_start_rounds", "0"},
                                       {"max_iterations", "5"},
                                       {of->kept ? NULL : "jacobian_memory", "0"}}};
    run_solve(&solve, size);
    assert_true(whole_iterations(&solve) >= 3);
    const struct script *log = &solve.recorders[0].log;
    struct script expected = new_script();
    const enum operation steps[] = {HESSIAN, LOGITS, VALUE, SLOPES, BACK};
    for (int i = 0; i < 5; i++)
        operate(&expected, steps[i], of, 0);
    for (int k = 1; k < whole_iterations(&solve); k++) {
        const int64_t from = solve.marks[k - 1].at, to = solve.marks[k].at;
        assert_true(begins_with(log, from, to, &expected));
        assert_traffic(total(log->messages + from, to - from), of->kl ? 17 : 18,
                       (of->kl ? 1440 : 1464) + 8 * ((of->kept ? 3 * n + 2 * d : 4 * n + d) + triangle(d)));
    }
    free(expected.messages);
    forget_solve(&solve, size);
}

static void whole_steps(void **state) {
    (void)state;
    each_trial(check_whole_steps);
}

/* With few units the matrix is made of the factors of G: of what the ranks add up, the active units are the order. */
static void check_factors(const struct trial *trial, int size) {
    const struct shape *of = &trial->shape;
    struct solve solve = {
        .instance = &trial->instance,
        .x0 = trial->x0,
        .settings = {{"globalisation", "none"}, {"warm_start_rounds", "0"}, {"max_iterations", "3"}, {"jacobian_memory", "0"}}};
    run_solve(&solve, size);
    assert_true(whole_iterations(&solve) >= 2);
    for (int k = 1; k < whole_iterations(&solve); k++) {
        struct script expected = new_script();
        operate(&expected, FROM_FACTORS, of, (int64_t)solve.marks[k - 1].active);
        assert_true(begins_with(&solve.recorders[0].log, solve.marks[k - 1].at, solve.marks[k].at, &expected));
        free(expected.messages);
    }
    forget_solve(&solve, size);
}

static void few_units(void **state) {
    (void)state;
    struct test_random random = {43};
    const int64_t shapes[][3] = {{24, 16, 300}, {200, 64, 1500}}; /* the second: what is added up goes in two parts */
    for (int shape = 0; shape < 2; shape++)
        for (int kl = 0; kl < 2; kl++) {
            struct trial trial = trial_of(&random, shapes[shape][0], shapes[shape][1], shapes[shape][2], kl != 0, false);
            for (int size = 1; size <= MOST_RANKS; size += 2)
                check_factors(&trial, size);
            free_trial(&trial);
        }
}

/* ---- steps with a line search, and others whose number of messages depends on the way ---- */

/* Reads operations between two marks: how many of each there were. Fails where the messages are those of none. */
static void read_operations(const struct script *log, int64_t from, int64_t to, const struct shape *of, int64_t *counts) {
    struct script operation = new_script();
    memset(counts, 0, OPERATIONS * sizeof *counts);
    while (from < to) {
        int64_t end = from + 1, found = OPERATIONS;
        while (end < to && !is_same_message(log->messages[end], (struct message){SENT, LETTER}))
            end++;
        const int64_t first = end - from > 1 ? log->messages[from + 1].bytes : 0;
        for (int candidate = 0; candidate < EXAMINE && found == OPERATIONS; candidate++) {
            const int64_t size = candidate == MOVE ? first / 4 : 0;
            operation.count = 0;
            operate(&operation, (enum operation)candidate, of, size);
            if (operation.count == end - from && begins_with(log, from, end, &operation))
                found = candidate;
        }
        if (found == OPERATIONS)
            fail_msg("messages %lld to %lld are of no operation", (long long)from, (long long)end);
        counts[found]++;
        from = end;
    }
    free(operation.messages);
}

static int64_t steps_at_once, steps_searched;

/* The trial of a step: all of A2, or the columns of units that have changed sides; what both say at least, and at most. */
static void check_search(const struct trial *trial, int size) {
    const struct shape *of = &trial->shape;
    const int64_t n = of->n, d = of->d;
    struct solve solve = {
        .instance = &trial->instance,
        .x0 = trial->x0,
        .settings = {{"warm_start_rounds", "0"}, {"max_iterations", "40"}, {of->kept ? NULL : "jacobian_memory", "0"}}};
    run_solve(&solve, size);
    const struct script *log = &solve.recorders[0].log;
    for (int k = 1; k < whole_iterations(&solve); k++) {
        const struct mark *before = &solve.marks[k - 1], *mark = &solve.marks[k];
        const int64_t evaluations = (int64_t)(mark->evaluations - before->evaluations), flips = (int64_t)mark->flips;
        const struct traffic traffic = total(log->messages + before->at, mark->at - before->at);
        int64_t counts[OPERATIONS];
        read_operations(log, before->at, mark->at, of, counts);
        assert_int_equal(counts[VALUE], evaluations);
        assert_int_equal(counts[HESSIAN], 1);
        steps_searched += evaluations > 1;
        if (evaluations > 1 || counts[LINE] > 0)
            continue;
        steps_at_once++;
        const int64_t bytes = (of->kl ? 2216 : 2240) + 8 * ((of->kept ? 3 * n + 2 * d : 4 * n + d) + triangle(d));
        const bool by_columns = counts[MOVE] > 0 || 8 * flips <= n;
        const int64_t moved = counts[MOVE] > 0 ? flips : 0;
        assert_true(by_columns || moved == 0);
        assert_traffic(traffic, (of->kl ? 22 : 23) + (moved > 0 ? 2 : 0), bytes + 12 * moved);
    }
    forget_solve(&solve, size);
}

static void steps_along_a_line(void **state) {
    (void)state;
    steps_at_once = steps_searched = 0;
    each_trial(check_search);
    assert_true(steps_at_once >= 20 && steps_searched >= 20);
}

static int64_t kept_scores, made_scores;

static void check_sampled(const struct trial *trial, int size) {
    struct shape shape = trial->shape;
    shape.kept = false;
    struct solve solve = {
        .instance = &trial->instance,
        .x0 = trial->x0,
        .settings = {{"warm_start_rounds", "0"}, {"max_iterations", "10"}, {"hessian", "sampled"}, {"globalisation", "none"}}};
    run_solve(&solve, size);
    for (int k = 1; k < whole_iterations(&solve); k++) {
        const struct mark *before = &solve.marks[k - 1], *mark = &solve.marks[k];
        int64_t counts[OPERATIONS];
        read_operations(&solve.recorders[0].log, before->at, mark->at, &shape, counts);
        if (counts[HESSIAN] > 0)
            continue; /* the sample could not serve */
        assert_int_equal(counts[PREPARE], 1);
        const bool anew = counts[SAMPLE] > 1; /* with nothing known: two samples for a metric, and the one that is meant */
        assert_int_equal(counts[SAMPLE], anew ? 3 : 1);
        assert_int_equal(counts[ONE_SUM] + (shape.kl ? counts[SLOPES] - 1 : 0), anew ? 1 : 0);
        assert_int_equal(counts[VALUE], 1);
        assert_int_equal(counts[SKETCH], anew ? 2 : counts[COPY]);
        if (!anew)
            assert_int_equal(counts[TWO_SUMS], 2); /* is what was measured still good? and a draw */
        kept_scores += !anew && counts[SKETCH] == 0;
        made_scores += !anew && counts[SKETCH] == 1;
    }
    forget_solve(&solve, size);
}

static void sampled_matrices(void **state) {
    (void)state;
    kept_scores = made_scores = 0;
    each_trial(check_sampled);
    assert_true(kept_scores > 0 && made_scores > 0);
}

static void check_products(const struct trial *trial, int size) {
    struct solve solve = {.instance = &trial->instance,
                          .x0 = trial->x0,
                          .settings = {{"warm_start_rounds", "0"},
                                       {"max_iterations", "10"},
                                       {"step", "pcg"},
                                       {trial->shape.kept ? NULL : "jacobian_memory", "0"}}};
    int64_t products = 0;
    run_solve(&solve, size);
    for (int k = 1; k < whole_iterations(&solve); k++) {
        const struct mark *before = &solve.marks[k - 1], *mark = &solve.marks[k];
        int64_t counts[OPERATIONS];
        read_operations(&solve.recorders[0].log, before->at, mark->at, &trial->shape, counts);
        assert_int_equal(counts[CURVE], (int64_t)(mark->products - before->products));
        products += counts[CURVE];
    }
    assert_true(products > 0);
    forget_solve(&solve, size);
    struct script product = new_script();
    operate(&product, CURVE, &trial->shape, 0);
    assert_traffic(total(product.messages, product.count), 6, 344 + 16 * trial->shape.n);
    free(product.messages);
}

static void products_with_the_hessian(void **state) {
    (void)state;
    each_trial(check_products);
}

static int64_t certified, bounded;

/* From the point to the verdict, and what all ranks are told of it. */
static void check_certificate(const struct trial *trial, int size) {
    const struct shape *of = &trial->shape;
    const int64_t n = of->n, d = of->d;
    struct solve solve = {.instance = &trial->instance, .x0 = trial->x0};
    run_solve(&solve, size);
    const struct script *log = &solve.recorders[0].log;
    const int64_t free_dimensions = (int64_t)solve.free;
    struct script expected = new_script();
    largest(&expected, 1); /* no rank refuses; all have the same handle */
    largest(&expected, 18);
    operate(&expected, EXAMINE, of, 0);
    assert_true(begins_with(log, solve.began, log->count, &expected));
    if (solve.verdict == SOFTRELU_VERDICT_CERTIFIED && free_dimensions > 0) {
        certified++;
        operate(&expected, ONE_SUM, of, 0);
        const int64_t before = expected.count;
        operate(&expected, FIT, of, free_dimensions);
        if (!begins_with(log, solve.began, log->count, &expected)) {
            expected.count = before;
            operate(&expected, FIT_OF_BOTH_SIGNS, of, free_dimensions);
        }
        assert_true(begins_with(log, solve.began, log->count, &expected));
    }
    if (solve.distance) {
        bounded++;
        operate(&expected, CONSTANTS, of, 0);
        operate(&expected, LEVERS, of, 0);
        operate(&expected, SENSITIVITY, of, 0);
        assert_true(begins_with(log, solve.began, log->count, &expected));
    }
    expected.count = 0; /* the end: nothing more to do, no rank has failed, and the certificate */
    letter(&expected);
    largest(&expected, 1);
    const int64_t parts[] = {40, 112, 8 * n, 8 * d, 8 * d, n, d};
    for (int i = 0; i < 7; i++)
        write_message(&expected, SENT, parts[i]);
    assert_true(begins_with(log, log->count - expected.count, log->count, &expected));
    free(expected.messages);
    forget_solve(&solve, size);
}

static void certificates(void **state) {
    (void)state;
    certified = bounded = 0;
    each_trial(check_certificate);
    assert_true(certified >= 10 && bounded >= 10);
}

/* The numbers of docs/scaling.md. */
static void the_table(void **state) {
    (void)state;
    const int64_t n = 70, d = 9, c = 5, a = 13, q = 7, t = triangle(d);
    const struct {
        enum operation operation;
        bool kl, kept;
        int64_t size, messages, bytes;
    } rows[] = {
        {LOGITS, false, true, 0, 2, 248 + 8 * n},
        {MOVE, false, true, c, 3, 248 + 12 * c},
        {COPY, false, true, 0, 1, 248},
        {VALUE, false, true, 0, 6, 352},
        {VALUE, true, true, 0, 6, 360},
        {SLOPES, false, true, 0, 3, 304},
        {SLOPES, true, true, 0, 2, 272},
        {BACK, false, true, 0, 2, 264 + 8 * n},
        {BACK, false, false, 0, 3, 280 + 16 * n},
        {HESSIAN, false, true, 0, 5, 296 + 8 * (n + 2 * d + t)},
        {HESSIAN, false, false, 0, 4, 280 + 8 * (n + d + t)},
        {FROM_FACTORS, false, false, a, 4, 280 + 8 * (n + a + triangle(a))},
        {NORM, false, true, 0, 3, 280},
        {LINE, false, true, 0, 4, 328},
        {CURVE, false, true, 0, 6, 344 + 16 * n},
        {PREPARE, false, false, 0, 3, 264 + 8 * (n + d)},
        {ONE_SUM, false, false, 0, 2, 272},
        {SKETCH, false, false, 0, 3, 392 + 128 * n},
        {TWO_SUMS, false, false, 0, 2, 280},
        {SAMPLE, false, false, 0, 3, 280 + 16 * t},
        {EXAMINE, false, true, 0, 10, 408 + 16 * n},
        {EXAMINE, true, true, 0, 11, 424 + 16 * n},
        {FIT, false, true, q, 10, 360 + 17 * n + 8 * d * q + 4 * q * (q + 1)},
        {CONSTANTS, false, true, 0, 10, 320},
        {CONSTANTS, true, true, 0, 2, 280},
        {LEVERS, false, true, 0, 4, 264 + 16 * n},
        {SENSITIVITY, false, true, 0, 7, 392},
        {SENSITIVITY, true, true, 0, 4, 312},
    };
    struct script script = new_script();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct shape shape = {n, d, 100, rows[i].kl, rows[i].kept};
        script.count = 0;
        operate(&script, rows[i].operation, &shape, rows[i].size);
        assert_traffic(total(script.messages, script.count), rows[i].messages, rows[i].bytes);
    }
    free(script.messages);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table),          cmocka_unit_test(whole_steps),      cmocka_unit_test(few_units),
        cmocka_unit_test(steps_along_a_line), cmocka_unit_test(sampled_matrices), cmocka_unit_test(products_with_the_hessian),
        cmocka_unit_test(certificates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
