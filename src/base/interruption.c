#include "base/interruption.h"

#include <stddef.h>

#include "base/clock.h"

double srl_seconds_since_start(const struct srl_interruption *interruption) { return srl_now() - interruption->started; }

static softrelu_termination find_out(const struct srl_interruption *interruption) {
    if (interruption->ask != NULL && interruption->ask(interruption->user) != 0)
        return SOFTRELU_CALLBACK_STOP;
    if (atomic_load_explicit(interruption->stop_requested, memory_order_relaxed) != 0)
        return SOFTRELU_STOP_REQUESTED;
    return srl_seconds_since_start(interruption) >= interruption->time_limit ? SOFTRELU_TIME_LIMIT : SOFTRELU_NOT_RUN;
}

bool srl_interrupted(struct srl_interruption *interruption) {
    if (interruption == NULL)
        return false;
    if (interruption->by == SOFTRELU_NOT_RUN)
        interruption->by = find_out(interruption);
    return interruption->by != SOFTRELU_NOT_RUN;
}
