/*
 * Every public function, and every allocation that any of them makes refused in turn: SOFTRELU_ERROR_MEMORY with outputs as
 * they were, the call repeated and the rest going on as if nothing had happened; or everything destroyed at once and nothing
 * leaked. The table is compared with tests/abi/symbols.txt, so that no function can be forgotten.
 *
 * Memory that is not the handle's is not refused here: the system's for threads (tests/unit/test_team.c), the BLAS's own.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/counting.h"
#include "support/instance.h"
#include "support/ranks.h"

enum { D = 6, M = 5, N_MAX = 9, TARGETS = 2 };

struct scene {
    const struct instance *instance;
    int64_t n;
    struct counting counting;
    softrelu_problem *problem;
    softrelu_evaluator *evaluator;
    softrelu_solver *solver;
    softrelu_certificate *certificate;
    softrelu_constants *constants;
    softrelu_batch *batch;
    softrelu_problem *plain;   /* without weights */
    softrelu_problem *divided; /* among one rank */
    softrelu_solver *leading;  /* of that */
    softrelu_counterfactual *search;
    float single[M * N_MAX];
    double x[D], vector[N_MAX], matrix[D * D], number[4], batch_x[TARGETS * D];
    int64_t integer[4];
    signed char active[N_MAX], bound[D];
    uint64_t digest; /* of all results */
};

static int go_on(const softrelu_report *report, void *user) { return report == NULL || user != NULL; }
static int never(void *user) { return user != NULL; }
static int go_on_with(int64_t target, const softrelu_report *report, void *user) { return target < 0 || go_on(report, user); }

/* Results go into a digest (FNV-1a), so that two plays are compared bit by bit. */
static softrelu_status digest(struct scene *scene, softrelu_status status, const void *result, size_t bytes) {
    const unsigned char *byte = result;
    for (size_t i = 0; status == SOFTRELU_OK && i < bytes; i++)
        scene->digest = (scene->digest ^ byte[i]) * UINT64_C(1099511628211);
    return status;
}
static softrelu_status text(struct scene *scene, const char *said) {
    assert_non_null(said);
    return digest(scene, SOFTRELU_OK, said, strlen(said));
}
static softrelu_status integer(struct scene *scene, int64_t value) { return digest(scene, SOFTRELU_OK, &value, sizeof value); }
static softrelu_status present(const void *lent) {
    assert_non_null(lent);
    return SOFTRELU_OK;
}
/* place: where the new handle is, looked at after the call. */
static softrelu_status created(softrelu_status status, const void *place) {
    const void *made;
    memcpy((void *)&made, place, sizeof made);
    assert_true((status == SOFTRELU_OK) == (made != NULL));
    return status;
}
/* A call that must be refused, and its message. */
static softrelu_status refused(struct scene *scene, softrelu_status status, const char *message) {
    assert_true(status != SOFTRELU_OK && status != SOFTRELU_ERROR_MEMORY);
    return text(scene, message);
}
#define SPOILT ((void *)(uintptr_t)1)
#define DIGEST(call, result) digest(s, call, result, sizeof(result))

/* In the order they are played, X(function, what it does). Steps with a status of their own return it. */
#define STEPS(X)                                                                                                               \
    X(softrelu_version, text(s, softrelu_version()))                                                                           \
    X(softrelu_abi_version, integer(s, softrelu_abi_version()))                                                                \
    X(softrelu_status_name, text(s, softrelu_status_name(SOFTRELU_ERROR_MEMORY)))                                              \
    X(softrelu_status_text, text(s, softrelu_status_text(SOFTRELU_ERROR_MEMORY)))                                              \
    X(softrelu_termination_name, text(s, softrelu_termination_name(SOFTRELU_CONVERGED)))                                       \
    X(softrelu_termination_text, text(s, softrelu_termination_text(SOFTRELU_CONVERGED)))                                       \
    X(softrelu_verdict_name, text(s, softrelu_verdict_name(SOFTRELU_VERDICT_CERTIFIED)))                                       \
    X(softrelu_verdict_text, text(s, softrelu_verdict_text(SOFTRELU_VERDICT_CERTIFIED)))                                       \
    X(softrelu_reason_name, text(s, softrelu_reason_name(SOFTRELU_REASON_FLAT)))                                               \
    X(softrelu_reason_text, text(s, softrelu_reason_text(SOFTRELU_REASON_FLAT)))                                               \
    X(softrelu_distance_name, text(s, softrelu_distance_name(SOFTRELU_DISTANCE_CELL)))                                         \
    X(softrelu_distance_text, text(s, softrelu_distance_text(SOFTRELU_DISTANCE_CELL)))                                         \
    X(softrelu_blas_description, softrelu_blas_description((char *)s->matrix, sizeof s->matrix))                               \
    X(softrelu_blas_integer_bits, integer(s, softrelu_blas_integer_bits()))                                                    \
    X(softrelu_blas_threads, integer(s, softrelu_blas_threads()))                                                              \
    X(softrelu_blas_set_threads, (softrelu_blas_set_threads(1), SOFTRELU_OK))                                                  \
    X(softrelu_setting_count, integer(s, softrelu_setting_count()))                                                            \
    X(softrelu_setting_describe, softrelu_setting_describe(0, NULL, NULL, NULL, s->number, NULL, NULL, NULL))                  \
    X(softrelu_setting_choice, text(s, softrelu_setting_choice(SOFTRELU_SETTING_STEP, 0, s->integer)))                         \
    X(softrelu_problem_create,                                                                                                 \
      (s->problem = SPOILT,                                                                                                    \
       created(softrelu_problem_create(s->n, D, M, counting_allocate, counting_release, &s->counting, &s->problem),            \
               &s->problem)))                                                                                                  \
    X(softrelu_problem_set_matrix,                                                                                             \
      softrelu_problem_set_matrix(s->problem, SOFTRELU_A1, s->instance->A1, SOFTRELU_ROW_MAJOR, D, SOFTRELU_COPY))             \
    X(softrelu_problem_set_matrix_single,                                                                                      \
      softrelu_problem_set_matrix_single(s->problem, SOFTRELU_A2, s->single, SOFTRELU_COLUMN_MAJOR, M, SOFTRELU_COPY))         \
    X(softrelu_problem_set_vector, softrelu_problem_set_vector(s->problem, SOFTRELU_B, s->instance->b, M, SOFTRELU_COPY))      \
    X(softrelu_problem_set_vector, softrelu_problem_set_vector(s->problem, SOFTRELU_C1, s->instance->c1, s->n, SOFTRELU_COPY)) \
    X(softrelu_problem_set_vector, softrelu_problem_set_vector(s->problem, SOFTRELU_C1, NULL, 0, SOFTRELU_COPY))               \
    X(softrelu_problem_set_vector, softrelu_problem_set_vector(s->problem, SOFTRELU_C1, s->instance->c1, s->n, SOFTRELU_COPY)) \
    X(softrelu_problem_set_vector,                                                                                             \
      softrelu_problem_set_vector(s->problem, SOFTRELU_LOWER, s->instance->x_ref, D, SOFTRELU_COPY))                           \
    X(softrelu_problem_set_vector, softrelu_problem_set_vector(s->problem, SOFTRELU_LOWER, NULL, 0, SOFTRELU_COPY))            \
    X(softrelu_problem_set_number, softrelu_problem_set_number(s->problem, SOFTRELU_UPPER, 0.5))                               \
    X(softrelu_problem_set_vector, softrelu_problem_set_vector(s->problem, SOFTRELU_UPPER, NULL, 0, SOFTRELU_COPY))            \
    X(softrelu_problem_set_number, softrelu_problem_set_number(s->problem, SOFTRELU_W, 0.1))                                   \
    X(softrelu_problem_set_number, softrelu_problem_set_number(s->problem, SOFTRELU_RHO, 0.05))                                \
    X(softrelu_problem_set_vector,                                                                                             \
      softrelu_problem_set_vector(s->problem, SOFTRELU_X_REF, s->instance->x_ref, D, SOFTRELU_COPY))                           \
    X(softrelu_problem_set_loss, softrelu_problem_set_loss(s->problem, SOFTRELU_KL))                                           \
    X(softrelu_problem_message,                                                                                                \
      refused(s, softrelu_problem_set_number(s->problem, SOFTRELU_RHO, NAN), softrelu_problem_message(s->problem)))            \
    X(softrelu_problem_finish, softrelu_problem_finish(s->problem))                                                            \
    X(softrelu_problem_dimensions,                                                                                             \
      DIGEST(softrelu_problem_dimensions(s->problem, &s->integer[0], &s->integer[1], &s->integer[2]), s->integer))             \
    X(softrelu_evaluator_create,                                                                                               \
      (s->evaluator = SPOILT, created(softrelu_evaluator_create(s->problem, &s->evaluator), &s->evaluator)))                   \
    X(softrelu_evaluator_move, softrelu_evaluator_move(s->evaluator, s->x, D))                                                 \
    X(softrelu_evaluator_preactivations, DIGEST(softrelu_evaluator_preactivations(s->evaluator, s->vector, s->n), s->vector))  \
    X(softrelu_evaluator_prediction, DIGEST(softrelu_evaluator_prediction(s->evaluator, s->vector, M), s->vector))             \
    X(softrelu_evaluator_loss, DIGEST(softrelu_evaluator_loss(s->evaluator, s->number, NULL, NULL, NULL), s->number))          \
    X(softrelu_evaluator_gradient, DIGEST(softrelu_evaluator_gradient(s->evaluator, s->vector, D), s->vector))                 \
    X(softrelu_evaluator_hessian_product,                                                                                      \
      DIGEST(softrelu_evaluator_hessian_product(s->evaluator, s->x, s->vector, D), s->vector))                                 \
    X(softrelu_evaluator_hessian, DIGEST(softrelu_evaluator_hessian(s->evaluator, s->matrix, D), s->matrix))                   \
    X(softrelu_evaluator_sampled_hessian,                                                                                      \
      DIGEST(softrelu_evaluator_sampled_hessian(s->evaluator, 0.5, 0, 1, 0, s->matrix, D, s->integer), s->matrix))             \
    X(softrelu_evaluator_stationarity,                                                                                         \
      DIGEST(softrelu_evaluator_stationarity(s->evaluator, 1e-9, s->number, NULL, NULL, NULL), s->number))                     \
    X(softrelu_evaluator_check_derivatives,                                                                                    \
      softrelu_evaluator_check_derivatives(s->evaluator, NULL, 1, 0.0, &(softrelu_derivative_verdict){0}, NULL, NULL, NULL))   \
    X(softrelu_evaluator_message,                                                                                              \
      refused(s, softrelu_evaluator_move(s->evaluator, s->x, D + 1), softrelu_evaluator_message(s->evaluator)))                \
    X(softrelu_certificate_create,                                                                                             \
      (s->certificate = SPOILT, created(softrelu_certificate_create(s->problem, &s->certificate), &s->certificate)))           \
    X(softrelu_certify, softrelu_certify(s->certificate, s->x, D, 1e-9, 1e-12))                                                \
    X(softrelu_certificate_verdict, integer(s, softrelu_certificate_verdict(s->certificate)))                                  \
    X(softrelu_certificate_reason, integer(s, softrelu_certificate_reason(s->certificate)))                                    \
    X(softrelu_certificate_distance, integer(s, softrelu_certificate_distance(s->certificate)))                                \
    X(softrelu_certificate_number,                                                                                             \
      DIGEST(softrelu_certificate_number(s->certificate, SOFTRELU_CERTIFICATE_LOSS, s->number), s->number))                    \
    X(softrelu_certificate_multipliers,                                                                                        \
      DIGEST(softrelu_certificate_multipliers(s->certificate, s->vector, s->n, NULL, 0), s->vector))                           \
    X(softrelu_certificate_active,                                                                                             \
      DIGEST(softrelu_certificate_active(s->certificate, s->active, s->n, s->bound, D), s->active))                            \
    X(softrelu_certificate_direction, DIGEST(softrelu_certificate_direction(s->certificate, s->vector, D), s->vector))         \
    X(softrelu_certificate_message,                                                                                            \
      refused(s, softrelu_certify(s->certificate, s->x, 0, 1e-9, 1e-12), softrelu_certificate_message(s->certificate)))        \
    X(softrelu_certificate_destroy, (softrelu_certificate_destroy(s->certificate), s->certificate = NULL, SOFTRELU_OK))        \
    X(softrelu_constants_create,                                                                                               \
      (s->constants = SPOILT, created(softrelu_constants_create(s->problem, &s->constants), &s->constants)))                   \
    X(softrelu_constants_move, softrelu_constants_move(s->constants, s->x, D))                                                 \
    X(softrelu_constants_number,                                                                                               \
      DIGEST(softrelu_constants_number(s->constants, SOFTRELU_CONSTANT_HESSIAN_LEAST, s->number), s->number))                  \
    X(softrelu_constants_weight, DIGEST(softrelu_constants_weight(s->constants, 0.1, s->number), s->number))                   \
    X(softrelu_constants_message,                                                                                              \
      refused(s, softrelu_constants_weight(s->constants, -1.0, s->number), softrelu_constants_message(s->constants)))          \
    X(softrelu_constants_destroy, (softrelu_constants_destroy(s->constants), s->constants = NULL, SOFTRELU_OK))                \
    X(softrelu_solver_create, (s->solver = SPOILT, created(softrelu_solver_create(s->problem, &s->solver), &s->solver)))       \
    X(softrelu_solver_solve, solve(s))                                                                                         \
    X(softrelu_solver_set_integer, softrelu_solver_set_integer(s->solver, SOFTRELU_SETTING_TRACE_LENGTH, 2000))                \
    X(softrelu_solver_get_integer,                                                                                             \
      DIGEST(softrelu_solver_get_integer(s->solver, SOFTRELU_SETTING_TRACE_LENGTH, s->integer), s->integer))                   \
    X(softrelu_solver_set_real, softrelu_solver_set_real(s->solver, SOFTRELU_SETTING_TOLERANCE, 1e-11))                        \
    X(softrelu_solver_get_real, DIGEST(softrelu_solver_get_real(s->solver, SOFTRELU_SETTING_TOLERANCE, s->number), s->number)) \
    X(softrelu_solver_set_text, softrelu_solver_set_text(s->solver, "trace_length", "30"))                                     \
    X(softrelu_solver_set_text, softrelu_solver_set_text(s->solver, "curvature_precision", "single"))                          \
    X(softrelu_solver_solve, solve(s))                                                                                         \
    X(softrelu_solver_set_text, softrelu_solver_set_text(s->solver, "curvature_precision", "double"))                          \
    X(softrelu_solver_set_text, softrelu_solver_set_text(s->solver, "jacobian_memory", "0"))                                   \
    X(softrelu_solver_set_text, softrelu_solver_set_text(s->solver, "hessian", "sampled"))                                     \
    X(softrelu_solver_set_text, softrelu_solver_set_text(s->solver, "step", "pcg"))                                            \
    X(softrelu_solver_solve, solve(s))                                                                                         \
    X(softrelu_solver_set_text, softrelu_solver_set_text(s->solver, "step", "cholesky"))                                       \
    X(softrelu_solver_set_text, softrelu_solver_set_text(s->solver, "hessian", "gauss-newton"))                                \
    X(softrelu_solver_set_text, softrelu_solver_set_text(s->solver, "newton_matrix", "small"))                                 \
    X(softrelu_solver_set_text, softrelu_solver_set_text(s->solver, "jacobian_memory", "-1"))                                  \
    X(softrelu_solver_set_text, softrelu_solver_set_text(s->solver, "starts", "3"))                                            \
    X(softrelu_solver_set_start, softrelu_solver_set_start(s->solver, s->x, D))                                                \
    X(softrelu_solver_set_callback, softrelu_solver_set_callback(s->solver, go_on, NULL))                                      \
    X(softrelu_solver_set_interrupt, softrelu_solver_set_interrupt(s->solver, never, NULL))                                    \
    X(softrelu_solver_set_vector, softrelu_solver_set_vector(s->solver, SOFTRELU_LOWER, s->instance->lower, D))                \
    X(softrelu_solver_solve, solve(s))                                                                                         \
    X(softrelu_solver_set_vector, softrelu_solver_set_vector(s->solver, SOFTRELU_LOWER, NULL, 0))                              \
    X(softrelu_solver_set_vector, softrelu_solver_set_vector(s->solver, SOFTRELU_B, s->instance->b, M))                        \
    X(softrelu_solver_solve, solve(s))                                                                                         \
    X(softrelu_solver_request_stop, (softrelu_solver_request_stop(s->solver), SOFTRELU_OK))                                    \
    X(softrelu_solver_solution, DIGEST(softrelu_solver_solution(s->solver, s->vector, D), s->vector))                          \
    X(softrelu_solver_report, present(softrelu_solver_report(s->solver)))                                                      \
    X(softrelu_report_termination, integer(s, softrelu_report_termination(softrelu_solver_report(s->solver))))                 \
    X(softrelu_report_number,                                                                                                  \
      DIGEST(softrelu_report_number(softrelu_solver_report(s->solver), SOFTRELU_REPORT_LOSS, s->number), s->number))           \
    X(softrelu_report_origin, softrelu_report_origin(softrelu_solver_report(s->solver), SOFTRELU_ORIGIN_BLAS_KERNEL,           \
                                                     (char *)s->matrix, sizeof s->matrix))                                     \
    X(softrelu_report_trace_length, integer(s, softrelu_report_trace_length(softrelu_solver_report(s->solver))))               \
    X(softrelu_report_trace_number,                                                                                            \
      DIGEST(softrelu_report_trace_number(softrelu_solver_report(s->solver), 0, SOFTRELU_TRACE_LOSS, s->number), s->number))   \
    X(softrelu_solver_certificate, present(softrelu_solver_certificate(s->solver)))                                            \
    X(softrelu_solver_minimiser_count, integer(s, softrelu_solver_minimiser_count(s->solver)))                                 \
    X(softrelu_solver_minimiser, DIGEST(softrelu_solver_minimiser(s->solver, 0, s->vector, D), s->vector))                     \
    X(softrelu_solver_minimiser_certificate, present(softrelu_solver_minimiser_certificate(s->solver, 0)))                     \
    X(softrelu_solver_message,                                                                                                 \
      refused(s, softrelu_solver_set_text(s->solver, "no such setting", "1"), softrelu_solver_message(s->solver)))             \
    X(softrelu_batch_create,                                                                                                   \
      (s->batch = SPOILT,                                                                                                      \
       created(softrelu_batch_create(s->solver, TARGETS, 2, SOFTRELU_BLAS_ONE_THREAD, &s->batch), &s->batch)))                 \
    X(softrelu_batch_set_columns, softrelu_batch_set_columns(s->batch, SOFTRELU_X_REF, s->instance->x_ref, D))                 \
    X(softrelu_batch_set_columns, softrelu_batch_set_columns(s->batch, SOFTRELU_X_REF, NULL, 0))                               \
    X(softrelu_batch_set_callback, softrelu_batch_set_callback(s->batch, go_on_with, NULL))                                    \
    X(softrelu_solve_batch, solve_batch(s))                                                                                    \
    X(softrelu_batch_request_stop, (softrelu_batch_request_stop(s->batch), SOFTRELU_OK))                                       \
    X(softrelu_batch_status, softrelu_batch_status(s->batch, 0))                                                               \
    X(softrelu_batch_target_message, text(s, softrelu_batch_target_message(s->batch, 0)))                                      \
    X(softrelu_batch_report, present(softrelu_batch_report(s->batch, 0)))                                                      \
    X(softrelu_batch_certificate, present(softrelu_batch_certificate(s->batch, 0)))                                            \
    X(softrelu_batch_threads, (softrelu_batch_threads(s->batch), SOFTRELU_OK))                                                 \
    X(softrelu_batch_message,                                                                                                  \
      refused(s, softrelu_batch_set_columns(s->batch, SOFTRELU_A1, s->x, D), softrelu_batch_message(s->batch)))                \
    X(softrelu_batch_destroy, (softrelu_batch_destroy(s->batch), s->batch = NULL, SOFTRELU_OK))                                \
    X(softrelu_problem_create,                                                                                                 \
      (s->plain = SPOILT,                                                                                                      \
       created(softrelu_problem_create(s->n, D, M, counting_allocate, counting_release, &s->counting, &s->plain), &s->plain))) \
    X(softrelu_problem_set_matrix,                                                                                             \
      softrelu_problem_set_matrix(s->plain, SOFTRELU_A1, s->instance->A1, SOFTRELU_ROW_MAJOR, D, SOFTRELU_BORROW))             \
    X(softrelu_problem_set_matrix_single,                                                                                      \
      softrelu_problem_set_matrix_single(s->plain, SOFTRELU_A2, s->single, SOFTRELU_COLUMN_MAJOR, M, SOFTRELU_BORROW))         \
    X(softrelu_problem_set_vector, softrelu_problem_set_vector(s->plain, SOFTRELU_B, s->instance->b, M, SOFTRELU_BORROW))      \
    X(softrelu_problem_finish, softrelu_problem_finish(s->plain))                                                              \
    X(softrelu_search_name, text(s, softrelu_search_name(SOFTRELU_SEARCH_FOUND)))                                              \
    X(softrelu_search_text, text(s, softrelu_search_text(SOFTRELU_SEARCH_FOUND)))                                              \
    X(softrelu_counterfactual_create,                                                                                          \
      (s->search = SPOILT, created(softrelu_counterfactual_create(s->plain, &s->search), &s->search)))                         \
    X(softrelu_counterfactual_solver, present(softrelu_counterfactual_solver(s->search)))                                      \
    X(softrelu_solver_set_number, softrelu_solver_set_number(softrelu_counterfactual_solver(s->search), SOFTRELU_RHO, 2.0))    \
    X(softrelu_counterfactual_search, search(s, NULL, 3))                                                                      \
    X(softrelu_counterfactual_search, search(s, (const signed char[D]){1, 0, 1}, 40))                                          \
    X(softrelu_counterfactual_search, search(s, NULL, 1))                                                                      \
    X(softrelu_counterfactual_request_stop, (softrelu_counterfactual_request_stop(s->search), SOFTRELU_OK))                    \
    X(softrelu_counterfactual_outcome, integer(s, softrelu_counterfactual_outcome(s->search)))                                 \
    X(softrelu_counterfactual_count, integer(s, softrelu_counterfactual_count(s->search)))                                     \
    X(softrelu_counterfactual_point, DIGEST(softrelu_counterfactual_point(s->search, -1, s->vector, D), s->vector))            \
    X(softrelu_counterfactual_number,                                                                                          \
      DIGEST(softrelu_counterfactual_number(s->search, -1, SOFTRELU_ANSWER_CONFIDENCE, s->number), s->number))                 \
    X(softrelu_counterfactual_path_length, integer(s, softrelu_counterfactual_path_length(s->search)))                         \
    X(softrelu_counterfactual_path_number,                                                                                     \
      DIGEST(softrelu_counterfactual_path_number(s->search, 0, SOFTRELU_PATH_CONFIDENCE, s->number), s->number))               \
    X(softrelu_counterfactual_message, refused(s, softrelu_counterfactual_search(s->search, s->x, D, M, 0.5, NULL, 1),         \
                                               softrelu_counterfactual_message(s->search)))                                    \
    X(softrelu_counterfactual_destroy, (softrelu_counterfactual_destroy(s->search), s->search = NULL, SOFTRELU_OK))            \
    X(softrelu_problem_destroy, (softrelu_problem_destroy(s->plain), s->plain = NULL, SOFTRELU_OK))                            \
    X(softrelu_problem_create_distributed,                                                                                     \
      (s->divided = SPOILT, created(softrelu_problem_create_distributed(s->n, D, M, &LONE_RANK, counting_allocate,             \
                                                                        counting_release, &s->counting, &s->divided),          \
                                    &s->divided)))                                                                             \
    X(softrelu_problem_outputs, DIGEST(softrelu_problem_outputs(s->divided, &s->integer[0], &s->integer[1]), s->integer))      \
    X(softrelu_problem_set_matrix,                                                                                             \
      softrelu_problem_set_matrix(s->divided, SOFTRELU_A1, s->instance->A1, SOFTRELU_ROW_MAJOR, D, SOFTRELU_BORROW))           \
    X(softrelu_problem_set_matrix_single,                                                                                      \
      softrelu_problem_set_matrix_single(s->divided, SOFTRELU_A2, s->single, SOFTRELU_COLUMN_MAJOR, M, SOFTRELU_BORROW))       \
    X(softrelu_problem_set_vector, softrelu_problem_set_vector(s->divided, SOFTRELU_B, s->instance->b, M, SOFTRELU_BORROW))    \
    X(softrelu_problem_finish, softrelu_problem_finish(s->divided))                                                            \
    X(softrelu_solver_create, (s->leading = SPOILT, created(softrelu_solver_create(s->divided, &s->leading), &s->leading)))    \
    X(softrelu_solver_solve, softrelu_solver_solve(s->leading))                                                                \
    X(softrelu_solver_solution, DIGEST(softrelu_solver_solution(s->leading, s->vector, D), s->vector))                         \
    X(softrelu_solver_destroy, (softrelu_solver_destroy(s->leading), s->leading = NULL, SOFTRELU_OK))                          \
    X(softrelu_problem_destroy, (softrelu_problem_destroy(s->divided), s->divided = NULL, SOFTRELU_OK))                        \
    X(softrelu_solver_destroy, (softrelu_solver_destroy(s->solver), s->solver = NULL, SOFTRELU_OK))                            \
    X(softrelu_evaluator_destroy, (softrelu_evaluator_destroy(s->evaluator), s->evaluator = NULL, SOFTRELU_OK))                \
    X(softrelu_problem_destroy, (softrelu_problem_destroy(s->problem), s->problem = NULL, SOFTRELU_OK))

/* No memory is asked for while it solves, nor is for the threads of a batch. */
static softrelu_status solve(struct scene *scene) {
    const int64_t calls = scene->counting.calls;
    const softrelu_status status = softrelu_solver_solve(scene->solver);
    assert_int_equal(scene->counting.calls, calls);
    assert_int_equal(softrelu_solver_solution(scene->solver, scene->vector, D), SOFTRELU_OK);
    return digest(scene, status, scene->vector, sizeof scene->vector);
}
static softrelu_status solve_batch(struct scene *scene) {
    const int64_t calls = scene->counting.calls;
    const softrelu_status status = softrelu_solve_batch(scene->batch, TARGETS, scene->batch_x, D);
    assert_int_equal(scene->counting.calls, calls);
    return digest(scene, status, scene->batch_x, sizeof scene->batch_x);
}

static softrelu_status search(struct scene *scene, const signed char *frozen, int64_t starts) {
    softrelu_status status = softrelu_counterfactual_search(scene->search, scene->x, D, 1, 0.9, frozen, starts);
    if (status == SOFTRELU_OK)
        status = softrelu_counterfactual_point(scene->search, -1, scene->vector, D);
    return digest(scene, status, scene->vector, sizeof scene->vector);
}

/* One C function for each step, numbered by the line it would have in a list. */
#define COUNT_STEP(function, ...) +1
enum { STEP_COUNT = 0 STEPS(COUNT_STEP) };
#define NAME_STEP(function, ...) #function,
static const char *const step_names[] = {STEPS(NAME_STEP)};
#define CASE_STEP(function, ...)                                                                                               \
    if (step == k++)                                                                                                           \
        return __VA_ARGS__;
static softrelu_status take_step(struct scene *s, int step) {
    int k = 0;
    STEPS(CASE_STEP)
    return SOFTRELU_ERROR_UNKNOWN;
}

static void destroy(struct scene *scene) {
    softrelu_counterfactual_destroy(scene->search);
    softrelu_problem_destroy(scene->plain);
    softrelu_solver_destroy(scene->leading);
    softrelu_problem_destroy(scene->divided);
    softrelu_batch_destroy(scene->batch);
    softrelu_solver_destroy(scene->solver);
    softrelu_constants_destroy(scene->constants);
    softrelu_certificate_destroy(scene->certificate);
    softrelu_evaluator_destroy(scene->evaluator);
    softrelu_problem_destroy(scene->problem);
    assert_int_equal(scene->counting.live, 0);
}

/* Plays all steps with the allocation refused. What failed is repeated, or everything is destroyed at once. The digest of all
   results; *refused: whether there was such an allocation. allocations (STEP_COUNT): of each step, or NULL. */
static uint64_t play(const struct instance *instance, int64_t fail_at, bool give_up, bool *was_refused, int64_t *allocations) {
    struct scene scene = {.instance = instance, .n = instance->n, .counting = {.fail_at = fail_at}};
    for (int64_t k = 0; k < M * instance->n; k++)
        scene.single[k] = (float)instance->A2[k];
    for (int k = 0; k < D; k++)
        scene.x[k] = 0.3 * (k + 1);
    for (int step = 0; step < STEP_COUNT; step++) {
        const bool refused_before = scene.counting.failed;
        const int64_t calls = scene.counting.calls;
        const uint64_t before = scene.digest;
        softrelu_status status = take_step(&scene, step);
        if (scene.counting.failed && !refused_before) {
            if (status != SOFTRELU_ERROR_MEMORY)
                fail_msg("%s, allocation %d refused: %s", step_names[step], (int)fail_at, softrelu_status_name(status));
            if (give_up)
                break;
            assert_true(scene.digest == before);
            status = take_step(&scene, step);
        }
        if (status != SOFTRELU_OK)
            fail_msg("%s (step %d), allocation %d refused: %s", step_names[step], step, (int)fail_at,
                     softrelu_status_name(status));
        if (allocations != NULL)
            allocations[step] = scene.counting.calls - calls;
    }
    *was_refused = scene.counting.failed;
    destroy(&scene);
    return scene.digest;
}

/* More units than inputs, and fewer: then a solve works in other unknowns, and the first bound needs other memory. */
static struct instance instance_of(int64_t n) {
    struct test_random random = {83};
    const struct instance_scales scales = {.A1 = 1, .A2 = 2, .b = 1, .c1 = 0.5, .x_ref = 1};
    struct instance instance = random_instance(&random, n, D, M, scales, SOFTRELU_KL);
    instance.lower = test_doubles(D);
    for (int k = 0; k < D; k++)
        instance.lower[k] = -1.0;
    return instance;
}

static void every_allocation_fails(void **state) {
    (void)state;
    static const int64_t sizes[] = {N_MAX, 4};
    for (int i = 0; i < 2; i++) {
        struct instance instance = instance_of(sizes[i]);
        bool was_refused = false;
        int64_t allocations[STEP_COUNT], count = 0;
        const uint64_t expected = play(&instance, 0, false, &was_refused, allocations);
        assert_false(was_refused);
        for (int step = 0; step < STEP_COUNT; step++)
            count += allocations[step];
        for (int64_t k = test_count(1, 1 + i); k <= count; k += test_count(1, 4)) {
            const uint64_t digest_of_all = play(&instance, k, false, &was_refused, NULL);
            assert_true(was_refused && digest_of_all == expected);
            (void)play(&instance, k, true, &was_refused, NULL);
        }
        print_message("  n = %d, d = %d: %d allocations in %d steps, %s refused twice\n", (int)sizes[i], D, (int)count,
                      STEP_COUNT, test_count(1, 4) == 1 ? "each" : "every fourth");
        assert_true(count > 40);
        instance_free(&instance);
    }
}

static int compare(const void *left, const void *right) {
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static void no_function_is_forgotten(void **state) {
    (void)state;
    const char *called[STEP_COUNT];
    memcpy(called, step_names, sizeof called);
    qsort(called, STEP_COUNT, sizeof *called, compare);
    FILE *list = fopen(SOFTRELU_SYMBOLS, "r");
    assert_non_null(list);
    char exported[100];
    int next = 0, functions = 0;
    while (fscanf(list, "%99s", exported) == 1) {
        functions++;
        if (next == STEP_COUNT || strcmp(called[next], exported) != 0)
            fail_msg("tests/abi/symbols.txt has %s, the steps go on with %s", exported,
                     next < STEP_COUNT ? called[next] : "nothing");
        while (next < STEP_COUNT && strcmp(called[next], exported) == 0)
            next++;
    }
    (void)fclose(list);
    assert_int_equal(next, STEP_COUNT);
    print_message("  %d public functions, all played\n", functions);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_function_is_forgotten), cmocka_unit_test(every_allocation_fails)};
    return cmocka_run_group_tests_name("every_function", tests, NULL, NULL);
}
