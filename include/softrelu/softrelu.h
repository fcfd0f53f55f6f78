/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file softrelu.h
 * @brief The whole stable C interface of libsoftrelu: what is not here is not API.
 *
 * The library solves the softmax ReLU regression
 *
 *     min over x in R^d of  F(x) = loss(f(x), b) + 1/2 |diag(w) A1 x|^2 + rho/2 |x - x_ref|^2
 *
 *     u = A1 x + c1        pre-activations (n)      h = max(u, 0)     hidden layer (n)
 *     z = A2 h + c2        logits (m)               f = softmax(z)    output distribution (m)
 *
 * of Deng, Song and Xie, "Convergence of Two-Layer Regression with Nonlinear Units" (arXiv 2308.08358, 2023), with
 * the loss either 1/2 |f - b|^2 ("squares") or -sum_j b_j log f_j ("kl"). It answers: which input makes this two-layer
 * network produce this output distribution?
 *
 * **Handles.** A `softrelu_problem` holds the data; it is described by setters, then sealed by softrelu_problem_finish().
 * A sealed problem never changes and may be shared by any number of threads. A `softrelu_evaluator` computes values and
 * derivatives at a point; a `softrelu_solver` minimises. Each evaluator and each solver belongs to one thread at a time,
 * and must be destroyed before the problem it was created from.
 * The child of a fork() may go on with its copies of handles, if no other thread was in the library when it was made.
 *
 * **Errors.** Every function that can fail returns a `softrelu_status`; a negative one leaves outputs untouched, except
 * that a failed create sets its handle to NULL. The handle keeps a message naming the argument, the index and the value.
 * How a solve ended (`softrelu_termination`) is a separate answer, and not an error.
 *
 * **Conventions.** Sizes are int64_t, numbers are double (matrices may be float), vectors are contiguous, matrices carry their
 * layout and leading dimension. The library never prints, exits, aborts, installs signal handlers, touches the BLAS thread
 * count on its own, or keeps mutable global state.
 */
#ifndef SOFTRELU_SOFTRELU_H
#define SOFTRELU_SOFTRELU_H

#include <stddef.h>
#include <stdint.h>

/** Version of this header. The build reads the release number from here: it is written nowhere else. */
#define SOFTRELU_VERSION_MAJOR 0
/** Minor version: while the major one is 0, each may change the interface. */
#define SOFTRELU_VERSION_MINOR 1
/** Patch version: never changes the interface. */
#define SOFTRELU_VERSION_PATCH 0
/** ABI number: the SOVERSION of the shared library, changed only when a program would have to be rebuilt. */
#define SOFTRELU_ABI_VERSION 0

/** Marks the exported functions. Define SOFTRELU_STATIC_DEFINE when linking the static library. */
#ifndef SOFTRELU_API
#if defined(SOFTRELU_STATIC_DEFINE) || !defined(__GNUC__)
#define SOFTRELU_API
#else
#define SOFTRELU_API __attribute__((visibility("default")))
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------------------------------------------------------
 * Status and termination
 * ---------------------------------------------------------------------------------------------------------------- */

/** Was the call all right? X(enumerator, number, text). Numbers are pinned for ever; gaps leave room. */
#define SOFTRELU_STATUS_LIST(X)                                                                                                \
    X(SOFTRELU_OK, 0, "ok")                                                                                                    \
    X(SOFTRELU_ERROR_NULL, -10, "a required pointer is NULL")                                                                  \
    X(SOFTRELU_ERROR_SIZE, -20, "a size, length, leading dimension or shape is out of range")                                  \
    X(SOFTRELU_ERROR_NOT_FINITE, -30, "the input holds NaN or infinity")                                                       \
    X(SOFTRELU_ERROR_VALUE, -40, "a value is out of range")                                                                    \
    X(SOFTRELU_ERROR_UNKNOWN, -50, "no setting, array, quantity or choice of that id or name")                                 \
    X(SOFTRELU_ERROR_MISSING, -60, "required data has not been given")                                                         \
    X(SOFTRELU_ERROR_STATE, -70, "the handle is not in a state that allows this call")                                         \
    X(SOFTRELU_ERROR_MEMORY, -80, "out of memory")                                                                             \
    X(SOFTRELU_ERROR_OVERFLOW, -90, "a result is too large for double precision")                                              \
    X(SOFTRELU_ERROR_LAPACK, -100, "LAPACK reported an invalid argument")                                                      \
    X(SOFTRELU_ERROR_COMMUNICATION, -110, "a communicator failed")

/** Why did the solver stop? X(enumerator, number, name, text). Numbers and names are pinned for ever. */
#define SOFTRELU_TERMINATION_LIST(X)                                                                                           \
    X(SOFTRELU_NOT_RUN, 0, "not-run", "no solve has been run")                                                                 \
    X(SOFTRELU_CONVERGED, 10, "converged", "the stationarity residual meets the tolerance")                                    \
    X(SOFTRELU_ITERATION_LIMIT, 20, "iteration-limit", "the iteration limit was reached")                                      \
    X(SOFTRELU_EVALUATION_LIMIT, 30, "evaluation-limit", "the evaluation limit was reached")                                   \
    X(SOFTRELU_TIME_LIMIT, 40, "time-limit", "the time limit was reached")                                                     \
    X(SOFTRELU_CALLBACK_STOP, 50, "callback-stop", "the iteration callback asked to stop")                                     \
    X(SOFTRELU_STOP_REQUESTED, 60, "stop-requested", "softrelu_solver_request_stop() was called")                              \
    X(SOFTRELU_NO_PROGRESS, 70, "no-progress", "no step decreases the loss any further in floating point")                     \
    X(SOFTRELU_NUMERICAL_FAILURE, 80, "numerical-failure", "the Newton matrix could not be factored")

#define SOFTRELU_ENUMERATE_STATUS(name, number, text) name = (number),
#define SOFTRELU_ENUMERATE_TERMINATION(name, number, word, text) name = (number),
/** Was the call all right? 0 is yes, errors are negative. */
typedef enum softrelu_status {
    SOFTRELU_STATUS_LIST(SOFTRELU_ENUMERATE_STATUS) SOFTRELU_STATUS_MIN_ = -0x7fffffff
} softrelu_status;
/** Why did the solver stop? */
typedef enum softrelu_termination {
    SOFTRELU_TERMINATION_LIST(SOFTRELU_ENUMERATE_TERMINATION) SOFTRELU_TERMINATION_MAX_ = 0x7fffffff
} softrelu_termination;
#undef SOFTRELU_ENUMERATE_STATUS
#undef SOFTRELU_ENUMERATE_TERMINATION

/** The enumerator's name, such as "SOFTRELU_ERROR_SIZE"; "unknown status" for a number that is none. Never NULL. */
SOFTRELU_API const char *softrelu_status_name(softrelu_status status);
/** One sentence on what the status means. Never NULL. */
SOFTRELU_API const char *softrelu_status_text(softrelu_status status);
/** A short word fit for files, such as "iteration-limit". Never NULL. */
SOFTRELU_API const char *softrelu_termination_name(softrelu_termination termination);
/** One sentence on what the termination means. Never NULL. */
SOFTRELU_API const char *softrelu_termination_text(softrelu_termination termination);

/* ------------------------------------------------------------------------------------------------------------------
 * Library
 * ---------------------------------------------------------------------------------------------------------------- */

/** Version of the library that is running, such as "0.1.0" (a static string). */
SOFTRELU_API const char *softrelu_version(void);
/** ABI number of the library that is running. */
SOFTRELU_API int softrelu_abi_version(void);
/** Writes what the running BLAS says of itself, such as "OpenBLAS 0.3.21 ... Zen", into text (always terminated).
    "unknown" where the BLAS cannot be asked. One call at a time: OpenBLAS puts the text together in memory of its own.
    @return SOFTRELU_ERROR_NULL, or SOFTRELU_ERROR_SIZE when size < 1. */
SOFTRELU_API softrelu_status softrelu_blas_description(char *text, size_t size);
/** Bits of the integers the running BLAS takes, 32 or 64, found by asking it. The library needs 32. */
SOFTRELU_API int softrelu_blas_integer_bits(void);
/** Threads the running BLAS uses, 0 when it cannot be asked. */
SOFTRELU_API int softrelu_blas_threads(void);
/** Sets the BLAS thread count **for the whole process**: every user of the same BLAS is affected. Not thread-safe.
    @return SOFTRELU_ERROR_VALUE when threads < 1, SOFTRELU_ERROR_STATE when this BLAS offers no such call. */
SOFTRELU_API softrelu_status softrelu_blas_set_threads(int threads);

/* ------------------------------------------------------------------------------------------------------------------
 * Problem: the data
 * ---------------------------------------------------------------------------------------------------------------- */

/** The data: described by setters, then sealed. */
typedef struct softrelu_problem softrelu_problem;
/** Values and derivatives at a point. */
typedef struct softrelu_evaluator softrelu_evaluator;
/** Minimises F. */
typedef struct softrelu_solver softrelu_solver;
/** What a solve did: belongs to its solver or batch. */
typedef struct softrelu_report softrelu_report;
/** What a point is. */
typedef struct softrelu_certificate softrelu_certificate;
/** Many targets that share A1 and A2. */
typedef struct softrelu_batch softrelu_batch;

/** The arrays and numbers that make a problem. Pinned numbers. */
typedef enum softrelu_array {
    SOFTRELU_A1 = 10,     /**< n x d, hidden layer. Required. */
    SOFTRELU_A2 = 20,     /**< m x n, output layer. Absent: the identity (then m = n). */
    SOFTRELU_B = 30,      /**< m, target; usually a distribution, any finite vector is allowed. Required. */
    SOFTRELU_C1 = 40,     /**< n, hidden bias. Absent: 0. */
    SOFTRELU_C2 = 50,     /**< m, output bias. Absent: 0. */
    SOFTRELU_W = 60,      /**< n regularisation weights (softrelu_problem_set_vector), or one number for all rows
                               (softrelu_problem_set_number). Absent: 0. The sign does not matter: w enters squared. */
    SOFTRELU_RHO = 70,    /**< number >= 0, weight of the proximity term. Absent: 0. */
    SOFTRELU_X_REF = 80,  /**< d, centre of the proximity term. Absent: 0. */
    SOFTRELU_LOWER = 90,  /**< d lower bounds of x (softrelu_problem_set_vector), or one for all entries
                               (softrelu_problem_set_number). Each may be -infinity. Absent: no lower bounds. */
    SOFTRELU_UPPER = 100, /**< d upper bounds of x, or one for all. Each may be +infinity, or equal to the lower bound: then
                               the entry is fixed. Absent: no upper bounds. */
    SOFTRELU_X0 = 110,    /**< d, starting point: of softrelu_batch_set_columns() only */
    SOFTRELU_ARRAY_MAX_ = 0x7fffffff
} softrelu_array;

/** Which output loss. Pinned numbers. */
typedef enum softrelu_loss {
    SOFTRELU_SQUARES = 0, /**< 1/2 |f - b|^2, the default */
    SOFTRELU_KL = 10,     /**< -sum_j b_j log f_j (cross-entropy) */
    SOFTRELU_LOSS_MAX_ = 0x7fffffff
} softrelu_loss;

/** How a matrix lies in memory. Pinned numbers. */
typedef enum softrelu_layout {
    SOFTRELU_ROW_MAJOR = 101,    /**< rows contiguous; leading dimension >= columns (C, NumPy) */
    SOFTRELU_COLUMN_MAJOR = 102, /**< columns contiguous; leading dimension >= rows (Fortran, MATLAB) */
    SOFTRELU_LAYOUT_MAX_ = 0x7fffffff
} softrelu_layout;

/** Who keeps an array alive. Pinned numbers. */
typedef enum softrelu_ownership {
    SOFTRELU_COPY = 0,    /**< the library makes its own copy before the call returns */
    SOFTRELU_BORROW = 10, /**< the library reads the caller's memory; it must stay unchanged until the problem is destroyed */
    /** For A2, row-major. Borrowed, and mapped from a file (mmap()), shared or read-only: the library reads it a block of rows
       at a time and lets go of the pages behind it, so that resident memory does not grow with A2, which may be larger than
        memory. Nothing of its size is kept, either, unless the setting jacobian_memory asks for it. A file that is cut short,
       or cannot be read, while it is in use, ends the process with SIGBUS. */
    SOFTRELU_MAP = 20,
    SOFTRELU_OWNERSHIP_MAX_ = 0x7fffffff
} softrelu_ownership;

/** Allocator of a handle family: return at least `bytes` bytes aligned for any type, or NULL. */
typedef void *(*softrelu_allocate)(size_t bytes, void *context);
/** Releases what the matching softrelu_allocate returned; never called with NULL. */
typedef void (*softrelu_release)(void *block, void *context);

/**
 * Creates an empty problem with n hidden units, d unknowns and m outputs.
 * @param allocate gives memory to this problem and every evaluator and solver made from it, and may be called from their
 *        threads; NULL, together with release, for malloc and free.
 * @param release takes it back.
 * @param context passed on to both.
 * @param[out] problem the handle, to be destroyed with softrelu_problem_destroy(); NULL on failure.
 * @return SOFTRELU_ERROR_NULL, SOFTRELU_ERROR_SIZE (a size < 1 or beyond what the BLAS can index), SOFTRELU_ERROR_VALUE
 *         (one of allocate and release without the other) or SOFTRELU_ERROR_MEMORY.
 */
SOFTRELU_API softrelu_status softrelu_problem_create(int64_t n, int64_t d, int64_t m, softrelu_allocate allocate,
                                                     softrelu_release release, void *context, softrelu_problem **problem);
/**
 * How the ranks of a problem whose outputs are divided among them (softrelu_problem_create_distributed()) talk to one another:
 * processes, or threads. libsoftrelu_mpi makes one of an MPI communicator; any other means will do. The functions are called by
 * all ranks in the same order, and return when what they give is there; they return 0, or anything else when they failed, and
 * are not called again then.
 */
typedef struct softrelu_communicator {
    size_t size_of_struct; /**< sizeof(softrelu_communicator): fields may be added behind the last one */
    int rank;              /**< of this process, from 0: that is the one which leads */
    int size;              /**< how many there are, at least 1 */
    void *context;         /**< passed on to the functions */
    /** values[i] = the sum over all ranks, in place, for i < count. */
    int (*sum)(void *context, double *values, int64_t count);
    /** values[i] = the largest over all ranks, in place, for i < count. None is NaN. */
    int (*largest)(void *context, double *values, int64_t count);
    /** The bytes of the rank root, count of them, on all. */
    int (*broadcast)(void *context, void *bytes, int64_t count, int root);
} softrelu_communicator;

/**
 * As softrelu_problem_create(), for a problem whose outputs are divided among ranks: each has a block of rows of A2, with the
 * entries of b and c2 that belong to them, in the order of the ranks, and A1, c1 and all the rest as a whole. What a function
 * of this problem or of an evaluator, certificate or solver made from it says of m is about this rank's rows, and so are arrays
 * of m entries; everything else is about the whole problem, and the same on all ranks.
 *
 * **All ranks make the same calls** of creation, softrelu_problem_finish(), evaluation, softrelu_certify() and
 * softrelu_solver_solve(), in the same order and one at a time for all handles of one communicator; with the same settings,
 * bounds, starts and other arguments, of which those of rank 0 count where they differ. An error of one is an error of all,
 * with its message. The engine runs on rank 0, which tells the others what to do with their rows: so ranks cannot disagree.
 * Only its callback is called and only its time limit looked at; a request to stop and a function of
 * softrelu_solver_set_interrupt() are heard on every rank. Counterfactuals, batches and constants are not made of such a
 * problem (SOFTRELU_ERROR_STATE).
 * @param m rows of this rank, 0 to what the BLAS can index; A2 has to be given where there are any.
 * @param communicator is copied; its context must outlive the problem.
 * @return also SOFTRELU_ERROR_VALUE (a rank or size that is none, or a smaller struct), SOFTRELU_ERROR_SIZE (n or d differ, or
 *         no rank has a row) and SOFTRELU_ERROR_COMMUNICATION. After that last one, from this function or any other, the
 *         problem's handles can only be destroyed.
 */
SOFTRELU_API softrelu_status softrelu_problem_create_distributed(int64_t n, int64_t d, int64_t m,
                                                                 const softrelu_communicator *communicator,
                                                                 softrelu_allocate allocate, softrelu_release release,
                                                                 void *context, softrelu_problem **problem);
/** How many outputs all ranks have together, and the number of this rank's first one; each may be NULL. For an ordinary problem
   m and 0. @return SOFTRELU_ERROR_NULL. */
SOFTRELU_API softrelu_status softrelu_problem_outputs(const softrelu_problem *problem, int64_t *outputs, int64_t *first);

/** Frees the problem. NULL is allowed. Evaluators and solvers made from it must be gone. */
SOFTRELU_API void softrelu_problem_destroy(softrelu_problem *problem);

/**
 * Gives SOFTRELU_A1 (n x d) or SOFTRELU_A2 (m x n). A later call replaces an earlier one.
 * @return SOFTRELU_ERROR_UNKNOWN (not a matrix), SOFTRELU_ERROR_NOT_FINITE (the message has row, column and value),
 *         SOFTRELU_ERROR_SIZE (leading dimension), SOFTRELU_ERROR_VALUE (layout, ownership; SOFTRELU_MAP for what is not
 * mapped), SOFTRELU_ERROR_STATE (sealed), SOFTRELU_ERROR_NULL or SOFTRELU_ERROR_MEMORY; then the problem is as before the call.
 */
SOFTRELU_API softrelu_status softrelu_problem_set_matrix(softrelu_problem *problem, softrelu_array array, const double *values,
                                                         softrelu_layout layout, int64_t leading_dimension,
                                                         softrelu_ownership ownership);
/**
 * The same with entries in single precision, which are kept as they are: half the memory, and half the time of products that
 * are bound by it. Each of the two matrices may be in either precision. All arithmetic is in double, so that results are those
 * of the same numbers given as doubles, but for the order in which sums are added up.
 */
SOFTRELU_API softrelu_status softrelu_problem_set_matrix_single(softrelu_problem *problem, softrelu_array array,
                                                                const float *values, softrelu_layout layout,
                                                                int64_t leading_dimension, softrelu_ownership ownership);
/**
 * Gives one of SOFTRELU_B, SOFTRELU_C1, SOFTRELU_C2, SOFTRELU_W, SOFTRELU_X_REF, SOFTRELU_LOWER, SOFTRELU_UPPER. A later call
 * replaces an earlier one; values = NULL with length = 0 makes an optional vector absent again.
 * @param length the number of entries at values: must equal the array's size.
 * @return as softrelu_problem_set_matrix(); SOFTRELU_ERROR_SIZE for a wrong length.
 */
SOFTRELU_API softrelu_status softrelu_problem_set_vector(softrelu_problem *problem, softrelu_array array, const double *values,
                                                         int64_t length, softrelu_ownership ownership);
/** Gives SOFTRELU_RHO (>= 0), SOFTRELU_W as one weight for every hidden row, or SOFTRELU_LOWER or SOFTRELU_UPPER as one bound
    for every entry of x. */
SOFTRELU_API softrelu_status softrelu_problem_set_number(softrelu_problem *problem, softrelu_array array, double value);
/** Chooses the output loss; SOFTRELU_SQUARES without this call. */
SOFTRELU_API softrelu_status softrelu_problem_set_loss(softrelu_problem *problem, softrelu_loss loss);

/**
 * Seals the problem: checks that it is complete and assembles the constant curvature R = A1' diag(w^2) A1 + rho I
 * (n d^2 flops and d^2 doubles when w is not zero). From here on the problem is immutable and may be shared by threads.
 * @return SOFTRELU_ERROR_MISSING (A1 or b not given), SOFTRELU_ERROR_SIZE (no A2 although m != n), SOFTRELU_ERROR_VALUE (a
 *         lower bound above its upper bound: the message has the index and both), SOFTRELU_ERROR_OVERFLOW (R is not finite),
 * SOFTRELU_ERROR_STATE (sealed before) or SOFTRELU_ERROR_MEMORY.
 */
SOFTRELU_API softrelu_status softrelu_problem_finish(softrelu_problem *problem);

/** Sizes of the problem; any output may be NULL. */
SOFTRELU_API softrelu_status softrelu_problem_dimensions(const softrelu_problem *problem, int64_t *n, int64_t *d, int64_t *m);
/** What went wrong in the last failing call on this problem: argument, index, value. "" when nothing did. Never NULL.
    The text lives until the next call on the problem. */
SOFTRELU_API const char *softrelu_problem_message(const softrelu_problem *problem);

/* ------------------------------------------------------------------------------------------------------------------
 * Evaluator: values and derivatives at a point
 * ---------------------------------------------------------------------------------------------------------------- */

/**
 * Creates an evaluator for a sealed problem and reserves all its memory, O(n + m + d) doubles plus the Jacobian's and the
 * Hessian's work (of the order of m d + n (m + d) doubles, only when softrelu_evaluator_hessian() is first called).
 * @param[out] evaluator NULL on failure. @return SOFTRELU_ERROR_NULL, SOFTRELU_ERROR_STATE (not sealed) or
 * SOFTRELU_ERROR_MEMORY.
 */
SOFTRELU_API softrelu_status softrelu_evaluator_create(const softrelu_problem *problem, softrelu_evaluator **evaluator);
/** Frees the evaluator. NULL is allowed. */
SOFTRELU_API void softrelu_evaluator_destroy(softrelu_evaluator *evaluator);

/**
 * Moves the evaluator to x and evaluates the network there (one product each with A1 and A2). Everything below is then
 * about this point. Calling any of them before the first softrelu_evaluator_move() is SOFTRELU_ERROR_STATE.
 * @param x d numbers, copied. @param length must be d.
 * @return SOFTRELU_ERROR_NOT_FINITE (x), SOFTRELU_ERROR_OVERFLOW (pre-activations, logits or loss beyond double precision;
 *         the evaluator then is at no point), SOFTRELU_ERROR_SIZE or SOFTRELU_ERROR_NULL.
 */
SOFTRELU_API softrelu_status softrelu_evaluator_move(softrelu_evaluator *evaluator, const double *x, int64_t length);

/** Pre-activations u = A1 x + c1 into u (n entries). */
SOFTRELU_API softrelu_status softrelu_evaluator_preactivations(softrelu_evaluator *evaluator, double *u, int64_t length);
/** Output distribution f = softmax(A2 max(u, 0) + c2) into f (m entries). */
SOFTRELU_API softrelu_status softrelu_evaluator_prediction(softrelu_evaluator *evaluator, double *f, int64_t length);
/** F(x) into total, and its parts: fit = loss(f, b), weights = 1/2 |diag(w) A1 x|^2, proximity = rho/2 |x - x_ref|^2.
    Any output may be NULL. */
SOFTRELU_API softrelu_status softrelu_evaluator_loss(softrelu_evaluator *evaluator, double *total, double *fit, double *weights,
                                                     double *proximity);
/** Gradient of F into gradient (d entries); the slope of max(., 0) at 0 is taken as 0. */
SOFTRELU_API softrelu_status softrelu_evaluator_gradient(softrelu_evaluator *evaluator, double *gradient, int64_t length);
/**
 * Hessian of F in the cell of x (fixed signs of u), full symmetric d x d, into hessian with its leading dimension >= d
 * (row- and column-major are the same). H = C' diag(r) C + R, C the f-centred Jacobian of the logits.
 * The first call reserves the work memory: SOFTRELU_ERROR_MEMORY is possible.
 */
SOFTRELU_API softrelu_status softrelu_evaluator_hessian(softrelu_evaluator *evaluator, double *hessian,
                                                        int64_t leading_dimension);
/**
 * The sampled Hessian H~ = sum over sampled j of (1/p_j) r_j C_j' C_j + R: row j of the centred Jacobian C takes part with a
 * probability p_j that is proportional to an estimate of its leverage score |r_j| C_j H^-1 C_j', at most 1. The scores come
 * from Gaussian sketches of C, refined against the factor of a first sample. The gradient and everything else stay exact.
 * @param epsilon 0 < epsilon < 1: chooses as many rows as make (1 - epsilon) H <= H~ <= (1 + epsilon) H hold with probability
 * at least 0.99 where all r_j >= 0 (docs/paper.md); not looked at when rows > 0.
 * @param rows > 0: so many rows are expected instead, at most m.
 * @param seed chooses the random numbers. @param draw which of the samples of that seed. Equal ones give the same sample,
 * whatever the number of threads.
 * @param hessian full symmetric d x d. @param leading_dimension >= d. @param[out] sampled rows that took part; may be NULL.
 * @return as softrelu_evaluator_hessian(); SOFTRELU_ERROR_VALUE (epsilon, rows), SOFTRELU_ERROR_LAPACK.
 */
SOFTRELU_API softrelu_status softrelu_evaluator_sampled_hessian(softrelu_evaluator *evaluator, double epsilon, int64_t rows,
                                                                uint64_t seed, uint64_t draw, double *hessian,
                                                                int64_t leading_dimension, int64_t *sampled);
/** Product of that Hessian with direction (d entries), without forming it: four products with A1 and A2. product and
    direction may be the same array. */
SOFTRELU_API softrelu_status softrelu_evaluator_hessian_product(softrelu_evaluator *evaluator, const double *direction,
                                                                double *product, int64_t length);
/**
 * Stationarity residual: the least norm of g + sum over K of lambda_i a_i with 0 <= lambda_i <= q_i, where K are the kinks,
 * units with |u_i| <= kink_tolerance (|a_i||x| + |c1_i|), that have a positive slope jump q_i = (A2' dloss/dz)_i, and g the
 * gradient with their slopes set to 0. Without units on a ridge (kinks with q_i < 0) it is the slope of the steepest descent,
 * zero exactly where no direction descends to first order; with some it is a lower bound of that slope.
 * @param kink_tolerance >= 0; 1e-9 is usual.
 * @param[out] residual the least norm. @param[out] relative that, divided by the norm scale of the gradient's terms
 *             (what round-off is relative to); infinite where there are no such terms. @param[out] pinned kinks counted.
 * @param[out] concave units at zero with a negative slope jump larger than round-off: a point with any is not a minimiser.
 *             Each may be NULL.
 */
SOFTRELU_API softrelu_status softrelu_evaluator_stationarity(softrelu_evaluator *evaluator, double kink_tolerance,
                                                             double *residual, double *relative, int64_t *pinned,
                                                             int64_t *concave);

/** What the derivative checker found. Pinned numbers. */
typedef enum softrelu_derivative_verdict {
    SOFTRELU_DERIVATIVES_AGREE = 0,     /**< both Taylor remainders shrink with the right order */
    SOFTRELU_DERIVATIVES_DISAGREE = 10, /**< one of them does not */
    SOFTRELU_DERIVATIVES_KINK = 20,     /**< the segment crosses a kink, where F has no Taylor expansion: nothing is said */
    SOFTRELU_DERIVATIVES_ROUNDOFF = 30, /**< the remainders drown in round-off: nothing is said */
    SOFTRELU_DERIVATIVE_VERDICT_MAX_ = 0x7fffffff
} softrelu_derivative_verdict;

/**
 * Checks gradient and Hessian against F itself: along the segment from x to x + step * direction, halved again and again,
 * |F(x+tp) - F - t g'p| must shrink like t^2 and |grad F(x+tp) - g - t H p| like t^2.
 * @param direction d numbers (any non-zero length), or NULL for a random one drawn from seed.
 * @param step length of the longest segment relative to |x| + 1; 0 lets the library choose the longest one that crosses no
 * kink.
 * @param[out] verdict what was found. @param[out] gradient_order the measured order, 2 expected; NaN when nothing
 *             could be measured; may be NULL. @param[out] hessian_order likewise. @param[out] kink the first unit whose sign
 * changes on the segment, or -1 (may be NULL). The evaluator is at x again afterwards.
 */
SOFTRELU_API softrelu_status softrelu_evaluator_check_derivatives(softrelu_evaluator *evaluator, const double *direction,
                                                                  uint64_t seed, double step,
                                                                  softrelu_derivative_verdict *verdict, double *gradient_order,
                                                                  double *hessian_order, int64_t *kink);
/** As softrelu_problem_message(), for the evaluator. */
SOFTRELU_API const char *softrelu_evaluator_message(const softrelu_evaluator *evaluator);

/* ------------------------------------------------------------------------------------------------------------------
 * Solver
 * ---------------------------------------------------------------------------------------------------------------- */

/**
 * Creates a solver for a sealed problem and reserves all its work memory, of the order of 5 n d + 20 d^2 + 100 (n + m) doubles
 * and blocks of rows, and what the setting jacobian_memory lets the Jacobian (m d doubles) and the light network (n (d + m)
 * floats) take. No memory is allocated while it solves.
 * @param[out] solver NULL on failure. @return SOFTRELU_ERROR_NULL, SOFTRELU_ERROR_STATE (not sealed) or SOFTRELU_ERROR_MEMORY.
 */
SOFTRELU_API softrelu_status softrelu_solver_create(const softrelu_problem *problem, softrelu_solver **solver);
/** Frees the solver and its report. NULL is allowed. Does nothing while the solver is running, from its callback say. */
SOFTRELU_API void softrelu_solver_destroy(softrelu_solver *solver);

/** Type of a setting or of a reported quantity. Pinned numbers. */
typedef enum softrelu_type {
    SOFTRELU_INTEGER = 0,
    SOFTRELU_REAL = 10,
    SOFTRELU_CHOICE = 20, /**< an integer whose values have names: softrelu_setting_choice() */
    SOFTRELU_TYPE_MAX_ = 0x7fffffff
} softrelu_type;

/** Settings of a solver; names, types, defaults and bounds through softrelu_setting_describe(). Pinned numbers. */
typedef enum softrelu_setting {
    SOFTRELU_SETTING_MAX_ITERATIONS = 10,
    SOFTRELU_SETTING_MAX_EVALUATIONS = 20,
    SOFTRELU_SETTING_TIME_LIMIT = 30,
    SOFTRELU_SETTING_TOLERANCE = 40,
    SOFTRELU_SETTING_KINK_TOLERANCE = 50,
    SOFTRELU_SETTING_TRACE_LENGTH = 60,
    SOFTRELU_SETTING_WARM_START_ROUNDS = 70,
    SOFTRELU_SETTING_HESSIAN = 80, /**< a softrelu_hessian */
    SOFTRELU_SETTING_SAMPLE_EPSILON = 90,
    SOFTRELU_SETTING_SAMPLE_ROWS = 100,
    SOFTRELU_SETTING_SAMPLE_SEED = 110,
    SOFTRELU_SETTING_STEP = 120, /**< a softrelu_step */
    SOFTRELU_SETTING_STEP_TOLERANCE = 130,
    SOFTRELU_SETTING_STEP_PRODUCTS = 140,
    SOFTRELU_SETTING_GLOBALISATION = 150, /**< a softrelu_globalisation */
    SOFTRELU_SETTING_JACOBIAN_MEMORY = 160,
    SOFTRELU_SETTING_STARTS = 170,
    SOFTRELU_SETTING_START_SEED = 180,
    SOFTRELU_SETTING_CURVATURE_PRECISION = 165, /**< a softrelu_precision */
    SOFTRELU_SETTING_NEWTON_MATRIX = 125,       /**< a softrelu_newton_matrix */
    SOFTRELU_SETTING_MAX_ = 0x7fffffff
} softrelu_setting;

/** Which matrix the Newton step is taken with. Pinned numbers and names. */
typedef enum softrelu_hessian {
    SOFTRELU_HESSIAN_EXACT = 0,         /**< "exact": the Hessian in the cell of x, the default */
    SOFTRELU_HESSIAN_GAUSS_NEWTON = 10, /**< "gauss-newton": curvature weights r = f o f for "squares"; the same as exact for
                                             "kl" where sum b >= 0 */
    SOFTRELU_HESSIAN_SAMPLED = 20,      /**< "sampled": rows of the Jacobian drawn by leverage scores, the paper's A' D~ A */
    SOFTRELU_HESSIAN_MAX_ = 0x7fffffff
} softrelu_hessian;
/** How the step is computed from it. Pinned numbers and names. */
typedef enum softrelu_step {
    SOFTRELU_STEP_CHOLESKY = 0, /**< "cholesky": the step of that matrix, by factoring it; the default */
    SOFTRELU_STEP_PCG = 10,     /**< "pcg": the step of the exact Hessian (or of Gauss-Newton's), which is only multiplied with:
                                     conjugate gradients preconditioned by the sampled factor, or by the last exact one */
    SOFTRELU_STEP_MAX_ = 0x7fffffff
} softrelu_step;
/** In which form the Newton matrix is held. Pinned numbers and names. */
typedef enum softrelu_newton_matrix {
    SOFTRELU_NEWTON_MATRIX_AUTO = 0,   /**< "auto": the one that is cheaper by a count of operations, the default */
    SOFTRELU_NEWTON_MATRIX_DENSE = 10, /**< "dense": d x d, factored by Cholesky */
    SOFTRELU_NEWTON_MATRIX_SMALL = 20, /**< "small": R = A1' diag(w^2) A1 + rho I, factored once in the life of a solver, and a
                                            row for each output and each held kink, for few outputs and many inputs. Dense where
                                            that cannot be: R not safely positive definite, a sampled matrix, single precision,
                                            step = pcg, more than d/2 rows (without bounds, min(n, d)/2) */
    SOFTRELU_NEWTON_MATRIX_MAX_ = 0x7fffffff
} softrelu_newton_matrix;
/** Precision of the Jacobian and of the products that make the Newton matrix. Pinned numbers and names. */
typedef enum softrelu_precision {
    SOFTRELU_PRECISION_DOUBLE = 0, /**< "double", the default */
    SOFTRELU_PRECISION_SINGLE =
        10, /**< "single": half the memory and twice the rate. Gradient, line search, kinks and certificate
                 stay double, so the points found are as exact; the last steps converge a little slower */
    SOFTRELU_PRECISION_MAX_ = 0x7fffffff
} softrelu_precision;
/** What keeps the iteration from going astray. Pinned numbers and names. */
typedef enum softrelu_globalisation {
    SOFTRELU_GLOBALISATION_SEARCH = 0, /**< "search": a line search on F, the default */
    SOFTRELU_GLOBALISATION_NONE = 10,  /**< "none": every step is taken whole, as in the paper's local method. Without opening
                                            fits, acceleration or damping: for experiments */
    SOFTRELU_GLOBALISATION_MAX_ = 0x7fffffff
} softrelu_globalisation;

/** How many settings there are: softrelu_setting_describe() takes 0 <= index < count. */
SOFTRELU_API int64_t softrelu_setting_count(void);
/** Describes one setting. Bounds are inclusive. Strings are static. Any output may be NULL. */
SOFTRELU_API softrelu_status softrelu_setting_describe(int64_t index, softrelu_setting *setting, const char **name,
                                                       softrelu_type *type, double *standard, double *minimum, double *maximum,
                                                       const char **text);
/** The name of a value of a SOFTRELU_CHOICE setting, such as "sampled", 0 <= index; NULL past the last one and for other
    settings. value may be NULL. */
SOFTRELU_API const char *softrelu_setting_choice(softrelu_setting setting, int64_t index, int64_t *value);
/** Sets an integer or choice setting. Settings that need other work memory reserve it now: SOFTRELU_ERROR_MEMORY is possible,
    and the setting then is what it was. A value out of bounds is refused, never clamped. Settings hold for every later solve.
 */
SOFTRELU_API softrelu_status softrelu_solver_set_integer(softrelu_solver *solver, softrelu_setting setting, int64_t value);
/** Sets a real setting. */
SOFTRELU_API softrelu_status softrelu_solver_set_real(softrelu_solver *solver, softrelu_setting setting, double value);
/** Sets any setting from text: softrelu_solver_set_text(s, "tolerance", "1e-12"). */
SOFTRELU_API softrelu_status softrelu_solver_set_text(softrelu_solver *solver, const char *name, const char *value);
/** Reads an integer or choice setting. */
SOFTRELU_API softrelu_status softrelu_solver_get_integer(const softrelu_solver *solver, softrelu_setting setting,
                                                         int64_t *value);
/** Reads a real setting. */
SOFTRELU_API softrelu_status softrelu_solver_get_real(const softrelu_solver *solver, softrelu_setting setting, double *value);

/** Starting point of later solves: d numbers, copied. NULL (with length 0) goes back to the warm start, the default: a
    least-squares fit of the logits to log b, refined over a few activation patterns. With n < d, rho > 0 and no bounds only the
    part of x0 - x_ref in the span of the rows of A1 counts: what is beside it is 0 in every minimiser. */
SOFTRELU_API softrelu_status softrelu_solver_set_start(softrelu_solver *solver, const double *x0, int64_t length);

/**
 * Gives the solver a target of its own: SOFTRELU_B, SOFTRELU_X_REF, SOFTRELU_LOWER or SOFTRELU_UPPER for its later solves, in
 * place of the problem's, so that one handle solves for one target after the other. Nothing is allocated, but for one case:
 * with fewer units than inputs a solve without bounds works in n unknowns, and the first bound that is given, or the last that
 * is taken back, asks for memory for the other way; the outcome of the last solve goes with the old one. Each result is, bit by
 * bit, that of a new solver for a problem created with these vectors; report and certificate are about them.
 * @param values copied; NULL with length = 0 goes back to the problem's own vector. @param length m for SOFTRELU_B, else d.
 * @return SOFTRELU_ERROR_UNKNOWN (any other array), SOFTRELU_ERROR_SIZE, SOFTRELU_ERROR_NOT_FINITE (the message has index and
 *         value), SOFTRELU_ERROR_NULL, SOFTRELU_ERROR_MEMORY or SOFTRELU_ERROR_STATE (from the callback); then everything is
 *         as before. Bounds are compared when a solve begins, so that both can be moved in any order.
 */
SOFTRELU_API softrelu_status softrelu_solver_set_vector(softrelu_solver *solver, softrelu_array array, const double *values,
                                                        int64_t length);

/**
 * Gives the solver a SOFTRELU_RHO of its own for its later solves, so that one handle follows minimisers from one rho to
 * another.
 * @param value > 0, and finite. @return SOFTRELU_ERROR_UNKNOWN (any other array), SOFTRELU_ERROR_NOT_FINITE,
 *         SOFTRELU_ERROR_VALUE, or SOFTRELU_ERROR_STATE: from the callback, or for a problem with weights w, where rho is part
 * of the curvature R that the problem holds.
 */
SOFTRELU_API softrelu_status softrelu_solver_set_number(softrelu_solver *solver, softrelu_array array, double value);

/**
 * Called after the starting point is evaluated and after every iteration, from the thread that solves. A non-zero return
 * stops the solve (SOFTRELU_CALLBACK_STOP). The report holds the state so far, its last trace record this iteration.
 * On this solver the callback may read settings, the report and the present point (softrelu_solver_solution()) and call
 * softrelu_solver_request_stop(); anything that would change the solver, a batch made from it too, returns
 * SOFTRELU_ERROR_STATE and changes nothing, with softrelu_solver_message() saying that the solver is running. So do such calls
 * from other threads, which must not read the report or the point meanwhile. It must not longjmp or throw out of the library.
 */
typedef int (*softrelu_callback)(const softrelu_report *report, void *user);
/** Sets the callback; NULL removes it. */
SOFTRELU_API softrelu_status softrelu_solver_set_callback(softrelu_solver *solver, softrelu_callback callback, void *user);

/**
 * Asked at every check whether to stop, from the thread that solves: before each evaluation and factorisation and between the
 * blocks of what takes longer, in every phase: warm start, samples, line searches, QPs, certificate. A non-zero return stops
 * the solve there (SOFTRELU_CALLBACK_STOP). It is asked thousands of times, and may do what a softrelu_callback may.
 */
typedef int (*softrelu_interrupt)(void *user);
/** Sets the function to ask; NULL removes it. */
SOFTRELU_API softrelu_status softrelu_solver_set_interrupt(softrelu_solver *solver, softrelu_interrupt interrupt, void *user);

/** Asks a running solve to stop at its next check, as in softrelu_interrupt. May be called from any thread and from a signal
    handler: it sets an atomic and does nothing else. A request made while no solve runs is forgotten when the next one begins.
    NULL is allowed. */
SOFTRELU_API void softrelu_solver_request_stop(softrelu_solver *solver);

/**
 * Minimises F. SOFTRELU_OK means that the solve ran to some end: softrelu_report_termination() tells which, and only
 * SOFTRELU_CONVERGED promises stationarity. Whatever the end, the best point found is kept. The time limit, a request to stop
 * and a softrelu_interrupt end what is being done at the next check: a LAPACK call or block of products that runs is finished,
 * and F and the residual of the point that is kept are found. The residual is then an upper bound, and the certificate says
 * SOFTRELU_REASON_INTERRUPTED.
 * @return SOFTRELU_ERROR_OVERFLOW when F is not finite at the start, or at the end (F has no minimum, say, or with n < d what
 * A1 does not see of x_ref or x0 is too large); SOFTRELU_ERROR_VALUE when one of the solver's lower bounds is above its upper
 * bound (the message has the index and both), SOFTRELU_ERROR_STATE when called from its own callback, SOFTRELU_ERROR_LAPACK.
 */
SOFTRELU_API softrelu_status softrelu_solver_solve(softrelu_solver *solver);
/** The best point of the last solve into x (d entries); within the callback, the present one. SOFTRELU_ERROR_STATE before the
    first solve. */
SOFTRELU_API softrelu_status softrelu_solver_solution(const softrelu_solver *solver, double *x, int64_t length);
/** The report of the last solve: owned by the solver, never NULL, the same pointer for its whole life; the next solve rewrites
    it. Before any solve its termination is SOFTRELU_NOT_RUN. NULL only for a NULL solver. */
SOFTRELU_API const softrelu_report *softrelu_solver_report(const softrelu_solver *solver);
/** As softrelu_problem_message(), for the solver. */
SOFTRELU_API const char *softrelu_solver_message(const softrelu_solver *solver);

/* ------------------------------------------------------------------------------------------------------------------
 * Report
 * ---------------------------------------------------------------------------------------------------------------- */

/** Quantities of a whole solve, X(enumerator, number, name, type, text). Pinned numbers and names. */
#define SOFTRELU_QUANTITY_LIST(X)                                                                                              \
    X(SOFTRELU_REPORT_LOSS, 10, "loss", SOFTRELU_REAL, "F at the returned point")                                              \
    X(SOFTRELU_REPORT_LOSS_FIT, 20, "loss_fit", SOFTRELU_REAL, "the output loss's part of it")                                 \
    X(SOFTRELU_REPORT_LOSS_WEIGHTS, 30, "loss_weights", SOFTRELU_REAL, "the part of the weights w")                            \
    X(SOFTRELU_REPORT_LOSS_PROXIMITY, 40, "loss_proximity", SOFTRELU_REAL, "the part of rho and x_ref")                        \
    X(SOFTRELU_REPORT_RESIDUAL, 50, "residual", SOFTRELU_REAL,                                                                 \
      "stationarity residual, recomputed from the data at that point")                                                         \
    X(SOFTRELU_REPORT_RESIDUAL_RELATIVE, 60, "residual_relative", SOFTRELU_REAL,                                               \
      "residual over the scale of the gradient's terms")                                                                       \
    X(SOFTRELU_REPORT_PINNED_KINKS, 70, "pinned_kinks", SOFTRELU_INTEGER, "units at a kink that holds them")                   \
    X(SOFTRELU_REPORT_CONCAVE_KINKS, 75, "concave_kinks", SOFTRELU_INTEGER,                                                    \
      "units on a ridge: a minimiser only where valleys that meet there hold it up")                                           \
    X(SOFTRELU_REPORT_ACTIVE_BOUNDS, 78, "active_bounds", SOFTRELU_INTEGER, "entries of x at a bound")                         \
    X(SOFTRELU_REPORT_ITERATIONS, 80, "iterations", SOFTRELU_INTEGER, "Newton iterations")                                     \
    X(SOFTRELU_REPORT_EVALUATIONS, 90, "evaluations", SOFTRELU_INTEGER, "evaluations of F")                                    \
    X(SOFTRELU_REPORT_GRADIENT_STEPS, 95, "gradient_steps", SOFTRELU_INTEGER,                                                  \
      "quasi-Newton steps of the opening, several in one iteration")                                                           \
    X(SOFTRELU_REPORT_FACTORISATIONS, 100, "factorisations", SOFTRELU_INTEGER, "Cholesky factorisations tried")                \
    X(SOFTRELU_REPORT_SHIFTS, 110, "shifts", SOFTRELU_INTEGER, "iterations whose Hessian had to be shifted")                   \
    X(SOFTRELU_REPORT_SECONDS, 120, "seconds", SOFTRELU_REAL, "wall time of the solve")                                        \
    X(SOFTRELU_REPORT_SECONDS_HESSIAN, 130, "seconds_hessian", SOFTRELU_REAL, "of it, assembling Hessians")                    \
    X(SOFTRELU_REPORT_SECONDS_STEP, 140, "seconds_step", SOFTRELU_REAL, "of it, in the kink-aware step without factorisation") \
    X(SOFTRELU_REPORT_SAMPLE_ROWS, 150, "sample_rows", SOFTRELU_INTEGER,                                                       \
      "most rows of the Jacobian that a sampled Hessian was made of")                                                          \
    X(SOFTRELU_REPORT_SAMPLE_ENLARGEMENTS, 160, "sample_enlargements", SOFTRELU_INTEGER,                                       \
      "times the sample was made larger because its step was bad")                                                             \
    X(SOFTRELU_REPORT_SAMPLE_FALLBACKS, 170, "sample_fallbacks", SOFTRELU_INTEGER,                                             \
      "iterations that took the exact Hessian because no sample would do")                                                     \
    X(SOFTRELU_REPORT_HESSIAN_PRODUCTS, 180, "hessian_products", SOFTRELU_INTEGER,                                             \
      "products with the exact Hessian in conjugate gradients")                                                                \
    X(SOFTRELU_REPORT_ASSEMBLIES, 185, "assemblies", SOFTRELU_INTEGER,                                                         \
      "matrices assembled from all rows of the Jacobian, fits of the logits included")                                         \
    X(SOFTRELU_REPORT_STARTS, 190, "starts", SOFTRELU_INTEGER, "points that were started from")                                \
    X(SOFTRELU_REPORT_MINIMISERS, 200, "minimiser_count", SOFTRELU_INTEGER, "distinct points where these starts ended")        \
    X(SOFTRELU_REPORT_SECONDS_STARTS, 210, "seconds_starts", SOFTRELU_REAL, "wall time of all starts")                         \
    X(SOFTRELU_REPORT_SAMPLE_SEED, 220, "sample_seed", SOFTRELU_INTEGER, "the setting of that name")                           \
    X(SOFTRELU_REPORT_START_SEED, 230, "start_seed", SOFTRELU_INTEGER, "the setting of that name")                             \
    X(SOFTRELU_REPORT_BLAS_THREADS, 240, "blas_threads", SOFTRELU_INTEGER, "threads of the BLAS; 0 when it cannot be asked")

/** Quantities of one iteration in the trace, X(enumerator, number, name, type, text). Pinned numbers and names. */
#define SOFTRELU_TRACE_LIST(X)                                                                                                 \
    X(SOFTRELU_TRACE_ITERATION, 1010, "iteration", SOFTRELU_INTEGER, "0 is the starting point")                                \
    X(SOFTRELU_TRACE_LOSS, 1020, "loss", SOFTRELU_REAL, "F after the iteration")                                               \
    X(SOFTRELU_TRACE_RESIDUAL, 1030, "residual", SOFTRELU_REAL, "stationarity residual after the iteration")                   \
    X(SOFTRELU_TRACE_PINNED_KINKS, 1040, "pinned_kinks", SOFTRELU_INTEGER, "units at their kink")                              \
    X(SOFTRELU_TRACE_ACTIVE_UNITS, 1050, "active_units", SOFTRELU_INTEGER, "units with u > 0")                                 \
    X(SOFTRELU_TRACE_FLIPS, 1060, "flips", SOFTRELU_INTEGER, "units that changed side in the iteration")                       \
    X(SOFTRELU_TRACE_STEP_NORM, 1070, "step_norm", SOFTRELU_REAL, "length of the step taken")                                  \
    X(SOFTRELU_TRACE_STEP_SCALE, 1080, "step_scale", SOFTRELU_REAL, "fraction of the Newton step taken by the line search")    \
    X(SOFTRELU_TRACE_SHIFT, 1090, "shift", SOFTRELU_REAL,                                                                      \
      "multiple of the identity, or of R over its mean diagonal entry, added to the Hessian")                                  \
    X(SOFTRELU_TRACE_EVALUATIONS, 1100, "evaluations", SOFTRELU_INTEGER, "evaluations of F so far")                            \
    X(SOFTRELU_TRACE_SECONDS, 1110, "seconds", SOFTRELU_REAL, "wall time so far")                                              \
    X(SOFTRELU_TRACE_SAMPLE_ROWS, 1120, "sample_rows", SOFTRELU_INTEGER, "rows sampled in the iteration; 0 for none")          \
    X(SOFTRELU_TRACE_HESSIAN_PRODUCTS, 1130, "hessian_products", SOFTRELU_INTEGER, "products with the Hessian so far")

/**
 * What the numbers of a report come from, X(enumerator, number, name, text). Pinned numbers and names. On the same machine,
 * with the same version and BLAS, one BLAS thread, and the same data and settings (seeds among them), solutions, reports and
 * traces are the same bit by bit, but for the times.
 */
#define SOFTRELU_ORIGIN_LIST(X)                                                                                                \
    X(SOFTRELU_ORIGIN_VERSION, 4010, "version", "version of the library")                                                      \
    X(SOFTRELU_ORIGIN_BLAS, 4020, "blas", "what the BLAS says of itself")                                                      \
    X(SOFTRELU_ORIGIN_BLAS_KERNEL, 4030, "blas_kernel", "the kind of processor that the BLAS has chosen its kernels for")

#define SOFTRELU_ENUMERATE_QUANTITY(name, number, word, type, text) name = (number),
#define SOFTRELU_ENUMERATE_ORIGIN(name, number, word, text) name = (number),
/** What the numbers of a report come from. */
typedef enum softrelu_origin {
    SOFTRELU_ORIGIN_LIST(SOFTRELU_ENUMERATE_ORIGIN) SOFTRELU_ORIGIN_MAX_ = 0x7fffffff
} softrelu_origin;
/** Quantities of a report and of its trace. */
typedef enum softrelu_quantity {
    SOFTRELU_QUANTITY_LIST(SOFTRELU_ENUMERATE_QUANTITY) SOFTRELU_TRACE_LIST(SOFTRELU_ENUMERATE_QUANTITY)
        SOFTRELU_QUANTITY_MAX_ = 0x7fffffff
} softrelu_quantity;
#undef SOFTRELU_ENUMERATE_QUANTITY
#undef SOFTRELU_ENUMERATE_ORIGIN

/** Why the solve stopped; SOFTRELU_NOT_RUN for NULL. */
SOFTRELU_API softrelu_termination softrelu_report_termination(const softrelu_report *report);
/** Reads a quantity of the whole solve as a number (integers are exact up to 2^53). All are finite, here and in the trace, but
    residuals and lengths of steps beyond double precision, which are infinite. SOFTRELU_ERROR_UNKNOWN for an id of the trace or
   of nothing. */
SOFTRELU_API softrelu_status softrelu_report_number(const softrelu_report *report, softrelu_quantity quantity, double *value);
/** Writes where the report comes from into text (always terminated, cut off where there is no room); "unknown" where the BLAS
    cannot be asked. As softrelu_blas_description(), one call at a time.
    @return SOFTRELU_ERROR_NULL, SOFTRELU_ERROR_SIZE when size < 1, SOFTRELU_ERROR_UNKNOWN. */
SOFTRELU_API softrelu_status softrelu_report_origin(const softrelu_report *report, softrelu_origin origin, char *text,
                                                    size_t size);
/** Records in the trace: at most the setting trace_length, the latest ones. 0 for NULL. */
SOFTRELU_API int64_t softrelu_report_trace_length(const softrelu_report *report);
/** Reads a quantity of one trace record, 0 <= record < softrelu_report_trace_length(), oldest first. */
SOFTRELU_API softrelu_status softrelu_report_trace_number(const softrelu_report *report, int64_t record,
                                                          softrelu_quantity quantity, double *value);

/* ------------------------------------------------------------------------------------------------------------------
 * Certificate: what a point is, whoever found it
 * ---------------------------------------------------------------------------------------------------------------- */

/** What is a point? X(enumerator, number, name, text). Numbers and names are pinned for ever. */
#define SOFTRELU_VERDICT_LIST(X)                                                                                               \
    X(SOFTRELU_VERDICT_UNDECIDED, 0, "undecided", "nothing could be proved")                                                   \
    X(SOFTRELU_VERDICT_CERTIFIED, 10, "certified local minimiser", "F is larger everywhere in a neighbourhood")                \
    X(SOFTRELU_VERDICT_STATIONARY, 20, "stationary", "no direction descends to first order, but it is not proved a minimiser") \
    X(SOFTRELU_VERDICT_NOT_STATIONARY, 30, "not stationary", "F descends along the direction that is given")

/** Why is the verdict no better? X(enumerator, number, name, text). Numbers and names are pinned for ever. */
#define SOFTRELU_REASON_LIST(X)                                                                                                \
    X(SOFTRELU_REASON_NONE, 0, "none", "the point is a certified local minimiser")                                             \
    X(SOFTRELU_REASON_NOT_RUN, 10, "not-run", "no point has been examined")                                                    \
    X(SOFTRELU_REASON_INTERRUPTED, 15, "interrupted", "the time limit or a request to stop ended the examination")             \
    X(SOFTRELU_REASON_OVERFLOW, 20, "overflow", "F or its derivatives are beyond double precision there")                      \
    X(SOFTRELU_REASON_RESIDUAL, 30, "residual", "the stationarity residual is above the tolerance")                            \
    X(SOFTRELU_REASON_RIDGE, 40, "ridge", "units sit on concave kinks, and the point is no certified minimiser")               \
    X(SOFTRELU_REASON_COMPLEMENTARITY, 50, "complementarity", "a multiplier lies on the edge of its interval")                 \
    X(SOFTRELU_REASON_FLAT, 60, "flat", "the curvature along some direction is zero within round-off")                         \
    X(SOFTRELU_REASON_SADDLE, 70, "saddle", "the curvature along the direction that is given is negative")

/** Quantities of a certificate, X(enumerator, number, name, type, text). Pinned numbers and names. */
#define SOFTRELU_CERTIFICATE_LIST(X)                                                                                           \
    X(SOFTRELU_CERTIFICATE_LOSS, 2010, "loss", SOFTRELU_REAL, "F at the point")                                                \
    X(SOFTRELU_CERTIFICATE_RESIDUAL, 2020, "residual", SOFTRELU_REAL, "length of g + sum lambda_i a_i + mu")                   \
    X(SOFTRELU_CERTIFICATE_RESIDUAL_RELATIVE, 2030, "residual_relative", SOFTRELU_REAL,                                        \
      "residual over the scale of the gradient's terms")                                                                       \
    X(SOFTRELU_CERTIFICATE_PINNED_KINKS, 2040, "pinned_kinks", SOFTRELU_INTEGER, "units at a convex kink")                     \
    X(SOFTRELU_CERTIFICATE_CONCAVE_KINKS, 2050, "concave_kinks", SOFTRELU_INTEGER, "units on a ridge")                         \
    X(SOFTRELU_CERTIFICATE_ACTIVE_BOUNDS, 2060, "active_bounds", SOFTRELU_INTEGER, "entries of x at a bound")                  \
    X(SOFTRELU_CERTIFICATE_MARGIN, 2070, "complementarity_margin", SOFTRELU_REAL,                                              \
      "least distance of a multiplier from the edge of its interval, as a slope over the gradient's scale; infinite without "  \
      "any")                                                                                                                   \
    X(SOFTRELU_CERTIFICATE_FREE_DIMENSIONS, 2080, "free_dimensions", SOFTRELU_INTEGER,                                         \
      "dimension of the subspace that keeps all pinned kinks and active bounds")                                               \
    X(SOFTRELU_CERTIFICATE_CURVATURE, 2090, "curvature", SOFTRELU_REAL,                                                        \
      "least eigenvalue of the Hessian on that subspace; infinite when it is {0}")                                             \
    X(SOFTRELU_CERTIFICATE_CURVATURE_ROUND_OFF, 2100, "curvature_round_off", SOFTRELU_REAL,                                    \
      "what round-off may change that eigenvalue by")                                                                          \
    X(SOFTRELU_CERTIFICATE_SLOPE, 2110, "slope", SOFTRELU_REAL,                                                                \
      "slope of F along the direction that is given, of length 1; 0 when none is given")                                       \
    X(SOFTRELU_CERTIFICATE_DISTANCE_BOUND, 2120, "distance_bound", SOFTRELU_REAL,                                              \
      "a local minimiser is within this distance; NaN where that is not proved: softrelu_certificate_distance() says why")     \
    X(SOFTRELU_CERTIFICATE_CONVERGENCE_RADIUS, 2125, "convergence_radius", SOFTRELU_REAL,                                      \
      "from points within this distance that keep the same kinks and bounds, exact Newton steps at least square the error "    \
      "over it; NaN where distance_bound is")                                                                                  \
    X(SOFTRELU_CERTIFICATE_GLOBAL, 2130, "global", SOFTRELU_INTEGER, "1: proved to be a global minimiser (within the bounds)")

/** Is there a bound of the distance to a minimiser? X(enumerator, number, name, text). Numbers and names are pinned for ever.
 */
#define SOFTRELU_DISTANCE_LIST(X)                                                                                              \
    X(SOFTRELU_DISTANCE_PROVED, 0, "proved", "a local minimiser is within the distance")                                       \
    X(SOFTRELU_DISTANCE_NOT_CERTIFIED, 10, "not-certified", "the point is no certified local minimiser")                       \
    X(SOFTRELU_DISTANCE_CURVATURE, 20, "curvature",                                                                            \
      "the Hessian may change too much within a Newton step for its curvature (Kantorovich's condition)")                      \
    X(SOFTRELU_DISTANCE_CELL, 30, "cell",                                                                                      \
      "a kink or a bound of x lies within the distance, or the kinks of the point are not known to meet")                      \
    X(SOFTRELU_DISTANCE_MULTIPLIERS, 40, "multipliers", "a multiplier may leave its interval within the distance")

#define SOFTRELU_ENUMERATE_VERDICT(name, number, word, text) name = (number),
#define SOFTRELU_ENUMERATE_CERTIFICATE(name, number, word, type, text) name = (number),
/** What a point is. */
typedef enum softrelu_verdict {
    SOFTRELU_VERDICT_LIST(SOFTRELU_ENUMERATE_VERDICT) SOFTRELU_VERDICT_MAX_ = 0x7fffffff
} softrelu_verdict;
/** Why the verdict is no better. */
typedef enum softrelu_reason {
    SOFTRELU_REASON_LIST(SOFTRELU_ENUMERATE_VERDICT) SOFTRELU_REASON_MAX_ = 0x7fffffff
} softrelu_reason;
/** What distance_bound is a bound of, or why there is none. */
typedef enum softrelu_distance {
    SOFTRELU_DISTANCE_LIST(SOFTRELU_ENUMERATE_VERDICT) SOFTRELU_DISTANCE_MAX_ = 0x7fffffff
} softrelu_distance;
/** Quantities of a certificate. */
typedef enum softrelu_certificate_quantity {
    SOFTRELU_CERTIFICATE_LIST(SOFTRELU_ENUMERATE_CERTIFICATE) SOFTRELU_CERTIFICATE_MAX_ = 0x7fffffff
} softrelu_certificate_quantity;
#undef SOFTRELU_ENUMERATE_VERDICT
#undef SOFTRELU_ENUMERATE_CERTIFICATE

/** A short word or two for the verdict, such as "certified local minimiser". Never NULL. */
SOFTRELU_API const char *softrelu_verdict_name(softrelu_verdict verdict);
/** One sentence on what the verdict means. Never NULL. */
SOFTRELU_API const char *softrelu_verdict_text(softrelu_verdict verdict);
/** A short word for the reason, such as "flat". Never NULL. */
SOFTRELU_API const char *softrelu_reason_name(softrelu_reason reason);
/** One sentence on what the reason means. Never NULL. */
SOFTRELU_API const char *softrelu_reason_text(softrelu_reason reason);

/** A short word for it, such as "cell". Never NULL. */
SOFTRELU_API const char *softrelu_distance_name(softrelu_distance distance);
/** One sentence on what it means. Never NULL. */
SOFTRELU_API const char *softrelu_distance_text(softrelu_distance distance);

/**
 * Creates an examiner of points of a sealed problem and reserves all its memory, of the order of n d + 7 d^2 doubles and
 * blocks of rows of A1 and A2; a point at few kinks touches 4 to 5 d^2 of it. One thread at a time; to be destroyed before the
 * problem.
 * @param[out] certificate NULL on failure. @return SOFTRELU_ERROR_NULL, SOFTRELU_ERROR_STATE (not sealed) or
 * SOFTRELU_ERROR_MEMORY.
 */
SOFTRELU_API softrelu_status softrelu_certificate_create(const softrelu_problem *problem, softrelu_certificate **certificate);
/** Frees the certificate. NULL is allowed. Not for the one that softrelu_solver_certificate() lends. */
SOFTRELU_API void softrelu_certificate_destroy(softrelu_certificate *certificate);
/**
 * Examines any point x: everything is computed anew from the problem's data, by code that shares nothing with the solver's
 * step.
 *
 * With K the units at their kink, |u_i| <= kink_tolerance (|a_i||x| + |c1_i|), q_i = (A2' dloss/dz)_i their slope jumps, g the
 * gradient with their slopes set to 0 and B the entries of x at a bound, x is stationary when
 *
 *     g + sum over K of lambda_i a_i + mu = 0     0 <= lambda_i <= q_i,  mu_k <= 0 at a lower, >= 0 at an upper bound, else 0
 *
 * and a local minimiser when moreover all multipliers are strictly inside their intervals and the Hessian is positive definite
 * on {p : a_i'p = 0 on K, p_k = 0 on B}. How far such a point is at most from a minimiser without any round-off is
 * SOFTRELU_CERTIFICATE_DISTANCE_BOUND.
 * @param x d numbers within the bounds. @param length must be d.
 * @param kink_tolerance >= 0; 1e-9 is usual. @param tolerance of the relative residual, >= 0; 1e-12 is usual.
 * @return SOFTRELU_ERROR_VALUE when x is outside its bounds (the message has the index) or a tolerance is not a finite number
 *         >= 0, SOFTRELU_ERROR_NOT_FINITE (x), SOFTRELU_ERROR_SIZE or SOFTRELU_ERROR_NULL: then the certificate holds what it
 * held before. SOFTRELU_ERROR_LAPACK: then it holds nothing. Overflow is not an error here: the verdict is then undecided.
 */
SOFTRELU_API softrelu_status softrelu_certify(softrelu_certificate *certificate, const double *x, int64_t length,
                                              double kink_tolerance, double tolerance);
/** The verdict on the last point examined; SOFTRELU_VERDICT_UNDECIDED before the first one and for NULL. */
SOFTRELU_API softrelu_verdict softrelu_certificate_verdict(const softrelu_certificate *certificate);
/** Why the verdict is no better; SOFTRELU_REASON_NOT_RUN before the first point and for NULL. */
SOFTRELU_API softrelu_reason softrelu_certificate_reason(const softrelu_certificate *certificate);
/** Whether the last point examined has a proved distance bound, or why not; SOFTRELU_DISTANCE_NOT_CERTIFIED before the first
    point and for NULL. */
SOFTRELU_API softrelu_distance softrelu_certificate_distance(const softrelu_certificate *certificate);
/** Reads a quantity; NaN where it was not reached (such as the curvature of a point that is not stationary). */
SOFTRELU_API softrelu_status softrelu_certificate_number(const softrelu_certificate *certificate,
                                                         softrelu_certificate_quantity quantity, double *value);
/** The multipliers lambda of the units into kinks (n entries: 0 for a unit that is off or not at its kink, q_i for one that is
    on), and mu of the bounds into bounds (d entries). Either may be NULL, with length 0. SOFTRELU_ERROR_STATE before the first
    point and where F overflows. */
SOFTRELU_API softrelu_status softrelu_certificate_multipliers(const softrelu_certificate *certificate, double *kinks,
                                                              int64_t kinks_length, double *bounds, int64_t bounds_length);
/** For each unit, whether it is at its kink (1) or not (0), into kinks (n entries); for each entry of x, -1 at its lower bound,
    1 at its upper one, 2 when both are equal, else 0, into bounds (d entries). Either may be NULL, with length 0. */
SOFTRELU_API softrelu_status softrelu_certificate_active(const softrelu_certificate *certificate, signed char *kinks,
                                                         int64_t kinks_length, signed char *bounds, int64_t bounds_length);
/** The direction of descent (not stationary) or of negative curvature (saddle) into direction (d entries, of length 1, into the
    bounds). SOFTRELU_ERROR_STATE when the verdict comes without one. */
SOFTRELU_API softrelu_status softrelu_certificate_direction(const softrelu_certificate *certificate, double *direction,
                                                            int64_t length);
/** As softrelu_problem_message(), for the certificate. */
SOFTRELU_API const char *softrelu_certificate_message(const softrelu_certificate *certificate);

/** The certificate of the last solve's solution, made at the end of every solve that is not interrupted, with the solver's
    tolerances: owned by the solver, the same pointer for its whole life; the next solve rewrites it. NULL only for a NULL
    solver. */
SOFTRELU_API const softrelu_certificate *softrelu_solver_certificate(const softrelu_solver *solver);

/**
 * The distinct points where the starts of the last solve ended, in order of F: index 0 is the solution. Their number is 1 with
 * the setting starts = 1, and 0 before the first solve and for NULL. Two ends are one when they are nearer than 1e-6 times the
 * larger of their lengths and of that of the first starting point.
 *
 * With starts = k > 1 a solve begins at k points one after the other: at x0 or the warm start, then (with an x0) at the warm
 * start, then by turns at a perturbation of the first and at a random point, of the size of the first one's distance from
 * x_ref, chosen by start_seed. Report and certificate are those of the lowest end. The time limit is for all starts together,
 * the other limits for each; a request to stop and the callback's stop are for all, what was found is kept. The callback is
 * called in each.
 */
SOFTRELU_API int64_t softrelu_solver_minimiser_count(const softrelu_solver *solver);
/** One of these points into x (d entries). @return SOFTRELU_ERROR_NULL, SOFTRELU_ERROR_SIZE (index, length). */
SOFTRELU_API softrelu_status softrelu_solver_minimiser(const softrelu_solver *solver, int64_t index, double *x, int64_t length);
/** Its certificate, which says what the point is: a start may end at a point that is no minimiser. Owned by the solver; the
   next solve rewrites it. NULL for an index that is none. */
SOFTRELU_API const softrelu_certificate *softrelu_solver_minimiser_certificate(const softrelu_solver *solver, int64_t index);

/* ------------------------------------------------------------------------------------------------------------------
 * Counterfactuals: the smallest change of an input that changes the answer
 * ---------------------------------------------------------------------------------------------------------------- */

/** A search for the smallest change of an input that changes the answer. */
typedef struct softrelu_counterfactual softrelu_counterfactual;

/** How a search ended, X(enumerator, number, name, text). Numbers and names are pinned for ever. */
#define SOFTRELU_SEARCH_LIST(X)                                                                                                \
    X(SOFTRELU_SEARCH_NOT_RUN, 0, "not-run", "no search has been run")                                                         \
    X(SOFTRELU_SEARCH_FOUND, 10, "found", "inputs that reach the confidence were found")                                       \
    X(SOFTRELU_SEARCH_ALREADY, 20, "already", "the input itself reaches the confidence")                                       \
    X(SOFTRELU_SEARCH_NOT_FOUND, 30, "not-found", "no such input was found, which does not prove that there is none")          \
    X(SOFTRELU_SEARCH_STOPPED, 40, "stopped", "the time limit, a callback or a request ended the search early")

/** Quantities of an answer, X(enumerator, number, name, type, text). Pinned numbers and names. */
#define SOFTRELU_ANSWER_LIST(X)                                                                                                \
    X(SOFTRELU_ANSWER_DISTANCE, 5010, "distance", SOFTRELU_REAL, "|x - input|")                                                \
    X(SOFTRELU_ANSWER_CONFIDENCE, 5020, "confidence", SOFTRELU_REAL, "probability of the wanted class at x")                   \
    X(SOFTRELU_ANSWER_RHO, 5030, "rho", SOFTRELU_REAL,                                                                         \
      "weight of the proximity term that x is a minimiser for; 0: x is the input")                                             \
    X(SOFTRELU_ANSWER_CERTIFIED, 5040, "certified", SOFTRELU_INTEGER,                                                          \
      "1: no input in a neighbourhood of x is nearer and reaches the confidence of x")

/** Quantities of a point that a search passed, X(enumerator, number, name, type, text). Pinned numbers and names. */
#define SOFTRELU_PATH_LIST(X)                                                                                                  \
    X(SOFTRELU_PATH_BRANCH, 6010, "branch", SOFTRELU_INTEGER, "0: begun at the input; k: at the k-th of the other starts")     \
    X(SOFTRELU_PATH_RHO, 6020, "rho", SOFTRELU_REAL, "weight of the proximity term that it is a minimiser for; 0: the input")  \
    X(SOFTRELU_PATH_CONFIDENCE, 6030, "confidence", SOFTRELU_REAL, "probability of the wanted class there")                    \
    X(SOFTRELU_PATH_DISTANCE, 6040, "distance", SOFTRELU_REAL, "its distance from the input")                                  \
    X(SOFTRELU_PATH_REACHED, 6050, "reached", SOFTRELU_INTEGER, "1: it has the confidence that is asked for")

#define SOFTRELU_ENUMERATE_SEARCH(name, number, word, text) name = (number),
#define SOFTRELU_ENUMERATE_ANSWER(name, number, word, type, text) name = (number),
/** How a search ended. */
typedef enum softrelu_search {
    SOFTRELU_SEARCH_LIST(SOFTRELU_ENUMERATE_SEARCH) SOFTRELU_SEARCH_MAX_ = 0x7fffffff
} softrelu_search;
/** Quantities of an answer. */
typedef enum softrelu_answer {
    SOFTRELU_ANSWER_LIST(SOFTRELU_ENUMERATE_ANSWER) SOFTRELU_ANSWER_MAX_ = 0x7fffffff
} softrelu_answer;
/** Quantities of a point that a search passed. */
typedef enum softrelu_path { SOFTRELU_PATH_LIST(SOFTRELU_ENUMERATE_ANSWER) SOFTRELU_PATH_MAX_ = 0x7fffffff } softrelu_path;
#undef SOFTRELU_ENUMERATE_SEARCH
#undef SOFTRELU_ENUMERATE_ANSWER

/** A short word for it, such as "not-found". Never NULL. */
SOFTRELU_API const char *softrelu_search_name(softrelu_search search);
/** One sentence on what it means. Never NULL. */
SOFTRELU_API const char *softrelu_search_text(softrelu_search search);

/**
 * Creates a search for inputs near a given one to which the network gives a wanted class. Of the problem it takes A1, A2, c1,
 * c2 and the bounds; loss, b, rho and x_ref are its own.
 *
 * The nearest x with f_c(x) >= p minimises -log f_c(x) + rho/2 |x - input|^2 for the largest rho whose minimiser reaches the
 * confidence p: 1/rho is the multiplier of the constraint. The search lowers rho from where the input hardly moves, following
 * the minimiser, until p is reached, and then closes in on that rho. A certified minimiser of the penalised problem has no
 * nearer neighbour of at least its own confidence: such a neighbour would have the smaller F.
 *
 * One thread at a time; to be destroyed before the problem.
 * @param[out] counterfactual NULL on failure. @return SOFTRELU_ERROR_NULL, SOFTRELU_ERROR_STATE (not sealed),
 * SOFTRELU_ERROR_VALUE (weights w, which have no part in a distance) or SOFTRELU_ERROR_MEMORY.
 */
SOFTRELU_API softrelu_status softrelu_counterfactual_create(const softrelu_problem *problem,
                                                            softrelu_counterfactual **counterfactual);
/** Frees the search and its solver. NULL is allowed. */
SOFTRELU_API void softrelu_counterfactual_destroy(softrelu_counterfactual *counterfactual);
/** The solver it works with, for the callback and for settings: time_limit is that of a whole search, start_seed chooses its
    random starts, starts and max_iterations are each solve's. Its target, start, bounds and rho are the search's. NULL only for
    NULL. */
SOFTRELU_API softrelu_solver *softrelu_counterfactual_solver(softrelu_counterfactual *counterfactual);
/** Asks a running search to stop; what was found is kept. May be called from any thread and from a signal handler; forgotten
   when no search runs. NULL is allowed. */
SOFTRELU_API void softrelu_counterfactual_request_stop(softrelu_counterfactual *counterfactual);
/**
 * Searches. SOFTRELU_OK means that it ran to some end, which softrelu_counterfactual_outcome() tells.
 * @param input d numbers; moved into the bounds where it is outside.
 * @param wanted the class, 0 <= wanted < m. @param confidence its probability that is asked for, 0 < confidence < 1.
 * @param frozen d flags, 1: this entry of x stays as it is in the input (which must be within its bounds), 0: it is free. NULL:
 *        all are free.
 * @param starts points that are searched from, 1 to 1000: the input, then warm starts and seeded random points, for
 *        several distinct answers.
 * @return SOFTRELU_ERROR_SIZE (length, wanted), SOFTRELU_ERROR_VALUE (confidence, frozen, starts), SOFTRELU_ERROR_NOT_FINITE
 *         (input), SOFTRELU_ERROR_OVERFLOW (the network at the input), SOFTRELU_ERROR_NULL, SOFTRELU_ERROR_MEMORY,
 *         SOFTRELU_ERROR_STATE (from the callback) or SOFTRELU_ERROR_LAPACK; then there is no answer.
 */
SOFTRELU_API softrelu_status softrelu_counterfactual_search(softrelu_counterfactual *counterfactual, const double *input,
                                                            int64_t length, int64_t wanted, double confidence,
                                                            const signed char *frozen, int64_t starts);
/** How the last search ended; SOFTRELU_SEARCH_NOT_RUN before the first and for NULL. */
SOFTRELU_API softrelu_search softrelu_counterfactual_outcome(const softrelu_counterfactual *counterfactual);
/** Distinct answers, in order of their distance from the input. 0 where there is none and for NULL. Without any, the point of
   the highest confidence that was met can be read as index -1. */
SOFTRELU_API int64_t softrelu_counterfactual_count(const softrelu_counterfactual *counterfactual);
/** An answer into x (d entries); index -1: the point of the highest confidence met. @return SOFTRELU_ERROR_NULL or
    SOFTRELU_ERROR_SIZE (index, length). */
SOFTRELU_API softrelu_status softrelu_counterfactual_point(const softrelu_counterfactual *counterfactual, int64_t index,
                                                           double *x, int64_t length);
/** Reads a quantity of an answer, index as above. @return SOFTRELU_ERROR_NULL, SOFTRELU_ERROR_SIZE (index) or
    SOFTRELU_ERROR_UNKNOWN. */
SOFTRELU_API softrelu_status softrelu_counterfactual_number(const softrelu_counterfactual *counterfactual, int64_t index,
                                                            softrelu_answer quantity, double *value);
/** How many points the last search passed: the input, then the end of each of its solves along a branch, in the order of the
    search; the first 10,000. Grows while a search runs, and may be read from the callback of its solver, with what is passed so
    far. 0 before the first and for NULL. */
SOFTRELU_API int64_t softrelu_counterfactual_path_length(const softrelu_counterfactual *counterfactual);
/** Reads a quantity of a point that was passed, 0 <= index < softrelu_counterfactual_path_length(). @return
   SOFTRELU_ERROR_NULL, SOFTRELU_ERROR_SIZE (index) or SOFTRELU_ERROR_UNKNOWN. */
SOFTRELU_API softrelu_status softrelu_counterfactual_path_number(const softrelu_counterfactual *counterfactual, int64_t index,
                                                                 softrelu_path quantity, double *value);
/** As softrelu_problem_message(), for the search. */
SOFTRELU_API const char *softrelu_counterfactual_message(const softrelu_counterfactual *counterfactual);

/* ------------------------------------------------------------------------------------------------------------------
 * Batches: many targets that share A1 and A2
 * ---------------------------------------------------------------------------------------------------------------- */

/** What a batch may do to the BLAS's thread count, which belongs to the whole process. Pinned numbers. */
typedef enum softrelu_blas_use {
    SOFTRELU_BLAS_KEEP = 0,        /**< nothing: threads of its own only beside a BLAS of one thread */
    SOFTRELU_BLAS_ONE_THREAD = 10, /**< leave to set it to 1 while softrelu_solve_batch() runs, and back afterwards: nothing
                                      else in the process may use or set the BLAS meanwhile */
    SOFTRELU_BLAS_USE_MAX_ = 0x7fffffff
} softrelu_blas_use;

/**
 * Creates a batch: room for the results of up to `capacity` targets (about 2 KB each), and for each thread a solver with the
 * settings, the target and the start that `solver` has now. To be destroyed before the problem; the solver may go before.
 * A batch belongs to one thread at a time, and can be run again and again, so that a million targets go through in pieces.
 * @param capacity >= 1. @param threads 1 to 256, the calling thread included; 0: as many as there are processors, but one where
 *        the BLAS has several threads and must keep them. No more than capacity.
 * @param blas leave to set the BLAS to one thread. Several threads that each call a BLAS of several threads are slower than
 * one.
 * @param[out] batch NULL on failure. @return SOFTRELU_ERROR_NULL, SOFTRELU_ERROR_SIZE (capacity), SOFTRELU_ERROR_VALUE
 * (threads, blas), SOFTRELU_ERROR_STATE (from the solver's callback) or SOFTRELU_ERROR_MEMORY.
 */
SOFTRELU_API softrelu_status softrelu_batch_create(const softrelu_solver *solver, int64_t capacity, int threads,
                                                   softrelu_blas_use blas, softrelu_batch **batch);
/** Frees the batch. NULL is allowed. Does nothing while the batch is running. */
SOFTRELU_API void softrelu_batch_destroy(softrelu_batch *batch);
/**
 * What differs from target to target: SOFTRELU_B (m rows), SOFTRELU_X0, SOFTRELU_X_REF, SOFTRELU_LOWER or SOFTRELU_UPPER (d
 * rows). What is not given is, for all targets, as in the solver the batch was made from.
 * @param values one column for each target: entry j of target t is values[t * leading_dimension + j] (a row of a C-order NumPy
 * array per target). Not copied: read by softrelu_solve_batch(), as many columns as that is asked for. NULL: not given.
 * @param leading_dimension >= rows.
 * @return SOFTRELU_ERROR_UNKNOWN (another array), SOFTRELU_ERROR_SIZE, SOFTRELU_ERROR_NULL or SOFTRELU_ERROR_STATE (callback).
 */
SOFTRELU_API softrelu_status softrelu_batch_set_columns(softrelu_batch *batch, softrelu_array array, const double *values,
                                                        int64_t leading_dimension);
/** Called as a softrelu_callback in the solve of every target, and once more when a target has ended: then the report's
    termination is no longer SOFTRELU_NOT_RUN, or the target has failed, and the return value is not looked at. Otherwise a
    non-zero return stops the solve of this target. Called from the threads of the batch, one call at a time. It may call
    softrelu_batch_request_stop() and softrelu_batch_status() of its target, and read the report; anything that would change the
    batch returns SOFTRELU_ERROR_STATE, with softrelu_batch_message() saying that the batch is running. */
typedef int (*softrelu_batch_callback)(int64_t target, const softrelu_report *report, void *user);
/** Sets the callback; NULL removes it. */
SOFTRELU_API softrelu_status softrelu_batch_set_callback(softrelu_batch *batch, softrelu_batch_callback callback, void *user);
/** Asks a running softrelu_solve_batch() to stop: solves under way stop at their next check, the other targets are not begun.
   May be called from any thread and from a signal handler; forgotten when no batch runs. NULL is allowed. */
SOFTRELU_API void softrelu_batch_request_stop(softrelu_batch *batch);
/**
 * Solves for the first `targets` targets. Each result is, bit by bit, that of a single solve with the same data and one BLAS
 * thread, whatever the number of threads. A target that fails (NaN in its column, say) has its own status and message, the
 * others are solved. The time limit is for each target. Memory is taken only by the system for its threads; one that it refuses
 * is done without.
 * @param[out] x d rows, column t for target t: entry k is x[t * leading_dimension + k]. Columns of targets that failed or were
 *        not begun are left as they were.
 * @return SOFTRELU_OK when it ran, whatever became of the targets. SOFTRELU_ERROR_SIZE, SOFTRELU_ERROR_NULL,
 * SOFTRELU_ERROR_STATE: several threads asked for beside a BLAS of several threads, without leave to change that; a BLAS that
 * cannot be told; a call from the callback.
 */
SOFTRELU_API softrelu_status softrelu_solve_batch(softrelu_batch *batch, int64_t targets, double *x, int64_t leading_dimension);
/** What the solve of one target returned, SOFTRELU_OK also for one that was not begun. SOFTRELU_ERROR_SIZE for a target that
   the last run did not have. */
SOFTRELU_API softrelu_status softrelu_batch_status(const softrelu_batch *batch, int64_t target);
/** The message of a target that failed; "" when nothing did. Never NULL. */
SOFTRELU_API const char *softrelu_batch_target_message(const softrelu_batch *batch, int64_t target);
/** The report of one target, without a trace; SOFTRELU_NOT_RUN for one that failed or was not begun. NULL for a target that the
   last run did not have. Owned by the batch; the next run rewrites it. */
SOFTRELU_API const softrelu_report *softrelu_batch_report(const softrelu_batch *batch, int64_t target);
/** The certificate of one target: verdict, reason and quantities. Multipliers, kinks and direction are not kept: reading them
   is SOFTRELU_ERROR_STATE. NULL for a target that the last run did not have. */
SOFTRELU_API const softrelu_certificate *softrelu_batch_certificate(const softrelu_batch *batch, int64_t target);
/** Threads that took part in the last run, the calling one included. 0 before the first and for NULL. */
SOFTRELU_API int softrelu_batch_threads(const softrelu_batch *batch);
/** As softrelu_problem_message(), for the batch. */
SOFTRELU_API const char *softrelu_batch_message(const softrelu_batch *batch);

/* ------------------------------------------------------------------------------------------------------------------
 * Constants: what is known of F before any solve
 * ---------------------------------------------------------------------------------------------------------------- */

/** What is proved of F. */
typedef struct softrelu_constants softrelu_constants;

/**
 * The constants of a problem and of a point, X(enumerator, number, name, type, text). Pinned numbers and names. Everything is
 * proved in docs/constants.md. osc(v) = max v - min v; G is the Jacobian of the logits, C its rows centred by their f-weighted
 * mean. Bounds of the Hessian's eigenvalues have room for round-off; the others hold up to a few ulps of their terms.
 */
#define SOFTRELU_CONSTANT_LIST(X)                                                                                              \
    X(SOFTRELU_CONSTANT_REGULARISER_LEAST, 3010, "regulariser_least", SOFTRELU_REAL,                                           \
      "least eigenvalue of R = A1' diag(w^2) A1 + rho I")                                                                      \
    X(SOFTRELU_CONSTANT_REGULARISER_LARGEST, 3020, "regulariser_largest", SOFTRELU_REAL, "largest eigenvalue of R")            \
    X(SOFTRELU_CONSTANT_CURVATURE_BELOW, 3030, "curvature_below", SOFTRELU_REAL,                                               \
      "c1: D2loss[v, v] >= -c1 osc(v)^2 at all logits")                                                                        \
    X(SOFTRELU_CONSTANT_CURVATURE_ABOVE, 3040, "curvature_above", SOFTRELU_REAL,                                               \
      "c2: D2loss[v, v] <= c2 osc(v)^2 at all logits")                                                                         \
    X(SOFTRELU_CONSTANT_CURVATURE_CHANGE, 3050, "curvature_change", SOFTRELU_REAL,                                             \
      "c3: |D3loss[v, v, v]| <= c3 osc(v)^3 at all logits")                                                                    \
    X(SOFTRELU_CONSTANT_OUTPUT_DISTANCE, 3090, "output_distance", SOFTRELU_REAL,                                               \
      "largest distance between two rows of A2; a bound of it where that many pairs are too many")                             \
    X(SOFTRELU_CONSTANT_ROW_DISTANCE_ALL, 3100, "row_distance_all", SOFTRELU_REAL,                                             \
      "bound, over all cells, of the largest distance between two rows of G")                                                  \
    X(SOFTRELU_CONSTANT_SPECTRAL_NORM_ALL, 3110, "spectral_norm_all", SOFTRELU_REAL,                                           \
      "bound, over all points, of the spectral norm of C")                                                                     \
    X(SOFTRELU_CONSTANT_HESSIAN_LEAST_ALL, 3120, "hessian_least_all", SOFTRELU_REAL,                                           \
      "lower bound, over all points, of the Hessian's least eigenvalue")                                                       \
    X(SOFTRELU_CONSTANT_HESSIAN_LARGEST_ALL, 3130, "hessian_largest_all", SOFTRELU_REAL,                                       \
      "upper bound, over all points, of the Hessian's largest eigenvalue")                                                     \
    X(SOFTRELU_CONSTANT_HESSIAN_LIPSCHITZ_ALL, 3140, "hessian_lipschitz_all", SOFTRELU_REAL,                                   \
      "bound, over all cells, of the Hessian's Lipschitz constant within a cell (spectral norm)")                              \
    X(SOFTRELU_CONSTANT_CONVEX_IN_CELLS, 3150, "convex_in_cells", SOFTRELU_INTEGER, "1: F is proved convex in every cell")     \
    X(SOFTRELU_CONSTANT_CONVEX, 3160, "convex", SOFTRELU_INTEGER,                                                              \
      "1: F is proved convex, kinks included, on a convex set that holds every global minimiser")                              \
    X(SOFTRELU_CONSTANT_ROW_DISTANCE, 3200, "row_distance", SOFTRELU_REAL,                                                     \
      "largest distance between two rows of G at the point; a bound of it where row_distance_exact is 0")                      \
    X(SOFTRELU_CONSTANT_ROW_DISTANCE_EXACT, 3210, "row_distance_exact", SOFTRELU_INTEGER,                                      \
      "1: all pairs were looked at; 0: too many, the sum of the two largest distances from the mean row is given")             \
    X(SOFTRELU_CONSTANT_SPECTRAL_NORM, 3220, "spectral_norm", SOFTRELU_REAL, "spectral norm of C at the point")                \
    X(SOFTRELU_CONSTANT_HESSIAN_LEAST, 3230, "hessian_least", SOFTRELU_REAL, "least eigenvalue of the Hessian at the point")   \
    X(SOFTRELU_CONSTANT_HESSIAN_LEAST_CELL, 3240, "hessian_least_cell", SOFTRELU_REAL,                                         \
      "lower bound of the Hessian's least eigenvalue in the whole cell of the point")                                          \
    X(SOFTRELU_CONSTANT_HESSIAN_LIPSCHITZ, 3250, "hessian_lipschitz", SOFTRELU_REAL,                                           \
      "bound of the Hessian's Lipschitz constant in the cell of the point")                                                    \
    X(SOFTRELU_CONSTANT_KINK_DISTANCE, 3260, "kink_distance", SOFTRELU_REAL,                                                   \
      "distance from the point to the nearest kink; infinite when there is none")                                              \
    X(SOFTRELU_CONSTANT_KINK_UNIT, 3270, "kink_unit", SOFTRELU_INTEGER, "the unit whose kink that is; -1 when there is none")

#define SOFTRELU_ENUMERATE_CONSTANT(name, number, word, type, text) name = (number),
/** Constants of a problem or of a point. */
typedef enum softrelu_constant {
    SOFTRELU_CONSTANT_LIST(SOFTRELU_ENUMERATE_CONSTANT) SOFTRELU_CONSTANT_MAX_ = 0x7fffffff
} softrelu_constant;
#undef SOFTRELU_ENUMERATE_CONSTANT

/**
 * Computes the constants of a sealed problem: eigenvalues of four d x d matrices, and distances between the rows of A2. Its
 * memory is of the order of 2 n d + 5 d^2 doubles and blocks of rows of A2 and G: nothing grows like m d.
 * One thread at a time; to be destroyed before the problem.
 * @param[out] constants NULL on failure. @return SOFTRELU_ERROR_NULL, SOFTRELU_ERROR_STATE (not sealed), SOFTRELU_ERROR_MEMORY
 * or SOFTRELU_ERROR_LAPACK. Constants beyond double precision are infinite.
 */
SOFTRELU_API softrelu_status softrelu_constants_create(const softrelu_problem *problem, softrelu_constants **constants);
/** Frees the constants. NULL is allowed. */
SOFTRELU_API void softrelu_constants_destroy(softrelu_constants *constants);
/**
 * Computes the constants of a point x (d numbers). At a kink the cell is the one where the unit is off.
 * @return SOFTRELU_ERROR_NOT_FINITE (x), SOFTRELU_ERROR_SIZE, SOFTRELU_ERROR_OVERFLOW, SOFTRELU_ERROR_LAPACK or
 * SOFTRELU_ERROR_NULL; then the constants are at the point where they were.
 */
SOFTRELU_API softrelu_status softrelu_constants_move(softrelu_constants *constants, const double *x, int64_t length);
/** Reads a constant. SOFTRELU_ERROR_STATE for one of a point before the first softrelu_constants_move(). */
SOFTRELU_API softrelu_status softrelu_constants_number(const softrelu_constants *constants, softrelu_constant constant,
                                                       double *value);
/**
 * The least w^2 for which the theory proves that F with that one weight for every hidden row (in place of the problem's w) has
 * a Hessian with least eigenvalue >= modulus in every cell; infinite when no weight does (A1 has dependent columns and
 * rho < modulus).
 * @param modulus > 0. @return SOFTRELU_ERROR_VALUE or SOFTRELU_ERROR_NULL.
 */
SOFTRELU_API softrelu_status softrelu_constants_weight(softrelu_constants *constants, double modulus, double *weight_squared);
/** As softrelu_problem_message(), for the constants. */
SOFTRELU_API const char *softrelu_constants_message(const softrelu_constants *constants);

#ifdef __cplusplus
}
#endif

#endif
