/* SPDX-License-Identifier: BSD-3-Clause */
#include "report_json.h"

#include "certificate_json.h"
#include "json.h"
#include "settings.h"

#include <math.h>

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

static json_t *settings_json(const softrelu_solver *solver) {
    json_t *object = json_object();
    struct setting_kind kind;
    bool ok = object != NULL;
    for (int64_t i = 0; ok && setting_describe(i, &kind); i++) {
        const double value = setting_value(solver, &kind);
        const char *choice = setting_choice(&kind, value);
        ok = json_put(object, kind.name, choice != NULL ? json_string(choice) : json_number(value, kind.type));
    }
    return json_finished(object, ok);
}

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

json_t *report_json(const struct solve_result *result) {
    const softrelu_report *report = softrelu_solver_report(result->solver);
    const softrelu_termination termination = softrelu_report_termination(report);
    const softrelu_certificate *certificate = softrelu_solver_certificate(result->solver);
    char blas[256] = "unknown";
    (void)softrelu_blas_description(blas, sizeof blas);
    json_t *object = json_object();
    const bool ok =
        object != NULL && json_put(object, "schema", json_integer(1)) &&
        json_put(object, "version", json_string(softrelu_version())) &&
        json_put(object, "termination", json_string(softrelu_termination_name(termination))) &&
        json_put(object, "converged", json_boolean(termination == SOFTRELU_CONVERGED)) && put_totals(object, report) &&
        put_distance(object, certificate) && json_put(object, "certificate", certificate_json(certificate)) &&
        json_put(object, "multipliers",
                 multipliers_json(certificate, result->inputs->size[DIMENSION_N], result->inputs->size[DIMENSION_D])) &&
        json_put(object, "dimensions", json_dimensions(result->inputs)) &&
        json_put(object, "loss_kind", json_string(result->loss == SOFTRELU_KL ? "kl" : "squares")) &&
        json_put(object, "blas", json_string(blas)) &&
        json_put(object, "blas_threads", json_integer(softrelu_blas_threads())) &&
        json_put(object, "settings", settings_json(result->solver)) && json_put(object, "trace", trace_json(report));
    return json_finished(object, ok);
}
