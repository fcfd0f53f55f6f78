/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Exact, streamed, sampled and preconditioned Newton steps on problems with very many outputs.
 *
 *     large [--shape 0|1|2] [--scale S] [--repeats K] [--loss squares|kl] [--epsilon E] [--out FILE.json]
 *
 * All methods start from the same random point, each in a process of its own on the same data, in turn; times are medians.
 * --scale S < 1: S times as many outputs, and sqrt(S) times as many units and unknowns. --epsilon: of the samples. Exit status
 * 1 when a method does not end in a certified minimiser, or one whose steps are exact in another one than exact does. Steps of
 * a sample are other steps: F is not convex, and they may lead elsewhere; the table has the distance.
 */
#include "large.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

enum { SHAPES = 3, EXACT = 0, STREAMED, SAMPLED, PRECONDITIONED, METHODS, REPEATS_MOST = 25 };
static const int64_t SHAPE[SHAPES][3] = {{2000, 300, 50000}, {1000, 100, 200000}, {500, 50, 1000000}};
static const struct method METHOD[METHODS] = {
    {"exact", "exact", "cholesky", "-1", false},
    {"exact, streamed", "exact", "cholesky", "0", false},
    {"sampled", "sampled", "cholesky", "-1", false},
    {"sampled, pcg", "sampled", "pcg", "-1", false},
};
static const double SAME = 1e-9; /* relative distance of two solutions that are the same point */
static const double MEBIBYTE = 1048576.0;

static struct {
    int shape, repeats;
    double scale, epsilon; /* epsilon 0: the library's own */
    softrelu_loss loss;
    const char *out;
} options = {-1, 3, 1.0, 0.0, SOFTRELU_SQUARES, NULL};

/* What the repeats of a method come to: times are medians, memory is the most, the rest is the same every time. */
struct summary {
    const struct measurement *last;
    double seconds, seconds_cpu, seconds_hessian, allocated, resident, distance;
};

static struct summary summarise(struct measurement *runs[REPEATS_MOST], const struct measurement *exact, int64_t d) {
    struct summary summary = {.last = runs[options.repeats - 1]};
    double seconds[REPEATS_MOST], cpu[REPEATS_MOST], hessian[REPEATS_MOST];
    for (int k = 0; k < options.repeats; k++) {
        seconds[k] = runs[k]->seconds;
        cpu[k] = runs[k]->seconds_cpu;
        hessian[k] = runs[k]->seconds_hessian;
        summary.allocated = fmax(summary.allocated, runs[k]->allocated);
        summary.resident = fmax(summary.resident, runs[k]->resident);
        summary.distance = fmax(summary.distance, distance_of(d, runs[k]->x, exact->x) / (1.0 + norm_of(d, exact->x)));
    }
    summary.seconds = quantile(options.repeats, seconds, 0.5);
    summary.seconds_cpu = quantile(options.repeats, cpu, 0.5);
    summary.seconds_hessian = quantile(options.repeats, hessian, 0.5);
    return summary;
}

static void print_summary(const struct method *method, const struct summary *summary) {
    const struct measurement *run = summary->last;
    printf("| %s | %.2f | %.2f | %.2f | %.0f | %.0f | %.0f | %.0f, %.0f | %.1f | %.1f | %.10g | %s | %.1e | %.1e |\n",
           method->name, summary->seconds, summary->seconds_cpu, summary->seconds_hessian, run->iterations, run->rows,
           run->products, run->enlargements, run->fallbacks, summary->allocated / MEBIBYTE, summary->resident / MEBIBYTE,
           run->loss, softrelu_verdict_name(run->verdict), run->residual, summary->distance);
    (void)fflush(stdout);
}

/* null where there is no number */
static json_t *json_number(double value) { return isfinite(value) ? json_real(value) : json_null(); }

static json_t *json_summary(const struct method *method, const struct summary *summary) {
    const struct measurement *run = summary->last;
    json_t *object =
        json_pack("{s:s, s:s, s:s, s:i}", "method", method->name, "termination", softrelu_termination_name(run->termination),
                  "verdict", softrelu_verdict_name(run->verdict), "blas_threads", run->threads);
    need(object != NULL, "out of memory");
    const struct {
        const char *name;
        double value;
    } entries[] = {{"seconds", summary->seconds},
                   {"seconds_cpu", summary->seconds_cpu},
                   {"seconds_hessian", summary->seconds_hessian},
                   {"iterations", run->iterations},
                   {"sample_rows", run->rows},
                   {"sample_enlargements", run->enlargements},
                   {"sample_fallbacks", run->fallbacks},
                   {"hessian_products", run->products},
                   {"allocated_bytes", summary->allocated},
                   {"resident_bytes", summary->resident},
                   {"loss", run->loss},
                   {"residual_relative", run->residual},
                   {"distance_bound", run->distance_bound},
                   {"distance_to_exact", summary->distance}};
    for (size_t k = 0; k < sizeof entries / sizeof *entries; k++)
        need(json_object_set_new(object, entries[k].name, json_number(entries[k].value)) == 0, "out of memory");
    return object;
}

static int64_t scaled(int64_t size, double by) { return (int64_t)fmax(2.0, round((double)size * by)); }

static bool run_shape(const int64_t shape[3], json_t *results) {
    const int64_t n = scaled(shape[0], sqrt(options.scale)), d = scaled(shape[1], sqrt(options.scale));
    const int64_t m = scaled(shape[2], options.scale);
    struct measurement *runs[METHODS][REPEATS_MOST] = {{NULL}};
    struct shared_problem shared = share_problem(n, d, m, options.loss, 2024);
    json_t *methods = json_array();
    bool good = true, same[METHODS] = {false};
    printf("\n(n, d, m) = (%lld, %lld, %lld), %s, %.0f MiB of data, G would be %.0f MiB\n\n"
           "| method | seconds | of all cores | Hessians | iterations | rows | products | enlarged, fallbacks | MiB allocated "
           "| MiB "
           "resident | loss "
           "| verdict | residual | distance to exact |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n",
           (long long)n, (long long)d, (long long)m, options.loss == SOFTRELU_KL ? "kl" : "squares",
           (double)shared.bytes / MEBIBYTE, (double)(m * d) * sizeof(double) / MEBIBYTE);
    for (int repeat = 0; repeat < options.repeats; repeat++)
        for (int k = 0; k < METHODS; k++)
            runs[k][repeat] = measure(&shared, &METHOD[k], options.epsilon);
    for (int k = 0; k < METHODS; k++) {
        const struct summary summary = summarise(runs[k], runs[EXACT][0], d);
        print_summary(&METHOD[k], &summary);
        need(json_array_append_new(methods, json_summary(&METHOD[k], &summary)) == 0, "out of memory");
        good = good && summary.last->verdict == SOFTRELU_VERDICT_CERTIFIED;
        same[k] = summary.distance <= SAME;
    }
    for (int k = 0; k < METHODS; k++)
        for (int repeat = 0; repeat < options.repeats; repeat++)
            release_measurement(runs[k][repeat], d);
    unshare_problem(&shared);
    json_t *result =
        json_pack("{s:I, s:I, s:I, s:s, s:i, s:o}", "n", (json_int_t)n, "d", (json_int_t)d, "m", (json_int_t)m, "loss",
                  options.loss == SOFTRELU_KL ? "kl" : "squares", "repeats", options.repeats, "methods", methods);
    need(result != NULL && json_array_append_new(results, result) == 0, "out of memory");
    return good && same[STREAMED] && (same[SAMPLED] || same[PRECONDITIONED]);
}

static bool take(const char *name, const char *value) {
    double number = 0.0;
    if (strcmp(name, "--out") == 0) {
        options.out = value;
        return true;
    }
    if (strcmp(name, "--loss") == 0) {
        options.loss = value[0] == 'k' ? SOFTRELU_KL : SOFTRELU_SQUARES;
        return strcmp(value, "squares") == 0 || strcmp(value, "kl") == 0;
    }
    if (strcmp(name, "--scale") == 0)
        return read_number(value, 1e-4, 1.0, &options.scale);
    if (strcmp(name, "--epsilon") == 0)
        return read_number(value, 1e-3, 0.99, &options.epsilon);
    if (strcmp(name, "--shape") == 0 && read_number(value, 0.0, SHAPES - 1, &number))
        options.shape = (int)number;
    else if (strcmp(name, "--repeats") == 0 && read_number(value, 1.0, REPEATS_MOST, &number))
        options.repeats = (int)number;
    else
        return false;
    return true;
}

int main(int count, char **words) {
    bool understood = true;
    for (int i = 1; i < count; i += 2)
        understood = understood && i + 1 < count && take(words[i], words[i + 1]);
    if (!understood) {
        fprintf(stderr,
                "usage: large [--shape 0|1|2] [--scale S] [--repeats K] [--loss squares|kl] [--epsilon E] [--out FILE.json]\n");
        return 2;
    }
    json_t *results = json_array();
    bool good = true;
    for (int shape = 0; shape < SHAPES; shape++)
        if (options.shape < 0 || options.shape == shape)
            good = run_shape(SHAPE[shape], results) && good;
    if (options.out != NULL)
        need(json_dump_file(results, options.out, JSON_INDENT(1)) == 0, options.out);
    json_decref(results);
    return good ? 0 : 1;
}
