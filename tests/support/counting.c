#include "support/counting.h"

#include <stdlib.h>
#include <string.h>

void *counting_allocate(size_t bytes, void *context) {
    struct counting *counting = context;
    counting->calls++;
    counting->bytes += bytes;
    if (counting->calls == counting->fail_at) {
        counting->failed = true;
        return NULL;
    }
    void *block = malloc(bytes);
    assert_non_null(block);
    memset(block, 0xA5, bytes); /* nothing may be taken for zero */
    counting->live++;
    return block;
}

void counting_release(void *block, void *context) {
    struct counting *counting = context;
    assert_non_null(block);
    counting->live--;
    free(block);
}
