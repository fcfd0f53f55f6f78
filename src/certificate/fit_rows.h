/* Rows of the logits' Jacobian G on the subspace, in blocks, and what they are centred by. */
#ifndef SRL_CERTIFICATE_FIT_ROWS_H
#define SRL_CERTIFICATE_FIT_ROWS_H

#include "certificate/curvature.h"

/* No two rows, each centred by the same mean, are further apart than the two longest together. */
struct srl_longest {
    double first, second;
};
void srl_see_length(struct srl_longest *longest, double length);

/* Lists the units that the cell counts as active, and makes the mean. */
int64_t srl_begin_fit_rows(struct srl_curvature_work *work, const struct srl_model *model, const struct srl_evaluation *at,
                           const unsigned char *on);
/* C_j = (G_j - G_top) - mean into work->logits for count <= SRL_MAPPED outputs; returns their share of the trace of the
   Hessian with every sign made plus and every difference undone. */
double srl_centred_rows(struct srl_curvature_work *work, const struct srl_model *model, const struct srl_evaluation *at,
                        const unsigned char *on, int64_t active, int64_t first, int64_t count);

#endif
