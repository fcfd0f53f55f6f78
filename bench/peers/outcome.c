/* SPDX-License-Identifier: BSD-3-Clause */
#include "outcome.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "member.h"

static const double KINK_TOLERANCE = 1e-9, TOLERANCE = 1e-12; /* the solver's standard settings */
static const double SAME_LOSS = 1e-9;

static json_t *number(double value) { return isfinite(value) ? json_real(value) : json_null(); }

static void put(json_t *object, const char *name, json_t *value) {
    need(value != NULL && json_object_set_new(object, name, value) == 0, "out of memory");
}

static void put_descent(json_t *object, const char *name, const struct descent *descent) {
    json_t *seconds = json_array(), *values = json_array();
    for (int64_t i = 0; i < descent->count; i++) {
        need(json_array_append_new(seconds, json_real(descent->seconds[i])) == 0, "out of memory");
        need(json_array_append_new(values, number(descent->values[i])) == 0, "out of memory");
    }
    put(object, name, json_pack("[o, o]", seconds, values));
}

static void put_judgement(json_t *object, const struct member *member, const double *x) {
    static const struct {
        const char *name;
        softrelu_certificate_quantity quantity;
    } judged[] = {{"residual", SOFTRELU_CERTIFICATE_RESIDUAL},
                  {"residual_relative", SOFTRELU_CERTIFICATE_RESIDUAL_RELATIVE},
                  {"pinned_kinks", SOFTRELU_CERTIFICATE_PINNED_KINKS}};
    softrelu_problem *problem = pose(&member->network);
    softrelu_certificate *certificate = NULL;
    need_ok(softrelu_certificate_create(problem, &certificate), "the certificate");
    need_ok(softrelu_certify(certificate, x, member->d, KINK_TOLERANCE, TOLERANCE), softrelu_certificate_message(certificate));
    for (size_t i = 0; i < sizeof judged / sizeof *judged; i++) {
        double value = NAN;
        need_ok(softrelu_certificate_number(certificate, judged[i].quantity, &value), judged[i].name);
        put(object, judged[i].name, number(value));
    }
    put(object, "verdict", json_string(softrelu_verdict_name(softrelu_certificate_verdict(certificate))));
    softrelu_certificate_destroy(certificate);
    softrelu_problem_destroy(problem);
}

static bool usable(const double *x, int d) {
    for (int k = 0; x != NULL && k < d; k++)
        if (!isfinite(x[k]))
            return false;
    return x != NULL;
}

/* The loss of the solution, which is left in x. */
static double settle(struct evaluation *at, const double *returned, double *x) {
    const double best = at->race.best, scale = at->scale;
    double loss = INFINITY;
    at->race.over = NULL;
    memcpy(x, at->race.best_x, (size_t)at->d * sizeof *x);
    at->has_x = false;
    if (usable(returned, at->d))
        loss = evaluate_value(at, returned) / scale;
    if (!(loss <= best * (1.0 + SAME_LOSS)))
        return evaluate_value(at, x) / scale;
    memcpy(x, returned, (size_t)at->d * sizeof *x);
    return loss;
}

char *outcome_json(struct evaluation *at, const char *solver, const double *x, const char *status) {
    const double seconds = race_seconds(&at->race);
    const struct member *member = at->member;
    json_t *object = json_pack("{s:s, s:[i, i, i], s:f, s:f, s:I, s:f, s:s, s:s, s:I, s:I, s:I, s:I, s:I}", "solver", solver,
                               "size", member->n, member->d, member->m, "noise", member->noise, "weight", member->weight,
                               "seed", (json_int_t)member->seed, "seconds", seconds, "end", race_end_name(at->race.end),
                               "status", status, "values", (json_int_t)at->counts.values, "gradients",
                               (json_int_t)at->counts.gradients, "jacobians", (json_int_t)at->counts.jacobians, "hessians",
                               (json_int_t)at->counts.hessians, "products", (json_int_t)at->counts.products);
    need(object != NULL, "out of memory");
    put_descent(object, "losses", &at->race.loss);
    put_descent(object, "residuals", &at->race.residual);
    double *settled = numbers(at->d);
    put(object, "start", number(at->start));
    put(object, "loss", number(settle(at, x, settled)));
    put_judgement(object, member, settled);
    char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(17));
    need(text != NULL, "out of memory");
    json_decref(object);
    free(settled);
    return text;
}
