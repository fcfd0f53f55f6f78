#define _POSIX_C_SOURCE 200809L
#include "base/team.h"

#include <pthread.h>
#include <signal.h>

struct member {
    pthread_t thread;
    void (*work)(void *context, int member);
    void *context;
    int number;
};

static void *begin(void *argument) {
    const struct member *member = argument;
    member->work(member->context, member->number);
    return NULL;
}

int srl_team_run(int members, void (*work)(void *context, int member), void *context) {
    struct member others[SRL_MOST_THREADS];
    int started = 0;
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before); /* threads begin with the mask of the one that makes them */
    while (started + 1 < members) {
        struct member *next = &others[started];
        *next = (struct member){.work = work, .context = context, .number = started + 1};
        if (pthread_create(&next->thread, NULL, begin, next) != 0)
            break;
        started++;
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    work(context, 0);
    for (int i = 0; i < started; i++)
        (void)pthread_join(others[i].thread, NULL);
    return started + 1;
}
