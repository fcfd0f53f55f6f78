"""softrelu certify, and bounds from the command line."""
import os
import subprocess
import unittest

import numpy as np

from program import COMMAND, D, N, ProgramTest, objective

DATA = ("--A1", "A1.npy", "--A2", "A2.npy", "--b", "b.npy", "--c1", "c1.npy", "--c2", "c2.npy", "--w", "w.npy")
CERTIFICATE = {"verdict", "reason", "text", "loss", "residual", "residual_relative", "pinned_kinks", "concave_kinks", "active_bounds",
               "complementarity_margin", "free_dimensions", "curvature", "curvature_round_off", "slope", "distance_bound",
               "convergence_radius", "distance", "distance_text", "global"}


class Certify(ProgramTest):
    def solved(self, *more):
        done = self.run_program("solve", *DATA, "--out", "x.npy", "--report", "solve.json", *more)
        self.assertEqual(done.returncode, 0, done.stderr)
        return np.load(self.path("x.npy"))

    def certify(self, *more):
        return self.run_program("certify", *DATA, "--x", "x.npy", *more)

    def test_solution_is_certified(self):
        x = self.solved()
        done = self.certify("--report", "certify.json", "--out", "direction.npy")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("certified local minimiser", done.stdout)
        self.assertLessEqual(max(len(line) for line in done.stdout.splitlines()), 80)
        self.assertFalse(os.path.exists(self.path("direction.npy")))  # nowhere to go
        one, other = self.report("certify.json"), self.report("solve.json")
        self.assertEqual(set(one["certificate"]), CERTIFICATE)
        self.assertEqual(one["certificate"], other["certificate"])
        self.assertEqual(one["multipliers"], other["multipliers"])
        self.assertEqual(one["dimensions"], {"n": N, "d": D, "m": 6})
        self.assertAlmostEqual(one["certificate"]["loss"], objective(self.arrays, x), delta=1e-14)
        self.assertEqual(self.certify("--quiet").stdout, "")

    def test_distance(self):
        x = self.solved()
        done = self.certify("--report", "certify.json")
        solved, certificate = self.report("solve.json"), self.report("certify.json")["certificate"]
        self.assertEqual((solved["distance"], certificate["distance"]), ("proved", "proved"))
        self.assertEqual(solved["distance_bound"], certificate["distance_bound"])
        self.assertLess(0.0, solved["distance_bound"])
        self.assertLess(solved["distance_bound"], 1e-9 * np.linalg.norm(x))
        self.assertIn("  distance   at most %.2g from a local minimiser\n" % solved["distance_bound"], done.stdout)
        self.save("x", x + 0.05)  # none for a point that is no minimiser: what it is has been said
        done = self.certify("--report", "certify.json")
        certificate = self.report("certify.json")["certificate"]
        self.assertEqual((certificate["distance"], certificate["distance_bound"]), ("not-certified", None))
        self.assertIn("no certified local minimiser", certificate["distance_text"])
        self.assertNotIn("distance", done.stdout)

    def test_distance_unknown(self):
        # x is next to a kink; without it the minimiser would be beyond
        for name, values in {"A1": [[1.0]], "A2": [[1.0], [-1.0]], "b": [0.5, 0.5], "x": [1e-6], "x_ref": [-1e-3]}.items():
            self.save(name, np.array(values))
        done = self.run_program("certify", "--A1", "A1.npy", "--A2", "A2.npy", "--b", "b.npy", "--rho", "1", "--x-ref", "x_ref.npy",
                                "--x", "x.npy", "--tolerance", "0.5", "--report", "certify.json")
        certificate = self.report("certify.json")["certificate"]
        self.assertEqual((certificate["distance"], certificate["distance_bound"]), ("cell", None))
        self.assertIn("  distance   not bounded: a kink", done.stdout)
        self.assertLessEqual(max(len(line) for line in done.stdout.splitlines()), 80)

    def test_direction_descends(self):
        x = self.solved() + 0.05
        self.save("x", x)
        done = self.certify("--out", "direction.npy", "--report", "certify.json")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("not stationary", done.stdout)
        direction, certificate = np.load(self.path("direction.npy")), self.report("certify.json")["certificate"]
        self.assertAlmostEqual(np.linalg.norm(direction), 1.0)
        self.assertEqual(certificate["curvature"], None)
        step = 1e-6
        slope = (objective(self.arrays, x + step * direction) - objective(self.arrays, x)) / step
        self.assertLess(slope, 0.0)
        self.assertAlmostEqual(slope, certificate["slope"], delta=1e-3 * abs(slope))

    def test_tolerances(self):
        self.save("x", self.solved() + 1e-7)
        self.assertEqual(self.certify("--quiet").returncode, 1)
        self.assertEqual(self.certify("--quiet", "--tolerance", "1e-4", "--kink-tolerance", "1e-5").returncode, 0)

    def test_bounds(self):
        lower = np.array([-np.inf, 0.1, -0.2, 0.3])
        upper = np.array([0.05, np.inf, -0.2, 0.4])
        self.save("lower", lower)
        self.save("upper", upper)
        x = self.solved("--lower", "lower.npy", "--upper", "upper.npy")
        self.assertTrue((x >= lower).all() and (x <= upper).all())
        report = self.report("solve.json")
        self.assertEqual(report["certificate"]["verdict"], "certified local minimiser")
        sides = {entry["index"]: entry["side"] for entry in report["multipliers"]["bounds"]}
        self.assertEqual(sides[2], "fixed")
        self.assertEqual(report["active_bounds"], len(sides))
        for index, side in sides.items():
            self.assertIn(x[index], (lower[index], upper[index]))
        for entry in report["multipliers"]["bounds"]:
            if entry["side"] != "fixed":
                self.assertGreaterEqual(entry["multiplier"] * (1 if entry["side"] == "upper" else -1), 0.0)
        rng = np.random.default_rng(3)  # no point of the box nearby is better
        for step in 1e-3 * rng.standard_normal((200, D)):
            near = np.clip(x + step, lower, upper)
            self.assertGreaterEqual(objective(self.arrays, near), report["loss"] - 1e-14)
        self.assertEqual(self.certify("--lower", "lower.npy", "--upper", "upper.npy").returncode, 0)
        self.assertEqual(self.certify().returncode, 1)  # without the bounds it can be improved

    def test_one_number_for_all(self):
        x = self.solved("--lower", "-0.1", "--upper", "0.1")
        self.assertTrue((np.abs(x) <= 0.1).all())
        free = self.solved()
        np.testing.assert_array_equal(self.solved("--lower", "-inf", "--upper", "inf"), free)
        np.testing.assert_array_equal(self.solved("--lower", "0.25", "--upper", "0.25"), np.full(D, 0.25))

    def test_start_outside_is_moved_inside(self):
        self.save("far", np.full(D, 9.0))
        self.assertTrue((np.abs(self.solved("--lower", "-1", "--upper", "1", "--x0", "far.npy")) <= 1.0).all())

    def refused(self, done, *words):
        self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1)
        for word in words:
            self.assertIn(word, done.stderr)

    def test_bad_input(self):
        x = self.solved()
        self.save("short", np.zeros(D - 1))
        self.save("nan", np.array([0.0, np.nan, 0.0, 0.0]))
        self.save("plus", np.array([0.0, 0.0, np.inf, 0.0]))
        self.save("up", x + 1.0)
        self.refused(self.certify("--lower", "short.npy"), "--lower", "(3,)", "(4,)")
        self.refused(self.certify("--upper", "nan.npy"), "--upper", "[1]", "nan")
        self.refused(self.certify("--lower", "plus.npy"), "--lower", "[2]", "inf", "finite or -inf")
        self.refused(self.certify("--upper=-inf"), "--upper", "-inf")
        self.refused(self.certify("--lower", "nan"), "--lower", "nan")
        self.refused(self.certify("--lower", "word"), "--lower", "word")
        self.refused(self.certify("--lower", "0", "--lower", "1"), "--lower", "twice")
        self.refused(self.certify("--lower", "2", "--upper", "1"), "lower[0] = 2", "upper[0] = 1")
        self.refused(self.certify("--lower", "up.npy"), "--x", "x[0]", "below lower[0]")
        self.refused(self.certify("--tolerance", "-1"), "--tolerance", "-1")
        self.refused(self.certify("--kink-tolerance", "1"), "--kink-tolerance", "1")
        self.refused(self.certify("--x0", "x.npy"), "--x0")
        self.refused(self.run_program("certify", *DATA), "--x is missing")
        self.refused(self.certify("--out", "same", "--report", "same"), "same")
        self.refused(self.run_program("solve", *DATA, "--lower", "2", "--upper", "1"), "lower[0]")
        self.refused(self.run_program("check", *DATA, "--lower", "plus.npy"), "--lower")

    def test_outputs_that_cannot_be_written(self):
        self.save("x", self.solved() + 0.1)
        for option in ("--report", "--out"):
            done = self.certify(option, "nowhere/file")
            self.assertEqual((done.returncode, done.stdout), (3, ""))
            self.assertIn("nowhere/file", done.stderr)
        if os.path.exists("/dev/full"):
            with open("/dev/full", "w", encoding="utf-8") as full:
                done = subprocess.run(COMMAND + ["certify", *DATA, "--x", "x.npy"], cwd=self.folder, stdout=full,
                                      stderr=subprocess.PIPE, text=True, timeout=600)
            self.assertEqual(done.returncode, 3)
            self.assertIn("standard output", done.stderr)

    def test_help(self):
        done = self.run_program("certify", "--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for word in ("--x FILE", "--lower", "--upper", "--kink-tolerance", "Exit status"):
            self.assertIn(word, done.stdout)
        self.assertLessEqual(max(len(line) for line in done.stdout.splitlines()), 80)
        self.assertIn("certify", self.run_program("--help").stdout)


if __name__ == "__main__":
    unittest.main()
