/*
 * Random numbers without state: a number is a function of a seed, a stream and an index, by the counter-based generator Philox
 * (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011; the Random123 library). Whoever needs
 * the i-th number computes it, in any order and on any thread.
 */
#ifndef SRL_BASE_RANDOM_H
#define SRL_BASE_RANDOM_H

#include <stdint.h>

/* Uniform in (0, 1), 52 bits. */
double srl_random_uniform(uint64_t seed, uint64_t stream, uint64_t index);
/* Standard normal. */
double srl_random_normal(uint64_t seed, uint64_t stream, uint64_t index);

#endif
