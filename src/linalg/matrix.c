#include "linalg/matrix.h"

#include <math.h>
#include <string.h>

#include "linalg/blas.h"

struct srl_matrix srl_some_rows(const struct srl_matrix *a, int64_t first, int64_t count) {
    struct srl_matrix some = *a;
    some.rows = count;
    some.mapped = false;
    if (a->single != NULL)
        some.single += srl_offset(a, first, 0);
    else
        some.data += srl_offset(a, first, 0);
    return some;
}

const double *srl_vector_part(const struct srl_matrix *a, int64_t vector, int64_t first, int64_t count, double *buffer) {
    if (a->single == NULL)
        return a->data + vector * a->ld + first;
    const float *part = a->single + vector * a->ld + first;
    for (int64_t k = 0; k < count; k++)
        buffer[k] = (double)part[k];
    return buffer;
}

void srl_copy_row(const struct srl_matrix *a, int64_t i, double *out) {
    const int64_t from = srl_offset(a, i, 0), stride = a->row_major ? 1 : a->ld;
    if (a->single == NULL && a->row_major)
        memcpy(out, a->data + from, (size_t)a->columns * sizeof *out);
    else if (a->single == NULL)
        for (int64_t k = 0; k < a->columns; k++)
            out[k] = a->data[from + k * stride];
    else
        for (int64_t k = 0; k < a->columns; k++)
            out[k] = (double)a->single[from + k * stride];
}

void srl_add_row(const struct srl_matrix *a, int64_t i, double alpha, double *y) {
    const int64_t from = srl_offset(a, i, 0), stride = a->row_major ? 1 : a->ld;
    if (a->single == NULL && a->row_major)
        srl_axpy(a->columns, alpha, a->data + from, y);
    else
        for (int64_t k = 0; k < a->columns; k++)
            y[k] += alpha * (a->single != NULL ? (double)a->single[from + k * stride] : a->data[from + k * stride]);
}

/* ---- parts ---- */

#define ENTRY double
#define REAL double
#define GATHER gather_double_to_double
#include "linalg/gather_typed.h"
#define ENTRY double
#define REAL float
#define GATHER gather_double_to_single
#include "linalg/gather_typed.h"
#define ENTRY float
#define REAL double
#define GATHER gather_single_to_double
#include "linalg/gather_typed.h"
#define ENTRY float
#define REAL float
#define GATHER gather_single_to_single
#include "linalg/gather_typed.h"

/* To floats where narrow, else to doubles. */
static void gather_vectors(const struct srl_matrix *a, struct srl_range vectors, struct srl_range entries, bool narrow,
                           void *out) {
    if (a->single != NULL && narrow)
        gather_single_to_single(a->single, a->ld, vectors, entries, out);
    else if (a->single != NULL)
        gather_single_to_double(a->single, a->ld, vectors, entries, out);
    else if (narrow)
        gather_double_to_single(a->data, a->ld, vectors, entries, out);
    else
        gather_double_to_double(a->data, a->ld, vectors, entries, out);
}

/* Listed rows of a mapped matrix may lie far from each other, and what is mapped around each is not little: FEW at a time. */
static void gather_mapped(const struct srl_matrix *a, struct srl_range rows, struct srl_range columns, bool narrow, char *out) {
    enum { FEW = 4 };
    const int64_t most = rows.list != NULL ? FEW : rows.count;
    for (int64_t k = 0; k < rows.count; k += most) {
        const int64_t count = rows.count - k < most ? rows.count - k : most;
        const struct srl_range some = {rows.list != NULL ? rows.list + k : NULL, rows.first + k, count};
        gather_vectors(a, some, columns, narrow, out + (size_t)(k * columns.count) * (narrow ? sizeof(float) : sizeof(double)));
        for (int64_t i = 0; i < count && rows.list != NULL; i++)
            srl_let_go(a, some.list[i], 1);
        if (rows.list == NULL)
            srl_let_go(a, some.first, count);
    }
}

static void gather(const struct srl_matrix *a, struct srl_range rows, struct srl_range columns, bool narrow, void *out) {
    if (a->mapped)
        gather_mapped(a, rows, columns, narrow, out);
    else if (a->row_major)
        gather_vectors(a, rows, columns, narrow, out);
    else
        gather_vectors(a, columns, rows, narrow, out);
}

void srl_gather(const struct srl_matrix *a, struct srl_range rows, struct srl_range columns, double *out) {
    gather(a, rows, columns, false, out);
}

void srl_gather_single(const struct srl_matrix *a, struct srl_range rows, struct srl_range columns, float *out) {
    gather(a, rows, columns, true, out);
}

static double listed_product(const double *row, const int32_t *list, int64_t count, const double *x) {
    double sum = 0.0;
    for (int64_t k = 0; k < count; k++)
        sum += row[list[k]] * x[k];
    return sum;
}

static double listed_product_single(const float *row, const int32_t *list, int64_t count, const double *x) {
    double sum = 0.0;
    for (int64_t k = 0; k < count; k++)
        sum += (double)row[list[k]] * x[k];
    return sum;
}

void srl_add_columns(const struct srl_matrix *a, const int32_t *columns, int64_t count, const double *x, double *y) {
    for (int64_t j = 0; j < a->rows && a->row_major && count > 0; j++) {
        y[j] += a->single != NULL ? listed_product_single(a->single + j * a->ld, columns, count, x)
                                  : listed_product(a->data + j * a->ld, columns, count, x);
        srl_let_go_behind(a, j);
    }
    for (int64_t k = 0; k < count && !a->row_major; k++) {
        const int64_t from = columns[k] * a->ld;
        if (a->single == NULL)
            srl_axpy(a->rows, x[k], a->data + from, y);
        for (int64_t j = 0; j < a->rows && a->single != NULL; j++)
            y[j] += (double)a->single[from + j] * x[k];
    }
}

/* Adding one to an exponent of ones carries into the sign: no comparison, no branch. */
bool srl_all_finite(int64_t length, const double *x) {
    const uint64_t exponent = UINT64_C(0x7ff) << 52, one = UINT64_C(1) << 52;
    uint64_t carried = 0;
    for (int64_t k = 0; k < length; k++) {
        uint64_t bits;
        memcpy(&bits, &x[k], sizeof bits);
        carried |= (bits & exponent) + one;
    }
    return carried >> 63 == 0;
}

/* ---- norms ---- */

enum { PART = 256 }; /* entries looked at together */

/* norms = roots of the sums of (entry / divisor)^2 along the vectors, or across them, times the divisors. NULL: 1. */
static void sum_squares(const struct srl_matrix *a, bool along, const double *divisors, double *norms) {
    const int64_t vectors = srl_vectors(a), length = srl_vector_length(a), count = along ? vectors : length;
    double buffer[PART];
    memset(norms, 0, (size_t)count * sizeof *norms);
    for (int64_t v = 0; v < vectors; v++) {
        for (int64_t first = 0; first < length; first += PART) {
            const int64_t size = length - first < PART ? length - first : PART;
            const double *part = srl_vector_part(a, v, first, size, buffer);
            if (along && divisors == NULL) {
                norms[v] += srl_dot(size, part, part);
                continue;
            }
            for (int64_t k = 0; k < size; k++) {
                const int64_t i = along ? v : first + k;
                const double entry = divisors != NULL ? part[k] / divisors[i] : part[k];
                norms[i] += entry * entry;
            }
        }
        srl_let_go_behind(a, v);
    }
    for (int64_t i = 0; i < count; i++)
        norms[i] = (divisors != NULL ? divisors[i] : 1.0) * sqrt(norms[i]);
}

/* largest[i] = the largest entry along the vectors, or across them, 1 where all are 0. */
static void find_largest(const struct srl_matrix *a, bool along, double *largest) {
    const int64_t vectors = srl_vectors(a), length = srl_vector_length(a), count = along ? vectors : length;
    double buffer[PART];
    memset(largest, 0, (size_t)count * sizeof *largest);
    for (int64_t v = 0; v < vectors; v++) {
        for (int64_t first = 0; first < length; first += PART) {
            const int64_t size = length - first < PART ? length - first : PART;
            const double *part = srl_vector_part(a, v, first, size, buffer);
            for (int64_t k = 0; k < size; k++) {
                const int64_t i = along ? v : first + k;
                largest[i] = fmax(largest[i], fabs(part[k]));
            }
        }
        srl_let_go_behind(a, v);
    }
    for (int64_t i = 0; i < count; i++)
        largest[i] = largest[i] > 0.0 ? largest[i] : 1.0;
}

/* Where squares may have over- or underflowed they are added up once more, relative to the largest entry. */
static void find_norms(const struct srl_matrix *a, bool of_rows, double *scratch, double *norms) {
    const bool along = of_rows == a->row_major;
    bool safe = true;
    sum_squares(a, along, NULL, norms);
    for (int64_t i = 0; i < (of_rows ? a->rows : a->columns); i++)
        safe = safe && norms[i] > 1e-140 && norms[i] < 1e140;
    if (safe)
        return;
    find_largest(a, along, scratch);
    sum_squares(a, along, scratch, norms);
}

void srl_row_norms_of(const struct srl_matrix *a, double *scratch, double *norms) { find_norms(a, true, scratch, norms); }
void srl_column_norms_of(const struct srl_matrix *a, double *scratch, double *norms) { find_norms(a, false, scratch, norms); }

enum { ENDS_AT_A_TIME = 256 };

void srl_column_ends_of(const struct srl_matrix *a, double *least, double *largest) {
    double buffer[ENDS_AT_A_TIME];
    for (int64_t i = 0; i < a->columns; i++) {
        least[i] = INFINITY;
        largest[i] = -INFINITY;
    }
    for (int64_t v = 0; v < srl_vectors(a); v++) {
        for (int64_t first = 0; first < srl_vector_length(a); first += ENDS_AT_A_TIME) {
            const int64_t left = srl_vector_length(a) - first, count = left < ENDS_AT_A_TIME ? left : ENDS_AT_A_TIME;
            const double *part = srl_vector_part(a, v, first, count, buffer);
            for (int64_t k = 0; k < count; k++) {
                double *lower = least + (a->row_major ? first + k : v), *upper = largest + (a->row_major ? first + k : v);
                *lower = part[k] < *lower ? part[k] : *lower;
                *upper = part[k] > *upper ? part[k] : *upper;
            }
        }
        if (a->row_major)
            srl_let_go_behind(a, v);
    }
}
