#include "step/conjugate_gradients.h"

#include <math.h>
#include <string.h>

void srl_conjugate_gradients_carve(struct srl_arena *arena, struct srl_conjugate_gradients *cg, int64_t d) {
    cg->d = d;
    cg->interruption = NULL;
    cg->solution = srl_arena_doubles(arena, d);
    cg->image = srl_arena_doubles(arena, d);
    cg->residual = srl_arena_doubles(arena, d);
    cg->conjugate = srl_arena_doubles(arena, d);
    cg->direction = srl_arena_doubles(arena, d);
    cg->product = srl_arena_doubles(arena, d);
    cg->preconditioned = srl_arena_doubles(arena, d);
}

/* x = (I - QQ') L^-1 x */
static void to_face(struct srl_face *face, double *x) {
    srl_metric_solve(face->metric, SRL_PLAIN, 1, x);
    srl_face_project_out(face, x);
}

enum srl_cg_end srl_conjugate_gradients(struct srl_conjugate_gradients *cg, struct srl_face *face, const double *c,
                                        srl_multiply multiply, void *context, double error, int64_t most_products) {
    const int64_t d = cg->d;
    const size_t size = (size_t)d * sizeof *cg->residual;
    for (int64_t k = 0; k < d; k++)
        cg->residual[k] = -(c[k] + cg->image[k]);
    to_face(face, cg->residual);
    memcpy(cg->conjugate, cg->residual, size);
    double squared = srl_dot(d, cg->residual, cg->residual);
    for (int64_t count = 0; squared > error * error; count++) {
        if (count == most_products || srl_interrupted(cg->interruption))
            return SRL_CG_LIMIT;
        memcpy(cg->direction, cg->conjugate, size);
        srl_metric_solve(face->metric, SRL_TRANSPOSED, 1, cg->direction);
        multiply(context, cg->direction, cg->product);
        cg->products++;
        const double curvature = srl_dot(d, cg->direction, cg->product);
        if (!isfinite(curvature))
            return SRL_CG_NOT_FINITE;
        if (!(curvature > 0.0))
            return SRL_CG_CONCAVE;
        memcpy(cg->preconditioned, cg->product, size);
        to_face(face, cg->preconditioned);
        const double length = squared / curvature, before = squared;
        srl_axpy(d, length, cg->direction, cg->solution);
        srl_axpy(d, length, cg->product, cg->image);
        srl_axpy(d, -length, cg->preconditioned, cg->residual);
        squared = srl_dot(d, cg->residual, cg->residual);
        srl_scale(d, squared / before, cg->conjugate);
        srl_axpy(d, 1.0, cg->residual, cg->conjugate);
    }
    return isfinite(squared) ? SRL_CG_SOLVED : SRL_CG_NOT_FINITE;
}
