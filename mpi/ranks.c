/* SPDX-License-Identifier: BSD-3-Clause */
/* The program softrelu-mpi, as far as it is another than softrelu: cli/ranks.h over MPI, whose errors end the program. */
#include "ranks.h"

#include "npy.h"
#include "options.h"

#include <softrelu/softrelu_mpi.h>
#include <stdio.h>

const char program_name[] = "softrelu-mpi";
const unsigned program_commands = COMMAND_SOLVE | COMMAND_CERTIFY | COMMAND_INFO;

static struct {
    softrelu_communicator *communicator;
    int rank, count;
} ranks; /* as MPI itself, one for the process */

/* FUNNELED: the BLAS may have threads. */
enum outcome ranks_begin(int *argc, char ***argv, struct failure *failure) {
    int threads = 0;
    (void)MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &threads);
    (void)MPI_Comm_rank(MPI_COMM_WORLD, &ranks.rank);
    (void)MPI_Comm_size(MPI_COMM_WORLD, &ranks.count);
    const bool silent = ranks.rank == 0 || freopen("/dev/null", "w", stdout) != NULL;
    const enum outcome outcome =
        ranks_agree(silent ? OUTCOME_OK : fail(failure, OUTCOME_RESOURCES, "cannot open /dev/null"), failure);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    const softrelu_status status = softrelu_comm_create_mpi(MPI_COMM_WORLD, &ranks.communicator);
    return status == SOFTRELU_OK
               ? OUTCOME_OK
               : fail(failure, OUTCOME_RESOURCES, "the processes cannot be connected: %s", softrelu_status_text(status));
}

void ranks_end(void) {
    softrelu_comm_destroy_mpi(ranks.communicator);
    (void)MPI_Finalize();
}

int ranks_rank(void) { return ranks.rank; }

int ranks_count(void) { return ranks.count; }

const softrelu_communicator *ranks_communicator(void) { return ranks.communicator; }

enum outcome ranks_agree(enum outcome outcome, struct failure *failure) {
    int first = outcome == OUTCOME_OK ? ranks.count : ranks.rank;
    int its = (int)outcome;
    (void)MPI_Allreduce(MPI_IN_PLACE, &first, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
    if (first < ranks.count) {
        (void)MPI_Bcast(&its, 1, MPI_INT, first, MPI_COMM_WORLD);
        (void)MPI_Bcast(failure->text, (int)sizeof failure->text, MPI_CHAR, first, MPI_COMM_WORLD);
    }
    return (enum outcome)its;
}

/* One rank after the other: together they may be more than an int of MPI can count. */
void ranks_gather(double *values, int64_t entries) {
    const int64_t own = npy_part_first(entries, ranks.rank + 1, ranks.count) - npy_part_first(entries, ranks.rank, ranks.count);
    if (ranks.rank > 0) {
        (void)MPI_Send(values, (int)own, MPI_DOUBLE, 0, 0, MPI_COMM_WORLD);
        return;
    }
    for (int rank = 1; rank < ranks.count; rank++) {
        const int64_t first = npy_part_first(entries, rank, ranks.count);
        const int64_t behind = npy_part_first(entries, rank + 1, ranks.count);
        (void)MPI_Recv(values + first, (int)(behind - first), MPI_DOUBLE, rank, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    }
}
