/* SPDX-License-Identifier: BSD-3-Clause */
#include "report_json.h"

#include "number.h"
#include "settings.h"

#include <jansson.h>
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

/* JSON has no token for NaN and infinity: they become the strings "nan", "inf" and "-inf". */
static json_t *number_json(double value, softrelu_type type) {
    const char *word = number_word(value);
    if (word != NULL) {
        return json_string(word);
    }
    const bool whole = type == SOFTRELU_INTEGER && fabs(value) <= 9007199254740992.0;
    return whole ? json_integer((json_int_t)value) : json_real(value);
}

/* json_object_set_new() takes NULL as a failure, so that a chain of these needs one test at its end. */
static bool put(json_t *object, const char *key, json_t *value) { return json_object_set_new(object, key, value) == 0; }

static json_t *dimensions_json(const struct inputs *inputs) {
    return json_pack("{s:I, s:I, s:I}", "n", (json_int_t)inputs->size[DIMENSION_N], "d", (json_int_t)inputs->size[DIMENSION_D],
                     "m", (json_int_t)inputs->size[DIMENSION_M]);
}

static json_t *settings_json(const softrelu_solver *solver) {
    json_t *object = json_object();
    struct setting_kind kind;
    bool ok = object != NULL;
    for (int64_t i = 0; ok && setting_describe(i, &kind); i++) {
        ok = put(object, kind.name, number_json(setting_value(solver, &kind), kind.type));
    }
    if (!ok) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static json_t *record_json(const softrelu_report *report, int64_t record) {
    json_t *object = json_object();
    bool ok = object != NULL;
    for (size_t i = 0; ok && i < TRACE_COUNT; i++) {
        double value = NAN;
        ok = softrelu_report_trace_number(report, record, trace[i].id, &value) == SOFTRELU_OK &&
             put(object, trace[i].name, number_json(value, trace[i].type));
    }
    if (!ok) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static json_t *trace_json(const softrelu_report *report) {
    json_t *array = json_array();
    const int64_t length = softrelu_report_trace_length(report);
    bool ok = array != NULL;
    for (int64_t record = 0; ok && record < length; record++) {
        ok = json_array_append_new(array, record_json(report, record)) == 0;
    }
    if (!ok) {
        json_decref(array);
        return NULL;
    }
    return array;
}

static bool put_totals(json_t *object, const softrelu_report *report) {
    bool ok = true;
    for (size_t i = 0; ok && i < TOTAL_COUNT; i++) {
        double value = NAN;
        ok = softrelu_report_number(report, totals[i].id, &value) == SOFTRELU_OK &&
             put(object, totals[i].name, number_json(value, totals[i].type));
    }
    return ok;
}

static json_t *report_json(const struct solve_result *result) {
    const softrelu_report *report = softrelu_solver_report(result->solver);
    const softrelu_termination termination = softrelu_report_termination(report);
    char blas[256] = "unknown";
    (void)softrelu_blas_description(blas, sizeof blas);
    json_t *object = json_object();
    const bool ok =
        object != NULL && put(object, "schema", json_integer(1)) && put(object, "version", json_string(softrelu_version())) &&
        put(object, "termination", json_string(softrelu_termination_name(termination))) &&
        put(object, "converged", json_boolean(termination == SOFTRELU_CONVERGED)) && put_totals(object, report) &&
        put(object, "dimensions", dimensions_json(result->inputs)) &&
        put(object, "loss_kind", json_string(result->loss == SOFTRELU_KL ? "kl" : "squares")) &&
        put(object, "blas", json_string(blas)) && put(object, "blas_threads", json_integer(softrelu_blas_threads())) &&
        put(object, "settings", settings_json(result->solver)) && put(object, "trace", trace_json(report));
    if (!ok) {
        json_decref(object);
        return NULL;
    }
    return object;
}

enum outcome report_json_write(const struct solve_result *result, FILE *stream, bool *written, struct failure *failure) {
    json_t *object = report_json(result);
    *written = false;
    if (object == NULL) {
        return fail(failure, OUTCOME_RESOURCES, "out of memory for the report");
    }
    *written = json_dumpf(object, stream, JSON_INDENT(2)) == 0 && fputc('\n', stream) != EOF;
    json_decref(object);
    return OUTCOME_OK;
}
