#include "certificate/curvature.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { BLOCK = 128 };
static const double DEPENDENT = 1e-11; /* pivot of a row that depends on others */
static const double ROUND_OFF = 64.0;  /* times DBL_EPSILON times the trace of the terms */

void srl_curvature_carve(struct srl_arena *arena, struct srl_curvature_work *work, const struct srl_model *model) {
    const int64_t n = model->n, d = model->d;
    work->hessian = srl_arena_matrix(arena, d, d);
    work->concave = srl_arena_matrix(arena, d, d);
    work->basis = srl_arena_matrix(arena, d, d);
    work->rows = srl_arena_matrix(arena, n + d, d);
    work->block = srl_arena_matrix(arena, srl_has_output_layer(model) ? BLOCK : 0, n);
    work->logits = srl_arena_matrix(arena, BLOCK, d);
    work->scaled = srl_arena_matrix(arena, BLOCK, d);
    work->mean = srl_arena_doubles(arena, d);
    work->largest = srl_arena_doubles(arena, d);
    work->weights = srl_arena_doubles(arena, n + model->m);
    work->eigenvalues = srl_arena_doubles(arena, d);
    work->direction = srl_arena_doubles(arena, d);
    const int64_t basis_work = srl_full_basis_work(d, n + d), eigen_work = srl_syev_work(d);
    const int64_t witness_work = srl_least_squares_work(d, n); /* the search for multipliers works here, too */
    const int64_t most = basis_work > eigen_work ? basis_work : eigen_work;
    work->work = srl_arena_doubles(arena, most > witness_work ? most : witness_work);
    work->pivots = srl_arena_indices(arena, n + d);
    work->active = srl_arena_indices(arena, n);
}

/* Z: an orthonormal basis of {p : row'p = 0 for all kept rows}, row-major (d x dimensions) into hessian, for the moment. */
static int64_t find_subspace(struct srl_curvature_work *work, const struct srl_model *model, int64_t kept) {
    const int64_t d = model->d;
    const int64_t rank = srl_full_basis(d, kept, work->rows, DEPENDENT, work->basis, work->pivots, work->work);
    if (rank < 0)
        return -1;
    for (int64_t i = 0; i < d; i++)
        for (int64_t k = rank; k < d; k++)
            work->hessian[i * (d - rank) + k - rank] = work->basis[i + k * d];
    memcpy(work->basis, work->hessian, (size_t)d * (size_t)(d - rank) * sizeof *work->basis);
    return d - rank;
}

/* Row j of the Jacobian on the subspace for a block of outputs, from A1 Z of the active units in work->rows. */
static void jacobian_rows(struct srl_curvature_work *work, const struct srl_model *model, const unsigned char *on,
                          int64_t active, int64_t free, int64_t first, int64_t count) {
    if (!srl_has_output_layer(model)) { /* the units are the outputs: A1 Z has not been compressed */
        for (int64_t j = 0; j < count; j++) {
            if (on[first + j])
                memcpy(work->logits + j * free, work->rows + (first + j) * free, (size_t)free * sizeof *work->logits);
            else
                memset(work->logits + j * free, 0, (size_t)free * sizeof *work->logits);
        }
        return;
    }
    for (int64_t j = 0; j < count; j++)
        for (int64_t i = 0; i < active; i++)
            work->block[j * active + i] = srl_entry(&model->A2, first + j, work->active[i]);
    if (active > 0)
        srl_gemm(SRL_PLAIN, count, free, active, work->block, active, work->rows, free, work->logits, free);
    else
        memset(work->logits, 0, (size_t)(count * free) * sizeof *work->logits);
}

/* mean = f'G on the subspace without the largest output's share, relative to its row: sum over j != top of f_j (G_j - G_top).
 */
static void find_mean(struct srl_curvature_work *work, const struct srl_model *model, const struct srl_evaluation *at,
                      const unsigned char *on, int64_t active, int64_t free) {
    double *back = work->weights, *others = work->weights + model->n;
    jacobian_rows(work, model, on, active, free, at->top, 1);
    memcpy(work->largest, work->logits, (size_t)free * sizeof *work->largest);
    memcpy(others, at->f, (size_t)model->m * sizeof *others);
    others[at->top] = 0.0;
    if (srl_has_output_layer(model)) {
        srl_gemv(SRL_TRANSPOSED, 1.0, &model->A2, others, 0.0, back);
        for (int64_t i = 0; i < active; i++)
            back[i] = back[work->active[i]];
    } else {
        for (int64_t i = 0; i < model->n; i++)
            back[i] = on[i] ? others[i] : 0.0;
    }
    const struct srl_matrix rows = {work->rows, srl_has_output_layer(model) ? active : model->n, free, free, true};
    srl_gemv(SRL_TRANSPOSED, 1.0, &rows, back, 0.0, work->mean);
    srl_axpy(free, -at->rest, work->largest, work->mean);
}

/* matrix += (the first count rows of work->scaled)'(the same). */
static void add_scaled(const struct srl_curvature_work *work, int64_t free, int64_t count, double *matrix) {
    srl_syrk(free, count, 1.0, work->scaled, free, 1.0, matrix, free);
}

/* The largest sum of the lengths of two rows seen so far: no two rows, each centred by the same mean, are further apart. */
struct longest {
    double first, second;
};
static void see_length(struct longest *longest, double length) {
    longest->second = fmax(longest->second, fmin(longest->first, length));
    longest->first = fmax(longest->first, length);
}

/* The rows of a block of the Jacobian become C_j = (G_j - G_top) - mean; returns the block's share of the trace. */
static double centre_rows(struct srl_curvature_work *work, const struct srl_evaluation *at, int64_t free, int64_t first,
                          int64_t count, struct longest *longest) {
    const double common = srl_dot(free, work->mean, work->mean) + srl_dot(free, work->largest, work->largest);
    double trace = 0.0;
    for (int64_t j = 0; j < count; j++) {
        double *g = work->logits + j * free;
        trace += fabs(at->r[first + j]) * (srl_dot(free, g, g) + common);
        for (int64_t k = 0; k < free; k++)
            g[k] = (first + j == at->top ? 0.0 : g[k] - work->largest[k]) - work->mean[k];
        see_length(longest, srl_norm(free, g));
    }
    return trace;
}

/* hessian += sum over j of r_j C_j C_j'; returns the trace of the same with every sign made plus and every difference undone.
 */
static double add_fit(struct srl_curvature_work *work, const struct srl_model *model, const struct srl_evaluation *at,
                      const unsigned char *on, int64_t active, int64_t free, struct longest *longest) {
    double trace = 0.0;
    memset(work->concave, 0, (size_t)(free * free) * sizeof *work->concave);
    for (int64_t first = 0; first < model->m; first += BLOCK) {
        const int64_t count = model->m - first < BLOCK ? model->m - first : BLOCK;
        jacobian_rows(work, model, on, active, free, first, count);
        trace += centre_rows(work, at, free, first, count, longest);
        for (int sign = 1; sign >= -1; sign -= 2) {
            int64_t taken = 0;
            for (int64_t j = 0; j < count; j++) {
                const double weight = sign * at->r[first + j], *centred = work->logits + j * free;
                if (!(weight > 0.0))
                    continue;
                double *scaled = work->scaled + taken++ * free;
                for (int64_t k = 0; k < free; k++)
                    scaled[k] = sqrt(weight) * centred[k];
            }
            add_scaled(work, free, taken, sign > 0 ? work->hessian : work->concave);
        }
    }
    for (int64_t k = 0; k < free; k++)
        srl_axpy(free - k, -1.0, work->concave + k + k * free, work->hessian + k + k * free);
    return trace;
}

/* hessian = Z'(A1' diag(w^2) A1 + rho I) Z from A1 Z of all units; returns its trace. */
static double start_with_regularisers(struct srl_curvature_work *work, const struct srl_model *model, int64_t free) {
    memset(work->hessian, 0, (size_t)(free * free) * sizeof *work->hessian);
    for (int64_t first = 0; first < model->n && model->w != NULL; first += BLOCK) {
        const int64_t count = model->n - first < BLOCK ? model->n - first : BLOCK;
        memcpy(work->scaled, work->rows + first * free, (size_t)(count * free) * sizeof *work->scaled);
        for (int64_t i = 0; i < count; i++)
            srl_scale(free, model->w[first + i], work->scaled + i * free);
        add_scaled(work, free, count, work->hessian);
    }
    double trace = 0.0;
    for (int64_t k = 0; k < free; k++)
        trace += work->hessian[k + k * free] += model->rho;
    return trace;
}

/* The rows of A1 Z that the cell counts as active move up to the front. */
static int64_t compress(struct srl_curvature_work *work, const struct srl_model *model, const unsigned char *on, int64_t free) {
    int64_t active = 0;
    for (int64_t i = 0; i < model->n; i++) {
        if (!on[i])
            continue;
        memmove(work->rows + active * free, work->rows + i * free, (size_t)free * sizeof *work->rows);
        work->active[active++] = (int32_t)i;
    }
    return active;
}

/* work->rows = A1 basis for a basis of free vectors, row-major. */
static void map_basis(struct srl_curvature_work *work, const struct srl_model *model, const double *basis, int64_t free) {
    srl_gemm_rows(&model->A1, 0, model->n, free, basis, work->rows);
}

bool srl_least_curvature(struct srl_curvature_work *work, const struct srl_model *model, const struct srl_evaluation *at,
                         int64_t kept, const unsigned char *on, struct srl_curvature *found) {
    const int64_t d = model->d, free = find_subspace(work, model, kept);
    *found = (struct srl_curvature){INFINITY, 0.0, 0.0, free, work->direction};
    if (free <= 0)
        return free == 0;
    map_basis(work, model, work->basis, free);
    double trace = start_with_regularisers(work, model, free);
    const int64_t active = srl_has_output_layer(model) ? compress(work, model, on, free) : 0;
    find_mean(work, model, at, on, active, free);
    struct longest longest = {0.0, 0.0};
    trace += add_fit(work, model, at, on, active, free, &longest);
    found->row_distance = longest.first + longest.second;
    found->round_off = ROUND_OFF * DBL_EPSILON * trace;
    if (!isfinite(trace)) {
        found->least = NAN;
        return true;
    }
    if (srl_syev(true, free, work->hessian, free, work->eigenvalues, work->work) != 0)
        return false;
    found->least = work->eigenvalues[0];
    const struct srl_matrix z = {work->basis, d, free, free, true};
    srl_gemv(SRL_PLAIN, 1.0, &z, work->hessian, 0.0, work->direction); /* the first eigenvector */
    return true;
}

double srl_scaled_row_distance(struct srl_curvature_work *work, const struct srl_model *model, const struct srl_evaluation *at,
                               int64_t free, const unsigned char *on) {
    double *vectors = work->hessian, *scaled = work->concave;
    for (int64_t k = 0; k < free; k++) { /* to row-major, scaled */
        for (int64_t i = 0; i < k; i++) {
            const double above = vectors[k + i * free];
            vectors[k + i * free] = vectors[i + k * free] / sqrt(work->eigenvalues[k]);
            vectors[i + k * free] = above / sqrt(work->eigenvalues[i]);
        }
        vectors[k + k * free] /= sqrt(work->eigenvalues[k]);
    }
    srl_gemm(SRL_PLAIN, model->d, free, free, work->basis, free, vectors, free, scaled, free);
    map_basis(work, model, scaled, free);
    const int64_t active = srl_has_output_layer(model) ? compress(work, model, on, free) : 0;
    find_mean(work, model, at, on, active, free);
    struct longest longest = {0.0, 0.0};
    for (int64_t first = 0; first < model->m; first += BLOCK) {
        const int64_t count = model->m - first < BLOCK ? model->m - first : BLOCK;
        jacobian_rows(work, model, on, active, free, first, count);
        centre_rows(work, at, free, first, count, &longest);
    }
    return longest.first + longest.second;
}
