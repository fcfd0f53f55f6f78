"""Bad input: each case its own message, exit status 2 (3 for outputs that cannot be written), and nothing written."""
import os
import struct
import subprocess
import unittest

import numpy as np

from program import COMMAND, D, M, N, ProgramTest


def npy(header, data=b"", version=(1, 0), magic=b"\x93NUMPY"):
    width = "<H" if version[0] == 1 else "<I"
    return magic + bytes(version) + struct.pack(width, len(header)) + header.encode() + data


def header(descr="'<f8'", order="False", shape="(6,)"):
    return "{'descr': %s, 'fortran_order': %s, 'shape': %s, }\n" % (descr, order, shape)


# what b.npy holds -> what the message must say
BROKEN_FILES = {
    "empty": (b"", "not a .npy file"),
    "not numpy": (b"hello, I am a text file\n" * 9, "not a .npy file"),
    "version": (npy(header(), bytes(48), version=(4, 0)), "version 4.0"),
    "header cut": (npy(header())[:30], "truncated"),
    "header too long": (b"\x93NUMPY\x02\x00" + struct.pack("<I", 0xFFFFFFFF), "4294967295"),
    "data cut": (npy(header(), bytes(47)), "needs 48 bytes of data, the file holds 47"),
    "bytes left over": (npy(header(), bytes(49)), "needs 48 bytes of data, the file holds 49"),
    "overflowing shape": (npy(header(shape="(4294967296, 4294967296)")), "(4294967296, 4294967296)"),
    "huge shape": (npy(header(shape="(1152921504606846975,)")), "1152921504606846975"),
    "negative shape": (npy(header(shape="(-6,)"), bytes(48)), "header"),
    "integers": (npy(header(descr="'<i8'"), bytes(48)), "<i8"),
    "big endian": (npy(header(descr="'>f8'"), bytes(48)), ">f8"),
    "complex": (npy(header(descr="'<c16'"), bytes(96)), "<c16"),
    "half": (npy(header(descr="'<f2'"), bytes(12)), "<f2"),
    "objects": (npy(header(descr="'|O'"), bytes(48)), "|O"),
    "records": (npy(header(descr="[('x', '<f8')]"), bytes(48)), "structured dtype"),
    "unknown key": (npy("{'descr': '<f8', 'fortran_order': False, 'shape': (6,), 'x': 1}\n", bytes(48)), "unknown key 'x'"),
    "missing key": (npy("{'descr': '<f8', 'shape': (6,)}\n", bytes(48)), "'fortran_order' is missing"),
    "key twice": (npy("{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': (6,)}\n", bytes(48)), "'descr' twice"),
    "order": (npy(header(order="Maybe"), bytes(48)), "header"),
    "not a dictionary": (npy("['<f8', False, (6,)]\n", bytes(48)), "not a dictionary"),
}

# array given in place of a good one -> what the message must say
BROKEN_ARRAYS = {
    "A1 a vector": ("A1", np.zeros(5), ("--A1", "(5,)")),
    "A1 three-dimensional": ("A1", np.zeros((2, 3, 4)), ("--A1", "(2, 3, 4)")),
    "A1 without rows": ("A1", np.zeros((0, 4)), ("--A1", "(0, 4)")),
    "A1 nan": ("A1", np.where(np.arange(N * D).reshape(N, D) == 7, np.nan, 1.0), ("--A1", "[1, 3]", "nan")),
    "A1 inf, fortran": ("A1", np.asfortranarray(np.where(np.arange(N * D).reshape(N, D) == 9, np.inf, 1.0)), ("--A1", "[2, 1]", "inf")),
    "A2 columns": ("A2", np.zeros((M, N + 1)), ("--A2", "(6, 13)", "12")),
    "A2 transposed": ("A2", np.zeros((N, M)), ("--A2", "(12, 6)")),
    "b length": ("b", np.ones(M + 1), ("--b", "(7,)", "(6,)")),
    "b a matrix": ("b", np.ones((2, 3)), ("--b", "(2, 3)")),
    "b nan": ("b", np.array([0, 0, 0, np.nan, 0, 0]), ("--b", "[3]", "nan")),
    "c1 length": ("c1", np.ones(M), ("--c1", "(6,)", "(12,)")),
    "c2 length": ("c2", np.ones(N), ("--c2", "(12,)", "(6,)")),
    "c2 -inf": ("c2", np.array([0, -np.inf, 0, 0, 0, 0]), ("--c2", "[1]", "-inf")),
    "w length": ("w", np.ones(D), ("--w", "(4,)", "(12,)")),
    "x_ref length": ("x_ref", np.ones(D + 1), ("--x-ref", "(5,)", "(4,)")),
    "x0 length": ("x0", np.ones(D - 1), ("--x0", "(3,)", "(4,)")),
    "x0 nan": ("x0", np.array([0, 0, np.nan, 0]), ("--x0", "[2]", "nan")),
}

GOOD = ["--A1", "A1.npy", "--A2", "A2.npy", "--b", "b.npy"]
# arguments after `softrelu` -> what the message must say
BAD_ARGUMENTS = {
    "nothing": ([], "no command"),
    "unknown command": (["frobnicate"], "'softrelu --help' lists them all"),
    "mistyped command": (["resolve"], "did you mean 'solve'?"),
    "A1 missing": (["solve", "--b", "b.npy"], "--A1 is missing: hidden layer, n x d; give a file, or a PROBLEM that holds it"),
    "x missing": (["certify", *GOOD], "--x is missing: the point to examine, d entries; give a file\n"),
    "b missing": (["solve", "--A1", "A1.npy", "--A2", "A2.npy"], "--b"),
    "file missing": (["solve", "--A1", "nowhere.npy", "--b", "b.npy"], "'nowhere.npy'"),
    "a folder": (["solve", "--A1", ".", "--b", "b.npy"], "directory"),
    "a device": (["solve", "--A1", "/dev/zero", "--b", "b.npy"], "/dev/zero"),
    "unknown option": (["solve", *GOOD, "--tolerence", "1"], "--tolerence"),
    "option without value": (["solve", *GOOD, "--rho"], "--rho needs"),
    "value for a flag": (["solve", *GOOD, "--quiet=yes"], "--quiet takes no"),
    "stray word": (["solve", "A1.npy", *GOOD], "'A1.npy'"),
    "given twice": (["solve", *GOOD, "--b", "b.npy"], "--b is given twice"),
    "loss": (["solve", *GOOD, "--loss", "hinge"], "'hinge'"),
    "rho negative": (["solve", *GOOD, "--rho", "-1"], "rho = -1"),
    "rho not a number": (["solve", *GOOD, "--rho", "abc"], "'abc'"),
    "rho nan": (["solve", *GOOD, "--rho", "nan"], "nan"),
    "rho inf": (["solve", *GOOD, "--rho", "inf"], "inf"),
    "w inf": (["solve", *GOOD, "--w", "inf"], "inf"),
    "setting unknown": (["solve", *GOOD, "--set", "tolerence=1"], "'tolerence'"),
    "setting without value": (["solve", *GOOD, "--set", "tolerance"], "NAME=VALUE"),
    "setting out of range": (["solve", *GOOD, "--set", "tolerance=2"], "tolerance"),
    "setting not a number": (["solve", *GOOD, "--set", "tolerance=small"], "'small'"),
    "setting not whole": (["solve", *GOOD, "--set", "max_iterations=1.5"], "'1.5'"),
    "iterations negative": (["solve", *GOOD, "--max-iterations", "-1"], "max_iterations"),
    "time nan": (["solve", *GOOD, "--time-limit", "nan"], "time_limit"),
    "same output twice": (["solve", *GOOD, "--out", "x", "--report", "x"], "both name 'x'"),
    "quiet and verbose": (["solve", *GOOD, "--quiet", "--verbose"], "contradict"),
    "no A2, m not n": (["solve", "--A1", "A1.npy", "--b", "b.npy"], "--b"),
    "seed": (["check", *GOOD, "--seed", "-3"], "'-3'"),
    "output option of another command": (["check", *GOOD, "--out", "x.npy"], "--out"),
}


class BadInput(ProgramTest):
    def expect(self, arguments, words, status=2):
        before = sorted(os.listdir(self.folder))
        done = self.run_program(*arguments)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertTrue(done.stderr.startswith("softrelu: error: "), done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        for word in [words] if isinstance(words, str) else words:
            self.assertIn(word, done.stderr)
        self.assertEqual(sorted(os.listdir(self.folder)), before)

    OUTPUTS = ["--out", "x.npy", "--report", "report.json"]

    def test_broken_files(self):
        for name, (content, words) in BROKEN_FILES.items():
            with self.subTest(name):
                with open(self.path("b.npy"), "wb") as file:
                    file.write(content)
                self.expect(["solve", *GOOD, *self.OUTPUTS], ["--b", "b.npy", words])

    def test_broken_arrays(self):
        for name, (array, values, words) in BROKEN_ARRAYS.items():
            with self.subTest(name):
                self.save(array, values)
                given = [] if array in ("A1", "A2", "b") else ["--" + array.replace("_", "-"), array + ".npy"]
                self.expect(["solve", *GOOD, *given, *self.OUTPUTS], words)
                self.save(array, self.arrays[array])

    def test_bad_arguments(self):
        for name, (arguments, words) in BAD_ARGUMENTS.items():
            with self.subTest(name):
                self.expect(arguments, words)

    def test_a_number_beyond_double(self):
        self.save("A1", np.full((N, D), 1e200))
        self.expect(["solve", *GOOD, "--w", "1", *self.OUTPUTS], "beyond double precision")
        self.save("A1", self.arrays["A1"])
        self.save("A2", np.full((M, N), 1e308))
        self.save("x0", np.full(D, 1e10))
        self.expect(["solve", *GOOD, "--c1", "c1.npy", "--x0", "x0.npy", *self.OUTPUTS], "not finite")

    def test_outputs_that_cannot_be_written(self):
        os.mkdir(self.path("folder"))
        os.symlink("nowhere/at/all", self.path("dangling"))
        for out in ("missing/x.npy", "folder", "dangling", "/dev/full", "/proc/x.npy"):
            with self.subTest(out):
                self.expect(["solve", *GOOD, "--out", out], "cannot write", status=3)
                self.expect(["solve", *GOOD, "--report", out], "cannot write", status=3)
        self.expect(["solve", *GOOD, "--out", ""], "needs a name")

    def test_an_earlier_output_survives(self):
        with open(self.path("x.npy"), "w", encoding="utf-8") as file:
            file.write("precious")
        self.expect(["solve", *GOOD, "--c1", "nowhere.npy", "--out", "x.npy"], "nowhere.npy")
        self.expect(["solve", *GOOD, "--out", "x.npy", "--report", "missing/report.json"], "missing/report.json", status=3)
        with open(self.path("x.npy"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "precious")

    def test_full_standard_output(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run(COMMAND + ["solve", *GOOD], cwd=self.folder, stdout=full, stderr=subprocess.PIPE, text=True, timeout=600)
        self.assertEqual(done.returncode, 3)
        self.assertIn("standard output", done.stderr)

    def test_there_are_enough_cases(self):
        self.assertGreaterEqual(len(BROKEN_FILES) + len(BROKEN_ARRAYS) + len(BAD_ARGUMENTS), 60)


if __name__ == "__main__":
    unittest.main()
