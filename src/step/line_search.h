/* Backtracking line search on the true F (Armijo). */
#ifndef SRL_STEP_LINE_SEARCH_H
#define SRL_STEP_LINE_SEARCH_H

#include "model/point.h"
#include "step/budget.h"

enum srl_search {
    SRL_SEARCH_DECREASED, /* F fell by at least the Armijo fraction of the promise */
    SRL_SEARCH_LEVEL,     /* the promise is below the round-off of F, and F stayed level: F cannot judge this step */
    SRL_SEARCH_FAILED,    /* no fraction of the step decreases F */
    SRL_SEARCH_EXHAUSTED  /* a limit was met first */
};

/* Tries x + t p for t = 1, 1/2, 1/4, ... and leaves the accepted point, evaluated, in trial with its t in scale.
   rates = A1 p, so that a trial costs one product with A2 and none with A1. promise < 0: what the model, convex along p, says
   F changes by over the whole step; a fraction t of it then promises at least t times that. */
enum srl_search srl_line_search(const struct srl_model *model, const struct srl_point *point, const double *step,
                                const double *rates, double promise, struct srl_budget *budget, struct srl_point *trial,
                                double *scale);

#endif
