#include "base/random.h"

#include <math.h>

uint64_t srl_random_bits(struct srl_random *random) {
    uint64_t z = (random->state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

double srl_random_normal(struct srl_random *random) {
    /* radius from a uniform in (0, 1], angle from one in [0, 1) */
    double radius = sqrt(-2.0 * log(((double)(srl_random_bits(random) >> 11) + 1.0) * 0x1p-53));
    double angle = 6.283185307179586 * ((double)(srl_random_bits(random) >> 11) * 0x1p-53);
    return radius * cos(angle);
}
