"""Late penalties of whole assignments, computed anew from the policy, the time stamps and the scores as they stand."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from autograder.course import Course
from autograder.gradebook.batches import batches, read, submitters, write
from autograder.gradebook.late import due_date, lateness_of, terms_of
from autograder.gradebook.settings import nbgrader_settings
from autograder.gradebook.transactions import opened
from autograder.policy.extensions import Extension, read_extensions
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
    """Writes the penalty of every submission of some assignments that the gradebook holds.

    Raises:
        DatabaseError: the gradebook cannot be used.
    """
    extensions = read_extensions(course)
    settings = nbgrader_settings(course)
    if not settings.has_gradebook:
        return ()
    with opened(settings.db_url, course.course_id) as engine:
        return tuple(
            settled
            for name in names
            for batch in batches(submitters(engine, name))
            for settled in _settle(engine, course, name, batch, extensions)
        )


def _settle(
    engine: Engine, course: Course, name: str, students: Sequence[str], extensions: Sequence[Extension]
) -> Iterator[Settled]:
    before = read(engine, name, students)
    write(engine, name, [terms_of(course, name, one, extensions) for one in students], due_date(course, name))
    after = read(engine, name, students)
    for one in students:
        late = lateness_of(course, name, one, extensions)
        yield Settled(name, one, late, before.penalty(one), after.penalty(one), after.points(one), after.max_score)
