/*
 * Newton's method in long double on the face of a certified point: the points where its kinks stay kinks and its bounds bounds.
 * Every step solves the conditions of a minimiser, linearised, by elimination: slow, and independent of the library.
 */
#ifndef SOFTRELU_TESTS_REFINING_H
#define SOFTRELU_TESTS_REFINING_H

#include "support/instance.h"

struct face {
    const struct instance *instance;
    int64_t kinks;     /* independent rows */
    long double *rows; /* unit rows of the kinks (kinks x d) */
    int64_t *units;    /* whose rows they are (kinks) */
    signed char *kink; /* of each unit, as softrelu_certificate_active() */
    signed char *bound;
};

struct face face_of(const struct instance *instance, const softrelu_certificate *certificate);
void face_free(struct face *face);
/* Newton's step from x, into x; returns its length. */
long double face_newton(const struct face *face, long double *x);
/* The part of move (d) along the face. */
void face_project(const struct face *face, long double *move);
/* Newton's method from x until it stands still; returns the length of the last step. */
long double face_refine(const struct face *face, long double *x);

#endif
