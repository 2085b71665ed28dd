"""Late penalties of whole assignments, computed anew from the policy, the time stamps and the scores as they stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nbgrader.api import Gradebook, MissingEntry

from autograder.course import Course
from autograder.gradebook.late import lateness_of, settle
from autograder.gradebook.settings import nbgrader_settings
from autograder.policy.extensions import read_extensions
from autograder.policy.lateness import Lateness


@dataclass(frozen=True)
class Settled:
    """A submission in the gradebook with its penalty.

    Attributes:
        assignment, student: whose submission.
        lateness: None where there is no due date or no time stamp.
        before, penalty: points lost until now, and from now on; None where there is no penalty.
        score, max_score: points earned, before the penalty, and all that there are.
    """

    assignment: str
    student: str
    lateness: Lateness | None
    before: float | None
    penalty: float | None
    score: float
    max_score: float


def settle_all(course: Course, names: Sequence[str]) -> tuple[Settled, ...]:
    """Writes the penalty of every submission of some assignments that the gradebook holds."""
    extensions = read_extensions(course)
    settled = []
    settings = nbgrader_settings(course)
    if not settings.has_gradebook:
        return ()
    with Gradebook(settings.db_url, course.course_id) as gradebook:
        for name in names:
            for submission in sorted(_submissions(gradebook, name), key=lambda one: str(one.student.id)):
                student = submission.student.id
                before = [notebook.late_submission_penalty for notebook in submission.notebooks]
                settle(gradebook, course, name, student, extensions)
                after = [notebook.late_submission_penalty for notebook in submission.notebooks]
                late = lateness_of(course, name, student, extensions)
                points = (submission.score, submission.max_score)
                settled.append(Settled(name, student, late, _total(before), _total(after), *points))
    return tuple(settled)


def _submissions(gradebook: Gradebook, name: str) -> list[Any]:
    try:
        return list(gradebook.assignment_submissions(name))
    except MissingEntry:
        return []


def _total(penalties: Sequence[float | None]) -> float | None:
    found = [one for one in penalties if one is not None]
    return round(sum(found), 6) if found else None
