/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading HDF5. Only what lies in the file itself is read, through filters that HDF5 has built in: no external links or
 * storage, no virtual datasets, no plugins, which are code. What a dataset claims to hold must have been stored before memory
 * is asked for.
 */
#include "archive_format.h"
#include "hdf5_write.h"
#include "values.h"

#include <hdf5.h>
#include <stdlib.h>
#include <string.h>

enum { DEFLATE_MOST = 1032, TEXT_MAX = 64, WHY_MAX = 300 };

struct hdf5 {
    hid_t file, group, access; /* access: of links, which must not lead out of the file */
};

/* The innermost of HDF5's messages: what is wrong, not which functions gave up because of it. */
static herr_t keep_first(unsigned n, const H5E_error2_t *error, void *text) {
    if (n == 0 && error->desc != NULL) {
        (void)snprintf(text, WHY_MAX, "%s", error->desc);
    }
    return 0;
}

static enum outcome fail_hdf5(struct failure *failure, const char *label, const char *doing) {
    char why[WHY_MAX] = "HDF5 does not say why";
    (void)H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, why);
    return fail(failure, OUTCOME_BAD_INPUT, "'%s': %s: %s", label, doing, why);
}

/* For H5Pset_elink_cb(). */
static herr_t refuse_link(const char *file, const char *group, const char *target_file, const char *target, unsigned *flags,
                          hid_t access, void *user) {
    (void)file, (void)group, (void)target_file, (void)target, (void)flags, (void)access, (void)user;
    return -1;
}

struct listing {
    struct archive *archive;
    hid_t access;
    struct failure *failure;
    enum outcome outcome;
};

/* For H5Literate(): datasets alone, whether directly or behind a link within the file. */
static herr_t list(hid_t group, const char *name, const H5L_info_t *link, void *user) {
    (void)link;
    struct listing *listing = user;
    const hid_t object = H5Oopen(group, name, listing->access);
    if (object < 0) {
        return 0; /* a link to nothing, or to another file */
    }
    if (H5Iget_type(object) == H5I_DATASET) {
        listing->outcome = archive_add_name(listing->archive, name, strlen(name), listing->failure);
    }
    (void)H5Oclose(object);
    return listing->outcome == OUTCOME_OK ? 0 : -1;
}

/* The text of a string attribute, of variable or fixed length; empty where it is none, or long. NULL for want of memory. */
static char *read_text(hid_t attribute, hid_t type, hid_t space) {
    char *text = NULL;
    if (H5Tget_class(type) != H5T_STRING || H5Sget_simple_extent_npoints(space) != 1) {
        return strdup("");
    }
    if (H5Tis_variable_str(type) > 0) {
        char *value = NULL;
        if (H5Aread(attribute, type, (void *)&value) >= 0 && value != NULL) {
            text = strndup(value, TEXT_MAX);
        } else {
            text = strdup("");
        }
        (void)H5free_memory(value);
        return text;
    }
    char value[TEXT_MAX + 1] = "";
    const bool read = H5Tget_size(type) <= TEXT_MAX && H5Aread(attribute, type, value) >= 0;
    size_t length = read ? strlen(value) : 0;
    while (length > 0 && value[length - 1] == ' ') { /* padding in Fortran's way */
        length--;
    }
    return strndup(value, length);
}

static enum outcome read_loss(struct archive *archive, hid_t group, struct failure *failure) {
    if (H5Aexists(group, "loss") <= 0) {
        return OUTCOME_OK;
    }
    const hid_t attribute = H5Aopen(group, "loss", H5P_DEFAULT);
    if (attribute < 0) {
        return fail_hdf5(failure, archive->path, "cannot read the attribute loss");
    }
    const hid_t type = H5Aget_type(attribute);
    const hid_t space = H5Aget_space(attribute);
    archive->loss = read_text(attribute, type, space);
    (void)H5Sclose(space);
    (void)H5Tclose(type);
    (void)H5Aclose(attribute);
    return archive->loss != NULL ? OUTCOME_OK : fail(failure, OUTCOME_RESOURCES, "out of memory");
}

static enum outcome open_file(struct archive *archive, const char *group, struct failure *failure) {
    (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL); /* the messages are ours */
    (void)H5PLset_loading_state(0);
    struct hdf5 *file = malloc(sizeof *file);
    if (file == NULL) {
        return fail(failure, OUTCOME_RESOURCES, "out of memory");
    }
    *file = (struct hdf5){-1, -1, H5Pcreate(H5P_LINK_ACCESS)};
    archive->handle = file;
    if (file->access < 0 || H5Pset_elink_cb(file->access, refuse_link, NULL) < 0) {
        return fail_hdf5(failure, archive->path, "cannot use HDF5");
    }
    file->file = H5Fopen(archive->path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file->file < 0) {
        return fail_hdf5(failure, archive->path, "not a sound HDF5 file");
    }
    const char *name = group != NULL ? group : "/";
    file->group = H5Oopen(file->file, name, file->access);
    if (file->group < 0 || H5Iget_type(file->group) != H5I_GROUP) {
        return fail(failure, OUTCOME_BAD_INPUT, "'%s': holds no group '%s'", archive->path, name);
    }
    struct listing listing = {archive, file->access, failure, OUTCOME_OK};
    if (H5Literate(file->group, H5_INDEX_NAME, H5_ITER_INC, NULL, list, &listing) < 0) {
        return listing.outcome != OUTCOME_OK ? listing.outcome
                                             : fail_hdf5(failure, archive->path, "the group cannot be listed");
    }
    return read_loss(archive, file->group, failure);
}

static void close_file(struct archive *archive) {
    struct hdf5 *file = archive->handle;
    if (file->group >= 0) {
        (void)H5Oclose(file->group);
    }
    if (file->file >= 0) {
        (void)H5Fclose(file->file);
    }
    if (file->access >= 0) {
        (void)H5Pclose(file->access);
    }
    free(file);
}

/* The numbers' type and width; only what a double can stand for. */
static enum outcome check_type(hid_t dataset, const char *label, struct npy_header *header, bool *is_float,
                               struct failure *failure) {
    const hid_t type = H5Dget_type(dataset);
    const H5T_class_t class = H5Tget_class(type);
    header->item_size = H5Tget_size(type);
    (void)H5Tclose(type);
    *is_float = class == H5T_FLOAT;
    return (*is_float || class == H5T_INTEGER) && header->item_size <= sizeof(double)
               ? OUTCOME_OK
               : fail(failure, OUTCOME_BAD_INPUT, "'%s': expected floating-point numbers or integers of at most 64 bits",
                      label);
}

static enum outcome check_shape(hid_t dataset, const char *label, struct npy_header *header, struct failure *failure) {
    hsize_t sizes[NPY_DIMENSIONS_MAX] = {0}; /* as many as HDF5 has */
    const hid_t space = H5Dget_space(dataset);
    const bool empty = H5Sget_simple_extent_type(space) == H5S_NULL;
    header->dimensions = H5Sget_simple_extent_dims(space, sizes, NULL);
    (void)H5Sclose(space);
    bool ok = header->dimensions >= 0 && !empty;
    for (int i = 0; i < header->dimensions; i++) {
        ok = ok && sizes[i] <= INT64_MAX;
        header->shape[i] = (int64_t)sizes[i];
    }
    return ok && npy_count(header)
               ? OUTCOME_OK
               : fail(failure, OUTCOME_BAD_INPUT, "'%s': has no shape, or more entries than memory can hold", label);
}

/* How many times its stored length a dataset may be; 0: it is stored in a way that is not read. */
static uint64_t most_per_byte(hid_t properties) {
    const H5D_layout_t layout = H5Pget_layout(properties);
    const int filters = layout == H5D_CHUNKED ? H5Pget_nfilters(properties) : 0;
    uint64_t most = 1;
    if ((layout != H5D_CHUNKED && layout != H5D_CONTIGUOUS && layout != H5D_COMPACT) ||
        H5Pget_external_count(properties) != 0) {
        return 0;
    }
    for (int i = 0; i < filters; i++) {
        unsigned flags;
        unsigned settings;
        size_t count = 0;
        const H5Z_filter_t filter = H5Pget_filter2(properties, (unsigned)i, &flags, &count, NULL, 0, NULL, &settings);
        if (filter == H5Z_FILTER_DEFLATE) {
            most = DEFLATE_MOST;
        } else if (filter != H5Z_FILTER_SHUFFLE && filter != H5Z_FILTER_FLETCHER32) {
            return 0;
        }
    }
    return most;
}

static enum outcome check_storage(hid_t dataset, const char *label, const struct npy_header *header, struct failure *failure) {
    const hid_t properties = H5Dget_create_plist(dataset);
    const uint64_t most = most_per_byte(properties);
    const uint64_t bytes = (uint64_t)header->count * header->item_size;
    const uint64_t stored = H5Dget_storage_size(dataset);
    (void)H5Pclose(properties);
    if (most == 0) {
        return fail(failure, OUTCOME_BAD_INPUT,
                    "'%s': is stored outside the file, virtual, or behind a filter other than deflate, shuffle and fletcher32",
                    label);
    }
    return bytes / most <= stored ? OUTCOME_OK
                                  : fail(failure, OUTCOME_BAD_INPUT,
                                         "'%s': its shape needs %llu bytes; the %llu that were written cannot hold them", label,
                                         (unsigned long long)bytes, (unsigned long long)stored);
}

/* All of it, or a part: a hyperslab. */
static herr_t read_numbers(hid_t dataset, const struct npy_header *header, hid_t type, void *room) {
    if (header->entire == 0 || header->dimensions == 0) {
        return H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, room);
    }
    hsize_t first[NPY_DIMENSIONS_MAX] = {0};
    hsize_t counts[NPY_DIMENSIONS_MAX] = {0};
    for (int i = 0; i < header->dimensions; i++) {
        counts[i] = (hsize_t)header->shape[i];
    }
    first[header->axis] = (hsize_t)header->first;
    const hid_t file = H5Dget_space(dataset);
    const hid_t memory = H5Screate_simple(header->dimensions, counts, NULL);
    herr_t result = H5Sselect_hyperslab(file, H5S_SELECT_SET, first, NULL, counts, NULL);
    if (result >= 0) {
        result = H5Dread(dataset, type, memory, file, H5P_DEFAULT, room);
    }
    (void)H5Sclose(memory);
    (void)H5Sclose(file);
    return result;
}

/* One that lies in the file in one piece, in numbers of the machine's own. */
static enum outcome map_dataset(hid_t dataset, const char *path, const char *label, struct npy_array *array,
                                struct failure *failure) {
    const hid_t type = H5Dget_type(dataset);
    const bool wide = H5Tequal(type, H5T_IEEE_F64LE) > 0;
    const bool single = H5Tequal(type, H5T_IEEE_F32LE) > 0;
    const haddr_t offset = H5Dget_offset(dataset); /* undefined where it is in chunks, or in none yet */
    struct source source;
    (void)H5Tclose(type);
    if (!(wide || single) || offset == HADDR_UNDEF) {
        return fail(failure, OUTCOME_BAD_INPUT,
                    "'%s': cannot be mapped: expected little-endian float64 or float32, neither compressed nor in chunks",
                    label);
    }
    enum outcome outcome = source_open(&source, path, failure);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    source.name = label;
    outcome =
        source_move(&source, (int64_t)offset, npy_entire(&array->header).count * (int64_t)array->header.item_size, failure);
    if (outcome == OUTCOME_OK) {
        outcome = values_read(&source, wide ? FLOAT64 : FLOAT32, NPY_MAPPED, array, failure);
    }
    source_close(&source);
    return outcome;
}

static enum outcome read_dataset(hid_t dataset, const char *path, const char *label, struct reading reading,
                                 struct npy_array *array, struct failure *failure) {
    bool is_float = false;
    enum outcome outcome = check_type(dataset, label, &array->header, &is_float, failure);
    if (outcome == OUTCOME_OK) {
        outcome = check_shape(dataset, label, &array->header, failure);
    }
    if (outcome == OUTCOME_OK) {
        outcome = check_storage(dataset, label, &array->header, failure);
    }
    npy_divide(&array->header, reading);
    if (outcome == OUTCOME_OK && reading.form == NPY_MAPPED) {
        return map_dataset(dataset, path, label, array, failure);
    }
    const bool single = reading.form != NPY_DOUBLES && is_float && array->header.item_size <= sizeof(float);
    if (outcome == OUTCOME_OK) {
        outcome = values_allocate(array, single, label, failure);
    }
    if (outcome != OUTCOME_OK || array->header.count == 0) {
        return outcome;
    }
    void *room = single ? (void *)array->singles : (void *)array->values;
    array->header.item_size = single ? sizeof(float) : sizeof(double);
    return read_numbers(dataset, &array->header, single ? H5T_NATIVE_FLOAT : H5T_NATIVE_DOUBLE, room) >= 0
               ? OUTCOME_OK
               : fail_hdf5(failure, label, "cannot read");
}

static enum outcome read_array(struct archive *archive, size_t index, const char *label, struct reading reading,
                               struct npy_array *array, struct failure *failure) {
    const struct hdf5 *file = archive->handle;
    const hid_t dataset = H5Oopen(file->group, archive->names[index], file->access);
    if (dataset < 0) {
        return fail_hdf5(failure, label, "cannot open");
    }
    const enum outcome outcome = read_dataset(dataset, archive->path, label, reading, array, failure);
    (void)H5Oclose(dataset);
    return outcome;
}

static enum outcome read_texts(hid_t attribute, hid_t type, void *texts, struct failure *failure) {
    if (texts == NULL) {
        return fail(failure, OUTCOME_RESOURCES, "out of memory");
    }
    return H5Aread(attribute, type, texts) >= 0 ? OUTCOME_OK : fail_hdf5(failure, "names", "cannot read");
}

/* Strings of fixed length, each in its place. */
static enum outcome read_fixed(hid_t attribute, hid_t type, struct names *names, struct failure *failure) {
    const size_t size = H5Tget_size(type);
    const bool spaced = H5Tget_strpad(type) == H5T_STR_SPACEPAD;
    char *texts = calloc((size_t)names->count, size);
    enum outcome outcome = read_texts(attribute, type, (void *)texts, failure);
    for (int64_t i = 0; i < names->count && outcome == OUTCOME_OK; i++) {
        const char *text = texts + (size_t)i * size;
        size_t length = strnlen(text, size);
        while (spaced && length > 0 && text[length - 1] == ' ') {
            length--;
        }
        outcome = names_set(names, i, text, length, failure);
    }
    free(texts);
    return outcome;
}

/* Strings of any length, each in memory that HDF5 takes. */
static enum outcome read_variable(hid_t attribute, hid_t type, struct names *names, struct failure *failure) {
    char **texts = calloc((size_t)names->count, sizeof *texts);
    enum outcome outcome = read_texts(attribute, type, (void *)texts, failure);
    for (int64_t i = 0; i < names->count && texts != NULL; i++) {
        const char *text = texts[i] != NULL ? texts[i] : "";
        if (outcome == OUTCOME_OK) {
            outcome = names_set(names, i, text, strlen(text), failure);
        }
        (void)H5free_memory(texts[i]);
    }
    free((void *)texts);
    return outcome;
}

/* A list of strings, as h5py writes it, or one alone. */
static enum outcome read_list(hid_t attribute, hid_t type, hid_t space, struct names *names, struct failure *failure) {
    enum { COUNT_MOST = 1 << 24, BYTES_MOST = 1 << 30 };
    const hssize_t count = H5Sget_simple_extent_npoints(space);
    if (H5Tget_class(type) != H5T_STRING || H5Sget_simple_extent_ndims(space) > 1 || count < 0 || count > COUNT_MOST ||
        H5Tget_size(type) > BYTES_MOST / (size_t)(count + 1)) {
        return fail(failure, OUTCOME_BAD_INPUT, "expected a list of strings");
    }
    const enum outcome outcome = names_allocate(names, (int64_t)count, failure);
    if (outcome != OUTCOME_OK || count == 0) {
        return outcome;
    }
    return H5Tis_variable_str(type) > 0 ? read_variable(attribute, type, names, failure)
                                        : read_fixed(attribute, type, names, failure);
}

static enum outcome read_outputs(const struct archive *archive, struct names *names, struct failure *failure) {
    const struct hdf5 *file = archive->handle;
    if (H5Aexists(file->group, "names") <= 0) {
        return OUTCOME_OK;
    }
    const hid_t attribute = H5Aopen(file->group, "names", H5P_DEFAULT);
    if (attribute < 0) {
        return fail_hdf5(failure, archive->path, "cannot read the attribute names");
    }
    const hid_t type = H5Aget_type(attribute);
    const hid_t space = H5Aget_space(attribute);
    const enum outcome outcome = read_list(attribute, type, space, names, failure);
    (void)H5Sclose(space);
    (void)H5Tclose(type);
    (void)H5Aclose(attribute);
    if (outcome != OUTCOME_OK) {
        char prefix[4200];
        (void)snprintf(prefix, sizeof prefix, "'%s': the attribute names:", archive->path);
        return fail_prefix(failure, outcome, prefix);
    }
    return OUTCOME_OK;
}

const struct archive_format hdf5_format = {"HDF5",     {".h5", ".hdf5"}, "\211HDF\r\n\032\n", open_file,
                                           read_array, read_outputs,     close_file,          hdf5_write};
