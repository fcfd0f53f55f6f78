/* A problem with its solver, solved and checked: what must hold of every solve that ran to some end. */
#ifndef SOFTRELU_TESTS_SOLVING_H
#define SOFTRELU_TESTS_SOLVING_H

#include "support/instance.h"

struct solving {
    const struct instance *instance;
    int64_t d;
    struct built built;
    softrelu_solver *solver;
    softrelu_evaluator *evaluator;
};

struct outcome {
    softrelu_termination termination;
    double loss, relative, iterations, evaluations;
};

struct solving solving_of(const struct instance *instance);
void solving_free(struct solving *solving);
double loss_at(struct solving *solving, const double *x);
double report_number(const softrelu_solver *solver, softrelu_quantity quantity);
double trace_number(const softrelu_solver *solver, int64_t record, softrelu_quantity quantity);

/* The certificate of a point by an examiner of its own, judged with the standard tolerances. */
struct judgement {
    softrelu_verdict verdict;
    softrelu_reason reason;
    double loss, residual, relative, pinned, concave, bounds, margin, free, curvature, round_off, slope;
};
struct judgement judge(const softrelu_problem *problem, const double *x, int64_t d, double *direction);

/*
 * Solves, and checks against an evaluator of its own: loss and parts of the report are those of the returned point; CONVERGED
 * means a relative residual within the tolerance and no ridge; the trace has increasing iterations, losses that never rise and
 * evaluations that only grow; the returned loss is not above any in the trace; and the counts of the report match the trace.
 * Losses are compared up to reference_loss_noise() at the returned point: near a minimiser F cannot tell points apart any
 * better.
 */
struct outcome solve_and_check(struct solving *solving);

#endif
