/* The memory of a solver: what the unknowns it works in ask for, and what its settings ask for, reserved before there is need
   of it, and before what was there is let go. */
#include <string.h>

#include "api/handles.h"

static bool same_matrix_work(const struct srl_settings *a, const struct srl_settings *b) {
    return a->hessian == b->hessian && a->step == b->step && a->jacobian_memory == b->jacobian_memory &&
           a->curvature_precision == b->curvature_precision && a->newton_matrix == b->newton_matrix;
}

/* Reserves what the settings ask for, before what there is is let go. */
static softrelu_status reserve_matrix_work(softrelu_solver *solver, const struct srl_settings *settings) {
    const struct srl_model *model = solver->core.model;
    struct srl_newton_matrix_work work = {0};
    struct srl_arena arena = {0};
    srl_newton_matrix_work_carve(&arena, &work, model, settings);
    if (!srl_arena_reserve(&arena, &solver->allocator))
        return srl_fail(&solver->message, SOFTRELU_ERROR_MEMORY,
                        "no memory for the Jacobian, factors, samples or conjugate gradients that the settings ask for");
    srl_newton_matrix_work_carve(&arena, &work, model, settings);
    srl_arena_release(&solver->matrix_arena, &solver->allocator);
    solver->matrix_arena = arena;
    solver->core.matrix.work = work;
    solver->core.current.with_mean = solver->core.trial.with_mean =
        work.jacobian == NULL || settings->curvature_precision == SOFTRELU_PRECISION_SINGLE;
    srl_jacobian_keep_in(&solver->core.hessian_work.jacobian, work.jacobian,
                         settings->curvature_precision == SOFTRELU_PRECISION_SINGLE);
    return SOFTRELU_OK;
}

/* Everything of a solver that no setting changes. */
static void carve(struct srl_arena *arena, softrelu_solver *solver) {
    const struct srl_model *model = &solver->model;
    srl_solver_carve(arena, &solver->core);
    for (int i = 0; i < SRL_TARGET_COUNT; i++)
        solver->target[i] = srl_arena_doubles(arena, i == SRL_TARGET_B ? model->room : model->d);
}

bool srl_prefers_reduction(const softrelu_solver *solver) {
    return solver->problem->reduction.basis != NULL && !srl_has_bounds(&solver->model);
}

static void choose_unknowns(softrelu_solver *solver, bool reduced) {
    struct srl_unknowns *unknowns = &solver->core.unknowns;
    unknowns->reduction = reduced ? &solver->problem->reduction : NULL;
    if (reduced)
        unknowns->reduced = srl_reduced_model(unknowns->full, unknowns->reduction);
    solver->core.model = reduced ? &unknowns->reduced : unknowns->full;
}

void srl_solver_release(softrelu_solver *solver) {
    srl_report_release(&solver->core.starts.best, &solver->allocator);
    srl_arena_release(&solver->starts_arena, &solver->allocator);
    srl_arena_release(&solver->arena, &solver->allocator);
    srl_arena_release(&solver->matrix_arena, &solver->allocator);
}

/* Room for the ends of several starts and the report of the best one, in place of what there was. */
static bool reserve_starts(softrelu_solver *solver, const struct srl_settings *settings, struct srl_arena *arena,
                           struct srl_starts *starts) {
    if (settings->starts == 1)
        return true;
    srl_starts_carve(arena, starts, &solver->core, settings->starts);
    if (!srl_arena_reserve(arena, &solver->allocator))
        return false;
    srl_starts_carve(arena, starts, &solver->core, settings->starts);
    if (srl_report_reserve(&starts->best, settings->trace_length, &solver->allocator))
        return true;
    srl_arena_release(arena, &solver->allocator);
    return false;
}

static void replace_starts(softrelu_solver *solver, struct srl_arena arena, struct srl_starts starts) {
    srl_report_release(&solver->core.starts.best, &solver->allocator);
    srl_arena_release(&solver->starts_arena, &solver->allocator);
    solver->starts_arena = arena;
    solver->core.starts = starts;
}

/* Memory for the trace, the present one's and the best start's: all of it, or none and nothing changed. */
static softrelu_status reserve_reports(softrelu_solver *solver, const struct srl_settings *settings) {
    struct srl_arena arena = {0};
    struct srl_starts starts = {0};
    struct srl_solver *core = &solver->core;
    if (!reserve_starts(solver, settings, &arena, &starts))
        return srl_fail(&solver->message, SOFTRELU_ERROR_MEMORY, "no memory for the ends of %lld starts",
                        (long long)settings->starts);
    if (settings->trace_length != core->settings.trace_length &&
        !srl_report_reserve(&core->report, settings->trace_length, &solver->allocator)) {
        srl_report_release(&starts.best, &solver->allocator);
        srl_arena_release(&arena, &solver->allocator);
        return srl_fail(&solver->message, SOFTRELU_ERROR_MEMORY, "no memory for a trace of %lld iterations",
                        (long long)settings->trace_length);
    }
    replace_starts(solver, arena, starts);
    return SOFTRELU_OK;
}

/* The settings that need memory get it before they change. */
softrelu_status srl_solver_settle(softrelu_solver *solver, const struct srl_settings *changed) {
    struct srl_solver *core = &solver->core;
    softrelu_status status = SOFTRELU_OK;
    if (!same_matrix_work(changed, &core->settings))
        status = reserve_matrix_work(solver, changed);
    if (status == SOFTRELU_OK &&
        (changed->trace_length != core->settings.trace_length || changed->starts != core->settings.starts))
        status = reserve_reports(solver, changed);
    if (status == SOFTRELU_OK)
        core->settings = *changed;
    return status;
}

/* What the solver was given, from other memory into its own. */
static void move_target(softrelu_solver *to, const softrelu_solver *from) {
    const double **vectors[] = {&to->model.b, &to->model.x_ref, &to->model.lower, &to->model.upper};
    for (int i = 0; i < SRL_TARGET_COUNT; i++) {
        const int64_t length = i == SRL_TARGET_B ? to->model.m : to->model.d;
        memcpy(to->target[i], from->target[i], (size_t)length * sizeof *to->target[i]);
        if (*vectors[i] == from->target[i])
            *vectors[i] = to->target[i];
    }
    memcpy(to->core.start, from->core.start, (size_t)to->model.d * sizeof *to->core.start);
}

/* Memory for the other unknowns: all of it, in a copy of the solver, or none. */
static bool reserve_memory(softrelu_solver *next) {
    const struct srl_settings *settings = &next->core.settings;
    next->arena = next->matrix_arena = next->starts_arena = (struct srl_arena){0};
    next->core.starts = (struct srl_starts){0};
    carve(&next->arena, next);
    if (srl_arena_reserve(&next->arena, &next->allocator)) {
        carve(&next->arena, next);
        if (reserve_matrix_work(next, settings) == SOFTRELU_OK &&
            reserve_starts(next, settings, &next->starts_arena, &next->core.starts))
            return true;
    }
    srl_solver_release(next);
    return false;
}

bool srl_solver_reserve(softrelu_solver *solver) {
    choose_unknowns(solver, srl_prefers_reduction(solver));
    return reserve_memory(solver) &&
           srl_report_reserve(&solver->core.report, solver->core.settings.trace_length, &solver->allocator);
}

softrelu_status srl_use_unknowns(softrelu_solver *solver, bool reduced) {
    if (reduced == (solver->core.unknowns.reduction != NULL))
        return SOFTRELU_OK;
    const softrelu_solver before = *solver;
    choose_unknowns(solver, reduced);
    if (!reserve_memory(solver)) {
        *solver = before;
        return srl_fail(&solver->message, SOFTRELU_ERROR_MEMORY, "no memory for solving %s bounds",
                        reduced ? "without" : "with");
    }
    move_target(solver, &before);
    softrelu_solver old = before;
    srl_solver_release(&old);
    srl_report_clear(&solver->core.report);
    srl_certificate_clear(&solver->core.certificate);
    return SOFTRELU_OK;
}
