#include "solver/settings.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SETTING(id, field, type, standard, minimum, maximum, text)                                                             \
    {SOFTRELU_SETTING_##id,                                                                                                    \
     #field,                                                                                                                   \
     SOFTRELU_##type,                                                                                                          \
     (double)(standard),                                                                                                       \
     (double)(minimum),                                                                                                        \
     (double)(maximum),                                                                                                        \
     text,                                                                                                                     \
     offsetof(struct srl_settings, field)},
static const struct srl_setting_description table[] = {
#include "solver/settings.def"
};
#undef SETTING

#define SETTING(id, field, type, standard, minimum, maximum, text)
#define CHOICE(id, value, name) {SOFTRELU_SETTING_##id, value, name},
static const struct {
    softrelu_setting setting;
    int64_t value;
    const char *name;
} choices[] = {
#include "solver/settings.def"
};
#undef SETTING
#undef CHOICE

int64_t srl_setting_count(void) { return (int64_t)(sizeof table / sizeof *table); }

const struct srl_setting_description *srl_setting_at(int64_t index) {
    return index >= 0 && index < srl_setting_count() ? &table[index] : NULL;
}

const struct srl_setting_description *srl_setting_of(softrelu_setting setting) {
    for (int64_t i = 0; i < srl_setting_count(); i++)
        if (table[i].setting == setting)
            return &table[i];
    return NULL;
}

const struct srl_setting_description *srl_setting_named(const char *name) {
    for (int64_t i = 0; i < srl_setting_count(); i++)
        if (strcmp(table[i].name, name) == 0)
            return &table[i];
    return NULL;
}

const char *srl_setting_choice(softrelu_setting setting, int64_t index, int64_t *value) {
    for (size_t i = 0; i < sizeof choices / sizeof *choices && index >= 0; i++)
        if (choices[i].setting == setting && index-- == 0) {
            if (value != NULL)
                *value = choices[i].value;
            return choices[i].name;
        }
    return NULL;
}

struct srl_settings srl_standard_settings(void) {
    struct srl_settings settings;
#define SETTING(id, field, type, standard, minimum, maximum, text) settings.field = standard;
#include "solver/settings.def"
#undef SETTING
    return settings;
}

/* The field that a description's offset leads to. memcpy, because the field's type is known only from the table. */
static void write_field(struct srl_settings *settings, const struct srl_setting_description *of, const void *value,
                        size_t size) {
    memcpy((char *)settings + of->offset, value, size);
}

static void read_field(const struct srl_settings *settings, const struct srl_setting_description *of, void *value,
                       size_t size) {
    memcpy(value, (const char *)settings + of->offset, size);
}

static bool is_choice(const struct srl_setting_description *of, int64_t value) {
    int64_t known = 0;
    for (int64_t i = 0; srl_setting_choice(of->setting, i, &known) != NULL; i++)
        if (known == value)
            return true;
    return false;
}

softrelu_status srl_set_integer(struct srl_settings *settings, const struct srl_setting_description *of, int64_t value,
                                struct srl_message *message) {
    if (of->type == SOFTRELU_REAL)
        return srl_fail(message, SOFTRELU_ERROR_UNKNOWN, "%s is not an integer setting", of->name);
    if (value < (int64_t)of->minimum || value > (int64_t)of->maximum)
        return srl_fail(message, SOFTRELU_ERROR_VALUE, "%s = %" PRId64 " is outside [%.0f, %.0f]", of->name, value, of->minimum,
                        of->maximum);
    if (of->type == SOFTRELU_CHOICE && !is_choice(of, value))
        return srl_fail(message, SOFTRELU_ERROR_VALUE, "%s = %" PRId64 " is none of its values", of->name, value);
    write_field(settings, of, &value, sizeof value);
    return SOFTRELU_OK;
}

softrelu_status srl_set_real(struct srl_settings *settings, const struct srl_setting_description *of, double value,
                             struct srl_message *message) {
    if (of->type != SOFTRELU_REAL)
        return srl_fail(message, SOFTRELU_ERROR_UNKNOWN, "%s is not a real setting", of->name);
    if (!(value >= of->minimum && value <= of->maximum))
        return srl_fail(message, SOFTRELU_ERROR_VALUE, "%s = %g is outside [%g, %g]", of->name, value, of->minimum,
                        of->maximum);
    write_field(settings, of, &value, sizeof value);
    return SOFTRELU_OK;
}

/* By the name of a value. */
static softrelu_status set_choice(struct srl_settings *settings, const struct srl_setting_description *of, const char *name,
                                  struct srl_message *message) {
    char names[128] = "";
    const char *known;
    int64_t value = 0;
    for (int64_t i = 0; (known = srl_setting_choice(of->setting, i, &value)) != NULL; i++) {
        if (strcmp(known, name) == 0)
            return srl_set_integer(settings, of, value, message);
        const size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", i > 0 ? ", " : "", known);
    }
    return srl_fail(message, SOFTRELU_ERROR_VALUE, "%s = '%.64s' is none of %s", of->name, name, names);
}

softrelu_status srl_set_text(struct srl_settings *settings, const struct srl_setting_description *of, const char *value,
                             struct srl_message *message) {
    char *end = NULL;
    errno = 0;
    if (of->type == SOFTRELU_CHOICE)
        return set_choice(settings, of, value, message);
    if (of->type == SOFTRELU_INTEGER) {
        intmax_t integer = strtoimax(value, &end, 10);
        if (end == value || *end != '\0' || errno == ERANGE || integer < INT64_MIN || integer > INT64_MAX)
            return srl_fail(message, SOFTRELU_ERROR_VALUE, "%s = '%s' is not an integer in range", of->name, value);
        return srl_set_integer(settings, of, (int64_t)integer, message);
    }
    double real = strtod(value, &end);
    if (end == value || *end != '\0')
        return srl_fail(message, SOFTRELU_ERROR_VALUE, "%s = '%s' is not a number", of->name, value);
    return srl_set_real(settings, of, real, message);
}

int64_t srl_get_integer(const struct srl_settings *settings, const struct srl_setting_description *of) {
    int64_t value;
    read_field(settings, of, &value, sizeof value);
    return value;
}

double srl_get_real(const struct srl_settings *settings, const struct srl_setting_description *of) {
    double value;
    read_field(settings, of, &value, sizeof value);
    return value;
}
