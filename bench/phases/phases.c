/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the parts of a solve cost, beside what the machine does in the same run:
 *
 *     phases [--only assembly|phases|growth|solves] [--repeats R] [--solve-repeats R] [--large 0..4] [--clock wall|processor]
 *            [--scale S] [--out FILE.json]
 *
 * Times are medians. --large: how many regimes are solved at the size (8000, 1000, 4000), once; all four take minutes. --scale
 * S < 1 makes all sizes smaller by that factor, for a test. bench/phases/report makes the tables of docs/performance.md of the
 * JSON.
 */
#include "phases.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

struct options options = {5, 5, 1, false, 1.0, NULL, NULL};

static bool take(const char *name, const char *value) {
    double number = 0.0;
    if (strcmp(name, "--only") == 0)
        options.only = value;
    else if (strcmp(name, "--out") == 0)
        options.out = value;
    else if (strcmp(name, "--scale") == 0)
        return read_number(value, 1e-3, 1.0, &options.scale);
    else if (strcmp(name, "--clock") == 0)
        options.processor = strcmp(value, "processor") == 0;
    else if (strcmp(name, "--repeats") == 0 && read_number(value, 1.0, REPEATS_MOST, &number))
        options.repeats = (int)number;
    else if (strcmp(name, "--solve-repeats") == 0 && read_number(value, 1.0, REPEATS_MOST, &number))
        options.solve_repeats = (int)number;
    else if (strcmp(name, "--large") == 0 && read_number(value, 0.0, 4.0, &number))
        options.large = (int)number;
    else
        return false;
    return true;
}

static bool wanted(const char *section) { return options.only == NULL || strcmp(options.only, section) == 0; }

static void put(json_t *report, const char *section, json_t *value) {
    need(value != NULL && json_object_set_new(report, section, value) == 0, "out of memory");
    fprintf(stderr, "%s: done at %.0f s of processor time\n", section, (double)clock() / CLOCKS_PER_SEC);
}

int main(int count, char **words) {
    bool understood = true;
    for (int i = 1; i < count; i += 2)
        understood = understood && i + 1 < count && take(words[i], words[i + 1]);
    if (!understood) {
        fprintf(stderr, "usage: phases [--only assembly|phases|growth|solves] [--repeats R] [--solve-repeats R]\n"
                        "              [--large 0..4] [--clock wall|processor] [--scale S] [--out FILE.json]\n");
        return 2;
    }
    const struct rates rates = measure_rates();
    char blas[128];
    need_ok(softrelu_blas_description(blas, sizeof blas), "the BLAS");
    json_t *report = json_pack("{s:o, s:s, s:s, s:i}", "rates", report_rates(&rates), "clock",
                               options.processor ? "processor" : "wall", "blas", blas, "blas_threads", softrelu_blas_threads());
    need(report != NULL, "out of memory");
    if (wanted("assembly"))
        put(report, "assembly", report_assembly(&rates));
    if (wanted("phases"))
        put(report, "phases", report_phases(&rates));
    if (wanted("growth"))
        put(report, "growth", report_growth());
    if (wanted("solves"))
        put(report, "solves", report_solves());
    const int written =
        options.out != NULL ? json_dump_file(report, options.out, JSON_INDENT(1)) : json_dumpf(report, stdout, JSON_INDENT(1));
    need(written == 0, "the report cannot be written");
    json_decref(report);
    return 0;
}
