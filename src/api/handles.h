/* What stands behind the opaque handles, and the argument checks they share. Only files in src/api see this. */
#ifndef SRL_API_HANDLES_H
#define SRL_API_HANDLES_H

#include "api/together.h"
#include "base/alloc.h"
#include "base/message.h"
#include "certificate/certificate.h"
#include "model/derivative_check.h"
#include "model/hessian.h"
#include "model/model.h"
#include "model/reduction.h"
#include "model/stationarity.h"
#include "model/twins.h"
#include "solver/solver.h"
#include "step/sampling.h"

/* Arrays a problem may own; what it borrows stays NULL here. */
enum srl_owned {
    SRL_OWNED_A1,
    SRL_OWNED_A2,
    SRL_OWNED_B,
    SRL_OWNED_C1,
    SRL_OWNED_C2,
    SRL_OWNED_W,
    SRL_OWNED_X_REF,
    SRL_OWNED_LOWER,
    SRL_OWNED_UPPER,
    SRL_OWNED_COUNT
};

struct softrelu_problem {
    struct srl_model model; /* its pointers lead to owned or borrowed arrays */
    struct srl_allocator allocator;
    void *owned[SRL_OWNED_COUNT];
    struct srl_arena derived;       /* R, the norms, the twins and the reduction */
    struct srl_reduction reduction; /* basis = NULL: none */
    struct srl_twins twins;
    bool sealed;
    struct srl_ranks ranks; /* model.ranks leads here where there are several */
    struct srl_message message;
};

struct softrelu_evaluator {
    const struct srl_model *model;
    struct srl_allocator allocator;
    struct srl_arena arena;
    struct srl_point point;
    struct srl_stationarity_work stationarity_work;
    struct srl_derivative_check_work check_work;
    double *scratch;     /* 2 n */
    double *output;      /* m */
    bool placed;         /* the point has been moved somewhere */
    bool differentiated; /* its first derivatives are there */

    struct srl_arena hessian_arena; /* reserved by the first Hessian */
    struct srl_hessian_work hessian_work;
    double *hessian;
    struct srl_arena sampler_arena; /* reserved by the first sampled Hessian */
    struct srl_sampler sampler;
    struct srl_message message;
};

/* Vectors that a solver may have of its own, in place of the problem's. */
enum srl_target_vector { SRL_TARGET_B, SRL_TARGET_X_REF, SRL_TARGET_LOWER, SRL_TARGET_UPPER, SRL_TARGET_COUNT };

struct softrelu_solver {
    const softrelu_problem *problem;
    struct srl_model model;           /* the problem's, with the solver's own target where it has one: what core works on */
    double *target[SRL_TARGET_COUNT]; /* room for them */
    struct srl_solver core;
    struct srl_allocator allocator;
    struct srl_arena arena;
    struct srl_arena matrix_arena; /* reserved anew when a setting asks for other memory */
    struct srl_arena starts_arena; /* likewise, for several starts */
    atomic_int running;            /* guards against calls from the solver's own callback */
    struct srl_message message;
};

/* What ranks have to agree on before a problem is sealed: that each has what it needs, with A2 in the same precision. */
softrelu_status srl_settle_outputs(softrelu_problem *problem);
/* Column norms and ends of the rows of A2 of all ranks, from those of this one's. scratch: n. */
void srl_join_columns(const struct srl_model *model, double *scratch, double *norms, double *least, double *largest);
/* Whether the outputs are divided among ranks: batches, constants and counterfactuals are not made of such a problem. */
static inline bool srl_is_divided(const softrelu_problem *problem) { return problem->model.ranks != NULL; }
/* For a handle that is made on all ranks: whether each had the memory for it. */
softrelu_status srl_agree_on_memory(const softrelu_problem *problem, bool had);
/* A problem's model by itself, as a part of the memory of handles made from it. */
static inline struct srl_region srl_region_of_model(const struct srl_model *model) {
    return srl_region_at(model, sizeof *model);
}
/* From the first rank to the others: what a certificate says. */
void srl_spread_certificate(const struct srl_model *model, softrelu_certificate *certificate);

/* A new solver with the same problem and settings. NULL when memory is short. */
softrelu_solver *srl_solver_like(const softrelu_solver *solver);
/* The vector of the solver's target, or SOFTRELU_X0 its start, where that is not the problem's or none; else NULL. */
const double *srl_own_vector(const softrelu_solver *solver, softrelu_array array);
/* All memory of a new solver, with its settings in place; false when it is short. Releases all but the report's. */
bool srl_solver_reserve(softrelu_solver *solver);
void srl_solver_release(softrelu_solver *solver);
/* The settings become those given; what asks for memory gets it before anything changes. */
softrelu_status srl_solver_settle(softrelu_solver *solver, const struct srl_settings *changed);
/* Whether a solve can go on in fewer unknowns: there are such, and no bounds. Bounds that are given or taken away move the
   solver to the unknowns that serve; the outcome of the last solve is forgotten with its memory. On failure nothing has
   changed. */
bool srl_prefers_reduction(const softrelu_solver *solver);
softrelu_status srl_use_unknowns(softrelu_solver *solver, bool reduced);
/* Refuses calls from the solver's own callback. */
softrelu_status srl_check_idle(softrelu_solver *solver);
bool srl_solver_is_running(const softrelu_solver *solver);

/* The shared checks; each writes its message. */
softrelu_status srl_check_open(softrelu_problem *problem); /* not sealed */
softrelu_status srl_check_ownership(softrelu_problem *problem, const char *name, softrelu_ownership ownership);
softrelu_status srl_check_length(struct srl_message *message, const char *name, int64_t length, int64_t expected);
softrelu_status srl_check_finite(struct srl_message *message, const char *name, const double *values, int64_t length);
/* Bounds may be infinite on their own side, everything else is finite; and that in words. */
bool srl_is_allowed(softrelu_array array, double value);
const char *srl_wanted_number(softrelu_array array);
/* The values of a vector of the problem: there, as many as expected, and allowed. */
softrelu_status srl_check_vector(struct srl_message *message, softrelu_array array, const char *name, const double *values,
                                 int64_t length, int64_t expected);
/* No lower bound above its upper one. */
softrelu_status srl_check_bounds(struct srl_message *message, const struct srl_model *model);

#endif
