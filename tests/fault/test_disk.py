"""Real disks that are full, read-only, or closed to the program; real pipes that nobody reads. Says what it could not try."""
import contextlib
import os
import shutil
import subprocess
import unittest

from faulty_program import COMMAND, OLD_REPORT, OLD_X, PRELOADED, SOLVE, UNUSUAL, FaultTest, main

PAGE = 4096
INPUTS = [os.path.join("..", word) if word.endswith(".npy") else word for word in SOLVE[1:7]]


def can_mount():
    return os.geteuid() == 0 and subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode == 0


class Disk(FaultTest):
    """The outputs go to the folder small/, which is a disk of its own where the system lets us."""

    def setUp(self):
        super().setUp()
        self.small = self.path("small")
        os.mkdir(self.small)

    @contextlib.contextmanager
    def mounted(self, size):
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", self.small], check=True)
        try:
            yield
        finally:
            subprocess.run(["umount", self.small], check=True)

    def put_old_outputs_in_small(self):
        for name, content in (("x.npy", OLD_X), ("report.json", OLD_REPORT)):
            with open(os.path.join(self.small, name), "wb") as file:
                file.write(content)

    def state_of_small(self):
        shutil.copy(os.path.join(self.small, "x.npy"), self.folder)
        shutil.copy(os.path.join(self.small, "report.json"), self.folder)
        self.assertEqual(sorted(set(os.listdir(self.small)) - {"full"}), ["report.json", "x.npy"])
        return self.state()

    def solve_into_small(self, prefix=(), **options):
        arguments = ["solve", *INPUTS, "--out", "x.npy", "--report", "report.json"]
        return subprocess.run([*prefix, *COMMAND, *arguments], cwd=self.small, capture_output=True, text=True, timeout=600, check=False,
                              **options)

    @unittest.skipUnless(can_mount(), "only root can mount a small disk")
    def test_full_disk(self):
        """The room for the outputs grows from none to enough, with temporary files of both kinds."""
        for environment in [{}] + [{"LD_PRELOAD": PRELOADED, "SOFTRELU_FAULT_NAMELESS": "1"}] * (not UNUSUAL):
            with self.mounted(64 * PAGE):
                self.put_old_outputs_in_small()
                failures = 0
                for free in range(32):
                    full = os.path.join(self.small, "full")
                    with contextlib.suppress(OSError), open(full, "wb", buffering=0) as file:
                        while file.write(bytes(PAGE)) == PAGE:
                            pass
                    os.truncate(full, os.path.getsize(full) // PAGE * PAGE - free * PAGE)
                    done = self.solve_into_small(env={**os.environ, **environment})
                    os.remove(full)
                    if done.returncode == 0:
                        break
                    failures += 1
                    self.assertEqual(done.returncode, 3)
                    self.assertIn("No space left on device", done.stderr)
                    self.assertEqual(self.state_of_small(), ("old", "old"))
                self.assertEqual(self.state_of_small(), ("new", "new"))
                self.assertGreater(failures, 2)
                print(f"disk full {failures} times, then enough")

    @unittest.skipUnless(can_mount(), "only root can mount a read-only disk")
    def test_read_only_disk(self):
        with self.mounted(64 * PAGE):
            self.put_old_outputs_in_small()
            subprocess.run(["mount", "-o", "remount,ro", self.small], check=True)
            done = self.solve_into_small()
            self.assertEqual(done.returncode, 3)
            self.assertIn("Read-only file system", done.stderr)
            self.assertEqual(self.state_of_small(), ("old", "old"))

    def test_unwritable_folder_and_file(self):
        if os.geteuid() == 0 and not shutil.which("setpriv"):
            self.skipTest("root may write everywhere, and there is no setpriv")
        prefix = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"] if os.geteuid() == 0 else []
        os.chmod(self.folder, 0o755)
        if prefix and subprocess.run([*prefix, *COMMAND, "--version"], capture_output=True, check=False).returncode != 0:
            self.skipTest("another user may not run the program here")
        self.put_old_outputs_in_small()
        os.chmod(self.small, 0o555)
        done = self.solve_into_small(prefix)
        os.chmod(self.small, 0o755)
        self.assertEqual(done.returncode, 3)
        self.assertIn("Permission denied", done.stderr)
        self.assertEqual(self.state_of_small(), ("old", "old"))
        os.chmod(self.small, 0o777) # the folder would allow it, a file does not
        os.chmod(os.path.join(self.small, "x.npy"), 0o444)
        done = self.solve_into_small(prefix)
        self.assertEqual(done.returncode, 3)
        self.assertIn("'x.npy': cannot write: Permission denied", done.stderr)
        self.assertEqual(self.state_of_small(), ("old", "old"))

    def test_largest_file_that_is_allowed(self):
        """ulimit -f: the second write fails."""
        self.put_old_outputs_in_small()
        done = self.solve_into_small(["sh", "-c", 'trap "" XFSZ; ulimit -f 1; exec "$@"', "sh"])
        self.assertEqual(done.returncode, 3)
        self.assertIn("File too large", done.stderr)
        self.assertEqual(self.state_of_small(), ("old", "old"))

    def shell(self, command):
        """The program as "$@" of a shell command."""
        self.put_old_outputs()
        return subprocess.run(["sh", "-c", command, "sh", *COMMAND, *SOLVE], cwd=self.folder, capture_output=True, text=True, timeout=600,
                              check=False)

    def test_standard_files(self):
        """What is printed never goes into an output, whichever standard files are closed; what cannot be printed is an error."""
        for closed in ("<&-", ">&-", "2>&-", "<&- >&-", ">&- 2>&-", "<&- >&- 2>&-", ">/dev/full", ">/dev/full 2>&-"):
            with self.subTest(closed):
                done = self.shell('"$@" ' + closed)
                self.assertEqual(done.returncode, 3 if ">&-" in closed.replace("2>&-", "") or "full" in closed else 0, done.stderr)
                self.assertEqual(self.state(), ("new", "new"))
                self.assertEqual(self.litter(), ["small"])

    def test_a_pipe_that_nobody_reads(self):
        done = self.shell('trap "" PIPE; (sleep 0.5; "$@"; echo $? >status) | true')
        self.assertEqual(done.returncode, 0)
        self.assertEqual(self.content("status"), b"3\n")
        self.assertIn("Broken pipe", done.stderr)
        self.assertEqual(self.state(), ("new", "new"))


if __name__ == "__main__":
    main()
