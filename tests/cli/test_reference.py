"""Solutions of the synthetic family, judged by an independent NumPy evaluation."""
import unittest

import numpy as np

import reference
from program import WRAPPED, ProgramTest

SIZES = ((30, 8, 15),) if WRAPPED else ((60, 40, 30), (200, 20, 100), (1000, 50, 300))
REGIMES = ((0.0, 1e-6), (0.0, 1e-2), (0.5, 1e-3), (1.0, 1e-4))


class Family(ProgramTest):
    def judge(self, size, seed, regime, loss, box):
        problem, x0 = reference.synthetic(*size, seed, *regime, loss)
        for name in ("A1", "A2", "b"):
            self.save(name, problem[name])
        self.save("random", x0)
        self.save("zero", 0.0 * x0)
        bounds = ["--lower", str(-box), "--upper", str(box)] if np.isfinite(box) else []
        for start in ([], ["--x0", "random.npy"], ["--x0", "zero.npy"]):
            with self.subTest(size=size, seed=seed, regime=regime, loss=loss, box=box, start=start):
                data = ["--w", str(regime[1]), "--loss", loss, *bounds]
                done = self.solve(*data, *start, "--out", "x.npy", "--report", "report.json", "--quiet")
                self.assertEqual(done.returncode, 0, done.stderr)
                x, report = np.load(self.path("x.npy")), self.report()
                self.assertTrue((np.abs(x) <= box).all())
                self.assertAlmostEqual(report["loss"], reference.loss(problem, x), delta=1e-12 * max(1.0, report["loss"]))
                least, kinks, concave = reference.residual(problem, x, -box, box)
                self.assertLessEqual(least, 1e-10)
                self.assertFalse(concave)
                self.assertEqual(report["pinned_kinks"], kinks)
                self.assertEqual(report["active_bounds"], int((np.abs(x) == box).sum()))
                self.assertEqual(report["certificate"]["verdict"], "certified local minimiser")
                self.assertLessEqual(report["certificate"]["residual"], 1e-10)
                self.assertEqual(len(report["multipliers"]["kinks"]), kinks)

    def test_squares(self):
        for size in SIZES:
            for regime in REGIMES:
                for seed in range(1 if WRAPPED else 2):
                    self.judge(size, seed, regime, "squares", np.inf)

    def test_kl(self):
        for size in SIZES:
            for regime in REGIMES:
                self.judge(size, 7, regime, "kl", np.inf)

    def test_box(self):
        for size in SIZES:
            for regime in REGIMES:
                self.judge(size, 8, regime, "squares", 0.5)


if __name__ == "__main__":
    unittest.main()
