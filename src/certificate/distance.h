/*
 * How far a certified point is at most from a local minimiser: the theorem of Newton and Kantorovich on the face that the kinks
 * and the bounds of the point make. docs/kinks.md has the proof.
 */
#ifndef SRL_CERTIFICATE_DISTANCE_H
#define SRL_CERTIFICATE_DISTANCE_H

#include "certificate/certificate.h"

struct srl_distance {
    softrelu_distance answer;
    double bound;  /* of the distance to the minimiser; NaN where the answer is not that it is proved */
    double radius; /* of a ball of quadratic convergence on the face; NaN likewise */
};

/* For a certified x with all multipliers strictly inside their intervals; found: its curvature, just computed, whose
   factor is still there. Overwrites the certificate's scratch. False when LAPACK refuses. */
bool srl_bound_distance(struct softrelu_certificate *certificate, const double *x, const struct srl_curvature *found,
                        struct srl_distance *distance);

#endif
