#include "support/golden.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/npy_data.h"

const char *const golden_names[GOLDEN_CASES] = {"all-terms",
                                                "all-units-off",
                                                "all-units-on",
                                                "kl-all-terms",
                                                "kl-saturated",
                                                "one-output",
                                                "one-unit",
                                                "plain",
                                                "saturated",
                                                "more-unknowns-than-outputs",
                                                "weighted",
                                                "tiny-probabilities",
                                                "wide-range-of-scales",
                                                "target-not-a-distribution"};

static double *read_values(const char *folder, const char *name, int64_t rows, int64_t columns) {
    struct npy_data data = npy_read(folder, name);
    if (data.rows != rows || data.columns != columns)
        fail_msg("%s/%s is %lld x %lld", folder, name, (long long)data.rows, (long long)data.columns);
    return data.values;
}

static double read_number(const char *folder, const char *name) {
    double *values = read_values(folder, name, 1, 1);
    const double value = values[0];
    free(values);
    return value;
}

static softrelu_loss read_loss(const char *folder) {
    char path[1024], word[16] = "";
    data_path(path, sizeof path, folder, "loss.txt");
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%15s", word), 1);
    (void)fclose(file);
    if (strcmp(word, "kl") == 0)
        return SOFTRELU_KL;
    assert_string_equal(word, "squares");
    return SOFTRELU_SQUARES;
}

struct golden golden_read(const char *name) {
    char folder[256];
    assert_true(snprintf(folder, sizeof folder, "golden/%s", name) < (int)sizeof folder);
    struct npy_data A1 = npy_read(folder, "A1.npy"), A2 = npy_read(folder, "A2.npy");
    const int64_t n = A1.rows, d = A1.columns, m = A2.rows;
    assert_int_equal(A2.columns, n);
    struct golden golden = {.instance = {.n = n, .d = d, .m = m, .A1 = A1.values, .A2 = A2.values}};
    golden.instance.b = read_values(folder, "b.npy", m, 1);
    golden.instance.c1 = read_values(folder, "c1.npy", n, 1);
    golden.instance.c2 = read_values(folder, "c2.npy", m, 1);
    golden.instance.w = read_values(folder, "w.npy", n, 1);
    golden.instance.x_ref = read_values(folder, "xref.npy", d, 1);
    golden.instance.rho = read_number(folder, "rho.npy");
    golden.instance.loss = read_loss(folder);
    golden.x = read_values(folder, "x.npy", d, 1);
    golden.value = read_number(folder, "expected-value.npy");
    golden.gradient = read_values(folder, "expected-gradient.npy", d, 1);
    golden.hessian = read_values(folder, "expected-hessian.npy", d, d);
    return golden;
}

void golden_free(struct golden *golden) {
    instance_free(&golden->instance);
    free(golden->x);
    free(golden->gradient);
    free(golden->hessian);
}
