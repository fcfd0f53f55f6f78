/* SPDX-License-Identifier: BSD-3-Clause */
/* The commands. Each prints its result on stdout; the outcome is the exit status. */
#ifndef SOFTRELU_CLI_COMMANDS_H
#define SOFTRELU_CLI_COMMANDS_H

#include "arguments.h"

enum outcome command_solve(const struct arguments *arguments, struct failure *failure);
enum outcome command_check(const struct arguments *arguments, struct failure *failure);
enum outcome command_certify(const struct arguments *arguments, struct failure *failure);
enum outcome command_constants(const struct arguments *arguments, struct failure *failure);
enum outcome command_counterfactual(const struct arguments *arguments, struct failure *failure);
enum outcome command_invert(const struct arguments *arguments, struct failure *failure);
enum outcome command_convert(const struct arguments *arguments, struct failure *failure);
enum outcome command_info(const struct arguments *arguments, struct failure *failure);

#endif
