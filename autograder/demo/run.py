"""The product's first five minutes: a made-up class, graded through both doors in a folder of its own."""

import csv
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from autograder.classroom.grade import Judged, grade_class, submissions, write_lines
from autograder.course import Course, load_course
from autograder.demo.made_class import MadeSubmission, make_class
from autograder.gradebook.database import VARIABLE
from autograder.judging.judge import TooLittleIsolation, require_isolation
from autograder.notebooks.build import build_assignment, source_notebook
from autograder.notebooks.submission import UnreadableSubmission, read_submission
from autograder.testing.assignment import load_assignment

Begin = Callable[[str, int], None]
Advance = Callable[[str], None]


@dataclass(frozen=True)
class Grade:
    """One row of the demo's table."""

    student: str
    about: str
    assignment: str
    score: float | None
    max_score: float
    needs_manual: bool
    reason: str


@dataclass(frozen=True)
class Demo:
    """What a demo made: its folder, the grades, the most common mistakes with how often each was seen."""

    folder: Path
    grades: tuple[Grade, ...]
    mistakes: tuple[tuple[str, str, int], ...]


class DemoError(Exception):
    """A step of the demo failed; the sentence names it and where its log is."""


def run_demo(course: Course, out: Path, begin: Begin, advance: Advance) -> Demo:
    """Builds, releases, makes a class, grades it, makes feedback and exports grades.

    `nbgrader autograde` grades the first assignment: it is the same judge, one submission after the other, with
    nbgrader's own cost for each. All of them go through the way of `autograder grade`, which leaves what the class
    report reads.

    Args:
        course: the course to show; stale parts of it are built first.
        out: an empty or new folder, or that of an earlier demo, which is replaced.
        begin, advance: told when a stage begins, with its number of steps, and of each step.
    Raises:
        DemoError: ``out`` holds something else, or an nbgrader command failed.
    """
    _make_room(out)
    for settings in course.assignments:
        build_assignment(course, settings.name, begin=begin, advance=advance)
    copy = _copy_course(course, out)
    grades: list[Grade] = []
    mistakes: Counter[tuple[str, str]] = Counter()
    for number, settings in enumerate(copy.assignments):
        name = settings.name
        begin(f"{name}: build and release", 2)
        build_assignment(copy, name)
        advance("build")
        _nbgrader(out, ["generate_assignment", name, "--force"], advance)
        made = _submit(copy, name, begin, advance, each=1 if number == 0 else 2)
        if number == 0:
            begin(f"{name}: nbgrader autograde", len(made))
            _nbgrader(out, ["autograde", name, "--force"], advance, each="Converting notebook", may_fail=True)
        judged = _grade(copy, name, begin, advance)
        begin(f"{name}: nbgrader generate_feedback", len(made))
        _nbgrader(out, ["generate_feedback", name, "--force"], advance, each="Converting notebook", may_fail=True)
        grades += _grades(copy, name, made)
        mistakes += _mistakes(judged)
    begin("nbgrader export", 1)
    _nbgrader(out, ["export", "--to", str(out / "grades.csv")], advance)
    common = tuple((exercise, says, count) for (exercise, says), count in mistakes.most_common(8))
    return Demo(out, tuple(grades), common)


MARK = ".autograder-demo"


def _make_room(out: Path) -> None:
    if out.exists() and any(out.iterdir()) and not (out / MARK).is_file():
        raise DemoError(f"{out} is not empty and was not made by a demo; give another folder with --out.")
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    (out / MARK).touch()


def _copy_course(course: Course, out: Path) -> Course:
    shutil.copy(course.root / "course.toml", out)
    shutil.copy(course.root / "nbgrader_config.py", out)
    for folder in (course.assignments_dir, course.solutions_dir, course.build_dir / "examples"):
        ignored = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", ".hypothesis")
        shutil.copytree(folder, out / folder.relative_to(course.root), ignore=ignored)
    if (course.private_dir / "seed").is_file():
        (out / "private").mkdir()
        shutil.copy(course.private_dir / "seed", out / "private")
    return load_course(out)


def _submit(course: Course, name: str, begin: Begin, advance: Advance, each: int) -> tuple[MadeSubmission, ...]:
    """Hands in for every student, or for each second one, so that a course of many assignments is shown in time."""
    assignment = load_assignment(course, name)
    made = make_class(assignment, source_notebook(course, assignment))[::each]
    begin(f"{name}: submissions", len(made))
    for submission in made:
        folder = course.private_dir / "submitted" / submission.student / name
        folder.mkdir(parents=True)
        (folder / f"{name}.ipynb").write_text(submission.text, encoding="utf-8")
        advance(submission.student)
    return made


def _grade(course: Course, name: str, begin: Begin, advance: Advance) -> list[Judged]:
    """What `autograder grade` does: the class in parallel, into nbgrader's gradebook."""
    from autograder.gradebook.writer import GradebookWriter

    class_ = submissions(course, name)
    begin(f"{name}: autograder grade", len(class_))
    judged = []
    with GradebookWriter(course, name) as gradebook:
        for one in grade_class(course, name, class_, jobs=os.cpu_count() or 1, trusted=not _has_a_wall(course)):
            gradebook.write(one)
            judged.append(one)
            advance(one.student)
    write_lines(course, name, judged)
    return judged


def _has_a_wall(course: Course) -> bool:
    """Whether submissions can run behind it here; those of a demo are made by this program and may do without."""
    try:
        require_isolation(course)
    except TooLittleIsolation:
        return False
    return True


def _nbgrader(out: Path, arguments: list[str], advance: Advance, *, each: str = "", may_fail: bool = False) -> None:
    """Runs an nbgrader command in ``out``; advances at each log line with ``each``, or once at the end."""
    command = [sys.executable, "-m", "nbgrader", *arguments]
    environment = {**os.environ, "PYTHONWARNINGS": "ignore", "JUPYTER_PLATFORM_DIRS": "1"}
    environment.pop("NBGRADER_EXECUTION", None)
    # A made-up class has no business in a real class's gradebook.
    environment.pop(VARIABLE, None)
    log = out / "nbgrader.log"
    with (
        log.open("a", encoding="utf-8") as file,
        subprocess.Popen(
            command, cwd=out, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as process,
    ):
        file.write(f"$ nbgrader {' '.join(arguments)}\n")
        assert process.stdout is not None
        for line in process.stdout:
            file.write(line)
            if each and each in line:
                advance(line.strip())
    if process.returncode and not may_fail:
        raise DemoError(f"`nbgrader {' '.join(arguments)}` ended with {process.returncode}; its log is {log}.")
    if not each:
        advance(arguments[0])


@contextmanager
def _gradebook(course: Course) -> Iterator[object]:
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course.private_dir / 'gradebook.db'}", course.course_id) as gradebook:
        yield gradebook


def _grades(course: Course, name: str, made: tuple[MadeSubmission, ...]) -> list[Grade]:
    from nbgrader.api import MissingEntry

    maximum = load_assignment(course, name).max_score
    rows = []
    with _gradebook(course) as gradebook:
        for submission in made:
            path = course.private_dir / "submitted" / submission.student / name / f"{name}.ipynb"
            try:
                found = gradebook.find_submission(name, submission.student)  # type: ignore[attr-defined]
                graded = [g for notebook in found.notebooks for g in notebook.grades if g.cell.cell_type == "code"]
            except MissingEntry:
                graded, found = [], None
            scored = bool(graded) and all(g.auto_score is not None for g in graded)
            score = round(sum(g.auto_score or 0.0 for g in graded), 6) if scored else None
            manual = scored and found is not None and bool(found.needs_manual_grade)
            reason = "" if scored else _why_not(path)
            rows.append(Grade(submission.student, submission.about, name, score, maximum, manual, reason))
    return rows


def _why_not(path: Path) -> str:
    try:
        read_submission(path)
    except UnreadableSubmission as error:
        return re.sub(r"^\S*/", "", str(error))
    return "nbgrader could not grade it; see nbgrader.log"


def _mistakes(judged: Sequence[Judged]) -> Counter[tuple[str, str]]:
    """How often each diagnosis was made."""
    results = [one.result for one in judged if one.result is not None]
    exercises = [exercise for result in results for exercise in result.exercises]
    return Counter((exercise.name, exercise.diagnosis.says) for exercise in exercises if exercise.diagnosis)


def write_automatic_grades(demo: Demo) -> Path:
    """Writes the table of automatic points beside nbgrader's own export."""
    path = demo.folder / "automatic_grades.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["student", "assignment", "score", "max_score", "needs_manual_grade", "not_graded_because"])
        for grade in demo.grades:
            score = "" if grade.score is None else grade.score
            writer.writerow([grade.student, grade.assignment, score, grade.max_score, grade.needs_manual, grade.reason])
    return path
