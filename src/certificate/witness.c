#include "certificate/witness.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { ROUNDS = 60, SWEEPS = 20, REFINEMENTS = 3, ACCURATE_PASSES = 2, HALVINGS = 20, FEW = 2 };
static const double PARALLEL = 1e-12;
static const double SMALL_REST = 16.0 * DBL_EPSILON; /* over the gradient's scale: no method does better */
static const double RANK = 1e-14; /* eigenvalue of the Gram matrix that counts as zero, relative to the largest */

void srl_kink_row(const struct softrelu_certificate *certificate, const struct srl_kink *kink, double *row) {
    const int64_t d = certificate->model->d;
    srl_copy_row(&certificate->model->A1, kink->unit, row);
    srl_divide(d, certificate->model->row_norms[kink->unit], row);
}

/* 1 or -1 when the row of unit i is along or against that of unit j, 0 when they are not parallel. */
static int parallel(const struct srl_model *model, int64_t i, int64_t j) {
    int sign = 0;
    for (int64_t k = 0; k < model->d; k++) {
        const double left = srl_entry(&model->A1, i, k) / model->row_norms[i];
        const double right = srl_entry(&model->A1, j, k) / model->row_norms[j];
        if (sign == 0 && fabs(left) > PARALLEL) /* the first entry that is more than round-off; an unit row has one */
            sign = left * right > 0.0 ? 1 : -1;
        if (!(fabs(sign == 0 ? right : left - sign * right) <= 2.0 * PARALLEL))
            return 0;
    }
    return sign;
}

static bool is_at_kink(const struct softrelu_certificate *certificate, int64_t i, double kink_tolerance) {
    const struct srl_model *model = certificate->model;
    const double bias = model->c1 != NULL ? fabs(model->c1[i]) : 0.0;
    const bool matters = !srl_has_output_layer(model) || model->column_norms[i] > 0.0;
    const double size = fmin(model->row_norms[i] * certificate->at.x_norm + bias, DBL_MAX); /* infinity: all would be kinks */
    return matters && model->row_norms[i] > 0.0 && fabs(certificate->at.u[i]) <= kink_tolerance * size;
}

/* The unit joins the kink of a parallel row, or is one of its own. */
static void add_unit(struct softrelu_certificate *certificate, int64_t i) {
    const double jump = certificate->at.jumps[i] * certificate->model->row_norms[i];
    certificate->mirrored[i] = 0;
    certificate->next[i] = -1;
    for (int64_t k = 0; k < certificate->kink_count; k++) {
        struct srl_kink *kink = &certificate->kinks[k];
        const int sign = parallel(certificate->model, kink->unit, i);
        if (sign == 0)
            continue;
        certificate->mirrored[i] = sign < 0;
        certificate->next[i] = kink->next;
        kink->next = (int32_t)i;
        kink->width += jump;
        return;
    }
    certificate->kinks[certificate->kink_count++] = (struct srl_kink){(int32_t)i, -1, jump, 0.0, false};
}

void srl_find_kinks(struct softrelu_certificate *certificate, const double *x, double kink_tolerance) {
    const struct srl_model *model = certificate->model;
    certificate->kink_count = 0;
    for (int64_t i = 0; i < model->n; i++) {
        certificate->at_kink[i] = (signed char)is_at_kink(certificate, i, kink_tolerance);
        if (certificate->at_kink[i])
            add_unit(certificate, i);
    }
    for (int64_t k = 0; k < model->d; k++)
        certificate->bound[k] = (signed char)srl_bound_at(model, x, k);
}

void srl_find_gradient(struct softrelu_certificate *certificate, const double *x) {
    const struct srl_model *model = certificate->model;
    const double *jumps = certificate->at.jumps;
    double *slopes = certificate->slopes;
    for (int64_t i = 0; i < model->n; i++)
        slopes[i] = certificate->at.u[i] > 0.0 ? jumps[i] : 0.0;
    for (int64_t k = 0; k < certificate->kink_count; k++) {
        const struct srl_kink *kink = &certificate->kinks[k];
        slopes[kink->unit] = kink->above ? jumps[kink->unit] : 0.0;
        for (int64_t j = kink->next; j >= 0; j = certificate->next[j])
            slopes[j] = kink->above != (certificate->mirrored[j] != 0) ? jumps[j] : 0.0;
    }
    srl_slopes_to_gradient(&certificate->at, model, x, slopes, certificate->gradient);
}

static bool pushes_out(int bound, double slope) {
    return bound == 2 || (bound == -1 && slope > 0.0) || (bound == 1 && slope < 0.0);
}

void srl_absorb(const struct softrelu_certificate *certificate, double *vector, double *mu) {
    for (int64_t k = 0; k < certificate->model->d; k++) {
        const bool out = pushes_out(certificate->bound[k], vector[k]);
        if (mu != NULL)
            mu[k] = out ? -vector[k] : 0.0;
        if (out)
            vector[k] = 0.0;
    }
}

double srl_directional_derivative(const struct softrelu_certificate *certificate, const double *p) {
    double slope = srl_dot(certificate->model->d, certificate->gradient, p);
    for (int64_t k = 0; k < certificate->kink_count; k++) {
        const struct srl_kink *kink = &certificate->kinks[k];
        srl_kink_row(certificate, kink, certificate->row);
        const double rate = srl_dot(certificate->model->d, certificate->row, p);
        slope += kink->above ? fmin(0.0, rate) * -kink->width : fmax(0.0, rate) * kink->width;
    }
    return slope;
}

static double width_of(const struct srl_kink *kink, double noise) { return kink->width > noise ? kink->width : 0.0; }

/* rest = g + sum lambda a + mu; returns its length. */
static double find_rest(struct softrelu_certificate *certificate, const double *lambda, double *mu) {
    const int64_t d = certificate->model->d;
    memcpy(certificate->rest, certificate->gradient, (size_t)d * sizeof *certificate->rest);
    for (int64_t k = 0; k < certificate->kink_count; k++) {
        if (lambda[k] == 0.0)
            continue;
        srl_kink_row(certificate, &certificate->kinks[k], certificate->row);
        srl_axpy(d, lambda[k], certificate->row, certificate->rest);
    }
    srl_absorb(certificate, certificate->rest, mu);
    return srl_norm(d, certificate->rest);
}

/* W over the gradient's scale: columns of the least-squares problem near 1, whatever the units of F. */
static double share_of(const struct softrelu_certificate *certificate, const struct srl_kink *kink, double noise) {
    return certificate->at.scale > 0.0 ? width_of(kink, noise) / certificate->at.scale : 0.0;
}

/* The columns of the least-squares problem into curvature.space.rows, one after the other: W a / scale for the free
   multipliers, on the components whose rest is not absorbed (out[k] = 0). Returns how many. */
static int64_t gather_columns(struct softrelu_certificate *certificate, const unsigned char *out, double noise) {
    const int64_t d = certificate->model->d;
    int64_t count = 0;
    for (int64_t k = 0; k < certificate->kink_count; k++) {
        if (!certificate->free[k])
            continue;
        double *column = certificate->curvature.space.rows + count++ * d;
        const double share = share_of(certificate, &certificate->kinks[k], noise);
        srl_kink_row(certificate, &certificate->kinks[k], column);
        for (int64_t j = 0; j < d; j++)
            column[j] = out[j] ? 0.0 : column[j] * share;
    }
    return count;
}

/* What the columns have to add up to: -rest / scale, without the absorbed components. Returns its length. */
static double right_hand_side(const struct softrelu_certificate *certificate, const unsigned char *out, double *side) {
    const int64_t d = certificate->model->d;
    const double scale = certificate->at.scale > 0.0 ? certificate->at.scale : 1.0;
    for (int64_t j = 0; j < d; j++)
        side[j] = out[j] ? 0.0 : -certificate->rest[j] / scale;
    return srl_norm(d, side);
}

/* The Gram matrix of the columns, B B' = V D V', into curvature.hessian. */
static bool factor_gram(struct softrelu_certificate *certificate, const unsigned char *out, double noise) {
    const int64_t d = certificate->model->d, count = gather_columns(certificate, out, noise);
    struct srl_curvature_work *work = &certificate->curvature;
    memset(work->hessian, 0, (size_t)(d * d) * sizeof *work->hessian);
    srl_add_squares(certificate->model, d, count, 1.0, work->space.rows, work->hessian);
    return !srl_interrupted(certificate->model->interruption) &&
           srl_syev(true, d, work->hessian, d, work->eigenvalues, work->work) == 0;
}

/* y = B'(BB')^+ (-rest), the shortest y that makes rest least; added to the free multipliers in y as fractions of W. */
static void add_least_squares(struct softrelu_certificate *certificate, const unsigned char *out, double noise, double *y) {
    const int64_t d = certificate->model->d;
    const struct srl_curvature_work *work = &certificate->curvature;
    const struct srl_matrix vectors = {work->hessian, d, d, d, false};
    const double *eigenvalues = work->eigenvalues;
    double *dual = certificate->other, *rotated = certificate->curvature.direction;
    right_hand_side(certificate, out, dual);
    srl_gemv(SRL_TRANSPOSED, 1.0, &vectors, dual, 0.0, rotated);
    for (int64_t j = 0; j < d; j++)
        rotated[j] = eigenvalues[j] > RANK * eigenvalues[d - 1] ? rotated[j] / eigenvalues[j] : 0.0;
    srl_gemv(SRL_PLAIN, 1.0, &vectors, rotated, 0.0, dual);
    for (int64_t j = 0; j < d; j++)
        dual[j] = out[j] ? 0.0 : dual[j];
    for (int64_t k = 0; k < certificate->kink_count; k++) {
        if (!certificate->free[k])
            continue;
        const struct srl_kink *kink = &certificate->kinks[k];
        srl_kink_row(certificate, kink, certificate->row);
        y[k] += width_of(kink, noise) * (share_of(certificate, kink, noise) * srl_dot(d, certificate->row, dual));
    }
}

/* The same from an orthogonal factorisation of the columns themselves, where the Gram matrix does not see far enough: it
   squares their condition, and nearly parallel kinks drown in its round-off. */
static bool add_accurate_least_squares(struct softrelu_certificate *certificate, const unsigned char *out, double noise,
                                       double *y) {
    const int64_t d = certificate->model->d, count = gather_columns(certificate, out, noise);
    const struct srl_curvature_work *work = &certificate->curvature;
    double *solution = certificate->solution;
    right_hand_side(certificate, out, solution);
    if (srl_interrupted(certificate->model->interruption) ||
        srl_least_squares(d, count, work->space.rows, d, solution, work->space.pivots, work->work) != 0)
        return false;
    for (int64_t k = 0, column = 0; k < certificate->kink_count; k++)
        if (certificate->free[k])
            y[k] += width_of(&certificate->kinks[k], noise) * solution[column++];
    return true;
}

static int64_t count_free(const struct softrelu_certificate *certificate) {
    int64_t count = 0;
    for (int64_t k = 0; k < certificate->kink_count; k++)
        count += certificate->free[k] != 0;
    return count;
}

/* From the middle of all intervals: where the kinks are independent, or the intervals leave room, this is the whole answer.
   Whether all multipliers came out inside. */
static bool start_in_the_middle(struct softrelu_certificate *certificate, double noise, bool *solved) {
    unsigned char *out = certificate->on; /* scratch here: one flag for each component */
    double *y = certificate->y;
    for (int64_t j = 0; j < certificate->model->d; j++)
        out[j] = certificate->bound[j] != 0;
    for (int64_t k = 0; k < certificate->kink_count; k++) {
        y[k] = 0.5 * width_of(&certificate->kinks[k], noise);
        certificate->free[k] = y[k] > 0.0;
    }
    const bool few =
        FEW * count_free(certificate) <= certificate->model->d; /* the Gram matrix is much larger than the columns */
    *solved = few || factor_gram(certificate, out, noise);
    for (int pass = 0; pass < REFINEMENTS && *solved && !few; pass++) {
        find_rest(certificate, y, NULL);
        add_least_squares(certificate, out, noise, y);
    }
    for (int pass = 0; pass < (few ? REFINEMENTS : ACCURATE_PASSES) && *solved; pass++) {
        find_rest(certificate, y, NULL);
        if (right_hand_side(certificate, out, certificate->other) <= SMALL_REST)
            break;
        *solved = add_accurate_least_squares(certificate, out, noise, y);
    }
    bool inside = true;
    for (int64_t k = 0; k < certificate->kink_count; k++) {
        const double width = width_of(&certificate->kinks[k], noise), clipped = fmin(fmax(y[k], 0.0), width);
        inside = inside && clipped == y[k];
        y[k] = clipped;
    }
    return inside;
}

/* Free are the multipliers inside their intervals and those the slope of 1/2 |rest|^2 at best pushes inside. */
static void choose_free(struct softrelu_certificate *certificate, double noise) {
    const int64_t d = certificate->model->d;
    const double *best = certificate->best;
    for (int64_t j = 0; j < d; j++)
        certificate->on[j] = certificate->bound[j] != 0 && certificate->rest[j] == 0.0;
    for (int64_t k = 0; k < certificate->kink_count; k++) {
        const double width = width_of(&certificate->kinks[k], noise);
        srl_kink_row(certificate, &certificate->kinks[k], certificate->row);
        const double slope = srl_dot(d, certificate->row, certificate->rest);
        certificate->free[k] = width > 0.0 && !(best[k] <= 0.0 && slope >= 0.0) && !(best[k] >= width && slope <= 0.0);
    }
}

/* The longest of the halved moves, clipped to the intervals, that makes rest shorter; best becomes what it reaches. Returns the
   length there; rest is that of best. */
static double follow(struct softrelu_certificate *certificate, const double *move, double noise, double length) {
    const int64_t count = certificate->kink_count;
    double *best = certificate->best, *y = certificate->y, reached = length;
    for (int halving = 0; halving < HALVINGS && reached >= length; halving++) {
        for (int64_t k = 0; k < count; k++)
            y[k] = fmin(fmax(best[k] + ldexp(move[k], -halving), 0.0), width_of(&certificate->kinks[k], noise));
        reached = find_rest(certificate, y, NULL);
    }
    if (reached < length)
        memcpy(best, y, (size_t)count * sizeof *best);
    return fmin(reached, find_rest(certificate, best, NULL));
}

/* One projected Newton step on 1/2 |rest|^2 over the intervals, a second and more accurate one if that does not get far.
   Returns the new length, which is no greater. */
static double improve(struct softrelu_certificate *certificate, double noise, double length, bool *solved) {
    double *move = certificate->slopes; /* scratch here */
    choose_free(certificate, noise);
    *solved = factor_gram(certificate, certificate->on, noise);
    if (!*solved)
        return length;
    memset(move, 0, (size_t)certificate->model->n * sizeof *move);
    add_least_squares(certificate, certificate->on, noise, move);
    const double reached = follow(certificate, move, noise, length);
    if (reached < 0.5 * length || reached <= SMALL_REST * certificate->at.scale)
        return reached;
    choose_free(certificate, noise);
    memset(move, 0, (size_t)certificate->model->n * sizeof *move);
    *solved = add_accurate_least_squares(certificate, certificate->on, noise, move);
    return *solved ? follow(certificate, move, noise, reached) : reached;
}

/* Exact minimisation over one multiplier after the other, a few rounds of it: slow at the end, but never stuck, where the sets
   that projected Newton works with keep changing. */
static double sweep(struct softrelu_certificate *certificate, double noise) {
    const int64_t d = certificate->model->d;
    double *best = certificate->best;
    double length = find_rest(certificate, best, NULL);
    for (int round = 0; round < SWEEPS && length > 0.0 && !srl_interrupted(certificate->model->interruption); round++) {
        for (int64_t k = 0; k < certificate->kink_count; k++) {
            const double width = width_of(&certificate->kinks[k], noise);
            if (width == 0.0)
                continue;
            srl_kink_row(certificate, &certificate->kinks[k], certificate->row);
            double slope = 0.0, square = 0.0;
            for (int64_t j = 0; j < d; j++) {
                const bool absorbed = pushes_out(certificate->bound[j], certificate->rest[j]);
                slope += absorbed ? 0.0 : certificate->row[j] * certificate->rest[j];
                square += absorbed ? 0.0 : certificate->row[j] * certificate->row[j];
            }
            const double moved = square > 0.0 ? fmin(fmax(best[k] - slope / square, 0.0), width) : best[k];
            srl_axpy(d, moved - best[k], certificate->row, certificate->rest);
            best[k] = moved;
        }
        length = find_rest(certificate, best, NULL);
    }
    return length;
}

double srl_find_witness(struct softrelu_certificate *certificate, double noise, bool *solved) {
    const int64_t count = certificate->kink_count;
    bool complete = start_in_the_middle(certificate, noise, solved);
    memcpy(certificate->best, certificate->y, (size_t)count * sizeof *certificate->best);
    double length = find_rest(certificate, certificate->best, NULL);
    for (int64_t j = 0; j < certificate->model->d; j++) /* all bounds were taken to absorb */
        complete = complete && (certificate->bound[j] == 0 || certificate->rest[j] == 0.0);
    for (int round = 0; round < ROUNDS && *solved && !complete; round++) {
        const double before = length;
        length = improve(certificate, noise, length, solved);
        if (!(length < 0.9 * before) && !(length <= DBL_EPSILON * certificate->at.scale))
            length = sweep(certificate, noise);
        if (!(length < 0.999 * before))
            break;
    }
    for (int64_t k = 0; k < count; k++)
        certificate->kinks[k].lambda = certificate->best[k];
    return find_rest(certificate, certificate->best, certificate->mu);
}
