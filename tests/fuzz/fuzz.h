/* What the fuzz targets share: each is a function of one byte string. libFuzzer makes up the strings, replay.c reads them from
   files. */
#ifndef SOFTRELU_TESTS_FUZZ_H
#define SOFTRELU_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Must hold, in every build: ends the program otherwise, which both libFuzzer and ctest take for a crash. */
#define HOLDS(condition) ((condition) ? (void)0 : broken(__FILE__, __LINE__, #condition))

static inline void broken(const char *file, int line, const char *condition) {
    (void)fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
    abort();
}

#endif
