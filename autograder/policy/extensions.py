"""Read ``private/extensions.csv``: who has more time for an assignment."""

import csv
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from msgspec import Struct

from autograder.course import Course, CourseError
from autograder.errors import one_of, shown

EXTENSIONS_FILE = "extensions.csv"
REQUIRED = ("student", "assignment")
COLUMNS = (*REQUIRED, "due", "days", "reason")
DUE_ALLOWED = "a date and time with its time zone, such as 2026-12-20T23:59:00+08:00"
DAYS_ALLOWED = "a whole number of days from 1 to 1000"


class Extension(Struct, frozen=True):
    """One student's own due date of one assignment."""

    student: str
    assignment: str
    due: datetime
    reason: str = ""


def read_extensions(course: Course) -> tuple[Extension, ...]:
    """All extensions, in the order of the file; none where there is no file.

    Raises:
        CourseError: a line is not what it should be; the sentence names it.
    """
    file = course.private_dir / EXTENSIONS_FILE
    if not file.exists():
        return ()
    found: dict[tuple[str, str], Extension] = {}
    for line, row in _rows(file):
        extension = _extension(course, file, line, row)
        key = extension.student, extension.assignment
        if key in found:
            raise CourseError(
                file, f"line {line}", f"a second one of {shown(key[0])} for {key[1]}", "one line for each of them"
            )
        found[key] = extension
    return tuple(found.values())


def _rows(file: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Each line that is not blank, with its number, as columns without the blanks around what they hold."""
    try:
        # Spreadsheets put a byte-order mark in front.
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise CourseError(file, "the file", f"unreadable ({error.strerror})", "a file that can be read") from None
    except UnicodeDecodeError as error:
        raise CourseError(file, f"byte {error.start + 1}", "not UTF-8", "UTF-8 text") from None
    table = csv.reader(lines, strict=True)
    try:
        names = [name.strip().lower() for name in next(table, [])]
        _refuse_columns(file, names)
        for cells in table:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) > len(names):
                found = f"a row of {len(cells)} cells"
                raise CourseError(file, f"line {table.line_num}", found, f"one of at most {len(names)}")
            stripped = [cell.strip() for cell in cells] + [""] * (len(names) - len(cells))
            yield table.line_num, dict(zip(names, stripped, strict=True))
    except csv.Error as error:
        raise CourseError(file, f"line {table.line_num}", f"no CSV ({error})", "cells between commas") from None


def _refuse_columns(file: Path, names: list[str]) -> None:
    for name in names:
        if name not in COLUMNS:
            raise CourseError(file, f"line 1, column {shown(name)}", "unknown", one_of(COLUMNS, name))
        if names.count(name) > 1:
            raise CourseError(file, f"line 1, column {name}", "there twice", "each column once")
    for name in REQUIRED:
        if name not in names:
            raise CourseError(file, f"line 1, column {name}", "missing", "a header: student,assignment,due,days,reason")


def _extension(course: Course, file: Path, line: int, row: Mapping[str, str]) -> Extension:
    student, name = row["student"], row["assignment"]
    if not student:
        raise CourseError(file, f"line {line}, student", "empty", "a student's id")
    names = [assignment.name for assignment in course.assignments]
    if name not in names:
        raise CourseError(file, f"line {line}, assignment", shown(name) if name else "empty", one_of(names, name))
    usual = course.assignment(name).due
    if usual is None:
        allowed = "an assignment with a due date in course.toml"
        raise CourseError(file, f"line {line}, assignment", f"{name}, which has no due date", allowed)
    due, days = row.get("due", ""), row.get("days", "")
    if bool(due) == bool(days):
        found = "filled twice" if due else "empty"
        raise CourseError(file, f"line {line}, due or days", found, "one of the two, and not both")
    return Extension(
        student,
        name,
        _due(file, line, due) if due else usual + timedelta(days=_days(file, line, days)),
        row.get("reason", ""),
    )


def _due(file: Path, line: int, text: str) -> datetime:
    try:
        due = datetime.fromisoformat(text)
    except ValueError:
        due = None
    if due is None or due.tzinfo is None:
        raise CourseError(file, f"line {line}, due", shown(text), DUE_ALLOWED)
    return due


def _days(file: Path, line: int, text: str) -> int:
    # Other digits than 0 to 9 count as decimal digits too, and thousands of them are no number for int().
    if not (text.isascii() and text.isdecimal() and len(text) <= 4 and 1 <= int(text) <= 1000):
        raise CourseError(file, f"line {line}, days", shown(text), DAYS_ALLOWED)
    return int(text)
