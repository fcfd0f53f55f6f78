#include "model/hessian.h"

#include <math.h>
#include <string.h>

enum { STRIP = 128 }; /* columns of the Hessian that are made at a time from factors */

static int64_t smaller(int64_t one, int64_t other) { return one < other ? one : other; }
static int64_t larger(int64_t one, int64_t other) { return one > other ? one : other; }

void srl_hessian_carve(struct srl_arena *arena, struct srl_hessian_work *work, const struct srl_model *model) {
    const int64_t units = srl_jacobian_most_units(model), order = larger(model->d, units);
    srl_jacobian_carve(arena, &work->jacobian, model);
    work->top_row = srl_arena_doubles(arena, model->d);
    work->mean_row = srl_arena_doubles(arena, model->d);
    work->top_outputs = srl_arena_doubles(arena, units);
    work->mean_outputs = srl_arena_doubles(arena, units);
    work->mean_hidden = srl_arena_doubles(arena, model->n);
    work->weights = srl_arena_doubles(arena, model->room);
    work->scaled_rows = srl_arena_matrix(arena, srl_jacobian_most_rows(model), model->d);
    work->sum = (float *)(void *)srl_arena_matrix(arena, (order + 1) / 2, order);
    work->inner = srl_arena_matrix(arena, units, units);
}

/* ---- centring ---- */

/* mean_hidden = A2' (f without its entry k) on the active units; the point may know it. */
static void find_hidden_mean(const struct srl_model *model, struct srl_hessian_work *work, const struct srl_point *point) {
    if (point->has_mean) {
        memcpy(work->mean_hidden, point->mean_hidden, (size_t)model->n * sizeof *work->mean_hidden);
    } else {
        srl_own_back_to_hidden(model, work->weights, work->mean_hidden);
        srl_sum(model->ranks, model->n, work->mean_hidden);
    }
    for (int64_t i = 0; i < model->n; i++)
        work->mean_hidden[i] = work->jacobian.pattern[i] ? work->mean_hidden[i] : 0.0;
}

static void weigh_all_but_top(const struct srl_model *model, struct srl_hessian_work *work, const struct srl_outer *outer) {
    memcpy(work->weights, outer->f, (size_t)model->m * sizeof *work->weights);
    if (srl_own_output(model, outer->top) >= 0)
        work->weights[srl_own_output(model, outer->top)] = 0.0;
}

/* mu = sum_{j != k} f_j G_j - (1 - f_k) G_k: from a kept G, or through the hidden layer. */
static void find_mean(const struct srl_model *model, struct srl_hessian_work *work, const struct srl_point *point) {
    const struct srl_jacobian *jacobian = &work->jacobian;
    const int64_t d = model->d;
    weigh_all_but_top(model, work, &point->outer);
    if (jacobian->kept != NULL && !jacobian->single) {
        const struct srl_matrix rows = {jacobian->kept, model->m, d, d, true};
        srl_gemv(SRL_TRANSPOSED, 1.0, &rows, work->weights, 0.0, work->mean_row);
        srl_sum(model->ranks, d, work->mean_row);
    } else {
        find_hidden_mean(model, work, point);
        srl_gemv(SRL_TRANSPOSED, 1.0, &model->A1, work->mean_hidden, 0.0, work->mean_row);
    }
    srl_axpy(d, -point->outer.rest, work->top_row, work->mean_row);
}

static void find_top_row(const struct srl_model *model, struct srl_jacobian *jacobian, int64_t output, double *row) {
    const int64_t top = srl_own_output(model, output);
    if (top < 0)
        memset(row, 0, (size_t)model->d * sizeof *row);
    else if (jacobian->kept != NULL && !jacobian->single)
        memcpy(row, (const double *)jacobian->kept + top * model->d, (size_t)model->d * sizeof *row);
    else
        srl_jacobian_row(model, jacobian, top, row);
    srl_sum(model->ranks, model->d, row);
}

/* ---- what other ranks are told ---- */

enum { IS_SINGLE = 1, IS_VALID = 2, FLAGS = 4 };

int64_t srl_jacobian_in_number(const struct srl_jacobian *jacobian) {
    return jacobian->probed * FLAGS + (jacobian->single ? IS_SINGLE : 0) + (jacobian->kept_valid ? IS_VALID : 0);
}

void srl_jacobian_from_number(struct srl_jacobian *jacobian, int64_t number, void *kept) {
    jacobian->kept = kept;
    jacobian->single = (number & IS_SINGLE) != 0;
    jacobian->kept_valid = jacobian->kept_valid && (number & IS_VALID) != 0;
    jacobian->probed = number / FLAGS;
}

#define SRL_HESSIAN_ARRAYS(model, work, point)                                                                                 \
    srl_own(work), srl_own((work)->jacobian.kept), srl_sent((point)->u, (model)->n), srl_own((point)->outer.f),                \
        srl_own((point)->has_mean ? (point)->mean_hidden : NULL)

static void prepare(const struct srl_model *model, struct srl_hessian_work *work, const struct srl_point *point) {
    srl_jacobian_prepare(model, &work->jacobian, point->u);
    find_top_row(model, &work->jacobian, point->outer.top, work->top_row);
    find_mean(model, work, point);
}

void srl_hessian_prepare(const struct srl_model *model, struct srl_hessian_work *work, const struct srl_point *point) {
    SRL_TELL(model, .operation = SRL_HESSIAN_PREPARE, .arrays = {SRL_HESSIAN_ARRAYS(model, work, point)},
             .numbers = {point->outer.rest}, .integers = {point->outer.top, srl_jacobian_in_number(&work->jacobian)});
    prepare(model, work, point);
}

/* ---- weighted squares of centred rows ---- */

/* What rows are centred by, how long they are and how many are scaled at a time: those of G, or of A2 at the active units. */
struct frame {
    int64_t length, most;
    const double *top, *mean;
};

static struct frame frame_of_jacobian(const struct srl_model *model, const struct srl_hessian_work *work) {
    return (struct frame){model->d, srl_jacobian_most_rows(model), work->top_row, work->mean_row};
}

/* scaled = sqrt|weight| C_j, from row j of G (NULL stands for a row of zeros). */
static void scale_row(struct frame frame, const double *row, bool is_top, double weight, double *restrict scaled) {
    const double root = sqrt(fabs(weight));
    for (int64_t k = 0; k < frame.length && (is_top || row == NULL); k++)
        scaled[k] = root * ((is_top ? 0.0 : -frame.top[k]) - frame.mean[k]);
    for (int64_t k = 0; k < frame.length && !is_top && row != NULL; k++)
        scaled[k] = root * ((row[k] - frame.top[k]) - frame.mean[k]);
}

static void scale_row_single(struct frame frame, const float *row, bool is_top, double weight, float *restrict scaled) {
    const double root = sqrt(fabs(weight));
    for (int64_t k = 0; k < frame.length && is_top; k++)
        scaled[k] = (float)(root * -frame.mean[k]);
    for (int64_t k = 0; k < frame.length && !is_top; k++)
        scaled[k] = (float)(root * (((double)row[k] - frame.top[k]) - frame.mean[k]));
}

/* How many rows of the buffer are filled: those of positive weights from its start, those of negative ones from its end. */
struct filled {
    int64_t positive, negative;
};

static struct filled scale_rows(const struct srl_model *model, struct srl_hessian_work *work, struct frame frame,
                                const void *block, int64_t top, struct srl_range rows, const double *weights) {
    struct filled filled = {0, 0};
    for (int64_t k = 0; k < rows.count; k++) {
        const int64_t j = rows.list != NULL ? rows.list[k] : rows.first + k;
        if (weights[k] == 0.0 || !srl_has_own_row(model, &work->jacobian, j))
            continue;
        const int64_t to = frame.length * (weights[k] < 0.0 ? frame.most - ++filled.negative : filled.positive++);
        if (work->jacobian.single)
            scale_row_single(frame, (const float *)block + k * frame.length, j == top, weights[k],
                             (float *)work->scaled_rows + to);
        else
            scale_row(frame, (const double *)block + k * frame.length, j == top, weights[k], (double *)work->scaled_rows + to);
    }
    return filled;
}

static void add_sum(int64_t order, const float *sum, double *matrix) {
    for (int64_t k = 0; k < order; k++)
        for (int64_t i = k; i < order; i++)
            matrix[i + k * order] += (double)sum[i + k * order];
}

/* In single precision the sum of a block is made by itself; signs share it where they go to the same matrix. */
static void add_scaled_single(struct srl_hessian_work *work, int64_t order, struct filled filled, const float *last,
                              double *positive, double *negative) {
    const bool shared = positive == negative && filled.positive > 0 && filled.negative > 0;
    if (filled.positive > 0) {
        srl_syrk_single(order, filled.positive, 1.0F, work->scaled_rows, order, 0.0F, work->sum, order);
        if (!shared)
            add_sum(order, work->sum, positive);
    }
    if (filled.negative > 0) {
        srl_syrk_single(order, filled.negative, -1.0F, last, order, shared ? 1.0F : 0.0F, work->sum, order);
        add_sum(order, work->sum, negative);
    }
}

/* positive += the squares of scaled rows of positive weight, negative -= the others'. */
static void add_scaled(const struct srl_model *model, struct srl_hessian_work *work, struct frame frame, struct filled filled,
                       double *positive, double *negative) {
    const int64_t order = frame.length, last = (frame.most - filled.negative) * order;
    if (work->jacobian.single) {
        add_scaled_single(work, order, filled, (const float *)work->scaled_rows + last, positive, negative);
        return;
    }
    if (filled.positive > 0)
        srl_add_squares(model, order, filled.positive, 1.0, work->scaled_rows, positive);
    if (filled.negative > 0)
        srl_add_squares(model, order, filled.negative, -1.0, (const double *)work->scaled_rows + last, negative);
}

/* ---- from the rows of G ---- */

/* With A2 absent all units that are off share the row C_j = -G_k - mu (also k itself, then G_k = 0), so their r_j add up. */
static void add_rows_of_units_off(const struct srl_model *model, struct srl_hessian_work *work, const double *r,
                                  double *hessian) {
    double weight = 0.0;
    for (int64_t i = 0; i < model->n; i++)
        weight += work->jacobian.pattern[i] ? 0.0 : r[i];
    if (weight == 0.0)
        return;
    scale_row(frame_of_jacobian(model, work), NULL, false, weight, work->scaled_rows);
    srl_syr(model->d, weight > 0.0 ? 1.0 : -1.0, work->scaled_rows, hessian, model->d);
}

void srl_hessian_begin(const struct srl_model *model, struct srl_hessian_work *work, const double *r, double *hessian) {
    srl_copy_curvature(model, hessian);
    if (!srl_has_output_layer(model))
        add_rows_of_units_off(model, work, r, hessian);
}

void srl_hessian_add(const struct srl_model *model, struct srl_hessian_work *work, int64_t output, const int32_t *rows,
                     const double *weights, int64_t count, double *positive, double *negative) {
    const struct frame frame = frame_of_jacobian(model, work);
    const int64_t top = srl_own_output(model, output);
    for (int64_t first = 0; first < count && !srl_interrupted(model->interruption); first += frame.most) {
        const int64_t size = smaller(count - first, frame.most);
        const struct srl_range range = {rows != NULL ? rows + first : NULL, first, size};
        const void *block = srl_jacobian_rows(model, &work->jacobian, rows, first, size);
        const struct filled filled = scale_rows(model, work, frame, block, top, range, weights + first);
        add_scaled(model, work, frame, filled, positive, negative);
    }
}

void srl_hessian_add_sample(const struct srl_model *model, struct srl_hessian_work *work, int64_t top, const int32_t *rows,
                            const double *weights, const int64_t *count, double *positive, double *negative) {
    SRL_TELL(model, .operation = SRL_HESSIAN_ADD_SAMPLE,
             .arrays = {srl_own(work), srl_own(rows), srl_own(weights), srl_own(count), srl_own(positive), srl_own(negative)},
             .integers = {top});
    srl_hessian_add(model, work, top, rows, weights, *count, positive, negative);
    srl_sum_triangle(model->ranks, model->d, positive);
    srl_sum_triangle(model->ranks, model->d, negative);
}

int64_t srl_hessian_rows(const struct srl_model *model, struct srl_hessian_work *work, const struct srl_point *point,
                         const double *r, double *rows, signed char *signs) {
    const struct frame frame = frame_of_jacobian(model, work);
    const int64_t d = model->d, block = frame.most;
    int64_t taken = 0;
    prepare(model, work, point);
    for (int sign = 1; sign >= -1; sign -= 2)
        for (int64_t first = 0; first < model->m && !srl_interrupted(model->interruption); first += block) {
            const int64_t size = smaller(model->m - first, block);
            const double *jacobian = srl_jacobian_rows(model, &work->jacobian, NULL, first, size);
            for (int64_t k = 0; k < size; k++) {
                const int64_t j = first + k;
                if (!(sign * r[j] > 0.0))
                    continue;
                signs[taken] = (signed char)sign;
                scale_row(frame, jacobian + k * d, j == point->outer.top, r[j], rows + taken++ * d);
            }
        }
    return taken;
}

void srl_hessian_add_fit(const struct srl_model *model, struct srl_hessian_work *work, int64_t top, const double *r,
                         double *hessian) {
    if (!srl_has_output_layer(model))
        add_rows_of_units_off(model, work, r, hessian);
    srl_hessian_add(model, work, top, NULL, r, model->m, hessian, hessian);
}

/* ---- from the factors of G ---- */

bool srl_factors_are_cheaper(double m, double active, double d, double units) {
    const double from_rows = m * d * (2.0 * units + d), from_factors = active * active * (m + 2.0 * d) + active * d * d;
    return from_factors < from_rows;
}

static int64_t numbers_of_block(const struct srl_model *model) { return srl_jacobian_most_rows(model) * model->d; }

static bool can_use_factors(const struct srl_model *model, const struct srl_jacobian *jacobian) {
    return jacobian->active_count > 0 && jacobian->active_count <= srl_jacobian_most_units(model) &&
           jacobian->active_count <= numbers_of_block(model);
}

/* inner = C2' diag(r) C2, full, with C2 the rows of A2 at the active units, centred like those of G. */
static void find_inner(const struct srl_model *model, struct srl_hessian_work *work, const struct srl_point *point,
                       const double *r) {
    const int64_t active = work->jacobian.active_count, top = srl_own_output(model, point->outer.top);
    const struct frame frame = {active, smaller(srl_jacobian_most_rows(model), numbers_of_block(model) / active),
                                work->top_outputs, work->mean_outputs};
    weigh_all_but_top(model, work, &point->outer);
    find_hidden_mean(model, work, point);
    for (int64_t k = 0; k < active; k++)
        work->top_outputs[k] = top >= 0 ? srl_entry(&model->A2, top, work->jacobian.active[k]) : 0.0;
    srl_sum(model->ranks, active, work->top_outputs);
    for (int64_t k = 0; k < active; k++)
        work->mean_outputs[k] = work->mean_hidden[work->jacobian.active[k]] - point->outer.rest * work->top_outputs[k];
    memset(work->inner, 0, (size_t)(active * active) * sizeof *work->inner);
    for (int64_t first = 0; first < model->m && !srl_interrupted(model->interruption); first += frame.most) {
        const struct srl_range rows = {NULL, first, smaller(model->m - first, frame.most)};
        const void *block = srl_jacobian_outputs(model, &work->jacobian, first, rows.count);
        const struct filled filled = scale_rows(model, work, frame, block, top, rows, r + first);
        add_scaled(model, work, frame, filled, work->inner, work->inner);
    }
    srl_sum_triangle(model->ranks, active, work->inner);
    for (int64_t k = 0; k < active; k++)
        for (int64_t i = k + 1; i < active; i++)
            work->inner[k + i * active] = work->inner[i + k * active];
}

/* hessian += B' inner B with the rows B of A1 of the active units, lower triangle, a strip of columns at a time. */
static void add_between_units(const struct srl_model *model, struct srl_hessian_work *work, double *hessian) {
    const int64_t d = model->d, active = work->jacobian.active_count;
    const int64_t strip = smaller(smaller(STRIP, srl_jacobian_most_rows(model)), numbers_of_block(model) / active);
    const double *rows = srl_jacobian_unit_rows(model, &work->jacobian);
    double *product = work->scaled_rows, *corner = work->jacobian.block;
    for (int64_t first = 0; first < d && !srl_interrupted(model->interruption); first += strip) {
        const int64_t columns = smaller(d - first, strip), below = first + columns;
        srl_gemm(SRL_PLAIN, active, columns, active, work->inner, active, rows + first, d, product, columns);
        srl_gemm(SRL_TRANSPOSED, columns, columns, active, product, columns, rows + first, d, corner, columns);
        for (int64_t k = 0; k < columns; k++)
            for (int64_t i = k; i < columns; i++)
                hessian[first + i + (first + k) * d] += corner[k * columns + i];
        srl_gemm_add(SRL_TRANSPOSED, columns, d - below, active, product, columns, rows + below, d, hessian + below + first * d,
                     d);
    }
}

/* R, on the rank that leads or has everything; what others add to it starts from 0. */
static void begin_own(const struct srl_model *model, double *hessian) {
    if (srl_rank_of(model->ranks) == 0)
        srl_copy_curvature(model, hessian);
    else
        memset(hessian, 0, (size_t)model->d * (size_t)model->d * sizeof *hessian);
}

void srl_hessian_assemble_own(const struct srl_model *model, struct srl_hessian_work *work, const struct srl_point *point,
                              const double *r, bool from_factors, double *hessian) {
    begin_own(model, hessian);
    if (from_factors) {
        find_inner(model, work, point, r);
        if (srl_rank_of(model->ranks) == 0)
            add_between_units(model, work, hessian);
        return;
    }
    prepare(model, work, point);
    srl_hessian_add_fit(model, work, point->outer.top, r, hessian);
    srl_sum_triangle(model->ranks, model->d, hessian);
}

void srl_hessian_assemble(const struct srl_model *model, struct srl_hessian_work *work, const struct srl_point *point,
                          const double *r, double *hessian) {
    struct srl_jacobian *jacobian = &work->jacobian;
    srl_jacobian_look(model, jacobian, point->u);
    const bool from_factors =
        can_use_factors(model, jacobian) && srl_factors_are_cheaper((double)model->outputs, (double)jacobian->active_count,
                                                                    (double)model->d, srl_jacobian_units(jacobian));
    SRL_TELL(model, .operation = SRL_HESSIAN_ASSEMBLE,
             .arrays = {SRL_HESSIAN_ARRAYS(model, work, point), srl_own(r), srl_own(hessian)}, .numbers = {point->outer.rest},
             .integers = {point->outer.top, srl_jacobian_in_number(jacobian), from_factors});
    srl_hessian_assemble_own(model, work, point, r, from_factors, hessian);
}
