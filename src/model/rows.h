/*
 * Rows of A2, and of the Jacobian of the logits G = A2 diag(s) A1, a block at a time: with many outputs neither G nor anything
 * else of size m x d is ever in memory. On them, the largest distance between two rows: what osc(v) of a direction of the
 * logits is bounded by, osc(G p) <= (largest distance) |p|.
 */
#ifndef SRL_MODEL_ROWS_H
#define SRL_MODEL_ROWS_H

#include "base/alloc.h"
#include "model/model.h"

enum { SRL_ROW_BLOCK = 128 };

enum srl_rows_of { SRL_ROWS_OF_A2, SRL_ROWS_OF_G };

struct srl_rows {
    unsigned char *on; /* s: the units that count as active (n); to be set before srl_rows_activate() */
    int32_t *active;   /* their indices */
    int64_t active_count;
    double *active_rows; /* their rows of A1, row-major (n x d); with A2 absent all rows, zeros where a unit is off */
    double *columns;     /* active columns of a block of rows of A2 (block x n) */
    double *block;       /* rows that were asked for (block x the larger of n and d, row-major) */
    double *all;         /* all rows, where they are few enough to look at all pairs */
    double *centre;      /* mean of the rows (the larger of n and d) */
    double *difference;  /* of two rows */
};

void srl_rows_carve(struct srl_arena *arena, struct srl_rows *rows, const struct srl_model *model);
/* Takes s from rows->on. */
void srl_rows_activate(struct srl_rows *rows, const struct srl_model *model);
/* Rows first .. first + count of A2 (length n) or G (length d) into out, row-major, count <= SRL_ROW_BLOCK. */
void srl_rows_read(struct srl_rows *rows, const struct srl_model *model, enum srl_rows_of of, int64_t first, int64_t count,
                   double *out);

struct srl_row_distance {
    double largest;
    bool exact; /* all pairs were looked at; else largest + second largest distance from the rows' mean, which bounds it */
};
struct srl_row_distance srl_largest_row_distance(struct srl_rows *rows, const struct srl_model *model, enum srl_rows_of of);

#endif
