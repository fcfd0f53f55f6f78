/* SPDX-License-Identifier: BSD-3-Clause */
/* Whole solves, in units of one full assembly and factorisation. */
#include <stdio.h>
#include <stdlib.h>

#include "phases.h"

static const double REGIMES[4][2] = {{0.0, 1e-6}, {0.0, 1e-2}, {0.5, 1e-3}, {1.0, 1e-4}}; /* noise, w */
static const double KINK_TOLERANCE = 1e-9, TOLERANCE = 1e-10;
static const int64_t SHAPES[2][3] = {{4000, 400, 2000}, {8000, 1000, 4000}};

struct outcome {
    double seconds, certificate;      /* the certificate once more, by itself */
    double share_hessian, share_step; /* of the solve's wall time */
    double iterations, evaluations, factorisations;
    softrelu_verdict verdict;
};

static double seconds_to_certify(const struct place *place, const softrelu_solver *solver) {
    const int64_t d = place->model->d;
    double *x = numbers(d);
    softrelu_certificate *certificate = NULL;
    need_ok(softrelu_certificate_create(place->problem, &certificate), "the certificate");
    need_ok(softrelu_solver_solution(solver, x, d), softrelu_solver_message(solver));
    const double began = seconds_now();
    need_ok(softrelu_certify(certificate, x, d, KINK_TOLERANCE, TOLERANCE), "the certificate");
    const double seconds = seconds_now() - began;
    softrelu_certificate_destroy(certificate);
    free(x);
    return seconds;
}

static struct outcome solve(struct place *place, bool warm, bool single) {
    softrelu_solver *solver = solver_of(place->problem);
    struct outcome outcome;
    if (!warm)
        need_ok(softrelu_solver_set_start(solver, place->x0, place->model->d), softrelu_solver_message(solver));
    if (single)
        set_text(solver, "curvature_precision", "single");
    const double began = seconds_now();
    need_ok(softrelu_solver_solve(solver), softrelu_solver_message(solver));
    outcome.seconds = seconds_now() - began;
    const double wall = report_number(solver, SOFTRELU_REPORT_SECONDS);
    outcome.share_hessian = report_number(solver, SOFTRELU_REPORT_SECONDS_HESSIAN) / wall;
    outcome.share_step = report_number(solver, SOFTRELU_REPORT_SECONDS_STEP) / wall;
    outcome.iterations = report_number(solver, SOFTRELU_REPORT_ITERATIONS);
    outcome.evaluations = report_number(solver, SOFTRELU_REPORT_EVALUATIONS);
    outcome.factorisations = report_number(solver, SOFTRELU_REPORT_FACTORISATIONS);
    outcome.verdict = softrelu_certificate_verdict(softrelu_solver_certificate(solver));
    outcome.certificate = seconds_to_certify(place, solver);
    softrelu_solver_destroy(solver);
    return outcome;
}

/* The counts are the same every time; of the times the medians. */
static struct outcome median_solve(struct place *place, bool warm, bool single, int repeats) {
    double seconds[REPEATS_MOST], certificate[REPEATS_MOST];
    struct outcome outcome = {0};
    for (int k = 0; k < repeats; k++) {
        outcome = solve(place, warm, single);
        seconds[k] = outcome.seconds;
        certificate[k] = outcome.certificate;
    }
    outcome.seconds = quantile(repeats, seconds, 0.5);
    outcome.certificate = quantile(repeats, certificate, 0.5);
    return outcome;
}

static json_t *solve_row(struct shape s, const double *regime, bool warm, bool single, const struct outcome *at, double unit) {
    return json_pack("{s:I, s:I, s:I, s:f, s:f, s:s, s:s, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:s}", "n",
                     (json_int_t)s.n, "d", (json_int_t)s.d, "m", (json_int_t)s.m, "noise", regime[0], "w", regime[1], "start",
                     warm ? "warm" : "random", "precision", single ? "single" : "double", "seconds", at->seconds, "unit", unit,
                     "ratio", at->seconds / unit, "certificate", at->certificate, "share_hessian", at->share_hessian,
                     "share_step", at->share_step, "iterations", at->iterations, "evaluations", at->evaluations,
                     "factorisations", at->factorisations, "verdict", softrelu_verdict_name(at->verdict));
}

json_t *report_solves(void) {
    json_t *rows = json_array();
    for (int size = 0; size < 2; size++)
        for (int regime = 0; regime < (size == 0 ? 4 : options.large); regime++) {
            const struct shape s = scaled_shape(SHAPES[size][0], SHAPES[size][1], SHAPES[size][2]);
            struct place made = place_create(s, REGIMES[regime][0], REGIMES[regime][1], false), *place = &made;
            const int repeats = size == 0 ? options.solve_repeats : 1;
            const double unit = assembly_and_factorisation(place, options.repeats);
            const int kinds = size == 0 ? 3 : 2; /* warm, random, warm with single-precision curvature */
            for (int kind = 0; kind < kinds; kind++) {
                const struct outcome at = median_solve(place, kind != 1, kind == 2, repeats);
                add(rows, solve_row(s, REGIMES[regime], kind != 1, kind == 2, &at, unit));
                fprintf(stderr, "n = %ld, noise %g, w %g: %.2f s\n", (long)s.n, REGIMES[regime][0], REGIMES[regime][1],
                        at.seconds);
            }
            place_destroy(place);
        }
    return rows;
}
