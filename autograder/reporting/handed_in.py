"""Reads what grading wrote of a class, and what it had not seen yet."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from autograder.course import Course, CourseError
from autograder.results import SCHEMA, Result
from autograder.roster import Student, read_roster, roster_file


class ReportError(Exception):
    """There is nothing to report on; the sentence says what to do."""


class Line(Struct, frozen=True):
    """A submission as a line of ``private/results/NAME.jsonl`` tells of it."""

    student: str
    submitted: str | None = None
    result: Result | None = None
    reason: str = ""


@dataclass(frozen=True)
class HandedIn:
    """All that is known of a class and one assignment.

    Attributes:
        name, title, due: the assignment.
        graded: when the lines were written.
        lines: its submissions, judged or not.
        faults: what is wrong with lines that cannot be read.
        ungraded: students whose submission came after grading.
        roster: the students of the course; None where no roster says.
    """

    name: str
    title: str
    due: datetime | None
    graded: datetime
    lines: tuple[Line, ...]
    faults: tuple[str, ...] = ()
    ungraded: tuple[str, ...] = ()
    roster: tuple[Student, ...] | None = None


def has_results(course: Course, name: str) -> bool:
    return (course.private_dir / "results" / f"{name}.jsonl").is_file()


def read_handed_in(course: Course, name: str) -> HandedIn:
    """The results of an assignment.

    Raises:
        CourseError: the course has no such assignment, or its roster cannot be read.
        ReportError: it was not graded yet, or no line can be read.
    """
    settings = course.assignment(name)
    path = course.private_dir / "results" / f"{name}.jsonl"
    try:
        graded = datetime.fromtimestamp(path.stat().st_mtime, UTC).replace(microsecond=0)
        lines, faults = _lines(path, name)
    except FileNotFoundError:
        raise ReportError(f"There are no results of {name} yet: run `autograder grade {name}` first.") from None
    except OSError as error:
        raise CourseError(path, "the file", f"unreadable ({error.strerror})", "a file that can be read") from None
    if not lines:
        why = faults[0] if faults else f"{path} holds no submission: run `autograder grade {name}`."
        raise ReportError(why)
    return HandedIn(
        name,
        settings.title,
        settings.due,
        graded,
        tuple(sorted(lines.values(), key=lambda line: line.student)),
        tuple(faults),
        tuple(sorted(_submitted(course, name) - lines.keys())),
        read_roster(roster_file(course)) or None,
    )


def _lines(path: Path, name: str) -> tuple[dict[str, Line], list[str]]:
    """The last line of each student, and a sentence for each line that cannot be read."""
    lines: dict[str, Line] = {}
    faults = []
    # One line at a time: those of a large class are a hundred megabytes together.
    with path.open("rb") as file:
        for number, text in enumerate(file, 1):
            if not text.strip():
                continue
            try:
                line = _line(text.strip(), name)
            except (msgspec.MsgspecError, ValueError, RecursionError) as error:
                faults.append(f"Line {number} of {path.name} cannot be read ({error}); grade the assignment again.")
            else:
                lines[line.student] = line
    return lines, faults


def _submitted(course: Course, name: str) -> set[str]:
    return {folder.parent.name for folder in (course.private_dir / "submitted").glob(f"*/{name}")}


def _line(text: bytes, name: str) -> Line:
    line = msgspec.json.decode(text, type=Line)
    if line.result is not None and line.result.schema > SCHEMA:
        raise ValueError(f"schema {line.result.schema} is newer than this program's {SCHEMA}")
    if line.result is not None and line.result.assignment != name:
        raise ValueError(f"it is a result of {line.result.assignment}")
    return line


def moment(stamp: str | None) -> datetime | None:
    """A time as nbgrader writes it in ``timestamp.txt``; None where there is none that can be told."""
    try:
        read = datetime.fromisoformat((stamp or "").strip().removesuffix("UTC").strip())
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)
