/*
 * How much the output loss can curve, whatever the logits: with osc(v) = max v - min v,
 *
 *     -below osc(v)^2 <= D2loss[v, v] <= above osc(v)^2,        |D3loss[v, v, v]| <= change osc(v)^3
 *
 * for every direction v of the logits, at all logits. The constants depend on the loss and on b only; docs/constants.md has the
 * proofs.
 */
#ifndef SRL_MODEL_LOSS_CONSTANTS_H
#define SRL_MODEL_LOSS_CONSTANTS_H

#include "model/model.h"

struct srl_loss_constants {
    double below, above, change;
};

struct srl_loss_constants srl_loss_constants_of(const struct srl_model *model);

#endif
