/* SPDX-License-Identifier: BSD-3-Clause */
/* Entries of x that must not change. */
#ifndef SOFTRELU_CLI_FREEZE_H
#define SOFTRELU_CLI_FREEZE_H

#include "failure.h"

#include <stdint.h>

/* Reads "0,4,10-20" (entries counted from 0, ranges with both ends), or the .npy file of that name with d entries that are 0 or
   1, into d new flags, to be freed by the caller. */
enum outcome freeze_read(const char *text, int64_t d, signed char **frozen, struct failure *failure);

#endif
