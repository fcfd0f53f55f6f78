#include "support/kink_case.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/npy_data.h"

static const struct {
    const char *name;
    int64_t kinks;
} CASES[KINK_CASES] = {
    {"small-5-kinks", 4}, {"small-noisy", 3}, {"small-strong-noise", 4}, {"smooth-no-kinks", 0}, {"wide-d", 5}};
enum { FLAT_CASE = 2 };

struct kink_case kink_case(int number) {
    char folder[64];
    (void)snprintf(folder, sizeof folder, "kinks/%s", CASES[number].name);
    const struct npy_data A1 = npy_read(folder, "A1.npy"), A2 = npy_read(folder, "A2.npy"),
                          loss = npy_read(folder, "expected-loss.npy");
    struct kink_case known = {.name = CASES[number].name, .kinks = CASES[number].kinks, .flat = number == FLAT_CASE};
    known.instance = (struct instance){.n = A1.rows, .d = A1.columns, .m = A2.rows, .A1 = A1.values, .A2 = A2.values};
    known.instance.b = npy_read(folder, "b.npy").values;
    known.instance.w = npy_read(folder, "w.npy").values;
    known.x0 = npy_read(folder, "x0.npy").values;
    known.x = npy_read(folder, "expected-x.npy").values;
    known.loss = loss.values[0];
    free(loss.values);
    return known;
}

void kink_case_free(struct kink_case *known) {
    instance_free(&known->instance);
    free(known->x0);
    free(known->x);
    *known = (struct kink_case){0};
}

void assert_known_kinks(const struct kink_case *known, const signed char *at_kink) {
    const int64_t n = known->instance.n, d = known->instance.d;
    const double *A1 = known->instance.A1;
    for (int64_t i = 0; i < n; i++) {
        double u = 0.0, row = 0.0, length = 0.0;
        for (int64_t k = 0; k < d; k++) {
            u += A1[i * d + k] * known->x[k];
            row = hypot(row, A1[i * d + k]);
            length = hypot(length, known->x[k]);
        }
        assert_int_equal(at_kink[i], fabs(u) <= 1e-9 * row * length);
    }
}
