/*
 * Search along x + t p for a point where F falls enough, close to the minimum on the line.
 *
 * A line is cheap: rates = A1 p are known, so that F, its slope and its curvature at x + t p cost one product with A2 for the
 * whole line and the columns of the units that flip (step/line.h), against a whole Hessian for a new direction. And it pays to
 * search well, because F bends at kinks: a unit that turns on adds curvature that the model at x knows nothing of, and the
 * minimum lies right behind that kink. Newton's method on the slope, started from the steep side, finds it in a step or two
 * where halving t would creep towards the kink.
 */
#ifndef SRL_STEP_LINE_SEARCH_H
#define SRL_STEP_LINE_SEARCH_H

#include "model/point.h"
#include "step/budget.h"
#include "step/line.h"

enum srl_search {
    SRL_SEARCH_AGREED,    /* F fell by what the model said, at t = 1 */
    SRL_SEARCH_DECREASED, /* F fell by at least the Armijo fraction of the promise */
    SRL_SEARCH_LEVEL,     /* the promise is below the round-off of F, and F stayed level: F cannot judge this step */
    SRL_SEARCH_FAILED,    /* no fraction of the step decreases F */
    SRL_SEARCH_EXHAUSTED  /* a limit was met first */
};

struct srl_line_search {
    struct srl_point best; /* the lowest point so far (x and v only), and its t and merit */
    double best_t, best_merit;
    struct srl_line line;
    double *rates; /* of the logits, scratch (m) */
    double reach;  /* the largest |x| of this solve so far: set to 0 when one begins */
};

void srl_line_search_carve(struct srl_arena *arena, struct srl_line_search *search, const struct srl_model *model);

/* The largest t, up to the longest that is ever tried, for which x + t step keeps the bounds. */
double srl_farthest(const struct srl_model *model, const struct srl_point *point, const double *step);

/* Leaves the accepted point, evaluated, in trial with its t in scale. rates = A1 p. promise < 0: what the model, convex along
   p, says F changes by over the whole step; a fraction t of it then promises at least t times that. x + p, and every point
   where F is evaluated, is within the bounds. */
enum srl_search srl_line_search(const struct srl_model *model, const struct srl_point *point, const double *step,
                                const double *rates, double promise, struct srl_budget *budget, struct srl_line_search *search,
                                struct srl_point *trial, double *scale);

#endif
