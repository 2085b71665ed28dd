"""What ``check()`` shows: HTML in Jupyter, plain text elsewhere."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
from markupsafe import Markup, escape

from autograder.feedback.drawing import legend, svg
from autograder.feedback.layout import layout_of
from autograder.feedback.rendering import MADE_BY, template
from autograder.feedback.writing import SIGN
from autograder.points import points_of
from autograder.results import CheckResult, ExerciseResult

RECORD_TYPE = "application/vnd.autograder.v1+json"

HEADINGS = {
    "partial": "partly right",
    "failed": "not right yet",
    "missing": "not written yet",
    "error": "stopped with an error",
    "timeout": "took too long",
    "forbidden": "uses what the exercise forbids",
}
HIDDEN_REMAIN = "All visible checks pass. Hidden checks with harder inputs remain; they run when you are graded."
DIFFERS = f"{SIGN} marks what differs."


@dataclass(frozen=True)
class Panel:
    """One exercise's outcome for a reader: what is right, the diagnosis, one failure in full, what else fails.

    Attributes:
        result: the outcome.
        hidden_remain: whether hidden checks are still to come.
        with_record: whether the machine-readable record goes along, for feedback pages and reports.
    """

    result: ExerciseResult
    hidden_remain: bool = False
    with_record: bool = False

    def html(self) -> str:
        """One block of HTML, of which at most twenty lines are to be seen before anything is unfolded."""
        return template("panel.html.j2").render(
            result=self.result,
            heading=HEADINGS.get(self.result.status, self.result.status),
            layout=layout_of(self.result),
            points_of=points_of,
            svg=svg,
            legend=legend,
            marked=_marked,
            differs=DIFFERS,
            remain=self._of_hidden,
        )

    def text(self) -> str:
        """The same for a terminal or a screen reader, with nothing folded; a picture is a sentence."""
        result = self.result
        head = f"{result.name}: {points_of(result.points, result.max_points)} points"
        lines = [head if result.status == "passed" else f"{head} ({HEADINGS.get(result.status, result.status)})"]
        if result.status == "missing":
            return f"{lines[0]}. {result.message}".strip()
        lines += [f"  {line}" for line in ([result.message] if result.message else self._body())]
        return "\n".join(lines)

    def _body(self) -> Iterator[str]:
        layout = layout_of(self.result)
        yield layout.passing
        yield from (f"  ✓ {check.title}" for check in layout.passed)
        if self.result.diagnosis:
            yield f"What it looks like: {self.result.diagnosis.says}"
        if layout.of_points:
            yield layout.of_points
        if layout.shown is not None:
            yield from (f"    {line}" for line in _details(layout.shown))
            yield from [f"    {layout.picture.says}"] if layout.picture else []
            yield f"✗ What has to hold: {layout.shown.title}"
        if layout.others:
            yield layout.failing
        yield from (f"  ✗ {check.title}" for check in layout.others)
        if layout.not_analysed:
            yield layout.unknown
        yield from (f"  – {check.title} {check.message}".rstrip() for check in layout.not_analysed)
        if self._of_hidden:
            yield self._of_hidden

    @property
    def _of_hidden(self) -> str:
        if self.result.hidden is not None:
            return self.result.hidden.says
        return HIDDEN_REMAIN if self.hidden_remain and self.result.status == "passed" else ""

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        bundle: dict[str, Any] = {"text/plain": self.text(), "text/html": self.html()}
        if self.with_record:
            bundle[RECORD_TYPE] = msgspec.to_builtins(self.result)
        return bundle, MADE_BY


@dataclass(frozen=True)
class Progress:
    """A bar while checks run; the panel takes its place.

    Attributes:
        name: the exercise.
        done, total: how many checks were made, and how many there are.
        seconds: how long a call of the student's function is waited for.
    """

    name: str
    done: int
    total: int
    seconds: float

    def text(self) -> str:
        number = min(self.done + 1, self.total)
        return f"{self.name}: check {number} of {self.total} is waiting for your function, up to {self.seconds:g} s"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        bar = f'<progress value="{self.done}" max="{self.total}" style="width:12em"></progress>'
        return {"text/plain": self.text(), "text/html": f"{bar} {self.text()}"}


@dataclass(frozen=True)
class Notice:
    """One sentence that stands where a panel would."""

    sentence: str

    def text(self) -> str:
        return self.sentence

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {"text/plain": self.sentence}


def _details(check: CheckResult) -> list[str]:
    seen = f"{check.message} {DIFFERS}" if check.differing else check.message
    lines = [*(check.counterexample or "").splitlines(), *seen.splitlines()]
    if check.expected is not None and check.got is not None:
        lines += f"expected  {check.expected}".replace("\n", "\n          ").splitlines()
        lines += f"got       {check.got}".replace("\n", "\n          ").splitlines()
    return lines


def _marked(check: CheckResult) -> Markup:
    """The student's answer as HTML, what differs marked."""
    text, done, parts = check.got or "", 0, []
    for start, end in check.differing:
        mark = '<mark style="background:rgba(217,96,59,.3);color:inherit;font-weight:bold;padding:0">'
        parts.append(f"{escape(text[done:start])}{mark}{escape(text[start:end])}</mark>")
        done = end
    return Markup("".join([*parts, escape(text[done:])]))
