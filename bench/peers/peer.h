/* SPDX-License-Identifier: BSD-3-Clause */
/* A solver in the race. */
#ifndef SOFTRELU_BENCH_PEERS_PEER_H
#define SOFTRELU_BENCH_PEERS_PEER_H

#include "evaluation.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { STATUS_ROOM = 128 };

struct peer {
    const char *name;
    /* Minimises from x, where it leaves its solution, and says in a few words how it ended. Its tolerances are set as tight as
       they go: the race ends it where it makes no more progress, and need not return to it. */
    void (*solve)(struct evaluation *evaluation, double *x, char status[STATUS_ROOM]);
};

/* Ends with a peer without a name. */
extern const struct peer softrelu_peers[], liblbfgs_peers[], nlopt_peers[], gsl_peers[], cminpack_peers[], ipopt_peers[],
    ceres_peers[];

#ifdef __cplusplus
}
#endif

#endif
