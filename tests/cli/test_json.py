"""--json: the report and nothing else on stdout, from every command; what stdout refuses is a failure."""
import json
import os
import re
import subprocess
import unittest

import numpy as np

from program import COMMAND, D, M, N, ProgramTest, predict

NETWORK = ("--A1", "A1.npy", "--A2", "A2.npy", "--c1", "c1.npy", "--c2", "c2.npy")
DATA = (*NETWORK, "--b", "b.npy")


class Json(ProgramTest):
    def printed(self, done):
        self.assertEqual(done.stderr, "")
        return json.loads(done.stdout, parse_constant=lambda token: self.fail("bare " + token))

    def same_as_the_report(self, *arguments, status=0):
        """What --json prints is, to the last byte, what --report writes."""
        done = self.run_program(*arguments, "--json", "--report", "report.json")
        self.assertEqual(done.returncode, status, done.stderr)
        with open(self.path("report.json"), encoding="utf-8") as file:
            self.assertEqual(done.stdout, file.read())
        return self.printed(done)

    def test_every_report(self):
        report = self.same_as_the_report("solve", *DATA, "--rho", "0.01", "--out", "x.npy")
        x = np.load(self.path("x.npy"))
        self.assertEqual((report["converged"], report["dimensions"]), (True, {"n": N, "d": D, "m": M}))
        self.assertEqual(report, self.report())
        self.assertAlmostEqual(report["loss_fit"], 0.5 * np.sum((predict(self.arrays, x) - self.arrays["b"]) ** 2), delta=1e-13)
        certificate = self.same_as_the_report("certify", *DATA, "--rho", "0.01", "--x", "x.npy")["certificate"]
        self.assertEqual(certificate["verdict"], report["certificate"]["verdict"])
        self.assertEqual(self.same_as_the_report("certify", *DATA, "--x", "x0.npy", status=1)["certificate"]["verdict"], "not stationary")
        likely = str(int(predict(self.arrays, self.arrays["x0"]).argmax()))
        self.assertEqual(self.same_as_the_report("counterfactual", *NETWORK, "--input", "x0.npy", "--class", likely,
                                                 "--confidence", "0.01")["outcome"], "already")
        self.assertIn(self.same_as_the_report("invert", *DATA, "--within", "1")["outcome"], "found")
        self.assertIn("convex", self.same_as_the_report("constants", *DATA)["constants"])

    def test_many_targets(self):
        self.save("B", np.random.default_rng(8).dirichlet(np.ones(M), 3))
        report = self.same_as_the_report("solve", *NETWORK, "--b", "B.npy", "--rho", "0.01")
        self.assertEqual([result["target"] for result in report["results"]], [0, 1, 2])

    def test_what_did_not_converge(self):
        self.assertEqual(self.same_as_the_report("solve", *DATA, "--max-iterations", "0", status=1)["termination"], "iteration-limit")

    def test_check(self):
        report = self.same_as_the_report("check", *DATA, "--x", "x0.npy")
        self.assertEqual((report["verdict"], report["kink"], report["point"]), ("agree", None, "--x 'x0.npy'"))
        self.assertAlmostEqual(report["loss"], 0.5 * np.sum((predict(self.arrays, self.arrays["x0"]) - self.arrays["b"]) ** 2), delta=1e-13)
        self.assertAlmostEqual(report["gradient_order"], 2, delta=0.3)
        self.assertAlmostEqual(report["point_length"], np.linalg.norm(self.arrays["x0"]), delta=1e-14)
        self.save("origin", np.zeros(D))  # without biases all kinks meet at the origin
        report = self.same_as_the_report("check", "--A1", "A1.npy", "--A2", "A2.npy", "--b", "b.npy", "--x", "origin.npy")
        self.assertEqual(report["verdict"], "kink")
        self.assertIn(report["kink"], range(N))

    def test_info(self):
        told = self.run_program("info").stdout
        info = self.printed(self.run_program("info", "--json"))
        self.assertTrue(told.startswith(f"softrelu {info['version']}, ABI {info['abi']}\n"))
        self.assertEqual([setting["name"] for setting in info["settings"]],
                         re.findall(r"^  ([a-z_]+) +(?:integer|real|choice) ", told, re.MULTILINE))
        settings = {setting["name"]: setting for setting in info["settings"]}
        self.assertEqual(settings["hessian"]["choices"], ["exact", "gauss-newton", "sampled"])
        self.assertEqual((settings["hessian"]["default"], settings["hessian"]["least"]), ("exact", None))
        self.assertEqual((settings["time_limit"]["default"], settings["time_limit"]["least"], settings["time_limit"]["choices"]), ("inf", 0, None))
        self.assertIn("npy", info["files"])

    def test_convert(self):
        self.save("single", np.zeros((2, 3), np.float32))
        report = self.printed(self.run_program("convert", "single.npy", "all.safetensors:one", "--json"))
        self.assertEqual(report["arrays"], [{"name": "one", "shape": [2, 3], "type": "float32"}])
        self.assertEqual(report["file"], "all.safetensors")

    def test_bad_input(self):
        for arguments, text in ((("solve", *NETWORK), "--b is missing"), (("solve", *DATA, "--report", "-"), "--json is what prints"),
                                (("certify", *DATA, "--x", "b.npy"), "shape (6,)"), (("info", "--report", "r"), "unknown option"),
                                (("convert", "none.npy", "x.npy"), "none.npy")):
            done = self.run_program(*arguments, "--json")
            self.assertEqual((done.returncode, done.stdout), (2, ""), arguments)
            self.assertIn(text, done.stderr)
            self.assertEqual(len(done.stderr.splitlines()), 1)
        self.assertFalse(os.path.exists(self.path("-")))

    def test_a_stdout_that_takes_nothing(self):
        commands = (("solve", *DATA), ("certify", *DATA, "--x", "x0.npy"), ("check", *DATA), ("constants", *DATA), ("info",))
        for arguments in commands:
            with open("/dev/full", "w", encoding="utf-8") as full:
                done = subprocess.run([*COMMAND, *arguments, "--json"], cwd=self.folder, stdout=full, stderr=subprocess.PIPE, text=True, timeout=600)
            self.assertEqual(done.returncode, 3, arguments)
            self.assertIn("standard output: No space left on device", done.stderr)
            read, write = os.pipe()
            os.close(read)
            done = subprocess.run([*COMMAND, *arguments, "--json"], cwd=self.folder, stdout=write, stderr=subprocess.PIPE, text=True, timeout=600)
            os.close(write)
            self.assertEqual(done.returncode, 3, arguments)
            self.assertIn("standard output: Broken pipe", done.stderr)


if __name__ == "__main__":
    unittest.main()
