#include "solver/report.h"

#include <string.h>

bool srl_report_reserve(struct softrelu_report *report, int64_t capacity, const struct srl_allocator *allocator) {
    double *trace = NULL;
    if (capacity > 0) {
        trace = srl_allocate(allocator, capacity, SRL_TRACE_COUNT * sizeof(double));
        if (trace == NULL)
            return false;
    }
    srl_release(allocator, report->trace);
    report->trace = trace;
    report->capacity = capacity;
    report->recorded = 0;
    return true;
}

void srl_report_release(struct softrelu_report *report, const struct srl_allocator *allocator) {
    srl_release(allocator, report->trace);
    report->trace = NULL;
}

void srl_report_clear(struct softrelu_report *report) {
    report->termination = SOFTRELU_NOT_RUN;
    memset(report->quantities, 0, sizeof report->quantities);
    report->recorded = 0;
}

void srl_report_record(struct softrelu_report *report, const double *record) {
    if (report->capacity > 0)
        memcpy(report->trace + (report->recorded % report->capacity) * SRL_TRACE_COUNT, record,
               SRL_TRACE_COUNT * sizeof *record);
    report->recorded++;
}

struct srl_region srl_report_memory(const struct softrelu_report *report) {
    return srl_region_at(report->trace, (size_t)report->capacity * SRL_TRACE_COUNT * sizeof *report->trace);
}

void srl_report_spread(struct srl_ranks *ranks, struct softrelu_report *report) {
    int64_t numbers[] = {report->termination, report->recorded};
    srl_spread(ranks, 0, numbers, sizeof numbers);
    report->termination = (softrelu_termination)numbers[0];
    report->recorded = numbers[1];
    srl_spread(ranks, 0, report->quantities, sizeof report->quantities);
    srl_spread(ranks, 0, report->trace, (int64_t)srl_report_memory(report).size);
}
