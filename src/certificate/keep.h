/* Certificates that outlive the examination: the results without the work memory. */
#ifndef SRL_CERTIFICATE_KEEP_H
#define SRL_CERTIFICATE_KEEP_H

#include "certificate/certificate.h"

/* Room for the results that are vectors. A certificate that has not been given any keeps verdict and quantities only. */
void srl_kept_certificate_carve(struct srl_arena *arena, struct softrelu_certificate *kept, const struct srl_model *model);
/* kept, which may be a certificate with work memory too, becomes what `of` says. */
void srl_certificate_keep(struct softrelu_certificate *kept, const struct softrelu_certificate *of);

#endif
