#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The last step of the proofs in docs/constants.md: homogeneous polynomials stay below a constant on a simplex.

Everything is exact. On a simplex a polynomial lies below the largest of its Bernstein coefficients (its values are averages of
them), and halving an edge is averaging coefficients; so with integer coefficients over a common power of two there is no
round-off. A simplex is settled when all coefficients are at most the constant.
"""
import sys
from fractions import Fraction
from itertools import product
from math import factorial, lcm


class Polynomial:
    """A polynomial with rational coefficients: {exponents: coefficient}."""

    def __init__(self, terms):
        self.terms = {e: c for e, c in terms.items() if c != 0}

    @staticmethod
    def variables(count):
        return [Polynomial({tuple(int(i == k) for i in range(count)): Fraction(1)}) for k in range(count)]

    def __add__(self, other):
        terms = dict(self.terms)
        for e, c in other.terms.items():
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

    __rmul__ = __mul__

    def __sub__(self, other):
        return self + other * -1


def bernstein(polynomial, degree):
    """Integer Bernstein coefficients by exponents, up to a positive factor."""
    count = len(next(iter(polynomial.terms)))
    coefficients = {}
    for e in product(range(degree + 1), repeat=count):
        if sum(e) == degree:
            multinomial = factorial(degree)
            for k in e:
                multinomial //= factorial(k)
            coefficients[e] = polynomial.terms.get(e, Fraction(0)) / multinomial
    scale = lcm(*(c.denominator for c in coefficients.values()))
    return {e: int(c * scale) for e, c in coefficients.items()}


def halve(line, degree):
    """Both halves of one line of coefficients along an edge, times 2^degree."""
    n, left, right = len(line) - 1, [], []
    for k in range(n + 1):
        left.append(line[0] << (degree - k))
        right.append(line[-1] << (degree - k))
        line = [x + y for x, y in zip(line, line[1:])]
    return left, right[::-1]


def split(coefficients, degree, i, k):
    """The coefficients on both halves of the simplex, its edge from vertex i to vertex k halved."""
    halves = {}, {}
    for e in coefficients:
        if e[k] == 0:
            exponents = [tuple(e[i] - t if j == i else t if j == k else x for j, x in enumerate(e)) for t in range(e[i] + 1)]
            for half, line in zip(halves, halve([coefficients[x] for x in exponents], degree)):
                half.update(zip(exponents, line))
    return halves


def longest_edge(vertices):
    count = len(vertices)
    pairs = [(i, k) for i in range(count) for k in range(i + 1, count)]
    return max(pairs, key=lambda p: sum((x - y) ** 2 for x, y in zip(vertices[p[0]], vertices[p[1]])))


def is_negative(polynomial, degree, most):
    """Whether the polynomial is proved to be <= 0 on the simplex, and how many simplices were looked at."""
    count = len(next(iter(polynomial.terms)))
    corners = [tuple(float(i == k) for i in range(count)) for k in range(count)]
    stack, looked = [(bernstein(polynomial, degree), corners)], 0
    while stack:
        coefficients, vertices = stack.pop()
        looked += 1
        if max(coefficients.values()) <= 0:
            continue
        if looked > most:
            return False, looked
        i, k = longest_edge(vertices)
        middle = tuple((x + y) / 2 for x, y in zip(vertices[i], vertices[k]))
        for half, replaced in zip(split(coefficients, degree, i, k), (k, i)):
            stack.append((half, [middle if j == replaced else v for j, v in enumerate(vertices)]))
    return True, looked


def centred(group, means, one):
    """The indicators of the nested sets on an output of that group, less their means."""
    return [one * int(group <= k) - mean for k, mean in enumerate(means)]


def parts(e, means, one):
    """Of the derivative along all sets: D f_j / f_j, and over f_j^2 the products of lower ones that the square adds.

    Nested sets intersect in the smaller one, so their covariances and third cumulant are polynomials in their masses.
    """
    def cov(k, l):
        return means[min(k, l)] * one - means[k] * means[l]

    if len(e) == 2:
        return e[0] * e[1] - cov(0, 1), e[0] * e[1]
    x, y, z = means
    cumulant = x * one * one - x * y * one * 2 - x * z * one + x * y * z * 2
    linear = e[0] * e[1] * e[2] - e[0] * cov(1, 2) - e[1] * cov(0, 2) - e[2] * cov(0, 1) - cumulant
    products = (e[0] * (e[1] * e[2] - cov(1, 2)) + e[1] * (e[0] * e[2] - cov(0, 2)) + e[2] * (e[0] * e[1] - cov(0, 1)))
    return linear, products


def derivative(order, place, merged):
    """The derivative of 1/2 |f - b|^2 along nested sets S_0, ..., S_(order - 1) of outputs, homogeneous in the masses; and 1.

    Group g = 0, ..., order holds the outputs that are in S_k for k >= g only. With place = g, b is a corner of the simplex and its
    output, of mass a, is in group g; None: b = 0. The other outputs of group g are a single one where merged[g], else infinitely
    many small ones: the derivative is linear in the sum of their squares.
    """
    masses = Polynomial.variables(order + 1 + (place is not None))
    members = list(enumerate(masses[:order + 1])) + ([(place, masses[-1])] if place is not None else [])
    one, zero = sum(masses[1:], masses[0]), masses[0] * 0
    means = [sum((mass for group, mass in members if group <= k), zero) for k in range(order)]
    total = zero
    for index, (group, mass) in enumerate(members):
        linear, products = parts(centred(group, means, one), means, one)
        if index > order:
            total = total - mass * one * linear
        if index > order or merged[index]:
            total = total + mass * mass * (linear + products)
    return total, one


def is_bounded(order, corner, sign, constant, most):
    """Whether sign times the derivative is proved to be at most the constant for all places and mergers."""
    simplices = 0
    for place, merged in product(range(order + 1) if corner else [None], product((False, True), repeat=order + 1)):
        total, one = derivative(order, place, merged)
        bound = one
        for _ in range(order + 1):
            bound = bound * one
        proved, looked = is_negative(total * sign - bound * Fraction(constant), order + 2, most)
        simplices += looked
        if not proved:
            return False, simplices
    return True, simplices


BOUNDS = (  # what, order, b at a corner, sign, constant; the third derivative changes its sign with complements of the sets
    ("below, b = 0", 2, False, -1, "0.060105"),
    ("below, b at a corner", 2, True, -1, "0.12021"),
    ("above, b = 0", 2, False, 1, "0.12501"),
    ("above, b at a corner", 2, True, 1, "0.15406"),
    ("change, b = 0", 3, False, 1, "0.12769"),
    ("change, b at a corner", 3, True, 1, "0.20203"),
)


def main():
    failed = False
    for name, order, corner, sign, constant in BOUNDS:
        proved, simplices = is_bounded(order, corner, sign, constant, 100000)
        # a prover that says yes to everything would be found out: all constants are sharp
        sharp = not is_bounded(order, corner, sign, Fraction(constant) - Fraction(2, 100000), 1000)[0]
        print(f"{'proved' if proved else 'OPEN'}  {name}: <= {constant} ({simplices} simplices){'' if sharp else ', NOT SHARP'}", flush=True)
        failed = failed or not proved or not sharp
    return failed


if __name__ == "__main__":
    sys.exit(main())
