/*
 * Logits along the line x + t step, rates = A1 step, without a product with A2 for every t.
 *
 * Between two units' kinks they are affine: z(t) = z(t0) + (t - t0) y(t0), y = A2 diag(s) rates. A unit that has changed sides
 * on the way from t0 to t adds its column of A2, times +-u_i(t) to z and +-rates_i to y. So one product with A2 gives the
 * logits and their rates everywhere on the line, but for the columns of the units that flip. Where they are many the products
 * are made anew, and serve as another t0 from there on. Nothing is added up from one t to the next, and no t is reached from
 * one that is much larger: both would cost digits.
 */
#ifndef SRL_STEP_LINE_H
#define SRL_STEP_LINE_H

#include "base/alloc.h"
#include "model/point.h"

/* A t where the products have been made. */
struct srl_line_base {
    bool known, has_y;
    double t;
    double *z, *y;     /* m */
    unsigned char *on; /* the active units (n) */
};

struct srl_line {
    bool whole;                       /* products are made anew at every t: the last digits count */
    struct srl_line_base start, last; /* t = 0, and where they were last made anew */
    const struct srl_line_base *from; /* of the last move; NULL: made anew there */
    int64_t count;                    /* units that have changed sides since from */
    int32_t *flips;                   /* n */
    double *of_z, *of_y;              /* what their columns are multiplied with (n) */
    double *hidden;                   /* n of scratch */
};

/* to = from + t rates (rates = NULL: from), plus the listed columns of A2 times weights; on all ranks. */
void srl_move_outputs(const struct srl_model *model, const double *from, double t, const double *rates, const int32_t *columns,
                      int64_t count, const double *weights, double *to);

void srl_line_carve(struct srl_arena *arena, struct srl_line *line, const struct srl_model *model);
/* t = 0 at an evaluated point. */
void srl_line_begin(const struct srl_model *model, struct srl_line *line, const struct srl_point *point, bool whole);
/* To t, where trial's hidden layer is: its logits go into trial->z. */
void srl_line_move(const struct srl_model *model, struct srl_line *line, struct srl_point *trial, const double *rates,
                   double t);
/* The same for a point that is not on the line: nothing is learnt from it. */
void srl_line_leave(const struct srl_model *model, struct srl_line *line, struct srl_point *trial);
/* y of the last point into y (m). */
void srl_line_rates(const struct srl_model *model, struct srl_line *line, const double *rates, double *y);

#endif
