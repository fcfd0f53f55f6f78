"""The commands and programs in all documents run, and the words they explain are those of the library."""
import os
import re
import tempfile
import unittest

import support

# A command that works on what was built, or would take long, change the machine or the tree: what is run instead, in the root of the
# sources, with what it names (\1, \2) in its place; and what makes it small enough for every day, which SOFTRELU_FULL_TESTS
# leaves out. {build} is the build that is tested, {scratch} a folder that is gone afterwards. All others run as they stand.
INSTEAD = [
    (r"cmake --preset (\S+)", r"cmake -N --preset \1"),
    (r"cmake --build --preset (\S+)", r"""cmake --list-presets=build | grep -q '"\1"'"""),
    (r"cmake --build --preset (\S+) --target (\S+)",
     r"""cmake --list-presets=build | grep -q '"\1"' && cmake --build {build} --target help | grep -E '(^| )\2(:|$)'"""),
    (r"cmake --workflow --preset (\S+)", r"""cmake --workflow --list-presets | grep -q '"\1"'"""),
    (r"(?:sudo )?cmake --install build/\S+", r"cmake --install {build} --prefix {scratch}/installed"),
    (r"ctest --preset (\S+)( .+)?", r"""ctest --list-presets | grep -q '"\1"' && ctest --test-dir {build} -N\2 | grep 'Total Tests: [^0]'"""),
    (r"ctest( -[LR] .+)", r"ctest --test-dir {build} -N\1 | grep 'Total Tests: [^0]'"),
    (r"cmake/install-packages (\S+)", r"cmake/install-packages --dry-run \1"),
    (r"(?:\./)?examples/digits/run", r"bash -n examples/digits/run && {build}/examples/digits/digits"),
    (r"examples/attention/attention.py \[TOKENS\] \[DIMENSION\]", r"examples/attention/attention.py", " 64 32"),
    (r"examples/scikit-learn/boundary.py \[PATIENTS\]", r"examples/scikit-learn/boundary.py", " 2"),
    (r"examples/vocabulary/vocabulary.py \[--words M\] \[--megabytes B\] \[--hessian exact\|sampled\] \[WORD ...\]",
     r"examples/vocabulary/vocabulary.py", " --words 500 --megabytes 1 --hessian sampled free"),
    (r"build/release/(examples/embed/embed) \[--deadline MILLISECONDS\] \[--requests K\]", r"{build}/\1 --deadline 2000 --requests 3"),
    (r"build/release/(examples/\S+)", r"{build}/\1"),
    (r"build/release/(bench/(?:small|batch))( .+)", r"{build}/\1\2", " --targets 5 --repeats 1"),
    (r"bench/theory/run", r"bash -n bench/theory/run && {build}/bench/theory --out {scratch}", " --only c --draws 1"),
    (r"bench/large/run", r"bash -n bench/large/run && {build}/bench/large", " --shape 0 --scale 0.01 --repeats 1 --loss kl"),
    (r"build/release/bench/mapped --keep 1", r"{build}/bench/mapped --m 20000 --directory {scratch} --keep 1"),
    (r"bench/scaling/run( --model)?", r"bash -n bench/scaling/run && bench/scaling/model bench/scaling/measured.jsonl"),
    (r"(bench/scaling/model \S+)", r"\1"),
    (r"mpirun -n 4 --map-by :OVERSUBSCRIBE build/release/bench/scaling --n 800 --d 100 --m 8000",
     r"tests/mpi/run openmpi 2 {build}/bench/scaling --n 80 --d 10 --m 800"),
    (r"bench/phases/run( .+)?", r"bash -n bench/phases/run && {build}/bench/phases\1 --out {scratch}/phases.json",
     " --scale 0.02 --repeats 1 --solve-repeats 1"),
    (r"build/dev/(tests/family .+)", r"{build}/\1", " --seeds 1 --sizes 1"),
    (r"build/dev/(tests/sampling)", r"{build}/\1", " --draws 2"),
    (r"(OPENBLAS_NUM_THREADS=1 )build/dev/(tests/thread/overshoot)( .+)", r"\1{build}/\2\3", " --d 40"),
    # hours, and on the peers that are installed: in every tier on one problem, with ourselves alone
    (r"bench/peers/run(?: --fresh)?( .+)?", r"bash -n bench/peers/run && bench/peers/measure --build {build}/bench/peers --out {scratch}/runs.jsonl.gz\1"
     r" --sizes 200,20,100 --seeds 1 --regimes 2 --repeat 1 --solvers softrelu softrelu_warm"),
    (r"bench/peers/report \S+ \S+ (docs/\S+)", r"cp \1 {scratch}/page.md && bench/peers/report {scratch}/runs.jsonl.gz {scratch} {scratch}/page.md"),
    (r"(bench/peers/measure --help)", r"\1"),
]
# What another test runs: the file, and what it says there.
ELSEWHERE = {
    "./tests/run": (".ci/run", "exec ./tests/run"),
    "cc program.c $(pkg-config --cflags --libs softrelu)": ("tests/package/deb-used", "$(pkg-config --cflags --libs softrelu)"),
    "pip install ./python": ("tests/python/pip-install", "-m pip install"),
    "tests/fuzz/run 30": ("tests/run", "tests/fuzz/run 30"),
    "tests/fuzz/run coverage": ("tests/fuzz/run", '[ "$what" = coverage ]'),
    "tests/coverage/report build/coverage": ("tests/run", "tests/coverage/report build/coverage"),
    "mpirun -n P softrelu-mpi solve": ("tests/cli/test_mpi.py", "softrelu-mpi"),
    "tests/structure/layers .": ("tests/CMakeLists.txt", "structure/layers ${PROJECT_SOURCE_DIR}"),
}
FIRST_WORDS = {"softrelu", "cmake", "ctest", "cc", "gcc", "g++", "pip", "python3", "sudo", "git", "make", "apt-get", "valgrind", "mpirun"}
PLACES = ("bench", "cli", "cmake", "completions", "docs", "examples", "include", "python", "src", "tests")

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


def documents():
    """Every document of the tree."""
    found = []
    for folder, below, files in os.walk(support.SOURCE):
        below[:] = sorted(name for name in below if not name.startswith((".", "build")))
        found += [os.path.relpath(os.path.join(folder, name), support.SOURCE) for name in sorted(files) if name.endswith(".md")]
    return found


def inline(page):
    """What stands in `quotes` outside the blocks."""
    text = re.sub(r"^```.*?^```$|^    [^\n]*$", "", support.read(*page.split("/")), flags=re.MULTILINE | re.DOTALL)
    return [" ".join(span.split()) for span in re.findall(r"(?<!`)`([^`]+)`(?!`)", text)]


def is_command(line):
    """It begins with a program: of the system, of the tree, or of a build."""
    word = re.sub(r"^([A-Z_]+=\S+ )+", "", line).split(" ")[0]
    return word in FIRST_WORDS or word.startswith(("./", "build/")) or (
        "/" in word and not word.endswith((".h", ".c")) and os.path.isfile(os.path.join(support.SOURCE, word)))


def commands(page):
    found = []
    for block in blocks(page):
        for line in re.sub(r"\\\n\s*", "", block).splitlines():
            line = re.sub(r"\s{2,}#.*", "", line).strip()
            if is_command(line):
                found.append(line)
    # Alone, a program's name is no command, nor is a line of `softrelu` with what stands for files and numbers.
    return found + [span for span in inline(page) if " " in span and is_command(span) and not span.startswith("softrelu ")]


class Commands(unittest.TestCase):
    """Every command in every document runs."""

    def instead(self, command, places):
        """What is run for it in the root of the sources; None: another test runs it."""
        if command in ELSEWHERE:
            return None
        for pattern, script, *smaller in INSTEAD:
            if found := re.fullmatch(pattern, command):
                small = "" if os.environ["SOFTRELU_FULL_TESTS"] == "ON" else "".join(smaller)
                return re.sub(r"\{(build|scratch)\}", lambda name: places[name[1]], found.expand(script)) + small
        self.fail("neither does this run in a folder of arrays, nor is there a line in INSTEAD or ELSEWHERE")

    def test_every_command(self):
        sanitized, count = os.environ["SOFTRELU_SANITIZE"], 0
        for page in documents():
            with support.scratch() as folder, tempfile.TemporaryDirectory() as scratch:
                places = {"build": os.environ["SOFTRELU_BUILD"], "scratch": scratch}
                for line in commands(page):
                    for command in line.split(" && "):
                        with self.subTest(page=page, command=command):
                            script, where = command, folder
                            if not command.startswith(("softrelu ", "python3 -c ")):
                                script, where = self.instead(command, places), support.SOURCE
                            # elsewhere, or of builds that are not sanitized: the Python examples, the tests of packages
                            if script is None or sanitized and where != folder:
                                continue
                            done = support.shell(script, folder, where)
                            self.assertEqual(done.returncode, 0, f"{script}\n{done.stdout}{done.stderr}")
                            count += 1
        self.assertGreater(count, 15 if sanitized else 70)

    def test_tables_are_of_commands_that_are_there(self):
        told = [command for page in documents() for line in commands(page) for command in line.split(" && ")]
        self.assertEqual([command for command in ELSEWHERE if command not in told], [])
        self.assertEqual([row[0] for row in INSTEAD if not any(re.fullmatch(row[0], command) for command in told)], [])
        for file, text in ELSEWHERE.values():
            self.assertIn(text, support.read(*file.split("/")))

    def test_files_and_tests_that_are_named_are_there(self):
        with support.scratch() as folder:
            tests = support.shell(f"ctest --test-dir {os.environ['SOFTRELU_BUILD']} -N", folder).stdout
        for page in documents():
            named = [span for span in inline(page) if re.fullmatch(rf"(?:{'|'.join(PLACES)})/[\w./-]*", span)]
            self.assertEqual([name for name in named if not os.path.exists(os.path.join(support.SOURCE, name)) and f": {name}\n" not in tests],
                             [], page)

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
            done = support.run_program(code, "python3 program.py", "program.py")
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


    def test_four_languages_find_the_same(self):
        page, told = "docs/counterfactuals.md", set()
        (python,), (c,), (cpp,) = (blocks(page, language) for language in ("python", "c", "cpp"))
        before = "\n".join(command for command in commands(page) if command.startswith("python3 -c "))
        for done in (support.run_program(python, "python3 program.py", "program.py", before),
                     support.compile_and_run(c, "cc -std=c11", "program.c", before),
                     support.compile_and_run(cpp, "c++ -std=c++17", "program.cpp", before)):
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            told.update(re.findall("^distance .*", done.stdout, re.MULTILINE))
        with support.scratch() as folder:
            for command in commands(page):
                if command.startswith(("python3 -c ", "softrelu ")):
                    done = support.shell(command, folder)
                    told.update(f"distance {float(found):.6g}, certified: True" for found in re.findall(r"^ +0 +([\d.]+) .*none nearer", done.stdout, re.MULTILINE))
        self.assertEqual(len(told), 1, told)
        self.assertRegex(told.pop(), "^distance [1-9].*certified: True$")


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


class Figures(unittest.TestCase):
    """The README's figures beside packaged solvers are those of the page they are from."""

    ROWS = {"libLBFGS": "liblbfgs", "NLopt, L-BFGS": "nlopt_lbfgs", "GSL, dogleg": "gsl_ddogleg", "Ceres, Levenberg–Marquardt": "ceres_lm",
            "SciPy, L-BFGS-B": "scipy_lbfgsb", "SciPy, trf": "scipy_trf", "Ipopt, exact Hessian": "ipopt_exact"}

    def test_peers(self):
        told = re.search(r"^\| this library .*\n((?:\|.*\n)+)", support.read("README.md"), re.MULTILINE)[1]
        told = {cells[0]: cells[1:] for cells in (re.split(r" *\| *", row.strip("| ")) for row in told.splitlines())}
        page = support.read("docs", "performance-peers.md")
        measured = page.partition("### softrelu against each solver\n")[2].partition("###")[0]
        rows = {cells[0]: cells for cells in (re.split(r" *\| *", row.strip("| ")) for row in measured.splitlines() if row.startswith("|"))}
        found = {name: [rows[solver][2].split()[0], rows[solver][4].split()[0], *rows[solver][5:8]] for name, solver in self.ROWS.items()}
        self.assertEqual(told, found)


if __name__ == "__main__":
    unittest.main()
