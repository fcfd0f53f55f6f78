#include "support/ranks.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

int64_t division_first(enum division division, int64_t m, int rank, int size) {
    if (division == DIVISION_UNEVEN) { /* shares like size, size - 1, ... */
        const int64_t all = (int64_t)size * (size + 1) / 2, before = (int64_t)rank * size - (int64_t)rank * (rank - 1) / 2;
        return m * before / all;
    }
    if (division == DIVISION_EMPTY && size > 1)
        return rank == 0 ? 0 : m * (rank - 1) / (size - 1);
    return m * rank / size;
}

softrelu_problem *divided_problem(const struct instance *whole, const softrelu_communicator *with, enum division division) {
    const int64_t first = division_first(division, whole->m, with->rank, with->size);
    const int64_t m = division_first(division, whole->m, with->rank + 1, with->size) - first;
    softrelu_problem *problem = NULL;
    if (softrelu_problem_create_distributed(whole->n, whole->d, m, with, NULL, NULL, NULL, &problem) != SOFTRELU_OK)
        return NULL;
    const struct {
        softrelu_array array;
        const double *values;
        int64_t length;
    } vectors[] = {{SOFTRELU_B, m > 0 ? whole->b + first : NULL, m},
                   {SOFTRELU_C2, whole->c2 != NULL && m > 0 ? whole->c2 + first : NULL, m},
                   {SOFTRELU_C1, whole->c1, whole->n},
                   {SOFTRELU_W, whole->w, whole->n},
                   {SOFTRELU_X_REF, whole->x_ref, whole->d},
                   {SOFTRELU_LOWER, whole->lower, whole->d},
                   {SOFTRELU_UPPER, whole->upper, whole->d}};
    softrelu_status status =
        softrelu_problem_set_matrix(problem, SOFTRELU_A1, whole->A1, SOFTRELU_ROW_MAJOR, whole->d, SOFTRELU_BORROW);
    if (m > 0 && status == SOFTRELU_OK)
        status = softrelu_problem_set_matrix(problem, SOFTRELU_A2, whole->A2 + first * whole->n, SOFTRELU_ROW_MAJOR, whole->n,
                                             SOFTRELU_BORROW);
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors && status == SOFTRELU_OK; i++)
        if (vectors[i].values != NULL)
            status =
                softrelu_problem_set_vector(problem, vectors[i].array, vectors[i].values, vectors[i].length, SOFTRELU_BORROW);
    if (status == SOFTRELU_OK)
        status = softrelu_problem_set_number(problem, SOFTRELU_RHO, whole->rho);
    if (status == SOFTRELU_OK)
        status = softrelu_problem_set_loss(problem, whole->loss);
    if (status == SOFTRELU_OK)
        status = softrelu_problem_finish(problem);
    if (status == SOFTRELU_OK)
        return problem;
    softrelu_problem_destroy(problem);
    return NULL;
}

static int nothing_to_combine(void *context, double *values, int64_t count) {
    (void)context;
    (void)values;
    (void)count;
    return 0;
}
static int nobody_to_tell(void *context, void *bytes, int64_t count, int root) {
    (void)context;
    (void)bytes;
    (void)count;
    return root;
}
const softrelu_communicator LONE_RANK = {sizeof LONE_RANK, 0, 1, NULL, nothing_to_combine, nothing_to_combine, nobody_to_tell};

/* ---- threads ---- */

enum { MOST_RANKS = 16 };

/* A place where all ranks meet; once broken, nobody waits there any more. */
struct meeting {
    pthread_mutex_t mutex;
    pthread_cond_t all_here;
    int size, here;
    int64_t round;
    bool broken;
    double *values[MOST_RANKS]; /* of the present call */
    void *bytes;
    int fail_rank;
    int64_t fail_at;
};

struct member {
    struct meeting *meeting;
    int rank;
    int64_t calls;
    struct traffic traffic;
    softrelu_communicator communicator;
    void (*body)(const softrelu_communicator *with, void *context);
    void *context;
};

struct traffic traffic_of(const softrelu_communicator *with) {
    return ((const struct member *)with->context)->traffic;
}

/* Waits for all. False when the communicator is broken. The mutex is held before and afterwards. */
static bool meet(struct meeting *meeting) {
    const int64_t round = meeting->round;
    if (++meeting->here == meeting->size) {
        meeting->here = 0;
        meeting->round++;
        (void)pthread_cond_broadcast(&meeting->all_here);
    }
    while (meeting->round == round && !meeting->broken)
        (void)pthread_cond_wait(&meeting->all_here, &meeting->mutex);
    return meeting->round != round;
}

static bool breaks(struct member *member, int64_t bytes) {
    struct meeting *meeting = member->meeting;
    member->calls++;
    member->traffic.messages++;
    member->traffic.bytes += bytes;
    if (member->rank == meeting->fail_rank && member->calls == meeting->fail_at)
        meeting->broken = true;
    if (meeting->broken)
        (void)pthread_cond_broadcast(&meeting->all_here);
    return meeting->broken;
}

static int combine(struct member *member, double *values, int64_t count, bool largest) {
    struct meeting *meeting = member->meeting;
    double *result = malloc((size_t)count * sizeof *result);
    bool done = false;
    (void)pthread_mutex_lock(&meeting->mutex);
    if (result != NULL && !breaks(member, count * (int64_t)sizeof *values)) {
        meeting->values[member->rank] = values;
        if (meet(meeting)) {
            for (int64_t i = 0; i < count; i++) {
                result[i] = meeting->values[0][i];
                for (int rank = 1; rank < meeting->size; rank++) {
                    const double value = meeting->values[rank][i];
                    result[i] = !largest ? result[i] + value : value > result[i] ? value : result[i];
                }
            }
            done = meet(meeting); /* all have read before anyone writes */
        }
    }
    (void)pthread_mutex_unlock(&meeting->mutex);
    if (done)
        memcpy(values, result, (size_t)count * sizeof *values);
    free(result);
    return done ? 0 : 1;
}

static int sum(void *context, double *values, int64_t count) { return combine(context, values, count, false); }
static int largest(void *context, double *values, int64_t count) { return combine(context, values, count, true); }

static int broadcast(void *context, void *bytes, int64_t count, int root) {
    struct member *member = context;
    struct meeting *meeting = member->meeting;
    bool done = false;
    (void)pthread_mutex_lock(&meeting->mutex);
    if (!breaks(member, count)) {
        if (member->rank == root)
            meeting->bytes = bytes;
        done = meet(meeting);
        if (done && member->rank != root)
            memcpy(bytes, meeting->bytes, (size_t)count);
        done = done && meet(meeting);
    }
    (void)pthread_mutex_unlock(&meeting->mutex);
    return done ? 0 : 1;
}

static void *run(void *argument) {
    struct member *member = argument;
    member->body(&member->communicator, member->context);
    return NULL;
}

int64_t run_on_threads(int size, int fail_rank, int64_t fail_at, void (*body)(const softrelu_communicator *with, void *context),
                       void *context) {
    struct meeting meeting = {.size = size, .fail_rank = fail_rank, .fail_at = fail_at};
    struct member members[MOST_RANKS] = {0};
    pthread_t threads[MOST_RANKS];
    assert_true(size <= MOST_RANKS);
    assert_int_equal(pthread_mutex_init(&meeting.mutex, NULL), 0);
    assert_int_equal(pthread_cond_init(&meeting.all_here, NULL), 0);
    for (int rank = 0; rank < size; rank++) {
        members[rank] = (struct member){.meeting = &meeting, .rank = rank, .body = body, .context = context};
        members[rank].communicator =
            (softrelu_communicator){sizeof(softrelu_communicator), rank, size, &members[rank], sum, largest, broadcast};
        assert_int_equal(pthread_create(&threads[rank], NULL, run, &members[rank]), 0);
    }
    for (int rank = 0; rank < size; rank++)
        assert_int_equal(pthread_join(threads[rank], NULL), 0);
    (void)pthread_cond_destroy(&meeting.all_here);
    (void)pthread_mutex_destroy(&meeting.mutex);
    return members[0].calls;
}
