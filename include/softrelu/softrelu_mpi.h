/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file softrelu_mpi.h
 * @brief Communicators of MPI for problems whose outputs are divided among processes: the library softrelu_mpi.
 *
 *     MPI_Init(&argc, &argv);
 *     softrelu_communicator *with;
 *     softrelu_comm_create_mpi(MPI_COMM_WORLD, &with);
 *     softrelu_problem_create_distributed(n, d, my_rows, with, NULL, NULL, NULL, &problem);
 *     ...                                     as with one process; softrelu_problem_create_distributed() says what differs
 *     softrelu_problem_destroy(problem);
 *     softrelu_comm_destroy_mpi(with);
 *     MPI_Finalize();
 *
 * Link it with the MPI implementation that it was built with: MPI has no ABI of its own. In C++, where mpi.h brings the
 * bindings that MPI has withdrawn and they are not linked, OMPI_SKIP_MPICXX (Open MPI) or MPICH_SKIP_MPICXX (MPICH) leaves them
 * out.
 */
#ifndef SOFTRELU_SOFTRELU_MPI_H
#define SOFTRELU_SOFTRELU_MPI_H

#include <mpi.h>

#include <softrelu/softrelu.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Makes a communicator of the processes of comm; all of them call it together. It works with a duplicate of comm, so that no
 * message of the caller's is mixed up with one of the library's, and whose errors are returned, not fatal.
 * @param[out] communicator to be given to softrelu_problem_create_distributed(), for any number of problems, one call at a
 * time; to be destroyed with softrelu_comm_destroy_mpi() behind them. NULL on failure.
 * @return SOFTRELU_ERROR_NULL, SOFTRELU_ERROR_STATE (MPI is not initialised, or finalised), SOFTRELU_ERROR_VALUE
 *         (MPI_COMM_NULL, or an intercommunicator), SOFTRELU_ERROR_MEMORY or SOFTRELU_ERROR_COMMUNICATION.
 */
SOFTRELU_API softrelu_status softrelu_comm_create_mpi(MPI_Comm comm, softrelu_communicator **communicator);

/** Frees it, and the duplicate: all processes call it together, before MPI_Finalize(). NULL is allowed. */
SOFTRELU_API void softrelu_comm_destroy_mpi(softrelu_communicator *communicator);

#ifdef __cplusplus
}
#endif

#endif
