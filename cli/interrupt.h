/* SPDX-License-Identifier: BSD-3-Clause */
/* SIGINT, SIGTERM and SIGUSR1, which batch systems and mpirun pass on, while a solve runs: the first asks the solver to stop, a
   second one like it ends the program at once. And SIGBUS. */
#ifndef SOFTRELU_CLI_INTERRUPT_H
#define SOFTRELU_CLI_INTERRUPT_H

#include "failure.h"

#include <softrelu/softrelu.h>

/* From here on signals ask this solver to stop. A signal that the program was started to ignore stays ignored. */
void interrupt_begin(softrelu_solver *solver);
/* The same for a batch. */
void interrupt_begin_batch(softrelu_batch *batch);
/* The same for a search. */
void interrupt_begin_search(softrelu_counterfactual *search);
/* From here on a mapped file that ends before what is read of it, or that a disk fails to give, ends the program with a message
   and OUTCOME_RESOURCES, in place of the signal alone (SIGBUS). */
void interrupt_at_lost_file(void);
/* The signal that came, 0 for none. */
int interrupt_signal(void);
/* In words, when there was one. */
const char *interrupt_text(void);
/* From here on the signals are ignored: the results are being written, and that is short. */
void interrupt_end(void);

#endif
