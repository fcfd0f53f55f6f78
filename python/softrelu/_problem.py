"""The data of a problem, and points of it."""

from __future__ import annotations

import ctypes
import weakref
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._library import (ARRAYS, CONSTANTS, DERIVATIVE_VERDICTS, LAYOUTS, LOSSES, OWNERSHIPS, InputError, check, library, number, read)
from ._results import Certificate, read_certificate


def own(instance: Any, handle: int, destroy: Any, *needed: Any) -> int:
    """Destroys the handle with the Python object, and keeps alive what it needs until then."""
    weakref.finalize(instance, lambda _: destroy(handle), needed)
    return handle


def created(function: Any, *arguments: Any) -> int:
    handle = ctypes.c_void_p()
    check(function(*arguments, ctypes.byref(handle)))
    return handle.value


def vector(name: str, values: ArrayLike, size: int) -> NDArray[np.float64]:
    """`size` contiguous doubles."""
    converted = np.ascontiguousarray(values, dtype=np.float64)
    if converted.shape != (size,):
        raise InputError("SOFTRELU_ERROR_SIZE", f"{name} must have shape ({size},), not {converted.shape}")
    return converted


def _matrix(name: str, values: ArrayLike) -> NDArray[Any]:
    """Two dimensions, double or float, rows or columns contiguous; without a copy where it is so already."""
    matrix = np.asarray(values)
    if matrix.ndim != 2:
        raise InputError("SOFTRELU_ERROR_SIZE", f"{name} must have two dimensions, not shape {matrix.shape}")
    if matrix.dtype not in (np.float64, np.float32):
        matrix = matrix.astype(np.float64)
    return matrix if _layout(matrix) else np.ascontiguousarray(matrix)


def _is_mapped(values: ArrayLike, matrix: NDArray[Any]) -> bool:
    """Whether the matrix is what NumPy has mapped from a file, row by row, and no copy of it, nor one to be written to."""
    return (isinstance(values, np.memmap) and values.mode in ("r", "r+", "w+") and matrix.ctypes.data == values.ctypes.data
            and _layout(matrix)[0] == "row")


def _layout(matrix: NDArray[Any]) -> tuple[str, int] | None:
    """Layout and leading dimension, in entries; None for strides that are neither rows nor columns."""
    (rows, columns), size = matrix.shape, matrix.itemsize
    if not (matrix.flags.aligned and matrix.dtype.isnative):
        return None
    for layout, inner, outer, length in (("row", 1, 0, columns), ("column", 0, 1, rows)):
        contiguous = matrix.strides[inner] == size or matrix.shape[inner] == 1
        stride, rest = divmod(matrix.strides[outer], size)
        if matrix.shape[outer] == 1:
            stride, rest = length, 0
        if contiguous and rest == 0 and stride >= length:
            return layout, stride
    return None


class Problem:
    """min over x of loss(softmax(A2 relu(A1 x + c1) + c2), b) + |diag(w) A1 x|^2 / 2 + rho |x - x_ref|^2 / 2.

    A1 is n x d, A2 m x n (None: the identity), b (m) the target, c1 (n) and c2 (m) biases, w (n, or one number) weights, rho >= 0
    and x_ref (d) the proximity term, lower and upper (d, or one number) bounds of x. loss is "squares" or "kl". Matrices in
    float32 are kept in it.

    Matrices whose rows or columns are contiguous are not copied: they must not change while the problem lives. `copy=True` copies
    them. An A2 that is mapped from a file (`numpy.load(..., mmap_mode="r")`, `numpy.memmap`), its rows contiguous, is read by blocks
    of rows and may be larger than memory. A problem never changes, and threads may share it.
    """

    def __init__(self, A1: ArrayLike, b: ArrayLike, *, A2: ArrayLike | None = None, c1: ArrayLike | None = None,
                 c2: ArrayLike | None = None, w: ArrayLike | float | None = None, rho: float = 0.0, x_ref: ArrayLike | None = None,
                 lower: ArrayLike | float | None = None, upper: ArrayLike | float | None = None, loss: str = "squares",
                 copy: bool = False):
        lib = library()
        A1 = _matrix("A1", A1)
        self.n, self.d = A1.shape
        matrices = {"A1": A1}
        mapped = False
        if A2 is not None:
            given, A2 = A2, _matrix("A2", A2)
            mapped = _is_mapped(given, A2)
            matrices["A2"] = A2
            if A2.shape[1] != self.n:
                raise InputError("SOFTRELU_ERROR_SIZE", f"A2 must have {self.n} columns, one for each row of A1, not {A2.shape[1]}")
        self.m = self.n if A2 is None else A2.shape[0]
        self._handle = own(self, created(lib.softrelu_problem_create, self.n, self.d, self.m, None, None, None),
                           lib.softrelu_problem_destroy, *([] if copy else matrices.values()))
        for name, matrix in matrices.items():
            layout, leading_dimension = _layout(matrix)
            give = lib.softrelu_problem_set_matrix if matrix.dtype == np.float64 else lib.softrelu_problem_set_matrix_single
            self._check(give(self._handle, ARRAYS[name], matrix.ctypes.data, LAYOUTS[layout], leading_dimension,
                             OWNERSHIPS["copy" if copy else "map" if mapped and name == "A2" else "borrow"]))
        sizes = {"b": self.m, "c1": self.n, "c2": self.m, "w": self.n, "x_ref": self.d, "lower": self.d, "upper": self.d}
        for name, values in {"b": b, "c1": c1, "c2": c2, "w": w, "x_ref": x_ref, "lower": lower, "upper": upper}.items():
            if values is None:
                continue
            if np.ndim(values) == 0 and name in ("w", "lower", "upper"):
                self._check(lib.softrelu_problem_set_number(self._handle, ARRAYS[name], float(values)))
            else:
                array = vector(name, values, sizes[name])
                self._check(lib.softrelu_problem_set_vector(self._handle, ARRAYS[name], array.ctypes.data, array.size,
                                                            OWNERSHIPS["copy"]))
        self._check(lib.softrelu_problem_set_number(self._handle, ARRAYS["rho"], float(rho)))
        self._check(lib.softrelu_problem_set_loss(self._handle, number(LOSSES, loss, "loss")))
        self._check(lib.softrelu_problem_finish(self._handle))

    def __repr__(self) -> str:
        return f"<softrelu.Problem: {self.n} hidden units, {self.d} unknowns, {self.m} outputs>"

    def _check(self, status: int) -> None:
        check(status, library().softrelu_problem_message(self._handle))

    def at(self, x: ArrayLike) -> "Point":
        """Values and derivatives at x (d)."""
        return Point(self, x)

    def constants(self, x: ArrayLike | None = None) -> dict[str, float]:
        """What is proved of F: curvature, convexity, Lipschitz bounds; with x (d) also those of the point."""
        lib = library()
        handle = created(lib.softrelu_constants_create, self._handle)
        try:
            if x is not None:
                x = vector("x", x, self.d)
                check(lib.softrelu_constants_move(handle, x.ctypes.data, self.d), lib.softrelu_constants_message(handle))
            of_problem = CONSTANTS["row_distance"][0]  # those of a point have the larger numbers
            return {name: kind(read(lib.softrelu_constants_number, handle, number)) for name, (number, kind) in CONSTANTS.items()
                    if x is not None or number < of_problem}
        finally:
            lib.softrelu_constants_destroy(handle)


class Point:
    """Values and derivatives of a problem at a point, computed when they are asked for. One thread at a time."""

    def __init__(self, problem: Problem, x: ArrayLike):
        lib = library()
        self._problem = problem
        self._handle = own(self, created(lib.softrelu_evaluator_create, problem._handle), lib.softrelu_evaluator_destroy, problem)
        self.move(x)

    def _check(self, status: int) -> None:
        check(status, library().softrelu_evaluator_message(self._handle))

    def _vector(self, function: Any, size: int) -> NDArray[np.float64]:
        values = np.empty(size)
        self._check(function(self._handle, values.ctypes.data, size))
        return values

    def move(self, x: ArrayLike) -> None:
        """To another x (d)."""
        x = vector("x", x, self._problem.d)
        self._check(library().softrelu_evaluator_move(self._handle, x.ctypes.data, x.size))

    @property
    def preactivations(self) -> NDArray[np.float64]:
        """u = A1 x + c1 (n)."""
        return self._vector(library().softrelu_evaluator_preactivations, self._problem.n)

    @property
    def prediction(self) -> NDArray[np.float64]:
        """The output distribution f (m)."""
        return self._vector(library().softrelu_evaluator_prediction, self._problem.m)

    @property
    def gradient(self) -> NDArray[np.float64]:
        """Gradient of F (d); the slope of the ReLU at 0 is taken as 0."""
        return self._vector(library().softrelu_evaluator_gradient, self._problem.d)

    @property
    def hessian(self) -> NDArray[np.float64]:
        """Hessian of F in the cell of x (d x d)."""
        matrix = np.empty((self._problem.d, self._problem.d))
        self._check(library().softrelu_evaluator_hessian(self._handle, matrix.ctypes.data, self._problem.d))
        return matrix

    def hessian_product(self, direction: ArrayLike) -> NDArray[np.float64]:
        """That Hessian times a direction (d), without forming it."""
        direction = vector("direction", direction, self._problem.d)
        product = np.empty(self._problem.d)
        self._check(library().softrelu_evaluator_hessian_product(self._handle, direction.ctypes.data, product.ctypes.data, product.size))
        return product

    @property
    def loss(self) -> float:
        """F(x)."""
        return self.losses["total"]

    @property
    def losses(self) -> dict[str, float]:
        """F and its parts: total, fit, weights, proximity."""
        parts = {name: ctypes.c_double() for name in ("total", "fit", "weights", "proximity")}
        self._check(library().softrelu_evaluator_loss(self._handle, *map(ctypes.byref, parts.values())))
        return {name: part.value for name, part in parts.items()}

    def check_derivatives(self, seed: int = 0, direction: ArrayLike | None = None, step: float = 0.0) -> dict[str, Any]:
        """Are gradient and Hessian those of F? Along a direction (d), or a random one: verdict ("agree", "disagree", "kink" or
        "round-off"), gradient_order, hessian_order (2 expected), kink (the unit, or None)."""
        if direction is not None:
            direction = vector("direction", direction, self._problem.d)
        verdict, kink = ctypes.c_int(), ctypes.c_int64()
        gradient, hessian = ctypes.c_double(), ctypes.c_double()
        self._check(library().softrelu_evaluator_check_derivatives(
            self._handle, None if direction is None else direction.ctypes.data, seed, step, ctypes.byref(verdict),
            ctypes.byref(gradient), ctypes.byref(hessian), ctypes.byref(kink)))
        names = {number: name for name, number in DERIVATIVE_VERDICTS.items()}
        return {"verdict": names[verdict.value], "gradient_order": gradient.value, "hessian_order": hessian.value,
                "kink": kink.value if kink.value >= 0 else None}


def certify(problem: Problem, x: ArrayLike, kink_tolerance: float = 1e-9, tolerance: float = 1e-12) -> Certificate:
    """What is the point x (d), whoever found it? Everything is computed anew, by code that shares nothing with the solver."""
    lib = library()
    x = vector("x", x, problem.d)
    handle = created(lib.softrelu_certificate_create, problem._handle)
    try:
        check(lib.softrelu_certify(handle, x.ctypes.data, x.size, kink_tolerance, tolerance), lib.softrelu_certificate_message(handle))
        return read_certificate(handle, problem.n, problem.d)
    finally:
        lib.softrelu_certificate_destroy(handle)
