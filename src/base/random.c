#include "base/random.h"

#include <Random123/philox.h>
#include <math.h>

static const double TWO_PI = 6.283185307179586;

static philox4x32_ctr_t bits_of(uint64_t seed, uint64_t stream, uint64_t index) {
    const philox4x32_ctr_t counter = {{(uint32_t)index, (uint32_t)(index >> 32), (uint32_t)stream, (uint32_t)(stream >> 32)}};
    const philox4x32_key_t key = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
    return philox4x32(counter, key);
}

/* The middles of 2^52 equal parts of (0, 1). */
static double to_unit_interval(uint32_t high, uint32_t low) {
    const uint64_t bits = ((uint64_t)high << 32 | low) >> 12;
    return ((double)bits + 0.5) * 0x1p-52;
}

double srl_random_uniform(uint64_t seed, uint64_t stream, uint64_t index) {
    const philox4x32_ctr_t bits = bits_of(seed, stream, index);
    return to_unit_interval(bits.v[0], bits.v[1]);
}

double srl_random_normal(uint64_t seed, uint64_t stream, uint64_t index) { /* Box and Muller */
    const philox4x32_ctr_t bits = bits_of(seed, stream, index);
    return sqrt(-2.0 * log(to_unit_interval(bits.v[0], bits.v[1]))) * cos(TWO_PI * to_unit_interval(bits.v[2], bits.v[3]));
}
