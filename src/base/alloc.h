/*
 * Memory: the handle's allocator, and the arena from which all work memory of a handle is carved.
 *
 * A component states its needs in one function that carves its arrays from an arena. Run on a counting arena it yields the
 * size, run on a real one the arrays; so the two can never disagree, and one release frees everything:
 *
 *     struct srl_arena arena = {0};
 *     carve(&arena, work);                             counts
 *     if (!srl_arena_reserve(&arena, allocator)) ...   out of memory, or the sum does not fit in size_t
 *     carve(&arena, work);                             hands out
 */
#ifndef SRL_BASE_ALLOC_H
#define SRL_BASE_ALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <softrelu/softrelu.h>

struct srl_allocator {
    softrelu_allocate allocate;
    softrelu_release release;
    void *context;
};

/* The given pair, or malloc and free when both are NULL. */
struct srl_allocator srl_allocator_of(softrelu_allocate allocate, softrelu_release release, void *context);

/* Zeroed block of count * size bytes, NULL when out of memory or when the product overflows. */
void *srl_allocate(const struct srl_allocator *allocator, int64_t count, size_t size);
/* Frees what srl_allocate returned; NULL is allowed. */
void srl_release(const struct srl_allocator *allocator, void *block);

struct srl_arena {
    char *base;      /* NULL while counting */
    char *block;     /* what the allocator returned; base is its first aligned byte */
    size_t used;     /* bytes handed out, or counted */
    size_t capacity; /* bytes available behind base */
    bool overflow;   /* a request, or their sum, exceeds size_t */
};

/* Allocates what was counted and makes the arena ready to hand it out, zeroed. False when memory is short. */
bool srl_arena_reserve(struct srl_arena *arena, const struct srl_allocator *allocator);
void srl_arena_release(struct srl_arena *arena, const struct srl_allocator *allocator);

/* count elements, aligned to a cache line; NULL while counting. count >= 0. */
void *srl_arena_take(struct srl_arena *arena, int64_t count, size_t size);
static inline double *srl_arena_doubles(struct srl_arena *arena, int64_t count) {
    return (double *)srl_arena_take(arena, count, sizeof(double));
}
static inline int32_t *srl_arena_indices(struct srl_arena *arena, int64_t count) {
    return (int32_t *)srl_arena_take(arena, count, sizeof(int32_t));
}
static inline unsigned char *srl_arena_flags(struct srl_arena *arena, int64_t count) {
    return (unsigned char *)srl_arena_take(arena, count, sizeof(unsigned char));
}
/* Arrays that are never needed at the same time may lie in the same place: carve one set from a mark, go back to it, carve the
   other, and go on behind the longer one with the mark that was taken behind the first. */
static inline size_t srl_arena_mark(const struct srl_arena *arena) { return arena->used; }
static inline void srl_arena_back_to(struct srl_arena *arena, size_t mark) { arena->used = mark; }
static inline void srl_arena_behind(struct srl_arena *arena, size_t mark) {
    arena->used = arena->used < mark ? mark : arena->used;
}
/* rows x columns doubles; a product beyond int64_t marks the arena as overflowing. */
double *srl_arena_matrix(struct srl_arena *arena, int64_t rows, int64_t columns);

#endif
