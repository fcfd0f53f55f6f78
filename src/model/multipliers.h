/*
 * The multipliers of kinks for the residual of model/stationarity.h: least squares with bounds,
 *
 *     min over 0 <= lambda <= upper of |base + sum_k lambda_k a_k / |a_k||.
 *
 * With no more kinks than dimensions their Gram matrix is formed once. Block pivoting (L. F. Portugal, J. J. Judice and L. N.
 * Vicente, "A comparison of block pivoting and interior-point algorithms for linear least squares problems with nonnegative
 * variables", Math. Comp. 63, 1994) then solves for the free multipliers, fixes all that are outside their interval and frees
 * all whose slope pulls inwards, until neither is left: a few Cholesky factors of the size of the free set. The slopes come
 * from the rows themselves, and the last solution is corrected with its own slopes (A. Bjorck, "Stability analysis of the
 * method of seminormal equations", Linear Algebra Appl. 88/89, 1987), which makes it as good as one by orthogonal
 * factorisation unless the rows are nearly dependent. Where they are, or the blocks go round in circles, or there are more
 * kinks, an active-set method with rank-revealing orthogonal factorisations goes on (P. B. Stark and R. L. Parker,
 * "Bounded-variable least squares: an algorithm and applications", Computational Statistics 10, 1995).
 */
#ifndef SRL_MODEL_MULTIPLIERS_H
#define SRL_MODEL_MULTIPLIERS_H

#include "model/stationarity.h"

enum srl_multiplier_at { SRL_AT_ZERO, SRL_FREE, SRL_AT_UPPER };

void srl_multipliers_carve(struct srl_arena *arena, struct srl_stationarity_work *work, const struct srl_model *model);
/* Zero where a bound's multiplier cancels the component. */
void srl_clear_absorbed(const struct srl_model *model, const struct srl_stationarity_work *work, double *vector);
/* rest = base + sum of value_k times unit row k, without the absorbed components. */
void srl_add_multipliers(const struct srl_model *model, struct srl_stationarity_work *work, int64_t count);
/* Finds at, value and rest for count kinks. Returns the least |rest| found. */
double srl_find_multipliers(const struct srl_model *model, struct srl_stationarity_work *work, int64_t count);
/* at and value for count kinks by block pivoting over them and the bounds that x is at together. False when it is not the
   method for this point. */
bool srl_find_multipliers_with_bounds(const struct srl_model *model, struct srl_stationarity_work *work, int64_t count);

#endif
