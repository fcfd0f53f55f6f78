/* SPDX-License-Identifier: BSD-3-Clause */
/* Settings of a solver, from the command line and to the report. Names, types and bounds are the library's own. */
#ifndef SOFTRELU_CLI_SETTINGS_H
#define SOFTRELU_CLI_SETTINGS_H

#include "arguments.h"

#include <jansson.h>

struct setting_kind {
    softrelu_setting setting;
    const char *name;
    softrelu_type type;
    double standard;
    double minimum;
    double maximum;
    const char *text;
};

/* Describes the setting of that index, 0 <= index < softrelu_setting_count(). False for any other. */
bool setting_describe(int64_t index, struct setting_kind *kind);
/* The name of a choice's value, which lives for ever; NULL for settings that are numbers. */
const char *setting_choice(const struct setting_kind *kind, double value);
/* A bound or default as text, in text if need be: choices by their names, whole numbers without a point. */
const char *setting_number_text(const struct setting_kind *kind, double value, char *text, size_t size);
/* The solver's value of a setting; of a choice its number. */
double setting_value(const softrelu_solver *solver, const struct setting_kind *kind);

/* Gives the solver the settings of the command line, in their order. */
enum outcome settings_apply(const struct arguments *arguments, softrelu_solver *solver, struct failure *failure);
/* The tolerances, which a certificate needs too. */
struct tolerances {
    double residual;
    double kink;
};

/* The same on a problem of one number, so that a typing error shows before gigabytes are read. tolerances may be NULL. */
enum outcome settings_check(const struct arguments *arguments, struct tolerances *tolerances, struct failure *failure);

/* {name: value}, choices by their names. */
json_t *settings_json(const softrelu_solver *solver);

#endif
