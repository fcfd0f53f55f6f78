#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The last step of the proofs in docs/constants.md: polynomials in a few variables stay below a constant on a box.

Everything is exact. A polynomial lies below the largest of its Bernstein coefficients on a box (its values are averages of
them), and halving a box is averaging coefficients; so with integer coefficients over a common power of two there is no
round-off. A box is settled when all coefficients are at most the constant, or when a side condition fails on all of it.
"""
import sys
from fractions import Fraction
from itertools import product
from math import comb, lcm


class Polynomial:
    """A polynomial with rational coefficients: {exponents: coefficient}."""

    def __init__(self, terms):
        self.terms = {e: c for e, c in terms.items() if c != 0}

    @staticmethod
    def variables(count):
        unit = [tuple(int(i == k) for i in range(count)) for k in range(count)]
        return [Polynomial({e: Fraction(1)}) for e in unit]

    def _lift(self, other):
        if isinstance(other, Polynomial):
            return other
        zero = (0,) * len(next(iter(self.terms)))
        return Polynomial({zero: Fraction(other)})

    def __add__(self, other):
        terms = dict(self.terms)
        for e, c in self._lift(other).terms.items():
            terms[e] = terms.get(e, 0) + c
        return Polynomial(terms)

    def __mul__(self, other):
        if not isinstance(other, Polynomial):
            return Polynomial({e: c * other for e, c in self.terms.items()})
        terms = {}
        for (e, c), (f, k) in product(self.terms.items(), other.terms.items()):
            g = tuple(i + j for i, j in zip(e, f))
            terms[g] = terms.get(g, 0) + c * k
        return Polynomial(terms)

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + -self._lift(other)

    def __rsub__(self, other):
        return self._lift(other) - self

    def __pow__(self, n):
        return self if n == 1 else self * self ** (n - 1)


def along(tensor, degrees, axis, change):
    """Applies change to every line of the flat row-major tensor along the axis; it may return several lists."""
    stride = 1
    for k in degrees[axis + 1:]:
        stride *= k + 1
    length = degrees[axis] + 1
    results = None
    for start in range(len(tensor)):
        if start // stride % length:
            continue
        lists = change(tensor[start:start + stride * length:stride])
        results = results or [[0] * len(tensor) for _ in lists]
        for result, line in zip(results, lists):
            result[start:start + stride * length:stride] = line
    return results


def bernstein(polynomial, box):
    """Degrees, integer Bernstein coefficients on the box, and what they are to be divided by."""
    degrees = [max(e[k] for e in polynomial.terms) for k in range(len(box))]
    unit = [Polynomial.variables(len(box))[k] * (hi - lo) + lo for k, (lo, hi) in enumerate(box)]
    moved = Polynomial({})
    for e, c in polynomial.terms.items():
        term = Polynomial({(0,) * len(box): c})
        for x, n in zip(unit, e):
            for _ in range(n):
                term = term * x
        moved = moved + term
    tensor = [moved.terms.get(e, Fraction(0)) for e in product(*(range(n + 1) for n in degrees))]
    for axis, n in enumerate(degrees):
        weights = [[Fraction(comb(i, j), comb(n, j)) for j in range(i + 1)] for i in range(n + 1)]
        tensor, = along(tensor, degrees, axis, lambda line: [[sum(w * x for w, x in zip(row, line)) for row in weights]])
    scale = lcm(*(c.denominator for c in tensor))
    return degrees, [int(c * scale) for c in tensor], scale


def halve(line):
    """The Bernstein coefficients of both halves, times 2^degree."""
    n, left, right = len(line) - 1, [], []
    for k in range(n + 1):
        left.append(line[0] << (n - k))
        right.append(line[-1] << (n - k))
        line = [x + y for x, y in zip(line, line[1:])]
    return left, right[::-1]


def below(polynomial, constant, box, conditions=(), most=200000):
    """Whether polynomial <= constant where all conditions are >= 0 on the box; the number of boxes looked at."""
    functions = [bernstein(p, box) for p in (polynomial - Fraction(constant), *conditions)]
    stack, looked = [([f[1] for f in functions], (0,) * len(box))], 0
    while stack:
        tensors, halvings = stack.pop()
        looked += 1
        if looked > most:
            return False, looked
        if max(tensors[0]) <= 0 or any(max(t) < 0 for t in tensors[1:]):
            continue
        axis = min(range(len(box)), key=lambda k: (halvings[k] - (box[k][1] - box[k][0] > Fraction(1, 2)), k))
        halves = [along(t, f[0], axis, halve) if f[0][axis] > 0 else (t, t) for t, f in zip(tensors, functions)]
        deeper = tuple(h + (k == axis) for k, h in enumerate(halvings))
        stack += [([h[side] for h in halves], deeper) for side in (0, 1)]
    return True, looked


def least_curvature():
    """-D2(1/2|f - e_1|^2) for an osc of 1: one output of mass g at l beside the output asked for, the rest diffuse."""
    a, g, eta, l = Polynomial.variables(4)
    k = g * g * (1 - a) - a
    bound = (1 - a) ** 2 * (a * (1 - 3 * a) * (1 - eta) ** 2 * (1 + g * g) + 4 * a * g * g * (1 - eta) * (l - eta)
                            - 2 * g * g * (l - eta) ** 2 + k * (eta * (1 - eta) - g * l * (1 - l)))
    feasible = [k, eta - g * l, 1 - g + g * l - eta]
    cube = [(Fraction(0), Fraction(1))] * 3
    yield "below, b = e_1", bound, "0.12021", [(Fraction(0), Fraction(3, 10)), *cube], feasible
    g, eta, l = Polynomial.variables(3)
    bound = g * g * (eta * (1 - eta) - g * l * (1 - l)) - 2 * g * g * (l - eta) ** 2
    yield "below, b = 0", bound, "0.060105", cube, [eta - g * l, 1 - g + g * l - eta]


def largest_curvature():
    """D2(1/2|f - e_1|^2) for an osc of 1: M and N the largest other outputs, or all outputs at an end."""
    a, M, N = Polynomial.variables(3)
    K = a - a * a - M * M - N * N + 2 * N
    E = 2 * M * (M - N) * (1 - M) ** 2
    quarter = Fraction(1, 4)
    box = [(Fraction(0), Fraction(1, 2)), (Fraction(0), Fraction(1)), (Fraction(0), Fraction(1, 2))]
    region = [M - N, 1 - a - M - N]
    yield "above, a <= 1/2, s = 0", quarter * K * (1 - a) + E, "0.15406", box, [K, *region]
    other = quarter * K - quarter * a * (1 - a) * (1 - 2 * a + 2 * N) + E
    yield "above, a <= 1/2, s > 0", other, "0.15406", box, [K, *region]
    yield "above, a <= 1/2, K < 0", K * M * (1 - M) + E, "0.15406", box, [-K, *region]
    M, N = Polynomial.variables(2)
    K = 2 * N - M * M - N * N
    E = 2 * M * (M - N) * (1 - M) ** 2
    region = [M - N, 1 - M - N]
    yield "above, b = 0", quarter * K + E, "0.12501", box[1:], [K, *region]
    yield "above, b = 0, K < 0", K * M * (1 - M) + E, "0.12501", box[1:], [-K, *region]
    a, x = Polynomial.variables(2)
    r = (1 - a) * x
    for name, Q in (("diffuse", 0), ("one output", (1 - a - r) ** 2)):
        bound = ((a - a * a - Q - r * r) * r * (1 - r) + (2 * a - 1) * a * r * r + 2 * Q * r * r
                 + 2 * r * r * (1 - r) ** 2)
        yield f"above, a >= 1/2, {name}", bound, "0.15406", [(Fraction(1, 2), Fraction(1)), (Fraction(0), Fraction(1))], []


def main():
    failed = False
    for name, polynomial, constant, box, conditions in (*least_curvature(), *largest_curvature()):
        proved, boxes = below(polynomial, constant, box, conditions)
        print(f"{'proved' if proved else 'OPEN  '}  {name}: <= {constant} ({boxes} boxes)", flush=True)
        failed = failed or not proved
    return failed


if __name__ == "__main__":
    sys.exit(main())
