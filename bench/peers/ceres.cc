// SPDX-License-Identifier: BSD-3-Clause
// Ceres: Levenberg-Marquardt by normal equations, and L-BFGS.
#include "peer.h"

#include <cstdio>

#include <ceres/ceres.h>

namespace {

class Residuals : public ceres::CostFunction {
  public:
    explicit Residuals(evaluation *at) : at_(at) {
        set_num_residuals(at->m + at->d);
        mutable_parameter_block_sizes()->push_back(at->d);
    }
    bool Evaluate(double const *const *x, double *residuals, double **jacobians) const override {
        evaluate_residuals(at_, x[0], residuals);
        if (jacobians != nullptr && jacobians[0] != nullptr)
            evaluate_jacobian(at_, x[0], jacobians[0]);
        return true;
    }

  private:
    evaluation *at_;
};

class Loss : public ceres::FirstOrderFunction {
  public:
    explicit Loss(evaluation *at) : at_(at) {}
    bool Evaluate(const double *x, double *loss, double *gradient) const override {
        *loss = gradient != nullptr ? evaluate_gradient(at_, x, gradient) : evaluate_value(at_, x);
        return true;
    }
    int NumParameters() const override { return at_->d; }

  private:
    evaluation *at_;
};

void levenberg_marquardt(evaluation *at, double *x, char status[STATUS_ROOM]) {
    ceres::Problem problem;
    problem.AddResidualBlock(new Residuals(at), nullptr, x);
    ceres::Solver::Options settings;
    settings.linear_solver_type = ceres::DENSE_NORMAL_CHOLESKY;
    settings.dense_linear_algebra_library_type = ceres::LAPACK;
    settings.trust_region_strategy_type = ceres::LEVENBERG_MARQUARDT;
    settings.num_threads = 1;
    settings.logging_type = ceres::SILENT;
    settings.function_tolerance = settings.gradient_tolerance = 0.0;
    settings.parameter_tolerance = 1e-16;
    settings.max_num_iterations = 1000000;
    settings.max_num_consecutive_invalid_steps = 50;
    settings.min_lm_diagonal = 1e-12;
    settings.max_trust_region_radius = 1e32;
    settings.min_trust_region_radius = 1e-40;
    ceres::Solver::Summary summary;
    ceres::Solve(settings, &problem, &summary);
    (void)std::snprintf(status, STATUS_ROOM, "%s, %d iterations", ceres::TerminationTypeToString(summary.termination_type),
                        static_cast<int>(summary.iterations.size()));
}

void lbfgs(evaluation *at, double *x, char status[STATUS_ROOM]) {
    ceres::GradientProblem problem(new Loss(at));
    ceres::GradientProblemSolver::Options settings;
    settings.line_search_direction_type = ceres::LBFGS;
    settings.max_lbfgs_rank = 20;
    settings.logging_type = ceres::SILENT;
    settings.function_tolerance = settings.gradient_tolerance = settings.parameter_tolerance = 0.0;
    settings.max_num_iterations = 1000000;
    settings.min_line_search_step_size = 1e-20;
    settings.max_num_line_search_step_size_iterations = 60;
    ceres::GradientProblemSolver::Summary summary;
    ceres::Solve(settings, problem, x, &summary);
    (void)std::snprintf(status, STATUS_ROOM, "%s, %d iterations", ceres::TerminationTypeToString(summary.termination_type),
                        static_cast<int>(summary.iterations.size()));
}

} // namespace

extern "C" const peer ceres_peers[] = {{"ceres_lm", levenberg_marquardt}, {"ceres_lbfgs", lbfgs}, {nullptr, nullptr}};
