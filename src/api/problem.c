/* Problems: described by setters, sealed by finish. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "api/handles.h"

softrelu_status softrelu_problem_create(int64_t n, int64_t d, int64_t m, softrelu_allocate allocate, softrelu_release release,
                                        void *context, softrelu_problem **problem) {
    if (problem == NULL)
        return SOFTRELU_ERROR_NULL;
    *problem = NULL;
    if (n < 1 || d < 1 || m < 1 || n > SRL_MAX_DIMENSION || d > SRL_MAX_DIMENSION || m > SRL_MAX_DIMENSION)
        return SOFTRELU_ERROR_SIZE;
    if ((allocate == NULL) != (release == NULL))
        return SOFTRELU_ERROR_VALUE;
    const struct srl_allocator allocator = srl_allocator_of(allocate, release, context);
    softrelu_problem *created = srl_allocate(&allocator, 1, sizeof *created);
    if (created == NULL)
        return SOFTRELU_ERROR_MEMORY;
    created->allocator = allocator;
    created->model.n = n;
    created->model.d = d;
    created->model.m = created->model.outputs = created->model.room = m;
    *problem = created;
    return SOFTRELU_OK;
}

void softrelu_problem_destroy(softrelu_problem *problem) {
    if (problem == NULL)
        return;
    const struct srl_allocator allocator = problem->allocator;
    for (int i = 0; i < SRL_OWNED_COUNT; i++)
        srl_release(&allocator, problem->owned[i]);
    srl_arena_release(&problem->derived, &allocator);
    srl_ranks_release(&problem->ranks, &allocator);
    srl_release(&allocator, problem);
}

softrelu_status srl_check_open(softrelu_problem *problem) {
    if (problem->sealed)
        return srl_fail(&problem->message, SOFTRELU_ERROR_STATE, "the problem is sealed: its data cannot change any more");
    problem->message.text[0] = '\0';
    return SOFTRELU_OK;
}

softrelu_status srl_check_ownership(softrelu_problem *problem, const char *name, softrelu_ownership ownership) {
    if (ownership != SOFTRELU_COPY && ownership != SOFTRELU_BORROW)
        return srl_fail(&problem->message, SOFTRELU_ERROR_VALUE,
                        "%s: ownership %d is neither SOFTRELU_COPY nor SOFTRELU_BORROW", name, (int)ownership);
    return SOFTRELU_OK;
}

struct vector_slot {
    const char *name;
    int64_t length;
    const double **values;
    void **owned;
};

/* Where a vector of the problem is kept; name = NULL when array is not a vector. */
static struct vector_slot vector_slot_of(softrelu_problem *problem, softrelu_array array) {
    struct srl_model *model = &problem->model;
    switch ((int)array) {
    case SOFTRELU_B:
        return (struct vector_slot){"b", model->m, &model->b, &problem->owned[SRL_OWNED_B]};
    case SOFTRELU_C1:
        return (struct vector_slot){"c1", model->n, &model->c1, &problem->owned[SRL_OWNED_C1]};
    case SOFTRELU_C2:
        return (struct vector_slot){"c2", model->m, &model->c2, &problem->owned[SRL_OWNED_C2]};
    case SOFTRELU_W:
        return (struct vector_slot){"w", model->n, &model->w, &problem->owned[SRL_OWNED_W]};
    case SOFTRELU_X_REF:
        return (struct vector_slot){"x_ref", model->d, &model->x_ref, &problem->owned[SRL_OWNED_X_REF]};
    case SOFTRELU_LOWER:
        return (struct vector_slot){"lower", model->d, &model->lower, &problem->owned[SRL_OWNED_LOWER]};
    case SOFTRELU_UPPER:
        return (struct vector_slot){"upper", model->d, &model->upper, &problem->owned[SRL_OWNED_UPPER]};
    default:
        return (struct vector_slot){NULL, 0, NULL, NULL};
    }
}

static void fill_slot(softrelu_problem *problem, struct vector_slot slot, const double *values, double *owned) {
    srl_release(&problem->allocator, *slot.owned);
    *slot.owned = owned;
    *slot.values = values;
}

softrelu_status softrelu_problem_set_vector(softrelu_problem *problem, softrelu_array array, const double *values,
                                            int64_t length, softrelu_ownership ownership) {
    if (problem == NULL)
        return SOFTRELU_ERROR_NULL;
    softrelu_status status = srl_check_open(problem);
    if (status != SOFTRELU_OK)
        return status;
    const struct vector_slot slot = vector_slot_of(problem, array);
    if (slot.name == NULL)
        return srl_fail(&problem->message, SOFTRELU_ERROR_UNKNOWN, "array %d is not a vector of the problem", (int)array);
    status = srl_check_ownership(problem, slot.name, ownership);
    if (status != SOFTRELU_OK)
        return status;
    if (values == NULL && length == 0 && array != SOFTRELU_B) {
        fill_slot(problem, slot, NULL, NULL);
        return SOFTRELU_OK;
    }
    if (values == NULL)
        return srl_fail(&problem->message, SOFTRELU_ERROR_NULL, "%s: values is NULL", slot.name);
    status = srl_check_vector(&problem->message, array, slot.name, values, length, slot.length);
    if (status != SOFTRELU_OK)
        return status;

    double *owned = NULL;
    if (ownership == SOFTRELU_COPY) {
        owned = srl_allocate(&problem->allocator, length, sizeof(double));
        if (owned == NULL)
            return srl_fail(&problem->message, SOFTRELU_ERROR_MEMORY, "%s: no memory for a copy of %" PRId64 " doubles",
                            slot.name, length);
        memcpy(owned, values, (size_t)length * sizeof(double));
    }
    fill_slot(problem, slot, owned != NULL ? owned : values, owned);
    return SOFTRELU_OK;
}

/* Every entry the same; absent when that is what absence means. */
static softrelu_status set_uniform(softrelu_problem *problem, softrelu_array array, double value) {
    const struct vector_slot slot = vector_slot_of(problem, array);
    if (isinf(value) || (array == SOFTRELU_W && value == 0.0)) {
        fill_slot(problem, slot, NULL, NULL);
        return SOFTRELU_OK;
    }
    double *owned = srl_allocate(&problem->allocator, slot.length, sizeof(double));
    if (owned == NULL)
        return srl_fail(&problem->message, SOFTRELU_ERROR_MEMORY, "%s: no memory for %" PRId64 " doubles", slot.name,
                        slot.length);
    for (int64_t i = 0; i < slot.length; i++)
        owned[i] = value;
    fill_slot(problem, slot, owned, owned);
    return SOFTRELU_OK;
}

softrelu_status softrelu_problem_set_number(softrelu_problem *problem, softrelu_array array, double value) {
    if (problem == NULL)
        return SOFTRELU_ERROR_NULL;
    softrelu_status status = srl_check_open(problem);
    if (status != SOFTRELU_OK)
        return status;
    if (array != SOFTRELU_RHO && array != SOFTRELU_W && array != SOFTRELU_LOWER && array != SOFTRELU_UPPER)
        return srl_fail(&problem->message, SOFTRELU_ERROR_UNKNOWN,
                        "array %d is not a number: SOFTRELU_RHO, SOFTRELU_W, SOFTRELU_LOWER or SOFTRELU_UPPER", (int)array);
    const char *name = array == SOFTRELU_RHO ? "rho" : vector_slot_of(problem, array).name;
    if (!srl_is_allowed(array, value))
        return srl_fail(&problem->message, SOFTRELU_ERROR_NOT_FINITE, "%s = %g is not %s", name, value,
                        srl_wanted_number(array));
    if (array != SOFTRELU_RHO)
        return set_uniform(problem, array, value);
    if (value < 0.0)
        return srl_fail(&problem->message, SOFTRELU_ERROR_VALUE, "rho = %g is negative", value);
    problem->model.rho = value;
    return SOFTRELU_OK;
}

softrelu_status softrelu_problem_set_loss(softrelu_problem *problem, softrelu_loss loss) {
    if (problem == NULL)
        return SOFTRELU_ERROR_NULL;
    softrelu_status status = srl_check_open(problem);
    if (status != SOFTRELU_OK)
        return status;
    if (loss != SOFTRELU_SQUARES && loss != SOFTRELU_KL)
        return srl_fail(&problem->message, SOFTRELU_ERROR_VALUE, "loss %d is neither SOFTRELU_SQUARES nor SOFTRELU_KL",
                        (int)loss);
    problem->model.loss = loss;
    return SOFTRELU_OK;
}

struct derived {
    double *curvature, *row_norms, *column_norms, *least_outputs, *largest_outputs;
    struct srl_twins twins;
    struct srl_reduction reduction;
};

static void carve_derived(struct srl_arena *arena, const struct srl_model *model, struct derived *derived) {
    derived->row_norms = srl_arena_doubles(arena, model->n);
    const int64_t columns = srl_has_output_layer(model) ? model->n : 0;
    double **of_columns[] = {&derived->column_norms, &derived->least_outputs, &derived->largest_outputs};
    for (size_t i = 0; i < sizeof of_columns / sizeof *of_columns; i++)
        *of_columns[i] = columns > 0 ? srl_arena_doubles(arena, columns) : NULL;
    srl_twins_carve(arena, &derived->twins, model->n);
    derived->curvature = model->w != NULL ? srl_arena_matrix(arena, model->d, model->d) : NULL;
    derived->reduction = (struct srl_reduction){0};
    if (srl_is_reducible(model))
        srl_reduction_carve(arena, &derived->reduction, model);
}

/* What derive() needs for the moment. */
struct scratch {
    double *rows; /* for blocks of rows of A1, or n numbers */
    struct srl_twin_key *keys;
    double *reduction;
};

static void carve_scratch(struct srl_arena *arena, const struct srl_model *model, struct scratch *scratch) {
    const int64_t block = model->w != NULL ? srl_curvature_rows(model) : 2, least = model->n / model->d + 2;
    scratch->rows = srl_arena_matrix(arena, block > least ? block : least, model->d);
    scratch->keys = srl_arena_take(arena, model->n, sizeof *scratch->keys);
    scratch->reduction = srl_arena_doubles(arena, srl_is_reducible(model) ? srl_reduction_work(model) : 0);
}

/* Twins and reduction of the first rank become those of all. */
static softrelu_status share_derived(softrelu_problem *problem, struct derived *derived, const struct srl_reduction *room) {
    const struct srl_model *model = &problem->model;
    const int64_t n = model->n, size = (int64_t)sizeof(double);
    int64_t counts[] = {derived->twins.count, derived->reduction.basis != NULL};
    srl_spread(model->ranks, 0, counts, sizeof counts);
    derived->twins.count = counts[0];
    derived->reduction = counts[1] != 0 ? *room : (struct srl_reduction){0};
    srl_spread(model->ranks, 0, derived->reduction.basis, counts[1] != 0 ? n * model->d * size : 0);
    srl_spread(model->ranks, 0, derived->reduction.rows, counts[1] != 0 ? n * n * size : 0);
    srl_spread(model->ranks, 0, derived->reduction.curvature, counts[1] != 0 && room->curvature != NULL ? n * n * size : 0);
    return model->ranks->failed ? srl_fail_ranks(&problem->message) : SOFTRELU_OK;
}

/* Memory for what is derived, and for deriving it: both or none. */
static softrelu_status reserve_derived(softrelu_problem *problem, struct srl_arena *arena, struct derived *derived,
                                       struct srl_arena *temporary, struct scratch *scratch) {
    const struct srl_model *model = &problem->model;
    carve_derived(arena, model, derived);
    carve_scratch(temporary, model, scratch);
    if (srl_arena_reserve(temporary, &problem->allocator) && srl_arena_reserve(arena, &problem->allocator)) {
        carve_scratch(temporary, model, scratch);
        carve_derived(arena, model, derived);
        return SOFTRELU_OK;
    }
    return srl_fail(&problem->message, SOFTRELU_ERROR_MEMORY,
                    "no memory for the constant curvature and the norms (n = %" PRId64 ", d = %" PRId64 ")", model->n,
                    model->d);
}

/* Row norms, column norms, twins and R. Where there are several ranks, which twins and which reduction is the first one's
   answer: the same on all. */
static softrelu_status derive_in(softrelu_problem *problem, struct derived *derived, struct scratch *scratch) {
    struct srl_model *model = &problem->model;
    srl_row_norms_of(&model->A1, scratch->rows, derived->row_norms);
    if (derived->column_norms != NULL) {
        srl_column_norms_of(&model->A2, scratch->rows, derived->column_norms);
        srl_column_ends_of(&model->A2, derived->least_outputs, derived->largest_outputs);
        srl_join_columns(model, scratch->rows, derived->column_norms, derived->least_outputs, derived->largest_outputs);
    }
    bool finite = isfinite(srl_max_abs(model->n, derived->row_norms));
    if (derived->curvature != NULL) {
        srl_assemble_curvature(model, scratch->rows, derived->curvature);
        finite = finite && srl_is_finite(model->d, derived->curvature, model->d);
    }
    model->row_norms = derived->row_norms;
    if (finite && srl_is_reducible(model))
        finite = srl_find_reduction(model, &derived->reduction, scratch->reduction);
    if (finite)
        srl_find_twins(model, scratch->keys, scratch->rows, &derived->twins);
    return finite ? SOFTRELU_OK
                  : srl_fail(&problem->message, SOFTRELU_ERROR_OVERFLOW, "A1' diag(w^2) A1 + rho I is beyond double precision");
}

static softrelu_status derive(softrelu_problem *problem) {
    struct srl_model *model = &problem->model;
    struct derived derived;
    struct scratch scratch;
    struct srl_arena arena = {0}, temporary = {0};
    softrelu_status status =
        srl_agree(model->ranks, reserve_derived(problem, &arena, &derived, &temporary, &scratch), &problem->message);
    if (status == SOFTRELU_OK) {
        const struct srl_reduction room = derived.reduction;
        status = srl_agree(model->ranks, derive_in(problem, &derived, &scratch), &problem->message);
        if (status == SOFTRELU_OK && model->ranks != NULL)
            status = share_derived(problem, &derived, &room);
    }
    srl_arena_release(&temporary, &problem->allocator);
    if (status != SOFTRELU_OK) {
        srl_arena_release(&arena, &problem->allocator);
        return status;
    }
    problem->derived = arena;
    problem->twins = derived.twins;
    problem->reduction = derived.reduction;
    model->twins = derived.twins.count > 0 ? &problem->twins : NULL;
    model->column_norms = derived.column_norms;
    model->least_outputs = derived.least_outputs;
    model->largest_outputs = derived.largest_outputs;
    model->curvature = derived.curvature;
    return SOFTRELU_OK;
}

/* Whether all that a problem needs has been given. */
static softrelu_status check_complete(softrelu_problem *problem) {
    const struct srl_model *model = &problem->model;
    if (!srl_is_given(&model->A1) || (model->b == NULL && model->m > 0))
        return srl_fail(&problem->message, SOFTRELU_ERROR_MISSING, "%s has not been given",
                        !srl_is_given(&model->A1) ? "A1" : "b");
    if (!srl_has_output_layer(model) && model->m != model->n)
        return srl_fail(&problem->message, SOFTRELU_ERROR_SIZE,
                        "without A2 the outputs are the hidden units, but m = %" PRId64 " and n = %" PRId64, model->m,
                        model->n);
    return srl_check_bounds(&problem->message, model);
}

softrelu_status softrelu_problem_finish(softrelu_problem *problem) {
    if (problem == NULL)
        return SOFTRELU_ERROR_NULL;
    softrelu_status status = srl_check_open(problem);
    if (status != SOFTRELU_OK)
        return status;
    struct srl_ranks *ranks = problem->model.ranks;
    status = srl_agree(ranks, check_complete(problem), &problem->message);
    if (status == SOFTRELU_OK && ranks != NULL)
        status = srl_settle_outputs(problem);
    if (status == SOFTRELU_OK)
        status = derive(problem);
    problem->sealed = status == SOFTRELU_OK;
    return status;
}

softrelu_status softrelu_problem_dimensions(const softrelu_problem *problem, int64_t *n, int64_t *d, int64_t *m) {
    if (problem == NULL)
        return SOFTRELU_ERROR_NULL;
    if (n != NULL)
        *n = problem->model.n;
    if (d != NULL)
        *d = problem->model.d;
    if (m != NULL)
        *m = problem->model.m;
    return SOFTRELU_OK;
}

const char *softrelu_problem_message(const softrelu_problem *problem) {
    return problem != NULL ? problem->message.text : "the problem is NULL";
}
