"""softrelu-mpi under mpirun: the results of softrelu with 1 to 4 processes, each of which reads its rows and no others; errors, signals
and outputs of one are those of all."""
import os
import re
import signal
import subprocess
import sys
import unittest

import numpy as np

from program import D, M, N, ProgramTest

MPI = os.environ["SOFTRELU_MPI"]
MPIRUN = os.environ["SOFTRELU_MPIRUN"]
OPEN_MPI = "open" in subprocess.run([MPIRUN, "--version"], capture_output=True, text=True, check=True).stdout.lower()
ENVIRONMENT = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
RANK = "int(os.environ.get('OMPI_COMM_WORLD_RANK', os.environ.get('PMI_RANK', '0')))"  # of the environment that mpirun gives


def command(processes, *words):
    oversubscribe = ["--map-by", ":OVERSUBSCRIBE"] if OPEN_MPI else []
    return [MPIRUN, *oversubscribe, "-n", str(processes), *words]


def told(done):
    """What the program said on stderr: mpirun speaks there, too."""
    return [line for line in done.stderr.splitlines() if line.startswith("softrelu")]


class MpiTest(ProgramTest):
    def mpi(self, processes, *arguments, wrapper=()):
        return subprocess.run(command(processes, *wrapper, MPI, *arguments), cwd=self.folder, env=ENVIRONMENT, capture_output=True,
                              text=True, timeout=300)

    def arguments(self, **files):
        """Options for all arrays of the problem; files replaces or, with None, removes some."""
        given = {name: name + ".npy" for name in self.arrays} | files
        return [word for name, file in given.items() if file for word in ("--" + name.replace("_", "-"), file)] + ["--rho", "1e-3"]

    def wrap(self, code):
        """A script in front of the program: code runs on each rank, with its number and sys.argv[1:], what it is to run."""
        with open(self.path("wrap.py"), "w", encoding="utf-8") as file:
            file.write(f"import os, resource, subprocess, sys\nrank = {RANK}\n{code}\n")
        return sys.executable, self.path("wrap.py")


class SameAsSerial(MpiTest):
    """Whatever the arrays lie in, whatever their precision, and with ranks that have no row."""

    def compare(self, processes, *arguments):
        self.assertEqual(self.run_program("solve", *arguments, "--out", "x.npz", "--report", "report.json", "--quiet").returncode, 0)
        done = self.mpi(processes, "solve", *arguments, "--out", "many.npz", "--report", "many.json", "--quiet")
        self.assertEqual((done.returncode, done.stdout, told(done)), (0, "", []))
        one, many = self.report(), self.report("many.json")
        self.assertEqual(list(many), list(one))
        for key in ("loss", "loss_fit", "loss_weights", "loss_proximity"):
            self.assertLessEqual(abs(many[key] - one[key]), 1e-12 * abs(one["loss"]), key)
        for key in ("termination", "dimensions", "loss_kind", "settings", "pinned_kinks"):
            self.assertEqual(many[key], one[key])
        for key in ("verdict", "reason"):
            self.assertEqual(many["certificate"][key], one["certificate"][key])
        self.assertEqual(one["certificate"]["verdict"], "certified local minimiser")
        # both are within their proved distance of a minimiser, and there is one only within that
        with np.load(self.path("x.npz")) as result, np.load(self.path("many.npz")) as of_many:
            apart = one["distance_bound"] + many["distance_bound"]
            self.assertLess(apart, 1e-8)
            self.assertLessEqual(np.linalg.norm(of_many["x"] - result["x"]), apart)
            self.assertEqual(of_many["f"].shape, result["f"].shape)
            np.testing.assert_allclose(of_many["f"], result["f"], rtol=0, atol=1e-12)

    def divided(self, **changed):
        """Every kind of file with the problem's arrays, some of them changed: arguments."""
        arrays = self.arrays | changed
        for name, values in changed.items():
            self.save(name, values)
        np.savez(self.path("stored.npz"), **arrays)
        np.savez_compressed(self.path("packed.npz"), **arrays)
        for name in ("whole.h5", "tensors.safetensors"):
            self.assertEqual(self.run_program("convert", "stored.npz", name, "--quiet").returncode, 0)
        yield self.arguments()
        for name in ("stored.npz", "packed.npz", "whole.h5", "tensors.safetensors"):
            yield [name, "--rho", "1e-3"]

    def test_every_format(self):
        for i, arguments in enumerate(self.divided()):
            for processes in range(1, 5) if i == 0 else (3,):
                with self.subTest(arguments=arguments, processes=processes):
                    self.compare(processes, *arguments)

    def test_single_precision(self):
        for arguments in list(self.divided(A1=np.float32(self.arrays["A1"]), A2=np.float32(self.arrays["A2"])))[1:]:
            with self.subTest(arguments=arguments):
                self.compare(4, *arguments)

    def test_fewer_outputs_than_processes(self):
        few = {name: self.arrays[name][:3] for name in ("A2", "c2")} | {"b": np.array([0.2, 0.3, 0.5])}
        for arguments in list(self.divided(**few))[::2]:
            with self.subTest(arguments=arguments):
                self.compare(4, *arguments)
        self.save("A2", self.arrays["A2"][:1])  # one output, and it may be a lone number
        self.save("b", np.array(1.0))
        self.save("c2", np.array([[0.5]]))
        self.compare(2, *self.arguments())

    def test_columns_first_and_vectors_as_rows(self):
        self.save("A1", np.asfortranarray(self.arrays["A1"]))
        self.save("A2", np.asfortranarray(self.arrays["A2"]))
        self.save("b", self.arrays["b"][None, :])
        self.save("c2", self.arrays["c2"][:, None])
        for processes in (2, 4):
            self.compare(processes, *self.arguments())
        self.save("A2", np.asfortranarray(np.float32(self.arrays["A2"])))
        self.save("b", np.asfortranarray(self.arrays["b"][None, :]))
        self.compare(3, *self.arguments(), "--loss", "kl")

    def test_chunks(self):
        import h5py
        with h5py.File(self.path("chunks.h5"), "w") as file:
            for name, values in self.arrays.items():
                file.create_dataset(name, data=values, dtype="f4" if values.ndim == 2 else "f8", chunks=(4, 3)[:values.ndim],
                                    compression="gzip", shuffle=True)
            file.attrs["loss"] = "kl"
        for processes in (2, 4):
            self.compare(processes, "chunks.h5")

    def test_several_starts_within_bounds(self):
        self.compare(3, *self.arguments(), "--lower", "-0.5", "--upper", "0.5", "--set", "starts=3")

    def test_certify(self):
        self.assertEqual(self.run_program("solve", *self.arguments(), "--out", "x.npy", "--quiet").returncode, 0)
        arguments = self.arguments(x0=None, x="x.npy")
        one = self.run_program("certify", *arguments, "--report", "report.json")
        many = self.mpi(3, "certify", *arguments, "--report", "many.json")
        self.assertEqual((one.returncode, many.returncode, told(many)), (0, 0, []))
        self.assertEqual(many.stdout.splitlines()[0], one.stdout.splitlines()[0])
        self.assertEqual(self.report("many.json")["certificate"]["verdict"], self.report()["certificate"]["verdict"])
        self.assertEqual(self.mpi(2, "certify", *arguments, "--x", "x0.npy").returncode, 2)  # twice
        done = self.mpi(2, "certify", *self.arguments(x0=None, x="x0.npy"), "--out", "direction.npy", "--quiet")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertEqual(np.load(self.path("direction.npy")).shape, (D,))


class OneVoice(MpiTest):
    """The first rank speaks for all."""

    def test_summary_and_files(self):
        one = self.run_program("solve", *self.arguments(), "--verbose")
        many = self.mpi(4, "solve", *self.arguments(), "--verbose", "--out", "x.npy", "--html", "page.html", "--svg", "plot.svg")
        self.assertEqual(many.returncode, 0)
        table = re.compile(r"^ +output .*(?:\n .*)+", re.MULTILINE)
        self.assertEqual(table.search(many.stdout)[0], table.search(one.stdout)[0])  # all of f and of b
        self.assertEqual(many.stdout.count("converged"), 1)
        self.assertEqual(many.stderr.count("iter "), 1)
        self.assertLessEqual({"x.npy", "page.html", "plot.svg"}, set(os.listdir(self.folder)))
        self.assertEqual([name for name in os.listdir(self.folder) if name.startswith(".")], [])

    def test_help(self):
        self.assertEqual(self.mpi(3, "--version").stdout.count("softrelu-mpi "), 1)
        self.assertEqual(re.findall(r"^  ([a-z]+)  ", self.mpi(3, "--help").stdout, re.MULTILINE), ["solve", "certify", "info"])
        self.assertEqual(self.mpi(3, "info").stdout.count("settings of"), 1)
        for name in ("solve", "certify"):
            shown = self.mpi(2, name, "--help").stdout
            self.assertEqual(shown.replace("softrelu-mpi " + name, "softrelu " + name), self.run_program(name, "--help").stdout)


class Errors(MpiTest):
    """The error of one is that of all: told once, with the usual exit status, and nothing is written."""

    def refused(self, done, status, message):
        self.assertEqual(told(done), ["softrelu-mpi: error: " + message])
        self.assertEqual((done.returncode, done.stdout), (status, ""))
        self.assertFalse({"x.npy", "report.json"} & set(os.listdir(self.folder)))

    def solve_with(self, processes, wrapper=(), **files):
        return self.mpi(processes, "solve", *self.arguments(**files), "--out", "x.npy", "--report", "report.json", wrapper=wrapper)

    def test_entries_that_are_not_finite(self):
        A2 = self.arrays["A2"].copy()
        A2[4, 7] = np.nan
        self.save("bad", A2)
        self.save("columns", np.asfortranarray(A2))
        np.savez(self.path("bad.npz"), other=A2[:2], A2=np.float32(A2))
        self.assertEqual(self.run_program("convert", "bad.npz", "bad.h5", "--quiet").returncode, 0)
        for file in ("bad.npy", "columns.npy", "bad.npz:A2", "bad.h5:A2"):
            for processes in (1, 3, 4):
                with self.subTest(file=file, processes=processes):
                    self.refused(self.solve_with(processes, A2=file), 2,
                                 f"--A2 '{file}': entry [4, 7] is nan; every entry must be finite")
        row = self.arrays["c2"][None, :].copy()
        row[0, 5] = -np.inf
        self.save("row", row)
        self.refused(self.solve_with(3, c2="row.npy"), 2, "--c2 'row.npy': entry [0, 5] is -inf; every entry must be finite")

    def test_shapes_are_those_of_the_whole_arrays(self):
        self.save("long", np.ones(M + 1))
        for name in ("b", "c2"):
            self.refused(self.solve_with(4, **{name: "long.npy"}), 2,
                         f"--{name} 'long.npy': shape ({M + 1},); expected ({M},): m is the rows of A2")
        self.save("wide", np.ones((M, N + 1)))
        self.refused(self.solve_with(4, A2="wide.npy"), 2,
                     f"--A2 'wide.npy': shape ({M}, {N + 1}); expected ({M}, {N}): n is the rows of A1")
        self.save("many", np.ones((3, M)))
        self.refused(self.solve_with(2, b="many.npy"), 2,
                     f"--b 'many.npy': shape (3, {M}); expected ({M},): m is the rows of A2")
        with open(self.path("A2.npy"), "rb") as file:
            bytes_of_A2 = file.read()
        with open(self.path("short.npy"), "wb") as file:
            file.write(bytes_of_A2[:-8])
        done = self.solve_with(2, A2="short.npy")
        self.assertIn("'short.npy': truncated: ", done.stderr)
        self.assertEqual((done.returncode, done.stderr.count("softrelu-mpi: error")), (2, 1))

    def test_a_file_that_one_rank_cannot_open(self):
        os.mkdir(self.path("empty"))
        wrapper = self.wrap("if rank == 2: os.chdir('empty')\nos.execv(sys.argv[1], sys.argv[1:])")
        self.refused(self.solve_with(3, wrapper, A2=self.path("A2.npy")), 2,
                     "--A1 'A1.npy': cannot open: No such file or directory")
        self.assertEqual(os.listdir(self.path("empty")), [])
        np.savez(self.path("all.npz"), **self.arrays)  # a problem's names are read before anything else
        done = self.mpi(3, "solve", "all.npz", "--out", "x.npy", wrapper=wrapper)
        self.refused(done, 2, "'all.npz': cannot open: No such file or directory")

    def test_memory_that_one_rank_lacks(self):
        hidden, rows = 1024, 65536
        self.save("A1", np.ones((hidden, D)))
        self.save("b", np.full(rows, 1 / rows))
        np.lib.format.open_memmap(self.path("A2.npy"), "w+", float, (rows, hidden))  # 512 MiB, a hole
        wrapper = self.wrap("limit = 100 << 20\n"
                            "if rank == 3: resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))\n"
                            "os.execv(sys.argv[1], sys.argv[1:])")
        self.refused(self.solve_with(4, wrapper, c1=None, c2=None, w=None), 3,
                     f"--A2 'A2.npy': out of memory: its values need {8 * hidden * rows // 4} bytes")

    def test_outputs_that_cannot_be_written(self):
        done = self.mpi(3, "solve", *self.arguments(), "--out", "nowhere/x.npy")
        self.assertEqual((done.returncode, done.stdout, done.stderr.count("softrelu-mpi: error: ")), (3, "", 1))

    def test_what_is_not_for_many_processes(self):
        for name in ("invert", "counterfactual", "check", "constants", "convert"):
            done = self.mpi(2, name)
            self.refused(done, 2, f"'{name}' is a command of softrelu, not of softrelu-mpi; 'softrelu-mpi --help' lists those")
        self.refused(self.solve_with(2, A2=None), 2, "solve: --A2 is missing: its rows are what softrelu-mpi divides; softrelu does "
                     "without it")
        self.refused(self.mpi(2, "solve", "--nonsense"), 2,
                     "solve: unknown option '--nonsense'; 'softrelu-mpi solve --help' lists them all")
        self.refused(self.mpi(2), 2, "no command given; try 'softrelu-mpi --help'")


class Share(MpiTest):
    """A rank reads its share of A2 and of c2, and keeps no more."""
    ROWS, COLUMNS, PROCESSES = 100000, 64, 4

    def setUp(self):
        super().setUp()
        rng = np.random.default_rng(2)
        self.arrays |= {"A1": rng.standard_normal((self.COLUMNS, D)), "c1": np.zeros(self.COLUMNS), "w": np.ones(self.COLUMNS),
                        "A2": rng.standard_normal((self.ROWS, self.COLUMNS)), "c2": rng.standard_normal(self.ROWS),
                        "b": np.full(self.ROWS, 1 / self.ROWS)}
        for name, values in self.arrays.items():
            self.save(name, values)

    def measure(self, processes, *arguments):
        """[(bytes read, peak of resident memory in bytes)], rank by rank."""
        wrapper = self.wrap("status = subprocess.run(sys.argv[1:]).returncode\n"
                            "with open('/proc/self/io') as io, open(f'measured.{rank}', 'w') as file:\n"
                            "    peak = 1024 * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss\n"
                            "    print(next(io).split()[1], peak, file=file)\n"
                            "sys.exit(status if status > 1 else 0)  # mpirun ends all when one is not 0")
        done = self.mpi(processes, *arguments, "--quiet", wrapper=wrapper)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [np.loadtxt(self.path(f"measured.{rank}")) for rank in range(processes)]

    def test_each_rank_reads_its_rows(self):
        np.save(self.path("columns.npy"), np.asfortranarray(self.arrays["A2"]))
        np.savez(self.path("stored.npz"), **{name: self.arrays[name] for name in ("c1", "A2", "c2")})
        for name in ("arrays.h5", "arrays.safetensors"):
            self.assertEqual(self.run_program("convert", "stored.npz", name, "--quiet").returncode, 0)
        size = 8 * self.ROWS * self.COLUMNS
        vectors = 8 * self.ROWS * 20  # generous: of b, c2, and those of the solver
        limit = ("--max-iterations", "2")
        small = {"A2": "few.npy", "b": "few_b.npy", "c2": "few_c2.npy"}
        for name, file in small.items():
            np.save(self.path(file), self.arrays[name][:4])
        base = self.measure(self.PROCESSES, "solve", *self.arguments(**small), *limit)
        for rank in self.measure(1, "solve", *self.arguments(), *limit):  # what is to be seen when all is read
            self.assertGreater(rank[0] - base[0][0], size)
            self.assertGreater(rank[1] - base[0][1], size)
        for file in ("A2.npy", "columns.npy", "stored.npz:A2", "arrays.h5:A2", "arrays.safetensors:A2"):
            with self.subTest(file=file):
                for rank, of_few in zip(self.measure(self.PROCESSES, "solve", *self.arguments(A2=file), *limit), base):
                    self.assertGreater(rank[0] - of_few[0], size / self.PROCESSES)
                    self.assertLess(rank[0] - of_few[0], size / self.PROCESSES + vectors)
                    self.assertLess(rank[1] - of_few[1], size / self.PROCESSES + vectors)


class Signals(MpiTest):
    """A solve that would not end ends, and keeps its best point."""

    def begun(self, processes, **variables):
        rng = np.random.default_rng(1)
        n = 700  # as many units as unknowns and a noisy target: hundreds of iterations, minutes
        self.save("A1", rng.standard_normal((n, n)) / np.sqrt(n))
        self.save("A2", 2.0 * rng.standard_normal((n, n)) / np.sqrt(n))
        self.save("b", rng.dirichlet(np.ones(n)))
        self.save("x0", rng.standard_normal(n))
        words = ("solve", "--A1", "A1.npy", "--A2", "A2.npy", "--b", "b.npy", "--x0", "x0.npy", "--tolerance", "0",
                 "--max-iterations", "1000000000", "--verbose", "--out", "x.npy", "--report", "report.json")
        wrapper = self.wrap("open(f'pid.{rank}', 'w').write(str(os.getpid()))\nos.execv(sys.argv[1], sys.argv[1:])")
        program = subprocess.Popen(command(processes, *wrapper, MPI, *words), cwd=self.folder, env=ENVIRONMENT | variables,
                                   text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for line in program.stderr:  # iterating: the handlers are in place and the solve runs
            if line.split()[:1] == ["3"]:
                return program
        self.fail("the solve did not begin")

    def stopped(self, program):
        summary, _ = program.communicate(timeout=300)
        self.assertEqual(program.returncode, 1)
        report = self.report()
        self.assertEqual(report["termination"], "stop-requested")
        self.assertLess(report["loss"], report["trace"][0]["loss"])
        self.assertTrue(np.isfinite(np.load(self.path("x.npy"))).all())
        self.assertEqual(summary.count("stop-requested"), 1)
        return summary

    def test_of_mpirun(self):
        for number in (signal.SIGUSR1, signal.SIGINT) if OPEN_MPI else (signal.SIGUSR1,):
            with self.subTest(signal=number):
                # of SIGINT mpirun makes SIGTERM, and so many seconds later SIGKILL
                program = self.begun(3, OMPI_MCA_odls_base_sigkill_timeout="10")
                program.send_signal(number)
                self.assertIn("SIGUSR1" if number == signal.SIGUSR1 else "SIGTERM", self.stopped(program))

    def test_of_any_rank(self):
        for rank in (0, 2):
            with self.subTest(rank=rank):
                program = self.begun(3)
                with open(self.path(f"pid.{rank}"), encoding="ascii") as file:
                    os.kill(int(file.read()), signal.SIGINT)
                self.stopped(program)


if __name__ == "__main__":
    unittest.main()
