/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * NumPy's .npz files: zip archives of .npy files. An entry's length is what the directory says; its .npy header must promise
 * just that before memory is asked for, and deflate cannot make a file more than 1032 times as long, so that no small file
 * costs much. Reading to the end makes libzip compare the check sum.
 */
#include "archive_format.h"
#include "npy_stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

enum { DEFLATE_MOST = 1032, SUFFIX = 4 }; /* ".npy" */

static enum outcome add_names(struct archive *archive, zip_t *zip, struct failure *failure) {
    const zip_int64_t entries = zip_get_num_entries(zip, 0);
    enum outcome outcome = OUTCOME_OK;
    for (zip_int64_t i = 0; i < entries && outcome == OUTCOME_OK; i++) {
        const char *name = zip_get_name(zip, (zip_uint64_t)i, ZIP_FL_ENC_GUESS);
        const size_t length = name != NULL ? strlen(name) : 0;
        if (length <= SUFFIX || strcmp(name + length - SUFFIX, ".npy") != 0) {
            return fail(failure, OUTCOME_BAD_INPUT, "'%s': entry '%s' is not a .npy file", archive->path,
                        name != NULL ? name : "");
        }
        outcome = archive_add_name(archive, name, length - SUFFIX, failure);
    }
    return outcome;
}

static enum outcome open_file(struct archive *archive, const char *group, struct failure *failure) {
    int code = 0;
    if (group != NULL) {
        return fail(failure, OUTCOME_BAD_INPUT, "'%s': has no groups such as '%s'", archive->path, group);
    }
    zip_t *zip = zip_open(archive->path, ZIP_RDONLY | ZIP_CHECKCONS, &code);
    if (zip == NULL) {
        zip_error_t error;
        zip_error_init_with_code(&error, code);
        const enum outcome outcome =
            fail(failure, code == ZIP_ER_MEMORY ? OUTCOME_RESOURCES : OUTCOME_BAD_INPUT, "'%s': not a sound .npz file: %s",
                 archive->path, code == ZIP_ER_EXISTS ? "an entry twice" : zip_error_strerror(&error));
        zip_error_fini(&error);
        return outcome;
    }
    archive->handle = zip;
    return add_names(archive, zip, failure);
}

static enum outcome read_entry(struct source *source, unsigned char *bytes, size_t length, size_t *got,
                               struct failure *failure) {
    const zip_int64_t result = zip_fread(source->entry, bytes, length);
    if (result < 0) {
        return fail(failure, OUTCOME_BAD_INPUT, "'%s': damaged: %s", source->name, zip_file_strerror(source->entry));
    }
    *got = (size_t)result;
    return OUTCOME_OK;
}

static enum outcome check_entry(const zip_stat_t *entry, const char *label, struct failure *failure) {
    const zip_uint64_t needed = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
    if ((entry->valid & needed) != needed || entry->encryption_method != ZIP_EM_NONE ||
        (entry->comp_method != ZIP_CM_STORE && entry->comp_method != ZIP_CM_DEFLATE)) {
        return fail(failure, OUTCOME_BAD_INPUT, "'%s': is encrypted, or compressed by another method than deflate", label);
    }
    const zip_uint64_t most = entry->comp_method == ZIP_CM_STORE ? 1 : DEFLATE_MOST;
    if (entry->size > INT64_MAX || entry->size / most > entry->comp_size) {
        return fail(failure, OUTCOME_BAD_INPUT, "'%s': %llu bytes cannot hold the %llu that are claimed", label,
                    (unsigned long long)entry->comp_size, (unsigned long long)entry->size);
    }
    return OUTCOME_OK;
}

static enum outcome read_array(struct archive *archive, size_t index, const char *label, enum npy_form form,
                               struct npy_array *array, struct failure *failure) {
    zip_t *zip = archive->handle;
    zip_stat_t entry;
    if (zip_stat_index(zip, index, 0, &entry) != 0) {
        return fail(failure, OUTCOME_BAD_INPUT, "'%s': %s", label, zip_strerror(zip));
    }
    enum outcome outcome = check_entry(&entry, label, failure);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    zip_file_t *file = zip_fopen_index(zip, index, 0);
    if (file == NULL) {
        return fail(failure, OUTCOME_BAD_INPUT, "'%s': %s", label, zip_strerror(zip));
    }
    struct source source = {.name = label, .left = (int64_t)entry.size, .read = read_entry, .descriptor = -1, .entry = file};
    outcome = npy_read_source(&source, form, array, failure);
    unsigned char more;
    if (outcome == OUTCOME_OK && zip_fread(file, &more, 1) != 0) {
        outcome = fail(failure, OUTCOME_BAD_INPUT, "'%s': damaged: %s", label, zip_file_strerror(file));
    }
    (void)zip_fclose(file);
    return outcome;
}

static void close_file(struct archive *archive) { zip_discard(archive->handle); }

/* The bytes of a .npy file in memory; NULL for want of it. */
static char *npy_bytes(const struct npy_array *array, size_t *length) {
    char *bytes = NULL;
    FILE *stream = open_memstream(&bytes, length);
    if (stream == NULL) {
        return NULL;
    }
    const bool written = npy_write_stream(stream, array);
    if (fclose(stream) != 0 || !written) {
        free(bytes);
        return NULL;
    }
    return bytes;
}

/* Stored, as numpy.savez does, and without a time: the same arrays are the same bytes. */
static bool add_entry(zip_t *zip, const struct archive_entry *entry) {
    enum { FIRST_DAY = 1 << 5 | 1 }; /* 1 January 1980 */
    size_t length = 0;
    const size_t room = strlen(entry->name) + SUFFIX + 1;
    char *name = malloc(room);
    char *bytes = name != NULL ? npy_bytes(entry->array, &length) : NULL;
    zip_source_t *source = bytes != NULL ? zip_source_buffer(zip, bytes, length, 1) : NULL;
    zip_int64_t index = -1;
    if (source != NULL) {
        (void)snprintf(name, room, "%s.npy", entry->name);
        index = zip_file_add(zip, name, source, ZIP_FL_ENC_UTF_8);
        if (index < 0) {
            zip_source_free(source);
        }
    } else {
        free(bytes);
    }
    free(name);
    return index >= 0 && zip_set_file_compression(zip, (zip_uint64_t)index, ZIP_CM_STORE, 0) == 0 &&
           zip_file_set_dostime(zip, (zip_uint64_t)index, 0, FIRST_DAY, 0) == 0;
}

static bool copy_out(zip_source_t *image, FILE *stream) {
    char chunk[1 << 14];
    zip_int64_t got = 0;
    bool ok = zip_source_open(image) == 0;
    while (ok && (got = zip_source_read(image, chunk, sizeof chunk)) > 0) {
        ok = fwrite(chunk, 1, (size_t)got, stream) == (size_t)got;
    }
    return ok && got == 0;
}

static bool write_file(FILE *stream, const struct archive_entry *entries, size_t count, json_t *attributes) {
    (void)attributes;
    zip_source_t *image = zip_source_buffer_create(NULL, 0, 0, NULL);
    zip_t *zip = image != NULL ? zip_open_from_source(image, ZIP_TRUNCATE, NULL) : NULL;
    bool ok = zip != NULL;
    if (ok) {
        zip_source_keep(image); /* closing the archive lets one hold go */
    }
    for (size_t i = 0; i < count && ok; i++) {
        ok = add_entry(zip, &entries[i]);
    }
    if (zip != NULL && (!ok || zip_close(zip) != 0)) {
        zip_discard(zip);
        ok = false;
    }
    if (!ok) {
        errno = ENOMEM;
    }
    ok = ok && copy_out(image, stream);
    zip_source_free(image);
    return ok;
}

const struct archive_format npz_format = {"npz", {".npz"}, "PK\003\004", open_file, read_array, close_file, write_file};
