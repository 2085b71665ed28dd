"""Due dates and late penalties in nbgrader's gradebook, as the course's policy has them.

`autograder grade` comes here through `terms_of`, `nbgrader autograde` and the formgrader through the hooks in
`autograder.nbgrader.late`; both ask `lateness_of` and `penalty`, so that they write the same.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from nbgrader.utils import parse_utc

from autograder.course import Course
from autograder.gradebook.rows import Entry
from autograder.policy.extensions import Extension
from autograder.policy.lateness import Lateness, lateness, own_due_date


def lateness_of(course: Course, name: str, student: str, extensions: Sequence[Extension]) -> Lateness | None:
    """How late a student's submission of one assignment is; None where it has no due date or no time stamp."""
    found = lateness(course, student, extensions, time_stamps(course, student))
    return next((one for one in found if one.assignment == name), None)


def time_stamps(course: Course, student: str) -> dict[str, datetime]:
    """When a student handed in each assignment. A stamp that cannot be read must not make anybody late."""
    stamps = {}
    for assignment in course.assignments:
        file = course.private_dir / "submitted" / student / assignment.name / "timestamp.txt"
        try:
            stamp = in_utc(file.read_text(encoding="utf-8").strip())
        except (OSError, ValueError):
            continue
        if stamp is not None:
            stamps[assignment.name] = stamp.replace(tzinfo=UTC)
    return stamps


def in_utc(stamp: str) -> datetime | None:
    """A time stamp as nbgrader keeps it: in UTC without saying so; None if it cannot be read."""
    try:
        parsed: datetime = parse_utc(stamp)
    except (ValueError, OverflowError):
        return None
    return parsed


def due_date(course: Course, name: str) -> datetime | None:
    """When an assignment is due, as nbgrader keeps it: in UTC without saying so."""
    due = next((assignment.due for assignment in course.assignments if assignment.name == name), None)
    return None if due is None else due.astimezone(UTC).replace(tzinfo=None)


def extension_of(course: Course, name: str, student: str, extensions: Sequence[Extension]) -> timedelta | None:
    """How much later an assignment that has a due date is due for one student; None if it is not."""
    due, own = course.assignment(name).due, own_due_date(course, student, name, extensions)
    return None if due is None or own is None or own == due else own - due


def terms_of(course: Course, name: str, student: str, extensions: Sequence[Extension]) -> Entry:
    """A submission's entry in the gradebook with its extension and its late penalty alone."""
    if course.assignment(name).due is None:
        return Entry(student, percent=0.0)
    late = lateness_of(course, name, student, extensions)
    extension = extension_of(course, name, student, extensions)
    return Entry(student, extension=extension, percent=late.percent if late else 0.0)
