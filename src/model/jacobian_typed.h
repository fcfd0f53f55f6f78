/* The parts of jacobian.c that depend on the precision: included twice, with REAL, TYPED, GATHER, GEMM and GEMM_ADD defined. */

/* unit_rows = the given rows of A1, contiguous; with the sign of a flip where a unit goes off. */
static void TYPED(gather_unit_rows)(const struct srl_model *model, struct srl_jacobian *jacobian, const int32_t *which,
                                    int64_t units) {
    REAL *restrict rows = jacobian->unit_rows;
    const double *row = jacobian->row;
    for (int64_t i = 0; i < units; i++) {
        const double sign = jacobian->pattern[which[i]] ? 1.0 : -1.0;
        srl_copy_row(&model->A1, which[i], jacobian->row);
        for (int64_t k = 0; k < model->d; k++)
            rows[i * model->d + k] = (REAL)(sign * row[k]);
    }
}

/* out (+)= listed rows of A2[:, which] times unit_rows, for at most UNITS units. */
static void TYPED(multiply_units)(const struct srl_model *model, struct srl_jacobian *jacobian, const int32_t *which,
                                  int64_t units, struct srl_range rows, bool onto, REAL *out) {
    const bool by_rows = model->A2.row_major;
    const int64_t d = model->d;
    const REAL *panel = jacobian->panel, *unit_rows = jacobian->unit_rows;
    for (int64_t first = 0; first < rows.count && !srl_interrupted(model->interruption); first += PANEL) {
        const int64_t count = at_most(rows.count - first, PANEL);
        const struct srl_range part = {rows.list != NULL ? rows.list + first : NULL, rows.first + first, count};
        GATHER(&model->A2, part, (struct srl_range){which, 0, units}, jacobian->panel);
        for (int64_t unit = 0; unit < units && !srl_interrupted(model->interruption); unit += INNER)
            (onto || unit > 0 ? GEMM_ADD : GEMM)(by_rows ? SRL_PLAIN : SRL_TRANSPOSED, count, d, at_most(units - unit, INNER),
                                                 panel + unit * (by_rows ? 1 : count), by_rows ? units : count,
                                                 unit_rows + unit * d, d, out + first * d, d);
    }
}

/* Listed rows of A2[:, which] A1[which, :]; onto out, or into it. */
static void TYPED(multiply)(const struct srl_model *model, struct srl_jacobian *jacobian, const int32_t *which, int64_t units,
                            struct srl_range rows, bool onto, void *out) {
    const bool all_active = which == jacobian->active && units <= UNITS;
    if (units == 0 && !onto)
        memset(out, 0, (size_t)rows.count * (size_t)model->d * sizeof(REAL));
    for (int64_t unit = 0; unit < units && !srl_interrupted(model->interruption); unit += UNITS) {
        const int64_t count = at_most(units - unit, UNITS);
        if (!(all_active && jacobian->has_unit_rows))
            TYPED(gather_unit_rows)(model, jacobian, which + unit, count);
        TYPED(multiply_units)(model, jacobian, which + unit, count, rows, onto || unit > 0, out);
    }
    jacobian->has_unit_rows = all_active;
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
static void TYPED(copy_rows)(const struct srl_model *model, struct srl_jacobian *jacobian, struct srl_range rows) {
    const int64_t d = model->d;
    const REAL *kept = jacobian->kept;
    REAL *block = jacobian->block;
    for (int64_t k = 0; k < rows.count; k++) {
        const int64_t j = rows.list != NULL ? rows.list[k] : rows.first + k;
        if (kept == NULL)
            srl_copy_row(&model->A1, j, jacobian->row);
        for (int64_t i = 0; i < d; i++)
            block[k * d + i] = kept != NULL ? kept[j * d + i] : (REAL)jacobian->row[i];
    }
}

/* rows = columns', count x length; TILE of each at a time, whose lines stay in the cache. */
static void TYPED(transpose)(const REAL *restrict columns, int64_t count, int64_t length, REAL *restrict rows) {
    for (int64_t first = 0; first < count; first += TILE)
        for (int64_t k = 0; k < length; k += TILE)
            for (int64_t j = first; j < at_most(count, first + TILE); j++)
                for (int64_t i = k; i < at_most(length, k + TILE); i++)
                    rows[j * length + i] = columns[i * count + j];
}

/* Entries of rows of A2 at the active units into block, row-major. */
static void TYPED(copy_outputs)(const struct srl_model *model, struct srl_jacobian *jacobian, int64_t first, int64_t count) {
    const int64_t units = jacobian->active_count;
    const struct srl_range active = {jacobian->active, 0, units};
    REAL *block = jacobian->block;
    if (model->A2.row_major) {
        GATHER(&model->A2, (struct srl_range){NULL, first, count}, active, block);
        return;
    }
    for (int64_t j = 0; j < count; j += PANEL) {
        const int64_t rows = at_most(count - j, PANEL);
        GATHER(&model->A2, (struct srl_range){NULL, first + j, rows}, active, jacobian->panel);
        TYPED(transpose)(jacobian->panel, rows, units, block + j * units);
    }
}
