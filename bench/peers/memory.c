/* SPDX-License-Identifier: BSD-3-Clause */
#include "peers.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>

static const uintptr_t LARGEST = (uintptr_t)64 << 20; /* data of the problem, which is read only, is not copied */

void bring_memory_in(void) {
#if defined(MADV_POPULATE_READ) && defined(MADV_POPULATE_WRITE)
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512], writable;
    uintptr_t begin, end;
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL)
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " r%c", &begin, &end, &writable) == 3 && end - begin <= LARGEST)
            (void)madvise((void *)begin, end - begin,
                          writable == 'w' ? MADV_POPULATE_WRITE : MADV_POPULATE_READ); /* may fail */
    if (maps != NULL)
        (void)fclose(maps);
#endif
}
