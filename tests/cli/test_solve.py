"""What the program does when all is well: results, files, exit status, screen, signals."""
import os
import signal
import stat
import subprocess
import unittest

import numpy as np

from program import COMMAND, D, M, N, WRAPPED, ProgramTest, objective

KEYS = {"schema", "version", "termination", "converged", "loss", "residual", "residual_relative", "iterations", "evaluations",
        "seconds", "pinned_kinks", "active_bounds", "dimensions", "settings", "trace", "certificate", "multipliers",
        "distance_bound", "distance"}


class Solve(ProgramTest):
    def everything(self, *more):
        return self.solve("--c1", "c1.npy", "--c2", "c2.npy", "--w", "w.npy", "--rho", "0.01", "--x-ref", "x_ref.npy", "--x0", "x0.npy",
                          "--out", "x.npy", "--report", "report.json", *more)

    def test_result_is_what_it_says(self):
        done = self.everything()
        self.assertEqual(done.returncode, 0, done.stderr)
        report, x = self.report(), np.load(self.path("x.npy"))
        self.assertLessEqual(KEYS, set(report))
        self.assertEqual((report["schema"], report["termination"], report["converged"]), (1, "converged", True))
        self.assertEqual(report["dimensions"], {"n": N, "d": D, "m": M})
        self.assertEqual((x.shape, x.dtype), ((D,), np.float64))
        self.assertAlmostEqual(report["loss"], objective(self.arrays, x, 0.01), delta=1e-13)
        self.assertAlmostEqual(report["loss"], report["loss_fit"] + report["loss_weights"] + report["loss_proximity"], delta=1e-15)
        self.assertLessEqual(report["residual_relative"], report["settings"]["tolerance"])
        self.assertEqual(len(report["trace"]), report["iterations"] + 1)
        self.assertEqual([record["iteration"] for record in report["trace"]], list(range(report["iterations"] + 1)))
        rng = np.random.default_rng(0)  # no nearby point is better
        for step in 1e-3 * rng.standard_normal((200, D)):
            self.assertGreaterEqual(objective(self.arrays, x + step, 0.01), report["loss"] - 1e-14)

    def test_screen(self):
        done = self.everything()
        self.assertEqual(done.stderr, "")  # not a terminal: no progress
        for word in ("converged", "loss", "residual", "n = 12, d = 4, m = 6", "x.npy", "report.json"):
            self.assertIn(word, done.stdout)
        self.assertLessEqual(max(len(line) for line in done.stdout.splitlines()), 80)
        verbose = self.everything("--verbose")
        self.assertGreaterEqual(len(verbose.stderr.splitlines()), self.report()["iterations"] + 1)
        quiet = self.everything("--quiet")
        self.assertEqual((quiet.stdout, quiet.stderr, quiet.returncode), ("", "", 0))

    def test_every_way_to_store_an_array(self):
        self.everything("--quiet")
        expected = np.load(self.path("x.npy"))
        for version in ((1, 0), (2, 0), (3, 0)):
            for name, values in self.arrays.items():
                with open(self.path(name + ".npy"), "wb") as file:
                    np.lib.format.write_array(file, np.asfortranarray(values), version=version)
            self.assertEqual(self.everything("--quiet").returncode, 0)
            np.testing.assert_allclose(np.load(self.path("x.npy")), expected, rtol=0, atol=1e-10)
        for shape in ((1, -1), (-1, 1)):  # rows and columns serve as vectors
            for name in ("b", "c1", "c2", "w", "x_ref", "x0"):
                self.save(name, self.arrays[name].reshape(shape))
            self.assertEqual(self.everything("--quiet").returncode, 0)
            np.testing.assert_allclose(np.load(self.path("x.npy")), expected, rtol=0, atol=1e-10)

    def test_float32(self):
        """Vectors are widened, matrices are kept; either way it is the same problem, also where rows and columns are swapped."""
        singles = {name: values.astype(np.float32) for name, values in self.arrays.items()}
        for name, values in singles.items():
            self.save(name, values.astype(np.float64))
        self.everything("--quiet")
        expected = np.load(self.path("x.npy"))
        for order in "CF":
            for name, values in singles.items():
                self.save(name, np.array(values, order=order))
            self.assertEqual(self.everything("--quiet").returncode, 0)
            np.testing.assert_allclose(np.load(self.path("x.npy")), expected, rtol=0, atol=1e-9)

    def test_float32_that_is_not_finite(self):
        singles = self.arrays["A2"].astype(np.float32)
        singles[1, 2] = np.inf
        self.save("A2", np.asfortranarray(singles))
        done = self.everything()
        self.assertEqual(done.returncode, 2)
        self.assertIn("--A2 'A2.npy': entry [1, 2] is inf", done.stderr)

    def test_without_output_layer(self):
        target = np.full(N, 1.0 / N)
        self.save("b", target)
        done = self.run_program("solve", "--A1", "A1.npy", "--b", "b.npy", "--w", "0.1", "--report", "report.json", "--out", "x.npy")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.report()["dimensions"], {"n": N, "d": D, "m": N})
        arrays = {"A1": self.arrays["A1"], "A2": np.eye(N), "b": target, "w": 0.1}
        self.assertAlmostEqual(self.report()["loss"], objective(arrays, np.load(self.path("x.npy"))), delta=1e-13)

    def test_kl(self):
        done = self.solve("--loss", "kl", "--rho", "0.1", "--report", "report.json")
        self.assertEqual(done.returncode, 0, done.stderr)
        entropy = -np.sum(self.arrays["b"] * np.log(self.arrays["b"]))
        self.assertGreaterEqual(self.report()["loss_fit"], entropy - 1e-12)

    def test_settings(self):
        done = self.solve("--set", "tolerance=1e-6", "--set", "trace_length=2", "--max-iterations", "3", "--time-limit", "100",
                          "--report", "report.json")
        settings = self.report()["settings"]
        self.assertEqual((settings["tolerance"], settings["trace_length"], settings["max_iterations"], settings["time_limit"]),
                         (1e-6, 2, 3, 100.0))
        self.assertIn(done.returncode, (0, 1))
        self.assertLessEqual(len(self.report()["trace"]), 2)

    def test_stopped_before_convergence(self):
        done = self.everything("--max-iterations", "1")
        self.assertEqual(done.returncode, 1)
        report = self.report()
        self.assertEqual((report["termination"], report["converged"], report["iterations"]), ("iteration-limit", False, 1))
        self.assertAlmostEqual(report["loss"], objective(self.arrays, np.load(self.path("x.npy")), 0.01), delta=1e-13)
        self.assertEqual(self.everything("--time-limit", "0").returncode, 1)
        self.assertEqual(self.report()["termination"], "time-limit")

    def test_what_to_do_next(self):
        def last(*arguments):
            return " ".join(self.solve(*arguments).stdout.split("\n\n")[-1].split())

        for arguments, advice in ((("--max-iterations", "0"), "--max-iterations N"), (("--time-limit", "0"), "--time-limit SECONDS"),
                                  (("--set", "max_evaluations=1"), "--set max_evaluations=N")):
            self.assertIn(advice, last(*arguments))
        self.save("A1", np.ones((N, D)))  # of d directions the network sees one
        self.assertIn("A small positive --rho or --w", last("--w", "0"))
        self.assertIn("written", last("--w", "0.1", "--rho", "0.1"))  # certified: nothing to do

    def test_infinity_is_no_bare_token(self):
        self.solve("--report", "report.json")
        self.assertEqual(self.report()["settings"]["time_limit"], "inf")  # the loader refuses bare ones

    def test_existing_output_is_replaced_whole(self):
        self.save("x", np.zeros(3))
        os.chmod(self.path("x.npy"), 0o640)
        self.assertEqual(self.everything("--quiet").returncode, 0)
        self.assertEqual(np.load(self.path("x.npy")).shape, (D,))
        self.assertEqual(stat.S_IMODE(os.stat(self.path("x.npy")).st_mode), 0o640)
        left = [name for name in os.listdir(self.folder) if name not in
                {key + ".npy" for key in self.arrays} | {"x.npy", "report.json"}]
        self.assertEqual(left, [])  # no temporary file stays behind

    def interrupted(self, signal_number):
        rng = np.random.default_rng(1)
        n = 60 if WRAPPED else 300  # as many units as unknowns and a noisy target: hundreds of iterations
        self.save("A1", rng.standard_normal((n, n)) / np.sqrt(n))
        self.save("A2", 2.0 * rng.standard_normal((n, n)) / np.sqrt(n))
        self.save("b", rng.dirichlet(np.ones(n)))
        self.save("x0", rng.standard_normal(n))
        program = subprocess.Popen(COMMAND + ["solve", "--A1", "A1.npy", "--A2", "A2.npy", "--b", "b.npy", "--x0", "x0.npy",
                                              "--tolerance", "0", "--max-iterations", "1000000000", "--verbose", "--out", "x.npy",
                                              "--report", "report.json"],
                                   cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for line in program.stderr:  # iterating: the handler is in place and the solve runs
            if line.split()[:1] == ["3"]:
                break
        program.send_signal(signal_number)
        program.communicate(timeout=600)
        return program.returncode

    def test_signals_stop_and_keep_the_best_point(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
            status = self.interrupted(number)
            report = self.report()
            self.assertEqual(status, 1)
            self.assertEqual(report["termination"], "stop-requested")
            self.assertTrue(np.isfinite(np.load(self.path("x.npy"))).all())
            self.assertLess(report["loss"], report["trace"][0]["loss"])
            os.remove(self.path("x.npy"))
            os.remove(self.path("report.json"))


class OtherCommands(ProgramTest):
    def test_check(self):
        done = self.run_program("check", "--A1", "A1.npy", "--A2", "A2.npy", "--b", "b.npy", "--c1", "c1.npy", "--w", "w.npy", "--x", "x0.npy")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("agree", done.stdout)
        self.save("origin", np.zeros(D))  # without biases all kinks meet at the origin
        done = self.run_program("check", "--A1", "A1.npy", "--A2", "A2.npy", "--b", "b.npy", "--x", "origin.npy")
        self.assertEqual(done.returncode, 0)
        self.assertIn("kink", done.stdout)
        again = [self.run_program("check", "--A1", "A1.npy", "--A2", "A2.npy", "--b", "b.npy", "--seed", "7").stdout for _ in range(2)]
        self.assertEqual(*again)

    def test_info(self):
        done = self.run_program("info")
        self.assertEqual(done.returncode, 0)
        for word in ("softrelu 0.", "32 bits", "max_iterations", "tolerance", "1e-12", "time_limit"):
            self.assertIn(word, done.stdout)

    def test_help_and_version(self):
        self.assertRegex(self.run_program("--version").stdout, r"^softrelu \d+\.\d+\.\d+\n$")
        for arguments in (("--help",), *((command, "--help") for command in (
                "solve", "invert", "counterfactual", "check", "certify", "constants", "convert", "info"))):
            done = self.run_program(*arguments)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("usage: softrelu", done.stdout)
            self.assertLessEqual(max(len(line) for line in done.stdout.splitlines()), 80)


if __name__ == "__main__":
    unittest.main()
