"""A pytest plugin that runs an assignment's checks, by live search, on one Python file.

``pytest -p autograder.testing.plugin assignments/activations/checks.py --student solutions/activations/reference.py``
"""

import runpy
from pathlib import Path

import pytest

from autograder.sandbox.inprocess import InProcess
from autograder.testing.student import Session, Student


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--student", type=Path, help="Python file with the functions that the checks call")


@pytest.fixture(scope="session")
def student(request: pytest.FixtureRequest) -> Student:
    """The student's functions, as the checks see them."""
    path: Path | None = request.config.getoption("--student")
    if path is None or not path.is_file():
        raise pytest.UsageError(f"--student {path}: allowed is a Python file with the functions to check")
    return Student(Session(InProcess(runpy.run_path(str(path)))))
