/* Listed entries of listed vectors of a matrix, without gaps. Included once for each pair of types, with ENTRY, REAL and GATHER
   defined. */
static void GATHER(const ENTRY *data, int64_t ld, struct srl_range vectors, struct srl_range entries, REAL *restrict out) {
    for (int64_t k = 0; k < vectors.count; k++) {
        const ENTRY *vector = data + (vectors.list != NULL ? vectors.list[k] : vectors.first + k) * ld;
        REAL *gathered = out + k * entries.count;
        for (int64_t i = 0; i < entries.count && entries.list != NULL; i++)
            gathered[i] = (REAL)vector[entries.list[i]];
        for (int64_t i = 0; i < entries.count && entries.list == NULL; i++)
            gathered[i] = (REAL)vector[entries.first + i];
    }
}
#undef ENTRY
#undef REAL
#undef GATHER
