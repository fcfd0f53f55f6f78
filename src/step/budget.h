/* What a solve may still spend: evaluations, and whatever base/interruption.h knows of. Asked before every evaluation and
   factorisation, inside the line search and the warm start too. */
#ifndef SRL_STEP_BUDGET_H
#define SRL_STEP_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include <softrelu/softrelu.h>

#include "base/interruption.h"

struct srl_budget {
    int64_t evaluations, max_evaluations;
    struct srl_interruption interruption;
};

/* SOFTRELU_NOT_RUN while there is budget left, else which limit was met. */
softrelu_termination srl_budget_exhausted(struct srl_budget *budget);
/* Whether there is, and so many evaluations are part of it. */
bool srl_budget_has(struct srl_budget *budget, int64_t evaluations);

#endif
