/*
 * The face of a certified point x: the set where its kinks stay kinks and its bounds stay bounds, an affine subspace. x lies at
 * its bounds exactly, and next to its kinks.
 *
 * With A the unit rows of the kinks on the entries of x that are at no bound, A' = QR. The nearest point of the face with the
 * bounds of x is x - Q R^-T u, and multipliers lambda solve A'lambda = -g there, so they change by R^-1 Q' times a change of g.
 */
#ifndef SRL_CERTIFICATE_PINNED_H
#define SRL_CERTIFICATE_PINNED_H

#include "certificate/certificate.h"

struct srl_pinned {
    int64_t kinks, bounds, free; /* free: its dimension */
    double inverse;              /* at least the norm of R^-1 */
    double all_inverse;          /* likewise of the pseudo-inverse of all rows, those of the bounds included */
    double offset;               /* x is no further from the face */
    double tilt;                 /* sine of the angle between it and the computed basis, at most */
};

/* What to say when the kinks are not known to meet: no face. False in *meets; false is returned when LAPACK refuses. rates
   (n): |lambda_k| changes by at most rates_k |change of g|. */
bool srl_find_pinned(struct softrelu_certificate *certificate, const struct srl_curvature *found, double *rates,
                     struct srl_pinned *face, bool *meets);

#endif
