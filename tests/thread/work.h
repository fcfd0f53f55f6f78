/*
 * What a solve is doing, counted. The linker puts these functions in front of those of linalg/blas.h and in front of the phases
 * of a solve (tests/thread/CMakeLists.txt), so that a test can act inside any of them, and see what is begun after that. One
 * thread only.
 */
#ifndef SOFTRELU_TESTS_WORK_H
#define SOFTRELU_TESTS_WORK_H

#include <stdbool.h>
#include <stdint.h>

/* PHASE(enumerator, name) */
#define PHASE_LIST(PHASE)                                                                                                      \
    PHASE(WARM_START, "warm start")                                                                                            \
    PHASE(OPENING, "opening")                                                                                                  \
    PHASE(ASSEMBLY, "assembly")                                                                                                \
    PHASE(SMALL_ASSEMBLY, "assembly of few rows")                                                                              \
    PHASE(FACTORISATION, "factorisation")                                                                                      \
    PHASE(QP, "hinge QP")                                                                                                      \
    PHASE(MULTIPLIERS, "multipliers")                                                                                          \
    PHASE(LINE_SEARCH, "line search")                                                                                          \
    PHASE(SAMPLING, "sampling")                                                                                                \
    PHASE(CONJUGATE_GRADIENTS, "conjugate gradients")                                                                          \
    PHASE(CERTIFICATE, "certificate")                                                                                          \
    PHASE(DISTANCE, "distance bound")                                                                                          \
    PHASE(CONVEXITY, "convexity")

#define PHASE_ENUMERATOR(id, name) PHASE_##id,
enum phase { PHASE_LIST(PHASE_ENUMERATOR) PHASES };
#undef PHASE_ENUMERATOR
extern const char *const PHASE_NAME[PHASES];

struct work {
    int64_t calls;          /* of BLAS 2, BLAS 3 and LAPACK */
    int64_t heavy;          /* of them, BLAS 3 and LAPACK */
    int64_t factorisations; /* of them, Cholesky factorisations of the order work_order and what LAPACK does that takes longer,
                               but for multipliers, of which there are mostly fewer */
    double flops;
    const char *largest; /* name of the one with the most */
    double largest_flops;
};

/* Begun since work_reset(). */
extern struct work work;
extern int64_t work_order;
void work_reset(void);
/* Called at the beginning of every call, which has just been counted; NULL: nothing is. */
extern void (*work_begins)(void);
/* Whether the phase is under way. */
bool work_in(enum phase phase);

#endif
