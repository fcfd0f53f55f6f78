"""The Python package repeats the C header: its functions, numbers and names must be those of softrelu.h."""
import pathlib
import re
import unittest

from softrelu import _library

SOURCE = (pathlib.Path(__file__).resolve().parents[2] / "include/softrelu/softrelu.h").read_text()
HEADER = re.sub(r"/\*.*?\*/", "", SOURCE, flags=re.S).replace("\\\n", " ")
ENUMS = set(re.findall(r"typedef enum (\w+)", HEADER))


def word(declaration, named):
    """The package's word for a C type; named: a parameter's name follows it."""
    text = " ".join(declaration.replace("*", " * ").split())
    if "*" in text:
        return "text" if re.match(r"const char \* ?\w*$", text) else "pointer"
    text = text.replace("const ", "")
    if named and " " in text:
        text = text.rsplit(" ", 1)[0]
    if text in ENUMS:
        return "int"
    return {"void": "none", "int": "int", "int64_t": "int64", "uint64_t": "uint64", "double": "double", "size_t": "size",
            "softrelu_allocate": "pointer", "softrelu_release": "pointer", "softrelu_callback": "callback",
            "softrelu_batch_callback": "callback", "softrelu_interrupt": "callback"}[text]


def enumerators(prefix):
    """{enumerator: number} of the enums that are written out."""
    return {name: int(number) for name, number in re.findall(rf"({prefix}\w*) = (-?\d+)", HEADER)}


def listed(name):
    """[(enumerator, number, further arguments)] of an X-macro list."""
    body = re.search(rf"#define {name}\(X\)(.*)", HEADER).group(1)
    return [(entry[0], int(entry[1]), entry[2]) for entry in re.findall(r"X\((\w+),\s*(-?\d+),\s*(.*?)\)(?=\s*(?:X\(|$))", body)]


class Header(unittest.TestCase):
    def test_prototypes(self):
        declared = {}
        for returned, name, parameters in re.findall(r"SOFTRELU_API\s+([^;{}#]*?)(softrelu_\w+)\(([^;]*?)\);", HEADER):
            taken = [word(p, True) for p in parameters.split(",") if p.strip() != "void"]
            declared[name] = f"{word(returned, False)}({', '.join(taken)})"
        self.assertGreater(len(declared), 90)
        self.assertEqual(declared, _library.PROTOTYPES)

    def test_statuses_and_terminations(self):
        self.assertEqual({name: number for name, number, _ in listed("SOFTRELU_STATUS_LIST") if number}, _library.STATUSES)
        self.assertEqual({rest.split('"')[1]: number for _, number, rest in listed("SOFTRELU_TERMINATION_LIST")}, _library.TERMINATIONS)

    def test_quantities(self):
        kinds = {"SOFTRELU_INTEGER": int, "SOFTRELU_REAL": float}
        for table, name in ((_library.REPORT, "SOFTRELU_QUANTITY_LIST"), (_library.TRACE, "SOFTRELU_TRACE_LIST"),
                            (_library.CERTIFICATE, "SOFTRELU_CERTIFICATE_LIST"), (_library.CONSTANTS, "SOFTRELU_CONSTANT_LIST"),
                            (_library.ANSWER, "SOFTRELU_ANSWER_LIST")):
            found = {}
            for _, number, rest in listed(name):
                quantity, kind = re.match(r'"(\w+)",\s*(\w+)', rest).groups()
                found[quantity] = (number, kinds[kind])
            self.assertEqual(found, table)
        # what belongs to a point has the larger numbers: constants() relies on it
        first = _library.CONSTANTS["row_distance"][0]
        self.assertTrue(all((number >= first) == (name in ("row_distance", "row_distance_exact", "spectral_norm", "hessian_least",
                                                           "hessian_least_cell", "hessian_lipschitz", "kink_distance", "kink_unit"))
                            for name, (number, _) in _library.CONSTANTS.items()))

    def test_origins(self):
        self.assertEqual({rest.split('"')[1]: number for _, number, rest in listed("SOFTRELU_ORIGIN_LIST")}, _library.ORIGINS)

    def test_choices(self):
        arrays = {name.lower(): number for name, number in _library.ARRAYS.items()}
        self.assertEqual({name: number for name, number in
                          ((name.removeprefix("SOFTRELU_").lower(), number) for name, number in enumerators("SOFTRELU_").items())
                          if name in arrays}, arrays)
        for prefix, table, words in (
                ("SOFTRELU_SQUARES|SOFTRELU_KL", _library.LOSSES, {"SOFTRELU_SQUARES": "squares", "SOFTRELU_KL": "kl"}),
                ("SOFTRELU_ROW_MAJOR|SOFTRELU_COLUMN_MAJOR", _library.LAYOUTS, {"SOFTRELU_ROW_MAJOR": "row", "SOFTRELU_COLUMN_MAJOR": "column"}),
                ("SOFTRELU_COPY|SOFTRELU_BORROW|SOFTRELU_MAP", _library.OWNERSHIPS,
                 {"SOFTRELU_COPY": "copy", "SOFTRELU_BORROW": "borrow", "SOFTRELU_MAP": "map"}),
                ("SOFTRELU_BLAS_KEEP|SOFTRELU_BLAS_ONE", _library.BLAS_USES, {"SOFTRELU_BLAS_KEEP": "keep", "SOFTRELU_BLAS_ONE_THREAD": "one-thread"}),
                ("SOFTRELU_DERIVATIVES_", _library.DERIVATIVE_VERDICTS,
                 {"SOFTRELU_DERIVATIVES_AGREE": "agree", "SOFTRELU_DERIVATIVES_DISAGREE": "disagree", "SOFTRELU_DERIVATIVES_KINK": "kink",
                  "SOFTRELU_DERIVATIVES_ROUNDOFF": "round-off"})):
            self.assertEqual({words[name]: number for name, number in enumerators(f"(?:{prefix})").items()}, table)
        self.assertEqual(int(re.search(r"SOFTRELU_ABI_VERSION (\d+)", SOURCE).group(1)), _library.ABI_VERSION)

    def test_version_of_the_package(self):
        version = ".".join(re.search(rf"SOFTRELU_VERSION_{part} (\d+)", SOURCE).group(1) for part in ("MAJOR", "MINOR", "PATCH"))
        project = (pathlib.Path(__file__).resolve().parents[2] / "python/pyproject.toml").read_text()
        self.assertIn(f'version = "{version}"', project)


if __name__ == "__main__":
    unittest.main()
