/* The report of a solve: how it ended, its quantities, and the trace as a ring of the latest iterations. */
#ifndef SRL_SOLVER_REPORT_H
#define SRL_SOLVER_REPORT_H

#include <stdbool.h>

#include <softrelu/softrelu.h>

#include "base/alloc.h"
#include "base/ranks.h"

#define SRL_INDEX(name, number, word, type, text) name##_INDEX,
enum { SOFTRELU_QUANTITY_LIST(SRL_INDEX) SRL_QUANTITY_COUNT };
enum { SOFTRELU_TRACE_LIST(SRL_INDEX) SRL_TRACE_COUNT };
#undef SRL_INDEX

struct softrelu_report {
    softrelu_termination termination;
    double quantities[SRL_QUANTITY_COUNT];
    double *trace;    /* ring of capacity records, SRL_TRACE_COUNT numbers each */
    int64_t capacity; /* records that fit */
    int64_t recorded; /* records ever written in this solve */
};

/* Makes room for capacity trace records. False, and nothing changed, when memory is short. */
bool srl_report_reserve(struct softrelu_report *report, int64_t capacity, const struct srl_allocator *allocator);
void srl_report_release(struct softrelu_report *report, const struct srl_allocator *allocator);
/* Forgets the last solve. */
void srl_report_clear(struct softrelu_report *report);
/* Appends a record of SRL_TRACE_COUNT numbers, over the oldest when the ring is full. */
void srl_report_record(struct softrelu_report *report, const double *record);
/* Where its trace lies. */
struct srl_region srl_report_memory(const struct softrelu_report *report);
/* From the first rank to the others, which have as much memory for it. */
void srl_report_spread(struct srl_ranks *ranks, struct softrelu_report *report);

#endif
