/* Matrices that are mapped from a file, and may be larger than memory: how much of one is there at a time. */
#include "base/mapping.h"
#include "linalg/matrix.h"

enum { AT_ONCE = 1 << 22 }; /* bytes: little beside all else in memory, much beside what a call to the system costs */
enum { AROUND = 1 << 21 };  /* bytes, a huge page: so much may Linux map around one that is asked for, behind it too */

int64_t srl_rows_at_once(const struct srl_matrix *a) {
    const int64_t rows = AT_ONCE / (a->ld * (int64_t)srl_entry_size(a));
    return rows > 1 ? rows : 1;
}

void srl_let_go_of_rows(const struct srl_matrix *a, int64_t first, int64_t count) {
    const size_t size = srl_entry_size(a), row = (size_t)a->ld * size, begin = (size_t)first * row;
    const size_t end = (size_t)(first + count - 1) * row + (size_t)a->columns * size;
    const size_t from = begin - (begin < AROUND ? begin : AROUND);
    srl_let_go_of_pages((const char *)srl_entries(a) + from, end - from);
}
