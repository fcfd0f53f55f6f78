#include "step/budget.h"

softrelu_termination srl_budget_exhausted(struct srl_budget *budget) {
    if (srl_interrupted(&budget->interruption))
        return budget->interruption.by;
    return budget->evaluations >= budget->max_evaluations ? SOFTRELU_EVALUATION_LIMIT : SOFTRELU_NOT_RUN;
}

bool srl_budget_has(struct srl_budget *budget, int64_t evaluations) {
    return srl_budget_exhausted(budget) == SOFTRELU_NOT_RUN && budget->evaluations + evaluations <= budget->max_evaluations;
}
