/*
 * Problems divided among the processes of MPI_COMM_WORLD, against the same problems on one.
 *
 *     mpirun -n N mpi_IMPLEMENTATION [communicators] [values] [solves] [family] [errors]
 *
 * All suites without arguments. The first rank says what is done; the others are heard when something fails there.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <softrelu/softrelu_mpi.h>

#include "all.h"

const softrelu_communicator *all;
bool is_first(void) { return all->rank == 0; }

/* ---- waiting ---- */

/* Ranks that wait for a message look for it without a pause, and MPICH's never give their core away. Where there are more ranks
   than cores that lasts: then the collective operations that the library calls are those that do not wait, with a wait here. */
static bool has_to_share; /* asked for at the start */

static int wait_for(MPI_Request *request, int error, void (*pause)(void)) {
    int done = 0;
    while (error == MPI_SUCCESS && !done) {
        error = MPI_Test(request, &done, MPI_STATUS_IGNORE);
        if (!done)
            pause();
    }
    return error;
}

static void give_way(void) { (void)sched_yield(); }

static void sleep_a_moment(void) {
    const struct timespec moment = {.tv_nsec = 200000};
    (void)nanosleep(&moment, NULL);
}

int MPI_Allreduce(const void *values, void *result, int count, MPI_Datatype type, MPI_Op operation, MPI_Comm comm) {
    MPI_Request request = MPI_REQUEST_NULL;
    if (!has_to_share)
        return PMPI_Allreduce(values, result, count, type, operation, comm);
    return wait_for(&request, MPI_Iallreduce(values, result, count, type, operation, comm, &request), give_way);
}

int MPI_Bcast(void *values, int count, MPI_Datatype type, int root, MPI_Comm comm) {
    MPI_Request request = MPI_REQUEST_NULL;
    if (!has_to_share)
        return PMPI_Bcast(values, count, type, root, comm);
    return wait_for(&request, MPI_Ibcast(values, count, type, root, comm, &request), give_way);
}

void from_rank(int rank, void *bytes, size_t count) {
    MPI_Request request = MPI_REQUEST_NULL;
    assert_int_equal(
        wait_for(&request, MPI_Ibcast(bytes, (int)count, MPI_BYTE, rank, MPI_COMM_WORLD, &request), sleep_a_moment),
        MPI_SUCCESS);
}

void from_first(void *bytes, size_t count) { from_rank(0, bytes, count); }

void assert_same_everywhere(const char *what, const void *bytes, size_t count) {
    char *first = malloc(count > 0 ? count : 1);
    assert_non_null(first);
    memcpy(first, bytes, count);
    from_first(first, count);
    if (memcmp(first, bytes, count) != 0)
        fail_msg("rank %d has another %s than the first", all->rank, what);
    free(first);
}

void assert_doubles_everywhere(const char *what, const double *values, int64_t count) {
    assert_same_everywhere(what, values, (size_t)count * sizeof *values);
}

static void communicators(void **state) {
    (void)state;
    softrelu_communicator *made = NULL;
    MPI_Comm half = MPI_COMM_NULL;
    assert_int_equal(softrelu_comm_create_mpi(MPI_COMM_WORLD, NULL), SOFTRELU_ERROR_NULL);
    assert_int_equal(softrelu_comm_create_mpi(MPI_COMM_NULL, &made), SOFTRELU_ERROR_VALUE);
    assert_null(made);
    softrelu_comm_destroy_mpi(NULL);

    /* of some processes only, with the ranks turned round */
    assert_int_equal(MPI_Comm_split(MPI_COMM_WORLD, all->rank % 2, -all->rank, &half), MPI_SUCCESS);
    assert_int_equal(softrelu_comm_create_mpi(half, &made), SOFTRELU_OK);
    assert_int_equal(made->size, (all->size + 1 - all->rank % 2) / 2);
    assert_int_equal(made->rank, made->size - 1 - all->rank / 2);
    double values[] = {(double)all->rank, 1.0}, largest = (double)-all->rank;
    int64_t word = all->rank;
    assert_int_equal(made->sum(made->context, values, 2), 0);
    assert_int_equal(made->largest(made->context, &largest, 1), 0);
    assert_int_equal(made->broadcast(made->context, &word, sizeof word, 0), 0);
    double sum = 0.0, last = 0.0;
    for (int rank = all->rank % 2; rank < all->size; rank += 2) {
        sum += (double)rank;
        last = (double)rank;
    }
    assert_true(values[0] == sum && values[1] == (double)made->size);
    assert_true(largest == (double)-(all->rank % 2));
    assert_int_equal(word, (int64_t)last);

    if (all->size > 1) { /* between two groups there are no ranks of one problem */
        MPI_Comm between = MPI_COMM_NULL;
        softrelu_communicator *refused = NULL;
        const int other = all->rank % 2 == 0 ? (all->size % 2 == 0 ? all->size - 1 : all->size - 2) : (all->size - 1) / 2 * 2;
        assert_int_equal(MPI_Intercomm_create(half, 0, MPI_COMM_WORLD, other, 1, &between), MPI_SUCCESS);
        assert_int_equal(softrelu_comm_create_mpi(between, &refused), SOFTRELU_ERROR_VALUE);
        assert_int_equal(MPI_Comm_free(&between), MPI_SUCCESS);
    }
    softrelu_comm_destroy_mpi(made);
    assert_int_equal(MPI_Comm_free(&half), MPI_SUCCESS);
}

static int test_communicators(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(communicators)};
    return cmocka_run_group_tests_name("communicators", tests, NULL, NULL);
}

static bool is_asked(int count, char **words, const char *name) {
    bool asked = count == 1;
    for (int i = 1; i < count; i++)
        asked = asked || strcmp(words[i], name) == 0;
    return asked;
}

int main(int count, char **words) {
    static const struct {
        const char *name;
        int (*run)(void);
    } suites[] = {{"communicators", test_communicators},
                  {"values", test_values},
                  {"solves", test_solves},
                  {"family", test_family},
                  {"errors", test_errors}};
    char blas[128];
    softrelu_communicator *made = NULL;
    /* a test that fails ends its process there, and mpirun the others: they would wait for it */
    (void)setenv("CMOCKA_TEST_ABORT", "1", 1);
    if (softrelu_comm_create_mpi(MPI_COMM_WORLD, &made) != SOFTRELU_ERROR_STATE || MPI_Init(&count, &words) != MPI_SUCCESS ||
        softrelu_comm_create_mpi(MPI_COMM_WORLD, &made) != SOFTRELU_OK)
        return 2;
    all = made;
    has_to_share = made->size > sysconf(_SC_NPROCESSORS_ONLN);
    softrelu_blas_description(blas, sizeof blas);
    for (int rank = 0; rank < all->size; rank++) {
        if (rank == all->rank)
            printf("rank %d of %d: %s\n", rank, all->size, blas);
        (void)fflush(stdout);
        (void)MPI_Barrier(MPI_COMM_WORLD);
    }
    int failures = !is_first() && freopen("/dev/null", "w", stdout) == NULL;
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++)
        if (is_asked(count, words, suites[i].name))
            failures += suites[i].run();
    softrelu_comm_destroy_mpi(made);
    (void)MPI_Finalize();
    return failures != 0 || softrelu_comm_create_mpi(MPI_COMM_WORLD, &made) != SOFTRELU_ERROR_STATE;
}
