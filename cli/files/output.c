/* SPDX-License-Identifier: BSD-3-Clause */
/* Linux, for files without a name (O_TMPFILE). */
#define _GNU_SOURCE
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum outcome cannot_write(const char *path, struct failure *failure) {
    return fail(failure, OUTCOME_RESOURCES, "'%s': cannot write: %s", path, strerror(errno));
}

/* Length of the folder's part of a path, the last slash included. */
static size_t folder_length(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash == NULL ? 0 : (size_t)(slash - path) + 1;
}

/* The target's folder, whose name ends in a slash, and behind it room for a name. NULL for want of memory. */
static char *folder_of(const struct output *output, size_t room) {
    const size_t length = folder_length(output->target);
    char *folder = malloc(length + room + 1);
    if (folder != NULL) {
        memcpy(folder, output->target, length);
        folder[length] = '\0';
    }
    return folder;
}

/* Where a file that is not there yet will lie: two spellings of one place give one name. */
static char *resolve_new(const char *path) {
    const size_t length = folder_length(path);
    char *relative = length > 0 ? strndup(path, length) : strdup(".");
    char *folder = relative != NULL ? realpath(relative, NULL) : NULL;
    const size_t room = folder != NULL ? strlen(folder) + strlen(path + length) + 2 : 0;
    char *target = folder != NULL ? malloc(room) : NULL;
    if (target != NULL) {
        (void)snprintf(target, room, "%s/%s", strcmp(folder, "/") != 0 ? folder : "", path + length);
    }
    free(relative);
    free(folder);
    return target;
}

/* Finds where the file will lie, and refuses targets that a rename would destroy, such as a device. */
static enum outcome resolve_target(struct output *output, mode_t *mode, struct failure *failure) {
    struct stat status;
    *mode = 0;
    if (output->path[0] == '\0') {
        return fail(failure, OUTCOME_BAD_INPUT, "'': an output file needs a name");
    }
    if (lstat(output->path, &status) != 0) {
        output->target = errno == ENOENT ? resolve_new(output->path) : NULL;
        return output->target != NULL ? OUTCOME_OK : cannot_write(output->path, failure);
    }
    if (S_ISLNK(status.st_mode) && stat(output->path, &status) != 0) {
        if (errno != ENOENT) {
            return cannot_write(output->path, failure);
        }
        return fail(failure, OUTCOME_RESOURCES, "'%s': cannot write: it is a symbolic link to nothing", output->path);
    }
    if (!S_ISREG(status.st_mode)) {
        return fail(failure, OUTCOME_RESOURCES, "'%s': cannot write: it is %s, not a regular file", output->path,
                    S_ISDIR(status.st_mode) ? "a directory" : "a device or pipe");
    }
    if (access(output->path, W_OK) != 0) { /* the folder may allow the rename, but the file says no */
        return cannot_write(output->path, failure);
    }
    *mode = status.st_mode & 0777;
    output->target = realpath(output->path, NULL);
    return output->target != NULL ? OUTCOME_OK : cannot_write(output->path, failure);
}

static int create(const char *name, int none) {
    (void)none;
    return open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
}

/* The system's own name of an open file. */
enum { OPEN_NAME_MAX = 64 };
static const char *open_name(int descriptor, char *text) {
    (void)snprintf(text, OPEN_NAME_MAX, "/proc/self/fd/%d", descriptor);
    return text;
}

static int give_name(const char *name, int descriptor) {
    char open_as[OPEN_NAME_MAX];
    return linkat(AT_FDCWD, open_name(descriptor, open_as), AT_FDCWD, name, AT_SYMLINK_FOLLOW);
}

/* Takes a free name beside the target, either way. Its length is its own, so that a target with the longest name allowed still
   has a neighbour. Returns what take() does, -1 on failure. */
static int take_neighbour(struct output *output, int (*take)(const char *, int), int descriptor) {
    enum { ROOM = 64, TRIES = 100 };
    char *name = folder_of(output, ROOM);
    if (name == NULL) {
        return -1;
    }
    const size_t folder = strlen(name);
    int taken = -1;
    errno = EEXIST;
    for (int i = 0; i < TRIES && taken < 0 && errno == EEXIST; i++) {
        (void)snprintf(name + folder, ROOM, ".softrelu-%ld-%d.tmp", (long)getpid(), i);
        taken = take(name, descriptor);
    }
    if (taken < 0) {
        free(name);
    } else {
        output->temporary = name;
    }
    return taken;
}

/* A file in the target's folder that has no name yet, so that nothing is left of it if the program is killed; -1 where the
   system or the file system has no such files, or could not name them later. */
static int create_nameless(const struct output *output) {
    int descriptor = -1;
#ifdef O_TMPFILE
    char open_as[OPEN_NAME_MAX];
    char *folder = folder_of(output, 0);
    if (folder != NULL) {
        descriptor = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
        free(folder);
    }
    if (descriptor >= 0 && access(open_name(descriptor, open_as), F_OK) != 0) {
        (void)close(descriptor);
        descriptor = -1;
    }
#else
    (void)output;
#endif
    return descriptor;
}

enum outcome output_begin(struct output *output, const char *path, struct failure *failure) {
    mode_t mode;
    output->path = path;
    const enum outcome outcome = resolve_target(output, &mode, failure);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    int descriptor = create_nameless(output);
    if (descriptor < 0) {
        descriptor = take_neighbour(output, create, -1);
    }
    if (descriptor < 0) {
        return cannot_write(path, failure);
    }
    if (mode != 0) {
        (void)fchmod(descriptor, mode); /* a replaced file keeps its permissions where the system lets us */
    }
    output->stream = fdopen(descriptor, "wb");
    if (output->stream == NULL) {
        const enum outcome failed = cannot_write(path, failure);
        (void)close(descriptor);
        return failed;
    }
    return OUTCOME_OK;
}

enum outcome output_complete(struct output *output, bool written, struct failure *failure) {
    /* a write that failed is remembered by the stream alone where fwrite() had put all it was given into the buffer */
    if (!written || ferror(output->stream) != 0 || fflush(output->stream) != 0 || fsync(fileno(output->stream)) != 0) {
        return cannot_write(output->path, failure);
    }
    if (output->temporary == NULL) { /* must stay open: it has no name to be found by */
        return OUTCOME_OK;
    }
    const bool closed = fclose(output->stream) == 0;
    output->stream = NULL;
    return closed ? OUTCOME_OK : cannot_write(output->path, failure);
}

/* Puts the rename itself on the disk. Some file systems cannot; the file is whole either way. */
static void sync_folder(const struct output *output) {
    char *folder = folder_of(output, 0);
    const int descriptor = folder != NULL ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (descriptor >= 0) {
        (void)fsync(descriptor);
        (void)close(descriptor);
    }
    free(folder);
}

enum outcome output_commit(struct output *outputs, int count, struct failure *failure) {
    for (int i = 0; i < count; i++) {
        struct output *output = &outputs[i];
        if (output->temporary == NULL && take_neighbour(output, give_name, fileno(output->stream)) < 0) {
            return cannot_write(output->path, failure);
        }
    }
    for (int i = 0; i < count; i++) {
        if (rename(outputs[i].temporary, outputs[i].target) != 0) {
            return cannot_write(outputs[i].path, failure);
        }
        free(outputs[i].temporary);
        outputs[i].temporary = NULL;
    }
    for (int i = 0; i < count; i++) {
        sync_folder(&outputs[i]);
    }
    return OUTCOME_OK;
}

void output_discard(struct output *output) {
    if (output->stream != NULL) {
        (void)fclose(output->stream);
    }
    if (output->temporary != NULL) {
        (void)unlink(output->temporary);
    }
    free(output->temporary);
    free(output->target);
    memset(output, 0, sizeof *output);
}
