/* Certificates: what a point is, and reading them. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "api/handles.h"

softrelu_status softrelu_certificate_create(const softrelu_problem *problem, softrelu_certificate **certificate) {
    if (certificate == NULL)
        return SOFTRELU_ERROR_NULL;
    *certificate = NULL;
    if (problem == NULL)
        return SOFTRELU_ERROR_NULL;
    if (!problem->sealed)
        return SOFTRELU_ERROR_STATE;
    softrelu_certificate *created = srl_allocate(&problem->allocator, 1, sizeof *created);
    if (created == NULL)
        return srl_agree_on_memory(problem, false);
    created->allocator = problem->allocator;
    srl_certificate_carve(&created->arena, created, &problem->model);
    const bool room = srl_arena_reserve(&created->arena, &created->allocator);
    const softrelu_status status = srl_agree_on_memory(problem, room);
    if (status != SOFTRELU_OK) {
        softrelu_certificate_destroy(created);
        return status;
    }
    srl_certificate_carve(&created->arena, created, &problem->model);
    srl_certificate_clear(created);
    *certificate = created;
    return SOFTRELU_OK;
}

void softrelu_certificate_destroy(softrelu_certificate *certificate) {
    if (certificate == NULL)
        return;
    const struct srl_allocator allocator = certificate->allocator;
    srl_arena_release(&certificate->arena, &allocator);
    srl_release(&allocator, certificate);
}

static softrelu_status check_tolerance(struct srl_message *message, const char *name, double value) {
    if (!(value >= 0.0) || isinf(value))
        return srl_fail(message, SOFTRELU_ERROR_VALUE, "%s = %g is not a finite number >= 0", name, value);
    return SOFTRELU_OK;
}

static softrelu_status check_bounds(struct srl_message *message, const struct srl_model *model, const double *x) {
    for (int64_t k = 0; k < model->d; k++) {
        if (x[k] < srl_lower(model, k))
            return srl_fail(message, SOFTRELU_ERROR_VALUE, "x[%" PRId64 "] = %.17g is below lower[%" PRId64 "] = %.17g", k,
                            x[k], k, srl_lower(model, k));
        if (x[k] > srl_upper(model, k))
            return srl_fail(message, SOFTRELU_ERROR_VALUE, "x[%" PRId64 "] = %.17g is above upper[%" PRId64 "] = %.17g", k,
                            x[k], k, srl_upper(model, k));
    }
    return SOFTRELU_OK;
}

void srl_spread_certificate(const struct srl_model *model, softrelu_certificate *certificate) {
    struct srl_ranks *ranks = model->ranks;
    const int64_t n = model->n, d = model->d, size = (int64_t)sizeof(double);
    certificate->model = model; /* of an end of several starts it may be none yet */
    int64_t numbers[] = {certificate->verdict, certificate->reason, certificate->distance, certificate->examined,
                         certificate->has_direction};
    srl_spread(ranks, 0, numbers, sizeof numbers);
    certificate->verdict = (softrelu_verdict)numbers[0];
    certificate->reason = (softrelu_reason)numbers[1];
    certificate->distance = (softrelu_distance)numbers[2];
    certificate->examined = numbers[3] != 0;
    certificate->has_direction = numbers[4] != 0;
    srl_spread(ranks, 0, certificate->quantities, sizeof certificate->quantities);
    srl_spread(ranks, 0, certificate->lambda, n * size);
    srl_spread(ranks, 0, certificate->mu, d * size);
    srl_spread(ranks, 0, certificate->direction, d * size);
    srl_spread(ranks, 0, certificate->at_kink, n);
    srl_spread(ranks, 0, certificate->bound, d);
}

struct examination {
    softrelu_certificate *certificate;
    const double *x;
    double kink_tolerance, tolerance;
};

static softrelu_status examine(void *context) {
    const struct examination *of = context;
    if (!srl_certificate_examine(of->certificate, of->x, of->kink_tolerance, of->tolerance))
        return srl_fail(&of->certificate->message, SOFTRELU_ERROR_LAPACK, "LAPACK refused the certificate's matrices");
    return SOFTRELU_OK;
}

softrelu_status softrelu_certify(softrelu_certificate *certificate, const double *x, int64_t length, double kink_tolerance,
                                 double tolerance) {
    if (certificate == NULL)
        return SOFTRELU_ERROR_NULL;
    struct srl_message *message = &certificate->message;
    message->text[0] = '\0';
    if (x == NULL)
        return srl_fail(message, SOFTRELU_ERROR_NULL, "x is NULL");
    softrelu_status status = srl_check_length(message, "x", length, certificate->model->d);
    if (status == SOFTRELU_OK)
        status = srl_check_finite(message, "x", x, length);
    if (status == SOFTRELU_OK)
        status = check_tolerance(message, "kink_tolerance", kink_tolerance);
    if (status == SOFTRELU_OK)
        status = check_tolerance(message, "tolerance", tolerance);
    if (status == SOFTRELU_OK)
        status = check_bounds(message, certificate->model, x);
    struct srl_ranks *ranks = certificate->model->ranks;
    struct examination examination = {certificate, x, kink_tolerance, tolerance};
    const struct srl_joint_call joint = {.kind = SRL_CALL_CERTIFY,
                                         .regions = {srl_region_at(certificate, sizeof *certificate),
                                                     srl_region_at(certificate->arena.base, certificate->arena.capacity),
                                                     srl_region_of_model(certificate->model)},
                                         .work = examine,
                                         .context = &examination};
    status = srl_together(ranks, &joint, status, message);
    if (status != SOFTRELU_OK || ranks == NULL)
        return status;
    srl_spread_certificate(certificate->model, certificate);
    return ranks->failed ? srl_fail_ranks(message) : SOFTRELU_OK;
}

softrelu_verdict softrelu_certificate_verdict(const softrelu_certificate *certificate) {
    return certificate != NULL ? certificate->verdict : SOFTRELU_VERDICT_UNDECIDED;
}

softrelu_reason softrelu_certificate_reason(const softrelu_certificate *certificate) {
    return certificate != NULL ? certificate->reason : SOFTRELU_REASON_NOT_RUN;
}

softrelu_distance softrelu_certificate_distance(const softrelu_certificate *certificate) {
    return certificate != NULL ? certificate->distance : SOFTRELU_DISTANCE_NOT_CERTIFIED;
}

softrelu_status softrelu_certificate_number(const softrelu_certificate *certificate, softrelu_certificate_quantity quantity,
                                            double *value) {
    if (certificate == NULL || value == NULL)
        return SOFTRELU_ERROR_NULL;
#define NUMBER_CASE(name, number, word, type, text)                                                                            \
    case name:                                                                                                                 \
        *value = certificate->quantities[name##_INDEX];                                                                        \
        return SOFTRELU_OK;
    switch ((int)quantity) {
        SOFTRELU_CERTIFICATE_LIST(NUMBER_CASE)
    default:
        return SOFTRELU_ERROR_UNKNOWN;
    }
#undef NUMBER_CASE
}

/* For outputs that may be left out: NULL with length 0, or the right length. */
static softrelu_status check_output(const void *output, int64_t length, int64_t expected) {
    if (output == NULL)
        return length == 0 ? SOFTRELU_OK : SOFTRELU_ERROR_NULL;
    return length == expected ? SOFTRELU_OK : SOFTRELU_ERROR_SIZE;
}

/* What both getters of pairs of arrays need. */
static softrelu_status check_pair(const softrelu_certificate *certificate, const void *kinks, int64_t kinks_length,
                                  const void *bounds, int64_t bounds_length) {
    if (certificate == NULL)
        return SOFTRELU_ERROR_NULL;
    softrelu_status status = check_output(kinks, kinks_length, certificate->model->n);
    if (status == SOFTRELU_OK)
        status = check_output(bounds, bounds_length, certificate->model->d);
    if (status == SOFTRELU_OK &&
        (!certificate->examined || !srl_certificate_is_finite(certificate) || certificate->lambda == NULL)) /* of a batch */
        status = SOFTRELU_ERROR_STATE;
    return status;
}

softrelu_status softrelu_certificate_multipliers(const softrelu_certificate *certificate, double *kinks, int64_t kinks_length,
                                                 double *bounds, int64_t bounds_length) {
    const softrelu_status status = check_pair(certificate, kinks, kinks_length, bounds, bounds_length);
    if (status != SOFTRELU_OK)
        return status;
    if (kinks != NULL)
        memcpy(kinks, certificate->lambda, (size_t)kinks_length * sizeof *kinks);
    if (bounds != NULL)
        memcpy(bounds, certificate->mu, (size_t)bounds_length * sizeof *bounds);
    return SOFTRELU_OK;
}

softrelu_status softrelu_certificate_active(const softrelu_certificate *certificate, signed char *kinks, int64_t kinks_length,
                                            signed char *bounds, int64_t bounds_length) {
    const softrelu_status status = check_pair(certificate, kinks, kinks_length, bounds, bounds_length);
    if (status != SOFTRELU_OK)
        return status;
    if (kinks != NULL)
        memcpy(kinks, certificate->at_kink, (size_t)kinks_length * sizeof *kinks);
    if (bounds != NULL)
        memcpy(bounds, certificate->bound, (size_t)bounds_length * sizeof *bounds);
    return SOFTRELU_OK;
}

softrelu_status softrelu_certificate_direction(const softrelu_certificate *certificate, double *direction, int64_t length) {
    if (certificate == NULL || direction == NULL)
        return SOFTRELU_ERROR_NULL;
    if (length != certificate->model->d)
        return SOFTRELU_ERROR_SIZE;
    if (!certificate->has_direction)
        return SOFTRELU_ERROR_STATE;
    memcpy(direction, certificate->direction, (size_t)length * sizeof *direction);
    return SOFTRELU_OK;
}

const char *softrelu_certificate_message(const softrelu_certificate *certificate) {
    return certificate != NULL ? certificate->message.text : "the certificate is NULL";
}
