"""Two runs give the same files, byte by byte, but for the times; and the report says what its numbers come from."""
import re
import unittest

import numpy as np

from program import ProgramTest

WAYS = {
    "plain": [],
    "kl": ["--loss", "kl", "--w", "w.npy", "--rho", "0.01", "--x-ref", "x_ref.npy"],
    "bounds": ["--lower", "-0.2", "--upper", "0.2"],
    "sampled": ["--set", "hessian=sampled", "--set", "sample_seed=7"],
    "pcg": ["--set", "step=pcg"],
    "starts": ["--set", "starts=4", "--set", "start_seed=9", "--rho", "0.01"],
}


class Repeat(ProgramTest):
    def files(self, name, more):
        done = self.solve("--out", name + ".npy", "--report", name + ".json", "--quiet", *more)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        with open(self.path(name + ".npy"), "rb") as x, open(self.path(name + ".json"), encoding="utf-8") as report:
            text = report.read()
            timeless, times = re.subn(r'("seconds\w*": )[-+.0-9e]+', r"\1TIME", text)
            self.assertGreater(times, 3)
            return x.read(), timeless

    def test_same_files(self):
        for way, more in WAYS.items():
            with self.subTest(way):
                self.assertEqual(self.files("first", more), self.files("second", more))

    def test_same_files_of_many_targets(self):
        targets = np.random.default_rng(6).random((5, len(self.arrays["b"])))
        self.save("b", targets / targets.sum(axis=1, keepdims=True))
        self.assertEqual(self.files("first", []), self.files("second", []))

    def test_origin(self):
        self.files("x", ["--set", "sample_seed=7", "--set", "start_seed=9"])
        report = self.report("x.json")
        self.assertEqual((report["sample_seed"], report["start_seed"]), (7, 9))
        self.assertRegex(report["version"], r"^\d+\.\d+\.\d+$")
        self.assertEqual(report["blas_threads"], 1)
        self.assertTrue(report["blas"] and report["blas_kernel"])
        if "DYNAMIC_ARCH" in report["blas"]:
            self.assertIn(report["blas_kernel"], report["blas"])


if __name__ == "__main__":
    unittest.main()
