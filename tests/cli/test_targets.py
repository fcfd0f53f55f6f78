"""softrelu solve with many targets, and with several starts."""
import signal
import subprocess
import unittest

import numpy as np

from program import COMMAND, D, M, WRAPPED, ProgramTest, objective

K = 7


class ManyTargets(ProgramTest):
    def setUp(self):
        super().setUp()
        rng = np.random.default_rng(8)
        self.B = rng.dirichlet(np.ones(M), K)
        self.X_ref = rng.standard_normal((K, D))
        self.save("B", self.B)
        self.save("X_ref", self.X_ref)

    def many(self, *arguments, b="B.npy", **options):
        return self.run_program("solve", "--A1", "A1.npy", "--A2", "A2.npy", "--b", b, "--out", "X.npy", "--report", "report.json",
                                *arguments, **options)

    def singles(self, rows, *arguments, **by_target):
        """x of each target, solved alone."""
        found = []
        for t in rows:
            self.save("b", self.B[t])
            given = []
            for flag, values in by_target.items():
                self.save("own_" + flag, values[t])
                given += ["--" + flag.replace("_", "-"), "own_" + flag + ".npy"]
            done = self.solve("--out", "x.npy", *given, *arguments)
            self.assertEqual(done.returncode, 0, done.stderr)
            found.append(np.load(self.path("x.npy")))
        return np.array(found)

    def test_rows_are_targets(self):
        done = self.many("--rho", "0.01", "--x-ref", "X_ref.npy", "--threads", "2")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("%d of %d targets converged" % (K, K), done.stdout)
        X = np.load(self.path("X.npy"))
        np.testing.assert_array_equal(X, self.singles(range(K), "--rho", "0.01", x_ref=self.X_ref))
        report = self.report()
        self.assertEqual((report["targets"], report["converged"], report["failed"], report["threads"]), (K, K, 0, 2))
        self.assertEqual([result["target"] for result in report["results"]], list(range(K)))
        for t, result in enumerate(report["results"]):
            arrays = {"A1": self.arrays["A1"], "A2": self.arrays["A2"], "b": self.B[t], "x_ref": self.X_ref[t]}
            self.assertAlmostEqual(result["loss"], objective(arrays, X[t], 0.01), delta=1e-13)
            self.assertTrue(result["converged"])
            self.assertIsNone(result["error"])
            self.assertIn(result["certificate"]["verdict"], ("certified local minimiser", "stationary"))

    def test_every_array_by_row_in_any_order(self):
        lower, upper = self.X_ref - 0.3, self.X_ref + 0.2
        x0 = self.X_ref + 0.1
        for name, values in (("L", lower), ("U", upper), ("X0", x0)):
            self.save(name, np.asfortranarray(values))
        self.save("B", np.asfortranarray(self.B))
        done = self.many("--w", "0.1", "--lower", "L.npy", "--upper", "U.npy", "--x0", "X0.npy", "--threads", "3", "--quiet")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        X = np.load(self.path("X.npy"))
        self.assertTrue(((X >= lower) & (X <= upper)).all())
        np.testing.assert_array_equal(X, self.singles(range(K), "--w", "0.1", lower=lower, upper=upper, x0=x0))

    def test_shared_arrays(self):
        done = self.many("--rho", "0.01", "--x-ref", "x_ref.npy", "--lower", "-1", "--x0", "x0.npy")
        self.assertEqual(done.returncode, 0, done.stderr)
        alone = self.singles(range(K), "--rho", "0.01", "--x-ref", "x_ref.npy", "--lower", "-1", "--x0", "x0.npy")
        np.testing.assert_array_equal(np.load(self.path("X.npy")), alone)

    def test_a_bad_row_fails_alone(self):
        self.B[2, 3] = np.nan
        self.save("B", self.B)
        done = self.many("--rho", "0.01")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("target 2: b[3] = nan is not finite", done.stdout)
        report = self.report()
        self.assertEqual((report["converged"], report["failed"]), (K - 1, 1))
        self.assertEqual(report["results"][2]["error"], "b[3] = nan is not finite")
        self.assertEqual(report["results"][2]["termination"], "not-run")
        X = np.load(self.path("X.npy"))
        self.assertTrue(np.isnan(X[2]).all())
        good = [t for t in range(K) if t != 2]
        np.testing.assert_array_equal(X[good], self.singles(good, "--rho", "0.01"))

    def test_one_that_does_not_converge(self):
        self.assertEqual(self.many("--max-iterations", "0").returncode, 1)
        self.assertEqual({result["termination"] for result in self.report()["results"]}, {"iteration-limit"})
        self.assertIn("--report FILE", self.run_program("solve", "--A1", "A1.npy", "--A2", "A2.npy", "--b", "B.npy", "--max-iterations", "0").stdout)
        self.assertNotIn("--report FILE", self.many().stdout)

    def test_one_row_is_one_target(self):
        self.save("B", self.B[:1])
        self.assertEqual(self.many().returncode, 0)
        self.assertEqual(np.load(self.path("X.npy")).shape, (D,))
        self.assertNotIn("results", self.report())

    def test_refused(self):
        for arguments, fragment in ((("--threads", "0"), "from 1 to 256"), (("--threads", "two"), "from 1 to 256"),
                                    (("--threads", "257"), "from 1 to 256"), (("--x-ref", "B.npy"), "expected (%d,)" % D)):
            done = self.many(*arguments)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertIn(fragment, done.stderr)
        self.save("B", self.B[:, :-1])
        self.assertIn("shape (%d, %d)" % (K, M - 1), self.many().stderr)
        self.assertIn("--threads is for many targets", self.many("--threads", "2", b="b.npy").stderr)
        self.save("B", self.B)
        done = self.run_program("check", "--A1", "A1.npy", "--A2", "A2.npy", "--b", "B.npy")
        self.assertEqual(done.returncode, 2)

    def test_interrupted(self):
        rng = np.random.default_rng(1)
        n = 40 if WRAPPED else 200  # hard targets: the first ones take long
        self.save("A1", rng.standard_normal((n, n)) / np.sqrt(n))
        self.save("A2", 2.0 * rng.standard_normal((n, n)) / np.sqrt(n))
        self.save("B", rng.dirichlet(np.ones(n), 400))
        program = subprocess.Popen(COMMAND + ["solve", "--A1", "A1.npy", "--A2", "A2.npy", "--b", "B.npy", "--tolerance", "0",
                                              "--max-iterations", "1000000000", "--time-limit", "0.05", "--verbose", "--out", "X.npy",
                                              "--report", "report.json", "--threads", "2"],
                                   cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for line in program.stderr:
            if "of 400 targets" in line:
                break
        program.send_signal(signal.SIGINT)
        program.communicate(timeout=600)
        self.assertEqual(program.returncode, 1)
        ended = [result["termination"] for result in self.report()["results"]]
        self.assertIn("not-run", ended)
        X = np.load(self.path("X.npy"))
        np.testing.assert_array_equal(np.isnan(X).all(axis=1), np.array(ended) == "not-run")


class SeveralStarts(ProgramTest):
    def test_minimisers_are_listed(self):
        one = self.solve("--out", "x.npy", "--report", "report.json")
        self.assertEqual(one.returncode, 0, one.stderr)
        single = self.report()
        self.assertEqual((single["minimiser_count"], len(single["minimisers"]), single["starts"]), (1, 1, 1))
        done = self.solve("--set", "starts=8", "--out", "x.npy", "--report", "report.json")
        self.assertEqual(done.returncode, 0, done.stderr)
        report = self.report()
        listed = report["minimisers"]
        self.assertEqual((report["starts"], report["minimiser_count"]), (8, len(listed)))
        self.assertLessEqual(report["loss"], single["loss"])
        losses = [entry["certificate"]["loss"] for entry in listed]
        self.assertEqual(losses, sorted(losses))
        np.testing.assert_array_equal(np.array(listed[0]["x"]), np.load(self.path("x.npy")))
        for entry in listed:
            arrays = {"A1": self.arrays["A1"], "A2": self.arrays["A2"], "b": self.arrays["b"]}
            self.assertAlmostEqual(entry["certificate"]["loss"], objective(arrays, np.array(entry["x"])), delta=1e-13)


if __name__ == "__main__":
    unittest.main()
