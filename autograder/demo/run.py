"""The product's first five minutes: a made-up class, graded through both doors in a folder of its own."""

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

from autograder.classroom.grade import Judged, Manner, grade_class, here, write_lines
from autograder.classroom.submitted import submissions
from autograder.course import Course, load_course
from autograder.demo.made_class import MadeSubmission, make_class
from autograder.gradebook.database import VARIABLE
from autograder.judging.judge import TooLittleIsolation, require_isolation
from autograder.notebooks.build import build_assignment, source_notebook
from autograder.notebooks.submission import UnreadableSubmission, read_submission
from autograder.reporting.page import write_course_report
from autograder.testing.assignment import Assignment, load_assignment

Begin = Callable[[str, int], None]
Advance = Callable[[str], None]

MARK = ".autograder-demo"
CONFIGURATION = "nbgrader_config.py"
# Whom nbgrader's own commands take: each costs seconds, and three show it. One is right, one has mistakes, one a
# cell that is not Python.
THROUGH_NBGRADER = ("ada", "chen", "kofi")


@dataclass(frozen=True)
class Grade:
    """One row of the demo's table; without a score there is a reason."""

    student: str
    about: str
    score: float | None
    needs_manual: bool
    reason: str


@dataclass(frozen=True)
class Shown:
    """One assignment of the demo.

    Attributes:
        name, title, max_score: the assignment.
        grades: a row for each student.
        both: whom `nbgrader autograde` graded too, to the same points; nobody where there is no wall.
        mistakes: exercise, sentence and how often it was said, the most common ones.
        feedback: a student's page.
        report: what the instructor reads about the class.
    """

    name: str
    title: str
    max_score: float
    grades: tuple[Grade, ...]
    both: tuple[str, ...]
    mistakes: tuple[tuple[str, str, int], ...]
    feedback: Path
    report: Path


class DemoError(Exception):
    """A step of the demo failed; the sentence names it and where its log is."""


def prepare(course: Course, names: Sequence[str], out: Path, begin: Begin, advance: Advance) -> Course:
    """Builds what is stale of the assignments to be shown, and copies the course.

    Args:
        course: the course to show.
        names: the assignments to be shown; no other is built.
        out: an empty or new folder, or that of an earlier demo, which is replaced.
        begin, advance: told when a stage begins, with its number of steps, and of each step.
    Raises:
        DemoError: ``out`` holds something else, or the course has no configuration of nbgrader.
    """
    if not (course.root / CONFIGURATION).is_file():
        raise DemoError(f"{course.root} has no {CONFIGURATION}; copy the one of the program's own course there.")
    _make_room(out)
    for name in names:
        begin(f"{name}: what has to be built", 1)
        build_assignment(course, name, begin=begin, advance=advance)
    return _copy_course(course, names, out)


def show(course: Course, name: str, begin: Begin, advance: Advance) -> Shown:
    """Releases an assignment, hands in for a class, grades it through both doors, and gives feedback.

    Args:
        course: what `prepare` returned.
        name: the assignment.
        begin, advance: told when a stage begins, with its number of steps, and of each step.
    Raises:
        DemoError: a command of nbgrader's failed, or the two doors gave different points.
    """
    begin(f"{name}: nbgrader generate_assignment", 1)
    _nbgrader(course, ["generate_assignment", name], advance)
    begin(f"{name}: a class hands in", 1)
    assignment = load_assignment(course, name)
    made = _hand_in(course, assignment)
    walled = _has_a_wall(course)
    others = ",".join(one.student for one in made if one.student not in THROUGH_NBGRADER)
    few = f"--CourseDirectory.student_id_exclude={others}"
    scores: dict[str, float | None] = {}
    if walled:
        begin(f"{name}: nbgrader autograde", len(THROUGH_NBGRADER))
        _nbgrader(course, ["autograde", name, few], advance, each="Converting notebook")
        scores = {student: _score(course, name, student)[0] for student in THROUGH_NBGRADER}
    judged = _grade(course, name, begin, advance, trusted=not walled)
    begin(f"{name}: nbgrader generate_feedback", len(THROUGH_NBGRADER))
    _nbgrader(course, ["generate_feedback", name, few], advance, each="Converting notebook")
    grades = tuple(_row(course, name, one) for one in made)
    refuse_other_points(name, scores, grades)
    return Shown(
        name,
        course.assignment(name).title,
        assignment.max_score,
        grades,
        tuple(scores),
        _mistakes(judged),
        course.private_dir / "feedback" / THROUGH_NBGRADER[1] / name / f"{name}.html",
        course.private_dir / "reports" / f"{name}.html",
    )


def conclude(course: Course, begin: Begin, advance: Advance) -> tuple[Path, Path]:
    """Writes the reports and nbgrader's table of grades; returns that table and the report of the whole course."""
    begin("report", 1)
    report, _ = write_course_report(course)
    begin("nbgrader export", 1)
    grades = course.root / "grades.csv"
    _nbgrader(course, ["export", "--to", str(grades)], advance)
    return grades, report


def _make_room(out: Path) -> None:
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / MARK).is_file())):
        raise DemoError(f"{out} is not empty and was not made by a demo; give another folder with --out.")
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    (out / MARK).touch()


def _copy_course(course: Course, names: Sequence[str], out: Path) -> Course:
    """A course of its own in ``out``: all sources, since course.toml names them, and what was built to be shown."""
    for file in ("course.toml", CONFIGURATION):
        shutil.copy(course.root / file, out)
    ignored = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", ".hypothesis")
    sources = (course.build_dir / "source" / name for name in names)
    for folder in (course.assignments_dir, course.solutions_dir, *sources):
        shutil.copytree(folder, out / folder.relative_to(course.root), ignore=ignored)
    built = [course.build_dir / "examples" / f"{name}.npz" for name in names]
    seed = course.private_dir / "seed"
    for path in [*built, seed] if seed.is_file() else built:
        copy = out / path.relative_to(course.root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    return load_course(out)


def _hand_in(course: Course, assignment: Assignment) -> tuple[MadeSubmission, ...]:
    made = make_class(assignment, source_notebook(course, assignment))
    for submission in made:
        folder = course.private_dir / "submitted" / submission.student / assignment.name
        folder.mkdir(parents=True)
        (folder / f"{assignment.name}.ipynb").write_text(submission.text, encoding="utf-8")
    return made


def _grade(course: Course, name: str, begin: Begin, advance: Advance, *, trusted: bool) -> list[Judged]:
    """What `autograder grade` does: the class in parallel, into nbgrader's gradebook."""
    from autograder.gradebook.writer import GradebookWriter

    class_ = submissions(course, name)
    begin(f"{name}: autograder grade", len(class_))
    judged, manner = [], Manner(trusted=trusted)
    judges = here(course, name, manner, os.cpu_count() or 1)
    with GradebookWriter(course, name) as gradebook:
        for written in gradebook.write(grade_class(course, name, class_, manner, judges)):
            judged.append(written.judged)
            advance(written.judged.student)
    write_lines(course, name, judged)
    return judged


def _has_a_wall(course: Course) -> bool:
    """Whether submissions can run behind it here; those of a demo are made by this program and may do without."""
    try:
        require_isolation(course)
    except TooLittleIsolation:
        return False
    return True


def _nbgrader(course: Course, arguments: list[str], advance: Advance, *, each: str = "") -> None:
    """Runs a command of nbgrader's in the course; advances at each log line with ``each``, or once at the end."""
    command = [sys.executable, "-m", "nbgrader", *arguments]
    environment = {**os.environ, "PYTHONWARNINGS": "ignore", "JUPYTER_PLATFORM_DIRS": "1"}
    environment.pop("NBGRADER_EXECUTION", None)
    # A made-up class has no business in a real class's gradebook.
    environment.pop(VARIABLE, None)
    log = course.root / "nbgrader.log"
    with (
        log.open("a", encoding="utf-8") as file,
        subprocess.Popen(
            command, cwd=course.root, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as process,
    ):
        file.write(f"$ nbgrader {' '.join(arguments)}\n")
        assert process.stdout is not None
        for line in process.stdout:
            file.write(line)
            if each and each in line:
                advance(line.strip())
    if process.returncode:
        raise DemoError(f"`nbgrader {' '.join(arguments)}` ended with {process.returncode}; its log is {log}.")
    if not each:
        advance(arguments[0])


@contextmanager
def _gradebook(course: Course) -> Iterator[object]:
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course.private_dir / 'gradebook.db'}", course.course_id) as gradebook:
        yield gradebook


def _score(course: Course, name: str, student: str) -> tuple[float | None, bool]:
    """The automatic points that stand in the gradebook, and whether a person has to grade something."""
    from nbgrader.api import MissingEntry

    with _gradebook(course) as gradebook:
        try:
            found = gradebook.find_submission(name, student)  # type: ignore[attr-defined]
        except MissingEntry:
            return None, False
        scores = [g.auto_score for book in found.notebooks for g in book.grades if g.cell.cell_type == "code"]
        if not scores or None in scores:
            return None, False
        return round(sum(scores), 6), bool(found.needs_manual_grade)


def _row(course: Course, name: str, made: MadeSubmission) -> Grade:
    score, needs_manual = _score(course, name, made.student)
    path = course.private_dir / "submitted" / made.student / name / f"{name}.ipynb"
    return Grade(made.student, made.about, score, needs_manual, "" if score is not None else _why_not(path))


def _why_not(path: Path) -> str:
    try:
        read_submission(path)
    except UnreadableSubmission as error:
        return re.sub(r"^\S*/", "", str(error))
    return "nbgrader could not grade it; see nbgrader.log"


def refuse_other_points(name: str, scores: dict[str, float | None], grades: Sequence[Grade]) -> None:
    """Raises `DemoError` where the two doors differ: `nbgrader autograde` and `autograder grade` ask the same judge."""
    for grade in grades:
        if grade.student in scores and scores[grade.student] != grade.score:
            raise DemoError(
                f"{name}: `nbgrader autograde` gave {grade.student} {scores[grade.student]} points, "
                f"`autograder grade` {grade.score}."
            )


def _mistakes(judged: Sequence[Judged]) -> tuple[tuple[str, str, int], ...]:
    """The known mistakes that were found most often."""
    exercises = [exercise for one in judged if one.result is not None for exercise in one.result.exercises]
    found = ((e.name, e.diagnosis.says) for e in exercises if e.diagnosis is not None and e.diagnosis.kind == "known")
    return tuple((exercise, says, count) for (exercise, says), count in Counter(found).most_common(8))
