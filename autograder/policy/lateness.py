"""How late each of a student's submissions is, and what that costs: from the policy, extensions and time stamps alone.

Nothing is stored between runs, so that the same stamps always cost the same.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from autograder.course import Course, LatePolicy
from autograder.policy.extensions import Extension

DAY = timedelta(days=1)
UNITS = {"day": DAY, "hour": timedelta(hours=1)}


class Lateness(Struct, frozen=True):
    """How late a submission is.

    Attributes:
        assignment: its name.
        due: the student's own due date.
        submitted: when it was handed in.
        late: how long after the due date and the grace; zero if in time.
        free_days: free late days that it spends.
        percent: percent of the points earned that it loses.
    """

    assignment: str
    due: datetime
    submitted: datetime
    late: timedelta
    free_days: int
    percent: float


def lateness(
    course: Course, student: str, extensions: Sequence[Extension], submitted: Mapping[str, datetime]
) -> tuple[Lateness, ...]:
    """A student's submissions that have a due date, in the order of these; free late days are spent in this order.

    Args:
        course: with its late policy.
        student: whose submissions.
        extensions: of all students.
        submitted: when each assignment was handed in, with time zone.
    """
    own = {name: due for name in submitted if (due := own_due_date(course, student, name, extensions)) is not None}
    found, left = [], course.late.free_days
    # Sorting is stable: what is due at the same time stays in the order of course.toml.
    for name in sorted((a.name for a in course.assignments if a.name in own), key=own.__getitem__):
        one = _lateness(course.late, name, own[name], submitted[name], left)
        left -= one.free_days
        found.append(one)
    return tuple(found)


def own_due_date(course: Course, student: str, name: str, extensions: Sequence[Extension]) -> datetime | None:
    """When an assignment is due for one student."""
    own = next((e.due for e in extensions if (e.student, e.assignment) == (student, name)), None)
    return own or course.assignment(name).due


def _lateness(policy: LatePolicy, name: str, due: datetime, submitted: datetime, free_days_left: int) -> Lateness:
    late = max(submitted - due - timedelta(minutes=policy.grace_minutes), timedelta())
    free_days = min(free_days_left, math.ceil(late / DAY))
    units = math.ceil(max(late - free_days * DAY, timedelta()) / UNITS[policy.per])
    percent = min(units * policy.percent, policy.at_most_percent)
    return Lateness(name, due, submitted, late, free_days, percent)


def penalty(score: float, percent: float) -> float | None:
    """Points that are lost; None where nothing is, as nbgrader has it. Never more than the score."""
    if percent <= 0:
        return None
    return min(round(max(score, 0.0) * percent / 100, 6), max(score, 0.0))
