"""Read ``private/students.csv``, the roster: who takes the course, and how downloads may name them."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder.course import Course
from autograder.errors import CourseError, one_of, shown

ROSTER_FILE = "students.csv"
COLUMNS = ("id", "name", "email", "section")
# As long as nbgrader's gradebook takes, and as a file name may be in UTF-8 with a suffix added.
ID_LENGTH = 128
ID_WORDS = (
    f"a word of at most {ID_LENGTH} letters, digits, -, _, ., + and @ that begins with a letter or digit, as "
    "folders and the gradebook take it"
)


@dataclass(frozen=True)
class Student:
    """One line of the roster.

    Attributes:
        id: what folders and the gradebook call the student.
        name: as a person writes it, "Jane Doe" or "Doe, Jane"; may be empty.
        email, section: may be empty.
    """

    id: str
    name: str = ""
    email: str = ""
    section: str = ""


def roster_file(course: Course) -> Path:
    return course.private_dir / ROSTER_FILE


def read_roster(file: Path) -> tuple[Student, ...]:
    """The students of a roster, in the file's order; none where there is no file.

    Raises:
        CourseError: the file is no roster; names line, what was found and what is allowed.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise CourseError(file, "the file", f"unreadable ({error.strerror})", "a file that can be read") from None
    except UnicodeDecodeError as error:
        found = f"0x{error.object[error.start]:02x}, which is not UTF-8"
        raise CourseError(file, f"byte {error.start + 1}", found, "UTF-8 text") from None
    rows = _rows(file, text)
    _, header = next(rows, (1, []))
    columns = _columns(file, header)
    first: dict[str, int] = {}
    students = []
    for line, row in rows:
        student = _student(file, line, columns, row)
        # Two ids that differ in case alone would be one folder on some file systems.
        earlier = first.setdefault(student.id.casefold(), line)
        if earlier != line:
            found = f"{shown(student.id)}, like line {earlier}"
            raise CourseError(file, f"line {line}, id", found, "an id that no other line has")
        students.append(student)
    return tuple(students)


def is_id(text: str) -> bool:
    """Whether a text may be a student's id: safe as a folder's name, and short enough for the gradebook."""
    return bool(text) and text[0].isalnum() and len(text.encode()) <= ID_LENGTH and all(map(_may_stand_in_an_id, text))


def _may_stand_in_an_id(letter: str) -> bool:
    return letter.isalnum() or letter in "-_.+@"


def _rows(file: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    """Each line that is not blank, with its number."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield reader.line_num, [cell.strip() for cell in row]
    except csv.Error as error:
        raise CourseError(file, f"line {reader.line_num}", f"not CSV ({error})", "comma-separated values") from None


def _columns(file: Path, header: list[str]) -> dict[str, int]:
    """Where each column stands."""
    names = [name.lower() for name in header]
    for name in names:
        if name not in COLUMNS:
            raise CourseError(file, "line 1", f"the column {shown(name)}", one_of(COLUMNS, name))
        if names.count(name) > 1:
            raise CourseError(file, "line 1", f"the column {shown(name)} twice", "each column once")
    if "id" not in names:
        found = "without a column id" if names else "empty"
        raise CourseError(file, "line 1", found, "a header with the columns id, name, email and section")
    return {name: names.index(name) for name in names}


def _student(file: Path, line: int, columns: dict[str, int], row: list[str]) -> Student:
    if len(row) > len(columns):
        raise CourseError(file, f"line {line}", f"{len(row)} values", f"{len(columns)} values, one for each column")
    values = {name: row[index] if index < len(row) else "" for name, index in columns.items()}
    if not is_id(values["id"]):
        raise CourseError(file, f"line {line}, id", shown(values["id"]), ID_WORDS)
    return Student(**values)
