/* Any bytes as a .npy file: read as they are, and once more with data of the length that the header asks for. What can be read
   is written and read again. The files are in memory: nothing is left on the disk. */
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "npy_stream.h"

enum { MOST_DATA = 4096 };

static bool same_header(const struct npy_header *a, const struct npy_header *b) {
    return a->dimensions == b->dimensions && memcmp(a->shape, b->shape, sizeof a->shape) == 0 && a->count == b->count &&
           a->item_size == b->item_size && a->fortran_order == b->fortran_order;
}

static bool same_bits(double a, double b) { return memcmp(&a, &b, sizeof a) == 0; }

/* The texts that messages are made of, cut off at any length. */
static void write_texts(const struct npy_header *header) {
    for (size_t size = 1; size < 40; size += 13) {
        char *text = malloc(size);
        HOLDS(text != NULL);
        HOLDS(strlen(npy_shape_text(header->shape, header->dimensions, text, size)) < size);
        for (int64_t position = 0; position < header->count && position < 5; position++)
            HOLDS(strlen(npy_index_text(header, position, text, size)) < size);
        free(text);
    }
}

static void refused(enum outcome outcome, const struct npy_array *array, const struct failure *failure, const char *path) {
    static const struct npy_array nothing;
    HOLDS(outcome == OUTCOME_BAD_INPUT);
    HOLDS(same_header(&array->header, &nothing.header) && array->values == NULL && array->singles == NULL);
    HOLDS(failure->text[0] == '\'' && strncmp(failure->text + 1, path, strlen(path)) == 0);
}

/* A file that can be read can be mapped, unless it is in Fortran order or its numbers do not lie as memory wants them; then it
   shows the numbers that are expected. */
static void map_file(const char *path, const struct npy_array *expected) {
    struct npy_array mapped;
    struct failure failure = {""};
    const enum outcome outcome = npy_read_as(path, (struct reading){.form = NPY_MAPPED}, &mapped, &failure);
    if (outcome != OUTCOME_OK) {
        HOLDS(expected->header.count > 0 && strstr(failure.text, "': cannot be mapped: ") != NULL);
        refused(outcome, &mapped, &failure, path);
        return;
    }
    HOLDS(same_header(&mapped.header, &expected->header) && (mapped.mapping != NULL) == (mapped.header.count > 0));
    for (int64_t i = 0; i < mapped.header.count; i++)
        HOLDS(same_bits(npy_number(&mapped, i), npy_number(expected, i)));
    npy_free(&mapped);
}

/* Reads the bytes as a file. On success the array is that of npy_read(); as they are kept, and mapped, the numbers are known to
   be the same. */
static bool read_bytes(const void *bytes, size_t length, struct npy_array *array) {
    static int file = -1;
    char path[64];
    struct failure failure = {""}, failure_kept = {""};
    struct npy_array kept;
    if (file < 0)
        file = memfd_create("npy", MFD_CLOEXEC);
    HOLDS(file >= 0 && ftruncate(file, 0) == 0 && pwrite(file, bytes, length, 0) == (ssize_t)length);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    const enum outcome outcome = npy_read(path, array, &failure);
    HOLDS(npy_read_as(path, (struct reading){.form = NPY_KEPT}, &kept, &failure_kept) == outcome);
    if (outcome != OUTCOME_OK) {
        HOLDS(strcmp(failure.text, failure_kept.text) == 0);
        refused(outcome, array, &failure, path);
        refused(outcome, &kept, &failure, path);
        return false;
    }
    HOLDS(same_header(&array->header, &kept.header) && array->singles == NULL);
    HOLDS((kept.singles != NULL) == (kept.header.item_size == 4) && (kept.values == NULL) == (kept.singles != NULL));
    for (int64_t i = 0; i < kept.header.count; i++)
        HOLDS(same_bits(npy_number(array, i), npy_number(&kept, i)));
    npy_free(&kept);
    map_file(path, array);
    return true;
}

static void write_and_read(const struct npy_array *array) {
    char *bytes = NULL;
    size_t length = 0;
    struct npy_array again;
    struct npy_header expected = array->header;
    FILE *stream = open_memstream(&bytes, &length);
    HOLDS(stream != NULL);
    HOLDS(npy_write_stream(stream, array));
    HOLDS(fclose(stream) == 0 && read_bytes(bytes, length, &again));
    HOLDS((length - (size_t)expected.count * 8) % 64 == 0);
    expected.item_size = 8;
    HOLDS(same_header(&again.header, &expected));
    for (int64_t i = 0; i < expected.count; i++)
        HOLDS(same_bits(again.values[i], array->values[i]));
    npy_free(&again);
    free(bytes);
}

static void read_file(const void *bytes, size_t length) {
    struct npy_array array;
    if (read_bytes(bytes, length, &array)) {
        write_and_read(&array);
        npy_free(&array);
    }
}

/* The length of the file that the header at its beginning asks for; 0 when there is none, or it is long. */
static size_t length_wanted(const uint8_t *data, size_t size) {
    size_t offset, length;
    struct npy_header header;
    struct failure failure = {""};
    if (npy_parse_preamble(data, size, "npy", &offset, &length, &failure) != OUTCOME_OK || offset + length > size)
        return 0;
    char *text = malloc(length > 0 ? length : 1); /* no byte more, so that reading past its end is seen */
    HOLDS(text != NULL);
    memcpy(text, data + offset, length);
    const enum outcome outcome = npy_parse_header(text, length, "npy", &header, &failure);
    free(text);
    if (outcome != OUTCOME_OK)
        return 0;
    HOLDS(header.count >= 0 && (header.item_size == 4 || header.item_size == 8));
    write_texts(&header);
    return header.count <= MOST_DATA / 8 ? offset + length + (size_t)header.count * header.item_size : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    read_file(data, size);
    const size_t wanted = length_wanted(data, size);
    if (wanted != 0 && wanted != size) {
        uint8_t *mended = malloc(wanted);
        HOLDS(mended != NULL);
        for (size_t i = 0; i < wanted; i++)
            mended[i] = data[i % size];
        read_file(mended, wanted);
        free(mended);
    }
    return 0;
}
