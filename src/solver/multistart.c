/*
 * Several starts of one solve. F is not convex, and which minimiser is found depends on where the solve begins. The first start
 * is the one a single solve has: the user's x0, or else the warm start. With an x0 the warm start is the second. After them
 * come, by turns, perturbations of the first start and random points:
 *
 *     x = base + s g          x = centre + s g          g standard normal, by seed, number of the start and entry
 *
 * centre is x_ref, the point that the proximity term holds x to, or 0, and s is how far the base is from it, as a root mean
 * square over the entries: u = A1 x + c1 then has the size it has at a point that is known to fit. Where the base is the
 * centre, s makes the root mean square of A1 x one. Shorter perturbations end too often where the base itself does: on noisy
 * problems of (n, d, m) = (60, 15, 30), where the first end alone is above the lowest known by 33 % of it, the lowest of eight
 * was by 20 % with perturbations of 0.1 s, 5 to 12 % with 0.5 s, 4 to 8 % with s, 3 % with random points, and 3 to 4 % with
 * both by turns. Points are brought within the bounds.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "certificate/keep.h"
#include "linalg/runtime.h"
#include "solver/solver.h"

static const double SAME = 1e-6; /* distance of two ends that are one, relative to the larger of them and of the base */

void srl_starts_carve(struct srl_arena *arena, struct srl_starts *starts, const struct srl_solver *solver, int64_t count) {
    starts->ends = srl_arena_take(arena, count, sizeof *starts->ends);
    starts->point = srl_arena_doubles(arena, solver->model->d);
    starts->base = srl_arena_doubles(arena, solver->model->d);
    for (int64_t i = 0; i < count; i++) {
        struct srl_end uncounted = {0}, *end = starts->ends != NULL ? &starts->ends[i] : &uncounted;
        end->x = srl_arena_doubles(arena, solver->model->d);
        srl_kept_certificate_carve(arena, &end->certificate, solver->unknowns.full);
    }
}

static double centre_at(const struct srl_model *model, int64_t k) { return model->x_ref != NULL ? model->x_ref[k] : 0.0; }

/* s */
static double scale_of(const struct srl_solver *solver) {
    const struct srl_model *model = solver->model;
    const double *base = solver->starts.base;
    double *offset = solver->starts.point; /* scratch here */
    for (int64_t k = 0; k < model->d; k++)
        offset[k] = base[k] - centre_at(model, k);
    const double distance = srl_norm(model->d, offset);
    if (distance > DBL_EPSILON * srl_norm(model->d, base))
        return distance / sqrt((double)model->d);
    const double size = srl_norm(model->n, model->row_norms);
    return size > 0.0 ? sqrt((double)model->n) / size : 1.0;
}

/* Start number `number` into starts.point; number >= 1. NULL: the warm start. */
static const double *choose_start(struct srl_solver *solver, int64_t number) {
    const struct srl_model *model = solver->model;
    const int64_t drawn = number - (solver->has_start ? 2 : 1);
    if (drawn < 0)
        return NULL;
    double *point = solver->starts.point;
    const bool random = drawn % 2 != 0;
    const double scale = scale_of(solver);
    for (int64_t k = 0; k < model->d; k++)
        point[k] = (random ? centre_at(model, k) : solver->starts.base[k]) +
                   scale * srl_random_normal((uint64_t)solver->settings.start_seed, (uint64_t)number, (uint64_t)k);
    return point;
}

static double loss_of(const struct softrelu_report *report) { return report->quantities[SOFTRELU_REPORT_LOSS_INDEX]; }

/* The end that the present one is the same as, or -1. */
static int64_t find_same(const struct srl_solver *solver) {
    const int64_t d = solver->model->d;
    const struct srl_starts *starts = &solver->starts;
    const double *x = solver->current.x, size = fmax(srl_norm(d, x), srl_norm(d, starts->base));
    for (int64_t i = 0; i < starts->count; i++)
        if (srl_distance(d, x, starts->ends[i].x) <= SAME * fmax(size, srl_norm(d, starts->ends[i].x)))
            return i;
    return -1;
}

static void fill(struct srl_end *end, const struct srl_solver *solver) {
    end->loss = loss_of(&solver->report);
    memcpy(end->x, solver->current.x, (size_t)solver->model->d * sizeof *end->x);
    srl_certificate_keep(&end->certificate, &solver->certificate);
}

/* The present end takes the place of the same one, found before, where it is certified and that was not. */
static bool replaces(const struct srl_solver *solver, int64_t same) {
    const struct srl_starts *starts = &solver->starts;
    const double loss = loss_of(&solver->report);
    return solver->certificate.verdict == SOFTRELU_VERDICT_CERTIFIED &&
           starts->ends[same].certificate.verdict != SOFTRELU_VERDICT_CERTIFIED &&
           (same == 0 || loss >= starts->ends[same - 1].loss) &&
           (same + 1 == starts->count || loss <= starts->ends[same + 1].loss);
}

/* Room for the present end behind those that are no higher. Returns its place. */
static int64_t insert(struct srl_starts *starts, double loss) {
    int64_t place = starts->count;
    const struct srl_end room = starts->ends[starts->count++];
    for (; place > 0 && starts->ends[place - 1].loss > loss; place--)
        starts->ends[place] = starts->ends[place - 1];
    starts->ends[place] = room;
    return place;
}

/* Lists where the start that has just been tried ended. */
static void keep_end(struct srl_solver *solver) {
    struct srl_starts *starts = &solver->starts;
    const int64_t same = find_same(solver);
    if (same >= 0 && !replaces(solver, same))
        return;
    const int64_t place = same >= 0 ? same : insert(starts, loss_of(&solver->report));
    fill(&starts->ends[place], solver);
    if (place > 0)
        return;
    const struct softrelu_report before = starts->best; /* the traces change places, too */
    starts->best = solver->report;
    solver->report = before;
}

static bool may_go_on(struct srl_solver *solver, softrelu_termination ended) {
    return ended != SOFTRELU_CALLBACK_STOP && !srl_interrupted(&solver->budget.interruption);
}

/* The lowest end becomes the outcome of the solve. */
static void settle_on_best(struct srl_solver *solver) {
    struct srl_starts *starts = &solver->starts;
    const struct softrelu_report last = solver->report;
    solver->report = starts->best;
    starts->best = last;
    memcpy(solver->current.x, starts->ends[0].x, (size_t)solver->model->d * sizeof *solver->current.x);
    srl_certificate_keep(&solver->certificate, &starts->ends[0].certificate);
}

softrelu_status srl_minimise(struct srl_solver *solver, struct srl_message *message) {
    struct srl_starts *starts = &solver->starts;
    const double began = srl_now();
    int64_t tried = 1;
    atomic_store(&solver->stop_requested, 0);
    starts->count = 0;
    solver->from = srl_enter_unknowns(solver);
    starts->elapsed = srl_now() - began;
    const softrelu_status status = srl_solve(solver, message);
    if (status != SOFTRELU_OK)
        return status;
    if (solver->settings.starts > 1) {
        softrelu_termination ended = solver->report.termination;
        keep_end(solver);
        for (; tried < solver->settings.starts; tried++) {
            struct srl_message ignored;
            starts->elapsed = srl_now() - began;
            if (!may_go_on(solver, ended))
                break;
            solver->from = choose_start(solver, tried);
            ended = SOFTRELU_NOT_RUN;
            if (srl_solve(solver, &ignored) == SOFTRELU_OK) { /* else F overflows there: not an error of the user's */
                ended = solver->report.termination;
                keep_end(solver);
            }
        }
        settle_on_best(solver);
    }
    solver->report.quantities[SOFTRELU_REPORT_STARTS_INDEX] = (double)tried;
    solver->report.quantities[SOFTRELU_REPORT_SAMPLE_SEED_INDEX] = (double)solver->settings.sample_seed;
    solver->report.quantities[SOFTRELU_REPORT_START_SEED_INDEX] = (double)solver->settings.start_seed;
    solver->report.quantities[SOFTRELU_REPORT_BLAS_THREADS_INDEX] = (double)srl_blas_threads();
    solver->report.quantities[SOFTRELU_REPORT_MINIMISERS_INDEX] = starts->count > 0 ? (double)starts->count : 1.0;
    solver->report.quantities[SOFTRELU_REPORT_SECONDS_STARTS_INDEX] = srl_now() - began;
    return SOFTRELU_OK;
}
