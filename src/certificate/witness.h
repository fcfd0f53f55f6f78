/* Kinks at a point, and multipliers that prove it stationary if anything does. */
#ifndef SRL_CERTIFICATE_WITNESS_H
#define SRL_CERTIFICATE_WITNESS_H

#include "certificate/certificate.h"

/* Fills kinks, at_kink and bound for the evaluated x. */
void srl_find_kinks(struct softrelu_certificate *certificate, const double *x, double kink_tolerance);
/* a = a_i / |a_i| of a kink. */
void srl_kink_row(const struct softrelu_certificate *certificate, const struct srl_kink *kink, double *row);
/* gradient = g, ridges on the side their flag says. */
void srl_find_gradient(struct softrelu_certificate *certificate, const double *x);
/* The multipliers of the kinks that are no ridges (|W| <= noise counts as W = 0), and rest; returns |rest|. False in *solved
   when LAPACK refuses. */
double srl_find_witness(struct softrelu_certificate *certificate, double noise, bool *solved);
/* F'(x; p), by adding up. */
double srl_directional_derivative(const struct softrelu_certificate *certificate, const double *p);
/* Takes out of vector what pushes x out of its bounds when moved against vector; keeps it in mu, unless that is NULL. */
void srl_absorb(const struct softrelu_certificate *certificate, double *vector, double *mu);

#endif
