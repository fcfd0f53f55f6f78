"""Every system call of a solve fails in turn, or is where the program is killed (strace does it)."""
import re
import unittest

from faulty_program import OLD_REPORT, OLD_X, PRELOADED, SOLVE, FaultTest, can_trace, main, was_killed

# Memory is test_memory.py's; the others cannot fail, or are what ends the program.
LEFT_ALONE = {"mmap", "munmap", "brk", "mprotect", "madvise", "exit_group", "getpid", "mbind", "futex", "getrandom"}
NO_ROOM = {"write", "fsync", "linkat", "rename", "openat"}
TEMPORARY = re.compile(r"\.softrelu-\d+-\d+\.tmp")


@unittest.skipUnless(can_trace(), "no strace, or it may not trace")
class SystemCalls(FaultTest):
    def trace(self, expression, *options):
        """Runs the solve with one fault, from old outputs; expression as strace's inject."""
        self.put_old_outputs()
        inject = ["-e", "inject=" + expression] if expression else []
        return self.run_with(["strace", "-o", self.path("trace"), *inject, *options], SOLVE)

    def calls(self, *options):
        """(name, number among the calls of that name, text), from the first call that is about one of our files."""
        self.assertEqual(self.trace("", *options).returncode, 0)
        count, calls = {}, []
        for line in self.content("trace").decode(errors="replace").splitlines():
            name = line.split("(")[0]
            count[name] = count.get(name, 0) + 1
            if name not in LEFT_ALONE and "(" in line and (calls or "x.npy" in line) and "execve" not in line:
                calls.append((name, count[name], line))
        self.assertGreater(len(calls), 60)
        self.assertEqual(self.state(), ("new", "new"))
        return calls

    def each(self, *options):
        """The calls, and which outputs are new when all before a call have been made: as if nothing came after it."""
        self.files = sorted([*self.files, "trace"])
        x = report = "old"
        for name, number, line in self.calls(*options):
            yield name, number, line, (x, report)
            if name == "rename":
                x, report = "new", "new" if x == "new" else "old"

    def check_each_fails(self, *options):
        tried = 0
        for name, number, line, before in self.each(*options):
            for error in ["EIO"] + ["ENOSPC"] * (name in NO_ROOM):
                with self.subTest(line, error=error):
                    tried += 1
                    done = self.trace(f"{name}:error={error}:when={number}", *options)
                    if name == "unlink":
                        self.remove(self.litter()[0])
                    self.check_failure(done)
                    self.assertEqual(self.state(), ("new", "new") if done.returncode == 0 else before)
        print(f"{tried} failing calls survived")

    def check_each_kills(self, *options):
        tried = left = 0
        for name, number, line, before in self.each(*options):
            with self.subTest(line):
                tried += 1
                done = self.trace(f"{name}:signal=KILL:when={number}", *options)
                self.assertTrue(was_killed(done.returncode))
                self.assertEqual(self.state(), before)
                for litter in self.litter():
                    left += 1
                    self.assertRegex(litter, TEMPORARY)
                    content = self.content(litter)
                    self.assertTrue(options or content == self.new_x or content.endswith(b"}\n")) # nameless until complete
                    self.remove(litter)
        print(f"killed at {tried} calls; {left} temporary files left")
        return left

    NAMED = ("-E", "LD_PRELOAD=" + PRELOADED, "-E", "SOFTRELU_FAULT_NAMELESS=1")

    def test_each_fails(self):
        self.check_each_fails()

    def test_each_fails_with_named_temporaries(self):
        self.check_each_fails(*self.NAMED)

    def test_each_kills(self):
        self.assertLessEqual(self.check_each_kills(), 10) # in the moment when files take their names

    def test_each_kills_with_named_temporaries(self):
        self.assertGreater(self.check_each_kills(*self.NAMED), 10) # that these are the ones that a kill may leave

    def test_interrupted_and_short_reads(self):
        for name, number, line in self.calls():
            if name == "read" and "\\223NUMPY" in line:
                with self.subTest(line):
                    self.assertEqual(self.trace(f"read:error=EINTR:when={number}").returncode, 0)
                    self.assertEqual(self.state(), ("new", "new"))
                    done = self.trace(f"read:retval=0:when={number}") # the end, where the length promised more
                    self.assertEqual(done.returncode, 2)
                    self.assertIn("shrank", done.stderr)
                    self.assertEqual(self.state(), ("old", "old"))

    def test_old_outputs_are_told_from_new_ones(self):
        self.assertNotIn(OLD_X, (self.new_x, OLD_REPORT))


if __name__ == "__main__":
    main()
