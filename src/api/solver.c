/* Solvers: settings, start, callback, solve, solution. Their memory is in solver_memory.c. */
#include <math.h>
#include <string.h>

#include "api/handles.h"

softrelu_status srl_check_idle(softrelu_solver *solver) {
    if (atomic_load(&solver->running) != 0) /* the message belongs to the call that runs: see softrelu_solver_message() */
        return SOFTRELU_ERROR_STATE;
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
        return srl_agree_on_memory(problem, false);
    created->allocator = problem->allocator;
    created->problem = problem;
    created->model = problem->model;
    created->model.interruption = &created->core.budget.interruption;
    created->core.unknowns.full = &created->model;
    created->core.settings = srl_standard_settings();
    atomic_init(&created->core.stop_requested, 0);
    atomic_init(&created->running, 0);
    const softrelu_status status = srl_agree_on_memory(problem, srl_solver_reserve(created));
    if (status != SOFTRELU_OK) {
        softrelu_solver_destroy(created);
        return status;
    }
    srl_certificate_clear(&created->core.certificate);
    *solver = created;
    return SOFTRELU_OK;
}

void softrelu_solver_destroy(softrelu_solver *solver) {
    if (solver == NULL || srl_solver_is_running(solver))
        return;
    const struct srl_allocator allocator = solver->allocator;
    srl_report_release(&solver->core.report, &allocator);
    srl_solver_release(solver);
    srl_release(&allocator, solver);
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
    return status == SOFTRELU_OK ? srl_solver_settle(solver, &changed) : status;
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
    return status == SOFTRELU_OK ? srl_solver_settle(solver, &changed) : status;
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

softrelu_status softrelu_solver_set_interrupt(softrelu_solver *solver, softrelu_interrupt interrupt, void *user) {
    if (solver == NULL)
        return SOFTRELU_ERROR_NULL;
    softrelu_status status = srl_check_idle(solver);
    if (status != SOFTRELU_OK)
        return status;
    solver->core.interrupt = interrupt;
    solver->core.interrupt_user = user;
    return SOFTRELU_OK;
}

void softrelu_solver_request_stop(softrelu_solver *solver) {
    if (solver != NULL)
        atomic_store(&solver->core.stop_requested, 1);
}

static softrelu_status minimise(void *context) {
    softrelu_solver *solver = context;
    return srl_minimise(&solver->core, &solver->message);
}

/* Before the first rank leads: what srl_minimise() does there. A time limit is the first rank's to look at. */
static void get_ready(softrelu_solver *solver) {
    struct srl_solver *core = &solver->core;
    if (solver->model.ranks == NULL)
        return;
    atomic_store(&core->stop_requested, 0);
    (void)srl_enter_unknowns(core);
    core->budget.interruption = (struct srl_interruption){
        .time_limit = INFINITY, .stop_requested = &core->stop_requested, .ask = core->interrupt, .user = core->interrupt_user};
}

static struct srl_region region_of(const struct srl_arena *arena) { return srl_region_at(arena->base, arena->capacity); }

/* From the first rank to the others: the solution, the report and what there is of several starts. */
static softrelu_status share_outcome(softrelu_solver *solver) {
    struct srl_solver *core = &solver->core;
    struct srl_ranks *ranks = solver->model.ranks;
    const int64_t size = core->model->d * (int64_t)sizeof(double);
    struct srl_starts *starts = &core->starts;
    srl_spread(ranks, 0, core->current.x, size);
    srl_spread(ranks, 0, core->unknowns.apart,
               core->unknowns.reduction != NULL ? solver->model.d * (int64_t)sizeof(double) : 0);
    srl_spread_certificate(&solver->model, &core->certificate);
    srl_report_spread(ranks, &core->report);
    srl_spread(ranks, 0, &starts->count, sizeof starts->count);
    for (int64_t i = 0; i < starts->count && starts->ends != NULL && !ranks->failed; i++) {
        srl_spread(ranks, 0, starts->ends[i].x, size);
        srl_spread(ranks, 0, &starts->ends[i].loss, sizeof starts->ends[i].loss);
        srl_spread_certificate(&solver->model, &starts->ends[i].certificate);
    }
    return ranks->failed ? srl_fail_ranks(&solver->message) : SOFTRELU_OK;
}

softrelu_status softrelu_solver_solve(softrelu_solver *solver) {
    if (solver == NULL)
        return SOFTRELU_ERROR_NULL;
    if (atomic_exchange(&solver->running, 1) != 0)
        return SOFTRELU_ERROR_STATE;
    solver->message.text[0] = '\0';
    get_ready(solver);
    const struct srl_joint_call joint = {.kind = SRL_CALL_SOLVE,
                                         .regions = {srl_region_at(solver, sizeof *solver), region_of(&solver->arena),
                                                     region_of(&solver->matrix_arena), region_of(&solver->starts_arena),
                                                     srl_report_memory(&solver->core.report)},
                                         .interruption = &solver->core.budget.interruption,
                                         .work = minimise,
                                         .context = solver};
    softrelu_status status =
        srl_together(solver->model.ranks, &joint, srl_check_bounds(&solver->message, &solver->model), &solver->message);
    if (status == SOFTRELU_OK && solver->model.ranks != NULL)
        status = share_outcome(solver);
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
    if (softrelu_solver_create(solver->problem, &other) != SOFTRELU_OK || other == NULL)
        return NULL;
    other->model.rho = solver->model.rho;
    if (srl_use_unknowns(other, solver->core.unknowns.reduction != NULL) == SOFTRELU_OK &&
        srl_solver_settle(other, &solver->core.settings) == SOFTRELU_OK)
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
    if (solver == NULL)
        return "the solver is NULL";
    return srl_solver_is_running(solver)
               ? "the solver is running: it can be asked to stop, and read from its own callback, but not changed"
               : solver->message.text;
}
