#include "api/together.h"

#include <string.h>

/* Whether all ranks are in the same call, with memory that is laid out alike. */
static softrelu_status compare(struct srl_ranks *ranks, const struct srl_joint_call *joint, struct srl_message *message) {
    double ends[2 * (SRL_REGIONS + 1)] = {joint->kind, -joint->kind};
    for (int i = 0; i < SRL_REGIONS; i++) {
        ends[2 * i + 2] = (double)joint->regions[i].size;
        ends[2 * i + 3] = -(double)joint->regions[i].size;
    }
    srl_largest(ranks, 2 * (SRL_REGIONS + 1), ends);
    if (ranks->failed)
        return srl_fail_ranks(message);
    for (int i = 0; i <= SRL_REGIONS; i++)
        if (ends[2 * i] != -ends[2 * i + 1])
            return srl_fail(
                message, SOFTRELU_ERROR_STATE,
                i == 0 ? "the ranks are in different calls"
                       : "the ranks' handles are not alike: the same settings, bounds and starts have to be given on all");
    return SOFTRELU_OK;
}

static softrelu_status lead(struct srl_ranks *ranks, const struct srl_joint_call *joint) {
    ranks->leads = true;
    const softrelu_status status = joint->work(joint->context);
    ranks->leads = false;
    srl_dismiss(ranks);
    return status;
}

static void serve(struct srl_ranks *ranks) {
    struct srl_call call;
    while (srl_hear(ranks, &call))
        srl_serve(&call);
}

softrelu_status srl_together(struct srl_ranks *ranks, const struct srl_joint_call *joint, softrelu_status status,
                             struct srl_message *message) {
    if (ranks == NULL)
        return status == SOFTRELU_OK ? joint->work(joint->context) : status;
    if (ranks->failed)
        return srl_fail_ranks(message);
    status = srl_agree(ranks, status, message);
    if (status == SOFTRELU_OK)
        status = compare(ranks, joint, message);
    if (status != SOFTRELU_OK)
        return status;
    memcpy(ranks->regions, joint->regions, sizeof ranks->regions);
    ranks->interruption = joint->interruption;
    if (ranks->communicator.rank == 0)
        status = lead(ranks, joint);
    else
        serve(ranks);
    ranks->interruption = NULL;
    return srl_agree(ranks, status, message);
}
