#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

enum { CACHE_LINE = 64 };

static void *allocate_with_malloc(size_t bytes, void *context) {
    (void)context;
    return malloc(bytes);
}

static void release_with_free(void *block, void *context) {
    (void)context;
    free(block);
}

struct srl_allocator srl_allocator_of(softrelu_allocate allocate, softrelu_release release, void *context) {
    if (allocate == NULL)
        return (struct srl_allocator){allocate_with_malloc, release_with_free, NULL};
    return (struct srl_allocator){allocate, release, context};
}

void *srl_allocate(const struct srl_allocator *allocator, int64_t count, size_t size) {
    if (count < 0 || (uint64_t)count > SIZE_MAX / size)
        return NULL;
    const size_t bytes = (size_t)count * size, least = bytes > 0 ? bytes : 1;
    if (allocator->allocate == allocate_with_malloc)
        return calloc(1, least); /* large blocks come as zeroed pages, which cost nothing until they are touched */
    void *block = allocator->allocate(least, allocator->context);
    if (block != NULL)
        memset(block, 0, bytes);
    return block;
}

void srl_release(const struct srl_allocator *allocator, void *block) {
    if (block != NULL)
        allocator->release(block, allocator->context);
}

bool srl_arena_reserve(struct srl_arena *arena, const struct srl_allocator *allocator) {
    if (arena->overflow || arena->used > SIZE_MAX - CACHE_LINE)
        return false;
    arena->capacity = arena->used;
    arena->used = 0;
    arena->block = (char *)srl_allocate(allocator, 1, arena->capacity + CACHE_LINE);
    if (arena->block == NULL)
        return false;
    arena->base = arena->block + (CACHE_LINE - (uintptr_t)arena->block % CACHE_LINE) % CACHE_LINE;
    return true;
}

void srl_arena_release(struct srl_arena *arena, const struct srl_allocator *allocator) {
    srl_release(allocator, arena->block);
    *arena = (struct srl_arena){0};
}

void *srl_arena_take(struct srl_arena *arena, int64_t count, size_t size) {
    size_t room = SIZE_MAX - arena->used - CACHE_LINE;
    if (count < 0 || arena->used > SIZE_MAX - 2 * (size_t)CACHE_LINE || (uint64_t)count > room / size) {
        arena->overflow = true;
        return NULL;
    }
    size_t bytes = ((size_t)count * size + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
    char *taken = arena->base == NULL ? NULL : arena->base + arena->used;
    arena->used += bytes;
    return taken;
}

double *srl_arena_matrix(struct srl_arena *arena, int64_t rows, int64_t columns) {
    if (columns > 0 && rows > INT64_MAX / columns) {
        arena->overflow = true;
        return NULL;
    }
    return srl_arena_doubles(arena, rows * columns);
}
