/* SPDX-License-Identifier: BSD-3-Clause */
#include "member.h"

#include <stdlib.h>

struct member *member_create(int n, int d, int m, double noise, double weight, uint64_t seed) {
    struct member *member = calloc(1, sizeof *member);
    need(member != NULL, "out of memory");
    *member = (struct member){n, d, m, noise, weight, seed, {0}, numbers(d)};
    struct generator generator = {seed * 0xD1342543DE82EF95u + 1};
    member->network = random_network(&generator, n, d, m, 0.0, 0.0);
    member->network.w = weight;
    double *teacher = numbers(d), *z = numbers(m);
    draw_normals(&generator, 1.0, d, teacher);
    draw_normals(&generator, 1.0, d, member->x0);
    network_logits(&member->network, teacher, z);
    aim_at(&member->network, &generator, noise, z);
    free(teacher);
    free(z);
    return member;
}

void member_destroy(struct member *member) {
    network_free(&member->network);
    free(member->x0);
    free(member);
}
