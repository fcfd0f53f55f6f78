#include "step/metric.h"

void srl_metric_product(const struct srl_metric *metric, const double *x, double *product) {
    if (metric->small != NULL) {
        srl_small_matrix_product(metric->small, metric->shift, x, product);
        return;
    }
    srl_symv(metric->d, metric->hessian, metric->d, x, product);
    srl_axpy(metric->d, metric->shift, x, product);
}

void srl_metric_solve(const struct srl_metric *metric, enum srl_transpose op, int64_t columns, double *b) {
    if (metric->small != NULL)
        srl_small_matrix_solve(metric->small, metric->shift, op, columns, b);
    else
        srl_trsm_lower(op, metric->d, columns, metric->factor, metric->d, b, metric->d);
}
