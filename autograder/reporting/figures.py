"""The published record of a class's report, version 1."""

from datetime import datetime
from typing import Literal

import msgspec
from msgspec import Struct

SCHEMA = 1


class Counts(Struct, frozen=True):
    """How many submissions there are of each kind.

    Attributes:
        submitted: all that were handed in.
        judged, unjudged: with a result, and without one.
        ungraded: handed in after the class was graded.
        late: after the due date, extensions not counted; None where the assignment has none.
        missing: students on the roster who handed in nothing; None where there is no roster.
    """

    submitted: int
    judged: int
    unjudged: int
    ungraded: int
    late: int | None
    missing: int | None


class Bin(Struct, frozen=True):
    """How many scores lie between two shares of the maximum, the upper one left out except at 1."""

    low: float
    high: float
    count: int


class Scores(Struct, frozen=True):
    """The distribution of the judged scores, in points; the bins in shares of the maximum."""

    max_score: float
    mean: float
    median: float
    lower_quartile: float
    upper_quartile: float
    full: int
    zero: int
    bins: tuple[Bin, ...]


class ExerciseFigures(Struct, frozen=True):
    """One exercise over the class.

    Attributes:
        passed, partial, failed, missing: submissions with full points, some, none, and those that have not tried it.
        pass_rate: share of the judged submissions with full points.
        mean: mean points.
        discrimination: pass rate in the upper third of total scores, less that in the lower third; None where the
            class is too small or its thirds do not differ.
    """

    exercise: str
    max_points: float
    passed: int
    partial: int
    failed: int
    missing: int
    pass_rate: float
    mean: float
    discrimination: float | None


class CheckFigures(Struct, frozen=True):
    """One check over the submissions in which it ran; ``pass_rate`` is None where it ran in none."""

    exercise: str
    check: str
    title: str
    visible: bool
    ran: int
    passed: int
    failed: int
    error: int
    timeout: int
    pass_rate: float | None


class MistakeFigures(Struct, frozen=True):
    """A diagnosis over the class; ``share`` is of the submissions that tried the exercise."""

    exercise: str
    mistake: str
    kind: Literal["known", "generic"]
    says: str
    count: int
    share: float
    students: tuple[str, ...]


class Hint(Struct, frozen=True):
    """An exercise or check that is worth a look, by a stated rule."""

    rule: Literal["fails often", "nobody fails", "separates little"]
    exercise: str
    checks: tuple[str, ...]
    says: str


class SectionFigures(Struct, frozen=True):
    """One section of the roster; mean and median are None where nothing was judged."""

    section: str
    students: int
    judged: int
    unjudged: int
    late: int | None
    missing: int
    mean: float | None
    median: float | None


class SubmissionFigures(Struct, frozen=True):
    """One submission. ``late`` is None where no due date, or no time of handing in, tells."""

    student: str
    name: str
    section: str
    submitted: str | None
    score: float | None
    max_score: float | None
    late: bool | None
    cpu: float | None
    wall: float | None
    timeouts: int
    notes: int
    reason: str


class NoteFigures(Struct, frozen=True):
    """Something that an instructor may want to see, with the students whose submissions show it."""

    kind: Literal["forbidden", "changed input", "note"]
    says: str
    count: int
    students: tuple[str, ...]


class Missing(Struct, frozen=True):
    """A student without a graded submission: none was handed in, or it came after grading."""

    student: str
    name: str
    section: str
    why: Literal["nothing handed in", "not graded yet"]


class Report(Struct, frozen=True):
    """What grading a class found, for its instructor."""

    assignment: str
    title: str
    due: datetime | None
    graded: datetime
    counts: Counts
    scores: Scores | None
    exercises: tuple[ExerciseFigures, ...]
    checks: tuple[CheckFigures, ...]
    mistakes: tuple[MistakeFigures, ...]
    hints: tuple[Hint, ...]
    sections: tuple[SectionFigures, ...]
    submissions: tuple[SubmissionFigures, ...]
    missing: tuple[Missing, ...]
    notes: tuple[NoteFigures, ...]
    faults: tuple[str, ...]
    schema: int = SCHEMA


def to_json(report: object) -> str:
    return msgspec.json.format(msgspec.json.encode(report), indent=1).decode()
