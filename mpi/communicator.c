/* SPDX-License-Identifier: BSD-3-Clause */
/* MPI behind the table of functions that the core knows. Counts of MPI are ints: what is longer goes in parts. */
#include <limits.h>
#include <stdlib.h>

#include <softrelu/softrelu_mpi.h>

struct processes {
    softrelu_communicator communicator; /* what the caller holds is a pointer to this */
    MPI_Comm comm;
};

static int part_of(int64_t count) { return count < INT_MAX ? (int)count : INT_MAX; }

static int reduce(void *context, double *values, int64_t count, MPI_Op operation) {
    const struct processes *processes = context;
    int error = MPI_SUCCESS;
    while (count > 0 && error == MPI_SUCCESS) {
        const int part = part_of(count);
        error = MPI_Allreduce(MPI_IN_PLACE, values, part, MPI_DOUBLE, operation, processes->comm);
        values += part;
        count -= part;
    }
    return error != MPI_SUCCESS;
}

static int sum(void *context, double *values, int64_t count) { return reduce(context, values, count, MPI_SUM); }
static int largest(void *context, double *values, int64_t count) { return reduce(context, values, count, MPI_MAX); }

static int broadcast(void *context, void *bytes, int64_t count, int root) {
    const struct processes *processes = context;
    char *at = bytes;
    int error = MPI_SUCCESS;
    while (count > 0 && error == MPI_SUCCESS) {
        const int part = part_of(count);
        error = MPI_Bcast(at, part, MPI_BYTE, root, processes->comm);
        at += part;
        count -= part;
    }
    return error != MPI_SUCCESS;
}

static int is_running(void) {
    int initialised = 0, finalised = 0;
    return MPI_Initialized(&initialised) == MPI_SUCCESS && initialised && MPI_Finalized(&finalised) == MPI_SUCCESS &&
           !finalised;
}

/* Whether all processes have it: one that lacks memory must not leave the others waiting. */
static int all_have(MPI_Comm comm, const void *block, int *have) {
    *have = block != NULL;
    return MPI_Allreduce(MPI_IN_PLACE, have, 1, MPI_INT, MPI_MIN, comm);
}

softrelu_status softrelu_comm_create_mpi(MPI_Comm comm, softrelu_communicator **communicator) {
    int between = 0, have = 0;
    if (communicator == NULL)
        return SOFTRELU_ERROR_NULL;
    *communicator = NULL;
    if (!is_running())
        return SOFTRELU_ERROR_STATE;
    if (comm == MPI_COMM_NULL || MPI_Comm_test_inter(comm, &between) != MPI_SUCCESS || between)
        return SOFTRELU_ERROR_VALUE;
    MPI_Comm own = MPI_COMM_NULL;
    if (MPI_Comm_dup(comm, &own) != MPI_SUCCESS)
        return SOFTRELU_ERROR_COMMUNICATION;
    struct processes *created = calloc(1, sizeof *created);
    softrelu_status status = SOFTRELU_OK;
    if (MPI_Comm_set_errhandler(own, MPI_ERRORS_RETURN) != MPI_SUCCESS || all_have(own, created, &have) != MPI_SUCCESS)
        status = SOFTRELU_ERROR_COMMUNICATION;
    else if (!have)
        status = SOFTRELU_ERROR_MEMORY;
    if (status != SOFTRELU_OK) {
        (void)MPI_Comm_free(&own);
        free(created);
        return status;
    }
    created->comm = own;
    created->communicator = (softrelu_communicator){.size_of_struct = sizeof created->communicator,
                                                    .context = created,
                                                    .sum = sum,
                                                    .largest = largest,
                                                    .broadcast = broadcast};
    (void)MPI_Comm_rank(own, &created->communicator.rank);
    (void)MPI_Comm_size(own, &created->communicator.size);
    *communicator = &created->communicator;
    return SOFTRELU_OK;
}

void softrelu_comm_destroy_mpi(softrelu_communicator *communicator) {
    if (communicator == NULL)
        return;
    struct processes *processes = communicator->context;
    if (is_running())
        (void)MPI_Comm_free(&processes->comm);
    free(processes);
}
