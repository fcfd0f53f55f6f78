#include <inttypes.h>
#include <math.h>

#include "api/handles.h"

softrelu_status srl_check_length(struct srl_message *message, const char *name, int64_t length, int64_t expected) {
    if (length != expected)
        return srl_fail(message, SOFTRELU_ERROR_SIZE, "%s has %" PRId64 " entries, expected %" PRId64, name, length, expected);
    return SOFTRELU_OK;
}

softrelu_status srl_check_finite(struct srl_message *message, const char *name, const double *values, int64_t length) {
    for (int64_t i = 0; i < length; i++)
        if (!isfinite(values[i]))
            return srl_fail(message, SOFTRELU_ERROR_NOT_FINITE, "%s[%" PRId64 "] = %g is not finite", name, i, values[i]);
    return SOFTRELU_OK;
}
