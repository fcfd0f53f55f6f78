"""What a solve and an examination found: plain Python and NumPy, independent of any handle."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ._library import CERTIFICATE, REPORT, TERMINATIONS, TRACE, check, library, read

_TERMINATION_NAMES = {number: name for name, number in TERMINATIONS.items()}


@dataclass(frozen=True)
class Certificate:
    """What a point is (`docs/mathematics.md`).

    `verdict` is "certified local minimiser", "stationary", "not stationary" or "undecided", `reason` why it is no better,
    `distance` whether `quantities["distance_bound"]` is proved, or why not. `multipliers` (n) are those of the kinks,
    `bound_multipliers` (d) those of the bounds, `kinks` (n, bool) the units at their kink, `at_bounds` (d: -1, 0, 1, or 2 where
    both are equal) the entries of x at a bound; `direction` (d) descends or has negative curvature. Each may be None: where
    there is none, and for the targets of a batch.
    """

    verdict: str
    reason: str
    distance: str
    quantities: dict[str, float] = field(repr=False)
    multipliers: NDArray[np.float64] | None = field(repr=False)
    bound_multipliers: NDArray[np.float64] | None = field(repr=False)
    kinks: NDArray[np.bool_] | None = field(repr=False)
    at_bounds: NDArray[np.int8] | None = field(repr=False)
    direction: NDArray[np.float64] | None = field(repr=False)

    @property
    def certified(self) -> bool:
        """Is the point a proved local minimiser?"""
        return self.verdict == "certified local minimiser"

    def __bool__(self) -> bool:
        return self.certified


@dataclass(frozen=True)
class Result:
    """The end of a solve. `x` (d) is the best point found, whatever the end.

    `termination` is a word such as "converged", `message` a sentence. `report` has the quantities of the whole solve, `trace` an
    array of each quantity with one entry for an iteration. `minimisers` are the distinct ends of several starts, in order of
    their loss, with their certificates: one pair (x, certificate) for `starts=1`.
    """

    x: NDArray[np.float64]
    termination: str
    message: str
    report: dict[str, float] = field(repr=False)
    trace: dict[str, NDArray[np.float64]] = field(repr=False)
    certificate: Certificate
    minimisers: list[tuple[NDArray[np.float64], Certificate]] = field(repr=False)

    @property
    def converged(self) -> bool:
        """Does the stationarity residual meet the tolerance?"""
        return self.termination == "converged"

    @property
    def loss(self) -> float:
        """F(x)."""
        return self.report["loss"]


def termination(report: int) -> tuple[str, str]:
    """Name and sentence."""
    number = library().softrelu_report_termination(report)
    return _TERMINATION_NAMES[number], library().softrelu_termination_text(number).decode()


def read_report(report: int) -> dict[str, float]:
    return {name: kind(read(library().softrelu_report_number, report, number)) for name, (number, kind) in REPORT.items()}


def read_trace(report: int) -> dict[str, NDArray[np.float64]]:
    records = range(library().softrelu_report_trace_length(report))
    return {name: np.array([read(library().softrelu_report_trace_number, report, record, number) for record in records], dtype=kind)
            for name, (number, kind) in TRACE.items()}


def _quantity(value: float, kind: type) -> float:
    return kind(value) if np.isfinite(value) else value  # an integer that was not reached is NaN


def read_certificate(certificate: int, n: int, d: int, whole: bool = True) -> Certificate:
    """whole: with the arrays, which a batch does not keep."""
    lib = library()

    def arrays(function, kind, *sizes):
        values = [np.empty(size, dtype=kind) for size in sizes]
        arguments = [argument for value in values for argument in (value.ctypes.data, value.size)]
        return values if whole and function(certificate, *arguments) == 0 else [None] * len(values)

    multipliers, bound_multipliers = arrays(lib.softrelu_certificate_multipliers, np.float64, n, d)
    kinks, at_bounds = arrays(lib.softrelu_certificate_active, np.int8, n, d)
    direction, = arrays(lib.softrelu_certificate_direction, np.float64, d)
    return Certificate(
        verdict=lib.softrelu_verdict_name(lib.softrelu_certificate_verdict(certificate)).decode(),
        reason=lib.softrelu_reason_name(lib.softrelu_certificate_reason(certificate)).decode(),
        distance=lib.softrelu_distance_name(lib.softrelu_certificate_distance(certificate)).decode(),
        quantities={name: _quantity(read(lib.softrelu_certificate_number, certificate, number), kind)
                    for name, (number, kind) in CERTIFICATE.items()},
        multipliers=multipliers, bound_multipliers=bound_multipliers,
        kinks=None if kinks is None else kinks.astype(bool), at_bounds=at_bounds, direction=direction)
