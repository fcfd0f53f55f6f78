"""Names of the outputs: where they come from, where they are shown, what is refused."""
import html.parser
import json
import os
import re
import unicodedata
import unittest

import h5py
import numpy as np

from program import D, M, ProgramTest, predict

NETWORK = ("--A1", "A1.npy", "--A2", "A2.npy", "--c1", "c1.npy", "--c2", "c2.npy")
NAMES = ["cat", "dog & <script>alert(1)</script>", "ein ganz besonders langer Name", "日本語", "cafe\u0301", "8"]


def columns(line):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


class Names(ProgramTest):
    def setUp(self):
        super().setUp()
        self.write("names.txt", "\n".join(NAMES) + "\n")
        f = predict(self.arrays, self.arrays["x0"])
        self.wanted = int(np.argsort(f)[-2])

    def write(self, name, text):
        with open(self.path(name), "wb") as file:
            file.write(text.encode() if isinstance(text, str) else text)
        return name

    def hdf5(self, name, names, group="/"):
        if "built without HDF5" in self.run_program("info").stdout:
            self.skipTest("built without HDF5")
        with h5py.File(self.path(name), "a") as file:
            place = file.require_group(group)
            for array in ("A1", "A2", "b", "c1", "c2"):
                place[array] = self.arrays[array]
            place.attrs["names"] = names

    def shown(self, done):
        """The names in the table of outputs, and that it stays within 80 columns."""
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stdout.splitlines()
        self.assertLessEqual(max(map(columns, lines)), 80)
        start = next(i for i, line in enumerate(lines) if "f (=) and b (|)" in line)
        rows = lines[start + 1:start + 1 + M]
        self.assertEqual(len({columns(re.match(r".*?\d\.\d{6}", row)[0]) for row in rows}), 1, rows)  # however wide the letters are
        return sorted(row.split("  ")[1].strip() for row in rows)

    def test_a_text_file(self):
        expected = sorted(["cat", "dog & <script..", "ein ganz beso..", "日本語", "cafe\u0301", "8"])
        self.assertEqual(self.shown(self.solve("--names", "names.txt", "--report", "report.json")), expected)
        self.assertEqual(self.report()["names"], NAMES)
        for text in ("\n".join(NAMES), "\r\n".join(NAMES) + "\r\n"):
            self.write("names.txt", text)
            self.assertEqual(self.shown(self.solve("--names", "names.txt")), expected)
        self.assertNotIn("names", json.loads(self.solve("--json").stdout))

    def test_hdf5(self):
        short = ["a", "bb", "ccc", "dddd", "e e", "été"]
        self.hdf5("variable.h5", short)
        self.hdf5("fixed.h5", np.array([name.encode() for name in short]))
        self.hdf5("group.h5", short, "/deep/er")
        padded = h5py.h5t.C_S1.copy()
        padded.set_size(9)
        padded.set_strpad(h5py.h5t.STR_SPACEPAD)
        self.hdf5("padded.h5", short)
        with h5py.File(self.path("padded.h5"), "a") as file:
            del file.attrs["names"]
            attribute = h5py.h5a.create(file.id, b"names", padded, h5py.h5s.create_simple((M,)))
            attribute.write(np.array([name.encode().ljust(9) for name in short], "S9"), padded)
        for problem in ("variable.h5", "fixed.h5", "padded.h5", "group.h5:/deep/er"):
            done = self.run_program("solve", problem, "--w", "0.1", "--out", "result.h5")
            self.assertEqual(self.shown(done), sorted(short), problem)
            with h5py.File(self.path("result.h5"), "r") as file:
                self.assertEqual(list(file.attrs["names"]), short)
        self.assertEqual(self.shown(self.run_program("solve", "variable.h5", "--names", "names.txt"))[0], "8")  # an option replaces them
        self.assertEqual(self.run_program("certify", "variable.h5", "--x", "x0.npy").returncode, 1)

    def test_convert_keeps_them(self):
        self.hdf5("one.h5", NAMES)
        self.assertEqual(self.run_program("convert", "one.h5", "two.h5").returncode, 0)
        with h5py.File(self.path("two.h5"), "r") as file:
            self.assertEqual(list(file.attrs["names"]), NAMES)
        for other in ("three.npz", "three.safetensors"):
            done = self.run_program("convert", "two.h5", other)
            self.assertEqual(done.returncode, 0)
            self.assertIn("no place for the names", done.stderr)
            self.assertEqual(self.run_program("solve", other).returncode, 0)

    def test_more_than_an_attribute_used_to_hold(self):
        n = 5000
        names = [f"word {j}" for j in range(n)]
        self.save("big", np.random.default_rng(2).standard_normal((n, 2)))
        self.save("b", np.full(n, 1 / n))
        self.write("names.txt", "\n".join(names))
        if "built without HDF5" in self.run_program("info").stdout:
            self.skipTest("built without HDF5")
        done = self.run_program("solve", "--A1", "big.npy", "--b", "b.npy", "--w", "1", "--names", "names.txt", "--out", "result.h5")
        self.assertEqual(done.returncode, 0, done.stderr)
        with h5py.File(self.path("result.h5"), "r") as file:
            self.assertEqual(list(file.attrs["names"]), names)

    def test_class_by_name(self):
        def ask(command, *more):
            done = self.run_program(command, *NETWORK, *more, "--json")
            return done.stderr or {k: v for k, v in json.loads(done.stdout).items() if "seconds" not in k and k not in ("names", "trace")}

        names = ("--names", "names.txt")
        for command, rest in (("counterfactual", ("--input", "x0.npy")), ("invert", ("--within", "1"))):
            self.assertEqual(ask(command, *rest, *names, "--class", "日本語"), ask(command, *rest, "--class", "3"))
            self.assertIn("0 to 5", ask(command, *rest, *names, "--class", "8"))  # a number stays one
            self.assertIn("did you mean 'cat'", ask(command, *rest, *names, "--class", "cad"))
            self.assertIn("or its name", ask(command, *rest, *names, "--class", "something else"))
            self.assertIn("and --names", ask(command, *rest, "--class", "cat"))
        self.write("names.txt", "a\nb\nb\nc\nd\ne\n")
        self.assertIn("outputs 1 and 2", ask("invert", *names, "--class", "b"))
        done = self.run_program("counterfactual", *NETWORK, "--input", "x0.npy", "--names", "names.txt", "--class", "abcdeb"[self.wanted]
                                if self.wanted not in (1, 2) else str(self.wanted))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("output ", done.stdout)

    def test_what_is_refused(self):
        good = [b"a", b"b", b"c", b"d", b"e", b"f"]
        for index, name, text in ((2, b"", "is empty"), (0, b"x" * 201, "'" + "x" * 56 + "...' is too long"), (5, b"\xff\xfe", "'??' is not UTF-8"),
                                  (1, b"\xc0\x80", "is not UTF-8"), (1, b"\xed\xa0\x80", "is not UTF-8"), (1, b"\xf4\x90\x80\x80", "is not UTF-8"),
                                  (1, b"\xe2\x82", "is not UTF-8"), (3, b"a\x1b[31m", "'a?[31m' has a control character"),
                                  (4, "a\x85".encode(), "'a?' has a control character"), (4, b"a\tb", "control"), (4, b"\x7f", "control")):
            names = list(good)
            names[index] = name
            self.write("names.txt", b"\n".join(names) + b"\n")
            done = self.solve("--names", "names.txt")
            self.assertEqual((done.returncode, done.stdout), (2, ""), name)
            self.assertIn(f"--names 'names.txt': name [{index}] ", done.stderr)
            self.assertIn(text, done.stderr)
        longest = "é" * 100
        self.write("names.txt", longest + "\n" + "a\n" * (M - 1))
        self.assertEqual(self.solve("--names", "names.txt").returncode, 0)
        for content, text in ((b"", "0 names; expected 6"), (b"a\n" * 5, "5 names; expected 6"), (b"a\n" * 7, "7 names; expected 6"), (b"a\0b\n" * 6, "is no text")):
            self.write("names.txt", content)
            done = self.solve("--names", "names.txt")
            self.assertEqual((done.returncode, done.stdout), (2, ""), content)
            self.assertIn(text, done.stderr)
        self.assertIn("cannot open", self.solve("--names", "none.txt").stderr)
        self.assertIn("a device", self.solve("--names", "/dev/zero").stderr)
        self.assertEqual(self.run_program("check", *NETWORK, "--b", "b.npy", "--names", "names.txt").returncode, 2)

    def test_what_is_refused_in_hdf5(self):
        for number, (names, text) in enumerate((([1, 2, 3, 4, 5, 6], "a list of strings"), (7.0, "a list of strings"), ("alone", "1 names; expected 6"),
                                                ([["a", "b", "c"], ["d", "e", "f"]], "a list of strings"), (["a", "b"], "2 names; expected 6"),
                                                (["a", "b", "c", "d", "e", "f\n"], "name [5] 'f?' has a control"))):
            name = f"p{number}.h5"
            self.hdf5(name, names)
            done = self.run_program("solve", name)
            self.assertEqual((done.returncode, done.stdout), (2, ""), names)
            self.assertIn(f"'{name}': the attribute names: ", done.stderr)
            self.assertIn(text, done.stderr)

    def test_the_page_escapes_them(self):
        done = self.run_program("solve", *NETWORK, "--b", "b.npy", "--names", "names.txt", "--html", "page.html")
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(self.path("page.html"), encoding="utf-8") as file:
            content = file.read()
        self.assertEqual(content.count("<script"), 1)  # the report's
        self.assertIn("&lt;script&gt;alert(1)&lt;/script&gt;", content)

        class Cells(html.parser.HTMLParser):
            inside, names = False, []

            def handle_starttag(self, tag, attributes):
                self.inside = ("class", "name") in attributes

            def handle_data(self, data):
                if self.inside:
                    self.names.append(data)

            def handle_endtag(self, tag):
                self.inside = False

        cells = Cells()
        cells.feed(content)
        self.assertEqual(sorted(cells.names), sorted(["output", *NAMES]))
        done = self.run_program("counterfactual", *NETWORK, "--input", "x0.npy", "--class", str(self.wanted), "--names", "names.txt", "--html", "page.html")
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(self.path("page.html"), encoding="utf-8") as file:
            self.assertIn("Wanted: output <strong>" + html.escape(NAMES[self.wanted]) + "</strong>", file.read())


if __name__ == "__main__":
    unittest.main()
