#include "work.h"

#include <stddef.h>

#include "certificate/distance.h"
#include "linalg/blas.h"
#include "model/multipliers.h"
#include "solver/solver.h"
#include "step/exact_step.h"

#define PHASE_NAMED(id, name) name,
const char *const PHASE_NAME[PHASES] = {PHASE_LIST(PHASE_NAMED)};
#undef PHASE_NAMED

struct work work;
int64_t work_order = INT64_MAX;
void (*work_begins)(void);
static int depth[PHASES];

void work_reset(void) { work = (struct work){.largest = "none"}; }

bool work_in(enum phase phase) { return depth[phase] > 0; }

enum kind { LIGHT, HEAVY, LAPACK };

static double product(int64_t a, int64_t b, int64_t c) { return (double)a * (double)b * (double)c; }
static int64_t lesser(int64_t a, int64_t b) { return a < b ? a : b; }

static void begin(const char *name, enum kind kind, double flops) {
    work.calls++;
    work.heavy += kind != LIGHT;
    work.factorisations +=
        kind == LAPACK && !work_in(PHASE_MULTIPLIERS) && flops >= product(work_order, work_order, work_order) / 3.0;
    work.flops += flops;
    if (flops > work.largest_flops) {
        work.largest = name;
        work.largest_flops = flops;
    }
    if (work_begins != NULL)
        work_begins();
}

/* The types come from the headers. */
#define DECLARED(function) __typeof__(function) __real_##function, __wrap_##function;
#define COUNTED_VOID(function, parameters, arguments, kind, flops)                                                             \
    DECLARED(function)                                                                                                         \
    void __wrap_##function parameters {                                                                                        \
        begin(#function, kind, flops);                                                                                         \
        __real_##function arguments;                                                                                           \
    }
#define COUNTED(type, function, parameters, arguments, kind, flops)                                                            \
    DECLARED(function)                                                                                                         \
    type __wrap_##function parameters {                                                                                        \
        begin(#function, kind, flops);                                                                                         \
        return __real_##function arguments;                                                                                    \
    }
#define PHASED_VOID(phase, function, parameters, arguments)                                                                    \
    DECLARED(function)                                                                                                         \
    void __wrap_##function parameters {                                                                                        \
        depth[phase]++;                                                                                                        \
        __real_##function arguments;                                                                                           \
        depth[phase]--;                                                                                                        \
    }
#define PHASED(phase, type, function, parameters, arguments)                                                                   \
    DECLARED(function)                                                                                                         \
    type __wrap_##function parameters {                                                                                        \
        depth[phase]++;                                                                                                        \
        const type result = __real_##function arguments;                                                                       \
        depth[phase]--;                                                                                                        \
        return result;                                                                                                         \
    }

/* clang-format off */
COUNTED_VOID(srl_gemv, (enum srl_transpose op, double alpha, const struct srl_matrix *a, const double *x, double beta, double *y), (op, alpha, a, x, beta, y), LIGHT, 2.0 * product(a->rows, a->columns, 1))
COUNTED_VOID(srl_gemm_rows, (const struct srl_matrix *a, int64_t first, int64_t count, int64_t columns, const double *b, double *c), (a, first, count, columns, b, c), HEAVY, 2.0 * product(count, columns, a->columns))
COUNTED_VOID(srl_gemm, (enum srl_transpose op, int64_t rows, int64_t columns, int64_t inner, const double *a, int64_t lda, const double *b, int64_t ldb, double *c, int64_t ldc), (op, rows, columns, inner, a, lda, b, ldb, c, ldc), HEAVY, 2.0 * product(rows, columns, inner))
COUNTED_VOID(srl_gemm_add, (enum srl_transpose op, int64_t rows, int64_t columns, int64_t inner, const double *a, int64_t lda, const double *b, int64_t ldb, double *c, int64_t ldc), (op, rows, columns, inner, a, lda, b, ldb, c, ldc), HEAVY, 2.0 * product(rows, columns, inner))
COUNTED_VOID(srl_syrk, (int64_t order, int64_t rows, double alpha, const double *b, int64_t ldb, double beta, double *s, int64_t lds), (order, rows, alpha, b, ldb, beta, s, lds), HEAVY, 1.0 * product(order, order, rows))
COUNTED_VOID(srl_syrk_of_rows, (int64_t order, int64_t columns, const double *b, int64_t ldb, double *s, int64_t lds), (order, columns, b, ldb, s, lds), HEAVY, 1.0 * product(order, order, columns))
COUNTED_VOID(srl_gemm_single, (enum srl_transpose op, int64_t rows, int64_t columns, int64_t inner, const float *a, int64_t lda, const float *b, int64_t ldb, float *c, int64_t ldc), (op, rows, columns, inner, a, lda, b, ldb, c, ldc), HEAVY, 2.0 * product(rows, columns, inner))
COUNTED_VOID(srl_gemm_add_single, (enum srl_transpose op, int64_t rows, int64_t columns, int64_t inner, const float *a, int64_t lda, const float *b, int64_t ldb, float *c, int64_t ldc), (op, rows, columns, inner, a, lda, b, ldb, c, ldc), HEAVY, 2.0 * product(rows, columns, inner))
COUNTED_VOID(srl_gemv_single, (enum srl_transpose op, int64_t rows, int64_t columns, const float *a, int64_t lda, const float *x, float *y), (op, rows, columns, a, lda, x, y), LIGHT, 2.0 * product(rows, columns, 1))
COUNTED_VOID(srl_syrk_single, (int64_t order, int64_t rows, float alpha, const float *b, int64_t ldb, float beta, float *s, int64_t lds), (order, rows, alpha, b, ldb, beta, s, lds), HEAVY, 1.0 * product(order, order, rows))
COUNTED_VOID(srl_symv, (int64_t order, const double *s, int64_t lds, const double *x, double *y), (order, s, lds, x, y), LIGHT, 2.0 * product(order, order, 1))
COUNTED_VOID(srl_trsm_lower, (enum srl_transpose op, int64_t order, int64_t columns, const double *l, int64_t ldl, double *b, int64_t ldb), (op, order, columns, l, ldl, b, ldb), columns > 1 ? HEAVY : LIGHT, 1.0 * product(order, order, columns))
COUNTED_VOID(srl_trsm_of_rows, (int64_t rows, int64_t order, const double *l, int64_t ldl, double *b, int64_t ldb), (rows, order, l, ldl, b, ldb), HEAVY, 1.0 * product(order, order, rows))
COUNTED_VOID(srl_trmm_lower, (enum srl_transpose op, int64_t order, int64_t columns, const double *l, int64_t ldl, double *b, int64_t ldb), (op, order, columns, l, ldl, b, ldb), columns > 1 ? HEAVY : LIGHT, 1.0 * product(order, order, columns))
COUNTED(int, srl_potrf, (int64_t order, double *s, int64_t lds), (order, s, lds), LAPACK, 1.0 / 3.0 * product(order, order, order))
COUNTED(int, srl_potrs, (int64_t order, int64_t columns, const double *l, int64_t ldl, double *b, int64_t ldb), (order, columns, l, ldl, b, ldb), columns > 1 ? HEAVY : LIGHT, 2.0 * product(order, order, columns))
COUNTED(int, srl_potri, (int64_t order, double *l, int64_t ldl), (order, l, ldl), LAPACK, 2.0 / 3.0 * product(order, order, order))
COUNTED(int, srl_least_squares, (int64_t rows, int64_t columns, double *a, int64_t lda, double *b, int32_t *pivots, double *room), (rows, columns, a, lda, b, pivots, room), LAPACK, 4.0 * product(rows, columns, lesser(rows, columns)))
COUNTED(int, srl_reflectors, (int64_t rows, int64_t columns, double *a, double *scalars, double *room), (rows, columns, a, scalars, room), LAPACK, 2.0 * product(rows, columns, lesser(rows, columns)))
COUNTED(int64_t, srl_pivoted_reflectors, (int64_t rows, int64_t columns, double *a, double tolerance, double *scalars, int32_t *pivots, double *room), (rows, columns, a, tolerance, scalars, pivots, room), LAPACK, 2.0 * product(rows, columns, lesser(rows, columns)))
COUNTED(int, srl_reflect, (enum srl_transpose op, int64_t rows, int64_t columns, int64_t count, const double *reflectors, const double *scalars, double *c, double *room), (op, rows, columns, count, reflectors, scalars, c, room), columns > 1 ? HEAVY : LIGHT, 4.0 * product(rows, columns, count))
COUNTED(int, srl_orthonormal, (int64_t rows, int64_t columns, double *a, double *t, double *room), (rows, columns, a, t, room), LAPACK, 4.0 * product(rows, columns, columns))
COUNTED(int, srl_inverse_triangle, (int64_t rows, int64_t columns, double *a, double *scalars, double *room), (rows, columns, a, scalars, room), LAPACK, 2.0 * product(rows, columns, columns))
COUNTED(int, srl_syev, (bool vectors, int64_t order, double *s, int64_t lds, double *w, double *room), (vectors, order, s, lds, w, room), LAPACK, 9.0 * product(order, order, order))
COUNTED(int, srl_least_eigenpair, (int64_t order, double *s, int64_t lds, double *eigenvalue, double *vector, double *room), (order, s, lds, eigenvalue, vector, room), LAPACK, 4.0 / 3.0 * product(order, order, order))

PHASED(PHASE_WARM_START, bool, srl_warm_start, (struct srl_solver *solver), (solver))
PHASED(PHASE_OPENING, bool, srl_open, (struct srl_solver *solver, struct srl_progress *progress), (solver, progress))
PHASED_VOID(PHASE_ASSEMBLY, srl_hessian_assemble, (const struct srl_model *model, struct srl_hessian_work *hessian_work, const struct srl_point *point, const double *r, double *hessian), (model, hessian_work, point, r, hessian))
PHASED(PHASE_SMALL_ASSEMBLY, int64_t, srl_hessian_rows, (const struct srl_model *model, struct srl_hessian_work *hessian_work, const struct srl_point *point, const double *r, double *rows, signed char *signs), (model, hessian_work, point, r, rows, signs))
PHASED(PHASE_FACTORISATION, int, srl_newton_factor, (struct srl_newton *newton, int64_t d, double least_shift), (newton, d, least_shift))
PHASED_VOID(PHASE_QP, srl_hinge_qp_solve, (struct srl_hinge_qp *qp), (qp))
PHASED_VOID(PHASE_QP, srl_hinge_qp_resume, (struct srl_hinge_qp *qp), (qp))
PHASED(PHASE_MULTIPLIERS, double, srl_find_multipliers, (const struct srl_model *model, struct srl_stationarity_work *room, int64_t count), (model, room, count))
PHASED(PHASE_MULTIPLIERS, bool, srl_find_multipliers_with_bounds, (const struct srl_model *model, struct srl_stationarity_work *room, int64_t count), (model, room, count))
PHASED(PHASE_LINE_SEARCH, enum srl_search, srl_line_search, (const struct srl_model *model, const struct srl_point *point, const double *step, const double *rates, double promise, struct srl_budget *budget, struct srl_line_search *search, struct srl_point *trial, double *scale), (model, point, step, rates, promise, budget, search, trial, scale))
PHASED(PHASE_SAMPLING, bool, srl_sample_hessian, (const struct srl_model *model, struct srl_hessian_work *hessian_work, struct srl_sampler *sampler, const struct srl_point *point, const double *r, const struct srl_sample_plan *plan, double *hessian), (model, hessian_work, sampler, point, r, plan, hessian))
PHASED(PHASE_CONJUGATE_GRADIENTS, double, srl_exact_kink_step, (const struct srl_model *model, const struct srl_point *point, struct srl_newton *newton, struct srl_kink_step *kinks, double kink_tolerance, const struct srl_exact_plan *plan, struct srl_exact_step *exact), (model, point, newton, kinks, kink_tolerance, plan, exact))
PHASED(PHASE_CERTIFICATE, bool, srl_certificate_examine, (struct softrelu_certificate *certificate, const double *x, double kink_tolerance, double tolerance), (certificate, x, kink_tolerance, tolerance))
PHASED(PHASE_DISTANCE, bool, srl_bound_distance, (struct softrelu_certificate *certificate, const double *x, const struct srl_curvature *found, struct srl_distance *distance), (certificate, x, found, distance))
PHASED(PHASE_CONVEXITY, bool, srl_convex_below, (struct srl_convexity_work *convexity, const struct srl_model *model, const double *x), (convexity, model, x))
/* clang-format on */
