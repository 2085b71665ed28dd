"""What is imported before an answer: a person waits for it. Each program runs in an interpreter of its own."""

import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from autograder.cli.terminal import EXIT_CODES
from autograder.course import Course
from autograder.notebooks.submission import Cell
from autograder.notebooks.unused_imports import without_unused_imports

SLOW = ("torch", "numpy", "nbgrader", "nbformat", "jsonschema", "jupytext", "IPython", "hypothesis", "sqlalchemy")
COMPILER = ("torch._dynamo", "torch._inductor", "sympy")


def imported(program: str, modules: tuple[str, ...], folder: Path) -> list[str]:
    """Which of the modules a program imports."""
    told = f"print('imported', *[name for name in {modules!r} if name in sys.modules])"
    whole = f"import sys\ntry:\n    {program}\nexcept SystemExit:\n    pass\n{told}"
    done = subprocess.run([sys.executable, "-c", whole], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1].split()[1:]


def command(*arguments: str) -> str:
    return f"sys.argv = {['autograder', *arguments]!r}; from autograder.cli import app; app()"


@pytest.mark.parametrize(
    "arguments",
    [
        ["grade", "nothing"],
        ["grade", "basics"],
        ["grade", "basics", "--wrong"],
        ["judge", "a.ipynb", "--assignment", "nothing"],
        ["build", "nothing"],
        ["verify", "nothing"],
        ["late", "nothing"],
        ["collect", "nothing"],
        ["report", "basics"],
        ["check", "nothing.ipynb"],
        ["check", "course.toml"],
        ["progress", "nothing.ipynb"],
        ["progress", "solutions"],
        ["watch", "nothing.ipynb"],
    ],
    ids=" ".join,
)
def test_what_can_be_refused_is_refused_before_anything_slow_is_imported(built_fixture_course: Course, arguments):
    assert imported(command(*arguments), SLOW, built_fixture_course.root) == []


def test_what_is_not_released_or_not_built_is_refused_before_anything_slow_is_imported(fixture_course: Course):
    notebook = fixture_course.assignments_dir / "basics" / "basics.ipynb"
    place = fixture_course.private_dir / "submitted" / "ada" / "basics"
    place.mkdir(parents=True)
    shutil.copy(notebook, place)
    assert imported(command("grade", "basics"), SLOW, fixture_course.root) == []
    (fixture_course.build_dir / "examples" / "basics.npz").unlink()
    assert imported(command("grade", "basics"), SLOW, fixture_course.root) == []
    (notebook.parent / "examples.npz").unlink()
    assert imported(command("check", str(notebook)), SLOW, fixture_course.root) == []


@pytest.mark.parametrize("module", ["watch", "whole_course"])
def test_who_has_notebooks_checked_in_other_processes_imports_nothing_slow(module: str, tmp_path: Path):
    assert imported(f"import autograder.checking.{module}", SLOW, tmp_path) == []


def test_a_notebook_is_checked_without_what_writes_notebooks(built_fixture_course: Course):
    notebook = built_fixture_course.assignments_dir / "basics" / "basics.ipynb"
    unneeded = ("nbformat", "jsonschema", "jupytext", "nbgrader", *COMPILER)
    assert imported(command("check", str(notebook)), unneeded, notebook.parent) == []


def test_a_students_check_imports_neither_torchs_compiler_nor_what_writes_notebooks(built_fixture_course: Course):
    folder = built_fixture_course.assignments_dir / "basics"
    solved = "import runpy; namespace = runpy.run_path('../../solutions/basics/reference.py')"
    checked = "from autograder.checking.notebook import check_caller; check_caller(None, namespace)"
    unneeded = ("IPython", "nbformat", "jsonschema", "jupytext", *COMPILER)
    assert imported(f"{solved}; {checked}", unneeded, folder) == []


@pytest.mark.parametrize("name", EXIT_CODES)
def test_every_error_that_has_an_exit_code_is_called_so(name: str):
    module, _, error = name.rpartition(".")
    kind = getattr(import_module(module), error)
    assert issubclass(kind, Exception) and f"{kind.__module__}.{kind.__qualname__}" == name


SETUP = "import torch\nimport matplotlib.pyplot as plt\nfrom sklearn.datasets import (\n    load_digits,\n)\nx = 1\n"


@pytest.mark.parametrize(
    ("setup", "other", "left"),
    [
        (SETUP, "y = x", "import torch\n\n\n\n\nx = 1\n"),
        (SETUP, "plt.plot()", "import torch\nimport matplotlib.pyplot as plt\n\n\n\nx = 1\n"),
        (SETUP, "load_digits()", SETUP.replace("import matplotlib.pyplot as plt", "")),
        ("import sklearn, torch", "", "import sklearn, torch"),
        ("from sklearn.datasets import *", "", "from sklearn.datasets import *"),
        ("x = 1; import sklearn", "", "x = 1; import sklearn"),
        ("import sklearn as torch_\n!", "", "import sklearn as torch_\n!"),
        ("import json", "", "import json"),
    ],
)
def test_imports_that_serve_demo_cells_alone_are_left_out(setup: str, other: str, left: str):
    cells = (Cell("code", "setup", setup), Cell("check", "softmax"), Cell("code", "other", other))
    assert without_unused_imports(cells) == (Cell("code", "setup", left), *cells[1:])
