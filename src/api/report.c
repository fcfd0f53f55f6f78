/* Reading a report. */
#include "solver/report.h"

#include <stdio.h>

#include "linalg/runtime.h"

softrelu_termination softrelu_report_termination(const softrelu_report *report) {
    return report != NULL ? report->termination : SOFTRELU_NOT_RUN;
}

#define INDEX_CASE(name, number, word, type, text)                                                                             \
    case name:                                                                                                                 \
        return name##_INDEX;

static int quantity_index(softrelu_quantity quantity) {
    switch ((int)quantity) {
        SOFTRELU_QUANTITY_LIST(INDEX_CASE)
    default:
        return -1;
    }
}

static int trace_index(softrelu_quantity quantity) {
    switch ((int)quantity) {
        SOFTRELU_TRACE_LIST(INDEX_CASE)
    default:
        return -1;
    }
}

softrelu_status softrelu_report_number(const softrelu_report *report, softrelu_quantity quantity, double *value) {
    if (report == NULL || value == NULL)
        return SOFTRELU_ERROR_NULL;
    const int index = quantity_index(quantity);
    if (index < 0)
        return SOFTRELU_ERROR_UNKNOWN;
    *value = report->quantities[index];
    return SOFTRELU_OK;
}

softrelu_status softrelu_report_origin(const softrelu_report *report, softrelu_origin origin, char *text, size_t size) {
    if (report == NULL || text == NULL)
        return SOFTRELU_ERROR_NULL;
    if (size < 1)
        return SOFTRELU_ERROR_SIZE;
    switch ((int)origin) {
    case SOFTRELU_ORIGIN_VERSION:
        snprintf(text, size, "%s", softrelu_version());
        return SOFTRELU_OK;
    case SOFTRELU_ORIGIN_BLAS:
        return softrelu_blas_description(text, size);
    case SOFTRELU_ORIGIN_BLAS_KERNEL:
        snprintf(text, size, "%s", srl_blas_kernel());
        return SOFTRELU_OK;
    default:
        return SOFTRELU_ERROR_UNKNOWN;
    }
}

int64_t softrelu_report_trace_length(const softrelu_report *report) {
    if (report == NULL)
        return 0;
    return report->recorded < report->capacity ? report->recorded : report->capacity;
}

softrelu_status softrelu_report_trace_number(const softrelu_report *report, int64_t record, softrelu_quantity quantity,
                                             double *value) {
    if (report == NULL || value == NULL)
        return SOFTRELU_ERROR_NULL;
    const int64_t length = softrelu_report_trace_length(report);
    const int index = trace_index(quantity);
    if (index < 0)
        return SOFTRELU_ERROR_UNKNOWN;
    if (record < 0 || record >= length)
        return SOFTRELU_ERROR_SIZE;
    const int64_t oldest = report->recorded - length;
    *value = report->trace[((oldest + record) % report->capacity) * SRL_TRACE_COUNT + index];
    return SOFTRELU_OK;
}
