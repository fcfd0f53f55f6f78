/* SPDX-License-Identifier: BSD-3-Clause */
/* The softrelu program, and softrelu-mpi: finds the command, runs it, says what went wrong. It knows of the library only its
   public header. */
#include "commands.h"
#include "ranks.h"

#include "interrupt.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static enum outcome run_command(const struct arguments *arguments, struct failure *failure) {
    if (arguments->help) {
        help_command(arguments->command);
        return OUTCOME_OK;
    }
    switch (arguments->command) {
    case COMMAND_SOLVE:
        return command_solve(arguments, failure);
    case COMMAND_CHECK:
        return command_check(arguments, failure);
    case COMMAND_CERTIFY:
        return command_certify(arguments, failure);
    case COMMAND_CONSTANTS:
        return command_constants(arguments, failure);
    case COMMAND_COUNTERFACTUAL:
        return command_counterfactual(arguments, failure);
    case COMMAND_INVERT:
        return command_invert(arguments, failure);
    case COMMAND_CONVERT:
        return command_convert(arguments, failure);
    case COMMAND_INFO:
        return command_info(arguments, failure);
    }
    return OUTCOME_BAD_INPUT;
}

static enum outcome run(int argc, char **argv, struct failure *failure) {
    if (argc < 2) {
        return fail(failure, OUTCOME_BAD_INPUT, "no command given; try '%s --help'", program_name);
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        help_program();
        return OUTCOME_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("%s %s\n", program_name, softrelu_version());
        return OUTCOME_OK;
    }
    struct arguments arguments;
    enum outcome outcome = ranks_agree(arguments_parse(argc, argv, &arguments, failure), failure);
    if (ranks_rank() > 0) {
        arguments_mute(&arguments);
    }
    if (outcome == OUTCOME_OK) {
        if (arguments.map) {
            interrupt_at_lost_file();
        }
        outcome = run_command(&arguments, failure);
    }
    arguments_free(&arguments);
    return outcome;
}

int main(int argc, char **argv) {
    (void)signal(SIGPIPE, SIG_IGN); /* a reader that is gone is a failed write, with its message and exit status */
    struct failure failure = {""};
    enum outcome outcome = ranks_begin(&argc, &argv, &failure);
    if (outcome == OUTCOME_OK) {
        outcome = run(argc, argv, &failure);
    }
    if (outcome <= OUTCOME_STOPPED && (fflush(stdout) != 0 || ferror(stdout) != 0)) { /* a full disk behind a redirection */
        outcome = fail(&failure, OUTCOME_RESOURCES, "cannot write the result to standard output: %s", strerror(errno));
    }
    outcome = ranks_agree(outcome, &failure);
    if (outcome > OUTCOME_STOPPED && ranks_rank() == 0) {
        (void)fprintf(stderr, "%s: error: %s\n", program_name, failure.text);
    }
    ranks_end();
    return (int)outcome;
}
