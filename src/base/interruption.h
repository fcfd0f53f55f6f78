/* What may end a solve from outside at any moment: its time limit, a request to stop, and the user's function that is asked.
   Looked at before every factorisation and evaluation, and between the blocks of whatever takes longer. Work that is
   interrupted ends at once with results that mean nothing; whoever called it looks here before using them. */
#ifndef SRL_BASE_INTERRUPTION_H
#define SRL_BASE_INTERRUPTION_H

#include <stdatomic.h>
#include <stdbool.h>

#include <softrelu/softrelu.h>

#if ATOMIC_INT_LOCK_FREE != 2
#error "a signal handler may only touch atomics that are lock-free"
#endif

struct srl_interruption {
    double started, time_limit; /* seconds on the monotonic clock */
    const atomic_int *stop_requested;
    softrelu_interrupt ask; /* NULL: nobody */
    void *user;
    softrelu_termination by; /* what has interrupted the solve, from then on; SOFTRELU_NOT_RUN: nothing yet */
};

double srl_seconds_since_start(const struct srl_interruption *interruption);
/* Whether to end now. Once true, true until the next solve. NULL: never. */
bool srl_interrupted(struct srl_interruption *interruption);

#endif
