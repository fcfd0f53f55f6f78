/* SPDX-License-Identifier: BSD-3-Clause */
/* The largest outputs, f beside b, with a small picture. */
#ifndef SOFTRELU_CLI_OUTPUTS_TABLE_H
#define SOFTRELU_CLI_OUTPUTS_TABLE_H

#include "names.h"

/* f and b have m entries, and names as many or none. */
void outputs_table_print(const double *f, const double *b, int64_t m, const struct names *names);

#endif
