/* SPDX-License-Identifier: BSD-3-Clause */
/* GSL: nonlinear least squares by Levenberg-Marquardt and dogleg steps, with the Jacobian, with J'J, and with products only. */
#include "peer.h"

#include <stdio.h>
#include <string.h>

#include <gsl/gsl_errno.h>
#include <gsl/gsl_multifit_nlinear.h>
#include <gsl/gsl_multilarge_nlinear.h>

static int residuals(const gsl_vector *x, void *evaluation, gsl_vector *values) {
    evaluate_residuals(evaluation, x->data, values->data);
    return GSL_SUCCESS;
}

static int jacobian(const gsl_vector *x, void *evaluation, gsl_matrix *values) {
    evaluate_jacobian(evaluation, x->data, values->data);
    return GSL_SUCCESS;
}

static int products(CBLAS_TRANSPOSE_t transposed, const gsl_vector *x, const gsl_vector *v, void *evaluation,
                    gsl_vector *product, gsl_matrix *gauss_newton) {
    if (product != NULL && transposed == CblasTrans)
        evaluate_product_transposed(evaluation, x->data, v->data, product->data);
    else if (product != NULL)
        evaluate_product(evaluation, x->data, v->data, product->data);
    if (gauss_newton != NULL)
        evaluate_gauss_newton(evaluation, x->data, gauss_newton->data);
    return GSL_SUCCESS;
}

/* GSL's own driver gives up for want of progress at its first iteration only; here a second one in a row means stuck. */
static bool stuck(int status, int *failures) {
    *failures = status == GSL_ENOPROG ? *failures + 1 : status != GSL_SUCCESS ? 2 : 0;
    return *failures >= 2;
}

static void fit(struct evaluation *at, double *x, char status[STATUS_ROOM], const gsl_multifit_nlinear_trs *method) {
    gsl_multifit_nlinear_parameters settings = gsl_multifit_nlinear_default_parameters();
    settings.trs = method;
    settings.solver = gsl_multifit_nlinear_solver_cholesky;
    gsl_multifit_nlinear_fdf problem = {
        .f = residuals, .df = jacobian, .n = (size_t)at->m + (size_t)at->d, .p = (size_t)at->d, .params = at};
    gsl_set_error_handler_off();
    gsl_multifit_nlinear_workspace *work =
        gsl_multifit_nlinear_alloc(gsl_multifit_nlinear_trust, &settings, problem.n, problem.p);
    const gsl_vector_view start = gsl_vector_view_array(x, problem.p);
    gsl_multifit_nlinear_init(&start.vector, &problem, work);
    int end, failures = 0, iterations = 0;
    do {
        end = gsl_multifit_nlinear_iterate(work);
        iterations++;
    } while (!stuck(end, &failures));
    memcpy(x, work->x->data, problem.p * sizeof *x);
    gsl_multifit_nlinear_free(work);
    (void)snprintf(status, STATUS_ROOM, "%s, %d iterations", gsl_strerror(end), iterations);
}

static void fit_large(struct evaluation *at, double *x, char status[STATUS_ROOM], const gsl_multilarge_nlinear_trs *method,
                      const gsl_multilarge_nlinear_solver *solver) {
    gsl_multilarge_nlinear_parameters settings = gsl_multilarge_nlinear_default_parameters();
    settings.trs = method;
    settings.solver = solver;
    gsl_multilarge_nlinear_fdf problem = {
        .f = residuals, .df = products, .n = (size_t)at->m + (size_t)at->d, .p = (size_t)at->d, .params = at};
    gsl_set_error_handler_off();
    gsl_multilarge_nlinear_workspace *work =
        gsl_multilarge_nlinear_alloc(gsl_multilarge_nlinear_trust, &settings, problem.n, problem.p);
    const gsl_vector_view start = gsl_vector_view_array(x, problem.p);
    gsl_multilarge_nlinear_init(&start.vector, &problem, work);
    int end, failures = 0, iterations = 0;
    do {
        end = gsl_multilarge_nlinear_iterate(work);
        iterations++;
    } while (!stuck(end, &failures));
    memcpy(x, work->x->data, problem.p * sizeof *x);
    gsl_multilarge_nlinear_free(work);
    (void)snprintf(status, STATUS_ROOM, "%s, %d iterations", gsl_strerror(end), iterations);
}

static void lm(struct evaluation *at, double *x, char status[STATUS_ROOM]) { fit(at, x, status, gsl_multifit_nlinear_trs_lm); }

static void lm_accelerated(struct evaluation *at, double *x, char status[STATUS_ROOM]) {
    fit(at, x, status, gsl_multifit_nlinear_trs_lmaccel);
}

static void dogleg(struct evaluation *at, double *x, char status[STATUS_ROOM]) {
    fit(at, x, status, gsl_multifit_nlinear_trs_ddogleg);
}

static void large_lm(struct evaluation *at, double *x, char status[STATUS_ROOM]) {
    fit_large(at, x, status, gsl_multilarge_nlinear_trs_lm, gsl_multilarge_nlinear_solver_cholesky);
}

static void large_cg(struct evaluation *at, double *x, char status[STATUS_ROOM]) {
    fit_large(at, x, status, gsl_multilarge_nlinear_trs_cgst, gsl_multilarge_nlinear_solver_none);
}

const struct peer gsl_peers[] = {{"gsl_lm", lm},         {"gsl_lmaccel", lm_accelerated}, {"gsl_ddogleg", dogleg},
                                 {"gslml_lm", large_lm}, {"gslml_cgst", large_cg},        {0}};
