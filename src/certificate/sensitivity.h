/*
 * How far F's derivatives can be from what was computed: how strongly they change with x, and what round-off made of them.
 * All of it is upper bounds, of worst cases; docs/kinks.md derives them.
 *
 * With f_top the largest output, e_j = v_j - f'v is at most osc(v), and at most (1 - f_top) osc(v) for j = top. So D2loss[v, y]
 * = sum r_j e_j(v) e_j(y) is at most osc(v) osc(y) times the bend,
 *
 *     sum over j != top of |r_j|  +  (1 - f_top)^2 |r_top|,
 *
 * which is small where the softmax is saturated, and where many outputs share the probability.
 */
#ifndef SRL_CERTIFICATE_SENSITIVITY_H
#define SRL_CERTIFICATE_SENSITIVITY_H

#include "certificate/certificate.h"
#include "model/loss_constants.h"

struct srl_sensitivity {
    double lever;       /* |G_j p| <= lever |p| for all p, the units at their kink counted as on */
    double logits;      /* error of any logit, but for the distance of x to the face */
    double slopes;      /* |q|_1 */
    double slope_error; /* error of q, from its own formula, in that norm */
    double bend;        /* |D2loss[v, y]| <= bend osc(v) osc(y) at these logits */
    double bend_error;  /* of r, weighted like the bend */
    double drift;       /* the bend changes by at most so much per oscillation of a change of the logits */
    double change;      /* |D3loss[v, v, v]| <= change osc(v)^3 at these logits */
    double weights;     /* at least |A1' diag(w^2) A1| */
    struct srl_loss_constants everywhere;
};

/* Of the point that the certificate has evaluated and whose kinks it has found. levers, errors: n of scratch each. */
void srl_find_sensitivity(const struct softrelu_certificate *certificate, double *levers, double *errors,
                          struct srl_sensitivity *found);

/* What that takes of the outputs, on all ranks: lever, and logits but for the error of the softmax; that, and the rest. */
void srl_find_levers(const struct srl_model *model, const double *levers, const double *errors, struct srl_sensitivity *found);
void srl_find_slopes_and_bends(const struct srl_evaluation *at, const struct srl_model *model, struct srl_sensitivity *found);

/* bend and change at all logits whose difference from these oscillates by at most reach. */
double srl_bend_within(const struct srl_sensitivity *sensitivity, double reach);
double srl_change_within(const struct srl_sensitivity *sensitivity, double reach);

/* What round-off may change u_i by. */
double srl_error_of_unit(const struct softrelu_certificate *certificate, int64_t i);

#endif
