/* SPDX-License-Identifier: BSD-3-Clause */
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

/* Finds where the file will lie, and refuses targets that a rename would destroy, such as a device. */
static enum outcome resolve_target(struct output *output, mode_t *mode, struct failure *failure) {
    struct stat status;
    *mode = 0;
    if (output->path[0] == '\0') {
        return fail(failure, OUTCOME_BAD_INPUT, "'': an output file needs a name");
    }
    if (lstat(output->path, &status) != 0) {
        if (errno != ENOENT) {
            return cannot_write(output->path, failure);
        }
        output->target = strdup(output->path);
        return output->target != NULL ? OUTCOME_OK : cannot_write(output->path, failure);
    }
    if (S_ISLNK(status.st_mode) && stat(output->path, &status) != 0) {
        return fail(failure, OUTCOME_RESOURCES, "'%s': cannot write: it is a symbolic link to nothing", output->path);
    }
    if (!S_ISREG(status.st_mode)) {
        return fail(failure, OUTCOME_RESOURCES, "'%s': cannot write: it is %s, not a regular file", output->path,
                    S_ISDIR(status.st_mode) ? "a directory" : "a device or pipe");
    }
    if (access(output->path, W_OK) != 0) { /* the folder may allow the rename, but the file says no */
        return cannot_write(output->path, failure);
    }
    *mode = status.st_mode & 07777;
    output->target = realpath(output->path, NULL);
    return output->target != NULL ? OUTCOME_OK : cannot_write(output->path, failure);
}

/* A name of its own length, so that a target with the longest name allowed still has a neighbour. */
static int create_neighbour(struct output *output) {
    enum { ROOM = 64, TRIES = 100 };
    const size_t folder = folder_length(output->target);
    char *name = malloc(folder + ROOM);
    if (name == NULL) {
        return -1;
    }
    memcpy(name, output->target, folder);
    int descriptor = -1;
    errno = EEXIST;
    for (int i = 0; i < TRIES && descriptor < 0 && errno == EEXIST; i++) {
        (void)snprintf(name + folder, ROOM, ".softrelu-%ld-%d.tmp", (long)getpid(), i);
        descriptor = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    }
    if (descriptor < 0) {
        free(name);
    } else {
        output->temporary = name;
    }
    return descriptor;
}

enum outcome output_begin(struct output *output, const char *path, struct failure *failure) {
    mode_t mode;
    output->path = path;
    const enum outcome outcome = resolve_target(output, &mode, failure);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    const int descriptor = create_neighbour(output);
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
    const bool flushed = written && fflush(output->stream) == 0 && fsync(fileno(output->stream)) == 0;
    const int reason = errno;
    const bool closed = fclose(output->stream) == 0;
    output->stream = NULL;
    if (flushed && closed) {
        return OUTCOME_OK;
    }
    if (!flushed) {
        errno = reason;
    }
    return cannot_write(output->path, failure);
}

/* Puts the rename itself on the disk. Some file systems cannot; the file is whole either way. */
static void sync_folder(const char *target) {
    char *folder = strdup(target);
    if (folder == NULL) {
        return;
    }
    const size_t length = folder_length(folder);
    folder[length] = '\0';
    const int descriptor = open(length > 0 ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor >= 0) {
        (void)fsync(descriptor);
        (void)close(descriptor);
    }
    free(folder);
}

enum outcome output_commit(struct output *output, struct failure *failure) {
    if (rename(output->temporary, output->target) != 0) {
        return cannot_write(output->path, failure);
    }
    free(output->temporary);
    output->temporary = NULL;
    sync_folder(output->target);
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

enum outcome output_check(const char *path, struct failure *failure) {
    struct output output = {0};
    const enum outcome outcome = output_begin(&output, path, failure);
    output_discard(&output);
    return outcome;
}
