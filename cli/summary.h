/* SPDX-License-Identifier: BSD-3-Clause */
/* The result as a person reads it, on stdout, within 80 columns. */
#ifndef SOFTRELU_CLI_SUMMARY_H
#define SOFTRELU_CLI_SUMMARY_H

#include "arguments.h"
#include "report_json.h"

/* f: the outputs at the best x, m numbers. Says what was written, too. */
void summary_print(const struct solve_result *result, const double *f, const struct arguments *arguments);

#endif
