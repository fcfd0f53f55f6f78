/* SPDX-License-Identifier: BSD-3-Clause */
/* Arrays from one kind of file to another. */
#include "commands.h"

#include "archive.h"
#include "json.h"
#include "output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct conversion {
    struct archive_address in, out;
    size_t count;
    struct archive_entry *entries;
    struct npy_array *arrays;
    char **names; /* in the new file */
    char *loss;
    struct names outputs; /* of HDF5 files */
};

static void conversion_free(struct conversion *conversion) {
    for (size_t i = 0; i < conversion->count; i++) {
        npy_free(&conversion->arrays[i]);
        free(conversion->names[i]);
    }
    free(conversion->entries);
    free(conversion->arrays);
    free((void *)conversion->names);
    free(conversion->loss);
    names_free(&conversion->outputs);
    archive_address_free(&conversion->in);
    archive_address_free(&conversion->out);
}

static enum outcome allocate(struct conversion *conversion, size_t count, struct failure *failure) {
    conversion->entries = calloc(count + 1, sizeof *conversion->entries);
    conversion->arrays = calloc(count + 1, sizeof *conversion->arrays);
    conversion->names = calloc(count + 1, sizeof *conversion->names);
    if (conversion->entries == NULL || conversion->arrays == NULL || conversion->names == NULL) {
        return fail(failure, OUTCOME_RESOURCES, "out of memory");
    }
    conversion->count = count;
    return OUTCOME_OK;
}

/* Parts between slashes must be names: HDF5 makes groups of them. */
static enum outcome set_name(struct conversion *conversion, size_t index, const char *name, size_t length,
                             struct failure *failure) {
    char *text = strndup(name, length);
    if (text == NULL) {
        return fail(failure, OUTCOME_RESOURCES, "out of memory");
    }
    conversion->names[index] = text;
    conversion->entries[index] = (struct archive_entry){text, &conversion->arrays[index]};
    for (const char *part = text + (text[0] == '/' ? 1 : 0); part != NULL;) {
        const size_t part_length = strcspn(part, "/");
        if (part_length == 0 || strncmp(part, "..", part_length) == 0) {
            return fail(failure, OUTCOME_BAD_INPUT, "'%s': '%s' is no name for an array", conversion->out.path, text);
        }
        part = part[part_length] == '/' ? part + part_length + 1 : NULL;
    }
    return OUTCOME_OK;
}

/* All arrays of an archive. */
static enum outcome read_all(struct conversion *conversion, struct archive *archive, struct failure *failure) {
    if (conversion->out.name != NULL) {
        return fail(failure, OUTCOME_BAD_INPUT, "'%s': the name '%s' is for one array, but all of '%s' is converted",
                    conversion->out.path, conversion->out.name, archive->path);
    }
    enum outcome outcome = allocate(conversion, archive->count, failure);
    for (size_t i = 0; i < archive->count && outcome == OUTCOME_OK; i++) {
        outcome = archive_read(archive, archive->names[i], (struct reading){.form = NPY_KEPT}, &conversion->arrays[i], failure);
        if (outcome == OUTCOME_OK) {
            outcome = set_name(conversion, i, archive->names[i], strlen(archive->names[i]), failure);
        }
    }
    if (outcome == OUTCOME_OK && archive->loss != NULL && archive->loss[0] != '\0') {
        conversion->loss = strdup(archive->loss);
        outcome = conversion->loss != NULL ? OUTCOME_OK : fail(failure, OUTCOME_RESOURCES, "out of memory");
    }
    if (outcome == OUTCOME_OK) {
        outcome = archive_outputs(archive, &conversion->outputs, failure);
    }
    return outcome;
}

/* One array keeps its name, unless OUT has one; that of a .npy file is the file's, without folder and extension. */
static enum outcome read_one(struct conversion *conversion, const char *text, struct failure *failure) {
    const char *name = conversion->in.name != NULL ? conversion->in.name : conversion->in.path;
    const char *slash = strrchr(name, '/');
    name = slash != NULL ? slash + 1 : name;
    const char *dot = conversion->in.name == NULL ? strrchr(name, '.') : NULL;
    size_t length = dot != NULL && dot > name ? (size_t)(dot - name) : strlen(name);
    if (conversion->out.name != NULL) {
        name = conversion->out.name;
        length = strlen(name);
    }
    enum outcome outcome = allocate(conversion, 1, failure);
    if (outcome == OUTCOME_OK) {
        outcome = array_read(text, (struct reading){.form = NPY_KEPT}, &conversion->arrays[0], failure);
    }
    if (outcome == OUTCOME_OK) {
        outcome = set_name(conversion, 0, name, length, failure);
    }
    return outcome;
}

/* IN names one array, or else an archive or a group of one. */
static enum outcome read_in(struct conversion *conversion, const char *text, struct failure *failure) {
    struct archive archive;
    struct failure no_group = {""};
    const bool one = !archive_is_named(conversion->out.path); /* a .npy file */
    if (one || !archive_is(conversion->in.path)) {
        return read_one(conversion, text, failure);
    }
    if (archive_open(conversion->in.path, conversion->in.name, &archive, conversion->in.name != NULL ? &no_group : failure) ==
        OUTCOME_OK) {
        const enum outcome outcome = read_all(conversion, &archive, failure);
        archive_close(&archive);
        return outcome;
    }
    return conversion->in.name != NULL ? read_one(conversion, text, failure) : OUTCOME_BAD_INPUT;
}

static enum outcome write_out(const struct conversion *conversion, struct failure *failure) {
    struct output output = {0};
    json_t *attributes = json_object();
    bool written = attributes != NULL;
    if (written && conversion->loss != NULL) {
        written = json_object_set_new(attributes, "loss", json_string(conversion->loss)) == 0;
    }
    if (written && conversion->outputs.count > 0) {
        written = json_object_set_new(attributes, "names", names_json(&conversion->outputs)) == 0;
    }
    enum outcome outcome = fail(failure, OUTCOME_RESOURCES, "out of memory");
    if (written) {
        outcome = output_begin(&output, conversion->out.path, failure);
    }
    if (outcome == OUTCOME_OK) {
        written = archive_write(output.stream, conversion->out.path, conversion->entries, conversion->count, attributes);
        outcome = output_complete(&output, written, failure);
    }
    if (outcome == OUTCOME_OK) {
        outcome = output_commit(&output, 1, failure);
    }
    output_discard(&output);
    json_decref(attributes);
    return outcome;
}

static json_t *array_json(const struct archive_entry *entry) {
    const struct npy_header *header = &entry->array->header;
    json_t *shape = json_array();
    bool ok = shape != NULL;
    for (int i = 0; ok && i < header->dimensions; i++) {
        ok = json_array_append_new(shape, json_integer((json_int_t)header->shape[i])) == 0;
    }
    return json_pack("{s:s, s:o, s:s}", "name", entry->name, "shape", json_finished(shape, ok), "type",
                     entry->array->singles != NULL ? "float32" : "float64");
}

static json_t *conversion_json(const struct conversion *conversion) {
    json_t *object = json_object();
    json_t *arrays = json_array();
    bool ok = object != NULL && arrays != NULL;
    for (size_t i = 0; ok && i < conversion->count; i++) {
        ok = json_array_append_new(arrays, array_json(&conversion->entries[i])) == 0;
    }
    ok = json_put(object, "arrays", json_finished(arrays, ok)) && ok && json_put(object, "schema", json_integer(1)) &&
         json_put(object, "version", json_string(softrelu_version())) &&
         json_put(object, "file", json_string(conversion->out.path));
    return json_finished(object, ok);
}

static enum outcome convert(struct conversion *conversion, const struct arguments *arguments, struct failure *failure) {
    enum outcome outcome = archive_address_parse(arguments->word[0], &conversion->in, failure);
    if (outcome == OUTCOME_OK) {
        outcome = archive_address_parse(arguments->word[1], &conversion->out, failure);
    }
    if (outcome == OUTCOME_OK) {
        outcome = archive_check(conversion->out.path, failure);
    }
    if (outcome == OUTCOME_OK && conversion->out.name != NULL && !archive_is_named(conversion->out.path)) {
        outcome = fail(failure, OUTCOME_BAD_INPUT, "'%s': a .npy file holds one array, which has no name such as '%s'",
                       conversion->out.path, conversion->out.name);
    }
    if (outcome == OUTCOME_OK) {
        outcome = read_in(conversion, arguments->word[0], failure);
    }
    if (outcome == OUTCOME_OK) {
        outcome = write_out(conversion, failure);
    }
    if (outcome == OUTCOME_OK && conversion->loss != NULL && !archive_keeps_texts(conversion->out.path)) {
        (void)fprintf(stderr, "softrelu: note: '%s' has no place for the loss, which is %s\n", conversion->out.path,
                      conversion->loss);
    }
    if (outcome == OUTCOME_OK && conversion->outputs.count > 0 && !archive_keeps_lists(conversion->out.path)) {
        (void)fprintf(stderr,
                      "softrelu: note: '%s' has no place for the names of the outputs; --names takes them from a text file\n",
                      conversion->out.path);
    }
    if (outcome == OUTCOME_OK && arguments->json) {
        outcome = json_print(conversion_json(conversion), failure);
    }
    if (outcome == OUTCOME_OK && arguments->summary) {
        printf("%zu array%s written to %s\n", conversion->count, conversion->count == 1 ? "" : "s", conversion->out.path);
    }
    return outcome;
}

enum outcome command_convert(const struct arguments *arguments, struct failure *failure) {
    if (arguments->word[1] == NULL) {
        return fail(failure, OUTCOME_BAD_INPUT, "convert: expected two files: IN[:NAME] OUT[:NAME]");
    }
    struct conversion conversion = {0};
    const enum outcome outcome = convert(&conversion, arguments, failure);
    conversion_free(&conversion);
    return outcome;
}
