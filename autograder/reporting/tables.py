"""The tables of a report: the same rows for the page and for the CSV behind it."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

from autograder.points import Points
from autograder.reporting.figures import Report
from autograder.reporting.hints import RULES

Kind = Literal["text", "code", "sentence", "number", "share", "signed", "students", "student", "time"]
NUMERIC = ("number", "share", "signed")
# What a spreadsheet takes for a formula, and the characters after which it may find one.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
SLOWEST = 10


@dataclass(frozen=True)
class Column:
    """A column: its name in the CSV, its heading on the page, what its cells are, and what it shares a heading with."""

    name: str
    heading: str
    kind: Kind = "text"
    group: str = ""

    @property
    def is_number(self) -> bool:
        return self.kind in NUMERIC


@dataclass(frozen=True)
class Table:
    """A table with its title, what to know about it, and what stands in its place when it has no rows.

    Where ``grouped``, the first column is a heading above the rows that share it on the page, and a column in the CSV.
    """

    key: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    says: tuple[str, ...] = ()
    empty: str = "None."
    grouped: bool = False

    @property
    def shown(self) -> tuple[Column, ...]:
        """The columns of the page."""
        return self.columns[1:] if self.grouped else self.columns

    @property
    def headings(self) -> tuple[tuple[str, int], ...]:
        """What stands above neighbouring columns of the page, with their number; nothing where no column has such."""
        spans = tuple((name, len(tuple(same))) for name, same in groupby(self.shown, lambda column: column.group))
        return spans if any(name for name, _ in spans) else ()

    @property
    def bodies(self) -> tuple[tuple[str, tuple[tuple[Any, ...], ...]], ...]:
        """The rows of the page under their headings."""
        if not self.grouped:
            return (("", self.rows),)
        groups = groupby(self.rows, lambda row: row[0])
        return tuple((str(heading), tuple(row[1:] for row in rows)) for heading, rows in groups)


def tables_of(report: Report) -> tuple[Table, ...]:
    """All tables of a report, in the order of the page."""
    return (
        _exercises(report),
        _checks(report),
        _mistakes(report),
        _hints(report),
        _notes(report),
        _unjudged(report),
        _slowest(report),
        *([_sections(report)] if report.sections else []),
        _missing(report),
        _submissions(report),
    )


def as_csv(table: Table) -> str:
    """The table for a spreadsheet: all students of a cell, full numbers, and no cell that could be a formula."""
    text = io.StringIO()
    # A cell that holds either of the terminator's characters gets quotes, or it would begin a row of its own.
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([column.name for column in table.columns])
    writer.writerows([[_cell(value) for value in row] for row in table.rows])
    return text.getvalue()


def _cell(value: Any) -> str | int | float:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float():
            return float(value)  # points with every digit, not as they are written for a person
        case int():
            return value
        case tuple():
            return defused(" ".join(map(str, value)))
        case _:
            return defused(str(value))


def defused(text: str) -> str:
    """Text that a spreadsheet shows as it is, whoever wrote it."""
    text = text.replace("\0", "")
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA) or text.startswith(FORMULA) else text


def _exercises(report: Report) -> Table:
    columns = (
        Column("exercise", "exercise", "code"),
        Column("max_points", "points", "number"),
        Column("mean_points", "mean", "number"),
        Column("pass_rate", "pass rate", "share"),
        Column("full", "full", "number"),
        Column("partial", "partial", "number"),
        Column("none", "none", "number"),
        Column("not_tried", "not tried", "number"),
        Column("discrimination", "upper − lower third", "signed"),
    )
    rows = tuple(
        (
            e.exercise,
            e.max_points,
            Points(e.mean, e.max_points),
            e.pass_rate,
            e.passed,
            e.partial,
            e.failed,
            e.missing,
            e.discrimination,
        )
        for e in report.exercises
    )
    says = (
        "Pass rate: the share of judged submissions with full points. Upper − lower third: the pass rate among the "
        "best third by total score, less that among the weakest; near 0, the exercise tells the two apart little.",
    )
    return Table("exercises", "Exercises", columns, rows, says)


def _checks(report: Report) -> Table:
    columns = (
        Column("exercise", "exercise", "code"),
        Column("check", "check", "code"),
        Column("seen_by_students", "visible", "text"),
        Column("ran", "ran", "number"),
        Column("pass_rate", "pass rate", "share"),
        Column("failed", "failed", "number"),
        Column("error", "error", "number"),
        Column("timeout", "too slow", "number"),
        Column("property", "property", "sentence"),
    )
    rows = tuple(
        (
            c.exercise,
            c.check,
            "visible" if c.visible else "hidden",
            c.ran,
            c.pass_rate,
            c.failed,
            c.error,
            c.timeout,
            c.title,
        )
        for c in report.checks
    )
    says = (
        "Over the submissions in which the check ran: not where the exercise is unwritten, its cell stopped, or it "
        "uses a forbidden operation.",
    )
    return Table("checks", "Checks", columns, rows, says)


def _mistakes(report: Report) -> Table:
    columns = (
        Column("exercise", "exercise", "code"),
        Column("says", "what it looks like", "sentence"),
        Column("mistake", "mistake", "code"),
        Column("kind", "kind", "text"),
        Column("count", "times", "number"),
        Column("share", "of those who tried", "share"),
        Column("students", "for example", "students"),
    )
    rows = tuple((m.exercise, m.says, m.mistake, m.kind, m.count, m.share, m.students) for m in report.mistakes)
    says = (
        "Known mistakes are those that the assignment lists; generic ones may happen in any exercise. Last come those "
        "that follow from an earlier exercise which does not pass.",
    )
    return Table("mistakes", "Most frequent mistakes", columns, rows, says, "No mistake has a name.")


def _hints(report: Report) -> Table:
    columns = (
        Column("exercise", "exercise", "code"),
        Column("rule", "rule", "text"),
        Column("says", "what was seen", "sentence"),
        Column("checks", "checks", "code"),
    )
    rows = tuple((h.exercise, h.rule, h.says, h.checks) for h in report.hints)
    return Table("worth_a_look", "Worth a look", columns, rows, RULES, "No exercise and no check meets these rules.")


def _notes(report: Report) -> Table:
    columns = (
        Column("kind", "kind", "text"),
        Column("says", "note", "sentence"),
        Column("count", "times", "number"),
        Column("students", "for example", "students"),
    )
    rows = tuple((n.kind, n.says, n.count, n.students) for n in report.notes)
    says = ("Forbidden operations, inputs changed in place, and what reading and running a submission noticed.",)
    return Table("notes", "Notes", columns, rows, says)


def _unjudged(report: Report) -> Table:
    columns = (Column("student", "student", "student"), Column("reason", "why", "sentence"))
    rows = tuple((s.student, s.reason) for s in report.submissions if s.score is None)
    return Table("not_judged", "Not judged", columns, rows, (), "Every submission was judged.")


def _slowest(report: Report) -> Table:
    columns = (
        Column("student", "student", "student"),
        Column("cpu_seconds", "CPU seconds", "number"),
        Column("wall_seconds", "seconds", "number"),
        Column("checks_too_slow", "checks too slow", "number"),
    )
    judged = sorted((s for s in report.submissions if s.cpu is not None), key=lambda s: (-(s.cpu or 0.0), s.student))
    rows = tuple((s.student, s.cpu, s.wall, s.timeouts) for s in judged[:SLOWEST])
    return Table("slowest", "Slowest submissions", columns, rows)


def _sections(report: Report) -> Table:
    columns = (
        Column("section", "section", "text"),
        Column("students", "students", "number"),
        Column("judged", "judged", "number"),
        Column("not_judged", "not judged", "number"),
        Column("late", "late", "number"),
        Column("missing", "missing", "number"),
        Column("mean", "mean", "number"),
        Column("median", "median", "number"),
    )
    full = report.scores.max_score if report.scores else None
    rows = tuple(
        (s.section, s.students, s.judged, s.unjudged, s.late, s.missing, _points(s.mean, full), _points(s.median, full))
        for s in report.sections
    )
    return Table("sections", "Sections", columns, rows)


def _missing(report: Report) -> Table:
    columns = (
        Column("student", "student", "student"),
        Column("name", "name"),
        Column("section", "section"),
        Column("why", "why"),
    )
    rows = tuple((m.student, m.name, m.section, m.why) for m in report.missing)
    unknown = "Nobody." if report.counts.missing is not None else "Nobody is known: there is no private/students.csv."
    return Table("missing", "Missing", columns, rows, (), unknown)


def _submissions(report: Report) -> Table:
    columns: Sequence[Column] = (
        Column("student", "student", "student"),
        Column("name", "name"),
        Column("section", "section"),
        Column("score", "score", "number"),
        Column("max_score", "of", "number"),
        Column("handed_in", "handed in", "time"),
        Column("late", "late"),
        Column("cpu_seconds", "CPU seconds", "number"),
        Column("checks_too_slow", "too slow", "number"),
        Column("notes", "notes", "number"),
    )
    rows = tuple(
        (
            s.student,
            s.name,
            s.section,
            _points(s.score, s.max_score),
            s.max_score,
            s.submitted,
            s.late,
            s.cpu,
            s.timeouts,
            s.notes,
        )
        for s in report.submissions
    )
    return _without_empty(Table("submissions", "All submissions", tuple(columns), rows))


def _points(points: float | None, full: float | None) -> Points | None:
    return None if points is None else Points(points, full)


def _without_empty(table: Table) -> Table:
    """Without the columns that say nothing of any row, as names do where there is no roster."""
    kept = [i for i in range(len(table.columns)) if any(row[i] not in (None, "") for row in table.rows)]
    columns = tuple(table.columns[i] for i in kept)
    return Table(table.key, table.title, columns, tuple(tuple(row[i] for i in kept) for row in table.rows), table.says)
