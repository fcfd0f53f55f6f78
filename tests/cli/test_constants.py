"""softrelu constants, and the global minimiser that their proofs make of a certified one."""
import math
import os
import subprocess
import unittest

import numpy as np

from program import COMMAND, D, M, N, ProgramTest

DATA = ("--A1", "A1.npy", "--A2", "A2.npy", "--b", "b.npy", "--c1", "c1.npy", "--c2", "c2.npy", "--w", "w.npy")
OF_PROBLEM = {"regulariser_least", "regulariser_largest", "curvature_below", "curvature_above", "curvature_change",
              "output_distance", "row_distance_all", "spectral_norm_all", "hessian_least_all", "hessian_largest_all", "hessian_lipschitz_all",
              "convex_in_cells", "convex"}
OF_POINT = {"row_distance", "row_distance_exact", "spectral_norm", "hessian_least", "hessian_least_cell", "hessian_lipschitz",
            "kink_distance", "kink_unit"}


class Constants(ProgramTest):
    def constants(self, *more):
        return self.run_program("constants", *DATA, *more)

    def test_of_a_problem(self):
        done = self.constants("--report", "constants.json")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertLessEqual(max(len(line) for line in done.stdout.splitlines()), 80)
        report = self.report("constants.json")
        self.assertEqual(report["dimensions"], {"n": N, "d": D, "m": M})
        self.assertEqual(report["loss_kind"], "squares")
        values = report["constants"]
        self.assertEqual(set(values), OF_PROBLEM | OF_POINT)
        for name in OF_POINT:
            self.assertIsNone(values[name])
            self.assertNotIn(name + " ", done.stdout)
        for name in OF_PROBLEM:
            self.assertIn(name, done.stdout)
        weighted = self.arrays["w"][:, None] * self.arrays["A1"]
        eigenvalues = np.linalg.eigvalsh(weighted.T @ weighted)
        self.assertAlmostEqual(values["regulariser_least"], eigenvalues[0], delta=1e-12)
        self.assertAlmostEqual(values["regulariser_largest"], eigenvalues[-1], delta=1e-12)
        a2 = self.arrays["A2"]
        distance = max(np.linalg.norm(p - q) for p in a2 for q in a2)
        self.assertAlmostEqual(values["output_distance"], distance, delta=1e-12)
        self.assertEqual(self.constants("--quiet").stdout, "")

    def test_of_a_point(self):
        x = np.random.default_rng(7).standard_normal(D)
        self.save("x", x)
        done = self.constants("--x", "x.npy", "--report", "constants.json")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("at the point of --x", done.stdout)
        values = self.report("constants.json")["constants"]
        u = self.arrays["A1"] @ x + self.arrays["c1"]
        jacobian = self.arrays["A2"] @ ((u > 0)[:, None] * self.arrays["A1"])
        self.assertAlmostEqual(values["row_distance"], max(np.linalg.norm(p - q) for p in jacobian for q in jacobian), delta=1e-12)
        distances = np.abs(u) / np.linalg.norm(self.arrays["A1"], axis=1)
        self.assertEqual(values["kink_unit"], int(np.argmin(distances)))
        self.assertAlmostEqual(values["kink_distance"], distances.min(), delta=1e-12)
        self.assertLessEqual(values["hessian_least_cell"], values["hessian_least"])
        self.assertLessEqual(values["hessian_least_all"], values["hessian_least_cell"])

    def test_weight_for_a_modulus(self):
        done = self.constants("--modulus", "0.5", "--report", "constants.json")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("weight_squared", done.stdout)
        report = self.report("constants.json")
        self.assertEqual(report["modulus"], 0.5)
        weight = math.sqrt(report["weight_squared"])
        self.run_program("constants", *DATA[:-2], "--w", repr(weight), "--report", "weighted.json")
        weighted = self.report("weighted.json")["constants"]
        self.assertAlmostEqual(weighted["hessian_least_all"], 0.5, delta=1e-9)
        self.assertEqual(weighted["convex_in_cells"], 1)

    def test_infinite(self):
        self.save("c", np.full(N, -1.0))
        self.save("wide", np.ones((2, 3)))
        self.save("b2", np.array([3.0, -1.0]))
        self.save("x", np.zeros(3))
        done = self.run_program("constants", "--A1", "wide.npy", "--b", "b2.npy", "--modulus", "1", "--report", "constants.json")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        report = self.report("constants.json")
        self.assertEqual(report["weight_squared"], "inf")
        self.assertRegex(done.stdout, r"weight_squared +inf")

    def test_global_minimiser(self):
        self.save("far", np.full(N, 4.0))
        data = (*DATA[:6], "--c1", "far.npy", "--rho", "20")
        done = self.run_program("solve", *data, "--out", "x.npy", "--report", "solve.json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("the global minimiser", done.stdout)
        self.assertEqual(self.report("solve.json")["certificate"]["global"], 1)
        done = self.run_program("certify", *data, "--x", "x.npy", "--report", "certify.json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("the global minimiser", done.stdout)
        self.run_program("constants", *data, "--report", "constants.json")
        self.assertEqual(self.report("constants.json")["constants"]["convex"], 1)
        done = self.run_program("solve", *DATA, "--report", "solve.json")
        self.assertNotIn("the global minimiser", done.stdout)
        self.assertEqual(self.report("solve.json")["certificate"]["global"], 0)

    def refused(self, done, *words):
        self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1)
        for word in words:
            self.assertIn(word, done.stderr)

    def test_bad_input(self):
        self.save("short", np.zeros(D - 1))
        self.save("huge", np.full(D, 1e308))
        for modulus in ("0", "-1", "nan", "inf", "word", ""):
            self.refused(self.constants("--modulus", modulus), "--modulus", modulus)
        self.refused(self.constants("--x", "short.npy"), "--x", "(3,)", "(4,)")
        self.refused(self.constants("--x", "huge.npy"), "double precision")
        self.refused(self.constants("--out", "x.npy"), "--out")
        self.refused(self.run_program("constants", "--A1", "A1.npy"), "--b is missing")
        done = self.constants("--report", "nowhere/file")
        self.assertEqual((done.returncode, done.stdout), (3, ""))
        self.assertIn("nowhere/file", done.stderr)
        if os.path.exists("/dev/full"):
            with open("/dev/full", "w", encoding="utf-8") as full:
                done = subprocess.run(COMMAND + ["constants", *DATA], cwd=self.folder, stdout=full, stderr=subprocess.PIPE,
                                      text=True, timeout=600)
            self.assertEqual(done.returncode, 3)

    def test_help(self):
        done = self.run_program("constants", "--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for word in ("--x FILE", "--modulus NUMBER", "--report FILE", "Exit status"):
            self.assertIn(word, done.stdout)
        self.assertLessEqual(max(len(line) for line in done.stdout.splitlines()), 80)
        self.assertIn("constants", self.run_program("--help").stdout)


if __name__ == "__main__":
    unittest.main()
