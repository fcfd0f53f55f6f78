/*
 * Preloaded into a program: refuses memory, and files without a name, as the environment says.
 *
 *     SOFTRELU_FAULT_ALLOCATION=k   the k-th allocation that main() and what it calls ask for fails, from 1
 *     SOFTRELU_FAULT_NAMELESS=1     no O_TMPFILE, as on file systems that lack it
 *     SOFTRELU_FAULT_LOG=path       afterwards holds "allocations blocks", the blocks that main() left behind
 *
 * Nothing is refused before main(): how the libraries come up is not the program's affair.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What glibc calls its own. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void __libc_free(void *block);

static atomic_bool in_main;
static atomic_long asked, blocks, refused;

static bool refuse(void) {
    if (!in_main || ++asked != refused)
        return false;
    errno = ENOMEM;
    return true;
}
static void *given(void *block) {
    blocks += in_main && block != NULL;
    return block;
}

void *malloc(size_t size) { return refuse() ? NULL : given(__libc_malloc(size)); }
void *calloc(size_t count, size_t size) { return refuse() ? NULL : given(__libc_calloc(count, size)); }
void *realloc(void *block, size_t size) {
    if (refuse())
        return NULL;
    return block != NULL ? __libc_realloc(block, size) : given(__libc_realloc(NULL, size));
}
void free(void *block) {
    blocks -= in_main && block != NULL;
    __libc_free(block);
}

int open(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    const mode_t mode = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    if ((flags & O_TMPFILE) == O_TMPFILE && getenv("SOFTRELU_FAULT_NAMELESS") != NULL) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

typedef int main_function(int, char **, char **);
static main_function *real_main;

static int counted_main(int argc, char **argv, char **environment) {
    const char *which = getenv("SOFTRELU_FAULT_ALLOCATION");
    refused = which != NULL ? atol(which) : 0;
    in_main = true;
    const int status = real_main(argc, argv, environment);
    in_main = false;
    const char *log_path = getenv("SOFTRELU_FAULT_LOG");
    FILE *log = log_path != NULL ? fopen(log_path, "w") : NULL;
    if (log != NULL) {
        (void)fprintf(log, "%ld %ld\n", (long)asked, (long)blocks);
        (void)fclose(log);
    }
    return status;
}

typedef int start_function(main_function *, int, char **, void (*)(void), void (*)(void), void (*)(void), void *);
start_function __libc_start_main;

int __libc_start_main(main_function *entry, int argc, char **argv, void (*init)(void), void (*fini)(void),
                      void (*rtld_fini)(void), void *stack_end) {
    start_function *next;
    *(void **)&next = dlsym(RTLD_NEXT, "__libc_start_main");
    real_main = entry;
    return next(counted_main, argc, argv, init, fini, rtld_fini, stack_end);
}
