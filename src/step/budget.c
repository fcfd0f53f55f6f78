#include "step/budget.h"

#include "base/clock.h"

double srl_budget_seconds(const struct srl_budget *budget) { return srl_now() - budget->started; }

softrelu_termination srl_budget_exhausted(const struct srl_budget *budget) {
    if (atomic_load_explicit(budget->stop_requested, memory_order_relaxed) != 0)
        return SOFTRELU_STOP_REQUESTED;
    if (budget->evaluations >= budget->max_evaluations)
        return SOFTRELU_EVALUATION_LIMIT;
    if (srl_budget_seconds(budget) >= budget->time_limit)
        return SOFTRELU_TIME_LIMIT;
    return SOFTRELU_NOT_RUN;
}

bool srl_budget_has(const struct srl_budget *budget, int64_t evaluations) {
    return srl_budget_exhausted(budget) == SOFTRELU_NOT_RUN && budget->evaluations + evaluations <= budget->max_evaluations;
}
