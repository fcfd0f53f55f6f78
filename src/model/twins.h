/*
 * Units whose rows of A1 are parallel and whose biases agree have the same kink: twins. What F does there is decided by all of
 * them together. With a_j = +-c_j a_i, crossing the kink of unit i upwards changes the slope along a_i by the sum of c_j q_j,
 * the mirrored ones included: they turn off, and F loses a slope that pointed the other way. So a valley can hold a unit that
 * alone would be a ridge. The first unit of a family represents it: its kink jump is that sum, those of the others are 0.
 */
#ifndef SRL_MODEL_TWINS_H
#define SRL_MODEL_TWINS_H

#include "base/alloc.h"
#include "model/model.h"

struct srl_twins {
    int32_t *representative; /* of each unit; itself when it has no twin or represents its family (n) */
    int32_t *next;           /* the next unit of the family, -1 after the last (n) */
    unsigned char *mirrored; /* the row points against its representative's (n) */
    int64_t count;           /* units that another one represents */
};

void srl_twins_carve(struct srl_arena *arena, struct srl_twins *twins, int64_t n);

struct srl_twin_key {
    double key;
    int32_t unit;
};
/* Finds the families; needs the row norms. keys: n entries, rows: 2 d doubles of scratch. */
void srl_find_twins(const struct srl_model *model, struct srl_twin_key *keys, double *rows, struct srl_twins *twins);

/* kink_jumps from slope_jumps (n each, distinct). */
void srl_add_up_twins(const struct srl_model *model, const double *slope_jumps, double *kink_jumps);

/* Whether unit i counts as on: by its own sign, or by its representative's, so that twins at their kink agree on the side. */
static inline bool srl_is_on(const struct srl_model *model, const double *u, int64_t i) {
    const struct srl_twins *twins = model->twins;
    if (twins == NULL || twins->representative[i] == i)
        return u[i] > 0.0;
    return (u[twins->representative[i]] > 0.0) != (twins->mirrored[i] != 0);
}

/* Units that share the kink of unit i, itself included. */
int64_t srl_twin_count(const struct srl_model *model, int64_t i);

/* slopes of the family of unit i as they are above (on) or below its kink. */
void srl_set_side(const struct srl_model *model, const double *slope_jumps, int64_t i, bool above, double *slopes);

#endif
