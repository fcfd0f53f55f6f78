/*
 * The ranks of a problem whose outputs are divided among several processes: each has some rows of A2, c2 and b, and all of the
 * rest. One of them leads: the engine runs on rank 0 alone, and where it needs something of the outputs it tells the others
 * what. They serve: do the same with their rows, and what comes out is added up or compared over all. So there is one course of
 * the computation and one place where anything is decided; ranks cannot disagree, however their arithmetic rounds.
 *
 * What is told is the number of an operation and where its arrays are. All ranks carve the memory of a handle alike
 * (srl_model.room rows for vectors of outputs, however many are a rank's own), so an array is named by a region of that memory
 * and an offset. Arrays of outputs are each rank's own and stay where they are; others may be sent along.
 *
 * A rank that wants to stop says so in the sum that it next takes part in, and the first rank hears it. A communicator that has
 * failed is not used again: whatever is computed from then on means nothing, as after an interruption, and the call that it
 * failed in returns the error.
 */
#ifndef SRL_BASE_RANKS_H
#define SRL_BASE_RANKS_H

#include "base/alloc.h"
#include "base/interruption.h"
#include "base/message.h"

enum { SRL_REGIONS = 8, SRL_ARRAYS = 9, SRL_NUMBERS = 6, SRL_INTEGERS = 5 };

/* A place in a handle's memory. The rank that tells of an array may only read it; the others write what they are sent. */
union srl_place {
    const void *from;
    void *to;
};

struct srl_region {
    union srl_place base;
    size_t size;
};

struct srl_ranks {
    softrelu_communicator communicator;
    bool leads;                             /* the engine runs here, in the present call: others are to be told */
    struct srl_region regions[SRL_REGIONS]; /* of the handle of the present call */
    struct srl_interruption *interruption;  /* of the solve that is the present call; NULL: none */
    bool failed;                            /* the communicator has */
    double *buffer;                         /* what is added up, and who wants to stop */
    int64_t room;
};

/* An array of a handle: the bytes that are sent of it, 0 where each rank has its own. */
struct srl_array {
    union srl_place at;
    int64_t bytes;
};

/* What the first rank tells the others to do. */
struct srl_call {
    int operation;
    const void *model; /* which one */
    struct srl_array arrays[SRL_ARRAYS];
    double numbers[SRL_NUMBERS];
    int64_t integers[SRL_INTEGERS];
};

/* Arrays as they stand in a call: one of outputs, and one that is sent. */
static inline struct srl_array srl_own(const void *at) { return (struct srl_array){{at}, 0}; }
static inline struct srl_array srl_sent_bytes(const void *at, int64_t bytes) { return (struct srl_array){{at}, bytes}; }
static inline struct srl_array srl_sent(const double *at, int64_t count) {
    return srl_sent_bytes(at, count * (int64_t)sizeof *at);
}
static inline struct srl_region srl_region_at(const void *base, size_t size) { return (struct srl_region){{base}, size}; }

static inline int srl_rank_of(const struct srl_ranks *ranks) { return ranks != NULL ? ranks->communicator.rank : 0; }
/* Whether the others are to be told. NULL is one rank alone, here and below: nothing happens. */
static inline bool srl_leads(const struct srl_ranks *ranks) { return ranks != NULL && ranks->leads && !ranks->failed; }

/* Memory for sums of so many doubles at most. */
bool srl_ranks_reserve(struct srl_ranks *ranks, int64_t room, const struct srl_allocator *allocator);
void srl_ranks_release(struct srl_ranks *ranks, const struct srl_allocator *allocator);

/* Tells the others, from the first rank. */
void srl_tell(struct srl_ranks *ranks, const struct srl_call *call);
/* The next call, on the others: its arrays are here, and those that are sent are filled. False when there is none any more:
   the first rank has said that it is done, or the communicator has failed. */
bool srl_hear(struct srl_ranks *ranks, struct srl_call *call);
/* From the first rank: there is no more to do. */
void srl_dismiss(struct srl_ranks *ranks);

/* values = sum, or largest, over all ranks, in place on each. In the latter NaN counts as infinite. */
void srl_sum(struct srl_ranks *ranks, int64_t count, double *values);
void srl_largest(struct srl_ranks *ranks, int64_t count, double *values);
/* The largest and the second largest of pairs like that, one of each rank. */
void srl_largest_two(struct srl_ranks *ranks, double *first, double *second);
/* The same for the lower triangle of a matrix, which goes without the other. */
void srl_sum_triangle(struct srl_ranks *ranks, int64_t order, double *matrix);
/* From rank to all others. */
void srl_spread(struct srl_ranks *ranks, int rank, void *bytes, int64_t count);

/* What all come to when each has a status of its own: SOFTRELU_OK when all have it, else that of the first rank that has not,
   with its message. */
softrelu_status srl_agree(struct srl_ranks *ranks, softrelu_status status, struct srl_message *message);
/* That the communicator has failed, in words. */
softrelu_status srl_fail_ranks(struct srl_message *message);

#endif
