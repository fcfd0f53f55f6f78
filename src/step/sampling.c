#include "step/sampling.h"

#include <math.h>
#include <string.h>

#include "base/random.h"

enum { COLUMNS = 16, BLOCK = 1024 };       /* of a sketch; rows of A2 that it takes at a time */
enum { PILOT_ROWS = 8, SECOND_ROWS = 20 }; /* times d: samples whose metric the next scores are made in */
enum { PILOT, SECOND, FINAL, SKETCH, STREAMS = 8 };
enum { POWER_STEPS = 20 };
static const double FAILURE = 0.01;
static const double PRODUCT = 16.0, MOST_FILLED = 0.25;
static const double NEAR_UNITS = 0.03, NEAR_WEIGHTS = 0.3; /* shares that may change before scores are made anew */
/* The scores may be too small: by the spread of a sketch of 16 columns, and by the metric of a sample of 20 d rows. */
static const double SAFETY = 1.5;
static const double LEAST_SHIFT = 1e-13, MOST_SHIFT = 1.0; /* of a metric, relative to its largest diagonal entry */

void srl_sampler_carve(struct srl_arena *arena, struct srl_sampler *sampler, const struct srl_model *model) {
    const int64_t n = model->n, d = model->d, m = model->room;
    sampler->rows = srl_arena_indices(arena, m);
    sampler->weights = srl_arena_doubles(arena, m);
    sampler->lengths = srl_arena_doubles(arena, m);
    sampler->metric = srl_arena_matrix(arena, d, d);
    sampler->negative = srl_arena_matrix(arena, d, d);
    sampler->directions = srl_arena_matrix(arena, 2 * d, COLUMNS);
    sampler->hidden = srl_arena_matrix(arena, n, COLUMNS);
    sampler->sketch = srl_arena_matrix(arena, BLOCK, COLUMNS);
    sampler->pattern = srl_arena_flags(arena, n);
    sampler->r = srl_arena_doubles(arena, m);
    sampler->vector = srl_arena_doubles(arena, d);
    sampler->image = srl_arena_doubles(arena, d);
}

void srl_sampler_reset(struct srl_sampler *sampler) {
    sampler->has_metric = sampler->has_lengths = false;
    sampler->generosity = 1.0;
}

static uint64_t stream_of(const struct srl_sample_plan *plan, int purpose) { return plan->draw * STREAMS + (uint64_t)purpose; }

/* ---- scores ---- */

/* hidden = diag(s) A1 L'^-1 Omega. */
static void project(const struct srl_model *model, const struct srl_hessian_work *work, struct srl_sampler *sampler,
                    const struct srl_sample_plan *plan) {
    const int64_t d = model->d;
    double *by_columns = sampler->directions + d * COLUMNS, *by_rows = sampler->directions;
    for (int64_t k = 0; k < d * COLUMNS; k++)
        by_columns[k] = srl_random_normal(plan->seed, stream_of(plan, SKETCH), (uint64_t)k);
    srl_trsm_lower(SRL_TRANSPOSED, d, COLUMNS, sampler->metric, d, by_columns, d);
    for (int64_t k = 0; k < d; k++)
        for (int64_t c = 0; c < COLUMNS; c++)
            by_rows[k * COLUMNS + c] = by_columns[k + c * d];
    srl_gemm_rows(&model->A1, 0, model->n, COLUMNS, by_rows, sampler->hidden);
    for (int64_t i = 0; i < model->n; i++)
        if (!work->jacobian.pattern[i])
            memset(sampler->hidden + i * COLUMNS, 0, COLUMNS * sizeof *sampler->hidden);
}

/* What centring subtracts: the sketch of G_top, and that of mu. */
static void project_centre(const struct srl_model *model, const struct srl_hessian_work *work,
                           const struct srl_sampler *sampler, const struct srl_outer *outer, double *top, double *mean) {
    memset(top, 0, COLUMNS * sizeof *top);
    memset(mean, 0, COLUMNS * sizeof *mean);
    const int64_t own = srl_own_output(model, outer->top);
    for (int64_t a = 0; a < work->jacobian.active_count; a++) {
        const int64_t i = work->jacobian.active[a];
        const double entry = own >= 0 ? srl_output_entry(model, own, i) : 0.0;
        for (int64_t c = 0; c < COLUMNS; c++) {
            top[c] += entry * sampler->hidden[i * COLUMNS + c];
            mean[c] += work->mean_hidden[i] * sampler->hidden[i * COLUMNS + c];
        }
    }
    srl_sum(model->ranks, COLUMNS, top);
    for (int64_t c = 0; c < COLUMNS; c++)
        mean[c] -= outer->rest * top[c];
}

/* The sketch of rows first to first + count of G. */
static const double *sketch_rows(const struct srl_model *model, const struct srl_sampler *sampler, int64_t first,
                                 int64_t count) {
    if (!srl_has_output_layer(model))
        return sampler->hidden + first * COLUMNS;
    srl_gemm_rows(&model->A2, first, count, COLUMNS, sampler->hidden, sampler->sketch);
    return sampler->sketch;
}

void srl_sample_measure(const struct srl_model *model, const struct srl_hessian_work *work, struct srl_sampler *sampler,
                        const struct srl_outer *outer) {
    SRL_TELL(model, .operation = SRL_SAMPLE_MEASURE,
             .arrays = {srl_own(work), srl_own(sampler), srl_sent(sampler->hidden, model->n * COLUMNS)},
             .numbers = {outer->rest}, .integers = {outer->top});
    double top[COLUMNS], mean[COLUMNS];
    const int64_t own = srl_own_output(model, outer->top);
    project_centre(model, work, sampler, outer, top, mean);
    for (int64_t first = 0; first < model->m && !srl_interrupted(model->interruption); first += BLOCK) {
        const int64_t count = model->m - first < BLOCK ? model->m - first : BLOCK;
        const double *rows = sketch_rows(model, sampler, first, count);
        for (int64_t j = 0; j < count; j++) {
            double sum = 0.0;
            for (int64_t c = 0; c < COLUMNS; c++) {
                const double from_top = first + j == own ? 0.0 : rows[j * COLUMNS + c] - top[c];
                sum += (from_top - mean[c]) * (from_top - mean[c]);
            }
            sampler->lengths[first + j] = sum / COLUMNS;
        }
    }
}

/* lengths_j = estimates of C_j M^-1 C_j'. */
static void measure_rows(const struct srl_model *model, const struct srl_hessian_work *work, struct srl_sampler *sampler,
                         const struct srl_point *point, const struct srl_sample_plan *plan) {
    project(model, work, sampler, plan);
    srl_sample_measure(model, work, sampler, &point->outer);
}

void srl_sample_change(const struct srl_model *model, const double *r, const double *before, double *change, double *sum) {
    SRL_TELL(model, .operation = SRL_SAMPLE_CHANGE, .arrays = {srl_own(r), srl_own(before)});
    double sums[] = {0.0, 0.0};
    for (int64_t j = 0; j < model->m; j++) {
        sums[0] += fabs(r[j] - before[j]);
        sums[1] += fabs(r[j]);
    }
    srl_sum(model->ranks, 2, sums);
    *change = sums[0];
    *sum = sums[1];
}

/* Whether the units that are on and the weights are nearly those of the last measurement. */
static bool is_near(const struct srl_model *model, const struct srl_hessian_work *work, const struct srl_sampler *sampler,
                    const double *r) {
    int64_t flips = 0;
    double change, sum;
    for (int64_t i = 0; i < model->n; i++)
        flips += sampler->pattern[i] != work->jacobian.pattern[i];
    srl_sample_change(model, r, sampler->r, &change, &sum);
    /* a sample larger than epsilon asks for can do with worse scores */
    const double slack = sqrt(sampler->generosity);
    return (double)flips <= slack * NEAR_UNITS * (double)model->n && change <= slack * NEAR_WEIGHTS * sum;
}

/* Lengths for a point whose metric comes from the sample before: measured anew unless they are known from a point near by.
   Those measured far from where the metric was taken serve once. */
static void find_lengths(const struct srl_model *model, const struct srl_hessian_work *work, struct srl_sampler *sampler,
                         const struct srl_point *point, const double *r, const struct srl_sample_plan *plan,
                         bool fresh_metric) {
    const bool near = fresh_metric || plan->rough || is_near(model, work, sampler, r);
    if (sampler->has_lengths && near)
        return;
    measure_rows(model, work, sampler, point, plan);
    sampler->has_lengths = near;
    memcpy(sampler->pattern, work->jacobian.pattern, (size_t)model->n);
    srl_copy_outputs(model, r, sampler->r);
}

/* For the pilot nothing is known of the rows: half of the chances go by |r_j|, half are equal. */
void srl_sample_measure_nothing(const struct srl_model *model, struct srl_sampler *sampler, const double *r) {
    SRL_TELL(model, .operation = SRL_SAMPLE_MEASURE_NOTHING, .arrays = {srl_own(sampler), srl_own(r)});
    double sum = 0.0;
    for (int64_t j = 0; j < model->m; j++)
        sum += fabs(r[j]);
    srl_sum(model->ranks, 1, &sum);
    for (int64_t j = 0; j < model->m; j++)
        sampler->lengths[j] = r[j] != 0.0 ? 1.0 / sum + 1.0 / ((double)model->outputs * fabs(r[j])) : 0.0;
}

static double score(const struct srl_model *model, const struct srl_hessian_work *work, const struct srl_sampler *sampler,
                    const double *r, int64_t j) {
    return r[j] != 0.0 && srl_has_own_row(model, &work->jacobian, j) ? fabs(r[j]) * sampler->lengths[j] : 0.0;
}

/* ---- the draw ---- */

void srl_sample_round(const struct srl_model *model, const struct srl_hessian_work *work, const struct srl_sampler *sampler,
                      const double *r, double alpha, double *certain, double *sum) {
    SRL_TELL(model, .operation = SRL_SAMPLE_ROUND, .arrays = {srl_own(work), srl_own(sampler), srl_own(r)}, .numbers = {alpha});
    double sums[] = {0.0, 0.0};
    for (int64_t j = 0; j < model->m; j++) {
        const double s = score(model, work, sampler, r, j);
        if (alpha * s >= 1.0)
            sums[0]++;
        else
            sums[1] += s;
    }
    srl_sum(model->ranks, 2, sums);
    *certain = sums[0];
    *sum = sums[1];
}

/* The alpha for which min(1, alpha score_j) add up to so many rows: those at 1 are set aside until no more join them. */
static double alpha_for_rows(const struct srl_model *model, const struct srl_hessian_work *work,
                             const struct srl_sampler *sampler, const double *r, double rows) {
    double alpha = 0.0;
    for (double certain = -1.0, before = -2.0; certain != before;) {
        double sum;
        before = certain;
        srl_sample_round(model, work, sampler, r, alpha, &certain, &sum);
        if (!(sum > 0.0) || rows <= certain || srl_interrupted(model->interruption))
            break;
        alpha = fmax(alpha, (rows - certain) / sum);
    }
    return alpha;
}

static double alpha_for_epsilon(const struct srl_model *model, const struct srl_sampler *sampler, double epsilon) {
    return SAFETY * 2.0 * (sampler->kappa + epsilon / 3.0) * log(2.0 * (double)model->d / FAILURE) / (epsilon * epsilon);
}

/* A product with A2 reads m n numbers, at the price of PRODUCT multiplications each; a row of the sample costs two for each
   entry of its product with A1 and one for each of its square. */
static double rows_for_a_product(const struct srl_model *model, const struct srl_hessian_work *work) {
    const double m = (double)model->outputs, n = (double)model->n, d = (double)model->d;
    return fmin(MOST_FILLED * m, PRODUCT * m * n / (d * (2.0 * (double)work->jacobian.active_count + d)));
}

static double choose_alpha(const struct srl_model *model, const struct srl_hessian_work *work, struct srl_sampler *sampler,
                           const double *r, const struct srl_sample_plan *plan) {
    sampler->generosity = 1.0;
    if (plan->rows > 0.0)
        return alpha_for_rows(model, work, sampler, r, fmin(plan->rows * plan->enlargement, (double)model->outputs));
    const double asked = alpha_for_epsilon(model, sampler, plan->epsilon) * plan->enlargement;
    const double filled = plan->fill ? alpha_for_rows(model, work, sampler, r, rows_for_a_product(model, work)) : 0.0;
    sampler->generosity = fmax(1.0, filled / asked);
    return fmax(asked, filled);
}

void srl_sample_draw(const struct srl_model *model, const struct srl_hessian_work *work, struct srl_sampler *sampler,
                     const double *r, double alpha, uint64_t seed, uint64_t stream) {
    SRL_TELL(model, .operation = SRL_SAMPLE_DRAW, .arrays = {srl_own(work), srl_own(sampler), srl_own(r)}, .numbers = {alpha},
             .integers = {(int64_t)seed, (int64_t)stream});
    double sums[] = {0.0, 0.0}; /* rows, and those with negative weights */
    sampler->count = 0;
    for (int64_t j = 0; j < model->m; j++) {
        const double chance = alpha * score(model, work, sampler, r, j);
        if (chance <= 0.0 || (chance < 1.0 && srl_random_uniform(seed, stream, (uint64_t)(model->first + j)) >= chance))
            continue;
        sampler->rows[sampler->count] = (int32_t)j;
        sampler->weights[sampler->count++] = chance < 1.0 ? r[j] / chance : r[j];
        sums[1] += r[j] < 0.0;
    }
    sums[0] = (double)sampler->count;
    srl_sum(model->ranks, 2, sums);
    sampler->total = (int64_t)sums[0];
    sampler->negative_any = sums[1] > 0.0;
}

/* hessian = H~, and its part from negative r_j in sampler->negative. */
static void add_up(const struct srl_model *model, struct srl_hessian_work *work, struct srl_sampler *sampler,
                   const struct srl_point *point, const double *r, double *hessian) {
    const int64_t d = model->d;
    memset(sampler->negative, 0, (size_t)d * (size_t)d * sizeof *sampler->negative);
    srl_hessian_begin(model, work, r, hessian);
    srl_hessian_add_sample(model, work, point->outer.top, sampler->rows, sampler->weights, &sampler->count, hessian,
                           sampler->negative);
    for (int64_t k = 0; k < d; k++)
        srl_axpy(d - k, 1.0, sampler->negative + k + k * d, hessian + k + k * d);
}

/* ---- the metric ---- */

/* metric = Cholesky factor of hessian - magnitude * 2 negative + shift I. 0, or what dpotrf says. */
static int factor(const struct srl_model *model, struct srl_sampler *sampler, const double *hessian, double magnitude,
                  double shift) {
    const int64_t d = model->d;
    memcpy(sampler->metric, hessian, (size_t)d * (size_t)d * sizeof *hessian);
    for (int64_t k = 0; k < d; k++) {
        if (magnitude > 0.0)
            srl_axpy(d - k, -2.0 * magnitude, sampler->negative + k + k * d, sampler->metric + k + k * d);
        sampler->metric[k + k * d] += shift;
    }
    return srl_potrf(d, sampler->metric, d);
}

/* The largest eigenvalue of M^-1 |H| by the power method, from below but for a little. */
static double largest_ratio(const struct srl_model *model, struct srl_sampler *sampler, const double *hessian,
                            const struct srl_sample_plan *plan) {
    const int64_t d = model->d;
    double *vector = sampler->vector, *image = sampler->image, ratio = 1.0;
    for (int64_t k = 0; k < d; k++)
        vector[k] = srl_random_normal(plan->seed, stream_of(plan, SKETCH), (uint64_t)(d * COLUMNS + k));
    for (int step = 0; step < POWER_STEPS; step++) {
        srl_scale(d, 1.0 / srl_norm(d, vector), vector);
        srl_trsm_lower(SRL_TRANSPOSED, d, 1, sampler->metric, d, vector, d);
        srl_symv(d, hessian, d, vector, image);
        srl_symv(d, sampler->negative, d, vector, sampler->directions); /* scratch here */
        srl_axpy(d, -2.0, sampler->directions, image);
        srl_trsm_lower(SRL_PLAIN, d, 1, sampler->metric, d, image, d);
        ratio = srl_norm(d, image);
        memcpy(vector, image, (size_t)d * sizeof *vector);
    }
    return fmax(1.0, ratio);
}

/* M = H~ where that is positive definite, else |H~|. */
static bool take_metric(const struct srl_model *model, struct srl_sampler *sampler, const double *hessian,
                        const struct srl_sample_plan *plan) {
    const int64_t d = model->d;
    double scale = 0.0;
    for (int64_t k = 0; k < d; k++)
        scale = fmax(scale, fabs(hessian[k + k * d]) - 2.0 * sampler->negative[k + k * d]);
    sampler->kappa = 1.0;
    int info = srl_interrupted(model->interruption) ? -1 : factor(model, sampler, hessian, 0.0, 0.0);
    if (info == 0 && sampler->negative_any && !srl_interrupted(model->interruption))
        sampler->kappa = largest_ratio(model, sampler, hessian, plan);
    if (info > 0 && !srl_interrupted(model->interruption))
        info = factor(model, sampler, hessian, 1.0, 0.0);
    for (double shift = LEAST_SHIFT; info > 0 && shift <= MOST_SHIFT && !srl_interrupted(model->interruption); shift *= 10.0)
        info = factor(model, sampler, hessian, 1.0, scale > 0.0 ? shift * scale : 1.0);
    sampler->refused = info < 0;
    sampler->has_metric = info == 0 && isfinite(sampler->kappa) && !srl_interrupted(model->interruption);
    return sampler->has_metric;
}

static bool find_metric(const struct srl_model *model, struct srl_hessian_work *work, struct srl_sampler *sampler,
                        const struct srl_point *point, const double *r, const struct srl_sample_plan *plan, double *hessian) {
    sampler->has_lengths = false;
    srl_sample_measure_nothing(model, sampler, r);
    for (int round = PILOT; round <= (plan->rough ? PILOT : SECOND); round++) {
        const double rows = (double)(round == PILOT ? PILOT_ROWS : SECOND_ROWS) * (double)model->d;
        if (round == SECOND)
            measure_rows(model, work, sampler, point, plan);
        srl_sample_draw(model, work, sampler, r, alpha_for_rows(model, work, sampler, r, rows), plan->seed,
                        stream_of(plan, round));
        add_up(model, work, sampler, point, r, hessian);
        if (!take_metric(model, sampler, hessian, plan))
            return false;
    }
    return true;
}

bool srl_sample_hessian(const struct srl_model *model, struct srl_hessian_work *work, struct srl_sampler *sampler,
                        const struct srl_point *point, const double *r, const struct srl_sample_plan *plan, double *hessian) {
    srl_hessian_prepare(model, work, point);
    const bool from_scratch = !sampler->has_metric;
    if (from_scratch && !find_metric(model, work, sampler, point, r, plan, hessian))
        return false;
    find_lengths(model, work, sampler, point, r, plan, from_scratch);
    const double alpha = choose_alpha(model, work, sampler, r, plan);
    srl_sample_draw(model, work, sampler, r, alpha, plan->seed, stream_of(plan, FINAL));
    add_up(model, work, sampler, point, r, hessian);
    return take_metric(model, sampler, hessian, plan);
}
