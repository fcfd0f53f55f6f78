/* Counterfactuals: the smallest change of an input that makes the network give a class.
 *
 * With the one-hot target e_c the fit is -log f_c(x). Let x(rho) be a local minimiser of -log f_c(x) + rho/2 |x - input|^2.
 * Along a branch of such minimisers the fit rises and the distance falls with rho: adding the two inequalities that x(rho) and
 * x(sigma) are each better in their own F gives (rho - sigma) (|x(rho) - input|^2 - |x(sigma) - input|^2) <= 0 where both
 * are minimisers over a set that holds both. So the nearest x with f_c(x) >= p on the branch is the one of the largest rho at
 * which the fit is at most -log p, and a bracketing search on log rho finds it. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "api/handles.h"
#include "base/clock.h"

static const double LEAST_RHO = 1e-16;   /* relative to the first one: below, the proximity term is round-off */
static const double MOST_RHO = 1e16;     /* likewise: above, x does not move */
static const double RHO_STEP = 0.25;     /* from one minimiser to the next along the branch */
static const double FIRST_CHANGE = 1e-3; /* about how far x moves at the first rho, relative to the input */
static const double CLOSE_FIT = 1e-10;   /* how near to -log p the fit has to come, relative to it */
static const double CLOSE_RHO = 1e-12;   /* or how near the ends of the bracket, where the branch jumps */
static const double SAME_ANSWER = 1e-6;  /* distance of two answers that are one, relative to their length */
enum {
    MOST_BISECTIONS = 80,
    MOST_STARTS = 1000,
    STARTS_WHEN_LOST = 32,
    MOST_PASSED = 10000,
    PASSED_BY_START = 56 + MOST_BISECTIONS /* from the least rho to the most, and what closes in */
};

struct answer {
    double *x; /* d */
    double distance, confidence, rho;
    bool certified;
};

/* The end of a solve on the way. */
struct passed {
    double rho, confidence, distance;
    int64_t branch;
    bool reached;
};

struct softrelu_counterfactual {
    softrelu_solver *solver;
    int64_t d, m;
    struct srl_allocator allocator;
    struct srl_arena arena;
    double *b, *input, *lower, *upper, *x; /* m, then d each */
    struct answer nearest;                 /* of the branch at hand */
    struct answer best;                    /* the point of the highest confidence */
    struct srl_arena answers_arena;        /* reserved by each search */
    struct answer *answers;                /* capacity */
    int64_t capacity, count;
    struct passed *path; /* path_capacity, reserved with the answers */
    int64_t path_capacity, path_length, branch;
    double most_fit; /* -log p */
    double first_rho, deadline;
    softrelu_search outcome;
    atomic_int stop_requested;
    struct srl_message message;
};

static void carve(struct srl_arena *arena, softrelu_counterfactual *search) {
    search->b = srl_arena_doubles(arena, search->m);
    search->input = srl_arena_doubles(arena, search->d);
    search->lower = srl_arena_doubles(arena, search->d);
    search->upper = srl_arena_doubles(arena, search->d);
    search->x = srl_arena_doubles(arena, search->d);
    search->nearest.x = srl_arena_doubles(arena, search->d);
    search->best.x = srl_arena_doubles(arena, search->d);
}

static softrelu_status prepare(softrelu_counterfactual *search, const softrelu_problem *problem) {
    carve(&search->arena, search);
    if (!srl_arena_reserve(&search->arena, &search->allocator))
        return SOFTRELU_ERROR_MEMORY;
    carve(&search->arena, search);
    const softrelu_status status = softrelu_solver_create(problem, &search->solver);
    if (status == SOFTRELU_OK)
        search->solver->model.loss = SOFTRELU_KL;
    return status;
}

softrelu_status softrelu_counterfactual_create(const softrelu_problem *problem, softrelu_counterfactual **counterfactual) {
    if (counterfactual == NULL)
        return SOFTRELU_ERROR_NULL;
    *counterfactual = NULL;
    if (problem == NULL)
        return SOFTRELU_ERROR_NULL;
    if (!problem->sealed || srl_is_divided(problem))
        return SOFTRELU_ERROR_STATE;
    if (problem->model.w != NULL)
        return SOFTRELU_ERROR_VALUE;
    softrelu_counterfactual *created = srl_allocate(&problem->allocator, 1, sizeof *created);
    if (created == NULL)
        return SOFTRELU_ERROR_MEMORY;
    created->allocator = problem->allocator;
    created->d = problem->model.d;
    created->m = problem->model.m;
    created->best.confidence = -1.0;
    atomic_init(&created->stop_requested, 0);
    const softrelu_status status = prepare(created, problem);
    if (status != SOFTRELU_OK) {
        softrelu_counterfactual_destroy(created);
        return status;
    }
    *counterfactual = created;
    return SOFTRELU_OK;
}

void softrelu_counterfactual_destroy(softrelu_counterfactual *counterfactual) {
    if (counterfactual == NULL)
        return;
    const struct srl_allocator allocator = counterfactual->allocator;
    softrelu_solver_destroy(counterfactual->solver);
    srl_arena_release(&counterfactual->answers_arena, &allocator);
    srl_arena_release(&counterfactual->arena, &allocator);
    srl_release(&allocator, counterfactual);
}

softrelu_solver *softrelu_counterfactual_solver(softrelu_counterfactual *counterfactual) {
    return counterfactual != NULL ? counterfactual->solver : NULL;
}

void softrelu_counterfactual_request_stop(softrelu_counterfactual *counterfactual) {
    if (counterfactual == NULL)
        return;
    atomic_store(&counterfactual->stop_requested, 1);
    softrelu_solver_request_stop(counterfactual->solver);
}

static void copy_answer(int64_t d, const struct answer *from, struct answer *to) {
    double *x = to->x;
    memcpy(x, from->x, (size_t)d * sizeof *x);
    *to = *from;
    to->x = x;
}

/* The error of the search's solver is the search's. */
static softrelu_status pass_on(softrelu_counterfactual *search, softrelu_status status) {
    if (status != SOFTRELU_OK)
        search->message = search->solver->message;
    return status;
}

static bool reaches(const softrelu_counterfactual *search, double fit) { return fit <= search->most_fit; }

/* The minimiser for rho from a start, in search->x; its fit; whether the search may go on. */
struct minimiser {
    double fit, residual;
    bool certified, go_on;
};

static softrelu_status minimise(softrelu_counterfactual *search, double rho, const double *start, struct minimiser *minimiser) {
    softrelu_solver *solver = search->solver;
    softrelu_status status = softrelu_solver_set_number(solver, SOFTRELU_RHO, rho);
    if (status == SOFTRELU_OK)
        status = softrelu_solver_set_start(solver, start, search->d);
    if (status == SOFTRELU_OK && isfinite(search->deadline))
        status = softrelu_solver_set_real(solver, SOFTRELU_SETTING_TIME_LIMIT, fmax(search->deadline - srl_now(), 0.0));
    if (status == SOFTRELU_OK)
        status = softrelu_solver_solve(solver);
    if (status == SOFTRELU_OK)
        status = softrelu_solver_solution(solver, search->x, search->d);
    if (status != SOFTRELU_OK)
        return pass_on(search, status);
    const softrelu_report *report = softrelu_solver_report(solver);
    (void)softrelu_report_number(report, SOFTRELU_REPORT_LOSS_FIT, &minimiser->fit);
    (void)softrelu_report_number(report, SOFTRELU_REPORT_RESIDUAL, &minimiser->residual);
    minimiser->certified = softrelu_certificate_verdict(softrelu_solver_certificate(solver)) == SOFTRELU_VERDICT_CERTIFIED;
    const softrelu_termination ended = softrelu_report_termination(report);
    minimiser->go_on = ended != SOFTRELU_TIME_LIMIT && ended != SOFTRELU_CALLBACK_STOP && ended != SOFTRELU_STOP_REQUESTED &&
                       atomic_load(&search->stop_requested) == 0;
    return SOFTRELU_OK;
}

/* Keeps search->x where it is the best so far, of the branch, of all; and that it was passed. */
static void consider(softrelu_counterfactual *search, const struct minimiser *minimiser, double rho) {
    const struct answer found = {search->x, srl_distance(search->d, search->x, search->input), exp(-minimiser->fit), rho,
                                 minimiser->certified};
    if (found.confidence > search->best.confidence)
        copy_answer(search->d, &found, &search->best);
    if (reaches(search, minimiser->fit) && found.distance < search->nearest.distance)
        copy_answer(search->d, &found, &search->nearest);
    if (search->path_length < search->path_capacity)
        search->path[search->path_length++] =
            (struct passed){rho, found.confidence, found.distance, search->branch, reaches(search, minimiser->fit)};
}

/* Into the answers, in order of distance, unless it is there already. */
static void insert(softrelu_counterfactual *search) {
    const struct answer *found = &search->nearest;
    if (isinf(found->distance))
        return;
    int64_t place = search->count;
    for (int64_t i = 0; i < search->count; i++) {
        const double apart = srl_distance(search->d, found->x, search->answers[i].x);
        if (apart <= SAME_ANSWER * (found->distance + search->answers[i].distance)) {
            if (found->distance < search->answers[i].distance)
                copy_answer(search->d, found, &search->answers[i]);
            return;
        }
        if (place == search->count && found->distance < search->answers[i].distance)
            place = i;
    }
    if (search->count == search->capacity)
        return;
    const struct answer room = search->answers[search->count];
    memmove(search->answers + place + 1, search->answers + place, (size_t)(search->count - place) * sizeof *search->answers);
    search->answers[place] = room;
    copy_answer(search->d, found, &search->answers[place]);
    search->count++;
}

/* From a rho that reaches p and one that does not, each with its fit, to the largest that does: false position on the log of
   the fit's distance from -log p, and bisection where it is slow. search->nearest is where it starts from. */
static softrelu_status close_in(softrelu_counterfactual *search, double low, double low_fit, double high, double high_fit,
                                bool *go_on) {
    double low_weight = 1.0, high_weight = 1.0;
    for (int step = 0; step < MOST_BISECTIONS && *go_on && high > low * (1.0 + CLOSE_RHO); step++) {
        if (search->most_fit - low_fit <= CLOSE_FIT * search->most_fit)
            return SOFTRELU_OK;
        const double below = low_weight * (search->most_fit - low_fit), above = high_weight * (high_fit - search->most_fit);
        const double part = step % 3 == 2 || !(below + above > 0.0) ? 0.5 : below / (below + above);
        const double rho = low * pow(high / low, fmin(fmax(part, 1e-3), 1.0 - 1e-3));
        struct minimiser at = {0};
        const softrelu_status status = minimise(search, rho, search->nearest.x, &at);
        if (status != SOFTRELU_OK)
            return status;
        consider(search, &at, rho);
        *go_on = at.go_on;
        if (reaches(search, at.fit)) {
            low = rho, low_fit = at.fit;
            low_weight = 1.0, high_weight *= 0.5; /* the end that stays counts for less (Illinois) */
        } else {
            high = rho, high_fit = at.fit;
            high_weight = 1.0, low_weight *= 0.5;
        }
    }
    return SOFTRELU_OK;
}

/* Follows the minimiser from a start: down from rho until p is reached, or up until it no longer is; then closes in. */
static softrelu_status follow(softrelu_counterfactual *search, double rho, const double *start, bool *go_on) {
    search->nearest.distance = INFINITY;
    double low = 0.0, low_fit = 0.0, high = 0.0, high_fit = 0.0;
    struct minimiser at = {0};
    while (*go_on && rho >= LEAST_RHO * search->first_rho && rho <= MOST_RHO * search->first_rho &&
           (low == 0.0 || high == 0.0)) {
        const softrelu_status status = minimise(search, rho, start, &at);
        if (status != SOFTRELU_OK)
            return status;
        consider(search, &at, rho);
        start = search->x;
        *go_on = at.go_on;
        if (reaches(search, at.fit))
            low = rho, low_fit = at.fit, rho /= RHO_STEP;
        else
            high = rho, high_fit = at.fit, rho *= RHO_STEP;
    }
    return low > 0.0 && high > 0.0 ? close_in(search, low, low_fit, high, high_fit, go_on) : SOFTRELU_OK;
}

/* The entries that may move, the target and the input become the solver's. */
static softrelu_status pose(softrelu_counterfactual *search, const double *input, int64_t wanted, const signed char *frozen) {
    const struct srl_model *model = &search->solver->problem->model;
    softrelu_solver *solver = search->solver;
    memcpy(search->input, input, (size_t)search->d * sizeof *input);
    memset(search->b, 0, (size_t)search->m * sizeof *search->b);
    search->b[wanted] = 1.0;
    for (int64_t k = 0; k < search->d && frozen != NULL; k++) {
        search->lower[k] = frozen[k] != 0 ? input[k] : srl_lower(model, k);
        search->upper[k] = frozen[k] != 0 ? input[k] : srl_upper(model, k);
    }
    softrelu_status status = softrelu_solver_set_integer(solver, SOFTRELU_SETTING_STARTS, 1);
    if (status == SOFTRELU_OK)
        status = softrelu_solver_set_vector(solver, SOFTRELU_B, search->b, search->m);
    if (status == SOFTRELU_OK)
        status = softrelu_solver_set_vector(solver, SOFTRELU_X_REF, search->input, search->d);
    const int64_t length = frozen != NULL ? search->d : 0; /* without frozen entries the problem's own bounds */
    if (status == SOFTRELU_OK)
        status = softrelu_solver_set_vector(solver, SOFTRELU_LOWER, length > 0 ? search->lower : NULL, length);
    if (status == SOFTRELU_OK)
        status = softrelu_solver_set_vector(solver, SOFTRELU_UPPER, length > 0 ? search->upper : NULL, length);
    return pass_on(search, status);
}

/* The network at the input, moved into the bounds: a solve of no iterations. */
static softrelu_status look_at_input(softrelu_counterfactual *search, struct minimiser *at) {
    int64_t iterations = 0;
    (void)softrelu_solver_get_integer(search->solver, SOFTRELU_SETTING_MAX_ITERATIONS, &iterations);
    softrelu_status status = pass_on(search, softrelu_solver_set_integer(search->solver, SOFTRELU_SETTING_MAX_ITERATIONS, 0));
    if (status != SOFTRELU_OK)
        return status;
    status = minimise(search, 1.0, search->input, at);
    (void)softrelu_solver_set_integer(search->solver, SOFTRELU_SETTING_MAX_ITERATIONS, iterations);
    return status;
}

/* Follows the ends of several starts, each to its own nearest point. */
static softrelu_status look_elsewhere(softrelu_counterfactual *search, int64_t starts, double *ends, bool *go_on) {
    softrelu_solver *solver = search->solver;
    const double rho = search->count > 0 && search->answers[0].rho > 0.0 ? search->answers[0].rho : search->first_rho * 1e-4;
    softrelu_status status = pass_on(search, softrelu_solver_set_integer(solver, SOFTRELU_SETTING_STARTS, starts));
    if (status != SOFTRELU_OK)
        return status;
    struct minimiser at = {0};
    status = minimise(search, rho, search->best.x, &at);
    const int64_t count = status == SOFTRELU_OK ? softrelu_solver_minimiser_count(solver) : 0;
    for (int64_t i = 0; i < count; i++)
        (void)softrelu_solver_minimiser(solver, i, ends + i * search->d, search->d);
    if (status == SOFTRELU_OK)
        status = pass_on(search, softrelu_solver_set_integer(solver, SOFTRELU_SETTING_STARTS, 1));
    *go_on = status == SOFTRELU_OK && at.go_on;
    for (int64_t i = 0; i < count && status == SOFTRELU_OK && *go_on; i++) {
        search->branch++;
        status = follow(search, rho, ends + i * search->d, go_on);
        insert(search);
    }
    return status;
}

/* Room for the answers and the ends of the starts. */
static double *reserve_answers(softrelu_counterfactual *search, int64_t starts) {
    struct srl_arena arena = {0};
    struct answer *answers = NULL;
    struct passed *path = NULL;
    double *ends = NULL;
    const int64_t passed = PASSED_BY_START * (starts + 1) < MOST_PASSED ? PASSED_BY_START * (starts + 1) : MOST_PASSED;
    for (int pass = 0; pass < 2; pass++) {
        answers = srl_arena_take(&arena, starts + 1, sizeof *answers);
        for (int64_t i = 0; i <= starts; i++) {
            double *x = srl_arena_doubles(&arena, search->d);
            if (answers != NULL)
                answers[i].x = x;
        }
        ends = srl_arena_matrix(&arena, starts, search->d);
        path = srl_arena_take(&arena, passed, sizeof *path);
        if (pass == 0 && !srl_arena_reserve(&arena, &search->allocator))
            return NULL;
    }
    srl_arena_release(&search->answers_arena, &search->allocator);
    search->answers_arena = arena;
    search->answers = answers;
    search->capacity = starts + 1;
    search->path = path;
    search->path_capacity = passed;
    return ends;
}

static softrelu_status look(softrelu_counterfactual *search, int64_t starts, double *ends) {
    struct minimiser at = {0};
    softrelu_status status = look_at_input(search, &at);
    if (status != SOFTRELU_OK)
        return status;
    search->nearest.distance = INFINITY;
    at.certified = true; /* nothing within the bounds is nearer */
    consider(search, &at, 0.0);
    if (reaches(search, at.fit)) {
        insert(search);
        search->outcome = search->nearest.distance > 0.0 ? SOFTRELU_SEARCH_FOUND : SOFTRELU_SEARCH_ALREADY;
        return SOFTRELU_OK;
    }
    const double size = srl_norm(search->d, search->input);
    search->first_rho = at.residual / (FIRST_CHANGE * (size > 0.0 ? size : 1.0));
    bool go_on = at.go_on;
    if (search->first_rho > 0.0 && go_on) {
        status = follow(search, search->first_rho, search->input, &go_on);
        insert(search);
    } else {
        search->first_rho = 1.0; /* nothing to go by: flat, or a kink */
    }
    const bool lost = search->count == 0;
    if (status == SOFTRELU_OK && go_on && (starts > 1 || lost))
        status = look_elsewhere(search, lost && starts < STARTS_WHEN_LOST ? STARTS_WHEN_LOST : starts, ends, &go_on);
    search->outcome = search->count > 0 ? SOFTRELU_SEARCH_FOUND : go_on ? SOFTRELU_SEARCH_NOT_FOUND : SOFTRELU_SEARCH_STOPPED;
    return status;
}

static softrelu_status check_search(softrelu_counterfactual *search, const double *input, int64_t length, int64_t wanted,
                                    double confidence, const signed char *frozen, int64_t starts) {
    struct srl_message *message = &search->message;
    const struct srl_model *model = &search->solver->problem->model;
    softrelu_status status = pass_on(search, srl_check_idle(search->solver));
    if (status != SOFTRELU_OK)
        return status;
    message->text[0] = '\0';
    if (input == NULL)
        return srl_fail(message, SOFTRELU_ERROR_NULL, "input is NULL");
    status = srl_check_length(message, "input", length, search->d);
    if (status == SOFTRELU_OK)
        status = srl_check_finite(message, "input", input, length);
    if (status != SOFTRELU_OK)
        return status;
    if (wanted < 0 || wanted >= search->m)
        return srl_fail(message, SOFTRELU_ERROR_SIZE, "class %" PRId64 " is none of the %" PRId64 " outputs, 0 to %" PRId64,
                        wanted, search->m, search->m - 1);
    if (!(confidence > 0.0 && confidence < 1.0))
        return srl_fail(message, SOFTRELU_ERROR_VALUE, "confidence = %g is not between 0 and 1", confidence);
    if (starts < 1 || starts > MOST_STARTS)
        return srl_fail(message, SOFTRELU_ERROR_VALUE, "starts = %" PRId64 " is not from 1 to %d", starts, (int)MOST_STARTS);
    for (int64_t k = 0; frozen != NULL && k < search->d; k++) {
        if (frozen[k] != 0 && frozen[k] != 1)
            return srl_fail(message, SOFTRELU_ERROR_VALUE, "frozen[%" PRId64 "] = %d is neither 0 nor 1", k, frozen[k]);
        if (frozen[k] == 1 && (input[k] < srl_lower(model, k) || input[k] > srl_upper(model, k)))
            return srl_fail(message, SOFTRELU_ERROR_VALUE, "frozen[%" PRId64 "]: input[%" PRId64 "] = %g is outside its bounds",
                            k, k, input[k]);
    }
    return SOFTRELU_OK;
}

static void forget(softrelu_counterfactual *search) {
    search->count = 0;
    search->path_length = 0;
    search->best.confidence = -1.0;
    search->outcome = SOFTRELU_SEARCH_NOT_RUN;
}

softrelu_status softrelu_counterfactual_search(softrelu_counterfactual *counterfactual, const double *input, int64_t length,
                                               int64_t wanted, double confidence, const signed char *frozen, int64_t starts) {
    softrelu_counterfactual *search = counterfactual;
    if (search == NULL)
        return SOFTRELU_ERROR_NULL;
    softrelu_status status = check_search(search, input, length, wanted, confidence, frozen, starts);
    if (status != SOFTRELU_OK)
        return status;
    double *ends = reserve_answers(search, starts < STARTS_WHEN_LOST ? STARTS_WHEN_LOST : starts);
    if (ends == NULL)
        return srl_fail(&search->message, SOFTRELU_ERROR_MEMORY, "no memory for %" PRId64 " answers", starts);
    forget(search);
    search->branch = 0;
    search->most_fit = -log(confidence);
    atomic_store(&search->stop_requested, 0);
    double time_limit = INFINITY;
    (void)softrelu_solver_get_real(search->solver, SOFTRELU_SETTING_TIME_LIMIT, &time_limit);
    search->deadline = srl_now() + time_limit;
    status = pose(search, input, wanted, frozen);
    if (status == SOFTRELU_OK)
        status = look(search, starts, ends);
    (void)softrelu_solver_set_real(search->solver, SOFTRELU_SETTING_TIME_LIMIT, time_limit);
    if (status != SOFTRELU_OK)
        forget(search);
    return status;
}

softrelu_search softrelu_counterfactual_outcome(const softrelu_counterfactual *counterfactual) {
    return counterfactual != NULL ? counterfactual->outcome : SOFTRELU_SEARCH_NOT_RUN;
}

int64_t softrelu_counterfactual_count(const softrelu_counterfactual *counterfactual) {
    return counterfactual != NULL ? counterfactual->count : 0;
}

/* NULL for an index that is none. */
static const struct answer *answer_at(const softrelu_counterfactual *counterfactual, int64_t index) {
    if (index == -1)
        return counterfactual->best.confidence >= 0.0 ? &counterfactual->best : NULL;
    return index >= 0 && index < counterfactual->count ? &counterfactual->answers[index] : NULL;
}

softrelu_status softrelu_counterfactual_point(const softrelu_counterfactual *counterfactual, int64_t index, double *x,
                                              int64_t length) {
    if (counterfactual == NULL || x == NULL)
        return SOFTRELU_ERROR_NULL;
    const struct answer *answer = answer_at(counterfactual, index);
    if (answer == NULL || length != counterfactual->d)
        return SOFTRELU_ERROR_SIZE;
    memcpy(x, answer->x, (size_t)length * sizeof *x);
    return SOFTRELU_OK;
}

softrelu_status softrelu_counterfactual_number(const softrelu_counterfactual *counterfactual, int64_t index,
                                               softrelu_answer quantity, double *value) {
    if (counterfactual == NULL || value == NULL)
        return SOFTRELU_ERROR_NULL;
    const struct answer *answer = answer_at(counterfactual, index);
    if (answer == NULL)
        return SOFTRELU_ERROR_SIZE;
    switch ((int)quantity) {
    case SOFTRELU_ANSWER_DISTANCE:
        *value = answer->distance;
        return SOFTRELU_OK;
    case SOFTRELU_ANSWER_CONFIDENCE:
        *value = answer->confidence;
        return SOFTRELU_OK;
    case SOFTRELU_ANSWER_RHO:
        *value = answer->rho;
        return SOFTRELU_OK;
    case SOFTRELU_ANSWER_CERTIFIED:
        *value = answer->certified;
        return SOFTRELU_OK;
    default:
        return SOFTRELU_ERROR_UNKNOWN;
    }
}

int64_t softrelu_counterfactual_path_length(const softrelu_counterfactual *counterfactual) {
    return counterfactual != NULL ? counterfactual->path_length : 0;
}

softrelu_status softrelu_counterfactual_path_number(const softrelu_counterfactual *counterfactual, int64_t index,
                                                    softrelu_path quantity, double *value) {
    if (counterfactual == NULL || value == NULL)
        return SOFTRELU_ERROR_NULL;
    if (index < 0 || index >= counterfactual->path_length)
        return SOFTRELU_ERROR_SIZE;
    const struct passed *passed = &counterfactual->path[index];
    switch ((int)quantity) {
    case SOFTRELU_PATH_BRANCH:
        *value = (double)passed->branch;
        return SOFTRELU_OK;
    case SOFTRELU_PATH_RHO:
        *value = passed->rho;
        return SOFTRELU_OK;
    case SOFTRELU_PATH_CONFIDENCE:
        *value = passed->confidence;
        return SOFTRELU_OK;
    case SOFTRELU_PATH_DISTANCE:
        *value = passed->distance;
        return SOFTRELU_OK;
    case SOFTRELU_PATH_REACHED:
        *value = passed->reached;
        return SOFTRELU_OK;
    default:
        return SOFTRELU_ERROR_UNKNOWN;
    }
}

const char *softrelu_counterfactual_message(const softrelu_counterfactual *counterfactual) {
    return counterfactual != NULL ? counterfactual->message.text : "the search is NULL";
}
