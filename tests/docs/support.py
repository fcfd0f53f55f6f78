"""What the documentation says, and a folder in which it can be tried."""
import os
import re
import subprocess
import sys
import tempfile

import numpy as np

PROGRAM = os.environ["SOFTRELU_CLI"]
SOURCE = os.environ["SOFTRELU_SOURCE"]


def read(*path):
    with open(os.path.join(SOURCE, *path), encoding="utf-8") as file:
        return file.read()


def program(*arguments):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, check=True, timeout=60).stdout


COMMANDS = re.findall(r"^  ([a-z]+) ", program("--help").partition("usage:")[2].partition("softrelu COMMAND --help")[0], re.MULTILINE)


def options(command):
    """{flag: argument} as --help has them; the argument of an option without one is ''."""
    return dict(re.findall(r"^  --([A-Za-z0-9-]+)(?: (\S+))?(?:  | ?$)", program(command, "--help"), re.MULTILINE))


def scratch():
    """A folder with the digit classifier, an image (a 3), a target (half a 3, half an 8), several targets, and a starting point."""
    folder = tempfile.TemporaryDirectory()
    data = os.path.join(SOURCE, "examples", "digits", "data")
    for name in ("A1", "A2", "c1", "c2"):
        os.symlink(os.path.join(data, name + ".npy"), os.path.join(folder.name, name + ".npy"))
    images = np.load(os.path.join(data, "images.npy"))
    half = np.zeros(10)
    half[[3, 8]] = 0.5
    targets = 0.1 / 9 + (0.9 - 0.1 / 9) * np.eye(10)[[3, 8, 5]]
    for name, values in {"start": images[4], "three": images[4], "x0": images[5], "b": half, "targets": targets}.items():
        np.save(os.path.join(folder.name, name + ".npy"), np.asarray(values, dtype=np.float64))
    return folder


def shell(script, folder, where=None):
    """bash, in the folder or elsewhere, stopping at the first command that fails; `softrelu` is the one that was built, `python3` the
    one that runs this, with the package over the library that was built."""
    links = os.path.join(folder, ".bin")
    if not os.path.exists(links):
        os.makedirs(links)
        os.symlink(PROGRAM, os.path.join(links, "softrelu"))
        os.symlink(sys.executable, os.path.join(links, "python3"))
    environment = dict(os.environ, PATH=links + os.pathsep + os.environ["PATH"], PYTHONPATH=os.path.join(SOURCE, "python"),
                       OPENBLAS_NUM_THREADS="1")
    return subprocess.run(["bash", "-e", "-o", "pipefail", "-c", script], cwd=where or folder, env=environment, capture_output=True,
                          text=True)


def run_program(code, command, name, before=""):
    """A program of that name, in the folder after what comes before."""
    with scratch() as folder:
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(code)
        return shell(before + "\n" + command, folder)


def compile_and_run(code, compiler, name, before=""):
    """A program over the library that was built."""
    library = os.environ["SOFTRELU_LIBRARY"]
    return run_program(code, f"{compiler} -Wall -Wextra -Werror {name} -I '{SOURCE}/include' '{library}'"
                       f" -Wl,-rpath,'{os.path.dirname(library)}' -o program && ./program", name, before)
