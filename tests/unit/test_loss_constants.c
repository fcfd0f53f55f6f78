/* The curvature constants of the losses against a search for counterexamples: distributions, directions and targets at random,
   the worst ones improved. Derivatives along a direction come from the moments of the distribution. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/loss_constants.h"
#include "support/testing.h"

enum { MOST = 8, KINDS = 3 };

struct trial {
    int64_t m;
    double logits[MOST], v[MOST];
};

/* f_j' = f_j e_j, f_j'' = f_j (e_j^2 - s2), f_j''' = f_j (e_j^3 - 3 e_j s2 - k3): derivatives of the loss over those of osc. */
static void derivatives(const struct trial *trial, const double *b, softrelu_loss loss, double *second, double *third) {
    const int64_t m = trial->m;
    double f[MOST], total = 0.0, mean = 0.0, s2 = 0.0, k3 = 0.0, least = trial->v[0], most = trial->v[0], beta = 0.0;
    for (int64_t j = 0; j < m; j++)
        total += f[j] = exp(trial->logits[j]);
    for (int64_t j = 0; j < m; j++) {
        mean += (f[j] /= total) * trial->v[j];
        least = fmin(least, trial->v[j]);
        most = fmax(most, trial->v[j]);
        beta += b[j];
    }
    for (int64_t j = 0; j < m; j++) {
        const double e = trial->v[j] - mean;
        s2 += f[j] * e * e;
        k3 += f[j] * e * e * e;
    }
    const double osc = most - least; /* small ones lose digits, and all are alike */
    *second = loss == SOFTRELU_KL ? beta * s2 : 0.0;
    *third = loss == SOFTRELU_KL ? beta * k3 : 0.0;
    for (int64_t j = 0; j < m && loss == SOFTRELU_SQUARES; j++) {
        const double e = trial->v[j] - mean, d1 = f[j] * e, d2 = f[j] * (e * e - s2), d3 = f[j] * (e * e * e - 3 * e * s2 - k3);
        *second += d1 * d1 + (f[j] - b[j]) * d2;
        *third += 3 * d1 * d2 + (f[j] - b[j]) * d3;
    }
    *second = osc > 0.1 ? *second / (osc * osc) : 0.0;
    *third = osc > 0.1 ? *third / (osc * osc * osc) : 0.0;
}

static double value_of(const struct trial *trial, const double *b, softrelu_loss loss, int kind) {
    double second, third;
    derivatives(trial, b, loss, &second, &third);
    return kind == 0 ? -second : kind == 1 ? second : fabs(third);
}

static double climb(struct test_random *random, struct trial *trial, const double *b, softrelu_loss loss, int kind) {
    double best = value_of(trial, b, loss, kind), step = 1.0;
    for (int failures = 0; step > 1e-4; failures++) {
        struct trial next = *trial;
        for (int64_t j = 0; j < trial->m; j++) {
            if (random_uniform(random, 0, 1) < 0.4)
                next.logits[j] += step * random_normal(random);
            if (random_uniform(random, 0, 1) < 0.4)
                next.v[j] = fmin(fmax(next.v[j] + step * random_normal(random), 0.0), 1.0);
        }
        const double value = value_of(&next, b, loss, kind);
        if (value > best) {
            best = value;
            *trial = next;
            failures = 0;
        } else if (failures > 40) {
            step *= 0.7;
            failures = 0;
        }
    }
    return best;
}

static struct srl_loss_constants constants_for(const double *b, int64_t m, softrelu_loss loss) {
    const struct srl_model model = {.n = 1, .d = 1, .m = m, .outputs = m, .room = m, .loss = loss, .b = b};
    return srl_loss_constants_of(&model);
}

/* The largest shares of the constants that were reached, over all targets of a family. */
static void search(struct test_random *random, const char *name, const double *b, int64_t m, softrelu_loss loss,
                   double *shares) {
    const struct srl_loss_constants proved = constants_for(b, m, loss);
    const double limits[KINDS] = {proved.below, proved.above, proved.change};
    for (int kind = 0; kind < KINDS; kind++) {
        double worst = -INFINITY;
        for (int64_t start = 0; start < test_count(4, 1); start++) {
            struct trial trial = {.m = m};
            for (int64_t j = 0; j < m; j++) {
                trial.logits[j] = 2.0 * random_normal(random);
                trial.v[j] =
                    random_uniform(random, 0, 1) < 0.6 ? (double)random_between(random, 0, 1) : random_uniform(random, 0, 1);
            }
            worst = fmax(worst, climb(random, &trial, b, loss, kind));
        }
        if (!(worst <= limits[kind] * (1.0 + 1e-12) + 1e-15))
            fail_msg("%s, m = %d: constant %d is %.9g, but %.9g is reached", name, (int)m, kind, limits[kind], worst);
        if (limits[kind] > 0.0)
            shares[kind] = fmax(shares[kind], worst / limits[kind]);
    }
}

static double entry_of(struct test_random *random, int family, int64_t j, int64_t m) {
    switch (family) {
    case 0: /* a corner */
        return j == 0;
    case 1: /* within the simplex, after division */
    case 2: /* the same, far from flat */
        return exp((family == 1 ? 0.5 : 3.0) * random_normal(random));
    case 3:
        return 1.0 / (double)m;
    case 4: /* anything */
        return random_normal(random);
    case 5:
        return 1e3 + 0.5 * random_normal(random);
    case 6: /* peaks that are too high */
        return (j < 2 ? 3.0 : 0.0) + 0.1 * random_normal(random);
    default: /* all negative */
        return -1.0 - (double)j;
    }
}

static void never_exceeded(void **state) {
    (void)state;
    static const char *const names[] = {"corner", "flat simplex", "peaked simplex", "uniform",
                                        "normal", "far",          "two peaks",      "negative"};
    struct test_random random = {31};
    for (int loss = 0; loss < 2; loss++)
        for (int family = 0; family < 8; family++) {
            double shares[KINDS] = {0.0};
            for (int64_t draw = 0; draw < test_count(5, 1); draw++) {
                const int64_t m = random_between(&random, 2, MOST);
                double b[MOST], sum = 0.0;
                for (int64_t j = 0; j < m; j++)
                    sum += b[j] = entry_of(&random, family, j, m);
                for (int64_t j = 0; j < m && (family == 1 || family == 2); j++)
                    b[j] /= sum;
                search(&random, names[family], b, m, loss ? SOFTRELU_KL : SOFTRELU_SQUARES, shares);
            }
            printf("%-7s %-15s reached of c1, c2, c3: %5.1f %% %5.1f %% %5.1f %%\n", loss ? "kl" : "squares", names[family],
                   100 * shares[0], 100 * shares[1], 100 * shares[2]);
        }
}

/* What is reached at m = 2, to four digits: a constant that is needlessly large is found out, too. */
static void sharp(void **state) {
    (void)state;
    const double b[2] = {1.0, 0.0}, flat[2] = {0.5, 0.5};
    struct test_random random = {32};
    double shares[KINDS] = {0.0};
    for (int64_t draw = 0; draw < test_count(6, 12); draw++)
        search(&random, "corner", b, 2, SOFTRELU_SQUARES, shares);
    assert_true(shares[0] > 0.9999 && shares[1] > 0.9999 && shares[2] > 0.9999);
    const struct srl_loss_constants corner = constants_for(b, 2, SOFTRELU_SQUARES),
                                    plain = constants_for(flat, 2, SOFTRELU_SQUARES);
    assert_true(corner.below == 0.12021 && corner.above == 0.15406 && corner.change == 0.20203);
    assert_true(plain.below < 0.0602 && plain.above < 0.1251 && plain.change < 0.1277);
    const struct srl_loss_constants kl = constants_for(b, 2, SOFTRELU_KL);
    assert_true(kl.below == 0.0 && fabs(kl.above - 0.25) < 1e-15 && fabs(kl.change - sqrt(3.0) / 18.0) < 1e-7);
}

/* Round-off of the sum does not matter, nor does a constant added to b (squares); one output knows no curvature. */
static void invariances(void **state) {
    (void)state;
    double b[3] = {0.1, 0.2, 0.7}, moved[3];
    const struct srl_loss_constants at = constants_for(b, 3, SOFTRELU_SQUARES);
    for (int j = 0; j < 3; j++)
        moved[j] = b[j] - 7.0;
    const struct srl_loss_constants there = constants_for(moved, 3, SOFTRELU_SQUARES);
    assert_true(fabs(at.below - there.below) < 1e-14 && fabs(at.above - there.above) < 1e-14);
    b[2] = nextafter(b[2], 1.0);
    assert_true(fabs(constants_for(b, 3, SOFTRELU_SQUARES).below - at.below) < 1e-15);
    const double one[1] = {5.0}, huge[2] = {1e308, -1e308};
    for (int loss = 0; loss < 2; loss++) {
        const struct srl_loss_constants none = constants_for(one, 1, loss ? SOFTRELU_KL : SOFTRELU_SQUARES);
        assert_true(none.below == 0.0 && none.above == 0.0 && none.change == 0.0);
    }
    const struct srl_loss_constants infinite = constants_for(huge, 2, SOFTRELU_SQUARES);
    assert_true(isinf(infinite.below) && isinf(infinite.above) && isinf(infinite.change));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(never_exceeded), cmocka_unit_test(sharp),
                                       cmocka_unit_test(invariances)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
