/* Calls that all ranks of a problem make together: the first one leads, the others serve it (base/ranks.h). */
#ifndef SRL_API_TOGETHER_H
#define SRL_API_TOGETHER_H

#include "base/ranks.h"

/* One such call. */
struct srl_joint_call {
    int kind;                               /* which function it is: all ranks have to be in the same one */
    struct srl_region regions[SRL_REGIONS]; /* the handle's memory, and its problem's */
    struct srl_interruption *interruption;  /* of a solve, where it is one */
    softrelu_status (*work)(void *context); /* what the first rank does, or the only one */
    void *context;
};

enum {
    SRL_CALL_MOVE,
    SRL_CALL_DIFFERENTIATE,
    SRL_CALL_HESSIAN,
    SRL_CALL_SAMPLED,
    SRL_CALL_PRODUCT,
    SRL_CALL_CHECK,
    SRL_CALL_CERTIFY,
    SRL_CALL_SOLVE
};

/* status: what came of the checks of arguments on this rank, with message; an error of one rank is all ranks' error. Where
   there are no others (ranks = NULL) that is status, or work's. */
softrelu_status srl_together(struct srl_ranks *ranks, const struct srl_joint_call *joint, softrelu_status status,
                             struct srl_message *message);

/* Does what the first rank tells. */
void srl_serve(const struct srl_call *call);

#endif
