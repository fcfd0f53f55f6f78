"""The man pages: their options are the program's, they are rendered without complaint, and their examples run."""
import glob
import os
import re
import subprocess
import unittest

import support

PAGES = sorted(glob.glob(os.path.join(os.environ["SOFTRELU_PAGES"], "*.gz")))


def page(name):
    return os.path.join(os.environ["SOFTRELU_PAGES"], name + ".gz")


def rendered(path):
    environment = dict(os.environ, MANWIDTH="80", LC_ALL="C.UTF-8", MAN_KEEP_FORMATTING="", TERM="dumb")
    return subprocess.run(["man", "--warnings", "-l", path], env=environment, capture_output=True, text=True, check=True, timeout=60)


def section(text, title):
    return re.search(rf"^{title}\n((?: .*\n|\n)*)", text, re.MULTILINE)[1]


def examples(name):
    """The literal blocks, which are indented deeper than the text."""
    return [re.sub(r"^ {11}", "", block, flags=re.MULTILINE).strip("\n")
            for block in re.findall(r"(?:^ {11}.*\n(?:\n(?= {11}))?)+", section(rendered(page(name)).stdout, "EXAMPLES"), re.MULTILINE)]


class ManPages(unittest.TestCase):
    def test_every_page_is_there(self):
        names = [os.path.basename(path) for path in PAGES]
        self.assertEqual(sorted(names), sorted(["softrelu.1.gz", "softrelu.3.gz", "softrelu-mpi.1.gz"] + [f"softrelu-{c}.1.gz" for c in support.COMMANDS]))

    def test_commands(self):
        documented = re.findall(r"^ {7}([a-z]+)\n", section(rendered(page("softrelu.1")).stdout, "COMMANDS"), re.MULTILINE)
        self.assertEqual(documented, support.COMMANDS)
        self.assertIn("solve", documented)

    def test_options_are_those_of_the_program(self):
        for command in support.COMMANDS:
            with self.subTest(command=command):
                listed = re.findall(r"^ {7}--(\S+)(?: (\S+))?\n", section(rendered(page(f"softrelu-{command}.1")).stdout, "OPTIONS"),
                                    re.MULTILINE)
                self.assertEqual(dict(listed), support.options(command))
                self.assertEqual(len(listed), len(dict(listed)))
                self.assertIn("help", dict(listed))

    @unittest.skipUnless("SOFTRELU_MPI" in os.environ, "built without MPI")
    def test_the_page_of_softrelu_mpi(self):
        lenient = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}  # an MPI leaves its memory to the system
        told = subprocess.run([os.environ["SOFTRELU_MPI"], "--help"], capture_output=True, text=True, check=True, timeout=60,
                              env=lenient).stdout
        text = rendered(page("softrelu-mpi.1")).stdout
        documented = re.findall(r"^ {7}([a-z]+)\n", section(text, "COMMANDS"), re.MULTILINE)
        self.assertEqual(documented, re.findall(r"^  ([a-z]+)  ", told, re.MULTILINE))
        (block,) = examples("softrelu-mpi.1")
        with support.scratch() as folder:
            as_root = "export ASAN_OPTIONS=detect_leaks=0 OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1\n"
            path = f"PATH='{os.path.dirname(os.environ['SOFTRELU_MPI'])}':$PATH\n"
            done = support.shell(as_root + path + block, folder)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_settings_are_those_of_the_program(self):
        told = re.findall(r"^  ([a-z_]+) +(?:integer|real|choice) ", support.program("info"), re.MULTILINE)
        documented = re.findall(r"^ {7}([a-z_]+)\n", section(rendered(page("softrelu.1")).stdout, "SETTINGS"), re.MULTILINE)
        self.assertGreater(len(told), 10)
        self.assertEqual(documented, told)

    def test_rendered_without_complaint_in_80_columns(self):
        for path in PAGES:
            with self.subTest(page=os.path.basename(path)):
                output = rendered(path)
                self.assertEqual(output.stderr, "")
                self.assertEqual([line for line in output.stdout.splitlines() if len(line) > 80], [])

    def test_examples_run(self):
        for command in support.COMMANDS:
            blocks = examples(f"softrelu-{command}.1")
            self.assertTrue(blocks)
            for block in blocks:
                with self.subTest(example=block), support.scratch() as folder:
                    self.assertIn(f"softrelu {command}", block)
                    done = support.shell(block, folder)
                    self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_examples_of_the_overview_run(self):
        for block in examples("softrelu.1"):
            with support.scratch() as folder:
                done = support.shell(block, folder)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_the_c_program_runs(self):
        if os.environ["SOFTRELU_SANITIZE"]:
            self.skipTest("a sanitized library")
        (code,) = examples("softrelu.3")
        done = support.compile_and_run(code, "cc -std=c11", "program.c")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("the stationarity residual meets the tolerance", done.stdout)

    def test_functions_of_the_c_page_exist(self):
        header = "".join(support.read("include", "softrelu", name) for name in ("softrelu.h", "softrelu_mpi.h"))
        names = set(re.findall(r"\b(softrelu_[a-z0-9_]*[a-z0-9])\b", support.read("docs", "man", "softrelu.3.scd")))
        self.assertGreater(len(names), 20)
        self.assertEqual([name for name in names if not re.search(rf"\b{name}\b", header)], [])


if __name__ == "__main__":
    unittest.main()
