/* The problem of consumer.c with its outputs divided among processes: compiled as C11 and as C++17 against an installed
 * library. */
#include <math.h>
#include <stdio.h>

#include <softrelu/softrelu_mpi.h>

int main(int count, char **words) {
    const double a1[] = {1.0, 0.0, 0.0, 1.0, 1.0, 1.0}, c1[] = {5.0, 5.0, 5.0}, b[] = {0.2, 0.3, 0.5};
    const double a2[] = {1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0};
    softrelu_communicator *with = NULL;
    softrelu_problem *problem = NULL;
    softrelu_solver *solver = NULL;
    double x[2] = {0.0, 0.0};
    int ok = MPI_Init(&count, &words) == MPI_SUCCESS && softrelu_comm_create_mpi(MPI_COMM_WORLD, &with) == SOFTRELU_OK;
    if (!ok)
        return 2;
    const int first = 3 * with->rank / with->size, rows = 3 * (with->rank + 1) / with->size - first;
    ok = softrelu_problem_create_distributed(3, 2, rows, with, NULL, NULL, NULL, &problem) == SOFTRELU_OK &&
         softrelu_problem_set_matrix(problem, SOFTRELU_A1, a1, SOFTRELU_ROW_MAJOR, 2, SOFTRELU_COPY) == SOFTRELU_OK &&
         softrelu_problem_set_vector(problem, SOFTRELU_C1, c1, 3, SOFTRELU_COPY) == SOFTRELU_OK &&
         (rows == 0 || (softrelu_problem_set_matrix(problem, SOFTRELU_A2, a2 + 3 * first, SOFTRELU_ROW_MAJOR, 3,
                                                    SOFTRELU_COPY) == SOFTRELU_OK &&
                        softrelu_problem_set_vector(problem, SOFTRELU_B, b + first, rows, SOFTRELU_COPY) == SOFTRELU_OK)) &&
         softrelu_problem_finish(problem) == SOFTRELU_OK && softrelu_solver_create(problem, &solver) == SOFTRELU_OK &&
         softrelu_solver_solve(solver) == SOFTRELU_OK && softrelu_solver_solution(solver, x, 2) == SOFTRELU_OK;
    printf("rank %d of %d: x = (%g, %g)\n", with->rank, with->size, x[0], x[1]);
    softrelu_solver_destroy(solver);
    softrelu_problem_destroy(problem);
    softrelu_comm_destroy_mpi(with);
    ok = MPI_Finalize() == MPI_SUCCESS && ok;
    return ok && fabs(x[0] - log(0.5 / 0.3)) < 1e-9 && fabs(x[1] - log(0.5 / 0.2)) < 1e-9 ? 0 : 1;
}
