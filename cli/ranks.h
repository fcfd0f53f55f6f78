/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The processes that run one command together. The program softrelu is one alone (ranks_alone.c), softrelu-mpi as many as
 * mpirun starts (mpi/ranks.c): each has its share of what there is for every output, and all take the same steps. What one may
 * fail in without the others is followed by ranks_agree(), so that nobody goes on and waits for ever. The first rank alone
 * writes.
 */
#ifndef SOFTRELU_CLI_RANKS_H
#define SOFTRELU_CLI_RANKS_H

#include "failure.h"

#include <softrelu/softrelu.h>

/* The program's name, and the commands that it has. */
extern const char program_name[];
extern const unsigned program_commands;

/* At the program's beginning and end; between them stdout is a place that only the first rank's leads anywhere. */
enum outcome ranks_begin(int *argc, char ***argv, struct failure *failure);
void ranks_end(void);

int ranks_rank(void);
int ranks_count(void);
/* For problems whose outputs are divided; NULL: they are not. */
const softrelu_communicator *ranks_communicator(void);

/* OUTCOME_OK when all have it, else the outcome of the first rank that has another, with its message. All ranks call it. */
enum outcome ranks_agree(enum outcome outcome, struct failure *failure);
/* Of so many numbers, divided as npy_part_first() says, each rank has its own; the first gets those of the others behind them.
   All ranks call it. */
void ranks_gather(double *values, int64_t entries);

#endif
