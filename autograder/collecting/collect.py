"""Collects one assignment: from folders and zips of an LMS into ``private/submitted``, nothing lost on the way."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from autograder.collecting.assigning import Known, Person, assign
from autograder.collecting.attempts import Placed, place, read_attempts
from autograder.collecting.downloads import Found, Refused, read_downloads
from autograder.collecting.handed import Handed, Manner, handed_in
from autograder.collecting.names import claim_of
from autograder.collecting.unmatched import Row, folders, keep, read_rows, unmatched_file, unmatched_folder
from autograder.course import Course
from autograder.roster import Student


@dataclass(frozen=True)
class Collected:
    """What became of a download.

    Attributes:
        assignment: its name.
        placed: the students with files in it.
        waiting: people of whom it is not certain which student they are.
        refused: files that were not taken.
        missing: students on the roster without a submission.
    """

    assignment: str
    placed: tuple[Placed, ...]
    waiting: tuple[Row, ...]
    refused: tuple[Refused, ...]
    missing: tuple[str, ...]


def collect(
    course: Course,
    name: str,
    paths: Sequence[Path],
    manner: Manner,
    roster: Sequence[Student],
    *,
    begin: Callable[[str, int], None] = lambda what, steps: None,
    advance: Callable[[str], None] = lambda step: None,
) -> Collected:
    """Places what students handed in; a second time it changes nothing.

    Args:
        course, name: the assignment.
        paths: folders, zips or notebooks; without any, only what waits in ``private/unmatched`` is looked at.
        manner: how times are read.
        roster: the course's students; without any, file names give the ids.
        begin, advance: told when a stage begins, with its number of steps, and of each step.
    Raises:
        DownloadError: a path holds no download.
        CourseError: ``private/unmatched/NAME.csv`` has a fault.
    """
    rows = read_rows(unmatched_file(course, name), roster)
    waiting = folders(rows, unmatched_folder(course, name))
    known = Known(
        tuple(roster), {row.person: row.student for row in rows if row.student}, _collected_before(course, name)
    )
    course.private_dir.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=course.private_dir, prefix=".collect-") as spool:
        begin(f"{name}: read what was handed in", 1)
        found = read_downloads([*paths, *waiting], Path(spool), course.limits, manner.zone)
        handed = [
            replace(one, claim=replace(one.claim, person=waiting[one.download.source]))
            if one.download.source in waiting
            else one
            for one in handed_in(found.downloads, name, manner)
        ]
        students, unmatched = assign(handed, known)
        begin(f"{name}: collect", len(students))
        placed = []
        for student, files in students.items():
            placed.append(place(course, name, student, files))
            advance(student)
        left = {person.person for person in unmatched}
        sources = {one.download.source: one.claim.person for one in handed if one.download.source in waiting}
        done = [source for source, person in sources.items() if person not in left]
        rows = keep(course, name, unmatched, rows, done)
    submitted = {folder.parent.name for folder in (course.private_dir / "submitted").glob(f"*/{name}")}
    return Collected(
        assignment=name,
        placed=tuple(placed),
        waiting=tuple(row for row in rows if row.folder),
        refused=(*found.refused, *_without_notebook(found, handed, name)),
        missing=tuple(student.id for student in roster if student.id not in submitted),
    )


def _collected_before(course: Course, name: str) -> dict[Person, str]:
    root = course.private_dir / "attempts" / name
    found = sorted(path.name for path in root.iterdir() if path.is_dir()) if root.is_dir() else []
    return {
        (attempt.system, attempt.person): student
        for student in found
        for attempt in read_attempts(course, name, student)
    }


def _without_notebook(found: Found, handed: Sequence[Handed], name: str) -> list[Refused]:
    """The files of people who handed in something, but nothing that could be graded."""
    have = {(one.download.source, one.claim.person) for one in handed}
    refused = []
    for source, other in found.others:
        claim = claim_of(other, name)
        # Without an LMS's words in front it is not known that somebody handed it in.
        if claim.system != "plain" and (source, claim.person) not in have:
            refused.append(Refused(source, str(other), "it is no notebook and no Python file"))
    return refused
