#include "support/reference.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

static long double entry_or_0(const double *values, int64_t i) { return values == NULL ? 0.0L : (long double)values[i]; }

/* A2[j, i]; the identity when A2 is absent */
static long double output_weight(const struct instance *instance, int64_t j, int64_t i) {
    if (instance->A2 == NULL)
        return i == j ? 1.0L : 0.0L;
    return (long double)instance->A2[j * instance->n + i];
}

/* The sum of b, and that of its magnitudes, which is what the sum's round-off is relative to. */
static long double total_of_b(const struct instance *instance, long double *size) {
    long double total = 0.0L;
    *size = 0.0L;
    for (int64_t j = 0; j < instance->m; j++) {
        total += (long double)instance->b[j];
        *size += fabsl((long double)instance->b[j]);
    }
    return total;
}

/* The regularisation's values, u, and the logits into z. */
static void forward(const struct instance *instance, const long double *x, struct reference *at, long double *z) {
    long double *u_scales = test_long_doubles(instance->n);
    at->margin = INFINITY;
    for (int64_t i = 0; i < instance->n; i++) {
        long double v = 0.0L;
        for (int64_t k = 0; k < instance->d; k++) {
            v += (long double)instance->A1[i * instance->d + k] * x[k];
            u_scales[i] += fabsl((long double)instance->A1[i * instance->d + k] * x[k]);
        }
        at->u[i] = v + entry_or_0(instance->c1, i);
        at->weights += 0.5L * entry_or_0(instance->w, i) * v * entry_or_0(instance->w, i) * v;
        at->loss_scale += entry_or_0(instance->w, i) * u_scales[i] * entry_or_0(instance->w, i) * u_scales[i];
        u_scales[i] += fabsl(entry_or_0(instance->c1, i));
        at->u_scale = fmaxl(at->u_scale, u_scales[i]);
        if (u_scales[i] > 0.0L)
            at->margin = fminl(at->margin, fabsl(at->u[i]) / u_scales[i]);
    }
    for (int64_t j = 0; j < instance->m; j++) {
        long double scale = fabsl(entry_or_0(instance->c2, j));
        z[j] = entry_or_0(instance->c2, j);
        for (int64_t i = 0; i < instance->n; i++) {
            z[j] += output_weight(instance, j, i) * fmaxl(at->u[i], 0.0L);
            scale += at->u[i] > -16.0L * DBL_EPSILON * u_scales[i] ? fabsl(output_weight(instance, j, i)) * u_scales[i] : 0.0L;
        }
        at->logit_scale = fmaxl(at->logit_scale, scale);
    }
    for (int64_t k = 0; k < instance->d; k++) {
        long double away = x[k] - entry_or_0(instance->x_ref, k);
        long double scale = fabsl(x[k]) + fabsl(entry_or_0(instance->x_ref, k));
        at->proximity += 0.5L * (long double)instance->rho * away * away;
        at->loss_scale += (long double)instance->rho * scale * scale;
    }
    at->regular_scale = at->loss_scale;
    free(u_scales);
}

static void output_loss(const struct instance *instance, const long double *z, struct reference *at) {
    long double largest = z[0], sum = 0.0L;
    for (int64_t j = 1; j < instance->m; j++)
        largest = fmaxl(largest, z[j]);
    for (int64_t j = 0; j < instance->m; j++)
        sum += at->f[j] = expl(z[j] - largest);
    for (int64_t j = 0; j < instance->m; j++) {
        at->f[j] /= sum;
        const long double b = (long double)instance->b[j], c = at->f[j] - b;
        if (instance->loss == SOFTRELU_SQUARES) {
            at->fit += 0.5L * c * c;
            at->loss_scale += (at->f[j] + fabsl(b)) * (at->f[j] + fabsl(b));
        } else {
            at->fit -= b * (z[j] - largest - logl(sum));
            at->loss_scale += fabsl(b) * (2.0L + logl((long double)instance->m));
        }
    }
    at->loss = at->fit + at->weights + at->proximity;
}

/* q = J' dloss/df with the softmax Jacobian J written over pairs, f_j f_k (c_j - c_k), where nothing cancels that need not. */
static void slopes_of_logits(const struct instance *instance, struct reference *at, long double *q, long double *q_scales,
                             long double *r, long double *r_scales) {
    const int64_t m = instance->m;
    long double size;
    const long double total = total_of_b(instance, &size);
    for (int64_t j = 0; j < m; j++) {
        const long double b = (long double)instance->b[j];
        if (instance->loss == SOFTRELU_KL) {
            q[j] = total * at->f[j] - b;
            r[j] = total * at->f[j];
            q_scales[j] = size * at->f[j] + fabsl(b);
            r_scales[j] = size * at->f[j];
            at->output_scale = hypotl(at->output_scale, fabsl(total) * at->f[j] + fabsl(b));
            continue;
        }
        long double t = 0.0L, t_scale = at->f[j] + fabsl(b);
        for (int64_t k = 0; k < m; k++) {
            t += at->f[k] * ((at->f[j] - b) - (at->f[k] - (long double)instance->b[k]));
            t_scale += at->f[k] * (at->f[k] + fabsl((long double)instance->b[k]));
        }
        q[j] = at->f[j] * t;
        r[j] = at->f[j] * (at->f[j] + t);
        q_scales[j] = at->f[j] * t_scale;
        r_scales[j] = at->f[j] * (at->f[j] + t_scale);
        at->output_scale = hypotl(at->output_scale, q_scales[j]);
    }
}

static void first_derivatives(const struct instance *instance, const long double *x, struct reference *at, const long double *q,
                              const long double *q_scales) {
    long double *scales = test_long_doubles(instance->d);
    for (int64_t i = 0; i < instance->n; i++) {
        const double *row = instance->A1 + i * instance->d;
        long double v = 0.0L, v_scale = 0.0L, w = entry_or_0(instance->w, i);
        for (int64_t j = 0; j < instance->m; j++) {
            at->jumps[i] += output_weight(instance, j, i) * q[j];
            at->jump_scales[i] += fabsl(output_weight(instance, j, i)) * q_scales[j];
        }
        for (int64_t k = 0; k < instance->d; k++) {
            v += (long double)row[k] * x[k];
            v_scale += fabsl((long double)row[k] * x[k]);
        }
        for (int64_t k = 0; k < instance->d; k++) {
            const bool on = at->u[i] > 0.0L;
            at->gradient[k] += (long double)row[k] * ((on ? at->jumps[i] : 0.0L) + w * w * v);
            scales[k] += fabsl((long double)row[k]) * ((on ? at->jump_scales[i] : 0.0L) + w * w * v_scale);
        }
    }
    for (int64_t k = 0; k < instance->d; k++) {
        at->gradient[k] += (long double)instance->rho * (x[k] - entry_or_0(instance->x_ref, k));
        scales[k] += (long double)instance->rho * (fabsl(x[k]) + fabsl(entry_or_0(instance->x_ref, k)));
        at->gradient_scale = fmaxl(at->gradient_scale, scales[k]);
    }
    free(scales);
}

/* G and its centred rows, again over pairs; magnitudes of what makes a centred row into scales. */
static void jacobians(const struct instance *instance, struct reference *at, long double *centred, long double *scales) {
    const int64_t n = instance->n, d = instance->d, m = instance->m;
    long double *sizes = test_long_doubles(m * d);
    for (int64_t j = 0; j < m; j++)
        for (int64_t i = 0; i < n; i++) {
            const long double weight = at->u[i] > 0.0L ? output_weight(instance, j, i) : 0.0L;
            for (int64_t k = 0; k < d && weight != 0.0L; k++) {
                at->jacobian[j * d + k] += weight * (long double)instance->A1[i * d + k];
                sizes[j * d + k] += fabsl(weight * (long double)instance->A1[i * d + k]);
            }
        }
    for (int64_t j = 0; j < m; j++)
        for (int64_t l = 0; l < m; l++)
            for (int64_t k = 0; k < d; k++) {
                centred[j * d + k] += at->f[l] * (at->jacobian[j * d + k] - at->jacobian[l * d + k]);
                scales[j * d + k] += at->f[l] * (sizes[j * d + k] + sizes[l * d + k]);
            }
    free(sizes);
}

static void second_derivatives(const struct instance *instance, struct reference *at, const long double *r,
                               const long double *r_scales) {
    const int64_t n = instance->n, d = instance->d, m = instance->m;
    long double *centred = test_long_doubles(m * d), *scales = test_long_doubles(m * d);
    jacobians(instance, at, centred, scales);
    for (int64_t k = 0; k < d; k++) {
        long double scale = (long double)instance->rho;
        for (int64_t l = 0; l < d; l++) {
            long double *entry = &at->hessian[k * d + l];
            *entry = k == l ? (long double)instance->rho : 0.0L;
            for (int64_t j = 0; j < m; j++)
                *entry += r[j] * centred[j * d + k] * centred[j * d + l];
            for (int64_t i = 0; i < n && instance->w != NULL; i++)
                *entry += (long double)instance->w[i] * (long double)instance->w[i] * (long double)instance->A1[i * d + k] *
                          (long double)instance->A1[i * d + l];
        }
        for (int64_t j = 0; j < m; j++)
            scale += r_scales[j] * scales[j * d + k] * scales[j * d + k];
        for (int64_t i = 0; i < n && instance->w != NULL; i++)
            scale += powl((long double)instance->w[i] * (long double)instance->A1[i * d + k], 2.0L);
        at->hessian_scale = fmaxl(at->hessian_scale, scale);
    }
    free(centred);
    free(scales);
}

struct reference reference_at(const struct instance *instance, const long double *x, int order) {
    const int64_t n = instance->n, d = instance->d, m = instance->m;
    struct reference at = {.n = n, .d = d, .m = m};
    at.u = test_long_doubles(n);
    at.f = test_long_doubles(m);
    long double *z = test_long_doubles(m);
    forward(instance, x, &at, z);
    output_loss(instance, z, &at);
    free(z);
    if (order < 1)
        return at;
    long double *q = test_long_doubles(m), *r = test_long_doubles(m);
    long double *q_scales = test_long_doubles(m), *r_scales = test_long_doubles(m);
    at.jumps = test_long_doubles(n);
    at.jump_scales = test_long_doubles(n);
    at.gradient = test_long_doubles(d);
    slopes_of_logits(instance, &at, q, q_scales, r, r_scales);
    first_derivatives(instance, x, &at, q, q_scales);
    if (order >= 2) {
        at.hessian = test_long_doubles(d * d);
        at.jacobian = test_long_doubles(m * d);
        second_derivatives(instance, &at, r, r_scales);
    }
    free(q);
    free(r);
    free(q_scales);
    free(r_scales);
    return at;
}

static long double row_norm(const struct instance *instance, int64_t i) {
    long double norm = 0.0L;
    for (int64_t k = 0; k < instance->d; k++)
        norm = hypotl(norm, (long double)instance->A1[i * instance->d + k]);
    return norm;
}

/* c where row j is c times row i, which is not 0; 0 where it is no multiple. */
static long double multiple_of(const struct instance *instance, int64_t i, int64_t j) {
    const double *a = instance->A1 + i * instance->d, *b = instance->A1 + j * instance->d;
    const long double size_a = row_norm(instance, i), size_b = row_norm(instance, j);
    long double product = 0.0L, apart = 0.0L;
    for (int64_t k = 0; k < instance->d && size_b > 0.0L; k++)
        product += (long double)a[k] / size_a * ((long double)b[k] / size_b);
    for (int64_t k = 0; k < instance->d && size_b > 0.0L; k++)
        apart = fmaxl(apart, fabsl((long double)b[k] / size_b - copysignl(1.0L, product) * ((long double)a[k] / size_a)));
    return size_b > 0.0L && apart <= 1e-15L ? copysignl(size_b / size_a, product) : 0.0L;
}

/* The slope that F has along row i from the kinks that share its direction: from below on one side, to above on the other, and
   what the multipliers make of it. Marks those units as done. */
static long double shared_slope(const struct instance *instance, const struct reference *at, int64_t i,
                                const signed char *kinks, const double *lambda, bool *done, int64_t *ridges) {
    long double below = 0.0L, above = 0.0L, chosen = 0.0L, scale = 0.0L;
    for (int64_t j = i; j < instance->n; j++) {
        const long double c = kinks[j] == 0 ? 0.0L : j == i ? 1.0L : multiple_of(instance, i, j);
        if (c == 0.0L)
            continue;
        done[j] = true;
        *(c > 0.0L ? &above : &below) += c * at->jumps[j];
        chosen += c * (long double)lambda[j];
        scale += fabsl(c) * at->jump_scales[j];
    }
    if (below > above + 1e-12L * scale)
        (*ridges)++;
    return fminl(fmaxl(chosen, fminl(below, above)), fmaxl(below, above));
}

/* What the bound that x_k is at leaves of the slope along it. */
static long double beyond_bound(const struct instance *instance, int64_t k, const long double *x, long double slope,
                                double mu) {
    const bool low = instance->lower != NULL && x[k] <= (long double)instance->lower[k];
    const bool high = instance->upper != NULL && x[k] >= (long double)instance->upper[k];
    return slope + ((low && mu < 0.0) || (high && mu > 0.0) ? (long double)mu : 0.0L);
}

/* Units on, near their kink or at it have a share. */
static long double terms_of_gradient(const struct instance *instance, const struct reference *at, const long double *x,
                                     const signed char *kinks) {
    long double x_norm = 0.0L, ref_norm = 0.0L, scale = 0.0L;
    for (int64_t k = 0; k < instance->d; k++) {
        x_norm = hypotl(x_norm, x[k]);
        ref_norm = hypotl(ref_norm, entry_or_0(instance->x_ref, k));
    }
    for (int64_t i = 0; i < instance->n; i++) {
        const long double norm = row_norm(instance, i), w = entry_or_0(instance->w, i);
        const long double size = norm * x_norm + fabsl(entry_or_0(instance->c1, i));
        long double column = 0.0L;
        for (int64_t j = 0; j < instance->m; j++)
            column = hypotl(column, output_weight(instance, j, i));
        scale = hypotl(scale, norm * ((kinks[i] != 0 || at->u[i] >= -1e-6L * size ? at->output_scale * column : 0.0L) +
                                      w * w * norm * x_norm));
    }
    return scale + (long double)instance->rho * (x_norm + ref_norm);
}

struct reference_residual reference_residual(const struct instance *instance, const struct reference *at, const long double *x,
                                             const signed char *kinks, const double *lambda, const double *mu,
                                             long double kink_tolerance, long double u_noise) {
    const int64_t n = instance->n, d = instance->d;
    struct reference_residual found = {0};
    long double *rest = test_long_doubles(d), x_norm = 0.0L;
    bool *done = calloc((size_t)n + 1, sizeof *done);
    signed char *near = calloc((size_t)n + 1, 1);
    assert_true(done != NULL && near != NULL);
    for (int64_t k = 0; k < d; k++)
        x_norm = hypotl(x_norm, x[k]);
    for (int64_t i = 0; i < n; i++) {
        const double *row = instance->A1 + i * d;
        const long double bias = fabsl(entry_or_0(instance->c1, i)), size = fabsl(at->u[i]);
        long double noise = u_noise + 16.0L * DBL_EPSILON * bias;
        for (int64_t k = 0; k < d; k++)
            noise += 16.0L * DBL_EPSILON * fabsl((long double)row[k] * x[k]);
        near[i] = kinks[i] != 0 || size <= noise; /* or no double can tell */
        found.strays += kinks[i] != 0 && size > kink_tolerance * (row_norm(instance, i) * x_norm + bias) + noise;
    }
    for (int64_t i = 0; i < n; i++) {
        const double *row = instance->A1 + i * d;
        const long double w = entry_or_0(instance->w, i);
        long double v = 0.0L;
        for (int64_t k = 0; k < d; k++)
            v += (long double)row[k] * x[k];
        long double slope = w * w * v;
        if (near[i] == 0)
            slope += at->u[i] > 0.0L ? at->jumps[i] : 0.0L;
        else if (!done[i] && row_norm(instance, i) > 0.0L)
            slope += shared_slope(instance, at, i, near, lambda, done, &found.ridges);
        for (int64_t k = 0; k < d; k++)
            rest[k] += (long double)row[k] * slope;
    }
    for (int64_t k = 0; k < d; k++) {
        const long double slope = rest[k] + (long double)instance->rho * (x[k] - entry_or_0(instance->x_ref, k));
        found.residual = hypotl(found.residual, beyond_bound(instance, k, x, slope, mu[k]));
    }
    found.scale = terms_of_gradient(instance, at, x, near);
    free(rest);
    free(done);
    free(near);
    return found;
}

void reference_free(struct reference *reference) {
    free(reference->u);
    free(reference->f);
    free(reference->jumps);
    free(reference->jump_scales);
    free(reference->gradient);
    free(reference->hessian);
    free(reference->jacobian);
    *reference = (struct reference){0};
}

long double reference_round_off(const struct reference *reference, long double epsilon) {
    const long double terms = (long double)(reference->n + reference->m + reference->d + 8);
    return 4.0L * terms * epsilon * (1.0L + reference->logit_scale);
}

long double reference_loss_noise(const struct reference *reference, softrelu_loss loss) {
    const long double round_off = reference_round_off(reference, DBL_EPSILON);
    if (loss == SOFTRELU_KL)
        return round_off * reference->loss_scale;
    return round_off * (sqrtl(2.0L * reference->fit) + round_off + reference->regular_scale);
}

long double reference_epsilon(void) {
    volatile long double one = 1.0L, more = LDBL_EPSILON;
    more += one;
    return more > one ? LDBL_EPSILON : DBL_EPSILON;
}
