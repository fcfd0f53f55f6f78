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

void certificate_print_advice(const softrelu_certificate *certificate) {
    static const struct {
        softrelu_reason reason;
        const char *text;
    } advice[] = {
        {SOFTRELU_REASON_INTERRUPTED, "'softrelu certify' examines the point to the end."},
        {SOFTRELU_REASON_OVERFLOW, "Scale the inputs or the weights: the numbers are too large."},
        {SOFTRELU_REASON_RESIDUAL, "To go on from this point: 'softrelu solve' with --x0."},
        {SOFTRELU_REASON_RIDGE, "Start elsewhere (--x0), or along the direction that 'softrelu certify --out' writes."},
        {SOFTRELU_REASON_COMPLEMENTARITY, "Usually harmless; a slightly different --rho moves the point off the border."},
        {SOFTRELU_REASON_FLAT, "A small positive --rho or --w gives F curvature in every direction."},
        {SOFTRELU_REASON_SADDLE, "Solve again from a point along the direction that 'softrelu certify --out' writes (--x0)."},
    };
    for (size_t i = 0; i < sizeof advice / sizeof advice[0]; i++) {
        if (advice[i].reason == softrelu_certificate_reason(certificate)) {
            putchar('\n');
            text_fold(stdout, 0, 0, advice[i].text);
        }
    }
}
