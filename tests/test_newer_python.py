"""Code of a newer Python is told from code that is wrong: it is not judged, and says which Python it needs."""

import sys

import nbformat
import pytest

from autograder.course import Course, Limits
from autograder.notebooks.newer_python import newer_python, newest
from autograder.notebooks.submission import UnreadableSubmission
from autograder.reading.reader import Reader, order_of

pytestmark = pytest.mark.skipif(sys.version_info >= (3, 12), reason="what is newer here depends on this Python")

NEWER = {
    "def f[T](x: T) -> T:\n    return x\n": "3.12",
    "type X = int\n": "3.12",
    'x = f"{d["a"]}"\n': "3.12",
    "class A[T = int]: pass\n": "3.13",
    "try:\n    pass\nexcept A, B:\n    pass\n": "3.14",
}
WRONG = ("def f(:\n", "def f[T](x):\n    return (\n", "print 'a'\n", "x = y if z\n")


@pytest.mark.parametrize("code", NEWER)
def test_code_of_a_newer_python_says_which(code: str) -> None:
    found = newer_python(code)
    assert found is not None and found.version == NEWER[code]


@pytest.mark.parametrize("code", WRONG)
def test_code_that_no_python_reads_is_only_wrong(code: str) -> None:
    assert newer_python(code) is None


def test_of_several_cells_the_newest_counts() -> None:
    found = newest(["type X = int\n", "def f(:\n", "class A[T = int]: pass\n"])
    assert found is not None and found.version == "3.13"


def test_a_notebook_for_a_newer_python_is_not_judged(built_fixture_course: Course, tmp_path) -> None:
    path = built_fixture_course.assignments_dir / "basics" / "basics.ipynb"
    notebook = nbformat.read(path, as_version=4)
    reader = Reader(None, order_of(Limits(), "basics", None))
    reader.read(path)
    notebook.cells.append(nbformat.v4.new_code_cell("def f[T](x: T) -> T:\n    return x"))
    nbformat.write(notebook, tmp_path / "basics.ipynb")
    with pytest.raises(UnreadableSubmission, match=r"written for Python 3\.12 or newer, and this is Python 3\.11"):
        reader.read(tmp_path / "basics.ipynb")
