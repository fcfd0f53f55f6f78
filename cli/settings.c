/* SPDX-License-Identifier: BSD-3-Clause */
#include "settings.h"

#include "json.h"
#include "problem.h"
#include "text.h"

#include <math.h>
#include <stdio.h>

bool setting_describe(int64_t index, struct setting_kind *kind) {
    return softrelu_setting_describe(index, &kind->setting, &kind->name, &kind->type, &kind->standard, &kind->minimum,
                                     &kind->maximum, &kind->text) == SOFTRELU_OK;
}

const char *setting_choice(const struct setting_kind *kind, double value) {
    int64_t known = 0;
    const char *name = NULL;
    for (int64_t i = 0; (name = softrelu_setting_choice(kind->setting, i, &known)) != NULL; i++) {
        if ((double)known == value) {
            return name;
        }
    }
    return NULL;
}

const char *setting_number_text(const struct setting_kind *kind, double value, char *text, size_t size) {
    const char *choice = setting_choice(kind, value);
    if (choice != NULL) {
        return choice;
    }
    const bool whole = kind->type == SOFTRELU_INTEGER && fabs(value) < 9007199254740992.0;
    (void)snprintf(text, size, whole ? "%.0f" : "%g", value);
    return text;
}

double setting_value(const softrelu_solver *solver, const struct setting_kind *kind) {
    int64_t integer = 0;
    double real = NAN;
    if (kind->type != SOFTRELU_REAL) {
        return softrelu_solver_get_integer(solver, kind->setting, &integer) == SOFTRELU_OK ? (double)integer : NAN;
    }
    return softrelu_solver_get_real(solver, kind->setting, &real) == SOFTRELU_OK ? real : NAN;
}

static const char *name_of(softrelu_setting setting) {
    struct setting_kind kind;
    for (int64_t i = 0; setting_describe(i, &kind); i++) {
        if (kind.setting == setting) {
            return kind.name;
        }
    }
    return "";
}

static enum outcome unknown_setting(const char *name, struct failure *failure) {
    struct setting_kind kind;
    const char *nearest = NULL;
    size_t distance = 0;
    for (int64_t i = 0; setting_describe(i, &kind); i++) {
        const size_t d = text_distance(name, kind.name);
        if (nearest == NULL || d < distance) {
            nearest = kind.name;
            distance = d;
        }
    }
    if (nearest != NULL && text_is_near(name, distance)) {
        return fail(failure, OUTCOME_BAD_INPUT, "--set: unknown setting '%s'; did you mean '%s'?", name, nearest);
    }
    return fail(failure, OUTCOME_BAD_INPUT, "--set: unknown setting '%s'; 'softrelu info' lists them all", name);
}

enum outcome settings_apply(const struct arguments *arguments, softrelu_solver *solver, struct failure *failure) {
    for (size_t i = 0; i < arguments->setting_count; i++) {
        const struct setting_text *given = &arguments->settings[i];
        const char *name = given->name != NULL ? given->name : name_of(given->setting);
        const softrelu_status status = softrelu_solver_set_text(solver, name, given->value);
        if (status == SOFTRELU_ERROR_UNKNOWN) {
            return unknown_setting(name, failure);
        }
        if (status != SOFTRELU_OK) {
            char option[512];
            (void)snprintf(option, sizeof option, given->name != NULL ? "--set %s=%s" : "--%s %s",
                           given->name != NULL ? given->name : given->option, given->value);
            return fail_status(failure, status, option, softrelu_solver_message(solver));
        }
    }
    return OUTCOME_OK;
}

enum outcome settings_check(const struct arguments *arguments, struct tolerances *tolerances, struct failure *failure) {
    static const double one = 1;
    softrelu_problem *problem = NULL;
    softrelu_solver *solver = NULL;
    softrelu_status status = softrelu_problem_create(1, 1, 1, NULL, NULL, NULL, &problem);
    if (status == SOFTRELU_OK) {
        status = softrelu_problem_set_matrix(problem, SOFTRELU_A1, &one, SOFTRELU_ROW_MAJOR, 1, SOFTRELU_COPY);
    }
    if (status == SOFTRELU_OK) {
        status = softrelu_problem_set_vector(problem, SOFTRELU_B, &one, 1, SOFTRELU_COPY);
    }
    if (status == SOFTRELU_OK) {
        status = softrelu_problem_finish(problem);
    }
    if (status == SOFTRELU_OK) {
        status = softrelu_solver_create(problem, &solver);
    }
    const enum outcome outcome = status == SOFTRELU_OK ? settings_apply(arguments, solver, failure)
                                                       : fail_status(failure, status, "settings cannot be checked", "");
    if (outcome == OUTCOME_OK && tolerances != NULL) {
        (void)softrelu_solver_get_real(solver, SOFTRELU_SETTING_TOLERANCE, &tolerances->residual);
        (void)softrelu_solver_get_real(solver, SOFTRELU_SETTING_KINK_TOLERANCE, &tolerances->kink);
    }
    softrelu_solver_destroy(solver);
    softrelu_problem_destroy(problem);
    return outcome;
}

json_t *settings_json(const softrelu_solver *solver) {
    json_t *object = json_object();
    struct setting_kind kind;
    bool ok = object != NULL;
    for (int64_t i = 0; ok && setting_describe(i, &kind); i++) {
        const double value = setting_value(solver, &kind);
        const char *choice = setting_choice(&kind, value);
        ok = json_put(object, kind.name, choice != NULL ? json_string(choice) : json_number(value, kind.type));
    }
    return json_finished(object, ok);
}
