"""The smallest change of an input that makes the network give a class."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._library import ANSWER, CALLBACK, PATH, InputError, check, library, read
from ._problem import Problem, created, vector
from ._solver import Interruptible, Progress, last_record, set_settings


@dataclass(frozen=True)
class Answer:
    """An input `x` (d) at `distance` from the given one, to which the network gives the class with probability `confidence`.

    It is a minimiser for the proximity weight `rho` (0: the input itself). `certified`: no input in a neighbourhood of x is
    nearer and as probable.
    """

    x: NDArray[np.float64]
    distance: float
    confidence: float
    rho: float = field(repr=False)
    certified: bool


@dataclass(frozen=True)
class Passed:
    """The minimiser for `rho` (0: the input) on a `branch` (0: the input's; k: that of the k-th other start): its distance from the
    input, the probability of the class there, and whether that `reached` what was asked for."""

    branch: int
    rho: float
    confidence: float
    distance: float
    reached: bool


@dataclass(frozen=True)
class Counterfactual:
    """`outcome` is "found", "already" (the input itself will do), "not-found" (which proves nothing) or "stopped", `message` a
    sentence. `answers` are in order of distance; `best` is the point of the highest confidence that was met, `path` all
    that were passed, in the order of the search."""

    outcome: str
    message: str
    answers: list[Answer]
    best: Answer = field(repr=False)
    path: list[Passed] = field(repr=False)


def counterfactual(problem: Problem, input: ArrayLike, wanted: int, confidence: float = 0.5, *, frozen: ArrayLike | None = None,
                   starts: int = 1, callback: Progress | None = None, **settings: Any) -> Counterfactual:
    """The nearest inputs (d) to which the network gives class `wanted` with probability `confidence`.

    Of the problem it takes A1, A2, c1, c2 and the bounds. Entries of x where `frozen` (d, bool) is true stay as they are.
    `starts`: points that are searched from, for several distinct answers. Settings and callback as for Solver.
    """
    lib = library()
    input = vector("input", input, problem.d)
    if frozen is not None:
        frozen = np.ascontiguousarray(frozen, dtype=np.int8)
        if frozen.shape != (problem.d,):
            raise InputError("SOFTRELU_ERROR_SIZE", f"frozen must have shape ({problem.d},), not {frozen.shape}")
    handle = created(lib.softrelu_counterfactual_create, problem._handle)
    try:
        solver = lib.softrelu_counterfactual_solver(handle)
        set_settings(solver, settings)
        running = Interruptible(lambda: lib.softrelu_counterfactual_request_stop(handle))
        function = None if callback is None else CALLBACK(lambda report, _: running.guarded(lambda: callback(last_record(report))))
        if function is not None:
            check(lib.softrelu_solver_set_callback(solver, ctypes.cast(function, ctypes.c_void_p), None))
        status = running.run(lambda: lib.softrelu_counterfactual_search(
            handle, input.ctypes.data, input.size, wanted, confidence, None if frozen is None else frozen.ctypes.data, starts))
        check(status, lib.softrelu_counterfactual_message(handle))
        outcome = lib.softrelu_counterfactual_outcome(handle)

        def answer(index: int) -> Answer:
            x = np.empty(problem.d)
            check(lib.softrelu_counterfactual_point(handle, index, x.ctypes.data, x.size))
            numbers = {name: read(lib.softrelu_counterfactual_number, handle, index, number) for name, (number, _) in ANSWER.items()}
            return Answer(x=x, **{**numbers, "certified": numbers["certified"] == 1})

        def passed(index: int) -> Passed:
            numbers = {name: read(lib.softrelu_counterfactual_path_number, handle, index, number) for name, (number, _) in PATH.items()}
            return Passed(**{**numbers, "branch": int(numbers["branch"]), "reached": numbers["reached"] == 1})

        return Counterfactual(outcome=lib.softrelu_search_name(outcome).decode(), message=lib.softrelu_search_text(outcome).decode(),
                              answers=[answer(index) for index in range(lib.softrelu_counterfactual_count(handle))], best=answer(-1),
                              path=[passed(index) for index in range(lib.softrelu_counterfactual_path_length(handle))])
    finally:
        lib.softrelu_counterfactual_destroy(handle)
