/* SPDX-License-Identifier: BSD-3-Clause */
/* What solve and certify both print of a certificate. */
#ifndef SOFTRELU_CLI_CERTIFICATE_TEXT_H
#define SOFTRELU_CLI_CERTIFICATE_TEXT_H

#include <softrelu/softrelu.h>

/* "  distance   at most ... from a local minimiser", or why that is not known; nothing for a point that is not certified. */
/* What the user can do about a point that is not certified, after an empty line; nothing where there is nothing to do. */
void certificate_print_advice(const softrelu_certificate *certificate);
void certificate_print_distance(const softrelu_certificate *certificate);

#endif
