"""A2 left in its file: the same answers from every kind of file that can be mapped, a reason where one cannot, and memory that A2
has no part in."""
import os
import subprocess
import unittest

import h5py
import numpy as np

from program import COMMAND, WRAPPED, M, N, ProgramTest
from test_formats import float64, safetensors

class MappedTest(ProgramTest):
    def setUp(self):
        super().setUp()
        info = self.run_program("info").stdout
        self.has_hdf5 = "without HDF5" not in info

    def write(self, name, content):
        with open(self.path(name), "wb") as file:
            file.write(content)

    def write_hdf5(self, name, values, **how):
        with h5py.File(self.path(name), "w") as file:
            file.create_dataset("A2", data=values, **how)

    def answer(self, A2, *options):
        result = self.run_program("solve", "--A1", "A1.npy", "--A2", A2, "--b", "b.npy", "--w", "w.npy", "--x0", "x0.npy",
                                  "--set", "warm_start_rounds=0", "--out", "x.npy", *options)  # else the ways there differ
        self.assertEqual(result.returncode, 0, result.stderr)
        return np.load(self.path("x.npy"))

    def test_files(self):
        A2 = self.arrays["A2"]
        narrow = A2.astype(np.float32)
        np.save(self.path("narrow.npy"), narrow)
        self.write("A2.safetensors", safetensors({"A2": float64(A2)}, change=lambda text: text + " " * (-len(text) % 8)))
        files = {"A2.npy": "A2.npy", "narrow.npy": "narrow.npy", "A2.safetensors": "A2.npy"}
        if self.has_hdf5:
            self.write_hdf5("A2.h5", A2)
            self.write_hdf5("narrow.h5", narrow)
            files.update({"A2.h5": "A2.npy", "narrow.h5": "narrow.npy"})
        for name, same in files.items():
            with self.subTest(name):
                np.testing.assert_allclose(self.answer(name, "--mmap"), self.answer(same), rtol=0, atol=1e-9)

    def test_commands(self):
        network = ["--A1", "A1.npy", "--A2", "A2.npy", "--quiet", "--report", "report.json"]
        self.save("x", self.arrays["x0"])
        for command in (["certify", "--b", "b.npy", "--x", "x.npy", "--w", "w.npy"], ["constants", "--b", "b.npy", "--w", "w.npy"],
                        ["invert", "--b", "b.npy"], ["counterfactual", "--input", "x.npy", "--class", "2"]):
            with self.subTest(command[0]):
                reports = []
                for mapped in ([], ["--mmap"]):
                    result = self.run_program(*command, *network, *mapped)
                    self.assertIn(result.returncode, (0, 1), result.stderr)
                    reports.append(self.report())
                self.assertEqual(sorted(reports[0]), sorted(reports[1]))
        self.assertEqual(self.run_program("check", "--A1", "A1.npy", "--A2", "A2.npy", "--b", "b.npy", "--mmap").returncode, 0)

    def test_refusals(self):
        A2 = self.arrays["A2"]
        np.save(self.path("fortran.npy"), np.asfortranarray(A2))
        np.save(self.path("big.npy"), A2.astype(">f8"))
        np.savez(self.path("A2.npz"), A2=A2)
        half = A2.astype("<f2")
        self.write("half.safetensors", safetensors({"A2": ("F16", half.shape, half.tobytes())}))
        self.write("odd.safetensors", safetensors({"A2": float64(A2)}, change=lambda text: text + " " * (1 + -len(text) % 8)))
        cases = {"fortran.npy": "cannot be mapped: it is in Fortran order", "big.npy": "", "missing.npy": "cannot open",
                 "half.safetensors": "cannot be mapped: its numbers have 16 bits",
                 "odd.safetensors": "cannot be mapped: its numbers begin at a byte where no number may lie",
                 "A2.npz": "cannot be mapped: it lies in a .npz archive", "/dev/stdin": "expected a regular file"}
        if self.has_hdf5:
            self.write_hdf5("packed.h5", A2, compression="gzip")
            self.write_hdf5("chunked.h5", A2, chunks=(2, 3))
            self.write_hdf5("big.h5", A2.astype(">f8"))
            self.write_hdf5("whole.h5", np.ones((M, N), dtype=np.int64))
            cases.update({name: "cannot be mapped: expected little-endian float64 or float32, neither compressed nor in chunks"
                          for name in ("packed.h5", "chunked.h5", "big.h5", "whole.h5")})
        for name, why in cases.items():
            with self.subTest(name):
                result = self.run_program("solve", "--A1", "A1.npy", "--A2", name, "--b", "b.npy", "--mmap", stdin=subprocess.PIPE)
                self.assertEqual(result.returncode, 2, result.stderr)
                self.assertTrue(result.stderr.startswith(f"softrelu: error: --A2 '{name}"), result.stderr)
                self.assertIn(why, result.stderr)
        result = self.run_program("solve", "--A1", "A1.npy", "--b", "b.npy", "--mmap")
        self.assertEqual((result.returncode, result.stderr),
                         (2, "softrelu: error: --mmap: there is no A2 that could stay in its file\n"))

    def test_entries_are_looked_at(self):
        A2 = self.arrays["A2"].copy()
        A2[3, 7] = np.nan
        self.save("A2", A2)
        result = self.solve("--mmap")
        self.assertEqual((result.returncode, result.stderr), (2, "softrelu: error: --A2 'A2.npy': A2[3, 7] = nan is not finite\n"))

@unittest.skipIf(WRAPPED, "memory is the wrapper's, too")
class LargeTest(ProgramTest):
    """An A2 of 96 MiB."""
    M, N, D = 49152, 256, 16

    def setUp(self):
        super().setUp()
        rng = np.random.default_rng(7)
        A1 = rng.standard_normal((self.N, self.D)) / self.D**0.5
        h = np.maximum(A1 @ rng.standard_normal(self.D), 0)
        logits = np.empty(self.M)
        with open(self.path("A2.npy"), "wb") as file:  # by blocks: a process begins with the peak of the one that starts it
            np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": (self.M, self.N)})
            for first in range(0, self.M, 1024):
                block = rng.standard_normal((1024, self.N)) * (2 / self.N**0.5)
                logits[first:first + 1024] = block @ h + 0.5 * rng.standard_normal(1024)
                file.write(block.tobytes())
        self.save("A1", A1)
        self.save("b", np.exp(logits) / np.exp(logits).sum())
        self.options = ["--A1", "A1.npy", "--A2", "A2.npy", "--b", "b.npy", "--w", "0.01", "--loss", "kl"]

    def start(self, *arguments, stderr=subprocess.DEVNULL):
        return subprocess.Popen(COMMAND + list(arguments), cwd=self.folder, stdout=subprocess.DEVNULL, stderr=stderr, text=True)

    def finish(self, process):
        """The exit status, and the peak of what was resident, pages of files included, in bytes."""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        return process.returncode, 1024 * usage.ru_maxrss

    def test_memory(self):
        status, least = self.finish(self.start("info"))
        self.assertEqual(status, 0)
        status, mapped = self.finish(self.start("solve", *self.options, "--mmap", "--quiet", "--report", "report.json"))
        self.assertEqual(status, 0)
        self.assertEqual(self.report()["certificate"]["verdict"], "certified local minimiser")
        status, read = self.finish(self.start("solve", *self.options, "--quiet"))
        self.assertEqual(status, 0)
        size = 8 * self.M * self.N
        self.assertLess(mapped - least, 0.4 * size)
        self.assertGreater(read - least, size)  # else the test would not tell

    def test_a_file_that_shrinks(self):
        process = self.start("solve", *self.options, "--mmap", "--verbose", stderr=subprocess.PIPE)
        self.assertNotEqual(process.stderr.readline(), "")  # it has begun to iterate
        os.truncate(self.path("A2.npy"), 4096)
        with process.stderr:
            rest = process.stderr.read()
        self.assertEqual(self.finish(process)[0], 3)
        self.assertIn("softrelu: error: --mmap: the file of A2 has become shorter, or cannot be read\n", rest)

if __name__ == "__main__":
    unittest.main()
