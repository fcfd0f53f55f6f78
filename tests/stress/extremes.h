/* Random problems at the ends of double precision. */
#ifndef SOFTRELU_TESTS_EXTREMES_H
#define SOFTRELU_TESTS_EXTREMES_H

#include "support/reference.h"

/* Small problems whose arrays are each absent, ordinary or drawn from one of the extremes: entries of 1e-300 to 1e300, or
   around 1e+-150, or subnormal, all of one size or each of its own, zeros among them; rows and columns that are repeated,
   opposite or 0; targets that are one output, have zeros, or are no distribution; weights and rho that are 0, denormal or
   1e300; bounds that are equal, infinite or far. */
struct instance extreme_instance(struct test_random *random);
/* A point, d numbers: ordinary, extreme, 0, or on kinks. */
double *extreme_point(struct test_random *random, const struct instance *instance);
/* Gives the instance to a new problem and seals it. NULL where that is refused, which must be for overflow, with a message. */
softrelu_problem *sealed_or_refused(const struct instance *instance);

/* A bound of what the derivatives may come across on their way, in whatever order their factors are multiplied. */
long double largest_intermediate(const struct instance *instance, const struct reference *at, const double *x);

/* What numbers below the normal range may add to errors: the least number, with what it is multiplied by on its way into u, z,
   the loss, the gradient, the Hessian
   and its product with a vector of length 1. */
struct underflow {
    long double u, z, loss, gradient, hessian, product;
};
struct underflow underflow_of(const struct instance *instance, const struct reference *at, const double *x);

#endif
