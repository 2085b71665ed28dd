"""Who should have handed in: the roster ``private/students.csv``, where there is one."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder.course import Course, CourseError

ROSTER = "students.csv"


@dataclass(frozen=True)
class Listed:
    """A student on the roster; name and section may be empty."""

    student: str
    name: str = ""
    section: str = ""


def read_classlist(course: Course) -> tuple[Listed, ...] | None:
    """The students on the roster; None where there is no roster.

    Raises:
        CourseError: it is there and cannot be read.
    """
    path = course.private_dir / ROSTER
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return tuple(_listed(path, file))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CourseError(path, "the file", f"unreadable ({error.strerror})", "a file that can be read") from None
    except UnicodeDecodeError as error:
        raise CourseError(path, f"byte {error.start + 1}", "not UTF-8", "UTF-8 text") from None
    except csv.Error as error:
        raise CourseError(path, "the file", f"no table ({error})", "comma-separated values") from None


def _listed(path: Path, lines: Iterator[str]) -> Iterator[Listed]:
    rows = csv.DictReader(lines)
    columns = {(name or "").strip().lower(): name for name in rows.fieldnames or ()}
    if "id" not in columns:
        found = ", ".join(name for name in columns if name) or "empty"
        raise CourseError(path, "line 1", found, "a header with the column id, and name, email, section where known")
    for row in rows:
        values = {key: (row.get(name) or "").strip() for key, name in columns.items()}
        if values["id"]:
            yield Listed(values["id"], values.get("name", ""), values.get("section", ""))
