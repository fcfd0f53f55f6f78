/* SPDX-License-Identifier: BSD-3-Clause */
#include "path.h"

#include "plot.h"

#include <math.h>
#include <stdlib.h>

static double number(const json_t *object, const char *key) { return json_number_value(json_object_get(object, key)); }

struct passed {
    double distance, confidence;
};

/* As a plot has them: columns, in order of distance. */
struct curve {
    int64_t count;
    double *distance, *confidence, *asked; /* one piece of memory */
};

static int by_distance(const void *left, const void *right) {
    const struct passed *a = left;
    const struct passed *b = right;
    return (a->distance > b->distance) - (a->distance < b->distance);
}

/* All that were passed, in order of distance; NULL for want of memory. */
static struct passed *sorted(const json_t *path) {
    const size_t length = json_array_size(path);
    struct passed *passed = calloc(length + 1, sizeof *passed);
    size_t index = 0;
    const json_t *at = NULL;
    if (passed != NULL) {
        json_array_foreach(path, index, at) {
            passed[index] = (struct passed){number(at, "distance"), number(at, "confidence")};
        }
        qsort(passed, length, sizeof *passed, by_distance);
    }
    return passed;
}

/* The points that none before them is as probable as: what a probability costs. Empty for want of memory, too. The line of what
   is asked for has points at its ends alone. */
static struct curve curve_of(const json_t *report) {
    const json_t *path = json_object_get(report, "path");
    const size_t length = json_array_size(path);
    struct passed *passed = sorted(path);
    double *room = calloc(3 * length + 1, sizeof *room);
    struct curve curve = {0, room, NULL, NULL};
    if (passed != NULL && room != NULL) {
        curve = (struct curve){0, room, room + length, room + 2 * length};
        for (size_t i = 0; i < length; i++) {
            if (curve.count == 0 || passed[i].confidence > curve.confidence[curve.count - 1]) {
                curve.distance[curve.count] = passed[i].distance;
                curve.confidence[curve.count] = passed[i].confidence;
                curve.asked[curve.count++] = NAN;
            }
        }
    }
    if (curve.count > 0) {
        curve.asked[0] = curve.asked[curve.count - 1] = number(report, "confidence");
    }
    free(passed);
    return curve;
}

static void write_curve(FILE *stream, const struct curve *curve, bool alone) {
    const struct plot_series series[] = {{"the most that was met", "a", curve->confidence}, {"asked for", "b", curve->asked}};
    const struct plot plot = {.title = "The highest probability of the wanted output that was met within each distance",
                              .x_label = "distance from the input",
                              .y_label = "probability",
                              .fractions = true,
                              .count = curve->count,
                              .x = curve->distance,
                              .series = series,
                              .series_count = 2};
    plot_write(stream, &plot, alone);
}

void path_write_plot(FILE *stream, const json_t *report) {
    struct curve curve = curve_of(report);
    write_curve(stream, &curve, true);
    free(curve.distance);
}

static void write_table(FILE *stream, const json_t *path) {
    (void)fputs("<details><summary>The numbers of every step</summary><div class=\"wide\"><table id=\"path\"><thead><tr>",
                stream);
    static const char *const headings[] = {"step", "branch", "rho", "probability", "distance"};
    for (size_t i = 0; i < sizeof headings / sizeof headings[0]; i++) {
        (void)fprintf(stream, "<th scope=\"col\" class=\"number\">%s</th>", headings[i]);
    }
    (void)fputs("<th scope=\"col\">reached</th></tr></thead><tbody>\n", stream);
    size_t index = 0;
    const json_t *at = NULL;
    json_array_foreach(path, index, at) {
        (void)fprintf(
            stream,
            "<tr data-index=\"%zu\"><td class=\"number\">%zu</td><td class=\"number\">%.0f</td><td class=\"number\">%.6g</td>"
            "<td class=\"number\">%.6f</td><td class=\"number\">%.6g</td><td>%s</td></tr>\n",
            index, index, number(at, "branch"), number(at, "rho"), number(at, "confidence"), number(at, "distance"),
            number(at, "reached") == 1 ? "yes" : "no");
    }
    (void)fputs("</tbody></table></div></details>\n", stream);
}

void path_write(FILE *stream, const json_t *report) {
    struct curve curve = curve_of(report);
    if (curve.count > 1) {
        (void)fputs("<h2>Path</h2>\n<figure id=\"path-plot\">", stream);
        write_curve(stream, &curve, false);
        (void)fputs(
            "<figcaption>What each probability costs: of all points that the search passed, those that none nearer is as "
            "probable as.</figcaption></figure>\n",
            stream);
        write_table(stream, json_object_get(report, "path"));
    }
    free(curve.distance);
}
