/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SOFTRELU_BENCH_PEERS_PEERS_H
#define SOFTRELU_BENCH_PEERS_PEERS_H

#include <stdbool.h>

/* Compares the peers' evaluation with the library's, and its parts with one another, at random points; prints the largest
   errors. */
bool check_evaluation(void);

/* What a fork leaves to be done later is done at once: pages of programs are looked up, pages of data copied. Otherwise the
   solver would pay for it that uses more of the libraries, or of the memory, than the evaluation has used before. */
void bring_memory_in(void);

#endif
