/* SPDX-License-Identifier: BSD-3-Clause */
#include "report_json.h"

#include "certificate_json.h"
#include "json.h"
#include "settings.h"

#include <math.h>
#include <stdlib.h>

struct quantity {
    softrelu_quantity id;
    const char *name;
    softrelu_type type;
};

#define QUANTITY(id, number, name, type, text) {id, name, type},
static const struct quantity totals[] = {SOFTRELU_QUANTITY_LIST(QUANTITY)};
static const struct quantity trace[] = {SOFTRELU_TRACE_LIST(QUANTITY)};
#undef QUANTITY

enum { TOTAL_COUNT = sizeof totals / sizeof totals[0], TRACE_COUNT = sizeof trace / sizeof trace[0] };

static json_t *record_json(const softrelu_report *report, int64_t record) {
    json_t *object = json_object();
    bool ok = object != NULL;
    for (size_t i = 0; ok && i < TRACE_COUNT; i++) {
        double value = NAN;
        ok = softrelu_report_trace_number(report, record, trace[i].id, &value) == SOFTRELU_OK &&
             json_put(object, trace[i].name, json_number(value, trace[i].type));
    }
    return json_finished(object, ok);
}

static json_t *trace_json(const softrelu_report *report) {
    json_t *array = json_array();
    const int64_t length = softrelu_report_trace_length(report);
    bool ok = array != NULL;
    for (int64_t record = 0; ok && record < length; record++) {
        ok = json_array_append_new(array, record_json(report, record)) == 0;
    }
    return json_finished(array, ok);
}

static bool put_totals(json_t *object, const softrelu_report *report) {
    bool ok = true;
    for (size_t i = 0; ok && i < TOTAL_COUNT; i++) {
        double value = NAN;
        ok = softrelu_report_number(report, totals[i].id, &value) == SOFTRELU_OK &&
             json_put(object, totals[i].name, json_number(value, totals[i].type));
    }
    return ok;
}

/* What does not depend on the target. */
bool json_put_run(json_t *object, const struct inputs *inputs, softrelu_loss loss, const softrelu_solver *solver) {
    char blas[256] = "unknown";
    char kernel[64] = "unknown";
    (void)softrelu_blas_description(blas, sizeof blas);
    (void)softrelu_report_origin(softrelu_solver_report(solver), SOFTRELU_ORIGIN_BLAS_KERNEL, kernel, sizeof kernel);
    return json_put(object, "dimensions", json_dimensions(inputs)) &&
           json_put(object, "loss_kind", json_string(loss == SOFTRELU_KL ? "kl" : "squares")) &&
           json_put(object, "blas", json_string(blas)) && json_put(object, "blas_kernel", json_string(kernel)) &&
           json_put(object, "blas_threads", json_integer(softrelu_blas_threads())) &&
           json_put(object, "settings", settings_json(solver)) &&
           (inputs->names->count == 0 || json_put(object, "names", names_json(inputs->names)));
}

/* [{"x", "certificate"}], in order of the loss */
static json_t *minimisers_json(const softrelu_solver *solver, int64_t d) {
    json_t *array = json_array();
    double *x = malloc((size_t)d * sizeof *x);
    bool ok = array != NULL && x != NULL;
    for (int64_t i = 0; ok && i < softrelu_solver_minimiser_count(solver); i++) {
        json_t *object = json_object();
        ok = object != NULL && softrelu_solver_minimiser(solver, i, x, d) == SOFTRELU_OK &&
             json_put(object, "certificate", certificate_json(softrelu_solver_minimiser_certificate(solver, i))) &&
             json_put(object, "x", json_vector(x, d));
        ok = json_array_append_new(array, json_finished(object, ok)) == 0;
    }
    free(x);
    return json_finished(array, ok);
}

static json_t *target_json(const softrelu_batch *batch, int64_t target) {
    const softrelu_report *report = softrelu_batch_report(batch, target);
    const softrelu_termination termination = softrelu_report_termination(report);
    const softrelu_status status = softrelu_batch_status(batch, target);
    json_t *object = json_object();
    const bool ok = object != NULL && json_put(object, "target", json_integer((json_int_t)target)) &&
                    json_put(object, "error",
                             status == SOFTRELU_OK ? json_null() : json_string(softrelu_batch_target_message(batch, target))) &&
                    json_put(object, "termination", json_string(softrelu_termination_name(termination))) &&
                    json_put(object, "converged", json_boolean(termination == SOFTRELU_CONVERGED)) &&
                    put_totals(object, report) &&
                    json_put(object, "certificate", certificate_json(softrelu_batch_certificate(batch, target)));
    return json_finished(object, ok);
}

json_t *batch_json(const struct batch_result *result) {
    json_t *object = json_object();
    json_t *results = json_array();
    bool ok = object != NULL && results != NULL;
    for (int64_t t = 0; ok && t < result->inputs->targets; t++) {
        ok = json_array_append_new(results, target_json(result->batch, t)) == 0;
    }
    ok = ok && json_put(object, "schema", json_integer(1)) && json_put(object, "version", json_string(softrelu_version())) &&
         json_put(object, "targets", json_integer((json_int_t)result->inputs->targets)) &&
         json_put(object, "converged", json_integer((json_int_t)result->converged)) &&
         json_put(object, "certified", json_integer((json_int_t)result->certified)) &&
         json_put(object, "failed", json_integer((json_int_t)result->failed)) &&
         json_put(object, "seconds", json_number(result->seconds, SOFTRELU_REAL)) &&
         json_put(object, "threads", json_integer(softrelu_batch_threads(result->batch))) &&
         json_put_run(object, result->inputs, result->loss, result->solver);
    return json_finished(object, json_put(object, "results", json_finished(results, ok)) && ok);
}

json_t *report_json(const struct solve_result *result) {
    const softrelu_report *report = softrelu_solver_report(result->solver);
    const softrelu_termination termination = softrelu_report_termination(report);
    const softrelu_certificate *certificate = softrelu_solver_certificate(result->solver);
    json_t *object = json_object();
    const bool ok =
        object != NULL && json_put(object, "schema", json_integer(1)) &&
        json_put(object, "version", json_string(softrelu_version())) &&
        json_put(object, "termination", json_string(softrelu_termination_name(termination))) &&
        json_put(object, "converged", json_boolean(termination == SOFTRELU_CONVERGED)) && put_totals(object, report) &&
        put_distance(object, certificate) && json_put(object, "certificate", certificate_json(certificate)) &&
        json_put(object, "multipliers",
                 multipliers_json(certificate, result->inputs->size[DIMENSION_N], result->inputs->size[DIMENSION_D])) &&
        json_put(object, "minimisers", minimisers_json(result->solver, result->inputs->size[DIMENSION_D])) &&
        json_put_run(object, result->inputs, result->loss, result->solver) && json_put(object, "trace", trace_json(report));
    return json_finished(object, ok);
}
