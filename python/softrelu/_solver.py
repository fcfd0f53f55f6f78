"""Solving: one target or many."""

from __future__ import annotations

import ctypes
import threading
from typing import Any, Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._library import (ARRAYS, BATCH_CALLBACK, BLAS_USES, CALLBACK, REPORT, STATUSES, TRACE, Error, InputError, check, library, number, read)
from ._problem import Problem, created, own, vector
from ._results import Certificate, Result, read_certificate, read_report, read_trace, termination

Progress = Callable[[dict[str, float]], Any]


def last_record(report: int) -> dict[str, float]:
    last = library().softrelu_report_trace_length(report) - 1
    if last < 0:
        return {}
    return {name: kind(read(library().softrelu_report_trace_number, report, last, number)) for name, (number, kind) in TRACE.items()}


class Interruptible:
    """Runs a C call that may take long, so that Ctrl-C stops it: Python handles signals in its main thread only, between two of
    its own instructions. There the call runs in a thread of its own, and the main one waits where a signal wakes it."""

    def __init__(self, request_stop: Callable[[], None]):
        self.request_stop = request_stop
        self.raised: BaseException | None = None  # by a callback

    def run(self, call: Callable[[], int]) -> int:
        self.raised = None
        if threading.current_thread() is not threading.main_thread():
            status = call()
        else:
            status = self._run_beside(call)
        if self.raised is not None:
            raise self.raised
        return status

    def _run_beside(self, call: Callable[[], int]) -> int:
        statuses: list[int] = []
        ended = threading.Event()

        def work() -> None:
            try:
                statuses.append(call())
            finally:
                ended.set()

        thread = threading.Thread(target=work, name="softrelu")
        thread.start()
        try:
            ended.wait()
        except BaseException:
            self.request_stop()
            while not ended.wait(0.01):  # a request that comes before the solve has begun is forgotten
                self.request_stop()
            raise
        finally:
            thread.join()
        return statuses[0]

    def guarded(self, function: Callable[..., Any], *arguments: Any) -> int:
        """A Python callback, called from C: true stops, and so does an exception, which run() raises."""
        try:
            return 1 if function(*arguments) else 0
        except BaseException as error:  # nothing may pass through C
            self.raised = self.raised or error
            return 1


def set_settings(solver: int, settings: dict[str, Any]) -> None:
    """Gives a solver's handle its settings."""
    for name, value in settings.items():
        text = repr(float(value)) if isinstance(value, (float, np.floating)) else str(value)
        check(library().softrelu_solver_set_text(solver, name.encode(), text.encode()), library().softrelu_solver_message(solver))


class Solver:
    """Solves one problem again and again, for its own target or others, without new memory.

    Settings are keywords, those that `softrelu info` lists: `Solver(problem, tolerance=1e-11, starts=8)`. One thread at a time.
    """

    def __init__(self, problem: Problem, **settings: Any):
        lib = library()
        self.problem = problem
        self._handle = own(self, created(lib.softrelu_solver_create, problem._handle), lib.softrelu_solver_destroy, problem)
        self._running = Interruptible(lambda: lib.softrelu_solver_request_stop(self._handle))
        self.set(**settings)

    def _check(self, status: int) -> None:
        check(status, library().softrelu_solver_message(self._handle))

    def set(self, **settings: Any) -> None:
        """Changes settings for later solves."""
        set_settings(self._handle, settings)

    def _set_target(self, targets: dict[str, ArrayLike | None]) -> None:
        for name, values in targets.items():
            size = self.problem.m if name == "b" else self.problem.d
            if values is not None and np.ndim(values) == 0 and name in ("lower", "upper"):
                values = np.full(size, float(values))  # type: ignore[arg-type]
            array = None if values is None else vector(name, values, size)
            data, length = (None, 0) if array is None else (array.ctypes.data, size)
            if name == "x0":
                self._check(library().softrelu_solver_set_start(self._handle, data, length))
            else:
                self._check(library().softrelu_solver_set_vector(self._handle, ARRAYS[name], data, length))

    def solve(self, *, b: ArrayLike | None = None, x0: ArrayLike | None = None, x_ref: ArrayLike | None = None,
              lower: ArrayLike | float | None = None, upper: ArrayLike | float | None = None, callback: Progress | None = None) -> Result:
        """Minimises F from x0 (d), or from the warm start.

        b (m), x_ref, lower and upper (d) are for this solve in the place of the problem's. `callback` is called after each
        iteration with its record (a dict: iteration, loss, residual, ...), from a thread of the solve; a true answer stops the
        solve, as does an exception, which is raised here. Ctrl-C stops and raises KeyboardInterrupt.
        """
        lib = library()
        self._set_target({"b": b, "x_ref": x_ref, "lower": lower, "upper": upper, "x0": x0})
        function = None if callback is None else CALLBACK(lambda report, _: self._running.guarded(lambda: callback(last_record(report))))
        self._check(lib.softrelu_solver_set_callback(self._handle, function and ctypes.cast(function, ctypes.c_void_p), None))
        try:
            self._check(self._running.run(lambda: lib.softrelu_solver_solve(self._handle)))
        finally:
            lib.softrelu_solver_set_callback(self._handle, None, None)
        return self._result()

    def request_stop(self) -> None:
        """Asks a running solve to stop at its next check; from any thread."""
        library().softrelu_solver_request_stop(self._handle)

    def _result(self) -> Result:
        lib, problem = library(), self.problem
        x = np.empty(problem.d)
        self._check(lib.softrelu_solver_solution(self._handle, x.ctypes.data, x.size))
        report = lib.softrelu_solver_report(self._handle)
        name, text = termination(report)
        minimisers = []
        for index in range(lib.softrelu_solver_minimiser_count(self._handle)):
            end = np.empty(problem.d)
            self._check(lib.softrelu_solver_minimiser(self._handle, index, end.ctypes.data, end.size))
            certificate = lib.softrelu_solver_minimiser_certificate(self._handle, index)
            minimisers.append((end, read_certificate(certificate, problem.n, problem.d)))
        return Result(x=x, termination=name, message=text, report=read_report(report), trace=read_trace(report),
                      certificate=read_certificate(lib.softrelu_solver_certificate(self._handle), problem.n, problem.d),
                      minimisers=minimisers)


def solve(problem: Problem, x0: ArrayLike | None = None, *, callback: Progress | None = None, **settings: Any) -> Result:
    """Minimises F from x0 (d), or from the warm start. Settings and callback as for Solver."""
    return Solver(problem, **settings).solve(x0=x0, callback=callback)


class BatchResult:
    """The ends of many solves. `x` is k x d; rows of targets that failed or were not begun are NaN."""

    def __init__(self, handle: Any, problem: Problem, x: NDArray[np.float64]):
        self._handle, self._problem, self.x = handle, problem, x
        lib = library()
        names = {code: name for name, code in STATUSES.items()}
        statuses = [lib.softrelu_batch_status(handle.value, target) for target in range(len(x))]
        self.errors = {target: f"{names[status]}: {lib.softrelu_batch_target_message(handle.value, target).decode()}"
                       for target, status in enumerate(statuses) if status != 0}
        """What was refused, by target."""
        self.terminations = [termination(lib.softrelu_batch_report(handle.value, target))[0] for target in range(len(x))]
        """A word for each target, "not-run" for one that failed or was not begun."""

    def __len__(self) -> int:
        return len(self.x)

    @property
    def converged(self) -> NDArray[np.bool_]:
        """Which targets converged (k)."""
        return np.array([name == "converged" for name in self.terminations])

    def quantity(self, name: str) -> NDArray[np.float64]:
        """A quantity of the reports, such as "loss", for each target (k)."""
        if name not in REPORT:
            raise InputError("SOFTRELU_ERROR_UNKNOWN", f"a report has no {name!r}, but {', '.join(REPORT)}")
        wanted, kind = REPORT[name]
        lib = library()
        return np.array([read(lib.softrelu_report_number, lib.softrelu_batch_report(self._handle.value, target), wanted)
                         for target in range(len(self))], dtype=kind)

    def certificate(self, target: int) -> Certificate:
        """Of one target, without its arrays."""
        target = range(len(self))[target]
        return read_certificate(library().softrelu_batch_certificate(self._handle.value, target), self._problem.n, self._problem.d, whole=False)


class _Handle:
    def __init__(self, value: int):
        self.value = value


def solve_batch(problem: Problem, B: ArrayLike | None = None, *, x0: ArrayLike | None = None, x_ref: ArrayLike | None = None,
                lower: ArrayLike | None = None, upper: ArrayLike | None = None, threads: int = 0, blas: str = "one-thread",
                callback: Callable[[int, dict[str, float]], Any] | None = None, **settings: Any) -> BatchResult:
    """Solves for many targets that share A1 and A2, on all processors.

    B is k x m, a target in each row; x0, x_ref, lower and upper are k x d, or (d) for all. `threads=0`: as many as there are
    processors. blas="one-thread" sets the BLAS to one thread meanwhile, for the whole process; "keep" does not touch it.
    `callback` is called with the target and its last record after each iteration, and once more when it has ended; a true answer
    stops that target, an exception stops the batch and is raised. Each result is that of a single solve, bit by bit, with one
    BLAS thread.
    """
    lib = library()
    solver = Solver(problem, **settings)
    columns: dict[str, NDArray[np.float64]] = {}
    for name, values in {"b": B, "x0": x0, "x_ref": x_ref, "lower": lower, "upper": upper}.items():
        if values is None:
            continue
        if np.ndim(values) < 2 and name != "b":
            solver._set_target({name: values})
            continue
        array = np.ascontiguousarray(values, dtype=np.float64)
        size = problem.m if name == "b" else problem.d
        if array.ndim != 2 or array.shape[1] != size:
            raise InputError("SOFTRELU_ERROR_SIZE", f"{'B' if name == 'b' else name} must have shape (targets, {size}), not {array.shape}")
        columns[name] = array
    counts = {len(array) for array in columns.values()}
    if len(counts) != 1 or 0 in counts:
        raise InputError("SOFTRELU_ERROR_SIZE", "one or more of B, x0, x_ref, lower, upper must have a row for each target, and the "
                         f"same number of them, at least one: {({name: array.shape for name, array in columns.items()})}")
    targets = counts.pop()
    handle = _Handle(created(lib.softrelu_batch_create, solver._handle, targets, threads, number(BLAS_USES, blas, "blas")))
    own(handle, handle.value, lib.softrelu_batch_destroy, problem)

    def checked(status: int) -> None:
        check(status, lib.softrelu_batch_message(handle.value))

    for name, array in columns.items():
        checked(lib.softrelu_batch_set_columns(handle.value, ARRAYS[name], array.ctypes.data, array.shape[1]))
    running = Interruptible(lambda: lib.softrelu_batch_request_stop(handle.value))
    if callback is not None:
        def called(target: int, report: int, _: Any) -> int:
            if running.raised is not None:
                return 1
            answer = running.guarded(lambda: callback(target, last_record(report)))
            if running.raised is not None:
                running.request_stop()
            return answer
        function = BATCH_CALLBACK(called)
        checked(lib.softrelu_batch_set_callback(handle.value, ctypes.cast(function, ctypes.c_void_p), None))
    x = np.full((targets, problem.d), np.nan)
    checked(running.run(lambda: lib.softrelu_solve_batch(handle.value, targets, x.ctypes.data, problem.d)))
    return BatchResult(handle, problem, x)
