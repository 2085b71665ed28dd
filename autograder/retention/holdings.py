"""What is held about one student: files, rows of tables, gradebook, exchange."""

import csv
import json
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook

from autograder.course import Course
from autograder.gradebook.exchange_copies import exchange_copies
from autograder.gradebook.settings import Settings, nbgrader_settings
from autograder.gradebook.student_rows import remove_student_rows, student_rows
from autograder.retention.named import mentioning, named_after
from autograder.retention.rows import Rows, rows_of, write_kept


@dataclass(frozen=True)
class Holdings:
    """Everything held about one student.

    Attributes:
        student: the id.
        others: ids of other students, which may begin with this one.
        paths: files and folders that are the student's alone.
        rows: rows about the student in files of the whole class.
        reports: pages and tables of the whole class that mention the student and can be made again.
        gradebook: the student's rows in nbgrader's gradebook; None where there are none.
    """

    student: str
    others: frozenset[str]
    paths: tuple[Path, ...]
    rows: tuple[Rows, ...]
    reports: tuple[Path, ...]
    gradebook: dict[str, Any] | None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is held."""
        return not (self.paths or self.rows or self.reports or self.gradebook)


def holdings_of(course: Course, student: str) -> Holdings:
    """Looks everywhere; changes nothing."""
    settings = nbgrader_settings(course)
    with _gradebook(course, settings) as gradebook:
        known = {str(one.id) for one in gradebook.students} if gradebook is not None else set()
        in_gradebook = student_rows(gradebook, student) if gradebook is not None else None
    known |= {folder.name for folder in (course.private_dir / "submitted").glob("*")}
    others = frozenset(known - {student})
    paths = list(named_after(course.private_dir, student, others))
    tables = [*course.private_dir.rglob("*.csv"), *course.private_dir.rglob("*.jsonl"), *course.root.glob("*.csv")]
    ours = [file for file in sorted(tables) if file.is_file() and not any(file.is_relative_to(path) for path in paths)]
    rows = [found for file in ours if (found := rows_of(file, {student, *_emails(course, student)}))]
    paths += [path for one in rows for path in _files_in_cells(course, one) if path not in paths]
    paths += exchange_copies(course, settings.exchange, student)
    cleared = {one.path for one in rows}
    reports = [path for path in mentioning(course.private_dir / "reports", student, others) if path not in cleared]
    return Holdings(student, others, tuple(paths), tuple(rows), tuple(reports), in_gradebook)


def export(course: Course, held: Holdings, target: Path) -> None:
    """Writes all of it as a zip: the files as they are, and rows and gradebook as ``student.json``."""
    about = {
        "student": held.student,
        "rows": {shown(course, one.path): [one.header, *one.found] for one in held.rows},
        "gradebook": held.gradebook,
    }
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
        text = json.dumps(about, indent=1, ensure_ascii=False, default=str)
        archive.writestr("student.json", text.encode("utf-8", "replace"))
        for path in held.paths:
            for file in _files(path):
                archive.write(file, f"files/{shown(course, file).lstrip('/')}")


def delete(course: Course, held: Holdings) -> tuple[Path, ...]:
    """Deletes all of it; what still mentions the student in ``private/`` afterwards, which a person has to look at."""
    settings = nbgrader_settings(course)
    # Rows come first: where this stops, what is left is still found by the student's name.
    for rows in held.rows:
        write_kept(rows)
    with _gradebook(course, settings) as gradebook:
        if gradebook is not None and held.gradebook is not None:
            remove_student_rows(gradebook, held.student)
    for path in (*held.paths, *held.reports):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    return tuple(mentioning(course.private_dir, held.student, held.others))


def _gradebook(course: Course, settings: Settings) -> AbstractContextManager[Any]:
    """The gradebook, or None where there is none: it must not be made by being asked."""
    return Gradebook(settings.db_url, course.course_id) if settings.has_gradebook else nullcontext()


def _emails(course: Course, student: str) -> set[str]:
    """The student's address in the roster, under which other tables may know them."""
    roster = course.private_dir / "students.csv"
    if not roster.is_file():
        return set()
    lines = roster.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    rows = [row for row in csv.DictReader(lines) if (row.get("id") or "").strip() == student]
    return {email for row in rows if (email := (row.get("email") or "").strip())}


def _files_in_cells(course: Course, rows: Rows) -> Iterator[Path]:
    """Files that a row names, such as a submission that was matched to the student by hand."""
    beside = rows.path.with_suffix("")
    for cell in sorted(filter(None, rows.cells())):
        for folder in (course.root, course.private_dir, rows.path.parent, beside):
            path = (folder / cell).resolve()
            if path.is_file() and path.is_relative_to(course.private_dir.resolve()) and path != rows.path:
                yield path
                break


def _files(path: Path) -> list[Path]:
    """A file, or all files in a folder; no link is followed."""
    found = [path] if not path.is_dir() else sorted(path.rglob("*"))
    return [file for file in found if file.is_file() and not file.is_symlink()]


def shown(course: Course, path: Path) -> str:
    """A path as a person would name it in the course's folder."""
    return str(path.relative_to(course.root)) if path.is_relative_to(course.root) else str(path)
