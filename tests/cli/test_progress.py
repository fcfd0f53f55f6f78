"""What a terminal shows while something is solved: one live line that never wraps and leaves nothing behind.

The solves here take long: a thousand starts, each to the last bit. A test reads until it has seen what it waits for and then
interrupts, so that no clock decides.
"""
import errno
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
import unittest

import numpy as np

from program import COMMAND, ProgramTest

NETWORK = ("--A1", "A1.npy", "--A2", "A2.npy")
LONG = ("--b", "b.npy", "--set", "starts=1000", "--set", "tolerance=0")
ERASE = "\r\x1b[K"
PATIENCE = 600  # seconds until a test gives up: no test passes or fails by it but one that hangs


class Screen:
    """A terminal that knows carriage returns, new lines, the erasing of a line's rest, and colours; it remembers all it showed."""

    def __init__(self, columns):
        self.columns, self.lines, self.column, self.seen, self.colours = columns, [""], 0, [], 0

    def feed(self, text):
        for token in re.findall(r"\x1b\[[0-9;]*[A-Za-z]|[^\x1b]", text):
            if token == "\r":
                self.seen.append(self.lines[-1])
                self.column = 0
            elif token == "\n":
                self.lines.append("")
            elif token == "\x1b[K":
                self.lines[-1] = self.lines[-1][:self.column]
            elif token.endswith("m"):
                self.colours += 1
            elif token >= " " and len(token) == 1:
                self.lines[-1] = self.lines[-1][:self.column].ljust(self.column) + token + self.lines[-1][self.column + 1:]
                self.column += 1
                assert self.column < self.columns, f"wraps: {self.lines[-1]!r}"
            else:
                raise AssertionError(f"unknown sequence {token!r}")


class Terminal(ProgramTest):
    def setUp(self):
        super().setUp()
        rng = np.random.default_rng(1)
        n = 120  # as many units as unknowns and a noisy target: iterations go on for ever
        self.save("A1", rng.standard_normal((n, n)) / np.sqrt(n))
        self.save("A2", 2.0 * rng.standard_normal((n, n)) / np.sqrt(n))
        self.save("b", rng.dirichlet(np.ones(n)))
        self.save("B", rng.dirichlet(np.ones(n), 10000))
        self.save("x0", rng.standard_normal(n))

    def resize(self, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def start(self, *arguments, columns=80, stdout=subprocess.PIPE, **variables):
        self.master, slave = pty.openpty()
        self.addCleanup(os.close, self.master)
        self.resize(columns)
        attributes = termios.tcgetattr(slave)
        attributes[1] &= ~termios.ONLCR
        termios.tcsetattr(slave, termios.TCSANOW, attributes)
        environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS")}
        environment.update({"TERM": "xterm", **variables})
        self.program = subprocess.Popen([*COMMAND, *arguments], cwd=self.folder, stdout=slave if stdout == "terminal" else stdout, stderr=slave,
                                        env=environment)
        os.close(slave)
        self.written = ""

    def read_until(self, found):
        """Reads what the terminal gets until found(all of it), or until the program has closed it."""
        while not found(self.written):
            self.assertTrue(select.select([self.master], [], [], PATIENCE)[0], "the program hangs")
            try:
                more = os.read(self.master, 1 << 16)
            except OSError as error:  # nobody has the other end open
                self.assertEqual(error.errno, errno.EIO)
                return False
            self.written += more.decode()
        return True

    def interrupt(self, statuses=(0, 1)):
        self.program.send_signal(signal.SIGINT)
        self.read_until(lambda text: False)
        stdout = self.program.communicate(timeout=PATIENCE)[0]
        self.assertIn(self.program.returncode, statuses)
        return stdout.decode() if stdout is not None else None

    def watch(self, *arguments, lines=3, statuses=(0, 1), **options):
        """So many live lines of a program that is then interrupted; its stdout."""
        self.start(*arguments, **options)
        self.assertTrue(self.read_until(lambda text: text.count(ERASE) > lines), self.written)
        stdout = self.interrupt(statuses)
        screen = Screen(options.get("columns", 80))
        screen.feed(self.written)
        self.assertEqual(screen.lines, [""])  # nothing is left
        return [line for line in screen.seen if line], screen, stdout

    def test_the_line_of_a_solve(self):
        lines, screen, stdout = self.watch("solve", *NETWORK, *LONG, columns=120)
        self.assertRegex(stdout, r"^[a-z-]+: ")
        told = [match for match in (re.fullmatch(
            r"iter (\d+)  start \d+/1000  loss ([\d.e+-]+)  residual ([\d.e+-]+)  1e(-?\d+) \[(=*)(-*)\] 1e-16  kinks (\d+)  ([\d.]+) s", line) for line in lines) if match]
        self.assertGreater(len(told), 0, lines)
        for match in told:
            cells, began, residual = len(match[5]) + len(match[6]), int(match[4]), float(match[3])
            decades = (began - np.log10(residual)) / (began + 16)  # of a bar that runs from the first residual to round-off
            self.assertAlmostEqual(len(match[5]), np.clip(decades, 0, 1) * cells, delta=1 + 0.05 * cells)
            self.assertGreaterEqual(cells, 6)
        self.assertGreater(screen.colours, 0)

    def test_no_color(self):
        arguments = ("solve", *NETWORK, *LONG)
        self.assertEqual(self.watch(*arguments, NO_COLOR="1")[1].colours, 0)
        self.assertGreater(self.watch(*arguments, NO_COLOR="")[1].colours, 0)

    def test_narrow_terminals(self):
        for columns, expected in ((200, r"loss.*\[.*kinks"), (60, "start"), (40, "residual"), (20, "iter"), (8, "iter"), (2, ".")):
            lines, _, _ = self.watch("solve", *NETWORK, *LONG, columns=columns)
            self.assertLess(max(map(len, lines)), columns)
            self.assertTrue(any(re.search(expected, line) for line in lines), lines)

    def test_a_terminal_that_becomes_narrow(self):
        self.start("solve", *NETWORK, *LONG, columns=100)
        self.assertTrue(self.read_until(lambda text: text.count(ERASE) > 2))
        self.resize(30)
        before = len(self.written)
        self.assertTrue(self.read_until(lambda text: text.count(ERASE, before) > 20 or any(
            0 < len(line) < 30 for line in text[before:].split(ERASE)[1:-1])))
        wide = len(self.written)
        self.assertTrue(self.read_until(lambda text: text.count(ERASE, wide) > 3))
        self.interrupt()
        for line in self.written[wide:].split(ERASE)[1:]:
            self.assertLess(len(re.sub(r"\x1b\[\d+m", "", line)), 30)

    def test_a_terminal_that_does_not_know_its_width(self):
        self.start("solve", *NETWORK, *LONG, columns=0, COLUMNS="50")
        self.assertTrue(self.read_until(lambda text: text.count(ERASE) > 3))
        self.interrupt()
        Screen(50).feed(self.written)

    def test_summary_takes_the_line_s_place(self):
        self.start("solve", *NETWORK, *LONG, stdout="terminal", columns=81)
        self.assertTrue(self.read_until(lambda text: text.count(ERASE) > 2))
        self.assertIsNone(self.interrupt())
        screen = Screen(81)
        screen.feed(self.written.replace("\n", "\r\n"))
        self.assertRegex(screen.lines[0], "^[a-z-]+: ")

    def test_several_starts(self):
        lines, _, _ = self.watch("invert", *NETWORK, "--class", "3", "--starts", "1000", columns=120)
        self.assertRegex("\n".join(lines), r"iter \d+  start \d+/1000  loss")

    def test_a_counterfactual(self):
        lines, _, _ = self.watch("counterfactual", *NETWORK, "--input", "x0.npy", "--class", "3", "--confidence", "0.9", "--answers", "200",
                                 columns=120)
        self.assertRegex("\n".join(lines), r"step \d+  rho [\d.e+-]+  probability \d\.\d{4}  distance [\d.e+-]+  iter \d+  residual [\d.e+-]+  [\d.]+ s")

    def test_many_targets(self):
        lines, _, stdout = self.watch("solve", *NETWORK, "--b", "B.npy", *LONG[2:], "--threads", "2")
        self.assertIn("of 10000 targets converged", stdout)
        for line in lines:
            self.assertRegex(line, r"^\d+/10000 targets  \[=*-*\]  [\d.]+ s  [\d.e+]+ targets/s$")

    def run_to_the_end(self, *more, **variables):
        """What the terminal gets from half a second of a solve."""
        self.start("solve", *NETWORK, *LONG, "--time-limit", "0.5", *more, **variables)
        self.read_until(lambda text: False)
        self.assertEqual(b": " in self.program.communicate(timeout=PATIENCE)[0], "--quiet" not in more)
        return self.written

    def test_where_there_is_no_line(self):
        self.assertIn(ERASE, self.run_to_the_end())  # but for what follows, there is one
        for variables in ({"TERM": "dumb"}, {"TERM": ""}):
            self.assertEqual(self.run_to_the_end(**variables), "")
        self.assertEqual(self.run_to_the_end("--quiet"), "")
        table = self.run_to_the_end("--verbose")
        self.assertNotIn("\x1b", table)
        self.assertEqual(table.split()[:3], ["iter", "loss", "residual"])

    def test_what_is_over_soon_shows_nothing(self):
        began = time.monotonic()
        self.start("solve", *NETWORK, "--b", "b.npy", "--max-iterations", "1")
        self.read_until(lambda text: False)
        self.program.communicate(timeout=PATIENCE)
        if time.monotonic() - began < 0.2:  # on a machine that is as fast as usual
            self.assertEqual(self.written, "")

    def test_no_terminal(self):
        self.assertEqual(self.run_program("solve", *NETWORK, *LONG, "--time-limit", "0.5").stderr, "")


if __name__ == "__main__":
    unittest.main()
