"""What ``check()`` shows: HTML in Jupyter, plain text elsewhere."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup, escape

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


@dataclass(frozen=True)
class Panel:
    """One exercise's outcome for a reader.

    Attributes:
        result: the outcome.
        hidden_remain: whether hidden checks are still to come.
        with_record: whether the machine-readable record goes along, for feedback pages and reports.
    """

    result: ExerciseResult
    hidden_remain: bool = False
    with_record: bool = False

    def html(self) -> str:
        shown = first_failure(self.result)
        return _template("panel.html.j2").render(
            result=self.result,
            heading=HEADINGS.get(self.result.status, self.result.status),
            shown=shown.name if shown else None,
            points=points_text,
            remain=self.hidden_remain and self.result.status == "passed",
        )

    def text(self) -> str:
        result = self.result
        head = f"{result.name}: {points_text(result.points)} of {points_text(result.max_points)} points"
        lines = [head if result.status == "passed" else f"{head} ({HEADINGS.get(result.status, result.status)})"]
        if result.message:
            return "\n".join([*lines, f"  {result.message}"])
        if result.diagnosis:
            lines.append(f"  What it looks like: {result.diagnosis.says}")
        shown = first_failure(result)
        for check in result.checks:
            lines.append(f"  {'✓' if check.status == 'passed' else '✗'} {check.title}")
            if check is shown:
                lines.extend(f"      {line}" for line in _details(check))
        if self.hidden_remain and result.status == "passed":
            lines.append("  All visible checks pass. Hidden checks with harder inputs remain.")
        return "\n".join(lines)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        bundle: dict[str, Any] = {"text/plain": self.text(), "text/html": self.html()}
        if self.with_record:
            bundle[RECORD_TYPE] = msgspec.to_builtins(self.result)
        return bundle


@dataclass(frozen=True)
class Progress:
    """A bar while checks run; the panel takes its place."""

    name: str
    done: int
    total: int

    def text(self) -> str:
        return f"{self.name}: {self.done} of {self.total} checks"

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


def first_failure(result: ExerciseResult) -> CheckResult | None:
    """The failed check that a reader should look at first: the one whose counterexample is the shortest."""
    failed = [check for check in result.checks if check.status not in ("passed", "not_analysed")]
    return min(failed, key=lambda check: len(check.counterexample or "x" * 10_000), default=None)


def points_text(points: float) -> str:
    """Points without needless digits: 2, 1.5, 0.67."""
    return f"{points:.2f}".rstrip("0").rstrip(".")


def _details(check: CheckResult) -> list[str]:
    lines = [check.message]
    lines += (check.counterexample or "").splitlines()
    if check.expected is not None and check.got is not None:
        lines += f"expected  {check.expected}".replace("\n", "\n          ").splitlines()
        lines += f"got       {check.got}".replace("\n", "\n          ").splitlines()
    return lines


@lru_cache
def _template(name: str) -> Template:
    loader = PackageLoader("autograder.feedback")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
    environment.filters["code"] = code_spans
    return environment.get_template(name)


def code_spans(sentence: str) -> Markup:
    """A sentence as HTML in which what stands between backticks is code."""
    parts = (str(escape(part)) for part in sentence.split("`"))
    return Markup("".join(f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(parts)))
