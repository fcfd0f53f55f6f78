#include "support/refusal.h"

#include <string.h>

int64_t refusals = 0;

void refuse_at(int line, const char *call, softrelu_status actual, softrelu_status expected) {
    if (actual != expected)
        fail_msg("line %d: %s gave %s, expected %s", line, call, softrelu_status_name(actual), softrelu_status_name(expected));
    refusals++;
}

void says_at(int line, const char *message, const char *fragment) {
    if (strstr(message, fragment) == NULL)
        fail_msg("line %d: \"%s\" does not say \"%s\"", line, message, fragment);
}
