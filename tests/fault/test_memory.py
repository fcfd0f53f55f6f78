"""Every allocation of the program fails in turn, in every command: status 3 and a message, or done without; nothing is leaked."""
import os
import unittest

import numpy as np

from faulty_program import PRELOADED, SCALE, SOLVE, FaultTest, main

GOOD = SOLVE[1:7]
FULL = SCALE == "full"


class Memory(FaultTest):
    def setUp(self):
        super().setUp()
        rng = np.random.default_rng(3)
        targets = rng.random((3, 6))
        self.save("targets", targets / targets.sum(axis=1, keepdims=True))
        self.save("targets_fortran", np.asfortranarray(targets))
        self.save("x", rng.standard_normal(4))
        self.save("c1_single", self.arrays["c1"].astype(np.float32))
        os.rename(self.path("x.npy"), self.path("point.npy"))
        self.put_old_outputs()
        self.files = sorted([*os.listdir(self.folder), "log"])

    def run_faulty(self, arguments, **environment):
        done = self.run_with([], arguments, LD_PRELOAD=PRELOADED, SOFTRELU_FAULT_LOG=self.path("log"), **environment)
        asked, blocks = map(int, self.content("log").split())
        os.remove(self.path("log"))
        return done, asked, blocks

    def each_fails(self, arguments, stride=1, check=lambda new: None):
        """stride: every so many are tried, all in the full tier."""
        undisturbed, count, left_behind = self.run_faulty(arguments)
        self.assertLessEqual(undisturbed.returncode, 1, undisturbed.stderr)
        check(True)
        failed = tried = 0
        for k in range(1, count + 1, 1 if FULL else stride):
            with self.subTest(arguments[0], allocation=k):
                self.put_old_outputs()
                tried += 1
                done, asked, blocks = self.run_faulty(arguments, SOFTRELU_FAULT_ALLOCATION=str(k))
                self.assertGreaterEqual(asked, k)
                self.assertLessEqual(blocks, left_behind)
                if done.returncode == undisturbed.returncode:
                    check(True)
                else:
                    failed += 1
                    self.check_failure(done)
                    self.assertEqual(done.returncode, 3, done.stderr)
                    self.assertRegex(done.stderr.lower(), "memory")
                    check(False)
        print(f"{arguments[0]}: {tried} of {count} allocations refused, {failed} times the program gave up")
        self.assertGreater(failed, 0)

    def outputs_are(self, *expected):
        def check(new):
            self.assertEqual(self.state(), expected if new else ("old", "old"))
        return check

    def test_solve(self):
        self.each_fails(SOLVE + ["--set", "trace_length=3", "--lower", "-9"], 3, self.outputs_are("new", "new"))

    def test_solve_with_named_temporaries(self):
        os.environ["SOFTRELU_FAULT_NAMELESS"] = "1"
        self.addCleanup(os.environ.pop, "SOFTRELU_FAULT_NAMELESS")
        self.each_fails(SOLVE[:-2], check=self.outputs_are("new", "old"))

    def test_solve_from_several_starts(self):
        self.each_fails(SOLVE[:7] + ["--quiet", "--set", "starts=3", "--report", "report.json"], 5)

    def test_solve_many_targets(self):
        for b in ("targets.npy", "targets_fortran.npy"):
            self.each_fails(["solve", *GOOD[:4], "--b", b, "--c1", "c1_single.npy", "--threads", "2", "--report", "report.json"], 7)

    def test_certify(self):
        self.each_fails(["certify", *GOOD, "--x", "point.npy", "--out", "x.npy", "--report", "report.json"], 2)

    def test_check(self):
        self.each_fails(["check", *GOOD])

    def test_constants(self):
        self.each_fails(["constants", *GOOD, "--x", "point.npy", "--report", "report.json"], 2)


if __name__ == "__main__":
    main()
