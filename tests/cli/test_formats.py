"""Files of several arrays: read, written, converted, and refused when they are not what they say. Each test skips a format that the
program was built without."""
import io
import json
import os
import struct
import time
import unittest
import zipfile
import zlib

import h5py
import numpy as np

from program import COMMAND, WRAPPED, D, M, N, ProgramTest, predict

NAMES = {"x_ref": "x-ref"}  # of datasets, where the option's differs


def safetensors(tensors, metadata=None, change=lambda header: header, gap=b""):
    """tensors: name -> (dtype, shape, bytes)"""
    header = {"__metadata__": metadata} if metadata else {}
    data = b""
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = change(json.dumps(header)).encode()
    return struct.pack("<Q", len(text)) + text + data + gap


def float64(values):
    return "F64", np.shape(values), np.ascontiguousarray(values, "<f8").tobytes()


def bfloat16(values):
    """The upper halves of float32 numbers that have nothing in their lower ones."""
    return "BF16", np.shape(values), np.ascontiguousarray(values, "<f4").view("<u2")[..., 1::2].tobytes()


def some(cases):
    """All of them, or under a wrapper, where a run takes seconds, three."""
    return list(cases)[:3] if WRAPPED else list(cases)


def half_patterns():
    """All 65536 bit patterns of 16 bits but for those of nan, whose bits nothing keeps."""
    bits = np.arange(65536, dtype="<u2")
    return bits[~np.isnan(bits.view("<f2"))]


class FormatsTest(ProgramTest):
    def setUp(self):
        super().setUp()
        line = next(line for line in self.run_program("info").stdout.splitlines() if line.startswith("  files"))
        self.missing = {extension for extension, title in {".h5": "HDF5", ".npz": "npz"}.items() if "without " + title in line}

    def need(self, *extensions):
        if self.missing & set(extensions):
            self.skipTest("built without " + " and ".join(sorted(self.missing)))

    def write(self, name, content):
        with open(self.path(name), "wb") as file:
            file.write(content)
        return name

    def expect(self, arguments, *words):
        before = {name: os.stat(self.path(name)).st_mtime_ns for name in os.listdir(self.folder)}
        done = self.run_program(*arguments)
        self.assertEqual(done.returncode, 2, (arguments, done.stdout, done.stderr))
        self.assertTrue(done.stderr.startswith("softrelu: error: "), done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)
        self.assertEqual({name: os.stat(self.path(name)).st_mtime_ns for name in os.listdir(self.folder)}, before)

    def convert(self, source, target):
        done = self.run_program("convert", source, target)
        self.assertEqual((done.returncode, done.stderr), (0, ""), (source, target))

    def read_back(self, address):
        """The array as the program reads it, in a .npy file."""
        self.convert(address, "back.npy")
        return np.load(self.path("back.npy"))

    def same(self, got, wanted):
        self.assertEqual((got.dtype, got.shape), (wanted.dtype, wanted.shape))
        self.assertEqual(got.tobytes(), np.ascontiguousarray(wanted).tobytes())

    def solution(self, *arguments):
        done = self.run_program("solve", *arguments, "--out", "x.npy", "--report", "report.json")
        self.assertEqual(done.returncode, 0, done.stderr)
        return np.load(self.path("x.npy")).tobytes(), self.report()["loss_kind"]

    def problem(self, loss="kl"):
        """All arrays as options, and in files of every kind."""
        numbers = {"rho": 0.25, "lower": -3.0, "upper": np.full(D, 2.5)}
        self.save("upper", numbers["upper"])
        everything = {**self.arrays, **{name: np.asarray(value) for name, value in numbers.items()}}
        options = [word for name in self.arrays for word in ("--" + NAMES.get(name, name), name + ".npy")]
        options += ["--rho", "0.25", "--lower", "-3", "--upper", "upper.npy", "--loss", loss]
        with h5py.File(self.path("problem.h5"), "w") as file:
            for place in (file, file.create_group("deep/er")):
                place.attrs["loss"] = loss
                for name, values in everything.items():
                    place[name] = values
        np.savez(self.path("problem.npz"), **everything)
        self.write("problem.safetensors", safetensors({name: float64(values) for name, values in everything.items()}, {"loss": loss}))
        return options, everything


class Reading(FormatsTest):
    def test_one_array_of_each(self):
        self.need(".h5", ".npz")
        _, everything = self.problem()
        for file in ("problem.h5", "problem.npz", "problem.safetensors", "problem.h5:/deep/er"):
            place = file + ("/" if ":" in file else ":")
            for name, values in some(everything.items()):
                with self.subTest(place + name):
                    self.same(self.read_back(place + name), values)
        wanted = self.solution("--A1", "A1.npy", "--A2", "A2.npy", "--b", "b.npy")
        mixed = self.solution("--A1", "problem.h5:/deep/er/A1", "--A2", "problem.safetensors:A2", "--b", "problem.npz:b")
        self.assertEqual(mixed, wanted)

    def test_a_whole_problem(self):
        self.need(".h5", ".npz")
        options, _ = self.problem()
        wanted = self.solution(*options)
        self.assertEqual(wanted[1], "kl")
        for file in ("problem.h5", "problem.h5:/deep/er", "problem.h5:deep/er/", "problem.safetensors"):
            self.assertEqual(self.solution(file), wanted, file)
        self.assertEqual(self.solution("problem.npz", "--loss", "kl"), wanted)

    def test_options_replace_what_is_in_the_file(self):
        self.need(".h5")
        options, _ = self.problem()
        self.save("b2", np.full(M, 1 / M))
        changed = [word for word in options if word not in ("--b", "b.npy", "--rho", "0.25", "kl", "--loss")]
        wanted = self.solution(*changed, "--b", "b2.npy", "--rho", "1")
        self.assertEqual(wanted[1], "squares")
        self.assertEqual(self.solution("problem.h5", "--b", "b2.npy", "--rho", "1", "--loss", "squares"), wanted)

    def test_other_commands_take_a_problem(self):
        self.need(".h5")
        self.problem()
        self.assertEqual(self.run_program("solve", "problem.h5", "--out", "result.h5").returncode, 0)
        done = self.run_program("certify", "problem.h5", "--x", "result.h5:x", "--report", "report.json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.report()["loss_kind"], "kl")
        self.assertEqual(self.run_program("check", "problem.h5").returncode, 0)
        self.assertEqual(self.run_program("constants", "problem.h5").returncode, 0)
        self.assertIn(self.run_program("invert", "problem.h5", "--class", "2").returncode, (0, 1))
        self.assertIn(self.run_program("counterfactual", "problem.h5", "--input", "problem.h5:x0", "--class", "2").returncode, (0, 1))

    def test_many_targets(self):
        self.need(".h5")
        many = np.random.default_rng(3).dirichlet(np.ones(M), 5)
        with h5py.File(self.path("many.h5"), "w") as file:
            file["A1"], file["A2"], file["b"], file["w"] = self.arrays["A1"], self.arrays["A2"], many, 0.1
        self.save("many", many)
        self.assertEqual(self.run_program("solve", "--A1", "A1.npy", "--A2", "A2.npy", "--b", "many.npy", "--w", "0.1", "--out", "x.npy").returncode, 0)
        self.assertEqual(self.run_program("solve", "many.h5", "--out", "result.h5").returncode, 0)
        with h5py.File(self.path("result.h5"), "r") as file:
            self.same(file["x"][()], np.load(self.path("x.npy")))
            self.assertEqual(file["results/loss"].shape, (5,))
            self.assertEqual(list(file["results/termination"][()]), [b"converged"] * 5)

    def test_a_colon_in_a_name(self):
        self.save("A1.npz:A1", np.asfortranarray(self.arrays["A1"]))
        os.rename(self.path("A1.npz:A1.npy"), self.path("A1.npz:A1"))
        self.same(self.read_back("A1.npz:A1"), np.asfortranarray(self.arrays["A1"]))

    def test_archives_by_any_other_name(self):
        self.need(".h5", ".npz")
        _, everything = self.problem()
        for file in ("problem.h5", "problem.npz"):
            os.rename(self.path(file), self.path("problem"))
            self.same(self.read_back("problem:A1"), everything["A1"])
        os.rename(self.path("problem.safetensors"), self.path("PROBLEM.SAFETENSORS"))
        self.same(self.read_back("PROBLEM.SAFETENSORS:A1"), everything["A1"])

    def test_safetensors_types(self):
        halves = half_patterns()
        upper = np.arange(65536, dtype="<u4") << 16
        brain = upper[~np.isnan(upper.view("<f4"))].view("<f4")
        single = np.random.default_rng(2).standard_normal((3, 4)).astype("<f4")
        double = np.random.default_rng(3).standard_normal((2, 3, 4))
        self.write("all.safetensors", safetensors({
            "h": ("F16", halves.shape, halves.tobytes()), "b": bfloat16(brain), "s": ("F32", (3, 4), single.tobytes()),
            "d": float64(double), "none": float64(np.zeros((0, 3))), "number": float64(np.float64(2.5)), "i": ("I32", (1,), bytes(4))}))
        self.same(self.read_back("all.safetensors:h"), halves.view("<f2").astype("<f4"))
        self.same(self.read_back("all.safetensors:b"), brain)
        self.same(self.read_back("all.safetensors:s"), single)
        self.same(self.read_back("all.safetensors:d"), double)
        self.same(self.read_back("all.safetensors:none"), np.zeros((0, 3)))
        self.same(self.read_back("all.safetensors:number"), np.asarray(2.5))
        self.expect(["convert", "all.safetensors:i", "x.npy"], "I32")

    def test_widened_matrices_solve_as_the_same_numbers(self):
        rounded = self.arrays["A1"].astype("<f2")
        self.write("model.safetensors", safetensors({"fc1.weight": ("F16", rounded.shape, rounded.tobytes())}))
        self.save("rounded", rounded.astype("<f4"))
        rest = ["--A2", "A2.npy", "--b", "b.npy"]
        self.assertEqual(self.solution("--A1", "model.safetensors:fc1.weight", *rest), self.solution("--A1", "rounded.npy", *rest))

    def test_hdf5_types_and_layouts(self):
        self.need(".h5")
        values = np.arange(60).reshape(12, 5)
        with h5py.File(self.path("types.h5"), "w") as file:
            for code in "i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8".split():
                for order in "<>":
                    file[order + code] = values.astype(order + code)
            for name, options in {"chunked": {"chunks": (4, 2)}, "deflated": {"compression": "gzip"}, "shuffled": {"shuffle": True, "compression": 9},
                                  "summed": {"fletcher32": True}, "all": {"compression": "gzip", "shuffle": True, "fletcher32": True, "chunks": (5, 3)}}.items():
                file.create_dataset(name, data=values.astype("f8"), **options)
            names = list(file)
            file["zeros"] = np.zeros((0, 4))
            file["number"] = 1.5
            file["linked"] = h5py.SoftLink("/all")
        for name in some(["all", "<f2", "linked"] + names):
            with self.subTest(name):
                self.same(self.read_back("types.h5:" + name), values.astype("<f4" if name[1:] in ("f2", "f4") else "<f8"))
        self.same(self.read_back("types.h5:zeros"), np.zeros((0, 4)))
        self.same(self.read_back("types.h5:number"), np.asarray(1.5))

    def test_npz_compressed(self):
        self.need(".npz")
        fortran = np.asfortranarray(self.arrays["A1"].astype("f4"))
        np.savez_compressed(self.path("a.npz"), F=fortran, zeros=np.zeros((300, 300)))
        self.same(self.read_back("a.npz:F"), fortran)
        self.same(self.read_back("a.npz:zeros"), np.zeros((300, 300)))


class Writing(FormatsTest):
    def test_result(self):
        self.need(".h5")
        self.problem()
        done = self.run_program("solve", "problem.h5", "--out", "result.h5", "--report", "report.json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.run_program("solve", "problem.h5", "--out", "x.npy").returncode, 0)
        report = self.report()
        with h5py.File(self.path("result.h5"), "r") as file:
            self.same(file["x"][()], np.load(self.path("x.npy")))
            self.assertAlmostEqual(file["f"][()].sum(), 1.0)
            for key, value in report.items():
                if isinstance(value, (int, float)):
                    self.assertEqual(file.attrs[key], value, key)
                elif isinstance(value, str):
                    self.assertEqual(file.attrs[key].decode(), value, key)
            for key in report["trace"][0]:
                self.assertEqual(list(file["trace"][key][()]), [record[key] for record in report["trace"]], key)
            self.assertEqual(file["certificate"].attrs["verdict"].decode(), report["certificate"]["verdict"])
            self.assertEqual(file["dimensions"].attrs["n"], N)
            self.assertEqual(file["settings"].attrs["time_limit"], np.inf)
            for kind in ("kinks", "bounds"):
                for key in ("unit", "index", "multiplier"):
                    wanted = [row[key] for row in report["multipliers"][kind] if key in row]
                    self.assertEqual(list(file["multipliers"][kind][key][()]) if wanted else [], wanted)
            self.assertEqual(file["minimisers/x"][()].tolist(), [minimiser["x"] for minimiser in report["minimisers"]])

    def test_result_has_multipliers_of_bounds(self):
        self.need(".h5")
        self.problem()
        done = self.run_program("solve", "problem.h5", "--lower", "-0.01", "--upper", "0.01", "--out", "result.h5", "--report", "report.json")
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = self.report()["multipliers"]["bounds"]
        self.assertGreater(len(rows), 0)
        with h5py.File(self.path("result.h5"), "r") as file:
            bounds = file["multipliers/bounds"]
            self.assertEqual([s.decode() for s in bounds["side"][()]], [row["side"] for row in rows])
            self.assertEqual(list(bounds["multiplier"][()]), [row["multiplier"] for row in rows])

    def test_x_and_f_in_other_archives(self):
        self.need(".npz")
        options, _ = self.problem()
        self.solution(*options)
        x = np.load(self.path("x.npy"))
        for out in ("x.npz", "x.safetensors"):
            self.assertEqual(self.run_program("solve", *options, "--out", out).returncode, 0)
            self.same(self.read_back(out + ":x"), x)
            self.assertAlmostEqual(self.read_back(out + ":f").sum(), 1.0)

    def test_x_and_f_of_many_targets(self):
        self.need(".h5", ".npz")
        targets = np.random.default_rng(3).dirichlet(np.ones(M), 4)
        targets[1, 2] = np.nan  # this one has no result
        self.save("B", targets)
        options = ("--A1", "A1.npy", "--A2", "A2.npy", "--c1", "c1.npy", "--c2", "c2.npy", "--b", "B.npy", "--w", "0.1")
        self.assertEqual(self.run_program("solve", *options, "--out", "x.npy").returncode, 1)
        x = np.load(self.path("x.npy"))
        outputs = np.array([predict(self.arrays, row) for row in x])
        self.assertEqual(np.isnan(outputs).all(axis=1).tolist(), [False, True, False, False])
        for out in ("x.npz", "x.safetensors", "x.h5"):
            self.assertEqual(self.run_program("solve", *options, "--out", out).returncode, 1)
            self.same(self.read_back(out + ":x"), x)
            f = self.read_back(out + ":f")
            self.assertEqual(f.shape, (4, M))
            np.testing.assert_allclose(f, outputs, rtol=0, atol=1e-14)

    def test_x_and_f_of_answers(self):
        self.need(".npz")
        outputs = predict(self.arrays, self.arrays["x0"])
        for more, shape in (((), ()), (("--answers", "3"), (-1,))):
            done = self.run_program("counterfactual", "--A1", "A1.npy", "--A2", "A2.npy", "--c1", "c1.npy", "--c2", "c2.npy", "--input", "x0.npy",
                                    "--class", str(int(outputs.argmin())), *more, "--out", "x.npz")
            self.assertEqual(done.returncode, 0, done.stderr)
            x, f = self.read_back("x.npz:x"), self.read_back("x.npz:f")
            self.assertEqual((x.ndim, f.ndim), (1 + len(shape), 1 + len(shape)))
            np.testing.assert_allclose(f.reshape(-1, M), [predict(self.arrays, row) for row in x.reshape(-1, D)], rtol=0, atol=1e-14)

    def test_nothing_is_left_of_a_failure(self):
        self.need(".h5", ".npz")
        self.problem()
        for extension in ("h5", "npz", "safetensors"):
            out = self.write("out." + extension, b"precious")
            self.expect(["convert", "nowhere.npz", out], "nowhere.npz")
            self.expect(["solve", "problem.h5", "--x0", "problem.h5:/deep/none", "--out", out], "'none'")
            os.mkdir(self.path("folder." + extension))
            before = sorted(os.listdir(self.folder))
            for full in ("folder." + extension, "missing/x." + extension):
                done = self.run_program("solve", "problem.h5", "--out", full)
                self.assertEqual(done.returncode, 3, done.stderr)
            self.assertEqual(sorted(os.listdir(self.folder)), before)
            with open(self.path(out), "rb") as file:
                self.assertEqual(file.read(), b"precious")

    def test_a_full_disk(self):
        """ulimit -f stands for it: no file may be longer than 1 KiB, or 512 bytes a block."""
        if WRAPPED:
            self.skipTest("the wrapper writes files itself")
        self.save("big", np.zeros(5000))
        for extension in ("h5", "npz", "safetensors", "npy"):
            if "." + extension in self.missing:
                continue
            before = sorted(os.listdir(self.folder))
            import resource
            import signal

            def limit():
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))

            done = self.run_program("convert", "big.npy", "out." + extension, preexec_fn=limit)
            self.assertEqual(done.returncode, 3, done.stderr)
            self.assertIn("cannot write", done.stderr)
            self.assertEqual(sorted(os.listdir(self.folder)), before)


class Converting(FormatsTest):
    SHAPES = [(), (0,), (1,), (7,), (3, 4), (4, 0), (2, 3, 4), (2, 1, 3, 2)]

    def test_round_trips(self):
        """Every type, order and shape, through every pair of formats."""
        self.need(".h5", ".npz")
        rng = np.random.default_rng(8)
        shapes = self.SHAPES if not WRAPPED else [(), (3, 4)]
        for dtype in ("<f8", "<f4"):
            for order in "CF" if not WRAPPED else "F":
                arrays = {"a%d" % i: np.asarray(rng.standard_normal(shape), dtype=dtype, order=order) for i, shape in enumerate(shapes)}
                np.savez(self.path("one.npz"), **arrays)
                source = "one.npz"
                for target in ("two.h5", "three.safetensors", "four.npz", "five.safetensors", "six.h5", "seven.npz"):
                    self.convert(source, target)
                    source = target
                with np.load(self.path("seven.npz")) as end:
                    self.assertEqual(sorted(end.files), sorted(arrays))
                    for name, values in arrays.items():
                        self.same(end[name], np.ascontiguousarray(values).reshape(values.shape))
                with h5py.File(self.path("two.h5"), "r") as file:
                    for name, values in arrays.items():
                        self.same(file[name][()] if values.shape else np.asarray(file[name][()]), np.ascontiguousarray(values).reshape(values.shape))

    def test_npy_to_and_from_each(self):
        self.need(".h5", ".npz")
        for order in "CF" if not WRAPPED else "F":
            values = np.asarray(self.arrays["A1"], dtype="<f4", order=order)
            self.save("w", values)
            for target in some(("w.h5:/a/b/c", "w.npz", "w.safetensors:fc1.weight", "w.h5", "w.npz:other", "w.safetensors")):
                self.convert("w.npy", target)
                self.same(self.read_back(target), values)
                if "/" not in target:  # the only one of its group needs no name
                    self.same(self.read_back(target.split(":")[0]), values)

    def test_a_problem_stays_the_same_problem(self):
        self.need(".h5", ".npz")
        options, _ = self.problem()
        wanted = self.solution(*options)
        self.convert("problem.h5:/deep/er", "two.safetensors")
        self.convert("two.safetensors", "three.h5")
        self.assertEqual(self.solution("three.h5"), wanted)
        done = self.run_program("convert", "three.h5", "four.npz")
        self.assertEqual(done.returncode, 0)
        self.assertIn("no place for the loss, which is kl", done.stderr)
        self.assertEqual(self.solution("four.npz", "--loss", "kl"), wanted)

    def test_the_same_bytes_twice(self):
        self.need(".h5", ".npz")
        self.problem()
        for extension in ("h5", "npz", "safetensors"):
            contents = []
            for name, zone in (("one.", "UTC"), ("two.", "Asia/Tokyo")):
                done = self.run_program("convert", "problem.safetensors", name + extension, env={**os.environ, "TZ": zone})
                self.assertEqual(done.returncode, 0, done.stderr)
                with open(self.path(name + extension), "rb") as file:
                    contents.append(file.read())
                time.sleep(1.1)  # a time of day in the file would be another now
            self.assertEqual(contents[0], contents[1])

    def test_what_is_refused(self):
        self.need(".h5", ".npz")
        self.problem()
        self.expect(["convert", "problem.h5"], "two files")
        self.expect(["convert", "A1.npy", "x.npz", "y.npz"], "'y.npz'")
        self.expect(["convert", "problem.h5", "x.npy"], "holds 11 arrays")
        self.expect(["convert", "problem.h5", "x.npz:group"], "'group'")
        self.expect(["convert", "A1.npy:A1", "x.npy"], "no name")
        self.expect(["convert", "A1.npy", "x.npy:A1"], "x.npy")
        for name in some(("", "a//b", "a/../b", "/", "..", "a/")):
            self.expect(["convert", "A1.npy", "x.h5:" + name], "no name")


class BuiltWithout(FormatsTest):
    def test_says_so(self):
        if not self.missing:
            self.skipTest("built with everything")
        for extension in self.missing:
            self.expect(["solve", "problem" + extension], "built without")
            self.expect(["solve", "--A1", "a" + extension + ":A1", "--b", "b.npy"], "built without")
            self.expect(["solve", "--A1", "A1.npy", "--A2", "A2.npy", "--b", "b.npy", "--out", "x" + extension], "built without")
            self.expect(["convert", "A1.npy", "x" + extension], "built without")


class BadFiles(FormatsTest):
    def refuse_truncated(self, name, step, addresses):
        with open(self.path(name), "rb") as file:
            content = file.read()
        cuts = range(0, len(content), step if not WRAPPED else len(content) // 3)
        for cut in cuts:
            bad = self.write("bad" + os.path.splitext(name)[1], content[:cut])
            with self.subTest(cut=cut):
                self.expect(["convert", bad + addresses, "x.npy"], bad)
        self.assertGreaterEqual(len(cuts), 3)

    def test_truncated_at_every_64th_byte(self):
        self.write("small.safetensors", safetensors({"A": float64(self.arrays["A1"]), "B": float64(self.arrays["A2"])}))
        self.refuse_truncated("small.safetensors", 64, ":A")
        if ".npz" not in self.missing:
            np.savez(self.path("small.npz"), A=self.arrays["A1"], B=self.arrays["A2"])
            self.refuse_truncated("small.npz", 64, ":A")
        if ".h5" not in self.missing:
            with h5py.File(self.path("small.h5"), "w") as file:
                file["A"] = self.arrays["A1"]
                file.create_dataset("B", data=self.arrays["A2"], compression="gzip")
            self.refuse_truncated("small.h5", 64, ":A")

    def test_damaged_bytes_never_crash(self):
        """Whatever one byte becomes, the program reads something or says what is wrong; it does not crash or write half a file."""
        rng = np.random.default_rng(11)
        files = {"small.safetensors": safetensors({"A": float64(self.arrays["A1"])})}
        if ".npz" not in self.missing:
            stream = io.BytesIO()
            np.savez_compressed(stream, A=self.arrays["A1"])
            files["small.npz"] = stream.getvalue()
        if ".h5" not in self.missing:
            with h5py.File(self.path("small.h5"), "w") as file:
                file.create_dataset("A", data=self.arrays["A1"], compression="gzip", fletcher32=True)
                file.attrs["loss"] = "kl"
            with open(self.path("small.h5"), "rb") as file:
                files["small.h5"] = file.read()
        for name, content in files.items():
            for _ in range(100 if not WRAPPED else 2):
                damaged = bytearray(content)
                place = int(rng.integers(min(len(content), 4096)))
                damaged[place] ^= int(rng.integers(1, 256))
                bad = self.write("bad" + os.path.splitext(name)[1], damaged)
                with self.subTest(name, place=place, byte=damaged[place]):
                    done = self.run_program("convert", bad + ":A", "x.npy")
                    self.assertIn(done.returncode, (0, 2, 3), done.stderr)
                    self.assertEqual(os.path.exists(self.path("x.npy")), done.returncode == 0)
                    if done.returncode == 0:
                        os.remove(self.path("x.npy"))

    def test_safetensors(self):
        good = {"A": float64(self.arrays["A1"]), "B": float64(self.arrays["A2"])}

        def edited(old, new):
            return safetensors(good, change=lambda header: header.replace(old, new, 1))

        size, both = 8 * N * D, 8 * N * D + 8 * M * N
        cases = {
            "length beyond the file": (struct.pack("<Q", 10**6) + b"{}", "claims 1000000 bytes"),
            "greatest length": (b"\xff" * 8 + b"{}", "claims 18446744073709551615 bytes"),
            "no JSON": (struct.pack("<Q", 4) + b"oops", "broken safetensors header"),
            "not an object": (struct.pack("<Q", 2) + b"[]", "not an object"),
            "name twice": (edited('"B"', '"A"'), "duplicate"),
            "key twice": (edited('"dtype": "F64"', '"dtype": "F64", "dtype": "F64"'), "duplicate"),
            "unknown dtype": (edited("F64", "F128"), "unknown dtype 'F128'"),
            "no dtype": (edited('"dtype": "F64", ', ""), "expected 'dtype'"),
            "another key": (edited('"dtype"', '"extra": 1, "dtype"'), "expected 'dtype'"),
            "negative size": (edited("[12, 4]", "[-12, 4]"), "non-negative"),
            "size no integer": (edited("[12, 4]", "[12.0, 4]"), "non-negative"),
            "overflowing shape": (edited("[12, 4]", "[4294967296, 4294967296]"), "more entries than memory"),
            "beyond 64 bits": (edited("[12, 4]", "[99999999999999999999, 4]"), "header"),
            "33 dimensions": (edited("[12, 4]", str([1] * 33)), "at most 32"),
            "shape and offsets": (edited("[12, 4]", "[12, 5]"), "needs 480 bytes, 'data_offsets' hold 384"),
            "offsets beyond": (edited("%d]" % both, "%d]" % (both + 8)), "not within"),
            "offsets reversed": (edited("[0, %d]" % size, "[%d, 0]" % size), "not within"),
            "negative offset": (edited("[0, ", "[-8, "), "not within"),
            "one offset": (edited("[0, %d]" % size, "[0]"), "two 'data_offsets'"),
            "overlap": (edited("[%d, %d]" % (size, both), "[%d, %d]" % (size - 8, both - 8)), "overlaps"),
            "gap": (safetensors({**good, "C": float64(np.zeros(1))}, change=lambda h: h.replace('"C"', '"D"').replace("[%d, %d]" % (both, both + 8), "[%d, %d]" % (both + 8, both + 16)), gap=bytes(8)), "gap"),
            "bytes left over": (safetensors(good, gap=bytes(3)), "3 bytes after the last tensor"),
        }
        for name, (content, word) in some(cases.items()):
            with self.subTest(name):
                self.expect(["convert", self.write("bad.safetensors", content) + ":A", "x.npy"], "bad.safetensors", word)
        self.write("good.safetensors", safetensors({"fc1.weight": good["A"], "fc2.weight": good["B"]}))
        self.expect(["convert", "good.safetensors:fc1.wieght", "x.npy"], "did you mean 'fc1.weight'")
        self.expect(["convert", "good.safetensors:something", "x.npy"], "but fc1.weight, fc2.weight")
        self.expect(["convert", "good.safetensors", "x.npy"], "holds 2 arrays: fc1.weight, fc2.weight")
        self.expect(["solve", "good.safetensors:group"], "no groups")
        self.expect(["solve", "good.safetensors"], "'fc1.weight' is no part of a problem")

    def npz(self, entries, method=zipfile.ZIP_STORED):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", method) as archive:
            for name, content in entries:
                archive.writestr(name, content)
        return stream.getvalue()

    def test_npz(self):
        self.need(".npz")
        stream = io.BytesIO()
        np.save(stream, self.arrays["A1"])
        npy = stream.getvalue()
        whole = self.npz([("A.npy", npy)])
        data = whole.index(self.arrays["A1"].tobytes())
        wrong_data = whole[:data] + bytes([whole[data] ^ 1]) + whole[data + 1:]
        checksum = struct.pack("<I", zlib.crc32(npy))
        huge = npy.replace(b"(12, 4)", b"(99999999999, 4)").replace(b" " * 9 + b"\n", b"\n")
        bomb = self.npz([("A.npy", npy)], zipfile.ZIP_DEFLATED)
        claimed = struct.pack("<I", len(npy))
        cases = {
            "wrong data": (wrong_data, "CRC"),
            "wrong check sum": (whole.replace(checksum, b"\1\2\3\4"), "CRC"),
            "not a zip": (b"hello" * 20, "not a sound .npz file"),
            "empty": (b"", "not a sound .npz file"),
            "an entry twice": (self.npz([("A.npy", npy), ("A.npy", npy)]), "twice"),
            "another kind of entry": (self.npz([("A.txt", npy)]), "not a .npy file"),
            "header cut": (self.npz([("A.npy", npy[:40])]), "truncated"),
            "data cut": (self.npz([("A.npy", npy[:-8])]), "truncated"),
            "bytes left over": (self.npz([("A.npy", npy + b"!")]), "after the end"),
            "huge shape": (self.npz([("A.npy", huge)]), "99999999999"),
            "objects": (self.npz([("A.npy", npy.replace(b"<f8", b"|O8"))]), "|O8"),
            "bzip2": (self.npz([("A.npy", npy)], zipfile.ZIP_BZIP2), "another method"),
            "claims too much": (bomb.replace(claimed, struct.pack("<I", 0x7FFFFFFF)), "cannot hold"),
            "claims a little too much": (bomb.replace(claimed, struct.pack("<I", len(npy) + 8)), "bytes after the end"),
        }
        for name, (content, word) in some(cases.items()):
            with self.subTest(name):
                self.expect(["convert", self.write("bad.npz", content) + ":A", "x.npy"], "bad.npz", word)

    def test_hdf5(self):
        self.need(".h5")
        with h5py.File(self.path("other.h5"), "w") as file:
            file["A"] = self.arrays["A1"]
        with h5py.File(self.path("bad.h5"), "w") as file:
            file.attrs["loss"] = "hinge"
            file["external"] = h5py.ExternalLink("other.h5", "/A")
            file["dangling"] = h5py.SoftLink("/nowhere")
            file["text"] = "words"
            file["flags"] = np.array([True, False])
            file["complex"] = np.zeros(3, complex)
            file["compound"] = np.zeros(3, [("a", "f8"), ("b", "f8")])
            file["empty"] = h5py.Empty("f8")
            file.create_dataset("unwritten", (100, 100), "f8")
            file.create_dataset("huge", (10**9, 10**9), "f8", chunks=(1000, 1000))
            file.create_dataset("huge and deflated", (10**6, 10**6), "f8", chunks=(100, 100), compression="gzip")
            file.create_dataset("lzf", data=self.arrays["A1"], compression="lzf")
            file.create_dataset("scaled", data=np.arange(100), scaleoffset=0)
            file.create_dataset("outside", (3,), "f8", external=[(self.path("A1.npy"), 0, 24)])
            layout = h5py.VirtualLayout((N, D), "f8")
            layout[:] = h5py.VirtualSource("other.h5", "A", (N, D))
            file.create_virtual_dataset("mapped", layout)
            file["group/A"] = self.arrays["A1"]
            file["group"].attrs["loss"] = 3
        for name, word in some({"external": "no array", "dangling": "no array", "group": "no array", "nothing": "no array", "group/B": "no array", "nogroup/A": "no group",
                           "text": "expected floating", "flags": "expected floating", "complex": "expected floating", "compound": "expected floating", "empty": "no shape",
                           "unwritten": "cannot hold", "huge": "cannot hold", "huge and deflated": "cannot hold", "lzf": "a filter", "scaled": "a filter",
                           "outside": "outside the file", "mapped": "virtual"}.items()):
            with self.subTest(name):
                self.expect(["convert", "bad.h5:" + name, "x.npy"], "bad.h5", word)
        self.expect(["solve", "bad.h5:nogroup"], "no group 'nogroup'")
        self.expect(["solve", "bad.h5:group"], "'A' is no part of a problem")
        for name, loss, word in some((("hinge", "hinge", "'hinge'"), ("number", 3, "squares or kl"), ("long", "k" * 1000, "squares or kl"), ("list", ["kl", "kl"], "squares or kl"))):
            with h5py.File(self.path(name + ".h5"), "w") as file:
                file["A1"], file["b"], file.attrs["loss"] = self.arrays["A1"], self.arrays["b"], loss
            self.expect(["solve", name + ".h5"], word)
        self.write("no.h5", b"hello" * 100)
        self.expect(["solve", "no.h5"], "not a sound HDF5 file")
        self.expect(["solve", "--A1", "nowhere.h5:A1", "--b", "b.npy"], "--A1 'nowhere.h5': cannot open")
        os.mkfifo(self.path("pipe.h5"))
        self.expect(["solve", "pipe.h5"], "a pipe")

    def test_problems_that_are_none(self):
        self.need(".npz")
        np.savez(self.path("p.npz"), A1=self.arrays["A1"], A2=self.arrays["A2"])
        self.expect(["solve", "p.npz"], "--b is missing")
        np.savez(self.path("p.npz"), A1=self.arrays["A1"], b=np.zeros((2, 3)))
        self.expect(["solve", "p.npz"], "--b 'p.npz:b'", "(2, 3)")
        np.savez(self.path("p.npz"), **self.arrays, rho=np.zeros(2))
        self.expect(["solve", "p.npz"], "--rho 'p.npz:rho'", "one number, not 2")
        np.savez(self.path("p.npz"), **self.arrays, lower=np.nan)
        self.expect(["solve", "p.npz"], "--lower p.npz:lower", "finite or -inf")
        np.savez(self.path("p.npz"), **self.arrays, xref=np.zeros(D))
        self.expect(["solve", "p.npz"], "'xref' is no part of a problem")
        self.expect(["solve", "p.npz", "A1.npy"], "unexpected argument 'A1.npy'")
        self.expect(["solve", "A1.npy"], "holds one array")


if __name__ == "__main__":
    unittest.main()
