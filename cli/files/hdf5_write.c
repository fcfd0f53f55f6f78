/* SPDX-License-Identifier: BSD-3-Clause */
/* The file is put together in memory and written in one piece: only so can it go to a file that has no name yet. */
#include "hdf5_write.h"

#include "values.h"

#include <errno.h>
#include <hdf5.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGE_STEP = 1 << 20, NAMES_FEW = 4000 }; /* of more an attribute needs 64 KiB, which its older form has no room for */

/* A dataset of so many dimensions, 0: a lone number. No times: the same data are the same bytes. */
static bool put_dataset(hid_t place, const char *name, hid_t stored, hid_t held, int dimensions, const hsize_t *shape,
                        const void *values) {
    const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    const hid_t links = H5Pcreate(H5P_LINK_CREATE);
    const hid_t space = dimensions > 0 ? H5Screate_simple(dimensions, shape, NULL) : H5Screate(H5S_SCALAR);
    (void)H5Pset_obj_track_times(properties, false);
    (void)H5Pset_create_intermediate_group(links, true);
    const hid_t dataset = H5Dcreate2(place, name, stored, space, links, properties, H5P_DEFAULT);
    bool ok = dataset >= 0 &&
              (H5Sget_simple_extent_npoints(space) == 0 || H5Dwrite(dataset, held, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    ok = dataset >= 0 && H5Dclose(dataset) >= 0 && ok;
    (void)H5Sclose(space);
    (void)H5Pclose(links);
    (void)H5Pclose(properties);
    return ok;
}

static bool put_array(hid_t place, const char *name, struct npy_array *array) {
    struct failure ignored = {""};
    hsize_t shape[NPY_DIMENSIONS_MAX];
    if (values_order(array, &ignored) != OUTCOME_OK) {
        return false;
    }
    for (int i = 0; i < array->header.dimensions; i++) {
        shape[i] = (hsize_t)array->header.shape[i];
    }
    return array->singles != NULL
               ? put_dataset(place, name, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, array->header.dimensions, shape, array->singles)
               : put_dataset(place, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, array->header.dimensions, shape, array->values);
}

/* A type of strings of exactly that length. */
static hid_t text_type(size_t length) {
    const hid_t type = H5Tcopy(H5T_C_S1);
    (void)H5Tset_size(type, length > 0 ? length : 1);
    (void)H5Tset_strpad(type, H5T_STR_NULLPAD);
    (void)H5Tset_cset(type, H5T_CSET_UTF8);
    return type;
}

static bool put_attribute(hid_t place, const char *name, hid_t stored, hid_t held, const void *value) {
    const hid_t space = H5Screate(H5S_SCALAR);
    const hid_t attribute = H5Acreate2(place, name, stored, space, H5P_DEFAULT, H5P_DEFAULT);
    bool ok = attribute >= 0 && H5Awrite(attribute, held, value) >= 0;
    ok = attribute >= 0 && H5Aclose(attribute) >= 0 && ok;
    (void)H5Sclose(space);
    return ok;
}

/* A number as the reports have it: JSON has no token for nan and infinity, and null stands for what is not known. */
static bool is_number(const json_t *value, double *number) {
    const char *text = json_string_value(value);
    *number = json_is_number(value) ? json_number_value(value) : NAN;
    if (text != NULL && (strcmp(text, "inf") == 0 || strcmp(text, "-inf") == 0)) {
        *number = text[0] == '-' ? -HUGE_VAL : HUGE_VAL;
        return true;
    }
    return json_is_number(value) || json_is_null(value) || (text != NULL && strcmp(text, "nan") == 0);
}

static bool put_scalar(hid_t place, const char *key, const json_t *value) {
    double number;
    if (json_is_boolean(value)) {
        const signed char flag = json_is_true(value);
        return put_attribute(place, key, H5T_STD_I8LE, H5T_NATIVE_SCHAR, &flag);
    }
    if (json_is_integer(value)) {
        const long long whole = json_integer_value(value);
        return put_attribute(place, key, H5T_STD_I64LE, H5T_NATIVE_LLONG, &whole);
    }
    if (is_number(value, &number)) {
        return put_attribute(place, key, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &number);
    }
    const char *text = json_string_value(value);
    const hid_t type = text_type(strlen(text));
    const bool ok = put_attribute(place, key, type, type, text);
    (void)H5Tclose(type);
    return ok;
}

/* One key's values in a list of objects. */
struct column {
    json_t **values;
    size_t count;
};

static bool put_numbers(hid_t place, const char *name, const struct column *column) {
    double *numbers = malloc((column->count + 1) * sizeof *numbers);
    bool ok = numbers != NULL;
    for (size_t i = 0; i < column->count && ok; i++) {
        (void)is_number(column->values[i], &numbers[i]);
    }
    const hsize_t shape[] = {column->count};
    ok = ok && put_dataset(place, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 1, shape, numbers);
    free(numbers);
    return ok;
}

static bool put_wholes(hid_t place, const char *name, const struct column *column) {
    long long *wholes = malloc((column->count + 1) * sizeof *wholes);
    bool ok = wholes != NULL;
    for (size_t i = 0; i < column->count && ok; i++) {
        wholes[i] =
            json_is_integer(column->values[i]) ? json_integer_value(column->values[i]) : json_is_true(column->values[i]);
    }
    const hsize_t shape[] = {column->count};
    ok = ok && put_dataset(place, name, H5T_STD_I64LE, H5T_NATIVE_LLONG, 1, shape, wholes);
    free(wholes);
    return ok;
}

/* null is the empty text */
static bool put_texts(hid_t place, const char *name, const struct column *column) {
    size_t length = 1;
    for (size_t i = 0; i < column->count; i++) {
        const size_t l = json_string_length(column->values[i]);
        length = l > length ? l : length;
    }
    char *texts = calloc(column->count + 1, length);
    bool ok = texts != NULL;
    for (size_t i = 0; i < column->count && ok; i++) {
        if (json_is_string(column->values[i])) {
            memcpy(texts + i * length, json_string_value(column->values[i]), json_string_length(column->values[i]));
        }
    }
    const hid_t type = text_type(length);
    const hsize_t shape[] = {column->count};
    ok = ok && put_dataset(place, name, type, type, 1, shape, texts);
    (void)H5Tclose(type);
    free(texts);
    return ok;
}

/* Rows of equal length. */
static bool put_rows(hid_t place, const char *name, const struct column *column, size_t length) {
    double *numbers = malloc((column->count * length + 1) * sizeof *numbers);
    bool ok = numbers != NULL;
    for (size_t i = 0; i < column->count && ok; i++) {
        for (size_t k = 0; k < length; k++) {
            (void)is_number(json_array_get(column->values[i], k), &numbers[i * length + k]);
        }
    }
    const hsize_t shape[] = {column->count, length};
    ok = ok && put_dataset(place, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 2, shape, numbers);
    free(numbers);
    return ok;
}

static bool put_column(hid_t place, const char *name, const struct column *column);

/* A list of objects: a group with a column for each key. */
static bool put_table(hid_t place, const char *name, const struct column *column) {
    const hid_t group = H5Gcreate2(place, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    json_t **values = malloc((column->count + 1) * sizeof(json_t *));
    bool ok = group >= 0 && values != NULL;
    json_t *first = column->count > 0 ? column->values[0] : NULL;
    const char *key;
    json_t *ignored;
    json_object_foreach(first, key, ignored) {
        for (size_t i = 0; i < column->count && ok; i++) {
            values[i] = json_object_get(column->values[i], key);
        }
        ok = ok && put_column(group, key, &(struct column){values, column->count});
    }
    free((void *)values);
    return group >= 0 && H5Gclose(group) >= 0 && ok;
}

/* What the values have in common decides how they are stored; what has nothing in common is stored as JSON's text. */
static bool put_column(hid_t place, const char *name, const struct column *column) {
    bool wholes = true;
    bool numbers = true;
    bool texts = true;
    bool objects = true;
    bool rows = true;
    const size_t length = column->count > 0 ? json_array_size(column->values[0]) : 0;
    for (size_t i = 0; i < column->count; i++) {
        const json_t *value = column->values[i];
        double number;
        wholes = wholes && (json_is_integer(value) || json_is_boolean(value));
        numbers = numbers && is_number(value, &number);
        texts = texts && (json_is_string(value) || json_is_null(value));
        objects = objects && json_is_object(value);
        rows = rows && json_is_array(value) && json_array_size(value) == length;
        for (size_t k = 0; k < length && rows; k++) {
            rows = is_number(json_array_get(value, k), &number);
        }
    }
    if (objects) { /* an empty list too: a table without rows */
        return put_table(place, name, column);
    }
    if (wholes || numbers) {
        return (wholes ? put_wholes : put_numbers)(place, name, column);
    }
    if (rows) {
        return put_rows(place, name, column, length);
    }
    if (texts) {
        return put_texts(place, name, column);
    }
    json_t *written = json_array();
    bool ok = written != NULL;
    for (size_t i = 0; i < column->count && ok; i++) {
        char *text = json_dumps(column->values[i], JSON_COMPACT | JSON_ENCODE_ANY);
        ok = text != NULL && json_array_append_new(written, json_string(text)) == 0;
        free(text);
    }
    json_t **values = ok ? malloc((column->count + 1) * sizeof(json_t *)) : NULL;
    for (size_t i = 0; i < column->count && values != NULL; i++) {
        values[i] = json_array_get(written, i);
    }
    ok = values != NULL && put_texts(place, name, &(struct column){values, column->count});
    free((void *)values);
    json_decref(written);
    return ok;
}

/* Strings of any length, as h5py writes them. */
static bool put_texts_attribute(hid_t place, const char *key, const json_t *list) {
    const size_t count = json_array_size(list);
    const hsize_t shape[] = {count};
    const char **texts = malloc((count + 1) * sizeof *texts);
    for (size_t i = 0; i < count && texts != NULL; i++) {
        texts[i] = json_string_value(json_array_get(list, i));
    }
    const hid_t type = text_type(1);
    const hid_t space = H5Screate_simple(1, shape, NULL);
    (void)H5Tset_size(type, H5T_VARIABLE);
    const hid_t attribute = texts != NULL ? H5Acreate2(place, key, type, space, H5P_DEFAULT, H5P_DEFAULT) : -1;
    bool ok = attribute >= 0 && H5Awrite(attribute, type, (const void *)texts) >= 0;
    ok = attribute >= 0 && H5Aclose(attribute) >= 0 && ok;
    (void)H5Sclose(space);
    (void)H5Tclose(type);
    free((void *)texts);
    return ok;
}

static bool is_texts(const json_t *list) {
    bool texts = json_array_size(list) > 0;
    for (size_t i = 0; i < json_array_size(list) && texts; i++) {
        texts = json_is_string(json_array_get(list, i));
    }
    return texts;
}

static bool put_list(hid_t place, const char *key, const json_t *list) {
    const size_t count = json_array_size(list);
    json_t **values = malloc((count + 1) * sizeof(json_t *));
    for (size_t i = 0; i < count && values != NULL; i++) {
        values[i] = json_array_get(list, i);
    }
    const bool ok = values != NULL && put_column(place, key, &(struct column){values, count});
    free((void *)values);
    return ok;
}

static bool put_object(hid_t place, json_t *object) {
    const char *key;
    json_t *value;
    bool ok = true;
    json_object_foreach(object, key, value) {
        if (!json_is_object(value) && !json_is_array(value)) {
            ok = ok && put_scalar(place, key, value);
        } else if (is_texts(value)) {
            ok = ok && put_texts_attribute(place, key, value);
        } else if (H5Lexists(place, key, H5P_DEFAULT) > 0) {
            continue;
        } else if (json_is_array(value)) {
            ok = ok && put_list(place, key, value);
        } else {
            const hid_t group = H5Gcreate2(place, key, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
            ok = ok && group >= 0 && put_object(group, value);
            ok = group >= 0 && H5Gclose(group) >= 0 && ok;
        }
    }
    return ok;
}

static bool write_image(hid_t file, FILE *stream) {
    const ssize_t length = H5Fflush(file, H5F_SCOPE_GLOBAL) >= 0 ? H5Fget_file_image(file, NULL, 0) : -1;
    void *image = length > 0 ? malloc((size_t)length) : NULL;
    if (image == NULL || H5Fget_file_image(file, image, (size_t)length) != length) {
        free(image);
        errno = ENOMEM;
        return false;
    }
    const bool ok = fwrite(image, 1, (size_t)length, stream) == (size_t)length;
    free(image);
    return ok;
}

bool hdf5_write(FILE *stream, const struct archive_entry *entries, size_t count, json_t *attributes) {
    (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    const hid_t driver = H5Pcreate(H5P_FILE_ACCESS);
    (void)H5Pset_fapl_core(driver, IMAGE_STEP, false);
    const hid_t root = H5Pcreate(H5P_FILE_CREATE);
    if (json_array_size(json_object_get(attributes, "names")) > NAMES_FEW) {
        (void)H5Pset_attr_creation_order(root, H5P_CRT_ORDER_TRACKED); /* for the form of attributes that comes with it */
    }
    const hid_t file = H5Fcreate("softrelu", H5F_ACC_TRUNC, root, driver); /* a name that no file gets */
    bool ok = file >= 0;
    for (size_t i = 0; i < count && ok; i++) {
        ok = put_array(file, entries[i].name, entries[i].array);
    }
    ok = ok && put_object(file, attributes);
    if (!ok) {
        errno = ENOMEM;
    }
    ok = ok && write_image(file, stream);
    if (file >= 0) {
        (void)H5Fclose(file);
    }
    (void)H5Pclose(root);
    (void)H5Pclose(driver);
    return ok;
}
