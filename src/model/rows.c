#include "model/rows.h"

#include <string.h>

/* Rows are compared pair by pair when they have so many entries at most (2 MiB), and so many differences are taken. */
enum { MOST_ENTRIES = 1 << 18, MOST_DIFFERENCES = 1 << 26 };

static int64_t row_length(const struct srl_model *model, enum srl_rows_of of) {
    return of == SRL_ROWS_OF_A2 ? model->n : model->d;
}

static int64_t longer_row(const struct srl_model *model) { return model->n > model->d ? model->n : model->d; }

static bool pairs_are_few(int64_t rows, int64_t length) {
    return rows <= MOST_ENTRIES / length && rows * length <= MOST_DIFFERENCES / rows;
}

static int64_t entries_kept(const struct srl_model *model) {
    const int64_t m = model->outputs; /* where all pairs are looked at, each rank looks at all of them */
    const int64_t of_a2 = srl_has_output_layer(model) && pairs_are_few(m, model->n) ? m * model->n : 0;
    const int64_t of_g = pairs_are_few(m, model->d) ? m * model->d : 0;
    return of_a2 > of_g ? of_a2 : of_g;
}

void srl_rows_carve(struct srl_arena *arena, struct srl_rows *rows, const struct srl_model *model) {
    const int64_t block = model->room < SRL_ROW_BLOCK ? model->room : SRL_ROW_BLOCK;
    rows->on = srl_arena_flags(arena, model->n);
    rows->active = srl_arena_indices(arena, model->n);
    rows->active_rows = srl_arena_matrix(arena, model->n, model->d);
    rows->columns = srl_arena_matrix(arena, srl_has_output_layer(model) ? block : 0, model->n);
    rows->block = srl_arena_matrix(arena, block, longer_row(model));
    rows->all = srl_arena_doubles(arena, entries_kept(model));
    rows->centre = srl_arena_doubles(arena, longer_row(model));
    rows->difference = srl_arena_doubles(arena, longer_row(model));
}

void srl_rows_activate(struct srl_rows *rows, const struct srl_model *model) {
    const bool identity = !srl_has_output_layer(model);
    rows->active_count = 0;
    for (int64_t i = 0; i < model->n; i++) {
        double *row = rows->active_rows + (identity ? i : rows->active_count) * model->d;
        if (rows->on[i]) {
            srl_copy_row(&model->A1, i, row);
            rows->active[rows->active_count++] = (int32_t)i;
        } else if (identity) {
            memset(row, 0, (size_t)model->d * sizeof *row);
        }
    }
}

void srl_rows_read(struct srl_rows *rows, const struct srl_model *model, enum srl_rows_of of, int64_t first, int64_t count,
                   double *out) {
    const int64_t d = model->d, active = rows->active_count;
    if (of == SRL_ROWS_OF_A2) {
        for (int64_t j = 0; j < count; j++)
            srl_copy_row(&model->A2, first + j, out + j * model->n);
        srl_let_go(&model->A2, first, count);
    } else if (!srl_has_output_layer(model)) {
        memcpy(out, rows->active_rows + first * d, (size_t)(count * d) * sizeof *out);
    } else if (active == 0) {
        memset(out, 0, (size_t)(count * d) * sizeof *out);
    } else {
        srl_gather(&model->A2, (struct srl_range){NULL, first, count}, (struct srl_range){rows->active, 0, active},
                   rows->columns);
        srl_gemm(model->A2.row_major ? SRL_PLAIN : SRL_TRANSPOSED, count, d, active, rows->columns,
                 model->A2.row_major ? active : count, rows->active_rows, d, out, d);
    }
}

static double distance_between(struct srl_rows *rows, int64_t length, const double *one, const double *other) {
    for (int64_t k = 0; k < length; k++)
        rows->difference[k] = one[k] - other[k];
    const double square = srl_dot(length, rows->difference, rows->difference);
    return square > 1e-250 && square < 1e250 ? sqrt(square) : srl_norm(length, rows->difference);
}

/* The larger; NaN, of infinite entries, counts as infinite. */
static double larger(double one, double other) { return isnan(other) ? INFINITY : fmax(one, other); }

static double largest_of_pairs(struct srl_rows *rows, const struct srl_model *model, enum srl_rows_of of) {
    const int64_t length = row_length(model, of);
    double *own = rows->all + model->first * length;
    if (model->ranks != NULL)
        memset(rows->all, 0, (size_t)(model->outputs * length) * sizeof *rows->all);
    for (int64_t first = 0; first < model->m && !srl_interrupted(model->interruption); first += SRL_ROW_BLOCK) {
        const int64_t count = model->m - first < SRL_ROW_BLOCK ? model->m - first : SRL_ROW_BLOCK;
        srl_rows_read(rows, model, of, first, count, own + first * length);
    }
    srl_sum(model->ranks, model->outputs * length, rows->all);
    double largest = 0.0;
    for (int64_t j = 1; j < model->outputs && srl_rank_of(model->ranks) == 0; j++)
        for (int64_t k = 0; k < j; k++)
            largest = larger(largest, distance_between(rows, length, rows->all + j * length, rows->all + k * length));
    return largest;
}

/* Two passes over the rows, by the triangle inequality through their mean. */
static double bound_through_centre(struct srl_rows *rows, const struct srl_model *model, enum srl_rows_of of) {
    const int64_t length = row_length(model, of);
    double largest = 0.0, second = 0.0;
    memset(rows->centre, 0, (size_t)length * sizeof *rows->centre);
    for (int pass = 0; pass < 2; pass++) {
        for (int64_t first = 0; first < model->m && !srl_interrupted(model->interruption); first += SRL_ROW_BLOCK) {
            const int64_t count = model->m - first < SRL_ROW_BLOCK ? model->m - first : SRL_ROW_BLOCK;
            srl_rows_read(rows, model, of, first, count, rows->block);
            for (int64_t j = 0; j < count; j++) {
                const double *row = rows->block + j * length;
                if (pass == 0) {
                    srl_axpy(length, 1.0 / (double)model->outputs, row, rows->centre);
                    continue;
                }
                const double distance = distance_between(rows, length, row, rows->centre);
                second = larger(second, fmin(distance, largest));
                largest = larger(largest, distance);
            }
        }
        if (pass == 0)
            srl_sum(model->ranks, length, rows->centre);
    }
    srl_largest_two(model->ranks, &largest, &second);
    return largest + second;
}

struct srl_row_distance srl_largest_row_distance(struct srl_rows *rows, const struct srl_model *model, enum srl_rows_of of) {
    if (model->outputs == 1)
        return (struct srl_row_distance){0.0, true};
    if (of == SRL_ROWS_OF_A2 && !srl_has_output_layer(model))
        return (struct srl_row_distance){sqrt(2.0), true};
    SRL_TELL(model, .operation = SRL_ROW_DISTANCE, .arrays = {srl_own(rows), srl_sent_bytes(rows->on, model->n)},
             .integers = {of});
    if (pairs_are_few(model->outputs, row_length(model, of)))
        return (struct srl_row_distance){largest_of_pairs(rows, model, of), true};
    return (struct srl_row_distance){bound_through_centre(rows, model, of), false};
}
