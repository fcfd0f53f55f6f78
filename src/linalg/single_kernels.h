/* The loops of single.c, included once for each instruction set with TARGET and KERNEL defined. Vectors of eight, whatever the
   machine makes of them: the sums, and so the results, are the same in every set. */

/* sums_k = product of vector k of VECTORS vectors with x, in LANES sums that do not wait for each other. */
TARGET static void KERNEL(dots)(const float *a, int64_t ld, int64_t length, const double *x, double *sums) {
    doubles lanes[VECTORS] = {{0.0}};
    int64_t i = 0;
    for (; i + LANES <= length; i += LANES) {
        floats narrow;
        doubles factor;
        memcpy(&factor, x + i, sizeof factor);
        for (int k = 0; k < VECTORS; k++) {
            memcpy(&narrow, a + k * ld + i, sizeof narrow);
            lanes[k] += __builtin_convertvector(narrow, doubles) * factor;
        }
    }
    for (int k = 0; k < VECTORS; k++) {
        const doubles s = lanes[k];
        sums[k] = ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
        for (int64_t rest = i; rest < length; rest++)
            sums[k] += (double)a[k * ld + rest] * x[rest];
    }
}

/* The same for one vector. */
TARGET static double KERNEL(dot)(const float *a, int64_t length, const double *x) {
    doubles s = {0.0};
    int64_t i = 0;
    for (; i + LANES <= length; i += LANES) {
        floats narrow;
        doubles factor;
        memcpy(&factor, x + i, sizeof factor);
        memcpy(&narrow, a + i, sizeof narrow);
        s += __builtin_convertvector(narrow, doubles) * factor;
    }
    double sum = ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
    for (; i < length; i++)
        sum += (double)a[i] * x[i];
    return sum;
}

/* y += weights_0 (vector 0) + ... of VECTORS vectors. */
TARGET static void KERNEL(combine)(const float *a, int64_t ld, int64_t length, const double *weights, double *restrict y) {
    int64_t i = 0;
    for (; i + LANES <= length; i += LANES) {
        floats narrow;
        doubles sum = {0.0}, total;
        for (int k = 0; k < VECTORS; k++) {
            memcpy(&narrow, a + k * ld + i, sizeof narrow);
            sum += __builtin_convertvector(narrow, doubles) * weights[k];
        }
        memcpy(&total, y + i, sizeof total);
        total += sum;
        memcpy(y + i, &total, sizeof total);
    }
    for (; i < length; i++) {
        double sum = 0.0;
        for (int k = 0; k < VECTORS; k++)
            sum += (double)a[k * ld + i] * weights[k];
        y[i] += sum;
    }
}
#undef TARGET
#undef KERNEL
