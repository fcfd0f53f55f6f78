/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory of a solve beside what it is promised to stay below: the data, the setting jacobian_memory, 1.1 * 32 d^2 bytes, and
 * something in proportion to n + m + d.
 *
 *     memory [--scale S] [--out FILE.json]
 *
 * Each solve is a process of its own; what counts is the peak of the process's resident memory beyond what it began with, and
 * the data, which it borrows. Exit status 1 when a solve does not end in a certified minimiser.
 */
#include "large.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

static const int64_t SHAPES[3][3] = {{4000, 400, 2000}, {8000, 1000, 4000}, {2000, 300, 50000}};
static const struct method METHODS[] = {
    {"default cache", "exact", "cholesky", "-1", false, true},
    {"64 MiB", "exact", "cholesky", "64", false, true},
    {"default cache, float data", "exact", "cholesky", "-1", true, true},
    {"64 MiB, float data", "exact", "cholesky", "64", true, true},
};
enum { METHOD_COUNT = sizeof METHODS / sizeof *METHODS };
static const double MEBIBYTE = 1048576.0;

static int64_t scaled(int64_t size, double scale) { return (int64_t)fmax(2.0, round((double)size * scale)); }

static json_t *row_of(const struct network *network, const struct method *method, const struct measurement *measured) {
    const double n = (double)network->n, d = (double)network->d, m = (double)network->m;
    const double data = (n * d + m * n) * (method->single_data ? 4.0 : 8.0), quadratic = 1.1 * 32.0 * d * d;
    const double cache = strcmp(method->jacobian_memory, "-1") == 0 ? data : 64.0 * MEBIBYTE;
    const double peak = data + measured->resident, rest = peak - data - cache - quadratic;
    printf("| (%.0f, %.0f, %.0f) | %s | %.1f | %.1f | %.1f | %.1f | %.1f | %.0f | %s |\n", n, d, m, method->name,
           peak / MEBIBYTE, data / MEBIBYTE, cache / MEBIBYTE, quadratic / MEBIBYTE, rest / MEBIBYTE, rest / (n + m + d),
           softrelu_verdict_name(measured->verdict));
    (void)fflush(stdout);
    return json_pack("{s:I, s:I, s:I, s:s, s:s, s:f, s:f, s:f, s:f, s:f}", "n", (json_int_t)network->n, "d",
                     (json_int_t)network->d, "m", (json_int_t)network->m, "data_precision",
                     method->single_data ? "float" : "double", "cache_setting",
                     strcmp(method->jacobian_memory, "-1") == 0 ? "default" : "64 MiB", "peak", peak, "data", data, "cache",
                     cache, "quadratic", quadratic, "rest", rest);
}

int main(int count, char **words) {
    double scale = 1.0;
    const char *out = NULL;
    bool understood = count % 2 == 1, good = true;
    for (int i = 1; i + 1 < count && understood; i += 2)
        if (strcmp(words[i], "--out") == 0)
            out = words[i + 1];
        else
            understood = strcmp(words[i], "--scale") == 0 && read_number(words[i + 1], 1e-3, 1.0, &scale);
    if (!understood) {
        fprintf(stderr, "usage: memory [--scale S] [--out FILE.json]\n");
        return 2;
    }
    json_t *rows = json_array();
    printf("| (n, d, m) | | MiB at the peak | data | cache | 1.1 32 d^2 | rest | rest, bytes / (n + m + d) | "
           "verdict |\n"
           "|---|---|---|---|---|---|---|---|---|\n");
    for (int k = 0; k < 3; k++) {
        struct shared_problem shared = share_problem(scaled(SHAPES[k][0], scale), scaled(SHAPES[k][1], scale),
                                                     scaled(SHAPES[k][2], scale), SOFTRELU_KL, 2024);
        for (int method = 0; method < METHOD_COUNT; method++) {
            struct measurement *measured = measure(&shared, &METHODS[method], 0.0);
            good = good && measured->verdict == SOFTRELU_VERDICT_CERTIFIED;
            json_t *row = row_of(&shared.network, &METHODS[method], measured);
            need(row != NULL && json_array_append_new(rows, row) == 0, "out of memory");
            release_measurement(measured, shared.network.d);
        }
        unshare_problem(&shared);
    }
    json_t *report = json_pack("{s:o}", "memory", rows);
    need(report != NULL && (out == NULL || json_dump_file(report, out, JSON_INDENT(1)) == 0), "the report cannot be written");
    json_decref(report);
    return good ? 0 : 1;
}
