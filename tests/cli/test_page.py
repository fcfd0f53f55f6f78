"""The page of --html in a browser: it opens, says nothing on the console, asks the network for nothing, and shows the report's numbers."""
import html.parser
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import numpy as np

from program import D, M, ProgramTest, predict

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
NETWORK = ("--A1", "A1.npy", "--A2", "A2.npy", "--c1", "c1.npy", "--c2", "c2.npy")


class Parts(html.parser.HTMLParser):
    """Points of plots by figure, rows of tables, texts, and whatever could load something."""

    def __init__(self):
        super().__init__()
        self.points, self.rows, self.texts, self.loads = {}, {}, [], []
        self.place = self.table = None
        self.report = ""
        self.open, self.headings = [], []

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if tag not in ("meta", "link", "br", "rect", "circle", "line", "polyline"):
            self.open.append((tag, values))
        if tag == "figure":
            self.place = values.get("id")
        if tag == "table":
            self.table = values.get("id")
        if tag == "tr" and "data-index" in values:
            self.rows.setdefault(self.table, []).append(values)
        if tag in ("circle", "rect") and "data-y" in values:
            self.points.setdefault((self.place, values.get("class")), []).append((values.get("data-x"), float(values["data-y"])))
        for name in ("src", "href", "srcset", "action"):
            if values.get(name, "data:,") != "data:,":
                self.loads.append(values[name])

    def handle_endtag(self, tag):
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        if self.open and self.open[-1][1].get("id") == "report":
            self.report += data
        elif self.open and self.open[-1][0] not in ("style", "script"):
            self.texts.append(data)


@unittest.skipUnless(BROWSER, "no Chromium")
class Page(ProgramTest):
    def browse(self, *options):
        with tempfile.TemporaryDirectory() as profile:
            command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-extensions", f"--user-data-dir={profile}",
                       "--enable-logging=stderr", "--log-level=0", *options, "file://" + self.path("page.html")]
            done = subprocess.run(command, capture_output=True, text=True, timeout=300, env={**os.environ, "HOME": profile})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(re.findall(r".*CONSOLE.*", done.stderr), [])
        return done.stdout

    def parts(self):
        with open(self.path("page.html"), encoding="utf-8") as file:
            written = file.read()
        parts = Parts()
        parts.feed(self.browse("--dump-dom"))
        self.assertEqual(parts.loads, [])
        self.assertNotIn("http", re.sub(r'xmlns="[^"]*"', "", written))
        self.assertEqual(json.loads(parts.report), self.report())
        return parts

    def test_solve(self):
        # enough columns that the trace has several records, and a name that would end the element early
        done = self.run_program("solve", *NETWORK, "--b", "b.npy", "--x0", "x0.npy", "--rho", "1e-3", "--x-ref", "x_ref.npy", "--html", "page.html",
                                "--report", "report.json", "--svg", "plot.svg", "--out", "x.npy", "--shape", f"2x{D // 2}")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("page written to page.html\n", done.stdout)
        parts, report, x = self.parts(), self.report(), np.load(self.path("x.npy"))
        losses = np.array([record["loss"] for record in report["trace"]])
        above = [(str(k), loss) for k, loss in enumerate(losses - losses.min()) if loss > 0]
        self.assertEqual(parts.points["convergence", "a"], above)
        self.assertEqual([y for _, y in parts.points["convergence", "b"]], [r["residual"] for r in report["trace"] if r["residual"] > 0])
        self.assertEqual([y for _, y in parts.points["kinks", "a"]], [r["pinned_kinks"] for r in report["trace"]])
        self.assertEqual([y for _, y in parts.points["kinks", "b"]], [r["flips"] for r in report["trace"]])
        self.assertGreater(len(above), 2)
        f = predict(self.arrays, x)
        self.assertEqual(sorted(int(row["data-index"]) for row in parts.rows["outputs"]), list(range(M)))
        for row in parts.rows["outputs"]:
            self.assertAlmostEqual(float(row["data-f"]), f[int(row["data-index"])], delta=1e-14)
            self.assertEqual(float(row["data-b"]), self.arrays["b"][int(row["data-index"])])
        self.assertEqual({int(row["data-index"]): float(row["data-x"]) for row in parts.rows["changes"]}, dict(enumerate(x)))
        image = [y for _, y in parts.points[None, None]]
        np.testing.assert_allclose(image, np.concatenate([self.arrays["x_ref"], x, x - self.arrays["x_ref"]]))
        text = " ".join(parts.texts)
        for shown in (report["certificate"]["verdict"], report["termination"], report["version"], f'{report["loss"]:.10g}', report["blas"]):
            self.assertIn(shown, text)

    def test_pictures_are_drawn(self):
        self.run_program("solve", *NETWORK, "--b", "b.npy", "--x0", "x0.npy", "--html", "page.html", "--svg", "page.svg")
        for size, options in (("1000,1500", ()), ("400,900", ()), ("400,900", ("--blink-settings=preferredColorScheme=0",))):
            self.browse("--hide-scrollbars", f"--window-size={size}", f"--screenshot={self.path('shot.png')}", *options)
            self.assertGreater(os.path.getsize(self.path("shot.png")), 10000)
            width, height = (int(side) for side in size.split(","))
            with open(self.path("shot.png"), "rb") as file:
                header = file.read(24)
            self.assertEqual((int.from_bytes(header[16:20], "big"), int.from_bytes(header[20:24], "big")), (width, height))
        # nothing is wider than a phone: the page would scroll sideways
        wide = '<script>document.title = document.documentElement.scrollWidth + " of " + innerWidth</script>'
        with open(self.path("page.html"), "r+", encoding="utf-8") as file:
            content = file.read().replace("</body>", wide + "</body>")
            file.seek(0)
            file.write(content)
        scroll, inner = map(int, re.search(r"<title>(\d+) of (\d+)</title>", self.browse("--window-size=500,900", "--dump-dom")).groups())
        self.assertLessEqual(scroll, inner)
        with open(self.path("page.svg"), encoding="utf-8") as file:
            self.assertTrue(file.read().startswith('<svg class="plot" xmlns="http://www.w3.org/2000/svg"'))

    def test_counterfactual(self):
        self.save("input", self.arrays["x0"])
        wanted = str(int(np.argsort(predict(self.arrays, self.arrays["x0"]))[-2]))
        done = self.run_program("counterfactual", *NETWORK, "--input", "input.npy", "--class", wanted, "--confidence", "0.6", "--answers", "4", "--html",
                                "page.html", "--report", "report.json", "--out", "x.npy")
        self.assertEqual(done.returncode, 0, done.stderr)
        parts, report = self.parts(), self.report()
        nearest = report["answers"][0]
        self.assertEqual({int(row["data-index"]): float(row["data-x"]) for row in parts.rows["changes"]}, dict(enumerate(nearest["x"])))
        self.assertEqual(report["certificate"]["verdict"], "certified local minimiser")
        self.assertEqual(len(parts.rows["path"]), len(report["path"]))
        drawn = {(float(x), y) for x, y in parts.points["path-plot", "a"]}
        self.assertIn((nearest["distance"], nearest["confidence"]), drawn)
        self.assertLessEqual(drawn, {(step["distance"], step["confidence"]) for step in report["path"]})
        self.assertIn(f'{nearest["distance"]:.6g}', " ".join(parts.texts))

    def test_nothing_found(self):
        self.save("input", self.arrays["x0"])
        done = self.run_program("counterfactual", *NETWORK, "--input", "input.npy", "--class", "1", "--confidence", "0.999", "--freeze", f"0-{D - 1}",
                                "--html", "page.html", "--report", "report.json")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("not-found", " ".join(self.parts().texts))


class Options(ProgramTest):
    def test_bad_input(self):
        for more, text in ((("--shape", "2x2"), "no --html"), (("--html", "p.html", "--shape", "3x3"), "x has 4 entries, not 9"),
                           (("--html", "p.html", "--shape", "2"), "--shape '2'"), (("--html", "p.html", "--shape", "0x4"), "--shape '0x4'"),
                           (("--html", "p.html", "--shape", "2x2x1"), "--shape '2x2x1'"), (("--html", "p", "--svg", "p"), "--html and --svg both name"),
                           (("--html", "no/p.html"), "no/p.html")):
            done = self.solve(*more)
            self.assertNotEqual(done.returncode, 0, more)
            self.assertIn(text, done.stderr, more)
        self.save("b", np.full((3, M), 1 / M))
        done = self.solve("--html", "p.html")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--html is for one target", done.stderr)
        self.assertFalse(os.path.exists(self.path("p.html")))


if __name__ == "__main__":
    unittest.main()
