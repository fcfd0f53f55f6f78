/* The data of a test problem in plain row-major arrays, and its way into the library in every layout and ownership. */
#ifndef SOFTRELU_TESTS_INSTANCE_H
#define SOFTRELU_TESTS_INSTANCE_H

#include "support/testing.h"

struct instance {
    int64_t n, d, m;
    double *A1, *A2; /* row-major, no gaps; A2 = NULL: absent */
    double *b, *c1, *c2, *w, *x_ref;
    double *lower, *upper; /* NULL: none */
    double rho;
    softrelu_loss loss;
};

/* Standard deviations of the entries (A1 and A2 then divided by the root of their columns); 0: absent. b is a point of the
   simplex times its scale. */
struct instance_scales {
    double A1, A2, b, c1, c2, w, x_ref, rho;
};

struct instance random_instance(struct test_random *random, int64_t n, int64_t d, int64_t m, struct instance_scales scales,
                                softrelu_loss loss);
/* A teacher x_true sets b = softmax of its logits plus noise: attainable when noise is 0. w is the same for all rows. */
struct instance synthetic_instance(struct test_random *random, int64_t n, int64_t d, int64_t m, double noise, double w);
struct instance instance_copy(const struct instance *instance);
void instance_free(struct instance *instance);

struct placement {
    softrelu_layout layout;
    int64_t padding; /* added to the least leading dimension, filled with NaN */
    softrelu_ownership ownership;
    bool single_A1, single_A2; /* in single precision, which must hold the entries exactly */
};
extern const struct placement PLAIN_PLACEMENT;

/* A sealed problem, and the buffers it borrows. Copied buffers are spoilt with NaN and freed before the problem is sealed. */
struct built {
    softrelu_problem *problem;
    void *A1, *A2;
};

struct built build(const struct instance *instance, struct placement placement);
void built_free(struct built *built);
/* row-major rows x columns into a new buffer as placement says, with its leading dimension */
double *place_matrix(const double *values, int64_t rows, int64_t columns, struct placement placement, int64_t *ld);
/* Every entry of A1 and A2 becomes one that single precision holds exactly. */
void instance_round(struct instance *instance);
/* Moves a new evaluator on the problem to x. */
softrelu_evaluator *evaluator_at(const softrelu_problem *problem, const double *x, int64_t d);

#endif
