"""Where a student stands: every exercise of a notebook with its points, a bar for the whole, and what to do next."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from markupsafe import Markup
from msgspec import Struct

from autograder.feedback.layout import first_failure
from autograder.feedback.panel import HEADINGS, Panel
from autograder.feedback.rendering import MADE_BY, template
from autograder.points import percent_of, points_of
from autograder.policy.deadline import Deadline, due_in_words, time_left
from autograder.results import ExerciseResult

SCHEMA = 1
BAR_WIDTH = 24
MARKS = {"passed": "✓", "partial": "~", "missing": "·"}


class Next(Struct, frozen=True):
    """The exercise to go on with, and in one line why it has not got all its points."""

    exercise: str
    says: str


class Overview(Struct, frozen=True):
    """The published record of a student's progress, version 1.

    Attributes:
        assignment: its name.
        points, max_points: sums over the exercises; written questions are not among them.
        next: the first exercise without full points; None where there is none.
        due: when the assignment is due, where that is known.
        left: how long until then.
        late: what lateness costs, in one sentence; empty where it costs nothing.
        exercises: in the order of the notebook.
        notes: what was noticed in reading and running the notebook.
        hidden_remain: whether hidden checks are still to come.
    """

    assignment: str
    points: float
    max_points: float
    next: Next | None
    due: datetime | None
    exercises: tuple[ExerciseResult, ...]
    notes: tuple[str, ...] = ()
    hidden_remain: bool = True
    schema: int = SCHEMA
    left: str = ""
    late: str = ""

    def html(self) -> str:
        """One block of HTML: the table, and below it folded the panel of each exercise that is written but not full."""
        folded = [
            (result, Markup(Panel(result, hidden_remain=self.hidden_remain).html()))
            for result in self.exercises
            if result.status not in ("passed", "missing")
        ]
        return template("overview.html.j2").render(
            overview=self,
            folded=folded,
            words=status_in_words,
            mark=_mark,
            points_of=points_of,
            percent=percent_of(self.points, self.max_points),
            head=self._head(),
            last=self._last(),
        )

    def text(self) -> str:
        """The same for a terminal or a screen reader, without the panels."""
        lines = [
            self._head(),
            *([self.late] if self.late else []),
            bar(percent_of(self.points, self.max_points)),
            "",
        ]
        names = max((len(result.name) for result in self.exercises), default=0)
        shares = [points_of(result.points, result.max_points) for result in self.exercises]
        width = max(map(len, shares), default=0)
        for result, share in zip(self.exercises, shares, strict=True):
            lines.append(f"  {_mark(result)} {result.name:{names}}  {share:>{width}}  {status_in_words(result)}")
        return "\n".join([*lines, "", self._last(), *(f"Note: {note}" for note in self.notes)])

    def panel(self) -> Panel | None:
        """The panel of the exercise to go on with."""
        wanted = self.next.exercise if self.next else None
        found = next((result for result in self.exercises if result.name == wanted), None)
        return Panel(found, hidden_remain=self.hidden_remain) if found else None

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, str], dict[str, Any]]:
        shown = {"text/plain": self.text(), "text/html": self.html()}
        return shown, MADE_BY

    def _head(self) -> str:
        got = f"{self.assignment}: {points_of(self.points, self.max_points)} points"
        got = f"{got} by the visible checks" if self.hidden_remain else got
        due = f", due {due_in_words(self.due)}" if self.due else ""
        return f"{got}{due}, {self.left}" if self.left else f"{got}{due}"

    def _last(self) -> str:
        if self.next is not None:
            return f"Next: {self.next.exercise}. {self.next.says}"
        if self.hidden_remain:
            return "All visible checks pass. Hidden checks with harder inputs remain; they run when you are graded."
        return "All checks pass."


def bar(percent: int) -> str:
    """A bar of characters, and the number."""
    filled = BAR_WIDTH * percent // 100
    return f"[{'#' * filled}{'-' * (BAR_WIDTH - filled)}] {percent} %"


def overview_of(
    assignment: str,
    exercises: Sequence[ExerciseResult],
    *,
    notes: Sequence[str] = (),
    deadline: Deadline | None = None,
    now: datetime | None = None,
    hidden_remain: bool = True,
) -> Overview:
    """Adds up results, and finds what to do next; ``now`` is the moment of reading, the clock's by default."""
    first = next((result for result in exercises if result.status != "passed"), None)
    return Overview(
        assignment,
        round(sum(result.points for result in exercises), 6),
        round(sum(result.max_points for result in exercises), 6),
        Next(first.name, next_step(first)) if first else None,
        deadline.due if deadline else None,
        tuple(exercises),
        tuple(notes),
        hidden_remain,
        left=time_left(deadline.due, now or datetime.now(UTC)) if deadline else "",
        late=deadline.late if deadline else "",
    )


def to_json(overview: Struct) -> str:
    return msgspec.json.format(msgspec.json.encode(overview), indent=1).decode()


def status_in_words(result: ExerciseResult) -> str:
    return "passed" if result.status == "passed" else HEADINGS.get(result.status, result.status)


def _mark(result: ExerciseResult) -> str:
    return MARKS.get(result.status, "✗")


def next_step(result: ExerciseResult) -> str:
    """The diagnosis, or else what is wrong as a whole, or else the property that fails first; one line."""
    failed = first_failure(result)
    if result.diagnosis is not None:
        says = f"What it looks like: {result.diagnosis.says}"
    elif result.message or failed is None:
        says = result.message or f"It is {status_in_words(result)}."
    else:
        says = f"This does not hold yet: {failed.title} {failed.message}"
    return " ".join(says.split())
