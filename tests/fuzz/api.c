/*
 * Any bytes as a sequence of calls of the whole interface: handles in any state or NULL, arrays that are too short, too long,
 * the same memory or full of NaN, sizes of 0 and the extremes of their types, memory that runs out. Arrays are as long as the
 * header asks for and no longer, so that AddressSanitizer sees every entry beyond. What must hold whatever is called:
 *
 *   - statuses are those of the list, and where a handle keeps messages, a failure leaves one;
 *   - a failing call leaves its outputs and the last solution as they were, a failing create a NULL handle;
 *   - a succeeding one writes every output, and writes finite numbers but where the header says otherwise;
 *   - within a callback whatever would change the solver is refused;
 *   - what is called converged is, for a certificate made anew from the problem;
 *   - all memory comes back.
 *
 * One byte chooses the call; its high bit asks for arguments as they should be, which the bytes after it choose.
 */
#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include <softrelu/softrelu.h>

#include "fuzz.h"

enum {
    MOST_CALLS = 60,
    MOST_ITERATIONS = 20,
    MOST_STARTS = 3,
    MOST_TARGETS = 4,
    MOST_ENTRIES = 4096,
    SHARED = 64,
    MEMORY = 1 << 25
};
#define COUNT(array) ((int64_t)(sizeof(array) / sizeof(array)[0]))

/* The allocator of a problem. */
struct memory {
    int64_t blocks, left;
};

struct session {
    const uint8_t *data;
    size_t left;
    bool careful;          /* arguments as they should be */
    double shared[SHARED]; /* one memory for many arrays */
    void *borrowed[MOST_CALLS * 4];
    int64_t borrowed_count;
    struct memory memory;
    bool limited; /* the problem takes its memory from there */
    int64_t n, d, m;
    softrelu_problem *problem;
    softrelu_evaluator *evaluator;
    softrelu_certificate *certificate;
    softrelu_constants *constants;
    softrelu_solver *solver;
    softrelu_batch *batch;
    softrelu_counterfactual *search;
    int64_t search_calls; /* of its solver's callback in one search */
    bool own_target;      /* the solver has vectors of its own */
    bool far_columns;
};

/* ---------------------------------------------------------------------------------------------------------------------
 * Arguments from bytes
 * ------------------------------------------------------------------------------------------------------------------- */

static uint8_t take_byte(struct session *s) {
    if (s->left == 0)
        return 0;
    s->left--;
    return *s->data++;
}

static bool take_chance(struct session *s, int one_in) { return !s->careful && take_byte(s) % one_in == one_in - 1; }

static uint64_t take_bits(struct session *s) {
    uint64_t bits = 0;
    for (int i = 0; i < 8; i++)
        bits = bits << 8 | take_byte(s);
    return bits;
}

static int64_t take_extreme(struct session *s) {
    static const int64_t extremes[] = {0,
                                       -1,
                                       INT64_MIN,
                                       INT64_MAX,
                                       INT32_MAX,
                                       INT32_MIN,
                                       (int64_t)INT32_MAX + 1,
                                       INT64_MIN + 1,
                                       INT64_MAX / 8,
                                       (int64_t)1 << 53,
                                       ((int64_t)1 << 53) + 1,
                                       UINT32_MAX};
    return extremes[take_byte(s) % COUNT(extremes)];
}

static double take_number(struct session *s) {
    static const double specials[] = {0.0,     -0.0,   1e-300,  -1e300, 1e300, 1e150,  -1e-150,  DBL_MAX,   -DBL_MAX,
                                      DBL_MIN, 5e-324, -5e-324, 1e-9,   1e9,   1e-16,  1e16,     0.5,       700.0,
                                      -745.0,  1e-12,  1e-3,    0.9,    1e155, 1e-155, INFINITY, -INFINITY, NAN};
    const uint8_t byte = take_byte(s);
    if (byte < 192)
        return ((int)byte - 96) / 32.0;
    if (byte < 255)
        return specials[byte % (s->careful ? COUNT(specials) - 3 : COUNT(specials))];
    const uint64_t bits = take_bits(s);
    double number;
    memcpy(&number, &bits, sizeof number);
    return isfinite(number) || !s->careful ? number : 1.0;
}

/* The length of an array that should have right entries. */
static int64_t take_length(struct session *s, int64_t right) {
    if (!take_chance(s, 12))
        return right;
    const uint8_t byte = take_byte(s);
    return byte % 3 == 0 ? right + 1 : byte % 3 == 1 ? right - 1 : take_extreme(s);
}

static int take_choice(struct session *s, const int *choices, int64_t right, int64_t all) {
    return choices[take_byte(s) % (s->careful ? right : all)];
}

/* ---------------------------------------------------------------------------------------------------------------------
 * Arrays
 * ------------------------------------------------------------------------------------------------------------------- */

static void fill(struct session *s, double *values, int64_t count) {
    const uint8_t how = take_byte(s);
    uint32_t state = take_byte(s);
    const double scale = how % 8 == 5 ? fabs(take_number(s)) : 1.0, same = how % 8 == 3 ? take_number(s) : 0.0;
    double sum = 0.0;
    for (int64_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        const double drawn = ((int)(state >> 24) - 128) / 64.0;
        values[i] = how % 8 == 3 ? same : how % 8 == 4 ? take_number(s) : scale * drawn;
        if (how % 8 == 7)
            sum += values[i] = fabs(drawn) + 0x1p-6;
    }
    for (int64_t i = 0; i < count && how % 8 == 7; i++)
        values[i] /= sum;
    if (how % 8 == 6 && count > 0)
        values[take_byte(s) % count] = take_number(s);
    for (int64_t i = 0; i < count && s->careful; i++)
        if (!isfinite(values[i]))
            values[i] = 1.0;
}

static void *keep(struct session *s, void *block) {
    HOLDS(block != NULL && s->borrowed_count < COUNT(s->borrowed));
    return s->borrowed[s->borrowed_count++] = block;
}

static void *exact(int64_t count, size_t size) {
    void *block = malloc(count > 0 ? (size_t)count * size : 1);
    HOLDS(block != NULL);
    return block;
}

/* An input that lives until the end, for it may be borrowed. Where right entries are too many, or length is wrong, it has one
   entry, which must not be read. NULL at times. */
static const double *take_array(struct session *s, int64_t length, int64_t right) {
    if (take_chance(s, 16))
        return NULL;
    if (right > MOST_ENTRIES || right < 0)
        return NULL;
    if (right <= SHARED && take_byte(s) % 8 == 7)
        return s->shared;
    const int64_t count = length == right ? right : 0;
    double *values = keep(s, exact(count, sizeof *values));
    fill(s, values, count);
    return values;
}

static const uint64_t UNTOUCHED = 0x7ff4a5a5a5a5a5a5u;

static void spoil(double *values, int64_t count) {
    for (int64_t i = 0; i < count; i++)
        memcpy(&values[i], &UNTOUCHED, sizeof UNTOUCHED);
}

static bool is_untouched(double value) { return memcmp(&value, &UNTOUCHED, sizeof value) == 0; }

/* As many entries as length says where that is right; a wrong one must be refused. */
static int64_t room(int64_t length, int64_t right) { return length == right && length <= MOST_ENTRIES ? length : 0; }

/* An output of count entries, to be given to finish_output(). */
static double *take_output(int64_t count) {
    double *values = exact(count, sizeof *values);
    spoil(values, count);
    return values;
}

static void check_output(softrelu_status status, const double *values, int64_t count) {
    for (int64_t i = 0; i < count; i++)
        HOLDS(status == SOFTRELU_OK ? isfinite(values[i]) : is_untouched(values[i]));
}

static void finish_output(softrelu_status status, double *values, int64_t count) {
    check_output(status, values, count);
    free(values);
}

/* ---------------------------------------------------------------------------------------------------------------------
 * What must hold
 * ------------------------------------------------------------------------------------------------------------------- */

static bool is_text(const char *text) { return text != NULL && strlen(text) < 4096; }

/* message: of the handle; NULL where there is none, or the call leaves none. */
static softrelu_status known(softrelu_status status, const char *message) {
    HOLDS(status <= 0 && strncmp(softrelu_status_name(status), "SOFTRELU_", 9) == 0 && is_text(softrelu_status_text(status)));
    HOLDS(message == NULL || (is_text(message) && (status == SOFTRELU_OK || message[0] != '\0')));
    return status;
}

static void created(softrelu_status status, const void *handle) {
    (void)known(status, NULL);
    HOLDS((status == SOFTRELU_OK) == (handle != NULL));
}

/* Whether a solve has left a solution; it into x (d). */
static bool has_solution(const struct session *s, double *x) {
    return softrelu_solver_solution(s->solver, x, s->d) == SOFTRELU_OK;
}

static double report_number(const softrelu_report *report, softrelu_quantity quantity) {
    double value = NAN;
    HOLDS(softrelu_report_number(report, quantity, &value) == SOFTRELU_OK);
    return value;
}

static double certificate_number(const softrelu_certificate *certificate, softrelu_certificate_quantity quantity) {
    double value = 0.0;
    HOLDS(softrelu_certificate_number(certificate, quantity, &value) == SOFTRELU_OK);
    return value;
}

static double real_setting(const softrelu_solver *solver, softrelu_setting setting) {
    double value = NAN;
    HOLDS(softrelu_solver_get_real(solver, setting, &value) == SOFTRELU_OK);
    return value;
}

/* A certificate of the problem, made anew, says of x what the solver's says. */
static void certify_anew(const struct session *s, const double *x) {
    softrelu_certificate *certificate = NULL;
    const softrelu_status status = softrelu_certificate_create(s->problem, &certificate);
    created(status, certificate);
    if (status != SOFTRELU_OK)
        return;
    const double tolerance = real_setting(s->solver, SOFTRELU_SETTING_TOLERANCE);
    HOLDS(softrelu_certify(certificate, x, s->d, real_setting(s->solver, SOFTRELU_SETTING_KINK_TOLERANCE), tolerance) ==
          SOFTRELU_OK);
    HOLDS(certificate_number(certificate, SOFTRELU_CERTIFICATE_RESIDUAL_RELATIVE) <= tolerance);
    softrelu_certificate_destroy(certificate);
}

#define LIST_NUMBER(name, number, ...) name,
static const softrelu_quantity quantities[] = {SOFTRELU_QUANTITY_LIST(LIST_NUMBER)};
static const softrelu_quantity trace_quantities[] = {SOFTRELU_TRACE_LIST(LIST_NUMBER)};
static const softrelu_certificate_quantity certificate_quantities[] = {SOFTRELU_CERTIFICATE_LIST(LIST_NUMBER)};
static const softrelu_constant constants[] = {SOFTRELU_CONSTANT_LIST(LIST_NUMBER)};
#undef LIST_NUMBER

/* Finite, or a residual or a length beyond double precision. */
static bool may_be(softrelu_quantity quantity, double value) {
    return isfinite(value) ||
           (value == INFINITY && (quantity == SOFTRELU_REPORT_RESIDUAL || quantity == SOFTRELU_REPORT_RESIDUAL_RELATIVE ||
                                  quantity == SOFTRELU_TRACE_RESIDUAL || quantity == SOFTRELU_TRACE_STEP_NORM));
}

/* What a solve that ran leaves behind. */
static void check_solve(const struct session *s) {
    const softrelu_report *report = softrelu_solver_report(s->solver);
    const softrelu_termination termination = softrelu_report_termination(report);
    double *x = take_output(s->d);
    HOLDS(termination != SOFTRELU_NOT_RUN && strcmp(softrelu_termination_name(termination), "unknown") != 0);
    HOLDS(has_solution(s, x));
    for (int64_t k = 0; k < s->d; k++)
        HOLDS(isfinite(x[k]));
    for (int64_t q = 0; q < COUNT(quantities); q++)
        HOLDS(may_be(quantities[q], report_number(report, quantities[q])));
    HOLDS(report_number(report, SOFTRELU_REPORT_ITERATIONS) <= MOST_ITERATIONS);
    if (termination == SOFTRELU_CONVERGED) {
        HOLDS(report_number(report, SOFTRELU_REPORT_RESIDUAL_RELATIVE) <= real_setting(s->solver, SOFTRELU_SETTING_TOLERANCE));
        if (!s->own_target)
            certify_anew(s, x);
    }
    free(x);
}

/* ---------------------------------------------------------------------------------------------------------------------
 * Problems
 * ------------------------------------------------------------------------------------------------------------------- */

static void *give(size_t bytes, void *context) {
    struct memory *memory = context;
    const size_t header = 2 * sizeof(max_align_t);
    if (memory->left < 0 || bytes > (size_t)memory->left)
        return NULL;
    char *block = malloc(header + bytes);
    HOLDS(block != NULL);
    memcpy(block, &bytes, sizeof bytes);
    memory->left -= (int64_t)bytes;
    memory->blocks++;
    return block + header;
}

static void take_back(void *block, void *context) {
    struct memory *memory = context;
    char *whole = (char *)block - 2 * sizeof(max_align_t);
    size_t bytes;
    HOLDS(block != NULL);
    memcpy(&bytes, whole, sizeof bytes);
    memory->left += (int64_t)bytes;
    memory->blocks--;
    free(whole);
}

static void destroy_made(struct session *s) {
    softrelu_evaluator_destroy(s->evaluator);
    softrelu_certificate_destroy(s->certificate);
    softrelu_constants_destroy(s->constants);
    softrelu_counterfactual_destroy(s->search);
    softrelu_batch_destroy(s->batch);
    softrelu_solver_destroy(s->solver);
    s->search = NULL;
    s->evaluator = NULL;
    s->certificate = NULL;
    s->constants = NULL;
    s->batch = NULL;
    s->solver = NULL;
}

static void problem_destroy(struct session *s) {
    destroy_made(s);
    softrelu_problem_destroy(s->problem);
    s->problem = NULL;
    HOLDS(s->memory.blocks == 0);
}

static int64_t take_dimension(struct session *s) {
    if (take_chance(s, 24))
        return take_extreme(s);
    const uint8_t byte = take_byte(s);
    return byte < 250 ? 1 + byte % 5 : 20 + byte % 5;
}

static void problem_create(struct session *s) {
    problem_destroy(s);
    s->n = take_dimension(s);
    s->d = take_dimension(s);
    s->m = take_dimension(s);
    s->limited = !take_chance(s, 8);
    s->memory.left = take_chance(s, 4) ? 64 * (int64_t)take_byte(s) * take_byte(s) : MEMORY;
    const bool half = take_chance(s, 32);
    const softrelu_status status =
        softrelu_problem_create(s->n, s->d, s->m, s->limited || half ? give : NULL, s->limited ? take_back : NULL, &s->memory,
                                take_chance(s, 64) ? NULL : &s->problem);
    created(status, s->problem);
    s->limited = s->limited || half;
    if (s->problem == NULL)
        s->n = s->d = s->m = 1;
}

static int nothing_to_combine(void *context, double *values, int64_t count) {
    HOLDS(context == NULL && count > 0 && values != NULL);
    return 0;
}
static int nobody_to_tell(void *context, void *bytes, int64_t count, int root) {
    HOLDS(context == NULL && count > 0 && bytes != NULL);
    return root;
}

/* A problem of one rank, or of one that is none. */
static void problem_create_distributed(struct session *s) {
    softrelu_communicator with = {sizeof with, 0, 1, NULL, nothing_to_combine, nothing_to_combine, nobody_to_tell};
    softrelu_problem *problem = NULL;
    with.rank = take_chance(s, 16) ? -1 : 0;
    with.sum = take_chance(s, 16) ? NULL : with.sum;
    const int64_t m = take_dimension(s) - 1;
    const softrelu_status status =
        softrelu_problem_create_distributed(take_dimension(s), take_dimension(s), m, take_chance(s, 16) ? NULL : &with, NULL,
                                            NULL, NULL, take_chance(s, 16) ? NULL : &problem);
    int64_t outputs = -7, first = -7;
    created(status, problem);
    HOLDS(softrelu_problem_outputs(problem, &outputs, &first) == (problem != NULL ? SOFTRELU_OK : SOFTRELU_ERROR_NULL));
    HOLDS(problem == NULL ? outputs == -7 && first == -7 : outputs == m && first == 0);
    HOLDS(known(softrelu_problem_finish(problem), softrelu_problem_message(problem)) != SOFTRELU_OK);
    softrelu_problem_destroy(problem);
}

static softrelu_problem *the_problem(struct session *s) { return take_chance(s, 32) ? NULL : s->problem; }

static const int arrays[] = {SOFTRELU_A1,    SOFTRELU_A2,    SOFTRELU_B,     SOFTRELU_C1, SOFTRELU_C2, SOFTRELU_W, SOFTRELU_RHO,
                             SOFTRELU_X_REF, SOFTRELU_LOWER, SOFTRELU_UPPER, SOFTRELU_X0, 0,           11,         INT_MAX};

static int64_t length_of(const struct session *s, int array) {
    switch (array) {
    case SOFTRELU_B:
    case SOFTRELU_C2:
        return s->m;
    case SOFTRELU_C1:
    case SOFTRELU_W:
        return s->n;
    default:
        return s->d;
    }
}

static void give_matrix(struct session *s, int array, bool single) {
    static const int layouts[] = {SOFTRELU_ROW_MAJOR, SOFTRELU_COLUMN_MAJOR, 0, 103},
                     owners[] = {SOFTRELU_COPY, SOFTRELU_BORROW, SOFTRELU_MAP, -1}; /* no file has what is given here */
    const int layout = take_choice(s, layouts, 2, 4), owner = take_choice(s, owners, 2, 4);
    const int64_t rows = array == SOFTRELU_A2 ? s->m : s->n, columns = array == SOFTRELU_A2 ? s->n : s->d;
    const int64_t vectors = layout == SOFTRELU_COLUMN_MAJOR ? columns : rows;
    const int64_t length = layout == SOFTRELU_COLUMN_MAJOR ? rows : columns;
    const int64_t ld = take_chance(s, 12) ? take_extreme(s) : length + take_byte(s) % 3 - (take_chance(s, 12) ? 1 : 0);
    const bool small = vectors > 0 && length > 0 && vectors <= MOST_ENTRIES && length <= MOST_ENTRIES && ld >= length &&
                       (vectors == 1 || ld <= MOST_ENTRIES);
    const int64_t right = small ? (vectors - 1) * ld + length : ld > INT32_MAX || ld < length ? 0 : MOST_ENTRIES + 1;
    softrelu_problem *problem = the_problem(s);
    const double *values = take_array(s, right, right);
    if (!single) {
        (void)known(softrelu_problem_set_matrix(problem, (softrelu_array)array, values, (softrelu_layout)layout, ld,
                                                (softrelu_ownership)owner),
                    softrelu_problem_message(problem));
        return;
    }
    float *narrow = NULL;
    if (values != NULL) {
        narrow = keep(s, exact(right, sizeof *narrow));
        for (int64_t i = 0; i < right; i++)
            narrow[i] = (float)fmin(fmax(values[i], -FLT_MAX), FLT_MAX);
    }
    (void)known(softrelu_problem_set_matrix_single(problem, (softrelu_array)array, narrow, (softrelu_layout)layout, ld,
                                                   (softrelu_ownership)owner),
                softrelu_problem_message(problem));
}

static void problem_set_matrix(struct session *s) { give_matrix(s, take_choice(s, arrays, 2, COUNT(arrays)), false); }
static void problem_set_matrix_single(struct session *s) { give_matrix(s, take_choice(s, arrays, 2, COUNT(arrays)), true); }

/* Bounds in order, and some of them infinite. */
static void make_bounds(struct session *s, int array, double *values, int64_t count) {
    const double infinite = array == SOFTRELU_LOWER ? -INFINITY : INFINITY;
    for (int64_t i = 0; i < count; i++)
        values[i] = take_byte(s) % 4 == 3 ? infinite : array == SOFTRELU_LOWER ? -fabs(values[i]) : fabs(values[i]);
}

static void give_vector(struct session *s, int array) {
    static const int owners[] = {SOFTRELU_COPY, SOFTRELU_BORROW, 1, -1};
    const int64_t right = length_of(s, array), length = take_length(s, right);
    const double *values = take_array(s, length, right);
    if (s->careful && (array == SOFTRELU_LOWER || array == SOFTRELU_UPPER)) {
        double *bounds = keep(s, exact(right, sizeof *bounds));
        memcpy(bounds, values, (size_t)right * sizeof *bounds);
        make_bounds(s, array, bounds, right);
        values = bounds;
    }
    softrelu_problem *problem = the_problem(s);
    (void)known(softrelu_problem_set_vector(problem, (softrelu_array)array, values,
                                            values == NULL && length == right ? 0 : length,
                                            (softrelu_ownership)take_choice(s, owners, 2, 4)),
                softrelu_problem_message(problem));
}

static void problem_set_vector(struct session *s) { give_vector(s, take_choice(s, arrays + 2, 4, COUNT(arrays) - 2)); }

static void problem_set_number(struct session *s) {
    static const int numbers[] = {SOFTRELU_RHO, SOFTRELU_W, SOFTRELU_LOWER, SOFTRELU_UPPER, SOFTRELU_B, 71};
    softrelu_problem *problem = the_problem(s);
    const int array = take_choice(s, numbers, 4, 6);
    const double value = take_number(s);
    (void)known(
        softrelu_problem_set_number(problem, (softrelu_array)array, s->careful && array == SOFTRELU_RHO ? fabs(value) : value),
        softrelu_problem_message(problem));
}

static void problem_set_loss(struct session *s) {
    static const int losses[] = {SOFTRELU_SQUARES, SOFTRELU_KL, 1, -1};
    softrelu_problem *problem = the_problem(s);
    (void)known(softrelu_problem_set_loss(problem, (softrelu_loss)take_choice(s, losses, 2, 4)),
                softrelu_problem_message(problem));
}

static void problem_finish(struct session *s) {
    softrelu_problem *problem = the_problem(s);
    (void)known(softrelu_problem_finish(problem), softrelu_problem_message(problem));
}

static void problem_dimensions(struct session *s) {
    int64_t n = -7, d = -7, m = -7;
    const bool one = take_chance(s, 3);
    const softrelu_status status = softrelu_problem_dimensions(s->problem, &n, one ? NULL : &d, one ? NULL : &m);
    HOLDS(known(status, NULL) == (s->problem != NULL ? SOFTRELU_OK : SOFTRELU_ERROR_NULL));
    HOLDS(status == SOFTRELU_OK ? n == s->n && (one || (d == s->d && m == s->m)) : n == -7 && d == -7 && m == -7);
}

static void problem_message(struct session *s) { HOLDS(is_text(softrelu_problem_message(the_problem(s)))); }

/* ---------------------------------------------------------------------------------------------------------------------
 * Evaluators
 * ------------------------------------------------------------------------------------------------------------------- */

static void evaluator_create(struct session *s) {
    softrelu_evaluator_destroy(s->evaluator);
    const softrelu_status status = softrelu_evaluator_create(the_problem(s), &s->evaluator);
    created(status, s->evaluator);
}

static void evaluator_destroy(struct session *s) {
    softrelu_evaluator_destroy(s->evaluator);
    s->evaluator = NULL;
}

static softrelu_evaluator *the_evaluator(struct session *s) { return take_chance(s, 32) ? NULL : s->evaluator; }

static softrelu_status of_evaluator(softrelu_evaluator *evaluator, softrelu_status status) {
    return known(status, softrelu_evaluator_message(evaluator));
}

static void evaluator_move(struct session *s) {
    softrelu_evaluator *evaluator = the_evaluator(s);
    const int64_t length = take_length(s, s->d);
    (void)of_evaluator(evaluator, softrelu_evaluator_move(evaluator, take_array(s, length, s->d), length));
}

typedef softrelu_status (*vector_getter)(softrelu_evaluator *, double *, int64_t);

static void get_vector(struct session *s, vector_getter getter, int64_t right) {
    softrelu_evaluator *evaluator = the_evaluator(s);
    const int64_t length = take_length(s, right), count = room(length, right);
    double *values = take_output(count);
    const bool none = take_chance(s, 32);
    finish_output(of_evaluator(evaluator, getter(evaluator, none ? NULL : values, length)), values, count);
}

static void evaluator_preactivations(struct session *s) { get_vector(s, softrelu_evaluator_preactivations, s->n); }
static void evaluator_prediction(struct session *s) { get_vector(s, softrelu_evaluator_prediction, s->m); }
static void evaluator_gradient(struct session *s) { get_vector(s, softrelu_evaluator_gradient, s->d); }

static void evaluator_loss(struct session *s) {
    double loss[4];
    softrelu_evaluator *evaluator = the_evaluator(s);
    const bool some = take_chance(s, 3), same = take_chance(s, 3);
    spoil(loss, 4);
    const softrelu_status status =
        of_evaluator(evaluator, softrelu_evaluator_loss(evaluator, &loss[0], some ? NULL : &loss[same ? 0 : 1],
                                                        some ? NULL : &loss[same ? 0 : 2], some ? NULL : &loss[same ? 0 : 3]));
    check_output(status, loss, some || same ? 1 : 4);
}

/* A d x d matrix with gaps between its rows, which stay as they are. */
static void get_matrix(struct session *s, bool sampled) {
    softrelu_evaluator *evaluator = the_evaluator(s);
    const int64_t ld = take_chance(s, 12) ? take_extreme(s) : s->d + take_byte(s) % 3 - (take_chance(s, 12) ? 1 : 0);
    const bool held = s->d > 0 && s->d <= MOST_ENTRIES / 64 && ld >= s->d && ld <= MOST_ENTRIES;
    if (!held && ld >= s->d && evaluator != NULL)
        return; /* nobody has that much */
    const int64_t count = held ? (s->d - 1) * ld + s->d : 0;
    double *matrix = take_output(count);
    softrelu_status status;
    if (sampled) {
        int64_t rows = -7;
        const double epsilon = take_number(s);
        const int64_t wanted = take_chance(s, 4) ? take_extreme(s) : take_byte(s) % 6;
        status = softrelu_evaluator_sampled_hessian(evaluator, s->careful ? 0.5 : epsilon, wanted, take_byte(s), take_byte(s),
                                                    matrix, ld, take_chance(s, 4) ? NULL : &rows);
        HOLDS(rows == -7 || (status == SOFTRELU_OK && rows >= 0 && rows <= s->m));
    } else {
        status = softrelu_evaluator_hessian(evaluator, matrix, ld);
    }
    (void)of_evaluator(evaluator, status);
    for (int64_t i = 0; i < count; i++)
        HOLDS(status == SOFTRELU_OK && i % ld < s->d ? isfinite(matrix[i]) : is_untouched(matrix[i]));
    for (int64_t i = 0; i < s->d && status == SOFTRELU_OK; i++)
        for (int64_t k = 0; k < i; k++)
            HOLDS(matrix[i * ld + k] == matrix[k * ld + i]);
    free(matrix);
}

static void evaluator_hessian(struct session *s) { get_matrix(s, false); }
static void evaluator_sampled_hessian(struct session *s) { get_matrix(s, true); }

static void evaluator_hessian_product(struct session *s) {
    softrelu_evaluator *evaluator = the_evaluator(s);
    const int64_t length = take_length(s, s->d);
    const double *direction = take_array(s, length, s->d);
    const int64_t count = room(length, s->d);
    double *product = take_output(count);
    const softrelu_status status =
        of_evaluator(evaluator, softrelu_evaluator_hessian_product(evaluator, direction, product, length));
    check_output(status, product, count);
    if (status == SOFTRELU_OK) { /* in place: the same bits */
        double *same = exact(count, sizeof *same);
        memcpy(same, direction, (size_t)count * sizeof *same);
        HOLDS(softrelu_evaluator_hessian_product(evaluator, same, same, length) == SOFTRELU_OK);
        HOLDS(memcmp(same, product, (size_t)count * sizeof *same) == 0);
        free(same);
    }
    free(product);
}

static void evaluator_stationarity(struct session *s) {
    double number[2];
    int64_t count[2] = {-7, -7};
    softrelu_evaluator *evaluator = the_evaluator(s);
    const double tolerance = take_number(s);
    const bool some = take_chance(s, 4);
    spoil(number, 2);
    const softrelu_status status = of_evaluator(
        evaluator, softrelu_evaluator_stationarity(evaluator, s->careful ? fabs(tolerance) : tolerance, &number[0],
                                                   some ? NULL : &number[1], some ? NULL : &count[0], some ? NULL : &count[1]));
    check_output(status, number, 1);
    for (int k = 0; k < 2 && !some; k++)
        HOLDS(status == SOFTRELU_OK ? number[k] >= 0.0 && /* relative may be infinite */ count[k] >= 0 && count[k] <= s->n
                                    : count[k] == -7);
}

static void evaluator_check_derivatives(struct session *s) {
    softrelu_evaluator *evaluator = the_evaluator(s);
    softrelu_derivative_verdict verdict = SOFTRELU_DERIVATIVE_VERDICT_MAX_;
    double orders[2];
    int64_t kink = -7;
    double *before = take_output(s->d <= MOST_ENTRIES && s->d > 0 ? s->d : 0);
    const bool at_point = evaluator != NULL && softrelu_evaluator_gradient(evaluator, before, s->d) == SOFTRELU_OK;
    const double step = take_number(s);
    const double *direction = take_byte(s) % 2 == 0 ? NULL : take_array(s, s->d, s->d);
    spoil(orders, 2);
    const softrelu_status status = of_evaluator(
        evaluator, softrelu_evaluator_check_derivatives(evaluator, direction, take_bits(s), s->careful ? fabs(step) : step,
                                                        &verdict, &orders[0], &orders[1], take_chance(s, 4) ? NULL : &kink));
    HOLDS(status == SOFTRELU_OK ? verdict >= SOFTRELU_DERIVATIVES_AGREE && verdict <= SOFTRELU_DERIVATIVES_ROUNDOFF &&
                                      !isinf(orders[0]) && !isinf(orders[1])
                                : is_untouched(orders[0]) && is_untouched(orders[1]) && kink == -7);
    if (status == SOFTRELU_OK && at_point) { /* back at the same point */
        double *after = take_output(s->d);
        HOLDS(softrelu_evaluator_gradient(evaluator, after, s->d) == SOFTRELU_OK);
        HOLDS(memcmp(before, after, (size_t)s->d * sizeof *before) == 0);
        free(after);
    }
    free(before);
}

static void evaluator_message(struct session *s) { HOLDS(is_text(softrelu_evaluator_message(the_evaluator(s)))); }

/* ---------------------------------------------------------------------------------------------------------------------
 * Settings
 * ------------------------------------------------------------------------------------------------------------------- */

static softrelu_solver *the_solver(struct session *s) { return take_chance(s, 32) ? NULL : s->solver; }

static softrelu_status of_solver(softrelu_solver *solver, softrelu_status status) {
    return known(status, softrelu_solver_message(solver));
}

static softrelu_setting take_setting(struct session *s) {
    softrelu_setting setting = (softrelu_setting)1;
    const uint8_t byte = take_byte(s);
    (void)softrelu_setting_describe(byte % (softrelu_setting_count() + (s->careful ? 0 : 1)), &setting, NULL, NULL, NULL, NULL,
                                    NULL, NULL);
    return setting;
}

static void setting_count(struct session *s) {
    (void)s;
    HOLDS(softrelu_setting_count() > 0);
}

static void setting_describe(struct session *s) {
    const int64_t index = take_chance(s, 3) ? take_extreme(s) : take_byte(s) % (softrelu_setting_count() + 1);
    const char *name = NULL, *text = NULL;
    double standard, minimum, maximum;
    softrelu_type type;
    const softrelu_status status = softrelu_setting_describe(index, NULL, &name, &type, &standard, &minimum, &maximum, &text);
    HOLDS(known(status, NULL) == (index >= 0 && index < softrelu_setting_count() ? SOFTRELU_OK : SOFTRELU_ERROR_UNKNOWN));
    HOLDS(status == SOFTRELU_OK ? is_text(name) && is_text(text) && minimum <= standard && standard <= maximum
                                : name == NULL && text == NULL);
}

static void setting_choice(struct session *s) {
    const softrelu_setting setting = take_setting(s);
    const int64_t index = take_chance(s, 3) ? take_extreme(s) : take_byte(s) % 4;
    int64_t value = -7;
    const char *name = softrelu_setting_choice(setting, index, take_chance(s, 3) ? NULL : &value);
    HOLDS(name == NULL ? value == -7 : is_text(name));
}

/* Calls that change the solver: one that fails leaves the last solution alone. */
static void change_solver(struct session *s, softrelu_status (*change)(struct session *, softrelu_solver *)) {
    double *before = take_output(s->solver != NULL ? s->d : 0), *after = take_output(s->solver != NULL ? s->d : 0);
    const bool solved = s->solver != NULL && has_solution(s, before);
    softrelu_solver *solver = the_solver(s);
    if (of_solver(solver, change(s, solver)) != SOFTRELU_OK && solved)
        HOLDS(has_solution(s, after) && memcmp(before, after, (size_t)s->d * sizeof *before) == 0);
    free(before);
    free(after);
}

static softrelu_status change_integer(struct session *s, softrelu_solver *solver) {
    const softrelu_setting setting = take_setting(s);
    const int64_t value = take_byte(s) % 4 == 3 ? take_extreme(s) : take_byte(s) % 30;
    const softrelu_status status = softrelu_solver_set_integer(solver, setting, value);
    int64_t held = 0;
    HOLDS(status != SOFTRELU_OK || (softrelu_solver_get_integer(solver, setting, &held) == SOFTRELU_OK && held == value));
    return status;
}

static softrelu_status change_real(struct session *s, softrelu_solver *solver) {
    const softrelu_setting setting = take_setting(s);
    const double value = take_number(s);
    const softrelu_status status = softrelu_solver_set_real(solver, setting, value);
    HOLDS(status != SOFTRELU_OK || real_setting(solver, setting) == value);
    return status;
}

static softrelu_status change_text(struct session *s, softrelu_solver *solver) {
    static const char *const values[] = {"1e-9",   "3",     "",      "nan",          "inf",     "-1",  "9223372036854775808",
                                         "1e999",  "0x10",  "exact", "gauss-newton", "sampled", "pcg", "none",
                                         "single", "small", "auto",  "dense",        " 1",      "1 "};
    char name[16], value[16];
    const char *known_name = NULL;
    for (int i = 0; i < 15; i++) {
        name[i] = (char)(s->careful ? 'x' : take_byte(s));
        value[i] = (char)(s->careful ? '1' : take_byte(s));
    }
    name[15] = value[15] = '\0';
    (void)softrelu_setting_describe(take_byte(s) % (softrelu_setting_count() + 1), NULL, &known_name, NULL, NULL, NULL, NULL,
                                    NULL);
    return softrelu_solver_set_text(solver,
                                    take_chance(s, 16)   ? NULL
                                    : known_name != NULL ? known_name
                                                         : name,
                                    take_chance(s, 16)  ? NULL
                                    : take_chance(s, 4) ? value
                                                        : values[take_byte(s) % COUNT(values)]);
}

static softrelu_status change_start(struct session *s, softrelu_solver *solver) {
    const int64_t length = take_length(s, s->d);
    const double *x0 = take_array(s, length, s->d);
    return softrelu_solver_set_start(solver, x0, x0 == NULL && length == s->d ? 0 : length);
}

static softrelu_status change_vector(struct session *s, softrelu_solver *solver) {
    static const int own[] = {SOFTRELU_B, SOFTRELU_X_REF, SOFTRELU_LOWER, SOFTRELU_UPPER, SOFTRELU_C1, SOFTRELU_X0, 0};
    const int array = take_choice(s, own, 4, COUNT(own));
    const int64_t right = length_of(s, array), length = take_length(s, right);
    const double *values = take_array(s, length, right);
    const softrelu_status status =
        softrelu_solver_set_vector(solver, (softrelu_array)array, values, values == NULL && length == right ? 0 : length);
    s->own_target = s->own_target || status == SOFTRELU_OK;
    return status;
}

static softrelu_status change_number(struct session *s, softrelu_solver *solver) {
    static const int own[] = {SOFTRELU_RHO, SOFTRELU_W, SOFTRELU_LOWER, 0};
    const int array = take_choice(s, own, 1, COUNT(own));
    const double value = take_number(s);
    const softrelu_status status =
        softrelu_solver_set_number(solver, (softrelu_array)array, s->careful ? fabs(value) + DBL_MIN : value);
    s->own_target = s->own_target || status == SOFTRELU_OK;
    return status;
}

static void solver_set_number(struct session *s) { change_solver(s, change_number); }
static void solver_set_integer(struct session *s) { change_solver(s, change_integer); }
static void solver_set_real(struct session *s) { change_solver(s, change_real); }
static void solver_set_text(struct session *s) { change_solver(s, change_text); }
static void solver_set_start(struct session *s) { change_solver(s, change_start); }
static void solver_set_vector(struct session *s) { change_solver(s, change_vector); }

static void solver_get_integer(struct session *s) {
    int64_t value = -7;
    const softrelu_status status = softrelu_solver_get_integer(the_solver(s), take_setting(s), &value);
    HOLDS(known(status, NULL) == SOFTRELU_OK || value == -7);
}

static void solver_get_real(struct session *s) {
    double value;
    spoil(&value, 1);
    const softrelu_status status = softrelu_solver_get_real(the_solver(s), take_setting(s), &value);
    HOLDS(known(status, NULL) == SOFTRELU_OK ? !isnan(value) : is_untouched(value));
}

/* ---------------------------------------------------------------------------------------------------------------------
 * Solves
 * ------------------------------------------------------------------------------------------------------------------- */

static void solver_create(struct session *s) {
    softrelu_batch_destroy(s->batch);
    s->batch = NULL;
    softrelu_solver_destroy(s->solver);
    s->own_target = false;
    const softrelu_status status = softrelu_solver_create(the_problem(s), &s->solver);
    created(status, s->solver);
}

static void solver_destroy(struct session *s) { /* a batch made from it stays */
    softrelu_solver_destroy(s->solver);
    s->solver = NULL;
}

/* While the solver runs: reading is allowed, changing is not. */
static int on_iteration(const softrelu_report *report, void *user) {
    struct session *s = user;
    double *x = take_output(s->d);
    softrelu_batch *batch = NULL;
    int64_t value = 0;
    HOLDS(report == softrelu_solver_report(s->solver) && softrelu_report_trace_length(report) >= 0);
    HOLDS(has_solution(s, x));
    check_output(SOFTRELU_OK, x, s->d);
    const uint8_t what = take_byte(s);
    switch (what % 8) {
    case 1:
        HOLDS(softrelu_solver_set_integer(s->solver, SOFTRELU_SETTING_STARTS, 2) == SOFTRELU_ERROR_STATE);
        HOLDS(softrelu_solver_set_text(s->solver, "starts", "2") == SOFTRELU_ERROR_STATE);
        break;
    case 2:
        HOLDS(softrelu_solver_solve(s->solver) == SOFTRELU_ERROR_STATE);
        break;
    case 3:
        HOLDS(softrelu_solver_set_vector(s->solver, SOFTRELU_X_REF, x, s->d) == SOFTRELU_ERROR_STATE);
        HOLDS(softrelu_solver_set_start(s->solver, x, s->d) == SOFTRELU_ERROR_STATE);
        HOLDS(softrelu_solver_set_callback(s->solver, NULL, NULL) == SOFTRELU_ERROR_STATE);
        break;
    case 4:
        HOLDS(softrelu_batch_create(s->solver, 1, 1, SOFTRELU_BLAS_KEEP, &batch) == SOFTRELU_ERROR_STATE && batch == NULL);
        break;
    case 5:
        softrelu_solver_request_stop(s->solver);
        break;
    case 6:
        HOLDS(softrelu_solver_get_integer(s->solver, SOFTRELU_SETTING_STARTS, &value) == SOFTRELU_OK && value >= 1);
        break;
    default:
        break;
    }
    free(x);
    return what % 8 == 7 && what > 200;
}

static int on_check(void *user) {
    struct session *s = user;
    HOLDS(softrelu_solver_set_integer(s->solver, SOFTRELU_SETTING_STARTS, 2) == SOFTRELU_ERROR_STATE);
    return take_byte(s) % 64 == 63;
}

static void solver_set_interrupt(struct session *s) {
    softrelu_solver *solver = the_solver(s);
    const softrelu_interrupt interrupt = take_byte(s) % 2 == 0 ? NULL : on_check;
    (void)of_solver(solver, softrelu_solver_set_interrupt(solver, interrupt, s));
}

static void solver_set_callback(struct session *s) {
    softrelu_solver *solver = the_solver(s);
    const softrelu_callback callback = take_byte(s) % 2 == 0 ? NULL : on_iteration;
    (void)of_solver(solver, softrelu_solver_set_callback(solver, callback, s));
}

static void at_most(softrelu_solver *solver, softrelu_setting setting, int64_t most) {
    int64_t value = 0;
    HOLDS(softrelu_solver_get_integer(solver, setting, &value) == SOFTRELU_OK);
    HOLDS(value <= most || softrelu_solver_set_integer(solver, setting, most) == SOFTRELU_OK);
}

static void solver_solve(struct session *s) {
    softrelu_solver *solver = the_solver(s);
    if (solver != NULL) {
        at_most(solver, SOFTRELU_SETTING_MAX_ITERATIONS, MOST_ITERATIONS);
        at_most(solver, SOFTRELU_SETTING_STARTS, MOST_STARTS);
    }
    if (of_solver(solver, softrelu_solver_solve(solver)) == SOFTRELU_OK)
        check_solve(s);
}

static void solver_request_stop(struct session *s) { softrelu_solver_request_stop(the_solver(s)); }

static void solver_solution(struct session *s) {
    const softrelu_solver *solver = the_solver(s);
    const int64_t length = take_length(s, s->d), count = room(length, s->d);
    double *x = take_output(count);
    finish_output(known(softrelu_solver_solution(solver, take_chance(s, 32) ? NULL : x, length), NULL), x, count);
}

static void solver_minimiser_count(struct session *s) {
    const int64_t count = softrelu_solver_minimiser_count(the_solver(s));
    HOLDS(count >= 0 && count <= MOST_STARTS);
}

static void solver_minimiser(struct session *s) {
    const softrelu_solver *solver = the_solver(s);
    const int64_t length = take_length(s, s->d), count = room(length, s->d);
    const int64_t index = take_chance(s, 3) ? take_extreme(s) : take_byte(s) % 3;
    double *x = take_output(count);
    finish_output(known(softrelu_solver_minimiser(solver, index, x, length), NULL), x, count);
}

static void solver_message(struct session *s) { HOLDS(is_text(softrelu_solver_message(the_solver(s)))); }

/* ---------------------------------------------------------------------------------------------------------------------
 * Reports
 * ------------------------------------------------------------------------------------------------------------------- */

/* That of the solver, or of a target of the batch. */
static const softrelu_report *the_report(struct session *s) {
    return take_byte(s) % 4 == 3 ? softrelu_batch_report(s->batch, take_byte(s) % 4) : softrelu_solver_report(s->solver);
}

static void solver_report(struct session *s) {
    const softrelu_solver *solver = the_solver(s);
    HOLDS((softrelu_solver_report(solver) == NULL) == (solver == NULL));
}

static void report_origin(struct session *s) {
    static const int origins[] = {SOFTRELU_ORIGIN_VERSION, SOFTRELU_ORIGIN_BLAS, SOFTRELU_ORIGIN_BLAS_KERNEL, 0};
    const size_t size = take_byte(s) % 70;
    char *text = exact((int64_t)size, 1);
    text[0] = 'x';
    const softrelu_report *report = the_report(s);
    const softrelu_status status =
        softrelu_report_origin(report, (softrelu_origin)take_choice(s, origins, 3, 4), take_chance(s, 32) ? NULL : text, size);
    HOLDS(known(status, NULL) == SOFTRELU_OK ? strlen(text) < size : text[0] == 'x');
    free(text);
}

static void report_termination(struct session *s) {
    HOLDS(is_text(softrelu_termination_name(softrelu_report_termination(the_report(s)))));
}

static softrelu_quantity take_quantity(struct session *s) {
    const int64_t index = take_byte(s) % (COUNT(quantities) + COUNT(trace_quantities) + 1);
    return index < COUNT(quantities)                             ? quantities[index]
           : index < COUNT(quantities) + COUNT(trace_quantities) ? trace_quantities[index - COUNT(quantities)]
                                                                 : (softrelu_quantity)take_extreme(s);
}

static void report_number_of(struct session *s) {
    double value;
    spoil(&value, 1);
    const softrelu_report *report = the_report(s);
    const softrelu_status status = softrelu_report_number(report, take_quantity(s), take_chance(s, 32) ? NULL : &value);
    HOLDS(known(status, NULL) == SOFTRELU_OK || is_untouched(value));
}

static void report_trace_length(struct session *s) {
    const int64_t length = softrelu_report_trace_length(the_report(s));
    HOLDS(length >= 0 && length <= MOST_ITERATIONS + 1);
}

static void report_trace_number(struct session *s) {
    const softrelu_report *report = the_report(s);
    const int64_t record = take_chance(s, 6) ? take_extreme(s) : take_byte(s) % (MOST_ITERATIONS + 1);
    double value;
    spoil(&value, 1);
    const softrelu_quantity quantity = take_quantity(s);
    const softrelu_status status = known(softrelu_report_trace_number(report, record, quantity, &value), NULL);
    HOLDS(status == SOFTRELU_OK ? may_be(quantity, value) : is_untouched(value));
}

/* ---------------------------------------------------------------------------------------------------------------------
 * Certificates
 * ------------------------------------------------------------------------------------------------------------------- */

static void certificate_create(struct session *s) {
    softrelu_certificate_destroy(s->certificate);
    const softrelu_status status = softrelu_certificate_create(the_problem(s), &s->certificate);
    created(status, s->certificate);
}

static void certificate_destroy(struct session *s) {
    softrelu_certificate_destroy(s->certificate);
    s->certificate = NULL;
}

static void certify(struct session *s) {
    softrelu_certificate *certificate = take_chance(s, 32) ? NULL : s->certificate;
    const int64_t length = take_length(s, s->d);
    double *solution = take_output(s->solver != NULL ? s->d : 0);
    const bool at_solution = take_byte(s) % 2 == 0 && s->solver != NULL && length == s->d && has_solution(s, solution);
    const double *x = at_solution ? solution : take_array(s, length, s->d);
    const double kink = take_byte(s) % 2 == 0 ? 1e-9 : take_number(s),
                 tolerance = take_byte(s) % 2 == 0 ? 1e-12 : take_number(s);
    const softrelu_status status = softrelu_certify(certificate, x, length, kink, tolerance);
    if (known(status, softrelu_certificate_message(certificate)) == SOFTRELU_OK &&
        softrelu_certificate_verdict(certificate) == SOFTRELU_VERDICT_CERTIFIED)
        HOLDS(certificate_number(certificate, SOFTRELU_CERTIFICATE_RESIDUAL_RELATIVE) <= tolerance &&
              certificate_number(certificate, SOFTRELU_CERTIFICATE_CURVATURE) > 0.0);
    free(solution);
}

/* One's own, the solver's, that of one of its ends, or of a target of the batch. */
static const softrelu_certificate *the_certificate(struct session *s) {
    switch (take_byte(s) % 4) {
    case 0:
        return softrelu_solver_certificate(s->solver);
    case 1:
        return softrelu_solver_minimiser_certificate(s->solver, take_byte(s) % 4 - 1);
    case 2:
        return softrelu_batch_certificate(s->batch, take_byte(s) % 4);
    default:
        return s->certificate;
    }
}

static void solver_certificate(struct session *s) {
    const softrelu_solver *solver = the_solver(s);
    HOLDS((softrelu_solver_certificate(solver) == NULL) == (solver == NULL));
}

static void solver_minimiser_certificate(struct session *s) {
    const int64_t index = take_chance(s, 3) ? take_extreme(s) : take_byte(s) % 3;
    const bool is_one = index >= 0 && index < softrelu_solver_minimiser_count(s->solver);
    HOLDS((softrelu_solver_minimiser_certificate(s->solver, index) != NULL) == is_one);
}

static void certificate_verdict(struct session *s) {
    HOLDS(is_text(softrelu_verdict_text(softrelu_certificate_verdict(the_certificate(s)))));
}
static void certificate_reason(struct session *s) {
    HOLDS(is_text(softrelu_reason_text(softrelu_certificate_reason(the_certificate(s)))));
}
static void certificate_distance(struct session *s) {
    HOLDS(is_text(softrelu_distance_text(softrelu_certificate_distance(the_certificate(s)))));
}
static void certificate_message(struct session *s) { HOLDS(is_text(softrelu_certificate_message(the_certificate(s)))); }

static void certificate_number_of(struct session *s) {
    double value;
    spoil(&value, 1);
    const int64_t index = take_byte(s) % (COUNT(certificate_quantities) + 1);
    const softrelu_status status = softrelu_certificate_number(
        the_certificate(s),
        index < COUNT(certificate_quantities) ? certificate_quantities[index] : (softrelu_certificate_quantity)take_extreme(s),
        &value);
    HOLDS((known(status, NULL) == SOFTRELU_OK) == !is_untouched(value));
}

static void certificate_multipliers(struct session *s) {
    const softrelu_certificate *certificate = the_certificate(s);
    const int64_t n = take_length(s, s->n), d = take_length(s, s->d);
    const bool none = take_chance(s, 4);
    double *kinks = take_output(room(n, s->n)), *bounds = take_output(room(d, s->d));
    const softrelu_status status =
        known(softrelu_certificate_multipliers(certificate, kinks, n, none ? NULL : bounds, none ? 0 : d), NULL);
    finish_output(status, kinks, room(n, s->n));
    finish_output(none ? SOFTRELU_ERROR_NULL : status, bounds, room(d, s->d));
}

static void certificate_active(struct session *s) {
    const softrelu_certificate *certificate = the_certificate(s);
    const int64_t n = take_length(s, s->n), d = take_length(s, s->d);
    signed char *kinks = exact(room(n, s->n), 1), *bounds = exact(room(d, s->d), 1);
    memset(kinks, 77, room(n, s->n) > 0 ? (size_t)n : 1);
    memset(bounds, 77, room(d, s->d) > 0 ? (size_t)d : 1);
    const softrelu_status status = known(softrelu_certificate_active(certificate, kinks, n, bounds, d), NULL);
    for (int64_t i = 0; i < room(n, s->n); i++)
        HOLDS(status == SOFTRELU_OK ? kinks[i] == 0 || kinks[i] == 1 : kinks[i] == 77);
    for (int64_t k = 0; k < room(d, s->d); k++)
        HOLDS(status == SOFTRELU_OK ? bounds[k] >= -1 && bounds[k] <= 2 : bounds[k] == 77);
    free(kinks);
    free(bounds);
}

static void certificate_direction(struct session *s) {
    const softrelu_certificate *certificate = the_certificate(s);
    const int64_t length = take_length(s, s->d), count = room(length, s->d);
    double *direction = take_output(count);
    finish_output(known(softrelu_certificate_direction(certificate, direction, length), NULL), direction, count);
}

/* ---------------------------------------------------------------------------------------------------------------------
 * Batches
 * ------------------------------------------------------------------------------------------------------------------- */

static void batch_create(struct session *s) {
    static const int threads[] = {1, 2, 0, 3, -1, 257, INT_MAX, INT_MIN},
                     uses[] = {SOFTRELU_BLAS_KEEP, SOFTRELU_BLAS_ONE_THREAD, 1};
    softrelu_batch_destroy(s->batch);
    s->far_columns = false;
    if (s->solver != NULL) {
        at_most(s->solver, SOFTRELU_SETTING_MAX_ITERATIONS, MOST_ITERATIONS);
        at_most(s->solver, SOFTRELU_SETTING_STARTS, 1);
    }
    int64_t capacity = take_chance(s, 8) ? take_extreme(s) : 1 + take_byte(s) % MOST_TARGETS;
    if (capacity > MOST_TARGETS && !s->limited) /* malloc would be asked for all of it */
        capacity = 1;
    const int count = take_choice(s, threads, 4, 8);
    const int use = take_choice(s, uses, 2, 3);
    const softrelu_status status = softrelu_batch_create(the_solver(s), capacity, count, (softrelu_blas_use)use, &s->batch);
    created(status, s->batch);
}

static void batch_destroy(struct session *s) {
    softrelu_batch_destroy(s->batch);
    s->batch = NULL;
}

static softrelu_batch *the_batch(struct session *s) { return take_chance(s, 32) ? NULL : s->batch; }

static softrelu_status of_batch(softrelu_batch *batch, softrelu_status status) {
    return known(status, softrelu_batch_message(batch));
}

static void batch_set_columns(struct session *s) {
    static const int columns[] = {SOFTRELU_B, SOFTRELU_X0, SOFTRELU_X_REF, SOFTRELU_LOWER, SOFTRELU_UPPER, SOFTRELU_C1, 0};
    softrelu_batch *batch = the_batch(s);
    const int array = take_choice(s, columns, 5, COUNT(columns));
    const int64_t rows = length_of(s, array);
    const int64_t ld = take_chance(s, 12) ? take_extreme(s) : rows + take_byte(s) % 3 - (take_chance(s, 12) ? 1 : 0);
    if (s->batch == NULL)
        return;
    const bool near = ld <= MOST_ENTRIES / MOST_TARGETS;
    const int64_t count = near && ld >= rows ? (MOST_TARGETS - 1) * ld + rows : rows;
    const softrelu_status status =
        of_batch(batch, softrelu_batch_set_columns(batch, (softrelu_array)array, take_array(s, count, count), ld));
    s->far_columns = s->far_columns || (status == SOFTRELU_OK && !near);
}

static int on_target(int64_t target, const softrelu_report *report, void *user) {
    const struct session *s = user;
    HOLDS(target >= 0 && target < MOST_TARGETS);
    (void)known(softrelu_batch_status(s->batch, target), NULL);
    if (target == 3)
        softrelu_batch_request_stop(s->batch);
    return target == 2 && report_number(report, SOFTRELU_REPORT_ITERATIONS) > 2.0;
}

static void batch_set_callback(struct session *s) {
    softrelu_batch *batch = the_batch(s);
    const softrelu_batch_callback callback = take_byte(s) % 2 == 0 ? NULL : on_target;
    (void)of_batch(batch, softrelu_batch_set_callback(batch, callback, s));
}

static void batch_request_stop(struct session *s) { softrelu_batch_request_stop(the_batch(s)); }

static void solve_batch(struct session *s) {
    softrelu_batch *batch = the_batch(s);
    if (s->batch == NULL)
        return;
    const int64_t targets = take_chance(s, 8) ? take_extreme(s) : 1 + take_byte(s) % (s->far_columns ? 1 : MOST_TARGETS);
    const int64_t ld = take_chance(s, 12) ? take_extreme(s) : s->d + take_byte(s) % 3 - (take_chance(s, 12) ? 1 : 0);
    const bool near = ld >= s->d && ld <= MOST_ENTRIES / MOST_TARGETS;
    if (!near && ld >= s->d && targets > 1)
        return; /* nobody has that much */
    const int64_t count = targets < 1 || targets > MOST_TARGETS || ld < s->d ? 0 : (targets - 1) * (near ? ld : 0) + s->d;
    double *x = take_output(count);
    const softrelu_status status = of_batch(batch, softrelu_solve_batch(batch, targets, x, ld));
    for (int64_t i = 0; i < count; i++) {
        const int64_t target = near ? i / ld : 0, row = near ? i % ld : i;
        const softrelu_report *report = softrelu_batch_report(batch, target);
        const bool solved = status == SOFTRELU_OK && row < s->d && softrelu_report_termination(report) != SOFTRELU_NOT_RUN;
        HOLDS(solved ? isfinite(x[i]) : is_untouched(x[i]));
    }
    for (int64_t target = 0; target < targets && status == SOFTRELU_OK; target++) {
        const softrelu_status one = known(softrelu_batch_status(batch, target), softrelu_batch_target_message(batch, target));
        const softrelu_report *report = softrelu_batch_report(batch, target);
        HOLDS(one == SOFTRELU_OK || softrelu_report_termination(report) == SOFTRELU_NOT_RUN);
        if (softrelu_report_termination(report) == SOFTRELU_CONVERGED)
            HOLDS(isfinite(report_number(report, SOFTRELU_REPORT_LOSS)) &&
                  isfinite(report_number(report, SOFTRELU_REPORT_RESIDUAL_RELATIVE)));
    }
    free(x);
}

static int64_t take_target(struct session *s) {
    return take_chance(s, 4) ? take_extreme(s) : take_byte(s) % (MOST_TARGETS + 1);
}

static void batch_status(struct session *s) { (void)known(softrelu_batch_status(the_batch(s), take_target(s)), NULL); }
static void batch_target_message(struct session *s) {
    HOLDS(is_text(softrelu_batch_target_message(the_batch(s), take_target(s))));
}
static void batch_message(struct session *s) { HOLDS(is_text(softrelu_batch_message(the_batch(s)))); }
static void batch_report(struct session *s) {
    const softrelu_report *report = softrelu_batch_report(the_batch(s), take_target(s));
    HOLDS(softrelu_report_trace_length(report) == 0);
}
static void batch_certificate(struct session *s) {
    const softrelu_certificate *certificate = softrelu_batch_certificate(the_batch(s), take_target(s));
    double value = 0.0;
    HOLDS(softrelu_certificate_multipliers(certificate, &value, s->n, NULL, 0) != SOFTRELU_OK && value == 0.0);
}
static void batch_threads(struct session *s) { HOLDS(softrelu_batch_threads(the_batch(s)) >= 0); }

/* ---------------------------------------------------------------------------------------------------------------------
 * Counterfactuals
 * ------------------------------------------------------------------------------------------------------------------- */

static void counterfactual_create(struct session *s) {
    softrelu_counterfactual_destroy(s->search);
    const softrelu_status status = softrelu_counterfactual_create(the_problem(s), &s->search);
    created(status, s->search);
}

static void counterfactual_destroy(struct session *s) {
    softrelu_counterfactual_destroy(s->search);
    s->search = NULL;
}

static softrelu_counterfactual *the_search(struct session *s) { return take_chance(s, 32) ? NULL : s->search; }

/* Ends a search that takes long, and may not begin another. */
static int on_search(const softrelu_report *report, void *user) {
    enum { MOST_SEARCH_CALLS = 400 };
    struct session *s = user;
    HOLDS(softrelu_report_trace_length(report) >= 0);
    const double x[1] = {0.0};
    HOLDS(s->search_calls > 0 || softrelu_counterfactual_search(s->search, x, 1, 0, 0.5, NULL, 1) == SOFTRELU_ERROR_STATE);
    return ++s->search_calls > MOST_SEARCH_CALLS;
}

static void counterfactual_search(struct session *s) {
    softrelu_counterfactual *search = the_search(s);
    softrelu_solver *solver = softrelu_counterfactual_solver(search);
    HOLDS((solver == NULL) == (search == NULL));
    if (solver != NULL) {
        at_most(solver, SOFTRELU_SETTING_MAX_ITERATIONS, MOST_ITERATIONS);
        HOLDS(softrelu_solver_set_callback(solver, on_search, s) == SOFTRELU_OK);
    }
    s->search_calls = 0;
    const int64_t length = take_length(s, s->d),
                  wanted = take_chance(s, 12) ? take_extreme(s) : take_byte(s) % (s->m > 0 && s->m < 99 ? s->m : 1),
                  starts = take_chance(s, 12) ? take_extreme(s) : 1 + take_byte(s) % MOST_STARTS;
    const double confidence = take_chance(s, 8) ? take_number(s) : (1.0 + take_byte(s)) / 258.0,
                 *input = take_array(s, length, s->d);
    signed char *frozen = exact(room(length, s->d), 1);
    for (int64_t k = 0; k < room(length, s->d); k++)
        frozen[k] = (signed char)(take_chance(s, 32) ? take_byte(s) : take_byte(s) % 4 == 0);
    const softrelu_status status = softrelu_counterfactual_search(search, input, length, wanted, confidence,
                                                                  take_byte(s) % 2 == 0 ? NULL : frozen, starts);
    const int64_t count = softrelu_counterfactual_count(search);
    if (known(status, softrelu_counterfactual_message(search)) != SOFTRELU_OK && search != NULL && s->search_calls > 0)
        HOLDS(count == 0 && softrelu_counterfactual_outcome(search) == SOFTRELU_SEARCH_NOT_RUN);
    for (int64_t i = 0; i < count && status == SOFTRELU_OK; i++) {
        double reached = NAN;
        HOLDS(softrelu_counterfactual_number(search, i, SOFTRELU_ANSWER_CONFIDENCE, &reached) == SOFTRELU_OK);
        HOLDS(reached >= confidence * (1.0 - 1e-12) && reached <= 1.0);
    }
    free(frozen);
}

static void counterfactual_solver(struct session *s) {
    softrelu_solver *solver = softrelu_counterfactual_solver(the_search(s));
    if (solver != NULL)
        (void)of_solver(solver, change_real(s, solver));
}

static void counterfactual_request_stop(struct session *s) { softrelu_counterfactual_request_stop(the_search(s)); }
static void counterfactual_outcome(struct session *s) {
    HOLDS(strcmp(softrelu_search_name(softrelu_counterfactual_outcome(the_search(s))), "unknown outcome") != 0);
}
static void counterfactual_count(struct session *s) { HOLDS(softrelu_counterfactual_count(the_search(s)) >= 0); }
static void counterfactual_message(struct session *s) { HOLDS(is_text(softrelu_counterfactual_message(the_search(s)))); }

static void counterfactual_point(struct session *s) {
    softrelu_counterfactual *search = the_search(s);
    const int64_t index = take_chance(s, 4) ? take_extreme(s) : take_byte(s) % 3 - 1, length = take_length(s, s->d),
                  count = room(length, s->d);
    double *x = take_output(count);
    finish_output(known(softrelu_counterfactual_point(search, index, x, length), NULL), x, count);
}

static void counterfactual_number(struct session *s) {
    static const int wanted[] = {SOFTRELU_ANSWER_DISTANCE, SOFTRELU_ANSWER_CONFIDENCE, SOFTRELU_ANSWER_RHO,
                                 SOFTRELU_ANSWER_CERTIFIED, 0};
    const int64_t index = take_chance(s, 4) ? take_extreme(s) : take_byte(s) % 3 - 1;
    double value;
    spoil(&value, 1);
    const softrelu_status status =
        softrelu_counterfactual_number(the_search(s), index, (softrelu_answer)take_choice(s, wanted, 4, COUNT(wanted)), &value);
    HOLDS(known(status, NULL) == SOFTRELU_OK ? isfinite(value) && value >= 0.0 : is_untouched(value));
}

static void counterfactual_path_length(struct session *s) { HOLDS(softrelu_counterfactual_path_length(the_search(s)) >= 0); }

static void counterfactual_path_number(struct session *s) {
    static const int wanted[] = {SOFTRELU_PATH_BRANCH,   SOFTRELU_PATH_RHO,     SOFTRELU_PATH_CONFIDENCE,
                                 SOFTRELU_PATH_DISTANCE, SOFTRELU_PATH_REACHED, 0};
    const softrelu_counterfactual *search = the_search(s);
    const int64_t index = take_chance(s, 4) ? take_extreme(s) : take_byte(s),
                  length = softrelu_counterfactual_path_length(search);
    double value;
    spoil(&value, 1);
    const softrelu_status status =
        softrelu_counterfactual_path_number(search, index, (softrelu_path)take_choice(s, wanted, 5, COUNT(wanted)), &value);
    HOLDS(known(status, NULL) == SOFTRELU_OK ? isfinite(value) && value >= 0.0 && index < length : is_untouched(value));
}

/* ---------------------------------------------------------------------------------------------------------------------
 * Constants
 * ------------------------------------------------------------------------------------------------------------------- */

static void constants_create(struct session *s) {
    softrelu_constants_destroy(s->constants);
    const softrelu_status status = softrelu_constants_create(the_problem(s), &s->constants);
    created(status, s->constants);
}

static void constants_destroy(struct session *s) {
    softrelu_constants_destroy(s->constants);
    s->constants = NULL;
}

static softrelu_constants *the_constants(struct session *s) { return take_chance(s, 32) ? NULL : s->constants; }

static void constants_move(struct session *s) {
    softrelu_constants *handle = the_constants(s);
    const int64_t length = take_length(s, s->d);
    (void)known(softrelu_constants_move(handle, take_array(s, length, s->d), length), softrelu_constants_message(handle));
}

static void constants_number(struct session *s) {
    const int64_t index = take_byte(s) % (COUNT(constants) + 1);
    double value;
    spoil(&value, 1);
    const softrelu_status status = softrelu_constants_number(
        the_constants(s), index < COUNT(constants) ? constants[index] : (softrelu_constant)take_extreme(s), &value);
    HOLDS(known(status, NULL) == SOFTRELU_OK ? !isnan(value) : is_untouched(value));
}

static void constants_weight(struct session *s) {
    softrelu_constants *handle = the_constants(s);
    double value;
    spoil(&value, 1);
    const softrelu_status status = softrelu_constants_weight(handle, take_number(s), &value);
    HOLDS(known(status, softrelu_constants_message(handle)) == SOFTRELU_OK ? value >= 0.0 : is_untouched(value));
}

static void constants_message(struct session *s) { HOLDS(is_text(softrelu_constants_message(the_constants(s)))); }

/* ---------------------------------------------------------------------------------------------------------------------
 * The library
 * ------------------------------------------------------------------------------------------------------------------- */

static void version(struct session *s) {
    (void)s;
    HOLDS(is_text(softrelu_version()));
}
static void abi_version(struct session *s) {
    (void)s;
    HOLDS(softrelu_abi_version() == SOFTRELU_ABI_VERSION);
}
static void blas_description(struct session *s) {
    const size_t size = take_byte(s) % 70;
    char *text = exact((int64_t)size, 1);
    text[0] = 'x';
    const softrelu_status status = softrelu_blas_description(take_chance(s, 32) ? NULL : text, size);
    HOLDS(known(status, NULL) == SOFTRELU_OK ? strlen(text) < size : text[0] == 'x');
    free(text);
}
static void blas_integer_bits(struct session *s) {
    (void)s;
    HOLDS(softrelu_blas_integer_bits() == 32);
}
static void blas_threads(struct session *s) {
    (void)s;
    HOLDS(softrelu_blas_threads() <= 1);
}
static void blas_set_threads(struct session *s) {
    static const int threads[] = {1, 0, -1, INT_MIN}; /* more would stay in the process */
    const int count = take_choice(s, threads, 1, 4);
    HOLDS((known(softrelu_blas_set_threads(count), NULL) == SOFTRELU_ERROR_VALUE) == (count < 1));
}

/* The names of a number that may be none: of the list, or made up. */
#define NAMES(what, type)                                                                                                      \
    static void what##_name(struct session *s) {                                                                               \
        HOLDS(is_text(softrelu_##what##_name((type)(take_byte(s) % 3 == 0 ? take_extreme(s) : 10 * (take_byte(s) % 12)))));    \
    }                                                                                                                          \
    static void what##_text(struct session *s) {                                                                               \
        HOLDS(is_text(softrelu_##what##_text((type)(take_byte(s) % 3 == 0 ? take_extreme(s) : 10 * (take_byte(s) % 12)))));    \
    }
NAMES(status, softrelu_status)
NAMES(termination, softrelu_termination)
NAMES(verdict, softrelu_verdict)
NAMES(reason, softrelu_reason)
NAMES(distance, softrelu_distance)
NAMES(search, softrelu_search)

/* ---------------------------------------------------------------------------------------------------------------------
 * The sequence
 * ------------------------------------------------------------------------------------------------------------------- */

/* Every function of the interface, the frequent ones first. New ones go to the end: the corpus counts on the order. */
static void (*const calls[])(struct session *) = {
    solver_solve,
    solver_set_integer,
    solver_set_real,
    solver_set_text,
    solver_set_start,
    solver_set_vector,
    solver_set_callback,
    solver_request_stop,
    solver_solution,
    solver_create,
    solver_destroy,
    solver_get_integer,
    solver_get_real,
    solver_minimiser,
    solver_minimiser_certificate,
    solver_minimiser_count,
    solver_certificate,
    solver_report,
    solver_message,
    problem_create,
    problem_set_matrix,
    problem_set_matrix_single,
    problem_set_vector,
    problem_set_number,
    problem_set_loss,
    problem_finish,
    problem_dimensions,
    problem_message,
    problem_destroy,
    evaluator_create,
    evaluator_move,
    evaluator_preactivations,
    evaluator_prediction,
    evaluator_loss,
    evaluator_gradient,
    evaluator_hessian,
    evaluator_sampled_hessian,
    evaluator_hessian_product,
    evaluator_stationarity,
    evaluator_check_derivatives,
    evaluator_message,
    evaluator_destroy,
    certificate_create,
    certify,
    certificate_verdict,
    certificate_reason,
    certificate_distance,
    certificate_number_of,
    certificate_multipliers,
    certificate_active,
    certificate_direction,
    certificate_message,
    certificate_destroy,
    batch_create,
    batch_set_columns,
    batch_set_callback,
    batch_request_stop,
    solve_batch,
    batch_status,
    batch_target_message,
    batch_report,
    batch_certificate,
    batch_threads,
    batch_message,
    batch_destroy,
    constants_create,
    constants_move,
    constants_number,
    constants_weight,
    constants_message,
    constants_destroy,
    report_termination,
    report_number_of,
    report_trace_length,
    report_trace_number,
    setting_count,
    setting_describe,
    setting_choice,
    version,
    abi_version,
    blas_description,
    blas_integer_bits,
    blas_threads,
    blas_set_threads,
    status_name,
    status_text,
    termination_name,
    termination_text,
    verdict_name,
    verdict_text,
    reason_name,
    reason_text,
    distance_name,
    distance_text,
    solver_set_number,
    solver_set_interrupt,
    report_origin,
    counterfactual_create,
    counterfactual_search,
    counterfactual_point,
    counterfactual_number,
    counterfactual_solver,
    counterfactual_outcome,
    counterfactual_count,
    counterfactual_message,
    counterfactual_request_stop,
    counterfactual_destroy,
    search_name,
    search_text,
    counterfactual_path_length,
    counterfactual_path_number,
    problem_create_distributed,
};

/* A sealed problem with a solver, so that few bytes get somewhere. */
static void begin(struct session *s, uint8_t with) {
    s->careful = true;
    problem_create(s);
    give_matrix(s, SOFTRELU_A1, false);
    if (s->n != s->m || (with & 1) != 0)
        give_matrix(s, SOFTRELU_A2, (with & 2) != 0);
    give_vector(s, SOFTRELU_B);
    if ((with & 4) != 0) {
        give_vector(s, SOFTRELU_C1);
        give_vector(s, SOFTRELU_C2);
    }
    if ((with & 8) != 0)
        give_vector(s, SOFTRELU_W);
    if ((with & 16) != 0) {
        give_vector(s, SOFTRELU_LOWER);
        give_vector(s, SOFTRELU_UPPER);
    }
    if ((with & 32) != 0) {
        give_vector(s, SOFTRELU_X_REF);
        problem_set_number(s);
        problem_set_loss(s);
    }
    problem_finish(s);
    solver_create(s);
    evaluator_create(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct session s = {.data = data, .left = size};
    HOLDS(softrelu_blas_set_threads(1) == SOFTRELU_OK);
    fill(&s, s.shared, SHARED);
    const uint8_t with = take_byte(&s);
    if ((with & 128) == 0)
        begin(&s, with);
    for (int i = 0; i < MOST_CALLS && s.left > 0; i++) {
        const uint8_t byte = take_byte(&s);
        s.careful = (byte & 128) != 0;
        calls[(byte & 127) % COUNT(calls)](&s);
    }
    problem_destroy(&s);
    for (int64_t i = 0; i < s.borrowed_count; i++)
        free(s.borrowed[i]);
    return 0;
}
