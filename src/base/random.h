/*
 * Seeded random numbers: splitmix64, the mixer of Steele, Lea and Flood, "Fast splittable pseudorandom number generators"
 * (OOPSLA 2014); normal deviates by Box and Muller. Used where a direction is needed, not where statistics matter.
 */
#ifndef SRL_BASE_RANDOM_H
#define SRL_BASE_RANDOM_H

#include <stdint.h>

struct srl_random {
    uint64_t state;
};

/* Next 64 uniform bits. */
uint64_t srl_random_bits(struct srl_random *random);
/* Next standard normal deviate. */
double srl_random_normal(struct srl_random *random);

#endif
