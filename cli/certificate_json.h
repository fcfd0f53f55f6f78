/* SPDX-License-Identifier: BSD-3-Clause */
/* A certificate as JSON, in the reports of solve and certify. */
#ifndef SOFTRELU_CLI_CERTIFICATE_JSON_H
#define SOFTRELU_CLI_CERTIFICATE_JSON_H

#include <stdbool.h>

#include <jansson.h>
#include <softrelu/softrelu.h>

/* {"verdict", "reason", "text", every quantity by its name, null where it was not reached, "distance" and "distance_text"} */
json_t *certificate_json(const softrelu_certificate *certificate);
/* Adds "distance_bound", null where there is none, and "distance", the short word for why not. */
bool put_distance(json_t *object, const softrelu_certificate *certificate);
/* {"kinks": [{"unit", "multiplier"}], "bounds": [{"index", "side", "multiplier"}]}: units at their kink, entries at a bound. */
json_t *multipliers_json(const softrelu_certificate *certificate, int64_t n, int64_t d);

#endif
