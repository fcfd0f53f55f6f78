#include "step/conjugate_gradients.h"

#include <math.h>
#include <string.h>

void srl_conjugate_gradients_carve(struct srl_arena *arena, struct srl_conjugate_gradients *cg, int64_t d) {
    cg->d = d;
    cg->solution = srl_arena_doubles(arena, d);
    cg->image = srl_arena_doubles(arena, d);
    cg->residual = srl_arena_doubles(arena, d);
    cg->direction = srl_arena_doubles(arena, d);
    cg->product = srl_arena_doubles(arena, d);
    cg->preconditioned = srl_arena_doubles(arena, d);
}

/* preconditioned = L'^-1 (I - QQ') L^-1 residual. Returns residual'preconditioned. */
static double precondition(struct srl_conjugate_gradients *cg, struct srl_face *face) {
    double *z = cg->preconditioned;
    memcpy(z, cg->residual, (size_t)cg->d * sizeof *z);
    srl_trsm_lower(SRL_PLAIN, cg->d, 1, face->factor, cg->d, z, cg->d);
    srl_face_project_out(face, z);
    const double squared = srl_dot(cg->d, z, z);
    srl_trsm_lower(SRL_TRANSPOSED, cg->d, 1, face->factor, cg->d, z, cg->d);
    return squared;
}

enum srl_cg_end srl_conjugate_gradients(struct srl_conjugate_gradients *cg, struct srl_face *face, const double *c,
                                        srl_multiply multiply, void *context, double error, int64_t most_products) {
    const int64_t d = cg->d;
    for (int64_t k = 0; k < d; k++)
        cg->residual[k] = -(c[k] + cg->image[k]);
    double squared = precondition(cg, face);
    memcpy(cg->direction, cg->preconditioned, (size_t)d * sizeof *cg->direction);
    for (int64_t count = 0; squared > error * error; count++) {
        if (count == most_products)
            return SRL_CG_LIMIT;
        multiply(context, cg->direction, cg->product);
        cg->products++;
        const double curvature = srl_dot(d, cg->direction, cg->product);
        if (!isfinite(curvature))
            return SRL_CG_NOT_FINITE;
        if (!(curvature > 0.0))
            return SRL_CG_CONCAVE;
        const double length = squared / curvature;
        srl_axpy(d, length, cg->direction, cg->solution);
        srl_axpy(d, length, cg->product, cg->image);
        srl_axpy(d, -length, cg->product, cg->residual);
        const double before = squared;
        squared = precondition(cg, face);
        srl_scale(d, squared / before, cg->direction);
        srl_axpy(d, 1.0, cg->preconditioned, cg->direction);
    }
    return isfinite(squared) ? SRL_CG_SOLVED : SRL_CG_NOT_FINITE;
}
