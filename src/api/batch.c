/* Batches: many targets for one problem, on threads of their own. Each thread has a solver that was made beforehand, and takes
   the next target when it is done with one; what it does to a target is what a caller would do to a single one. */
#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "api/handles.h"
#include "base/team.h"
#include "certificate/keep.h"
#include "linalg/runtime.h"

enum { KINDS = 5 };

/* What may differ from target to target. */
static const softrelu_array kinds[KINDS] = {SOFTRELU_B, SOFTRELU_X_REF, SOFTRELU_LOWER, SOFTRELU_UPPER, SOFTRELU_X0};
struct columns {
    const double *values; /* of target t at values + t ld; NULL: not given */
    int64_t ld;
};

struct outcome {
    softrelu_status status;
    struct softrelu_report report;           /* without a trace */
    struct softrelu_certificate certificate; /* without vectors */
    struct srl_message message;
};

struct worker {
    softrelu_batch *batch;
    softrelu_solver *solver;
    int64_t target;
};

struct softrelu_batch {
    struct srl_allocator allocator;
    struct srl_arena arena;
    const struct srl_model *model;
    struct worker *workers;
    int worker_count;
    bool automatic; /* the number of threads */
    softrelu_blas_use blas;
    struct columns columns[KINDS];
    double *standard[KINDS]; /* for all targets, where columns are not given: of the solver the batch was made from */
    bool has_standard[KINDS];
    struct outcome *outcomes;
    int64_t capacity, targets; /* that there is room for; of the last run */
    int threads;               /* of the last run */
    double *x;
    int64_t ldx;
    softrelu_batch_callback callback;
    void *user;
    pthread_mutex_t calling; /* one callback at a time */
    _Atomic int64_t next;
    atomic_int stop_requested, running;
    struct srl_message message;
};

static int64_t rows_of(const softrelu_batch *batch, int kind) {
    return kinds[kind] == SOFTRELU_B ? batch->model->m : batch->model->d;
}

static void carve(struct srl_arena *arena, softrelu_batch *batch) {
    batch->workers = srl_arena_take(arena, batch->worker_count, sizeof *batch->workers);
    batch->outcomes = srl_arena_take(arena, batch->capacity, sizeof *batch->outcomes);
    for (int kind = 0; kind < KINDS; kind++)
        batch->standard[kind] = srl_arena_doubles(arena, rows_of(batch, kind));
}

/* What the solver has of its own, as it is now. */
static void copy_target(softrelu_batch *batch, const softrelu_solver *solver) {
    for (int kind = 0; kind < KINDS; kind++) {
        const double *own = srl_own_vector(solver, kinds[kind]);
        batch->has_standard[kind] = own != NULL;
        if (own != NULL)
            memcpy(batch->standard[kind], own, (size_t)rows_of(batch, kind) * sizeof *own);
    }
}

static int processors(void) {
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online < 1 ? 1 : online > SRL_MOST_THREADS ? SRL_MOST_THREADS : (int)online;
}

static bool make_workers(softrelu_batch *batch, const softrelu_solver *solver) {
    for (int i = 0; i < batch->worker_count; i++) {
        batch->workers[i] = (struct worker){batch, srl_solver_like(solver), 0};
        if (batch->workers[i].solver == NULL)
            return false;
    }
    return true;
}

softrelu_status softrelu_batch_create(const softrelu_solver *solver, int64_t capacity, int threads, softrelu_blas_use blas,
                                      softrelu_batch **batch) {
    if (batch == NULL)
        return SOFTRELU_ERROR_NULL;
    *batch = NULL;
    if (solver == NULL)
        return SOFTRELU_ERROR_NULL;
    if (srl_solver_is_running(solver) || srl_is_divided(solver->problem))
        return SOFTRELU_ERROR_STATE;
    if (capacity < 1)
        return SOFTRELU_ERROR_SIZE;
    if (threads < 0 || threads > SRL_MOST_THREADS || (blas != SOFTRELU_BLAS_KEEP && blas != SOFTRELU_BLAS_ONE_THREAD))
        return SOFTRELU_ERROR_VALUE;
    softrelu_batch *created = srl_allocate(&solver->allocator, 1, sizeof *created);
    if (created == NULL)
        return SOFTRELU_ERROR_MEMORY;
    created->allocator = solver->allocator;
    created->model = &solver->problem->model;
    created->capacity = capacity;
    created->blas = blas;
    created->automatic = threads == 0;
    const int wanted = threads == 0 ? processors() : threads;
    created->worker_count = capacity < wanted ? (int)capacity : wanted;
    atomic_init(&created->next, 0);
    atomic_init(&created->stop_requested, 0);
    atomic_init(&created->running, 0);
    carve(&created->arena, created);
    const bool ready = pthread_mutex_init(&created->calling, NULL) == 0;
    const bool room = ready && srl_arena_reserve(&created->arena, &created->allocator);
    if (room)
        carve(&created->arena, created);
    if (!room || !make_workers(created, solver)) {
        if (!ready)
            srl_release(&created->allocator, created);
        else
            softrelu_batch_destroy(created);
        return SOFTRELU_ERROR_MEMORY;
    }
    copy_target(created, solver);
    *batch = created;
    return SOFTRELU_OK;
}

static bool is_running(const softrelu_batch *batch) { return atomic_load(&batch->running) != 0; }

void softrelu_batch_destroy(softrelu_batch *batch) {
    if (batch == NULL || is_running(batch))
        return;
    const struct srl_allocator allocator = batch->allocator;
    for (int i = 0; i < batch->worker_count && batch->workers != NULL; i++)
        softrelu_solver_destroy(batch->workers[i].solver);
    srl_arena_release(&batch->arena, &allocator);
    (void)pthread_mutex_destroy(&batch->calling);
    srl_release(&allocator, batch);
}

/* Refuses calls from the batch's own callback. */
static softrelu_status check_idle(softrelu_batch *batch) {
    if (is_running(batch)) /* the message belongs to the call that runs: see softrelu_batch_message() */
        return SOFTRELU_ERROR_STATE;
    batch->message.text[0] = '\0';
    return SOFTRELU_OK;
}

static int kind_of(softrelu_array array) {
    for (int kind = 0; kind < KINDS; kind++)
        if (kinds[kind] == array)
            return kind;
    return -1;
}

softrelu_status softrelu_batch_set_columns(softrelu_batch *batch, softrelu_array array, const double *values,
                                           int64_t leading_dimension) {
    if (batch == NULL)
        return SOFTRELU_ERROR_NULL;
    const softrelu_status status = check_idle(batch);
    if (status != SOFTRELU_OK)
        return status;
    const int kind = kind_of(array);
    if (kind < 0)
        return srl_fail(&batch->message, SOFTRELU_ERROR_UNKNOWN,
                        "array %d is not given by target: SOFTRELU_B, SOFTRELU_X0, SOFTRELU_X_REF, SOFTRELU_LOWER or "
                        "SOFTRELU_UPPER",
                        (int)array);
    const int64_t rows = rows_of(batch, kind);
    if (values != NULL && leading_dimension < rows)
        return srl_fail(&batch->message, SOFTRELU_ERROR_SIZE,
                        "leading dimension %" PRId64 " for columns of %" PRId64 " entries", leading_dimension, rows);
    const bool bounds = values != NULL && (array == SOFTRELU_LOWER || array == SOFTRELU_UPPER);
    for (int i = 0; i < batch->worker_count && bounds; i++) /* now, rather than in the middle of a run */
        if (srl_use_unknowns(batch->workers[i].solver, false) != SOFTRELU_OK)
            return srl_fail(&batch->message, SOFTRELU_ERROR_MEMORY, "no memory for solving with bounds");
    batch->columns[kind] = (struct columns){values, leading_dimension};
    return SOFTRELU_OK;
}

softrelu_status softrelu_batch_set_callback(softrelu_batch *batch, softrelu_batch_callback callback, void *user) {
    if (batch == NULL)
        return SOFTRELU_ERROR_NULL;
    const softrelu_status status = check_idle(batch);
    if (status != SOFTRELU_OK)
        return status;
    batch->callback = callback;
    batch->user = user;
    return SOFTRELU_OK;
}

void softrelu_batch_request_stop(softrelu_batch *batch) {
    if (batch != NULL)
        atomic_store(&batch->stop_requested, 1);
}

static int call_user(softrelu_batch *batch, int64_t target, const softrelu_report *report) {
    if (batch->callback == NULL)
        return 0;
    (void)pthread_mutex_lock(&batch->calling);
    const int answer = batch->callback(target, report, batch->user);
    (void)pthread_mutex_unlock(&batch->calling);
    return answer;
}

/* The callback of every worker's solver. */
static int during_solve(const softrelu_report *report, void *user) {
    const struct worker *worker = user;
    return call_user(worker->batch, worker->target, report);
}

/* What every worker's solver asks at its checks: a request to stop the batch becomes one to stop the solve. */
static int pass_on_request(void *user) {
    const struct worker *worker = user;
    if (atomic_load_explicit(&worker->batch->stop_requested, memory_order_relaxed) != 0)
        softrelu_solver_request_stop(worker->solver);
    return 0;
}

/* Gives the worker's solver the target's columns. */
static softrelu_status take_target(struct worker *worker) {
    const softrelu_batch *batch = worker->batch;
    softrelu_status status = softrelu_solver_set_callback(worker->solver, during_solve, worker);
    if (status == SOFTRELU_OK)
        status = softrelu_solver_set_interrupt(worker->solver, pass_on_request, worker);
    for (int kind = 0; kind < KINDS && status == SOFTRELU_OK; kind++) {
        const struct columns *columns = &batch->columns[kind];
        const double *vector = columns->values != NULL     ? columns->values + worker->target * columns->ld
                               : batch->has_standard[kind] ? batch->standard[kind]
                                                           : NULL;
        const int64_t length = vector != NULL ? rows_of(batch, kind) : 0;
        status = kinds[kind] == SOFTRELU_X0 ? softrelu_solver_set_start(worker->solver, vector, length)
                                            : softrelu_solver_set_vector(worker->solver, kinds[kind], vector, length);
    }
    return status;
}

static void solve_target(struct worker *worker, int64_t target) {
    softrelu_batch *batch = worker->batch;
    softrelu_solver *solver = worker->solver;
    struct outcome *outcome = &batch->outcomes[target];
    worker->target = target;
    outcome->status = take_target(worker);
    if (outcome->status == SOFTRELU_OK)
        outcome->status = softrelu_solver_solve(solver);
    if (outcome->status != SOFTRELU_OK) {
        memcpy(&outcome->message, &solver->message, sizeof outcome->message);
    } else {
        (void)softrelu_solver_solution(solver, batch->x + target * batch->ldx, batch->model->d);
        outcome->report = solver->core.report;
        outcome->report.trace = NULL;
        outcome->report.capacity = 0;
        srl_certificate_keep(&outcome->certificate, &solver->core.certificate);
        outcome->certificate.model = batch->model;
    }
    (void)call_user(batch, target, &outcome->report);
}

static void work(void *context, int member) {
    softrelu_batch *batch = context;
    for (;;) {
        const int64_t target = atomic_load(&batch->stop_requested) == 0 ? atomic_fetch_add(&batch->next, 1) : batch->targets;
        if (target >= batch->targets)
            return;
        solve_target(&batch->workers[member], target);
    }
}

static softrelu_status check_run(softrelu_batch *batch, int64_t targets, const double *x, int64_t ldx) {
    batch->message.text[0] = '\0';
    if (x == NULL)
        return srl_fail(&batch->message, SOFTRELU_ERROR_NULL, "x is NULL");
    if (targets < 1 || targets > batch->capacity)
        return srl_fail(&batch->message, SOFTRELU_ERROR_SIZE, "%" PRId64 " targets in a batch made for 1 to %" PRId64, targets,
                        batch->capacity);
    if (ldx < batch->model->d)
        return srl_fail(&batch->message, SOFTRELU_ERROR_SIZE,
                        "x: leading dimension %" PRId64 " for columns of %" PRId64 " entries", ldx, batch->model->d);
    return SOFTRELU_OK;
}

/* How many threads of its own the run takes beside a BLAS of so many. */
static softrelu_status choose_threads(softrelu_batch *batch, int64_t targets, int blas) {
    batch->threads = targets < batch->worker_count ? (int)targets : batch->worker_count;
    if (blas <= 1 || batch->blas == SOFTRELU_BLAS_ONE_THREAD || batch->threads == 1)
        return SOFTRELU_OK;
    if (!batch->automatic)
        return srl_fail(&batch->message, SOFTRELU_ERROR_STATE,
                        "%d threads beside a BLAS of %d threads would fight over the processors: set the BLAS to 1 thread, or "
                        "give leave with SOFTRELU_BLAS_ONE_THREAD",
                        batch->threads, blas);
    batch->threads = 1;
    return SOFTRELU_OK;
}

static void clear_outcomes(softrelu_batch *batch) {
    for (int64_t t = 0; t < batch->targets; t++) {
        struct outcome *outcome = &batch->outcomes[t];
        *outcome = (struct outcome){.status = SOFTRELU_OK};
        outcome->certificate.model = batch->model;
        srl_certificate_clear(&outcome->certificate);
    }
}

static softrelu_status run(softrelu_batch *batch, int64_t targets, double *x, int64_t leading_dimension) {
    const int blas = srl_blas_threads();
    softrelu_status status = check_run(batch, targets, x, leading_dimension);
    if (status == SOFTRELU_OK)
        status = choose_threads(batch, targets, blas);
    if (status != SOFTRELU_OK)
        return status;
    const bool alone = batch->blas == SOFTRELU_BLAS_ONE_THREAD && blas > 1;
    if (alone && !srl_blas_set_threads(1))
        return srl_fail(&batch->message, SOFTRELU_ERROR_STATE, "this BLAS runs %d threads and cannot be told to run one", blas);
    batch->targets = targets;
    batch->x = x;
    batch->ldx = leading_dimension;
    clear_outcomes(batch);
    atomic_store(&batch->stop_requested, 0);
    atomic_store(&batch->next, 0);
    batch->threads = srl_team_run(batch->threads, work, batch);
    if (alone)
        (void)srl_blas_set_threads(blas);
    return SOFTRELU_OK;
}

softrelu_status softrelu_solve_batch(softrelu_batch *batch, int64_t targets, double *x, int64_t leading_dimension) {
    if (batch == NULL)
        return SOFTRELU_ERROR_NULL;
    if (atomic_exchange(&batch->running, 1) != 0)
        return SOFTRELU_ERROR_STATE;
    const softrelu_status status = run(batch, targets, x, leading_dimension);
    atomic_store(&batch->running, 0);
    return status;
}

static const struct outcome *outcome_of(const softrelu_batch *batch, int64_t target) {
    return batch != NULL && target >= 0 && target < batch->targets ? &batch->outcomes[target] : NULL;
}

softrelu_status softrelu_batch_status(const softrelu_batch *batch, int64_t target) {
    const struct outcome *outcome = outcome_of(batch, target);
    return outcome != NULL ? outcome->status : batch == NULL ? SOFTRELU_ERROR_NULL : SOFTRELU_ERROR_SIZE;
}

const char *softrelu_batch_target_message(const softrelu_batch *batch, int64_t target) {
    const struct outcome *outcome = outcome_of(batch, target);
    return outcome != NULL ? outcome->message.text : batch == NULL ? "the batch is NULL" : "there is no such target";
}

const softrelu_report *softrelu_batch_report(const softrelu_batch *batch, int64_t target) {
    const struct outcome *outcome = outcome_of(batch, target);
    return outcome != NULL ? &outcome->report : NULL;
}

const softrelu_certificate *softrelu_batch_certificate(const softrelu_batch *batch, int64_t target) {
    const struct outcome *outcome = outcome_of(batch, target);
    return outcome != NULL ? &outcome->certificate : NULL;
}

int softrelu_batch_threads(const softrelu_batch *batch) { return batch != NULL ? batch->threads : 0; }

const char *softrelu_batch_message(const softrelu_batch *batch) {
    if (batch == NULL)
        return "the batch is NULL";
    return is_running(batch) ? "the batch is running: it can be asked to stop, but not changed" : batch->message.text;
}
