/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SOFTRELU_BENCH_PEERS_PEERS_H
#define SOFTRELU_BENCH_PEERS_PEERS_H

#include <stdbool.h>

/* Compares the peers' evaluation with the library's, and its parts with one another, at random points; prints the largest
   errors. */
bool check_evaluation(void);

#endif
