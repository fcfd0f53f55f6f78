/* Facts about the library and the BLAS behind it, and the texts of the enums. */
#include <softrelu/softrelu.h>

#include "linalg/runtime.h"

#define TEXT_OF(x) #x
#define VERSION_TEXT(major, minor, patch) TEXT_OF(major) "." TEXT_OF(minor) "." TEXT_OF(patch)

const char *softrelu_version(void) {
    return VERSION_TEXT(SOFTRELU_VERSION_MAJOR, SOFTRELU_VERSION_MINOR, SOFTRELU_VERSION_PATCH);
}

int softrelu_abi_version(void) { return SOFTRELU_ABI_VERSION; }

softrelu_status softrelu_blas_description(char *text, size_t size) {
    if (text == NULL)
        return SOFTRELU_ERROR_NULL;
    if (size < 1)
        return SOFTRELU_ERROR_SIZE;
    srl_blas_description(text, size);
    return SOFTRELU_OK;
}

int softrelu_blas_integer_bits(void) { return srl_blas_integer_bits(); }

int softrelu_blas_threads(void) { return srl_blas_threads(); }

softrelu_status softrelu_blas_set_threads(int threads) {
    if (threads < 1)
        return SOFTRELU_ERROR_VALUE;
    return srl_blas_set_threads(threads) ? SOFTRELU_OK : SOFTRELU_ERROR_STATE;
}

const char *softrelu_status_name(softrelu_status status) {
#define NAME_CASE(name, number, text)                                                                                          \
    case name:                                                                                                                 \
        return #name;
    switch (status) {
        SOFTRELU_STATUS_LIST(NAME_CASE)
    default:
        return "unknown status";
    }
#undef NAME_CASE
}

const char *softrelu_status_text(softrelu_status status) {
#define TEXT_CASE(name, number, text)                                                                                          \
    case name:                                                                                                                 \
        return text;
    switch (status) {
        SOFTRELU_STATUS_LIST(TEXT_CASE)
    default:
        return "unknown status";
    }
#undef TEXT_CASE
}

const char *softrelu_termination_name(softrelu_termination termination) {
#define NAME_CASE(name, number, word, text)                                                                                    \
    case name:                                                                                                                 \
        return word;
    switch (termination) {
        SOFTRELU_TERMINATION_LIST(NAME_CASE)
    default:
        return "unknown";
    }
#undef NAME_CASE
}

const char *softrelu_termination_text(softrelu_termination termination) {
#define TEXT_CASE(name, number, word, text)                                                                                    \
    case name:                                                                                                                 \
        return text;
    switch (termination) {
        SOFTRELU_TERMINATION_LIST(TEXT_CASE)
    default:
        return "unknown termination";
    }
#undef TEXT_CASE
}

const char *softrelu_verdict_name(softrelu_verdict verdict) {
#define NAME_CASE(name, number, word, text)                                                                                    \
    case name:                                                                                                                 \
        return word;
    switch (verdict) {
        SOFTRELU_VERDICT_LIST(NAME_CASE)
    default:
        return "unknown verdict";
    }
}

const char *softrelu_reason_name(softrelu_reason reason) {
    switch (reason) {
        SOFTRELU_REASON_LIST(NAME_CASE)
    default:
        return "unknown reason";
    }
}

const char *softrelu_distance_name(softrelu_distance distance) {
    switch (distance) {
        SOFTRELU_DISTANCE_LIST(NAME_CASE)
    default:
        return "unknown";
    }
}

const char *softrelu_search_name(softrelu_search search) {
    switch (search) {
        SOFTRELU_SEARCH_LIST(NAME_CASE)
    default:
        return "unknown outcome";
    }
#undef NAME_CASE
}

const char *softrelu_verdict_text(softrelu_verdict verdict) {
#define TEXT_CASE(name, number, word, text)                                                                                    \
    case name:                                                                                                                 \
        return text;
    switch (verdict) {
        SOFTRELU_VERDICT_LIST(TEXT_CASE)
    default:
        return "unknown verdict";
    }
}

const char *softrelu_reason_text(softrelu_reason reason) {
    switch (reason) {
        SOFTRELU_REASON_LIST(TEXT_CASE)
    default:
        return "unknown reason";
    }
}

const char *softrelu_distance_text(softrelu_distance distance) {
    switch (distance) {
        SOFTRELU_DISTANCE_LIST(TEXT_CASE)
    default:
        return "unknown reason";
    }
}

const char *softrelu_search_text(softrelu_search search) {
    switch (search) {
        SOFTRELU_SEARCH_LIST(TEXT_CASE)
    default:
        return "unknown outcome";
    }
#undef TEXT_CASE
}
