/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SOFTRELU_CLI_CLOCK_H
#define SOFTRELU_CLI_CLOCK_H

/* Seconds from a moment in the past, on a clock that nobody sets. */
double clock_seconds(void);

#endif
