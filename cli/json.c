/* SPDX-License-Identifier: BSD-3-Clause */
#include "json.h"

#include "number.h"

#include <errno.h>
#include <math.h>
#include <string.h>

json_t *json_number(double value, softrelu_type type) {
    const char *word = number_word(value);
    if (word != NULL) {
        return json_string(word);
    }
    const bool whole = type == SOFTRELU_INTEGER && fabs(value) <= 9007199254740992.0;
    return whole ? json_integer((json_int_t)value) : json_real(value);
}

bool json_put(json_t *object, const char *key, json_t *value) { return json_object_set_new(object, key, value) == 0; }

bool json_write(FILE *stream, const json_t *value) {
    return json_dumpf(value, stream, JSON_INDENT(2)) == 0 && fputc('\n', stream) != EOF;
}

enum outcome json_print(json_t *value, struct failure *failure) {
    if (value == NULL) {
        return fail(failure, OUTCOME_RESOURCES, "out of memory for the report");
    }
    const bool written = json_write(stdout, value) && fflush(stdout) == 0;
    const enum outcome outcome =
        written ? OUTCOME_OK
                : fail(failure, OUTCOME_RESOURCES, "cannot write the report to standard output: %s", strerror(errno));
    json_decref(value);
    return outcome;
}

json_t *json_dimensions(const struct inputs *inputs) {
    return json_pack("{s:I, s:I, s:I}", "n", (json_int_t)inputs->size[DIMENSION_N], "d", (json_int_t)inputs->size[DIMENSION_D],
                     "m", (json_int_t)inputs->size[DIMENSION_M]);
}

json_t *json_vector(const double *x, int64_t length) {
    json_t *array = json_array();
    bool ok = array != NULL;
    for (int64_t k = 0; ok && k < length; k++) {
        ok = json_array_append_new(array, json_number(x[k], SOFTRELU_REAL)) == 0;
    }
    return json_finished(array, ok);
}

json_t *json_finished(json_t *object, bool ok) {
    if (ok) {
        return object;
    }
    json_decref(object);
    return NULL;
}
