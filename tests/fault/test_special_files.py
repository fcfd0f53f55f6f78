"""Files that are no files, sizes that are lies, links that lead astray: what SECURITY.md promises of the program."""
import os
import resource
import socket
import stat
import struct
import subprocess
import time
import unittest

import numpy as np

from faulty_program import COMMAND, OLD_X, PRELOADED, SOLVE, UNUSUAL, FaultTest, can_trace, main
from program import WRAPPED

FORBIDDEN = {"system", "popen", "execl", "execle", "execlp", "execv", "execve", "execveat", "execvp", "execvpe", "fexecve", "fork", "vfork",
             "posix_spawn", "posix_spawnp", "wordexp", "gets", "mktemp", "tempnam", "tmpnam", "strcpy"}


def npy(text, data=b"", stated=None):
    text = text.encode() if isinstance(text, str) else text
    return b"\x93NUMPY\x02\x00" + struct.pack("<I", len(text) if stated is None else stated) + text + data


def header(shape):
    return "{'descr': '<f8', 'fortran_order': False, 'shape': %s, }\n" % shape


class SpecialFiles(FaultTest):
    def with_input(self, path, *words, status=2, **options):
        arguments = ["solve", "--A1", "A1.npy", "--A2", "A2.npy", "--b", path, "--out", "x.npy", "--report", "report.json"]
        done = self.run_program(*arguments, **options)
        self.assertEqual(done.returncode, status, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)
        self.assertEqual(self.state(), ("old", "old") if status else ("new", "new"))
        return done

    def with_output(self, path, status, *words):
        done = self.run_program(*SOLVE[:7], "--out", path)
        self.assertEqual(done.returncode, status, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    def write(self, name, content):
        with open(self.path(name), "wb") as file:
            file.write(content)

    def test_inputs_that_are_no_files(self):
        os.mkfifo(self.path("pipe"))
        os.mkdir(self.path("folder"))
        os.symlink("loop", self.path("loop"))
        os.symlink("nowhere", self.path("dangling"))
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self.path("socket"))
            for path, words in {"pipe": "is a pipe", "folder": "is a directory", "socket": "cannot open", "/dev/zero": "is a device",
                                "/dev/tty": "'/dev/tty'", "loop": "symbolic links", "dangling": "No such file",
                                "/proc/self/maps": "not a .npy file", "/proc/self/environ": "not a .npy file", "b.npy/": "Not a directory"}.items():
                with self.subTest(path):
                    self.with_input(path, words)
        self.with_input("/dev/stdin", "is a pipe", input="no file")

    def test_inputs_that_lead_to_a_file(self):
        os.symlink("b.npy", self.path("link"))
        self.with_input("link", status=0)
        self.put_old_outputs()
        with open(self.path("b.npy"), "rb") as file:
            self.with_input("/dev/stdin", status=0, stdin=file)

    def test_sizes_that_are_lies(self):
        """Refused before memory is asked for: at once, and in a process that may not have much."""
        lies = {
            "(1152921504606846976,)": "shape", "(1152921504606846975,)": "needs", "(4294967296, 4294967296)": "shape",
            "(9223372036854775807,)": "shape", "(9223372036854775808,)": "64 bits", "(0, 9223372036854775807)": "shape", "(" + "1," * 33 + ")": "32 dimensions",
            "(99999999999999999999999999999999,)": "64 bits", "(6,": "header", "(-6,)": "header", "(6.0,)": "header", "(0x6,)": "header",
        }
        for shape, words in lies.items():
            with self.subTest(shape):
                self.write("b.npy", npy(header(shape), bytes(48)))
                began = time.monotonic()
                self.with_input("b.npy", words)
                self.assertLess(time.monotonic() - began, 60 if WRAPPED else 10)
        if not WRAPPED:
            self.assertLess(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, 600 * 1024) # KiB, sanitizers included

    def test_headers_that_are_lies(self):
        good = header("(6,)")
        for name, content in {
            "length beyond the file": npy(good, bytes(48), stated=9000),
            "length of 4 GiB": npy(good, bytes(48), stated=0xFFFFFFFF),
            "length of nothing": npy(good, bytes(48), stated=0),
            "length too short": npy(good, bytes(48), stated=30),
            "nul bytes": npy(good.replace("(6,)", "(6\0,)"), bytes(48)),
            "nul in a key": npy(good.replace("descr", "desc\0r"), bytes(48)),
            "nul bytes only": npy(bytes(100), bytes(48)),
            "a long word": npy("{'" + "x" * 9000 + "': 1}", bytes(48)),
            "open brackets": npy("{'descr': " + "[" * 9000, bytes(48)),
            "an escape": npy(good.replace("<f8", "\x1b[2J"), bytes(48)),
        }.items():
            with self.subTest(name):
                self.write("b.npy", content)
                done = self.with_input("b.npy", "b.npy")
                self.assertEqual(len(done.stderr.splitlines()), 1)
                self.assertTrue(done.stderr.rstrip("\n").isprintable())

    def test_a_sparse_file_as_large_as_it_says(self):
        """8 TiB that the file system pretends to hold: no memory, or no such target; never an end by a signal."""
        text = header("(%d,)" % 2**40)
        self.write("b.npy", npy(text))
        try:
            os.truncate(self.path("b.npy"), 12 + len(text) + 8 * 2**40)
        except OSError:
            self.skipTest("the file system does not pretend so much")
        if UNUSUAL:
            self.skipTest("valgrind and sanitizers have their own way when memory is refused")
        self.with_input("b.npy", "out of memory", status=3,
                        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (2**31, 2**31)))

    def wait_until_open(self, tracer, name):
        for _ in range(3000):
            with open(f"/proc/{tracer}/task/{tracer}/children", encoding="ascii") as file:
                for child in file.read().split():
                    try:
                        opened = [os.readlink(entry.path) for entry in os.scandir(f"/proc/{child}/fd")]
                    except FileNotFoundError:  # closed meanwhile
                        continue
                    if self.path(name) in opened:
                        time.sleep(0.1)
                        return
            time.sleep(0.01)
        self.fail(name + " is never opened")

    @unittest.skipUnless(can_trace() and not UNUSUAL, "no strace, or it may not trace")
    def test_a_file_that_changes_while_it_is_read(self):
        """strace holds the program between the header and the data; meanwhile the last input is cut, or grows."""
        with open(self.path("A1.npy"), "rb") as file:
            whole = file.read()
        for size, status in ((len(whole) - 8, 2), (40, 2), (0, 2), (len(whole) + 800, 0)):
            with self.subTest(size):
                self.write("A1.npy", whole)
                self.put_old_outputs()
                command = ["strace", "-o", "/dev/null", "-P", self.path("A1.npy"), "-e", "inject=read:delay_enter=1000000:when=3"]
                with subprocess.Popen([*command, *COMMAND, *SOLVE], cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                      text=True) as process:
                    self.wait_until_open(process.pid, "A1.npy")
                    os.truncate(self.path("A1.npy"), size)
                    errors = process.communicate()[1]
                self.assertEqual(process.returncode, status, errors)
                self.assertIn("shrank" if status else "", errors)
                self.assertEqual(self.state(), ("old", "old") if status else ("new", "new"))

    def test_outputs_that_are_no_files(self):
        os.mkfifo(self.path("pipe"))
        os.mkdir(self.path("folder"))
        os.symlink("loop", self.path("loop"))
        os.symlink("nowhere", self.path("dangling"))
        os.symlink("/dev/full", self.path("link_to_full"))
        os.symlink("pipe", self.path("link_to_pipe"))
        before = sorted(os.listdir(self.folder))
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self.path("socket"))
            for path in ("pipe", "folder", "folder/", "loop", "dangling", "link_to_full", "link_to_pipe", "socket", "/dev/full", "/dev/null",
                         "/dev/stdout", "/proc/self/mem/x", "/proc/x.npy", "b.npy/x.npy", "x/../x.npy", "n" * 300):
                with self.subTest(path):
                    self.with_output(path, 3, path, "cannot write")
        os.remove(self.path("socket"))
        self.assertEqual(sorted(os.listdir(self.folder)), before)
        for path in ("/dev/full", "/dev/null"):
            self.assertTrue(stat.S_ISCHR(os.stat(path).st_mode))
        self.assertTrue(stat.S_ISFIFO(os.stat(self.path("pipe")).st_mode))

    def test_links_to_outputs(self):
        """A symbolic link stays one and what it leads to is replaced; other hard links keep the old content."""
        os.mkdir(self.path("far"))
        os.rename(self.path("x.npy"), self.path("far/real.npy"))
        os.link(self.path("far/real.npy"), self.path("other_name"))
        os.symlink("far/real.npy", self.path("near"))
        os.symlink("near", self.path("x.npy"))
        self.with_output("x.npy", 0)
        self.assertTrue(os.path.islink(self.path("x.npy")) and os.path.islink(self.path("near")))
        self.assertEqual(self.content("far/real.npy"), self.new_x)
        self.assertEqual(self.content("other_name"), OLD_X)
        self.assertEqual(os.listdir(self.path("far")), ["real.npy"])

    def test_two_names_of_one_output(self):
        os.mkdir(self.path("folder"))
        os.symlink(".", self.path("here"))
        os.symlink("new.npy", self.path("link"))
        for second in ("x.npy", "./x.npy", "folder/../x.npy", "here/x.npy", self.path("x.npy")):
            for there in (True, False):
                with self.subTest(second, there=there):
                    self.put_old_outputs()
                    if not there:
                        self.remove("x.npy")
                    done = self.run_program(*SOLVE[:7], "--out", "x.npy", "--report", second)
                    self.assertEqual(done.returncode, 2, done.stderr)
                    self.assertIn("both name", done.stderr)

    def test_permissions(self):
        for mask, mode in ((0o022, 0o644), (0o077, 0o600), (0o002, 0o664)):
            with self.subTest(mask):
                self.remove("x.npy")
                self.assertEqual(self.run_program(*SOLVE, preexec_fn=lambda mask=mask: os.umask(mask)).returncode, 0)
                self.assertEqual(stat.S_IMODE(os.stat(self.path("x.npy")).st_mode), mode)
        os.chmod(self.path("x.npy"), 0o4640) # kept, but for what would let others act as its owner
        self.assertEqual(self.run_program(*SOLVE).returncode, 0)
        self.assertEqual(stat.S_IMODE(os.stat(self.path("x.npy")).st_mode), 0o640)

    def test_a_temporary_name_that_is_taken(self):
        """Somebody else put links where a temporary file could go: they are passed by, and what they lead to is untouched."""
        plant = "for i in 0 1 2; do ln -s victim .softrelu-$$-$i.tmp; done; "
        for temporaries in ("nameless", "named"):
            if temporaries == "named":
                if UNUSUAL:
                    continue # nothing can be preloaded
                plant += f"export LD_PRELOAD='{PRELOADED}' SOFTRELU_FAULT_NAMELESS=1; "
            self.put_old_outputs()
            self.write("victim", b"mine\n")
            done = subprocess.run(["sh", "-c", plant + 'exec "$@"', "sh", *COMMAND, *SOLVE], cwd=self.folder, capture_output=True,
                                  text=True, timeout=600, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(self.state(), ("new", "new"))
            self.assertEqual(self.content("victim"), b"mine\n")
            links = [name for name in self.litter() if os.path.islink(self.path(name))]
            self.assertEqual(len(links), 3)
            for name in links:
                self.remove(name)

    def test_arguments_that_are_no_commands(self):
        """There is no shell: such names are names."""
        for name in ("$(touch hacked)", "`touch hacked`", "; touch hacked", "| touch hacked", "-", "%s%n%s%n"):
            with self.subTest(name):
                self.with_input(name, "cannot open")
                self.assertFalse(os.path.exists(self.path("hacked")))
        odd = "$(touch hacked); %n.npy"
        np.save(self.path(odd), self.arrays["b"])
        self.with_input(odd, status=0)
        self.assertFalse(os.path.exists(self.path("hacked")))

    def test_nothing_that_runs_commands_is_called(self):
        for file in (os.environ["SOFTRELU_CLI"], os.environ["SOFTRELU_LIBRARY"]):
            symbols = subprocess.run(["nm", "-D", "--undefined-only", file], capture_output=True, text=True, check=True).stdout
            called = {line.split()[-1].split("@")[0] for line in symbols.splitlines()}
            self.assertIn("memcpy", {name.replace("__memcpy_chk", "memcpy") for name in called})
            self.assertEqual(called & FORBIDDEN, set(), file)


if __name__ == "__main__":
    main()
