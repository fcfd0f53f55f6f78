/* The settings of a solver, generated from settings.def. */
#ifndef SRL_SOLVER_SETTINGS_H
#define SRL_SOLVER_SETTINGS_H

#include <softrelu/softrelu.h>

#include "base/message.h"

#define SRL_FIELD_INTEGER int64_t
#define SRL_FIELD_REAL double
#define SRL_FIELD_CHOICE int64_t /* of the enum's number */
#define SETTING(id, field, type, standard, minimum, maximum, text) SRL_FIELD_##type field;
struct srl_settings {
#include "solver/settings.def"
};
#undef SETTING
#undef SRL_FIELD_INTEGER
#undef SRL_FIELD_REAL
#undef SRL_FIELD_CHOICE

struct srl_setting_description {
    softrelu_setting setting;
    const char *name;
    softrelu_type type;
    double standard, minimum, maximum;
    const char *text;
    size_t offset; /* of the field in srl_settings */
};

int64_t srl_setting_count(void);
/* By index, by public number, by name; NULL when there is none. */
const struct srl_setting_description *srl_setting_at(int64_t index);
const struct srl_setting_description *srl_setting_of(softrelu_setting setting);
const struct srl_setting_description *srl_setting_named(const char *name);

/* The index-th value of a choice and its name; NULL past the last one. */
const char *srl_setting_choice(softrelu_setting setting, int64_t index, int64_t *value);

struct srl_settings srl_standard_settings(void);
softrelu_status srl_set_integer(struct srl_settings *settings, const struct srl_setting_description *of, int64_t value,
                                struct srl_message *message);
softrelu_status srl_set_real(struct srl_settings *settings, const struct srl_setting_description *of, double value,
                             struct srl_message *message);
softrelu_status srl_set_text(struct srl_settings *settings, const struct srl_setting_description *of, const char *value,
                             struct srl_message *message);
int64_t srl_get_integer(const struct srl_settings *settings, const struct srl_setting_description *of);
double srl_get_real(const struct srl_settings *settings, const struct srl_setting_description *of);

#endif
