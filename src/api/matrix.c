/* The matrices of a problem, in double or in single precision. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "api/handles.h"
#include "base/mapping.h"

static softrelu_status check_size(softrelu_problem *problem, const char *name, const struct srl_matrix *matrix) {
    const int64_t vectors = srl_vectors(matrix), length = srl_vector_length(matrix);
    const size_t size = srl_entry_size(matrix);
    if (matrix->ld < length || matrix->ld > SRL_MAX_DIMENSION)
        return srl_fail(&problem->message, SOFTRELU_ERROR_SIZE,
                        "%s: leading dimension %" PRId64 " for a %s-major %" PRId64 " x %" PRId64
                        " matrix, expected at least %" PRId64,
                        name, matrix->ld, matrix->row_major ? "row" : "column", matrix->rows, matrix->columns, length);
    if ((uint64_t)vectors > SIZE_MAX / size / (uint64_t)matrix->ld || vectors > INT64_MAX / (int64_t)size / matrix->ld)
        return srl_fail(&problem->message, SOFTRELU_ERROR_SIZE, "%s: %" PRId64 " x %" PRId64 " %s do not fit in memory", name,
                        vectors, matrix->ld, matrix->single != NULL ? "floats" : "doubles");
    return SOFTRELU_OK;
}

static softrelu_status check_entries(softrelu_problem *problem, const char *name, const struct srl_matrix *matrix) {
    enum { PART = 256 };
    double buffer[PART];
    for (int64_t v = 0; v < srl_vectors(matrix); v++) {
        for (int64_t first = 0; first < srl_vector_length(matrix); first += PART) {
            const int64_t rest = srl_vector_length(matrix) - first, count = rest < PART ? rest : PART;
            const double *part = srl_vector_part(matrix, v, first, count, buffer);
            if (srl_all_finite(count, part))
                continue;
            for (int64_t k = 0; k < count; k++)
                if (!isfinite(part[k]))
                    return srl_fail(&problem->message, SOFTRELU_ERROR_NOT_FINITE,
                                    "%s[%" PRId64 ", %" PRId64 "] = %g is not finite", name, matrix->row_major ? v : first + k,
                                    matrix->row_major ? first + k : v, part[k]);
        }
        srl_let_go_behind(matrix, v);
    }
    return SOFTRELU_OK;
}

/* Replaces the matrix by a copy with no gaps. */
static softrelu_status own_matrix(softrelu_problem *problem, const char *name, struct srl_matrix *matrix, void **owned) {
    const int64_t vectors = srl_vectors(matrix), length = srl_vector_length(matrix);
    const size_t size = srl_entry_size(matrix);
    const char *entries = srl_entries(matrix);
    char *copy = srl_allocate(&problem->allocator, vectors * length, size);
    if (copy == NULL)
        return srl_fail(&problem->message, SOFTRELU_ERROR_MEMORY, "%s: no memory for a copy of %" PRId64 " x %" PRId64 " %s",
                        name, matrix->rows, matrix->columns, matrix->single != NULL ? "floats" : "doubles");
    for (int64_t v = 0; v < vectors; v++)
        memcpy(copy + (size_t)(v * length) * size, entries + (size_t)(v * matrix->ld) * size, (size_t)length * size);
    *owned = copy;
    if (matrix->single != NULL)
        matrix->single = *owned;
    else
        matrix->data = *owned;
    matrix->ld = length;
    return SOFTRELU_OK;
}

static softrelu_status check_layout(softrelu_problem *problem, const char *name, softrelu_layout layout,
                                    softrelu_ownership ownership) {
    if (layout != SOFTRELU_ROW_MAJOR && layout != SOFTRELU_COLUMN_MAJOR)
        return srl_fail(&problem->message, SOFTRELU_ERROR_VALUE,
                        "%s: layout %d is neither SOFTRELU_ROW_MAJOR nor SOFTRELU_COLUMN_MAJOR", name, (int)layout);
    if (ownership != SOFTRELU_COPY && ownership != SOFTRELU_BORROW && ownership != SOFTRELU_MAP)
        return srl_fail(&problem->message, SOFTRELU_ERROR_VALUE,
                        "%s: ownership %d is none of SOFTRELU_COPY, SOFTRELU_BORROW and SOFTRELU_MAP", name, (int)ownership);
    return SOFTRELU_OK;
}

/* Letting go of memory that no file has would be the end of what is in it. */
static softrelu_status check_mapping(softrelu_problem *problem, softrelu_array array, const struct srl_matrix *matrix) {
    if (array != SOFTRELU_A2)
        return srl_fail(&problem->message, SOFTRELU_ERROR_VALUE, "A1: SOFTRELU_MAP is for A2; A1 is kept in memory");
    if (!matrix->row_major)
        return srl_fail(&problem->message, SOFTRELU_ERROR_VALUE,
                        "A2: SOFTRELU_MAP is for a row-major matrix: it is read by blocks of rows");
    const int64_t entries = (matrix->rows - 1) * matrix->ld + matrix->columns;
    if (!srl_is_mapped_from_file(srl_entries(matrix), (size_t)entries * srl_entry_size(matrix)))
        return srl_fail(&problem->message, SOFTRELU_ERROR_VALUE,
                        "A2: SOFTRELU_MAP, but this memory is not that of a file, mapped for reading or shared");
    return SOFTRELU_OK;
}

/* One of values and single is there. */
static softrelu_status set_matrix(softrelu_problem *problem, softrelu_array array, const double *values, const float *single,
                                  softrelu_layout layout, int64_t leading_dimension, softrelu_ownership ownership) {
    if (problem == NULL)
        return SOFTRELU_ERROR_NULL;
    softrelu_status status = srl_check_open(problem);
    if (status != SOFTRELU_OK)
        return status;
    if (array != SOFTRELU_A1 && array != SOFTRELU_A2)
        return srl_fail(&problem->message, SOFTRELU_ERROR_UNKNOWN, "array %d is not a matrix: SOFTRELU_A1 or SOFTRELU_A2",
                        (int)array);
    struct srl_model *model = &problem->model;
    const bool first = array == SOFTRELU_A1;
    const char *name = first ? "A1" : "A2";
    struct srl_matrix matrix = {
        values, first ? model->n : model->m, first ? model->d : model->n, leading_dimension, layout == SOFTRELU_ROW_MAJOR,
        single, ownership == SOFTRELU_MAP};
    if (!srl_is_given(&matrix))
        return srl_fail(&problem->message, SOFTRELU_ERROR_NULL, "%s: values is NULL", name);
    void *owned = NULL;
    status = check_layout(problem, name, layout, ownership);
    if (status == SOFTRELU_OK)
        status = check_size(problem, name, &matrix);
    if (status == SOFTRELU_OK && matrix.mapped)
        status = check_mapping(problem, array, &matrix);
    if (status == SOFTRELU_OK)
        status = check_entries(problem, name, &matrix);
    if (status == SOFTRELU_OK && ownership == SOFTRELU_COPY)
        status = own_matrix(problem, name, &matrix, &owned);
    if (status != SOFTRELU_OK)
        return status;
    void **slot = &problem->owned[first ? SRL_OWNED_A1 : SRL_OWNED_A2];
    srl_release(&problem->allocator, *slot);
    *slot = owned;
    *(first ? &model->A1 : &model->A2) = matrix;
    return SOFTRELU_OK;
}

softrelu_status softrelu_problem_set_matrix(softrelu_problem *problem, softrelu_array array, const double *values,
                                            softrelu_layout layout, int64_t leading_dimension, softrelu_ownership ownership) {
    return set_matrix(problem, array, values, NULL, layout, leading_dimension, ownership);
}

softrelu_status softrelu_problem_set_matrix_single(softrelu_problem *problem, softrelu_array array, const float *values,
                                                   softrelu_layout layout, int64_t leading_dimension,
                                                   softrelu_ownership ownership) {
    return set_matrix(problem, array, NULL, values, layout, leading_dimension, ownership);
}
