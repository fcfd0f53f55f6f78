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

bool srl_is_allowed(softrelu_array array, double value) {
    return isfinite(value) || (array == SOFTRELU_LOWER && value == -INFINITY) || (array == SOFTRELU_UPPER && value == INFINITY);
}

const char *srl_wanted_number(softrelu_array array) {
    return array == SOFTRELU_LOWER ? "a number or -infinity" : array == SOFTRELU_UPPER ? "a number or +infinity" : "finite";
}

softrelu_status srl_check_vector(struct srl_message *message, softrelu_array array, const char *name, const double *values,
                                 int64_t length, int64_t expected) {
    const softrelu_status status = srl_check_length(message, name, length, expected);
    for (int64_t i = 0; i < length && status == SOFTRELU_OK; i++)
        if (!srl_is_allowed(array, values[i]))
            return srl_fail(message, SOFTRELU_ERROR_NOT_FINITE, "%s[%" PRId64 "] = %g is not %s", name, i, values[i],
                            srl_wanted_number(array));
    return status;
}

softrelu_status srl_check_bounds(struct srl_message *message, const struct srl_model *model) {
    for (int64_t k = 0; k < model->d && srl_has_bounds(model); k++)
        if (srl_lower(model, k) > srl_upper(model, k))
            return srl_fail(message, SOFTRELU_ERROR_VALUE, "lower[%" PRId64 "] = %g is above upper[%" PRId64 "] = %g", k,
                            srl_lower(model, k), k, srl_upper(model, k));
    return SOFTRELU_OK;
}
