"""The C library: where it is, its functions, its numbers.

Everything here repeats softrelu.h; tests/python/test_header.py compares the two.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import os
from typing import Any

# One line for each function of softrelu.h: what it returns (what it takes).
PROTOTYPES = {
    "softrelu_status_name": "text(int)",
    "softrelu_status_text": "text(int)",
    "softrelu_termination_name": "text(int)",
    "softrelu_termination_text": "text(int)",
    "softrelu_version": "text()",
    "softrelu_abi_version": "int()",
    "softrelu_blas_description": "int(pointer, size)",
    "softrelu_blas_integer_bits": "int()",
    "softrelu_blas_threads": "int()",
    "softrelu_blas_set_threads": "int(int)",
    "softrelu_problem_create": "int(int64, int64, int64, pointer, pointer, pointer, pointer)",
    "softrelu_problem_create_distributed": "int(int64, int64, int64, pointer, pointer, pointer, pointer, pointer)",
    "softrelu_problem_destroy": "none(pointer)",
    "softrelu_problem_set_matrix": "int(pointer, int, pointer, int, int64, int)",
    "softrelu_problem_set_matrix_single": "int(pointer, int, pointer, int, int64, int)",
    "softrelu_problem_set_vector": "int(pointer, int, pointer, int64, int)",
    "softrelu_problem_set_number": "int(pointer, int, double)",
    "softrelu_problem_set_loss": "int(pointer, int)",
    "softrelu_problem_finish": "int(pointer)",
    "softrelu_problem_dimensions": "int(pointer, pointer, pointer, pointer)",
    "softrelu_problem_outputs": "int(pointer, pointer, pointer)",
    "softrelu_problem_message": "text(pointer)",
    "softrelu_evaluator_create": "int(pointer, pointer)",
    "softrelu_evaluator_destroy": "none(pointer)",
    "softrelu_evaluator_move": "int(pointer, pointer, int64)",
    "softrelu_evaluator_preactivations": "int(pointer, pointer, int64)",
    "softrelu_evaluator_prediction": "int(pointer, pointer, int64)",
    "softrelu_evaluator_loss": "int(pointer, pointer, pointer, pointer, pointer)",
    "softrelu_evaluator_gradient": "int(pointer, pointer, int64)",
    "softrelu_evaluator_hessian": "int(pointer, pointer, int64)",
    "softrelu_evaluator_sampled_hessian": "int(pointer, double, int64, uint64, uint64, pointer, int64, pointer)",
    "softrelu_evaluator_hessian_product": "int(pointer, pointer, pointer, int64)",
    "softrelu_evaluator_stationarity": "int(pointer, double, pointer, pointer, pointer, pointer)",
    "softrelu_evaluator_check_derivatives": "int(pointer, pointer, uint64, double, pointer, pointer, pointer, pointer)",
    "softrelu_evaluator_message": "text(pointer)",
    "softrelu_solver_create": "int(pointer, pointer)",
    "softrelu_solver_destroy": "none(pointer)",
    "softrelu_setting_count": "int64()",
    "softrelu_setting_describe": "int(int64, pointer, pointer, pointer, pointer, pointer, pointer, pointer)",
    "softrelu_setting_choice": "text(int, int64, pointer)",
    "softrelu_solver_set_integer": "int(pointer, int, int64)",
    "softrelu_solver_set_real": "int(pointer, int, double)",
    "softrelu_solver_set_text": "int(pointer, text, text)",
    "softrelu_solver_get_integer": "int(pointer, int, pointer)",
    "softrelu_solver_get_real": "int(pointer, int, pointer)",
    "softrelu_solver_set_start": "int(pointer, pointer, int64)",
    "softrelu_solver_set_vector": "int(pointer, int, pointer, int64)",
    "softrelu_solver_set_number": "int(pointer, int, double)",
    "softrelu_solver_set_callback": "int(pointer, callback, pointer)",
    "softrelu_solver_set_interrupt": "int(pointer, callback, pointer)",
    "softrelu_solver_request_stop": "none(pointer)",
    "softrelu_solver_solve": "int(pointer)",
    "softrelu_solver_solution": "int(pointer, pointer, int64)",
    "softrelu_solver_report": "pointer(pointer)",
    "softrelu_solver_message": "text(pointer)",
    "softrelu_report_termination": "int(pointer)",
    "softrelu_report_number": "int(pointer, int, pointer)",
    "softrelu_report_origin": "int(pointer, int, pointer, size)",
    "softrelu_report_trace_length": "int64(pointer)",
    "softrelu_report_trace_number": "int(pointer, int64, int, pointer)",
    "softrelu_verdict_name": "text(int)",
    "softrelu_verdict_text": "text(int)",
    "softrelu_reason_name": "text(int)",
    "softrelu_reason_text": "text(int)",
    "softrelu_distance_name": "text(int)",
    "softrelu_distance_text": "text(int)",
    "softrelu_certificate_create": "int(pointer, pointer)",
    "softrelu_certificate_destroy": "none(pointer)",
    "softrelu_certify": "int(pointer, pointer, int64, double, double)",
    "softrelu_certificate_verdict": "int(pointer)",
    "softrelu_certificate_reason": "int(pointer)",
    "softrelu_certificate_distance": "int(pointer)",
    "softrelu_certificate_number": "int(pointer, int, pointer)",
    "softrelu_certificate_multipliers": "int(pointer, pointer, int64, pointer, int64)",
    "softrelu_certificate_active": "int(pointer, pointer, int64, pointer, int64)",
    "softrelu_certificate_direction": "int(pointer, pointer, int64)",
    "softrelu_certificate_message": "text(pointer)",
    "softrelu_solver_certificate": "pointer(pointer)",
    "softrelu_solver_minimiser_count": "int64(pointer)",
    "softrelu_solver_minimiser": "int(pointer, int64, pointer, int64)",
    "softrelu_solver_minimiser_certificate": "pointer(pointer, int64)",
    "softrelu_search_name": "text(int)",
    "softrelu_search_text": "text(int)",
    "softrelu_counterfactual_create": "int(pointer, pointer)",
    "softrelu_counterfactual_destroy": "none(pointer)",
    "softrelu_counterfactual_solver": "pointer(pointer)",
    "softrelu_counterfactual_request_stop": "none(pointer)",
    "softrelu_counterfactual_search": "int(pointer, pointer, int64, int64, double, pointer, int64)",
    "softrelu_counterfactual_outcome": "int(pointer)",
    "softrelu_counterfactual_count": "int64(pointer)",
    "softrelu_counterfactual_point": "int(pointer, int64, pointer, int64)",
    "softrelu_counterfactual_number": "int(pointer, int64, int, pointer)",
    "softrelu_counterfactual_path_length": "int64(pointer)",
    "softrelu_counterfactual_path_number": "int(pointer, int64, int, pointer)",
    "softrelu_counterfactual_message": "text(pointer)",
    "softrelu_batch_create": "int(pointer, int64, int, int, pointer)",
    "softrelu_batch_destroy": "none(pointer)",
    "softrelu_batch_set_columns": "int(pointer, int, pointer, int64)",
    "softrelu_batch_set_callback": "int(pointer, callback, pointer)",
    "softrelu_batch_request_stop": "none(pointer)",
    "softrelu_solve_batch": "int(pointer, int64, pointer, int64)",
    "softrelu_batch_status": "int(pointer, int64)",
    "softrelu_batch_target_message": "text(pointer, int64)",
    "softrelu_batch_report": "pointer(pointer, int64)",
    "softrelu_batch_certificate": "pointer(pointer, int64)",
    "softrelu_batch_threads": "int(pointer)",
    "softrelu_batch_message": "text(pointer)",
    "softrelu_constants_create": "int(pointer, pointer)",
    "softrelu_constants_destroy": "none(pointer)",
    "softrelu_constants_move": "int(pointer, pointer, int64)",
    "softrelu_constants_number": "int(pointer, int, pointer)",
    "softrelu_constants_weight": "int(pointer, double, pointer)",
    "softrelu_constants_message": "text(pointer)",
}

_TYPES = {"none": None, "int": ctypes.c_int, "int64": ctypes.c_int64, "uint64": ctypes.c_uint64, "size": ctypes.c_size_t,
          "double": ctypes.c_double, "text": ctypes.c_char_p, "pointer": ctypes.c_void_p, "callback": ctypes.c_void_p}
CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
BATCH_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p)

ABI_VERSION = 0

OK = 0
STATUSES = {"SOFTRELU_ERROR_NULL": -10, "SOFTRELU_ERROR_SIZE": -20, "SOFTRELU_ERROR_NOT_FINITE": -30, "SOFTRELU_ERROR_VALUE": -40,
            "SOFTRELU_ERROR_UNKNOWN": -50, "SOFTRELU_ERROR_MISSING": -60, "SOFTRELU_ERROR_STATE": -70, "SOFTRELU_ERROR_MEMORY": -80,
            "SOFTRELU_ERROR_OVERFLOW": -90, "SOFTRELU_ERROR_LAPACK": -100,
            "SOFTRELU_ERROR_COMMUNICATION": -110}
TERMINATIONS = {"not-run": 0, "converged": 10, "iteration-limit": 20, "evaluation-limit": 30, "time-limit": 40, "callback-stop": 50,
                "stop-requested": 60, "no-progress": 70, "numerical-failure": 80}
ARRAYS = {"A1": 10, "A2": 20, "b": 30, "c1": 40, "c2": 50, "w": 60, "rho": 70, "x_ref": 80, "lower": 90, "upper": 100, "x0": 110}
LOSSES = {"squares": 0, "kl": 10}
LAYOUTS = {"row": 101, "column": 102}
OWNERSHIPS = {"copy": 0, "borrow": 10, "map": 20}
BLAS_USES = {"keep": 0, "one-thread": 10}
TYPES = {"integer": 0, "real": 10, "choice": 20}
DERIVATIVE_VERDICTS = {"agree": 0, "disagree": 10, "kink": 20, "round-off": 30}
# Quantities: their number and type.
ORIGINS = {"version": 4010, "blas": 4020, "blas_kernel": 4030}
REPORT = {"loss": (10, float), "loss_fit": (20, float), "loss_weights": (30, float), "loss_proximity": (40, float),
          "residual": (50, float), "residual_relative": (60, float), "pinned_kinks": (70, int), "concave_kinks": (75, int),
          "active_bounds": (78, int), "iterations": (80, int), "evaluations": (90, int), "gradient_steps": (95, int),
          "factorisations": (100, int), "shifts": (110, int), "seconds": (120, float), "seconds_hessian": (130, float),
          "seconds_step": (140, float), "sample_rows": (150, int), "sample_enlargements": (160, int),
          "sample_fallbacks": (170, int), "hessian_products": (180, int), "assemblies": (185, int), "starts": (190, int),
          "minimiser_count": (200, int), "seconds_starts": (210, float), "sample_seed": (220, int), "start_seed": (230, int),
          "blas_threads": (240, int)}
TRACE = {"iteration": (1010, int), "loss": (1020, float), "residual": (1030, float), "pinned_kinks": (1040, int),
         "active_units": (1050, int), "flips": (1060, int), "step_norm": (1070, float), "step_scale": (1080, float),
         "shift": (1090, float), "evaluations": (1100, int), "seconds": (1110, float), "sample_rows": (1120, int),
         "hessian_products": (1130, int)}
CERTIFICATE = {"loss": (2010, float), "residual": (2020, float), "residual_relative": (2030, float),
               "pinned_kinks": (2040, int), "concave_kinks": (2050, int), "active_bounds": (2060, int),
               "complementarity_margin": (2070, float), "free_dimensions": (2080, int), "curvature": (2090, float),
               "curvature_round_off": (2100, float), "slope": (2110, float), "distance_bound": (2120, float),
               "convergence_radius": (2125, float), "global": (2130, int)}
CONSTANTS = {"regulariser_least": (3010, float), "regulariser_largest": (3020, float), "curvature_below": (3030, float),
             "curvature_above": (3040, float), "curvature_change": (3050, float), "output_distance": (3090, float),
             "row_distance_all": (3100, float), "spectral_norm_all": (3110, float), "hessian_least_all": (3120, float),
             "hessian_largest_all": (3130, float), "hessian_lipschitz_all": (3140, float), "convex_in_cells": (3150, int),
             "convex": (3160, int), "row_distance": (3200, float), "row_distance_exact": (3210, int),
             "spectral_norm": (3220, float), "hessian_least": (3230, float), "hessian_least_cell": (3240, float),
             "hessian_lipschitz": (3250, float), "kink_distance": (3260, float), "kink_unit": (3270, int)}
PATH = {"branch": (6010, int), "rho": (6020, float), "confidence": (6030, float), "distance": (6040, float), "reached": (6050, int)}
ANSWER = {"distance": (5010, float), "confidence": (5020, float), "rho": (5030, float), "certified": (5040, int)}

_library: ctypes.CDLL | None = None


class Error(RuntimeError):
    """A call that the library refused. `status` is the name of the C status, such as "SOFTRELU_ERROR_SIZE"."""

    def __init__(self, status: str, message: str):
        super().__init__(message)
        self.status = status


class InputError(Error, ValueError):
    """The input is bad: the message names the argument, the index and the value."""


_INPUT = {"SOFTRELU_ERROR_SIZE", "SOFTRELU_ERROR_NOT_FINITE", "SOFTRELU_ERROR_VALUE", "SOFTRELU_ERROR_UNKNOWN", "SOFTRELU_ERROR_MISSING"}


def _installed() -> str | None:
    """The library that was installed with this package into a place of their own."""
    try:
        from ._place import LIBRARY  # written where the loader does not look
    except ImportError:
        return None
    return os.path.join(os.path.dirname(__file__), LIBRARY)


def library() -> ctypes.CDLL:
    """The loaded library: the file named by SOFTRELU_LIBRARY, the one installed with the package, or what the system's loader finds."""
    global _library
    if _library is None:
        path = (os.environ.get("SOFTRELU_LIBRARY") or _installed() or ctypes.util.find_library("softrelu")
                or f"libsoftrelu.so.{ABI_VERSION}")
        try:
            loaded = ctypes.CDLL(path)
        except OSError as error:
            raise ImportError(f"libsoftrelu is not where the loader looks ({error}); install it, or name the file in "
                              "SOFTRELU_LIBRARY") from error
        for name, prototype in PROTOTYPES.items():
            returned, _, taken = prototype.rstrip(")").partition("(")
            function = getattr(loaded, name)
            function.restype = _TYPES[returned]
            function.argtypes = [_TYPES[word] for word in taken.split(", ") if word]
        if loaded.softrelu_abi_version() != ABI_VERSION:
            raise ImportError(f"{path} has ABI {loaded.softrelu_abi_version()}; this package needs {ABI_VERSION}")
        _library = loaded
    return _library


def check(status: int, message: bytes | None = None) -> None:
    """Raises what a status stands for."""
    if status == OK:
        return
    name = library().softrelu_status_name(status).decode()
    text = (message or library().softrelu_status_text(status)).decode(errors="replace")
    if name == "SOFTRELU_ERROR_MEMORY":
        raise MemoryError(text)
    raise (InputError if name in _INPUT else Error)(name, text)


def number(table: dict[str, int], name: str, what: str) -> int:
    """The number behind a name."""
    if name not in table:
        raise InputError("SOFTRELU_ERROR_UNKNOWN", f"{what} must be one of {', '.join(table)}, not {name!r}")
    return table[name]


def read(call: Any, handle: Any, *arguments: Any) -> float:
    """One number that a function writes through its last argument."""
    value = ctypes.c_double()
    check(call(handle, *arguments, ctypes.byref(value)))
    return value.value
