/* Threads that share work: every member once, all signals blocked in the others, and threads that the system refuses left out.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "base/team.h"
#include "support/testing.h"

enum { MEMBERS = 5 };

static int refuse_from; /* number of the thread that is refused, from 1, and all after it; 0: none */
static int created;

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*begin)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*begin)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*begin)(void *), void *argument) {
    if (refuse_from > 0 && ++created >= refuse_from)
        return 11; /* EAGAIN */
    return __real_pthread_create(thread, attributes, begin, argument);
}

struct shared {
    pthread_t caller;
    atomic_int calls[MEMBERS], open_signals, misplaced;
    _Atomic int64_t next, sum;
};

static void work(void *context, int member) {
    struct shared *shared = context;
    sigset_t mask;
    atomic_fetch_add(&shared->calls[member], 1);
    atomic_fetch_add(&shared->misplaced, (pthread_equal(pthread_self(), shared->caller) != 0) != (member == 0));
    if (member > 0 && (pthread_sigmask(SIG_SETMASK, NULL, &mask) != 0 || sigismember(&mask, SIGINT) != 1))
        atomic_fetch_add(&shared->open_signals, 1);
    for (int64_t i; (i = atomic_fetch_add(&shared->next, 1)) < 1000;)
        atomic_fetch_add(&shared->sum, i);
}

static int run(int members, struct shared *shared) {
    sigset_t before, after;
    *shared = (struct shared){.caller = pthread_self()};
    assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &before), 0);
    const int taken_part = srl_team_run(members, work, shared);
    assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &after), 0);
    assert_int_equal(sigismember(&before, SIGINT), sigismember(&after, SIGINT));
    assert_int_equal(atomic_load(&shared->sum), 999 * 1000 / 2);
    assert_int_equal(atomic_load(&shared->misplaced), 0);
    assert_int_equal(atomic_load(&shared->open_signals), 0);
    for (int i = 0; i < MEMBERS; i++)
        assert_int_equal(atomic_load(&shared->calls[i]), i < taken_part);
    return taken_part;
}

static void all_take_part(void **state) {
    (void)state;
    struct shared shared;
    refuse_from = 0;
    for (int members = 1; members <= MEMBERS; members++)
        assert_int_equal(run(members, &shared), members);
}

static void refused_threads_are_left_out(void **state) {
    (void)state;
    struct shared shared;
    for (refuse_from = 1; refuse_from < MEMBERS; refuse_from++) {
        created = 0;
        assert_int_equal(run(MEMBERS, &shared), refuse_from);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_take_part), cmocka_unit_test(refused_threads_are_left_out)};
    return cmocka_run_group_tests_name("teams of threads", tests, NULL, NULL);
}
