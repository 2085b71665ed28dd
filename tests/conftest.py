"""Courses that the tests share: the real one, built by `make test`, and a small fixture course, built once a run."""

import os
import shutil
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from autograder.course import Course, load_course
from autograder.judging.judge import Court, judge_submission
from autograder.notebooks.build import build_assignment
from autograder.results import Result

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent

# Every process of the tests, and every one that they start, uses the fixed seed and one thread.
os.environ["CI"] = "true"
os.environ["OMP_NUM_THREADS"] = "1"


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
