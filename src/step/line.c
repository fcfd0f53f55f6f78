#include "step/line.h"

#include <string.h>

enum { FEW = 8 };                  /* one unit in so many: more flips than that, and whole products are faster */
static const double NEAREST = 0.5; /* times the t of a base: no smaller t is reached from it */

void srl_move_outputs(const struct srl_model *model, const double *from, double t, const double *rates, const int32_t *columns,
                      int64_t count, const double *weights, double *to) {
    SRL_TELL(model, .operation = SRL_MOVE_OUTPUTS,
             .arrays = {srl_own(from), srl_own(rates), srl_sent_bytes(columns, count * (int64_t)sizeof *columns),
                        srl_sent(weights, count), srl_own(to)},
             .numbers = {t}, .integers = {count});
    memcpy(to, from, (size_t)model->m * sizeof *to);
    if (rates != NULL)
        srl_axpy(model->m, t, rates, to);
    if (srl_has_output_layer(model)) {
        srl_add_columns(&model->A2, columns, count, weights, to);
        return;
    }
    for (int64_t k = 0; k < count; k++)
        to[columns[k]] += weights[k];
}

static void carve_base(struct srl_arena *arena, struct srl_line_base *base, const struct srl_model *model) {
    base->z = srl_arena_doubles(arena, model->room);
    base->y = srl_arena_doubles(arena, model->room);
    base->on = srl_arena_flags(arena, model->n);
}

void srl_line_carve(struct srl_arena *arena, struct srl_line *line, const struct srl_model *model) {
    carve_base(arena, &line->start, model);
    carve_base(arena, &line->last, model);
    line->flips = srl_arena_indices(arena, model->n);
    line->of_z = srl_arena_doubles(arena, model->n);
    line->of_y = srl_arena_doubles(arena, model->n);
    line->hidden = srl_arena_doubles(arena, model->n);
}

static void set_base(const struct srl_model *model, struct srl_line_base *base, const struct srl_point *point, double t) {
    base->known = true;
    base->has_y = false;
    base->t = t;
    srl_copy_outputs(model, point->z, base->z);
    for (int64_t i = 0; i < model->n; i++)
        base->on[i] = point->u[i] > 0.0;
}

void srl_line_begin(const struct srl_model *model, struct srl_line *line, const struct srl_point *point, bool whole) {
    line->whole = whole;
    line->from = NULL;
    line->last.known = false;
    set_base(model, &line->start, point, 0.0);
}

static void find_rates(const struct srl_model *model, struct srl_line *line, const unsigned char *on, const double *rates,
                       double *y) {
    for (int64_t i = 0; i < model->n; i++)
        line->hidden[i] = on[i] ? rates[i] : 0.0;
    srl_to_outputs(model, line->hidden, y);
}

/* The units on other sides than at the base; false when they are too many. Of a mapped A2 one column costs as much as all. */
static bool find_flips(const struct srl_model *model, struct srl_line *line, const struct srl_line_base *base,
                       const struct srl_point *trial) {
    line->count = 0;
    for (int64_t i = 0; i < model->n; i++)
        if ((trial->u[i] > 0.0) != (base->on[i] != 0))
            line->flips[line->count++] = (int32_t)i;
    return model->A2.mapped ? line->count == 0 : FEW * line->count <= model->n;
}

/* trial->z from the base. */
static void move_from(const struct srl_model *model, struct srl_line *line, struct srl_line_base *base, struct srl_point *trial,
                      const double *rates, double t) {
    if (!base->has_y)
        find_rates(model, line, base->on, rates, base->y);
    base->has_y = true;
    for (int64_t k = 0; k < line->count; k++) {
        const double u = trial->u[line->flips[k]], rate = rates[line->flips[k]];
        line->of_z[k] = u > 0.0 ? u : -u;
        line->of_y[k] = u > 0.0 ? rate : -rate;
    }
    srl_move_outputs(model, base->z, t - base->t, base->y, line->flips, line->count, line->of_z, trial->z);
    line->from = base;
}

void srl_line_move(const struct srl_model *model, struct srl_line *line, struct srl_point *trial, const double *rates,
                   double t) {
    if (!line->whole && find_flips(model, line, &line->start, trial)) {
        move_from(model, line, &line->start, trial, rates, t);
    } else if (!line->whole && line->last.known && t >= NEAREST * line->last.t && find_flips(model, line, &line->last, trial)) {
        move_from(model, line, &line->last, trial, rates, t);
    } else {
        srl_logits(model, trial->h, trial->z);
        set_base(model, &line->last, trial, t);
        line->from = NULL;
    }
}

void srl_line_leave(const struct srl_model *model, struct srl_line *line, struct srl_point *trial) {
    srl_logits(model, trial->h, trial->z);
    set_base(model, &line->last, trial, 0.0);
    line->last.known = false;
    line->from = NULL;
}

void srl_line_rates(const struct srl_model *model, struct srl_line *line, const double *rates, double *y) {
    struct srl_line_base *last = &line->last;
    if (line->from != NULL) {
        srl_move_outputs(model, line->from->y, 0.0, NULL, line->flips, line->count, line->of_y, y);
        return;
    }
    if (!last->has_y)
        find_rates(model, line, last->on, rates, last->y);
    last->has_y = true;
    srl_copy_outputs(model, last->y, y);
}
