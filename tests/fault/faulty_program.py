"""The softrelu program in a folder with earlier outputs, and with faults: x.npy and report.json are old, new, or a failure."""
import json
import os
import shutil
import signal
import subprocess
import unittest

from program import COMMAND, WRAPPED, ProgramTest

PRELOADED = os.environ["SOFTRELU_FAULTY_PROCESS"]
UNUSUAL = WRAPPED or bool(os.environ.get("SOFTRELU_SANITIZED")) # then it cannot be preloaded or traced
SCALE = os.environ.get("SOFTRELU_TEST_SCALE")
OLD_X, OLD_REPORT = b"an earlier x\n", b"an earlier report\n"
SOLVE = ["solve", "--A1", "A1.npy", "--A2", "A2.npy", "--b", "b.npy", "--out", "x.npy", "--report", "report.json"]


def can_trace():
    """strace, and a system that lets it trace."""
    strace = shutil.which("strace")
    return strace and subprocess.run([strace, "-o", "/dev/null", "true"], capture_output=True, check=False).returncode == 0


class FaultTest(ProgramTest):
    """Every test begins with old outputs; self.new_x is what an undisturbed solve writes."""

    def setUp(self):
        super().setUp()
        self.run_program(*SOLVE)
        self.new_x = self.content("x.npy")
        self.put_old_outputs()
        self.files = sorted(os.listdir(self.folder))

    def content(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def put_old_outputs(self):
        for name, content in (("x.npy", OLD_X), ("report.json", OLD_REPORT)):
            with open(self.path(name), "wb") as file:
                file.write(content)

    def run_with(self, wrapper, arguments, **environment):
        return subprocess.run(wrapper + COMMAND + arguments, cwd=self.folder, capture_output=True, text=True, timeout=600,
                              env={**os.environ, **environment}, check=False)

    def state(self):
        """Of x and of the report, "old" or "new"; anything else fails."""
        x, report = self.content("x.npy"), self.content("report.json")
        self.assertIn(x, (OLD_X, self.new_x))
        if report != OLD_REPORT:
            self.assertTrue(report.endswith(b"}\n"))
            self.assertEqual(json.loads(report)["schema"], 1)
        return "old" if x == OLD_X else "new", "old" if report == OLD_REPORT else "new"

    def remove(self, name):
        os.remove(self.path(name))

    def litter(self):
        return sorted(set(os.listdir(self.folder)) - set(self.files))

    def check_failure(self, done):
        """A failing run says so, once, and leaves nothing."""
        self.assertEqual(self.litter(), [])
        self.assertIn(done.returncode, (0, 2, 3), done.stderr)
        if done.returncode != 0:
            self.assertTrue(done.stderr.startswith("softrelu: error: "), done.stderr)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)


def was_killed(returncode):
    return returncode in (-signal.SIGKILL, 128 + signal.SIGKILL)


main = unittest.main
