"""The commands and programs in the documentation run, and the words it explains are those of the library."""
import os
import re
import unittest

import support

# What is run elsewhere, or changes the machine: everything else that looks like a command must run here.
ELSEWHERE = {
    "./examples/digits/run": "needs root the first time; its program is example/digits",
    "./tests/run": "is what runs this",
    "cmake --preset release && cmake --build --preset release && sudo cmake --install build/release": "package/install",
    "cc program.c $(pkg-config --cflags --libs softrelu)": "package/install",
}
FIRST_WORDS = {"softrelu", "cmake", "ctest", "cc", "gcc", "g++", "pip", "python3", "sudo", "git", "make"}

# What the README leaves out around its fragments.
LOADED = """
import numpy as np
import softrelu
A1, A2, c1, c2, b, start, targets = (np.load(name + ".npy") for name in ("A1", "A2", "c1", "c2", "b", "start", "targets"))
"""
CALLED = """
#include <cstdio>
int main() { return nearest({1, 0, 0, 1, 1, 1}, {0.2, 0.3, 0.5}, 3, 2).size() == 2 ? std::puts("converged") < 0 : 1; }
"""


def blocks(page, language=None):
    """Fenced blocks of a language; without one those of the shell and the indented ones."""
    text = support.read(*page.split("/"))
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    if language:
        return [code for name, code in fenced if name == language]
    plain = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return [code for name, code in fenced if name == "sh"] + re.findall(r"(?:^    .*\n)+", plain, re.MULTILINE)


def commands(page):
    found = []
    for block in blocks(page):
        for line in re.sub(r"\\\n\s*", "", block).splitlines():
            line = re.sub(r"\s{2,}#.*", "", line).strip()
            if line.startswith("./") or line.split(" ")[0] in FIRST_WORDS:
                found.append(line)
    return found


class Commands(unittest.TestCase):
    def run_page(self, page, least):
        ran = 0
        with support.scratch() as folder:
            for command in commands(page):
                if command in ELSEWHERE:
                    continue
                with self.subTest(command=command):
                    done = support.shell(command, folder)
                    self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                ran += 1
        self.assertGreaterEqual(ran, least)

    def test_readme(self):
        self.run_page("README.md", 7)

    def test_guide(self):
        self.run_page("docs/guide.md", 10)

    def test_counterfactuals(self):
        self.run_page("docs/counterfactuals.md", 0)

    def test_what_is_run_elsewhere_is_still_there(self):
        told = commands("README.md") + commands("docs/guide.md")
        self.assertEqual([command for command in ELSEWHERE if command not in told], [])

    def test_inline_options_exist(self):
        """Every --option that the pages name is one of some command."""
        known = {"version"}.union(*(support.options(command) for command in support.COMMANDS))
        for page in ("README.md", "docs/guide.md", "docs/counterfactuals.md"):
            text = re.sub(r"^.*\b(?:cmake|ctest|pkg-config|pip)\b.*$", "", support.read(*page.split("/")), flags=re.MULTILINE)
            named = set(re.findall(r"(?<![\w-])--([A-Za-z][A-Za-z0-9-]*)", text))
            self.assertEqual(sorted(named - known), [], page)


class Programs(unittest.TestCase):
    """The programs in the guide and in the README."""

    def setUp(self):
        if os.environ["SOFTRELU_SANITIZE"]:
            self.skipTest("a sanitized library")

    def test_python(self):
        (fragment,) = blocks("README.md", "python")
        programs = [*blocks("docs/guide.md", "python"), LOADED + fragment + "assert result.converged and many.converged.all() and answer.answers\n"]
        self.assertGreaterEqual(len(programs), 3)
        for code in programs:
            with support.scratch() as folder:
                with open(os.path.join(folder, "program.py"), "w", encoding="utf-8") as file:
                    file.write(code)
                done = support.shell(f"PYTHONPATH='{support.SOURCE}/python' python3 program.py", folder)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_c(self):
        for page in ("README.md", "docs/guide.md"):
            (code,) = blocks(page, "c")
            done = support.compile_and_run(code, "cc -std=c11", "program.c")
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertRegex(done.stdout, "converged|the stationarity residual meets the tolerance")

    def test_cpp(self):
        (whole,) = blocks("docs/guide.md", "cpp")
        (function,) = blocks("README.md", "cpp")
        for code in (whole, function + CALLED):
            done = support.compile_and_run(code, "c++ -std=c++17", "program.cpp")
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn("converged", done.stdout)


class Words(unittest.TestCase):
    """The guide's tables have all terminations, verdicts, reasons and settings, and no others."""

    def table(self, heading):
        rows = re.search(rf"^\| {heading} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", support.read("docs", "guide.md"), re.MULTILINE)[1]
        return [word for row in rows.splitlines() for word in re.findall(r"`([^`]+)`", row.split("|")[1])]

    def listed(self, name):
        body = re.search(rf"#define {name}\(X\)(.*?)(?:\n\n|\n(?=[^ ]))", support.read("include", "softrelu", "softrelu.h"), re.DOTALL)[1]
        return re.findall(r'X\(\w+, -?\d+, "([^"]+)"', body)

    def test_terminations(self):
        self.assertEqual(self.table("termination"), self.listed("SOFTRELU_TERMINATION_LIST"))

    def test_verdicts(self):
        self.assertEqual(sorted(self.table("verdict")), sorted(self.listed("SOFTRELU_VERDICT_LIST")))

    def test_reasons(self):
        self.assertEqual(self.table("reason"), self.listed("SOFTRELU_REASON_LIST"))

    def test_settings(self):
        told = re.findall(r"^  ([a-z_]+) +(?:integer|real|choice) ", support.program("info"), re.MULTILINE)
        self.assertEqual(sorted(self.table("settings")), sorted(told))


if __name__ == "__main__":
    unittest.main()
