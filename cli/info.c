/* SPDX-License-Identifier: BSD-3-Clause */
#include "commands.h"

#include "archive.h"
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

enum outcome command_info(const struct arguments *arguments, struct failure *failure) {
    (void)arguments;
    (void)failure;
    print_library();
    print_settings();
    return OUTCOME_OK;
}
