/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "phases.h"

/* ---- the machine ---- */

enum { ORDER = 1500, LENGTH = 1 << 24 };

struct product {
    int64_t order, length;
    double *a, *b, *c, sink;
    float *fa, *fb, *fc;
};

static void multiply(void *context) {
    const struct product *p = context;
    srl_gemm(SRL_PLAIN, p->order, p->order, p->order, p->a, p->order, p->b, p->order, p->c, p->order);
}
static void multiply_single(void *context) {
    const struct product *p = context;
    srl_gemm_single(SRL_PLAIN, p->order, p->order, p->order, p->fa, p->order, p->fb, p->order, p->fc, p->order);
}
static void read_all(void *context) {
    struct product *p = context;
    p->sink += srl_max_abs(1, p->a) + srl_dot(p->length, p->a, p->a);
}

struct rates measure_rates(void) {
    const int64_t order = (int64_t)(ORDER * sqrt(options.scale)), size = order * order;
    const int64_t length = (int64_t)(LENGTH * options.scale);
    const double flops = 2.0 * (double)order * (double)order * (double)order;
    struct product p = {order,         length,        numbers(length > size ? length : size),
                        numbers(size), numbers(size), 0.0,
                        singles(size), singles(size), singles(size)};
    for (int64_t k = 0; k < length || k < size; k++)
        p.a[k] = 1e-3 * (double)(k % 1013);
    for (int64_t k = 0; k < size; k++)
        p.fa[k] = p.fb[k] = (float)(p.b[k] = 1e-3 * (double)(k % 997));
    const struct rates rates = {flops / median_seconds(options.repeats, multiply, &p),
                                flops / median_seconds(options.repeats, multiply_single, &p),
                                8.0 * (double)length / median_seconds(options.repeats, read_all, &p)};
    free(p.a);
    free(p.b);
    free(p.c);
    free(p.fa);
    free(p.fb);
    free(p.fc);
    return rates;
}

json_t *report_rates(const struct rates *rates) {
    return json_pack("{s:f, s:f, s:f}", "dgemm", rates->dgemm, "sgemm", rates->sgemm, "stream", rates->stream);
}

/* ---- tasks ---- */

static void assemble(void *context) {
    struct place *place = context;
    srl_hessian_assemble(place->model, &place->work, &place->point, place->point.r, place->newton.hessian);
}
void assemble_anew(void *context) {
    ((struct place *)context)->work.jacobian.kept_valid = false;
    assemble(context);
}
static void assemble_from_rows(void *context) {
    struct place *place = context;
    srl_hessian_prepare(place->model, &place->work, &place->point);
    srl_hessian_begin(place->model, &place->work, place->point.r, place->newton.hessian);
    srl_hessian_add_fit(place->model, &place->work, place->point.outer.top, place->point.r, place->newton.hessian);
}
static void form(void *context) {
    struct place *place = context;
    place->work.jacobian.kept_valid = false;
    srl_jacobian_prepare(place->model, &place->work.jacobian, place->point.u);
}
/* The next G has every FLIPPED-th unit on the other side, and the one after that has it back. */
enum { FLIPPED = 50 };
static void flip(void *context) {
    struct place *place = context;
    for (int64_t i = FLIPPED - 1; i < place->model->n; i += FLIPPED)
        place->point.u[i] = -place->point.u[i];
    srl_jacobian_prepare(place->model, &place->work.jacobian, place->point.u);
}
void evaluate(void *context) {
    struct place *place = context;
    need(srl_point_move(place->model, &place->point, place->x0), "the point");
}
static void try_along_a_line(void *context) {
    struct place *place = context;
    need(srl_point_evaluate(place->model, &place->point), "the point");
}
void differentiate(void *context) {
    struct place *place = context;
    need(srl_point_differentiate(place->model, &place->point, place->scratch), "the gradient");
}
void factor(void *context) {
    struct place *place = context;
    srl_newton_forget(&place->newton);
    need(srl_newton_factor(&place->newton, place->model->d, 0.0) == 0, "the factorisation");
}
/* What a shift makes positive definite once and for all. */
void shift_hessian(struct place *place) {
    const int64_t d = place->model->d;
    const double shift = (double)d * srl_newton_scale(&place->newton, d);
    for (int64_t k = 0; k < d; k++)
        place->newton.hessian[k + k * d] += shift;
}

double assembly_and_factorisation(struct place *place, int repeats) {
    place_keep(place, true, false);
    const double assembly = median_seconds(repeats, assemble_anew, place);
    shift_hessian(place);
    return assembly + median_seconds(repeats, factor, place);
}

/* ---- assembly ---- */

static const int64_t SHAPES[3][3] = {{4000, 400, 2000}, {8000, 1000, 4000}, {2000, 300, 50000}};

static json_t *assembly_row(struct shape s, const char *what, const char *precision, double seconds, double flops,
                            const struct rates *rates) {
    return json_pack("{s:I, s:I, s:I, s:s, s:s, s:f, s:f, s:f}", "n", (json_int_t)s.n, "d", (json_int_t)s.d, "m",
                     (json_int_t)s.m, "what", what, "precision", precision, "seconds", seconds, "flops", flops, "of_dgemm",
                     flops / seconds / rates->dgemm);
}

void add(json_t *array, json_t *value) { need(value != NULL && json_array_append_new(array, value) == 0, "memory"); }

/* m a d and m d^2 / 2 multiplications, each with an addition. */
static void report_shape(struct shape s, const struct rates *rates, json_t *rows) {
    struct place made = place_create(s, 0.5, 1e-3, false), *place = &made;
    const double m = (double)s.m, d = (double)s.d, square = m * d * d,
                 full = 2.0 * m * (double)place_active(place) * d + square;
    for (int single = 0; single < 2; single++) {
        const char *precision = single ? "single" : "double";
        place_keep(place, true, single);
        add(rows, assembly_row(s, "full", precision, median_seconds(options.repeats, assemble_anew, place), full, rates));
        assemble(place);
        add(rows, assembly_row(s, "G kept", precision, median_seconds(options.repeats, assemble, place), square, rates));
        place_keep(place, false, single);
        add(rows, assembly_row(s, "G streamed", precision, median_seconds(options.repeats, assemble, place), full, rates));
    }
    place_destroy(place);
}

/* Both orders of the products where units are few: the one that is chosen, and G's rows all the same. */
static void report_orders(struct shape s, const struct rates *rates, json_t *rows) {
    struct place made = place_create(s, 0.5, 1e-3, false), *place = &made;
    const double m = (double)s.m, d = (double)s.d, a = (double)place_active(place);
    place_keep(place, false, false);
    add(rows, assembly_row(s, "from factors", "double", median_seconds(options.repeats, assemble, place),
                           a * a * (m + 2.0 * d) + a * d * d, rates));
    add(rows, assembly_row(s, "from rows", "double", median_seconds(options.repeats, assemble_from_rows, place),
                           m * d * (2.0 * a + d), rates));
    place_destroy(place);
}

json_t *report_assembly(const struct rates *rates) {
    json_t *rows = json_array();
    for (int k = 0; k < 3; k++)
        report_shape(scaled_shape(SHAPES[k][0], SHAPES[k][1], SHAPES[k][2]), rates, rows);
    report_orders(scaled_shape(1000, 500, 10000), rates, rows);
    return rows;
}

/* ---- phases ---- */

/* What a phase does: flops beside dgemm or sgemm, or bytes beside the stream rate. */
static json_t *phase_row(struct shape s, const char *name, double seconds, double work, const char *of, double rate) {
    return json_pack("{s:I, s:I, s:I, s:s, s:f, s:f, s:s, s:f}", "n", (json_int_t)s.n, "d", (json_int_t)s.d, "m",
                     (json_int_t)s.m, "phase", name, "seconds", seconds, "work", work, "of", of, "fraction",
                     work / seconds / rate);
}

static void report_products(struct shape s, bool single_data, const struct rates *rates, json_t *rows) {
    struct place made = place_create(s, 0.5, 1e-3, single_data), *place = &made;
    const double size = single_data ? 4.0 : 8.0, a1 = size * (double)s.n * (double)s.d, a2 = size * (double)s.m * (double)s.n;
    const int repeats = options.repeats;
    add(rows, phase_row(s, single_data ? "evaluation, float data" : "evaluation", median_seconds(repeats, evaluate, place),
                        a1 + a2, "stream", rates->stream));
    add(rows, phase_row(s, single_data ? "line-search trial, float data" : "line-search trial",
                        median_seconds(repeats, try_along_a_line, place), a2, "stream", rates->stream));
    add(rows, phase_row(s, single_data ? "gradient, float data" : "gradient", median_seconds(repeats, differentiate, place),
                        a1 + a2, "stream", rates->stream));
    place_destroy(place);
}

static void report_matrices(struct shape s, bool single, const struct rates *rates, json_t *rows) {
    struct place made = place_create(s, 0.5, 1e-3, false), *place = &made;
    const double m = (double)s.m, d = (double)s.d, active = (double)place_active(place),
                 rate = single ? rates->sgemm : rates->dgemm;
    const char *of = single ? "sgemm" : "dgemm";
    const int repeats = options.repeats;
    place_keep(place, true, single);
    add(rows, phase_row(s, "G from scratch", median_seconds(repeats, form, place), 2.0 * m * active * d, of, rate));
    add(rows, phase_row(s, "G, 2 % of the units flip", median_seconds(repeats, flip, place),
                        2.0 * m * floor((double)s.n / FLIPPED) * d, of, rate));
    need(srl_point_evaluate(place->model, &place->point), "the point");
    place_keep(place, true, single);
    assemble(place);
    add(rows, phase_row(s, "weighted squares", median_seconds(repeats, assemble, place), m * d * d, of, rate));
    if (!single) {
        shift_hessian(place);
        add(rows, phase_row(s, "factorisation", median_seconds(repeats, factor, place), d * d * d / 3.0, of, rate));
    }
    place_destroy(place);
}

json_t *report_phases(const struct rates *rates) {
    json_t *rows = json_array();
    for (int k = 0; k < 2; k++) {
        const struct shape s = scaled_shape(SHAPES[k][0], SHAPES[k][1], SHAPES[k][2]);
        report_products(s, false, rates, rows);
        report_products(s, true, rates, rows);
        report_matrices(s, false, rates, rows);
        report_matrices(s, true, rates, rows);
    }
    return rows;
}
