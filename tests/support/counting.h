/* An allocator that counts, spoils what it gives, and can fail at one call. */
#ifndef SOFTRELU_TESTS_COUNTING_H
#define SOFTRELU_TESTS_COUNTING_H

#include "support/testing.h"

struct counting {
    int64_t calls, live, fail_at; /* fail_at: number of the call that fails, from 1; 0 never */
    size_t bytes;                 /* asked for so far */
    bool failed;
};

/* softrelu_allocate and softrelu_release, context = a struct counting. */
void *counting_allocate(size_t bytes, void *context);
void counting_release(void *block, void *context);

#endif
