"""Writes a report as one page that needs nothing else, with a CSV beside it for each table."""

import base64
import hashlib
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from autograder.atomic import write_whole
from autograder.course import Course
from autograder.feedback.rendering import code_spans
from autograder.points import Points, percent_of, points_text
from autograder.reporting.charts import OUTCOMES, histogram, outcomes
from autograder.reporting.counting import report_of
from autograder.reporting.figures import Report
from autograder.reporting.handed_in import has_results, moment, read_handed_in
from autograder.reporting.overview import CourseReport, course_report, course_tables
from autograder.reporting.tables import Column, Table, as_csv, tables_of

NOTHING = "–"
# No assignment's name has a hyphen.
WHOLE_COURSE = "all-assignments"
EXAMPLES = 3
LONG_TITLE = 1000


def write_report(course: Course, name: str) -> tuple[Path, Report]:
    """Writes ``private/reports/NAME.html`` and ``private/reports/NAME/*.csv``.

    Raises:
        CourseError, ReportError: see `read_handed_in`.
    """
    report = report_of(read_handed_in(course, name))
    tables = tables_of(report)
    charts = []
    if report.scores is not None:
        charts.append(("Scores", _caption(report), histogram(report.scores.bins)))
        charts.append(("Outcomes by exercise", _key(), outcomes(report.exercises)))
    text = _render("report.html.j2", _pages(course, report), report=report, tables=tables, charts=charts)
    return _write(course, name, text, tables), report


def write_course_report(course: Course) -> tuple[Path, CourseReport]:
    """Writes the report of every assignment that was graded, and ``private/reports/all-assignments.html``.

    Raises:
        CourseError, ReportError: see `read_handed_in`; or no assignment was graded.
    """
    reports = tuple(write_report(course, one.name)[1] for one in course.assignments if has_results(course, one.name))
    whole = course_report(course, reports)
    tables = course_tables(whole)
    linked = {report.assignment: f"{report.assignment}.html" for report in reports}
    text = _render("course_report.html.j2", linked, report=whole, tables=tables)
    return _write(course, WHOLE_COURSE, text, tables), whole


def _caption(report: Report) -> Markup:
    scores = report.scores
    assert scores is not None
    figures = (scores.mean, scores.median, scores.lower_quartile, scores.upper_quartile)
    mean, median, lower, upper = (points_text(figure, scores.max_score) for figure in figures)
    return Markup(
        f"Mean {mean}, median {median} of {points_text(scores.max_score)} points; half of the class between {lower} "
        f"and {upper}; full points {scores.full} times, none {scores.zero} times."
    )


def _key() -> Markup:
    return Markup("".join(f'<span class="key {kind}"></span>{words}' for kind, words in OUTCOMES))


def _pages(course: Course, report: Report) -> dict[str, str]:
    """Where each student's feedback page is, seen from the report; of those that nbgrader has made."""
    name, feedback = report.assignment, course.private_dir / "feedback"
    return {
        one.student: f"../feedback/{quote(one.student)}/{quote(name)}/{quote(name)}.html"
        for one in report.submissions
        if (feedback / one.student / name / f"{name}.html").is_file()
    }


def _write(course: Course, name: str, text: str, tables: Sequence[Table]) -> Path:
    folder = course.private_dir / "reports"
    shutil.rmtree(folder / name, ignore_errors=True)
    (folder / name).mkdir(parents=True)
    for table in tables:
        # The mark in front tells spreadsheets that it is UTF-8.
        (folder / name / f"{table.key}.csv").write_text(
            as_csv(table), encoding="utf-8-sig", errors="replace", newline=""
        )
    path = folder / f"{name}.html"
    write_whole(path, text.encode(errors="replace"))
    return path


def _render(template: str, pages: Mapping[str, str], **values: Any) -> str:
    style, script = (Markup(_source(name)) for name in ("report.css", "sort.js"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        _environment()
        .get_template(template)
        .render(
            **values,
            style=style,
            script=script,
            # Whatever a student's text may bring, no other script runs and nothing is fetched.
            policy=f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; base-uri 'none'",
            points=points_text,
            cell=lambda column, value: _cell(column, value, pages),
        )
    )


def _cell(column: Column, value: Any, pages: Mapping[str, str]) -> Markup:
    match column.kind, value:
        case _, None | "" | ():
            return Markup(NOTHING)
        case "share", _:
            return Markup(f"{percent_of(value, 1)} %")
        case "signed", _:
            return Markup(f"{'−' if value < 0 else '+'}{percent_of(abs(value), 1)} %")
        case "number", _:
            return Markup(str(value) if isinstance(value, int | Points) else points_text(value))
        case "student", _:
            return _student(value, pages)
        case "students", _:
            shown = Markup(", ").join(_student(one, pages) for one in value[:EXAMPLES])
            return shown + (f" and {len(value) - EXAMPLES} more" if len(value) > EXAMPLES else "")
        case "code", tuple():
            return Markup(", ").join(map(_code, value))
        case "code", _:
            return _code(value)
        case "time", _:
            time = moment(value)
            return escape(f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if time else value)
        case "sentence", _:
            return code_spans(value if len(value) <= LONG_TITLE else f"{value[:LONG_TITLE]} …")
        case _, bool():
            return Markup("yes" if value else "no")
        case _:
            return escape(value)


def _code(name: str) -> Markup:
    """A name that a narrow column may break after an underscore."""
    return Markup("<code>{}</code>").format(escape(name).replace("_", Markup("_<wbr>")))


def _student(student: str, pages: Mapping[str, str]) -> Markup:
    if student not in pages:
        return escape(student)
    return Markup('<a href="{}">{}</a>').format(pages[student], student)


def _source(name: str) -> str:
    return Path(__file__).with_name("templates").joinpath(name).read_text(encoding="utf-8")


@lru_cache
def _environment() -> Environment:
    loader = PackageLoader("autograder.reporting")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
