#include "certificate/curvature.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "certificate/fit_rows.h"

enum { FEW = 2 };                     /* rows are few when so many times as many would fit */
static const double ROUND_OFF = 64.0; /* times DBL_EPSILON times the trace of the terms */

void srl_curvature_carve(struct srl_arena *arena, struct srl_curvature_work *work, const struct srl_model *model) {
    const int64_t n = model->n, d = model->d;
    const int64_t needs[] = {srl_subspace_work(model), srl_reflect_work(1), srl_syev_work(d), srl_eigenvalue_work(d),
                             srl_least_squares_work(d, n)}; /* the search for multipliers works here, too */
    int64_t most = 0;
    for (size_t i = 0; i < sizeof needs / sizeof *needs; i++)
        most = needs[i] > most ? needs[i] : most;
    work->hessian = srl_arena_matrix(arena, d, d); /* what every examination touches comes first: see solver/loop.c */
    work->factor = srl_arena_matrix(arena, d, d);
    work->concave = srl_arena_matrix(arena, d, d);
    srl_subspace_carve(arena, &work->space, model);
    work->work = work->space.work = srl_arena_doubles(arena, most);
    srl_eigenvalue_carve(arena, &work->eigenvalue, work->work);
    work->eigenvalue.interruption = model->interruption;
    work->units = srl_arena_matrix(arena, SRL_UNITS, d);
    work->block = srl_arena_matrix(arena, srl_has_output_layer(model) ? SRL_MAPPED : 0, SRL_UNITS);
    work->logits = srl_arena_matrix(arena, SRL_MAPPED, d);
    work->scaled = srl_arena_matrix(arena, SRL_MAPPED, d);
    work->mean = srl_arena_doubles(arena, d);
    work->largest = srl_arena_doubles(arena, d);
    work->weights = srl_arena_doubles(arena, n + model->room);
    work->eigenvalues = srl_arena_doubles(arena, d);
    work->direction = srl_arena_doubles(arena, d);
    work->core_scalars = srl_arena_doubles(arena, d);
    work->active = srl_arena_indices(arena, n);
    work->core_rows = work->space.basis; /* only one of them is needed */
}

/* Rows that the Hessian is made of, but for rho I. */
static int64_t count_rows(const struct srl_model *model) { return model->m + (model->w != NULL ? model->n : 0); }

/* hessian += sum of weight_j times the squares of count rows (NULL: of 1), those below 0 to concave. */
static void add_rows(struct srl_curvature_work *work, const double *rows, int64_t count, const double *weights) {
    const int64_t order = work->core;
    for (int sign = 1; sign >= (work->takes ? -1 : 1); sign -= 2) {
        int64_t taken = 0;
        for (int64_t j = 0; j < count; j++) {
            const double weight = sign * (weights != NULL ? weights[j] : 1.0), *row = rows + j * order;
            if (!(weight > 0.0))
                continue;
            double *scaled = work->scaled + taken++ * order;
            for (int64_t k = 0; k < order; k++)
                scaled[k] = sqrt(weight) * row[k];
        }
        srl_syrk(order, taken, 1.0, work->scaled, order, 1.0, sign > 0 ? work->hessian : work->concave, order);
    }
}

/* The rows that stand in work->logits are numbers first, first + 1, ... of all; weights as above. */
static void take_rows(struct srl_curvature_work *work, int64_t first, int64_t count, const double *weights) {
    const int64_t free = work->space.free;
    if (work->compact)
        memcpy(work->core_rows + first * free, work->logits, (size_t)(count * free) * sizeof *work->core_rows);
    else
        add_rows(work, work->logits, count, weights);
}

/* The rows of diag(w) A1 on the subspace; returns their share of the trace. */
static double take_regulariser(struct srl_curvature_work *work, const struct srl_model *model) {
    const int64_t d = model->d, free = work->space.free;
    double trace = 0.0;
    for (int64_t first = 0; first < model->n && model->w != NULL && !srl_interrupted(model->interruption);
         first += SRL_MAPPED) {
        const int64_t count = model->n - first < SRL_MAPPED ? model->n - first : SRL_MAPPED;
        for (int64_t i = 0; i < count; i++) {
            srl_copy_row(&model->A1, first + i, work->scaled + i * d);
            srl_scale(d, model->w[first + i], work->scaled + i * d);
        }
        srl_to_subspace(&work->space, count, work->scaled, work->logits);
        trace += srl_dot(count * free, work->logits, work->logits);
        take_rows(work, model->m + first, count, NULL);
    }
    return trace;
}

/* Makes the parts of all ranks one. */
static double add_up_ranks(struct srl_curvature_work *work, const struct srl_model *model, double trace,
                           struct srl_longest *longest) {
    srl_sum(model->ranks, 1, &trace);
    srl_sum_triangle(model->ranks, work->core, work->hessian);
    if (work->takes)
        srl_sum_triangle(model->ranks, work->core, work->concave);
    srl_largest_two(model->ranks, &longest->first, &longest->second);
    return trace;
}

double srl_take_fit(struct srl_curvature_work *work, const struct srl_model *model, const struct srl_evaluation *at,
                    const unsigned char *on, struct srl_longest *longest) {
    const struct srl_subspace *space = &work->space;
    SRL_TELL(model, .operation = SRL_FIT_ROWS,
             .arrays = {srl_own(work), srl_own(at), srl_sent_bytes(on, model->n),
                        srl_sent(space->basis, space->formed ? model->d * space->free : 0)},
             .integers = {space->rank, space->formed, work->takes});
    const int64_t free = work->space.free, active = srl_begin_fit_rows(work, model, at, on);
    double trace = 0.0;
    for (int64_t first = 0; first < model->m && !srl_interrupted(model->interruption); first += SRL_MAPPED) {
        const int64_t count = model->m - first < SRL_MAPPED ? model->m - first : SRL_MAPPED;
        trace += srl_centred_rows(work, model, at, on, active, first, count);
        for (int64_t j = 0; j < count; j++)
            srl_see_length(longest, srl_norm(free, work->logits + j * free));
        take_rows(work, first, count, at->r + first);
    }
    return add_up_ranks(work, model, trace, longest);
}

double srl_take_fit_as_told(struct srl_curvature_work *work, const struct srl_model *model, const struct srl_evaluation *at,
                            const unsigned char *on, int64_t rank, bool formed, bool takes) {
    struct srl_longest longest = {0.0, 0.0};
    const int64_t core = model->d - rank;
    work->space.rank = rank;
    work->space.free = work->core = core;
    work->space.formed = formed;
    work->takes = takes;
    work->compact = false;
    memset(work->hessian, 0, (size_t)(core * core) * sizeof *work->hessian);
    memset(work->concave, 0, (size_t)(core * core) * sizeof *work->concave);
    return srl_take_fit(work, model, at, on, &longest);
}

/* The j-th row in the coordinates of the core: a column of R. */
static void core_row(const struct srl_curvature_work *work, int64_t j, double *row) {
    for (int64_t k = 0; k < work->core; k++)
        row[k] = k <= j ? work->core_rows[k + j * work->space.free] : 0.0;
}

/* Few rows: their QR, and the Hessian on the core from R. */
static bool find_core(struct srl_curvature_work *work, const struct srl_model *model, const struct srl_evaluation *at) {
    const int64_t core = work->core;
    if (srl_reflectors(work->space.free, core, work->core_rows, work->core_scalars, work->work) != 0)
        return false;
    for (int64_t first = 0, count; first < core; first += count) {
        const bool fit = first < model->m; /* then the regulariser's rows, whose weights are 1 by now */
        const int64_t left = (fit ? model->m : core) - first;
        count = left < SRL_MAPPED ? left : SRL_MAPPED;
        for (int64_t j = 0; j < count; j++)
            core_row(work, first + j, work->logits + j * core);
        add_rows(work, work->logits, count, fit ? at->r + first : NULL);
    }
    return true;
}

/* Less what was taken away, plus rho I; returns the trace. */
static double complete_hessian(struct srl_curvature_work *work, const struct srl_model *model) {
    const int64_t order = work->core;
    double trace = 0.0;
    for (int64_t k = 0; k < order; k++) {
        if (work->takes)
            srl_axpy(order - k, -1.0, work->concave + k + k * order, work->hessian + k + k * order);
        trace += work->hessian[k + k * order] += model->rho;
    }
    return trace;
}

/* The subspace, and how the Hessian is to be made there. */
static bool begin(struct srl_curvature_work *work, const struct srl_model *model, const struct srl_evaluation *at,
                  int64_t kept) {
    struct srl_subspace *space = &work->space;
    if (srl_interrupted(model->interruption) || !srl_find_subspace(space, kept))
        return false;
    work->compact = model->ranks == NULL && FEW * count_rows(model) <= space->free;
    work->core = work->compact ? count_rows(model) : space->free;
    work->trial = space->rows + space->rank * space->d; /* behind the reflectors: rank d + core^2 <= d^2 */
    work->takes = srl_has_negative_curvature(at, model);
    if (space->free > 0 && space->rank > 0 && !work->compact && !srl_form_basis(space, model, work->hessian))
        return false;
    memset(work->hessian, 0, (size_t)(work->core * work->core) * sizeof *work->hessian);
    if (work->takes)
        memset(work->concave, 0, (size_t)(work->core * work->core) * sizeof *work->concave);
    return true;
}

/* The vector of the core (scratch of mean), in x. */
static void find_direction(struct srl_curvature_work *work, const double *of_core) {
    const struct srl_subspace *space = &work->space;
    double *coordinates = work->largest;
    memset(coordinates, 0, (size_t)space->free * sizeof *coordinates);
    memcpy(coordinates, of_core, (size_t)work->core * sizeof *coordinates);
    if (work->compact)
        (void)srl_reflect(SRL_PLAIN, space->free, 1, work->core, work->core_rows, work->core_scalars, coordinates, work->work);
    srl_from_subspace(space, coordinates, work->direction);
}

/* The least eigenvalue of the core, and rho, which is that of what is beside it. */
static bool find_least(struct srl_curvature_work *work, const struct srl_model *model, struct srl_curvature *found) {
    struct srl_least_eigenvalue least;
    if (!srl_find_least_eigenvalue(&work->eigenvalue, work->core, work->hessian, found->round_off, work->factor, work->trial,
                                   work->scaled, work->mean, &least))
        return false;
    const double beside = work->compact ? model->rho : INFINITY;
    found->least = fmin(least.value, beside);
    found->slack = found->least - fmin(least.value - least.slack, beside);
    if (!least.definite) /* whatever round-off made of the eigenvalue */
        found->least = fmin(found->least, found->round_off);
    if (least.has_direction)
        find_direction(work, work->mean);
    return true;
}

bool srl_least_curvature(struct srl_curvature_work *work, const struct srl_model *model, const struct srl_evaluation *at,
                         int64_t kept, const unsigned char *on, struct srl_curvature *found) {
    const struct srl_subspace *space = &work->space;
    if (!begin(work, model, at, kept))
        return false;
    *found = (struct srl_curvature){.least = INFINITY, .dimensions = space->free, .direction = work->direction};
    if (space->free == 0)
        return true;
    struct srl_longest longest = {0.0, 0.0};
    double trace = model->rho * (double)space->free + take_regulariser(work, model);
    trace += srl_take_fit(work, model, at, on, &longest);
    found->row_distance = longest.first + longest.second;
    found->round_off = ROUND_OFF * DBL_EPSILON * trace;
    if (srl_interrupted(model->interruption))
        return false;
    if (!isfinite(trace)) {
        found->least = NAN;
        return true;
    }
    if (work->compact) {
        const double d = (double)space->d, free = (double)space->free;
        found->mapping = (double)space->rank * (2.0 * d + 12.0) + (double)work->core * (2.0 * free + 12.0);
        if (!find_core(work, model, at))
            return false;
    }
    found->trace = complete_hessian(work, model);
    return find_least(work, model, found);
}

struct srl_length srl_solve_curvature(const struct srl_curvature_work *work, const struct srl_model *model, double *vector,
                                      double *scratch) {
    const int64_t free = work->space.free, core = work->core;
    struct srl_length length;
    double beside = 0.0;
    srl_to_subspace(&work->space, 1, vector, scratch);
    if (work->compact) {
        (void)srl_reflect(SRL_TRANSPOSED, free, 1, core, work->core_rows, work->core_scalars, scratch, work->work);
        beside = srl_norm(free - core, scratch + core);
    }
    srl_trsm_lower(SRL_PLAIN, core, 1, work->factor, core, scratch, core);
    length.metric = srl_norm(core, scratch);
    srl_trsm_lower(SRL_TRANSPOSED, core, 1, work->factor, core, scratch, core);
    length.plain = srl_norm(core, scratch);
    if (beside > 0.0) {
        length.metric = hypot(length.metric, beside / sqrt(model->rho));
        length.plain = hypot(length.plain, beside / model->rho);
    }
    return length;
}

/* The sum of the products of the entries of two symmetric matrices, lower triangles. */
static double product_of(int64_t order, const double *a, const double *b) {
    double sum = 0.0;
    for (int64_t k = 0; k < order; k++) {
        const double *left = a + k + k * order, *right = b + k + k * order;
        sum += 2.0 * srl_dot(order - k, left, right) - *left * *right;
    }
    return sum;
}

bool srl_traces_of_concave(struct srl_curvature_work *work, const struct srl_model *model, struct srl_length *traces) {
    const int64_t order = work->core;
    *traces = (struct srl_length){0.0, 0.0};
    if (!work->takes)
        return true;
    double *inverse = work->trial;
    memcpy(inverse, work->factor, (size_t)(order * order) * sizeof *inverse);
    if (srl_interrupted(model->interruption) || srl_potri(order, inverse, order) != 0)
        return false;
    traces->metric = fmax(0.0, product_of(order, inverse, work->concave));
    for (int64_t k = 0; k < order; k++)
        for (int64_t i = 0; i < k; i++)
            inverse[i + k * order] = inverse[k + i * order];
    memset(work->hessian, 0, (size_t)(order * order) * sizeof *work->hessian);
    srl_add_squares(model, order, order, 1.0, inverse, work->hessian); /* tr(MNM) = tr(M^2 N) */
    traces->plain = fmax(0.0, product_of(order, work->hessian, work->concave));
    return true;
}

/* The lengths of L^-1 times count rows of the core's coordinates. */
static void see_scaled_rows(const struct srl_curvature_work *work, int64_t count, double *rows, struct srl_longest *longest) {
    srl_trsm_lower(SRL_PLAIN, work->core, count, work->factor, work->core, rows, work->core);
    for (int64_t j = 0; j < count; j++)
        srl_see_length(longest, srl_norm(work->core, rows + j * work->core));
}

double srl_scaled_row_distance(struct srl_curvature_work *work, const struct srl_model *model, const struct srl_evaluation *at,
                               const unsigned char *on, bool *all) {
    SRL_TELL(
        model, .operation = SRL_SCALED_ROWS,
        .arrays = {srl_own(work), srl_own(at), srl_sent_bytes(on, model->n), srl_sent(work->factor, work->core * work->core)},
        .integers = {*all});
    const int64_t blocks = (model->m + SRL_MAPPED - 1) / SRL_MAPPED,
                  active = *all ? srl_begin_fit_rows(work, model, at, on) : 0;
    struct srl_longest longest = {0.0, 0.0};
    for (int64_t block = *all || work->compact || blocks == 0 ? 0 : blocks - 1;
         block < blocks && !srl_interrupted(model->interruption); block++) {
        const int64_t first = block * SRL_MAPPED, left = model->m - first, count = left < SRL_MAPPED ? left : SRL_MAPPED;
        if (*all)
            (void)srl_centred_rows(work, model, at, on, active, first, count);
        for (int64_t j = 0; j < count && work->compact; j++)
            core_row(work, first + j, work->logits + j * work->core);
        see_scaled_rows(work, count, work->logits, &longest);
    }
    double missing = *all || work->compact || blocks <= 1 ? 0.0 : 1.0;
    srl_sum(model->ranks, 1, &missing);
    srl_largest_two(model->ranks, &longest.first, &longest.second);
    *all = missing == 0.0;
    return longest.first + longest.second;
}
