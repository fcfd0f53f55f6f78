/* SPDX-License-Identifier: BSD-3-Clause */
/* The result as a person reads it, on stdout, within 80 columns. */
#ifndef SOFTRELU_CLI_SUMMARY_H
#define SOFTRELU_CLI_SUMMARY_H

#include "report_json.h"

/* f: the outputs at the best x, m numbers. out, report: where things were written, or NULL. */
void summary_print(const struct solve_result *result, const double *f, const char *out, const char *report);

#endif
