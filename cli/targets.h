/* SPDX-License-Identifier: BSD-3-Clause */
/* softrelu solve with many targets, the rows of b. */
#ifndef SOFTRELU_CLI_TARGETS_H
#define SOFTRELU_CLI_TARGETS_H

#include "session.h"

/* Solves for all targets with the session's settings and start, writes x and report, prints the summary. OUTCOME_STOPPED when
   one of them did not converge. */
enum outcome solve_targets(const struct arguments *arguments, const struct session *session, struct failure *failure);

#endif
