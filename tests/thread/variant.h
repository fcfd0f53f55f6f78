/* Problems and settings that between them take every way through a solve. */
#ifndef SOFTRELU_TESTS_VARIANT_H
#define SOFTRELU_TESTS_VARIANT_H

#include "support/instance.h"

struct variant {
    const char *name;
    softrelu_loss loss;
    double noise;          /* in the target: 0 can be attained */
    double box;            /* |x_k| <= box; 0: no bounds */
    double units, outputs; /* n and m, over d */
    bool proximity;        /* rho and x_ref in place of weights w */
    bool start;            /* from a point of the user's, in place of the warm start */
    const char *settings;  /* "name=value", separated by blanks */
};

enum { VARIANTS = 16 };
extern const struct variant VARIANT[VARIANTS];

struct varied {
    const struct variant *variant;
    struct instance instance;
    double *x0; /* NULL: none */
    struct built built;
};

/* A problem in d unknowns. */
struct varied varied_of(const struct variant *variant, uint64_t seed, int64_t d);
void varied_free(struct varied *varied);
/* A solver of it, with the settings. What fails comes back: threads have no cmocka. */
softrelu_status varied_solver(const struct varied *varied, softrelu_solver **solver);

#endif
