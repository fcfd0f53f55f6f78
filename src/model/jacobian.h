/*
 * The Jacobian of the logits in a cell, G = A2 diag(s) A1 (m x d), s the active units, by rows.
 *
 * A block of it is one dgemm over active columns of A2 and rows of A1, gathered. Where memory is given for it, G is kept from
 * one point to the next, and when units F change sides
 *
 *     G += A2[:, F] diag(+-1) A1[F, :],
 *
 * unless it is cheaper to make it anew. Round-off adds up in that: after every update a row, another one each time, is compared
 * with one made from the data, and G is made anew when they differ. Without that memory its rows are made, used and forgotten
 * block by block, and so are the rows of a sample. With A2 absent, G = diag(s) A1: no product at all.
 *
 * All of it can be had in single precision, at half the memory and twice the rate: rows good to seven digits make a Hessian
 * that is as good for Newton steps, as long as everything that decides is computed in double.
 */
#ifndef SRL_MODEL_JACOBIAN_H
#define SRL_MODEL_JACOBIAN_H

#include "base/alloc.h"
#include "model/model.h"

struct srl_jacobian {
    bool single;            /* precision of what void pointers lead to: float, or double */
    unsigned char *pattern; /* the active units of the point last prepared for (n) */
    int32_t *active;        /* their indices */
    int64_t active_count;
    void *unit_rows;    /* rows of A1 of active units, or of those that flipped, a block of units at a time (row-major) */
    bool has_unit_rows; /* of all active ones */
    void *panel;        /* columns of A2 of the same units, a block of rows at a time */
    void *block;        /* rows of G, a block at a time */

    void *kept;                  /* all of G (m x d, row-major), NULL: not kept. Given by the owner */
    bool kept_valid;             /* it belongs to kept_pattern */
    unsigned char *kept_pattern; /* n */
    int32_t *flipped;            /* units on other sides than there (n) */
    int64_t flip_count;
    int64_t probed;       /* rows compared so far: where the next ones are taken */
    double *hidden, *row; /* scratch (n, d) */
};

void srl_jacobian_carve(struct srl_arena *arena, struct srl_jacobian *jacobian, const struct srl_model *model);
/* Entries that keeping G takes, 0 where they are more doubles than most (floats count half) or,
   with A2 absent, where there is nothing to keep. */
int64_t srl_kept_jacobian(const struct srl_model *model, bool single, double most);
/* Gives or takes away the memory for keeping G, in that precision. */
void srl_jacobian_keep_in(struct srl_jacobian *jacobian, void *kept, bool single);

/* Looks at which units are active in the cell of u, */
void srl_jacobian_look(const struct srl_model *model, struct srl_jacobian *jacobian, const double *u);
/* and by how many units a product with A2 then costs rows of G. */
double srl_jacobian_units(const struct srl_jacobian *jacobian);
/* Gets ready for rows of G in the cell of u. */
void srl_jacobian_prepare(const struct srl_model *model, struct srl_jacobian *jacobian, const double *u);
/* Row j of G in double precision, and whether it is one of its own: with A2 absent those of the units that are off are all 0.
 */
void srl_jacobian_row(const struct srl_model *model, struct srl_jacobian *jacobian, int64_t j, double *row);
bool srl_has_own_row(const struct srl_model *model, const struct srl_jacobian *jacobian, int64_t j);

/* The most rows that srl_jacobian_rows() gives at a time. */
int64_t srl_jacobian_most_rows(const struct srl_model *model);
/* Rows of G, first to first + count of the list rows (NULL: of all): where they are kept, or in block until the next call. */
const void *srl_jacobian_rows(const struct srl_model *model, struct srl_jacobian *jacobian, const int32_t *rows, int64_t first,
                              int64_t count);

/* The two factors of G by themselves, for at most srl_jacobian_most_units() active units after srl_jacobian_look(), unless A2
   is absent: rows first to first + count of A2 at the active units (row-major, in the Jacobian's precision, in block until the
   next call), and the rows of A1 of the active units, in double precision (row-major). */
int64_t srl_jacobian_most_units(const struct srl_model *model);
const void *srl_jacobian_outputs(const struct srl_model *model, struct srl_jacobian *jacobian, int64_t first, int64_t count);
const double *srl_jacobian_unit_rows(const struct srl_model *model, struct srl_jacobian *jacobian);

#endif
