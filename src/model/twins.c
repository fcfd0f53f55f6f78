#include "model/twins.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"

static const double SAME = 1e-13; /* relative difference of rows, and of biases, that is round-off */

void srl_twins_carve(struct srl_arena *arena, struct srl_twins *twins, int64_t n) {
    twins->representative = srl_arena_indices(arena, n);
    twins->next = srl_arena_indices(arena, n);
    twins->mirrored = srl_arena_flags(arena, n);
}

static int by_key(const void *a, const void *b) {
    const struct srl_twin_key *left = a, *right = b;
    if (left->key != right->key)
        return left->key < right->key ? -1 : 1;
    return left->unit < right->unit ? -1 : left->unit > right->unit;
}

static void unit_row(const struct srl_model *model, int64_t i, double *row) {
    srl_copy_row(&model->A1, i, row);
    for (int64_t k = 0; k < model->d; k++)
        row[k] /= model->row_norms[i];
}

/* 1 or -1 when the kinks of units i and j are the same, 0 when not. rows: 2 d of scratch. */
static int same_kink(const struct srl_model *model, int64_t i, int64_t j, double *rows) {
    const int64_t d = model->d;
    unit_row(model, i, rows);
    unit_row(model, j, rows + d);
    const double sign = srl_dot(d, rows, rows + d) > 0.0 ? 1.0 : -1.0;
    for (int64_t k = 0; k < d; k++)
        if (!(fabs(rows[k] - sign * rows[d + k]) <= SAME))
            return 0;
    const double left = model->c1 != NULL ? model->c1[i] / model->row_norms[i] : 0.0;
    const double right = model->c1 != NULL ? model->c1[j] / model->row_norms[j] : 0.0;
    return fabs(left - sign * right) <= SAME * fabs(left) ? (int)sign : 0;
}

/* Parallel rows have the same projection on any direction, but for the sign: sorted by its magnitude, twins are neighbours. */
static int64_t sort_by_projection(const struct srl_model *model, struct srl_twin_key *keys, double *rows) {
    int64_t count = 0;
    for (int64_t k = 0; k < model->d; k++)
        rows[model->d + k] = srl_random_normal(1, 0, (uint64_t)k);
    for (int64_t i = 0; i < model->n; i++)
        if (model->row_norms[i] > 0.0) {
            unit_row(model, i, rows);
            keys[count++] = (struct srl_twin_key){fabs(srl_dot(model->d, rows, rows + model->d)), (int32_t)i};
        }
    qsort(keys, (size_t)count, sizeof *keys, by_key);
    return count;
}

/* The unit of lower index represents; members are linked behind it. */
static void join(struct srl_twins *twins, int32_t family, int32_t unit, bool mirrored) {
    twins->representative[unit] = family;
    twins->mirrored[unit] = mirrored;
    twins->next[unit] = twins->next[family];
    twins->next[family] = unit;
    twins->count++;
}

void srl_find_twins(const struct srl_model *model, struct srl_twin_key *keys, double *rows, struct srl_twins *twins) {
    twins->count = 0;
    for (int64_t i = 0; i < model->n; i++) {
        twins->representative[i] = (int32_t)i;
        twins->next[i] = -1;
        twins->mirrored[i] = 0;
    }
    const int64_t count = sort_by_projection(model, keys, rows);
    const double reach = SAME * 16.0 * sqrt((double)model->d);
    for (int64_t k = 1; k < count; k++)
        for (int64_t before = k - 1; before >= 0 && keys[before].key >= keys[k].key - reach; before--) {
            const int32_t family = keys[before].unit;
            if (twins->representative[family] != family)
                continue;
            const int sign = same_kink(model, family, keys[k].unit, rows);
            if (sign != 0) {
                join(twins, family, keys[k].unit, sign < 0);
                break;
            }
        }
}

void srl_add_up_twins(const struct srl_model *model, const double *slope_jumps, double *kink_jumps) {
    memcpy(kink_jumps, slope_jumps, (size_t)model->n * sizeof *kink_jumps);
    for (int64_t i = 0; i < model->n; i++) {
        const int32_t family = model->twins->representative[i];
        if (family == i)
            continue;
        kink_jumps[family] += slope_jumps[i] * (model->row_norms[i] / model->row_norms[family]);
        kink_jumps[i] = 0.0;
    }
}

void srl_set_side(const struct srl_model *model, const double *slope_jumps, int64_t i, bool above, double *slopes) {
    slopes[i] = above ? slope_jumps[i] : 0.0;
    if (model->twins == NULL)
        return;
    for (int64_t j = model->twins->next[i]; j >= 0; j = model->twins->next[j])
        slopes[j] = above != (model->twins->mirrored[j] != 0) ? slope_jumps[j] : 0.0;
}

int64_t srl_twin_count(const struct srl_model *model, int64_t i) {
    int64_t count = 1;
    for (int64_t j = model->twins != NULL ? model->twins->next[i] : -1; j >= 0; j = model->twins->next[j])
        count++;
    return count;
}
