/* What a solve may still spend: evaluations, wall time, and the patience of whoever may ask it to stop. Asked before every
   evaluation and factorisation, inside the line search and the warm start too. */
#ifndef SRL_STEP_BUDGET_H
#define SRL_STEP_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <softrelu/softrelu.h>

struct srl_budget {
    int64_t evaluations, max_evaluations;
    double started, time_limit; /* seconds on the monotonic clock */
    const atomic_int *stop_requested;
};

double srl_budget_seconds(const struct srl_budget *budget);
/* SOFTRELU_NOT_RUN while there is budget left, else which limit was met. */
softrelu_termination srl_budget_exhausted(const struct srl_budget *budget);
/* Whether there is, and so many evaluations are part of it. */
bool srl_budget_has(const struct srl_budget *budget, int64_t evaluations);

#endif
