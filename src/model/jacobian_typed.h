/* The parts of jacobian.c that depend on the precision: included twice, with REAL, TYPED, GEMM and GEMM_ADD defined. */

/* The given columns of the listed rows of A2 (rows = NULL: first, first + 1, ...): count x columns row-major, or its transpose
   when A2 lies by columns, so that either way what is contiguous is read in runs. */
static void TYPED(gather_columns)(const struct srl_matrix *a2, const int32_t *which, int64_t columns, const int32_t *rows,
                                  int64_t first, int64_t count, REAL *gathered) {
    if (a2->row_major) {
        for (int64_t k = 0; k < count; k++) {
            const double *row = a2->data + (rows != NULL ? rows[k] : first + k) * a2->ld;
            for (int64_t i = 0; i < columns; i++)
                gathered[k * columns + i] = (REAL)row[which[i]];
        }
        return;
    }
    for (int64_t i = 0; i < columns; i++) {
        const double *column = a2->data + which[i] * a2->ld;
        for (int64_t k = 0; k < count; k++)
            gathered[i * count + k] = (REAL)column[rows != NULL ? rows[k] : first + k];
    }
}

/* rows = the given rows of A1, contiguous; with the sign of a flip where a unit goes off. */
static void TYPED(gather_rows)(const struct srl_model *model, const struct srl_jacobian *jacobian, const int32_t *which,
                               int64_t count, REAL *rows) {
    for (int64_t i = 0; i < count; i++) {
        const double sign = jacobian->pattern[which[i]] ? 1.0 : -1.0;
        srl_copy_row(&model->A1, which[i], jacobian->row);
        for (int64_t k = 0; k < model->d; k++)
            rows[i * model->d + k] = (REAL)(sign * jacobian->row[k]);
    }
}

/* Listed rows of A2[:, which] A1[which, :], the latter in active_rows, at most rows_at_once() of them; onto out, or into it. */
static void TYPED(multiply)(const struct srl_model *model, struct srl_jacobian *jacobian, const int32_t *which, int64_t columns,
                            const int32_t *rows, int64_t first, int64_t count, bool onto, REAL *out) {
    const int64_t d = model->d;
    if (columns == 0) {
        if (!onto)
            memset(out, 0, (size_t)count * (size_t)d * sizeof *out);
        return;
    }
    TYPED(gather_columns)(&model->A2, which, columns, rows, first, count, jacobian->active_columns);
    (onto ? GEMM_ADD : GEMM)(model->A2.row_major ? SRL_PLAIN : SRL_TRANSPOSED, count, d, columns, jacobian->active_columns,
                             model->A2.row_major ? columns : count, jacobian->active_rows, d, out, d);
}

/* All of G = A2 diag(s) A1, or what flips add to it. */
static void TYPED(form_all)(const struct srl_model *model, struct srl_jacobian *jacobian, const int32_t *which, int64_t columns,
                            bool onto) {
    const int64_t block = rows_at_once(model, columns);
    REAL *kept = jacobian->kept;
    TYPED(gather_rows)(model, jacobian, which, columns, jacobian->active_rows);
    for (int64_t first = 0; first < model->m; first += block) {
        const int64_t count = model->m - first < block ? model->m - first : block;
        TYPED(multiply)(model, jacobian, which, columns, NULL, first, count, onto, kept + first * model->d);
    }
}

/* The largest difference between row j of the kept G and an exact one. */
static double TYPED(difference)(const struct srl_model *model, const struct srl_jacobian *jacobian, int64_t j,
                                const double *exact) {
    const REAL *row = (const REAL *)jacobian->kept + j * model->d;
    double worst = 0.0;
    for (int64_t k = 0; k < model->d; k++)
        worst = fmax(worst, fabs((double)row[k] - exact[k]));
    return worst;
}

/* Rows of a list into block, from the kept G or, with A2 absent, from A1. */
static void TYPED(copy_rows)(const struct srl_model *model, struct srl_jacobian *jacobian, const int32_t *rows, int64_t first,
                             int64_t count) {
    const int64_t d = model->d;
    const REAL *kept = jacobian->kept;
    REAL *block = jacobian->block;
    for (int64_t k = 0; k < count; k++) {
        const int64_t j = rows != NULL ? rows[first + k] : first + k;
        if (kept == NULL)
            srl_copy_row(&model->A1, j, jacobian->row);
        for (int64_t i = 0; i < d; i++)
            block[k * d + i] = kept != NULL ? kept[j * d + i] : (REAL)jacobian->row[i];
    }
}
