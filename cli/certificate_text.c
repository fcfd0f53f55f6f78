/* SPDX-License-Identifier: BSD-3-Clause */
#include "certificate_text.h"

#include "text.h"

#include <math.h>

void certificate_print_distance(const softrelu_certificate *certificate) {
    const softrelu_distance answer = softrelu_certificate_distance(certificate);
    if (answer == SOFTRELU_DISTANCE_PROVED) {
        double bound = NAN;
        (void)softrelu_certificate_number(certificate, SOFTRELU_CERTIFICATE_DISTANCE_BOUND, &bound);
        printf("  distance   at most %.2g from a local minimiser\n", bound);
    } else if (answer != SOFTRELU_DISTANCE_NOT_CERTIFIED) { /* otherwise the verdict has said it */
        text_fold(stdout, printf("  distance   not bounded: "), 13, softrelu_distance_text(answer));
    }
}
