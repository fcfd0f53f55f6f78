#include "outcome.h"

#include <stdlib.h>
#include <string.h>

enum { MOST = 1 << 16 };

struct writer {
    double *numbers;
    int64_t count;
};

static void put(struct writer *writer, double number) {
    if (writer->count < MOST)
        writer->numbers[writer->count++] = number;
}

static bool is_time(const char *name) { return strncmp(name, "seconds", 7) == 0; }

static void put_report(struct writer *writer, const softrelu_report *report) {
    put(writer, (double)softrelu_report_termination(report));
#define PUT(id, number, name, type, text)                                                                                      \
    if (!is_time(name)) {                                                                                                      \
        double value = 0.0;                                                                                                    \
        (void)softrelu_report_number(report, id, &value);                                                                      \
        put(writer, value);                                                                                                    \
    }
    SOFTRELU_QUANTITY_LIST(PUT)
#undef PUT
}

static void put_record(struct writer *writer, const softrelu_report *report, int64_t record) {
#define PUT(id, number, name, type, text)                                                                                      \
    if (!is_time(name)) {                                                                                                      \
        double value = 0.0;                                                                                                    \
        (void)softrelu_report_trace_number(report, record, id, &value);                                                        \
        put(writer, value);                                                                                                    \
    }
    SOFTRELU_TRACE_LIST(PUT)
#undef PUT
}

static void put_certificate(struct writer *writer, const softrelu_certificate *certificate) {
    put(writer, (double)softrelu_certificate_verdict(certificate));
    put(writer, (double)softrelu_certificate_reason(certificate));
    put(writer, (double)softrelu_certificate_distance(certificate));
#define PUT(id, number, name, type, text)                                                                                      \
    {                                                                                                                          \
        double value = 0.0;                                                                                                    \
        (void)softrelu_certificate_number(certificate, id, &value);                                                            \
        put(writer, value);                                                                                                    \
    }
    SOFTRELU_CERTIFICATE_LIST(PUT)
#undef PUT
}

static void put_vector(struct writer *writer, const double *values, int64_t count) {
    for (int64_t k = 0; k < count; k++)
        put(writer, values[k]);
}

static struct outcome_bits finished(struct writer *writer, int64_t trace, int64_t width) {
    return (struct outcome_bits){writer->count, trace, width, writer->numbers};
}

static struct writer new_writer(void) { return (struct writer){calloc(MOST, sizeof(double)), 0}; }

struct outcome_bits outcome_of(const softrelu_solver *solver, int64_t d) {
    struct writer writer = new_writer();
    const softrelu_report *report = softrelu_solver_report(solver);
    double *x = calloc((size_t)d, sizeof *x);
    put(&writer, (double)softrelu_solver_solution(solver, x, d));
    put_vector(&writer, x, d);
    put_report(&writer, report);
    put_certificate(&writer, softrelu_solver_certificate(solver));
    (void)softrelu_certificate_direction(softrelu_solver_certificate(solver), x, d);
    put_vector(&writer, x, d);
    for (int64_t i = 0; i < softrelu_solver_minimiser_count(solver); i++) {
        (void)softrelu_solver_minimiser(solver, i, x, d);
        put_vector(&writer, x, d);
        put_certificate(&writer, softrelu_solver_minimiser_certificate(solver, i));
    }
    free(x);
    const int64_t trace = writer.count, records = softrelu_report_trace_length(report);
    for (int64_t k = 0; k < records; k++)
        put_record(&writer, report, k);
    return finished(&writer, trace, records > 0 ? (writer.count - trace) / records : 0);
}

struct outcome_bits outcome_of_target(const softrelu_batch *batch, int64_t target) {
    struct writer writer = new_writer();
    put(&writer, (double)softrelu_batch_status(batch, target));
    put_report(&writer, softrelu_batch_report(batch, target));
    put_certificate(&writer, softrelu_batch_certificate(batch, target));
    return finished(&writer, writer.count, 0);
}

void outcome_free(struct outcome_bits *outcome) { free(outcome->numbers); }

bool same_outcome(const struct outcome_bits *one, const struct outcome_bits *other) {
    return one->count == other->count && one->count < MOST && one->trace == other->trace &&
           memcmp(one->numbers, other->numbers, (size_t)one->count * sizeof *one->numbers) == 0;
}

bool trace_begins(const struct outcome_bits *shorter, const struct outcome_bits *longer) {
    const int64_t length = shorter->count - shorter->trace - shorter->width;
    return length <= 0 || (length <= longer->count - longer->trace &&
                           memcmp(shorter->numbers + shorter->trace, longer->numbers + longer->trace,
                                  (size_t)length * sizeof *shorter->numbers) == 0);
}
