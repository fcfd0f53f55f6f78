/* Compiled as C11 and as C++17 against an installed library: one ReLU unit per output must reproduce its target. */
#include <math.h>
#include <stdio.h>

#include <softrelu/softrelu.h>

int main(void) {
    const double a1[] = {1.0, 0.0, 0.0, 1.0, 1.0, 1.0}, c1[] = {5.0, 5.0, 5.0}, b[] = {0.2, 0.3, 0.5};
    softrelu_problem *problem = NULL;
    softrelu_solver *solver = NULL;
    double x[2], loss = -1.0;
    char blas[256] = "";
    int ok = softrelu_problem_create(3, 2, 3, NULL, NULL, NULL, &problem) == SOFTRELU_OK &&
             softrelu_problem_set_matrix(problem, SOFTRELU_A1, a1, SOFTRELU_ROW_MAJOR, 2, SOFTRELU_COPY) == SOFTRELU_OK &&
             softrelu_problem_set_vector(problem, SOFTRELU_C1, c1, 3, SOFTRELU_BORROW) == SOFTRELU_OK &&
             softrelu_problem_set_vector(problem, SOFTRELU_B, b, 3, SOFTRELU_COPY) == SOFTRELU_OK &&
             softrelu_problem_finish(problem) == SOFTRELU_OK && softrelu_solver_create(problem, &solver) == SOFTRELU_OK &&
             softrelu_solver_solve(solver) == SOFTRELU_OK && softrelu_solver_solution(solver, x, 2) == SOFTRELU_OK &&
             softrelu_report_number(softrelu_solver_report(solver), SOFTRELU_REPORT_LOSS, &loss) == SOFTRELU_OK &&
             softrelu_report_termination(softrelu_solver_report(solver)) == SOFTRELU_CONVERGED;
    softrelu_blas_description(blas, sizeof blas);
    printf("softrelu %s: x = (%g, %g), loss = %g; %s\n", softrelu_version(), x[0], x[1], loss, blas);
    softrelu_solver_destroy(solver);
    softrelu_problem_destroy(problem);
    /* logits (x0, x1, x0 + x1) + 5 with differences log(0.5/0.3) and log(0.5/0.2) */
    return ok && loss < 1e-20 && fabs(x[0] - log(0.5 / 0.3)) < 1e-9 && fabs(x[1] - log(0.5 / 0.2)) < 1e-9 ? 0 : 1;
}
