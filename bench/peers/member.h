/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A member of the synthetic family: a random network, a target that a random teacher input makes, moved by noise in the logits,
 * and a random starting point. One seed gives the same network, teacher and start in every regime (noise, weight).
 */
#ifndef SOFTRELU_BENCH_PEERS_MEMBER_H
#define SOFTRELU_BENCH_PEERS_MEMBER_H

#include "support.h"

struct member {
    int n, d, m;
    double noise, weight;
    uint64_t seed;
    struct network network;
    double *x0; /* d */
};

struct member *member_create(int n, int d, int m, double noise, double weight, uint64_t seed);
void member_destroy(struct member *member);

#endif
