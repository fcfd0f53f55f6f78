/* Reads the .npy files of tests/data: version 1.0, '<f8' or '<f4', C order, at most two dimensions. Anything else fails the
 * test. */
#ifndef SOFTRELU_TESTS_NPY_DATA_H
#define SOFTRELU_TESTS_NPY_DATA_H

#include "support/testing.h"

struct npy_data {
    int64_t rows, columns; /* columns = 1 for a vector */
    bool single;           /* float32 in the file */
    double *values;
};

/* folder/name of tests/data */
struct npy_data npy_read(const char *folder, const char *name);
/* Path of folder/name of tests/data into path. */
void data_path(char *path, size_t size, const char *folder, const char *name);

#endif
