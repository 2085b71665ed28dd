"""When an assignment is due and what lateness costs, as a student reads it."""

from datetime import datetime, timedelta

from msgspec import Struct

from autograder.course import Course, LatePolicy


class Deadline(Struct, frozen=True):
    """A due date, with what applies after it in one sentence."""

    due: datetime
    late: str = ""

    def sentence(self) -> str:
        """All of it, for a notebook that is read on any day."""
        return " ".join(part for part in (f"Due {due_in_words(self.due)}.", self.late) if part)


def deadline_of(course: Course, name: str) -> Deadline | None:
    """An assignment's deadline; None where it has no due date."""
    due = course.assignment(name).due
    return None if due is None else Deadline(due, late_rule(course.late))


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
