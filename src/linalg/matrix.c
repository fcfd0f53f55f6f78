#include "linalg/matrix.h"

#include <math.h>
#include <string.h>

#include "linalg/blas.h"

struct srl_matrix srl_some_rows(const struct srl_matrix *a, int64_t first, int64_t count) {
    struct srl_matrix some = *a;
    some.rows = count;
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

void srl_gather(const struct srl_matrix *a, struct srl_range rows, struct srl_range columns, double *out) {
    const struct srl_range vectors = a->row_major ? rows : columns, entries = a->row_major ? columns : rows;
    if (a->single != NULL)
        gather_single_to_double(a->single, a->ld, vectors, entries, out);
    else
        gather_double_to_double(a->data, a->ld, vectors, entries, out);
}

void srl_gather_single(const struct srl_matrix *a, struct srl_range rows, struct srl_range columns, float *out) {
    const struct srl_range vectors = a->row_major ? rows : columns, entries = a->row_major ? columns : rows;
    if (a->single != NULL)
        gather_single_to_single(a->single, a->ld, vectors, entries, out);
    else
        gather_double_to_single(a->data, a->ld, vectors, entries, out);
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
    for (int64_t j = 0; j < a->rows && a->row_major; j++)
        y[j] += a->single != NULL ? listed_product_single(a->single + j * a->ld, columns, count, x)
                                  : listed_product(a->data + j * a->ld, columns, count, x);
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
    for (int64_t v = 0; v < vectors; v++)
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
    for (int64_t i = 0; i < count; i++)
        norms[i] = (divisors != NULL ? divisors[i] : 1.0) * sqrt(norms[i]);
}

/* largest[i] = the largest entry of row or column i, 1 where all are 0. */
static void find_largest(const struct srl_matrix *a, bool of_rows, double *largest) {
    for (int64_t i = 0; i < (of_rows ? a->rows : a->columns); i++) {
        largest[i] = 0.0;
        for (int64_t j = 0; j < (of_rows ? a->columns : a->rows); j++)
            largest[i] = fmax(largest[i], fabs(of_rows ? srl_entry(a, i, j) : srl_entry(a, j, i)));
        largest[i] = largest[i] > 0.0 ? largest[i] : 1.0;
    }
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
    find_largest(a, of_rows, scratch);
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
    for (int64_t v = 0; v < srl_vectors(a); v++)
        for (int64_t first = 0; first < srl_vector_length(a); first += ENDS_AT_A_TIME) {
            const int64_t left = srl_vector_length(a) - first, count = left < ENDS_AT_A_TIME ? left : ENDS_AT_A_TIME;
            const double *part = srl_vector_part(a, v, first, count, buffer);
            for (int64_t k = 0; k < count; k++) {
                double *lower = least + (a->row_major ? first + k : v), *upper = largest + (a->row_major ? first + k : v);
                *lower = part[k] < *lower ? part[k] : *lower;
                *upper = part[k] > *upper ? part[k] : *upper;
            }
        }
}
