/* The solver: everything one solve needs, all memory reserved beforehand. */
#ifndef SRL_SOLVER_SOLVER_H
#define SRL_SOLVER_SOLVER_H

#include <stdatomic.h>

#include "base/message.h"
#include "model/hessian.h"
#include "model/stationarity.h"
#include "solver/report.h"
#include "solver/settings.h"
#include "step/budget.h"
#include "step/kink_step.h"
#include "step/newton.h"

struct srl_solver {
    const struct srl_model *model;
    struct srl_settings settings;
    double *start; /* the user's x0 (d) */
    bool has_start;
    softrelu_callback callback;
    void *user;
    atomic_int stop_requested;

    struct srl_point current; /* the best point so far */
    struct srl_point trial;
    struct srl_stationarity stationarity; /* of current */
    struct srl_stationarity_work stationarity_work;
    struct srl_hessian_work hessian_work;
    struct srl_newton newton;
    struct srl_kink_step kinks;
    double *scratch; /* n */
    double *target;  /* logits the warm start aims at (m) */
    struct srl_budget budget;
    double damping; /* shift asked for after rejected steps, 0 while Newton's own steps are accepted */
    struct softrelu_report report;
};

void srl_solver_carve(struct srl_arena *arena, struct srl_solver *solver);

/* Runs one solve; the outcome is in solver->report, the point in solver->current. */
softrelu_status srl_solve(struct srl_solver *solver, struct srl_message *message);

/* Puts the warm start, evaluated, into solver->current. False when F is not finite at any candidate. */
bool srl_warm_start(struct srl_solver *solver);

#endif
