/* SPDX-License-Identifier: BSD-3-Clause */
/* A certificate as JSON, in the reports of solve and certify. */
#ifndef SOFTRELU_CLI_CERTIFICATE_JSON_H
#define SOFTRELU_CLI_CERTIFICATE_JSON_H

#include <jansson.h>
#include <softrelu/softrelu.h>

/* {"verdict", "reason", "text", and every quantity by its name; null where it was not reached} */
json_t *certificate_json(const softrelu_certificate *certificate);
/* {"kinks": [{"unit", "multiplier"}], "bounds": [{"index", "side", "multiplier"}]}: units at their kink, entries at a bound. */
json_t *multipliers_json(const softrelu_certificate *certificate, int64_t n, int64_t d);

#endif
