#define _DEFAULT_SOURCE /* madvise() is in no standard */
#include "base/mapping.h"

#ifdef __linux__

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* One line of /proc/self/maps: "first-last rwxp offset device inode path". */
struct region {
    uintptr_t first, last;
    bool keeps; /* what is in it has another place, which pages are read from again */
};

static struct region region_of(const char *line) {
    char *at = NULL;
    struct region region;
    region.first = (uintptr_t)strtoull(line, &at, 16);
    region.last = *at == '-' ? (uintptr_t)strtoull(at + 1, &at, 16) : 0;
    const char *modes = strlen(at) > 5 ? at + 1 : "-w-p "; /* a line that is none keeps nothing */
    (void)strtoull(modes + 4, &at, 16);
    at += strspn(at, " ");
    const unsigned long long inode = strtoull(at + strcspn(at, " "), NULL, 10);
    region.keeps = modes[3] == 's' || (modes[1] != 'w' && inode != 0);
    return region;
}

/* The lines are in order of addresses. A path may be as long as it likes: its first bytes are all that is read of it. */
bool srl_is_mapped_from_file(const void *start, size_t bytes) {
    const uintptr_t end = (uintptr_t)start + bytes;
    uintptr_t known = (uintptr_t)start; /* as far as this all is well */
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[256];
    bool whole = true; /* the last piece ended its line: the next one starts another */
    while (maps != NULL && known < end && fgets(line, sizeof line, maps) != NULL) {
        const size_t length = strlen(line);
        const struct region region = whole ? region_of(line) : (struct region){0};
        whole = length > 0 && line[length - 1] == '\n';
        if (region.keeps && region.first <= known && known < region.last)
            known = region.last;
    }
    if (maps != NULL)
        (void)fclose(maps);
    return known >= end;
}

/* Outwards to whole pages: each lies in the same region as the bytes in it. Advice that is not taken costs memory only. */
void srl_let_go_of_pages(const void *start, size_t bytes) {
    const size_t before = (uintptr_t)start % (uintptr_t)sysconf(_SC_PAGESIZE);
    const union {
        const char *given;
        void *wanted; /* nothing is written there, though it is not called const */
    } first = {(const char *)start - before};
    (void)madvise(first.wanted, before + bytes, MADV_DONTNEED);
}

#else

/* Elsewhere no advice is sure to leave memory as it is that only looks mapped; and a system in want of memory takes pages that
   a file has. */
bool srl_is_mapped_from_file(const void *start, size_t bytes) {
    (void)start;
    (void)bytes;
    return true;
}

void srl_let_go_of_pages(const void *start, size_t bytes) {
    (void)start;
    (void)bytes;
}

#endif
