/* SPDX-License-Identifier: BSD-3-Clause */
#include "path.h"

#include "plot.h"

#include <math.h>
#include <stdlib.h>

static double number(const json_t *object, const char *key) { return json_number_value(json_object_get(object, key)); }

struct passed {
    double distance, confidence;
};

/* Those of a branch as a plot has them: columns, in order of distance. */
struct curve {
    int64_t count;
    double *distance, *confidence, *asked; /* one piece of memory */
};

static int by_distance(const void *left, const void *right) {
    const struct passed *a = left;
    const struct passed *b = right;
    return (a->distance > b->distance) - (a->distance < b->distance);
}

/* The branch of the nearest answer, or, without any, of the best point; the input is on all of them. */
static double branch_of(const json_t *report) {
    const json_t *answers = json_object_get(report, "answers");
    const json_t *end = json_array_size(answers) > 0 ? json_array_get(answers, 0) : json_object_get(report, "best");
    size_t index = 0;
    const json_t *at = NULL;
    json_array_foreach(json_object_get(report, "path"), index, at) {
        if (number(at, "distance") == number(end, "distance") && number(at, "confidence") == number(end, "confidence")) {
            return number(at, "branch");
        }
    }
    return 0;
}

static int64_t take_branch(const json_t *report, struct passed *passed) {
    const double branch = branch_of(report);
    int64_t count = 0;
    size_t index = 0;
    const json_t *at = NULL;
    json_array_foreach(json_object_get(report, "path"), index, at) {
        if (index == 0 || number(at, "branch") == branch) {
            passed[count++] = (struct passed){number(at, "distance"), number(at, "confidence")};
        }
    }
    return count;
}

/* Empty for want of memory, too. The line of what is asked for has points at its ends alone. */
static struct curve curve_of(const json_t *report) {
    const size_t length = json_array_size(json_object_get(report, "path"));
    struct passed *passed = calloc(length + 1, sizeof *passed);
    double *room = calloc(3 * length + 1, sizeof *room);
    struct curve curve = {0, room, NULL, NULL};
    if (passed != NULL && room != NULL) {
        curve = (struct curve){take_branch(report, passed), room, room + length, room + 2 * length};
        qsort(passed, (size_t)curve.count, sizeof *passed, by_distance);
    }
    for (int64_t i = 0; i < curve.count; i++) {
        curve.distance[i] = passed[i].distance;
        curve.confidence[i] = passed[i].confidence;
        curve.asked[i] = i == 0 || i == curve.count - 1 ? number(report, "confidence") : NAN;
    }
    free(passed);
    return curve;
}

static void write_curve(FILE *stream, const struct curve *curve, bool alone) {
    const struct plot_series series[] = {{"probability", "a", curve->confidence}, {"asked for", "b", curve->asked}};
    const struct plot plot = {"Probability of the wanted output by distance from the input",
                              "distance from the input",
                              "probability",
                              false,
                              curve->count,
                              curve->distance,
                              series,
                              2};
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
            "<figcaption>What each probability costs: the search lets the input move further and further, and then closes in "
            "on what is asked for.</figcaption></figure>\n",
            stream);
        write_table(stream, json_object_get(report, "path"));
    }
    free(curve.distance);
}
