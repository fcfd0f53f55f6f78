/* SPDX-License-Identifier: BSD-3-Clause */
#include "arguments.h"

#include "archive.h"
#include "number.h"
#include "ranks.h"
#include "text.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIRST_VALUE = 256,
    OPTIONS_MAX = 64,
    THREADS_MAX = 256,
    ANSWERS_MAX = 250,
    STARTS_MAX = 1000,
    SIDE_MAX = 1024
}; /* getopt's values of options start above all characters */

static bool takes(enum command command, size_t index) { return (option_kind(index)->commands & (unsigned)command) != 0; }

/* "did you mean" for an option that does not exist. */
static enum outcome unknown_option(enum command command, const char *given, struct failure *failure) {
    const char *word = given + strspn(given, "-");
    const char *nearest = NULL;
    size_t distance = 0;
    for (size_t i = 0; i < option_count(); i++) {
        const size_t d = text_distance(word, option_kind(i)->flag);
        if (takes(command, i) && (nearest == NULL || d < distance)) {
            nearest = option_kind(i)->flag;
            distance = d;
        }
    }
    if (nearest != NULL && text_is_near(word, distance)) {
        return fail(failure, OUTCOME_BAD_INPUT, "%s: unknown option '%s'; did you mean '--%s'?", command_name(command), given,
                    nearest);
    }
    return fail(failure, OUTCOME_BAD_INPUT, "%s: unknown option '%s'; '%s %s --help' lists them all", command_name(command),
                given, program_name, command_name(command));
}

static enum outcome unknown_command(const char *given, struct failure *failure) {
    const char *nearest = NULL;
    size_t distance = SIZE_MAX;
    for (unsigned command = 1; command <= COMMAND_LAST; command *= 2) {
        const char *name = command_name((enum command)command);
        if (text_distance(given, name) < distance) {
            nearest = name;
            distance = text_distance(given, name);
        }
    }
    return nearest != NULL && text_is_near(given, distance)
               ? fail(failure, OUTCOME_BAD_INPUT, "unknown command '%s'; did you mean '%s'?", given, nearest)
               : fail(failure, OUTCOME_BAD_INPUT, "unknown command '%s'; '%s --help' lists them all", given, program_name);
}

static enum outcome set_once(const char **slot, const char *flag, const char *value, struct failure *failure) {
    if (*slot != NULL) {
        return fail(failure, OUTCOME_BAD_INPUT, "--%s is given twice: '%s' and '%s'", flag, *slot, value);
    }
    *slot = value;
    return OUTCOME_OK;
}

static enum outcome parse_loss(struct arguments *arguments, const char *value, struct failure *failure) {
    arguments->has_loss = true;
    if (strcmp(value, "squares") != 0 && strcmp(value, "kl") != 0) {
        return fail(failure, OUTCOME_BAD_INPUT, "--loss '%s': expected squares or kl", value);
    }
    arguments->loss = value[0] == 'k' ? SOFTRELU_KL : SOFTRELU_SQUARES;
    return OUTCOME_OK;
}

static enum outcome parse_modulus(struct arguments *arguments, const char *value, struct failure *failure) {
    double modulus = 0;
    if (!number_parse(value, &modulus) || !(modulus > 0) || isinf(modulus)) {
        return fail(failure, OUTCOME_BAD_INPUT, "--modulus '%s': expected a finite number > 0", value);
    }
    arguments->modulus = modulus;
    return OUTCOME_OK;
}

/* "28x28" */
static enum outcome parse_shape(struct arguments *arguments, const char *value, struct failure *failure) {
    const char *cross = strchr(value, 'x');
    char rows[8] = "";
    uint64_t sides[2] = {0, 0};
    if (cross != NULL && (size_t)(cross - value) < sizeof rows) {
        memcpy(rows, value, (size_t)(cross - value));
    }
    if (cross == NULL || !number_parse_unsigned(rows, &sides[0]) || !number_parse_unsigned(cross + 1, &sides[1]) ||
        sides[0] < 1 || sides[1] < 1 || sides[0] > SIDE_MAX || sides[1] > SIDE_MAX) {
        return fail(failure, OUTCOME_BAD_INPUT, "--shape '%s': expected rows x columns, such as 28x28, each up to %d", value,
                    SIDE_MAX);
    }
    arguments->rows = (int64_t)sides[0];
    arguments->columns = (int64_t)sides[1];
    return OUTCOME_OK;
}

static enum outcome parse_setting(struct arguments *arguments, const char *value, struct failure *failure) {
    const char *equals = strchr(value, '=');
    if (equals == NULL || equals == value) {
        return fail(failure, OUTCOME_BAD_INPUT, "--set '%s': expected NAME=VALUE", value);
    }
    const size_t length = (size_t)(equals - value);
    struct setting_text *given = &arguments->settings[arguments->setting_count];
    given->name = malloc(length + 1);
    if (given->name == NULL) {
        return fail(failure, OUTCOME_RESOURCES, "out of memory");
    }
    memcpy(given->name, value, length);
    given->name[length] = '\0';
    given->option = "set";
    given->value = equals + 1;
    arguments->setting_count++;
    return OUTCOME_OK;
}

static enum outcome apply(struct arguments *arguments, const struct option_kind *option, const char *value,
                          struct failure *failure) {
    switch (option->action) {
    case ACTION_INPUT:
        return set_once(&arguments->input[option->target], option->flag, value, failure);
    case ACTION_LOSS:
        return parse_loss(arguments, value, failure);
    case ACTION_OUT:
        return set_once(&arguments->out, option->flag, value, failure);
    case ACTION_REPORT:
        return set_once(&arguments->report, option->flag, value, failure);
    case ACTION_HTML:
        return set_once(&arguments->html, option->flag, value, failure);
    case ACTION_SVG:
        return set_once(&arguments->svg, option->flag, value, failure);
    case ACTION_SHAPE:
        return parse_shape(arguments, value, failure);
    case ACTION_SET:
        return parse_setting(arguments, value, failure);
    case ACTION_SETTING:
        arguments->settings[arguments->setting_count++] =
            (struct setting_text){option->flag, NULL, (softrelu_setting)option->target, value};
        return OUTCOME_OK;
    case ACTION_SEED:
        return number_parse_unsigned(value, &arguments->seed)
                   ? OUTCOME_OK
                   : fail(failure, OUTCOME_BAD_INPUT, "--seed '%s': expected a whole number from 0 to 2^64 - 1", value);
    case ACTION_MODULUS:
        return parse_modulus(arguments, value, failure);
    case ACTION_CLASS:
        return set_once(&arguments->wanted, option->flag, value, failure);
    case ACTION_NAMES:
        return set_once(&arguments->names_file, option->flag, value, failure);
    case ACTION_CONFIDENCE:
        return number_parse(value, &arguments->confidence) && arguments->confidence > 0 && arguments->confidence < 1
                   ? OUTCOME_OK
                   : fail(failure, OUTCOME_BAD_INPUT, "--confidence '%s': expected a number between 0 and 1", value);
    case ACTION_FREEZE:
        return set_once(&arguments->freeze, option->flag, value, failure);
    case ACTION_ANSWERS:
        return number_parse_unsigned(value, &arguments->answers) && arguments->answers >= 1 && arguments->answers <= ANSWERS_MAX
                   ? OUTCOME_OK
                   : fail(failure, OUTCOME_BAD_INPUT, "--answers '%s': expected a whole number from 1 to %d", value,
                          ANSWERS_MAX);
    case ACTION_STARTS:
        return number_parse_unsigned(value, &arguments->starts) && arguments->starts >= 1 && arguments->starts <= STARTS_MAX
                   ? OUTCOME_OK
                   : fail(failure, OUTCOME_BAD_INPUT, "--starts '%s': expected a whole number from 1 to %d", value, STARTS_MAX);
    case ACTION_WITHIN:
        return number_parse(value, &arguments->within) && arguments->within >= 0 && arguments->within <= 1
                   ? OUTCOME_OK
                   : fail(failure, OUTCOME_BAD_INPUT, "--within '%s': expected a number from 0 to 1", value);
    case ACTION_THREADS:
        return number_parse_unsigned(value, &arguments->threads) && arguments->threads >= 1 && arguments->threads <= THREADS_MAX
                   ? OUTCOME_OK
                   : fail(failure, OUTCOME_BAD_INPUT, "--threads '%s': expected a whole number from 1 to %d", value,
                          THREADS_MAX);
    case ACTION_JSON:
        arguments->json = true;
        return OUTCOME_OK;
    case ACTION_MAP:
        arguments->map = true;
        return OUTCOME_OK;
    case ACTION_QUIET:
        arguments->quiet = true;
        return OUTCOME_OK;
    case ACTION_VERBOSE:
        arguments->verbose = true;
        return OUTCOME_OK;
    case ACTION_HELP:
        arguments->help = true;
        return OUTCOME_OK;
    }
    return OUTCOME_OK;
}

/* getopt's table of the options this command takes, its values leading back to ours. */
static void fill_table(enum command command, struct option table[OPTIONS_MAX]) {
    size_t used = 0;
    for (size_t i = 0; i < option_count() && used + 1 < OPTIONS_MAX; i++) {
        if (takes(command, i)) {
            const struct option_kind *kind = option_kind(i);
            table[used++] = (struct option){kind->flag, kind->argument != NULL ? required_argument : no_argument, NULL,
                                            FIRST_VALUE + (int)i};
        }
    }
    table[used] = (struct option){NULL, 0, NULL, 0};
}

static enum outcome refuse(enum command command, int found, char **argv, struct failure *failure) {
    if (found == ':') {
        const struct option_kind *kind = option_kind((size_t)(optopt - FIRST_VALUE));
        return fail(failure, OUTCOME_BAD_INPUT, "--%s needs an argument (%s)", kind->flag, kind->argument);
    }
    if (optopt >= FIRST_VALUE) {
        return fail(failure, OUTCOME_BAD_INPUT, "--%s takes no argument", option_kind((size_t)(optopt - FIRST_VALUE))->flag);
    }
    if (optopt != 0) { /* one dash: getopt may still be inside a cluster of letters */
        const char given[3] = {'-', (char)optopt, '\0'};
        return unknown_option(command, given, failure);
    }
    return unknown_option(command, argv[optind - 1], failure);
}

static enum outcome parse_options(int argc, char **argv, struct arguments *arguments, struct failure *failure) {
    struct option table[OPTIONS_MAX];
    fill_table(arguments->command, table);
    opterr = 0; /* the messages are ours */
    optind = 1;
    for (int found; (found = getopt_long(argc, argv, ":h", table, NULL)) != -1;) {
        if (found == ':' || found == '?') {
            return refuse(arguments->command, found, argv, failure);
        }
        if (found == 'h') {
            arguments->help = true;
            continue;
        }
        const enum outcome outcome = apply(arguments, option_kind((size_t)(found - FIRST_VALUE)), optarg, failure);
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
    }
    for (int i = 0; i < command_words(arguments->command) && optind < argc; i++) {
        arguments->word[i] = argv[optind++];
    }
    if (optind < argc) {
        return fail(failure, OUTCOME_BAD_INPUT, "%s: unexpected argument '%s'; arrays are given with options such as --A1",
                    command_name(arguments->command), argv[optind]);
    }
    return OUTCOME_OK;
}

/* The input of that name in files that hold a whole problem; INPUT_COUNT for none. */
static int input_named(const char *name) {
    int id = 0;
    while (id < INPUT_COUNT && (input_kind(id)->name == NULL || strcmp(input_kind(id)->name, name) != 0)) {
        id++;
    }
    return id;
}

static bool takes_input(enum command command, int id) {
    bool found = false;
    for (size_t i = 0; i < option_count() && !found; i++) {
        found = takes(command, i) && option_kind(i)->action == ACTION_INPUT && option_kind(i)->target == id;
    }
    return found;
}

static bool takes_names(enum command command) {
    bool found = false;
    for (size_t i = 0; i < option_count() && !found; i++) {
        found = takes(command, i) && option_kind(i)->action == ACTION_NAMES;
    }
    return found;
}

/* Puts FILE:GROUP/NAME in the place of an option that was not given. A class asks for other outputs than b. */
static enum outcome take_array(struct arguments *arguments, const struct archive_address *address, const char *name,
                               struct failure *failure) {
    const int id = input_named(name);
    if (id == INPUT_COUNT) {
        return fail(failure, OUTCOME_BAD_INPUT,
                    "'%s': array '%s' is no part of a problem: A1, A2, b, c1, c2, w, rho, x_ref, x0, lower, upper",
                    address->path, name);
    }
    if (arguments->input[id] != NULL || !takes_input(arguments->command, id) || (id == INPUT_B && arguments->wanted != NULL)) {
        return OUTCOME_OK;
    }
    const char *group = address->name != NULL ? address->name : "";
    const size_t room = strlen(address->path) + strlen(group) + strlen(name) + 3;
    char *text = malloc(room);
    if (text == NULL) {
        return fail(failure, OUTCOME_RESOURCES, "out of memory");
    }
    (void)snprintf(text, room, "%s:%s%s%s", address->path, group, group[0] != '\0' ? "/" : "", name);
    arguments->input_found[id] = text;
    arguments->input[id] = text;
    return OUTCOME_OK;
}

/* Everything of the problem file that no option replaces. */
static enum outcome take_problem(struct arguments *arguments, struct failure *failure) {
    struct archive_address address;
    struct archive archive = {0};
    enum outcome outcome = archive_address_parse(arguments->word[0], &address, failure);
    if (outcome == OUTCOME_OK) {
        outcome = archive_open(address.path, address.name, &archive, failure);
    }
    for (size_t i = 0; i < archive.count && outcome == OUTCOME_OK; i++) {
        outcome = take_array(arguments, &address, archive.names[i], failure);
    }
    if (outcome == OUTCOME_OK && archive.loss != NULL && !arguments->has_loss) {
        outcome = parse_loss(arguments, archive.loss, failure);
    }
    if (outcome == OUTCOME_OK && takes_names(arguments->command) && arguments->names_file == NULL) {
        outcome = archive_outputs(&archive, &arguments->names, failure);
    }
    archive_close(&archive);
    archive_address_free(&address);
    return outcome;
}

/* What no single option can know. */
static enum outcome check_together(const struct arguments *arguments, struct failure *failure) {
    if (arguments->help) {
        return OUTCOME_OK;
    }
    for (size_t i = 0; i < option_count(); i++) {
        const struct option_kind *option = option_kind(i);
        const bool required =
            option->action == ACTION_INPUT && (arguments->command != COMMAND_INVERT || option->target != INPUT_B) &&
            (input_kind(option->target)->required || (arguments->command == COMMAND_CERTIFY && option->target == INPUT_X));
        if (takes(arguments->command, i) && required && arguments->input[option->target] == NULL) {
            const int meaning = (int)strcspn(option->text, "(") - 1; /* up to " (required)" */
            const bool in_problem = input_kind(option->target)->name != NULL;
            return fail(failure, OUTCOME_BAD_INPUT, "%s: --%s is missing: %.*s; give a file%s",
                        command_name(arguments->command), option->flag, meaning, option->text,
                        in_problem ? ", or a PROBLEM that holds it" : "");
        }
    }
    if (ranks_communicator() != NULL && takes_input(arguments->command, INPUT_A2) && arguments->input[INPUT_A2] == NULL) {
        return fail(failure, OUTCOME_BAD_INPUT, "%s: --A2 is missing: its rows are what %s divides; softrelu does without it",
                    command_name(arguments->command), program_name);
    }
    if (arguments->rows > 0 && arguments->html == NULL) {
        return fail(failure, OUTCOME_BAD_INPUT, "--shape says how --html shows x; there is no --html");
    }
    if (arguments->report != NULL && strcmp(arguments->report, "-") == 0) {
        return fail(failure, OUTCOME_BAD_INPUT, "--report '-': --json is what prints the report on standard output");
    }
    if (arguments->quiet && arguments->verbose) {
        return fail(failure, OUTCOME_BAD_INPUT, "--quiet and --verbose contradict each other");
    }
    return OUTCOME_OK;
}

enum outcome arguments_parse(int argc, char **argv, struct arguments *arguments, struct failure *failure) {
    memset(arguments, 0, sizeof *arguments);
    arguments->seed = 1;
    arguments->loss = SOFTRELU_SQUARES;
    arguments->confidence = 0.5;
    arguments->answers = 1;
    arguments->within = 0.01;
    const unsigned command = command_find(argv[1]);
    if (command == 0) {
        return unknown_command(argv[1], failure);
    }
    if ((command & program_commands) == 0) {
        return fail(failure, OUTCOME_BAD_INPUT, "'%s' is a command of softrelu, not of %s; '%s --help' lists those", argv[1],
                    program_name, program_name);
    }
    arguments->command = (enum command)command;
    arguments->settings = calloc((size_t)argc, sizeof *arguments->settings); /* no more than there are words */
    if (arguments->settings == NULL) {
        return fail(failure, OUTCOME_RESOURCES, "out of memory");
    }
    enum outcome outcome = parse_options(argc - 1, argv + 1, arguments, failure);
    if (outcome == OUTCOME_OK && !arguments->help && arguments->word[0] != NULL && arguments->command != COMMAND_CONVERT) {
        outcome = take_problem(arguments, failure);
    }
    if (outcome == OUTCOME_OK && !arguments->help && arguments->names_file != NULL) {
        outcome = names_read(arguments->names_file, &arguments->names, failure);
        outcome = outcome != OUTCOME_OK ? fail_prefix(failure, outcome, "--names") : outcome;
    }
    if (outcome == OUTCOME_OK) {
        outcome = check_together(arguments, failure);
    }
    arguments->summary = !arguments->quiet && !arguments->json;
    if (outcome != OUTCOME_OK) {
        arguments_free(arguments);
    }
    return outcome;
}

void arguments_mute(struct arguments *arguments) {
    arguments->out = arguments->report = arguments->html = arguments->svg = NULL;
    arguments->quiet = true;
    arguments->verbose = arguments->json = arguments->summary = false;
}

void arguments_free(struct arguments *arguments) {
    for (size_t i = 0; i < arguments->setting_count; i++) {
        free(arguments->settings[i].name);
    }
    free(arguments->settings);
    for (int id = 0; id < INPUT_COUNT; id++) {
        free(arguments->input_found[id]);
    }
    names_free(&arguments->names);
    memset(arguments, 0, sizeof *arguments);
}
