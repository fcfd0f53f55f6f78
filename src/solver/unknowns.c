#include "solver/unknowns.h"

#include <string.h>

#include "solver/solver.h"

void srl_unknowns_carve(struct srl_arena *arena, struct srl_unknowns *unknowns) {
    const bool reduced = unknowns->reduction != NULL;
    const int64_t n = reduced ? unknowns->full->n : 0, d = reduced ? unknowns->full->d : 0;
    unknowns->apart = srl_arena_doubles(arena, d);
    unknowns->x = srl_arena_doubles(arena, d);
    unknowns->x_ref = srl_arena_doubles(arena, n);
    unknowns->start = srl_arena_doubles(arena, n);
}

/* What of x is to stay: x_ref's part where rho holds x to it, else that of the start. */
static void choose_apart(struct srl_unknowns *unknowns, const double *start) {
    const struct srl_model *full = unknowns->full;
    const double *from = full->rho > 0.0 || start == NULL ? full->x_ref : start;
    if (from != NULL)
        srl_set_apart(full, unknowns->reduction, from, unknowns->start, unknowns->apart);
    else
        memset(unknowns->apart, 0, (size_t)full->d * sizeof *unknowns->apart);
}

const double *srl_enter_unknowns(struct srl_solver *solver) {
    struct srl_unknowns *unknowns = &solver->unknowns;
    const struct srl_model *full = unknowns->full;
    const double *start = solver->has_start ? solver->start : NULL;
    if (unknowns->reduction == NULL)
        return start;
    unknowns->reduced = srl_reduced_model(full, unknowns->reduction);
    if (full->x_ref != NULL) {
        srl_reduce(full, unknowns->reduction, full->x_ref, unknowns->x_ref);
        unknowns->reduced.x_ref = unknowns->x_ref;
    }
    choose_apart(unknowns, start);
    if (start == NULL)
        return NULL;
    srl_reduce(full, unknowns->reduction, start, unknowns->start);
    return unknowns->start;
}

void srl_leave_unknowns(const struct srl_unknowns *unknowns, const double *values, double *x) {
    if (unknowns->reduction != NULL)
        srl_expand(unknowns->full, unknowns->reduction, unknowns->apart, values, x);
    else
        memcpy(x, values, (size_t)unknowns->full->d * sizeof *x);
}

const double *srl_current_x(struct srl_solver *solver) {
    if (solver->unknowns.reduction == NULL)
        return solver->current.x;
    srl_leave_unknowns(&solver->unknowns, solver->current.x, solver->unknowns.x);
    return solver->unknowns.x;
}

void srl_direction_in_unknowns(const struct srl_unknowns *unknowns, const double *direction, double *values) {
    if (unknowns->reduction != NULL)
        srl_reduce(unknowns->full, unknowns->reduction, direction, values);
    else
        memcpy(values, direction, (size_t)unknowns->full->d * sizeof *values);
}
