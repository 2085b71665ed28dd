"""Where a student stands in the whole course: every assignment by part with its points, and what to do next."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby

from msgspec import Struct

from autograder.feedback.overview import MARKS, Next, Overview, bar
from autograder.points import percent_of, points_of
from autograder.policy.deadline import counted, due_in_words

SCHEMA = 1


class AssignmentProgress(Struct, frozen=True):
    """One assignment.

    Attributes:
        assignment: its name.
        part: the title of its part; empty where the course has none.
        points, max_points: by the visible checks; 0 where it could not be checked.
        passed, tried, exercises: how many of its exercises have full points, are written, and are there.
        minutes_left: how long the exercises without full points take from the start, about; 0 where nothing tells.
        next: the exercise to go on with; None where there is none.
        due: when it is due, where that is known.
        left: how long until then.
        fault: in one sentence why it could not be checked; empty where it was.
    """

    assignment: str
    part: str = ""
    points: float = 0.0
    max_points: float = 0.0
    passed: int = 0
    tried: int = 0
    exercises: int = 0
    minutes_left: int = 0
    next: Next | None = None
    due: datetime | None = None
    left: str = ""
    fault: str = ""


class CourseOverview(Struct, frozen=True):
    """The published record of a student's progress through a course, version 1.

    Attributes:
        points, max_points, minutes_left: sums over the assignments that could be checked.
        next: the first assignment, in the order of the course, that is not finished; None where there is none.
        assignments: in the order of the course.
    """

    points: float
    max_points: float
    minutes_left: int
    next: str | None
    assignments: tuple[AssignmentProgress, ...]
    schema: int = SCHEMA

    def text(self) -> str:
        """For a terminal or a screen reader."""
        got = f"The whole course: {points_of(self.points, self.max_points)} points by the visible checks"
        left = f", about {counted(self.minutes_left, 'minute')} left" if self.minutes_left else ""
        lines = [got + left, bar(percent_of(self.points, self.max_points))]
        names = max((len(one.assignment) for one in self.assignments), default=0)
        width = max(
            (len(points_of(one.points, one.max_points)) for one in self.assignments if not one.fault), default=0
        )
        for part, assignments in groupby(self.assignments, lambda one: one.part):
            lines += ["", *([part] if part else [])]
            for one in assignments:
                share = "" if one.fault else points_of(one.points, one.max_points)
                lines.append(f"  {_mark(one)} {one.assignment:{names}}  {share:>{width}}  {_state(one)}".rstrip())
        return "\n".join([*lines, "", self._last()])

    def _last(self) -> str:
        wanted = next((one for one in self.assignments if one.assignment == self.next), None)
        if wanted is not None and wanted.next is not None:
            return f"Next: {wanted.next.exercise} in {wanted.assignment}. {wanted.next.says}"
        if any(one.fault for one in self.assignments):
            return "What could be checked is finished."
        return "All visible checks pass. Hidden checks with harder inputs remain; they run when you are graded."


def progress_of(overview: Overview, part: str, minutes: Mapping[str, int]) -> AssignmentProgress:
    """One assignment's line; ``minutes`` of its exercises, as far as they are known."""
    open_ = [result for result in overview.exercises if result.status != "passed"]
    return AssignmentProgress(
        overview.assignment,
        part,
        overview.points,
        overview.max_points,
        len(overview.exercises) - len(open_),
        sum(result.status != "missing" for result in overview.exercises),
        len(overview.exercises),
        sum(minutes.get(result.name, 0) for result in open_),
        overview.next,
        overview.due,
        overview.left,
    )


def course_overview_of(assignments: Sequence[AssignmentProgress]) -> CourseOverview:
    """Adds up, and finds what to do next."""
    return CourseOverview(
        round(sum(one.points for one in assignments), 6),
        round(sum(one.max_points for one in assignments), 6),
        sum(one.minutes_left for one in assignments),
        next((one.assignment for one in assignments if one.next is not None), None),
        tuple(assignments),
    )


def _mark(one: AssignmentProgress) -> str:
    if one.fault:
        return "✗"
    return MARKS["passed" if one.next is None else "partial" if one.tried else "missing"]


def _state(one: AssignmentProgress) -> str:
    if one.fault:
        return f"not checked: {one.fault}"
    if one.next is None:
        return "finished"
    done = f"{one.passed} of {counted(one.exercises, 'exercise')}" if one.tried else "not begun"
    left = f", about {counted(one.minutes_left, 'minute')} left" if one.minutes_left else ""
    due = f", due {due_in_words(one.due)}, {one.left}" if one.due else ""
    return done + left + due
