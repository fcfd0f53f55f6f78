"""Runs the softrelu program in a folder of its own, with a small problem in it."""
import json
import os
import shlex
import subprocess
import tempfile
import unittest

import numpy as np

COMMAND = shlex.split(os.environ.get("SOFTRELU_TEST_WRAPPER", "")) + [os.environ["SOFTRELU_CLI"]]
WRAPPED = len(COMMAND) > 1
N, D, M = 12, 4, 6


class ProgramTest(unittest.TestCase):
    """Each test starts in an empty folder that holds A1, A2, b, c1, c2, w, x_ref and x0 of a random problem."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        rng = np.random.default_rng(5)
        self.arrays = {
            "A1": rng.standard_normal((N, D)),
            "A2": rng.standard_normal((M, N)),
            "c1": 0.1 * rng.standard_normal(N),
            "c2": 0.1 * rng.standard_normal(M),
            "w": 0.1 + rng.random(N),
            "x_ref": rng.standard_normal(D),
            "x0": rng.standard_normal(D),
        }
        target = rng.random(M)
        self.arrays["b"] = target / target.sum()
        for name, values in self.arrays.items():
            self.save(name, values)

    def path(self, name):
        return os.path.join(self.folder, name)

    def save(self, name, values):
        np.save(self.path(name + ".npy"), values)

    def run_program(self, *arguments, **options):
        return subprocess.run(COMMAND + list(arguments), cwd=self.folder, capture_output=True, text=True, timeout=600, **options)

    def solve(self, *arguments, **options):
        return self.run_program("solve", "--A1", "A1.npy", "--A2", "A2.npy", "--b", "b.npy", *arguments, **options)

    def report(self, name="report.json"):
        def no_constant(token):
            raise ValueError("bare " + token)

        with open(self.path(name), encoding="utf-8") as file:
            return json.load(file, parse_constant=no_constant)


def predict(arrays, x):
    u = arrays["A1"] @ x + arrays.get("c1", 0.0)
    z = arrays["A2"] @ np.maximum(u, 0.0) + arrays.get("c2", 0.0)
    e = np.exp(z - z.max())
    return e / e.sum()


def objective(arrays, x, rho=0.0):
    v = arrays["A1"] @ x
    value = 0.5 * np.sum((predict(arrays, x) - arrays["b"]) ** 2)
    value += 0.5 * np.sum((arrays.get("w", 0.0) * v) ** 2) + 0.5 * rho * np.sum((x - arrays.get("x_ref", 0.0)) ** 2)
    return value
