/*
 * The network made light: A1 in single precision, and of A2 only the columns of units that have been on, in single precision
 * too. Values and gradients far from a minimiser wait for memory, and this is a quarter of it where half of the units are on.
 * They are good to six digits: enough to descend by, not to judge by.
 *
 * A unit that turns on is added to the columns; when there is no room left they are gathered anew for the units that are on.
 */
#ifndef SRL_MODEL_LIGHT_H
#define SRL_MODEL_LIGHT_H

#include "base/alloc.h"
#include "model/point.h"

struct srl_light {
    bool carved;      /* there is memory for it; else the network itself is used */
    bool ready;       /* begun */
    float *rows;      /* A1 (n x d, row-major) */
    float *columns;   /* of A2, those of members, in its layout: m x stride row-major, or their transpose */
    int64_t stride;   /* room for so many members */
    int32_t *members; /* units, in order (n) */
    int32_t *place;   /* of each unit among them, -1 for none (n) */
    int64_t count;
    float *hidden, *output, *input; /* scratch: n, m, d */
};

/* Doubles that it takes, at most. */
double srl_light_size(const struct srl_model *model);
void srl_light_carve(struct srl_arena *arena, struct srl_light *light, const struct srl_model *model);
/* Gathers what the point needs, unless that has been begun: later points add what is missing. */
void srl_light_begin(const struct srl_model *model, struct srl_light *light, const struct srl_point *point);
/* rates = A1 direction. */
void srl_light_rates(const struct srl_model *model, struct srl_light *light, const double *direction, double *rates);
/* On a rank that is told to: the same for a point of which only u and h are looked at. */
void srl_light_find_logits(const struct srl_model *model, struct srl_light *light, const struct srl_point *point, double *z);
/* A2'q for the members into slopes (n) where they are on, 0 elsewhere. */
void srl_light_back(const struct srl_model *model, struct srl_light *light, const struct srl_point *point, const double *q,
                    double *slopes);
/* As srl_point_evaluate(), and the derivatives q, r and gradient of srl_point_differentiate() without the rest. False when
   anything is not finite. scratch: n doubles. */
bool srl_light_evaluate(const struct srl_model *model, struct srl_light *light, struct srl_point *point);
bool srl_light_differentiate(const struct srl_model *model, struct srl_light *light, struct srl_point *point, double *scratch);

#endif
