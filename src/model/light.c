#include "model/light.h"

#include <math.h>
#include <string.h>

enum { SPARE = 2, LEAST_SPARE = 16 }; /* room for one more member in so many, and at least so many */

/* Doubles that rows and columns take. */
double srl_light_size(const struct srl_model *model) {
    return 0.5 * (double)model->n * (double)(model->d + (srl_has_output_layer(model) ? model->room : 0));
}

void srl_light_carve(struct srl_arena *arena, struct srl_light *light, const struct srl_model *model) {
    const int64_t n = model->n, d = model->d, m = model->room;
    const int64_t columns = srl_has_output_layer(model) ? n : 0;
    light->rows = srl_arena_take(arena, n > INT64_MAX / d ? -1 : n * d, sizeof *light->rows);
    light->columns = srl_arena_take(arena, columns > INT64_MAX / m ? -1 : columns * m, sizeof *light->columns);
    light->members = srl_arena_indices(arena, n);
    light->place = srl_arena_indices(arena, n);
    light->hidden = srl_arena_take(arena, n, sizeof *light->hidden);
    light->output = srl_arena_take(arena, m, sizeof *light->output);
    light->input = srl_arena_take(arena, d, sizeof *light->input);
    light->carved = true;
}

static void narrow(int64_t length, const double *from, float *to) {
    for (int64_t k = 0; k < length; k++)
        to[k] = (float)from[k];
}

static void widen(int64_t length, const float *from, double *to) {
    for (int64_t k = 0; k < length; k++)
        to[k] = from[k];
}

/* Columns of the members from the first-th on. */
static void gather(const struct srl_model *model, struct srl_light *light, int64_t first) {
    const struct srl_range added = {light->members + first, 0, light->count - first};
    if (!model->A2.row_major) {
        srl_gather_single(&model->A2, (struct srl_range){NULL, 0, model->m}, added, light->columns + first * model->m);
        return;
    }
    const struct srl_matrix a2 = srl_some_rows(&model->A2, 0, model->m); /* let go of by blocks, not row by row */
    for (int64_t j = 0; j < model->m; j++) {
        srl_gather_single(&a2, (struct srl_range){NULL, j, 1}, added, light->columns + j * light->stride + first);
        srl_let_go_behind(&model->A2, j);
    }
}

/* y = C x or C'x for the members' columns C. */
static void multiply(const struct srl_model *model, const struct srl_light *light, enum srl_transpose op, const float *x,
                     float *y) {
    if (model->A2.row_major)
        srl_gemv_single(op, model->m, light->count, light->columns, light->stride, x, y);
    else
        srl_gemv_single(op == SRL_PLAIN ? SRL_TRANSPOSED : SRL_PLAIN, light->count, model->m, light->columns, model->m, x, y);
}

static void add_member(struct srl_light *light, int64_t i) {
    light->place[i] = (int32_t)light->count;
    light->members[light->count++] = (int32_t)i;
}

static void gather_all(const struct srl_model *model, struct srl_light *light, const struct srl_point *point) {
    light->count = 0;
    for (int64_t i = 0; i < model->n; i++) {
        light->place[i] = -1;
        if (point->u[i] > 0.0)
            add_member(light, i);
    }
    const int64_t room = light->count + light->count / SPARE + LEAST_SPARE;
    light->stride = room < model->n ? room : model->n;
    gather(model, light, 0);
}

/* All units that are on become members. */
static void admit(const struct srl_model *model, struct srl_light *light, const struct srl_point *point) {
    const int64_t before = light->count;
    int64_t missing = 0;
    for (int64_t i = 0; i < model->n; i++)
        missing += point->u[i] > 0.0 && light->place[i] < 0;
    if (missing == 0)
        return;
    if (before + missing > light->stride) {
        gather_all(model, light, point);
        return;
    }
    for (int64_t i = 0; i < model->n; i++)
        if (point->u[i] > 0.0 && light->place[i] < 0)
            add_member(light, i);
    gather(model, light, before);
}

static void gather_rows(const struct srl_model *model, struct srl_light *light) {
    const struct srl_range units = {NULL, 0, model->n}, entries = {NULL, 0, model->d};
    for (int64_t i = 0; i < model->n; i++)
        for (int64_t k = 0; k < model->d && !model->A1.row_major; k++)
            light->rows[i * model->d + k] = (float)srl_entry(&model->A1, i, k);
    if (model->A1.row_major)
        srl_gather_single(&model->A1, units, entries, light->rows);
}

void srl_light_begin(const struct srl_model *model, struct srl_light *light, const struct srl_point *point) {
    if (light->ready || !light->carved)
        return;
    SRL_TELL(model, .operation = SRL_LIGHT_BEGIN, .arrays = {srl_own(light), srl_sent(point->u, model->n)});
    gather_rows(model, light);
    if (srl_has_output_layer(model))
        gather_all(model, light, point);
    light->ready = true;
}

void srl_light_rates(const struct srl_model *model, struct srl_light *light, const double *direction, double *rates) {
    if (!light->carved) {
        srl_gemv(SRL_PLAIN, 1.0, &model->A1, direction, 0.0, rates);
        return;
    }
    narrow(model->d, direction, light->input);
    srl_gemv_single(SRL_PLAIN, model->n, model->d, light->rows, model->d, light->input, light->hidden);
    widen(model->n, light->hidden, rates);
}

void srl_light_find_logits(const struct srl_model *model, struct srl_light *light, const struct srl_point *point, double *z) {
    SRL_TELL(model, .operation = SRL_LIGHT_LOGITS,
             .arrays = {srl_own(light), srl_sent(point->u, model->n), srl_sent(point->h, model->n), srl_own(z)});
    admit(model, light, point);
    for (int64_t k = 0; k < light->count; k++)
        light->hidden[k] = (float)point->h[light->members[k]];
    multiply(model, light, SRL_PLAIN, light->hidden, light->output);
    for (int64_t j = 0; j < model->m; j++)
        z[j] = (double)light->output[j] + (model->c2 != NULL ? model->c2[j] : 0.0);
}

bool srl_light_evaluate(const struct srl_model *model, struct srl_light *light, struct srl_point *point) {
    const bool finite = srl_point_activate(model, point);
    if (finite && light->carved && srl_has_output_layer(model))
        srl_light_find_logits(model, light, point, point->z);
    else
        srl_logits(model, point->h, point->z);
    return srl_point_judge(model, point) && finite;
}

void srl_light_back(const struct srl_model *model, struct srl_light *light, const struct srl_point *point, const double *q,
                    double *slopes) {
    if (!light->carved || !srl_has_output_layer(model)) {
        srl_back_to_hidden(model, q, slopes);
        for (int64_t i = 0; i < model->n; i++)
            slopes[i] = point->u[i] > 0.0 ? slopes[i] : 0.0;
        return;
    }
    SRL_TELL(model, .operation = SRL_LIGHT_BACK,
             .arrays = {srl_own(light), srl_sent(point->u, model->n), srl_own(q), srl_own(slopes)});
    narrow(model->m, q, light->output);
    multiply(model, light, SRL_TRANSPOSED, light->output, light->hidden);
    memset(slopes, 0, (size_t)model->n * sizeof *slopes);
    for (int64_t k = 0; k < light->count; k++)
        if (point->u[light->members[k]] > 0.0)
            slopes[light->members[k]] = light->hidden[k];
    srl_sum(model->ranks, model->n, slopes);
}

bool srl_light_differentiate(const struct srl_model *model, struct srl_light *light, struct srl_point *point, double *scratch) {
    srl_outer_derivatives(model, &point->outer, point->q, point->r);
    srl_light_back(model, light, point, point->q, scratch);
    if (!light->carved) {
        srl_gradient_of_slopes(model, point, scratch, point->gradient);
    } else {
        for (int64_t i = 0; i < model->n; i++)
            light->hidden[i] = (float)(scratch[i] + srl_smooth_slope(model, point, i));
        srl_gemv_single(SRL_TRANSPOSED, model->n, model->d, light->rows, model->d, light->hidden, light->input);
        widen(model->d, light->input, point->gradient);
        srl_add_proximity_slopes(model, point, point->gradient);
    }
    return isfinite(srl_max_abs(model->d, point->gradient));
}
