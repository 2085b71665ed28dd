"""The graders that are compared, each as a function that grades a class from nothing and says what it cost."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook

from autograder.course import Course
from autograder.demo.made_class import MadeSubmission
from autograder.testing.assignment import load_assignment
from bench.classes import hand_in, signed
from bench.content import EXERCISES, NAME
from bench.measure import Cost, measure

STOCK = """\
from pathlib import Path

from autograder.nbgrader import configure
from autograder.nbgrader.configuration import AFTER_JUDGE

c = get_config()
configure(c, Path({root!r}))
c.Autograde.autograde_preprocessors = ["nbgrader.preprocessors.Execute", *AFTER_JUDGE]
"""

OTTER_TEST = """\
OK_FORMAT = True

test = {{
    "name": {name!r},
    "points": {points!r},
    "suites": [{{"cases": {cases!r}, "scored": True, "setup": "", "teardown": "", "type": "doctest"}}],
}}
"""
OTTER_CASE = ">>> from bench.otter_side import {how}\n>>> {how}({exercise!r}, {check!r}, globals())\nTrue"


@dataclass(frozen=True)
class Graded:
    """What grading a class cost, and the score of each student."""

    cost: Cost
    scores: dict[str, float]


@dataclass(frozen=True)
class Bench:
    """Where the bench works: the repository, its folder under ``build``, its course, and otter's Python, if any."""

    repository: Path
    folder: Path
    course: Course
    otter: Path | None

    @property
    def log(self) -> Path:
        return self.folder / "bench.log"

    @property
    def environment(self) -> dict[str, str]:
        """One thread a process and no warnings, for every grader alike."""
        return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore", "JUPYTER_PLATFORM_DIRS": "1"}


def program(name: str) -> str:
    return str(Path(sys.executable).parent / name)


def autograder(bench: Bench, class_: Sequence[MadeSubmission], size: int, jobs: int) -> Graded:
    """``autograder grade``: gradebook rows and autograded notebooks included."""
    root = bench.course.root
    _start_afresh(bench, root)
    hand_in(root / "private" / "submitted", class_, size)
    command = [program("autograder"), "grade", NAME, "--jobs", str(jobs)]
    cost = measure(command, root, bench.log, environment=bench.environment)
    return Graded(cost, _scores(root))


def preprocessor(bench: Bench, class_: Sequence[MadeSubmission], size: int) -> Graded:
    """``nbgrader autograde`` with the course's own configuration."""
    return _autograde(bench, bench.course.root, class_, size)


def kernel_replay(bench: Bench, class_: Sequence[MadeSubmission], size: int) -> Graded:
    """Stock ``nbgrader autograde``: in its kernel, ``check()`` replays the same recorded examples."""
    return _autograde(bench, _stock_course(bench, "replaying", lambda text: text), class_, size)


def kernel_search(bench: Bench, class_: Sequence[MadeSubmission], size: int) -> Graded:
    """Stock ``nbgrader autograde``: in its kernel, the same checks search live with Hypothesis."""
    return _autograde(bench, _stock_course(bench, "searching", _searching), class_, size, _searching)


def _autograde(
    bench: Bench,
    root: Path,
    class_: Sequence[MadeSubmission],
    size: int,
    changed: Callable[[str], str] = lambda text: text,
) -> Graded:
    _start_afresh(bench, root)
    hand_in(root / "private" / "submitted", class_, size, changed)
    command = [sys.executable, "-m", "nbgrader", "autograde", NAME, "--force"]
    cost = measure(command, root, bench.log, environment=bench.environment)
    return Graded(cost, _scores(root))


def _start_afresh(bench: Bench, root: Path) -> None:
    """No results, and the gradebook as it is after the release."""
    private = root / "private"
    for folder in ("results", "autograded"):
        shutil.rmtree(private / folder, ignore_errors=True)
    released = root / "released.db"
    if not released.is_file():
        (private / "gradebook.db").unlink(missing_ok=True)
        command = [sys.executable, "-m", "nbgrader", "generate_assignment", NAME, "--force"]
        measure(command, root, bench.log, environment=bench.environment)
        shutil.copyfile(private / "gradebook.db", released)
    shutil.copyfile(released, private / "gradebook.db")


def _scores(root: Path) -> dict[str, float]:
    with Gradebook(f"sqlite:///{root / 'private' / 'gradebook.db'}") as gradebook:
        return {found.student.id: round(found.score, 6) for found in gradebook.assignment_submissions(NAME)}


def _stock_course(bench: Bench, name: str, changed: Callable[[str], str]) -> Path:
    """A copy of the course that stock nbgrader grades in its kernel. A folder of its own, since nbgrader reads the
    configuration in the course's root last."""
    root = bench.folder / name
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(bench.course.root, root, ignore=shutil.ignore_patterns("private", "released.db", "release"))
    (root / "nbgrader_config.py").write_text(STOCK.format(root=str(root)), encoding="utf-8")
    source = root / "build" / "source" / NAME / f"{NAME}.ipynb"
    source.write_text(changed(source.read_text(encoding="utf-8")), encoding="utf-8")
    (root / "private").mkdir()
    return root


def _searching(text: str) -> str:
    return text.replace(
        "from autograder import check, grading", "from autograder import grading\\nfrom bench.search_side import check"
    )


def otter(bench: Bench, class_: Sequence[MadeSubmission], size: int, how: str) -> Graded:
    """``otter run``, one submission after the other, without containers; a case for each of the same checks.

    Args:
        how: ``searches`` or ``replays``, what a case does.
    """
    assert bench.otter is not None
    run = str(bench.otter.parent / "otter")
    environment = bench.environment | {"PYTHONPATH": str(bench.repository), "AUTOGRADER_COURSE": str(bench.course.root)}
    with tempfile.TemporaryDirectory(prefix="otter-") as place:
        folder = Path(place)
        archive = _otter_tests(bench, folder, run, how)
        total, scores = Cost(0.0, 0.0, 0.0, 0.0), {}
        for number in range(size):
            made = class_[number % len(class_)]
            student = f"{made.student}-{number:04}"
            notebook = folder / f"{student}.ipynb"
            notebook.write_text(_for_otter(signed(made.text, student)), encoding="utf-8")
            command = [run, "run", "--no-logo", "-a", str(archive), "-o", str(folder), str(notebook)]
            total = total.and_then(measure(command, folder, bench.log, environment=environment))
            tests = json.loads((folder / "results.json").read_text(encoding="utf-8"))["tests"]
            scores[student] = round(sum(test.get("score", 0.0) for test in tests), 6)
    return Graded(total, scores)


def _otter_tests(bench: Bench, folder: Path, run: str, how: str) -> Path:
    (folder / "tests").mkdir()
    for exercise in load_assignment(bench.course, NAME).exercises:
        cases = [
            {"code": OTTER_CASE.format(how=how, exercise=exercise.name, check=check.name), "hidden": not check.visible}
            for check in exercise.checks
        ]
        text = OTTER_TEST.format(name=exercise.name, points=exercise.points, cases=cases)
        (folder / "tests" / f"{exercise.name}.py").write_text(text, encoding="utf-8")
    archive = folder / "autograder.zip"
    subprocess.run(
        [run, "generate", "-t", "tests", "-o", str(archive), "--no-config", "--no-requirements", "--no-environment"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return archive


def _for_otter(text: str) -> str:
    """The submission without anything of nbgrader or this autograder: imports and exercises."""
    notebook = nbformat.reads(text, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if cell.id in ("setup", *EXERCISES)]
    for cell in notebook.cells:
        cell.source = cell.source.replace("from autograder import check, grading", "")
        cell.metadata = {}
    return str(nbformat.writes(notebook))
