/*
 * A solve is stopped at any moment, in every phase: by a request from its own thread, from another thread or from a signal
 * handler, by its time limit, or by the function that is asked. The moment is the beginning of a call of the BLAS or of LAPACK,
 * so that a test can be repeated, and what is begun afterwards can be counted.
 */
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "outcome.h"
#include "support/solving.h"
#include "variant.h"
#include "work.h"

enum { D = 16, SEED = 71 };
/* After the moment, in a call that is just being begun: no factorisation. Calls of BLAS 3 and LAPACK: what was under way ends
   within one round of a QP or one block, two of them; then the multipliers of the last two points are found, from two sides
   where there are ridges, two calls each. And of BLAS 2: F is evaluated at the lowest point of a search, the point before
   patience, the result, and by the certificate. */
enum { MOST_HEAVY = 2 + 8, MOST_LIGHT = 60 };

/* STOP(enumerator, termination, name) */
#define STOP_LIST(STOP)                                                                                                        \
    STOP(REQUEST, SOFTRELU_STOP_REQUESTED, "request")                                                                          \
    STOP(OTHER_THREAD, SOFTRELU_STOP_REQUESTED, "request from another thread")                                                 \
    STOP(SIGNAL_HANDLER, SOFTRELU_STOP_REQUESTED, "request from a signal handler")                                             \
    STOP(DEADLINE, SOFTRELU_TIME_LIMIT, "time limit")                                                                          \
    STOP(ANSWER, SOFTRELU_CALLBACK_STOP, "answer of the function asked")

#define STOP_ENUMERATOR(id, termination, name) STOP_##id,
#define STOP_TERMINATION(id, termination, name) termination,
#define STOP_NAMED(id, termination, name) name,
enum stop { STOP_LIST(STOP_ENUMERATOR) STOPS };
static const softrelu_termination TERMINATION[STOPS] = {STOP_LIST(STOP_TERMINATION)};
static const char *const STOP_NAME[STOPS] = {STOP_LIST(STOP_NAMED)};

/* A signal handler can be told things in no other way. */
static struct {
    softrelu_solver *solver;
    softrelu_batch *batch; /* in its place */
    enum stop stop;
    int64_t moment; /* number of the call to come; 0: it is past, < 0: never */
    bool answer;
    double time;
    bool seen[STOPS][PHASES];
    int64_t met[PHASES], call_in[PHASES];
    struct test_random random;
} now;

/* A clock that stands still but when a time limit is to be met. */
double __wrap_srl_now(void);
double __wrap_srl_now(void) { return now.time; }

static void request(void) {
    softrelu_solver_request_stop(now.solver);
    softrelu_batch_request_stop(now.batch);
}

static void *request_from_thread(void *unused) {
    request();
    return unused;
}

static void handle(int number) {
    (void)number;
    request();
}

static int asked(void *unused) {
    (void)unused;
    return now.answer;
}

static void stop(void) {
    pthread_t thread;
    switch (now.stop) {
    case STOP_OTHER_THREAD:
        assert_int_equal(pthread_create(&thread, NULL, request_from_thread, NULL), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
        break;
    case STOP_SIGNAL_HANDLER:
        assert_int_equal(raise(SIGUSR1), 0);
        break;
    case STOP_DEADLINE:
        now.time += 10.0;
        break;
    case STOP_ANSWER:
        now.answer = true;
        break;
    default:
        request();
    }
}

/* Without a moment to wait for: notes, for each phase, one of the calls that are made in it, each with the same chance. */
static void look_around(void) {
    for (int phase = 0; phase < PHASES; phase++)
        if (work_in((enum phase)phase) && random_uniform(&now.random, 0.0, (double)++now.met[phase]) < 1.0)
            now.call_in[phase] = work.calls;
}

static void at_call(void) {
    if (now.moment < 0)
        look_around();
    if (now.moment <= 0 || --now.moment > 0)
        return;
    for (int phase = 0; phase < PHASES; phase++)
        now.seen[now.stop][phase] = now.seen[now.stop][phase] || work_in((enum phase)phase);
    stop();
    work_reset();
}

static void solve(softrelu_solver *solver, enum stop how, int64_t moment) {
    now.solver = solver;
    now.batch = NULL;
    now.stop = how;
    now.moment = moment;
    now.answer = false;
    work_reset();
    work_begins = at_call;
    const softrelu_status status = softrelu_solver_solve(solver);
    work_begins = NULL;
    now.solver = NULL;
    if (status != SOFTRELU_OK)
        fail_msg("%s", softrelu_solver_message(solver));
}

struct subject {
    struct varied varied;
    softrelu_solver *solver;
    struct outcome_bits usual;
    softrelu_termination ended;
    int64_t calls, call_in[PHASES];
};

static struct subject subject_of(const struct variant *variant) {
    struct subject subject = {.varied = varied_of(variant, SEED, D)};
    assert_int_equal(varied_solver(&subject.varied, &subject.solver), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_set_real(subject.solver, SOFTRELU_SETTING_TIME_LIMIT, 5.0), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_set_interrupt(subject.solver, asked, NULL), SOFTRELU_OK);
    memset(now.met, 0, sizeof now.met);
    memset(now.call_in, 0, sizeof now.call_in);
    now.random = (struct test_random){SEED};
    solve(subject.solver, STOP_REQUEST, -1);
    subject.calls = work.calls;
    memcpy(subject.call_in, now.call_in, sizeof subject.call_in);
    subject.usual = outcome_of(subject.solver, D);
    subject.ended = softrelu_report_termination(softrelu_solver_report(subject.solver));
    return subject;
}

static void subject_free(struct subject *subject) {
    outcome_free(&subject->usual);
    softrelu_solver_destroy(subject->solver);
    varied_free(&subject->varied);
}

/* What is kept: the best point, finite, no higher than the start, and said to be what it is. */
static void check_kept(const struct subject *subject) {
    const softrelu_report *report = softrelu_solver_report(subject->solver);
    double x[D], loss = NAN, there = NAN, first = INFINITY;
    assert_int_equal(softrelu_solver_solution(subject->solver, x, D), SOFTRELU_OK);
    assert_int_equal(softrelu_report_number(report, SOFTRELU_REPORT_LOSS, &loss), SOFTRELU_OK);
    softrelu_evaluator *evaluator = evaluator_at(subject->varied.built.problem, x, D);
    assert_int_equal(softrelu_evaluator_loss(evaluator, &there, NULL, NULL, NULL), SOFTRELU_OK);
    assert_true(fabs(loss - there) <= 1e-12 * (1.0 + fabs(there)));
    if (subject->varied.x0 != NULL) {
        assert_int_equal(softrelu_evaluator_move(evaluator, subject->varied.x0, D), SOFTRELU_OK);
        assert_int_equal(softrelu_evaluator_loss(evaluator, &first, NULL, NULL, NULL), SOFTRELU_OK);
    } else if (softrelu_report_trace_length(report) > 0) {
        assert_int_equal(softrelu_report_trace_number(report, 0, SOFTRELU_TRACE_LOSS, &first), SOFTRELU_OK);
    }
    const bool searched = strstr(subject->varied.variant->settings, "globalisation=none") == NULL;
    assert_true(isfinite(loss) && (!searched || loss <= first));
    softrelu_evaluator_destroy(evaluator);
}

static void check_work(const struct subject *subject, enum stop how, int64_t moment) {
    if (work.factorisations > 0 || work.heavy > MOST_HEAVY || work.calls - work.heavy > MOST_LIGHT)
        fail_msg("%s: %s at call %lld of %lld: then %lld factorisations, %lld heavy calls, %s the largest, and %lld others",
                 subject->varied.variant->name, STOP_NAME[how], (long long)moment, (long long)subject->calls,
                 (long long)work.factorisations, (long long)work.heavy, work.largest, (long long)(work.calls - work.heavy));
}

/* Then the lowest end found before is returned, whatever it was. */
static bool several_starts(const struct subject *subject) {
    return strstr(subject->varied.variant->settings, "starts=") != NULL;
}

static void check_stop(struct subject *subject, enum stop how, int64_t moment) {
    softrelu_solver *solver = subject->solver;
    solve(solver, how, moment);
    check_work(subject, how, moment);
    const softrelu_termination ended = softrelu_report_termination(softrelu_solver_report(solver));
    const softrelu_certificate *certificate = softrelu_solver_certificate(solver);
    struct outcome_bits stopped = outcome_of(solver, D);
    /* a request that comes when all has been decided changes nothing, or only what would have been proved of the point */
    const bool examined = softrelu_certificate_reason(certificate) != SOFTRELU_REASON_INTERRUPTED;
    const bool late = !examined || several_starts(subject) || same_outcome(&stopped, &subject->usual);
    if (ended != TERMINATION[how] && !(ended == subject->ended && late))
        fail_msg("%s: %s at call %lld of %lld: %s", subject->varied.variant->name, STOP_NAME[how], (long long)moment,
                 (long long)subject->calls, softrelu_termination_name(ended));
    if (!several_starts(subject))
        assert_true(trace_begins(&stopped, &subject->usual));
    outcome_free(&stopped);
    check_kept(subject);
}

static void check_usual(struct subject *subject) {
    solve(subject->solver, STOP_REQUEST, -1);
    struct outcome_bits again = outcome_of(subject->solver, D);
    if (!same_outcome(&again, &subject->usual))
        fail_msg("%s: not the same as before the stop", subject->varied.variant->name);
    outcome_free(&again);
}

/* At a moment of each phase, and at any. */
static int64_t stop_at_moments(struct subject *subject, enum stop how, int64_t moments, struct test_random *random) {
    int64_t stops = 0;
    for (int phase = 0; phase < PHASES && moments > 1; phase++)
        if (subject->call_in[phase] > 0) {
            check_stop(subject, how, subject->call_in[phase]);
            check_usual(subject);
            stops++;
        }
    for (int64_t k = 0; k < moments; k++, stops++) {
        const int64_t from = 1 + k * subject->calls / moments, to = (k + 1) * subject->calls / moments;
        check_stop(subject, how, random_between(random, from, to > from ? to : from));
        check_usual(subject);
    }
    return stops;
}

static void everywhere(void **state) {
    (void)state;
    struct test_random random = {SEED};
    const int64_t moments = test_effort(200, 8, 1);
    int64_t stops = 0;
    work_order = D;
    struct sigaction action = {.sa_handler = handle}, before;
    assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
    for (int v = 0; v < VARIANTS; v++) {
        struct subject subject = subject_of(&VARIANT[v]);
        for (int how = 0; how < STOPS; how++)
            stops += stop_at_moments(&subject, (enum stop)how, moments, &random);
        subject_free(&subject);
    }
    assert_int_equal(sigaction(SIGUSR1, &before, NULL), 0);
    print_message("%lld stops\n", (long long)stops);
    for (int how = 0; how < STOPS && moments > 1; how++)
        for (int phase = 0; phase < PHASES; phase++)
            if (!now.seen[how][phase])
                fail_msg("%s was never met in: %s", STOP_NAME[how], PHASE_NAME[phase]);
}

/* The same of a batch on one thread: the target under way stops, the others are not begun, and the next run is the usual one.
 */
static void in_a_batch(void **state) {
    (void)state;
    enum { TARGETS = 4 };
    struct subject subject = subject_of(&VARIANT[1]);
    struct test_random random = {SEED + 1};
    softrelu_batch *batch = NULL;
    const int64_t m = subject.varied.instance.m;
    double x[TARGETS * D], *b = test_doubles(TARGETS * m);
    for (int64_t k = 0; k < TARGETS * m; k++)
        b[k] = random_uniform(&random, 0.0, 2.0 / (double)m);
    assert_int_equal(softrelu_batch_create(subject.solver, TARGETS, 1, SOFTRELU_BLAS_KEEP, &batch), SOFTRELU_OK);
    assert_int_equal(softrelu_batch_set_columns(batch, SOFTRELU_B, b, m), SOFTRELU_OK);
    work_reset();
    assert_int_equal(softrelu_solve_batch(batch, TARGETS, x, D), SOFTRELU_OK);
    const int64_t calls = work.calls;
    struct outcome_bits usual[TARGETS];
    for (int t = 0; t < TARGETS; t++)
        usual[t] = outcome_of_target(batch, t);
    for (int64_t k = 0; k < test_effort(400, 40, 3); k++) {
        now.batch = batch;
        now.solver = NULL;
        now.stop = k % 2 == 0 ? STOP_REQUEST : STOP_OTHER_THREAD;
        now.moment = random_between(&random, 1, calls);
        work_begins = at_call;
        assert_int_equal(softrelu_solve_batch(batch, TARGETS, x, D), SOFTRELU_OK);
        work_begins = NULL;
        check_work(&subject, now.stop, k);
        int stopped = 0, not_begun = 0;
        for (int t = 0; t < TARGETS; t++) {
            struct outcome_bits outcome = outcome_of_target(batch, t);
            const softrelu_termination ended = softrelu_report_termination(softrelu_batch_report(batch, t));
            if (ended == SOFTRELU_NOT_RUN)
                not_begun++;
            else if (!same_outcome(&outcome, &usual[t]))
                stopped++;
            assert_true(ended == SOFTRELU_NOT_RUN || not_begun == 0);
            outcome_free(&outcome);
        }
        assert_true(stopped <= 1);
        assert_int_equal(softrelu_solve_batch(batch, TARGETS, x, D), SOFTRELU_OK);
        for (int t = 0; t < TARGETS; t++) {
            struct outcome_bits outcome = outcome_of_target(batch, t);
            assert_true(same_outcome(&outcome, &usual[t]));
            outcome_free(&outcome);
        }
    }
    for (int t = 0; t < TARGETS; t++)
        outcome_free(&usual[t]);
    softrelu_batch_destroy(batch);
    free(b);
    subject_free(&subject);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(everywhere), cmocka_unit_test(in_a_batch)};
    return cmocka_run_group_tests_name("stop", tests, NULL, NULL);
}
