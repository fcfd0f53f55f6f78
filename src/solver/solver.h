/* The solver: everything one solve needs, all memory reserved beforehand. */
#ifndef SRL_SOLVER_SOLVER_H
#define SRL_SOLVER_SOLVER_H

#include <stdatomic.h>

#include "base/message.h"
#include "certificate/certificate.h"
#include "model/hessian.h"
#include "model/stationarity.h"
#include "solver/newton_matrix.h"
#include "solver/opening.h"
#include "solver/report.h"
#include "solver/settings.h"
#include "solver/unknowns.h"
#include "step/budget.h"
#include "step/kink_step.h"
#include "step/line_search.h"
#include "step/newton.h"

/* The last two iterates, for the acceleration. */
struct srl_path {
    double *x[2], *v[2];  /* x[0] before this iteration, x[1] before the last one (d each); v = A1 x (n each) */
    int64_t length;       /* how many there are */
    double *step, *rates; /* from x[1] to here (d, n) */
};

/* Where one start ended. */
struct srl_end {
    double *x; /* d */
    double loss;
    struct softrelu_certificate certificate; /* its results only, in memory of its own */
};

/* Several starts of one solve. The memory is there when the setting starts is more than 1. */
struct srl_starts {
    struct srl_end *ends;        /* distinct ones, in order of F */
    int64_t count;               /* of them */
    double *point;               /* the start being tried (d) */
    double *base;                /* where the first one began, evaluated (d) */
    struct softrelu_report best; /* of the lowest end, while others are tried */
    double elapsed;              /* seconds, before this start */
};

struct srl_solver {
    const struct srl_model *model; /* in the unknowns of the solve */
    struct srl_unknowns unknowns;
    struct srl_settings settings;
    double *start; /* the user's x0 (d) */
    bool has_start;
    const double *from; /* where this solve begins, in its unknowns; NULL: at the warm start */
    struct srl_starts starts;
    softrelu_callback callback;
    void *user;
    softrelu_interrupt interrupt;
    void *interrupt_user;
    atomic_int stop_requested;

    struct srl_point current; /* the best point so far */
    struct srl_point trial;
    struct srl_stationarity stationarity; /* of current */
    struct srl_stationarity_work stationarity_work;
    struct srl_hessian_work hessian_work;
    struct srl_newton newton;
    struct srl_newton_matrix matrix;
    struct srl_kink_step kinks;
    struct srl_line_search line_search;
    struct srl_path path;
    double *scratch; /* n */
    double *target;  /* logits the warm start aims at (m) */
    struct srl_budget budget;
    struct srl_opening opening;
    int64_t patience; /* steps that F cannot judge and that may still lengthen the residual */
    double *nearest;  /* the x with the shortest one, while patience is being used (d) */
    double nearest_residual;
    double damping; /* shift asked for after rejected steps, 0 while Newton's own steps are accepted */
    struct softrelu_report report;
    struct softrelu_certificate certificate; /* of the solution */
};

/* All but the memory that only some settings ask for: that is matrix.work. */
void srl_solver_carve(struct srl_arena *arena, struct srl_solver *solver);

/* For the setting starts: ends and best.trace belong to whoever calls. */
void srl_starts_carve(struct srl_arena *arena, struct srl_starts *starts, const struct srl_solver *solver, int64_t count);
/* From as many starts as the settings say: the lowest end is in solver->report, certificate and current.x, all of them in
   solver->starts. */
softrelu_status srl_minimise(struct srl_solver *solver, struct srl_message *message);

/* From one start, solver->from; the outcome is in solver->report, the point in solver->current. */
softrelu_status srl_solve(struct srl_solver *solver, struct srl_message *message);

/* Puts the warm start, evaluated, into solver->current. False when F is not finite at any candidate. */
bool srl_warm_start(struct srl_solver *solver);

/* What it takes of the outputs, each on all ranks: */
double srl_fit_target(const struct srl_model *model, double *target);
void srl_fit_weights(const struct srl_model *model, struct srl_outer *outer);
void srl_fit_slopes(const struct srl_model *model, const double *target, const double *f, double slope, double omega, double *z,
                    double *q, double *r);

/* One round of the warm start's least squares from the pattern of solver->current (all at the slope 1/2 when no unit is on)
   into solver->trial, evaluated. False when it is not finite. */
bool srl_fit_logits(struct srl_solver *solver);
/* Whether it is worth trying at a point: not where the regulariser makes up most of F, for that needs no fit. */
bool srl_fit_may_pay(const struct srl_point *point);

#endif
