/* Problems whose outputs are divided among ranks. */
#include <float.h>
#include <inttypes.h>
#include <math.h>

#include "api/handles.h"

enum { LEAST_ROOM = 1 << 12, MOST_ROOM = 1 << 20 }; /* doubles that are added up at a time */

static bool is_communicator(const softrelu_communicator *with) {
    return with->size_of_struct >= sizeof *with && with->size >= 1 && with->rank >= 0 && with->rank < with->size &&
           with->sum != NULL && with->largest != NULL && with->broadcast != NULL;
}

static int64_t room_for_sums(int64_t n, int64_t d) {
    const double triangle = 0.5 * (double)d * ((double)d + 1.0), most = fmax(triangle, (double)n);
    return (int64_t)fmin(fmax(most, LEAST_ROOM), MOST_ROOM);
}

/* Whether all ranks have the same value. */
static bool is_same(struct srl_ranks *ranks, int64_t value) {
    double ends[] = {(double)value, -(double)value};
    srl_largest(ranks, 2, ends);
    return ends[0] == -ends[1];
}

/* How many outputs there are on this rank's side, and on all. counts: one for each rank, zero. */
static void find_place(struct srl_model *model, double *counts) {
    struct srl_ranks *ranks = model->ranks;
    counts[ranks->communicator.rank] = (double)model->m;
    srl_sum(ranks, ranks->communicator.size, counts);
    model->outputs = model->first = model->room = 0;
    for (int rank = 0; rank < ranks->communicator.size; rank++) {
        const int64_t count = (int64_t)counts[rank];
        model->first += rank < ranks->communicator.rank ? count : 0;
        model->room = count > model->room ? count : model->room;
        model->outputs += count;
    }
}

/* The status of this rank, where only that is known yet, becomes that of all. */
static softrelu_status join(softrelu_problem *problem, struct srl_ranks *ranks, softrelu_status status, double *counts) {
    struct srl_message message = {""};
    status = srl_agree(ranks, status, &message);
    if (status != SOFTRELU_OK)
        return status;
    struct srl_model *model = &problem->model;
    const bool same = is_same(ranks, model->n) && is_same(ranks, model->d);
    find_place(model, counts);
    if (ranks->failed)
        return SOFTRELU_ERROR_COMMUNICATION;
    return same && model->outputs > 0 ? SOFTRELU_OK : SOFTRELU_ERROR_SIZE;
}

softrelu_status softrelu_problem_create_distributed(int64_t n, int64_t d, int64_t m, const softrelu_communicator *communicator,
                                                    softrelu_allocate allocate, softrelu_release release, void *context,
                                                    softrelu_problem **problem) {
    if (problem == NULL)
        return SOFTRELU_ERROR_NULL;
    *problem = NULL;
    if (communicator == NULL)
        return SOFTRELU_ERROR_NULL;
    if (!is_communicator(communicator))
        return SOFTRELU_ERROR_VALUE;
    double sums[4]; /* none is made before there is memory for it */
    struct srl_ranks alone = {.communicator = *communicator, .buffer = sums, .room = 2};
    softrelu_problem *created = NULL;
    double *counts = NULL;
    softrelu_status status = m < 0 || m > SRL_MAX_DIMENSION ? SOFTRELU_ERROR_SIZE : SOFTRELU_OK;
    if (status == SOFTRELU_OK)
        status = softrelu_problem_create(n, d, m > 0 ? m : 1, allocate, release, context, &created);
    if (status == SOFTRELU_OK) {
        created->model.m = m;
        created->ranks.communicator = *communicator;
        counts = srl_allocate(&created->allocator, communicator->size, sizeof *counts);
        if (counts == NULL || !srl_ranks_reserve(&created->ranks, room_for_sums(n, d), &created->allocator))
            status = SOFTRELU_ERROR_MEMORY;
    }
    if (status == SOFTRELU_OK) {
        created->model.ranks = &created->ranks;
        status = join(created, &created->ranks, status, counts);
    } else {
        struct srl_message message = {""};
        status = srl_agree(&alone, status, &message);
    }
    if (created != NULL)
        srl_release(&created->allocator, counts);
    if (status != SOFTRELU_OK) {
        softrelu_problem_destroy(created);
        return status;
    }
    *problem = created;
    return SOFTRELU_OK;
}

softrelu_status softrelu_problem_outputs(const softrelu_problem *problem, int64_t *outputs, int64_t *first) {
    if (problem == NULL)
        return SOFTRELU_ERROR_NULL;
    if (outputs != NULL)
        *outputs = problem->model.outputs;
    if (first != NULL)
        *first = problem->model.first;
    return SOFTRELU_OK;
}

softrelu_status srl_agree_on_memory(const softrelu_problem *problem, bool had) {
    struct srl_message message = {""};
    return srl_agree(problem->model.ranks, had ? SOFTRELU_OK : SOFTRELU_ERROR_MEMORY, &message);
}

/* A rank without rows has a matrix of none, and a target of none, in the precision of the others. */
static void take_nothing(struct srl_model *model, bool single) {
    static const double nothing;
    static const float nothing_single;
    model->A2 = (struct srl_matrix){single ? NULL : &nothing, 0, model->n, model->n, true, single ? &nothing_single : NULL};
    model->b = &nothing;
}

softrelu_status srl_settle_outputs(softrelu_problem *problem) {
    struct srl_model *model = &problem->model;
    const bool given = srl_is_given(&model->A2);
    softrelu_status status = SOFTRELU_OK;
    if (model->m > 0 && !given)
        status = srl_fail(&problem->message, SOFTRELU_ERROR_MISSING, "A2 has not been given");
    status = srl_agree(model->ranks, status, &problem->message);
    if (status != SOFTRELU_OK)
        return status;
    double kinds[] = {model->m > 0 && model->A2.single != NULL, model->m > 0 && model->A2.single == NULL};
    srl_largest(model->ranks, 2, kinds);
    if (!model->ranks->failed && kinds[0] + kinds[1] > 1.0)
        return srl_fail(&problem->message, SOFTRELU_ERROR_VALUE, "A2 is in single precision on some ranks only");
    if (model->m == 0)
        take_nothing(model, kinds[0] > 0.0);
    return model->ranks->failed ? srl_fail_ranks(&problem->message) : SOFTRELU_OK;
}

void srl_join_columns(const struct srl_model *model, double *scratch, double *norms, double *least, double *largest) {
    struct srl_ranks *ranks = model->ranks;
    const int64_t n = model->n;
    if (ranks == NULL)
        return;
    for (int64_t i = 0; i < n; i++) {
        scratch[i] = norms[i];
        least[i] = -least[i];
    }
    srl_largest(ranks, n, scratch);
    srl_largest(ranks, n, least);
    srl_largest(ranks, n, largest);
    for (int64_t i = 0; i < n; i++) {
        norms[i] = scratch[i] > 0.0 ? (norms[i] / scratch[i]) * (norms[i] / scratch[i]) : 0.0;
        least[i] = -least[i];
    }
    srl_sum(ranks, n, norms);
    for (int64_t i = 0; i < n; i++)
        norms[i] = scratch[i] * sqrt(norms[i]);
}
