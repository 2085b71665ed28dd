"""Due dates and late penalties in nbgrader's gradebook, as the course's policy has them.

`autograder grade` comes here through `settle`, `nbgrader autograde` and the formgrader through the hooks in
`autograder.nbgrader.late`; both ask `lateness_of` and `penalty`, so that they write the same.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.utils import parse_utc

from autograder.course import Course
from autograder.policy.extensions import Extension
from autograder.policy.lateness import Lateness, lateness, own_due_date, penalty


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
            stamp = parse_utc(file.read_text(encoding="utf-8").strip())
        except (OSError, ValueError, OverflowError):
            continue
        stamps[assignment.name] = stamp.replace(tzinfo=UTC)
    return stamps


def record_due_date(
    gradebook: Gradebook, course: Course, name: str, student: str | None, extensions: Sequence[Extension]
) -> None:
    """Puts the due date of an assignment into the gradebook, and with a student that one's extension."""
    due = next((a.due for a in course.assignments if a.name == name), None)
    if due is None:
        return
    try:
        gradebook.find_assignment(name).duedate = _as_nbgrader(due)
        if student is not None:
            own = own_due_date(course, student, name, extensions)
            gradebook.find_submission(name, student).extension = None if own in (None, due) else own - due
    except MissingEntry:
        pass  # `nbgrader generate_assignment --no-db` keeps no such row, and autograde has made it before
    gradebook.db.commit()


def settle(gradebook: Gradebook, course: Course, name: str, student: str, extensions: Sequence[Extension]) -> None:
    """Writes due date and late penalty of a submission that has been graded."""
    record_due_date(gradebook, course, name, student, extensions)
    late = lateness_of(course, name, student, extensions)
    for notebook in gradebook.find_submission(name, student).notebooks:
        notebook.late_submission_penalty = penalty(notebook.score, late.percent) if late else None
    gradebook.db.commit()


def _as_nbgrader(moment: datetime) -> datetime:
    """In UTC without saying so."""
    return moment.astimezone(UTC).replace(tzinfo=None)
