"""kill -9 at random moments, 200 times: each output is the earlier one or the new one, whole, and nothing lies beside them."""
import os
import random
import signal
import subprocess
import time
import unittest

import numpy as np

from faulty_program import COMMAND, OLD_REPORT, OLD_X, SCALE, FaultTest, main

TARGETS, D = 300, 40
KILLS = 1000 if SCALE == "full" else 200


class Kill(FaultTest):
    def setUp(self):
        super().setUp()
        rng = np.random.default_rng(8)
        self.save("A1", rng.standard_normal((4, D)))
        self.save("A2", rng.standard_normal((3, 4)))
        targets = rng.random((TARGETS, 3))
        self.save("b", targets / targets.sum(axis=1, keepdims=True))
        self.command = [*COMMAND, "solve", "--A1", "A1.npy", "--A2", "A2.npy", "--b", "b.npy", "--rho", "1", "--threads", "1", "--quiet",
                        "--max-iterations", "0", "--set", "warm_start_rounds=0", "--out", "x.npy", "--report", "report.json"]

    def start(self):
        return subprocess.Popen(self.command, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def is_writing(self, process):
        """The process has an output open that is not under its name yet."""
        folder = f"/proc/{process.pid}/fd"
        try:
            opened = [os.readlink(os.path.join(folder, file)) for file in os.listdir(folder)]
            return any(file.startswith(self.folder) and file.endswith((" (deleted)", ".tmp")) for file in opened)
        except OSError: # it has ended
            return False

    def test_kill(self):
        duration = []
        for _ in range(5):
            began = time.monotonic()
            self.assertEqual(self.start().wait(), 1) # not converged, but written
            duration.append(time.monotonic() - began)
        self.new_x = self.content("x.npy")
        self.assertGreater(len(self.content("report.json")), 300_000)
        random.seed(11)
        states, litter, killed, writing = {}, 0, 0, 0
        for turn in range(KILLS):
            self.put_old_outputs()
            with self.start() as process:
                if turn % 2 == 0:
                    time.sleep(random.uniform(0.0, 1.2) * sorted(duration)[2]) # any moment
                else:
                    while process.poll() is None and not self.is_writing(process):
                        time.sleep(0.001)
                    time.sleep(random.uniform(0.0, 0.3) * sorted(duration)[2]) # while it writes
                process.send_signal(signal.SIGSTOP)
                writing += self.is_writing(process)
                process.kill()
            killed += process.returncode < 0
            state = self.state() # fails for a half-written file
            states[state] = states.get(state, 0) + 1
            for name in self.litter(): # of the moment when files take their names
                litter += 1
                self.assertRegex(name, r"^\.softrelu-\d+-\d\.tmp$")
                content = self.content(name)
                self.assertTrue(content == self.new_x or content.endswith(b"}\n"))
                self.remove(name)
        print(f"{killed} of {KILLS} were killed, {writing} with outputs open; outputs (x, report): {states}; complete temporary files left: {litter}")
        self.assertGreater(writing, KILLS // 20)
        self.assertLessEqual(litter, KILLS // 5) # a rename may have to wait for the disk
        self.assertNotIn(self.new_x, (OLD_X, OLD_REPORT))


if __name__ == "__main__":
    main()
