"""Courses that the tests share: the real one, built by `make test`, and a small fixture course, built once a run."""

import os
import shutil
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from autograder.course import Course, CourseError, load_course
from autograder.judging.judge import Court, judge_submission
from autograder.notebooks.build import build_assignment
from autograder.results import Result

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent

# Every process of the tests, and every one that they start, uses the fixed seed and one thread.
os.environ["CI"] = "true"
os.environ["OMP_NUM_THREADS"] = "1"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--assignment", metavar="NAME", help="run the tests of this assignment of the real course alone")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes ``assignment_name`` runs once for each assignment of the real course."""
    own = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
    if "assignment_name" in metafunc.fixturenames and not any("assignment_name" in names for names in own):
        names = [assignment.name for assignment in load_course(ROOT).assignments]
        metafunc.parametrize("assignment_name", names, scope="module")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With ``--assignment`` all tests of anything else are left out."""
    wanted = config.getoption("--assignment")
    if wanted is None:
        return
    try:
        load_course(ROOT).assignment(wanted)
    except CourseError as error:
        raise pytest.UsageError(str(error)) from None
    names = {item: getattr(item, "callspec", None) and item.callspec.params.get("assignment_name") for item in items}
    config.hook.pytest_deselected(items=[item for item in items if names[item] != wanted])
    items[:] = [item for item in items if names[item] == wanted]


def judge_file(court: Court, path: Path) -> Result:
    """Reads and judges a file, as grading does."""
    return judge_submission(court, path, court.reader.read(path))


@pytest.fixture(scope="session")
def course() -> Course:
    """The real course; `autograder build`, which `make test` runs first, makes its hidden examples."""
    return load_course(ROOT)


@pytest.fixture(scope="session")
def built_fixture_course(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Course:
    """The fixture course, built once for all test processes. Not to be changed: see `fixture_course`."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    root = shared / "fixture_course"
    with FileLock(shared / "fixture_course.lock"):
        if not (root / "build" / "source").is_dir():
            shutil.copytree(ROOT / "tests" / "fixture_course", root, ignore=shutil.ignore_patterns("__pycache__"))
            shutil.copy(ROOT / "nbgrader_config.py", root)
            build_assignment(load_course(root), "basics", jobs=1)
    return load_course(root)


@pytest.fixture
def fixture_course(built_fixture_course: Course, tmp_path: Path) -> Course:
    """A copy of the built fixture course that a test may change."""
    root = tmp_path / "course"
    shutil.copytree(built_fixture_course.root, root)
    return load_course(root)
