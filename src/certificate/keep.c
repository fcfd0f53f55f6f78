#include "certificate/keep.h"

#include <string.h>

void srl_kept_certificate_carve(struct srl_arena *arena, struct softrelu_certificate *kept, const struct srl_model *model) {
    kept->lambda = srl_arena_doubles(arena, model->n);
    kept->mu = srl_arena_doubles(arena, model->d);
    kept->direction = srl_arena_doubles(arena, model->d);
    kept->at_kink = (signed char *)srl_arena_flags(arena, model->n);
    kept->bound = (signed char *)srl_arena_flags(arena, model->d);
}

void srl_certificate_keep(struct softrelu_certificate *kept, const struct softrelu_certificate *of) {
    const size_t n = (size_t)of->model->n, d = (size_t)of->model->d;
    kept->model = of->model;
    kept->verdict = of->verdict;
    kept->reason = of->reason;
    kept->distance = of->distance;
    memcpy(kept->quantities, of->quantities, sizeof kept->quantities);
    kept->examined = of->examined;
    kept->has_direction = of->has_direction && kept->direction != NULL;
    if (kept->lambda == NULL || kept->mu == NULL || kept->direction == NULL || kept->at_kink == NULL || kept->bound == NULL)
        return;
    memcpy(kept->lambda, of->lambda, n * sizeof *kept->lambda);
    memcpy(kept->mu, of->mu, d * sizeof *kept->mu);
    memcpy(kept->direction, of->direction, d * sizeof *kept->direction);
    memcpy(kept->at_kink, of->at_kink, n);
    memcpy(kept->bound, of->bound, d);
}
