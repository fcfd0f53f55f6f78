"""Softmax ReLU regression: which input makes a two-layer network give this output distribution?

    problem = softrelu.Problem(A1, b, A2=A2, c1=c1, c2=c2, rho=1e-3, x_ref=start, loss="kl")
    result = softrelu.solve(problem)
    result.x, result.converged, result.certificate.verdict

Over the C library libsoftrelu, whose functions release Python's lock while they work.
"""

from ._counterfactual import Answer, Counterfactual, Passed, counterfactual
from ._library import Error, InputError, library
from ._problem import Point, Problem, certify
from ._results import Certificate, Result
from ._solver import BatchResult, Solver, solve, solve_batch

__all__ = ["Answer", "BatchResult", "Certificate", "Counterfactual", "Error", "InputError", "Passed", "Point", "Problem", "Result",
           "Solver", "certify", "counterfactual", "settings", "solve", "solve_batch", "version"]


def version() -> str:
    """Of the library that is running."""
    return library().softrelu_version().decode()


def settings() -> dict[str, dict]:
    """Every setting: default, minimum, maximum, text, and the choices of those that have names."""
    import ctypes

    lib, found = library(), {}
    for index in range(lib.softrelu_setting_count()):
        setting, kind, name, text = ctypes.c_int(), ctypes.c_int(), ctypes.c_char_p(), ctypes.c_char_p()
        numbers = [ctypes.c_double() for _ in range(3)]
        lib.softrelu_setting_describe(index, ctypes.byref(setting), ctypes.byref(name), ctypes.byref(kind), *map(ctypes.byref, numbers),
                                      ctypes.byref(text))
        choices, value = [], ctypes.c_int64()
        while (choice := lib.softrelu_setting_choice(setting.value, len(choices), ctypes.byref(value))) is not None:
            choices.append(choice.decode())
        found[name.value.decode()] = {"default": numbers[0].value, "minimum": numbers[1].value, "maximum": numbers[2].value,
                                      "text": text.value.decode(), "choices": choices}
    return found
