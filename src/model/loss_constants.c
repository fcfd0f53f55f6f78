#include "model/loss_constants.h"

#include <float.h>

/* For osc(v) = 1, all rounded up: of 1/2 |f - b|^2 with b = 0 and with b at a corner of the simplex (tests/proof settles the
   polynomial inequalities that the proof ends in), and of <g, f> for osc(g) = 1. */
struct bound {
    double plain, corner, linear;
};
static const double THIRD_MOMENT = 0.0962251; /* sqrt(3)/18, also the largest third central moment */
static const struct bound BELOW = {0.060105, 0.12021, 0.0962251};
static const struct bound ABOVE = {0.12501, 0.15406, 0.0962251};
static const struct bound CHANGE = {0.12769, 0.20203, 0.1250001};

enum { MOST_PEAKS = 4 };

/* Puts height among the peaks, in descending order. */
static void put_peak(double height, double peaks[MOST_PEAKS], int *count) {
    for (int k = 0; k < *count; k++)
        if (height > peaks[k]) {
            const double lower = peaks[k];
            peaks[k] = height;
            height = lower;
        }
    if (*count < MOST_PEAKS)
        peaks[(*count)++] = height;
}

/* The highest peaks of all ranks, from each one's own: the highest that is left, again and again. */
static int peaks_of_ranks(const struct srl_model *model, double peaks[MOST_PEAKS], int count) {
    double own[MOST_PEAKS];
    int next = 0, found = 0;
    for (int k = 0; k < MOST_PEAKS; k++)
        own[k] = peaks[k];
    for (; found < MOST_PEAKS && found < model->outputs; found++) {
        double height = next < count ? own[next] : -INFINITY;
        const double mine = height;
        srl_largest(model->ranks, 1, &height);
        double holder = next < count && mine == height ? -(double)srl_rank_of(model->ranks) : -INFINITY;
        srl_largest(model->ranks, 1, &holder);
        next += holder == -(double)srl_rank_of(model->ranks);
        peaks[found] = height;
    }
    return found;
}

/* The largest entries of b above its least one, in descending order; returns how many they are. */
static int find_peaks(const struct srl_model *model, double peaks[MOST_PEAKS]) {
    double lowest = -INFINITY; /* minus the least entry */
    int count = 0;
    for (int64_t j = 0; j < model->m; j++)
        lowest = fmax(lowest, -model->b[j]);
    srl_largest(model->ranks, 1, &lowest);
    for (int64_t j = 0; j < model->m; j++)
        put_peak(model->b[j] + lowest, peaks, &count);
    return model->ranks != NULL ? peaks_of_ranks(model, peaks, count) : count;
}

/*
 * Cut the peaks of b down to a level and write what is cut off as a share of corners: b = sum of share_j e_j + rest. Then the
 * loss is, up to a constant, (1 - sum share) times the one with b = 0, share_j times that with b = e_j, less <rest, f>, and a
 * bound is plain (1 - share) + corner share + linear osc(rest). Lowering the level by t over k peaks costs (corner - plain) k t
 * and gains linear t: worth it while k is small, and as long as the share is at most 1.
 */
static double cut_peaks(const double *peaks, int count, const struct bound *bound) {
    const double cost = bound->corner - bound->plain;
    double share = 0.0, level = peaks[0];
    for (int k = 1; k <= count && share < 1.0 && cost * (double)k < bound->linear; k++) {
        const double next = k < count ? peaks[k] : 0.0, part = fmin((double)k * (level - next), 1.0 - share);
        level -= part / (double)k;
        share += part;
    }
    return bound->plain + cost * share + bound->linear * fmax(level, 0.0);
}

static struct srl_loss_constants of_squares(const struct srl_model *model) {
    double peaks[MOST_PEAKS] = {0.0};
    const int count = find_peaks(model, peaks);
    return (struct srl_loss_constants){cut_peaks(peaks, count, &BELOW), cut_peaks(peaks, count, &ABOVE),
                                       cut_peaks(peaks, count, &CHANGE)};
}

/* D2 is beta times a variance, D3 beta times a third central moment, beta = sum b up to its round-off. */
static struct srl_loss_constants of_cross_entropy(const struct srl_model *model) {
    double sums[] = {0.0, 0.0};
    for (int64_t j = 0; j < model->m; j++) {
        sums[0] += model->b[j];
        sums[1] += fabs(model->b[j]);
    }
    srl_sum(model->ranks, 2, sums);
    const double beta = sums[0], size = sums[1];
    const bool negative = beta < size; /* some entry is */
    const double noise = (double)model->outputs * DBL_EPSILON * size;
    return (struct srl_loss_constants){negative ? 0.25 * fmax(noise - beta, 0.0) : 0.0, 0.25 * fmax(beta + noise, 0.0),
                                       THIRD_MOMENT * (fabs(beta) + noise)};
}

struct srl_loss_constants srl_loss_constants_of(const struct srl_model *model) {
    SRL_TELL(model, .operation = SRL_LOSS_CONSTANTS);
    if (model->outputs == 1)
        return (struct srl_loss_constants){0.0, 0.0, 0.0};
    return model->loss == SOFTRELU_KL ? of_cross_entropy(model) : of_squares(model);
}
