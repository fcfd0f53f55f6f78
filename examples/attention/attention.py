#!/usr/bin/env python3
"""Attention regression: which token pays attention as asked?

    examples/attention/attention.py [TOKENS] [DIMENSION]

In the notation of Deng, Song and Xie, A1 holds the queries and A2 the keys:

    f(x) = softmax(4 K relu(Q x) / sqrt(n)),   Q: n x d,   K: m x n

is the attention that a token with embedding x pays to m tokens, whose keys K = relu(E Q') come from their embeddings E (m x d) by the same
head (4: how sharp it is). Given an attention pattern b, the regression asks for the embedding x that has it, near the embedding of a token that is there. The
patterns are ones that heads of language models are known for: the token before, the first token, a window, a few tokens at once. How near
each comes is told by the total variation |f - b|_1 / 2, before and after.
"""
import sys
import time

import numpy as np

import softrelu

SHADES = " .:-=+*#%@"


def softmax(z):
    e = np.exp(z - z.max())
    return e / e.sum()


def patterns(m, position):
    """Attention of the token at `position`; all sum to 1."""
    j = np.arange(m)
    before = softmax(-np.abs(j - (position - 1)) * 2.0)
    window = softmax(np.where(np.abs(j - position) <= m // 32, 4.0, 0.0))
    few = np.zeros(m)
    few[[m // 8, m // 2, m - m // 8]] = 1 / 3
    first = np.full(m, 0.2 / (m - 1))
    first[0] = 0.8
    return {"the token before": before, "a window around": window, "three tokens at once": 0.97 * few + 0.03 / m,
            "the first token": first}


def picture(f, columns=64):
    """Attention by position: the largest in each stretch of tokens, on a scale of roots."""
    most = np.array([part.max() for part in np.array_split(f, columns)])
    return "".join(SHADES[int(level)] for level in np.sqrt(most / f.max()) * (len(SHADES) - 1))


def main():
    m = int(sys.argv[1]) if len(sys.argv) > 1 else 256
    d = int(sys.argv[2]) if len(sys.argv) > 2 else 128
    n = 4 * d  # an overcomplete head: the keys of m tokens can be told apart
    rng = np.random.default_rng(2023)
    E = rng.standard_normal((m, d))
    Q = rng.standard_normal((n, d)) / np.sqrt(d)
    K = np.maximum(E @ Q.T, 0)
    K -= K.mean(axis=0)  # what all keys have in common does not change a softmax
    A2 = 4 * K / np.sqrt(n)

    position = m // 3
    x_ref = E[position]
    problem = softrelu.Problem(Q, np.full(m, 1 / m), A2=A2, rho=1e-5, x_ref=x_ref, loss="kl")
    solver = softrelu.Solver(problem)
    before = problem.at(x_ref).prediction
    worse = 0
    print(f"{m} tokens, embeddings of dimension {d}, {n} units; the token at {position} pays\n  [{picture(before)}]")
    for name, b in patterns(m, position).items():
        began = time.perf_counter()
        result = solver.solve(b=b)
        seconds = time.perf_counter() - began
        f = problem.at(result.x).prediction
        missed, was = abs(f - b).sum() / 2, abs(before - b).sum() / 2
        worse += missed >= was or not result.converged
        print(f"\n{name}: total variation {was:.3f} -> {missed:.3f}, moved by {np.linalg.norm(result.x - x_ref):.1f}"
              f" of {np.linalg.norm(x_ref):.1f}\n  [{picture(b)}] asked\n  [{picture(f)}] found\n"
              f"  {result.termination}, {result.certificate.verdict}; {result.report['iterations']:.0f} iterations, {seconds:.2f} s")
    return 0 if worse == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
