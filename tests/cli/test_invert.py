"""softrelu invert: distributions and classes, what counts as found, bad input."""
import unittest

import numpy as np

from program import D, M, ProgramTest, predict

NETWORK = ("--A1", "A1.npy", "--A2", "A2.npy", "--c1", "c1.npy", "--c2", "c2.npy")


class Invert(ProgramTest):
    def ask(self, *more):
        return self.run_program("invert", *NETWORK, *more)

    def distance(self, b, name="x"):
        return 0.5 * np.abs(predict(self.arrays, np.load(self.path(name + ".npy"))) - b).sum()

    def test_attainable_outputs(self):
        b = predict(self.arrays, self.arrays["x_ref"])
        self.save("b", b)
        done = self.ask("--b", "b.npy", "--out", "x.npy", "--report", "report.json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(done.stdout.startswith("found: "))
        self.assertLessEqual(max(len(line) for line in done.stdout.splitlines()), 80)
        report = self.report()
        self.assertEqual((report["outcome"], report["within"], report["loss_kind"]), ("found", 0.01, "kl"))
        self.assertAlmostEqual(report["total_variation"], self.distance(b), delta=1e-12)
        self.assertLess(report["total_variation"], 1e-3)
        self.assertEqual((report["starts"], report["settings"]["starts"]), (8, 8))

    def test_class(self):
        wanted = int(predict(self.arrays, 3 * self.arrays["x0"]).argmax())
        done = self.ask("--class", str(wanted), "--confidence", "0.8", "--within", "0.6", "--starts", "3", "--out", "x.npy", "--report", "report.json")
        b = np.full(M, 0.2 / (M - 1))
        b[wanted] = 0.8
        report = self.report()
        self.assertAlmostEqual(report["total_variation"], self.distance(b), delta=1e-12)
        self.assertEqual(done.returncode, 0 if self.distance(b) <= 0.6 else 1)
        self.assertEqual(report["settings"]["starts"], 3)

    def test_not_found(self):
        b = np.zeros(M)
        b[0] = 1
        self.save("b", b)
        self.save("x_ref", np.zeros(D))
        done = self.ask("--b", "b.npy", "--lower", "0", "--upper", "1e-3", "--out", "x.npy", "--report", "report.json", "--x-ref", "x_ref.npy")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertTrue(done.stdout.startswith("not-found: "))
        self.assertIn("does not prove", " ".join(done.stdout.split()))
        self.assertEqual(self.report()["outcome"], "not-found")
        self.assertGreater(self.distance(b), 0.01)

    def test_bad_input(self):
        for more, text in (((), "--b FILE or --class J is missing"), (("--b", "b.npy", "--class", "1"), "both"), (("--class", str(M)), f"0 to {M - 1}"),
                           (("--class", "1", "--within", "2"), "--within '2'"), (("--class", "1", "--starts", "0"), "--starts '0'"),
                           (("--class", "1", "--starts", "1001"), "--starts '1001'"), (("--class", "1", "--loss", "kl"), "unknown option"),
                           (("--class", "1", "--rho", "-1"), "rho")):
            done = self.ask(*more)
            self.assertEqual(done.returncode, 2, more)
            self.assertIn(text, done.stderr, more)


if __name__ == "__main__":
    unittest.main()
