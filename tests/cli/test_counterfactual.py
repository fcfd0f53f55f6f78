"""softrelu counterfactual: answers, reports, frozen entries, ends without an answer, bad input."""
import os
import re
import unittest

import numpy as np

from program import D, M, ProgramTest, predict

NETWORK = ("--A1", "A1.npy", "--A2", "A2.npy", "--c1", "c1.npy", "--c2", "c2.npy")
KEYS = {"schema", "version", "dimensions", "outcome", "outcome_text", "class", "confidence", "outputs_before", "outputs_after", "best", "path",
        "answers", "settings", "certificate", "loss_kind", "blas", "blas_kernel", "blas_threads"}


class Counterfactual(ProgramTest):
    def setUp(self):
        super().setUp()
        self.input = self.arrays["x0"]
        self.save("input", self.input)
        f = predict(self.arrays, self.input)
        self.likely, self.wanted = int(f.argmax()), int(f.argmin())

    def ask(self, *more, **options):
        return self.run_program("counterfactual", *NETWORK, "--input", "input.npy", *more, **options)

    def ask_for(self, *more, **options):
        return self.ask("--class", str(self.wanted), *more, **options)

    def test_answer(self):
        done = self.ask_for("--confidence", "0.6", "--out", "x.npy", "--report", "report.json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(done.stdout.startswith("found: "))
        self.assertLessEqual(max(len(line) for line in done.stdout.splitlines()), 80)
        x, report = np.load(self.path("x.npy")), self.report()
        self.assertEqual(x.shape, (D,))
        f = predict(self.arrays, x)
        self.assertGreaterEqual(f[self.wanted], 0.6 * (1 - 1e-12))
        self.assertEqual(set(report), KEYS)
        self.assertEqual((report["outcome"], report["class"], report["confidence"]), ("found", self.wanted, 0.6))
        answer, = report["answers"]
        self.assertEqual(answer["x"], x.tolist())
        self.assertAlmostEqual(answer["distance"], np.linalg.norm(x - self.input), delta=1e-12)
        self.assertAlmostEqual(answer["confidence"], f[self.wanted], delta=1e-12)
        np.testing.assert_allclose(report["outputs_after"], f, atol=1e-12)
        np.testing.assert_allclose(report["outputs_before"], predict(self.arrays, self.input), atol=1e-12)
        # as near as any of many random points that are as probable
        rng = np.random.default_rng(3)
        for _ in range(2000):
            other = self.input + rng.standard_normal(D) * answer["distance"] / D**0.5
            if predict(self.arrays, other)[self.wanted] >= answer["confidence"]:
                self.assertGreaterEqual(np.linalg.norm(other - self.input), answer["distance"] * (1 - 1e-9))
        self.assertEqual(self.ask_for("--quiet").stdout, "")
        first, *path = report["path"]
        self.assertEqual((first["branch"], first["rho"], first["distance"], first["reached"]), (0, 0, 0, 0))
        self.assertAlmostEqual(first["confidence"], report["outputs_before"][self.wanted], delta=1e-12)
        self.assertIn({"reached": 1, **{key: answer[key] for key in ("rho", "confidence", "distance")}},
                      [{key: step[key] for key in step if key != "branch"} for step in path])
        begin = [step["rho"] for step in path if not step["reached"]][:3]
        self.assertEqual(begin, [begin[0] / 4**k for k in range(3)])

    def test_several_answers(self):
        done = self.ask_for("--answers", "6", "--out", "x.npy", "--report", "report.json")
        self.assertEqual(done.returncode, 0, done.stderr)
        x, answers = np.load(self.path("x.npy")), self.report()["answers"]
        self.assertEqual(x.shape, (len(answers), D))
        distances = [answer["distance"] for answer in answers]
        self.assertEqual(distances, sorted(distances))
        for row in x:
            self.assertGreaterEqual(predict(self.arrays, row)[self.wanted], 0.5 * (1 - 1e-12))

    def test_frozen_entries(self):
        flags = np.zeros(D)
        flags[[0, 2, 3]] = 1
        self.save("flags", flags)
        one = self.ask_for("--confidence", "0.3", "--freeze", "0,2-3", "--report", "one.json", "--out", "x.npy")
        two = self.ask_for("--confidence", "0.3", "--freeze", "flags.npy", "--report", "two.json")
        self.assertEqual(one.returncode, two.returncode)
        self.assertEqual(self.report("one.json"), self.report("two.json"))
        for answer in self.report("one.json")["answers"]:
            self.assertEqual([answer["x"][k] for k in (0, 2, 3)], [self.input[k] for k in (0, 2, 3)])

    def test_no_answer(self):
        done = self.ask_for("--confidence", "0.999999", "--freeze", f"0-{D - 1}", "--out", "x.npy", "--report", "report.json")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("does not prove", done.stdout)
        self.assertIn("Try a lower --confidence", done.stdout)
        self.assertFalse(os.path.exists(self.path("x.npy")))
        report = self.report()
        self.assertEqual((report["outcome"], report["answers"], report["outputs_after"]), ("not-found", [], None))
        self.assertAlmostEqual(report["best"]["confidence"], report["outputs_before"][self.wanted], delta=1e-12)
        done = self.ask_for("--time-limit", "0")
        self.assertEqual((done.returncode, done.stdout.split(":")[0]), (1, "stopped"))
        self.assertIn("--time-limit", done.stdout)
        self.assertNotIn("--freeze", done.stdout)

    def test_already(self):
        done = self.ask("--class", str(self.likely), "--confidence", str(0.99 * predict(self.arrays, self.input).max()), "--out", "x.npy")
        self.assertEqual((done.returncode, done.stdout.split(":")[0]), (0, "already"))
        np.testing.assert_array_equal(np.load(self.path("x.npy")), self.input)

    def test_plot_of_the_path(self):
        self.ask_for("--confidence", "0.6", "--svg", "path.svg", "--report", "report.json")
        with open(self.path("path.svg"), encoding="utf-8") as file:
            points = re.findall(r'circle class="([ab])"[^>]* data-x="([^"]+)" data-y="([^"]+)"', file.read())
        report = self.report()
        frontier = []  # what none nearer is as probable as
        for point in sorted((step["distance"], step["confidence"]) for step in report["path"]):
            frontier += [point] if not frontier or point[1] > frontier[-1][1] else []
        self.assertEqual([(float(x), float(y)) for name, x, y in points if name == "a"], frontier)
        self.assertIn((report["answers"][0]["distance"], report["answers"][0]["confidence"]), frontier)
        self.assertEqual([(float(x), float(y)) for name, x, y in points if name == "b"], [(0, 0.6), (frontier[-1][0], 0.6)])

    def test_bad_input(self):
        self.save("short", np.zeros(D - 1))
        self.save("twos", np.full(D, 2.0))
        for more, text in (((), "--class is missing"), (("--class", str(M)), f"class {M}"), (("--class", "-1"), "--class '-1'"),
                           (("--class", "x"), "--class 'x'"), (("--class", "0", "--confidence", "1"), "--confidence '1'"),
                           (("--class", "0", "--confidence", "nan"), "--confidence 'nan'"), (("--class", "0", "--freeze", "1-"), "'1-'"),
                           (("--class", "0", "--freeze", "2-1"), "'2-1'"), (("--class", "0", "--freeze", f"{D}"), f"0 to {D - 1}"),
                           (("--class", "0", "--freeze", "short.npy"), f"expected {D}"), (("--class", "0", "--freeze", "twos.npy"), "entry 0 is 2"),
                           (("--class", "0", "--freeze", "1,,2"), "''"), (("--class", "0", "--freeze", "none.npy"), "none.npy"),
                           (("--class", "0", "--answers", "0"), "--answers '0'"), (("--class", "0", "--lower", "1", "--upper", "0"), "lower"),
                           (("--class", "0", "--w", "1"), "unknown option"), (("--class", "0", "--freeze", "0", "--lower", "1e9"), "input[0]")):
            done = self.ask(*more)
            self.assertEqual(done.returncode, 2, more)
            self.assertIn(text, done.stderr, more)
        done = self.run_program("counterfactual", *NETWORK, "--class", "0")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--input is missing", done.stderr)


if __name__ == "__main__":
    unittest.main()
