#include "support/npy_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void data_path(char *path, size_t size, const char *folder, const char *name) {
    int written = snprintf(path, size, "%s/%s/%s", SOFTRELU_TEST_DATA, folder, name);
    assert_true(written > 0 && (size_t)written < size);
}

static void read_shape(const char *header, const char *path, struct npy_data *data) {
    const char *shape = strstr(header, "'shape': (");
    data->single = strstr(header, "'descr': '<f4'") != NULL;
    if ((strstr(header, "'descr': '<f8'") == NULL && !data->single) || strstr(header, "'fortran_order': False") == NULL ||
        shape == NULL)
        fail_msg("%s: not the kind of array this reader takes: %s", path, header);
    char *rest = NULL;
    data->rows = strtoll(shape + strlen("'shape': ("), &rest, 10);
    data->columns = 1;
    if (rest[0] == ',' && rest[1] == ' ')
        data->columns = strtoll(rest + 1, &rest, 10);
    if (data->rows < 1 || data->columns < 1 || data->rows > 1000000 / data->columns)
        fail_msg("%s: shape out of range: %s", path, header);
}

/* Whether count numbers could be read, floats widened. */
static bool read_values(FILE *file, const struct npy_data *data, size_t count) {
    if (!data->single)
        return fread(data->values, sizeof(double), count, file) == count;
    for (size_t i = 0; i < count; i++) {
        float value;
        if (fread(&value, sizeof value, 1, file) != 1)
            return false;
        data->values[i] = (double)value;
    }
    return true;
}

struct npy_data npy_read(const char *folder, const char *name) {
    char path[1024], header[1024] = "";
    data_path(path, sizeof path, folder, name);
    struct npy_data data = {0, 0, false, NULL};
    unsigned char start[10];
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        fail_msg("%s cannot be opened", path);
    if (fread(start, 1, sizeof start, file) != sizeof start || memcmp(start, "\x93NUMPY\x01\x00", 8) != 0)
        fail_msg("%s is no .npy file of version 1.0", path);
    const size_t length = (size_t)start[8] + 256 * (size_t)start[9];
    if (length >= sizeof header || fread(header, 1, length, file) != length)
        fail_msg("%s: truncated header", path);
    read_shape(header, path, &data);
    const size_t count = (size_t)(data.rows * data.columns);
    data.values = test_doubles(data.rows * data.columns);
    if (!read_values(file, &data, count) || fgetc(file) != EOF)
        fail_msg("%s: the data do not fill the shape exactly", path);
    (void)fclose(file);
    return data;
}
