/* Solvers: settings, start, callback, solve, solution. */
#include <string.h>

#include "api/handles.h"

softrelu_status srl_check_idle(softrelu_solver *solver) {
    if (atomic_load(&solver->running) != 0)
        return srl_fail(&solver->message, SOFTRELU_ERROR_STATE,
                        "the solver is running: only softrelu_solver_request_stop is allowed");
    solver->message.text[0] = '\0';
    return SOFTRELU_OK;
}

static softrelu_status find_setting(softrelu_solver *solver, softrelu_setting setting,
                                    const struct srl_setting_description **of) {
    *of = srl_setting_of(setting);
    if (*of == NULL)
        return srl_fail(&solver->message, SOFTRELU_ERROR_UNKNOWN, "there is no setting number %d", (int)setting);
    return SOFTRELU_OK;
}

static bool same_matrix_work(const struct srl_settings *a, const struct srl_settings *b) {
    return a->hessian == b->hessian && a->step == b->step && a->jacobian_memory == b->jacobian_memory &&
           a->curvature_precision == b->curvature_precision;
}

/* Reserves what the settings ask for, before what there is is let go. */
static softrelu_status reserve_matrix_work(softrelu_solver *solver, const struct srl_settings *settings) {
    const struct srl_model *model = solver->core.model;
    struct srl_newton_matrix_work work = {0};
    struct srl_arena arena = {0};
    srl_newton_matrix_work_carve(&arena, &work, model, settings);
    if (!srl_arena_reserve(&arena, &solver->allocator))
        return srl_fail(&solver->message, SOFTRELU_ERROR_MEMORY,
                        "no memory for the Jacobian, samples or conjugate gradients that the settings ask for");
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
        solver->target[i] = srl_arena_doubles(arena, i == SRL_TARGET_B ? model->m : model->d);
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

softrelu_status softrelu_solver_create(const softrelu_problem *problem, softrelu_solver **solver) {
    if (solver == NULL)
        return SOFTRELU_ERROR_NULL;
    *solver = NULL;
    if (problem == NULL)
        return SOFTRELU_ERROR_NULL;
    if (!problem->sealed)
        return SOFTRELU_ERROR_STATE;
    softrelu_solver *created = srl_allocate(&problem->allocator, 1, sizeof *created);
    if (created == NULL)
        return SOFTRELU_ERROR_MEMORY;
    created->allocator = problem->allocator;
    created->problem = problem;
    created->model = problem->model;
    created->core.unknowns.full = &created->model;
    choose_unknowns(created, srl_prefers_reduction(created));
    created->core.settings = srl_standard_settings();
    atomic_init(&created->core.stop_requested, 0);
    atomic_init(&created->running, 0);
    carve(&created->arena, created);
    if (!srl_arena_reserve(&created->arena, &created->allocator) ||
        !srl_report_reserve(&created->core.report, created->core.settings.trace_length, &created->allocator)) {
        softrelu_solver_destroy(created);
        return SOFTRELU_ERROR_MEMORY;
    }
    carve(&created->arena, created);
    if (reserve_matrix_work(created, &created->core.settings) != SOFTRELU_OK) {
        softrelu_solver_destroy(created);
        return SOFTRELU_ERROR_MEMORY;
    }
    srl_certificate_clear(&created->core.certificate);
    *solver = created;
    return SOFTRELU_OK;
}

static void release_memory(softrelu_solver *solver) {
    srl_report_release(&solver->core.starts.best, &solver->allocator);
    srl_arena_release(&solver->starts_arena, &solver->allocator);
    srl_arena_release(&solver->arena, &solver->allocator);
    srl_arena_release(&solver->matrix_arena, &solver->allocator);
}

void softrelu_solver_destroy(softrelu_solver *solver) {
    if (solver == NULL)
        return;
    const struct srl_allocator allocator = solver->allocator;
    srl_report_release(&solver->core.report, &allocator);
    release_memory(solver);
    srl_release(&allocator, solver);
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
static softrelu_status settle(softrelu_solver *solver, const struct srl_settings *changed) {
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
    release_memory(next);
    return false;
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
    release_memory(&old);
    srl_report_clear(&solver->core.report);
    srl_certificate_clear(&solver->core.certificate);
    return SOFTRELU_OK;
}

softrelu_status softrelu_solver_set_integer(softrelu_solver *solver, softrelu_setting setting, int64_t value) {
    if (solver == NULL)
        return SOFTRELU_ERROR_NULL;
    const struct srl_setting_description *of = NULL;
    struct srl_settings changed = solver->core.settings;
    softrelu_status status = srl_check_idle(solver);
    if (status == SOFTRELU_OK)
        status = find_setting(solver, setting, &of);
    if (status == SOFTRELU_OK)
        status = srl_set_integer(&changed, of, value, &solver->message);
    return status == SOFTRELU_OK ? settle(solver, &changed) : status;
}

softrelu_status softrelu_solver_set_real(softrelu_solver *solver, softrelu_setting setting, double value) {
    if (solver == NULL)
        return SOFTRELU_ERROR_NULL;
    const struct srl_setting_description *of = NULL;
    softrelu_status status = srl_check_idle(solver);
    if (status == SOFTRELU_OK)
        status = find_setting(solver, setting, &of);
    return status == SOFTRELU_OK ? srl_set_real(&solver->core.settings, of, value, &solver->message) : status;
}

softrelu_status softrelu_solver_set_text(softrelu_solver *solver, const char *name, const char *value) {
    if (solver == NULL)
        return SOFTRELU_ERROR_NULL;
    softrelu_status status = srl_check_idle(solver);
    if (status != SOFTRELU_OK)
        return status;
    if (name == NULL || value == NULL)
        return srl_fail(&solver->message, SOFTRELU_ERROR_NULL, "the %s of the setting is NULL",
                        name == NULL ? "name" : "value");
    const struct srl_setting_description *of = srl_setting_named(name);
    if (of == NULL)
        return srl_fail(&solver->message, SOFTRELU_ERROR_UNKNOWN, "there is no setting named '%.64s'", name);
    struct srl_settings changed = solver->core.settings;
    status = srl_set_text(&changed, of, value, &solver->message);
    return status == SOFTRELU_OK ? settle(solver, &changed) : status;
}

softrelu_status softrelu_solver_get_integer(const softrelu_solver *solver, softrelu_setting setting, int64_t *value) {
    if (solver == NULL || value == NULL)
        return SOFTRELU_ERROR_NULL;
    const struct srl_setting_description *of = srl_setting_of(setting);
    if (of == NULL || of->type == SOFTRELU_REAL)
        return SOFTRELU_ERROR_UNKNOWN;
    *value = srl_get_integer(&solver->core.settings, of);
    return SOFTRELU_OK;
}

softrelu_status softrelu_solver_get_real(const softrelu_solver *solver, softrelu_setting setting, double *value) {
    if (solver == NULL || value == NULL)
        return SOFTRELU_ERROR_NULL;
    const struct srl_setting_description *of = srl_setting_of(setting);
    if (of == NULL || of->type != SOFTRELU_REAL)
        return SOFTRELU_ERROR_UNKNOWN;
    *value = srl_get_real(&solver->core.settings, of);
    return SOFTRELU_OK;
}

const char *softrelu_setting_choice(softrelu_setting setting, int64_t index, int64_t *value) {
    return srl_setting_choice(setting, index, value);
}

int64_t softrelu_setting_count(void) { return srl_setting_count(); }

softrelu_status softrelu_setting_describe(int64_t index, softrelu_setting *setting, const char **name, softrelu_type *type,
                                          double *standard, double *minimum, double *maximum, const char **text) {
    const struct srl_setting_description *of = srl_setting_at(index);
    if (of == NULL)
        return SOFTRELU_ERROR_UNKNOWN;
    if (setting != NULL)
        *setting = of->setting;
    if (name != NULL)
        *name = of->name;
    if (type != NULL)
        *type = of->type;
    if (standard != NULL)
        *standard = of->standard;
    if (minimum != NULL)
        *minimum = of->minimum;
    if (maximum != NULL)
        *maximum = of->maximum;
    if (text != NULL)
        *text = of->text;
    return SOFTRELU_OK;
}

softrelu_status softrelu_solver_set_start(softrelu_solver *solver, const double *x0, int64_t length) {
    if (solver == NULL)
        return SOFTRELU_ERROR_NULL;
    struct srl_solver *core = &solver->core;
    softrelu_status status = srl_check_idle(solver);
    if (status != SOFTRELU_OK)
        return status;
    if (x0 == NULL && length != 0)
        return srl_fail(&solver->message, SOFTRELU_ERROR_NULL, "x0 is NULL but has a length");
    if (x0 != NULL)
        status = srl_check_length(&solver->message, "x0", length, solver->model.d);
    if (x0 != NULL && status == SOFTRELU_OK)
        status = srl_check_finite(&solver->message, "x0", x0, length);
    if (status != SOFTRELU_OK)
        return status;
    core->has_start = x0 != NULL;
    if (x0 != NULL)
        memcpy(core->start, x0, (size_t)length * sizeof *x0);
    return SOFTRELU_OK;
}

softrelu_status softrelu_solver_set_callback(softrelu_solver *solver, softrelu_callback callback, void *user) {
    if (solver == NULL)
        return SOFTRELU_ERROR_NULL;
    softrelu_status status = srl_check_idle(solver);
    if (status != SOFTRELU_OK)
        return status;
    solver->core.callback = callback;
    solver->core.user = user;
    return SOFTRELU_OK;
}

void softrelu_solver_request_stop(softrelu_solver *solver) {
    if (solver != NULL)
        atomic_store(&solver->core.stop_requested, 1);
}

softrelu_status softrelu_solver_solve(softrelu_solver *solver) {
    if (solver == NULL)
        return SOFTRELU_ERROR_NULL;
    softrelu_status status = srl_check_idle(solver);
    if (status != SOFTRELU_OK)
        return status;
    status = srl_check_bounds(&solver->message, &solver->model);
    if (status != SOFTRELU_OK)
        return status;
    atomic_store(&solver->running, 1);
    status = srl_minimise(&solver->core, &solver->message);
    atomic_store(&solver->running, 0);
    return status;
}

softrelu_status softrelu_solver_solution(const softrelu_solver *solver, double *x, int64_t length) {
    if (solver == NULL || x == NULL)
        return SOFTRELU_ERROR_NULL;
    if (length != solver->model.d)
        return SOFTRELU_ERROR_SIZE;
    if (solver->core.report.termination == SOFTRELU_NOT_RUN && atomic_load(&solver->running) == 0)
        return SOFTRELU_ERROR_STATE;
    srl_leave_unknowns(&solver->core.unknowns, solver->core.current.x, x);
    return SOFTRELU_OK;
}

int64_t softrelu_solver_minimiser_count(const softrelu_solver *solver) {
    if (solver == NULL || solver->core.report.termination == SOFTRELU_NOT_RUN)
        return 0;
    return solver->core.starts.count > 0 ? solver->core.starts.count : 1;
}

softrelu_status softrelu_solver_minimiser(const softrelu_solver *solver, int64_t index, double *x, int64_t length) {
    if (solver == NULL || x == NULL)
        return SOFTRELU_ERROR_NULL;
    if (index < 0 || index >= softrelu_solver_minimiser_count(solver) || length != solver->model.d)
        return SOFTRELU_ERROR_SIZE;
    const struct srl_starts *starts = &solver->core.starts;
    srl_leave_unknowns(&solver->core.unknowns, starts->count > 0 ? starts->ends[index].x : solver->core.current.x, x);
    return SOFTRELU_OK;
}

const softrelu_certificate *softrelu_solver_minimiser_certificate(const softrelu_solver *solver, int64_t index) {
    if (index < 0 || index >= softrelu_solver_minimiser_count(solver))
        return NULL;
    const struct srl_starts *starts = &solver->core.starts;
    return starts->count > 0 ? &starts->ends[index].certificate : &solver->core.certificate;
}

softrelu_solver *srl_solver_like(const softrelu_solver *solver) {
    softrelu_solver *other = NULL;
    if (softrelu_solver_create(solver->problem, &other) != SOFTRELU_OK)
        return NULL;
    if (srl_use_unknowns(other, solver->core.unknowns.reduction != NULL) == SOFTRELU_OK &&
        settle(other, &solver->core.settings) == SOFTRELU_OK)
        return other;
    softrelu_solver_destroy(other);
    return NULL;
}

bool srl_solver_is_running(const softrelu_solver *solver) { return atomic_load(&solver->running) != 0; }

const softrelu_report *softrelu_solver_report(const softrelu_solver *solver) {
    return solver != NULL ? &solver->core.report : NULL;
}

const softrelu_certificate *softrelu_solver_certificate(const softrelu_solver *solver) {
    return solver != NULL ? &solver->core.certificate : NULL;
}

const char *softrelu_solver_message(const softrelu_solver *solver) {
    return solver != NULL ? solver->message.text : "the solver is NULL";
}
