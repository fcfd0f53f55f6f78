/*
 * Dense matrices in memory that somebody else owns, and how their entries are read. Entries are doubles, or floats that are
 * never copied into doubles as a whole: whoever reads them gets doubles, which hold a float exactly, so that a matrix of floats
 * gives what the same matrix of doubles gives, but for the order of sums.
 */
#ifndef SRL_LINALG_MATRIX_H
#define SRL_LINALG_MATRIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* rows x columns, either layout, leading dimension ld. */
struct srl_matrix {
    const double *data;
    int64_t rows, columns, ld;
    bool row_major;
    const float *single; /* the entries in single precision; data is NULL then */
    bool mapped;         /* from a file, by rows: it may be larger than memory, so that rows that were read are let go of */
};

/* Whether there is such a matrix. */
static inline bool srl_is_given(const struct srl_matrix *a) { return a->data != NULL || a->single != NULL; }
static inline const void *srl_entries(const struct srl_matrix *a) {
    return a->single != NULL ? (const void *)a->single : a->data;
}
static inline size_t srl_entry_size(const struct srl_matrix *a) {
    return a->single != NULL ? sizeof *a->single : sizeof *a->data;
}
/* Where entry (i, j) lies. */
static inline int64_t srl_offset(const struct srl_matrix *a, int64_t i, int64_t j) {
    return a->row_major ? i * a->ld + j : i + j * a->ld;
}
static inline double srl_entry(const struct srl_matrix *a, int64_t i, int64_t j) {
    const int64_t at = srl_offset(a, i, j);
    return a->single != NULL ? (double)a->single[at] : a->data[at];
}
/* What lies contiguously, rows or columns: how many vectors there are, and how long each is. */
static inline int64_t srl_vectors(const struct srl_matrix *a) { return a->row_major ? a->rows : a->columns; }
static inline int64_t srl_vector_length(const struct srl_matrix *a) { return a->row_major ? a->columns : a->rows; }

/* How many rows of a mapped matrix are read at a time: a few MiB. */
int64_t srl_rows_at_once(const struct srl_matrix *a);
/* Rows first to first + count of a mapped matrix leave memory. */
void srl_let_go_of_rows(const struct srl_matrix *a, int64_t first, int64_t count);
/* Rows first to first + count have been read. All that reads rows says so, here or through one of the functions below that let
   go; single entries are not worth it. */
static inline void srl_let_go(const struct srl_matrix *a, int64_t first, int64_t count) {
    if (a->mapped && count > 0)
        srl_let_go_of_rows(a, first, count);
}
/* The same on a way from the first row to the last: row i has been read, and a block that it completes can go. */
static inline void srl_let_go_behind(const struct srl_matrix *a, int64_t i) {
    if (a->mapped && (i + 1 == a->rows || (i + 1) % srl_rows_at_once(a) == 0))
        srl_let_go_of_rows(a, i - i % srl_rows_at_once(a), i % srl_rows_at_once(a) + 1);
}

/* Rows first to first + count of A; those of a mapped matrix are for the caller to let go of. */
struct srl_matrix srl_some_rows(const struct srl_matrix *a, int64_t first, int64_t count);
/* Entries first to first + count of a vector of A: where they are, or in buffer (count), widened. */
const double *srl_vector_part(const struct srl_matrix *a, int64_t vector, int64_t first, int64_t count, double *buffer);
/* Copies row i of A, contiguous, to out. */
void srl_copy_row(const struct srl_matrix *a, int64_t i, double *out);
/* y += alpha (row i of A). */
void srl_add_row(const struct srl_matrix *a, int64_t i, double alpha, double *y);

/* The indices list[0], list[1], ..., or where there is no list first, first + 1, ... */
struct srl_range {
    const int32_t *list;
    int64_t first, count;
};
/* Those rows and columns of A, let go of: row-major without gaps, or the transpose of that when A lies by columns, so that
   either way what is contiguous is read in runs. */
void srl_gather(const struct srl_matrix *a, struct srl_range rows, struct srl_range columns, double *out);
void srl_gather_single(const struct srl_matrix *a, struct srl_range rows, struct srl_range columns, float *out);
/* y += (the listed columns of A) x. Lets go. */
void srl_add_columns(const struct srl_matrix *a, const int32_t *columns, int64_t count, const double *x, double *y);

/* Whether no entry of x is NaN or infinite. */
bool srl_all_finite(int64_t length, const double *x);
/* norms[i] = norm of row i, or of column i, without undue over- and underflow. scratch: as many. Lets go. */
void srl_row_norms_of(const struct srl_matrix *a, double *scratch, double *norms);
void srl_column_norms_of(const struct srl_matrix *a, double *scratch, double *norms);
/* The least and the largest entry of each column; infinities of the other sign where there are no rows. */
void srl_column_ends_of(const struct srl_matrix *a, double *least, double *largest);

#endif
