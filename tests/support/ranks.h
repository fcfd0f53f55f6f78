/* Problems whose outputs are divided among ranks, and ranks that are threads of the test. */
#ifndef SOFTRELU_TESTS_RANKS_H
#define SOFTRELU_TESTS_RANKS_H

#include "support/instance.h"

/* Which rows a rank has: nearly as many each, fewer and fewer, or none for the first rank. */
enum division { DIVISION_EVEN, DIVISION_UNEVEN, DIVISION_EMPTY, DIVISION_COUNT };
int64_t division_first(enum division division, int64_t m, int rank, int size); /* rank = size: m */

/* The sealed problem of this rank, its rows borrowed from the whole. NULL: refused. */
softrelu_problem *divided_problem(const struct instance *whole, const softrelu_communicator *with, enum division division);

/* Of one rank alone: there is nobody to talk to. */
extern const softrelu_communicator LONE_RANK;

/*
 * Runs body on so many threads, each with a communicator. fail_at > 0: the communicator breaks at the fail_at-th call of rank
 * fail_rank, there and from then on everywhere, as one does when a connection is lost. Returns how many calls of the
 * communicator the first rank made.
 */
int64_t run_on_threads(int size, int fail_rank, int64_t fail_at, void (*body)(const softrelu_communicator *with, void *context),
                       void *context);

/* What went by: of one rank. */
struct traffic {
    int64_t messages, bytes;
};
/* So far, of a rank that is a thread: from that thread. */
struct traffic traffic_of(const softrelu_communicator *with);

#endif
