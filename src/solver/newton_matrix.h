/*
 * Which matrix the Newton step is taken with (setting hessian), where it comes from, and what is done when a step with it
 * fails.
 *
 *     exact, gauss-newton    assembled; with step = pcg kept, and used as a preconditioner at later points for as long as the
 *                            conjugate gradients get on with it
 *     sampled                a fresh sample at every point. When its step fails the sample is made larger, twice at most, then
 *                            the exact matrix is assembled
 */
#ifndef SRL_SOLVER_NEWTON_MATRIX_H
#define SRL_SOLVER_NEWTON_MATRIX_H

#include "base/alloc.h"
#include "model/hessian.h"
#include "model/light.h"
#include "solver/settings.h"
#include "step/exact_step.h"
#include "step/sampling.h"

struct srl_solver;

enum srl_newton_matrix_source { SRL_MATRIX_ASSEMBLED, SRL_MATRIX_KEPT, SRL_MATRIX_SAMPLED };

/* The factor of the regulariser's matrix R, of step/small_matrix.h. R belongs to the problem and never changes: it is factored
   when it is first needed, and kept for all solves. */
struct srl_root {
    double *factor, rho; /* L (d x d); NULL where none is needed */
    bool sought, found;
    double *work;     /* 3 d */
    int32_t *indices; /* d */
};

/* Memory that depends on settings. */
struct srl_newton_matrix_work {
    void *jacobian;              /* G, where it is kept */
    struct srl_light light;      /* for the opening, where there is memory left */
    double *weights;             /* r of Gauss-Newton (m) */
    double *kept;                /* the matrix last assembled, lower triangle (d x d) */
    struct srl_root root;        /* newton_matrix = auto, small */
    struct srl_sampler sampler;  /* hessian = sampled */
    struct srl_exact_step exact; /* step = pcg */
};

void srl_newton_matrix_work_carve(struct srl_arena *arena, struct srl_newton_matrix_work *work, const struct srl_model *model,
                                  const struct srl_settings *settings);

struct srl_newton_matrix {
    struct srl_newton_matrix_work work;
    enum srl_newton_matrix_source source; /* of the present matrix */
    bool has_kept;                        /* work.kept is good enough to start from */
    int64_t draws;                        /* samples so far */
    int64_t enlarged;                     /* times at this point */
    double enlargement;                   /* of the sample, for the rest of the solve */
};

/* Forgets everything of an earlier solve. */
void srl_reset_newton_matrix(struct srl_solver *solver);
/* The matrix at a differentiated point into newton->hessian, with the curvature weights r. fit: of a least-squares problem,
   which need not be met exactly. */
void srl_find_newton_matrix(struct srl_solver *solver, const struct srl_point *point, const double *r, bool fit);
/* The matrices so far were those of fits: nothing of them serves for F. */
void srl_forget_fits(struct srl_solver *solver);
/* A better matrix at that point, after a step that failed. False when there is none. */
bool srl_improve_newton_matrix(struct srl_solver *solver, const struct srl_point *point, const double *r);
/* Those of Gauss-Newton at a differentiated point, which are never negative: point->r, or in room (m). */
const double *srl_gauss_newton_weights(const struct srl_model *model, const struct srl_point *point, double *room);
/* The curvature weights that the setting hessian means at a differentiated point: point->r, or those of Gauss-Newton. */
const double *srl_curvature_weights(struct srl_solver *solver, const struct srl_point *point);
struct srl_exact_plan srl_exact_plan_of(const struct srl_solver *solver, const double *r);
/* The matrix has served as a preconditioner for a step that cost so many products: whether it will do again. */
void srl_judge_preconditioner(struct srl_solver *solver, int64_t products);
/* Whether newton->step, with kinks->rates, is much too long because a sample has missed curvature along it: one product with A2
   tells. */
bool srl_sample_misleads(struct srl_solver *solver, const double *r);

#endif
