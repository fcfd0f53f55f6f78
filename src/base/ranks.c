#include "base/ranks.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { DONE = -1, STOPS = 2 }; /* entries behind a sum: how many ranks' functions and requests ask to stop */

/* A call on its way: places of arrays in place of their addresses. */
struct letter {
    int64_t operation, model;
    int64_t places[SRL_ARRAYS], bytes[SRL_ARRAYS], integers[SRL_INTEGERS];
    double numbers[SRL_NUMBERS];
};

bool srl_ranks_reserve(struct srl_ranks *ranks, int64_t room, const struct srl_allocator *allocator) {
    if (room <= ranks->room)
        return true;
    double *buffer = srl_allocate(allocator, room + STOPS, sizeof *buffer);
    if (buffer == NULL)
        return false;
    srl_release(allocator, ranks->buffer);
    ranks->buffer = buffer;
    ranks->room = room;
    return true;
}

void srl_ranks_release(struct srl_ranks *ranks, const struct srl_allocator *allocator) {
    srl_release(allocator, ranks->buffer);
    ranks->buffer = NULL;
    ranks->room = 0;
}

/* Whether the communicator did it. One that did not has interrupted the solve. */
static bool check(struct srl_ranks *ranks, int error) {
    if (error == 0)
        return true;
    ranks->failed = true;
    if (ranks->interruption != NULL)
        ranks->interruption->by = SOFTRELU_NUMERICAL_FAILURE;
    return false;
}

void srl_spread(struct srl_ranks *ranks, int rank, void *bytes, int64_t count) {
    if (ranks == NULL || ranks->failed || count == 0)
        return;
    const softrelu_communicator *with = &ranks->communicator;
    (void)check(ranks, with->broadcast(with->context, bytes, count, rank));
}

/* ---- places ---- */

enum { NOWHERE = -1, OFFSET_BITS = 56 };

static int64_t place_of(const struct srl_ranks *ranks, const void *at) {
    const uintptr_t address = (uintptr_t)at;
    for (int i = 0; i < SRL_REGIONS && at != NULL; i++) {
        const uintptr_t base = (uintptr_t)ranks->regions[i].base.from;
        if (base != 0 && address >= base && address - base < ranks->regions[i].size)
            return (int64_t)((uint64_t)i << OFFSET_BITS | (uint64_t)(address - base));
    }
    return NOWHERE;
}

static void *address_of(const struct srl_ranks *ranks, int64_t place) {
    if (place == NOWHERE)
        return NULL;
    const uint64_t region = (uint64_t)place >> OFFSET_BITS, offset = (uint64_t)place & (((uint64_t)1 << OFFSET_BITS) - 1);
    return (char *)ranks->regions[region].base.to + offset;
}

/* ---- calls ---- */

void srl_tell(struct srl_ranks *ranks, const struct srl_call *call) {
    struct letter letter = {call->operation, place_of(ranks, call->model), {0}, {0}, {0}, {0}};
    for (int i = 0; i < SRL_ARRAYS; i++) {
        letter.places[i] = place_of(ranks, call->arrays[i].at.from);
        letter.bytes[i] = call->arrays[i].at.from != NULL ? call->arrays[i].bytes : 0;
    }
    memcpy(letter.integers, call->integers, sizeof letter.integers);
    memcpy(letter.numbers, call->numbers, sizeof letter.numbers);
    srl_spread(ranks, 0, &letter, sizeof letter);
    for (int i = 0; i < SRL_ARRAYS; i++)
        srl_spread(ranks, 0, call->arrays[i].at.to, letter.bytes[i]);
}

bool srl_hear(struct srl_ranks *ranks, struct srl_call *call) {
    struct letter letter = {.operation = DONE};
    srl_spread(ranks, 0, &letter, sizeof letter);
    if (ranks->failed || letter.operation == DONE)
        return false;
    *call = (struct srl_call){.operation = (int)letter.operation, .model = address_of(ranks, letter.model)};
    for (int i = 0; i < SRL_ARRAYS; i++) {
        call->arrays[i] = (struct srl_array){{.to = address_of(ranks, letter.places[i])}, letter.bytes[i]};
        srl_spread(ranks, 0, call->arrays[i].at.to, letter.bytes[i]);
    }
    memcpy(call->integers, letter.integers, sizeof letter.integers);
    memcpy(call->numbers, letter.numbers, sizeof letter.numbers);
    return !ranks->failed;
}

void srl_dismiss(struct srl_ranks *ranks) {
    struct letter letter = {.operation = DONE};
    srl_spread(ranks, 0, &letter, sizeof letter);
}

/* ---- sums ---- */

/* Whether this rank wants to stop, behind the values that are in the buffer. */
static void say_whether_to_stop(struct srl_ranks *ranks, int64_t count) {
    if (ranks->interruption != NULL)
        (void)srl_interrupted(ranks->interruption);
    const softrelu_termination by = ranks->interruption != NULL ? ranks->interruption->by : SOFTRELU_NOT_RUN;
    ranks->buffer[count] = by == SOFTRELU_CALLBACK_STOP;
    ranks->buffer[count + 1] = by == SOFTRELU_STOP_REQUESTED;
}

static void hear_whether_to_stop(struct srl_ranks *ranks, int64_t count) {
    if (ranks->interruption == NULL || ranks->interruption->by != SOFTRELU_NOT_RUN)
        return;
    if (ranks->buffer[count] > 0.0)
        ranks->interruption->by = SOFTRELU_CALLBACK_STOP;
    else if (ranks->buffer[count + 1] > 0.0)
        ranks->interruption->by = SOFTRELU_STOP_REQUESTED;
}

/* What stands in the buffer becomes its sum. */
static bool sum_buffer(struct srl_ranks *ranks, int64_t count) {
    const softrelu_communicator *with = &ranks->communicator;
    say_whether_to_stop(ranks, count);
    if (!check(ranks, with->sum(with->context, ranks->buffer, count + STOPS)))
        return false;
    hear_whether_to_stop(ranks, count);
    return true;
}

void srl_sum(struct srl_ranks *ranks, int64_t count, double *values) {
    if (ranks == NULL)
        return;
    for (int64_t first = 0; first < count && !ranks->failed; first += ranks->room) {
        const int64_t part = count - first < ranks->room ? count - first : ranks->room;
        memcpy(ranks->buffer, values + first, (size_t)part * sizeof *values);
        if (sum_buffer(ranks, part))
            memcpy(values + first, ranks->buffer, (size_t)part * sizeof *values);
    }
}

void srl_largest(struct srl_ranks *ranks, int64_t count, double *values) {
    if (ranks == NULL || ranks->failed)
        return;
    const softrelu_communicator *with = &ranks->communicator;
    for (int64_t i = 0; i < count; i++)
        values[i] = isnan(values[i]) ? INFINITY : values[i]; /* comparisons would lose it */
    (void)check(ranks, with->largest(with->context, values, count));
}

void srl_largest_two(struct srl_ranks *ranks, double *first, double *second) {
    if (ranks == NULL)
        return;
    double largest = *first, holders, next;
    srl_largest(ranks, 1, &largest);
    holders = *first == largest ? 1.0 : 0.0;
    next = *first == largest ? *second : *first;
    srl_sum(ranks, 1, &holders);
    srl_largest(ranks, 1, &next);
    *first = largest;
    *second = holders > 1.0 ? largest : next;
}

/* Entries first to first + count of the packed triangle, column by column: into the buffer, or back. */
static void pack(struct srl_ranks *ranks, int64_t order, double *matrix, int64_t first, int64_t count, bool back) {
    double *buffer = ranks->buffer;
    for (int64_t k = 0; k < order && count > 0; k++) {
        const int64_t length = order - k, taken = first >= length ? 0 : length - first < count ? length - first : count;
        double *column = matrix + k + k * order + (taken > 0 ? first : 0);
        memcpy(back ? column : buffer, back ? buffer : column, (size_t)taken * sizeof *matrix);
        first = first >= length ? first - length : 0;
        buffer += taken;
        count -= taken;
    }
}

void srl_sum_triangle(struct srl_ranks *ranks, int64_t order, double *matrix) {
    if (ranks == NULL)
        return;
    const int64_t count = order * (order + 1) / 2;
    for (int64_t first = 0; first < count && !ranks->failed; first += ranks->room) {
        const int64_t part = count - first < ranks->room ? count - first : ranks->room;
        pack(ranks, order, matrix, first, part, false);
        if (sum_buffer(ranks, part))
            pack(ranks, order, matrix, first, part, true);
    }
}

/* ---- agreement ---- */

softrelu_status srl_fail_ranks(struct srl_message *message) {
    return srl_fail(message, SOFTRELU_ERROR_COMMUNICATION,
                    "the communicator has failed: the problem can only be destroyed now");
}

softrelu_status srl_agree(struct srl_ranks *ranks, softrelu_status status, struct srl_message *message) {
    if (ranks == NULL)
        return status;
    const int size = ranks->communicator.size;
    double first = status != SOFTRELU_OK ? (double)(size - ranks->communicator.rank) : 0.0;
    srl_largest(ranks, 1, &first);
    if (ranks->failed)
        return srl_fail_ranks(message);
    if (first == 0.0)
        return SOFTRELU_OK;
    struct {
        int64_t status;
        struct srl_message message;
    } error = {status, *message};
    const int rank = size - (int)first;
    srl_spread(ranks, rank, &error, sizeof error);
    if (ranks->failed)
        return srl_fail_ranks(message);
    if (rank == ranks->communicator.rank)
        return status;
    return srl_fail(message, (softrelu_status)error.status, "rank %d: %s", rank, error.message.text);
}
