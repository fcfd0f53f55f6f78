/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Safetensors:
 *
 *     length of the header (8 bytes, little-endian)   header (a JSON object)   data
 *     header = { "NAME": {"dtype": "F32", "shape": [3, 4], "data_offsets": [begin, end]}, ..., "__metadata__": {texts} }
 *
 * with offsets counted from the first byte of the data. Tensors must cover the data without gap or overlap, in any order.
 */
#include "archive_format.h"
#include "values.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LENGTH_BYTES = 8, HEADER_MAX = 100000000 };

struct tensor {
    enum number_type type;
    bool readable; /* its numbers are of a type that can be read */
    char dtype[16];
    struct npy_header header;
    int64_t begin, end;
};

struct safetensors {
    struct source source;
    json_t *header;
    int64_t data; /* where it starts in the file */
    struct tensor *tensors;
};

static const struct {
    const char *name;
    int width;
    bool readable;
    enum number_type type;
} dtypes[] = {{"F64", 8, true, FLOAT64},   {"F32", 4, true, FLOAT32},      {"F16", 2, true, FLOAT16},
              {"BF16", 2, true, BFLOAT16}, {"I64", 8, false, FLOAT64},     {"U64", 8, false, FLOAT64},
              {"I32", 4, false, FLOAT64},  {"U32", 4, false, FLOAT64},     {"I16", 2, false, FLOAT64},
              {"U16", 2, false, FLOAT64},  {"I8", 1, false, FLOAT64},      {"U8", 1, false, FLOAT64},
              {"BOOL", 1, false, FLOAT64}, {"F8_E4M3", 1, false, FLOAT64}, {"F8_E5M2", 1, false, FLOAT64}};
enum { DTYPES = sizeof dtypes / sizeof dtypes[0] };

static enum outcome broken(const struct archive *archive, const char *name, const char *what, struct failure *failure) {
    return fail(failure, OUTCOME_BAD_INPUT, "'%s': broken safetensors header: tensor '%s': %s", archive->path, name, what);
}

/* A whole number >= 0. JSON integers are 64 bits in jansson: larger ones do not get this far. */
static bool whole(const json_t *value, int64_t *number) {
    *number = json_is_integer(value) ? (int64_t)json_integer_value(value) : -1;
    return *number >= 0;
}

static enum outcome read_shape(const struct archive *archive, const char *name, const json_t *shape, struct tensor *tensor,
                               struct failure *failure) {
    if (!json_is_array(shape) || json_array_size(shape) > NPY_DIMENSIONS_MAX) {
        return broken(archive, name, "'shape' is not a list of at most 32 sizes", failure);
    }
    tensor->header.dimensions = (int)json_array_size(shape);
    for (int i = 0; i < tensor->header.dimensions; i++) {
        if (!whole(json_array_get(shape, (size_t)i), &tensor->header.shape[i])) {
            return broken(archive, name, "'shape' is not a list of non-negative integers", failure);
        }
    }
    return npy_count(&tensor->header) ? OUTCOME_OK
                                      : broken(archive, name, "'shape' has more entries than memory can hold", failure);
}

static enum outcome read_tensor(const struct archive *archive, const char *name, const json_t *value, int64_t held,
                                struct tensor *tensor, struct failure *failure) {
    const char *dtype = json_string_value(json_object_get(value, "dtype"));
    const json_t *offsets = json_object_get(value, "data_offsets");
    if (!json_is_object(value) || json_object_size(value) != 3 || dtype == NULL || json_array_size(offsets) != 2) {
        return broken(archive, name, "expected 'dtype', 'shape' and two 'data_offsets'", failure);
    }
    int known = 0;
    while (known < DTYPES && strcmp(dtypes[known].name, dtype) != 0) {
        known++;
    }
    if (known == DTYPES) {
        return fail(failure, OUTCOME_BAD_INPUT, "'%s': tensor '%s': unknown dtype '%.40s'", archive->path, name, dtype);
    }
    (void)snprintf(tensor->dtype, sizeof tensor->dtype, "%s", dtype);
    tensor->type = dtypes[known].type;
    tensor->readable = dtypes[known].readable;
    const enum outcome outcome = read_shape(archive, name, json_object_get(value, "shape"), tensor, failure);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    tensor->header.item_size = tensor->type == FLOAT64 ? 8 : 4;
    if (!whole(json_array_get(offsets, 0), &tensor->begin) || !whole(json_array_get(offsets, 1), &tensor->end) ||
        tensor->begin > tensor->end || tensor->end > held) {
        return fail(failure, OUTCOME_BAD_INPUT, "'%s': tensor '%s': 'data_offsets' are not within the %lld bytes of data",
                    archive->path, name, (long long)held);
    }
    if (tensor->end - tensor->begin != tensor->header.count * dtypes[known].width) {
        char shape[256];
        return fail(failure, OUTCOME_BAD_INPUT, "'%s': tensor '%s': shape %s of %s needs %lld bytes, 'data_offsets' hold %lld",
                    archive->path, name, npy_shape_text(tensor->header.shape, tensor->header.dimensions, shape, sizeof shape),
                    dtype, (long long)(tensor->header.count * dtypes[known].width), (long long)(tensor->end - tensor->begin));
    }
    return OUTCOME_OK;
}

static int by_begin(const void *left, const void *right) {
    const struct tensor *a = *(const struct tensor *const *)left;
    const struct tensor *b = *(const struct tensor *const *)right;
    return a->begin != b->begin ? (a->begin < b->begin ? -1 : 1) : (a->end > b->end) - (a->end < b->end);
}

/* Bytes that belong to two tensors, or to none, mean that header and data do not go together. */
static enum outcome check_cover(const struct archive *archive, const struct tensor *tensors, int64_t held,
                                struct failure *failure) {
    const struct tensor **order = malloc((archive->count > 0 ? archive->count : 1) * sizeof(struct tensor *));
    if (order == NULL) {
        return fail(failure, OUTCOME_RESOURCES, "out of memory");
    }
    for (size_t i = 0; i < archive->count; i++) {
        order[i] = &tensors[i];
    }
    qsort((void *)order, archive->count, sizeof(struct tensor *), by_begin);
    int64_t end = 0;
    enum outcome outcome = OUTCOME_OK;
    for (size_t i = 0; i < archive->count && outcome == OUTCOME_OK; i++) {
        if (order[i]->begin != end) {
            outcome = broken(archive, archive->names[order[i] - tensors],
                             order[i]->begin < end ? "overlaps the one before it" : "a gap before its data", failure);
        }
        end = order[i]->end;
    }
    free((void *)order);
    if (outcome == OUTCOME_OK && end != held) {
        return fail(failure, OUTCOME_BAD_INPUT, "'%s': %lld bytes after the last tensor", archive->path,
                    (long long)(held - end));
    }
    return outcome;
}

static enum outcome read_tensors(struct archive *archive, struct safetensors *file, int64_t held, struct failure *failure) {
    const char *name;
    json_t *value;
    enum outcome outcome = OUTCOME_OK;
    file->tensors = calloc(json_object_size(file->header) + 1, sizeof *file->tensors);
    if (file->tensors == NULL) {
        return fail(failure, OUTCOME_RESOURCES, "out of memory");
    }
    json_object_foreach(file->header, name, value) {
        if (strcmp(name, "__metadata__") == 0) {
            const char *loss = json_string_value(json_object_get(value, "loss"));
            archive->loss = loss != NULL ? strdup(loss) : NULL;
            continue;
        }
        outcome = read_tensor(archive, name, value, held, &file->tensors[archive->count], failure);
        if (outcome == OUTCOME_OK) {
            outcome = archive_add_name(archive, name, strlen(name), failure);
        }
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
    }
    return check_cover(archive, file->tensors, held, failure);
}

static enum outcome read_header(const struct archive *archive, struct safetensors *file, struct failure *failure) {
    unsigned char bytes[LENGTH_BYTES];
    if (file->source.left < LENGTH_BYTES) {
        return fail(failure, OUTCOME_BAD_INPUT, "'%s': truncated: no length of the safetensors header", archive->path);
    }
    enum outcome outcome = source_read(&file->source, bytes, sizeof bytes, failure);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    uint64_t length = 0;
    for (int i = LENGTH_BYTES; i > 0; i--) {
        length = length << 8 | bytes[i - 1];
    }
    if (length > HEADER_MAX || length > (uint64_t)file->source.left) {
        return fail(failure, OUTCOME_BAD_INPUT,
                    "'%s': the safetensors header claims %llu bytes; the file holds %lld, and at most %d are read",
                    archive->path, (unsigned long long)length, (long long)file->source.left, HEADER_MAX);
    }
    char *text = malloc((size_t)length + 1);
    if (text == NULL) {
        return fail(failure, OUTCOME_RESOURCES, "out of memory");
    }
    outcome = source_read(&file->source, (unsigned char *)text, (size_t)length, failure);
    if (outcome == OUTCOME_OK) {
        json_error_t error;
        file->header = json_loadb(text, (size_t)length, JSON_REJECT_DUPLICATES, &error);
        if (!json_is_object(file->header)) {
            outcome = fail(failure, OUTCOME_BAD_INPUT, "'%s': broken safetensors header: %s", archive->path,
                           file->header == NULL ? error.text : "it is not an object");
        }
    }
    free(text);
    file->data = LENGTH_BYTES + (int64_t)length;
    return outcome;
}

static enum outcome open_file(struct archive *archive, const char *group, struct failure *failure) {
    if (group != NULL) {
        return fail(failure, OUTCOME_BAD_INPUT, "'%s': has no groups such as '%s'", archive->path, group);
    }
    struct safetensors *file = calloc(1, sizeof *file);
    if (file == NULL) {
        return fail(failure, OUTCOME_RESOURCES, "out of memory");
    }
    file->source.descriptor = -1;
    archive->handle = file;
    enum outcome outcome = source_open(&file->source, archive->path, failure);
    if (outcome == OUTCOME_OK) {
        outcome = read_header(archive, file, failure);
    }
    return outcome == OUTCOME_OK ? read_tensors(archive, file, file->source.left, failure) : outcome;
}

static enum outcome read_array(struct archive *archive, size_t index, const char *label, struct reading reading,
                               struct npy_array *array, struct failure *failure) {
    struct safetensors *file = archive->handle;
    const struct tensor *tensor = &file->tensors[index];
    if (!tensor->readable) {
        return fail(failure, OUTCOME_BAD_INPUT, "'%s': dtype %s; expected F64, F32, F16 or BF16", label, tensor->dtype);
    }
    array->header = tensor->header;
    npy_divide(&array->header, reading);
    file->source.name = label;
    const enum outcome outcome = source_move(&file->source, file->data + tensor->begin, tensor->end - tensor->begin, failure);
    return outcome == OUTCOME_OK ? values_read(&file->source, tensor->type, reading.form, array, failure) : outcome;
}

static void close_file(struct archive *archive) {
    struct safetensors *file = archive->handle;
    source_close(&file->source);
    json_decref(file->header);
    free(file->tensors);
    free(file);
}

static json_t *tensor_json(const struct npy_array *array, int64_t begin, int64_t end) {
    json_t *shape = json_array();
    for (int i = 0; i < array->header.dimensions; i++) {
        if (json_array_append_new(shape, json_integer((json_int_t)array->header.shape[i])) != 0) {
            json_decref(shape);
            return NULL;
        }
    }
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", array->singles != NULL ? "F32" : "F64", "shape", shape, "data_offsets",
                     (json_int_t)begin, (json_int_t)end);
}

static bool put_texts(json_t *header, json_t *attributes) {
    const char *key;
    json_t *value;
    json_t *texts = json_object();
    bool ok = texts != NULL;
    json_object_foreach(attributes, key, value) {
        ok = ok && (!json_is_string(value) || json_object_set_new(texts, key, json_string(json_string_value(value))) == 0);
    }
    ok = ok && (json_object_size(texts) == 0 || json_object_set(header, "__metadata__", texts) == 0);
    json_decref(texts);
    return ok;
}

static bool write_header(FILE *stream, const json_t *header) {
    char *text = json_dumps(header, JSON_COMPACT);
    bool ok = text != NULL;
    if (ok) {
        const size_t used = strlen(text);
        const size_t length = (used + LENGTH_BYTES - 1) / LENGTH_BYTES * LENGTH_BYTES; /* the data is aligned */
        for (size_t i = 0; i < LENGTH_BYTES; i++) {
            ok = fputc((int)(length >> (8 * i) & 0xff), stream) != EOF && ok;
        }
        ok = fprintf(stream, "%s%*s", text, (int)(length - used), "") >= 0 && ok;
    }
    free(text);
    return ok;
}

static bool write_file(FILE *stream, const struct archive_entry *entries, size_t count, json_t *attributes) {
    struct failure ignored = {""};
    int64_t end = 0;
    json_t *header = json_object();
    bool ok = header != NULL && put_texts(header, attributes);
    for (size_t i = 0; i < count && ok; i++) {
        struct npy_array *array = entries[i].array;
        const int64_t begin = end;
        end += array->header.count * (array->singles != NULL ? 4 : 8);
        ok = values_order(array, &ignored) == OUTCOME_OK &&
             json_object_set_new(header, entries[i].name, tensor_json(array, begin, end)) == 0;
    }
    if (!ok) {
        errno = ENOMEM;
    }
    ok = ok && write_header(stream, header);
    for (size_t i = 0; i < count && ok; i++) {
        ok = values_write(stream, entries[i].array);
    }
    json_decref(header);
    return ok;
}

const struct archive_format safetensors_format = {"safetensors", {".safetensors"}, NULL,      open_file, read_array,
                                                  NULL,          close_file,       write_file};
