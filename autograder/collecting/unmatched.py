"""What could not be matched is kept in ``private/unmatched/NAME``, and listed in ``NAME.csv`` for the instructor.

Whoever fills in the column ``student`` there and collects again has the files placed.
"""

import csv
import io
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from autograder.atomic import write_whole
from autograder.collecting.assigning import Unmatched
from autograder.collecting.attempts import safe_part
from autograder.collecting.downloads import Download
from autograder.course import Course
from autograder.errors import CourseError, one_of, shown
from autograder.roster import ID_WORDS, Student, is_id

COLUMNS = ("student", "person", "why", "files", "folder")
# A spreadsheet takes a cell that begins so for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Row:
    """A person of whom it was not certain which student it is.

    Attributes:
        student: what the instructor wrote; empty until then.
        person, why: what the download said, and why that was not enough.
        files: names of the files, for a person.
        folder: where they are kept, in ``private/unmatched/NAME``; empty once they are placed.
    """

    student: str
    person: str
    why: str
    files: str
    folder: str


def unmatched_file(course: Course, name: str) -> Path:
    return course.private_dir / "unmatched" / f"{name}.csv"


def unmatched_folder(course: Course, name: str) -> Path:
    return course.private_dir / "unmatched" / name


def read_rows(file: Path, roster: Sequence[Student]) -> tuple[Row, ...]:
    """The list as the instructor left it.

    Raises:
        CourseError: a student in it is not on the roster, or the file is no such list.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError):
        raise CourseError(file, "the file", "not UTF-8 text that can be read", "CSV saved as UTF-8") from None
    reader = csv.DictReader(io.StringIO(text, newline=""))
    if not {"student", "person"} <= set(reader.fieldnames or ()):
        raise CourseError(file, "line 1", "without the columns student and person", ", ".join(COLUMNS))
    ids = [student.id for student in roster]
    rows = []
    for cells in reader:
        row = Row(*(_plain(cells.get(column) or "") for column in COLUMNS))
        if row.student and ids and row.student not in ids:
            raise CourseError(
                file, f"line {reader.line_num}, student", shown(row.student), f"an id on the roster: {_near(ids, row)}"
            )
        if row.student and not is_id(row.student):
            raise CourseError(file, f"line {reader.line_num}, student", shown(row.student), ID_WORDS)
        # The list is a file that anybody may edit: a folder in it leads nowhere else.
        rows.append(
            row if safe_part(row.folder) == row.folder else Row(row.student, row.person, row.why, row.files, "")
        )
    return tuple(rows)


def _near(ids: Sequence[str], row: Row) -> str:
    return one_of(ids, row.student) if len(ids) <= 8 else one_of([*ids[:3], "…"], row.student)


def keep(
    course: Course, name: str, unmatched: Sequence[Unmatched], rows: Sequence[Row], placed: Sequence[Path]
) -> tuple[Row, ...]:
    """Keeps the files of people without a student, and writes the list.

    Args:
        course, name: the assignment.
        unmatched: the people.
        rows: the list as it was.
        placed: folders whose files were placed by now.
    """
    root = unmatched_folder(course, name)
    kept: dict[str, Row] = {}
    for person in unmatched:
        folder = _folder(person.person)
        for one in person.handed:
            for download in (one.download, *((one.about,) if one.about else ())):
                _keep(root / folder, download)
        files = ", ".join(sorted({str(one.download.place) for one in person.handed})[:3])
        kept[person.person] = Row("", person.person, person.why, files, folder)
    for done in placed:
        shutil.rmtree(done, ignore_errors=True)
    for row in rows:
        if row.student:
            kept[row.person] = Row(row.student, row.person, row.why, row.files, "")
    written = tuple(kept[person] for person in sorted(kept))
    _write(unmatched_file(course, name), written)
    if root.is_dir() and not any(root.iterdir()):
        root.rmdir()
    return written


def _folder(person: str) -> str:
    """A folder for a person's files; names that would fall together are told apart by a hash."""
    safe = safe_part(person)[:80]
    return safe if safe == person else f"{safe}-{sha256(person.encode()).hexdigest()[:8]}"


def _keep(folder: Path, download: Download) -> None:
    """Keeps a file under its own name, from which everything can be read again; another content beside it."""
    target = folder.joinpath(*(safe_part(part) for part in download.place.parts))
    if target.is_file() and sha256(target.read_bytes()).hexdigest() != download.sha256:
        target = target.with_name(f"{target.stem}-{download.sha256[:8]}{target.suffix}")
    if target.is_file():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(download.kept, target)
    if download.modified is not None:
        seconds = int(download.modified.timestamp())
        os.utime(target, (seconds, seconds))


def _write(file: Path, rows: Sequence[Row]) -> None:
    if not rows:
        file.unlink(missing_ok=True)
        return
    text = io.StringIO(newline="")
    # The mark makes spreadsheets read UTF-8.
    text.write("\ufeff")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows([[_cell(getattr(row, column)) for column in COLUMNS] for row in rows])
    content = text.getvalue().encode()
    if not file.is_file() or file.read_bytes() != content:
        write_whole(file, content)


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text


def _plain(cell: str) -> str:
    return cell[1:].strip() if re.match(r"'[=+\-@\t\r]", cell) else cell.strip()


def folders(rows: Sequence[Row], root: Path) -> Mapping[Path, str]:
    """Where files of people wait, and whose they are; a folder that the list does not name counts as well."""
    listed = {row.folder: row.person for row in rows if row.folder}
    found = sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else []
    return {path: listed.get(path.name, path.name) for path in found}
