"""When an assignment is due and what lateness costs, as a student reads it."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from autograder.course import Course, CourseError, LatePolicy, find_course


class Deadline(Struct, frozen=True):
    """A due date, with what applies after it in one sentence."""

    due: datetime
    late: str = ""

    def markdown(self) -> str:
        """All of it, for a notebook that is read on any day."""
        return f"**Due {due_in_words(self.due)}.** {self.late}".rstrip()


def deadline_of(course: Course, name: str) -> Deadline | None:
    """An assignment's deadline; None where it has no due date."""
    due = course.assignment(name).due
    return None if due is None else Deadline(due, late_rule(course.late))


class _About(Struct, frozen=True):
    """What a released notebook tells of itself under ``metadata.autograder``."""

    assignment: str
    due: Annotated[datetime, Meta(tz=True)]
    late: str = ""


class _Metadata(Struct, frozen=True):
    autograder: _About


class _Notebook(Struct, frozen=True):
    metadata: _Metadata


def deadline_beside(folder: Path, name: str) -> Deadline | None:
    """An assignment's deadline as a student can know it: of the course, or else of a notebook in the same folder.

    None where neither tells, or tells what a student cannot mend. A new version of the notebook, which
    `autograder start --update` puts beside the student's, tells before it.
    """
    try:
        return deadline_of(find_course(folder), name)
    except CourseError:
        pass
    newer = sorted(folder.glob(f"{name}.new*.ipynb"), reverse=True)
    for path in [*newer, *sorted(folder.glob("*.ipynb"))]:
        try:
            about = msgspec.json.decode(path.read_bytes(), type=_Notebook).metadata.autograder
        except (OSError, msgspec.MsgspecError, ValueError, RecursionError):
            continue
        if about.assignment == name:
            return Deadline(about.due, about.late)
    return None


def due_in_words(due: datetime) -> str:
    """In the time zone in which the due date was written."""
    return f"{due:%a %d %b %Y, %H:%M} ({due:%Z})"


def late_rule(policy: LatePolicy) -> str:
    """What lateness costs, in one sentence; nothing where it costs nothing."""
    if not policy.percent or not policy.at_most_percent:
        return ""
    parts = [f"Late: {policy.percent:g} % of the points you earned for each {policy.per} begun"]
    if policy.at_most_percent < 100:
        parts.append(f", at most {policy.at_most_percent:g} %")
    free = [f"the first {counted(policy.grace_minutes, 'minute')}"] if policy.grace_minutes else []
    free += [f"{counted(policy.free_days, 'late day')} over the whole course"] if policy.free_days else []
    if free:
        parts.append(f"; without loss: {' and '.join(free)}")
    return "".join(parts) + "."


def time_left(due: datetime, now: datetime) -> str:
    """How long until the due date, in the unit that a reader would use; or that it has passed."""
    left = due - now
    if left < timedelta():
        return "which has passed"
    if left >= timedelta(days=2):
        return f"in {left.days} days"
    hours, minutes = int(left / timedelta(hours=1)), int(left / timedelta(minutes=1))
    return f"in {counted(hours, 'hour')}" if hours >= 2 else f"in {counted(minutes, 'minute')}"


def counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
