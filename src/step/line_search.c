#include "step/line_search.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { HALVINGS = 40 };
static const double ARMIJO = 1e-4;

/* What round-off alone may change F by: that of its parts, and that of the logits carried through the loss's slope q. */
static double round_off(const struct srl_model *model, const struct srl_point *point) {
    double logits = 0.0;
    for (int64_t i = 0; i < model->n; i++) {
        const double part = point->h[i] * (model->column_norms != NULL ? model->column_norms[i] : 1.0);
        logits += part * part;
    }
    const double parts = fabs(point->fit) + point->weights + point->proximity;
    return 16.0 * DBL_EPSILON * (parts + srl_norm(model->m, point->q) * sqrt(logits));
}

enum srl_search srl_line_search(const struct srl_model *model, const struct srl_point *point, const double *step,
                                const double *rates, double promise, struct srl_budget *budget, struct srl_point *trial,
                                double *scale) {
    const double noise = round_off(model, point);
    double t = 1.0;
    for (int halving = 0; halving < HALVINGS; halving++, t *= 0.5) {
        if (srl_budget_exhausted(budget) != SOFTRELU_NOT_RUN)
            return SRL_SEARCH_EXHAUSTED;
        memcpy(trial->x, point->x, (size_t)model->d * sizeof *trial->x);
        memcpy(trial->v, point->v, (size_t)model->n * sizeof *trial->v);
        srl_axpy(model->d, t, step, trial->x);
        srl_axpy(model->n, t, rates, trial->v);
        budget->evaluations++;
        *scale = t;
        if (srl_point_evaluate(model, trial)) {
            if (trial->loss <= point->loss + ARMIJO * t * promise && trial->loss < point->loss)
                return SRL_SEARCH_DECREASED;
            if (-promise <= noise && fabs(trial->loss - point->loss) <= noise)
                return SRL_SEARCH_LEVEL;
        }
    }
    return SRL_SEARCH_FAILED;
}
