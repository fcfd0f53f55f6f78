/* SPDX-License-Identifier: BSD-3-Clause */
#include "certificate_json.h"

#include "json.h"

#include <math.h>
#include <stdlib.h>

struct quantity {
    softrelu_certificate_quantity id;
    const char *name;
    softrelu_type type;
};

#define QUANTITY(id, number, name, type, text) {id, name, type},
static const struct quantity quantities[] = {SOFTRELU_CERTIFICATE_LIST(QUANTITY)};
#undef QUANTITY

enum { QUANTITY_COUNT = sizeof quantities / sizeof quantities[0] };

static bool put_distance_reason(json_t *object, const softrelu_certificate *certificate) {
    return json_put(object, "distance", json_string(softrelu_distance_name(softrelu_certificate_distance(certificate))));
}

json_t *certificate_json(const softrelu_certificate *certificate) {
    const softrelu_verdict verdict = softrelu_certificate_verdict(certificate);
    const softrelu_reason reason = softrelu_certificate_reason(certificate);
    json_t *object = json_object();
    bool ok = object != NULL && json_put(object, "verdict", json_string(softrelu_verdict_name(verdict))) &&
              json_put(object, "reason", json_string(softrelu_reason_name(reason))) &&
              json_put(object, "text", json_string(softrelu_reason_text(reason)));
    for (size_t i = 0; ok && i < QUANTITY_COUNT; i++) {
        double value = NAN;
        ok = softrelu_certificate_number(certificate, quantities[i].id, &value) == SOFTRELU_OK &&
             json_put(object, quantities[i].name, isnan(value) ? json_null() : json_number(value, quantities[i].type));
    }
    ok = ok && put_distance_reason(object, certificate) &&
         json_put(object, "distance_text", json_string(softrelu_distance_text(softrelu_certificate_distance(certificate))));
    return json_finished(object, ok);
}

bool put_distance(json_t *object, const softrelu_certificate *certificate) {
    double bound = NAN;
    return softrelu_certificate_number(certificate, SOFTRELU_CERTIFICATE_DISTANCE_BOUND, &bound) == SOFTRELU_OK &&
           json_put(object, "distance_bound", isnan(bound) ? json_null() : json_number(bound, SOFTRELU_REAL)) &&
           put_distance_reason(object, certificate);
}

/* What the certificate says of every unit and every entry of x. */
struct multipliers {
    double *of_kinks, *of_bounds;
    signed char *at_kink, *bound;
};

static json_t *kinks_json(const struct multipliers *all, int64_t n) {
    json_t *array = json_array();
    bool ok = array != NULL;
    for (int64_t i = 0; ok && i < n; i++) {
        if (all->at_kink[i] != 0) {
            ok = json_array_append_new(array, json_pack("{s:I, s:o}", "unit", (json_int_t)i, "multiplier",
                                                        json_number(all->of_kinks[i], SOFTRELU_REAL))) == 0;
        }
    }
    return json_finished(array, ok);
}

static json_t *bounds_json(const struct multipliers *all, int64_t d) {
    json_t *array = json_array();
    bool ok = array != NULL;
    for (int64_t k = 0; ok && k < d; k++) {
        if (all->bound[k] != 0) {
            const char *side = all->bound[k] < 0 ? "lower" : all->bound[k] == 1 ? "upper" : "fixed";
            ok = json_array_append_new(array, json_pack("{s:I, s:s, s:o}", "index", (json_int_t)k, "side", side, "multiplier",
                                                        json_number(all->of_bounds[k], SOFTRELU_REAL))) == 0;
        }
    }
    return json_finished(array, ok);
}

/* None where no point was examined. */
static bool read_multipliers(const softrelu_certificate *certificate, int64_t n, int64_t d, struct multipliers *all) {
    all->of_kinks = calloc((size_t)n, sizeof *all->of_kinks);
    all->of_bounds = calloc((size_t)d, sizeof *all->of_bounds);
    all->at_kink = calloc((size_t)n, sizeof *all->at_kink);
    all->bound = calloc((size_t)d, sizeof *all->bound);
    if (all->of_kinks == NULL || all->of_bounds == NULL || all->at_kink == NULL || all->bound == NULL) {
        return false;
    }
    (void)softrelu_certificate_multipliers(certificate, all->of_kinks, n, all->of_bounds, d);
    (void)softrelu_certificate_active(certificate, all->at_kink, n, all->bound, d);
    return true;
}

json_t *multipliers_json(const softrelu_certificate *certificate, int64_t n, int64_t d) {
    struct multipliers all = {0};
    json_t *object = json_object();
    const bool ok = object != NULL && read_multipliers(certificate, n, d, &all) &&
                    json_put(object, "kinks", kinks_json(&all, n)) && json_put(object, "bounds", bounds_json(&all, d));
    free(all.of_kinks);
    free(all.of_bounds);
    free(all.at_kink);
    free(all.bound);
    return json_finished(object, ok);
}
