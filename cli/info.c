/* SPDX-License-Identifier: BSD-3-Clause */
#include "commands.h"

#include "archive.h"
#include "json.h"
#include "settings.h"
#include "text.h"

#include <stdio.h>

static void print_library(void) {
    char blas[256] = "unknown";
    (void)softrelu_blas_description(blas, sizeof blas);
    printf("softrelu %s, ABI %d\n\n", softrelu_version(), softrelu_abi_version());
    const int used = printf("  BLAS       ");
    text_fold(stdout, used, used, blas);
    printf("  integers   %d bits\n", softrelu_blas_integer_bits());
    const int threads = softrelu_blas_threads();
    if (threads > 0) {
        printf("  threads    %d\n", threads);
    } else {
        puts("  threads    this BLAS does not tell");
    }
    printf("  files      npy");
    bool available;
    const char *title;
    for (size_t i = 0; (title = archive_title(i, &available)) != NULL; i++) {
        printf(", %s%s", available ? "" : "built without ", title);
    }
    putchar('\n');
}

static const char *type_name(softrelu_type type) {
    return type == SOFTRELU_INTEGER ? "integer" : type == SOFTRELU_CHOICE ? "choice" : "real";
}

static void print_settings(void) {
    enum { INDENT = 6 };
    struct setting_kind kind;
    puts("\nsettings of 'softrelu solve --set NAME=VALUE'\n");
    printf("  %-19s %-7s %12s %12s %12s\n", "name", "type", "default", "least", "greatest");
    for (int64_t i = 0; setting_describe(i, &kind); i++) {
        char standard[32];
        char minimum[32];
        char maximum[32];
        const bool choice = kind.type == SOFTRELU_CHOICE;
        printf("  %-19s %-7s %12s", kind.name, type_name(kind.type),
               setting_number_text(&kind, kind.standard, standard, sizeof standard));
        if (!choice) {
            printf(" %12s %12s", setting_number_text(&kind, kind.minimum, minimum, sizeof minimum),
                   setting_number_text(&kind, kind.maximum, maximum, sizeof maximum));
        }
        printf("\n%*s", INDENT, "");
        text_fold(stdout, INDENT, INDENT, kind.text);
    }
}

static json_t *files_json(void) {
    json_t *array = json_array();
    bool available;
    const char *title;
    bool ok = array != NULL && json_array_append_new(array, json_string("npy")) == 0;
    for (size_t i = 0; ok && (title = archive_title(i, &available)) != NULL; i++) {
        ok = !available || json_array_append_new(array, json_string(title)) == 0;
    }
    return json_finished(array, ok);
}

/* The words of a choice; null for a setting that is a number. */
static json_t *choices_json(const struct setting_kind *kind) {
    if (kind->type != SOFTRELU_CHOICE) {
        return json_null();
    }
    json_t *array = json_array();
    const char *name;
    bool ok = array != NULL;
    for (int64_t i = 0; ok && (name = softrelu_setting_choice(kind->setting, i, NULL)) != NULL; i++) {
        ok = json_array_append_new(array, json_string(name)) == 0;
    }
    return json_finished(array, ok);
}

static json_t *setting_json(const struct setting_kind *kind) {
    const char *choice = setting_choice(kind, kind->standard);
    const bool bounded = kind->type != SOFTRELU_CHOICE;
    json_t *object = json_object();
    const bool ok =
        object != NULL && json_put(object, "name", json_string(kind->name)) &&
        json_put(object, "type", json_string(type_name(kind->type))) &&
        json_put(object, "default", choice != NULL ? json_string(choice) : json_number(kind->standard, kind->type)) &&
        json_put(object, "least", bounded ? json_number(kind->minimum, kind->type) : json_null()) &&
        json_put(object, "greatest", bounded ? json_number(kind->maximum, kind->type) : json_null()) &&
        json_put(object, "choices", choices_json(kind)) && json_put(object, "text", json_string(kind->text));
    return json_finished(object, ok);
}

static json_t *settings_list_json(void) {
    struct setting_kind kind;
    json_t *array = json_array();
    bool ok = array != NULL;
    for (int64_t i = 0; ok && setting_describe(i, &kind); i++) {
        ok = json_array_append_new(array, setting_json(&kind)) == 0;
    }
    return json_finished(array, ok);
}

static json_t *info_json(void) {
    char blas[256] = "unknown";
    (void)softrelu_blas_description(blas, sizeof blas);
    json_t *object = json_object();
    const bool ok = object != NULL && json_put(object, "schema", json_integer(1)) &&
                    json_put(object, "version", json_string(softrelu_version())) &&
                    json_put(object, "abi", json_integer(softrelu_abi_version())) &&
                    json_put(object, "blas", json_string(blas)) &&
                    json_put(object, "blas_integer_bits", json_integer(softrelu_blas_integer_bits())) &&
                    json_put(object, "blas_threads", json_integer(softrelu_blas_threads())) &&
                    json_put(object, "files", files_json()) && json_put(object, "settings", settings_list_json());
    return json_finished(object, ok);
}

enum outcome command_info(const struct arguments *arguments, struct failure *failure) {
    if (arguments->json) {
        return json_print(info_json(), failure);
    }
    print_library();
    print_settings();
    return OUTCOME_OK;
}
