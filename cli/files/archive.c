/* SPDX-License-Identifier: BSD-3-Clause */
#include "archive_format.h"

#include "npy_stream.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#ifndef SOFTRELU_HAVE_ZIP
const struct archive_format npz_format = {.title = "npz", .extensions = {".npz"}, .magic = "PK\003\004"};
#endif
#ifndef SOFTRELU_HAVE_HDF5
const struct archive_format hdf5_format = {.title = "HDF5", .extensions = {".h5", ".hdf5"}, .magic = "\211HDF\r\n\032\n"};
#endif

static const struct archive_format *const formats[] = {&npz_format, &safetensors_format, &hdf5_format};
enum { FORMATS = sizeof formats / sizeof formats[0], EXTENSIONS = 3, MAGIC_MAX = 8, LISTED = 5 };

const char *archive_title(size_t index, bool *available) {
    *available = index < FORMATS && formats[index]->open != NULL;
    return index < FORMATS ? formats[index]->title : NULL;
}

static bool ends_with(const char *path, size_t length, const char *extension) {
    const size_t tail = strlen(extension);
    return length > tail && strncasecmp(path + length - tail, extension, tail) == 0;
}

static const struct archive_format *format_of_extension(const char *path, size_t length) {
    for (size_t i = 0; i < FORMATS; i++) {
        for (size_t k = 0; k < EXTENSIONS && formats[i]->extensions[k] != NULL; k++) {
            if (ends_with(path, length, formats[i]->extensions[k])) {
                return formats[i];
            }
        }
    }
    return NULL;
}

/* Only of a regular file: reading from another might wait for ever. */
static const struct archive_format *format_of_content(const char *path) {
    struct source source;
    struct failure ignored = {""};
    unsigned char bytes[MAGIC_MAX] = {0};
    if (source_open(&source, path, &ignored) != OUTCOME_OK) {
        return NULL;
    }
    const size_t length = source.left < MAGIC_MAX ? (size_t)source.left : MAGIC_MAX;
    const bool read = source_read(&source, bytes, length, &ignored) == OUTCOME_OK;
    source_close(&source);
    for (size_t i = 0; i < FORMATS && read; i++) {
        const char *magic = formats[i]->magic;
        if (magic != NULL && length >= strlen(magic) && memcmp(bytes, magic, strlen(magic)) == 0) {
            return formats[i];
        }
    }
    return NULL;
}

/* NULL: a .npy file. */
static const struct archive_format *format_of(const char *path) {
    const struct archive_format *format = format_of_extension(path, strlen(path));
    return format != NULL || ends_with(path, strlen(path), ".npy") ? format : format_of_content(path);
}

bool archive_is(const char *path) { return format_of(path) != NULL; }

bool archive_is_named(const char *path) { return format_of_extension(path, strlen(path)) != NULL; }

bool archive_keeps_texts(const char *path) {
    const struct archive_format *format = format_of_extension(path, strlen(path));
    return format == &hdf5_format || format == &safetensors_format;
}

bool archive_keeps_lists(const char *path) { return format_of_extension(path, strlen(path)) == &hdf5_format; }

static bool exists(const char *path) {
    struct stat status;
    return stat(path, &status) == 0;
}

/* Where the path ends: at the last colon behind a file that is there, else at the first behind a name that looks like one of
   ours, so that the message is about that file. */
static size_t path_length(const char *text, char *scratch) {
    size_t found = 0;
    size_t likely = 0;
    for (const char *colon = strchr(text, ':'); colon != NULL; colon = strchr(colon + 1, ':')) {
        const size_t length = (size_t)(colon - text);
        memcpy(scratch, text, length);
        scratch[length] = '\0';
        if (length > 0 && exists(scratch)) {
            found = length;
        }
        if (likely == 0 && (format_of_extension(text, length) != NULL || ends_with(text, length, ".npy"))) {
            likely = length;
        }
    }
    return found > 0 ? found : likely > 0 ? likely : strlen(text);
}

enum outcome archive_address_parse(const char *text, struct archive_address *address, struct failure *failure) {
    *address = (struct archive_address){strdup(text), NULL};
    if (address->path == NULL) {
        return fail(failure, OUTCOME_RESOURCES, "out of memory");
    }
    const size_t length = exists(text) ? strlen(text) : path_length(text, address->path);
    memcpy(address->path, text, length);
    address->path[length] = '\0';
    if (text[length] == ':') {
        address->name = strdup(text + length + 1);
        if (address->name == NULL) {
            archive_address_free(address);
            return fail(failure, OUTCOME_RESOURCES, "out of memory");
        }
    }
    return OUTCOME_OK;
}

void archive_address_free(struct archive_address *address) {
    free(address->path);
    free(address->name);
    *address = (struct archive_address){NULL, NULL};
}

static enum outcome check_built(const struct archive_format *format, const char *path, struct failure *failure) {
    return format == NULL || format->open != NULL
               ? OUTCOME_OK
               : fail(failure, OUTCOME_BAD_INPUT, "'%s': this program was built without %s", path, format->title);
}

enum outcome archive_check(const char *path, struct failure *failure) {
    return check_built(format_of_extension(path, strlen(path)), path, failure);
}

enum outcome archive_add_name(struct archive *archive, const char *name, size_t length, struct failure *failure) {
    enum { FEW = 16 };
    if (archive->count % FEW == 0 && (archive->count & (archive->count - 1)) == 0) { /* 0, 16, 32, 64, ... */
        const size_t room = archive->count > 0 ? 2 * archive->count : FEW;
        char **names = realloc(archive->names, room * sizeof *names);
        if (names == NULL) {
            return fail(failure, OUTCOME_RESOURCES, "out of memory");
        }
        archive->names = names;
    }
    archive->names[archive->count] = strndup(name, length);
    return archive->names[archive->count] != NULL ? (archive->count++, OUTCOME_OK)
                                                  : fail(failure, OUTCOME_RESOURCES, "out of memory");
}

enum outcome archive_open(const char *path, const char *group, struct archive *archive, struct failure *failure) {
    memset(archive, 0, sizeof *archive);
    const struct archive_format *format = format_of(path);
    enum outcome outcome = check_built(format, path, failure);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    if (format == NULL) {
        return fail(failure, OUTCOME_BAD_INPUT,
                    "'%s': holds one array without a name; expected a .npz, .safetensors or HDF5 file", path);
    }
    struct source source; /* no library is given what is not a regular file */
    outcome = source_open(&source, path, failure);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    source_close(&source);
    archive->path = strdup(path);
    archive->format = format;
    outcome = fail(failure, OUTCOME_RESOURCES, "out of memory");
    if (archive->path != NULL) {
        outcome = format->open(archive, group, failure);
    }
    if (outcome != OUTCOME_OK) {
        archive_close(archive);
    }
    return outcome;
}

void archive_close(struct archive *archive) {
    if (archive->handle != NULL) {
        archive->format->close(archive);
    }
    for (size_t i = 0; i < archive->count; i++) {
        free(archive->names[i]);
    }
    free(archive->names);
    free(archive->path);
    free(archive->loss);
    memset(archive, 0, sizeof *archive);
}

static size_t find(const struct archive *archive, const char *name) {
    size_t index = 0;
    while (index < archive->count && strcmp(archive->names[index], name) != 0) {
        index++;
    }
    return index;
}

enum outcome archive_outputs(const struct archive *archive, struct names *names, struct failure *failure) {
    *names = (struct names){NULL, 0};
    const enum outcome outcome =
        archive->format->outputs != NULL ? archive->format->outputs(archive, names, failure) : OUTCOME_OK;
    if (outcome != OUTCOME_OK) {
        names_free(names);
    }
    return outcome;
}

bool archive_has(const struct archive *archive, const char *name) { return find(archive, name) < archive->count; }

/* "A1, A2, b, c1, c2, ..." */
static const char *names_text(const struct archive *archive, char *text, size_t size) {
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < archive->count && i < LISTED && used < size; i++) {
        used += (size_t)snprintf(text + used, size - used, "%s%.60s", i > 0 ? ", " : "", archive->names[i]);
    }
    if (archive->count > LISTED && used < size) {
        (void)snprintf(text + used, size - used, ", ...");
    }
    return text;
}

static enum outcome unknown_name(const struct archive *archive, const char *name, struct failure *failure) {
    const size_t nearest = text_nearest(name, archive->names, archive->count);
    if (nearest < archive->count) {
        return fail(failure, OUTCOME_BAD_INPUT, "'%s': holds no array '%s'; did you mean '%s'?", archive->path, name,
                    archive->names[nearest]);
    }
    char names[400];
    return fail(failure, OUTCOME_BAD_INPUT, "'%s': holds no array '%s', but %s", archive->path, name,
                archive->count > 0 ? names_text(archive, names, sizeof names) : "none at all");
}

enum outcome archive_read(struct archive *archive, const char *name, struct reading reading, struct npy_array *array,
                          struct failure *failure) {
    memset(array, 0, sizeof *array);
    if (name == NULL && archive->count != 1) {
        char names[400];
        return fail(failure, OUTCOME_BAD_INPUT, "'%s': holds %zu arrays%s%s; name one as FILE:NAME", archive->path,
                    archive->count, archive->count > 0 ? ": " : "", names_text(archive, names, sizeof names));
    }
    const size_t index = name != NULL ? find(archive, name) : 0;
    if (index == archive->count) {
        return unknown_name(archive, name, failure);
    }
    const size_t room = strlen(archive->path) + strlen(archive->names[index]) + 2;
    char *label = malloc(room);
    if (label == NULL) {
        return fail(failure, OUTCOME_RESOURCES, "out of memory");
    }
    (void)snprintf(label, room, "%s:%s", archive->path, archive->names[index]);
    const enum outcome outcome = archive->format->read(archive, index, label, reading, array, failure);
    free(label);
    if (outcome != OUTCOME_OK) {
        npy_free(array);
    }
    return outcome;
}

/* In HDF5 what stands before the last slash is the group. */
static enum outcome read_named(const struct archive_address *address, struct reading reading, struct npy_array *array,
                               struct failure *failure) {
    char *name = address->name;
    const char *group = NULL;
    char *slash = name != NULL && format_of(address->path) == &hdf5_format ? strrchr(name, '/') : NULL;
    if (slash != NULL) {
        *slash = '\0';
        group = name[0] != '\0' ? name : NULL;
        name = slash + 1;
    }
    struct archive archive;
    enum outcome outcome = archive_open(address->path, group, &archive, failure);
    if (outcome == OUTCOME_OK) {
        outcome = archive_read(&archive, name, reading, array, failure);
        archive_close(&archive);
    }
    return outcome;
}

enum outcome array_read(const char *text, struct reading reading, struct npy_array *array, struct failure *failure) {
    struct archive_address address;
    memset(array, 0, sizeof *array);
    enum outcome outcome = archive_address_parse(text, &address, failure);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    if (archive_is(address.path)) {
        outcome = read_named(&address, reading, array, failure);
    } else if (address.name != NULL) {
        outcome = fail(failure, OUTCOME_BAD_INPUT, "'%s': a .npy file holds one array, which has no name such as '%s'",
                       address.path, address.name);
    } else {
        outcome = npy_read_as(address.path, reading, array, failure);
    }
    archive_address_free(&address);
    return outcome;
}

bool archive_write(FILE *stream, const char *path, const struct archive_entry *entries, size_t count, json_t *attributes) {
    const struct archive_format *format = format_of_extension(path, strlen(path));
    return format != NULL ? format->write(stream, entries, count, attributes) : npy_write_stream(stream, entries[0].array);
}
